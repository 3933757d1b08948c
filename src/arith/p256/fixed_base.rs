//! Multiples of a fixed point by secret scalars.
//!
//! A table holds, for each window of 6 signs, 32 odd multiples of `[2^(6 i)]B`, so that a multiplication is one addition a
//! window, without doublings.
//!
//! The additions run from the lowest window up, by a formula that is wrong where both points are equal, and where the sum
//! so far is infinity. What the first i windows sum up to, S, is odd and below 2^(6 i) in size, and what is added, D, is
//! at least 2^(6 i) and below 2^(6 i + 6) in size: as integers, S is neither 0 nor D nor -D. Below the last window all is
//! below 2^252 in size, so that the same holds modulo q. The last addition is one that is right for all points.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;

use super::extended::Extended;
use super::field::{LIMBS, Scalar};
use super::point::{AffineOn, Entry, JacobianOn};
use super::signed_digits::SignedDigits;
use crate::arith::backend::LimbEngine;

/// Signs of a window.
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
        let points = odd_multiples_of_windows_vartime(base, WINDOW, WINDOWS);
        let window = |points: &[AffineOn<E>]| Window(core::array::from_fn(|i| points[i].to_entry()));
        FixedBase { windows: points.chunks_exact(ENTRIES).map(window).collect(), engine: PhantomData }
    }

    /// `[scalar]B`, in constant time.
    pub(super) fn multiply(&self, scalar: &Scalar) -> Extended<E> {
        let digits = SignedDigits::new(scalar, WINDOW * WINDOWS);
        let point = |window: usize| {
            let digit = digits.digit(window * WINDOW, WINDOW);
            AffineOn::from_entry(&E::select(&self.windows[window].0, digit.index)).negate_if(digit.negative)
        };
        let mut sum = Extended::from(point(0));
        for window in 1..WINDOWS - 1 {
            sum = sum.add_different_affine(&point(window));
        }
        sum.add(&point(WINDOWS - 1).into())
    }
}

/// The odd multiples of `[2^(width i)]B` below `[2^width]` of it, for every window i.
pub(super) fn odd_multiples_of_windows_vartime<E: LimbEngine>(
    base: &AffineOn<E>,
    width: usize,
    windows: usize,
) -> Vec<AffineOn<E>> {
    let count = 1 << (width - 1);
    let mut multiples = Vec::with_capacity(windows * count);
    let mut unit = JacobianOn::from(*base);
    for _ in 0..windows {
        multiples.extend(unit.odd_multiples_vartime().take(count));
        unit = (0..width).fold(unit, |unit, _| unit.double());
    }
    JacobianOn::to_affine_all_vartime(&multiples)
}

impl<E: LimbEngine> fmt::Debug for FixedBase<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FixedBase")
    }
}
