//! Multiples of a fixed point by a secret scalar.
//!
//! The scalar is written with digits between -16 and 16, window i standing for digit · 2^(5 i) (Booth's recoding). A
//! table holds the multiples 1 to 16 of every `[2^(5 i)]B`, so that a multiplication is one addition a window, without
//! doublings.
//!
//! The additions run from the lowest window up, by a formula that is wrong where both points are equal or opposite. That
//! never happens. What the first i windows sum up to, S, is between -2^(5 i - 1) and 2^(5 i - 1), and what is added, D, is
//! 0 or at least 2^(5 i) in size, so S = ±D only where both are 0, which is dealt with apart. S = ±D modulo q without
//! S = ±D needs |S| + |D| >= q, which only the last window reaches: there D is 2^255 or 2^256 and S = k - D for the scalar
//! k. S = -D modulo q makes k a multiple of q, but 0 < k < q. S = D modulo q makes S = D - q, which for D = 2^255 is
//! below -2^254, and for D = 2^256 makes k = 2^257 - q > q; D - 2q is smaller than any S.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroize;

use super::field::{LIMBS, Scalar};
use super::point::{AffineOn, JacobianOn};
use crate::arith::backend::LimbEngine;

/// Bits of a window.
const WINDOW: usize = 5;
/// Windows that cover a scalar of 256 bits and the carry out of the highest full one.
const WINDOWS: usize = (64 * LIMBS).div_ceil(WINDOW);
/// Multiples held for each window: the absolute values of a digit other than 0.
const ENTRIES: usize = 1 << (WINDOW - 1);

/// The multiples of one point: 832 points, 52 KiB.
pub struct FixedBase<E: LimbEngine> {
    entries: Box<[AffineOn<E>]>,
}

impl<E: LimbEngine> FixedBase<E> {
    /// Computes the tables: about 800 point additions. The point is public.
    pub fn new(base: &AffineOn<E>) -> Self {
        let mut entries = Vec::with_capacity(WINDOWS * ENTRIES);
        let mut unit = JacobianOn::from(*base);
        for _ in 0..WINDOWS {
            let mut multiple = unit;
            entries.push(multiple);
            for _ in 1..ENTRIES {
                multiple = multiple.add_vartime(&unit);
                entries.push(multiple);
            }
            unit = multiple.double();
        }
        FixedBase { entries: JacobianOn::to_affine_all(&entries).into_boxed_slice() }
    }

    /// `[scalar]B`, in constant time.
    pub fn multiply(&self, scalar: &Scalar) -> JacobianOn<E> {
        let mut limbs = scalar.to_limbs();
        let mut sum = JacobianOn::INFINITY;
        let mut sum_is_infinity = Choice::from(1);
        for (window, entries) in self.entries.chunks_exact(ENTRIES).enumerate() {
            let digit = Digit::of(&limbs, window);
            let entry = digit.select(entries);
            let is_zero = digit.is_zero();
            let mut next = sum.add_unrelated(&entry);
            next.conditional_assign(&entry.into(), sum_is_infinity);
            sum.conditional_assign(&next, !is_zero);
            sum_is_infinity &= is_zero;
        }
        limbs.zeroize();
        sum
    }
}

impl<E: LimbEngine> fmt::Debug for FixedBase<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FixedBase")
    }
}

/// A digit of a scalar: at most 16 in size.
struct Digit {
    size: u64,
    negative: Choice,
}

impl Digit {
    /// The digit of one window: its bits, plus the bit below them, less 32 times its highest bit.
    fn of(limbs: &[u64; LIMBS], window: usize) -> Digit {
        let bits = bits_from(limbs, window * WINDOW);
        let negative = bits >> WINDOW;
        let flipped = bits ^ (negative.wrapping_neg() & ((1 << (WINDOW + 1)) - 1));
        Digit { size: (flipped >> 1) + (flipped & 1), negative: Choice::from(negative as u8) }
    }

    fn is_zero(&self) -> Choice {
        self.size.ct_eq(&0)
    }

    /// This multiple of a window's point, from the whole of its table. For a digit 0 the result is no point.
    #[inline(always)]
    fn select<E: LimbEngine>(&self, entries: &[AffineOn<E>]) -> AffineOn<E> {
        let mut chosen = AffineOn::BLANK;
        for (entry, size) in entries.iter().zip(1u64..) {
            chosen.take_if(entry, self.size.ct_eq(&size));
        }
        let opposite = chosen.negate();
        chosen.conditional_assign(&opposite, self.negative);
        chosen
    }
}

/// The bits position - 1 to position + 4 of a number; those outside it are 0. The position is public.
fn bits_from(limbs: &[u64; LIMBS], position: usize) -> u64 {
    let mask = (1 << (WINDOW + 1)) - 1;
    let Some(lowest) = position.checked_sub(1) else { return limbs[0] << 1 & mask };
    let (word, shift) = (lowest / 64, lowest % 64);
    let low = limbs[word] >> shift;
    let high = if shift == 0 { 0 } else { limbs.get(word + 1).map_or(0, |limb| limb << (64 - shift)) };
    (low | high) & mask
}
