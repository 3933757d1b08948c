//! Multiples of a fixed point by eight secret scalars at a time, as `p256::fixed_base` computes them one by one.

use alloc::boxed::Box;

use zeroize::Zeroizing;

use super::super::is_available;
use super::super::lanes::LANES;
use super::digits::DigitLanes;
use super::point::ExtendedLanes;
use super::table::Table;
use crate::arith::backend::bmi2::Bmi2;
use crate::arith::p256::{Affine, Extended, Scalar};

/// Signs of a window.
const WINDOW: usize = 6;
const WINDOWS: usize = 43;
const ENTRIES: usize = 1 << (WINDOW - 1);

/// The tables of one point: 1376 points, 108 KiB.
pub struct SecretBase(Box<[Table<{ ENTRIES / LANES }>]>);

impl SecretBase {
    /// From the points 1, 3, 5, ... 63 times `[2^(6 i)]B` of all 43 windows. Panics where the processor lacks the
    /// instructions.
    pub fn new(windows: &[Affine]) -> SecretBase {
        assert!(is_available());
        assert_eq!(windows.len(), WINDOWS * ENTRIES);
        // SAFETY: the processor has the instructions.
        SecretBase(windows.chunks_exact(ENTRIES).map(|points| unsafe { Table::new(points) }).collect())
    }

    /// `[scalar]B` of each, in constant time.
    pub fn multiply(&self, scalars: [&Scalar; LANES]) -> [Extended<Bmi2>; LANES] {
        // SAFETY: tables exist only where the processor has the instructions.
        unsafe { self.multiply_lanes(scalars) }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn multiply_lanes(&self, scalars: [&Scalar; LANES]) -> [Extended<Bmi2>; LANES] {
        let digits = DigitLanes::new(scalars, WINDOW * WINDOWS);
        let points = |window: usize| self.0[window].look_up(&digits.digits(window * WINDOW, WINDOW));
        let mut sum = Zeroizing::new(ExtendedLanes::from_affine(&points(0)));
        for window in 1..WINDOWS - 1 {
            *sum = sum.add_different(&points(window));
        }
        *sum = sum.add(&points(WINDOWS - 1));
        sum.to_points()
    }
}
