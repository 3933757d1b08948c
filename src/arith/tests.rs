//! Properties of residues, of the portable backend and of inversion, for any modulus, against `num-bigint`.
//!
//! `residue_tests!(name, Residue type, limbs)` runs them all for one modulus.

use num_bigint::BigUint;
use proptest::prelude::*;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroize;

use super::backend::portable;
use super::{Modulus, Residue, invert_all, invert_all_vartime};

type Checked = Result<(), TestCaseError>;

fn big(limbs: &[u64]) -> BigUint {
    limbs.iter().rev().fold(BigUint::ZERO, |sum, &limb| (sum << 64) + limb)
}

fn limbs<const N: usize>(number: &BigUint) -> [u64; N] {
    let digits = number.to_u64_digits();
    assert!(digits.len() <= N);
    core::array::from_fn(|i| digits.get(i).copied().unwrap_or(0))
}

fn bytes_of<const N: usize>(number: &[u64; N]) -> Vec<u8> {
    number.iter().rev().flat_map(|limb| limb.to_be_bytes()).collect()
}

/// Numbers of N limbs, at or above m too: mostly those at which a carry, a borrow or a reduction is decided.
fn numbers<M: Modulus<N>, const N: usize>(_: Residue<M, N>) -> impl Strategy<Value = [u64; N]> {
    let m = big(&M::LIMBS);
    let edges: Vec<[u64; N]> = edges(&m, 64 * N).iter().map(limbs).collect();
    let limb = prop_oneof![Just(0), Just(u64::MAX), Just(1), any::<u64>()];
    prop_oneof![
        2 => proptest::sample::select(edges),
        2 => proptest::collection::vec(limb, N).prop_map(|limbs| core::array::from_fn(|i| limbs[i])),
        3 => proptest::collection::vec(any::<u64>(), N).prop_map(|limbs| core::array::from_fn(|i| limbs[i])),
    ]
}

/// The ends of the range, the modulus and its neighbours, its half, its complement, and powers of two.
fn edges(m: &BigUint, bits: usize) -> Vec<BigUint> {
    let one = BigUint::from(1u8);
    let end = &one << bits;
    let mut edges = vec![
        BigUint::ZERO,
        one.clone(),
        BigUint::from(2u8),
        m - 1u8,
        m.clone(),
        m + 1u8,
        m - 2u8,
        m >> 1,
        (m >> 1) + 1u8,
        &end - 1u8,
        &end - m,
        &end % m,
        (&end * &end) % m,
    ];
    edges.extend((1..bits).step_by(31).flat_map(|bit| [&one << bit, (&one << bit) - 1u8]));
    edges
}

fn check_constants<M: Modulus<N>, const N: usize>(_: Residue<M, N>) {
    let (m, r) = (big(&M::LIMBS), BigUint::from(1u8) << (64 * N));
    assert_eq!(M::LIMBS[0].wrapping_mul(M::N0), u64::MAX);
    assert_eq!(big(&M::R), &r % &m);
    assert_eq!(big(&M::R_SQUARED), &r * &r % &m);
    assert_eq!(big(&M::R_CUBED), &r * &r * &r % &m);
    assert_eq!(Residue::<M, N>::ZERO.to_limbs(), [0; N]);
    assert_eq!(Residue::<M, N>::ONE, Residue::from_u64(1));
    assert_eq!(Residue::<M, N>::default(), Residue::ZERO);
}

fn check_ring<M: Modulus<N>, const N: usize>(_: Residue<M, N>, [a, b, c, d]: [[u64; N]; 4]) -> Checked {
    let m = big(&M::LIMBS);
    let value = |residue: Residue<M, N>| big(&residue.to_limbs());
    let [x, y, z, w] = [a, b, c, d].map(|limbs| Residue::<M, N>::from_limbs_mod(&limbs));
    let [a, b, c, d] = [a, b, c, d].map(|limbs| big(&limbs) % &m);
    prop_assert_eq!(value(x), a.clone());
    prop_assert_eq!(value(x + y), (&a + &b) % &m);
    prop_assert_eq!(value(x - y), (&a + &m - &b) % &m);
    prop_assert_eq!(value(-x), (&m - &a) % &m);
    prop_assert_eq!(value(x * y), &a * &b % &m);
    prop_assert_eq!(value(x.square()), &a * &a % &m);
    prop_assert_eq!(value(x.double()), (&a + &a) % &m);
    prop_assert_eq!(value(Residue::sum_of_products(&x, &y, &z, &w)), (&a * &b + &c * &d) % &m);
    let three = Residue::sum_of_three_products([[&x, &y], [&z, &w], [&y, &w]]);
    prop_assert_eq!(value(three), (&a * &b + &c * &d + &b * &d) % &m);
    prop_assert_eq!(value(Residue::difference_of_products(&x, &y, &z, &w)), (&a * &b + (&m - &c) * &d) % &m);
    prop_assert_eq!(value(Residue::product_less_square(&x, &y, &z)), (&a * &b + (&m - &c) * &c) % &m);
    prop_assert_eq!(value(x.halve().double()), a.clone());
    let mut assigned = x;
    assigned += y;
    assigned *= z;
    assigned -= w;
    prop_assert_eq!(value(assigned), ((&a + &b) * &c + &m - &d) % &m);
    Ok(())
}

fn check_predicates<M: Modulus<N>, const N: usize>(_: Residue<M, N>, [a, b]: [[u64; N]; 2]) -> Checked {
    let m = big(&M::LIMBS);
    let [x, y] = [a, b].map(|limbs| Residue::<M, N>::from_limbs_mod(&limbs));
    let [a, b] = [a, b].map(|limbs| big(&limbs) % &m);
    prop_assert_eq!(bool::from(x.ct_eq(&y)), a == b);
    prop_assert_eq!(x == y, a == b);
    prop_assert_eq!(bool::from(x.is_zero()), a == BigUint::ZERO);
    prop_assert_eq!(bool::from(x.is_odd()), a.bit(0));
    prop_assert_eq!(Residue::conditional_select(&x, &y, Choice::from(0)), x);
    prop_assert_eq!(Residue::conditional_select(&x, &y, Choice::from(1)), y);
    let mut wiped = x;
    wiped.zeroize();
    prop_assert_eq!(wiped, Residue::ZERO);
    prop_assert_eq!(format!("{x:?}"), "Residue");
    Ok(())
}

fn check_octets<M: Modulus<N>, const N: usize>(_: Residue<M, N>, a: [u64; N], length: usize) -> Checked {
    let m = big(&M::LIMBS);
    let octets = bytes_of(&a);
    let reduced = Residue::<M, N>::from_limbs_mod(&a);
    prop_assert_eq!(Residue::<M, N>::BYTES, octets.len());
    prop_assert_eq!(Residue::<M, N>::from_be_bytes_mod(&octets), Some(reduced));
    prop_assert_eq!(Residue::<M, N>::from_be_bytes(&octets), (big(&a) < m).then_some(reduced));

    let mut written = vec![0xaa; octets.len()];
    reduced.write_be_bytes(&mut written);
    prop_assert_eq!(BigUint::from_bytes_be(&written), big(&a) % &m);

    let end = &octets[length..];
    let short = Residue::<M, N>::from_be_bytes_mod(end).map(|residue| big(&residue.to_limbs()));
    prop_assert_eq!(short, Some(BigUint::from_bytes_be(end) % &m));
    let long = [&[0], &octets[..]].concat();
    prop_assert_eq!(Residue::<M, N>::from_be_bytes_mod(&long), None);
    prop_assert_eq!(Residue::<M, N>::from_be_bytes(&long), None);
    Ok(())
}

fn check_backend<M: Modulus<N>, const N: usize>(_: Residue<M, N>, [a, b, c, d]: [[u64; N]; 4]) -> Checked {
    let m = big(&M::LIMBS);
    let r_inverse = (BigUint::from(1u8) << (64 * N)).modinv(&m).unwrap();
    let [a_reduced, b_reduced, c, d] = [a, b, c, d].map(|number| limbs::<N>(&(big(&number) % &m)));
    // One factor may be any number of N limbs.
    let product = limbs(&(big(&a) * big(&b_reduced) * &r_inverse % &m));
    prop_assert_eq!(portable::multiply(&a, &b_reduced, &M::LIMBS, M::N0), product);
    prop_assert_eq!(portable::multiply(&b_reduced, &a, &M::LIMBS, M::N0), product);
    prop_assert_eq!(M::multiply_limbs(&a, &b_reduced), product);
    prop_assert_eq!(M::multiply_limbs(&b_reduced, &a), product);

    let square = limbs(&(big(&a_reduced) * big(&a_reduced) * &r_inverse % &m));
    prop_assert_eq!(M::square_limbs(&a_reduced), square);

    let two = limbs(&((big(&a_reduced) * big(&b_reduced) + big(&c) * big(&d)) * &r_inverse % &m));
    prop_assert_eq!(portable::multiply_sum([[&a_reduced, &b_reduced], [&c, &d]], &M::LIMBS, M::N0), two);

    let three = big(&a_reduced) * big(&b_reduced) + big(&c) * big(&d) + big(&a_reduced) * big(&d);
    let products = [[&a_reduced, &b_reduced], [&c, &d], [&a_reduced, &d]];
    prop_assert_eq!(portable::multiply_sum(products, &M::LIMBS, M::N0), limbs(&(three * &r_inverse % &m)));

    let sum = limbs(&((big(&a_reduced) + big(&b_reduced)) % &m));
    prop_assert_eq!(portable::add(&a_reduced, &b_reduced, &M::LIMBS), sum);
    let difference = limbs(&((big(&a_reduced) + &m - big(&b_reduced)) % &m));
    prop_assert_eq!(portable::subtract(&a_reduced, &b_reduced, &M::LIMBS), difference);

    let (plain, borrow) = portable::subtract_with_borrow(&a, &b);
    prop_assert_eq!(borrow, big(&a) < big(&b));
    prop_assert_eq!((big(&plain) + big(&b)) % (BigUint::from(1u8) << (64 * N)), big(&a));
    Ok(())
}

fn check_inversion<M: Modulus<N>, const N: usize>(_: Residue<M, N>, a: [u64; N]) -> Checked {
    let m = big(&M::LIMBS);
    let a = big(&a) % &m;
    let expected = limbs::<N>(&a.modinv(&m).unwrap_or_default());
    prop_assert_eq!(M::invert_limbs(&limbs(&a)), expected);
    prop_assert_eq!(Residue::<M, N>::from_limbs_mod(&limbs(&a)).invert().to_limbs(), expected);
    Ok(())
}

fn check_inversion_at_edges<M: Modulus<N>, const N: usize>(witness: Residue<M, N>) {
    for edge in edges(&big(&M::LIMBS), 64 * N) {
        check_inversion(witness, limbs(&edge)).unwrap();
    }
}

fn check_shared_inversion<M: Modulus<N>, const N: usize>(_: Residue<M, N>, numbers: Vec<[u64; N]>) -> Checked {
    let given: Vec<_> = numbers.iter().map(Residue::<M, N>::from_limbs_mod).collect();
    let mut inverted = given.clone();
    invert_all(&mut inverted);
    for (value, inverse) in given.iter().zip(&inverted) {
        prop_assert_eq!(*inverse, value.invert());
    }
    let given: Vec<_> = given.into_iter().filter(|value| !value.is_zero_vartime()).collect();
    let mut inverted = given.clone();
    invert_all_vartime(&mut inverted);
    for (value, inverse) in given.iter().zip(&inverted) {
        prop_assert_eq!(*inverse, value.invert());
    }
    Ok(())
}

/// No cases for an engine that this processor cannot run.
fn cases_if(available: bool) -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if !available {
        eprintln!("skipped: this processor lacks the instructions");
        config.cases = 0;
    }
    config
}

macro_rules! residue_tests {
    ($name:ident, $residue:ty, $limbs:literal) => {
        residue_tests!($name, $residue, $limbs, if true);
    };
    ($name:ident, $residue:ty, $limbs:literal, if $available:expr) => {
        mod $name {
            use super::*;

            const WITNESS: $residue = <$residue>::ZERO;

            fn number() -> impl Strategy<Value = [u64; $limbs]> {
                numbers(WITNESS)
            }

            #[test]
            fn constants() {
                if $available {
                    check_constants(WITNESS);
                }
            }

            #[test]
            fn inverses_at_the_edges() {
                if $available {
                    check_inversion_at_edges(WITNESS);
                }
            }

            proptest! {
                #![proptest_config(cases_if($available))]

                #[test]
                fn ring(a in number(), b in number(), c in number(), d in number()) {
                    check_ring(WITNESS, [a, b, c, d])?;
                }

                #[test]
                fn predicates(a in number(), b in number()) {
                    check_predicates(WITNESS, [a, b])?;
                    check_predicates(WITNESS, [a, a])?;
                }

                #[test]
                fn octets(a in number(), length in 0..=8 * $limbs as usize) {
                    check_octets(WITNESS, a, length)?;
                }

                #[test]
                fn backend(a in number(), b in number(), c in number(), d in number()) {
                    check_backend(WITNESS, [a, b, c, d])?;
                }

                #[test]
                fn inverses(a in number()) {
                    check_inversion(WITNESS, a)?;
                }

                #[test]
                fn shared_inversion(numbers in proptest::collection::vec(number(), 0..6)) {
                    check_shared_inversion(WITNESS, numbers)?;
                }
            }
        }
    };
}

residue_tests!(p256_field, crate::arith::p256::Fp, 4);
residue_tests!(p256_order, crate::arith::p256::Scalar, 4);
residue_tests!(supersingular_field, crate::arith::supersingular::Fp, 16);
residue_tests!(supersingular_order, crate::arith::supersingular::Scalar, 16);

#[cfg(target_arch = "x86_64")]
mod bmi2 {
    use super::*;
    use crate::arith::backend::bmi2::{Bmi2, is_available};
    use crate::arith::{p256, supersingular};

    residue_tests!(p256_field, Residue<p256::P<Bmi2>, 4>, 4, if is_available());
    residue_tests!(p256_order, Residue<p256::Q<Bmi2>, 4>, 4, if is_available());
    residue_tests!(supersingular_field, Residue<supersingular::P<Bmi2>, 16>, 16, if is_available());
    residue_tests!(supersingular_order, Residue<supersingular::Q<Bmi2>, 16>, 16, if is_available());
}
