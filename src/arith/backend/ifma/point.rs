//! Eight points of E side by side.

use super::lanes::Lanes;
use zeroize::Zeroize;

/// Eight points in homogeneous coordinates, one a lane. Coordinates are below 3 p.
///
/// The formulas are those of `supersingular::point`, complete on the subgroup of order q.
#[derive(Clone, Copy)]
pub struct Points {
    pub x: Lanes,
    pub y: Lanes,
    pub z: Lanes,
}

/// Eight finite points, one a lane. Coordinates are below 3 p.
#[derive(Clone, Copy)]
pub struct AffinePoints {
    pub x: Lanes,
    pub y: Lanes,
}

/// What the formulas make of the products of coordinates: the sum is (a b + c d', d c + b e, ...) of these.
struct Combined {
    xy: Lanes,
    yz: Lanes,
    plus: Lanes,
    minus: Lanes,
    c: Lanes,
    d: Lanes,
    minus_d: Lanes,
}

impl Points {
    /// The sums, in 6 multiplications and 3 sums of two products.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn add(&self, other: &Points) -> Points {
        let xx = self.x.multiply(&other.x);
        let yy = self.y.multiply(&other.y);
        let zz = self.z.multiply(&other.z);
        let xy = self.x.add(&self.y).multiply(&other.x.add(&other.y));
        let xz = self.x.add(&self.z).multiply(&other.x.add(&other.z));
        let yz = self.y.add(&self.z).multiply(&other.y.add(&other.z));
        Combined {
            xy: Lanes::linear([(&xy, 1), (&xx, -1), (&yy, -1)], 4),
            yz: Lanes::linear([(&yz, 1), (&yy, -1), (&zz, -1)], 4),
            plus: Lanes::linear([(&yy, 1), (&xz, 3), (&xx, -3), (&zz, -3)], 12),
            minus: Lanes::linear([(&yy, 1), (&xz, -3), (&xx, 3), (&zz, 3)], 6),
            c: Lanes::linear([(&xx, 3), (&zz, 9)], 0),
            d: Lanes::linear([(&zz, 3), (&xx, -3)], 6),
            minus_d: Lanes::linear([(&xx, 3), (&zz, -3)], 6),
        }
        .finish()
    }

    /// The sums with finite points, in 5 multiplications and 3 sums of two products.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn add_affine(&self, other: &AffinePoints) -> Points {
        let xx = self.x.multiply(&other.x);
        let yy = self.y.multiply(&other.y);
        let xy = self.x.add(&self.y).multiply(&other.x.add(&other.y));
        let xz = self.z.multiply(&other.x);
        let yz = self.z.multiply(&other.y);
        Combined {
            xy: Lanes::linear([(&xy, 1), (&xx, -1), (&yy, -1)], 4),
            yz: yz.add(&self.y),
            plus: Lanes::linear([(&yy, 1), (&xz, 3), (&self.x, 3)], 0),
            minus: Lanes::linear([(&yy, 1), (&xz, -3), (&self.x, -3)], 15),
            c: Lanes::linear([(&xx, 3), (&self.z, 9)], 0),
            d: Lanes::linear([(&self.z, 3), (&xx, -3)], 6),
            minus_d: Lanes::linear([(&xx, 3), (&self.z, -3)], 9),
        }
        .finish()
    }

    /// Twice the points, in 3 multiplications, 3 squarings and 3 sums of two products.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn double(&self) -> Points {
        let xx = self.x.square();
        let yy = self.y.square();
        let zz = self.z.square();
        let xy = self.x.multiply(&self.y);
        let xz = self.x.multiply(&self.z);
        let yz = self.y.multiply(&self.z);
        Combined {
            xy: xy.double(),
            yz: yz.double(),
            plus: Lanes::linear([(&yy, 1), (&xz, 6)], 0),
            minus: Lanes::linear([(&yy, 1), (&xz, -6)], 12),
            c: Lanes::linear([(&xx, 3), (&zz, 9)], 0),
            d: Lanes::linear([(&zz, 3), (&xx, -3)], 6),
            minus_d: Lanes::linear([(&xx, 3), (&zz, -3)], 6),
        }
        .finish()
    }
}

impl AffinePoints {
    /// The opposite points.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn negate(&self) -> AffinePoints {
        AffinePoints { x: self.x, y: Lanes::linear([(&self.y, -1)], 3) }
    }

    /// x₂ - x₁, of which [`AffinePoints::add_distinct`] needs the inverse.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn distance(&self, other: &AffinePoints) -> Lanes {
        Lanes::linear([(&other.x, 1), (&self.x, -1)], 3)
    }

    /// The sums of points that are neither the same nor opposite, given 1 / (x₂ - x₁) below 2 p, in 2 multiplications and a
    /// squaring.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn add_distinct(&self, other: &AffinePoints, inverse: &Lanes) -> AffinePoints {
        let slope = Lanes::linear([(&other.y, 1), (&self.y, -1)], 3).multiply(inverse);
        let x = Lanes::linear_reduced([(&slope.square(), 1), (&self.x, -1), (&other.x, -1)], 6);
        let y = slope.multiply(&Lanes::linear([(&self.x, 1), (&x, -1)], 3));
        AffinePoints { x, y: Lanes::linear_reduced([(&y, 1), (&self.y, -1)], 3) }
    }

    /// The sum of all, at least one.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn sum(points: &[AffinePoints]) -> Points {
        match points {
            [first, second, others @ ..] => others.iter().fold(first.add(second), |sum, point| sum.add_affine(point)),
            _ => Points { x: points[0].x, y: points[0].y, z: Lanes::one() },
        }
    }

    /// The sums of finite points, in 3 multiplications and 3 sums of two products.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn add(&self, other: &AffinePoints) -> Points {
        let one = Lanes::one();
        let xx = self.x.multiply(&other.x);
        let yy = self.y.multiply(&other.y);
        let xy = self.x.add(&self.y).multiply(&other.x.add(&other.y));
        let xz = self.x.add(&other.x);
        Combined {
            xy: Lanes::linear([(&xy, 1), (&xx, -1), (&yy, -1)], 4),
            yz: self.y.add(&other.y),
            plus: Lanes::linear([(&yy, 1), (&xz, 3)], 0),
            minus: Lanes::linear([(&yy, 1), (&xz, -3)], 18),
            c: Lanes::linear([(&xx, 3), (&one, 9)], 0),
            d: Lanes::linear([(&one, 3), (&xx, -3)], 6),
            minus_d: Lanes::linear([(&xx, 3), (&one, -3)], 3),
        }
        .finish()
    }
}

impl Combined {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn finish(&self) -> Points {
        Points {
            x: Lanes::sum_of_products(&self.xy, &self.plus, &self.yz, &self.c),
            y: Lanes::sum_of_products(&self.d, &self.c, &self.minus, &self.plus),
            z: Lanes::sum_of_products(&self.yz, &self.minus, &self.xy, &self.minus_d),
        }
    }
}

impl Zeroize for Points {
    fn zeroize(&mut self) {
        self.x.zeroize();
        self.y.zeroize();
        self.z.zeroize();
    }
}

impl Zeroize for AffinePoints {
    fn zeroize(&mut self) {
        self.x.zeroize();
        self.y.zeroize();
    }
}
