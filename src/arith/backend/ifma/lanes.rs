//! Eight elements of F_p side by side.

use core::arch::asm;
use core::arch::x86_64::{
    __m512i, __mmask8, _mm512_add_epi64, _mm512_and_si512, _mm512_madd52hi_epu64, _mm512_madd52lo_epu64,
    _mm512_mask_blend_epi64, _mm512_mask_sub_epi64, _mm512_movepi64_mask, _mm512_mullo_epi64,
    _mm512_permutex2var_epi64, _mm512_permutexvar_epi64, _mm512_set1_epi64, _mm512_setzero_si512, _mm512_srai_epi64,
    _mm512_srli_epi64, _mm512_sub_epi64, _mm512_test_epi64_mask,
};
use zeroize::Zeroize;

use crate::arith::backend::portable;
use crate::arith::residue::Modulus;
use crate::arith::supersingular::{Fp, P};
#[cfg(test)]
use crate::arith::tally::{self, Width};

/// Lanes of a vector.
pub const LANES: usize = 8;
const LANE_NUMBERS: [u64; LANES] = [0, 1, 2, 3, 4, 5, 6, 7];
/// Limbs of a number.
pub const LIMBS: usize = 20;
/// Bits of a limb.
pub const BITS: usize = 52;
pub const MASK: u64 = (1 << BITS) - 1;
/// Limbs of a number in the 64-bit form of the other backends.
const WORDS: usize = 16;

/// A number of 20 limbs of 52 bits, least significant first: what tables store.
pub type Limbs = [u64; LIMBS];

/// Eight numbers a R with R = 2^1040, one a lane; `limbs[i]` has limb i of all of them.
///
/// Bounds: every limb is below 2^52, and every number is below 256 p, so it fits 1032 of the 1040 bits. A product of
/// numbers below 256 p is below 2 p (a b / R + p, where p / R is below 2^-16), so sums and differences of several
/// products need no reduction before they are multiplied again. What each operation adds to the bound is said with it;
/// debug builds check limbs and bounds of every operand and of every sum, to the precision of a limb.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct Lanes {
    pub limbs: [__m512i; LIMBS],
}

/// A term of a linear map from sixteen lanes to eight: lane i gets `times[i]` times lane `from[i]`.
pub struct Term {
    pub from: [u64; LANES],
    pub times: [u64; LANES],
}

/// The limbs of every index, without a loop, which the compiler would keep in memory.
macro_rules! each_limb {
    ($limb:expr) => {
        [
            $limb(0),
            $limb(1),
            $limb(2),
            $limb(3),
            $limb(4),
            $limb(5),
            $limb(6),
            $limb(7),
            $limb(8),
            $limb(9),
            $limb(10),
            $limb(11),
            $limb(12),
            $limb(13),
            $limb(14),
            $limb(15),
            $limb(16),
            $limb(17),
            $limb(18),
            $limb(19),
        ]
    };
}

/// The same for statements.
macro_rules! for_each_limb {
    ($j:ident => $statement:expr) => {
        for_each_limb!($j => $statement; 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19)
    };
    ($j:ident => $statement:expr; $($limb:literal)*) => {
        $({
            let $j: usize = $limb;
            $statement
        })*
    };
}

/// The limbs of a sum of small multiples and `raise` p, not carried.
macro_rules! combination {
    ($terms:expr, $raise:expr) => {
        each_limb!(|i: usize| {
            let mut sum = _mm512_set1_epi64(($raise * MODULUS[i]) as i64);
            for (number, times) in $terms {
                sum = _mm512_add_epi64(sum, _mm512_mullo_epi64(number.limbs[i], _mm512_set1_epi64(times)));
            }
            sum
        })
    };
}

impl Lanes {
    /// 0 in every lane.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn zero() -> Lanes {
        Lanes { limbs: [_mm512_setzero_si512(); LIMBS] }
    }

    /// The same number, in Montgomery form, in every lane.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn broadcast(number: &Limbs) -> Lanes {
        Lanes { limbs: each_limb!(|i: usize| _mm512_set1_epi64(number[i] as i64)) }
    }

    /// The number of one lane in every lane.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn everywhere(&self, lane: usize) -> Lanes {
        // SAFETY: a reference to an array of vectors, which are eight words each.
        let words: &[[u64; LANES]; LIMBS] = unsafe { &*(&raw const self.limbs).cast() };
        Lanes { limbs: each_limb!(|i: usize| _mm512_set1_epi64(words[i][lane] as i64)) }
    }

    /// 1 in every lane.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn one() -> Lanes {
        Lanes::broadcast(&ONE)
    }

    /// A number for each lane. Results are below 2 p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn from_fp(elements: [&Fp; LANES]) -> Lanes {
        Lanes::gather(&elements.map(|element| narrow(&element.to_montgomery())))
            .multiply(&Lanes::broadcast(&FROM_WORDS))
    }

    /// The number of each lane, fully reduced.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn to_fp(self) -> [Fp; LANES] {
        self.multiply(&Lanes::broadcast(&TO_WORDS)).scatter().map(|number| Fp::from_montgomery(widen(&number)))
    }

    /// The same numbers below p, for numbers below 2 p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn reduced(&self) -> Lanes {
        self.debug_assert_below(2);
        let (less, carry) = carried_out(each_limb!(|i: usize| {
            _mm512_sub_epi64(self.limbs[i], _mm512_set1_epi64(MODULUS[i] as i64))
        }));
        Lanes::select(&less, self, _mm512_movepi64_mask(carry))
    }

    /// The limbs of each lane's number, which stays in Montgomery form and may be as large as the lane's.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn scatter(&self) -> [Limbs; LANES] {
        let mut numbers = [[0; LIMBS]; LANES];
        for (i, limb) in self.limbs.iter().enumerate() {
            for (number, lane) in numbers.iter_mut().zip(lanes_of(*limb)) {
                number[i] = lane;
            }
        }
        numbers
    }

    /// The inverse of [`Lanes::scatter`].
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn gather(numbers: &[Limbs; LANES]) -> Lanes {
        Lanes { limbs: core::array::from_fn(|i| vector_of(core::array::from_fn(|lane| numbers[lane][i]))) }
    }

    /// a + b. The bounds add up.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn add(&self, other: &Lanes) -> Lanes {
        carried(each_limb!(|i: usize| _mm512_add_epi64(self.limbs[i], other.limbs[i])))
    }

    /// 2 a. The bound doubles.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn double(&self) -> Lanes {
        self.add(self)
    }

    /// The sum of small multiples of numbers and of `raise` p, which must not be negative, and be below 256 p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn linear<const TERMS: usize>(terms: [(&Lanes, i64); TERMS], raise: u64) -> Lanes {
        carried(combination!(terms, raise))
    }

    /// The same below 2 p, for a sum below 255 p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn linear_reduced<const TERMS: usize>(terms: [(&Lanes, i64); TERMS], raise: u64) -> Lanes {
        // One p more, since the highest limb must not be negative, from which borrows are still to be taken.
        let t = combination!(terms, (raise + 1));
        let quotient = _mm512_madd52hi_epu64(_mm512_setzero_si512(), t[19], _mm512_set1_epi64(RECIPROCAL as i64));
        let sum = carried(each_limb!(|j: usize| {
            _mm512_sub_epi64(t[j], _mm512_mullo_epi64(quotient, _mm512_set1_epi64(MODULUS[j] as i64)))
        }));
        sum.debug_assert_below(2);
        sum
    }

    /// A linear map of the lanes of two vectors, plus `raise` p. As for [`Lanes::linear`], that must make it positive.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn mix<const TERMS: usize>(a: &Lanes, b: &Lanes, map: &[Term; TERMS], raise: u64) -> Lanes {
        carried(each_limb!(|i: usize| {
            let mut sum = _mm512_set1_epi64((raise * MODULUS[i]) as i64);
            for term in map {
                let moved = _mm512_permutex2var_epi64(a.limbs[i], vector_of(term.from), b.limbs[i]);
                sum = _mm512_add_epi64(sum, _mm512_mullo_epi64(moved, vector_of(term.times)));
            }
            sum
        }))
    }

    /// a b, below 2 p.
    ///
    /// Operand scanning: row i adds a_i b, then the multiple q p that makes the lowest limb a multiple of 2^52, which is
    /// shifted out. A column takes at most 80 products of 52 bits and a carry, below 2^59.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline(never)]
    pub fn multiply(&self, other: &Lanes) -> Lanes {
        #[cfg(test)]
        tally::count(Width::Eight1024, [1, 0, 1]);
        self.debug_assert_bounds();
        other.debug_assert_bounds();
        let b_0 = other.limbs[0];
        let product =
            Columns::reduced_sum(|t, i| t.add_lowest(self.limbs[i], b_0), |t, i| t.add_others(self.limbs[i], other));
        product.debug_assert_below(2);
        product
    }

    /// a², below 2 p, for a below 256 p, in four fifths of a multiplication.
    ///
    /// Rows are taken in blocks of five. In the square of a block by itself every product is taken; those of a block with
    /// the limbs above it are taken once, with these limbs doubled. All of them fall into the columns that are open when
    /// the row is taken, and column i is complete when row i shifts it out, as in [`Lanes::multiply`].
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline(never)]
    pub fn square(&self) -> Lanes {
        #[cfg(test)]
        tally::count(Width::Eight1024, [0, 1, 1]);
        self.debug_assert_bounds();
        // Below 512 p, which is not too much for one factor.
        let (doubled, _) = carried_out(each_limb!(|i: usize| _mm512_add_epi64(self.limbs[i], self.limbs[i])));
        let a_0 = self.limbs[0];
        let square = Columns::reduced_sum(
            |t, i| {
                if i < 5 {
                    t.add_lowest(self.limbs[i], a_0);
                }
            },
            |t, i| match i / 5 {
                0 => t.add_square_row::<0>(i, self, &doubled),
                1 => t.add_square_row::<5>(i, self, &doubled),
                2 => t.add_square_row::<10>(i, self, &doubled),
                _ => t.add_square_row::<15>(i, self, &doubled),
            },
        );
        square.debug_assert_below(2);
        square
    }

    /// a b + c d, below 3 p, with one reduction. A column stays below 2^60.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline(never)]
    pub fn sum_of_products(a: &Lanes, b: &Lanes, c: &Lanes, d: &Lanes) -> Lanes {
        #[cfg(test)]
        tally::count(Width::Eight1024, [2, 0, 1]);
        for operand in [a, b, c, d] {
            operand.debug_assert_bounds();
        }
        let (b_0, d_0) = (b.limbs[0], d.limbs[0]);
        let sum = Columns::reduced_sum(
            |t, i| {
                t.add_lowest(a.limbs[i], b_0);
                t.add_lowest(c.limbs[i], d_0);
            },
            |t, i| {
                t.add_others(a.limbs[i], b);
                t.add_others(c.limbs[i], d);
            },
        );
        sum.debug_assert_below(3);
        sum
    }

    /// Lane i of the result is lane `from[i]` of this.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn permute(&self, from: [u64; LANES]) -> Lanes {
        let index = vector_of(from);
        Lanes { limbs: each_limb!(|i: usize| _mm512_permutexvar_epi64(index, self.limbs[i])) }
    }

    /// Lane i of the result is lane `from[i]` of a, or lane `from[i] - 8` of b where that is 8 or more.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn permute_two(a: &Lanes, b: &Lanes, from: [u64; LANES]) -> Lanes {
        let index = vector_of(from);
        Lanes { limbs: each_limb!(|i: usize| _mm512_permutex2var_epi64(a.limbs[i], index, b.limbs[i])) }
    }

    /// p - a in the lanes that the mask names, for a at most p; the others are left as they are.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn negate_reduced(&self, mask: __mmask8) -> Lanes {
        self.debug_assert_below(1);
        carried(each_limb!(|i: usize| {
            let limb = self.limbs[i];
            _mm512_mask_sub_epi64(limb, mask, _mm512_set1_epi64(MODULUS[i] as i64), limb)
        }))
    }

    /// Lane i of number j becomes lane j of number i.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn transpose(numbers: &mut [Lanes; LANES]) {
        for bit in [1, 2, 4] {
            let lower = LANE_NUMBERS.map(|lane| if lane & bit == 0 { lane } else { lane - bit + LANES as u64 });
            let upper = LANE_NUMBERS.map(|lane| if lane & bit == 0 { lane + bit } else { lane + LANES as u64 });
            for i in LANE_NUMBERS.into_iter().filter(|i| i & bit == 0) {
                let (i, j) = (i as usize, (i + bit) as usize);
                let (a, b) = (numbers[i], numbers[j]);
                numbers[i] = Lanes::permute_two(&a, &b, lower);
                numbers[j] = Lanes::permute_two(&a, &b, upper);
            }
        }
    }

    /// The lanes of a, and those of b where the mask has a bit.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn select(a: &Lanes, b: &Lanes, mask: __mmask8) -> Lanes {
        Lanes { limbs: each_limb!(|i: usize| _mm512_mask_blend_epi64(mask, a.limbs[i], b.limbs[i])) }
    }

    /// Lane i of the result is number `index[i]` of 32, of which every one is read; number j is lane j mod 8 of entry j / 8.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn look_up(entries: &[Lanes; 4], index: __m512i) -> Lanes {
        let high = _mm512_test_epi64_mask(index, _mm512_set1_epi64(16));
        Lanes {
            limbs: each_limb!(|i: usize| {
                let [a, b, c, d] = [0, 1, 2, 3].map(|j| entries[j].limbs[i]);
                let (low, other) = (_mm512_permutex2var_epi64(a, index, b), _mm512_permutex2var_epi64(c, index, d));
                _mm512_mask_blend_epi64(high, low, other)
            }),
        }
    }

    /// In debug builds, that the limbs have 52 bits and the numbers are below 256 p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn debug_assert_bounds(&self) {
        self.debug_assert_below(256);
    }

    /// In debug builds, that the limbs have 52 bits and the numbers are below a multiple of p, to the precision of a limb.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn debug_assert_below(&self, multiple: u64) {
        if cfg!(debug_assertions) {
            for number in self.scatter() {
                assert!(number.iter().all(|&limb| limb <= MASK), "a limb has more than 52 bits");
                assert!(number[LIMBS - 1] < multiple * (MODULUS[LIMBS - 1] + 1), "a number is not below {multiple} p");
            }
        }
    }
}

/// The columns that are open while a product is summed row by row.
struct Columns([__m512i; LIMBS + 1]);

impl Columns {
    /// The sum of 20 rows, each reduced and shifted out by a limb. `lowest` adds the products of row i that fall into the
    /// lowest column, `others` all others.
    ///
    /// A row's quotient depends on little of the row before, and all else in the row depends on it. So that is computed
    /// first, and the processor has the rest of the row before to fill the time.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn reduced_sum(lowest: impl Fn(&mut Columns, usize), others: impl Fn(&mut Columns, usize)) -> Lanes {
        let mut t = Columns([_mm512_setzero_si512(); LIMBS + 1]);
        lowest(&mut t, 0);
        let mut quotient = t.quotient();
        others(&mut t, 0);
        for i in 1..LIMBS {
            t.shift_out(quotient);
            lowest(&mut t, i);
            let next = t.quotient();
            t.add_multiple_of_p(quotient);
            others(&mut t, i);
            quotient = next;
        }
        t.shift_out(quotient);
        t.add_multiple_of_p(quotient);
        debug_assert!(t.0.iter().all(|t| lanes_of(*t).iter().all(|&t| t < 1 << 60)));
        carried(each_limb!(|j: usize| t.0[j]))
    }

    /// The multiple of p to add, which makes the lowest column divisible by 2^52: t_0 (-1/p) mod 2^52.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn quotient(&self) -> __m512i {
        _mm512_madd52lo_epu64(_mm512_setzero_si512(), self.0[0], _mm512_set1_epi64(N0 as i64))
    }

    /// Adds the quotient times p to the two lowest columns, and shifts the lowest out.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn shift_out(&mut self, quotient: __m512i) {
        let (t, p) = (&self.0, &MODULUS_LANES.limbs);
        let lowest = _mm512_madd52lo_epu64(t[0], quotient, p[0]);
        let next = _mm512_madd52lo_epu64(_mm512_madd52hi_epu64(t[1], quotient, p[0]), quotient, p[1]);
        let next = _mm512_add_epi64(next, _mm512_srli_epi64::<{ BITS as u32 }>(lowest));
        let t = each_limb!(|j: usize| if j == 0 { next } else { t[j + 1] });
        self.0[..LIMBS].copy_from_slice(&t);
        self.0[LIMBS] = _mm512_setzero_si512();
    }

    /// What [`Columns::shift_out`] left out, one column lower.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn add_multiple_of_p(&mut self, quotient: __m512i) {
        // 21 columns fill the registers, so factors stay in memory, and a limb is used twice when it is loaded.
        let p = &at_unknown_address(&MODULUS_LANES).limbs;
        let t = &mut self.0;
        t[1] = _mm512_madd52hi_epu64(t[1], quotient, p[1]);
        for_each_limb!(j => {
            if j > 1 {
                t[j - 1] = _mm512_madd52lo_epu64(t[j - 1], quotient, p[j]);
                t[j] = _mm512_madd52hi_epu64(t[j], quotient, p[j]);
            }
        });
    }

    /// Adds what falls into the lowest column of a times a number with the lowest limb b.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn add_lowest(&mut self, a: __m512i, b_0: __m512i) {
        self.0[0] = _mm512_madd52lo_epu64(self.0[0], a, b_0);
    }

    /// Adds all else of a times b.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn add_others(&mut self, a: __m512i, b: &Lanes) {
        let b = &at_unknown_address(b).limbs;
        for_each_limb!(j => self.add_product(j, a, b[j]));
    }

    /// Adds what row i has to add to a square but in the lowest column: a_i times the limbs of its block of five, which
    /// begins at START, and times twice the number that the limbs above make up.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn add_square_row<const START: usize>(&mut self, i: usize, a: &Lanes, doubled: &Lanes) {
        let a_i = a.limbs[i];
        let (a, doubled) = (&at_unknown_address(a).limbs, &at_unknown_address(doubled).limbs);
        for_each_limb!(j => match j {
            _ if j < START => {}
            _ if j < START + 5 => self.add_product(j, a_i, a[j]),
            _ if j == START + 5 => self.add_product(j, a_i, _mm512_and_si512(doubled[j], _mm512_set1_epi64(!1))),
            _ => self.add_product(j, a_i, doubled[j]),
        });
    }

    /// Adds a times limb j of another number, except to the lowest column.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn add_product(&mut self, j: usize, a: __m512i, limb: __m512i) {
        let t = &mut self.0;
        if j > 0 {
            t[j] = _mm512_madd52lo_epu64(t[j], a, limb);
        }
        t[j + 1] = _mm512_madd52hi_epu64(t[j + 1], a, limb);
    }
}

/// The same reference, of which the compiler knows nothing. Otherwise it would copy what is read in a loop to its stack.
#[inline]
fn at_unknown_address(number: &Lanes) -> &Lanes {
    let mut address: *const Lanes = number;
    // SAFETY: the empty text leaves the register, and so the address, as it is.
    unsafe {
        asm!("/* {0} */", inout(reg) address, options(readonly, nostack, preserves_flags));
        &*address
    }
}

/// Carries signed limbs, so that each is below 2^52 and not negative. The number must not be negative, and below 256 p.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
fn carried(t: [__m512i; LIMBS]) -> Lanes {
    let (sum, carry) = carried_out(t);
    debug_assert!(lanes_of(carry) == [0; LANES], "a number is negative or has more than 1040 bits");
    sum.debug_assert_bounds();
    sum
}

/// Carries signed limbs, so that each is below 2^52 and not negative, and gives what is carried out of the highest.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
fn carried_out(mut t: [__m512i; LIMBS]) -> (Lanes, __m512i) {
    let mask = _mm512_set1_epi64(MASK as i64);
    let mut carry = _mm512_setzero_si512();
    for limb in &mut t {
        let sum = _mm512_add_epi64(*limb, carry);
        *limb = _mm512_and_si512(sum, mask);
        carry = _mm512_srai_epi64::<{ BITS as u32 }>(sum);
    }
    (Lanes { limbs: t }, carry)
}

pub fn lanes_of(vector: __m512i) -> [u64; LANES] {
    // SAFETY: both are 64 octets, and every value is valid for both.
    unsafe { core::mem::transmute(vector) }
}

pub const fn vector_of(lanes: [u64; LANES]) -> __m512i {
    // SAFETY: both are 64 octets, and every value is valid for both.
    unsafe { core::mem::transmute(lanes) }
}

/// W words of 64 bits as L limbs of 52.
pub const fn narrow<const W: usize, const L: usize>(words: &[u64; W]) -> [u64; L] {
    let mut limbs = [0; L];
    let mut i = 0;
    while i < L {
        limbs[i] = portable::word_at(words, BITS * i) & MASK;
        i += 1;
    }
    limbs
}

/// A number below 2 p as 16 words, reduced below p.
fn widen(limbs: &Limbs) -> [u64; WORDS] {
    let mut words = [0; WORDS + 1];
    for (i, &limb) in limbs.iter().enumerate() {
        let (word, shift) = (BITS * i / 64, BITS * i % 64);
        if word <= WORDS {
            words[word] |= limb << shift;
        }
        if shift > 64 - BITS && word < WORDS {
            words[word + 1] |= limb >> (64 - shift);
        }
    }
    let [low @ .., high] = words;
    portable::subtract_modulus_once(&low, high != 0, &<P>::LIMBS)
}

/// 2^exponent mod p, narrow.
const fn power_of_two(exponent: usize) -> Limbs {
    narrow(&crate::arith::residue::power_of_two(&<P>::LIMBS, exponent))
}

pub const MODULUS: Limbs = narrow(&<P>::LIMBS);
static MODULUS_LANES: Lanes = {
    let mut limbs = [vector_of([0; LANES]); LIMBS];
    let mut i = 0;
    while i < LIMBS {
        limbs[i] = vector_of([MODULUS[i]; LANES]);
        i += 1;
    }
    Lanes { limbs }
};
/// 2^52 divided by the highest limb of p plus 1. What is left of the division makes the quotients by it so much too small
/// that a few borrows do not make them too large. They are too small by less than 1 and 2^-7.
const RECIPROCAL: u64 = (1 << BITS) / (MODULUS[LIMBS - 1] + 1);
const _: () = assert!((1 << BITS) % (MODULUS[LIMBS - 1] + 1) > 1 << 20);
/// -1/p mod 2^52.
pub const N0: u64 = <P>::N0 & MASK;
/// 16 p, with limbs of 52 bits.
pub const SIXTEEN_P: Limbs = {
    let mut limbs = [0; LIMBS];
    let (mut i, mut carry) = (0, 0);
    while i < LIMBS {
        let shifted = MODULUS[i] << 4 | carry;
        limbs[i] = shifted & MASK;
        carry = shifted >> BITS;
        i += 1;
    }
    limbs
};
/// R = 2^1040 mod p: 1.
const ONE: Limbs = power_of_two(BITS * LIMBS);
/// Takes a 2^1024 to a 2^1040 when multiplied.
const FROM_WORDS: Limbs = power_of_two(2 * BITS * LIMBS - 64 * WORDS);
/// Takes a 2^1040 to a 2^1024 when multiplied.
const TO_WORDS: Limbs = power_of_two(64 * WORDS);

impl Zeroize for Lanes {
    fn zeroize(&mut self) {
        for limb in &mut self.limbs {
            // SAFETY: a valid, aligned reference, and 0 is a valid value.
            unsafe { core::ptr::write_volatile(limb, vector_of([0; LANES])) };
        }
        core::sync::atomic::compiler_fence(core::sync::atomic::Ordering::SeqCst);
    }
}
