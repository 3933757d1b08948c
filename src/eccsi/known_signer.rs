use core::fmt;

use super::hash::Hs;
use super::{Error, KmsTables, Signature};
use crate::arith::p256::{Affine, PublicBase};

/// An identity under a KMS with one public validation token (PVT), and multiples of the public key Y that belongs to both:
/// 8 KiB, for quick verification of what this signer signs. Making one takes about as long as verification of a
/// signature of a signer that is not known.
pub struct KnownSigner {
    hs: Hs,
    pvt: Affine,
    y: PublicBase,
}

impl KnownSigner {
    /// The signer of a signature. Whether the signature is valid does not matter. [`Error::SignatureInvalid`] if no signer
    /// can have this identity and this PVT (probability 2^-256).
    pub fn new(kms: &KmsTables, id: &[u8], signature: &Signature) -> Result<KnownSigner, Error> {
        let hs = kms.hs(id, &signature.pvt);
        KnownSigner::with_hs(kms, hs, &signature.pvt).ok_or(Error::SignatureInvalid)
    }

    /// The signer to whose identity and PVT this HS belongs.
    pub(super) fn with_hs(kms: &KmsTables, hs: Hs, pvt: &Affine) -> Option<KnownSigner> {
        let y = kms.signer_point_vartime(&hs, pvt).to_affine()?;
        Some(KnownSigner { hs, pvt: *pvt, y: PublicBase::for_sums_with_generator(&y) })
    }

    /// Checks that the signature is that of this signer over the message, with the PVT that this signer has here (RFC 6507
    /// section 5.2.2). [`Error::SignatureInvalid`]. Takes a time that depends on its arguments, all of them public.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), Error> {
        if signature.pvt != self.pvt {
            return Err(Error::SignatureInvalid);
        }
        let (generator, base) = signature.multipliers(&self.hs, message);
        self.hs.accepts(&self.y.sum_vartime(&generator, &base), signature)
    }
}

impl fmt::Debug for KnownSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KnownSigner")
    }
}
