use super::header::{CHECK_LEN, HEADER_LEN, Header, NONCE_LEN, SALT_LEN};
use super::{Error, KdfParameters, Passphrase};
use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use alloc::vec::Vec;
use argon2::{Algorithm, Argon2, Params, Version};
use core::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const KEY_LEN: usize = 32;

/// A key derived from a passphrase once, to seal and open many blobs.
///
/// All blobs of one key share its salt and parameters; each has a nonce of its own from the operating system.
pub struct SealingKey {
    parameters: KdfParameters,
    salt: [u8; SALT_LEN],
    check: [u8; CHECK_LEN],
    key: Zeroizing<[u8; KEY_LEN]>,
}

impl SealingKey {
    /// A new key with a fresh salt.
    ///
    /// # Errors
    /// [`Error::Randomness`].
    pub fn generate(passphrase: &Passphrase, parameters: KdfParameters) -> Result<Self, Error> {
        Self::derive(passphrase, parameters, random()?)
    }

    /// The key that `sealed` was sealed under, by the salt and parameters in its header.
    ///
    /// # Errors
    /// As [`open`](super::open), except [`Error::Damaged`] for a ciphertext that was altered.
    pub fn of_sealed(passphrase: &Passphrase, sealed: &[u8]) -> Result<Self, Error> {
        let (header, _) = Header::split(sealed)?;
        let key = Self::derive(passphrase, header.parameters, header.salt)?;
        if !bool::from(key.check.ct_eq(&header.check)) {
            return Err(Error::WrongPassphrase);
        }
        Ok(key)
    }

    /// What the key cost to derive.
    pub fn parameters(&self) -> KdfParameters {
        self.parameters
    }

    /// Seals `plaintext` for `context`.
    ///
    /// # Errors
    /// [`Error::Randomness`], [`Error::TooLong`] beyond 64 GiB.
    pub fn seal(&self, context: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        let nonce: [u8; NONCE_LEN] = random()?;
        let header = Header { parameters: self.parameters, salt: self.salt, check: self.check, nonce }.to_bytes();
        let aad = additional_data(&header, context);
        let ciphertext = self
            .cipher()
            .encrypt(&nonce.into(), Payload { msg: plaintext, aad: &aad })
            .map_err(|aes_gcm::Error| Error::TooLong)?;
        Ok([&header[..], &ciphertext].concat())
    }

    /// Opens a blob of this key.
    ///
    /// # Errors
    /// Those of the header as in [`open`](super::open), [`Error::OtherKey`] for a blob with another salt or other
    /// parameters, [`Error::Damaged`].
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let (header, ciphertext) = Header::split(sealed)?;
        if header.parameters != self.parameters || header.salt != self.salt {
            return Err(Error::OtherKey);
        }
        let aad = additional_data(&header.to_bytes(), context);
        self.cipher()
            .decrypt(&header.nonce.into(), Payload { msg: ciphertext, aad: &aad })
            .map(Zeroizing::new)
            .map_err(|aes_gcm::Error| Error::Damaged)
    }

    fn derive(passphrase: &Passphrase, parameters: KdfParameters, salt: [u8; SALT_LEN]) -> Result<Self, Error> {
        let mut derived = Zeroizing::new([0; KEY_LEN + CHECK_LEN]);
        Params::new(parameters.memory_kib(), parameters.passes(), parameters.lanes(), Some(derived.len()))
            .map(|params| Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
            .and_then(|argon2| argon2.hash_password_into(passphrase.as_bytes(), &salt, derived.as_mut_slice()))
            .map_err(|_| Error::TooLong)?;
        let mut key = Zeroizing::new([0; KEY_LEN]);
        let mut check = [0; CHECK_LEN];
        let (for_key, for_check) = derived.split_at(KEY_LEN);
        key.copy_from_slice(for_key);
        check.copy_from_slice(for_check);
        Ok(Self { parameters, salt, check, key })
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new((&*self.key).into())
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SealingKey(..)")
    }
}

/// The header has a fixed length, so the two parts cannot be shifted against each other.
fn additional_data(header: &[u8; HEADER_LEN], context: &[u8]) -> Vec<u8> {
    [header, context].concat()
}

fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut octets = [0; N];
    getrandom::fill(&mut octets).map_err(Error::Randomness)?;
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sealing;

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(text.into()).unwrap()
    }

    fn key(text: &str) -> SealingKey {
        SealingKey::generate(&passphrase(text), KdfParameters::cheap_for_tests()).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_again() {
        let key = key("one");
        for plaintext in [&b""[..], b"x", &[7; 1000]] {
            let sealed = key.seal(b"context", plaintext).unwrap();
            assert_eq!(sealed.len(), HEADER_LEN + plaintext.len() + 16);
            assert_eq!(*key.open(b"context", &sealed).unwrap(), plaintext);
            assert_eq!(*sealing::open(&passphrase("one"), b"context", &sealed).unwrap(), plaintext);
        }
    }

    #[test]
    fn two_seals_differ_in_nonce_and_ciphertext() {
        let key = key("one");
        let (first, second) = (key.seal(b"", b"same").unwrap(), key.seal(b"", b"same").unwrap());
        assert_eq!(first[..56], second[..56]);
        assert_ne!(first[56..68], second[56..68]);
        assert_ne!(first[68..], second[68..]);
    }

    #[test]
    fn wrong_passphrase_is_told_from_damage() {
        let sealed = key("one").seal(b"context", b"secret").unwrap();
        assert!(matches!(sealing::open(&passphrase("two"), b"context", &sealed), Err(Error::WrongPassphrase)));
        assert!(matches!(sealing::open(&passphrase("one"), b"Context", &sealed), Err(Error::Damaged)));
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        let sealed = key("one").seal(b"context", b"secret").unwrap();
        let passphrase = passphrase("one");
        for octet in 0..sealed.len() {
            for bit in 0..8 {
                // Memory and passes with a high bit set are within bounds and only slow: two bits of each will do.
                if (12..24).contains(&octet) && !(octet % 4 == 3 && bit < 2) {
                    continue;
                }
                let mut flipped = sealed.clone();
                flipped[octet] ^= 1 << bit;
                assert!(sealing::open(&passphrase, b"context", &flipped).is_err(), "octet {octet} bit {bit}");
                let altered = SealingKey::of_sealed(&passphrase, &sealed).unwrap().open(b"context", &flipped);
                assert!(altered.is_err(), "octet {octet} bit {bit}");
            }
        }
    }

    #[test]
    fn a_blob_of_another_key_is_named() {
        let sealed = key("one").seal(b"", b"secret").unwrap();
        assert!(matches!(key("one").open(b"", &sealed), Err(Error::OtherKey)));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", key("one")), "SealingKey(..)");
    }
}
