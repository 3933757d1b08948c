//! Multiples of a fixed point by secret scalars.
//!
//! A table holds, for each window of 6 bits, 32 odd multiples of `[2^(6 i)]B`, so that a multiplication is one addition a
//! window, without doublings. An odd scalar is a sum of odd digits · 2^(6 i), each between -63 and 63; instead of an even
//! scalar k its opposite q - k is taken, and the result mirrored. No digit is 0, so that every window takes its addition.
//!
//! The additions run from the lowest window up, by a formula that is wrong where both points are equal, and where the sum
//! so far is infinity. What the first i windows sum up to, S, is odd and below 2^(6 i) in size, and what is added, D, is
//! at least 2^(6 i) and below 2^(6 i + 6) in size: as integers, S is neither 0 nor D nor -D. Below the last window all is
//! below 2^252 in size, so that the same holds modulo q. The last addition is one that is right for all points.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::hint::black_box;
use core::marker::PhantomData;
use subtle::{Choice, ConditionallySelectable};
use zeroize::{Zeroize, Zeroizing};

use super::extended::Extended;
use super::field::{LIMBS, Q, Scalar};
use super::point::{AffineOn, Entry, JacobianOn};
use crate::arith::Modulus;
use crate::arith::backend::LimbEngine;
use crate::arith::backend::portable::subtract_with_borrow;

/// Bits of a window.
const WINDOW: usize = 6;
/// Windows that cover a scalar of 256 bits.
const WINDOWS: usize = (64 * LIMBS).div_ceil(WINDOW);
/// Multiples held for each window.
const ENTRIES: usize = 1 << (WINDOW - 1);

/// The multiples of one point: 1376 points, 86 KiB.
pub(super) struct FixedBase<E: LimbEngine> {
    windows: Box<[Window]>,
    engine: PhantomData<E>,
}

/// The multiples 1, 3, 5, ... 63 of a window's point, aligned to cache lines.
#[repr(align(64))]
struct Window([Entry; ENTRIES]);

impl<E: LimbEngine> FixedBase<E> {
    /// Computes the tables: about 1400 point additions. The point is public.
    pub(super) fn new(base: &AffineOn<E>) -> Self {
        let mut entries = Vec::with_capacity(WINDOWS * ENTRIES);
        let mut unit = JacobianOn::from(*base);
        for _ in 0..WINDOWS {
            let twice = unit.double();
            let mut multiple = unit;
            entries.push(multiple);
            for _ in 1..ENTRIES {
                multiple = multiple.add_vartime(&twice);
                entries.push(multiple);
            }
            unit = multiple.add_vartime(&unit);
        }
        let points = JacobianOn::to_affine_all_vartime(&entries);
        let window = |points: &[AffineOn<E>]| Window(core::array::from_fn(|i| points[i].to_entry()));
        FixedBase { windows: points.chunks_exact(ENTRIES).map(window).collect(), engine: PhantomData }
    }

    /// `[scalar]B`, in constant time.
    pub(super) fn multiply(&self, scalar: &Scalar) -> Extended<E> {
        let limbs = Zeroizing::new(scalar.to_limbs());
        let is_even = Choice::from((limbs[0] & 1 ^ 1) as u8);
        let (opposite, _) = subtract_with_borrow(&<Q>::LIMBS, &limbs);
        let opposite = Zeroizing::new(opposite);
        let odd = core::array::from_fn(|i| u64::conditional_select(&limbs[i], &opposite[i], is_even));
        let digits = Digits::of(&Zeroizing::new(odd));
        let point = |window: usize| digits.select(window, &self.windows[window].0, is_even);
        let mut sum = Extended::from(point(0));
        for window in 1..WINDOWS - 1 {
            sum = sum.add_different(&point(window));
        }
        sum.add(&point(WINDOWS - 1))
    }
}

impl<E: LimbEngine> fmt::Debug for FixedBase<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FixedBase")
    }
}

/// An odd number as the bits of (k - 1) / 2 + 2^(6 · 43 - 1): bit j counts 2^j if set, and -2^j otherwise.
struct Digits {
    bits: [u64; LIMBS + 1],
}

impl Digits {
    fn of(odd: &[u64; LIMBS]) -> Digits {
        let mut bits = [0; LIMBS + 1];
        for i in 0..LIMBS {
            bits[i] = odd[i] >> 1 | odd.get(i + 1).map_or(0, |limb| limb << 63);
        }
        bits[LIMBS] = 1 << (WINDOW * WINDOWS - 1 - 64 * LIMBS);
        Digits { bits }
    }

    /// The bits of one window. Its position is public.
    fn window(&self, window: usize) -> u64 {
        let (word, shift) = (window * WINDOW / 64, window * WINDOW % 64);
        let low = self.bits[word] >> shift;
        let high = if shift == 0 { 0 } else { self.bits.get(word + 1).map_or(0, |limb| limb << (64 - shift)) };
        (low | high) & ((1 << WINDOW) - 1)
    }

    /// The multiple that a digit stands for, or its opposite, from the whole of the window's table.
    #[inline(always)]
    fn select<E: LimbEngine>(&self, window: usize, entries: &[Entry], mirrored: Choice) -> AffineOn<E> {
        let bits = self.window(window);
        let negative = black_box(bits >> (WINDOW - 1) ^ 1);
        let index = (bits ^ negative.wrapping_neg()) & (ENTRIES as u64 - 1);
        let chosen = AffineOn::from_entry(&E::select(entries, index));
        chosen.negate_if(Choice::from(negative as u8) ^ mirrored)
    }
}

impl Drop for Digits {
    fn drop(&mut self) {
        self.bits.zeroize();
    }
}
