use alloc::vec::Vec;
use core::{fmt, slice};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::hash::Hs;
use super::{Error, KeyPair, SECRET_LEN, Signature, nonce};
use crate::arith::invert_all;
use crate::arith::p256::{Fp, Scalar, multiply_generator_batch};
use crate::batch::Threads;

/// A validated key pair, the only thing that can sign. Wiped on drop.
pub struct SigningKey {
    pub(super) pair: KeyPair,
    pub(super) hs: Hs,
}

impl SigningKey {
    /// Signs a message with a random j (RFC 6507 section 5.2.1). [`Error::RandomSource`], and [`Error::NonceRefused`] by a chance of 2^-512.
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

    /// Signs many messages: what [`SigningKey::sign`] gives for each, in less time.
    pub fn sign_batch<M: AsRef<[u8]> + Sync, R: CryptoRng + ?Sized>(
        &self,
        messages: &[M],
        threads: Threads,
        rng: &mut R,
    ) -> Vec<Result<Signature, Error>> {
        nonce::with_random_batch(
            messages,
            threads,
            rng,
            |messages, js| self.sign_together(messages, js),
            |message, rng| self.sign(message.as_ref(), rng),
        )
    }

    fn sign_with_scalar(&self, message: &[u8], j: &Scalar) -> Result<Signature, Error> {
        self.sign_together(&[message], slice::from_ref(j)).pop().unwrap_or(Err(Error::NonceRefused))
    }

    fn sign_together<M: AsRef<[u8]>>(&self, messages: &[M], js: &[Scalar]) -> Vec<Result<Signature, Error>> {
        // The first coordinate of J; 0, for which there is no signature, if J is infinity.
        let rs: Vec<Fp> = multiply_generator_batch(js).iter().map(|j| j.map_or(Fp::ZERO, |j| *j.x())).collect();
        let divisor = |(r, message): (&Fp, &M)| {
            let r_scalar = Scalar::from_limbs_mod(&r.to_limbs());
            self.hs.he(r, message.as_ref()) + r_scalar * *self.pair.ssk
        };
        let mut inverses = Zeroizing::new(rs.iter().zip(messages).map(divisor).collect::<Vec<_>>());
        invert_all(&mut inverses);
        let sign = |((r, inverse), j): ((&Fp, &Scalar), &Scalar)| {
            // Step 6 of the RFC, which replaces an s of too many octets by q - s, never applies: q has 256 bits.
            let s = *inverse * *j;
            if *r == Fp::ZERO || s == Scalar::ZERO {
                return Err(Error::NonceRefused);
            }
            Ok(Signature { r: *r, s, pvt: self.pair.pvt })
        };
        rs.iter().zip(inverses.iter()).zip(js).map(sign).collect()
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
    use crate::arith::p256::{Affine, multiply_generator};
    use crate::eccsi::MasterSecret;
    use crate::eccsi::hash::HsPrefix;
    use alloc::boxed::Box;

    /// HE + r SSK = 0 cannot be reached with a key that a KMS issued; here SSK is made for it.
    #[test]
    fn a_secret_without_a_signature_is_refused() {
        let mut j = [0; SECRET_LEN];
        j[SECRET_LEN - 1] = 7;
        let master = MasterSecret::from_bytes(&j).unwrap();
        let hs = HsPrefix::new(&master.public_key()).hs(b"id", &Affine::generator().to_bytes());
        let r = *multiply_generator(&nonce::read(&j).unwrap()).unwrap().x();
        let ssk = -hs.he(&r, b"message") * Scalar::from_limbs_mod(&r.to_limbs()).invert();
        let key = SigningKey { pair: KeyPair { ssk: Box::new(ssk), pvt: Affine::generator() }, hs };

        assert_eq!(key.sign_with(b"message", &j), Err(Error::NonceRefused));
        assert!(key.sign_with(b"another message", &j).is_ok());
    }
}
