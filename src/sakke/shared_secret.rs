use alloc::boxed::Box;
use core::fmt;
use rand_core::CryptoRng;
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::SSV_LEN;

/// A shared secret value (SSV) of 16 octets: the key that an encapsulation carries. Wiped on drop; boxed, so that it leaves
/// no copy behind where it is moved.
#[derive(Clone)]
pub struct SharedSecret(Box<[u8; SSV_LEN]>);

impl SharedSecret {
    /// A secret with the given octets.
    pub fn new(octets: [u8; SSV_LEN]) -> SharedSecret {
        SharedSecret(Box::new(octets))
    }

    /// A random secret.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> SharedSecret {
        let mut secret = SharedSecret::new([0; SSV_LEN]);
        rng.fill_bytes(&mut *secret.0);
        secret
    }

    /// The octets.
    pub fn as_bytes(&self) -> &[u8; SSV_LEN] {
        &self.0
    }
}

impl Zeroize for SharedSecret {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl ZeroizeOnDrop for SharedSecret {}

impl Drop for SharedSecret {
    fn drop(&mut self) {
        self.zeroize();
    }
}

impl ConstantTimeEq for SharedSecret {
    fn ct_eq(&self, other: &SharedSecret) -> Choice {
        self.0.ct_eq(&*other.0)
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret")
    }
}
