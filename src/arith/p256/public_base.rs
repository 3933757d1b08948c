//! Sums of multiples of points by public scalars, which share the doublings.
//!
//! A scalar is written in the width-w non-adjacent form, whose digits choose among precomputed odd multiples of a point B.
//! Where a table holds the odd multiples of `[2^s]B`, `[2^(2 s)]B`, ... as well, each serves s digits, and s doublings
//! are enough for the whole scalar.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::field::{LIMBS, Scalar};
use super::generator::GeneratorTables;
use super::point::{Affine, AffineOn, Jacobian, JacobianOn};
#[cfg(target_arch = "x86_64")]
use crate::arith::backend::bmi2::Bmi2;
use crate::arith::backend::{Backend, LimbEngine, Portable};

/// Bits of a scalar.
const BITS: usize = 64 * LIMBS;
/// Digits of the sparsest form of a scalar, with its carry.
const DIGITS: usize = BITS + 1;

/// A public point B with odd multiples of it.
pub struct PublicBase(Tables);

/// The multiples, for the backend that was active when they were computed.
enum Tables {
    #[cfg(target_arch = "x86_64")]
    Bmi2(PublicBaseOn<Bmi2>),
    Portable(PublicBaseOn<Portable>),
}

impl PublicBase {
    /// For sums that have another point's doublings to make: 256 multiples, 16 KiB.
    pub fn new(base: &Affine) -> PublicBase {
        PublicBase(match Backend::active() {
            #[cfg(target_arch = "x86_64")]
            Backend::Ifma | Backend::Bmi2 => Tables::Bmi2(PublicBaseOn::wide(&base.convert())),
            Backend::Portable => Tables::Portable(PublicBaseOn::wide(&base.convert())),
        })
    }

    /// `[generator]G + [scalar]B`, and `[third]P` with it. Time and memory accesses depend on the scalars and points.
    pub fn sum_vartime(&self, generator: &Scalar, scalar: &Scalar, third: Option<(&Scalar, &Affine)>) -> Jacobian {
        match &self.0 {
            #[cfg(target_arch = "x86_64")]
            Tables::Bmi2(base) => sum_with_generator_vartime(base, generator, scalar, third),
            Tables::Portable(base) => sum_with_generator_vartime(base, generator, scalar, third),
        }
    }
}

impl fmt::Debug for PublicBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicBase")
    }
}

fn sum_with_generator_vartime<E: GeneratorTables>(
    base: &PublicBaseOn<E>,
    generator: &Scalar,
    scalar: &Scalar,
    third: Option<(&Scalar, &Affine)>,
) -> Jacobian {
    let first = Term::new(E::public_multiples(), generator);
    let second = Term::new(base, scalar);
    match third {
        None => sum_vartime(&[first, second]).convert(),
        Some((scalar, point)) => {
            let multiples = PublicBaseOn::narrow(&point.convert());
            sum_vartime(&[first, second, Term::new(&multiples, scalar)]).convert()
        }
    }
}

/// Odd multiples of a point, multiplied by the engine E.
pub struct PublicBaseOn<E: LimbEngine> {
    /// B, `[3]B`, `[5]B`, ...; then the same of `[2^span]B`, of `[2^(2 span)]B`, and so on.
    points: Box<[AffineOn<E>]>,
    window: u32,
    span: usize,
}

impl<E: LimbEngine> PublicBaseOn<E> {
    /// For a point that a single sum uses: 8 multiples.
    fn narrow(base: &AffineOn<E>) -> Self {
        Self::new(base, 5, BITS)
    }

    /// For a point that many sums use, which double 256 times anyway: 256 multiples, 16 KiB.
    pub(super) fn wide(base: &AffineOn<E>) -> Self {
        Self::new(base, 10, BITS)
    }

    fn new(base: &AffineOn<E>, window: u32, span: usize) -> Self {
        let mut multiples = Vec::with_capacity((BITS / span) << (window - 2));
        let mut unit = JacobianOn::from(*base);
        for table in 0..BITS / span {
            if table > 0 {
                unit = (0..span).fold(unit, |unit, _| unit.double());
            }
            let twice = unit.double();
            let mut multiple = unit;
            multiples.push(multiple);
            for _ in 1..1 << (window - 2) {
                multiple = multiple.add_vartime(&twice);
                multiples.push(multiple);
            }
        }
        PublicBaseOn { points: JacobianOn::to_affine_all(&multiples).into_boxed_slice(), window, span }
    }
}

/// One multiple of a sum.
struct Term<'a, E: LimbEngine> {
    base: &'a PublicBaseOn<E>,
    digits: [i16; DIGITS],
}

impl<'a, E: LimbEngine> Term<'a, E> {
    fn new(base: &'a PublicBaseOn<E>, scalar: &Scalar) -> Self {
        Term { base, digits: sparse_digits_vartime(scalar, base.window) }
    }

    /// Adds what the digit at a position stands for, without its power of two below that of the table chosen.
    #[inline(always)]
    fn add_digit_vartime(&self, sum: &mut JacobianOn<E>, position: usize, table: usize) {
        let digit = self.digits[position];
        if digit == 0 {
            return;
        }
        let point = &self.base.points[(table << (self.base.window - 2)) + usize::from(digit.unsigned_abs() / 2)];
        *sum = if digit > 0 { sum.add_affine_vartime(point) } else { sum.add_affine_vartime(&point.negate()) };
    }
}

/// The sum of all terms, with as many doublings as the longest span has positions.
fn sum_vartime<E: LimbEngine>(terms: &[Term<'_, E>]) -> JacobianOn<E> {
    let span = terms.iter().map(|term| term.base.span).max().unwrap_or(BITS);
    let mut sum = JacobianOn::INFINITY;
    for step in (0..=span).rev() {
        sum = sum.double();
        for term in terms {
            // The digit for the carry has no table of its own: it takes the step above the others.
            for position in (step..DIGITS).step_by(span) {
                if (step < span) == (position < BITS) {
                    term.add_digit_vartime(&mut sum, position, (position - step) / term.base.span);
                }
            }
        }
    }
    sum
}

/// The scalar as a sum of digit · 2^position, the digits 0 or odd and below 2^(window - 1) in size, with at least
/// window - 1 zeros after each other digit (the width-w non-adjacent form).
fn sparse_digits_vartime(scalar: &Scalar, window: u32) -> [i16; DIGITS] {
    let limbs = scalar.to_limbs();
    let mut digits = [0; DIGITS];
    let mut carry = 0;
    let mut position = 0;
    while position < DIGITS {
        let bits = bits_at(&limbs, position, window) + carry;
        if bits & 1 == 0 {
            position += 1;
            continue;
        }
        // Odd: between 1 and 2^window - 1 (the carry makes an even number odd, and no more).
        carry = bits >> (window - 1);
        digits[position] = bits as i16 - ((carry as i16) << window);
        position += window as usize;
    }
    digits
}

/// `count` bits of a number from `position` up; those outside it are 0.
fn bits_at(limbs: &[u64; LIMBS], position: usize, count: u32) -> u64 {
    let (word, shift) = (position / 64, position % 64);
    let low = limbs.get(word).map_or(0, |limb| limb >> shift);
    let high = if shift == 0 { 0 } else { limbs.get(word + 1).map_or(0, |limb| limb << (64 - shift)) };
    (low | high) & ((1 << count) - 1)
}
