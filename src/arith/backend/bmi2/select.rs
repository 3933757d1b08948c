//! Table look-ups that read the whole table, 256 bits at a time.

use core::arch::x86_64::{
    __m256i, _mm256_add_epi64, _mm256_and_si256, _mm256_cmpeq_epi64, _mm256_loadu_si256, _mm256_or_si256,
    _mm256_set1_epi64x, _mm256_setzero_si256, _mm256_storeu_si256,
};
use core::hint::black_box;

/// Limbs of a column of the table that is searched at once: two vectors.
const COLUMN: usize = 8;

/// Entry `index` of a table, 0 if there is none. W is a multiple of 8.
#[inline(always)]
pub fn select<const W: usize>(table: &[[u64; W]], index: u64) -> [u64; W] {
    const { assert!(W.is_multiple_of(COLUMN)) };
    // SAFETY: processors with ADX have AVX2, and `is_available` has checked both.
    unsafe { select_with_avx2(table, index) }
}

#[target_feature(enable = "avx2")]
fn select_with_avx2<const W: usize>(table: &[[u64; W]], index: u64) -> [u64; W] {
    let mut chosen = [0; W];
    let (wanted, one) = (_mm256_set1_epi64x(black_box(index) as i64), _mm256_set1_epi64x(1));
    for (column, out) in chosen.chunks_exact_mut(COLUMN).enumerate() {
        let mut sum = [_mm256_setzero_si256(); 2];
        let mut i = _mm256_setzero_si256();
        for entry in table {
            let hit = _mm256_cmpeq_epi64(wanted, i);
            i = _mm256_add_epi64(i, one);
            for (sum, limbs) in sum.iter_mut().zip(entry[COLUMN * column..].chunks_exact(4)) {
                // SAFETY: 4 limbs are 32 octets, which need no alignment here.
                let limbs = unsafe { _mm256_loadu_si256(limbs.as_ptr().cast::<__m256i>()) };
                *sum = _mm256_or_si256(*sum, _mm256_and_si256(hit, limbs));
            }
        }
        for (half, sum) in out.chunks_exact_mut(4).zip(sum) {
            // SAFETY: 4 limbs are 32 octets, which need no alignment here.
            unsafe { _mm256_storeu_si256(half.as_mut_ptr().cast::<__m256i>(), sum) };
        }
    }
    chosen
}
