//! Secrets at rest under a passphrase.
//!
//! [`seal`] turns octets into a sealed blob that only the same [`Passphrase`] and the same *context* open again. The
//! context is any octet string that says what the blob is for (for example `kms secrets of kms.example.org`); it is
//! authenticated and not stored, so that one sealed file cannot stand in for another.
//!
//! A sealed blob is a header of 68 octets, then the AES-256-GCM ciphertext and its tag of 16 octets:
//!
//! | octets | field |
//! |---|---|
//! | 0..8 | magic `MSSEALED` |
//! | 8 | version, 1: key from Argon2id (RFC 9106, version 0x13), AES-256-GCM |
//! | 9..12 | reserved, zero |
//! | 12..24 | Argon2 memory (KiB), passes, lanes: 4 octets each, big endian |
//! | 24..40 | Argon2 salt |
//! | 40..56 | key check: tells a wrong passphrase from damaged data |
//! | 56..68 | AES-GCM nonce, fresh for every blob |
//!
//! The header and the context are the additional authenticated data. Argon2 gives 48 octets: 32 for the cipher key and
//! 16 for the key check.
//!
//! Deriving the key is slow on purpose. A program that keeps several files derives a [`SealingKey`] once and seals and
//! opens them all with it.
//!
//! ```
//! use mikey_sakke::sealing::{self, KdfParameters, Passphrase, SealingKey};
//!
//! # fn main() -> Result<(), sealing::Error> {
//! let passphrase = Passphrase::new("correct horse battery staple".to_owned())?;
//! let key = SealingKey::generate(&passphrase, KdfParameters::cheap_for_tests())?;
//! let sealed = key.seal(b"notes", b"the secret")?;
//! assert_eq!(*sealing::open(&passphrase, b"notes", &sealed)?, b"the secret");
//! assert!(matches!(sealing::open(&passphrase, b"other", &sealed), Err(sealing::Error::Damaged)));
//! # Ok(())
//! # }
//! ```

pub mod file;
mod header;
mod key;
mod passphrase;

use alloc::vec::Vec;
use thiserror::Error;
use zeroize::Zeroizing;

pub use header::KdfParameters;
pub use key::SealingKey;
pub use passphrase::Passphrase;

/// Seals `plaintext` for `context` under a key made for this blob alone, with the default [`KdfParameters`].
///
/// # Errors
/// [`Error::Randomness`] if the operating system gives no random octets.
pub fn seal(passphrase: &Passphrase, context: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, Error> {
    SealingKey::generate(passphrase, KdfParameters::default())?.seal(context, plaintext)
}

/// Opens what [`seal`] or [`SealingKey::seal`] made with this passphrase and this context.
///
/// # Errors
/// [`Error::Truncated`], [`Error::NotSealed`], [`Error::UnsupportedVersion`], [`Error::ParametersOutOfBounds`],
/// [`Error::WrongPassphrase`], or [`Error::Damaged`] (also for another context).
pub fn open(passphrase: &Passphrase, context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    SealingKey::of_sealed(passphrase, sealed)?.open(context, sealed)
}

/// Why octets could not be sealed or opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The passphrase has no characters.
    #[error("the passphrase is empty: give at least one character")]
    EmptyPassphrase,
    /// The passphrase is not the one that the data was sealed with (or the salt in the header was altered).
    #[error("wrong passphrase")]
    WrongPassphrase,
    /// The passphrase is right, but the header, the ciphertext or the context is not what was sealed.
    #[error("the sealed data is damaged, or was sealed for another purpose")]
    Damaged,
    /// The blob was sealed under another salt or other parameters than this [`SealingKey`].
    #[error("the data was sealed under another key than this one: derive the key from its own header")]
    OtherKey,
    /// The magic octets are missing: this is no sealed blob.
    #[error("not sealed data: it does not begin with MSSEALED")]
    NotSealed,
    /// A newer or unknown format.
    #[error("sealed data of version {0} is not supported, only version 1 is")]
    UnsupportedVersion(u8),
    /// Shorter than a header and a tag.
    #[error("sealed data is truncated: {found} octets, at least {needed} expected")]
    Truncated {
        /// Octets given.
        found: usize,
        /// Octets that the shortest blob has.
        needed: usize,
    },
    /// Argon2 parameters that would take too much memory or time, or that Argon2 does not define.
    #[error("Argon2 {name} of {value} is out of bounds, {min} to {max} expected")]
    ParametersOutOfBounds {
        /// Which parameter: `memory in KiB`, `passes` or `lanes`.
        name: &'static str,
        /// The value found.
        value: u32,
        /// The least value accepted.
        min: u32,
        /// The greatest value accepted.
        max: u32,
    },
    /// More octets than AES-GCM seals in one piece.
    #[error("the data is too long to be sealed in one piece")]
    TooLong,
    /// The operating system gave no random octets.
    #[error("no random octets from the operating system: {0}")]
    Randomness(getrandom::Error),
}
