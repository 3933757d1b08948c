use alloc::boxed::Box;
use core::fmt;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use super::{Error, KmsTables, POINT_LEN, SECRET_LEN, SigningKey};
use crate::arith::p256::{Affine, Jacobian, Scalar, multiply_generator};

/// A secret signing key (SSK) and its public validation token (PVT) as they come from a KMS, not yet known to belong to
/// an identity. Wiped on drop; SSK is boxed, so that it leaves no copy behind where it is moved.
pub struct KeyPair {
    pub(super) ssk: Box<Scalar>,
    pub(super) pvt: Affine,
}

impl KeyPair {
    /// Reads SSK, a big-endian integer of 32 octets, and PVT, 04 || x || y of 65 octets.
    ///
    /// KMSs write SSK as an integer of another length: leading zero octets may be missing, or there may be more of them.
    /// [`Error::SskLength`], [`Error::SskZero`], [`Error::SskRange`], [`Error::Pvt`].
    pub fn from_bytes(ssk: &[u8], pvt: &[u8]) -> Result<KeyPair, Error> {
        let (excess, octets) = ssk.split_at(ssk.len().saturating_sub(SECRET_LEN));
        if octets.is_empty() || excess.iter().any(|&octet| octet != 0) {
            return Err(Error::SskLength(ssk.len()));
        }
        let ssk = Zeroizing::new(Scalar::from_be_bytes(octets).ok_or(Error::SskRange)?);
        if *ssk == Scalar::ZERO {
            return Err(Error::SskZero);
        }
        let pvt = Affine::from_bytes(pvt).map_err(Error::Pvt)?;
        Ok(KeyPair { ssk: Box::new(*ssk), pvt })
    }

    /// SSK as 32 octets, big-endian.
    pub fn ssk_bytes(&self) -> Zeroizing<[u8; SECRET_LEN]> {
        let mut octets = Zeroizing::new([0; SECRET_LEN]);
        self.ssk.write_be_bytes(&mut *octets);
        octets
    }

    /// PVT as 04 || x || y.
    pub fn pvt_bytes(&self) -> [u8; POINT_LEN] {
        self.pvt.to_bytes()
    }

    /// Checks that the pair belongs to the identity under the KMS, `[SSK]G` = KPAK + `[HS]PVT` (RFC 6507 section 5.1.2), and
    /// makes it ready for signing. [`Error::KeyPairInvalid`].
    pub fn validate(self, id: &[u8], kms: &KmsTables) -> Result<SigningKey, Error> {
        let hs = kms.hs(id, &self.pvt);
        let y = kms.signer_point_vartime(&hs, &self.pvt);
        let is_key_of = |point: Affine| bool::from(Jacobian::from(point).ct_eq(&y));
        if hs.to_scalar() == Scalar::ZERO || !multiply_generator(&self.ssk).is_some_and(is_key_of) {
            return Err(Error::KeyPairInvalid);
        }
        Ok(SigningKey { pair: self, hs })
    }
}

impl Drop for KeyPair {
    fn drop(&mut self) {
        self.ssk.zeroize();
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyPair")
    }
}
