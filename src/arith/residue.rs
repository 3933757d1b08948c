//! Integers modulo a fixed prime, in Montgomery form.

use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;
use core::ops::{Add, AddAssign, Mul, MulAssign, Neg, Sub, SubAssign};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::{Zeroize, Zeroizing};

use super::backend::{LimbEngine, portable};
#[cfg(test)]
use super::tally;

/// A prime modulus of N limbs of 64 bits, and the constants that Montgomery arithmetic needs for it.
///
/// Implementors give `LIMBS`, an engine and an inversion of the right width; the rest follows. A prime of a special form can
/// do better than the defaults.
pub trait Modulus<const N: usize>: Copy + Eq + 'static {
    /// The prime m, least significant limb first. Odd, and its bit length is above 64 (N - 1).
    const LIMBS: [u64; N];

    /// -1/m mod 2^64.
    const N0: u64 = negated_inverse_of_limb(Self::LIMBS[0]);
    /// R = 2^(64 N) mod m, the Montgomery form of 1.
    const R: [u64; N] = power_of_two(&Self::LIMBS, 64 * N);
    /// R² mod m, which takes a number into Montgomery form.
    const R_SQUARED: [u64; N] = power_of_two(&Self::LIMBS, 2 * 64 * N);
    /// R³ mod m, which takes the inverse of a Montgomery form back into Montgomery form.
    const R_CUBED: [u64; N] = power_of_two(&Self::LIMBS, 3 * 64 * N);

    /// How limbs are multiplied.
    type Engine: LimbEngine;

    /// 1/a mod m for a plain number a below m, and 0 for 0, in constant time.
    fn invert_limbs(a: &[u64; N]) -> [u64; N];

    /// a b / R mod m, in constant time, for numbers of N limbs of which one is below m. The result is below m.
    #[inline(always)]
    fn multiply_limbs(a: &[u64; N], b: &[u64; N]) -> [u64; N] {
        Self::Engine::multiply(a, b, &Self::LIMBS, Self::N0)
    }

    /// a² / R mod m, in constant time, for a below m.
    #[inline(always)]
    fn square_limbs(a: &[u64; N]) -> [u64; N] {
        Self::Engine::square(a, &Self::LIMBS, Self::N0)
    }

    /// (a b + c d) / R mod m, in constant time, for all four below m.
    #[inline(always)]
    fn multiply_two_limbs(first: [&[u64; N]; 2], second: [&[u64; N]; 2]) -> [u64; N] {
        Self::Engine::multiply_two(first, second, &Self::LIMBS, Self::N0)
    }

    /// The sum of three products / R mod m, in constant time, for factors below m.
    #[inline(always)]
    fn multiply_three_limbs(products: [[&[u64; N]; 2]; 3]) -> [u64; N] {
        Self::Engine::multiply_three(products, &Self::LIMBS, Self::N0)
    }

    /// a + b mod m, in constant time, for a and b below m.
    #[inline(always)]
    fn add_limbs(a: &[u64; N], b: &[u64; N]) -> [u64; N] {
        Self::Engine::add(a, b, &Self::LIMBS)
    }

    /// a - b mod m, in constant time, for a and b below m.
    #[inline(always)]
    fn subtract_limbs(a: &[u64; N], b: &[u64; N]) -> [u64; N] {
        Self::Engine::subtract(a, b, &Self::LIMBS)
    }

    /// a / 2 mod m, in constant time, for a below m.
    #[inline(always)]
    fn halve_limbs(a: &[u64; N]) -> [u64; N] {
        Self::Engine::halve(a, &Self::LIMBS)
    }

    /// (a b - c d) / R mod m, in constant time, for all four below m.
    #[inline(always)]
    fn multiply_difference_limbs([a, b]: [&[u64; N]; 2], [c, d]: [&[u64; N]; 2]) -> [u64; N] {
        Self::subtract_limbs(&Self::multiply_limbs(a, b), &Self::multiply_limbs(c, d))
    }

    /// (a b - c²) / R mod m, in constant time, for all three below m.
    #[inline(always)]
    fn multiply_less_square_limbs([a, b]: [&[u64; N]; 2], c: &[u64; N]) -> [u64; N] {
        Self::subtract_limbs(&Self::multiply_limbs(a, b), &Self::square_limbs(c))
    }
}

/// An integer modulo M, always fully reduced. Every operation is constant-time unless its name says `vartime`.
pub struct Residue<M, const N: usize> {
    montgomery: [u64; N],
    modulus: PhantomData<M>,
}

impl<M: Modulus<N>, const N: usize> Residue<M, N> {
    /// 0.
    pub const ZERO: Self = Self::from_montgomery([0; N]);
    /// 1.
    pub const ONE: Self = Self::from_montgomery(M::R);
    /// Octets of the fixed-length encoding.
    pub const BYTES: usize = 8 * N;

    /// The number with a Montgomery form below M.
    pub(super) const fn from_montgomery(montgomery: [u64; N]) -> Self {
        Residue { montgomery, modulus: PhantomData }
    }

    /// The Montgomery form, as tables keep it.
    #[inline(always)]
    pub(super) fn to_montgomery(self) -> [u64; N] {
        self.montgomery
    }

    /// The same number for another engine: W is the same modulus, and so the residue has the same form.
    #[inline]
    pub(super) fn convert<W: Modulus<N>>(&self) -> Residue<W, N> {
        const { assert!(same_limbs(&M::LIMBS, &W::LIMBS)) };
        Residue::from_montgomery(self.montgomery)
    }

    /// A number of at most N limbs, reduced modulo M.
    pub fn from_limbs_mod(limbs: &[u64; N]) -> Self {
        Self::from_montgomery(M::multiply_limbs(limbs, &M::R_SQUARED))
    }

    /// A small number.
    pub fn from_u64(value: u64) -> Self {
        let mut limbs = [0; N];
        limbs[0] = value;
        Self::from_limbs_mod(&limbs)
    }

    /// A big-endian number of at most `BYTES` octets, reduced modulo M. `None` if it is longer.
    pub fn from_be_bytes_mod(bytes: &[u8]) -> Option<Self> {
        limbs_from_be_bytes(bytes).map(|limbs| Self::from_limbs_mod(&limbs))
    }

    /// A big-endian number of at most `BYTES` octets. `None` if it is longer, or not below M (that alone is revealed).
    pub fn from_be_bytes(bytes: &[u8]) -> Option<Self> {
        let limbs = limbs_from_be_bytes(bytes)?;
        let (_, below) = portable::subtract_with_borrow(&limbs, &M::LIMBS);
        below.then(|| Self::from_limbs_mod(&limbs))
    }

    /// Writes the number big-endian over the whole of `out`. Panics unless that has `BYTES` octets.
    pub fn write_be_bytes(&self, out: &mut [u8]) {
        assert_eq!(out.len(), Self::BYTES, "an encoded number has a fixed length");
        for (octets, limb) in out.rchunks_exact_mut(8).zip(self.to_limbs()) {
            octets.copy_from_slice(&limb.to_be_bytes());
        }
    }

    /// The plain number, least significant limb first.
    pub fn to_limbs(&self) -> [u64; N] {
        let mut one = [0; N];
        one[0] = 1;
        M::multiply_limbs(&self.montgomery, &one)
    }

    /// The square.
    #[inline]
    pub fn square(&self) -> Self {
        #[cfg(test)]
        tally::count_limbs::<N>([0, 1, 1]);
        Self::from_montgomery(M::square_limbs(&self.montgomery))
    }

    /// a b + c d, faster than two multiplications.
    #[inline]
    pub fn sum_of_products(a: &Self, b: &Self, c: &Self, d: &Self) -> Self {
        #[cfg(test)]
        tally::count_limbs::<N>([2, 0, 1]);
        let (first, second) = ([&a.montgomery, &b.montgomery], [&c.montgomery, &d.montgomery]);
        Self::from_montgomery(M::multiply_two_limbs(first, second))
    }

    /// The sum of three products, faster than three multiplications.
    #[inline]
    pub fn sum_of_three_products(products: [[&Self; 2]; 3]) -> Self {
        #[cfg(test)]
        tally::count_limbs::<N>([3, 0, 1]);
        let products = products.map(|factors| factors.map(|factor| &factor.montgomery));
        Self::from_montgomery(M::multiply_three_limbs(products))
    }

    /// a b - c d.
    #[inline(always)]
    pub fn difference_of_products(a: &Self, b: &Self, c: &Self, d: &Self) -> Self {
        #[cfg(test)]
        tally::count_limbs::<N>([2, 0, 1]);
        let (first, second) = ([&a.montgomery, &b.montgomery], [&c.montgomery, &d.montgomery]);
        Self::from_montgomery(M::multiply_difference_limbs(first, second))
    }

    /// a b - c².
    #[inline(always)]
    pub fn product_less_square(a: &Self, b: &Self, c: &Self) -> Self {
        #[cfg(test)]
        tally::count_limbs::<N>([1, 1, 1]);
        Self::from_montgomery(M::multiply_less_square_limbs([&a.montgomery, &b.montgomery], &c.montgomery))
    }

    /// Twice the number.
    #[inline]
    pub fn double(&self) -> Self {
        *self + *self
    }

    /// Half of the number.
    #[inline]
    pub fn halve(&self) -> Self {
        Self::from_montgomery(M::halve_limbs(&self.montgomery))
    }

    /// The inverse; 0 for 0.
    pub fn invert(&self) -> Self {
        let inverse = M::invert_limbs(&self.montgomery);
        Self::from_montgomery(M::multiply_limbs(&inverse, &M::R_CUBED))
    }

    /// Whether a public number is 0.
    #[inline]
    pub fn is_zero_vartime(&self) -> bool {
        self.montgomery == [0; N]
    }

    /// Whether the number is 0.
    pub fn is_zero(&self) -> Choice {
        let any = self.montgomery.iter().fold(0, |any, limb| any | limb);
        any.ct_eq(&0)
    }

    /// Whether the plain number is odd.
    pub fn is_odd(&self) -> Choice {
        Choice::from((self.to_limbs()[0] & 1) as u8)
    }
}

/// Replaces every number by its inverse (0 stays 0) with one inversion and three multiplications each (Montgomery's
/// trick), in constant time.
pub fn invert_all<M: Modulus<N>, const N: usize>(values: &mut [Residue<M, N>]) {
    if values.is_empty() {
        return;
    }
    let mut products_before = Zeroizing::new(Vec::with_capacity(values.len()));
    let mut product = Residue::ONE;
    // 1 stands in for 0, so as not to spoil the product.
    let zeros: Vec<Choice> = values.iter().map(Residue::is_zero).collect();
    for (value, zero) in values.iter_mut().zip(&zeros) {
        value.conditional_assign(&Residue::ONE, *zero);
        products_before.push(product);
        product *= *value;
    }
    let mut inverse = product.invert();
    for ((value, before), zero) in values.iter_mut().zip(products_before.iter()).zip(zeros).rev() {
        let inverted = inverse * *before;
        inverse *= *value;
        *value = Residue::conditional_select(&inverted, &Residue::ZERO, zero);
    }
}

/// What [`invert_all`] does, for public numbers other than 0: without its selects.
pub fn invert_all_vartime<M: Modulus<N>, const N: usize>(values: &mut [Residue<M, N>]) {
    if values.is_empty() {
        return;
    }
    let mut products_before = Vec::with_capacity(values.len());
    let mut product = Residue::ONE;
    for value in values.iter() {
        debug_assert!(!value.is_zero_vartime());
        products_before.push(product);
        product = &product * value;
    }
    let mut inverse = product.invert();
    for (value, before) in values.iter_mut().zip(&products_before).rev() {
        let inverted = &inverse * before;
        inverse = &inverse * value;
        *value = inverted;
    }
}

fn limbs_from_be_bytes<const N: usize>(bytes: &[u8]) -> Option<[u64; N]> {
    if bytes.len() > 8 * N {
        return None;
    }
    let mut limbs = [0; N];
    for (i, &octet) in bytes.iter().rev().enumerate() {
        limbs[i / 8] |= u64::from(octet) << (8 * (i % 8));
    }
    Some(limbs)
}

const fn same_limbs<const N: usize>(a: &[u64; N], b: &[u64; N]) -> bool {
    let mut i = 0;
    while i < N {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// -1/m0 mod 2^64.
pub(super) const fn negated_inverse_of_limb(m0: u64) -> u64 {
    // Newton's iteration doubles the number of right bits: 1, 2, 4, ... 64.
    let mut inverse = 1u64;
    let mut i = 0;
    while i < 6 {
        inverse = inverse.wrapping_mul(2u64.wrapping_sub(m0.wrapping_mul(inverse)));
        i += 1;
    }
    inverse.wrapping_neg()
}

/// 2^exponent mod m.
pub(super) const fn power_of_two<const N: usize>(m: &[u64; N], exponent: usize) -> [u64; N] {
    let mut value = [0u64; N];
    value[0] = 1;
    let mut i = 0;
    while i < exponent {
        let mut doubled = [0u64; N];
        let mut carry = 0;
        let mut j = 0;
        while j < N {
            doubled[j] = value[j] << 1 | carry;
            carry = value[j] >> 63;
            j += 1;
        }
        let mut reduced = [0u64; N];
        let mut borrow = false;
        let mut j = 0;
        while j < N {
            let (d, first) = doubled[j].overflowing_sub(m[j]);
            let (d, second) = d.overflowing_sub(borrow as u64);
            reduced[j] = d;
            borrow = first | second;
            j += 1;
        }
        value = if carry == 1 || !borrow { reduced } else { doubled };
        i += 1;
    }
    value
}

impl<M: Modulus<N>, const N: usize> Add for Residue<M, N> {
    type Output = Self;
    #[inline]
    fn add(self, other: Self) -> Self {
        Self::from_montgomery(M::add_limbs(&self.montgomery, &other.montgomery))
    }
}

impl<M: Modulus<N>, const N: usize> Sub for Residue<M, N> {
    type Output = Self;
    #[inline]
    fn sub(self, other: Self) -> Self {
        Self::from_montgomery(M::subtract_limbs(&self.montgomery, &other.montgomery))
    }
}

impl<M: Modulus<N>, const N: usize> Mul for Residue<M, N> {
    type Output = Self;
    #[inline]
    fn mul(self, other: Self) -> Self {
        #[cfg(test)]
        tally::count_limbs::<N>([1, 0, 1]);
        Self::from_montgomery(M::multiply_limbs(&self.montgomery, &other.montgomery))
    }
}

// By reference: what is in memory already is not copied before it is multiplied.
impl<M: Modulus<N>, const N: usize> Add for &Residue<M, N> {
    type Output = Residue<M, N>;
    #[inline(always)]
    fn add(self, other: Self) -> Residue<M, N> {
        Residue::from_montgomery(M::add_limbs(&self.montgomery, &other.montgomery))
    }
}

impl<M: Modulus<N>, const N: usize> Sub for &Residue<M, N> {
    type Output = Residue<M, N>;
    #[inline(always)]
    fn sub(self, other: Self) -> Residue<M, N> {
        Residue::from_montgomery(M::subtract_limbs(&self.montgomery, &other.montgomery))
    }
}

impl<M: Modulus<N>, const N: usize> Mul for &Residue<M, N> {
    type Output = Residue<M, N>;
    #[inline(always)]
    fn mul(self, other: Self) -> Residue<M, N> {
        #[cfg(test)]
        tally::count_limbs::<N>([1, 0, 1]);
        Residue::from_montgomery(M::multiply_limbs(&self.montgomery, &other.montgomery))
    }
}

impl<M: Modulus<N>, const N: usize> Neg for Residue<M, N> {
    type Output = Self;
    #[inline]
    fn neg(self) -> Self {
        Self::ZERO - self
    }
}

impl<M: Modulus<N>, const N: usize> AddAssign for Residue<M, N> {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl<M: Modulus<N>, const N: usize> SubAssign for Residue<M, N> {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl<M: Modulus<N>, const N: usize> MulAssign for Residue<M, N> {
    fn mul_assign(&mut self, other: Self) {
        *self = *self * other;
    }
}

impl<M, const N: usize> Clone for Residue<M, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M, const N: usize> Copy for Residue<M, N> {}

impl<M: Modulus<N>, const N: usize> ConstantTimeEq for Residue<M, N> {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.montgomery.ct_eq(&other.montgomery)
    }
}

impl<M: Modulus<N>, const N: usize> PartialEq for Residue<M, N> {
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl<M: Modulus<N>, const N: usize> Eq for Residue<M, N> {}

impl<M: Modulus<N>, const N: usize> ConditionallySelectable for Residue<M, N> {
    #[inline]
    fn conditional_select(a: &Self, b: &Self, choice: Choice) -> Self {
        Self::from_montgomery(core::array::from_fn(|i| {
            u64::conditional_select(&a.montgomery[i], &b.montgomery[i], choice)
        }))
    }
}

impl<M: Modulus<N>, const N: usize> Default for Residue<M, N> {
    fn default() -> Self {
        Self::ZERO
    }
}

impl<M, const N: usize> Zeroize for Residue<M, N> {
    fn zeroize(&mut self) {
        self.montgomery.zeroize();
    }
}

/// Shows only the type, since a residue may be a secret.
impl<M, const N: usize> fmt::Debug for Residue<M, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Residue")
    }
}
