//! Taking in what a KMS issued.

use super::calendar::{date_time, ntp_time, unix_date, unix_seconds};
use super::certificates::CertificateRecord;
use super::convention::{CandidateKeys, Convention, identity_form, period_epoch, period_text};
use super::octets::Octets;
use super::protection::{Protected, Protection, require_no_signature, unusable};
use super::ready::ready_key;
use super::record::{Contents, KeySetRecord, KmsRecord};
use super::{Error, ImportReport, Store, UserPeriods};
use crate::kms_protocol::{
    self, ClientKeys, KeyContent, KmsCertCache, KmsCertificate, KmsInit, KmsKeyProv, KmsKeySet, KmsMessage,
    KmsResponse, Limits, USER_ID_FORMAT_HASHED,
};
use crate::mc::imessage::StatusZero;
use crate::mc::{IdentityForm, KeyPeriods, KeySet, Kms, PeriodEpoch, Uid};
use crate::mikey::NtpTime;
use time::OffsetDateTime;

/// Octets of a file that came out of band.
const MAX_FILE: usize = 1024 * 1024;

/// Seconds by which the clock of whoever made a file may be ahead.
const CLOCK_DIFFERENCE: u64 = 24 * 60 * 60;

/// RFC 6509 Appendix A.
const PARAMETER_SET: u64 = 1;

/// Takes in the answers to `init` and `keyprov` that came out of band (pre-provisioning), and stores the keys if every
/// one of them is valid. `now` is the time here. Keys of a certificate that is still to come are left out, with a note.
///
/// Where the store has a TrK of the user, both answers must be signed and the keys wrapped.
///
/// # Errors
/// [`Error::Response`] and [`Error::Refused`] for what the documents are, [`Error::OtherKms`] where they do not belong
/// together, `Error::Certificate...` and `Error::Kms...` for the KMS, `Error::Key...` for the keys,
/// [`Error::TransportKeyNeeded`], [`Error::IntegrityKeyNeeded`], [`Error::SignatureMissing`]; [`Error::UserIdWrong`];
/// [`Error::ResponseTime`] for an answer from before 1970 or of more than a day ahead. After an error the store is what it
/// was.
pub fn import(store: &mut Store, init: &[u8], keyprov: &[u8], now: NtpTime) -> Result<ImportReport, Error> {
    import_files(store, &ImportFiles { init, keyprov, certcache: None, keys: None }, now)
}

/// What may come out of band together.
#[derive(Clone, Copy, Debug)]
pub struct ImportFiles<'a> {
    /// The answer to `init`.
    pub init: &'a [u8],
    /// The answer to `keyprov`.
    pub keyprov: &'a [u8],
    /// The answer to `certcache`, where keys belong to other certificates of the KMS than that of `init`: see docs/roll-over.md.
    pub certcache: Option<&'a [u8]>,
    /// The TrK and InK that were handed over for this client. All answers must be protected with them; then they are stored too, and
    /// protect what comes later for this user.
    pub keys: Option<&'a ClientKeys>,
}

/// As [`import`], of more files.
///
/// # Errors
/// As [`import`].
pub fn import_files(store: &mut Store, files: &ImportFiles<'_>, now: NtpTime) -> Result<ImportReport, Error> {
    let ImportFiles { init, keyprov, certcache, keys } = *files;
    let limits = Limits::with_max_bytes(MAX_FILE);
    let protection = match keys {
        Some(_) => Protection::Fixed(keys),
        None => Protection::Stored(&store.contents),
    };
    let init = Answer::init(init, &limits, &protection)?;
    let keyprov = Answer::key_prov(keyprov, &limits, &protection)?;
    if let Some(keys) = keys {
        require_same_kms("the transport key", &keys.kms_uri, &init.kms_uri)?;
    }
    let user_uri = keyprov.user_uri.clone();
    let mut intake = Intake::of_home(&store.contents, &init, now)?;
    if let Some(certcache) = certcache {
        let certcache = Answer::cert_cache(certcache, &limits, &protection)?;
        require_same_kms("KmsResponse to certcache", &certcache.kms_uri, &init.kms_uri)?;
        intake = intake.with_certificates(&store.contents, &certcache.content);
    }
    intake.with_keys(&keyprov, now)?.store(store, user_uri)
}

/// A KMS's answer of the kind that was asked for, neither an error nor of doubtful signature.
pub(super) struct Answer<T> {
    pub(super) user_uri: String,
    pub(super) kms_uri: String,
    pub(super) client_req_url: String,
    pub(super) time: OffsetDateTime,
    pub(super) content: T,
    pub(super) protected: Option<Protected>,
}

const INIT: &str = "init";
const KEY_PROV: &str = "keyprov";
const CERT_CACHE: &str = "certcache";

impl Answer<KmsInit> {
    pub(super) fn init(document: &[u8], limits: &Limits, protection: &Protection<'_>) -> Result<Self, Error> {
        Self::read(INIT, document, limits, protection, KmsMessage::into_init)
    }
}

impl Answer<KmsKeyProv> {
    pub(super) fn key_prov(document: &[u8], limits: &Limits, protection: &Protection<'_>) -> Result<Self, Error> {
        Self::read(KEY_PROV, document, limits, protection, KmsMessage::into_key_prov)
    }
}

impl Answer<KmsCertCache> {
    pub(super) fn cert_cache(document: &[u8], limits: &Limits, protection: &Protection<'_>) -> Result<Self, Error> {
        Self::read(CERT_CACHE, document, limits, protection, KmsMessage::into_cert_cache)
    }
}

impl<T> Answer<T> {
    fn read(
        request: &'static str,
        document: &[u8],
        limits: &Limits,
        protection: &Protection<'_>,
        content: impl FnOnce(KmsMessage) -> Result<T, kms_protocol::Error>,
    ) -> Result<Self, Error> {
        let (response, protected) = protection.read(request, document, limits)?;
        let KmsResponse { user_uri, kms_uri, client_req_url, time, .. } = &response;
        let (user_uri, kms_uri) = (user_uri.clone(), kms_uri.clone());
        let (client_req_url, time) = (client_req_url.clone(), *time);
        let content = response.into_message().and_then(content).map_err(|source| unusable(request, source))?;
        Ok(Self { user_uri, kms_uri, client_req_url, time, content, protected })
    }
}

/// Everything that one provisioning brings, checked, before any of it is stored.
pub(super) struct Intake {
    record: KmsRecord,
    /// What keys are checked under: of each certificate of the KMS that there were keys for.
    ready: Vec<(CertificateRecord, Kms)>,
    /// Periods that the store has keys of.
    held: Vec<u64>,
    /// The convention is settled: by the store, or by the keys seen so far.
    convention_known: bool,
    key_sets: Vec<KeySetRecord>,
    /// Why key sets were left out, by period.
    left_out: Vec<(u64, Error)>,
    others: Vec<KmsRecord>,
    protected: Option<Protected>,
    /// When the KMS answered last, where it was asked over the network.
    answered: Option<i64>,
    notes: Vec<String>,
}

impl Intake {
    /// Checks the certificate of the client's own KMS against the rules and against what `contents` has of it.
    pub(super) fn of_home(contents: &Contents, init: &Answer<KmsInit>, now: NtpTime) -> Result<Self, Error> {
        let certificate = &init.content.certificate;
        require_same_kms("KmsResponse to init", &init.kms_uri, &certificate.kms_uri)?;
        // What is signed as a whole needs no signature within.
        if init.protected.is_none() {
            require_no_signature("the KMS certificate", certificate.signature.clone())?;
        }
        require_supported(certificate)?;
        require_dates(certificate, now)?;
        if certificate.role == Some(kms_protocol::Role::External) {
            return Err(unsupported(certificate, "Role", "External", "Root"));
        }
        let of_kms = contents.key_sets.iter().filter(|set| set.kms_uri == certificate.kms_uri);
        let held: Vec<u64> = of_kms.map(|set| set.period_no).collect();
        let mut intake = Self {
            record: match contents.kms(&certificate.kms_uri) {
                Some(known) => KmsRecord { home: true, ..known.clone() },
                None => KmsRecord::of(certificate, true),
            },
            ready: Vec::new(),
            convention_known: !held.is_empty(),
            held,
            key_sets: Vec::new(),
            left_out: Vec::new(),
            others: Vec::new(),
            protected: init.protected.clone(),
            answered: None,
            notes: Vec::new(),
        };
        intake.take_own(contents, certificate)?;
        Ok(intake)
    }

    /// Takes in a certificate of the client's own KMS, if it leaves what the client has as it is.
    fn take_own(&mut self, contents: &Contents, certificate: &KmsCertificate) -> Result<(), Error> {
        require_points(certificate)?;
        require_same_periods(&self.record, certificate)?;
        let mut record = self.record.clone();
        let new = CertificateRecord::of(certificate);
        let (from, to) = new.dates();
        let is_new = record.take_own(new, &self.held)?;
        require_own_domains(&record, &certificate.domains, contents.kms.iter().chain(&self.others))?;
        self.record = record;
        if is_new {
            let kms_uri = &self.record.kms_uri;
            self.notes.push(format!("KMS {kms_uri} has new public keys, valid from {from} to {to}"));
        }
        Ok(())
    }

    pub(super) fn kms_uri(&self) -> &str {
        &self.record.kms_uri
    }

    pub(super) fn periods(&self) -> Result<KeyPeriods, Error> {
        self.record.periods()
    }

    /// Whether keys for this period came, to be stored or left out.
    pub(super) fn has_period(&self, period_no: u64) -> bool {
        self.key_sets.iter().any(|set| set.period_no == period_no)
            || self.left_out.iter().any(|(left_out, _)| *left_out == period_no)
    }

    pub(super) fn cache_number(&self) -> Option<u64> {
        self.record.cache_number
    }

    /// The KMS's own time of its newest answer, in seconds since 1970.
    pub(super) fn answered_at(&mut self, time: Option<i64>) {
        self.answered = time;
    }

    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Checks every key set of an answer and finds the convention that makes it valid.
    pub(super) fn with_keys(mut self, answer: &Answer<KmsKeyProv>, now: NtpTime) -> Result<Self, Error> {
        require_same_kms("KmsResponse to keyprov", &answer.kms_uri, &self.record.kms_uri)?;
        if answer.content.key_sets.is_empty() {
            return Err(Error::NoKeySets);
        }
        if answer.protected.as_ref().is_some_and(|answer| answer.new_keys.is_some()) {
            self.protected.clone_from(&answer.protected);
        }
        let issued = issue_time(answer.time, now)?;
        for key_set in &answer.content.key_sets {
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

    /// Checks the certificates of a cache: those of other KMSs, and those of the client's own for other times. One that cannot be
    /// used is left out with a note, for it concerns only the users of that KMS, or only these times.
    pub(super) fn with_certificates(mut self, contents: &Contents, cache: &KmsCertCache) -> Self {
        let mut is_whole = true;
        for certificate in &cache.certificates {
            let is_own =
                certificate.kms_uri == self.record.kms_uri && certificate.role == Some(kms_protocol::Role::Root);
            let taken = if is_own { self.further(contents, certificate) } else { self.other(contents, certificate) };
            if let Err(error) = taken {
                let whose = if is_own { "the KMS for other times" } else { "another KMS" };
                self.notes.push(format!("certificate of {whose} left out: {error}"));
                is_whole &= !is_own;
            }
        }
        if is_whole {
            self.record.cache_number = cache.cache_num.or(self.record.cache_number);
        }
        self
    }

    fn further(&mut self, contents: &Contents, certificate: &KmsCertificate) -> Result<(), Error> {
        require_no_signature("the KMS certificate", certificate.signature.clone())?;
        if !certificate.revoked {
            require_supported(certificate)?;
        }
        self.take_own(contents, certificate)
    }

    fn other(&mut self, contents: &Contents, certificate: &KmsCertificate) -> Result<(), Error> {
        let known = contents.kms(&certificate.kms_uri);
        let at_home = known.is_some_and(|known| known.home) || certificate.kms_uri == self.record.kms_uri;
        if at_home {
            return Err(unsupported(certificate, "Role", "External", "Root, for it issued keys to this client"));
        }
        require_no_signature("the certificate of another KMS", certificate.signature.clone())?;
        // A revoked certificate is kept, to refuse what comes in its name.
        if !certificate.revoked {
            require_supported(certificate)?;
        }
        require_points(certificate)?;
        let taken = self.others.iter().position(|other| other.kms_uri == certificate.kms_uri);
        let known = taken.and_then(|index| self.others.get(index)).or(known);
        let record = match known {
            Some(known) if require_same_periods(known, certificate).is_ok() => {
                let mut record = known.clone();
                record.take_other(CertificateRecord::of(certificate));
                record
            }
            Some(known) => {
                let Convention { identity_form, period_epoch } = known.convention();
                KmsRecord { identity_form, period_epoch, ..KmsRecord::of(certificate, false) }
            }
            None => KmsRecord::of(certificate, false),
        };
        if !certificate.revoked {
            let all = contents.kms.iter().chain(&self.others).chain([&self.record]);
            require_own_domains(&record, &certificate.domains, all)?;
        }
        match taken.and_then(|index| self.others.get_mut(index)) {
            Some(taken) => *taken = record,
            None => self.others.push(record),
        }
        Ok(())
    }

    /// Stores everything at once. `user_uri` is whom the answer is for.
    pub(super) fn store(self, store: &mut Store, user_uri: String) -> Result<ImportReport, Error> {
        let mut notes = self.record.convention().notes();
        notes.extend(self.notes);
        if let (true, Some((_, error))) = (self.key_sets.is_empty(), self.left_out.into_iter().next()) {
            return Err(error);
        }
        let key_sets = UserPeriods::of(&self.key_sets);
        let Some(named) = key_sets.iter().find(|user| user.user_uri == user_uri) else {
            let users = key_sets.into_iter().map(|user| user.user_uri).collect();
            return Err(Error::KeysOfOtherUsers { user_uri, users });
        };
        let report = ImportReport {
            user_uri,
            kms_uri: self.record.kms_uri.clone(),
            periods: named.periods.clone(),
            key_sets,
            identity_form: self.record.identity_form,
            period_epoch: self.record.period_epoch,
            signed_with: self.protected.as_ref().map(|with| with.keys.signing_key().name().to_owned()),
            wrapped_with: self.protected.as_ref().map(|with| with.keys.transport.name().to_owned()),
            new_transport_key: self
                .protected
                .as_ref()
                .and_then(|with| with.new_keys.as_ref())
                .map(|new| new.transport.name().to_owned()),
            other_kms: self.others.iter().map(|other| other.kms_uri.clone()).collect(),
            notes,
        };
        let (periods, identity_form) = (self.record.periods()?, self.record.identity_form);
        let ready = self.ready.into_iter().map(|(certificate, kms)| {
            (ready_key(&report.kms_uri, &certificate), kms.with_convention(periods, identity_form))
        });
        store.change(|contents| {
            for record in self.others.into_iter().chain([self.record]) {
                contents.put_kms(record);
            }
            for record in self.key_sets {
                contents.put_key_set(record);
            }
            if let Some(Protected { keys, new_keys }) = self.protected {
                contents.put_client_keys(&report.user_uri, keys, new_keys);
            }
            if let Some(time) = self.answered {
                contents.answered.insert(report.kms_uri.clone(), time);
            }
            Ok(())
        })?;
        store.forget_ready();
        store.kms_cache.extend(ready);
        Ok(report)
    }
}

impl Convention {
    /// What deviates from TS 33.180.
    fn notes(self) -> Vec<String> {
        let form = match self.identity_form {
            IdentityForm::Raw => None,
            IdentityForm::HexText => Some(
                "the keys are valid for the 64 hex characters of the UID, as older KMSs issue them; \
                 TS 33.180 takes its 32 octets",
            ),
        };
        let epoch = match self.period_epoch {
            PeriodEpoch::Ntp => None,
            PeriodEpoch::Unix => Some("period numbers count from 1970, as with older KMSs; TS 33.180 counts from 1900"),
        };
        form.into_iter().chain(epoch).map(String::from).collect()
    }
}

impl KmsRecord {
    fn of(certificate: &KmsCertificate, home: bool) -> Self {
        let Convention { identity_form, period_epoch } = Convention::default();
        Self {
            kms_uri: certificate.kms_uri.clone(),
            home,
            period: certificate.user_key_period,
            offset: certificate.user_key_offset,
            identity_form,
            period_epoch,
            certificates: vec![CertificateRecord::of(certificate)],
            cache_number: None,
            excused: Vec::new(),
            status_zero: StatusZero::default(),
        }
    }

    pub(super) fn convention(&self) -> Convention {
        Convention { identity_form: self.identity_form, period_epoch: self.period_epoch }
    }

    pub(super) fn periods(&self) -> Result<KeyPeriods, Error> {
        Ok(KeyPeriods::new(self.period, self.offset, self.period_epoch)?)
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

pub(super) fn require_same_kms(place: &'static str, found: &str, expected: &str) -> Result<(), Error> {
    if found == expected {
        return Ok(());
    }
    Err(Error::OtherKms { place, found: found.to_owned(), expected: expected.to_owned() })
}

fn require_supported(certificate: &KmsCertificate) -> Result<(), Error> {
    if certificate.revoked {
        return Err(Error::CertificateRevoked { kms_uri: certificate.kms_uri.clone() });
    }
    if certificate.user_id_format != USER_ID_FORMAT_HASHED {
        return Err(unsupported(certificate, "UserIdFormat", &certificate.user_id_format, "2 (hashed UID)"));
    }
    if let Some(set) = certificate.parameter_set.filter(|set| *set != PARAMETER_SET) {
        return Err(unsupported(certificate, "ParameterSet", &set.to_string(), "1 (RFC 6509)"));
    }
    if certificate.user_key_period == 0 {
        return Err(unsupported(certificate, "UserKeyPeriod", "0", "a number of seconds above 0"));
    }
    Ok(())
}

fn require_dates(certificate: &KmsCertificate, now: NtpTime) -> Result<(), Error> {
    let now = unix_seconds(now);
    let early = certificate.valid_from.is_some_and(|from| now < from.unix_timestamp());
    let late = certificate.valid_to.is_some_and(|to| now >= to.unix_timestamp());
    if early || late {
        let (from, to) = CertificateRecord::of(certificate).dates();
        let kms_uri = certificate.kms_uri.clone();
        return Err(Error::CertificateDates { kms_uri, from, to, now: unix_date(now) });
    }
    Ok(())
}

fn unsupported(certificate: &KmsCertificate, field: &'static str, found: &str, expected: &'static str) -> Error {
    Error::CertificateUnsupported { kms_uri: certificate.kms_uri.clone(), field, found: found.to_owned(), expected }
}

fn require_points(certificate: &KmsCertificate) -> Result<(), Error> {
    match CertificateRecord::of(certificate).public_keys() {
        Ok(_) => Ok(()),
        Err((field, problem)) => Err(Error::CertificateKey { kms_uri: certificate.kms_uri.clone(), field, problem }),
    }
}

/// A KMS keeps its clock, whatever its certificates.
fn require_same_periods(known: &KmsRecord, found: &KmsCertificate) -> Result<(), Error> {
    let (period, offset) = (found.user_key_period, found.user_key_offset);
    if (known.period, known.offset) == (period, offset) {
        return Ok(());
    }
    let text = |period, offset| format!("key periods of {period} s with offset {offset} s");
    Err(Error::KmsConventionChanged {
        kms_uri: known.kms_uri.clone(),
        known: text(known.period, known.offset),
        found: text(period, offset),
    })
}

/// A KMS cannot take users over from another one by a claim of its own.
fn require_own_domains<'a>(
    record: &KmsRecord,
    domains: &[String],
    others: impl IntoIterator<Item = &'a KmsRecord>,
) -> Result<(), Error> {
    for other in others.into_iter().filter(|other| other.kms_uri != record.kms_uri && !other.is_revoked()) {
        if let Some(domain) = domains.iter().find(|domain| other.serves(domain)) {
            let (kms_uri, domain, holder) = (record.kms_uri.clone(), domain.clone(), other.kms_uri.clone());
            return Err(Error::DomainTaken { kms_uri, domain, holder });
        }
    }
    Ok(())
}
