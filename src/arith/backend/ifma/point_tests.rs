//! Points and pairing values against multiples of P and powers of g.

use proptest::prelude::*;
use subtle::ConstantTimeEq;

use super::few_points::FewPoints;
use super::inversion::invert_all;
use super::is_available;
use super::lanes::{LANES, Lanes};
use super::point::{AffinePoints, Points};
use super::tests::{eight, element};
use super::value::{FewValues, Values};
use crate::arith::supersingular::{Affine, Fp, PairingValue, Scalar, multiply_generator};

/// k of `[k]P`: small ones, so that points are the same or opposite often.
fn small() -> impl Strategy<Value = [i64; LANES]> {
    proptest::collection::vec(-3..4i64, LANES).prop_map(|multiples| core::array::from_fn(|i| multiples[i]))
}

fn nonzero() -> impl Strategy<Value = [Fp; LANES]> {
    eight().prop_map(|numbers| numbers.map(|number| if number == Fp::ZERO { Fp::ONE } else { number }))
}

/// `[k]P`; `None` for infinity.
fn multiple(k: i64) -> Option<Affine> {
    let scalar = Scalar::from_u64(k.unsigned_abs());
    multiply_generator(&if k < 0 { -scalar } else { scalar })
}

/// `[k]P`, or P for infinity.
fn finite(k: i64) -> Affine {
    multiple(k).unwrap_or(Affine::generator())
}

/// Every point with a denominator of its own.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn points(multiples: &[i64; LANES], z: &[Fp; LANES]) -> Points {
    let coordinates: [[Fp; 3]; LANES] = core::array::from_fn(|i| match multiple(multiples[i]) {
        Some(point) => [point.x * z[i], point.y * z[i], z[i]],
        None => [Fp::ZERO, z[i], Fp::ZERO],
    });
    let [x, y, z] = [0, 1, 2].map(|c| Lanes::from_fp(coordinates.each_ref().map(|point| &point[c])));
    Points { x, y, z }
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn affine_points(multiples: &[i64; LANES]) -> AffinePoints {
    let finite = multiples.map(finite);
    AffinePoints {
        x: Lanes::from_fp(finite.each_ref().map(|point| &point.x)),
        y: Lanes::from_fp(finite.each_ref().map(|point| &point.y)),
    }
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn are(points: &Points, expected: [i64; LANES]) -> bool {
    let (x, y, z) = (points.x.to_fp(), points.y.to_fp(), points.z.to_fp());
    (0..LANES).all(|i| is([x[i], y[i], z[i]], expected[i]))
}

fn is([x, y, z]: [Fp; 3], expected: i64) -> bool {
    match multiple(expected) {
        Some(point) => z != Fp::ZERO && x == point.x * z && y == point.y * z,
        None => z == Fp::ZERO && x == Fp::ZERO && y != Fp::ZERO,
    }
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn points_add_up(a: &[i64; LANES], b: &[i64; LANES], z: &[Fp; LANES]) {
    let finite = |multiples: &[i64; LANES]| multiples.map(|k| if k == 0 { 1 } else { k });
    let (a_finite, b_finite) = (finite(a), finite(b));
    let sums = |a: &[i64; LANES], b: &[i64; LANES]| core::array::from_fn(|i| a[i] + b[i]);
    let (left, right) = (points(a, z), points(b, &z.map(|z| z.square())));
    let (left_affine, right_affine) = (affine_points(a), affine_points(b));
    assert!(are(&left.add(&right), sums(a, b)));
    assert!(are(&left.double(), sums(a, a)));
    assert!(are(&left.add_affine(&right_affine), sums(a, &b_finite)));
    assert!(are(&left_affine.add(&right_affine), sums(&a_finite, &b_finite)));
    assert!(are(&left_affine.add(&right_affine.negate()), sums(&a_finite, &b_finite.map(|k| -k))));
    assert!(are(&AffinePoints::sum(&[left_affine]), a_finite));
    let all = [left_affine, right_affine, left_affine, left_affine];
    assert!(are(&AffinePoints::sum(&all), sums(&sums(&a_finite, &a_finite), &sums(&a_finite, &b_finite))));

    // Never the same nor opposite.
    let distinct = affine_points(&b_finite.map(|k| k + 7));
    let mut distances = [left_affine.distance(&distinct)];
    invert_all(&mut distances);
    let sum = AffinePoints::sum(&[left_affine.add_distinct(&distinct, &distances[0])]);
    assert!(are(&sum, sums(&a_finite, &b_finite.map(|k| k + 7))));

    for (i, j) in [(0, 1), (2, 7), (5, 4)] {
        let pick = |points| FewPoints::pick(points, [i as u64, j as u64]);
        let (left, right) = (pick(&left), pick(&right));
        for (which, lane) in [(0, i), (1, j)] {
            let few = |few: FewPoints<2>, expected| few_is(&few.single(which), expected);
            assert!(few(left.add(&right), a[lane] + b[lane]));
            assert!(few(left.double_times(2), 4 * a[lane]));
            let (left, right) = (left.single(which), right.single(which));
            assert!(few_is(&left.add(&right), a[lane] + b[lane]));
            assert!(few_is(&left.double_times(3), 8 * a[lane]));
        }
        let mixed = FewPoints::pick_each(&left, &right, 1);
        assert!(few_is(&mixed.single(0), a[j]) && few_is(&mixed.single(1), b[j]));
    }
    assert!(few_is(&FewPoints::from_affine(&self::finite(a[0])), a_finite[0]));
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn few_is(point: &FewPoints<1>, expected: i64) -> bool {
    let [x, y, z, ..] = point.coordinates().to_fp();
    is([x, y, z], expected)
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn values_multiply([a, b, c, d]: [&[Fp; LANES]; 4], u: &Fp) {
    let value = |re: &[Fp; LANES], im: &[Fp; LANES], i: usize| PairingValue { re: re[i], im: im[i] };
    let lanes = |re: &[Fp; LANES], im: &[Fp; LANES]| Values {
        re: Lanes::from_fp(re.each_ref()),
        im: Lanes::from_fp(im.each_ref()),
    };
    let are = |values: Values, expected: &dyn Fn(usize) -> PairingValue| {
        let (re, im) = (values.re.to_fp(), values.im.to_fp());
        (0..LANES).all(|i| re[i] == expected(i).re && im[i] == expected(i).im)
    };
    let (left, right) = (lanes(a, b), lanes(c, d));
    let representative = |u: &Fp| PairingValue { re: Fp::ONE, im: *u };
    let u_lanes = Lanes::from_fp([u; LANES]).reduced();
    assert!(are(left.multiply(&right), &|i| value(a, b, i).multiply(&value(c, d, i))));
    assert!(are(left.square(), &|i| value(a, b, i).square()));
    assert!(are(left.multiply_by_one_plus(&u_lanes), &|i| value(a, b, i).multiply(&representative(u))));
    let of_two = Values::of_two(&left.re.reduced(), &u_lanes);
    assert!(are(of_two, &|i| representative(&a[i]).multiply(&representative(u))));

    for odd in 0..2 {
        let (left, right) = (FewValues::pick_alternate(&left, odd), FewValues::pick_alternate(&right, odd));
        let (products, squares) = (left.multiply(&right), left.square_times(2));
        for which in 0..4 {
            let lane = 2 * which + odd as usize;
            let single = |values: &FewValues| values.alternate(which as u64 & 1).alternate(which as u64 >> 1).value();
            let is = |values: &FewValues, expected: PairingValue| {
                let value = single(values);
                value.re.convert() == expected.re && value.im.convert() == expected.im
            };
            assert!(is(&products, value(a, b, lane).multiply(&value(c, d, lane))));
            assert!(is(&squares, value(a, b, lane).square().square()));
        }
    }
    let first = value(a, b, 0);
    assert!(bool::from(FewValues::from_value(&first).value().re.convert().ct_eq(&first.re)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn points_add_up_as_multiples_do(a in small(), b in small(), z in nonzero()) {
        if is_available() {
            // SAFETY: the processor has the instructions.
            unsafe { points_add_up(&a, &b, &z) }
        }
    }

    #[test]
    fn values_multiply_as_the_portable_backend(a in eight(), b in eight(), c in eight(), d in eight(), u in element()) {
        if is_available() {
            // SAFETY: the processor has the instructions.
            unsafe { values_multiply([&a, &b, &c, &d], &u) }
        }
    }
}
