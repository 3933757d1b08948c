//! Checks against RustCrypto's `p256`.

use num_bigint::BigUint;
use p256::elliptic_curve::sec1::ToSec1Point;
use p256::elliptic_curve::{Group, PrimeField};
use proptest::prelude::*;
use subtle::ConstantTimeEq;

use super::extended::Extended;
use super::fixed_base::FixedBase;
use super::*;
use crate::arith::Modulus;
use crate::arith::backend::{LimbEngine, Portable, on_each};

type OraclePoint = p256::ProjectivePoint;

fn scalar(bytes: &[u8; BYTES]) -> (Scalar, p256::Scalar) {
    let ours = Scalar::from_be_bytes_mod(bytes).unwrap();
    let mut reduced = [0; BYTES];
    ours.write_be_bytes(&mut reduced);
    (ours, p256::Scalar::from_repr(reduced.into()).unwrap())
}

/// The encoding of a point, `None` for infinity.
fn encoding(point: &Jacobian) -> Option<Vec<u8>> {
    affine_encoding(point.to_affine())
}

fn affine_encoding(point: Option<Affine>) -> Option<Vec<u8>> {
    point.map(|point| point.to_bytes().to_vec())
}

/// `[k]G`.
fn multiple(k: u64) -> Affine {
    multiply_generator(&Scalar::from_u64(k)).unwrap()
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
    let mut numbers: Vec<BigUint> = (0..70u8).map(BigUint::from).collect();
    numbers.extend((1..70u8).map(|i| &q - i));
    for bit in (5..256).step_by(5).chain([252, 254]) {
        numbers.extend([(&one << bit) - 1u8, &one << bit, (&one << bit) + 1u8]);
    }
    // Where the sum of all windows but the highest is the multiple that the highest one adds, modulo q; and its opposite.
    let doubled = (BigUint::from(30u8) << 252) - &q;
    numbers.extend([&q - &doubled, doubled]);
    // Where the digits of a sum of eight that begins with the lowest have the value of all others modulo q: the digits of
    // four signs of q, with the sign of every eighth changed.
    let signs = (&q >> 1) + (&one << 255);
    let eighths = (0..64).step_by(8).map(|i| ((&signs >> (4 * i)) % 16u8, i));
    let (plus, minus) = eighths.fold((BigUint::ZERO, BigUint::ZERO), |(plus, minus), (bits, i)| {
        (plus + ((bits * 2u8) << (4 * i)), minus + (BigUint::from(15u8) << (4 * i)))
    });
    let changed = &q + &minus + &minus - &plus - &plus;
    numbers.extend([&q - &changed % &q, changed % &q]);
    numbers.extend([(&one << 256) - &q, &q >> 1, (&q >> 1) + 1u8]);
    for window in [1u8, 31, 32, 33, 63] {
        numbers.push((0..43).fold(BigUint::ZERO, |sum, _| (sum << 6) + window));
    }
    numbers.into_iter().filter(|number| number < &q).map(|number| to_bytes(&number)).collect()
}

/// `[k]B`, from the tables for secret scalars.
fn multiply<E: LimbEngine>(base: &Affine, scalar: &Scalar) -> Option<Vec<u8>> {
    let multiple = FixedBase::<E>::new(&base.convert()).multiply(scalar);
    affine_encoding(Extended::to_affine_all(&[multiple])[0].map(|point| point.convert()))
}

#[test]
fn generator_is_that_of_the_oracle() {
    assert_eq!(Some(Affine::generator().to_bytes().to_vec()), oracle_encoding(&OraclePoint::GENERATOR));
}

#[test]
fn generator_multiples_agree_with_the_oracle_at_the_edges() {
    let edges: Vec<_> = edge_scalars().iter().map(scalar).collect();
    let scalars: Vec<_> = edges.iter().map(|(scalar, _)| *scalar).collect();
    on_each(|backend| {
        let multiples = multiply_generator_batch(&scalars);
        for ((k, oracle_k), multiple) in edges.iter().zip(multiples.iter()) {
            let expected = oracle_encoding(&(OraclePoint::GENERATOR * oracle_k));
            assert_eq!(affine_encoding(multiply_generator(k)), expected, "{oracle_k:?} with {}", backend.name());
            assert_eq!(affine_encoding(*multiple), expected, "{oracle_k:?} with {}", backend.name());
        }
        for count in 0..20 {
            let expected: Vec<_> = scalars[..count].iter().map(multiply_generator).collect();
            assert_eq!(*multiply_generator_batch(&scalars[..count]), expected, "{count}");
        }
    });
}

#[test]
fn public_sums_agree_with_the_oracle_at_the_edges() {
    let [base, other] = [0xdead_beef_u64, 0xbeef_dead].map(|k| OraclePoint::GENERATOR * p256::Scalar::from(k));
    let other_point = affine(&other);
    let edges = edge_scalars();
    let (middle, last) = (edges.len() / 2, edges.len() - 1);
    on_each(|_| {
        let short = PublicBase::for_sums_with_generator(&affine(&base));
        let long = PublicBase::for_sums_with_others(&affine(&base));
        let (mut summands, mut expected) = (Vec::new(), Vec::new());
        for (i, first) in edges.iter().enumerate() {
            let [a, b, c] = [first, &edges[last - i], &edges[(i + middle) % edges.len()]].map(scalar);
            let two = OraclePoint::GENERATOR * a.1 + base * b.1;
            assert_eq!(encoding(&short.sum_vartime(&a.0, &b.0)), oracle_encoding(&two));
            assert_eq!(encoding(&long.sum_vartime(&a.0, &b.0)), oracle_encoding(&two));
            summands.push(Summands { generator: a.0, base: b.0, other: c.0, other_point });
            expected.push(oracle_encoding(&(two + other * c.1)));
        }
        let sums: Vec<_> = long.sums_vartime(&summands).iter().map(encoding).collect();
        assert_eq!(sums, expected);
        let sums: Vec<_> = short.sums_vartime(&summands[..9]).iter().map(encoding).collect();
        assert_eq!(sums, expected[..9]);
        for count in 0..20 {
            let sums: Vec<_> = long.sums_vartime(&summands[..count]).iter().map(encoding).collect();
            assert_eq!(sums, expected[..count], "{count}");
        }
    });
}

#[test]
fn public_sums_pass_through_infinity_and_equal_points() {
    let g = Affine::generator();
    let [one, two] = [1, 2].map(Scalar::from_u64);
    on_each(|_| {
        let bases = [PublicBase::for_sums_with_others, PublicBase::for_sums_with_generator];
        for (same, opposite) in bases.map(|base| (base(&g), base(&g.negate()))) {
            assert_eq!(encoding(&opposite.sum_vartime(&two, &two)), None);
            assert_eq!(encoding(&same.sum_vartime(&one, &one)), oracle_encoding(&OraclePoint::GENERATOR.double()));
            assert_eq!(encoding(&same.sum_vartime(&Scalar::ZERO, &Scalar::ZERO)), None);
            let resumed = || Summands { generator: two, base: two, other: one, other_point: g };
            for sums in [opposite.sums_vartime(&[resumed()]), opposite.sums_vartime(&[(); 9].map(|()| resumed()))] {
                assert!(sums.iter().all(|sum| encoding(sum) == Some(g.to_bytes().to_vec())));
            }
        }
    });
}

#[test]
fn additions_are_complete() {
    let g = Affine::generator();
    let seven = multiple(7);
    let (point, opposite) = (Jacobian::from(seven), Jacobian::from(seven.negate()));
    let twice = oracle_encoding(&(OraclePoint::GENERATOR * p256::Scalar::from(14u64)));

    assert_eq!(encoding(&point.double()), twice);
    assert_eq!(encoding(&point.add_affine_vartime(&seven)), twice);
    assert_eq!(encoding(&opposite.add_affine_vartime(&seven)), None);
    assert_eq!(encoding(&Jacobian::INFINITY.double()), None);
    assert_eq!(encoding(&Jacobian::INFINITY.add_affine_vartime(&g)), Some(g.to_bytes().to_vec()));
}

#[test]
fn odd_multiples_are_odd_multiples() {
    let three = Jacobian::from(Affine::generator()).double().add_affine_vartime(&Affine::generator());
    for (odd_multiple, k) in three.odd_multiples_vartime().take(20).zip((1..).step_by(2)) {
        assert_eq!(encoding(&odd_multiple), affine_encoding(Some(multiple(3 * k))));
    }
}

#[test]
fn equality_sees_through_scaling_signs_and_infinity() {
    let point = Jacobian::from(multiple(5));
    let g = Affine::generator();
    let scaled = point.add_affine_vartime(&g).add_affine_vartime(&g.negate());
    let opposite = Jacobian::from(point.to_affine().unwrap().negate());
    let infinity = Affine::generator().negate();
    let infinity = Jacobian::from(Affine::generator()).add_affine_vartime(&infinity);
    assert!(bool::from(point.ct_eq(&scaled)));
    assert!(!bool::from(point.ct_eq(&opposite)));
    assert!(!bool::from(point.ct_eq(&Jacobian::INFINITY)));
    assert!(!bool::from(Jacobian::INFINITY.ct_eq(&point)));
    assert!(bool::from(infinity.ct_eq(&Jacobian::INFINITY)));
    assert!(bool::from(opposite.has_x(point.to_affine().unwrap().x())));
    assert!(!bool::from(point.has_x(Affine::generator().x())));
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
        prop_assert_eq!(multiply::<Portable>(&ours, &a), oracle_encoding(&(base * oracle_a)));
        let two = OraclePoint::GENERATOR * oracle_a + base * oracle_b;
        let expected = [oracle_encoding(&two), oracle_encoding(&(two + second * oracle_c))];
        on_each(|_| {
            let multiple = affine_encoding(multiply_generator(&b));
            assert_eq!(multiple, oracle_encoding(&(OraclePoint::GENERATOR * oracle_b)));
            let summands = Summands { generator: a, base: b, other: c, other_point: affine(&second) };
            let sums = [
                PublicBase::for_sums_with_generator(&ours).sum_vartime(&a, &b),
                PublicBase::for_sums_with_others(&ours).sums_vartime(&[summands])[0],
            ];
            assert_eq!(sums.map(|sum| encoding(&sum)), expected);
        });
    }

    #[test]
    fn additions_agree_with_the_oracle(a in any::<[u8; BYTES]>(), b in any::<[u8; BYTES]>()) {
        let ((a, oracle_a), (b, oracle_b)) = (scalar(&a), scalar(&b));
        let (a, b) = [a, b].map(|scalar| multiply_generator(&scalar).map_or(Jacobian::INFINITY, Jacobian::from)).into();
        let (oracle_a, oracle_b) = (OraclePoint::GENERATOR * oracle_a, OraclePoint::GENERATOR * oracle_b);
        let sum = oracle_encoding(&(oracle_a + oracle_b));
        prop_assert_eq!(encoding(&a.add_affine_vartime(&b.to_affine().unwrap())), sum);
        prop_assert_eq!(encoding(&a.double()), oracle_encoding(&oracle_a.double()));
    }

    #[test]
    fn encodings_round_trip(k in any::<[u8; BYTES]>()) {
        let point = multiply_generator(&scalar(&k).0).unwrap();
        prop_assert_eq!(Affine::from_bytes(&point.to_bytes()), Ok(point));
    }
}
