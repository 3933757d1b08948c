use alloc::vec::Vec;
use core::fmt;
use zeroize::Zeroizing;

use super::{Encapsulation, Error, PublicKey, SSV_LEN, SharedSecret, hash, identity};
use crate::arith::Wiped;
use crate::arith::supersingular::{Affine, FixedBase, Fp, Scalar};
use crate::batch::{self, Threads};

/// A KMS's public key with tables for its multiples, at most 336 KiB: what encapsulation and decapsulation under that KMS need.
///
/// The first use of any also builds the tables of the generators, at most 504 KiB for the whole process.
pub struct KmsTables {
    public_key: PublicKey,
    z: FixedBase,
}

impl KmsTables {
    /// Builds the tables: about a thousand point doublings and as many additions.
    pub fn new(public_key: &PublicKey) -> KmsTables {
        KmsTables { public_key: public_key.clone(), z: FixedBase::new(&public_key.point) }
    }

    /// Z.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// Encapsulates a secret to an identity of at most 128 octets (RFC 6508 section 6.2.1). [`Error::IdentityLength`];
    /// [`Error::IdentityWithoutKey`] where Z was made to be the opposite of the identity's point.
    pub fn encapsulate(&self, id: &[u8], ssv: &SharedSecret) -> Result<Encapsulation, Error> {
        let scalars = commitment_scalars(id, &identity::to_scalar(id)?, ssv);
        let [r_b, r] = &*scalars;
        let commitment = Zeroizing::new(self.z.commit(r_b, r));
        encapsulation(&commitment, ssv)
    }

    /// Encapsulates one secret to many identities: what [`KmsTables::encapsulate`] gives for each, in less time.
    pub fn encapsulate_batch<I: AsRef<[u8]> + Sync>(
        &self,
        ids: &[I],
        ssv: &SharedSecret,
        threads: Threads,
    ) -> Vec<Result<Encapsulation, Error>> {
        batch::map(ids, threads, |ids| {
            let mut scalars = Zeroizing::new(Vec::with_capacity(ids.len()));
            let mut checks = Vec::with_capacity(ids.len());
            for id in ids {
                let b = identity::to_scalar(id.as_ref());
                // Infinity, where there is no b.
                scalars.push(b.map_or(Default::default(), |b| *commitment_scalars(id.as_ref(), &b, ssv)));
                checks.push(b.map(|_| ()));
            }
            let commitments = self.z.commit_batch(&scalars);
            let results = checks.into_iter().zip(commitments.iter());
            results.map(|(check, commitment)| check.and_then(|()| encapsulation(commitment, ssv))).collect()
        })
    }

    /// R = `[r]([b]P + Z)` of each secret for the same identity; `None` for infinity.
    pub(super) fn commitments(&self, id: &[u8], ssvs: &[SharedSecret]) -> Result<Wiped<Option<Affine>>, Error> {
        let b = identity::to_scalar(id)?;
        let scalars: Vec<_> = ssvs.iter().map(|ssv| *commitment_scalars(id, &b, ssv)).collect();
        let scalars = Zeroizing::new(scalars);
        Ok(self.z.multiply_with_generator_batch(&scalars))
    }
}

/// r b and r, by which R = `[r]([b]P + Z)` is `[r b]P + [r]Z`, in which both points are fixed. b is that of the identity.
fn commitment_scalars(id: &[u8], b: &Scalar, ssv: &SharedSecret) -> Zeroizing<[Scalar; 2]> {
    let r = Zeroizing::new(hash::to_scalar(ssv.as_bytes(), id));
    Zeroizing::new([*r * *b, *r])
}

fn encapsulation((point, w): &(Option<Affine>, Fp), ssv: &SharedSecret) -> Result<Encapsulation, Error> {
    let r = point.ok_or(Error::IdentityWithoutKey)?;
    Ok(Encapsulation { r, h: xor(ssv.as_bytes(), &hash::to_mask(w)) })
}

pub(super) fn xor(a: &[u8; SSV_LEN], b: &[u8; SSV_LEN]) -> [u8; SSV_LEN] {
    core::array::from_fn(|i| a[i] ^ b[i])
}

impl fmt::Debug for KmsTables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KmsTables").field(&self.public_key).finish()
    }
}
