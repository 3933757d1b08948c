//! Points of P-256.
#![allow(clippy::op_ref, reason = "numbers in memory are multiplied where they are")]

use alloc::vec::Vec;
use core::fmt;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroize;

use super::field::{BYTES, FpOn, LIMBS};
use crate::arith::backend::{LimbEngine, Portable};
use crate::arith::residue::invert_all_vartime;

/// Octets of the uncompressed encoding 04 || x || y, the only one that RFC 6507 section 3.3 uses.
pub const UNCOMPRESSED_LEN: usize = 1 + 2 * BYTES;

/// The tag octet of an uncompressed point.
const UNCOMPRESSED: u8 = 4;
/// The encoding of the point at infinity (SEC 1 section 2.3.3).
const INFINITY: &[u8] = &[0];

const B: [u64; LIMBS] = [0x3bce_3c3e_27d2_604b, 0x651d_06b0_cc53_b0f6, 0xb3eb_bd55_7698_86bc, 0x5ac6_35d8_aa3a_93e7];
const G_X: [u64; LIMBS] = [0xf4a1_3945_d898_c296, 0x7703_7d81_2deb_33a0, 0xf8bc_e6e5_63a4_40f2, 0x6b17_d1f2_e12c_4247];
const G_Y: [u64; LIMBS] = [0xcbb6_4068_37bf_51f5, 0x2bce_3357_6b31_5ece, 0x8ee7_eb4a_7c0f_9e16, 0x4fe3_42e2_fe1a_7f9b];

/// Why octets are not a point that one may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PointError {
    /// The encoding has the wrong number of octets.
    #[error("a point has {UNCOMPRESSED_LEN} octets, found {0}")]
    Length(usize),
    /// The point at infinity.
    #[error("the point is infinity")]
    Infinity,
    /// The first octet is not 04: compressed and hybrid encodings are not used by RFC 6507.
    #[error("a point starts with octet 04 (uncompressed), found {0:02x}")]
    Form(u8),
    /// A coordinate is not below p.
    #[error("a coordinate of the point is not below the field's characteristic")]
    NotReduced,
    /// The coordinates do not satisfy the curve equation.
    #[error("the point is not on the curve")]
    NotOnCurve,
}

/// A point in a table.
pub(super) type Entry = [u64; 2 * LIMBS];

/// A point of the curve other than infinity.
pub type Affine = AffineOn<Portable>;

/// A point of the curve other than infinity, its coordinates multiplied by the engine E.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AffineOn<E: LimbEngine> {
    x: FpOn<E>,
    y: FpOn<E>,
}

impl<E: LimbEngine> AffineOn<E> {
    /// The generator G.
    pub fn generator() -> Self {
        AffineOn { x: FpOn::from_limbs_mod(&G_X), y: FpOn::from_limbs_mod(&G_Y) }
    }

    /// The same point for another engine.
    pub(in crate::arith) fn convert<F: LimbEngine>(&self) -> AffineOn<F> {
        AffineOn { x: self.x.convert(), y: self.y.convert() }
    }

    /// A point from 04 || x || y. Checks length, form, range and curve equation.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PointError> {
        if bytes == INFINITY {
            return Err(PointError::Infinity);
        }
        let bytes: &[u8; UNCOMPRESSED_LEN] = bytes.try_into().map_err(|_| PointError::Length(bytes.len()))?;
        let [form, coordinates @ ..] = bytes;
        if *form != UNCOMPRESSED {
            return Err(PointError::Form(*form));
        }
        let (x, y) = coordinates.split_at(BYTES);
        let x = FpOn::from_be_bytes(x).ok_or(PointError::NotReduced)?;
        let y = FpOn::from_be_bytes(y).ok_or(PointError::NotReduced)?;
        let on_curve = y.square().ct_eq(&((x.square() - FpOn::from_u64(3)) * x + FpOn::from_limbs_mod(&B)));
        if bool::from(on_curve) { Ok(AffineOn { x, y }) } else { Err(PointError::NotOnCurve) }
    }

    /// 04 || x || y.
    pub fn to_bytes(self) -> [u8; UNCOMPRESSED_LEN] {
        let mut out = [UNCOMPRESSED; UNCOMPRESSED_LEN];
        let [_, coordinates @ ..] = &mut out;
        let (x, y) = coordinates.split_at_mut(BYTES);
        self.x.write_be_bytes(x);
        self.y.write_be_bytes(y);
        out
    }

    /// The point with these coordinates, which must satisfy the curve equation.
    #[inline(always)]
    pub(super) fn new(x: FpOn<E>, y: FpOn<E>) -> Self {
        AffineOn { x, y }
    }

    /// Both coordinates in Montgomery form, as tables keep them.
    pub(super) fn to_entry(self) -> Entry {
        let (x, y) = (self.x.to_montgomery(), self.y.to_montgomery());
        core::array::from_fn(|i| if i < LIMBS { x[i] } else { y[i - LIMBS] })
    }

    #[inline(always)]
    pub(super) fn from_entry(entry: &Entry) -> Self {
        let [x0, x1, x2, x3, y0, y1, y2, y3] = *entry;
        AffineOn { x: FpOn::from_montgomery([x0, x1, x2, x3]), y: FpOn::from_montgomery([y0, y1, y2, y3]) }
    }

    /// The first coordinate.
    #[inline(always)]
    pub fn x(&self) -> &FpOn<E> {
        &self.x
    }

    /// The second coordinate.
    #[inline(always)]
    pub(in crate::arith) fn y(&self) -> &FpOn<E> {
        &self.y
    }

    /// The opposite point if `negative`, in constant time.
    #[inline(always)]
    pub(super) fn negate_if(&self, negative: Choice) -> Self {
        AffineOn { x: self.x, y: FpOn::conditional_select(&self.y, &-self.y, negative) }
    }

    /// The opposite point.
    pub fn negate(&self) -> Self {
        AffineOn { x: self.x, y: -self.y }
    }
}

impl<E: LimbEngine> ConditionallySelectable for AffineOn<E> {
    #[inline(always)]
    fn conditional_select(a: &Self, b: &Self, choice: Choice) -> Self {
        AffineOn { x: FpOn::conditional_select(&a.x, &b.x, choice), y: FpOn::conditional_select(&a.y, &b.y, choice) }
    }
}

impl<E: LimbEngine> Zeroize for AffineOn<E> {
    fn zeroize(&mut self) {
        self.x.zeroize();
        self.y.zeroize();
    }
}

/// Shows only the type, since a point may be secret until it is published.
impl<E: LimbEngine> fmt::Debug for AffineOn<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Affine")
    }
}

/// A point in Jacobian coordinates: x = X/Z², y = Y/Z³, and infinity has Z = 0.
pub type Jacobian = JacobianOn<Portable>;

/// A point in Jacobian coordinates, multiplied by the engine E.
#[derive(Clone, Copy)]
pub struct JacobianOn<E: LimbEngine> {
    x: FpOn<E>,
    y: FpOn<E>,
    z: FpOn<E>,
}

impl<E: LimbEngine> JacobianOn<E> {
    /// The point at infinity.
    pub const INFINITY: Self = JacobianOn { x: FpOn::ONE, y: FpOn::ONE, z: FpOn::ZERO };

    /// The point with these coordinates.
    #[cfg(target_arch = "x86_64")]
    pub(in crate::arith) fn new(x: FpOn<E>, y: FpOn<E>, z: FpOn<E>) -> Self {
        JacobianOn { x, y, z }
    }

    /// The same point for another engine.
    pub(super) fn convert<F: LimbEngine>(&self) -> JacobianOn<F> {
        JacobianOn { x: self.x.convert(), y: self.y.convert(), z: self.z.convert() }
    }

    /// Whether this is the point at infinity.
    pub fn is_infinity(&self) -> Choice {
        self.z.is_zero()
    }

    /// Twice the point, for every point, in constant time (4 multiplications and 4 squarings): the well-known formulas
    /// for a = -3 (Cohen, Miyaji, Ono 1998) with all of them scaled by Z / 2.
    #[inline(always)]
    pub fn double(&self) -> Self {
        // What the next doubling waits for comes first.
        let delta = self.z.square();
        let product = &(&self.x - &delta) * &(&self.x + &delta);
        let gamma = self.y.square();
        let alpha = &product.halve() + &product;
        let beta = &self.x * &gamma;
        let x = &(&alpha.square() - &beta) - &beta;
        let z = &self.y * &self.z;
        let y = FpOn::product_less_square(&alpha, &(&beta - &x), &gamma);
        JacobianOn { x, y, z }
    }

    /// The sum, for every pair of points. Branches on whether they are infinity, equal or opposite.
    #[inline]
    pub fn add_affine_vartime(&self, other: &AffineOn<E>) -> Self {
        if self.z.is_zero_vartime() {
            return Self::from(*other);
        }
        let (h, r) = self.differences(other);
        if h.is_zero_vartime() {
            return if r.is_zero_vartime() { self.double() } else { Self::INFINITY };
        }
        self.chord(&h, &r)
    }

    /// The point, three times the point, five times, and so on, for a point other than infinity.
    ///
    /// Twice the point has Z' = Y Z, and (X Y², Y⁴, Z') is the point itself. Of points with the same Z' all but Z' can be
    /// added as if they were affine, since additions do not depend on the coefficients of the curve; Z' is a factor of the
    /// sum's Z.
    pub(super) fn odd_multiples_vartime(&self) -> impl Iterator<Item = Self> {
        let twice = self.double();
        let step = AffineOn { x: twice.x, y: twice.y };
        let square = self.y.square();
        let mut multiple = JacobianOn { x: &self.x * &square, y: square.square(), z: FpOn::ONE };
        core::iter::repeat_with(move || {
            let scaled = JacobianOn { z: &multiple.z * &twice.z, ..multiple };
            multiple = multiple.add_affine_vartime(&step);
            scaled
        })
    }

    /// Both coordinates of the other point, scaled as this one's are, less this one's.
    #[inline(always)]
    fn differences(&self, other: &AffineOn<E>) -> (FpOn<E>, FpOn<E>) {
        let zz = self.z.square();
        (&(&other.x * &zz) - &self.x, &(&other.y * &(&zz * &self.z)) - &self.y)
    }

    /// The third point of the line through two points, mirrored, from their differences.
    #[inline(always)]
    fn chord(&self, h: &FpOn<E>, r: &FpOn<E>) -> Self {
        let hh = h.square();
        let v = &self.x * &hh;
        let hhh = &hh * h;
        let x = &(&(&r.square() - &hhh) - &v) - &v;
        let z = &self.z * h;
        let y = FpOn::difference_of_products(r, &(&v - &x), &self.y, &hhh);
        JacobianOn { x, y, z }
    }

    /// The point in affine coordinates. `None` for infinity; that alone is revealed.
    pub fn to_affine(self) -> Option<AffineOn<E>> {
        (!bool::from(self.is_infinity())).then(|| self.scale(&self.z.invert()))
    }

    /// Many public points in affine coordinates with one inversion. None of them may be infinity.
    pub(super) fn to_affine_all_vartime(points: &[Self]) -> Vec<AffineOn<E>> {
        let mut inverses: Vec<FpOn<E>> = points.iter().map(|point| point.z).collect();
        invert_all_vartime(&mut inverses);
        points.iter().zip(inverses).map(|(point, inverse)| point.scale(&inverse)).collect()
    }

    #[inline(always)]
    fn scale(&self, z_inverse: &FpOn<E>) -> AffineOn<E> {
        let square = z_inverse.square();
        AffineOn { x: &self.x * &square, y: &self.y * &(&square * z_inverse) }
    }

    /// Whether the first coordinate is x. Infinity has none.
    pub fn has_x(&self, x: &FpOn<E>) -> Choice {
        self.x.ct_eq(&(*x * self.z.square())) & !self.is_infinity()
    }
}

impl<E: LimbEngine> ConstantTimeEq for JacobianOn<E> {
    fn ct_eq(&self, other: &Self) -> Choice {
        let (zz, other_zz) = (self.z.square(), other.z.square());
        let same_x = (self.x * other_zz).ct_eq(&(other.x * zz));
        let same_y = (self.y * (other_zz * other.z)).ct_eq(&(other.y * (zz * self.z)));
        // With one point at infinity, and not the other, all four products may be 0.
        same_x & same_y & !(self.is_infinity() ^ other.is_infinity())
    }
}

impl<E: LimbEngine> From<AffineOn<E>> for JacobianOn<E> {
    fn from(point: AffineOn<E>) -> Self {
        JacobianOn { x: point.x, y: point.y, z: FpOn::ONE }
    }
}

impl<E: LimbEngine> ConditionallySelectable for JacobianOn<E> {
    #[inline(always)]
    fn conditional_select(a: &Self, b: &Self, choice: Choice) -> Self {
        JacobianOn {
            x: FpOn::conditional_select(&a.x, &b.x, choice),
            y: FpOn::conditional_select(&a.y, &b.y, choice),
            z: FpOn::conditional_select(&a.z, &b.z, choice),
        }
    }
}

impl<E: LimbEngine> Default for JacobianOn<E> {
    fn default() -> Self {
        Self::INFINITY
    }
}

impl<E: LimbEngine> Zeroize for JacobianOn<E> {
    fn zeroize(&mut self) {
        self.x.zeroize();
        self.y.zeroize();
        self.z.zeroize();
    }
}

/// Shows only the type, since a point may be secret until it is published.
impl<E: LimbEngine> fmt::Debug for JacobianOn<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Jacobian")
    }
}
