//! Eight elements of the field of P-256 side by side.

use core::arch::x86_64::{
    __m512i, __mmask8, _mm512_add_epi64, _mm512_and_si512, _mm512_cmpeq_epi64_mask, _mm512_madd52hi_epu64,
    _mm512_madd52lo_epu64, _mm512_mask_blend_epi64, _mm512_mask_sub_epi64, _mm512_permutex2var_epi64,
    _mm512_set1_epi64, _mm512_setzero_si512, _mm512_slli_epi64, _mm512_srai_epi64, _mm512_srli_epi64, _mm512_sub_epi64,
};

use zeroize::Zeroize;

use super::super::lanes::{self, LANES, MASK, lanes_of, narrow, vector_of};
use crate::arith::backend::portable;
use crate::arith::p256::{Fp, P};
use crate::arith::residue::{Modulus, power_of_two};
#[cfg(test)]
use crate::arith::tally::{self, Width};

/// Limbs of a number.
pub const LIMBS: usize = 5;
/// Bits of a limb.
const BITS: u32 = lanes::BITS as u32;
/// Limbs of a number in the 64-bit form of the other backends.
const WORDS: usize = 4;

/// A number of 5 limbs of 52 bits, least significant first.
pub type Limbs = [u64; LIMBS];

/// Eight numbers a R with R = 2^260, one a lane; limb i of all of them together.
///
/// Bounds: every limb is below 2^52, and every number is below 16 p, which fits 260 bits. A product of numbers below a p
/// and b p is below (a b / 16 + 1) p, which must not be above 16 p. What each operation adds to the bound is said with it;
/// debug builds check limbs of factors, and bounds of sums and differences to the precision of a limb.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Lanes([__m512i; LIMBS]);

impl Lanes {
    /// The same number, in Montgomery form, in every lane.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn broadcast(number: &Limbs) -> Lanes {
        Lanes(number.map(|limb| _mm512_set1_epi64(limb as i64)))
    }

    /// 0 in every lane.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn zero() -> Lanes {
        Lanes([_mm512_setzero_si512(); LIMBS])
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
        let numbers: [Limbs; LANES] = elements.map(|element| narrow(&element.to_montgomery()));
        let limb = |i: usize| vector_of(core::array::from_fn(|lane| numbers[lane][i]));
        Lanes(core::array::from_fn(limb)).multiply(&Lanes::broadcast(&FROM_WORDS))
    }

    /// The number of each lane.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn to_fp(self) -> [Fp; LANES] {
        let numbers = self.multiply(&Lanes::broadcast(&TO_WORDS)).0.map(lanes_of);
        core::array::from_fn(|lane| Fp::from_montgomery(widen(&numbers.map(|limb| limb[lane]))))
    }

    /// a b.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn multiply(&self, other: &Lanes) -> Lanes {
        #[cfg(test)]
        tally::count(Width::Eight256, [1, 0, 1]);
        let mut columns = Columns::zero();
        columns.add_product(self, other);
        columns.reduced()
    }

    /// a².
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn square(&self) -> Lanes {
        #[cfg(test)]
        tally::count(Width::Eight256, [0, 1, 1]);
        self.debug_assert_limbs();
        let mut t = Columns::zero();
        for i in 0..LIMBS {
            for j in i + 1..LIMBS {
                t.add(i + j, self.0[i], self.0[j]);
            }
        }
        for column in &mut t.0[1..2 * LIMBS - 1] {
            *column = _mm512_add_epi64(*column, *column);
        }
        for i in 0..LIMBS {
            t.add(2 * i, self.0[i], self.0[i]);
        }
        t.reduced()
    }

    /// a b + c d with one reduction, below ((a b + c d) / 16 + 1) p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn sum_of_products(a: &Lanes, b: &Lanes, c: &Lanes, d: &Lanes) -> Lanes {
        #[cfg(test)]
        tally::count(Width::Eight256, [2, 0, 1]);
        let mut columns = Columns::zero();
        columns.add_product(a, b);
        columns.add_product(c, d);
        columns.reduced()
    }

    /// a + b. The bounds add up.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn add(&self, other: &Lanes) -> Lanes {
        carried(core::array::from_fn(|i| _mm512_add_epi64(self.0[i], other.0[i])))
    }

    /// a - b + RAISE p, for b below RAISE p. RAISE p adds to the bound of a.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn subtract<const RAISE: u64>(&self, other: &Lanes) -> Lanes {
        other.debug_assert_below(RAISE);
        carried(core::array::from_fn(|i| raised::<RAISE>(_mm512_sub_epi64(self.0[i], other.0[i]), i)))
    }

    /// a - b - 2^SHIFT c + RAISE p, which must be between 0 and 16 p, reduced below 1.01 p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn difference_reduced<const SHIFT: u32, const RAISE: u64>(a: &Lanes, b: &Lanes, c: &Lanes) -> Lanes {
        reduced(core::array::from_fn(|i| {
            let difference = _mm512_sub_epi64(a.0[i], b.0[i]);
            raised::<RAISE>(_mm512_sub_epi64(difference, _mm512_slli_epi64::<SHIFT>(c.0[i])), i)
        }))
    }

    /// a - 8 b + RAISE p, which must be between 0 and 16 p, reduced below 1.01 p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn less_eight_times_reduced<const RAISE: u64>(&self, b: &Lanes) -> Lanes {
        reduced(core::array::from_fn(|i| {
            raised::<RAISE>(_mm512_sub_epi64(self.0[i], _mm512_slli_epi64::<3>(b.0[i])), i)
        }))
    }

    /// 3 a, for a below 5 p, reduced below 1.01 p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn triple_reduced(&self) -> Lanes {
        self.debug_assert_below(5);
        reduced(core::array::from_fn(|i| _mm512_add_epi64(self.0[i], _mm512_slli_epi64::<1>(self.0[i]))))
    }

    /// 4 a - b + RAISE p, for b below RAISE p, below 16 p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn four_times_less<const RAISE: u64>(&self, b: &Lanes) -> Lanes {
        b.debug_assert_below(RAISE);
        carried(core::array::from_fn(|i| {
            raised::<RAISE>(_mm512_sub_epi64(_mm512_slli_epi64::<2>(self.0[i]), b.0[i]), i)
        }))
    }

    /// RAISE p - 2^SHIFT a, for 2^SHIFT a below RAISE p, below 16 p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn negative<const SHIFT: u32, const RAISE: u64>(&self) -> Lanes {
        let zero = _mm512_setzero_si512();
        carried(core::array::from_fn(|i| {
            raised::<RAISE>(_mm512_sub_epi64(zero, _mm512_slli_epi64::<SHIFT>(self.0[i])), i)
        }))
    }

    /// 2 p - a in the lanes that the mask names, for a below 2 p; the others are left as they are.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn negate_lanes(&self, mask: __mmask8) -> Lanes {
        self.debug_assert_below(2);
        carried(core::array::from_fn(|i| {
            _mm512_mask_sub_epi64(self.0[i], mask, _mm512_set1_epi64((2 * MODULUS[i]) as i64), self.0[i])
        }))
    }

    /// The lanes of a, and those of b where the mask has a bit.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn select(a: &Lanes, b: &Lanes, mask: __mmask8) -> Lanes {
        Lanes(core::array::from_fn(|i| _mm512_mask_blend_epi64(mask, a.0[i], b.0[i])))
    }

    /// The lanes that are 0 modulo p, of numbers below 4 p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn zero_lanes(&self) -> __mmask8 {
        self.debug_assert_below(4);
        let mut zero = 0;
        for multiple in [[0; LIMBS], MODULUS, TWICE_MODULUS, THRICE_MODULUS] {
            let mut same = u8::MAX;
            for (limb, expected) in self.0.iter().zip(multiple) {
                same &= _mm512_cmpeq_epi64_mask(*limb, _mm512_set1_epi64(expected as i64));
            }
            zero |= same;
        }
        zero
    }

    /// Lane i of the result is lane `index[i]` mod 16 of both, which are taken as 16 lanes.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn permute_two(a: &Lanes, b: &Lanes, index: __m512i) -> Lanes {
        Lanes(core::array::from_fn(|i| _mm512_permutex2var_epi64(a.0[i], index, b.0[i])))
    }

    /// The limbs of each lane's number, in Montgomery form and not reduced.
    #[cfg(test)]
    pub fn scatter(&self) -> [Limbs; LANES] {
        let limbs = self.0.map(lanes_of);
        core::array::from_fn(|lane| limbs.map(|limb| limb[lane]))
    }

    /// The inverse of [`Lanes::scatter`].
    #[cfg(test)]
    pub fn gather(numbers: &[Limbs; LANES]) -> Lanes {
        Lanes(core::array::from_fn(|i| vector_of(numbers.map(|number| number[i]))))
    }

    /// In debug builds, that the limbs have 52 bits.
    #[inline]
    fn debug_assert_limbs(&self) {
        debug_assert!(self.0.iter().all(|limb| lanes_of(*limb).iter().all(|&limb| limb <= MASK)));
    }

    /// In debug builds, that the limbs have 52 bits and the numbers are below a multiple of p, to the precision of a limb.
    #[inline]
    fn debug_assert_below(&self, multiple: u64) {
        self.debug_assert_limbs();
        let highest = self.0[LIMBS - 1];
        debug_assert!(lanes_of(highest).iter().all(|&limb| limb < multiple * (MODULUS[LIMBS - 1] + 1)));
    }
}

/// The columns of products, each a sum of at most 20 halves of products and a carry, below 2^57.
struct Columns([__m512i; 2 * LIMBS]);

impl Columns {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn zero() -> Columns {
        Columns([_mm512_setzero_si512(); 2 * LIMBS])
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn add_product(&mut self, a: &Lanes, b: &Lanes) {
        a.debug_assert_limbs();
        b.debug_assert_limbs();
        for i in 0..LIMBS {
            for j in 0..LIMBS {
                self.add(i + j, a.0[i], b.0[j]);
            }
        }
    }

    /// Adds a product of limbs to a column and the next.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn add(&mut self, column: usize, a: __m512i, b: __m512i) {
        self.0[column] = _mm512_madd52lo_epu64(self.0[column], a, b);
        self.0[column + 1] = _mm512_madd52hi_epu64(self.0[column + 1], a, b);
    }

    /// The number divided by R modulo p.
    ///
    /// -1/p mod 2^52 is 1, so that the lowest 52 bits of a column are themselves the multiple q of p to add.
    /// q p = -q + 2^96 q + 2^192 q + (2^256 - 2^224) q: the first cancels these bits.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn reduced(mut self) -> Lanes {
        let (second, fourth) = (_mm512_set1_epi64(1 << 44), _mm512_set1_epi64(1 << 36));
        let fifth = _mm512_set1_epi64(MODULUS[4] as i64);
        debug_assert!(self.0.iter().all(|t| lanes_of(*t).iter().all(|&t| t < 1 << 57)));
        for i in 0..LIMBS {
            let q = self.0[i];
            self.0[i + 1] = _mm512_add_epi64(self.0[i + 1], _mm512_srli_epi64::<BITS>(q));
            self.add(i + 1, q, second);
            self.add(i + 3, q, fourth);
            self.add(i + 4, q, fifth);
        }
        carried(core::array::from_fn(|i| self.0[LIMBS + i]))
    }
}

/// Adds limb i of RAISE p.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
fn raised<const RAISE: u64>(limb: __m512i, i: usize) -> __m512i {
    _mm512_add_epi64(limb, _mm512_set1_epi64((RAISE * MODULUS[i]) as i64))
}

/// Carries signed limbs, so that each is below 2^52 and not negative. The number itself must be between 0 and 16 p.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
fn carried(mut t: [__m512i; LIMBS]) -> Lanes {
    let mask = _mm512_set1_epi64(MASK as i64);
    for i in 1..LIMBS {
        t[i] = _mm512_add_epi64(t[i], _mm512_srai_epi64::<BITS>(t[i - 1]));
        t[i - 1] = _mm512_and_si512(t[i - 1], mask);
    }
    let sum = Lanes(t);
    sum.debug_assert_below(16);
    sum
}

/// Carries signed limbs of a number between 0 and 16 p, less q p for its multiple q of 2^256. What is left is below
/// 2^256 + 16 · 2^224, below 1.01 p.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
fn reduced(t: [__m512i; LIMBS]) -> Lanes {
    let Lanes(mut t) = carried(t);
    // q p = 2^256 q - 2^224 q + 2^192 q + 2^96 q - q.
    let q = _mm512_srli_epi64::<48>(t[4]);
    t[0] = _mm512_add_epi64(t[0], q);
    t[1] = _mm512_sub_epi64(t[1], _mm512_slli_epi64::<44>(q));
    t[3] = _mm512_sub_epi64(t[3], _mm512_slli_epi64::<36>(q));
    t[4] = _mm512_add_epi64(_mm512_and_si512(t[4], _mm512_set1_epi64((1 << 48) - 1)), _mm512_slli_epi64::<16>(q));
    let least = carried(t);
    debug_assert!(lanes_of(least.0[4]).iter().all(|&limb| limb <= (1 << 48) + (1 << 20)));
    least
}

/// A number below 2 p as 4 words, reduced below p.
fn widen(limbs: &Limbs) -> [u64; WORDS] {
    let [a, b, c, d, e] = *limbs;
    let words = [a | b << 52, b >> 12 | c << 40, c >> 24 | d << 28, d >> 36 | e << 16];
    portable::subtract_modulus_once(&words, e >> 48 != 0, &<P>::LIMBS)
}

/// A small multiple of p, with limbs of 52 bits.
const fn times(factor: u64) -> Limbs {
    let mut limbs = MODULUS;
    let (mut i, mut carry) = (0, 0);
    while i < LIMBS {
        let sum = limbs[i] * factor + carry;
        limbs[i] = sum & MASK;
        carry = sum >> BITS;
        i += 1;
    }
    limbs
}

/// p.
const MODULUS: Limbs = narrow(&<P>::LIMBS);
const TWICE_MODULUS: Limbs = times(2);
const THRICE_MODULUS: Limbs = times(3);
/// R = 2^260 mod p: 1.
const ONE: Limbs = narrow(&power_of_two(&<P>::LIMBS, 260));
/// Takes a 2^256 to a 2^260 when multiplied.
const FROM_WORDS: Limbs = narrow(&power_of_two(&<P>::LIMBS, 264));
/// Takes a 2^260 to a 2^256 when multiplied.
const TO_WORDS: Limbs = narrow(&power_of_two(&<P>::LIMBS, 256));

impl Zeroize for Lanes {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}
