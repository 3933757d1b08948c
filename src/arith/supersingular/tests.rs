//! The curve and the pairing against textbook affine arithmetic on `num-bigint`.

use num_bigint::BigUint;
use proptest::prelude::*;
use std::sync::LazyLock;
use subtle::ConstantTimeEq;

use super::field::{P, Q};
use super::miller_steps::{Step, steps};
use super::point::ProjectiveOn;
use super::signed_digits::Layout;
use super::*;
use crate::arith::backend::{Portable, on_each};
use crate::arith::residue::Modulus;

static CHARACTERISTIC: LazyLock<BigUint> = LazyLock::new(|| number(&<P as Modulus<16>>::LIMBS));
static ORDER: LazyLock<BigUint> = LazyLock::new(|| number(&<Q as Modulus<16>>::LIMBS));

fn number(limbs: &[u64]) -> BigUint {
    limbs.iter().rev().fold(BigUint::ZERO, |value, &limb| (value << 64) + limb)
}

fn scalar(value: &BigUint) -> Scalar {
    Scalar::from_be_bytes(&value.to_bytes_be()).unwrap()
}

/// A finite point, or infinity, with coordinates as integers.
type Point = Option<(BigUint, BigUint)>;

fn point(affine: &Affine) -> Point {
    Some((number(&affine.x.to_limbs()), number(&affine.y.to_limbs())))
}

fn finite_or_infinity(affine: Option<Affine>) -> Point {
    affine.as_ref().and_then(point)
}

fn reference_point(projective: &ProjectiveOn<Portable>) -> Point {
    finite_or_infinity(ProjectiveOn::to_affine_all(&[*projective])[0])
}

fn reference_add(a: &Point, b: &Point) -> Point {
    let p = &*CHARACTERISTIC;
    let (Some((x1, y1)), Some((x2, y2))) = (a, b) else { return a.clone().or_else(|| b.clone()) };
    let slope = if x1 != x2 {
        (p + y2 - y1) * (p + x2 - x1).modinv(p).unwrap() % p
    } else if y1 == y2 && *y1 != BigUint::ZERO {
        (x1 * x1 * 3u32 + p - 3u32) * (y1 * 2u32).modinv(p).unwrap() % p
    } else {
        return None;
    };
    let x3 = (&slope * &slope + p + p - x1 - x2) % p;
    let y3 = (slope * (p + x1 - &x3) + p - y1) % p;
    Some((x3, y3))
}

fn reference_multiply(k: &BigUint, base: &Point) -> Point {
    (0..k.bits()).rev().fold(None, |sum, i| {
        let doubled = reference_add(&sum, &sum);
        if k.bit(i) { reference_add(&doubled, base) } else { doubled }
    })
}

/// 0, 1, 2, 3, q - 2, q - 1, and scalars whose limbs are all ones or have single bits.
fn edge_scalars() -> Vec<BigUint> {
    let q = &*ORDER;
    let one = || BigUint::from(1u32);
    let mut edges: Vec<BigUint> = (0u32..4).map(BigUint::from).collect();
    edges.extend([q - 2u32, q - 1u32, (one() << 1021) - 1u32, one() << 1021, q >> 1, (q >> 1) + 1u32]);
    edges.extend([63, 64, 65, 113, 114, 511, 512].map(|bits| one() << bits));
    edges.extend([64, 960, 1021].map(|bits| (one() << bits) - 1u32));
    edges
}

fn any_scalar() -> impl Strategy<Value = BigUint> {
    prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 128).prop_map(|octets| BigUint::from_bytes_be(&octets) % &*ORDER),
        1 => prop::sample::select(edge_scalars()),
    ]
}

/// n after the steps of Miller's loop from 1: one less than q, up to sign, since the last addition is left out.
#[test]
fn the_steps_of_the_loop_lead_to_the_order() {
    let end = steps().iter().fold(BigUint::from(1u32), |n, step| match step {
        Step::Double => n << 1,
        Step::Quadruple => n << 2,
        Step::QuadrupleAdd => (n << 2) + 1u32,
        Step::QuadrupleSubtract => (n << 2) - 1u32,
    });
    assert_eq!(end, &*ORDER + 1u32);
}

#[test]
fn multiples_by_edge_scalars_are_right() {
    let generator = point(&Affine::generator());
    for k in edge_scalars() {
        let expected = reference_multiply(&k, &generator);
        on_each(|backend| {
            assert_eq!(finite_or_infinity(multiply_generator(&scalar(&k))), expected, "{k} on {backend:?}");
        });
    }
}

#[test]
fn addition_is_complete_on_the_subgroup() {
    let finite = multiply_generator(&Scalar::from_u64(5)).unwrap();
    let identity = ProjectiveOn::<Portable>::IDENTITY;
    let a = identity.add_affine(&finite);
    assert_eq!(reference_point(&a), point(&finite));
    assert_eq!(reference_point(&a.add_affine(&finite.negate())), None);
    assert_eq!(reference_point(&identity.double()), None);
    let doubled = reference_add(&point(&finite), &point(&finite));
    assert_eq!(reference_point(&a.double()), doubled);
    assert_eq!(reference_point(&a.add_affine(&finite)), doubled);
}

/// No two points that the affine formulas add are the same or opposite: see the text at the head of the comb.
#[test]
fn no_addition_of_the_comb_is_exceptional() {
    let q = &*ORDER;
    let distance_to_a_multiple_of_q = |positive: BigUint, negative: BigUint| {
        let residue: BigUint = (positive + (q << 100) - negative) % q;
        residue.clone().min(q - residue)
    };
    for Layout { rows, teeth, tables } in [comb::LAYOUT, Layout::new(8, 6, 22)] {
        let (lowest, highest) = ((tables - 1) * teeth * rows, tables * teeth * rows - 1);
        let bit = |tooth: usize, row: usize| lowest + tooth * rows + row;
        // In a row: the lower tables together stay below the lowest tooth, and the highest is further than that from 0,
        // where bits below 1022 have any sign, the very last one is positive and the others are negative.
        for row in 0..rows {
            let free = (0..teeth).filter(|&tooth| bit(tooth, row) < 1022).count();
            for signs in 0..1 << free {
                let (mut positive, mut negative) = (BigUint::ZERO, BigUint::ZERO);
                for tooth in 0..teeth {
                    let is_positive = if tooth < free { signs >> tooth & 1 == 1 } else { bit(tooth, row) == highest };
                    (if is_positive { &mut positive } else { &mut negative }).set_bit(bit(tooth, row) as u64, true);
                }
                assert!(distance_to_a_multiple_of_q(positive, negative) > BigUint::from(1u32) << (lowest + 1));
            }
        }
        // While the highest table is built: no sum of some of its teeth is 0.
        for choice in 1..3usize.pow(teeth as u32) {
            let (mut positive, mut negative) = (BigUint::ZERO, BigUint::ZERO);
            for tooth in 0..teeth {
                match choice / 3usize.pow(tooth as u32) % 3 {
                    1 => positive.set_bit(bit(tooth, 0) as u64, true),
                    2 => negative.set_bit(bit(tooth, 0) as u64, true),
                    _ => {}
                }
            }
            assert_ne!(distance_to_a_multiple_of_q(positive, negative), BigUint::ZERO);
        }
    }
}

/// Batches of 0 to 20 and a large one, with scalars that are exceptional in one item and not in its neighbours.
#[test]
fn batches_give_what_single_operations_give() {
    let mut scalars: Vec<Scalar> = edge_scalars().iter().map(scalar).collect();
    scalars.extend((0..40).map(|i| scalar(&(&*ORDER / BigUint::from(3u32 + i)))).collect::<Vec<_>>());
    let pairs: Vec<[Scalar; 2]> = (0..scalars.len()).map(|i| [scalars[i], scalars[i * 7 % scalars.len()]]).collect();
    on_each(|backend| {
        // B is the opposite of P, so that equal scalars give infinity.
        let base = FixedBase::new(&Affine::generator().negate());
        let lines = MillerLines::new(&Affine::generator());
        let multiples: Vec<_> = scalars.iter().map(multiply_generator).collect();
        let sums: Vec<_> = pairs.iter().map(|[k, l]| base.multiply_with_generator(k, l)).collect();
        let commitments: Vec<_> = pairs.iter().map(|[k, l]| base.commit(k, l)).collect();
        assert!(sums.contains(&None) && multiples.contains(&None), "{backend:?}");
        let finite: Vec<Affine> = multiples.iter().flatten().copied().collect();
        let values: Vec<_> = finite.iter().map(|point| lines.pair(point)).collect();
        for count in (0..=20).chain([scalars.len()]) {
            assert_eq!(*multiply_generator_batch(&scalars[..count]), multiples[..count], "{count} on {backend:?}");
            assert_eq!(*base.multiply_with_generator_batch(&pairs[..count]), sums[..count], "{count} on {backend:?}");
            assert_eq!(*base.commit_batch(&pairs[..count]), commitments[..count], "{count} on {backend:?}");
            let count = count.min(finite.len());
            assert_eq!(*lines.pair_batch(&finite[..count]), values[..count], "{count} on {backend:?}");
        }
    });
}

/// A point with these coordinates, which reading might refuse.
fn affine((x, y): &(BigUint, BigUint)) -> Affine {
    let coordinate = |value: &BigUint| Fp::from_be_bytes(&value.to_bytes_be()).unwrap();
    Affine { x: coordinate(x), y: coordinate(y) }
}

/// A point of order 4: x² = -3 and y² = x³ - 3x = -6x. A square root of a square s is s^((p + 1) / 4) = s^q.
fn order_4() -> Point {
    let p = &*CHARACTERISTIC;
    let root = (p - 3u32).modpow(&ORDER, p);
    [root.clone(), p - root].into_iter().find_map(|x| {
        let square = (p - &x * 6u32 % p) % p;
        let y = square.modpow(&ORDER, p);
        (&y * &y % p == square).then_some((x, y))
    })
}

#[test]
fn points_of_every_order_are_told_from_the_subgroup() {
    let t = order_4();
    assert_eq!(reference_multiply(&BigUint::from(4u32), &t), None);
    let multiples_of_t: Vec<Point> = (0u32..4).map(|k| reference_multiply(&BigUint::from(k), &t)).collect();
    for k in [0u32, 1, 2, 3, 12345] {
        let of_order_q = reference_multiply(&BigUint::from(k), &point(&Affine::generator()));
        for (i, of_order_4) in multiples_of_t.iter().enumerate() {
            let Some(sum) = reference_add(&of_order_q, of_order_4) else { continue };
            let candidate = affine(&sum);
            on_each(|backend| {
                let in_subgroup = candidate.check_subgroup().is_ok();
                assert_eq!(in_subgroup, i == 0 && k != 0, "{k} P + {i} T on {backend:?}");
            });
        }
    }
}

/// A key of the scalar 5 under Z = [7]P, and what it becomes by adding points of order 2 and 4.
#[test]
fn a_key_is_accepted_for_its_scalar_in_the_subgroup_alone() {
    let z = multiply_generator(&Scalar::from_u64(7)).unwrap();
    let five = Scalar::from_u64(5);
    let key = multiply_generator(&Scalar::from_u64(12).invert()).unwrap();
    let t = order_4();
    let multiples_of_t = (1u32..4).map(|k| reference_multiply(&BigUint::from(k), &t));
    let outside: Vec<Affine> =
        multiples_of_t.map(|of_order_4| affine(&reference_add(&point(&key), &of_order_4).unwrap())).collect();
    on_each(|backend| {
        let lines = MillerLines::new(&z);
        assert!(lines.accepts_key(&five, &key), "{backend:?}");
        assert!(!lines.accepts_key(&-five, &key), "{backend:?}");
        assert!(!lines.accepts_key(&Scalar::ZERO, &key), "{backend:?}");
        assert!(!lines.accepts_key(&five, &key.negate()), "{backend:?}");
        assert!(!lines.accepts_key(&five, &z), "{backend:?}");
        assert!(!lines.accepts_key(&-Scalar::from_u64(7), &key), "[b]P + Z is infinity, {backend:?}");
        for key in &outside {
            assert!(!lines.accepts_key(&five, key), "{backend:?}");
        }
    });
}

#[test]
fn any_points_of_the_curve_are_told_from_the_subgroup() {
    let p = &*CHARACTERISTIC;
    let mut outside = 0;
    for x in 2u32..20 {
        let x = BigUint::from(x);
        let square = (&x * &x * &x + p - &x * 3u32) % p;
        let y = square.modpow(&ORDER, p);
        if &y * &y % p != square {
            continue;
        }
        let candidate = affine(&(x.clone(), y.clone()));
        let expected = reference_multiply(&ORDER, &Some((x, y))).is_none();
        outside += usize::from(!expected);
        on_each(|_| assert_eq!(candidate.check_subgroup().is_ok(), expected));
    }
    assert!(outside > 3, "three of four points of the curve are outside the subgroup");
}

#[test]
fn powers_by_edge_exponents_are_right() {
    let g = PairingValue::generator();
    for k in edge_scalars() {
        let expected = (0..k.bits()).rev().fold(PairingValue::ONE, |value, i| {
            let squared = value.square();
            if k.bit(i) { squared.multiply(&g) } else { squared }
        });
        on_each(|backend| {
            assert_eq!(power_generator(&scalar(&k)), expected.representative(), "{k} on {backend:?}");
        });
    }
}

#[test]
fn a_degenerate_pairing_value_equals_nothing() {
    let zero = PairingValue { re: Fp::ZERO, im: Fp::ZERO };
    assert!(!bool::from(zero.ct_eq(&zero)));
    assert!(!bool::from(zero.ct_eq(&PairingValue::ONE)));
}

#[test]
fn debug_shows_no_coordinates() {
    let lines = MillerLines::new(&Affine::generator());
    let shown = format!("{:?} {:?} {:?}", Affine::generator(), lines, PairingValue::generator());
    assert_eq!(shown, "Affine MillerLines PairingValue");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn multiples_are_right(k in any_scalar()) {
        let expected = reference_multiply(&k, &point(&Affine::generator()));
        on_each(|_| assert_eq!(finite_or_infinity(multiply_generator(&scalar(&k))), expected));
    }

    #[test]
    fn sums_of_multiples_are_right(a in any_scalar(), b in any_scalar(), c in any_scalar()) {
        prop_assume!(c != BigUint::ZERO);
        let expected = scalar(&((&a + &b * &c) % &*ORDER));
        let [a, b, c] = [a, b, c].map(|k| scalar(&k));
        on_each(|_| {
            let table = FixedBase::new(&multiply_generator(&c).unwrap());
            let sum = multiply_generator(&expected);
            assert_eq!(table.multiply_with_generator(&a, &b), sum);
            assert_eq!(table.commit(&a, &b), (sum, power_generator(&b)));
        });
    }

    #[test]
    fn the_pairing_is_bilinear_and_symmetric(a in any_scalar(), b in any_scalar()) {
        prop_assume!(a != BigUint::ZERO && b != BigUint::ZERO);
        let (a, b) = (scalar(&a), scalar(&b));
        on_each(|_| {
            let left = multiply_generator(&a).unwrap();
            let right = multiply_generator(&b).unwrap();
            let value = MillerLines::new(&left).pair(&right);
            assert_eq!(value, MillerLines::new(&right).pair(&left));
            assert_eq!(value, power_generator(&(a * b)));
        });
    }
}
