//! Points in the coordinates with the cheapest addition of an affine point.
#![allow(clippy::op_ref, reason = "numbers in memory are multiplied where they are")]

use alloc::vec::Vec;
use core::fmt;
use subtle::{Choice, ConditionallySelectable};
use zeroize::{Zeroize, Zeroizing};

use super::field::FpOn;
use super::point::AffineOn;
use crate::arith::backend::LimbEngine;
use crate::arith::residue::invert_all;
use crate::arith::wiped::Wiped;

/// A point in extended Jacobian coordinates: x = X/ZZ, y = Y/ZZZ, with ZZ³ = ZZZ²; infinity has ZZ = ZZZ = 0.
#[derive(Clone, Copy)]
pub struct Extended<E: LimbEngine> {
    x: FpOn<E>,
    y: FpOn<E>,
    zz: FpOn<E>,
    zzz: FpOn<E>,
}

impl<E: LimbEngine> Extended<E> {
    /// The point with these coordinates.
    #[cfg(target_arch = "x86_64")]
    pub(in crate::arith) fn new(x: FpOn<E>, y: FpOn<E>, zz: FpOn<E>, zzz: FpOn<E>) -> Self {
        Extended { x, y, zz, zzz }
    }

    /// The sum with a point that is not this point, in constant time (8 multiplications and 2 squarings, "madd-2008-s" of
    /// the Explicit-Formulas Database). Where this point is infinity the result is infinity, and not the sum.
    #[inline(always)]
    pub(super) fn add_different_affine(&self, other: &AffineOn<E>) -> Self {
        let h = &(other.x() * &self.zz) - &self.x;
        let r = &(other.y() * &self.zzz) - &self.y;
        self.chord(&h, &r)
    }

    /// The sum with a point that is not this point, in constant time (12 multiplications and 2 squarings, "add-2008-s").
    /// Where either is infinity the result is infinity, and not the sum.
    #[cfg(target_arch = "x86_64")]
    pub(in crate::arith) fn add_different(&self, other: &Self) -> Self {
        let (scaled, h, r) = self.differences(other);
        scaled.chord(&h, &r)
    }

    /// The sum with any point other than infinity, in constant time. Where this point is infinity the result is infinity, and
    /// not the sum.
    pub(in crate::arith) fn add(&self, other: &Self) -> Self {
        let (scaled, h, r) = self.differences(other);
        let mut sum = scaled.chord(&h, &r);
        sum.conditional_assign(&other.double(), h.is_zero() & r.is_zero());
        sum
    }

    /// This point, scaled as both are, and both coordinates of the other point, scaled so, less this point's.
    #[inline(always)]
    fn differences(&self, other: &Self) -> (Self, FpOn<E>, FpOn<E>) {
        let (x, y) = (&self.x * &other.zz, &self.y * &other.zzz);
        let h = &(&other.x * &self.zz) - &x;
        let r = &(&other.y * &self.zzz) - &y;
        (Extended { x, y, zz: &self.zz * &other.zz, zzz: &self.zzz * &other.zzz }, h, r)
    }

    /// The third point of the line through two points, mirrored, from their differences.
    #[inline(always)]
    fn chord(&self, h: &FpOn<E>, r: &FpOn<E>) -> Self {
        let hh = h.square();
        let v = &self.x * &hh;
        let hhh = &hh * h;
        let x = &(&(&r.square() - &hhh) - &v) - &v;
        let (zz, zzz) = (&self.zz * &hh, &self.zzz * &hhh);
        let y = FpOn::difference_of_products(r, &(&v - &x), &self.y, &hhh);
        Extended { x, y, zz, zzz }
    }

    /// Twice the point ("dbl-2008-s-1").
    fn double(&self) -> Self {
        let u = self.y.double();
        let v = u.square();
        let w = &u * &v;
        let s = &self.x * &v;
        let third = &(&self.x - &self.zz) * &(&self.x + &self.zz);
        let m = &third.double() + &third;
        let x = &(&m.square() - &s) - &s;
        let y = FpOn::difference_of_products(&m, &(&s - &x), &w, &self.y);
        Extended { x, y, zz: &v * &self.zz, zzz: &w * &self.zzz }
    }

    /// Many points in affine coordinates with one inversion. `None` for infinity; that alone is revealed.
    pub(in crate::arith) fn to_affine_all(points: &[Self]) -> Wiped<Option<AffineOn<E>>> {
        let mut inverses: Zeroizing<Vec<FpOn<E>>> = Zeroizing::new(points.iter().map(|point| point.zzz).collect());
        invert_all(&mut inverses);
        let scale = |(point, inverse): (&Self, &FpOn<E>)| {
            let z_inverse = *inverse * point.zz;
            let affine = AffineOn::new(point.x * z_inverse.square(), point.y * *inverse);
            (!bool::from(point.zzz.is_zero())).then_some(affine)
        };
        Wiped::collect(points.iter().zip(inverses.iter()).map(scale))
    }
}

impl<E: LimbEngine> From<AffineOn<E>> for Extended<E> {
    fn from(point: AffineOn<E>) -> Self {
        Extended { x: *point.x(), y: *point.y(), zz: FpOn::ONE, zzz: FpOn::ONE }
    }
}

impl<E: LimbEngine> ConditionallySelectable for Extended<E> {
    fn conditional_select(a: &Self, b: &Self, choice: Choice) -> Self {
        Extended {
            x: FpOn::conditional_select(&a.x, &b.x, choice),
            y: FpOn::conditional_select(&a.y, &b.y, choice),
            zz: FpOn::conditional_select(&a.zz, &b.zz, choice),
            zzz: FpOn::conditional_select(&a.zzz, &b.zzz, choice),
        }
    }
}

impl<E: LimbEngine> Zeroize for Extended<E> {
    fn zeroize(&mut self) {
        self.x.zeroize();
        self.y.zeroize();
        self.zz.zeroize();
        self.zzz.zeroize();
    }
}

/// Shows only the type, since a point may be secret until it is published.
impl<E: LimbEngine> fmt::Debug for Extended<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Extended")
    }
}
