//! Eight elements of F_p side by side.

use core::arch::asm;
use core::arch::x86_64::{
    __m512i, __mmask8, _mm512_add_epi64, _mm512_and_si512, _mm512_madd52hi_epu64, _mm512_madd52lo_epu64,
    _mm512_mask_blend_epi64, _mm512_mask_set1_epi64, _mm512_mask_sub_epi64, _mm512_movepi64_mask, _mm512_mullo_epi64,
    _mm512_or_si512, _mm512_permutex2var_epi64, _mm512_permutexvar_epi64, _mm512_set1_epi64, _mm512_setzero_si512,
    _mm512_slli_epi64, _mm512_srai_epi64, _mm512_srli_epi64, _mm512_sub_epi64,
};
use zeroize::Zeroize;

use crate::arith::backend::portable;
use crate::arith::residue::Modulus;
use crate::arith::supersingular::{Fp, P};

/// Lanes of a vector.
pub const LANES: usize = 8;
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
/// debug builds check limbs and bound of every operand.
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
        Lanes { limbs: number.map(|limb| _mm512_set1_epi64(limb as i64)) }
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
        Lanes::gather(&elements.map(|element| narrow(element.montgomery_limbs())))
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

    /// a - b + 16 p, for b below 16 p. 16 p adds to the bound of a.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn subtract(&self, other: &Lanes) -> Lanes {
        carried(each_limb!(|i: usize| {
            let raised = _mm512_add_epi64(self.limbs[i], _mm512_set1_epi64(SIXTEEN_P[i] as i64));
            _mm512_sub_epi64(raised, other.limbs[i])
        }))
    }

    /// 16 p - a, for a below 16 p. The result is at most 16 p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn negate(&self) -> Lanes {
        Lanes::zero().subtract(self)
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
        carried(each_limb!(|i: usize| {
            let mut sum = _mm512_set1_epi64((raise * MODULUS[i]) as i64);
            for (number, times) in terms {
                sum = _mm512_add_epi64(sum, _mm512_mullo_epi64(number.limbs[i], _mm512_set1_epi64(times)));
            }
            sum
        }))
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
        self.debug_assert_bounds();
        other.debug_assert_bounds();
        let mut t = Columns::zero();
        for a_i in &self.limbs {
            t.add_row::<0>(*a_i, other);
            t.reduce_row();
        }
        t.carried()
    }

    /// a², below 2 p, for a below 256 p, in four fifths of a multiplication.
    ///
    /// Rows are taken in blocks of five. In the square of a block by itself every product is taken; those of a block with
    /// the limbs above it are taken once, with these limbs doubled. All of them fall into the columns that are open when
    /// the row is taken, and column i is complete when row i shifts it out, as in [`Lanes::multiply`].
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline(never)]
    pub fn square(&self) -> Lanes {
        self.debug_assert_bounds();
        let mut t = Columns::zero();
        self.square_block::<0>(&mut t);
        self.square_block::<5>(&mut t);
        self.square_block::<10>(&mut t);
        self.square_block::<15>(&mut t);
        t.carried()
    }

    /// The rows START to START + 4 of a square.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn square_block<const START: usize>(&self, t: &mut Columns) {
        let row = self.doubled_above(START + 5);
        for a_i in &self.limbs[START..START + 5] {
            t.add_row::<START>(*a_i, &row);
            t.reduce_row();
        }
    }

    /// The limbs, with the number that those from `start` up make up doubled. Its highest limb keeps within 52 bits.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn doubled_above(&self, start: usize) -> Lanes {
        let mask = _mm512_set1_epi64(MASK as i64);
        Lanes {
            limbs: each_limb!(|j: usize| {
                let doubled = _mm512_and_si512(_mm512_slli_epi64::<1>(self.limbs[j]), mask);
                match j {
                    _ if j < start => self.limbs[j],
                    _ if j == start => doubled,
                    _ => _mm512_or_si512(doubled, _mm512_srli_epi64::<{ BITS as u32 - 1 }>(self.limbs[j - 1])),
                }
            }),
        }
    }

    /// a b + c d, below 3 p, with one reduction. A column stays below 2^60.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline(never)]
    pub fn sum_of_products(a: &Lanes, b: &Lanes, c: &Lanes, d: &Lanes) -> Lanes {
        for operand in [a, b, c, d] {
            operand.debug_assert_bounds();
        }
        let mut t = Columns::zero();
        for (a_i, c_i) in a.limbs.iter().zip(&c.limbs) {
            t.add_row::<0>(*a_i, b);
            t.add_row::<0>(*c_i, d);
            t.reduce_row();
        }
        t.carried()
    }

    /// Lane i of the result is lane `from[i]` of this.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn permute(&self, from: [u64; LANES]) -> Lanes {
        let index = vector_of(from);
        Lanes { limbs: self.limbs.map(|limb| _mm512_permutexvar_epi64(index, limb)) }
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
        carried(each_limb!(|i: usize| {
            let limb = self.limbs[i];
            _mm512_mask_sub_epi64(limb, mask, _mm512_set1_epi64(MODULUS[i] as i64), limb)
        }))
    }

    /// The lanes of a, and those of b where the mask has a bit.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn select(a: &Lanes, b: &Lanes, mask: __mmask8) -> Lanes {
        Lanes { limbs: each_limb!(|i: usize| _mm512_mask_blend_epi64(mask, a.limbs[i], b.limbs[i])) }
    }

    /// Puts a number into the lanes that the mask names: the step of a look-up that reads every entry.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn take(&mut self, number: &Limbs, mask: __mmask8) {
        self.limbs = each_limb!(|i: usize| _mm512_mask_set1_epi64(self.limbs[i], mask, number[i] as i64));
    }

    /// In debug builds, that the limbs have 52 bits and the numbers are below 256 p (to the precision of a limb).
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn debug_assert_bounds(&self) {
        if cfg!(debug_assertions) {
            for number in self.scatter() {
                assert!(number.iter().all(|&limb| limb <= MASK), "a limb has more than 52 bits");
                assert!(number[LIMBS - 1] <= 256 * (MODULUS[LIMBS - 1] + 1), "a number is not below 256 p");
            }
        }
    }
}

/// The columns that are open while a product is summed row by row.
struct Columns([__m512i; LIMBS + 1]);

impl Columns {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn zero() -> Columns {
        Columns([_mm512_setzero_si512(); LIMBS + 1])
    }

    /// Adds a times the number b, of which the limbs below START count as 0.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn add_row<const START: usize>(&mut self, a: __m512i, b: &Lanes) {
        // 21 columns fill the registers, so b stays in memory, and a limb is used twice when it is loaded.
        let b = &at_unknown_address(b).limbs;
        let t = &mut self.0;
        macro_rules! add_products {
            ($($j:literal)*) => {$(
                if $j >= START {
                    let limb = b[$j];
                    t[$j] = _mm512_madd52lo_epu64(t[$j], a, limb);
                    t[$j + 1] = _mm512_madd52hi_epu64(t[$j + 1], a, limb);
                }
            )*};
        }
        add_products!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19);
    }

    /// Adds the multiple of p that makes the lowest column divisible by 2^52, t_0 (-1/p) mod 2^52, and shifts it out.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn reduce_row(&mut self) {
        let n0 = _mm512_set1_epi64(N0 as i64);
        let quotient = _mm512_madd52lo_epu64(_mm512_setzero_si512(), self.0[0], n0);
        self.add_row::<0>(quotient, &MODULUS_LANES);
        let t = &self.0;
        let carry = _mm512_srli_epi64::<{ BITS as u32 }>(t[0]);
        let [lowest, others @ ..] = each_limb!(|j: usize| t[j + 1]);
        let [next @ .., highest] = &mut self.0;
        *highest = _mm512_setzero_si512();
        next[0] = _mm512_add_epi64(lowest, carry);
        next[1..].copy_from_slice(&others);
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn carried(&self) -> Lanes {
        carried(each_limb!(|j: usize| self.0[j]))
    }
}

/// The same reference, of which the compiler knows nothing. Otherwise it would copy what is read in a loop to its stack.
#[inline]
fn at_unknown_address(number: &Lanes) -> &Lanes {
    let mut address: *const Lanes = number;
    // SAFETY: the empty text leaves the register, and so the address, as it is.
    unsafe {
        asm!("/* {0} */", inout(reg) address, options(nomem, nostack, preserves_flags));
        &*address
    }
}

/// Carries signed limbs, so that each is below 2^52 and not negative. The sum itself must not be negative.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
fn carried(t: [__m512i; LIMBS]) -> Lanes {
    carried_out(t).0
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

/// 16 words of 64 bits as 20 limbs of 52.
const fn narrow(words: &[u64; WORDS]) -> Limbs {
    let mut limbs = [0; LIMBS];
    let mut i = 0;
    while i < LIMBS {
        let (word, shift) = (BITS * i / 64, BITS * i % 64);
        let mut bits = if word < WORDS { words[word] >> shift } else { 0 };
        if shift > 64 - BITS && word + 1 < WORDS {
            bits |= words[word + 1] << (64 - shift);
        }
        limbs[i] = bits & MASK;
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
