//! Pairs against the portable backend, and their carries against `num-bigint`.

use num_bigint::BigUint;
use proptest::prelude::*;

use super::is_available;
use super::lanes::{LANES, LIMBS, Lanes, Limbs, MASK, SIXTEEN_P};
use super::pair::Pair;
use super::pair_value::{Factor, Value};
use super::tests::{eight, element};
use super::value::Values;
use crate::arith::supersingular::Fp;

/// Limbs that carry far: all ones, none, or next to that. The number is below 64 p.
fn limbs() -> impl Strategy<Value = Limbs> {
    let limb = prop_oneof![3 => Just(MASK), 2 => Just(0), 1 => Just(1), 1 => Just(MASK - 1), 1 => 0..=MASK];
    (proptest::collection::vec(limb, LIMBS), 0..1u64 << 41).prop_map(|(limbs, top)| {
        let mut limbs: Limbs = core::array::from_fn(|i| limbs[i]);
        limbs[LIMBS - 1] = top;
        limbs
    })
}

fn integer(limbs: &Limbs) -> BigUint {
    limbs.iter().rev().fold(BigUint::ZERO, |number, &limb| (number << 52) + limb)
}

/// (a + c, b + d), (3 a, 3 b) and (a - c + 16 p, b - d + 16 p).
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn sums([a, b, c, d]: [&Limbs; 4]) -> [[Limbs; 2]; 3] {
    let [a, b, c, d] = [a, b, c, d].map(|number| Lanes::gather(&[*number; LANES]));
    let (first, second) = (Pair::from_lanes(&a, &b)[3].columns(), Pair::from_lanes(&c, &d)[4].columns());
    [first.add(&second), first.triple(), first.subtract(&second)]
        .map(|columns| Pair::to_lanes([&columns.carried(); LANES]).map(|lanes| lanes.scatter()[5]))
}

/// (a c, b d), and the first number of each pair with the second of the other.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn products([a, b, c, d]: [&Fp; 4]) -> [(Fp, Fp); 3] {
    let (first, second) = (Pair::from_fp(a, b), Pair::from_fp(c, d));
    let product = first.multiply(&second).carried();
    [product, Pair::halves(&first, &second), second.swapped()].map(|pair| pair.to_fp())
}

/// (re + im i)^4 (factor_re + factor_im i).
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn fourth_power_times([re, im, factor_re, factor_im]: [&Fp; 4]) -> (Fp, Fp) {
    let factor = Values { re: Lanes::from_fp([factor_re; LANES]), im: Lanes::from_fp([factor_im; LANES]) };
    let value = Value::new(&Pair::from_fp(re, im)).square_times(2).multiply(&Factor::of_each(&factor)[6]);
    let value = value.to_pairing_value();
    (value.re, value.im)
}

proptest! {
    #[test]
    fn carries_exactly(a in limbs(), b in limbs(), c in limbs(), d in limbs()) {
        if !is_available() {
            return Ok(());
        }
        let numbers = [&a, &b, &c, &d];
        let [x, y, z, w] = numbers.map(integer);
        let raise = integer(&SIXTEEN_P);
        prop_assume!(&x + &raise >= z && &y + &raise >= w);
        // SAFETY: the processor has the instructions.
        let [sum, triple, difference] = unsafe { sums(numbers) }.map(|pair| pair.map(|number| integer(&number)));
        prop_assert_eq!(sum, [&x + &z, &y + &w]);
        prop_assert_eq!(triple, [&x * 3u32, &y * 3u32]);
        prop_assert_eq!(difference, [x + &raise - z, y + &raise - w]);
    }

    #[test]
    fn multiplies_pairs_as_the_portable_backend(a in element(), b in element(), c in element(), d in element()) {
        if !is_available() {
            return Ok(());
        }
        // SAFETY: the processor has the instructions.
        let [product, halves, swapped] = unsafe { products([&a, &b, &c, &d]) };
        prop_assert_eq!(product, (a * c, b * d));
        prop_assert_eq!(halves, (a, d));
        prop_assert_eq!(swapped, (d, c));
    }

    #[test]
    fn computes_in_the_quadratic_extension(a in element(), b in element(), c in element(), d in element()) {
        if !is_available() {
            return Ok(());
        }
        // SAFETY: the processor has the instructions.
        let found = unsafe { fourth_power_times([&a, &b, &c, &d]) };
        let (mut re, mut im) = (a, b);
        for _ in 0..2 {
            (re, im) = ((re + im) * (re - im), (re * im).double());
        }
        prop_assert_eq!(found, (re * c - im * d, re * d + im * c));
    }

    #[test]
    fn pairs_are_a_lane_each(a in eight(), b in eight()) {
        if !is_available() {
            return Ok(());
        }
        #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
        fn there_and_back(a: &[Fp; LANES], b: &[Fp; LANES]) -> ([(Fp, Fp); LANES], [[Fp; LANES]; 2]) {
            let pairs = Pair::from_lanes(&Lanes::from_fp(a.each_ref()), &Lanes::from_fp(b.each_ref()));
            (pairs.map(|pair| pair.to_fp()), Pair::to_lanes(pairs.each_ref()).map(|lanes| lanes.to_fp()))
        }
        // SAFETY: the processor has the instructions.
        let (pairs, lanes) = unsafe { there_and_back(&a, &b) };
        prop_assert!(pairs.iter().zip(a.iter().zip(&b)).all(|(pair, (a, b))| *pair == (*a, *b)));
        prop_assert!(lanes == [a, b]);
    }
}
