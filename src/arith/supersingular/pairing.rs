//! The modified Tate pairing of RFC 6508 section 3.2, with one point prepared.
//!
//! <A, B> is f(φ(B))^4 in F_p2* / F_p*, where φ(x, y) = (-x, i y), f has divisor q (A) - q (O) and 4 = (p + 1) / q. Since
//! values count only up to F_p*, functions of x alone drop out: denominators, vertical lines, and any constant factor.
//!
//! Miller's loop takes T = `[n]A` through the digits of q, and with it the function of divisor n (A) - (T) - (n - 1) (O).
//! Its steps double T, or double it twice, or double it twice and add ±A ([`super::miller_steps`]). What a step does to
//! the function is to raise it to the power 2 or 4, and to multiply it by one that depends on A alone:
//!
//! | step | divisor | function, over y | multiplications |
//! |---|---|---|---|
//! | 2 T | 2 (T) + (-2 T) - 3 (O) | y + s x + c | 2 + 1.5 + 2 |
//! | 4 T | 4 (T) + (-4 T) - 5 (O) | y (x + b) + a₂ x² + a₁ x + a₀ | 4 + 2 + 3 |
//! | 4 T ± A | 4 (T) + (±A) + (-(4 T ± A)) - 6 (O) | y (d₁ x + d₀) + x³ + c₂ x² + c₁ x + c₀ | 4 + 3 + 3 |
//!
//! The last column says what the power, the value at φ(B) and the product cost; a sum of K products costs (K + 1) / 2.
//! Values are divided by y, which saves a multiplication each. Line by line, 4 T would take 11 and 4 T ± A 14.5; in all,
//! 5050 instead of 6850. Each function is scaled by a coefficient that is 1 for every T, so no point is an exception.

use alloc::vec::Vec;
use zeroize::{Zeroize, Zeroizing};

use super::field::FpOn;
use super::miller_steps::{Step, steps};
use super::miller_walk::Walk;
use super::pairing_value::PairingValueOn;
use super::point::AffineOn;
use crate::arith::backend::LimbEngine;
use crate::arith::residue::invert_all;

/// What Miller's loop for one point multiplies by: 562 functions, 351 KiB. Wiped on drop, since the point may be a secret
/// key.
pub(in crate::arith) struct Lines<E: LimbEngine> {
    /// Of the steps in their order.
    functions: Zeroizing<Vec<Function<E>>>,
}

/// The function of one step, by its coefficients:
///
/// - y + s x + c by c and s,
/// - y (x + b) + a₂ x² + a₁ x + a₀ by a₀, a₁, a₂ and b,
/// - y (d₁ x + d₀) + x³ + c₂ x² + c₁ x + c₀ by c₀, c₁, c₂, d₀ and d₁.
///
/// The rest is 0: what an enum leaves unused is memory that nothing wipes.
pub(super) type Function<E> = [FpOn<E>; 5];

impl<E: LimbEngine> Lines<E> {
    /// Walks Miller's loop from a point of order q, in constant time: about 20,000 multiplications.
    pub(super) fn new(point: &AffineOn<E>) -> Lines<E> {
        Lines { functions: Walk::new(point).into_functions() }
    }

    /// f(φ(B)), in constant time.
    pub(super) fn value_at(&self, b: &EvaluationPoint<E>) -> PairingValueOn<E> {
        let [inverse, x_over_y, x2_over_y, x3_over_y] = &b.powers_over_y;
        let steps = steps().iter().zip(self.functions.iter());
        steps.fold(PairingValueOn::ONE, |f, (step, function)| match (step, function) {
            (Step::Double, [c, s, ..]) => {
                f.square().multiply_by_plus_i(&FpOn::sum_of_products(s, x_over_y, c, inverse))
            }
            (Step::Quadruple, [a0, a1, a2, b0, _]) => {
                let re = FpOn::sum_of_three_products([[a2, x2_over_y], [a1, x_over_y], [a0, inverse]]);
                f.square().square().multiply(&PairingValueOn { re, im: b.x + *b0 })
            }
            (Step::QuadrupleAdd | Step::QuadrupleSubtract, [c0, c1, c2, d0, d1]) => {
                let re = FpOn::sum_of_three_products([[c2, x2_over_y], [c1, x_over_y], [c0, inverse]]);
                f.square().square().multiply(&PairingValueOn { re: re + *x3_over_y, im: *d1 * b.x + *d0 })
            }
        })
    }

    /// <A, B> for the prepared point A and each of the points B, all with y ≠ 0, in constant time.
    pub(super) fn pair(&self, points: &[AffineOn<E>]) -> Vec<PairingValueOn<E>> {
        EvaluationPoint::new_all(points).iter().map(|b| self.value_at(b).square().square()).collect()
    }
}

/// The image φ(B) = (x, i y) of a point, where y is that of B, made ready for the functions.
pub(super) struct EvaluationPoint<E: LimbEngine> {
    x: FpOn<E>,
    /// 1, x, x² and x³ over y.
    powers_over_y: [FpOn<E>; 4],
}

impl<E: LimbEngine> EvaluationPoint<E> {
    /// Makes ready a point with y ≠ 0.
    pub(super) fn new(point: &AffineOn<E>) -> EvaluationPoint<E> {
        EvaluationPoint::with_inverse(point, &point.y.invert())
    }

    /// Makes ready points with y ≠ 0, with one inversion.
    fn new_all(points: &[AffineOn<E>]) -> Vec<EvaluationPoint<E>> {
        let mut inverses: Vec<FpOn<E>> = points.iter().map(|point| point.y).collect();
        invert_all(&mut inverses);
        points.iter().zip(&inverses).map(|(point, inverse)| EvaluationPoint::with_inverse(point, inverse)).collect()
    }

    fn with_inverse(point: &AffineOn<E>, inverse: &FpOn<E>) -> EvaluationPoint<E> {
        let x = -point.x;
        let x_over_y = x * *inverse;
        let x2_over_y = x * x_over_y;
        EvaluationPoint { x, powers_over_y: [*inverse, x_over_y, x2_over_y, x * x2_over_y] }
    }
}

impl<E: LimbEngine> Drop for EvaluationPoint<E> {
    fn drop(&mut self) {
        self.x.zeroize();
        self.powers_over_y.zeroize();
    }
}
