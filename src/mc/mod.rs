//! The 3GPP mission critical profile of MIKEY-SAKKE (TS 33.180).
//!
//! RFC 6508, 6507 and 6509 say how to send a key to an identity. This floor says which identity, which key and for what:
//!
//! * [`Uid`]: the hash of user, KMS and key period that stands for a user in both schemes (clause F.2.1), and
//!   [`KeyPeriods`], the clock behind it.
//! * [`Kms`] and [`KeySet`]: one KMS certificate and one user's validated keys for one period, made ready for use.
//! * [`KeyType`], [`KeyId`], [`GukId`]: what a key is for, told by the first four bits of its identifier (annex G).
//! * [`imessage`]: the signed and encrypted message that carries a key (annex E), both ways.
//! * [`KeyParameters`]: what that message says about the key, under the key itself (clause E.6).
//! * [`Bundle`] and [`MediaKeys`]: SRTP master keys, salts and MKIs from the key (clause 7.4).
//!
//! Nothing here reads a clock, a file or the network: times and random numbers are arguments.
//!
//! ```
//! use mikey_sakke::mc::{KeyPeriods, PeriodEpoch, Uid};
//!
//! // The example of TS 33.180.
//! let periods = KeyPeriods::new(2_592_000, 0, PeriodEpoch::Ntp)?;
//! let uid = Uid::new("sip:user@example.org", "kms.example.org", &periods, 1388)?;
//! assert!(uid.to_string().starts_with("3a81fb14c3b1d0fe"));
//! # Ok::<(), mikey_sakke::mc::Error>(())
//! ```
#![deny(unsafe_code)]

mod bundle;
mod clause;
mod domain;
mod error;
mod kdf;
mod key_id;
mod key_parameters;
mod key_set;
mod kms;
mod period;
mod protected_layout;
mod protected_payload;
mod text;
mod uid;

pub mod imessage;

pub use bundle::{Bundle, CsId, MASTER_KEY_LEN, MASTER_SALT_LEN, MediaKeys, Service, Side};
#[cfg(feature = "client")]
pub(crate) use domain::domain_of;
pub use domain::same_domain;
pub use error::{Error, Party};
pub use key_id::{GukId, KeyId, KeyType};
pub use key_parameters::{KeyParameters, KeyStatus};
pub use key_set::KeySet;
pub use kms::Kms;
pub use period::{KeyPeriods, PeriodEpoch};
pub use protected_layout::ProtectedLayout;
pub use protected_payload::dpck;
pub use text::{is_printable, printable};
pub use uid::{Identity, IdentityForm, UID_LEN, Uid};
