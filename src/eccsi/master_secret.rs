use alloc::boxed::Box;
use alloc::vec::Vec;
use core::{fmt, slice};
use rand_core::CryptoRng;
use zeroize::{Zeroize, Zeroizing};

use super::hash::HsPrefix;
use super::{Error, KeyPair, PublicKey, SECRET_LEN, nonce};
use crate::arith::p256::{Affine, Scalar, multiply_generator, multiply_generator_batch};
use crate::batch::{self, Threads};

/// A KMS's secret authentication key KSAK, an integer between 1 and q - 1. Wiped on drop.
pub struct MasterSecret {
    ksak: Scalar,
    public_key: PublicKey,
    hs_prefix: HsPrefix,
}

impl MasterSecret {
    /// A uniformly random master secret. [`Error::RandomSource`].
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Result<MasterSecret, Error> {
        MasterSecret::new(&*nonce::draw(rng)?)
    }

    /// Reads a big-endian integer of 32 octets. [`Error::MasterSecretLength`], [`Error::MasterSecretRange`].
    pub fn from_bytes(bytes: &[u8]) -> Result<MasterSecret, Error> {
        let octets: &[u8; SECRET_LEN] = bytes.try_into().map_err(|_| Error::MasterSecretLength(bytes.len()))?;
        MasterSecret::new(&*nonce::read(octets).map_err(|_| Error::MasterSecretRange)?)
    }

    fn new(ksak: &Scalar) -> Result<MasterSecret, Error> {
        let public_key = PublicKey { point: multiply_generator(ksak).ok_or(Error::MasterSecretRange)? };
        let hs_prefix = HsPrefix::new(&public_key);
        Ok(MasterSecret { ksak: *ksak, public_key, hs_prefix })
    }

    /// The integer as 32 octets, big-endian.
    pub fn to_bytes(&self) -> Zeroizing<[u8; SECRET_LEN]> {
        let mut octets = Zeroizing::new([0; SECRET_LEN]);
        self.ksak.write_be_bytes(&mut *octets);
        octets
    }

    /// KPAK = `[KSAK]G`.
    pub fn public_key(&self) -> PublicKey {
        self.public_key.clone()
    }

    /// The key pair of an identity for a given ephemeral secret v (RFC 6507 section 5.1.1): PVT = `[v]G` and
    /// SSK = KSAK + HS v modulo q.
    ///
    /// v must be secret, must differ between identities, and must never serve two key pairs: from two equations in KSAK
    /// and v anyone solves for both. [`Error::NonceRange`] if it is not between 1 and q - 1 (32 random octets are not with
    /// probability 2^-32), [`Error::NonceRefused`] if no key pair exists for it.
    pub fn extract(&self, id: &[u8], v: &[u8; SECRET_LEN]) -> Result<KeyPair, Error> {
        self.extract_with(id, &*nonce::read(v)?)
    }

    /// A key pair of an identity with a random v. [`Error::RandomSource`], and [`Error::NonceRefused`] by a chance of 2^-512.
    pub fn extract_random<R: CryptoRng + ?Sized>(&self, id: &[u8], rng: &mut R) -> Result<KeyPair, Error> {
        nonce::with_random(rng, |v| self.extract_with(id, v))
    }

    /// The key pairs of many identities for given ephemeral secrets: what [`MasterSecret::extract`] gives for each, in less
    /// time.
    pub fn extract_batch<I: AsRef<[u8]> + Sync>(
        &self,
        ids_and_vs: &[(I, Zeroizing<[u8; SECRET_LEN]>)],
        threads: Threads,
    ) -> Vec<Result<KeyPair, Error>> {
        batch::map(ids_and_vs, threads, |ids_and_vs| {
            // A v that is out of range counts as 0, for which there is no key pair.
            let vs = ids_and_vs.iter().map(|(_, v)| nonce::read(v));
            let mut scalars = Zeroizing::new(Vec::with_capacity(ids_and_vs.len()));
            scalars.extend(vs.map(|v| v.map_or(Scalar::ZERO, |v| *v)));
            let ids: Vec<&I> = ids_and_vs.iter().map(|(id, _)| id).collect();
            let pairs = self.extract_together(&ids, &scalars).into_iter().zip(scalars.iter());
            pairs.map(|(pair, v)| if *v == Scalar::ZERO { Err(Error::NonceRange) } else { pair }).collect()
        })
    }

    /// The key pairs of many identities with a random v each: what [`MasterSecret::extract_random`] gives, in less time.
    pub fn extract_random_batch<I: AsRef<[u8]> + Sync, R: CryptoRng + ?Sized>(
        &self,
        ids: &[I],
        threads: Threads,
        rng: &mut R,
    ) -> Vec<Result<KeyPair, Error>> {
        nonce::with_random_batch(
            ids,
            threads,
            rng,
            |ids, vs| self.extract_together(ids, vs),
            |id, rng| self.extract_random(id.as_ref(), rng),
        )
    }

    fn extract_with(&self, id: &[u8], v: &Scalar) -> Result<KeyPair, Error> {
        self.extract_together(&[id], slice::from_ref(v)).pop().unwrap_or(Err(Error::NonceRefused))
    }

    fn extract_together<I: AsRef<[u8]>>(&self, ids: &[I], vs: &[Scalar]) -> Vec<Result<KeyPair, Error>> {
        let extract = |((id, v), pvt): ((&I, &Scalar), &Option<Affine>)| {
            let pvt = pvt.ok_or(Error::NonceRefused)?;
            let hs = self.hs_prefix.hs(id.as_ref(), &pvt.to_bytes()).to_scalar();
            let ssk = Zeroizing::new(self.ksak + hs * *v);
            if hs == Scalar::ZERO || *ssk == Scalar::ZERO {
                return Err(Error::NonceRefused);
            }
            Ok(KeyPair { ssk: Box::new(*ssk), pvt })
        };
        ids.iter().zip(vs).zip(multiply_generator_batch(vs).iter()).map(extract).collect()
    }
}

impl Drop for MasterSecret {
    fn drop(&mut self) {
        self.ksak.zeroize();
    }
}

impl fmt::Debug for MasterSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterSecret")
    }
}
