use core::fmt;

use super::hash::Hs;
use super::{Error, POINT_LEN, SECRET_LEN, SIGNATURE_LEN};
use crate::arith::p256::{Affine, Fp, Scalar};

/// A signature: r, s and the signer's public validation token (RFC 6507 section 3.3).
///
/// Anyone can turn a signature (r, s) into (r, q - s), which is valid for the same message. What must be unique, such as
/// an entry of a replay cache, is made of what is signed, never of the signature.
#[derive(Clone, PartialEq, Eq)]
pub struct Signature {
    pub(super) r: Fp,
    pub(super) s: Scalar,
    pub(super) pvt: Affine,
}

impl Signature {
    /// Reads r || s || PVT, 129 octets. Checks that 0 < r < p, that 0 < s < q, and that PVT is a point of the curve:
    /// [`Error::SignatureLength`], [`Error::SignatureR`], [`Error::SignatureS`], [`Error::SignaturePvt`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Signature, Error> {
        if bytes.len() != SIGNATURE_LEN {
            return Err(Error::SignatureLength(bytes.len()));
        }
        let (r, rest) = bytes.split_at(SECRET_LEN);
        let (s, pvt) = rest.split_at(SECRET_LEN);
        let r = Fp::from_be_bytes(r).filter(|r| *r != Fp::ZERO).ok_or(Error::SignatureR)?;
        let s = Scalar::from_be_bytes(s).filter(|s| *s != Scalar::ZERO).ok_or(Error::SignatureS)?;
        let pvt = Affine::from_bytes(pvt).map_err(Error::SignaturePvt)?;
        Ok(Signature { r, s, pvt })
    }

    /// r || s || PVT.
    pub fn to_bytes(&self) -> [u8; SIGNATURE_LEN] {
        let mut out = [0; SIGNATURE_LEN];
        let (r, rest) = out.split_at_mut(SECRET_LEN);
        let (s, pvt) = rest.split_at_mut(SECRET_LEN);
        self.r.write_be_bytes(r);
        self.s.write_be_bytes(s);
        pvt.copy_from_slice(&self.pvt_bytes());
        out
    }

    /// s HE and s r modulo q, what G and Y are multiplied by in verification.
    pub(super) fn multipliers(&self, hs: &Hs, message: &[u8]) -> (Scalar, Scalar) {
        let r = Scalar::from_limbs_mod(&self.r.to_limbs());
        (self.s * hs.he(&self.r, message), self.s * r)
    }

    pub(super) fn pvt_bytes(&self) -> [u8; POINT_LEN] {
        self.pvt.to_bytes()
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(")?;
        self.to_bytes().iter().try_for_each(|octet| write!(f, "{octet:02x}"))?;
        f.write_str(")")
    }
}
