//! Eight sums of multiples by public scalars at a time.

use alloc::boxed::Box;

use super::super::is_available;
use super::super::lanes::LANES;
use super::digits::DigitLanes;
use super::lanes::Lanes;
use super::point::{AffineLanes, JacobianLanes};
use super::table::{LaneTables, Table};
use crate::arith::p256::{Affine, Fp, Jacobian, Scalar, Summands};
use crate::arith::residue::invert_all;

/// Signs of a window for points with a table for all lanes, and windows.
const WIDE: usize = 7;
const WIDE_WINDOWS: usize = 37;
/// Signs of a window for points with a table in each lane, and windows.
const NARROW: usize = 4;
const NARROW_WINDOWS: usize = 64;
const _: () = assert!(WIDE * (WIDE_WINDOWS - 1) == NARROW * (NARROW_WINDOWS - 1));

/// Odd multiples of a public point: 64, 5 KiB.
pub struct PublicBase(Box<Table<{ PublicBase::POINTS / LANES }>>);

impl PublicBase {
    /// Odd multiples in the table.
    pub const POINTS: usize = 1 << (WIDE - 1);

    /// From the points B, `[3]B`, `[5]B`, ... `[127]B`. Panics where the processor lacks the instructions.
    pub fn new(multiples: &[Affine]) -> PublicBase {
        assert!(is_available());
        // SAFETY: the processor has the instructions.
        PublicBase(Box::new(unsafe { Table::new(multiples) }))
    }

    /// `[generator]G + [base]B + [other]other_point` of each, for the multiples of G and of B. Infinity comes also where the
    /// formulas do not hold, whatever the sum is: where what is added is the sum so far or its opposite.
    pub fn sums_vartime(generator: &PublicBase, base: &PublicBase, summands: [&Summands; LANES]) -> [Jacobian; LANES] {
        // SAFETY: tables exist only where the processor has the instructions.
        unsafe { sums_vartime(generator, base, summands) }
    }
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn sums_vartime(generator: &PublicBase, base: &PublicBase, summands: [&Summands; LANES]) -> [Jacobian; LANES] {
    let digits = |scalars: [&Scalar; LANES], width, windows| DigitLanes::new(scalars, width * windows);
    let generator_digits = digits(summands.map(|summands| &summands.generator), WIDE, WIDE_WINDOWS);
    let base_digits = digits(summands.map(|summands| &summands.base), WIDE, WIDE_WINDOWS);
    let other_digits = digits(summands.map(|summands| &summands.other), NARROW, NARROW_WINDOWS);
    let others = odd_multiples(&AffineLanes::from_affine(summands.map(|summands| &summands.other_point)));

    let highest = NARROW * (NARROW_WINDOWS - 1);
    let mut sum = JacobianLanes::from_affine(&others.look_up(&other_digits.digits(highest, NARROW)));
    for position in (0..=highest).rev() {
        if position < highest {
            sum = sum.double();
            if position % NARROW == 0 {
                sum = sum.add_different(&others.look_up(&other_digits.digits(position, NARROW)));
            }
        }
        if position % WIDE == 0 {
            sum = sum.add_different(&generator.0.look_up(&generator_digits.digits(position, WIDE)));
            sum = sum.add_different(&base.0.look_up(&base_digits.digits(position, WIDE)));
        }
    }
    sum.to_points()
}

const MULTIPLES: usize = 1 << (NARROW - 1);

/// B, `[3]B`, ... `[15]B` of the point B of each lane. See `JacobianOn::odd_multiples_vartime` in `p256::point`.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn odd_multiples(bases: &AffineLanes) -> LaneTables<MULTIPLES> {
    let twice = JacobianLanes::from_affine(bases).double();
    let step = AffineLanes { x: twice.x, y: twice.y };
    // The Z of twice the point is 2 Y here.
    let square = twice.z.square();
    let mut multiple = JacobianLanes {
        x: bases.x.multiply(&square),
        y: bases.y.multiply(&square.multiply(&twice.z)),
        z: Lanes::one(),
    };
    let mut multiples = [multiple; MULTIPLES];
    for next in &mut multiples[1..] {
        multiple = multiple.add_different(&step);
        *next = multiple;
    }
    let inverses = inverses(&core::array::from_fn(|i| multiples[i].z.multiply(&twice.z)));
    LaneTables(core::array::from_fn(|i| {
        let square = inverses[i].square();
        AffineLanes { x: multiples[i].x.multiply(&square), y: multiples[i].y.multiply(&square.multiply(&inverses[i])) }
    }))
}

/// The inverse of every number, with one inversion for all; 0 for 0, and for what shares a lane with it.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn inverses(numbers: &[Lanes; MULTIPLES]) -> [Lanes; MULTIPLES] {
    let mut products_before = [Lanes::one(); MULTIPLES];
    let mut product = Lanes::one();
    for (number, before) in numbers.iter().zip(&mut products_before) {
        *before = product;
        product = product.multiply(number);
    }
    let mut inverted: [Fp; LANES] = product.to_fp();
    invert_all(&mut inverted);
    let mut inverse = Lanes::from_fp(core::array::from_fn(|lane| &inverted[lane]));
    let mut inverses = products_before;
    for (number, result) in numbers.iter().zip(&mut inverses).rev() {
        *result = result.multiply(&inverse);
        inverse = inverse.multiply(number);
    }
    inverses
}
