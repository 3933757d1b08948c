use core::fmt;

use super::hash::Hs;
use super::{Error, POINT_LEN, PublicKey, Signature};
use crate::arith::p256::{Affine, Jacobian, PublicBase, Scalar};

/// A KMS's public key with multiples of it, 16 KiB: what verification under that KMS needs.
pub struct KmsTables {
    public_key: PublicKey,
    kpak_bytes: [u8; POINT_LEN],
    kpak: PublicBase,
}

impl KmsTables {
    /// Computes the multiples: about 250 point additions.
    pub fn new(public_key: &PublicKey) -> KmsTables {
        KmsTables {
            public_key: public_key.clone(),
            kpak_bytes: public_key.to_bytes(),
            kpak: PublicBase::new(&public_key.point),
        }
    }

    /// KPAK.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// Checks that the signature is that of the identity over the message (RFC 6507 section 5.2.2).
    /// [`Error::SignatureInvalid`]. Takes a time that depends on its arguments, all of them public.
    pub fn verify(&self, id: &[u8], message: &[u8], signature: &Signature) -> Result<(), Error> {
        let hs = Hs::new(&self.kpak_bytes, id, &signature.pvt_bytes());
        let j = self.recover_vartime(&hs, message, signature);
        if hs.to_scalar() != Scalar::ZERO && bool::from(j.has_x(&signature.r)) {
            Ok(())
        } else {
            Err(Error::SignatureInvalid)
        }
    }

    pub(super) fn kpak_bytes(&self) -> &[u8; POINT_LEN] {
        &self.kpak_bytes
    }

    /// Y = `[HS]PVT + KPAK`, the public key that belongs to a signer's SSK.
    pub(super) fn signer_point_vartime(&self, hs: &Hs, pvt: &Affine) -> Jacobian {
        self.kpak.sum_vartime(&Scalar::ZERO, &Scalar::ONE, Some((&hs.to_scalar(), pvt)))
    }

    /// J = `[s]([HE]G + [r]Y)`, as `[s HE]G + [s r]KPAK + [s r HS]PVT`.
    pub(super) fn recover_vartime(&self, hs: &Hs, message: &[u8], signature: &Signature) -> Jacobian {
        let s_he = signature.s * hs.he(&signature.r_bytes(), message);
        let s_r = signature.s * Scalar::from_limbs_mod(&signature.r.to_limbs());
        let s_r_hs = s_r * hs.to_scalar();
        self.kpak.sum_vartime(&s_he, &s_r, Some((&s_r_hs, &signature.pvt)))
    }
}

impl fmt::Debug for KmsTables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KmsTables").field(&self.public_key).finish()
    }
}
