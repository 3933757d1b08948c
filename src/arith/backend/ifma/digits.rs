//! Eight signed digits side by side.

use core::arch::x86_64::{
    __m512i, __mmask8, _mm512_and_si512, _mm512_mask_xor_epi64, _mm512_or_si512, _mm512_set1_epi64,
    _mm512_setzero_si512, _mm512_srli_epi64, _mm512_srlv_epi64, _mm512_testn_epi64_mask,
};

use super::lanes::vector_of;
use super::tables::TEETH;

/// A digit a lane.
#[derive(Clone, Copy)]
pub struct Digits {
    /// Indices of entries in a table of the positive digits.
    pub index: __m512i,
    /// Lanes whose entry counts negatively.
    pub negative: __mmask8,
}

impl Digits {
    /// The digits of a comb in one table, lane i that of row i. Of the signs that belong to the table, those of a tooth are
    /// eight bits in sequence, row 0 first.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn of_rows(signs: u64) -> Digits {
        let rows = _mm512_srlv_epi64(_mm512_set1_epi64(signs as i64), vector_of([0, 1, 2, 3, 4, 5, 6, 7]));
        let mut bits = _mm512_setzero_si512();
        let mut shifted = rows;
        for tooth in 0..TEETH {
            let mask = _mm512_set1_epi64(1 << tooth);
            bits = _mm512_or_si512(bits, _mm512_and_si512(shifted, mask));
            shifted = _mm512_srli_epi64::<7>(shifted);
        }
        Digits::from_signs(bits, TEETH)
    }

    /// Of so many signs, the lowest bits of each lane. The highest is the digit's own; those below it, flipped where it is
    /// negative, are the index.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn from_signs(bits: __m512i, signs: usize) -> Digits {
        let negative = _mm512_testn_epi64_mask(bits, _mm512_set1_epi64(1 << (signs - 1)));
        let low = _mm512_set1_epi64((1 << (signs - 1)) - 1);
        let index = _mm512_and_si512(bits, low);
        Digits { index: _mm512_mask_xor_epi64(index, negative, index, low), negative }
    }
}
