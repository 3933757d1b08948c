use core::fmt;
use rand_core::CryptoRng;
use zeroize::{Zeroize, Zeroizing};

use super::{Error, MASTER_SECRET_LEN, PublicKey, ReceiverSecretKey, identity, parameters};
use crate::arith::supersingular::Scalar;

/// A KMS's master secret z, an integer between 2 and q - 1. Wiped on drop.
pub struct MasterSecret {
    z: Scalar,
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
        let z = Scalar::from_be_bytes(bytes).ok_or(Error::MasterSecretRange)?;
        if z == Scalar::ZERO || z == Scalar::ONE {
            return Err(Error::MasterSecretRange);
        }
        Ok(MasterSecret { z })
    }

    /// The integer as 128 octets, big-endian.
    pub fn to_bytes(&self) -> Zeroizing<[u8; MASTER_SECRET_LEN]> {
        let mut octets = Zeroizing::new([0; MASTER_SECRET_LEN]);
        self.z.write_be_bytes(&mut *octets);
        octets
    }

    /// Z = `[z]P`.
    pub fn public_key(&self) -> PublicKey {
        PublicKey { point: parameters::generator().multiply(&self.z).to_affine() }
    }

    /// The receiver secret key `[(b + z)^-1]P` of an identity of at most 128 octets (RFC 6508 section 6.1.1).
    pub fn extract(&self, id: &[u8]) -> Result<ReceiverSecretKey, Error> {
        let mut sum = identity::to_scalar(id)? + self.z;
        if sum == Scalar::ZERO {
            return Err(Error::IdentityWithoutKey);
        }
        let mut inverse = sum.invert();
        let mut product = parameters::generator().multiply(&inverse);
        let key = ReceiverSecretKey { point: product.to_affine() };
        sum.zeroize();
        inverse.zeroize();
        product.zeroize();
        Ok(key)
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
