//! Lanes against big integers, up to the bounds that they may reach, and points against those of one lane.

use num_bigint::BigUint;
use proptest::prelude::*;
use subtle::ConstantTimeEq;

use super::super::{LANES, is_available};
use super::lanes::{LIMBS, Lanes, Limbs};
use super::point::{AffineLanes, ExtendedLanes, JacobianLanes};
use crate::arith::backend::tests::Numbers;
use crate::arith::p256::{Affine, Extended, Fp, Jacobian, P, Scalar, multiply_generator};
use crate::arith::residue::Modulus;

type Eight = [BigUint; LANES];

fn modulus() -> BigUint {
    <P>::LIMBS.iter().rev().fold(BigUint::ZERO, |sum, &limb| (sum << 64) + limb)
}

fn big(limbs: &Limbs) -> BigUint {
    limbs.iter().rev().fold(BigUint::ZERO, |sum, &limb| (sum << 52) + limb)
}

fn narrow(number: &BigUint) -> Limbs {
    let limb = |i: usize| (number >> (52 * i)) % (1u64 << 52);
    core::array::from_fn(|i| limb(i).try_into().unwrap())
}

/// Numbers below `bound` hundredths of p, in the form that lanes have: close to the ends of the range, to multiples of p, with
/// limbs at their ends, or any.
fn numbers(bound: u64) -> impl Strategy<Value = Eight> {
    let end = modulus() * bound / 100u8;
    let ends: Vec<BigUint> = (0..=bound / 100)
        .flat_map(|times| [modulus() * times, modulus() * times + 1u8, modulus() * times + modulus() - 1u8])
        .chain([&end - 1u8, &end - 2u8])
        .filter(|number| *number < end)
        .collect();
    let limb = prop_oneof![Just(0), Just((1 << 52) - 1), 0..1u64 << 52];
    let number = prop_oneof![
        proptest::sample::select(ends),
        proptest::collection::vec(limb, LIMBS)
            .prop_map(move |limbs| { big(&core::array::from_fn(|i| limbs[i])) % &end }),
    ];
    proptest::collection::vec(number, LANES).prop_map(|numbers| numbers.try_into().unwrap())
}

/// What a function of lanes gives, if the processor can run it: the expected numbers modulo p, below a bound in hundredths
/// of p, with limbs of 52 bits.
macro_rules! check {
    ([$($name:ident),*], $body:expr, $bound:expr, $expected:expr) => {{
        #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
        fn run($($name: &[Limbs; LANES]),*) -> [Limbs; LANES] {
            $(let $name = Lanes::gather($name);)*
            $body.scatter()
        }
        if is_available() {
            // SAFETY: the processor has the instructions.
            let found = unsafe { run($(&core::array::from_fn(|i| narrow(&$name[i]))),*) };
            for (i, found) in found.iter().enumerate() {
                prop_assert!(found.iter().all(|&limb| limb < 1 << 52), "{}", stringify!($body));
                prop_assert!(big(found) < modulus() * ($bound as u64) / 100u8, "{}", stringify!($body));
                prop_assert_eq!(big(found) % modulus(), $expected(i) % modulus(), "{}", stringify!($body));
            }
        }
    }};
}

/// a / R mod p.
fn reduced(a: BigUint) -> BigUint {
    let r: BigUint = BigUint::from(1u8) << 260;
    let r_inverse = r.modinv(&modulus()).unwrap();
    a * r_inverse % modulus()
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn products(a: &[Fp; LANES], b: &[Fp; LANES]) -> [[Fp; LANES]; 3] {
    let (a, b) = (Lanes::from_fp(a.each_ref()), Lanes::from_fp(b.each_ref()));
    [a.multiply(&b), a.square(), Lanes::sum_of_products(&a, &b, &b, &b)].map(|numbers| numbers.to_fp())
}

#[test]
fn multiplies_as_the_portable_backend_many_times() {
    if !is_available() {
        eprintln!("skipped: this processor lacks AVX-512 IFMA");
        return;
    }
    let mut numbers = Numbers(5);
    let mut eight = || [(); LANES].map(|()| Fp::from_montgomery(numbers.number_below(&<P>::LIMBS)));
    for _ in 0..50_000 {
        let (a, b) = (eight(), eight());
        // SAFETY: the processor has the instructions.
        let [product, square, sum] = unsafe { products(&a, &b) };
        for i in 0..LANES {
            assert_eq!(product[i], a[i] * b[i], "{:?} {:?}", a[i], b[i]);
            assert_eq!(square[i], a[i].square(), "{:?}", a[i]);
            assert_eq!(sum[i], a[i] * b[i] + b[i].square(), "{:?} {:?}", a[i], b[i]);
        }
    }
}

proptest! {
    #[test]
    fn products_are_right_and_within_bounds(
        a in numbers(430), b in numbers(640), c in numbers(1100), d in numbers(140), most in numbers(1500),
    ) {
        check!([a, b], a.multiply(&b), 100 * 430 * 640 / 160_000 + 100 + 1, |i: usize| reduced(&a[i] * &b[i]));
        check!([most], most.multiply(&most), 1507, |i: usize| reduced(&most[i] * &most[i]));
        check!([a], a.square(), 100 * 430 * 430 / 160_000 + 100 + 1, |i: usize| reduced(&a[i] * &a[i]));
        check!([most], most.square(), 1507, |i: usize| reduced(&most[i] * &most[i]));
        check!(
            [a, b, c, d],
            Lanes::sum_of_products(&a, &b, &c, &d),
            100 * (430 * 640 + 1100 * 140) / 160_000 + 100 + 1,
            |i: usize| reduced(&a[i] * &b[i] + &c[i] * &d[i])
        );
    }

    #[test]
    fn sums_are_right_and_within_bounds(a in numbers(220), b in numbers(190), c in numbers(150), d in numbers(500)) {
        let p = modulus;
        check!([a, b], a.add(&b), 410, |i: usize| &a[i] + &b[i]);
        check!([a, b], a.subtract::<2>(&b), 421, |i: usize| &a[i] + p() * 2u8 - &b[i]);
        check!([a, b], b.subtract::<3>(&a), 491, |i: usize| &b[i] + p() * 3u8 - &a[i]);
        check!([a], a.negative::<0, 3>(), 301, |i: usize| p() * 3u8 - &a[i]);
        check!([c], c.negative::<3, 12>(), 1201, |i: usize| p() * 12u8 - &c[i] * 8u8);
        check!([a, b], b.four_times_less::<3>(&a), 1061, |i: usize| &b[i] * 4u8 + p() * 3u8 - &a[i]);
        check!([d], d.triple_reduced(), 101, |i: usize| &d[i] * 3u8);
        check!([b, c], b.less_eight_times_reduced::<12>(&c), 101, |i: usize| &b[i] + p() * 12u8 - &c[i] * 8u8);
        check!(
            [a, b, c],
            Lanes::difference_reduced::<1, 5>(&a, &b, &c),
            101,
            |i: usize| &a[i] + p() * 5u8 - &b[i] - &c[i] * 2u8
        );
        check!([b], b.negate_lanes(0b1001_0110), 201, |i: usize| {
            if 0b1001_0110 >> i & 1 == 1 { p() * 2u8 - &b[i] } else { b[i].clone() }
        });
        check!([a, b], Lanes::select(&a, &b, 0b0101_1100), 220, |i: usize| {
            if 0b0101_1100 >> i & 1 == 1 { b[i].clone() } else { a[i].clone() }
        });
    }

    #[test]
    fn zeros_are_found(a in numbers(399)) {
        #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
        fn run(a: &[Limbs; LANES]) -> u8 {
            Lanes::gather(a).zero_lanes()
        }
        if is_available() {
            // SAFETY: the processor has the instructions.
            let found = unsafe { run(&core::array::from_fn(|i| narrow(&a[i]))) };
            for (i, a) in a.iter().enumerate() {
                prop_assert_eq!(found >> i & 1 == 1, a % modulus() == BigUint::ZERO);
            }
        }
    }

    #[test]
    fn elements_go_in_and_out(limbs in proptest::collection::vec(any::<[u64; 4]>(), LANES)) {
        #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
        fn run(elements: [&Fp; LANES]) -> [Fp; LANES] {
            Lanes::from_fp(elements).to_fp()
        }
        if is_available() {
            let elements: [Fp; LANES] = core::array::from_fn(|i| Fp::from_limbs_mod(&limbs[i]));
            // SAFETY: the processor has the instructions.
            let found = unsafe { run(elements.each_ref()) };
            prop_assert!(found == elements);
        }
    }
}

/// `[k]G`.
fn multiple(k: u64) -> Affine {
    multiply_generator(&Scalar::from_u64(k)).unwrap()
}

/// The numbers of eight points, and what is added to them: another point, the same, or the opposite one.
fn pairs() -> ([Affine; LANES], [Affine; LANES]) {
    let points: [Affine; LANES] = core::array::from_fn(|i| multiple(i as u64 + 2));
    let others = core::array::from_fn(|i| match i {
        3 => points[3],
        5 => points[5].negate(),
        _ => multiple(100 + i as u64),
    });
    (points, others)
}

#[test]
fn extended_points_are_added() {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn run(points: [&Affine; LANES], others: [&Affine; LANES]) -> [[Vec<Option<Affine>>; LANES]; 2] {
        let points = ExtendedLanes::from_affine(&AffineLanes::from_affine(points));
        let others = AffineLanes::from_affine(others);
        [points.add_different(&others), points.add(&others)].map(|sums| {
            sums.to_points()
                .map(|sum| Extended::to_affine_all(&[sum]).iter().map(|sum| sum.map(|sum| sum.convert())).collect())
        })
    }
    if !is_available() {
        return;
    }
    let (points, others) = pairs();
    // SAFETY: the processor has the instructions.
    let [different, any] = unsafe { run(points.each_ref(), others.each_ref()) };
    for i in 0..LANES {
        let expected = Jacobian::from(points[i]).add_affine_vartime(&others[i]).to_affine();
        assert_eq!(any[i], [expected], "{i}");
        assert_eq!(different[i], [expected.filter(|_| i != 3)], "{i}");
    }
}

#[test]
fn jacobian_points_are_added_and_doubled() {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn run(points: [&Affine; LANES], others: [&Affine; LANES]) -> [[Jacobian; LANES]; 4] {
        let points = JacobianLanes::from_affine(&AffineLanes::from_affine(points));
        let others = AffineLanes::from_affine(others);
        let sum = points.add_different(&others);
        [sum, points.double(), sum.double().double(), sum.double().add_different(&others)]
            .map(|points| points.to_points())
    }
    if !is_available() {
        return;
    }
    let (points, others) = pairs();
    // SAFETY: the processor has the instructions.
    let [sums, doubles, quadruples, resumed] = unsafe { run(points.each_ref(), others.each_ref()) };
    for i in 0..LANES {
        let point = Jacobian::from(points[i]);
        let sum = point.add_affine_vartime(&others[i]);
        assert!(bool::from(doubles[i].ct_eq(&point.double())));
        if [3, 5].contains(&i) {
            // Once infinity, for ever infinity.
            assert!([sums[i], quadruples[i], resumed[i]].iter().all(|point| point.is_infinity().into()));
        } else {
            assert!(bool::from(sums[i].ct_eq(&sum)));
            assert!(bool::from(quadruples[i].ct_eq(&sum.double().double())));
            assert!(bool::from(resumed[i].ct_eq(&sum.double().add_affine_vartime(&others[i]))));
        }
    }
}
