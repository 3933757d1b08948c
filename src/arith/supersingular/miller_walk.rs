//! The walk of Miller's loop, and the functions of its steps.
//!
//! λ and w of a point are as in [`super::jacobian`], where all of a step's slopes have the new Z as denominator.
//!
//! The function of 4 T is that of two tangents, l₁² l₂ divided by (x - x₂)², where T, 2 T and 4 T have abscissas x, x₂ and
//! x₄. With σ = λ₁ + λ₂, reducing by the curve's equation leaves
//! y (x + b) - (a₂ x² + a₁ x + a₀) with b = σ² - x₄, a₂ = λ₁ + σ, a₁ = λ₁ (λ₁ λ₂ + 2 x₂) + x₂ w₂ and a₀ = -x_T² w₂.
//! The function of 4 T ± A is the product of that and of y - λ₃ x - ν₃, the line through 4 T and ±A, divided by x - x₄; the
//! coefficients follow by division of polynomials.

use alloc::vec;
use alloc::vec::Vec;
use zeroize::{Zeroize, Zeroizing};

use super::field::FpOn;
use super::jacobian::{Addition, Doubling, Jacobian};
use super::miller_steps::{Step, steps};
use super::pairing::Function;
use super::point::AffineOn;
use crate::arith::backend::LimbEngine;

/// The whole walk from a point of order q. Wiped on drop.
pub(super) struct Walk<E: LimbEngine> {
    start: AffineOn<E>,
    /// Of the steps in their order.
    passed: Zeroizing<Vec<Passed<E>>>,
}

/// What is remembered of a step: numerators until the walk has ended, quotients then. All is there for every step, and 0
/// where the step has no such thing: what an `Option` leaves unused is memory that nothing wipes.
#[derive(Clone, Copy)]
struct Passed<E: LimbEngine> {
    doublings: [Doubling<E>; 2],
    addition: Addition<E>,
}

impl<E: LimbEngine> Passed<E> {
    const NOTHING: Self = Passed { doublings: [Doubling::NONE; 2], addition: Addition::NONE };
}

impl<E: LimbEngine> Walk<E> {
    /// Walks from a point of order q, in constant time.
    pub(super) fn new(start: &AffineOn<E>) -> Walk<E> {
        let mut walk = Walk { start: *start, passed: Zeroizing::new(vec![Passed::NOTHING; steps().len()]) };
        let mut point = Zeroizing::new(Jacobian::from(*start));
        for (step, passed) in steps().iter().zip(walk.passed.iter_mut()) {
            for doubling in &mut passed.doublings[..step.doublings()] {
                *doubling = point.double();
            }
            match step {
                Step::QuadrupleAdd => passed.addition = point.add(start),
                Step::QuadrupleSubtract => passed.addition = point.add(&start.negate()),
                Step::Double | Step::Quadruple => {}
            }
        }
        walk.divide(&point.z);
        walk
    }

    /// Divides everything by its denominator, a Z. The inverses follow from that of the last Z, going back factor by
    /// factor.
    fn divide(&mut self, last_z: &FpOn<E>) {
        let mut inverse = Zeroizing::new(last_z.invert());
        for (step, Passed { doublings, addition }) in steps().iter().zip(self.passed.iter_mut()).rev() {
            if step.adds() {
                addition.divide(&mut inverse);
            }
            for doubling in doublings[..step.doublings()].iter_mut().rev() {
                doubling.divide(&mut inverse);
            }
        }
    }

    /// The functions of all steps, in the order of the loop.
    pub(super) fn into_functions(self) -> Zeroizing<Vec<Function<E>>> {
        let mut x = Zeroizing::new(self.start.x);
        let mut functions = Zeroizing::new(Vec::with_capacity(steps().len()));
        for (step, Passed { doublings: [first, second], addition }) in steps().iter().zip(self.passed.iter()) {
            functions.push(match step {
                Step::Double => {
                    let c = *x * first.w;
                    *x = first.w.square();
                    [c, -first.slope, FpOn::ZERO, FpOn::ZERO, FpOn::ZERO]
                }
                Step::Quadruple => {
                    let [a0, a1, a2, b] = quadruple(&mut x, first, second);
                    [-a0, -a1, -a2, b, FpOn::ZERO]
                }
                Step::QuadrupleAdd | Step::QuadrupleSubtract => {
                    let coefficients = quadruple(&mut x, first, second);
                    and_add(&coefficients, &mut x, addition)
                }
            });
        }
        functions
    }
}

/// a₀, a₁, a₂ and b. The abscissa of T becomes that of 4 T.
fn quadruple<E: LimbEngine>(x: &mut FpOn<E>, first: &Doubling<E>, second: &Doubling<E>) -> [FpOn<E>; 4] {
    let (x2, x4) = (first.w.square(), second.w.square());
    let sum = first.slope + second.slope;
    let b = sum.square() - x4;
    let a2 = first.slope + sum;
    let a1 = FpOn::sum_of_products(&first.slope, &(first.slope * second.slope + x2.double()), &x2, &second.w);
    let a0 = -(x.square() * second.w);
    *x = x4;
    [a0, a1, a2, b]
}

/// c₀, c₁, c₂, d₀ and d₁ from the coefficients for 4 T. The abscissa of 4 T becomes that of 4 T ± A.
fn and_add<E: LimbEngine>(
    [a0, a1, a2, b]: &[FpOn<E>; 4],
    x: &mut FpOn<E>,
    Addition { other, slope, .. }: &Addition<E>,
) -> [FpOn<E>; 5] {
    let three = FpOn::from_u64(3);
    let constant = other.y - *slope * other.x;
    let c2 = *b + *a2 * *slope + *x;
    let c1 = FpOn::sum_of_three_products([[a2, &constant], [a1, slope], [x, &c2]]) - three;
    let c0 = FpOn::sum_of_three_products([[a1, &constant], [a0, slope], [x, &c1]]) - b.double() - *b;
    let d1 = *slope + *a2;
    let d0 = FpOn::sum_of_products(b, slope, x, &d1) + constant + *a1;
    *x = slope.square() - *x - other.x;
    [c0, c1, c2, -d0, -d1]
}

impl<E: LimbEngine> Doubling<E> {
    /// Makes quotients of the numerators, from the inverse of the new Z, which becomes that of the old one.
    fn divide(&mut self, z_inverse: &mut FpOn<E>) {
        self.slope *= *z_inverse;
        self.w *= *z_inverse;
        *z_inverse *= self.factor;
    }
}

impl<E: LimbEngine> Addition<E> {
    /// Makes quotients of the numerators, from the inverse of the new Z, which becomes that of the old one.
    fn divide(&mut self, z_inverse: &mut FpOn<E>) {
        self.slope *= *z_inverse;
        *z_inverse *= self.factor;
    }
}

impl<E: LimbEngine> Zeroize for Passed<E> {
    fn zeroize(&mut self) {
        self.doublings.zeroize();
        self.addition.zeroize();
    }
}

impl<E: LimbEngine> Drop for Walk<E> {
    fn drop(&mut self) {
        self.start.zeroize();
    }
}
