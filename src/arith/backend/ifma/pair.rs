//! Two elements of F_p, each spread over four lanes.
//!
//! Where a product needs the result of the one before, [`Lanes`] make it wait for eight. A pair uses all lanes for two
//! products, which takes the multiplier a quarter of the time of eight, and is nearly as soon done.

use core::arch::asm;
use core::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_and_si512, _mm512_cmpeq_epu64_mask, _mm512_madd52hi_epu64, _mm512_madd52lo_epu64,
    _mm512_mask_blend_epi64, _mm512_mask_cmpeq_epu64_mask, _mm512_mask_cmpgt_epu64_mask, _mm512_mask_sub_epi64,
    _mm512_maskz_permutex_epi64, _mm512_permutex_epi64, _mm512_permutexvar_epi64, _mm512_set1_epi64,
    _mm512_setzero_si512, _mm512_shuffle_i64x2, _mm512_slli_epi64, _mm512_srai_epi64, _mm512_srli_epi64,
    _mm512_sub_epi64, _mm512_unpackhi_epi64, _mm512_unpacklo_epi64,
};
use zeroize::Zeroize;

use super::lanes::{self, LANES, LIMBS, Lanes, Limbs as Number, MASK, MODULUS, N0, SIXTEEN_P, lanes_of, vector_of};
use crate::arith::supersingular::Fp;
#[cfg(test)]
use crate::arith::tally::{self, Width};

/// Bits of a limb.
const BITS: u32 = lanes::BITS as u32;
/// Lanes of a number.
const SPREAD: usize = LANES / 2;
/// Vectors of a pair, and limbs of a number in one lane.
const VECTORS: usize = LIMBS / SPREAD;
/// The lanes of the first number.
const FIRST_NUMBER: u8 = 0b0000_1111;
/// The lanes of the second number.
const SECOND_NUMBER: u8 = 0b1111_0000;
/// All lanes of a number but the highest.
const BELOW_ANOTHER: u8 = 0b0111_0111;
/// All lanes of a number but the lowest.
const ABOVE_ANOTHER: u8 = 0b1110_1110;

/// Two numbers a R with R = 2^1040, below 256 p, of 20 limbs of 52 bits as in [`Lanes`]: lane 4 n + k of vector i has
/// limb 5 k + i of number n.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct Pair {
    vectors: [__m512i; VECTORS],
}

/// Two numbers like a [`Pair`], with limbs between -2^62 and 2^62. Those of a product are below 2^59, with signs and in
/// small multiples they add up. Debug builds check them where they are carried.
#[derive(Clone, Copy)]
pub struct Columns {
    vectors: [__m512i; VECTORS],
}

/// The vectors of every index, without a loop, which the compiler would keep in memory.
macro_rules! each_vector {
    ($vector:expr) => {
        [$vector(0), $vector(1), $vector(2), $vector(3), $vector(4)]
    };
}

/// Where rows of a product take limbs from: for those of every lane k, the lanes.
pub type Source = [__m512i; SPREAD];
/// Each number is multiplied by its own limbs.
pub const EACH: &Source = &source([0, 0, 0, 0, 4, 4, 4, 4]);
/// Both numbers are multiplied by limbs of the first.
pub const FIRST: &Source = &source([0; LANES]);
/// Both numbers are multiplied by limbs of the second.
pub const BOTH_SECOND: &Source = &source([4; LANES]);

const fn source(lowest: [u64; LANES]) -> Source {
    let mut source = [vector_of([0; LANES]); SPREAD];
    let mut k = 0;
    while k < SPREAD {
        let mut lanes = lowest;
        let mut lane = 0;
        while lane < LANES {
            lanes[lane] += k as u64;
            lane += 1;
        }
        source[k] = vector_of(lanes);
        k += 1;
    }
    source
}

/// The sum of N products of pairs as [`Columns`]: limbs taken by a [`Source`], times a number, both a [`Pair`] or
/// [`Loose`]. It is below (2 + N) p. A macro, since the compiler does not inline a function of this length, and arguments
/// and results would go through memory.
macro_rules! sum_of_products {
    ($([$limbs:expr, $source:expr, $other:expr]),+ $(,)?) => {{
        let mut rows = $crate::arith::backend::ifma::pair::Rows::start();
        let sources = [$($source),+];
        let (limbs, others) = ([$($limbs.loose()),+], [$($other.loose()),+]);
        for i in 0..5 {
            rows.add(0, i, sources, &limbs, &others);
        }
        let (limbs, others) = ([$($limbs.carried()),+], [$($other.carried()),+]);
        for k in 1..3 {
            for i in 0..5 {
                rows.add(k, i, sources, &limbs, &others);
            }
        }
        for i in 0..4 {
            rows.add(3, i, sources, &limbs, &others);
        }
        rows.finish(sources, &limbs, &others)
    }};
}
pub(super) use sum_of_products;

impl Pair {
    /// Two numbers. They are below 2 p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn from_fp(first: &Fp, second: &Fp) -> Pair {
        let lanes = Lanes::from_fp([first, second, first, second, first, second, first, second]);
        let [first, ..] = Pair::from_lanes(&lanes, &lanes.permute([1, 0, 3, 2, 5, 4, 7, 6]));
        first
    }

    /// The numbers, fully reduced.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn to_fp(self) -> (Fp, Fp) {
        let [first, second] = Pair::to_lanes([&self; LANES]);
        let [first, second, ..] = Lanes::select(&first, &second, 0b0000_0010).to_fp();
        (first, second)
    }

    /// The pairs of what a lane has in both operands, for every lane.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn from_lanes(first: &Lanes, second: &Lanes) -> [Pair; LANES] {
        let mut pairs = [Pair { vectors: [_mm512_setzero_si512(); VECTORS] }; LANES];
        for i in 0..VECTORS {
            let limbs = |n: usize, k: usize| [first, second][n].limbs[VECTORS * k + i];
            let rows = core::array::from_fn(|lane| limbs(lane / SPREAD, lane % SPREAD));
            for (pair, vector) in pairs.iter_mut().zip(transposed(rows)) {
                pair.vectors[i] = vector;
            }
        }
        pairs
    }

    /// The first numbers of eight pairs, and the second ones.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn to_lanes(pairs: [&Pair; LANES]) -> [Lanes; 2] {
        let mut lanes = [Lanes::zero(); 2];
        for i in 0..VECTORS {
            for (row, vector) in transposed(pairs.map(|pair| pair.vectors[i])).into_iter().enumerate() {
                lanes[row / SPREAD].limbs[VECTORS * (row % SPREAD) + i] = vector;
            }
        }
        lanes
    }

    /// The products of the first and of the second numbers.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline(never)]
    pub fn multiply(&self, other: &Pair) -> Columns {
        sum_of_products!([self, EACH, other])
    }

    /// The first number of a, and the second one of b.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn halves(a: &Pair, b: &Pair) -> Pair {
        Pair { vectors: each_vector!(|i: usize| _mm512_mask_blend_epi64(SECOND_NUMBER, a.vectors[i], b.vectors[i])) }
    }

    /// The second number, and then the first.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn swapped(&self) -> Pair {
        Pair { vectors: swapped(&self.vectors) }
    }

    #[inline(always)]
    pub fn loose(&self) -> Pair {
        *self
    }

    #[inline(always)]
    pub fn carried(&self) -> Pair {
        *self
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn columns(&self) -> Columns {
        Columns { vectors: self.vectors }
    }
}

/// Two numbers as in [`Pair`], but with small numbers still to be added to the lowest limbs of all lanes but the lowest.
#[derive(Clone, Copy)]
pub struct Loose {
    vectors: [__m512i; VECTORS],
    left_over: __m512i,
}

/// What is multiplied.
pub trait Operand: Copy {
    fn vectors(&self) -> &[__m512i; VECTORS];

    /// What is to be added to vector 0.
    fn left_over(&self) -> Option<__m512i>;
}

impl Operand for Pair {
    #[inline(always)]
    fn vectors(&self) -> &[__m512i; VECTORS] {
        &self.vectors
    }

    #[inline(always)]
    fn left_over(&self) -> Option<__m512i> {
        None
    }
}

impl Operand for Loose {
    #[inline(always)]
    fn vectors(&self) -> &[__m512i; VECTORS] {
        &self.vectors
    }

    #[inline(always)]
    fn left_over(&self) -> Option<__m512i> {
        Some(self.left_over)
    }
}

/// The columns of a product while rows are added, from the lowest limb up; a row shifts its lowest column out. The columns
/// of products and those of what reduces them are kept apart, so that one does not wait for the other.
///
/// Instead of p t_0 (-1/p), as Montgomery, a row adds M t_0 after the shift, with M = 2^-52 mod p. That takes nothing but
/// the lowest column to the next row, the only chain through all of them. It costs a limb: a row leaves a number below
/// 2^52 p + 257 p. So the last row is Montgomery's, and leaves 2 p and what the sum of the products is, divided by R.
pub struct Rows<const N: usize> {
    products: [[__m512i; VECTORS]; N],
    reduction: [__m512i; VECTORS],
    /// The columns 5, 10, 15 and 20 of the reduction, which the next row shifts to where they are kept.
    overhang: __m512i,
    /// The multiple of M that is not yet in columns 0, 5, 10 and 15.
    quotient: __m512i,
    /// What is not yet in them of the columns before.
    carry: __m512i,
    /// The products with what multiplicands have left over, in the same columns.
    left_over: __m512i,
    /// What the last two rows shifted from one lane to the next, columns 3 and 4 and so on.
    moved: [__m512i; 2],
}

impl<const N: usize> Rows<N> {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn start() -> Rows<N> {
        #[cfg(test)]
        tally::count(Width::Two1024, [N as u32, 0, 1]);
        let zero = _mm512_setzero_si512();
        let none = [zero; VECTORS];
        Rows {
            products: [none; N],
            reduction: none,
            overhang: zero,
            quotient: zero,
            carry: zero,
            left_over: zero,
            moved: [zero; 2],
        }
    }

    /// Adds the products of limbs and numbers.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn add(
        &mut self,
        lane: usize,
        i: usize,
        sources: [&Source; N],
        limbs: &[impl Operand; N],
        others: &[impl Operand; N],
    ) {
        let factors = factors(lane, i, sources, limbs, others);
        self.add_low(&factors);
        let lowest = self.lowest();
        self.quotient = _mm512_permutex_epi64::<0>(lowest);
        self.shift(lowest);
        self.add_high(&factors);
        let (t, q, m) = (&self.reduction, self.quotient, &SHIFTED_OUT.vectors);
        self.reduction = each_vector!(|i: usize| match i {
            0 => t[0],
            _ => _mm512_madd52hi_epu64(_mm512_madd52lo_epu64(t[i], q, m[i]), q, m[i - 1]),
        });
        self.overhang = _mm512_madd52hi_epu64(_mm512_setzero_si512(), q, m[VECTORS - 1]);
        self.keep_order();
    }

    /// Keeps the compiler from moving instructions of one row into another. It would gather those of a column, each of
    /// which waits for the one before.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn keep_order(&mut self) {
        self.products = self.products.map(|t| in_order(t));
        self.reduction = in_order(self.reduction);
    }

    /// Adds the last row.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn finish(mut self, sources: [&Source; N], limbs: &[Pair; N], others: &[Pair; N]) -> Columns {
        let factors = factors(SPREAD - 1, VECTORS - 1, sources, limbs, others);
        self.add_low(&factors);
        let lowest = self.lowest();
        let t_0 = _mm512_permutex_epi64::<0>(lowest);
        let q = _mm512_madd52lo_epu64(_mm512_setzero_si512(), t_0, _mm512_set1_epi64(N0 as i64));
        let p = &P.vectors;
        self.shift(_mm512_madd52lo_epu64(lowest, q, p[0]));
        self.add_high(&factors);
        let t = &self.reduction;
        let mut sum = each_vector!(|i: usize| {
            let t = _mm512_madd52hi_epu64(t[i], q, p[i]);
            if i + 1 < VECTORS { _mm512_madd52lo_epu64(t, q, p[i + 1]) } else { t }
        });
        for t in &self.products {
            sum = each_vector!(|i: usize| _mm512_add_epi64(sum[i], t[i]));
        }
        for (i, t) in [(0, self.carry), (0, self.left_over), (3, self.moved[0]), (4, self.moved[1])] {
            sum[i] = _mm512_add_epi64(sum[i], t);
        }
        debug_assert!(sum.iter().all(|t| lanes_of(*t).iter().all(|&t| t < (N as u64) << 59)));
        Columns { vectors: sum }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn add_low<M: Operand>(&mut self, factors: &[(__m512i, M); N]) {
        for (t, (limb, number)) in self.products.iter_mut().zip(factors) {
            *t = each_vector!(|i: usize| _mm512_madd52lo_epu64(t[i], *limb, number.vectors()[i]));
            if let Some(left_over) = number.left_over() {
                self.left_over = _mm512_madd52lo_epu64(self.left_over, *limb, left_over);
            }
        }
    }

    /// The high halves belong to the next column, where the shift has taken them.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn add_high<M: Operand>(&mut self, factors: &[(__m512i, M); N]) {
        self.left_over = _mm512_setzero_si512();
        for (t, (limb, number)) in self.products.iter_mut().zip(factors) {
            *t = each_vector!(|i: usize| _mm512_madd52hi_epu64(t[i], *limb, number.vectors()[i]));
            if let Some(left_over) = number.left_over() {
                self.left_over = _mm512_madd52hi_epu64(self.left_over, *limb, left_over);
            }
        }
    }

    /// Columns 0, 5, 10 and 15.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn lowest(&self) -> __m512i {
        let mut sum = self.left_over;
        for t in &self.products {
            sum = _mm512_add_epi64(sum, t[0]);
        }
        sum = _mm512_add_epi64(_mm512_add_epi64(sum, self.reduction[0]), self.carry);
        _mm512_madd52lo_epu64(sum, self.quotient, SHIFTED_OUT.vectors[0])
    }

    /// Shifts out column 0, but for what is above its 52 bits. Given columns 0, 5, 10 and 15.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn shift(&mut self, lowest: __m512i) {
        let zero = _mm512_setzero_si512();
        let [older, newer] = self.moved;
        let limbs = _mm512_and_si512(lowest, _mm512_set1_epi64(MASK as i64));
        self.moved = [newer, _mm512_maskz_permutex_epi64::<0b00_11_10_01>(BELOW_ANOTHER, limbs)];
        self.carry = _mm512_srli_epi64::<BITS>(lowest);
        for t in &mut self.products {
            *t = [t[1], t[2], t[3], t[4], zero];
        }
        let t = &self.reduction;
        self.reduction = [t[1], t[2], _mm512_add_epi64(t[3], older), t[4], self.overhang];
    }
}

impl Columns {
    /// (0, 0).
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn zero() -> Columns {
        Columns { vectors: [_mm512_setzero_si512(); VECTORS] }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn add(&self, other: &Columns) -> Columns {
        Columns { vectors: each_vector!(|i: usize| _mm512_add_epi64(self.vectors[i], other.vectors[i])) }
    }

    /// a - b + 16 p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn subtract(&self, other: &Columns) -> Columns {
        let raised = |i: usize| _mm512_add_epi64(self.vectors[i], RAISE.vectors[i]);
        Columns { vectors: each_vector!(|i: usize| _mm512_sub_epi64(raised(i), other.vectors[i])) }
    }

    /// a - b + 16 p for the first number, and a + 16 p for the second.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn subtract_first(&self, other: &Columns) -> Columns {
        let raised = |i: usize| _mm512_add_epi64(self.vectors[i], RAISE.vectors[i]);
        let difference = |i: usize| _mm512_mask_sub_epi64(raised(i), FIRST_NUMBER, raised(i), other.vectors[i]);
        Columns { vectors: each_vector!(difference) }
    }

    /// 2^N times the numbers.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn double_times<const N: u32>(&self) -> Columns {
        Columns { vectors: self.vectors.map(|vector| _mm512_slli_epi64::<N>(vector)) }
    }

    /// Three times the numbers.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn triple(&self) -> Columns {
        self.add(&self.double_times::<1>())
    }

    /// The first number of a, and the second one of b.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn halves(a: &Columns, b: &Columns) -> Columns {
        Columns { vectors: each_vector!(|i: usize| _mm512_mask_blend_epi64(SECOND_NUMBER, a.vectors[i], b.vectors[i])) }
    }

    /// The second number, and then the first.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn swapped(&self) -> Columns {
        Columns { vectors: swapped(&self.vectors) }
    }

    /// The same numbers, which must not be negative, with limbs carried as far as the end of their lanes.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn carried_in_lanes(&self) -> Loose {
        debug_assert!(self.vectors.iter().all(|t| lanes_of(*t).iter().all(|&t| (t as i64).unsigned_abs() < 1 << 62)));
        let mask = _mm512_set1_epi64(MASK as i64);
        let mut t = self.vectors;
        // A lane lends the next one 2^10 ahead, so that none borrows.
        t[0] = _mm512_add_epi64(t[0], BORROWED);
        t[VECTORS - 1] = _mm512_add_epi64(t[VECTORS - 1], LENT);
        let mut carry = _mm512_srai_epi64::<BITS>(t[0]);
        t[0] = _mm512_and_si512(t[0], mask);
        for limb in &mut t[1..] {
            let sum = _mm512_add_epi64(*limb, carry);
            carry = _mm512_srai_epi64::<BITS>(sum);
            *limb = _mm512_and_si512(sum, mask);
        }
        Loose { vectors: t, left_over: _mm512_maskz_permutex_epi64::<0b10_01_00_00>(ABOVE_ANOTHER, carry) }
    }

    /// The same numbers, which must not be negative.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn carried(&self) -> Pair {
        self.carried_in_lanes().carried()
    }
}

impl Loose {
    /// The same numbers. What is left over makes a limb overflow by a bit at most, which ends within the lane unless
    /// all that is above it are ones; the addition of masks finds where that happens, as in a carry look-ahead.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn carried(&self) -> Pair {
        let mask = _mm512_set1_epi64(MASK as i64);
        let mut t = self.vectors;
        let lowest = _mm512_add_epi64(t[0], self.left_over);
        let others = _mm512_and_si512(_mm512_and_si512(t[1], t[2]), _mm512_and_si512(t[3], t[4]));
        let full = BELOW_ANOTHER & _mm512_cmpeq_epu64_mask(others, mask);
        let overflows = u32::from(_mm512_mask_cmpgt_epu64_mask(full, lowest, mask));
        let would_overflow = u32::from(_mm512_mask_cmpeq_epu64_mask(full, lowest, mask));
        let incoming = ((overflows << 1) + would_overflow) ^ would_overflow;
        let lowest = _mm512_mask_sub_epi64(lowest, incoming as u8, lowest, _mm512_set1_epi64(-1));

        t[0] = _mm512_and_si512(lowest, mask);
        let mut carry = _mm512_srli_epi64::<BITS>(lowest);
        for limb in &mut t[1..] {
            let sum = _mm512_add_epi64(*limb, carry);
            carry = _mm512_srli_epi64::<BITS>(sum);
            *limb = _mm512_and_si512(sum, mask);
        }
        let pair = Pair { vectors: t };
        pair.debug_assert_bounds();
        pair
    }

    #[inline(always)]
    pub fn loose(&self) -> Loose {
        *self
    }
}

impl Pair {
    /// In debug builds, that the numbers are below 256 p (to the precision of a limb).
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn debug_assert_bounds(&self) {
        if cfg!(debug_assertions) {
            for number in Pair::to_lanes([self; LANES]) {
                number.debug_assert_bounds();
            }
        }
    }
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
fn factors<const N: usize, M: Operand>(
    lane: usize,
    i: usize,
    sources: [&Source; N],
    limbs: &[impl Operand; N],
    others: &[M; N],
) -> [(__m512i, M); N] {
    core::array::from_fn(|n| (_mm512_permutexvar_epi64(sources[n][lane], limbs[n].vectors()[i]), others[n]))
}

/// The same vectors, computed before what uses them.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
fn in_order([mut a, mut b, mut c, mut d, mut e]: [__m512i; VECTORS]) -> [__m512i; VECTORS] {
    // SAFETY: the empty text leaves the registers as they are.
    unsafe {
        asm!("/* {0} {1} {2} {3} {4} */", inout(zmm_reg) a, inout(zmm_reg) b, inout(zmm_reg) c, inout(zmm_reg) d,
            inout(zmm_reg) e, options(nomem, nostack, preserves_flags));
    }
    [a, b, c, d, e]
}

/// Eight vectors of which lane i is what vector i had in their lanes.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
fn transposed(rows: [__m512i; LANES]) -> [__m512i; LANES] {
    let [a, b, c, d] = [0, 2, 4, 6].map(|i| {
        let (even, odd) = (rows[i], rows[i + 1]);
        [_mm512_unpacklo_epi64(even, odd), _mm512_unpackhi_epi64(even, odd)]
    });
    let mut columns = [_mm512_setzero_si512(); LANES];
    for i in 0..2 {
        // Blocks of two lanes, 0 and 2 of each, then 1 and 3.
        let even = [(a[i], b[i]), (c[i], d[i])].map(|(x, y)| _mm512_shuffle_i64x2::<0b10_00_10_00>(x, y));
        let odd = [(a[i], b[i]), (c[i], d[i])].map(|(x, y)| _mm512_shuffle_i64x2::<0b11_01_11_01>(x, y));
        columns[i] = _mm512_shuffle_i64x2::<0b10_00_10_00>(even[0], even[1]);
        columns[2 + i] = _mm512_shuffle_i64x2::<0b10_00_10_00>(odd[0], odd[1]);
        columns[4 + i] = _mm512_shuffle_i64x2::<0b11_01_11_01>(even[0], even[1]);
        columns[6 + i] = _mm512_shuffle_i64x2::<0b11_01_11_01>(odd[0], odd[1]);
    }
    columns
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
fn swapped(vectors: &[__m512i; VECTORS]) -> [__m512i; VECTORS] {
    vectors.map(|vector| _mm512_shuffle_i64x2::<0b01_00_11_10>(vector, vector))
}

/// The same number twice.
const fn both(number: &Number) -> [__m512i; VECTORS] {
    let mut vectors = [vector_of([0; LANES]); VECTORS];
    let mut i = 0;
    while i < VECTORS {
        let mut lanes = [0; LANES];
        let mut lane = 0;
        while lane < LANES {
            lanes[lane] = number[VECTORS * (lane % SPREAD) + i];
            lane += 1;
        }
        vectors[i] = vector_of(lanes);
        i += 1;
    }
    vectors
}

static P: Pair = Pair { vectors: both(&MODULUS) };
static RAISE: Pair = Pair { vectors: both(&SIXTEEN_P) };
/// M = 2^-52 mod p, which is (1 + p (-1/p mod 2^52)) / 2^52.
static SHIFTED_OUT: Pair = Pair {
    vectors: both(&{
        let mut limbs = [0; LIMBS];
        let mut carry = 1;
        let mut i = 0;
        while i < LIMBS {
            let sum = carry + MODULUS[i] as u128 * N0 as u128;
            if i > 0 {
                limbs[i - 1] = sum as u64 & MASK;
            }
            carry = sum >> BITS;
            i += 1;
        }
        limbs[LIMBS - 1] = carry as u64;
        limbs
    }),
};

/// -2^10 in all lanes of a number but the lowest.
const BORROWED: __m512i = {
    let borrowed = (1u64 << 10).wrapping_neg();
    vector_of([0, borrowed, borrowed, borrowed, 0, borrowed, borrowed, borrowed])
};
/// 2^10 2^52 in all lanes of a number but the highest.
const LENT: __m512i = {
    let lent = 1 << (10 + BITS);
    vector_of([lent, lent, lent, 0, lent, lent, lent, 0])
};

impl Zeroize for Pair {
    fn zeroize(&mut self) {
        for vector in &mut self.vectors {
            // SAFETY: a valid, aligned reference, and 0 is a valid value.
            unsafe { core::ptr::write_volatile(vector, vector_of([0; LANES])) };
        }
        core::sync::atomic::compiler_fence(core::sync::atomic::Ordering::SeqCst);
    }
}
