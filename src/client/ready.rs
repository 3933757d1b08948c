//! From what a store holds to what can be computed with: tables and keys, made when they are first needed. RSKs were
//! validated when they were imported, and nobody without the passphrase can have changed them since.

use super::certificates::CertificateRecord;
use super::record::{KeySetRecord, KmsRecord};
use super::{Error, Store};
use crate::mc::{KeySet, Kms};
use crate::mikey::NtpTime;
use crate::{eccsi, mc, sakke};
use std::sync::Arc;

/// Signers whose tables are kept for each KMS: half a megabyte, for the people that a user talks with.
const SIGNERS: usize = 64;

impl Store {
    /// A KMS of the store, with the tables of its certificate for messages of a time.
    ///
    /// # Errors
    /// [`Error::UnknownKms`], [`Error::CertificateRevoked`].
    pub fn kms_at(&mut self, kms_uri: &str, time: NtpTime) -> Result<Kms, Error> {
        self.ready_kms(kms_uri, |record| record.certificate_at(time))
    }

    fn ready_kms(
        &mut self,
        kms_uri: &str,
        choose: impl FnOnce(&KmsRecord) -> Result<&CertificateRecord, Error>,
    ) -> Result<Kms, Error> {
        let Some(record) = self.contents.kms(kms_uri) else {
            return Err(Error::UnknownKms { kms_uri: kms_uri.to_owned() });
        };
        let certificate = choose(record)?;
        let key = ready_key(kms_uri, certificate);
        if let Some(kms) = self.kms_cache.get(&key) {
            return Ok(kms.clone());
        }
        let kms = record.made_ready(certificate, |field, problem| {
            Error::damaged(self.folder(), &format!("{field} of KMS {kms_uri}: {problem}"))
        })?;
        kms.eccsi().remember_signers(SIGNERS);
        self.kms_cache.insert(key, kms.clone());
        Ok(kms)
    }

    /// The keys of a user for the key period that `time` falls into, of the KMS that issued them.
    ///
    /// # Errors
    /// [`Error::UnknownUser`], [`Error::NoKeysForPeriod`], [`Error::KeySetDates`], those of [`Store::kms_at`].
    pub fn key_set_at(&mut self, user_uri: &str, kms_uri: &str, time: NtpTime) -> Result<Arc<KeySet>, Error> {
        self.require_user(user_uri)?;
        let Some(kms) = self.contents.kms(kms_uri) else {
            return Err(Error::UnknownKms { kms_uri: kms_uri.to_owned() });
        };
        let period_no = kms.periods()?.number_at(time)?;
        let found = self.contents.key_sets.iter().position(|set| set.is(user_uri, kms_uri, period_no));
        match found {
            Some(index) => self.ready_key_set(index, time),
            None => {
                Err(Error::NoKeysForPeriod { user_uri: user_uri.to_owned(), kms_uri: kms_uri.to_owned(), period_no })
            }
        }
    }

    /// The URIs of the KMSs that issued keys to a user, in the order in which they came.
    ///
    /// # Errors
    /// [`Error::UnknownUser`].
    pub fn kmss_of(&self, user_uri: &str) -> Result<Vec<String>, Error> {
        self.require_user(user_uri)?;
        let mut uris: Vec<String> = Vec::new();
        for set in self.contents.key_sets.iter().filter(|set| set.user_uri == user_uri) {
            if !uris.contains(&set.kms_uri) {
                uris.push(set.kms_uri.clone());
            }
        }
        Ok(uris)
    }

    pub(super) fn require_user(&self, user_uri: &str) -> Result<(), Error> {
        if self.contents.key_sets.iter().any(|set| set.user_uri == user_uri) {
            return Ok(());
        }
        let mut users: Vec<String> = self.contents.key_sets.iter().map(|set| set.user_uri.clone()).collect();
        users.sort_unstable();
        users.dedup();
        Err(Error::UnknownUser { user_uri: user_uri.to_owned(), users })
    }

    /// The keys of the record at `index`, to be used at `time`.
    pub(super) fn ready_key_set(&mut self, index: usize, time: NtpTime) -> Result<Arc<KeySet>, Error> {
        let Some(record) = self.contents.key_sets.get(index).cloned() else { return Err(Error::NoKeySets) };
        record.require_valid_at(time)?;
        let kms = self.ready_kms(&record.kms_uri, |kms| kms.certificate_of_period(record.period_no))?;
        let key = (record.user_uri.clone(), record.kms_uri.clone(), record.period_no);
        if let Some(key_set) = self.key_set_cache.get(&key) {
            return Ok(Arc::clone(key_set));
        }
        let key_set = Arc::new(ready(&kms, &record)?);
        self.key_set_cache.insert(key, Arc::clone(&key_set));
        Ok(key_set)
    }

    /// Drops everything made ready: the records have changed.
    pub(super) fn forget_ready(&mut self) {
        self.kms_cache.clear();
        self.key_set_cache.clear();
    }
}

/// Tells what is ready apart.
pub(super) fn ready_key(kms_uri: &str, certificate: &CertificateRecord) -> (String, Vec<u8>) {
    let keys = [certificate.pub_enc_key.as_bytes(), certificate.pub_auth_key.as_bytes()];
    (kms_uri.to_owned(), keys.concat())
}

fn ready(kms: &Kms, record: &KeySetRecord) -> Result<KeySet, Error> {
    let rsk = sakke::ReceiverSecretKey::from_bytes(record.rsk.as_bytes()).map_err(mc::Error::RskInvalid)?;
    let pair = eccsi::KeyPair::from_bytes(record.ssk.as_bytes(), record.pvt.as_bytes())
        .map_err(mc::Error::SigningKeyInvalid)?;
    Ok(KeySet::assume_valid(kms, &record.user_uri, record.period_no, rsk, pair)?)
}
