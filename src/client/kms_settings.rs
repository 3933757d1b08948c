//! How a store reads the messages of a KMS's users.

use super::record::KmsRecord;
use super::{Error, Store};
use crate::mc::imessage::{Compatibility, Excuse, StatusZero};

impl Store {
    /// Excuses these deviations, and no others, in messages whose initiator is a user of this KMS, until that changes. It
    /// stays when the KMS's certificate is renewed.
    ///
    /// # Errors
    /// [`Error::UnknownKms`], [`Error::File`].
    pub fn excuse(&mut self, kms_uri: &str, excuses: &[Excuse]) -> Result<(), Error> {
        let names = excuses.iter().map(|excuse| excuse.name().to_owned()).collect();
        self.change_kms(kms_uri, |kms| kms.excused = names)
    }

    /// Takes status 0 in key parameters to mean this, in messages whose initiator is a user of this KMS, until that
    /// changes. It stays when the KMS's certificate is renewed.
    ///
    /// # Errors
    /// [`Error::UnknownKms`], [`Error::File`].
    pub fn read_status_zero(&mut self, kms_uri: &str, meaning: StatusZero) -> Result<(), Error> {
        self.change_kms(kms_uri, |kms| kms.status_zero = meaning)
    }

    fn change_kms(&mut self, kms_uri: &str, set: impl FnOnce(&mut KmsRecord)) -> Result<(), Error> {
        self.change(|contents| {
            let known = contents.kms.iter_mut().find(|kms| kms.kms_uri == kms_uri);
            set(known.ok_or_else(|| Error::UnknownKms { kms_uri: kms_uri.to_owned() })?);
            Ok(())
        })
    }

    /// The settings with those of a KMS. One that a newer program left is not known, and not excused.
    pub(super) fn with_settings(&self, settings: Compatibility, kms_uri: &str) -> Compatibility {
        let Some(kms) = self.contents.kms(kms_uri) else { return settings };
        let settings = settings.and(kms.excused.iter().filter_map(|name| Excuse::from_name(name)));
        match settings.status_zero {
            StatusZero::PossiblyLive => Compatibility { status_zero: kms.status_zero, ..settings },
            StatusZero::Live | StatusZero::Revoked => settings,
        }
    }
}
