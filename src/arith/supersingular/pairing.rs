//! The modified Tate pairing of RFC 6508 section 3.2, with one point prepared.
//!
//! <A, B> is f(φ(B))^4 in F_p2* / F_p*, where φ(x, y) = (-x, i y), f has divisor q(A) - q(O) and 4 = (p + 1) / q. Since
//! the value counts only up to F_p*, vertical lines and denominators drop out. The lines of Miller's loop depend on A alone. Each is kept as a slope λ and a
//! constant c = λ x - y, so that at φ(B) it is λ x_B + c + i y_B, and after division by y_B it is u + i with
//! u = λ (x_B / y_B) + c (1 / y_B).

use alloc::vec::Vec;
use core::fmt;
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroize;

use super::field::Fp;
use super::pairing_value::PairingValue;
use super::point::{Affine, order_digits};
use crate::arith::residue::invert_all;

/// The lines of Miller's loop for one point: 1372 lines, 343 KiB. Wiped on drop, since the point may be a secret key.
pub struct MillerLines {
    lines: Vec<Line>,
}

/// The point does not have order q.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotInSubgroup;

struct Line {
    slope: Fp,
    constant: Fp,
}

impl MillerLines {
    /// Walks Miller's loop from a point, in constant time but for whether the point has order q, which is refused
    /// otherwise.
    pub fn new(point: &Affine) -> Result<MillerLines, NotInSubgroup> {
        let mut walk = Walk::new(point);
        for step in steps() {
            match step {
                Step::Double => walk.double(),
                Step::Add => walk.add(point),
                Step::Subtract => walk.add(&point.negate()),
            }
        }
        let in_subgroup = walk.ends_opposite(point);
        let lines = walk.into_lines();
        if bool::from(in_subgroup) { Ok(lines) } else { Err(NotInSubgroup) }
    }

    /// <A, B> for the prepared point A and a point B with y ≠ 0, in constant time.
    pub fn pair(&self, b: &Affine) -> PairingValue {
        let y_inverse = b.y.invert();
        let x_over_y = b.x * y_inverse;
        let mut f = PairingValue::ONE;
        for (step, line) in steps().zip(&self.lines) {
            if step == Step::Double {
                f = f.square();
            }
            f = f.multiply_by_plus_i(&Fp::sum_of_products(&line.slope, &x_over_y, &line.constant, &y_inverse));
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
struct Walk {
    x: Fp,
    y: Fp,
    z: Fp,
    /// Numerators of slope and constant.
    numerators: Vec<Line>,
    denominators: Vec<Fp>,
}

impl Walk {
    fn new(point: &Affine) -> Walk {
        let steps = steps().count();
        Walk {
            x: point.x,
            y: point.y,
            z: Fp::ONE,
            numerators: Vec::with_capacity(steps),
            denominators: Vec::with_capacity(steps),
        }
    }

    /// The tangent, and the doubled point ("dbl-2001-b" for a = -3): 6 multiplications and 5 squarings.
    fn double(&mut self) {
        let delta = self.z.square();
        let gamma = self.y.square();
        let beta = self.x * gamma;
        let slope = (self.x - delta) * (self.x + delta);
        let alpha = slope.double() + slope;
        let z = (self.y + self.z).square() - gamma - delta;
        self.push(alpha * delta, alpha * self.x - gamma.double(), z * delta);

        let four_beta = beta.double().double();
        let x = alpha.square() - four_beta.double();
        let minus_eight_gamma = -gamma.double().double().double();
        let y = Fp::sum_of_products(&alpha, &(four_beta - x), &gamma, &minus_eight_gamma);
        (self.x, self.y, self.z) = (x, y, z);
    }

    /// The line through a finite point, and the sum: 10 multiplications and 3 squarings.
    fn add(&mut self, point: &Affine) {
        let zz = self.z.square();
        let h = point.x * zz - self.x;
        let theta = point.y * zz * self.z - self.y;
        let z = self.z * h;
        self.push(theta, Fp::sum_of_products(&theta, &point.x, &-point.y, &z), z);

        let hh = h.square();
        let hhh = h * hh;
        let v = self.x * hh;
        let x = theta.square() - hhh - v.double();
        let y = Fp::sum_of_products(&theta, &(v - x), &-self.y, &hhh);
        (self.x, self.y, self.z) = (x, y, z);
    }

    fn push(&mut self, slope: Fp, constant: Fp, denominator: Fp) {
        self.numerators.push(Line { slope, constant });
        self.denominators.push(denominator);
    }

    /// Whether the running point is ± the given one, so that q of the latter is the identity. (The sign follows from q's
    /// lowest digit; with the wrong one, [q] of the point would be twice it, whose order is odd only in the subgroup.)
    fn ends_opposite(&self, point: &Affine) -> Choice {
        let zz = self.z.square();
        let last = if order_digits()[0] == 1 { point.negate() } else { *point };
        (last.x * zz).ct_eq(&self.x) & (last.y * zz * self.z).ct_eq(&self.y) & !self.z.is_zero()
    }

    fn into_lines(mut self) -> MillerLines {
        let mut inverses = core::mem::take(&mut self.denominators);
        invert_all(&mut inverses);
        let lines = self
            .numerators
            .iter()
            .zip(&inverses)
            .map(|(line, &inverse)| Line { slope: line.slope * inverse, constant: line.constant * inverse })
            .collect();
        inverses.zeroize();
        MillerLines { lines }
    }
}

impl Drop for Walk {
    fn drop(&mut self) {
        self.x.zeroize();
        self.y.zeroize();
        self.z.zeroize();
        self.numerators.iter_mut().for_each(Line::wipe);
        self.denominators.zeroize();
    }
}

impl Line {
    fn wipe(&mut self) {
        self.slope.zeroize();
        self.constant.zeroize();
    }
}

impl Drop for MillerLines {
    fn drop(&mut self) {
        self.lines.iter_mut().for_each(Line::wipe);
    }
}

impl fmt::Debug for MillerLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MillerLines")
    }
}
