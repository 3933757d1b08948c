use core::fmt;
use rand_core::CryptoRng;
use zeroize::{Zeroize, Zeroizing};

use super::{Error, MASTER_SECRET_LEN, PublicKey, ReceiverSecretKey, identity};
use crate::arith::supersingular::{Affine, Scalar, multiply_generator};

/// A KMS's master secret z, an integer between 2 and q - 1. Wiped on drop.
pub struct MasterSecret {
    z: Scalar,
    public_key: PublicKey,
}

impl MasterSecret {
    /// A uniformly random master secret.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> MasterSecret {
        let mut octets = Zeroizing::new([0; MASTER_SECRET_LEN]);
        loop {
            rng.fill_bytes(&mut *octets);
            // q has 1022 bits. Draws outside the range are thrown away, so their count reveals nothing of the result.
            octets[0] &= 0x3f;
            if let Ok(secret) = MasterSecret::from_bytes(&*octets) {
                return secret;
            }
        }
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
    pub fn extract(&self, id: &[u8]) -> Result<ReceiverSecretKey, Error> {
        let inverse = Zeroizing::new(Zeroizing::new(identity::to_scalar(id)? + self.z).invert());
        multiply_generator(&inverse).map(|point| ReceiverSecretKey { point }).ok_or(Error::IdentityWithoutKey)
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
