use core::fmt;

use super::kms_tables::xor;
use super::{Error, POINT_LEN, SED_LEN, SSV_LEN, SharedSecret};
use crate::arith::supersingular::Affine;

/// SAKKE Encapsulated Data (SED): the point R and the masked secret H (RFC 6508 section 4).
#[derive(Clone, PartialEq, Eq)]
pub struct Encapsulation {
    pub(super) r: Affine,
    pub(super) h: [u8; SSV_LEN],
}

impl Encapsulation {
    /// Reads R || H, 273 octets. Checks length, form, range, curve, and that the order of R is not 1, 2 or 4.
    ///
    /// That R has order q is what decapsulation establishes when it computes R again. Until then a part of R outside the
    /// subgroup is harmless: its order divides 4, so the pairing with a key of odd order q takes it to 1.
    pub fn from_bytes(bytes: &[u8]) -> Result<Encapsulation, Error> {
        if bytes.len() != SED_LEN {
            return Err(Error::EncapsulationLength(bytes.len()));
        }
        let (point, mask) = bytes.split_at(POINT_LEN);
        let r = Affine::from_bytes(point).map_err(Error::EncapsulationPoint)?;
        let mut h = [0; SSV_LEN];
        h.copy_from_slice(mask);
        Ok(Encapsulation { r, h })
    }

    /// Reads R || H where H may lack leading zero octets, as some senders leave them out against RFC 6508 section 4: 258 to
    /// 273 octets. For [`ReceiverKey::decapsulate_unpadded`](super::ReceiverKey::decapsulate_unpadded).
    pub fn from_unpadded_bytes(bytes: &[u8]) -> Result<Encapsulation, Error> {
        let length = Error::EncapsulationLength(bytes.len());
        let (point, mask) = bytes.split_at_checked(POINT_LEN).ok_or(length)?;
        if mask.is_empty() || mask.len() > SSV_LEN {
            return Err(length);
        }
        let mut padded = [0; SED_LEN];
        let (start, end) = padded.split_at_mut(POINT_LEN);
        start.copy_from_slice(point);
        let (_, end) = end.split_at_mut(SSV_LEN - mask.len());
        end.copy_from_slice(mask);
        Encapsulation::from_bytes(&padded)
    }

    pub(super) fn unmask(&self, mask: &[u8; SSV_LEN]) -> SharedSecret {
        SharedSecret::new(xor(&self.h, mask))
    }

    /// R || H.
    pub fn to_bytes(&self) -> [u8; SED_LEN] {
        let mut out = [0; SED_LEN];
        let (point, mask) = out.split_at_mut(POINT_LEN);
        point.copy_from_slice(&self.r.to_bytes());
        mask.copy_from_slice(&self.h);
        out
    }
}

impl fmt::Debug for Encapsulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Encapsulation(")?;
        self.to_bytes().iter().try_for_each(|octet| write!(f, "{octet:02x}"))?;
        f.write_str(")")
    }
}
