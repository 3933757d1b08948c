//! Eight digits of a comb side by side.

use core::arch::x86_64::{
    __m512i, __mmask8, _mm512_and_si512, _mm512_mask_xor_epi64, _mm512_or_si512, _mm512_set1_epi64,
    _mm512_setzero_si512, _mm512_srli_epi64, _mm512_srlv_epi64, _mm512_testn_epi64_mask,
};

use super::lanes::vector_of;
use super::tables::{TABLE_LEN, TEETH};

/// The digits of all rows in one table: lane i belongs to row i.
#[derive(Clone, Copy)]
pub struct Digits {
    /// Indices of entries.
    pub index: __m512i,
    /// Lanes whose entry counts negatively.
    pub negative: __mmask8,
}

impl Digits {
    /// From the signs that belong to a table: those of a tooth are eight bits in sequence, row 0 first.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn new(signs: u64) -> Digits {
        let rows = _mm512_srlv_epi64(_mm512_set1_epi64(signs as i64), vector_of([0, 1, 2, 3, 4, 5, 6, 7]));
        let mut bits = _mm512_setzero_si512();
        let mut shifted = rows;
        for tooth in 0..TEETH {
            let mask = _mm512_set1_epi64(1 << tooth);
            bits = _mm512_or_si512(bits, _mm512_and_si512(shifted, mask));
            shifted = _mm512_srli_epi64::<7>(shifted);
        }
        let negative = _mm512_testn_epi64_mask(bits, _mm512_set1_epi64(1 << (TEETH - 1)));
        let low = _mm512_set1_epi64(TABLE_LEN as i64 - 1);
        let index = _mm512_and_si512(bits, low);
        Digits { index: _mm512_mask_xor_epi64(index, negative, index, low), negative }
    }
}
