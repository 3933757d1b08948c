//! Montgomery multiplication modulo the characteristic of P-256, whose form makes reduction cheap.

use super::portable::{double_and_add_squares, is_below, mask, subtract_modulus_once, subtract_with_borrow};

const LIMBS: usize = 4;
/// p = 2^256 - 2^224 + 2^192 + 2^96 - 1.
pub(super) const CHARACTERISTIC: [u64; LIMBS] =
    [0xffff_ffff_ffff_ffff, 0x0000_0000_ffff_ffff, 0, 0xffff_ffff_0000_0001];

/// a b / 2^256 mod p, for numbers of which one is below p.
#[inline(always)]
pub(in crate::arith) fn multiply(a: &[u64; LIMBS], b: &[u64; LIMBS]) -> [u64; LIMBS] {
    debug_assert!(is_below(a, &CHARACTERISTIC) || is_below(b, &CHARACTERISTIC));
    reduce(wide_product(a, b))
}

/// a² / 2^256 mod p, for a below p.
#[inline(always)]
pub(in crate::arith) fn square(a: &[u64; LIMBS]) -> [u64; LIMBS] {
    debug_assert!(is_below(a, &CHARACTERISTIC));
    reduce(wide_square(a))
}

/// (a b - c d) / 2^256 mod p, for numbers below p.
#[inline(always)]
pub(in crate::arith) fn multiply_difference([a, b]: [&[u64; LIMBS]; 2], [c, d]: [&[u64; LIMBS]; 2]) -> [u64; LIMBS] {
    debug_assert!([a, b, c, d].iter().all(|factor| is_below(factor, &CHARACTERISTIC)));
    reduce(wide_difference(wide_product(a, b), wide_product(c, d)))
}

/// (a b - c²) / 2^256 mod p, for numbers below p.
#[inline(always)]
pub(in crate::arith) fn multiply_less_square([a, b]: [&[u64; LIMBS]; 2], c: &[u64; LIMBS]) -> [u64; LIMBS] {
    debug_assert!([a, b, c].iter().all(|factor| is_below(factor, &CHARACTERISTIC)));
    reduce(wide_difference(wide_product(a, b), wide_square(c)))
}

/// s - t, and p 2^256 more where that is negative.
#[inline(always)]
fn wide_difference(s: [u64; 2 * LIMBS], t: [u64; 2 * LIMBS]) -> [u64; 2 * LIMBS] {
    let (mut difference, borrow) = subtract_with_borrow(&s, &t);
    let (negative, mut carry) = (mask(borrow), false);
    for i in 0..LIMBS {
        (difference[LIMBS + i], carry) = difference[LIMBS + i].carrying_add(CHARACTERISTIC[i] & negative, carry);
    }
    difference
}

#[inline(always)]
fn wide_product(a: &[u64; LIMBS], b: &[u64; LIMBS]) -> [u64; 2 * LIMBS] {
    let mut t = [0; 2 * LIMBS];
    for i in 0..LIMBS {
        let mut carry = 0;
        for j in 0..LIMBS {
            (t[i + j], carry) = a[i].carrying_mul_add(b[j], t[i + j], carry);
        }
        t[i + LIMBS] = carry;
    }
    t
}

/// Each product of two different limbs is taken once and doubled.
#[inline(always)]
fn wide_square(a: &[u64; LIMBS]) -> [u64; 2 * LIMBS] {
    let mut t = [0; 2 * LIMBS];
    for i in 0..LIMBS {
        let mut carry = 0;
        for j in i + 1..LIMBS {
            (t[i + j], carry) = a[i].carrying_mul_add(a[j], t[i + j], carry);
        }
        t[i + LIMBS] = carry;
    }
    double_and_add_squares(&mut t, a);
    t
}

/// t / 2^256 mod p, for t below p 2^256.
///
/// -1/p mod 2^64 is 1, so that the lowest limb is itself the multiple of p to add. All limbs of p but the highest are
/// sums of powers of two: adding q p takes one multiplication.
#[inline(always)]
fn reduce(mut t: [u64; 2 * LIMBS]) -> [u64; LIMBS] {
    let mut top = false;
    for i in 0..LIMBS {
        let q = t[i];
        // At most 2^64 - 2^32, so that two carries fit in.
        let (low, high) = q.carrying_mul(CHARACTERISTIC[3], 0);
        let mut carry;
        (t[i + 1], carry) = t[i + 1].overflowing_add(q << 32);
        (t[i + 2], carry) = t[i + 2].carrying_add(q >> 32, carry);
        (t[i + 3], carry) = t[i + 3].carrying_add(low, carry);
        (t[i + 4], top) = t[i + 4].overflowing_add(high + u64::from(carry) + u64::from(top));
    }
    subtract_modulus_once(&[t[4], t[5], t[6], t[7]], top, &CHARACTERISTIC)
}
