use alloc::vec::Vec;
use core::{fmt, slice};

use super::hash::{Hs, HsPrefix};
use super::{Error, PublicKey, Signature};
use crate::arith::p256::{Affine, Jacobian, PublicBase, Scalar, Summands};
use crate::batch::{self, Threads};
#[cfg(feature = "std")]
use crate::eccsi::{KnownSigner, known_signers::KnownSigners};

/// A KMS's public key with multiples of it, at most 21 KiB: what verification under that KMS needs.
pub struct KmsTables {
    public_key: PublicKey,
    hs_prefix: HsPrefix,
    kpak: PublicBase,
    #[cfg(feature = "std")]
    signers: KnownSigners,
}

/// A message with what says who signed it.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// The signer's identity.
    pub id: &'a [u8],
    /// What was signed.
    pub message: &'a [u8],
    /// The signature, with the signer's public validation token (PVT).
    pub signature: &'a Signature,
}

impl KmsTables {
    /// Computes the multiples: about 250 point additions.
    pub fn new(public_key: &PublicKey) -> KmsTables {
        KmsTables {
            public_key: public_key.clone(),
            hs_prefix: HsPrefix::new(public_key),
            kpak: PublicBase::for_sums_with_others(&public_key.point),
            #[cfg(feature = "std")]
            signers: KnownSigners::default(),
        }
    }

    /// Keeps the tables of up to `capacity` signers from now on, which makes verification of their signatures three times
    /// as fast: [`KnownSigner`], some 9 KiB each. 0, as it is at first, keeps none.
    ///
    /// A signer is kept from its second valid signature on, and the first is remembered in 100 octets for eight times as
    /// many signers. Where either has no room, one leaves that has not signed lately. So nobody takes room without a valid
    /// signature, and nobody more than this. How long verification takes shows whether a signer is kept.
    #[cfg(feature = "std")]
    pub fn remember_signers(&self, capacity: usize) {
        self.signers.resize(capacity);
    }

    /// KPAK.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// Checks that the signature is that of the identity over the message (RFC 6507 section 5.2.2).
    /// [`Error::SignatureInvalid`]. Takes a time that depends on its arguments, all of them public.
    pub fn verify(&self, id: &[u8], message: &[u8], signature: &Signature) -> Result<(), Error> {
        let signed = Signed { id, message, signature };
        self.verify_together(slice::from_ref(&signed)).pop().unwrap_or(Err(Error::SignatureInvalid))
    }

    /// Checks many signatures: what [`KmsTables::verify`] gives for each, in less time.
    pub fn verify_batch(&self, signed: &[Signed<'_>], threads: Threads) -> Vec<Result<(), Error>> {
        batch::map(signed, threads, |signed| self.verify_together(signed))
    }

    #[cfg(feature = "std")]
    fn verify_together(&self, signed: &[Signed<'_>]) -> Vec<Result<(), Error>> {
        let mut results = Vec::with_capacity(signed.len());
        let mut strangers = Vec::new();
        for signed in signed {
            let hs = self.hs(signed.id, &signed.signature.pvt);
            match self.signers.find(&hs) {
                Some(signer) => results.push(Some(signer.verify(signed.message, signed.signature))),
                None => {
                    results.push(None);
                    strangers.push((hs, *signed));
                }
            }
        }
        let mut verdicts = self.verify_strangers(&strangers).into_iter();
        for ((hs, signed), verdict) in strangers.iter().zip(verdicts.as_slice()) {
            if verdict.is_ok() {
                self.signers.note(hs, || KnownSigner::with_hs(self, *hs, &signed.signature.pvt));
            }
        }
        let result = |known: Option<_>| known.or_else(|| verdicts.next()).unwrap_or(Err(Error::SignatureInvalid));
        results.into_iter().map(result).collect()
    }

    #[cfg(not(feature = "std"))]
    fn verify_together(&self, signed: &[Signed<'_>]) -> Vec<Result<(), Error>> {
        let signed: Vec<_> = signed.iter().map(|signed| (self.hs(signed.id, &signed.signature.pvt), *signed)).collect();
        self.verify_strangers(&signed)
    }

    fn verify_strangers(&self, signed: &[(Hs, Signed<'_>)]) -> Vec<Result<(), Error>> {
        let verdict = |((hs, signed), j): (&(Hs, Signed<'_>), &Jacobian)| hs.accepts(j, signed.signature);
        signed.iter().zip(&self.recover_vartime(signed)).map(verdict).collect()
    }

    /// HS of an identity and a PVT under this KMS.
    pub(super) fn hs(&self, id: &[u8], pvt: &Affine) -> Hs {
        self.hs_prefix.hs(id, &pvt.to_bytes())
    }

    #[cfg(all(test, feature = "std"))]
    pub(super) fn signers(&self) -> &KnownSigners {
        &self.signers
    }

    /// Y = `[HS]PVT + KPAK`, the public key that belongs to a signer's SSK.
    pub(super) fn signer_point_vartime(&self, hs: &Hs, pvt: &Affine) -> Jacobian {
        let (generator, base) = (Scalar::ZERO, Scalar::ONE);
        let summands = Summands { generator, base, other: hs.to_scalar(), other_point: *pvt };
        self.kpak.sums_vartime(&[summands]).pop().unwrap_or_default()
    }

    /// J = `[s]([HE]G + [r]Y)` of every signature, as `[s HE]G + [s r]KPAK + [s r HS]PVT`.
    pub(super) fn recover_vartime(&self, signed: &[(Hs, Signed<'_>)]) -> Vec<Jacobian> {
        let summands = |(hs, signed): &(Hs, Signed<'_>)| {
            let (generator, base) = signed.signature.multipliers(hs, signed.message);
            let other = base * hs.to_scalar();
            Summands { generator, base, other, other_point: signed.signature.pvt }
        };
        self.kpak.sums_vartime(&signed.iter().map(summands).collect::<Vec<_>>())
    }
}

impl fmt::Debug for KmsTables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KmsTables").field(&self.public_key).finish()
    }
}
