//! Points in Jacobian coordinates, x = X / Z² and y = Y / Z³: for long runs of doublings, where nothing exceptional comes
//! up.
//!
//! On this curve x of a doubled point is a square: with λ = 3 (x² - 1) / (2 y), the slope of the tangent at (x, y), and
//! w = (x² + 3) / (2 y), the double is (w², w (w² - 6 x² / y²)), and the tangent is y' = λ x' - w x.

use zeroize::Zeroize;

use super::field::FpOn;
use super::point::AffineOn;
use crate::arith::backend::LimbEngine;

/// A finite point.
pub(super) struct Jacobian<E: LimbEngine> {
    pub(super) x: FpOn<E>,
    pub(super) y: FpOn<E>,
    pub(super) z: FpOn<E>,
}

/// What a doubling passed.
#[derive(Clone, Copy)]
pub(super) struct Doubling<E: LimbEngine> {
    /// λ times the new Z.
    pub(super) slope: FpOn<E>,
    /// w times the new Z.
    pub(super) w: FpOn<E>,
    /// The new Z divided by the old one.
    pub(super) factor: FpOn<E>,
}

/// What an addition passed.
#[derive(Clone, Copy)]
pub(super) struct Addition<E: LimbEngine> {
    /// The point that was added.
    pub(super) other: AffineOn<E>,
    /// The slope of the line through both points, times the new Z.
    pub(super) slope: FpOn<E>,
    /// The new Z divided by the old one.
    pub(super) factor: FpOn<E>,
}

impl<E: LimbEngine> Jacobian<E> {
    /// Doubles the point, in 3 multiplications and 4 squarings. Z becomes 0 where y is.
    pub(super) fn double(&mut self) -> Doubling<E> {
        let zz = self.z.square();
        let xx = self.x.square();
        let zzzz = zz.square();
        let difference = xx - zzzz;
        let slope = difference.double() + difference;
        let w = xx + zzzz.double() + zzzz;
        let factor = self.y.double();
        let product = xx * zzzz;
        let twenty_four = (product.double() + product).double().double().double();
        self.x = w.square();
        self.y = w * (self.x - twenty_four);
        self.z *= factor;
        Doubling { slope, w, factor }
    }

    /// Adds a finite point. Z becomes 0 where that is the running one or its opposite.
    pub(super) fn add(&mut self, other: &AffineOn<E>) -> Addition<E> {
        let zz = self.z.square();
        let factor = other.x * zz - self.x;
        let slope = other.y * zz * self.z - self.y;
        let hh = factor.square();
        let hhh = factor * hh;
        let v = self.x * hh;
        self.z *= factor;
        self.x = slope.square() - hhh - v.double();
        self.y = FpOn::sum_of_products(&slope, &(v - self.x), &-self.y, &hhh);
        Addition { other: *other, slope, factor }
    }
}

impl<E: LimbEngine> From<AffineOn<E>> for Jacobian<E> {
    fn from(point: AffineOn<E>) -> Jacobian<E> {
        Jacobian { x: point.x, y: point.y, z: FpOn::ONE }
    }
}

impl<E: LimbEngine> Zeroize for Jacobian<E> {
    fn zeroize(&mut self) {
        self.x.zeroize();
        self.y.zeroize();
        self.z.zeroize();
    }
}

impl<E: LimbEngine> Doubling<E> {
    /// None.
    pub(super) const NONE: Self = Doubling { slope: FpOn::ZERO, w: FpOn::ZERO, factor: FpOn::ZERO };
}

impl<E: LimbEngine> Addition<E> {
    /// None.
    pub(super) const NONE: Self =
        Addition { other: AffineOn { x: FpOn::ZERO, y: FpOn::ZERO }, slope: FpOn::ZERO, factor: FpOn::ZERO };
}

impl<E: LimbEngine> Zeroize for Doubling<E> {
    fn zeroize(&mut self) {
        self.slope.zeroize();
        self.w.zeroize();
        self.factor.zeroize();
    }
}

impl<E: LimbEngine> Zeroize for Addition<E> {
    fn zeroize(&mut self) {
        self.other.zeroize();
        self.slope.zeroize();
        self.factor.zeroize();
    }
}
