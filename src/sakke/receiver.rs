use alloc::vec::Vec;
use core::fmt;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use super::kms_tables::xor;
use super::{Encapsulation, Error, KmsTables, POINT_LEN, SharedSecret, hash};
use crate::arith::supersingular::{Affine, MillerLines, PairingValue, PointError};

/// A receiver secret key (RSK) as it comes from a KMS: a point of the curve, not yet known to belong to an identity.
/// Wiped on drop.
pub struct ReceiverSecretKey {
    pub(super) point: Affine,
}

impl ReceiverSecretKey {
    /// Reads 04 || x || y, 257 octets. Checks form, range and curve, and that the order is not 1, 2 or 4; that the order
    /// is q is checked by [`ReceiverSecretKey::validate`].
    pub fn from_bytes(bytes: &[u8]) -> Result<ReceiverSecretKey, Error> {
        Affine::from_bytes(bytes).map(|point| ReceiverSecretKey { point }).map_err(Error::ReceiverSecretKey)
    }

    /// 04 || x || y.
    pub fn to_bytes(&self) -> Zeroizing<[u8; POINT_LEN]> {
        Zeroizing::new(self.point.to_bytes())
    }

    /// Checks that the key belongs to the identity under the KMS, `<[b]P + Z, K> = g` (RFC 6508 section 6.1.2), and makes
    /// it ready for decapsulation.
    pub fn validate(self, id: &[u8], kms: &KmsTables) -> Result<ReceiverKey, Error> {
        let lines = MillerLines::new(&self.point).map_err(|_| Error::ReceiverSecretKey(PointError::NotInSubgroup))?;
        let valid = lines.pair(&kms.identity_point(id)?).ct_eq(&PairingValue::generator().representative());
        if !bool::from(valid) {
            return Err(Error::RskInvalid);
        }
        Ok(ReceiverKey { rsk: self, id: id.to_vec(), lines })
    }
}

/// A validated receiver secret key with the lines of its pairing, 343 KiB. Wiped on drop.
pub struct ReceiverKey {
    rsk: ReceiverSecretKey,
    id: Vec<u8>,
    lines: MillerLines,
}

impl ReceiverKey {
    /// Decapsulates (RFC 6508 section 6.2.2). [`Error::DecapsulationFailed`] where the encapsulation is for another
    /// identity or KMS, or was altered in any bit.
    pub fn decapsulate(&self, kms: &KmsTables, encapsulation: &Encapsulation) -> Result<SharedSecret, Error> {
        let w = Zeroizing::new(self.lines.pair(&encapsulation.r));
        let ssv = SharedSecret::new(xor(&encapsulation.h, &hash::to_mask(&w)));
        let r = Zeroizing::new(hash::to_scalar(ssv.as_bytes(), &self.id));
        match kms.commitment(&self.id, &r) {
            Ok(point) if bool::from(point.ct_eq(&encapsulation.r)) => Ok(ssv),
            _ => Err(Error::DecapsulationFailed),
        }
    }

    /// The key that was validated.
    pub fn rsk(&self) -> &ReceiverSecretKey {
        &self.rsk
    }
}

impl Drop for ReceiverSecretKey {
    fn drop(&mut self) {
        self.point.zeroize();
    }
}

impl fmt::Debug for ReceiverSecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReceiverSecretKey")
    }
}

impl fmt::Debug for ReceiverKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReceiverKey")
    }
}
