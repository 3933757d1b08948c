use core::fmt;

use super::{Error, PublicKey, identity};
use crate::arith::supersingular::{Affine, MillerLines, multiply_generator};

/// A KMS's public key with the lines of its pairing, 356 KiB: what a receiver needs to validate the keys that the KMS
/// issues.
///
/// The first use of any also builds the lines of the generator, 356 KiB for the whole process.
pub struct RskValidator {
    public_key: PublicKey,
    z: MillerLines,
}

impl RskValidator {
    /// Computes the lines: about a thousand point doublings.
    pub fn new(public_key: &PublicKey) -> RskValidator {
        RskValidator { public_key: public_key.clone(), z: MillerLines::new(&public_key.point) }
    }

    /// Z.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// Checks that <`[b]P + Z`, K> = g, where b is the identity, and that K has order q.
    pub(super) fn check(&self, id: &[u8], key: &Affine) -> Result<(), Error> {
        let b = identity::to_scalar(id)?;
        if self.z.accepts_key(&b, key) {
            return Ok(());
        }
        key.check_subgroup().map_err(Error::ReceiverSecretKey)?;
        match multiply_generator(&b) {
            Some(point) if point == self.public_key.point.negate() => Err(Error::IdentityWithoutKey),
            _ => Err(Error::RskInvalid),
        }
    }
}

impl fmt::Debug for RskValidator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RskValidator").field(&self.public_key).finish()
    }
}
