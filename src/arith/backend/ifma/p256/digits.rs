//! Signed digits of eight scalars side by side.

use core::arch::x86_64::{
    __m512i, __mmask8, _mm512_and_si512, _mm512_mask_xor_epi64, _mm512_or_si512, _mm512_set1_epi64, _mm512_sllv_epi64,
    _mm512_srlv_epi64, _mm512_testn_epi64_mask,
};

use zeroize::Zeroize;

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

/// A digit of each of eight scalars.
pub struct Digits {
    /// i for the digit 2 i + 1 and its negative.
    pub index: __m512i,
    /// Lanes whose digit counts negatively.
    pub negative: __mmask8,
}

impl Digits {
    /// A digit of four signs a lane, from 32 signs of one scalar in which those of lane 0 come first, and a mask that is 0
    /// unless the signs are those of the opposite scalar.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn of_one_scalar(signs: u64, opposite: u64) -> Digits {
        let shifts = vector_of([0, 4, 8, 12, 16, 20, 24, 28]);
        Digits::from_bits(_mm512_srlv_epi64(_mm512_set1_epi64(signs as i64), shifts), 4, opposite as u8)
    }

    /// From the lowest bits of each lane.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn from_bits(bits: __m512i, width: usize, opposite: __mmask8) -> Digits {
        let negative = _mm512_testn_epi64_mask(bits, _mm512_set1_epi64(1 << (width - 1)));
        let low = _mm512_set1_epi64((1 << (width - 1)) - 1);
        let index = _mm512_and_si512(bits, low);
        Digits { index: _mm512_mask_xor_epi64(index, negative, index, low), negative: negative ^ opposite }
    }
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
        Digits::from_bits(bits, width, self.opposite)
    }
}

impl Drop for DigitLanes {
    fn drop(&mut self) {
        self.signs.zeroize();
        self.opposite.zeroize();
    }
}
