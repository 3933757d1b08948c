//! Sums of multiples of points by public scalars, which share the doublings.
//!
//! A scalar is written in the width-w non-adjacent form, whose digits choose among precomputed odd multiples of a point B.
//! Where a table holds the odd multiples of `[2^s]B`, `[2^(2 s)]B`, ... as well, each serves s digits, and s doublings
//! are enough for the whole scalar.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::engine::Engine;
use super::field::{LIMBS, Scalar};
use super::generator::GeneratorTables;
#[cfg(target_arch = "x86_64")]
use super::generator::public_multiples_in_lanes;
use super::point::{Affine, AffineOn, Jacobian, JacobianOn};
use crate::arith::backend::portable::word_at;
use crate::arith::backend::{LimbEngine, Portable};
#[cfg(target_arch = "x86_64")]
use crate::arith::backend::{
    bmi2::Bmi2,
    ifma::{LANES, p256 as ifma},
};

/// Bits of a scalar.
const BITS: usize = 64 * LIMBS;
/// Digits of the sparsest form of a scalar, with its carry.
const DIGITS: usize = BITS + 1;
/// So many sums at least are computed faster with a lane each.
#[cfg(target_arch = "x86_64")]
const WORTH_LANES: usize = 3;
/// Doublings of a sum to which no point comes that has just one table.
const SHORT_SPAN: usize = 32;

/// A public point B with odd multiples of it.
pub struct PublicBase(Tables);

/// The multiples, for the backend that was active when they were computed.
enum Tables {
    #[cfg(target_arch = "x86_64")]
    Ifma(PublicBaseOn<Bmi2>, ifma::PublicBase),
    #[cfg(target_arch = "x86_64")]
    Bmi2(PublicBaseOn<Bmi2>),
    Portable(PublicBaseOn<Portable>),
}

/// What a sum takes of the generator G, of the point B of a [`PublicBase`], and of another point.
pub struct Summands {
    /// What G is multiplied by.
    pub generator: Scalar,
    /// What B is multiplied by.
    pub base: Scalar,
    /// What the other point is multiplied by.
    pub other: Scalar,
    /// The other point.
    pub other_point: Affine,
}

impl PublicBase {
    /// For sums with other points, whose 256 doublings this one uses: 256 multiples, 16 KiB.
    pub fn for_sums_with_others(base: &Affine) -> PublicBase {
        PublicBase(match Engine::active() {
            #[cfg(target_arch = "x86_64")]
            Engine::Ifma => {
                let single = PublicBaseOn::new(&base.convert(), 10, BITS);
                let lanes = ifma::PublicBase::new(&single.first_multiples(ifma::PublicBase::POINTS));
                Tables::Ifma(single, lanes)
            }
            #[cfg(target_arch = "x86_64")]
            Engine::Bmi2 => Tables::Bmi2(PublicBaseOn::new(&base.convert(), 10, BITS)),
            Engine::Portable => Tables::Portable(PublicBaseOn::new(&base.convert(), 10, BITS)),
        })
    }

    /// For sums with the generator alone: 16 multiples of 8 points each, 8 KiB.
    pub fn for_sums_with_generator(base: &Affine) -> PublicBase {
        PublicBase(match Engine::active() {
            #[cfg(target_arch = "x86_64")]
            Engine::Ifma | Engine::Bmi2 => Tables::Bmi2(PublicBaseOn::new(&base.convert(), 6, SHORT_SPAN)),
            Engine::Portable => Tables::Portable(PublicBaseOn::new(&base.convert(), 6, SHORT_SPAN)),
        })
    }

    /// `[generator]G + [scalar]B`. Time and memory accesses depend on the scalars.
    pub fn sum_vartime(&self, generator: &Scalar, scalar: &Scalar) -> Jacobian {
        match &self.0 {
            #[cfg(target_arch = "x86_64")]
            Tables::Ifma(base, _) | Tables::Bmi2(base) => sum_with_generator_vartime(base, generator, scalar),
            Tables::Portable(base) => sum_with_generator_vartime(base, generator, scalar),
        }
    }

    /// `[generator]G + [base]B + [other]other_point`, many times. Time and memory accesses depend on all of them.
    pub fn sums_vartime(&self, summands: &[Summands]) -> Vec<Jacobian> {
        match &self.0 {
            #[cfg(target_arch = "x86_64")]
            Tables::Ifma(single, lanes) => {
                summands.chunks(LANES).flat_map(|summands| sums_in_lanes_vartime(single, lanes, summands)).collect()
            }
            #[cfg(target_arch = "x86_64")]
            Tables::Bmi2(base) => sums_with_others_vartime(base, summands),
            Tables::Portable(base) => sums_with_others_vartime(base, summands),
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
) -> Jacobian {
    let generator = Term::new(E::public_multiples(), generator);
    sum_vartime([generator, Term::new(base, scalar)]).convert()
}

fn sums_with_others_vartime<E: GeneratorTables>(base: &PublicBaseOn<E>, summands: &[Summands]) -> Vec<Jacobian> {
    let others: Vec<_> = summands.iter().map(|summands| summands.other_point.convert()).collect();
    let others = PublicBaseOn::for_one_sum_each(&others);
    let sum = |(summands, other): (&Summands, _)| {
        let generator = Term::new(E::public_multiples(), &summands.generator);
        let base = Term::new(base, &summands.base);
        sum_vartime([generator, base, Term::new(other, &summands.other)]).convert()
    };
    summands.iter().zip(&others).map(sum).collect()
}

/// For up to eight sums. Those for which the lanes have infinity are computed once more.
#[cfg(target_arch = "x86_64")]
fn sums_in_lanes_vartime(
    single: &PublicBaseOn<Bmi2>,
    lanes: &ifma::PublicBase,
    summands: &[Summands],
) -> Vec<Jacobian> {
    let [.., last] = summands else { return Vec::new() };
    if summands.len() < WORTH_LANES {
        return sums_with_others_vartime(single, summands);
    }
    let in_lanes = core::array::from_fn(|lane| summands.get(lane).unwrap_or(last));
    let sums = ifma::PublicBase::sums_vartime(public_multiples_in_lanes(), lanes, in_lanes);
    let sum = |(sum, summands): (Jacobian, &Summands)| match bool::from(sum.is_infinity()) {
        true => sums_with_others_vartime(single, core::slice::from_ref(summands)).pop().unwrap_or_default(),
        false => sum,
    };
    sums.into_iter().zip(summands).map(sum).collect()
}

/// Odd multiples of a point, multiplied by the engine E.
pub struct PublicBaseOn<E: LimbEngine> {
    /// B, `[3]B`, `[5]B`, ...; then the same of `[2^span]B`, of `[2^(2 span)]B`, and so on.
    points: Box<[AffineOn<E>]>,
    window: u32,
    span: usize,
}

impl<E: LimbEngine> PublicBaseOn<E> {
    /// For a point that all sums use, the generator: 128 multiples of 8 points each, 64 KiB.
    pub(super) fn for_all_sums(base: &AffineOn<E>) -> Self {
        Self::new(base, 9, SHORT_SPAN)
    }

    /// B, `[3]B`, `[5]B` and so on.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn first_multiples(&self, count: usize) -> Vec<Affine> {
        self.points[..count].iter().map(|point| point.convert()).collect()
    }

    /// For points that one sum each uses: 8 multiples. One inversion serves all.
    fn for_one_sum_each(bases: &[AffineOn<E>]) -> Vec<Self> {
        const WINDOW: u32 = 5;
        const MULTIPLES: usize = 1 << (WINDOW - 2);
        let mut multiples = Vec::with_capacity(MULTIPLES * bases.len());
        for base in bases {
            multiples.extend(JacobianOn::from(*base).odd_multiples_vartime().take(MULTIPLES));
        }
        let points = JacobianOn::to_affine_all_vartime(&multiples);
        let base = |points: &[AffineOn<E>]| PublicBaseOn { points: points.into(), window: WINDOW, span: BITS };
        points.chunks_exact(MULTIPLES).map(base).collect()
    }

    fn new(base: &AffineOn<E>, window: u32, span: usize) -> Self {
        let count = 1 << (window - 2);
        let mut multiples = Vec::with_capacity(BITS / span * count);
        let mut unit = JacobianOn::from(*base);
        for table in 0..BITS / span {
            if table > 0 {
                unit = (0..span).fold(unit, |unit, _| unit.double());
            }
            multiples.extend(unit.odd_multiples_vartime().take(count));
        }
        PublicBaseOn { points: JacobianOn::to_affine_all_vartime(&multiples).into_boxed_slice(), window, span }
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

    /// Adds what all digits at `step` modulo the span of the sum stand for, without their 2^step.
    #[inline(always)]
    fn add_digits_vartime(&self, sum: &mut JacobianOn<E>, step: usize, span: usize, tables_apart: usize) {
        let mut table = 0;
        for position in (step..BITS).step_by(span) {
            self.add_digit_vartime(sum, self.digits[position], table);
            table += tables_apart;
        }
    }

    /// Adds digit · B_table.
    #[inline(always)]
    fn add_digit_vartime(&self, sum: &mut JacobianOn<E>, digit: i16, table: usize) {
        if digit == 0 {
            return;
        }
        let point = &self.base.points[(table << (self.base.window - 2)) + usize::from(digit.unsigned_abs() / 2)];
        *sum = if digit > 0 { sum.add_affine_vartime(point) } else { sum.add_affine_vartime(&point.negate()) };
    }
}

/// The sum of all terms, with as many doublings as the longest span has positions.
fn sum_vartime<E: LimbEngine, const TERMS: usize>(terms: [Term<'_, E>; TERMS]) -> JacobianOn<E> {
    let span = terms.iter().map(|term| term.base.span).max().unwrap_or(BITS);
    let terms = terms.map(|term| {
        let tables_apart = span / term.base.span;
        (term, tables_apart)
    });
    let mut sum = JacobianOn::INFINITY;
    for (term, tables_apart) in &terms {
        // The carry belongs to the highest table, one step above the others.
        term.add_digit_vartime(&mut sum, term.digits[BITS], (BITS / span - 1) * tables_apart);
    }
    for step in (0..span).rev() {
        sum = sum.double();
        for (term, tables_apart) in &terms {
            term.add_digits_vartime(&mut sum, step, span, *tables_apart);
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
        let bits = (word_at(&limbs, position) & ((1 << window) - 1)) + carry;
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
