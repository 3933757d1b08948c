//! Points of E.

use alloc::vec::Vec;
use core::fmt;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::{Zeroize, Zeroizing};

use super::field::{BYTES, FpOn, LIMBS};
use crate::arith::backend::{LimbEngine, Portable};
use crate::arith::residue::{Residue, invert_all};
use crate::arith::wiped::Wiped;

/// Octets of the uncompressed encoding 04 || x || y, the only one that RFC 6508 section 4 uses.
pub const UNCOMPRESSED_LEN: usize = 1 + 2 * BYTES;

/// The tag octet of an uncompressed point.
const UNCOMPRESSED: u8 = 4;
/// The whole encoding of the point at infinity.
const INFINITY: u8 = 0;

/// A finite point of E.
pub type Affine = AffineOn<Portable>;

/// A finite point of E, computed with by the engine E.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AffineOn<E: LimbEngine> {
    pub(in crate::arith) x: FpOn<E>,
    pub(in crate::arith) y: FpOn<E>,
}

/// A point as tables keep it: x, then y, in Montgomery form.
pub(super) type Entry = [u64; 2 * LIMBS];

/// Why octets are not a point of the curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PointError {
    /// The encoding has the wrong number of octets.
    #[error("a point has {UNCOMPRESSED_LEN} octets, found {0}")]
    Length(usize),
    /// The point at infinity, 00.
    #[error("the point is infinity")]
    Infinity,
    /// The first octet is not 04: RFC 6508 uses neither compressed nor hybrid encodings. (What it is instead is not said,
    /// since the point may be a secret key.)
    #[error("the point does not start with octet 04 (uncompressed)")]
    Form,
    /// A coordinate is not below p.
    #[error("a coordinate of the point is not below the field's characteristic")]
    NotReduced,
    /// The coordinates do not satisfy the curve equation.
    #[error("the point is not on the curve")]
    NotOnCurve,
    /// The point's order is 1, 2 or 4.
    #[error("the point has a small order")]
    SmallOrder,
    /// The point is on the curve, but outside the subgroup of order q.
    #[error("the point is not in the subgroup of order q")]
    NotInSubgroup,
}

impl<E: LimbEngine> AffineOn<E> {
    /// The same point for another engine.
    pub(in crate::arith) fn convert<M: LimbEngine>(&self) -> AffineOn<M> {
        AffineOn { x: self.x.convert(), y: self.y.convert() }
    }

    /// The generator P of RFC 6509 Appendix A.
    pub fn generator() -> Self {
        AffineOn { x: Residue::from_limbs_mod(&P_X), y: Residue::from_limbs_mod(&P_Y) }
    }

    /// A point of E from 04 || x || y. Checks length, form, range, curve equation and that the order is not 1, 2 or 4;
    /// [`AffineOn::check_subgroup`] excludes what remains.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PointError> {
        if bytes == [INFINITY] {
            return Err(PointError::Infinity);
        }
        if bytes.len() != UNCOMPRESSED_LEN {
            return Err(PointError::Length(bytes.len()));
        }
        let (form, coordinates) = bytes.split_at(1);
        if form != [UNCOMPRESSED] {
            return Err(PointError::Form);
        }
        let (x, y) = coordinates.split_at(BYTES);
        let x = FpOn::from_be_bytes(x).ok_or(PointError::NotReduced)?;
        let y = FpOn::from_be_bytes(y).ok_or(PointError::NotReduced)?;
        let point = AffineOn { x, y };
        if !bool::from(point.is_on_curve()) {
            return Err(PointError::NotOnCurve);
        }
        if bool::from(point.has_small_order()) {
            return Err(PointError::SmallOrder);
        }
        Ok(point)
    }

    /// 04 || x || y.
    pub fn to_bytes(self) -> [u8; UNCOMPRESSED_LEN] {
        let mut out = [0; UNCOMPRESSED_LEN];
        let (form, coordinates) = out.split_at_mut(1);
        form.fill(UNCOMPRESSED);
        let (x, y) = coordinates.split_at_mut(BYTES);
        self.x.write_be_bytes(x);
        self.y.write_be_bytes(y);
        out
    }

    /// Both coordinates in Montgomery form, as tables keep them.
    pub(super) fn to_entry(self) -> Entry {
        let (x, y) = (self.x.to_montgomery(), self.y.to_montgomery());
        core::array::from_fn(|i| if i < LIMBS { x[i] } else { y[i - LIMBS] })
    }

    pub(super) fn from_entry(entry: &Entry) -> Self {
        let (x, y) = entry.split_at(LIMBS);
        let coordinate = |limbs: &[u64]| FpOn::from_montgomery(core::array::from_fn(|i| limbs[i]));
        AffineOn { x: coordinate(x), y: coordinate(y) }
    }

    /// The opposite point if `negative`, in constant time.
    pub(super) fn negate_if(&self, negative: Choice) -> Self {
        AffineOn { x: self.x, y: FpOn::conditional_select(&self.y, &-self.y, negative) }
    }

    /// The opposite point.
    pub fn negate(&self) -> Self {
        AffineOn { x: self.x, y: -self.y }
    }

    fn is_on_curve(&self) -> Choice {
        let three = FpOn::from_u64(3);
        self.y.square().ct_eq(&((self.x.square() - three) * self.x))
    }

    /// Order 2 is (0, 0). Doubling gives (0, 0) exactly where (x² + 3)² = 0.
    fn has_small_order(&self) -> Choice {
        self.y.is_zero() | (self.x.square() + FpOn::from_u64(3)).is_zero()
    }
}

/// A point in homogeneous coordinates: x = X/Z, y = Y/Z, and the identity is (0 : 1 : 0).
///
/// The formulas are those of Renes, Costello and Batina ("Complete addition formulas for prime order elliptic curves",
/// 2016) for a = -3 and b = 0. They fail only for two points whose difference has order 2, so they are complete on the
/// subgroup of order q.
#[derive(Clone, Copy)]
pub struct ProjectiveOn<E: LimbEngine> {
    pub(in crate::arith) x: FpOn<E>,
    pub(in crate::arith) y: FpOn<E>,
    pub(in crate::arith) z: FpOn<E>,
}

impl<E: LimbEngine> ProjectiveOn<E> {
    /// The point at infinity.
    pub const IDENTITY: Self = ProjectiveOn { x: FpOn::ZERO, y: FpOn::ONE, z: FpOn::ZERO };

    /// The sum with a finite point, in 5 multiplications and 3 sums of two products.
    pub fn add_affine(&self, other: &AffineOn<E>) -> Self {
        let xx = self.x * other.x;
        let yy = self.y * other.y;
        let xy = (self.x + self.y) * (other.x + other.y) - xx - yy;
        let xz = self.z * other.x + self.x;
        let yz = self.z * other.y + self.y;
        combine(xx, yy, self.z, xy, xz, yz)
    }

    /// Twice the point, in 3 multiplications, 3 squarings and 3 sums of two products.
    pub fn double(&self) -> Self {
        let xy = (self.x * self.y).double();
        let xz = (self.x * self.z).double();
        let yz = (self.y * self.z).double();
        combine(self.x.square(), self.y.square(), self.z.square(), xy, xz, yz)
    }

    /// The finite points that these are, with one inversion; `None` for the identity, which alone is revealed.
    pub(super) fn to_affine_all(points: &[Self]) -> Wiped<Option<AffineOn<E>>> {
        let mut inverses = Zeroizing::new(points.iter().map(|point| point.z).collect::<Vec<_>>());
        invert_all(&mut inverses);
        Wiped::collect(points.iter().zip(inverses.iter()).map(|(point, inverse)| point.divided(inverse)))
    }

    /// The finite point that this is, given 1 / Z.
    pub(super) fn divided(&self, z_inverse: &FpOn<E>) -> Option<AffineOn<E>> {
        let point = AffineOn { x: self.x * *z_inverse, y: self.y * *z_inverse };
        (!bool::from(self.z.is_zero())).then_some(point)
    }
}

/// The complete formulas from the products of coordinates; xy, xz and yz are the symmetric sums of cross products.
#[inline]
fn combine<E: LimbEngine>(
    xx: FpOn<E>,
    yy: FpOn<E>,
    zz: FpOn<E>,
    xy: FpOn<E>,
    xz: FpOn<E>,
    yz: FpOn<E>,
) -> ProjectiveOn<E> {
    let three_xz = xz.double() + xz;
    let plus = yy + three_xz;
    let minus = yy - three_xz;
    let sum = xx + zz.double() + zz;
    let c = sum.double() + sum;
    let difference = zz - xx;
    let d = difference.double() + difference;
    ProjectiveOn {
        x: FpOn::sum_of_products(&xy, &plus, &yz, &c),
        y: FpOn::sum_of_products(&d, &c, &minus, &plus),
        z: FpOn::sum_of_products(&yz, &minus, &xy, &-d),
    }
}

impl<E: LimbEngine> From<AffineOn<E>> for ProjectiveOn<E> {
    fn from(point: AffineOn<E>) -> Self {
        ProjectiveOn { x: point.x, y: point.y, z: FpOn::ONE }
    }
}

/// (0, 0), to fill memory with.
impl<E: LimbEngine> Default for AffineOn<E> {
    fn default() -> Self {
        AffineOn { x: FpOn::ZERO, y: FpOn::ZERO }
    }
}

impl<E: LimbEngine> ConstantTimeEq for AffineOn<E> {
    fn ct_eq(&self, other: &AffineOn<E>) -> Choice {
        self.x.ct_eq(&other.x) & self.y.ct_eq(&other.y)
    }
}

impl<E: LimbEngine> Zeroize for AffineOn<E> {
    fn zeroize(&mut self) {
        self.x.zeroize();
        self.y.zeroize();
    }
}

impl<E: LimbEngine> Zeroize for ProjectiveOn<E> {
    fn zeroize(&mut self) {
        self.x.zeroize();
        self.y.zeroize();
        self.z.zeroize();
    }
}

/// Shows only the type, since a point may be a secret key.
impl<E: LimbEngine> fmt::Debug for AffineOn<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Affine")
    }
}

/// Shows only the type, since a point may be a secret key.
impl<E: LimbEngine> fmt::Debug for ProjectiveOn<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Projective")
    }
}

const P_X: [u64; 16] = [
    0x880d_c8ab_eae6_3895,
    0x80ec_46c4_967e_0979,
    0xee91_63a5_b63f_73ec,
    0xd5cf_b4cc_8072_8d87,
    0xa7c1_514d_ba66_910d,
    0xa702_c339_7a60_de74,
    0x337c_8654_8b72_f2e1,
    0x9760_af76_5dd5_bccb,
    0x718b_d9e7_406c_e890,
    0x43d5_f22c_db9d_fa55,
    0xab10_db90_30b0_9e10,
    0xb5ed_b6c0_f6ce_2308,
    0x98b2_f204_b6ff_7cbf,
    0x2b1a_2fd6_0aec_69c6,
    0x0a79_9005_3ed9_b52a,
    0x53fc_09ee_332c_29ad,
];

const P_Y: [u64; 16] = [
    0x7557_3fd7_1bef_16d7,
    0xadb9_b570_6a67_dcde,
    0x80bd_ad5a_d5bb_4636,
    0x1351_5ad7_e9cb_99a9,
    0x492d_979f_c5a4_d5f2,
    0xac6f_1e80_164a_a989,
    0xcad6_96b5_b765_2fe0,
    0x70da_e117_ad54_7c6c,
    0x416c_ff0c_a9e0_32b9,
    0x6b59_8ccf_9a14_0b2e,
    0xe7f7_f5e5_f0de_55f6,
    0xf5ea_69f4_654e_c2b9,
    0x3d77_8d82_1e14_1178,
    0xd3e8_2016_0299_0696,
    0xf9f1_f053_3634_a135,
    0x0a82_4906_3f60_09f1,
];
