//! What a store excuses in the messages of a KMS's users.

use super::{Error, Store};
use crate::mc::imessage::{Compatibility, Excuse};

impl Store {
    /// Excuses these deviations, and no others, in messages whose initiator is a user of this KMS, until that changes. It
    /// stays when the KMS's certificate is renewed.
    ///
    /// # Errors
    /// [`Error::UnknownKms`], [`Error::File`].
    pub fn excuse(&mut self, kms_uri: &str, excuses: &[Excuse]) -> Result<(), Error> {
        self.change(|contents| {
            let known = contents.kms.iter_mut().find(|kms| kms.kms_uri == kms_uri);
            let kms = known.ok_or_else(|| Error::UnknownKms { kms_uri: kms_uri.to_owned() })?;
            kms.excused = excuses.iter().map(|excuse| excuse.name().to_owned()).collect();
            Ok(())
        })
    }

    /// The settings with what is excused under a KMS. A setting that a newer program left is not known, and not excused.
    pub(super) fn with_excused(&self, settings: Compatibility, kms_uri: &str) -> Compatibility {
        let names = self.contents.kms(kms_uri).map(|kms| kms.excused.as_slice()).unwrap_or_default();
        settings.and(names.iter().filter_map(|name| Excuse::from_name(name)))
    }
}
