//! The key management client: gets keys from a KMS, keeps them, sends and receives messages with them.
//!
//! A [`Store`] is a folder sealed under a passphrase. Keys come into it from a KMS over HTTPS ([`Provisioner`]), or from
//! files that came out of band ([`import`]); nothing is stored that is not valid. Then [`offer`] makes an I_MESSAGE for
//! any identity of any KMS that the store knows, and [`accept`] opens one, once.
//!
//! ```
//! use mikey_sakke::client::{Store, StoreOptions};
//! use mikey_sakke::sealing::{KdfParameters, Passphrase};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! # let options = StoreOptions { kdf: KdfParameters::cheap_for_tests(), ..StoreOptions::default() };
//! let passphrase = Passphrase::new("correct horse battery staple".to_owned())?;
//! let store = Store::open_or_create(folder, &passphrase, &options)?;
//! assert!(store.key_sets().is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! # What a client needs
//! One process holds a store at a time. An open store takes about as much memory as its tables: those of a KMS and the
//! lines of a user's key are made when they are first used, and only for what is used. Deriving the key from the
//! passphrase takes 4 MiB for a moment ([`StoreOptions`]).
//!
//! Every public function that depends on the time takes it as an argument, [`now`] being the system's.
#![deny(unsafe_code)]

mod accept;
mod answer;
mod calendar;
mod certificates;
mod complaint;
mod convention;
mod error;
mod held_key;
mod http;
mod import;
mod intake;
mod kms_settings;
mod lock;
#[cfg(feature = "srtp")]
mod media;
mod octets;
mod offer;
mod protection;
mod provision;
mod ready;
mod record;
mod refusal;
mod report;
mod store;
mod taken_back;

pub use accept::{AcceptOptions, Examined, accept, examine};
pub use convention::{Attempt, Convention};
pub use error::Error;
pub use held_key::{HeldKey, Initiator};
pub use http::{Credentials, Transport};
pub use import::{ImportFiles, import, import_files};
#[cfg(feature = "srtp")]
pub use media::{MediaError, MediaReceiver, MediaSender};
pub use offer::{OfferRequest, Offered, offer};
pub use provision::{ProvisionRequest, Provisioner};
pub use report::{CertificateSummary, ImportReport, KeySetSummary, KmsSummary, UserPeriods};
pub use store::{Store, StoreOptions};

use crate::mikey::NtpTime;
use std::time::{SystemTime, UNIX_EPOCH};

/// The system's clock; 1970 if it is before that.
pub fn now() -> NtpTime {
    NtpTime::from_unix(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}
