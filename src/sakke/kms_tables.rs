use core::fmt;
use zeroize::Zeroizing;

use super::{Encapsulation, Error, PublicKey, SSV_LEN, SharedSecret, hash, identity};
use crate::arith::supersingular::{Affine, FixedBase, Scalar, generator_multiples, generator_powers};

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

    /// Encapsulates a secret to an identity of at most 128 octets (RFC 6508 section 6.2.1). [`Error::IdentityLength`];
    /// [`Error::IdentityWithoutKey`] where Z was made to be the opposite of the identity's point.
    pub fn encapsulate(&self, id: &[u8], ssv: &SharedSecret) -> Result<Encapsulation, Error> {
        let r = Zeroizing::new(hash::to_scalar(ssv.as_bytes(), id));
        let point = self.commitment(id, &r)?;
        let value = Zeroizing::new(generator_powers().power(&r));
        let w = Zeroizing::new(value.representative());
        Ok(Encapsulation { r: point, h: xor(ssv.as_bytes(), &hash::to_mask(&w)) })
    }

    /// R = `[r]([b]P + Z)`, as `[r b]P + [r]Z`, in which both points are fixed.
    pub(super) fn commitment(&self, id: &[u8], r: &Scalar) -> Result<Affine, Error> {
        let r_b = Zeroizing::new(*r * identity::to_scalar(id)?);
        let sum = Zeroizing::new(FixedBase::multiply_sum([(generator_multiples(), &r_b), (&self.z, r)]));
        sum.to_affine().ok_or(Error::IdentityWithoutKey)
    }

    /// `[b]P + Z`, the public point of an identity.
    pub(super) fn identity_point(&self, id: &[u8]) -> Result<Affine, Error> {
        let multiple = generator_multiples().multiply(&identity::to_scalar(id)?);
        multiple.add_affine(&self.public_key.point).to_affine().ok_or(Error::IdentityWithoutKey)
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
