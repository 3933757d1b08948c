use core::fmt;

use super::{Error, POINT_LEN};
use crate::arith::supersingular::Affine;

/// A KMS's public encryption key Z = `[z]P` (`PubEncKey` of a KMS certificate).
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    pub(super) point: Affine,
}

impl PublicKey {
    /// Reads 04 || x || y, 257 octets. Checks form, range, curve and subgroup: [`Error::PublicKey`].
    pub fn from_bytes(bytes: &[u8]) -> Result<PublicKey, Error> {
        let point = Affine::from_bytes(bytes).map_err(Error::PublicKey)?;
        point.check_subgroup().map_err(Error::PublicKey)?;
        Ok(PublicKey { point })
    }

    /// 04 || x || y.
    pub fn to_bytes(&self) -> [u8; POINT_LEN] {
        self.point.to_bytes()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(")?;
        self.to_bytes().iter().try_for_each(|octet| write!(f, "{octet:02x}"))?;
        f.write_str(")")
    }
}
