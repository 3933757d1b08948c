//! Signed digits of eight scalars side by side.

use core::arch::x86_64::{__m512i, __mmask8, _mm512_or_si512, _mm512_set1_epi64, _mm512_sllv_epi64, _mm512_srlv_epi64};

use zeroize::Zeroize;

use super::super::digits::Digits;
use super::super::lanes::{LANES, vector_of};
use crate::arith::p256::{Scalar, SignedDigits};

/// 64-bit words of the signs of a scalar.
const WORDS: usize = 5;

/// Eight scalars in signed form.
pub struct DigitLanes {
    signs: [__m512i; WORDS],
    /// Lanes whose signs are those of the opposite scalar.
    opposite: __mmask8,
}

/// A digit of four signs a lane, from 32 signs of one scalar in which those of lane 0 come first, and a mask that is 0 unless
/// the signs are those of the opposite scalar.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
pub fn digits_of_one(signs: u64, opposite: u64) -> Digits {
    let shifts = vector_of([0, 4, 8, 12, 16, 20, 24, 28]);
    let mut digits = Digits::from_signs(_mm512_srlv_epi64(_mm512_set1_epi64(signs as i64), shifts), 4);
    digits.negative ^= opposite as u8;
    digits
}

impl DigitLanes {
    /// So many signs of each scalar.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn new(scalars: [&Scalar; LANES], signs: usize) -> DigitLanes {
        let digits = scalars.map(|scalar| SignedDigits::new(scalar, signs));
        let words = |i: usize| vector_of(core::array::from_fn(|lane| digits[lane].words().0[i]));
        let opposite = digits.iter().rev().fold(0, |mask, digits| mask << 1 | digits.words().1 as u8 & 1);
        DigitLanes { signs: core::array::from_fn(words), opposite }
    }

    /// The digits of `width` signs from `position` up, both public.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn digits(&self, position: usize, width: usize) -> Digits {
        let (word, shift) = (position / 64, position % 64);
        let shift = _mm512_set1_epi64(shift as i64);
        let mut bits = _mm512_srlv_epi64(self.signs[word], shift);
        if let Some(&above) = self.signs.get(word + 1) {
            // A shift by 64 gives 0.
            let complement = _mm512_set1_epi64(64 - (position % 64) as i64);
            bits = _mm512_or_si512(bits, _mm512_sllv_epi64(above, complement));
        }
        let mut digits = Digits::from_signs(bits, width);
        digits.negative ^= self.opposite;
        digits
    }
}

impl Drop for DigitLanes {
    fn drop(&mut self) {
        self.signs.zeroize();
        self.opposite.zeroize();
    }
}
