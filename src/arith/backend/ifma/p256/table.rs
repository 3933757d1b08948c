//! Tables of points that eight lanes look up in at once: one for all lanes, or one a lane.

use core::arch::x86_64::{__m512i, _mm512_cmpeq_epi64_mask, _mm512_set1_epi64, _mm512_test_epi64_mask};

use super::super::digits::Digits;
use super::super::lanes::LANES;
use super::point::AffineLanes;
use crate::arith::p256::Affine;

/// Points of which entry i is lane i mod 8 of vector i / 8. V is a power of two, and at least 2.
pub struct Table<const V: usize>([AffineLanes; V]);

impl<const V: usize> Table<V> {
    /// From 8 V points.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn new(points: &[Affine]) -> Table<V> {
        assert_eq!(points.len(), LANES * V);
        Table(core::array::from_fn(|i| {
            AffineLanes::from_affine(core::array::from_fn(|lane| &points[LANES * i + lane]))
        }))
    }

    /// The multiple that each lane's digit stands for, by reading all of the table.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn look_up(&self, digits: &Digits) -> AffineLanes {
        look_up(&self.0, digits.index).negate_lanes(digits.negative)
    }
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
fn look_up(vectors: &[AffineLanes], index: __m512i) -> AffineLanes {
    match vectors {
        [low, high] => AffineLanes::permute_two(low, high, index),
        _ => {
            let (low, high) = vectors.split_at(vectors.len() / 2);
            let is_high = _mm512_test_epi64_mask(index, _mm512_set1_epi64((LANES * low.len()) as i64));
            AffineLanes::select(&look_up(low, index), &look_up(high, index), is_high)
        }
    }
}

/// A table of points for each lane: entry i of all of them is vector i.
pub struct LaneTables<const ENTRIES: usize>(pub [AffineLanes; ENTRIES]);

impl<const ENTRIES: usize> LaneTables<ENTRIES> {
    /// From the entries of each lane.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn new(lanes: [&[Affine; ENTRIES]; LANES]) -> LaneTables<ENTRIES> {
        LaneTables(core::array::from_fn(|i| AffineLanes::from_affine(lanes.map(|entries| &entries[i]))))
    }

    /// The multiple that each lane's digit stands for, by reading all of the tables.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn look_up(&self, digits: &Digits) -> AffineLanes {
        let mut chosen = self.0[0];
        for i in 1..ENTRIES {
            let lanes = _mm512_cmpeq_epi64_mask(digits.index, _mm512_set1_epi64(i as i64));
            chosen = AffineLanes::select(&chosen, &self.0[i], lanes);
        }
        chosen.negate_lanes(digits.negative)
    }
}
