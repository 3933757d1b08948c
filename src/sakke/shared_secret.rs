use core::fmt;
use rand_core::CryptoRng;
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::SSV_LEN;

/// A shared secret value (SSV) of 16 octets: the key that an encapsulation carries.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SharedSecret([u8; SSV_LEN]);

impl SharedSecret {
    /// A secret with the given octets.
    pub fn new(octets: [u8; SSV_LEN]) -> SharedSecret {
        SharedSecret(octets)
    }

    /// A random secret.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> SharedSecret {
        let mut octets = [0; SSV_LEN];
        rng.fill_bytes(&mut octets);
        SharedSecret(octets)
    }

    /// The octets.
    pub fn as_bytes(&self) -> &[u8; SSV_LEN] {
        &self.0
    }
}

impl ConstantTimeEq for SharedSecret {
    fn ct_eq(&self, other: &SharedSecret) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret")
    }
}
