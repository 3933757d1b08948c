//! The modified Tate pairing of RFC 6508 section 3.2, with one point prepared.
//!
//! <A, B> is f(φ(B))^4 in F_p2* / F_p*, where φ(x, y) = (-x, i y), f has divisor q(A) - q(O) and 4 = (p + 1) / q. Since
//! the value counts only up to F_p*, vertical lines and denominators drop out. The lines of Miller's loop depend on A alone. Each is kept as a slope λ and a
//! constant c = λ x - y, so that at φ(B) it is λ x_B + c + i y_B, and after division by y_B it is u + i with
//! u = λ (x_B / y_B) + c (1 / y_B).

use alloc::vec::Vec;
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, Zeroizing};

use super::field::FpOn;
use super::pairing_value::PairingValueOn;
use super::point::{AffineOn, order_digits};
use crate::arith::backend::LimbEngine;

/// The lines of Miller's loop for one point: 1372 lines, 343 KiB. Wiped on drop, since the point may be a secret key.
pub(in crate::arith) struct Lines<E: LimbEngine> {
    lines: Vec<Line<E>>,
}

/// The point does not have order q.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotInSubgroup;

struct Line<E: LimbEngine> {
    slope: FpOn<E>,
    constant: FpOn<E>,
}

impl<E: LimbEngine> Lines<E> {
    /// Walks Miller's loop from a point, in constant time but for whether the point has order q, which is refused
    /// otherwise.
    pub(super) fn new(point: &AffineOn<E>) -> Result<Lines<E>, NotInSubgroup> {
        let mut walk = Walk::new(point);
        for step in steps() {
            match step {
                Step::Double => walk.double(),
                Step::Add => walk.add(point),
                Step::Subtract => walk.add(&point.negate()),
            }
        }
        let in_subgroup = walk.ends_opposite(point);
        if bool::from(in_subgroup) { Ok(walk.into_lines()) } else { Err(NotInSubgroup) }
    }

    /// <A, B> for the prepared point A and a point B with y ≠ 0, in constant time.
    pub(super) fn pair(&self, b: &AffineOn<E>) -> PairingValueOn<E> {
        let y_inverse = b.y.invert();
        let x_over_y = b.x * y_inverse;
        let mut f = PairingValueOn::ONE;
        for (step, line) in steps().zip(&self.lines) {
            if step == Step::Double {
                f = f.square();
            }
            f = f.multiply_by_plus_i(&FpOn::sum_of_products(&line.slope, &x_over_y, &line.constant, &y_inverse));
        }
        f.square().square()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Double,
    Add,
    Subtract,
}

/// The steps that take the point to [q] of it, without the last addition: its line is vertical, and its operands cancel.
fn steps() -> impl Iterator<Item = Step> {
    let digits = order_digits();
    let top = digits.iter().rposition(|&digit| digit != 0).unwrap_or_default();
    (0..top).rev().flat_map(move |i| {
        let addition = match digits[i] {
            _ if i == 0 => None,
            1 => Some(Step::Add),
            -1 => Some(Step::Subtract),
            _ => None,
        };
        core::iter::once(Step::Double).chain(addition)
    })
}

/// The running point of Miller's loop in Jacobian coordinates (x = X/Z², y = Y/Z³), and the lines so far as fractions.
struct Walk<E: LimbEngine> {
    x: FpOn<E>,
    y: FpOn<E>,
    z: FpOn<E>,
    fractions: Vec<Fraction<E>>,
}

/// A line whose denominators are powers of Z before and after its step.
struct Fraction<E: LimbEngine> {
    /// The slope times the new Z.
    slope: FpOn<E>,
    /// The constant times the new Z, and in a doubling also times the square of the old Z.
    constant: FpOn<E>,
    /// The new Z divided by the old one.
    factor: FpOn<E>,
}

impl<E: LimbEngine> Walk<E> {
    fn new(point: &AffineOn<E>) -> Walk<E> {
        Walk { x: point.x, y: point.y, z: FpOn::ONE, fractions: Vec::with_capacity(steps().count()) }
    }

    /// The tangent, and the doubled point (the formulas "dbl-2001-b" for a = -3, with 2YZ as such).
    fn double(&mut self) {
        let delta = self.z.square();
        let gamma = self.y.square();
        let beta = self.x * gamma;
        let slope = (self.x - delta) * (self.x + delta);
        let alpha = slope.double() + slope;
        let factor = self.y.double();
        let constant = alpha * self.x - gamma.double();
        self.push(Fraction { slope: alpha, constant, factor }, self.z * factor);

        let four_beta = beta.double().double();
        let x = alpha.square() - four_beta.double();
        let minus_eight_gamma = -gamma.double().double().double();
        self.y = FpOn::sum_of_products(&alpha, &(four_beta - x), &gamma, &minus_eight_gamma);
        self.x = x;
    }

    /// The line through a finite point, and the sum.
    fn add(&mut self, point: &AffineOn<E>) {
        let zz = self.z.square();
        let h = point.x * zz - self.x;
        let theta = point.y * zz * self.z - self.y;
        let z = self.z * h;
        let constant = FpOn::sum_of_products(&theta, &point.x, &-point.y, &z);
        self.push(Fraction { slope: theta, constant, factor: h }, z);

        let hh = h.square();
        let hhh = h * hh;
        let v = self.x * hh;
        let x = theta.square() - hhh - v.double();
        self.y = FpOn::sum_of_products(&theta, &(v - x), &-self.y, &hhh);
        self.x = x;
    }

    fn push(&mut self, line: Fraction<E>, new_z: FpOn<E>) {
        self.fractions.push(line);
        self.z = new_z;
    }

    /// Whether the running point is ± the given one, so that q of the latter is the identity. (The sign follows from q's
    /// lowest digit; with the wrong one, [q] of the point would be twice it, whose order is odd only in the subgroup.)
    fn ends_opposite(&self, point: &AffineOn<E>) -> Choice {
        let zz = self.z.square();
        let last = if order_digits()[0] == 1 { point.negate() } else { *point };
        (last.x * zz).ct_eq(&self.x) & (last.y * zz * self.z).ct_eq(&self.y) & !self.z.is_zero()
    }

    /// Divides by the denominators. Their inverses follow from that of the last Z, going back factor by factor.
    fn into_lines(self) -> Lines<E> {
        let mut lines = Vec::with_capacity(self.fractions.len());
        let mut new_z_inverse = Zeroizing::new(self.z.invert());
        let steps: Vec<Step> = steps().collect();
        for (fraction, step) in self.fractions.iter().zip(steps).rev() {
            let old_z_inverse = *new_z_inverse * fraction.factor;
            let slope = fraction.slope * *new_z_inverse;
            let mut constant = fraction.constant * *new_z_inverse;
            if step == Step::Double {
                constant *= old_z_inverse.square();
            }
            lines.push(Line { slope, constant });
            *new_z_inverse = old_z_inverse;
        }
        lines.reverse();
        Lines { lines }
    }
}

impl<E: LimbEngine> Drop for Walk<E> {
    fn drop(&mut self) {
        self.x.zeroize();
        self.y.zeroize();
        self.z.zeroize();
        for fraction in &mut self.fractions {
            fraction.slope.zeroize();
            fraction.constant.zeroize();
            fraction.factor.zeroize();
        }
    }
}

impl<E: LimbEngine> Line<E> {
    fn wipe(&mut self) {
        self.slope.zeroize();
        self.constant.zeroize();
    }
}

impl<E: LimbEngine> Drop for Lines<E> {
    fn drop(&mut self) {
        self.lines.iter_mut().for_each(Line::wipe);
    }
}
