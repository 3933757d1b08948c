use core::fmt;
use zeroize::Zeroizing;

use super::{Encapsulation, Error, PublicKey, SSV_LEN, SharedSecret, hash, identity};
use crate::arith::supersingular::{Affine, FixedBase, Scalar};

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
        let r_b = Zeroizing::new(*r * identity::to_scalar(id)?);
        let (point, w) = self.z.commit(&r_b, &r);
        let (point, w) = (point.ok_or(Error::IdentityWithoutKey)?, Zeroizing::new(w));
        Ok(Encapsulation { r: point, h: xor(ssv.as_bytes(), &hash::to_mask(&w)) })
    }

    /// R = `[r]([b]P + Z)`, as `[r b]P + [r]Z`, in which both points are fixed.
    pub(super) fn commitment(&self, id: &[u8], r: &Scalar) -> Result<Affine, Error> {
        let r_b = Zeroizing::new(*r * identity::to_scalar(id)?);
        self.z.multiply_with_generator(&r_b, r).ok_or(Error::IdentityWithoutKey)
    }

    /// `[b]P + Z`, the public point of an identity.
    pub(super) fn identity_point(&self, id: &[u8]) -> Result<Affine, Error> {
        let b = identity::to_scalar(id)?;
        self.z.multiply_with_generator(&b, &Scalar::ONE).ok_or(Error::IdentityWithoutKey)
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
