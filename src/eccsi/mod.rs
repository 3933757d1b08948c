//! Floor 2: ECCSI, the identity-based signatures of RFC 6507, over P-256 with SHA-256 (RFC 6507 Appendix A, which RFC
//! 6509 prescribes).
//!
//! A KMS has a [`MasterSecret`] (KSAK) and publishes its [`PublicKey`] (KPAK). It extracts a [`KeyPair`] (SSK, PVT) for
//! each identity. The holder validates it, which makes it a [`SigningKey`]. Anyone verifies a [`Signature`] with the
//! signer's identity and the KMS's [`KmsTables`]; there are no certificates.
//!
//! ```
//! use mikey_sakke::eccsi::{KmsTables, MasterSecret};
//! # let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
//! let master = MasterSecret::generate(&mut rng)?;
//! let kms = KmsTables::new(&master.public_key());
//!
//! let alice = master.extract_random(b"alice", &mut rng)?.validate(b"alice", &kms)?;
//! let signature = alice.sign(b"message", &mut rng)?;
//! kms.verify(b"alice", b"message", &signature)?;
//! assert!(kms.verify(b"bob", b"message", &signature).is_err());
//! # Ok::<(), mikey_sakke::eccsi::Error>(())
//! ```
//!
//! Everything that touches a secret takes the same time and memory accesses whatever the secret. Verification works on
//! public values alone.

mod error;
mod hash;
mod key_pair;
mod kms_tables;
mod known_signer;
#[cfg(feature = "std")]
mod known_signers;
mod master_secret;
mod nonce;
mod public_key;
mod selftest;
mod signature;
mod signing_key;

pub use crate::arith::p256::PointError;
pub use error::Error;
pub use key_pair::KeyPair;
pub use kms_tables::{KmsTables, Signed};
pub use known_signer::KnownSigner;
pub use master_secret::MasterSecret;
pub use public_key::PublicKey;
pub use selftest::selftest;
pub use signature::Signature;
pub use signing_key::SigningKey;

/// Octets of a secret: KSAK, SSK, v or j.
pub const SECRET_LEN: usize = 32;
/// Octets of a point: 04 || x || y.
pub const POINT_LEN: usize = 65;
/// Octets of a signature: r || s || PVT.
pub const SIGNATURE_LEN: usize = 2 * SECRET_LEN + POINT_LEN;

#[cfg(test)]
#[cfg(feature = "std")]
mod tests;
