//! The certificates of a KMS: one, or several after each other where it has rolled over to new master secrets
//! (docs/roll-over.md).

use super::Error;
use super::calendar::{ntp_time, unix_date, unix_seconds};
use super::octets::Octets;
use super::record::KmsRecord;
use crate::kms_protocol::KmsCertificate;
use crate::mc::{Kms, same_domain};
use crate::mikey::NtpTime;
use crate::{eccsi, sakke};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Certificates that are kept of a KMS; of more, the oldest go.
const LIMIT: usize = 32;

/// What a certificate says, but for what all certificates of a KMS have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CertificateRecord {
    pub(super) cert_uri: Option<String>,
    pub(super) revoked: bool,
    /// Unix seconds.
    pub(super) valid_from: Option<i64>,
    /// Unix seconds.
    pub(super) valid_to: Option<i64>,
    /// Domains whose users the KMS serves.
    pub(super) domains: Vec<String>,
    pub(super) pub_enc_key: Octets,
    pub(super) pub_auth_key: Octets,
}

impl CertificateRecord {
    pub(super) fn of(certificate: &KmsCertificate) -> Self {
        Self {
            cert_uri: certificate.cert_uri.clone(),
            revoked: certificate.revoked,
            valid_from: certificate.valid_from.map(OffsetDateTime::unix_timestamp),
            valid_to: certificate.valid_to.map(OffsetDateTime::unix_timestamp),
            domains: certificate.domains.clone(),
            pub_enc_key: Octets::new(&certificate.pub_enc_key),
            pub_auth_key: Octets::new(&certificate.pub_auth_key),
        }
    }

    /// The public keys, or the name of the one that is none and what is wrong with it.
    pub(super) fn public_keys(&self) -> Result<(sakke::PublicKey, eccsi::PublicKey), (&'static str, String)> {
        let pub_enc_key = sakke::PublicKey::from_bytes(self.pub_enc_key.as_bytes())
            .map_err(|error| ("PubEncKey", error.to_string()))?;
        let pub_auth_key = eccsi::PublicKey::from_bytes(self.pub_auth_key.as_bytes())
            .map_err(|error| ("PubAuthKey", error.to_string()))?;
        Ok((pub_enc_key, pub_auth_key))
    }

    pub(super) fn has_keys_of(&self, other: &Self) -> bool {
        self.pub_enc_key == other.pub_enc_key && self.pub_auth_key == other.pub_auth_key
    }

    /// For people: ValidFrom and ValidTo.
    pub(super) fn dates(&self) -> (String, String) {
        let text = |time: Option<i64>| time.map_or_else(|| "any time".into(), unix_date);
        (text(self.valid_from), text(self.valid_to))
    }

    fn holds_at(&self, unix: i64) -> bool {
        self.valid_from.is_none_or(|from| from <= unix) && self.valid_to.is_none_or(|to| unix < to)
    }

    /// Whether it holds at any time from `from` until before `to`.
    fn holds_within(&self, from: Option<i64>, to: Option<i64>) -> bool {
        let ends_before = self.valid_to.zip(from).is_some_and(|(end, from)| end <= from);
        let begins_after = self.valid_from.zip(to).is_some_and(|(start, to)| to <= start);
        !ends_before && !begins_after
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.holds_within(other.valid_from, other.valid_to)
    }
}

impl KmsRecord {
    /// The certificate for messages of a time; if none is for it, another, which then refuses the time.
    pub(super) fn certificate_at(&self, time: NtpTime) -> Result<&CertificateRecord, Error> {
        self.certificate_for(unix_seconds(time))
    }

    /// The certificate for the keys of a period, which holds when that begins; if there is none, the last one before.
    pub(super) fn certificate_of_period(&self, period_no: u64) -> Result<&CertificateRecord, Error> {
        self.certificate_for(unix_of_ntp(self.periods()?.bounds(period_no).0))
    }

    fn certificate_for(&self, unix: i64) -> Result<&CertificateRecord, Error> {
        let revoked = || Error::CertificateRevoked { kms_uri: self.kms_uri.clone() };
        let holding = self.certificates.iter().filter(|certificate| certificate.holds_at(unix));
        let before = self.live().filter(|certificate| certificate.valid_from.is_none_or(|from| from <= unix)).last();
        match holding.min_by_key(|certificate| certificate.revoked) {
            Some(certificate) if certificate.revoked => Err(revoked()),
            Some(certificate) => Ok(certificate),
            None => before.or_else(|| self.live().next()).ok_or_else(revoked),
        }
    }

    /// Whether there is nothing left of it to trust.
    pub(super) fn is_revoked(&self) -> bool {
        self.live().next().is_none()
    }

    /// The domains that it lists; those of revoked certificates only if there are no others.
    pub(super) fn domains(&self) -> impl Iterator<Item = &String> {
        let all = self.is_revoked();
        self.certificates.iter().filter(move |listing| all || !listing.revoked).flat_map(|listing| &listing.domains)
    }

    /// Whether its certificates list the domain of a URI, or a domain itself.
    pub(super) fn serves(&self, uri: &str) -> bool {
        self.domains().any(|listed| same_domain(listed, uri))
    }

    /// What can be computed with under one of its certificates. `malformed` is the error for a public key that is none: its
    /// name, and what is wrong with it.
    pub(super) fn made_ready(
        &self,
        certificate: &CertificateRecord,
        malformed: impl FnOnce(&'static str, String) -> Error,
    ) -> Result<Kms, Error> {
        let keys = certificate.public_keys().map_err(|(field, problem)| malformed(field, problem));
        let (pub_enc_key, pub_auth_key) = keys?;
        let kms = Kms::new(&*self.kms_uri, &pub_enc_key, &pub_auth_key, self.periods()?, self.identity_form);
        Ok(kms
            .valid(certificate.valid_from.and_then(ntp_time), certificate.valid_to.and_then(ntp_time))
            .with_domains(certificate.domains.clone()))
    }

    /// Takes in what the KMS says of itself: a certificate that is known, with other dates perhaps, or one for other times. The
    /// public keys for a time that is known do not change, nor those for periods that the client has keys of: `held`.
    ///
    /// Whether the public keys are new.
    pub(super) fn take_own(&mut self, new: CertificateRecord, held: &[u64]) -> Result<bool, Error> {
        let changed = || Error::KmsKeysChanged { kms_uri: self.kms_uri.clone() };
        let revoked = || Error::CertificateRevoked { kms_uri: self.kms_uri.clone() };
        let mut certificates = self.certificates.clone();
        let known = certificates.iter_mut().find(|known| known.has_keys_of(&new));
        let is_new = known.is_none();
        match known {
            Some(known) if known.revoked && !new.revoked => return Err(revoked()),
            Some(known) => *known = new,
            // It was withdrawn before it was known here.
            None if new.revoked => return Ok(false),
            None => {
                let periods = self.periods()?;
                let has_keys = |period_no: &u64| {
                    let (start, end) = periods.bounds(*period_no);
                    new.holds_within(Some(unix_of_ntp(start)), Some(unix_of_ntp(end)))
                };
                if held.iter().any(has_keys) {
                    return Err(changed());
                }
                certificates.push(new);
            }
        }
        certificates.sort_by_key(|certificate| certificate.valid_from);
        // One without an end ends where the next begins, whether its KMS says so or not. What is revoked stands in nobody's way.
        let mut live: Vec<&mut CertificateRecord> = certificates.iter_mut().filter(|one| !one.revoked).collect();
        let next: Vec<Option<i64>> = live.iter().skip(1).map(|next| next.valid_from).collect();
        for (certificate, next) in live.iter_mut().zip(next) {
            if certificate.valid_to.is_none() && certificate.valid_from < next {
                certificate.valid_to = next;
            }
        }
        if live.windows(2).any(|pair| matches!(pair, [one, other] if one.overlaps(other))) {
            return Err(changed());
        }
        self.keep(certificates);
        Ok(is_new)
    }

    /// Takes in what the client's own KMS says of this one: in the place of whatever holds at the same time.
    pub(super) fn take_other(&mut self, new: CertificateRecord) {
        let mut certificates = self.certificates.clone();
        certificates.retain(|known| !known.has_keys_of(&new) && !known.overlaps(&new));
        certificates.push(new);
        certificates.sort_by_key(|certificate| certificate.valid_from);
        self.keep(certificates);
    }

    fn keep(&mut self, mut certificates: Vec<CertificateRecord>) {
        certificates.drain(..certificates.len().saturating_sub(LIMIT));
        self.certificates = certificates;
    }

    fn live(&self) -> impl Iterator<Item = &CertificateRecord> {
        self.certificates.iter().filter(|certificate| !certificate.revoked)
    }
}

/// Seconds since 1970 of seconds since 1900.
fn unix_of_ntp(seconds: u64) -> i64 {
    let since_1900 = i64::try_from(seconds).unwrap_or(i64::MAX);
    since_1900.saturating_sub(NtpTime::UNIX_EPOCH.cast_signed())
}
