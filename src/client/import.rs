//! Taking in what a KMS issued to files.

use super::answer::{Answer, require_same_kms};
use super::intake::Intake;
use super::protection::Protection;
use super::{Error, ImportReport, Store};
use crate::kms_protocol::{ClientKeys, Limits};
use crate::mikey::NtpTime;

/// Octets of a file that came out of band.
const MAX_FILE: usize = 1024 * 1024;

/// Takes in the answers to `init` and `keyprov` that came out of band (pre-provisioning), and stores the keys if every
/// one of them is valid. `now` is the time here. Keys of a certificate that is still to come are left out, with a note.
///
/// Where the store has a TrK of the user whom the answer to `keyprov` names, both answers must be signed and the keys wrapped.
///
/// # Errors
/// [`Error::Response`] and [`Error::Refused`] for what the documents are, [`Error::OtherKms`] where they do not belong
/// together, `Error::Certificate...` and `Error::Kms...` for the KMS, `Error::Key...` for the keys,
/// [`Error::TransportKeyNeeded`], [`Error::IntegrityKeyNeeded`], [`Error::SignatureMissing`], [`Error::UnsignedChange`];
/// [`Error::UserIdWrong`];
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
        Some(_) => Protection(keys),
        None => Protection::stored(&store.contents, keyprov, &limits)?,
    };
    let init = Answer::init(init, &limits, protection)?;
    let keyprov = Answer::key_prov(keyprov, &limits, protection)?;
    if let Some(keys) = keys {
        require_same_kms("the transport key", &keys.kms_uri, &init.kms_uri)?;
    }
    let user_uri = keyprov.user_uri.clone();
    let mut intake = Intake::of_home(&store.contents, &init, now)?;
    if let Some(certcache) = certcache {
        let certcache = Answer::cert_cache(certcache, &limits, protection)?;
        require_same_kms("KmsResponse to certcache", &certcache.kms_uri, &init.kms_uri)?;
        intake = intake.with_certificates(&store.contents, &certcache.content);
    }
    if protection.0.is_none() && store.contents.is_vouched_for(&init.kms_uri) {
        intake = intake.require_nothing_new(&store.contents)?;
    }
    intake.with_keys(&store.contents, &keyprov, now)?.store(store, user_uri)
}
