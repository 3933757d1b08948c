use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::{fmt, iter, slice};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use super::{Encapsulation, Error, KmsTables, POINT_LEN, RskValidator, SharedSecret, hash};
use crate::arith::supersingular::{Affine, Fp, MillerLines};
use crate::batch::{self, Threads};

/// A receiver secret key (RSK) as it comes from a KMS: a point of the curve, not yet known to belong to an identity.
/// Wiped on drop; boxed, so that it leaves no copy behind where it is moved.
pub struct ReceiverSecretKey {
    pub(super) point: Box<Affine>,
}

impl ReceiverSecretKey {
    /// Reads 04 || x || y, 257 octets. Checks form, range and curve, and that the order is not 1, 2 or 4; that the order
    /// is q is checked by [`ReceiverSecretKey::validate`].
    pub fn from_bytes(bytes: &[u8]) -> Result<ReceiverSecretKey, Error> {
        Affine::from_bytes(bytes).map(ReceiverSecretKey::new).map_err(Error::ReceiverSecretKey)
    }

    pub(super) fn new(point: Affine) -> ReceiverSecretKey {
        ReceiverSecretKey { point: Box::new(point) }
    }

    /// 04 || x || y.
    pub fn to_bytes(&self) -> Zeroizing<[u8; POINT_LEN]> {
        Zeroizing::new(self.point.to_bytes())
    }

    /// Checks that the key belongs to the identity under the KMS, `<[b]P + Z, K> = g` (RFC 6508 section 6.1.2), and that
    /// its order is q. [`Error::RskInvalid`], [`Error::ReceiverSecretKey`], [`Error::IdentityLength`], and
    /// [`Error::IdentityWithoutKey`] where no key can belong to the identity.
    pub fn validate(self, id: &[u8], kms: &RskValidator) -> Result<ValidatedKey, Error> {
        kms.check(id, &self.point)?;
        Ok(self.assume_valid(id))
    }

    /// Takes the key for that of the identity without a check: only for keys that were validated before, and were kept
    /// since where nobody else can write. A key that is not valid makes every decapsulation fail.
    pub fn assume_valid(self, id: &[u8]) -> ValidatedKey {
        ValidatedKey { rsk: self, id: id.to_vec() }
    }
}

/// A receiver secret key that belongs to its identity. Wiped on drop.
pub struct ValidatedKey {
    rsk: ReceiverSecretKey,
    id: Vec<u8>,
}

impl ValidatedKey {
    /// The key.
    pub const fn rsk(&self) -> &ReceiverSecretKey {
        &self.rsk
    }

    /// Makes the key ready to decapsulate: computes the lines of its pairing, about a thousand point doublings.
    pub fn load(&self) -> ReceiverKey {
        ReceiverKey { id: self.id.clone(), lines: MillerLines::new(&self.rsk.point) }
    }
}

/// A validated receiver secret key, loaded: the lines of its pairing, 356 KiB. Wiped on drop.
pub struct ReceiverKey {
    id: Vec<u8>,
    lines: MillerLines,
}

impl ReceiverKey {
    /// Decapsulates (RFC 6508 section 6.2.2). [`Error::DecapsulationFailed`] where the encapsulation is for another
    /// identity or KMS, or was altered in any bit.
    pub fn decapsulate(&self, kms: &KmsTables, encapsulation: &Encapsulation) -> Result<SharedSecret, Error> {
        self.decapsulate_together(kms, slice::from_ref(encapsulation)).pop().unwrap_or(Err(Error::DecapsulationFailed))
    }

    /// Decapsulates what senders made who hash w without its leading zero octets (RFC 6508 section 6.2.1 wants all 128), and
    /// what all others made. R is checked as ever, so that this accepts nothing but what was encapsulated to this key.
    ///
    /// Whether w has leading zero octets, one time in 256, shows in how long a refusal takes.
    pub fn decapsulate_unpadded(&self, kms: &KmsTables, encapsulation: &Encapsulation) -> Result<SharedSecret, Error> {
        let one = slice::from_ref(encapsulation);
        let confirm = |mask: &_| {
            let ssvs = vec![encapsulation.unmask(mask)];
            self.confirm(kms, one, ssvs).pop().unwrap_or(Err(Error::DecapsulationFailed))
        };
        let mut refusal = Error::DecapsulationFailed;
        for w in self.pair(one).iter() {
            for mask in iter::once(hash::to_mask(w)).chain(hash::to_unpadded_mask(w)) {
                match confirm(&mask) {
                    Ok(ssv) => return Ok(ssv),
                    Err(error) => refusal = error,
                }
            }
        }
        Err(refusal)
    }

    /// Decapsulates many: what [`ReceiverKey::decapsulate`] gives for each, in less time.
    pub fn decapsulate_batch(
        &self,
        kms: &KmsTables,
        encapsulations: &[Encapsulation],
        threads: Threads,
    ) -> Vec<Result<SharedSecret, Error>> {
        batch::map(encapsulations, threads, |encapsulations| self.decapsulate_together(kms, encapsulations))
    }

    fn decapsulate_together(
        &self,
        kms: &KmsTables,
        encapsulations: &[Encapsulation],
    ) -> Vec<Result<SharedSecret, Error>> {
        let values = self.pair(encapsulations);
        let masks = values.iter().map(hash::to_mask);
        let ssvs = encapsulations.iter().zip(masks).map(|(encapsulation, mask)| encapsulation.unmask(&mask)).collect();
        self.confirm(kms, encapsulations, ssvs)
    }

    /// w of each encapsulation.
    fn pair(&self, encapsulations: &[Encapsulation]) -> Zeroizing<Vec<Fp>> {
        let points: Vec<Affine> = encapsulations.iter().map(|encapsulation| encapsulation.r).collect();
        self.lines.pair_batch(&points)
    }

    /// The secrets of which R follows.
    fn confirm(
        &self,
        kms: &KmsTables,
        encapsulations: &[Encapsulation],
        ssvs: Vec<SharedSecret>,
    ) -> Vec<Result<SharedSecret, Error>> {
        let commitments = match kms.commitments(&self.id, &ssvs) {
            Ok(commitments) => commitments,
            Err(error) => return encapsulations.iter().map(|_| Err(error)).collect(),
        };
        let results = ssvs.into_iter().zip(commitments.iter()).zip(encapsulations);
        results
            .map(|((ssv, commitment), Encapsulation { r, .. })| match commitment {
                Some(point) if bool::from(point.ct_eq(r)) => Ok(ssv),
                _ => Err(Error::DecapsulationFailed),
            })
            .collect()
    }
}

impl Drop for ReceiverSecretKey {
    fn drop(&mut self) {
        self.point.zeroize();
    }
}

impl fmt::Debug for ReceiverSecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReceiverSecretKey")
    }
}

impl fmt::Debug for ValidatedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ValidatedKey")
    }
}

impl fmt::Debug for ReceiverKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReceiverKey")
    }
}
