//! The two hashes of RFC 6507, with SHA-256.

use sha2::{Digest, Sha256};

use super::{Error, POINT_LEN, PublicKey, SECRET_LEN, Signature};
use crate::arith::p256::{Affine, Fp, Jacobian, Scalar};

const HASH_LEN: usize = 32;

/// The hash of G || KPAK, from which every HS under a KMS goes on.
#[derive(Clone)]
pub(super) struct HsPrefix(Sha256);

impl HsPrefix {
    pub(super) fn new(kpak: &PublicKey) -> HsPrefix {
        HsPrefix(Sha256::new().chain_update(Affine::generator().to_bytes()).chain_update(kpak.to_bytes()))
    }

    /// HS = hash(G || KPAK || ID || PVT), which ties a key pair to an identity (RFC 6507 section 5.1.1).
    pub(super) fn hs(&self, id: &[u8], pvt: &[u8; POINT_LEN]) -> Hs {
        Hs { octets: self.0.clone().chain_update(id).chain_update(pvt).finalize().into() }
    }
}

/// What ties a key pair to an identity under a KMS.
#[derive(Clone, Copy)]
pub(super) struct Hs {
    octets: [u8; HASH_LEN],
}

impl Hs {
    #[cfg(feature = "std")]
    pub(super) fn octets(&self) -> &[u8; HASH_LEN] {
        &self.octets
    }

    /// Whether a signature whose J this is shows that the signer has the key that this HS belongs to.
    pub(super) fn accepts(self, j: &Jacobian, signature: &Signature) -> Result<(), Error> {
        if self.to_scalar() != Scalar::ZERO && bool::from(j.has_x(&signature.r)) {
            Ok(())
        } else {
            Err(Error::SignatureInvalid)
        }
    }

    /// HS modulo q.
    pub(super) fn to_scalar(self) -> Scalar {
        reduce(&self.octets)
    }

    /// HE = hash(HS || r || M) modulo q, which ties a signature to a message (RFC 6507 section 5.2.1, step 3).
    pub(super) fn he(self, r: &Fp, message: &[u8]) -> Scalar {
        let mut r_octets = [0; SECRET_LEN];
        r.write_be_bytes(&mut r_octets);
        let hash = Sha256::new().chain_update(self.octets).chain_update(r_octets).chain_update(message);
        reduce(&hash.finalize().into())
    }
}

fn reduce(hash: &[u8; HASH_LEN]) -> Scalar {
    Scalar::from_be_bytes_mod(hash).unwrap_or_default()
}
