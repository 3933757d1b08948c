use alloc::vec::Vec;
use core::{fmt, slice};
use rand_core::CryptoRng;
use zeroize::{Zeroize, Zeroizing};

use super::{Error, MASTER_SECRET_LEN, PublicKey, ReceiverSecretKey, identity};
use crate::arith::invert_all;
use crate::arith::supersingular::{Affine, Scalar, multiply_generator, multiply_generator_batch};
use crate::batch::{self, Threads};

/// Draws outside the range, two in five, until a source is taken for defective: by chance less than once in 2^160.
const DRAWS: usize = 128;

/// A KMS's master secret z, an integer between 2 and q - 1. Wiped on drop.
pub struct MasterSecret {
    z: Scalar,
    public_key: PublicKey,
}

impl MasterSecret {
    /// A uniformly random master secret. [`Error::RandomSource`].
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Result<MasterSecret, Error> {
        let mut octets = Zeroizing::new([0; MASTER_SECRET_LEN]);
        for _ in 0..DRAWS {
            rng.fill_bytes(&mut *octets);
            // q has 1022 bits. Draws outside the range are thrown away, so their count reveals nothing of the result.
            octets[0] &= 0x3f;
            if let Ok(secret) = MasterSecret::from_bytes(&*octets) {
                return Ok(secret);
            }
        }
        Err(Error::RandomSource)
    }

    /// Reads a big-endian integer of 128 octets. [`Error::MasterSecretLength`], [`Error::MasterSecretRange`].
    pub fn from_bytes(bytes: &[u8]) -> Result<MasterSecret, Error> {
        if bytes.len() != MASTER_SECRET_LEN {
            return Err(Error::MasterSecretLength(bytes.len()));
        }
        let z = Zeroizing::new(Scalar::from_be_bytes(bytes).ok_or(Error::MasterSecretRange)?);
        match multiply_generator(&z) {
            Some(point) if point != Affine::generator() => Ok(MasterSecret { z: *z, public_key: PublicKey { point } }),
            _ => Err(Error::MasterSecretRange),
        }
    }

    /// The integer as 128 octets, big-endian.
    pub fn to_bytes(&self) -> Zeroizing<[u8; MASTER_SECRET_LEN]> {
        let mut octets = Zeroizing::new([0; MASTER_SECRET_LEN]);
        self.z.write_be_bytes(&mut *octets);
        octets
    }

    /// Z = `[z]P`.
    pub fn public_key(&self) -> PublicKey {
        self.public_key.clone()
    }

    /// The receiver secret key `[(b + z)^-1]P` of an identity of at most 128 octets (RFC 6508 section 6.1.1).
    /// [`Error::IdentityLength`], [`Error::IdentityWithoutKey`].
    pub fn extract(&self, id: &[u8]) -> Result<ReceiverSecretKey, Error> {
        self.extract_together(slice::from_ref(&id)).pop().unwrap_or(Err(Error::IdentityWithoutKey))
    }

    /// The keys of many identities: what [`MasterSecret::extract`] gives for each, in less time.
    pub fn extract_batch<I: AsRef<[u8]> + Sync>(
        &self,
        ids: &[I],
        threads: Threads,
    ) -> Vec<Result<ReceiverSecretKey, Error>> {
        batch::map(ids, threads, |ids| self.extract_together(ids))
    }

    fn extract_together<I: AsRef<[u8]>>(&self, ids: &[I]) -> Vec<Result<ReceiverSecretKey, Error>> {
        let scalars: Vec<_> = ids.iter().map(|id| identity::to_scalar(id.as_ref())).collect();
        let sums = scalars.iter().map(|b| b.map_or(Scalar::ZERO, |b| b + self.z));
        let mut inverses = Zeroizing::new(sums.collect::<Vec<Scalar>>());
        invert_all(&mut inverses);
        // The inverse of 0, for an identity without key, is 0.
        let multiples = multiply_generator_batch(&inverses);
        let keys = scalars.into_iter().zip(multiples.iter());
        keys.map(|(b, multiple)| {
            let point = b.and(multiple.ok_or(Error::IdentityWithoutKey))?;
            Ok(ReceiverSecretKey::new(point))
        })
        .collect()
    }
}

impl Drop for MasterSecret {
    fn drop(&mut self) {
        self.z.zeroize();
    }
}

impl fmt::Debug for MasterSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterSecret")
    }
}
