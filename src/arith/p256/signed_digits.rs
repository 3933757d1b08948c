//! Scalars as sums of odd signed digits, of which none is 0.
//!
//! An odd number k is a sum of +2^j and -2^j over all j below a count of signs: those with + are the bits of
//! (k - 1) / 2 + 2^(signs - 1). The signs of a window of w bits at position p sum up to an odd digit · 2^p, the digit
//! between -(2^w - 1) and 2^w - 1. The highest one is positive. Instead of an even scalar k its opposite q - k is taken.

use subtle::{Choice, ConditionallySelectable};
use zeroize::{Zeroize, Zeroizing};

use super::field::{LIMBS, Q, Scalar};
use crate::arith::Modulus;
use crate::arith::backend::portable::{mask, subtract_with_borrow, word_at};

/// A scalar in signed form.
pub struct SignedDigits {
    /// Bit j is 1 for +2^j and 0 for -2^j.
    signs: [u64; LIMBS + 1],
    /// All ones if the signs are those of the opposite scalar, otherwise 0.
    opposite: u64,
}

/// One digit.
pub struct Digit {
    /// i for the digit 2 i + 1 and its negative.
    pub index: u64,
    /// Whether it counts negatively.
    pub negative: Choice,
}

impl SignedDigits {
    /// So many signs, at least 256.
    pub fn new(scalar: &Scalar, signs: usize) -> SignedDigits {
        let limbs = Zeroizing::new(scalar.to_limbs());
        let opposite = mask(limbs[0] & 1 == 0);
        let is_opposite = Choice::from((opposite & 1) as u8);
        let mut odd = Zeroizing::new(subtract_with_borrow(&<Q>::LIMBS, &limbs).0);
        for (odd, limb) in odd.iter_mut().zip(limbs.iter()) {
            *odd = u64::conditional_select(limb, odd, is_opposite);
        }
        let mut digits = SignedDigits { signs: [0; LIMBS + 1], opposite };
        for i in 0..LIMBS {
            digits.signs[i] = odd[i] >> 1 | odd.get(i + 1).map_or(0, |limb| limb << 63);
        }
        digits.signs[(signs - 1) / 64] |= 1 << ((signs - 1) % 64);
        digits
    }

    /// The digit of `width` signs from `position` up, both public.
    #[inline(always)]
    pub fn digit(&self, position: usize, width: usize) -> Digit {
        let bits = word_at(&self.signs, position);
        let negative = mask(bits >> (width - 1) & 1 == 0);
        let index = (bits ^ negative) & ((1 << (width - 1)) - 1);
        Digit { index, negative: Choice::from(((negative ^ self.opposite) & 1) as u8) }
    }

    /// The signs, and a mask that is 0 unless they are those of the opposite scalar.
    #[cfg(target_arch = "x86_64")]
    pub fn words(&self) -> (&[u64; LIMBS + 1], u64) {
        (&self.signs, self.opposite)
    }
}

impl Drop for SignedDigits {
    fn drop(&mut self) {
        self.signs.zeroize();
        self.opposite.zeroize();
    }
}
