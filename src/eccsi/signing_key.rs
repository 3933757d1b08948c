use core::fmt;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::hash::Hs;
use super::{Error, KeyPair, SECRET_LEN, Signature, nonce};
use crate::arith::p256::{Fp, Scalar, multiply_generator};

/// A validated key pair, the only thing that can sign. Wiped on drop.
pub struct SigningKey {
    pub(super) pair: KeyPair,
    pub(super) hs: Hs,
}

impl SigningKey {
    /// Signs a message with a random j (RFC 6507 section 5.2.1). [`Error::NonceRefused`] shows a defective random source.
    pub fn sign<R: CryptoRng + ?Sized>(&self, message: &[u8], rng: &mut R) -> Result<Signature, Error> {
        nonce::with_random(rng, |j| self.sign_with_scalar(message, j))
    }

    /// Signs with a given j, as published test vectors need it.
    ///
    /// j must be secret and random, and never serve two messages: either mistake gives SSK away. [`Error::NonceRange`] if
    /// it is not between 1 and q - 1, [`Error::NonceRefused`] if there is no signature with it.
    pub fn sign_with(&self, message: &[u8], j: &[u8; SECRET_LEN]) -> Result<Signature, Error> {
        self.sign_with_scalar(message, &*nonce::read(j)?)
    }

    fn sign_with_scalar(&self, message: &[u8], j: &Scalar) -> Result<Signature, Error> {
        let r = multiply_generator(j).ok_or(Error::NonceRefused)?.x();
        let mut r_bytes = [0; SECRET_LEN];
        r.write_be_bytes(&mut r_bytes);
        let r_scalar = Scalar::from_limbs_mod(&r.to_limbs());
        let divisor = Zeroizing::new(self.hs.he(&r_bytes, message) + r_scalar * self.pair.ssk);
        // Step 6 of the RFC, which replaces an s of too many octets by q - s, never applies: q has 256 bits.
        let s = *Zeroizing::new(divisor.invert()) * *j;
        if r == Fp::ZERO || s == Scalar::ZERO {
            return Err(Error::NonceRefused);
        }
        Ok(Signature { r, s, pvt: self.pair.pvt })
    }

    /// The key pair that was validated.
    pub fn key_pair(&self) -> &KeyPair {
        &self.pair
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arith::p256::Affine;
    use crate::eccsi::MasterSecret;

    /// HE + r SSK = 0 cannot be reached with a key that a KMS issued; here SSK is made for it.
    #[test]
    fn a_secret_without_a_signature_is_refused() {
        let mut j = [0; SECRET_LEN];
        j[SECRET_LEN - 1] = 7;
        let master = MasterSecret::from_bytes(&j).unwrap();
        let hs = Hs::new(&master.public_key().to_bytes(), b"id", &Affine::generator().to_bytes());
        let r = multiply_generator(&nonce::read(&j).unwrap()).unwrap().x();
        let mut r_bytes = [0; SECRET_LEN];
        r.write_be_bytes(&mut r_bytes);
        let ssk = -hs.he(&r_bytes, b"message") * Scalar::from_limbs_mod(&r.to_limbs()).invert();
        let key = SigningKey { pair: KeyPair { ssk, pvt: Affine::generator() }, hs };

        assert_eq!(key.sign_with(b"message", &j), Err(Error::NonceRefused));
        assert!(key.sign_with(b"another message", &j).is_ok());
    }
}
