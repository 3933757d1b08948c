//! Eight points of P-256 side by side. Behind each number stands the multiple of p that it is below; a number with factors
//! below a p and b p is below (a b / 16 + 1) p.

use core::arch::x86_64::{__m512i, __mmask8};

use zeroize::Zeroize;

use super::super::lanes::LANES;
use super::lanes::Lanes;
use crate::arith::backend::bmi2::Bmi2;
use crate::arith::p256::{Affine, Extended, Jacobian};

/// Points other than infinity. Both coordinates are below 2 p.
#[derive(Clone, Copy)]
pub struct AffineLanes {
    pub x: Lanes,
    pub y: Lanes,
}

/// What an addition needs of the differences of coordinates.
struct Chord {
    x: Lanes,
    y: Lanes,
    hh: Lanes,
    hhh: Lanes,
}

impl AffineLanes {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn from_affine(points: [&Affine; LANES]) -> AffineLanes {
        AffineLanes {
            x: Lanes::from_fp(points.map(|point| point.x())),
            y: Lanes::from_fp(points.map(|point| point.y())),
        }
    }

    /// The opposite points in the lanes that the mask names.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn negate_lanes(&self, mask: __mmask8) -> AffineLanes {
        AffineLanes { x: self.x, y: self.y.negate_lanes(mask) }
    }

    /// Lane i of the result is lane `index[i]` mod 16 of both, which are taken as 16 lanes.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn permute_two(a: &AffineLanes, b: &AffineLanes, index: __m512i) -> AffineLanes {
        AffineLanes { x: Lanes::permute_two(&a.x, &b.x, index), y: Lanes::permute_two(&a.y, &b.y, index) }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn select(a: &AffineLanes, b: &AffineLanes, mask: __mmask8) -> AffineLanes {
        AffineLanes { x: Lanes::select(&a.x, &b.x, mask), y: Lanes::select(&a.y, &b.y, mask) }
    }
}

/// The third points of the lines through two points each, mirrored, from x < 2, y < 2.4 and the differences h < 3.3,
/// r < 4.3: x < 1.01, y < 2.2, hh < 1.7, hhh < 1.4.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[inline]
fn chord(x: &Lanes, y: &Lanes, h: &Lanes, r: &Lanes) -> Chord {
    let hh = h.square();
    let v = x.multiply(&hh); // < 1.3
    let hhh = hh.multiply(h);
    let third_x = Lanes::difference_reduced::<1, 4>(&r.square(), &hhh, &v);
    let third_y = Lanes::sum_of_products(r, &v.subtract::<2>(&third_x), &y.negative::<0, 3>(), &hhh);
    Chord { x: third_x, y: third_y, hh, hhh }
}

/// Points in extended Jacobian coordinates, as in `p256::extended`: x < 2, y < 2.4, zz < 2, zzz < 2.
#[derive(Clone, Copy)]
pub struct ExtendedLanes {
    x: Lanes,
    y: Lanes,
    zz: Lanes,
    zzz: Lanes,
}

impl ExtendedLanes {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn from_affine(points: &AffineLanes) -> ExtendedLanes {
        ExtendedLanes { x: points.x, y: points.y, zz: Lanes::one(), zzz: Lanes::one() }
    }

    /// The sums with points that are not these points, in constant time.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn add_different(&self, other: &AffineLanes) -> ExtendedLanes {
        let (h, r) = self.differences(other);
        self.add_with(&h, &r)
    }

    /// The sums with any points, in constant time.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn add(&self, other: &AffineLanes) -> ExtendedLanes {
        let (h, r) = self.differences(other);
        // r may be 4 p.
        let same = h.zero_lanes() & Lanes::difference_reduced::<0, 0>(&r, &Lanes::zero(), &Lanes::zero()).zero_lanes();
        ExtendedLanes::select(&self.add_with(&h, &r), &ExtendedLanes::twice(other), same)
    }

    /// The points one by one.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn to_points(self) -> [Extended<Bmi2>; LANES] {
        let [x, y, zz, zzz] = [self.x, self.y, self.zz, self.zzz].map(|lanes| lanes.to_fp());
        core::array::from_fn(|i| Extended::new(x[i].convert(), y[i].convert(), zz[i].convert(), zzz[i].convert()))
    }

    /// Both coordinates of the other points, scaled as these points' are, less these points'.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn differences(&self, other: &AffineLanes) -> (Lanes, Lanes) {
        (other.x.multiply(&self.zz).subtract::<2>(&self.x), other.y.multiply(&self.zzz).subtract::<3>(&self.y))
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn add_with(&self, h: &Lanes, r: &Lanes) -> ExtendedLanes {
        let Chord { x, y, hh, hhh } = chord(&self.x, &self.y, h, r);
        ExtendedLanes { x, y, zz: self.zz.multiply(&hh), zzz: self.zzz.multiply(&hhh) }
    }

    /// Twice affine points.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn twice(points: &AffineLanes) -> ExtendedLanes {
        let u = points.y.add(&points.y); // < 4
        let v = u.square(); // < 2
        let w = u.multiply(&v); // < 1.5
        let s = points.x.multiply(&v); // < 1.3
        let m = points.x.square().subtract::<2>(&Lanes::one()).triple_reduced();
        let x = Lanes::difference_reduced::<1, 4>(&m.square(), &Lanes::zero(), &s);
        let y = Lanes::sum_of_products(&m, &s.subtract::<2>(&x), &points.y.negative::<0, 2>(), &w);
        ExtendedLanes { x, y, zz: v, zzz: w }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn select(a: &ExtendedLanes, b: &ExtendedLanes, mask: __mmask8) -> ExtendedLanes {
        ExtendedLanes {
            x: Lanes::select(&a.x, &b.x, mask),
            y: Lanes::select(&a.y, &b.y, mask),
            zz: Lanes::select(&a.zz, &b.zz, mask),
            zzz: Lanes::select(&a.zzz, &b.zzz, mask),
        }
    }
}

impl Zeroize for ExtendedLanes {
    fn zeroize(&mut self) {
        self.x.zeroize();
        self.y.zeroize();
        self.zz.zeroize();
        self.zzz.zeroize();
    }
}

/// Points in Jacobian coordinates: x < 2, y < 2.4, z < 2.
///
/// Once z is 0 in a lane, be it that the lane's point was infinity or that a formula did not hold, it stays 0.
#[derive(Clone, Copy)]
pub struct JacobianLanes {
    pub x: Lanes,
    pub y: Lanes,
    pub z: Lanes,
}

impl JacobianLanes {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn from_affine(points: &AffineLanes) -> JacobianLanes {
        JacobianLanes { x: points.x, y: points.y, z: Lanes::one() }
    }

    /// Twice the points, for x < 1.2.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn double(&self) -> JacobianLanes {
        let delta = self.z.square(); // < 1.3
        let product = self.x.subtract::<2>(&delta).multiply(&self.x.add(&delta)); // < 1.5
        let gamma = self.y.square(); // < 1.4
        let alpha = product.triple_reduced();
        let beta = self.x.multiply(&gamma); // < 1.1
        let x = alpha.square().less_eight_times_reduced::<9>(&beta);
        let z = self.y.add(&self.y).multiply(&self.z); // < 1.6
        let y = Lanes::sum_of_products(&alpha, &beta.four_times_less::<2>(&x), &gamma.negative::<3, 11>(), &gamma);
        JacobianLanes { x, y, z }
    }

    /// The sums with other points; z becomes 0 where the points are equal or opposite.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    pub fn add_different(&self, other: &AffineLanes) -> JacobianLanes {
        let zz = self.z.square(); // < 1.3
        let h = other.x.multiply(&zz).subtract::<2>(&self.x);
        let r = other.y.multiply(&zz.multiply(&self.z)).subtract::<3>(&self.y);
        let Chord { x, y, .. } = chord(&self.x, &self.y, &h, &r);
        JacobianLanes { x, y, z: self.z.multiply(&h) }
    }

    /// The points one by one.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn to_points(self) -> [Jacobian; LANES] {
        let [x, y, z] = [self.x, self.y, self.z].map(|lanes| lanes.to_fp());
        core::array::from_fn(|i| Jacobian::new(x[i], y[i], z[i]))
    }
}
