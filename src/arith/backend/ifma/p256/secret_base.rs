//! Multiples of a fixed point by secret scalars: by one, whose digits are spread over the lanes, or by eight, as
//! `p256::fixed_base` computes them one by one.

use alloc::boxed::Box;

use zeroize::Zeroizing;

use super::super::is_available;
use super::super::lanes::LANES;
use super::digits::{DigitLanes, digits_of_one};
use super::point::ExtendedLanes;
use super::table::{LaneTables, Table};
use crate::arith::backend::bmi2::Bmi2;
use crate::arith::p256::{Affine, Extended, Scalar, SignedDigits};

/// The tables of one point: 512 and 1376 points, 40 and 108 KiB.
pub struct SecretBase {
    rounds: Box<[LaneTables<{ SecretBase::ENTRIES_OF_ONE }>]>,
    windows: Box<[Table<{ SecretBase::ENTRIES_OF_EIGHT / LANES }>]>,
}

impl SecretBase {
    /// Signs of a window where there is one scalar, and windows: eight rounds of eight lanes.
    pub const WINDOW_OF_ONE: usize = 4;
    pub const WINDOWS_OF_ONE: usize = 64;
    const ENTRIES_OF_ONE: usize = 1 << (SecretBase::WINDOW_OF_ONE - 1);
    /// Signs of a window where there are eight scalars, and windows.
    pub const WINDOW_OF_EIGHT: usize = 6;
    pub const WINDOWS_OF_EIGHT: usize = 43;
    const ENTRIES_OF_EIGHT: usize = 1 << (SecretBase::WINDOW_OF_EIGHT - 1);

    /// From the odd multiples of `[2^(w i)]B` below `[2^w]` of it, for every window i of either width w. Panics where the
    /// processor lacks the instructions.
    pub fn new(of_one: &[Affine], of_eight: &[Affine]) -> SecretBase {
        assert!(is_available());
        let (windows, _) = of_one.as_chunks();
        let (lanes, _) = windows.as_chunks::<LANES>();
        // SAFETY: the processor has the instructions.
        let rounds: Box<[_]> = lanes.iter().map(|lanes| unsafe { LaneTables::new(lanes.each_ref()) }).collect();
        let tables = of_eight.chunks_exact(SecretBase::ENTRIES_OF_EIGHT);
        // SAFETY: as above.
        let windows: Box<[_]> = tables.map(|points| unsafe { Table::new(points) }).collect();
        assert_eq!(rounds.len() * LANES, SecretBase::WINDOWS_OF_ONE);
        assert_eq!(windows.len(), SecretBase::WINDOWS_OF_EIGHT);
        SecretBase { rounds, windows }
    }

    /// `[scalar]B`, in constant time.
    pub fn multiply(&self, scalar: &Scalar) -> Extended<Bmi2> {
        // SAFETY: tables exist only where the processor has the instructions.
        let sums = Zeroizing::new(unsafe { self.sum_rounds(scalar) });
        // All windows but the first sum up to a multiple of 2^4 that is not 0 and below 2 q in size. That is no multiple of q,
        // which is odd, and neither is the sum or difference of any two disjoint parts of it.
        let [first, a, b, c, d, e, f, g] = &*sums;
        let four = a.add_different(b).add_different(&c.add_different(d));
        let three = e.add_different(f).add_different(g);
        Zeroizing::new(four.add_different(&three)).add(first)
    }

    /// `[scalar]B` of each, in constant time.
    pub fn multiply_eight(&self, scalars: [&Scalar; LANES]) -> [Extended<Bmi2>; LANES] {
        // SAFETY: tables exist only where the processor has the instructions.
        unsafe { self.multiply_lanes(scalars) }
    }

    /// Window 8 i + j is digit i of lane j.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn sum_rounds(&self, scalar: &Scalar) -> [Extended<Bmi2>; LANES] {
        let digits = SignedDigits::new(scalar, SecretBase::WINDOW_OF_ONE * SecretBase::WINDOWS_OF_ONE);
        let (words, opposite) = digits.words();
        let points = |round: usize| {
            let signs = words[round / 2] >> (32 * (round % 2));
            self.rounds[round].look_up(&digits_of_one(signs, opposite))
        };
        let mut sum = Zeroizing::new(ExtendedLanes::from_affine(&points(0)));
        for round in 1..self.rounds.len() {
            *sum = sum.add_different(&points(round));
        }
        sum.to_points()
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn multiply_lanes(&self, scalars: [&Scalar; LANES]) -> [Extended<Bmi2>; LANES] {
        const WINDOW: usize = SecretBase::WINDOW_OF_EIGHT;
        const LAST: usize = SecretBase::WINDOWS_OF_EIGHT - 1;
        let digits = DigitLanes::new(scalars, WINDOW * SecretBase::WINDOWS_OF_EIGHT);
        let points = |window: usize| self.windows[window].look_up(&digits.digits(window * WINDOW, WINDOW));
        let mut sum = Zeroizing::new(ExtendedLanes::from_affine(&points(0)));
        for window in 1..LAST {
            *sum = sum.add_different(&points(window));
        }
        *sum = sum.add(&points(LAST));
        sum.to_points()
    }
}
