//! Floor 2: SAKKE, the Sakai-Kasahara identity-based encryption of RFC 6508, with parameter set 1 of RFC 6509.
//!
//! A KMS has a [`MasterSecret`] and publishes its [`PublicKey`] Z. It extracts a [`ReceiverSecretKey`] (RSK) for each
//! identity, which the receiver checks with the KMS's [`RskValidator`]. Anyone encapsulates a [`SharedSecret`] (SSV) to an
//! identity with the KMS's [`KmsTables`]; the holder of the validated RSK, loaded as a [`ReceiverKey`], decapsulates it.
//!
//! ```
//! use mikey_sakke::sakke::{KmsTables, MasterSecret, RskValidator, SharedSecret};
//! # let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
//! let master = MasterSecret::generate(&mut rng)?;
//! let public_key = master.public_key();
//!
//! let bob = master.extract(b"bob")?.validate(b"bob", &RskValidator::new(&public_key))?.load();
//! let kms = KmsTables::new(&public_key);
//! let secret = SharedSecret::generate(&mut rng);
//! let encapsulation = kms.encapsulate(b"bob", &secret)?;
//! assert_eq!(bob.decapsulate(&kms, &encapsulation)?.as_bytes(), secret.as_bytes());
//! # Ok::<(), mikey_sakke::sakke::Error>(())
//! ```
//!
//! What is computed ahead is in types of its own, since it takes time and memory: [`KmsTables`], [`RskValidator`] and
//! [`ReceiverKey`]. Each is made for the processor's fastest [backend](crate::arith::backend).
//!
//! Many extractions, encapsulations or decapsulations at a time are faster as a [batch](crate::batch).
//!
//! Everything that touches a secret takes the same time and memory accesses whatever the secret.

mod encapsulation;
mod error;
mod hash;
mod identity;
mod kms_tables;
mod master_secret;
mod public_key;
mod receiver;
mod rsk_validator;
mod selftest;
mod shared_secret;

pub use crate::arith::supersingular::PointError;
pub use encapsulation::Encapsulation;
pub use error::Error;
pub use kms_tables::KmsTables;
pub use master_secret::MasterSecret;
pub use public_key::PublicKey;
pub use receiver::{ReceiverKey, ReceiverSecretKey, ValidatedKey};
pub use rsk_validator::RskValidator;
pub use selftest::selftest;
pub use shared_secret::SharedSecret;

/// Octets of a master secret z.
pub const MASTER_SECRET_LEN: usize = 128;
/// Octets of a point: 04 || x || y.
pub const POINT_LEN: usize = 257;
/// Octets of a shared secret value (n = 128 bits).
pub const SSV_LEN: usize = 16;
/// Octets of SAKKE Encapsulated Data: R || H.
pub const SED_LEN: usize = POINT_LEN + SSV_LEN;

#[cfg(test)]
mod tests;
