//! Key sets: each must be valid under a certificate of the KMS, and all under one convention.

use super::Intake;
use crate::client::Error;
use crate::client::answer::{Answer, KEY_PROV, require_same_kms};
use crate::client::calendar::{date_time, ntp_time, unix_date};
use crate::client::convention::{CandidateKeys, Convention, identity_form, period_epoch, period_text};
use crate::client::octets::Octets;
use crate::client::protection::signature_missing;
use crate::client::record::{Contents, KeySetRecord, KmsRecord};
use crate::kms_protocol::{KeyContent, KmsKeyProv, KmsKeySet};
use crate::mc::{KeyPeriods, KeySet, Kms, PeriodEpoch, Uid};
use crate::mikey::NtpTime;
use time::OffsetDateTime;

/// Seconds by which the clock of whoever made a file may be ahead.
const CLOCK_DIFFERENCE: u64 = 24 * 60 * 60;

impl Intake {
    /// Checks every key set of an answer and finds the convention that makes it valid.
    pub(in crate::client) fn with_keys(
        mut self,
        contents: &Contents,
        answer: &Answer<KmsKeyProv>,
        now: NtpTime,
    ) -> Result<Self, Error> {
        require_same_kms("KmsResponse to keyprov", &answer.kms_uri, &self.record.kms_uri)?;
        if answer.content.key_sets.is_empty() {
            return Err(Error::NoKeySets);
        }
        self.protected = answer.protected.clone().map(|protected| protected.after(self.protected.take()));
        let issued = issue_time(answer.time, now)?;
        for key_set in &answer.content.key_sets {
            let shared = contents.client_keys(&key_set.user_uri, Some(&self.record.kms_uri));
            if let (None, Some(keys)) = (&self.protected, shared) {
                return Err(signature_missing(KEY_PROV, keys));
            }
            self.add(key_set, issued, now)?;
        }
        Ok(self)
    }

    fn add(&mut self, key_set: &KmsKeySet, issued: NtpTime, now: NtpTime) -> Result<(), Error> {
        require_same_kms("KmsKeySet", &key_set.kms_uri, &self.record.kms_uri)?;
        if key_set.revoked {
            let (user_uri, period_no) = (key_set.user_uri.clone(), key_set.key_period_no);
            return Err(Error::KeySetRevoked { user_uri, period_no });
        }
        let keys = candidate(key_set)?;
        if self.key_sets.iter().any(|set| set.is(&keys.user_uri, &self.record.kms_uri, keys.period_no)) {
            return Err(Error::KeySetTwice { user_uri: keys.user_uri, period_no: keys.period_no });
        }
        let period_epoch = period_epoch(self.record.period, self.record.offset, keys.period_no, issued)?;
        let kms = self.kms_of_period(keys.period_no, period_epoch)?;
        let identity_form = match identity_form(&kms, &keys) {
            Err(Error::KeysInvalid { .. }) if self.is_unknown(key_set.cert_uri.as_deref()) => {
                self.leave_out(key_set);
                return Ok(());
            }
            found => found?,
        };
        self.settle_convention(Convention { identity_form, period_epoch })?;
        let kms = self.kms_of_period(keys.period_no, period_epoch)?;
        let validated =
            KeySet::validate(&kms, &keys.user_uri, keys.period_no, keys.receiver_secret_key()?, keys.key_pair()?)?;
        if keys.user_id != *validated.uid() {
            return Err(Error::UserIdWrong {
                user_uri: keys.user_uri,
                period_no: keys.period_no,
                user_id: keys.user_id.to_string(),
                uid: validated.uid().to_string(),
            });
        }
        let pair = validated.signer().key_pair();
        let record = KeySetRecord {
            user_uri: keys.user_uri,
            kms_uri: self.record.kms_uri.clone(),
            period_no: keys.period_no,
            valid_from: key_set.valid_from.map(OffsetDateTime::unix_timestamp),
            valid_to: key_set.valid_to.map(OffsetDateTime::unix_timestamp),
            rsk: Octets::new(&*validated.rsk().to_bytes()),
            ssk: Octets::new(&*pair.ssk_bytes()),
            pvt: Octets::new(&pair.pvt_bytes()),
        };
        // Keys that are valid later only may wait in the store.
        let from = record.valid_from.and_then(ntp_time).filter(|from| *from > now);
        record.require_valid_at(from.unwrap_or(now))?;
        self.note_period(kms.periods(), record.period_no, issued, now);
        self.key_sets.push(record);
        Ok(())
    }

    /// What the keys of a period are checked under.
    fn kms_of_period(&mut self, period_no: u64, period_epoch: PeriodEpoch) -> Result<Kms, Error> {
        let record = KmsRecord { period_epoch, ..self.record.clone() };
        let certificate = record.certificate_of_period(period_no)?;
        let kms = match self.ready.iter().find(|(ready, _)| ready == certificate) {
            Some((_, kms)) => kms.clone(),
            None => {
                let malformed =
                    |field, problem| Error::CertificateKey { kms_uri: record.kms_uri.clone(), field, problem };
                let kms = record.made_ready(certificate, malformed)?;
                self.ready.push((certificate.clone(), kms.clone()));
                kms
            }
        };
        Ok(kms.with_convention(record.periods()?, record.identity_form))
    }

    /// Whether a key set names a certificate that did not come.
    fn is_unknown(&self, cert_uri: Option<&str>) -> bool {
        let known = |cert_uri| self.record.certificates.iter().any(|known| known.cert_uri.as_deref() == Some(cert_uri));
        cert_uri.is_some_and(|cert_uri| !known(cert_uri))
    }

    fn leave_out(&mut self, key_set: &KmsKeySet) {
        let (user_uri, period_no) = (key_set.user_uri.clone(), key_set.key_period_no);
        let error = Error::CertificateMissing { user_uri, period_no, cert_uri: key_set.cert_uri.clone() };
        self.notes.push(format!("left out: {error}"));
        self.left_out.push((period_no, error));
    }

    fn settle_convention(&mut self, found: Convention) -> Result<(), Error> {
        let known = self.record.convention();
        if found != known {
            let kms_uri = self.record.kms_uri.clone();
            if !self.key_sets.is_empty() {
                let (first, second) = (known.to_string(), found.to_string());
                return Err(Error::MixedConventions { kms_uri, first, second });
            }
            if self.convention_known {
                let (known, found) = (known.to_string(), found.to_string());
                return Err(Error::KmsConventionChanged { kms_uri, known, found });
            }
            self.record.identity_form = found.identity_form;
            self.record.period_epoch = found.period_epoch;
        }
        self.convention_known = true;
        Ok(())
    }

    fn note_period(&mut self, periods: &KeyPeriods, period_no: u64, issued: NtpTime, now: NtpTime) {
        let (start, end) = periods.bounds(period_no);
        let text = period_text(periods, period_no);
        if end <= now.seconds() {
            self.notes.push(format!("period {period_no} ({text}) is over: its keys only open messages of that time"));
        } else if now.seconds() < start {
            self.notes.push(format!("period {period_no} ({text}) has not begun: its keys wait for it"));
        }
        let at_most = self.record.period.saturating_mul(2);
        if start.saturating_sub(issued.seconds()) > at_most || issued.seconds().saturating_sub(end) > at_most {
            self.notes
                .push(format!("period {period_no} ({text}) is far from the date of the answer, {}", date_time(issued)));
        }
    }
}

/// When an answer was made. It tells what periods count from, so a date that cannot be must not stand.
fn issue_time(time: OffsetDateTime, now: NtpTime) -> Result<NtpTime, Error> {
    let time = time.unix_timestamp();
    match ntp_time(time) {
        Some(issued) if issued.seconds() <= now.seconds().saturating_add(CLOCK_DIFFERENCE) => Ok(issued),
        _ => Err(Error::ResponseTime { found: unix_date(time), now: date_time(now) }),
    }
}

fn candidate(key_set: &KmsKeySet) -> Result<CandidateKeys, Error> {
    let clear = |field, content: &KeyContent| match content {
        KeyContent::Clear(octets) => Ok(octets.clone()),
        KeyContent::Encrypted(key) => Err(Error::TransportKeyNeeded {
            user_uri: key_set.user_uri.clone(),
            field,
            trk_id: key.key_name.clone().unwrap_or_else(|| "without a name".into()),
        }),
    };
    Ok(CandidateKeys {
        user_uri: key_set.user_uri.clone(),
        period_no: key_set.key_period_no,
        user_id: Uid::from_bytes(key_set.user_id),
        rsk: clear("UserDecryptKey", &key_set.user_decrypt_key)?,
        ssk: clear("UserSigningKeySSK", &key_set.user_signing_key_ssk)?,
        pvt: clear("UserPubTokenPVT", &key_set.user_pub_token_pvt)?,
    })
}
