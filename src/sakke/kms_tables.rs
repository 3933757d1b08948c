use core::fmt;
use zeroize::Zeroize;

use super::{Encapsulation, Error, PublicKey, SSV_LEN, SharedSecret, hash, identity, parameters};
use crate::arith::supersingular::{Affine, FixedBase, Projective, Scalar};

/// A KMS's public key with tables for its multiples, 72 KiB: what encapsulation and decapsulation under that KMS need.
pub struct KmsTables {
    public_key: PublicKey,
    z: FixedBase,
}

impl KmsTables {
    /// Builds the tables, about a thousand point doublings.
    pub fn new(public_key: &PublicKey) -> KmsTables {
        KmsTables { public_key: public_key.clone(), z: FixedBase::new(&public_key.point) }
    }

    /// Z.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// Encapsulates a secret to an identity of at most 128 octets (RFC 6508 section 6.2.1).
    pub fn encapsulate(&self, id: &[u8], ssv: &SharedSecret) -> Result<Encapsulation, Error> {
        let mut r = hash::to_scalar(ssv.as_bytes(), id);
        let point = self.commitment(id, &r)?;
        let mut value = parameters::pairing_generator().power(&r);
        let mut w = value.representative();
        let h = xor(ssv.as_bytes(), &hash::to_mask(&w));
        r.zeroize();
        value.zeroize();
        w.zeroize();
        Ok(Encapsulation { r: point, h })
    }

    /// R = `[r]([b]P + Z)`, as `[r b]P + [r]Z`, in which both points are fixed.
    pub(super) fn commitment(&self, id: &[u8], r: &Scalar) -> Result<Affine, Error> {
        let mut r_b = *r * identity::to_scalar(id)?;
        let mut sum = FixedBase::multiply_sum([(parameters::generator(), &r_b), (&self.z, r)]);
        let point = sum.to_affine();
        r_b.zeroize();
        sum.zeroize();
        Ok(point)
    }

    /// `[b]P + Z`, the public point of an identity.
    pub(super) fn identity_point(&self, id: &[u8]) -> Result<Projective, Error> {
        let b = identity::to_scalar(id)?;
        Ok(parameters::generator().multiply(&b).add_affine(&self.public_key.point))
    }
}

pub(super) fn xor(a: &[u8; SSV_LEN], b: &[u8; SSV_LEN]) -> [u8; SSV_LEN] {
    core::array::from_fn(|i| a[i] ^ b[i])
}

impl fmt::Debug for KmsTables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KmsTables").field(&self.public_key).finish()
    }
}
