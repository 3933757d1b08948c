//! One or two points of E, their coordinates side by side.

use super::lanes::{LANES, Lanes, Term};
use super::point::Points;
use crate::arith::supersingular::{Affine, Fp};

/// N points, 1 or 2, in homogeneous coordinates below 4 p, N lanes a coordinate: X of all points, then Y, then Z. What
/// is in the other lanes has no meaning.
///
/// The products inside one addition are independent. So that takes two multiplications of eight lanes, or for two points
/// two and a sum of two products, where [`Points`] take 6 and 3.
#[derive(Clone, Copy)]
pub struct FewPoints<const N: usize>(Lanes);

/// The factors of the first six products, as sums of (x, y, z).
const FACTORS: [[i8; 3]; 6] = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1]];

impl<const N: usize> FewPoints<N> {
    const FACTORS_LOW: [Term; 2] = linear_map(N, &FACTORS);
    const FACTORS_HIGH: [Term; 2] = linear_map(N, FACTORS.split_at(LANES / 2).1);

    /// The sums, also of equal points: the formulas of `supersingular::point`, complete on the subgroup.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn add(&self, other: &FewPoints<N>) -> FewPoints<N> {
        Self::combine(|factors| {
            Lanes::mix(&self.0, &self.0, factors, 0).multiply(&Lanes::mix(&other.0, &other.0, factors, 0))
        })
    }

    /// Twice the points, `times` times.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn double_times(&self, times: usize) -> FewPoints<N> {
        let mut points = *self;
        for _ in 0..times {
            points = Self::combine(|factors| Lanes::mix(&points.0, &points.0, factors, 0).square());
        }
        points
    }

    /// The sums, from the products of factors.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn combine(product: impl Fn(&[Term; 2]) -> Lanes) -> FewPoints<N> {
        let low = product(&Self::FACTORS_LOW);
        if N == 1 {
            const FIRST: [Term; 4] = linear_map(1, &[XY, D, YZ, YZ, MINUS, XY]);
            const SECOND: [Term; 4] = linear_map(1, &[PLUS, C, MINUS, C, PLUS, MINUS_D]);
            let factor = |map| Lanes::mix(&low, &low, map, 12);
            let products = factor(&FIRST).multiply(&factor(&SECOND));
            return FewPoints(products.add(&products.permute([3, 4, 5, 0, 0, 0, 0, 0])));
        }
        const FIRST: [Term; 3] = linear_map(2, &[XY, D, YZ]);
        const SECOND: [Term; 4] = linear_map(2, &[PLUS, C, MINUS]);
        const THIRD: [Term; 4] = linear_map(2, &[YZ, MINUS, XY]);
        const FOURTH: [Term; 4] = linear_map(2, &[C, PLUS, MINUS_D]);
        let high = product(&Self::FACTORS_HIGH);
        FewPoints(Lanes::sum_of_products(
            &Lanes::mix(&low, &high, &FIRST, 12),
            &Lanes::mix(&low, &high, &SECOND, 12),
            &Lanes::mix(&low, &high, &THIRD, 12),
            &Lanes::mix(&low, &high, &FOURTH, 12),
        ))
    }
}

impl FewPoints<2> {
    /// Two of eight points.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn pick(points: &Points, [i, j]: [u64; 2]) -> FewPoints<2> {
        let (y_i, y_j) = (i + LANES as u64, j + LANES as u64);
        let xy = Lanes::permute_two(&points.x, &points.y, [i, j, y_i, y_j, 0, 0, 0, 0]);
        FewPoints(Lanes::permute_two(&xy, &points.z, [0, 1, 2, 3, y_i, y_j, 0, 0]))
    }

    /// One point of each of two pairs.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn pick_each(a: &FewPoints<2>, b: &FewPoints<2>, which: u64) -> FewPoints<2> {
        FewPoints(Lanes::permute_two(&a.0, &b.0, [0, 8, 2, 10, 4, 12, 0, 0].map(|lane| lane + which)))
    }

    /// One of the two points.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn single(&self, which: u64) -> FewPoints<1> {
        FewPoints(self.0.permute([0, 2, 4, 0, 0, 0, 0, 0].map(|lane| lane + which)))
    }
}

impl FewPoints<1> {
    /// A finite point.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn from_affine(point: &Affine) -> FewPoints<1> {
        let (x, y, z) = (&point.x, &point.y, &Fp::ONE);
        FewPoints(Lanes::from_fp([x, y, z, z, z, z, z, z]))
    }

    /// X, Y and Z in the first three lanes.
    pub fn coordinates(&self) -> Lanes {
        self.0
    }
}

/// A linear combination of (xx, yy, zz, (x+y)(x+y), (x+z)(x+z), (y+z)(y+z)).
type Row = [i8; 6];
const XY: Row = [-1, -1, 0, 1, 0, 0];
const YZ: Row = [0, -1, -1, 0, 0, 1];
const PLUS: Row = [-3, 1, -3, 0, 3, 0];
const MINUS: Row = [3, 1, 3, 0, -3, 0];
const C: Row = [3, 0, 9, 0, 0, 0];
const D: Row = [-3, 0, 3, 0, 0, 0];
const MINUS_D: Row = [3, 0, -3, 0, 0, 0];

/// The map that takes numbers of n lanes each to the combinations of them that `rows` give, of n lanes each, as far as
/// eight lanes go.
const fn linear_map<const IN: usize, const TERMS: usize>(n: usize, rows: &[[i8; IN]]) -> [Term; TERMS] {
    let mut map = [const { Term { from: [0; LANES], times: [0; LANES] } }; TERMS];
    let mut lane = 0;
    while lane < LANES && lane / n < rows.len() {
        let (mut column, mut term) = (0, 0);
        while column < IN {
            let times = rows[lane / n][column];
            if times != 0 {
                map[term].from[lane] = (n * column + lane % n) as u64;
                map[term].times[lane] = times as i64 as u64;
                term += 1;
            }
            column += 1;
        }
        lane += 1;
    }
    map
}
