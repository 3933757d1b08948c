//! Checks against RustCrypto's `p256`.

use num_bigint::BigUint;
use p256::elliptic_curve::sec1::ToSec1Point;
use p256::elliptic_curve::{Group, PrimeField};
use proptest::prelude::*;
use subtle::ConstantTimeEq;

use super::*;
use crate::arith::Modulus;

type OraclePoint = p256::ProjectivePoint;

fn scalar(bytes: &[u8; BYTES]) -> (Scalar, p256::Scalar) {
    let ours = Scalar::from_be_bytes_mod(bytes).unwrap();
    let mut reduced = [0; BYTES];
    ours.write_be_bytes(&mut reduced);
    (ours, p256::Scalar::from_repr(reduced.into()).unwrap())
}

/// The encoding of a point, `None` for infinity.
fn encoding(point: &Jacobian) -> Option<Vec<u8>> {
    point.to_affine().map(|point| point.to_bytes().to_vec())
}

fn oracle_encoding(point: &OraclePoint) -> Option<Vec<u8>> {
    (!bool::from(point.is_identity())).then(|| point.to_affine().to_sec1_point(false).as_bytes().to_vec())
}

fn affine(point: &OraclePoint) -> Affine {
    Affine::from_bytes(&oracle_encoding(point).unwrap()).unwrap()
}

fn big(limbs: &[u64]) -> BigUint {
    limbs.iter().rev().fold(BigUint::ZERO, |sum, &limb| (sum << 64) + limb)
}

fn to_bytes(number: &BigUint) -> [u8; BYTES] {
    let bytes = number.to_bytes_be();
    let mut out = [0; BYTES];
    out[BYTES - bytes.len()..].copy_from_slice(&bytes);
    out
}

/// Scalars at the ends of the range, at powers of two and around them, and those whose windows are all of one kind.
fn edge_scalars() -> Vec<[u8; BYTES]> {
    let q = big(&<Q>::LIMBS);
    let one = BigUint::from(1u8);
    let mut numbers: Vec<BigUint> = (0..40u8).map(BigUint::from).collect();
    numbers.extend((1..40u8).map(|i| &q - i));
    for bit in (5..256).step_by(5).chain([254, 255]) {
        numbers.extend([(&one << bit) - 1u8, &one << bit, (&one << bit) + 1u8]);
    }
    // The scalars for which S = ±D modulo q would need a value that no window takes.
    numbers.extend([(&one << 256) - &q, (&one << 257) - &q - &q, &q >> 1, (&q >> 1) + 1u8]);
    for window in [1u8, 15, 16, 17, 31] {
        numbers.push((0..51).fold(BigUint::ZERO, |sum, _| (sum << 5) + window));
    }
    numbers.into_iter().filter(|number| number < &q).map(|number| to_bytes(&number)).collect()
}

#[test]
fn generator_is_that_of_the_oracle() {
    assert_eq!(Some(Affine::generator().to_bytes().to_vec()), oracle_encoding(&OraclePoint::GENERATOR));
}

#[test]
fn fixed_base_agrees_with_the_oracle_at_the_edges() {
    let base = OraclePoint::GENERATOR * p256::Scalar::from(0x1234_5678_9abc_u64);
    let tables = FixedBase::new(&affine(&base));
    for bytes in edge_scalars() {
        let (k, oracle_k) = scalar(&bytes);
        assert_eq!(
            encoding(&generator_multiply(&k)),
            oracle_encoding(&(OraclePoint::GENERATOR * oracle_k)),
            "{bytes:02x?}"
        );
        assert_eq!(encoding(&tables.multiply(&k)), oracle_encoding(&(base * oracle_k)), "{bytes:02x?}");
    }
}

#[test]
fn multi_scalar_agrees_with_the_oracle_at_the_edges() {
    let base = OraclePoint::GENERATOR * p256::Scalar::from(0xdead_beef_u64);
    let (many, once) = (OddMultiples::many_times(&affine(&base)), OddMultiples::once(&affine(&base)));
    let edges = edge_scalars();
    for (first, second) in edges.iter().zip(edges.iter().rev()) {
        let ((a, oracle_a), (b, oracle_b)) = (scalar(first), scalar(second));
        let sum = multi_scalar_vartime([(generator_multiples(), &a), (&once, &b)]);
        assert_eq!(encoding(&sum), oracle_encoding(&(OraclePoint::GENERATOR * oracle_a + base * oracle_b)));
        assert_eq!(encoding(&multi_scalar_vartime([(&many, &a)])), oracle_encoding(&(base * oracle_a)));
    }
}

#[test]
fn multi_scalar_passes_through_infinity_and_equal_points() {
    let (one, two) = (Scalar::from_u64(1), Scalar::from_u64(2));
    let opposite = OddMultiples::once(&Affine::generator().negate());
    let same = OddMultiples::once(&Affine::generator());
    let cancelled = multi_scalar_vartime([(generator_multiples(), &two), (&opposite, &two)]);
    assert!(bool::from(cancelled.is_infinity()));
    let resumed = multi_scalar_vartime([(generator_multiples(), &two), (&opposite, &two), (&same, &one)]);
    assert_eq!(encoding(&resumed), Some(Affine::generator().to_bytes().to_vec()));
    let doubled = multi_scalar_vartime([(generator_multiples(), &one), (&same, &one)]);
    assert_eq!(encoding(&doubled), oracle_encoding(&OraclePoint::GENERATOR.double()));
}

#[test]
fn additions_are_complete() {
    let g = Affine::generator();
    let (point, opposite) = (generator_multiply(&Scalar::from_u64(7)), generator_multiply(&-Scalar::from_u64(7)));
    let seven = point.to_affine().unwrap();
    let twice = oracle_encoding(&(OraclePoint::GENERATOR * p256::Scalar::from(14u64)));

    assert_eq!(encoding(&point.double()), twice);
    assert_eq!(encoding(&point.add_vartime(&point)), twice);
    assert_eq!(encoding(&point.add_vartime(&seven.into())), twice);
    assert_eq!(encoding(&point.add_affine_vartime(&seven)), twice);
    assert_eq!(encoding(&point.add_vartime(&opposite)), None);
    assert_eq!(encoding(&opposite.add_affine_vartime(&seven)), None);

    assert_eq!(encoding(&Jacobian::INFINITY.double()), None);
    assert_eq!(encoding(&Jacobian::INFINITY.add_vartime(&Jacobian::INFINITY)), None);
    assert_eq!(encoding(&Jacobian::INFINITY.add_vartime(&point)), encoding(&point));
    assert_eq!(encoding(&point.add_vartime(&Jacobian::INFINITY)), encoding(&point));
    assert_eq!(encoding(&Jacobian::INFINITY.add_affine_vartime(&g)), Some(g.to_bytes().to_vec()));
}

#[test]
fn equality_sees_through_scaling_signs_and_infinity() {
    let point = generator_multiply(&Scalar::from_u64(5));
    let scaled = point.add_vartime(&Affine::generator().into()).add_affine_vartime(&Affine::generator().negate());
    let opposite = Jacobian::from(point.to_affine().unwrap().negate());
    let infinity = Affine::generator().negate();
    let infinity = Jacobian::from(Affine::generator()).add_affine_vartime(&infinity);
    assert!(bool::from(point.ct_eq(&scaled)));
    assert!(!bool::from(point.ct_eq(&opposite)));
    assert!(!bool::from(point.ct_eq(&Jacobian::INFINITY)));
    assert!(!bool::from(Jacobian::INFINITY.ct_eq(&point)));
    assert!(bool::from(infinity.ct_eq(&Jacobian::INFINITY)));
    assert!(bool::from(opposite.has_x(&point.to_affine().unwrap().x())));
    assert!(!bool::from(point.has_x(&Affine::generator().x())));
    assert!(!bool::from(Jacobian::INFINITY.has_x(&Fp::ZERO)));
}

#[test]
fn refused_encodings_name_their_reason() {
    let good = Affine::generator().to_bytes();
    let with = |change: &dyn Fn(&mut [u8])| {
        let mut bytes = good;
        change(&mut bytes);
        Affine::from_bytes(&bytes).unwrap_err()
    };
    assert_eq!(Affine::from_bytes(&[]), Err(PointError::Length(0)));
    assert_eq!(Affine::from_bytes(&[0]), Err(PointError::Infinity));
    assert_eq!(Affine::from_bytes(&good[..64]), Err(PointError::Length(64)));
    assert_eq!(Affine::from_bytes(&[&good[..], &[0]].concat()), Err(PointError::Length(66)));
    for form in [0, 2, 3, 6, 7, 255] {
        assert_eq!(with(&|bytes| bytes[0] = form), PointError::Form(form));
    }
    assert_eq!(with(&|bytes| bytes[64] ^= 1), PointError::NotOnCurve);
    assert_eq!(with(&|bytes| bytes[1..].fill(0)), PointError::NotOnCurve);
    // 5 + p and 5: the same number of F_p, but only one encoding of it.
    let p = big(&<P>::LIMBS);
    assert_eq!(with(&|bytes| bytes[1..33].copy_from_slice(&to_bytes(&(&p + 5u8)))), PointError::NotReduced);
    assert_eq!(with(&|bytes| bytes[33..].copy_from_slice(&to_bytes(&p))), PointError::NotReduced);
    assert_eq!(with(&|bytes| bytes[1..].fill(0xff)), PointError::NotReduced);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn multiplications_agree_with_the_oracle(
        a in any::<[u8; BYTES]>(), b in any::<[u8; BYTES]>(), c in any::<[u8; BYTES]>(), d in any::<[u8; BYTES]>(),
    ) {
        let ((_, base), (a, oracle_a), (b, oracle_b), (c, oracle_c)) = (scalar(&d), scalar(&a), scalar(&b), scalar(&c));
        let base = OraclePoint::GENERATOR * base;
        prop_assume!(!bool::from(base.is_identity()));
        let second = base.double() + OraclePoint::GENERATOR;
        let ours = affine(&base);
        prop_assert_eq!(encoding(&FixedBase::new(&ours).multiply(&a)), oracle_encoding(&(base * oracle_a)));
        prop_assert_eq!(encoding(&generator_multiply(&b)), oracle_encoding(&(OraclePoint::GENERATOR * oracle_b)));
        let sum = multi_scalar_vartime([
            (generator_multiples(), &a),
            (&OddMultiples::many_times(&ours), &b),
            (&OddMultiples::once(&affine(&second)), &c),
        ]);
        let expected = OraclePoint::GENERATOR * oracle_a + base * oracle_b + second * oracle_c;
        prop_assert_eq!(encoding(&sum), oracle_encoding(&expected));
    }

    #[test]
    fn additions_agree_with_the_oracle(a in any::<[u8; BYTES]>(), b in any::<[u8; BYTES]>()) {
        let ((a, oracle_a), (b, oracle_b)) = (scalar(&a), scalar(&b));
        let (a, b) = (generator_multiply(&a), generator_multiply(&b));
        let (oracle_a, oracle_b) = (OraclePoint::GENERATOR * oracle_a, OraclePoint::GENERATOR * oracle_b);
        let sum = oracle_encoding(&(oracle_a + oracle_b));
        prop_assert_eq!(encoding(&a.add_vartime(&b)), sum.clone());
        prop_assert_eq!(encoding(&a.add_affine_vartime(&b.to_affine().unwrap())), sum);
        prop_assert_eq!(encoding(&a.double()), oracle_encoding(&oracle_a.double()));
    }

    #[test]
    fn encodings_round_trip(k in any::<[u8; BYTES]>()) {
        let point = generator_multiply(&scalar(&k).0).to_affine().unwrap();
        prop_assert_eq!(Affine::from_bytes(&point.to_bytes()), Ok(point));
    }
}
