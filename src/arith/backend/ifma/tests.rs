use num_bigint::BigUint;
use proptest::prelude::*;

use super::digits::Digits;
use super::inversion::invert_all;
use super::is_available;
use super::lanes::{LANES, Lanes, Limbs, MODULUS, Term};
use super::pair::Pair;
use crate::arith::Modulus;
use crate::arith::backend::tests::Numbers;
use crate::arith::supersingular::{Fp, P};

/// A number below p: at the ends of the range, with limbs at their ends, or any.
pub fn element() -> impl Strategy<Value = Fp> {
    let limb = prop_oneof![Just(0), Just(u64::MAX), Just((1 << 52) - 1), any::<u64>()];
    prop_oneof![
        1 => (0..3u64).prop_map(Fp::from_u64),
        1 => (1..3u64).prop_map(|small| -Fp::from_u64(small)),
        4 => proptest::collection::vec(limb, 16).prop_map(|limbs| Fp::from_limbs_mod(&core::array::from_fn(|i| limbs[i]))),
    ]
}

pub fn eight() -> impl Strategy<Value = [Fp; LANES]> {
    proptest::collection::vec(element(), LANES).prop_map(|elements| core::array::from_fn(|i| elements[i]))
}

/// That a function of lanes gives the expected numbers, if the processor can run it.
macro_rules! check {
    ([$($name:ident),*], $body:expr, $expected:expr) => {{
        #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
        fn run($($name: &[Fp; LANES]),*) -> [Fp; LANES] {
            $(#[allow(unused_mut)] let mut $name = Lanes::from_fp($name.each_ref());)*
            $body.to_fp()
        }
        if is_available() {
            // SAFETY: the processor has the instructions.
            let found = unsafe { run($(&$name),*) };
            let expected: [Fp; LANES] = core::array::from_fn($expected);
            prop_assert!(found == expected, "{}", stringify!($body));
        }
    }};
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn products_of_eight(a: &[Fp; LANES], b: &[Fp; LANES]) -> [[Fp; LANES]; 3] {
    let (a, b) = (Lanes::from_fp(a.each_ref()), Lanes::from_fp(b.each_ref()));
    [a.multiply(&b), a.square(), Lanes::sum_of_products(&a, &b, &b, &b)].map(|numbers| numbers.to_fp())
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn products_of_two(a: [&Fp; 2], b: [&Fp; 2]) -> (Fp, Fp) {
    Pair::from_fp(a[0], a[1]).multiply(&Pair::from_fp(b[0], b[1])).carried().to_fp()
}

#[test]
fn multiplies_as_the_portable_backend_many_times() {
    if !is_available() {
        eprintln!("skipped: this processor lacks AVX-512 IFMA");
        return;
    }
    let mut numbers = Numbers(5);
    let mut eight = || [(); LANES].map(|()| Fp::from_montgomery(numbers.number_below(&<P>::LIMBS)));
    for _ in 0..20_000 {
        let (a, b) = (eight(), eight());
        // SAFETY: the processor has the instructions.
        let ([product, square, sum], pair) =
            unsafe { (products_of_eight(&a, &b), products_of_two([&a[0], &a[1]], [&b[0], &b[1]])) };
        for i in 0..LANES {
            assert_eq!(product[i], a[i] * b[i], "{:?} {:?}", a[i], b[i]);
            assert_eq!(square[i], a[i].square(), "{:?}", a[i]);
            assert_eq!(sum[i], a[i] * b[i] + b[i].square(), "{:?} {:?}", a[i], b[i]);
        }
        assert_eq!(pair, (product[0], product[1]), "{:?} {:?}", &a[..2], &b[..2]);
    }
}

proptest! {
    #[test]
    fn lanes_keep_their_numbers(a in eight()) {
        check!([a], a, |i| a[i]);
        check!([a], Lanes::gather(&a.scatter()), |i| a[i]);
    }

    #[test]
    fn multiplies_as_the_portable_backend(a in eight(), b in eight(), c in eight(), d in eight()) {
        check!([a, b], a.multiply(&b), |i| a[i] * b[i]);
        check!([a], a.square(), |i| a[i].square());
        check!([a, b, c, d], Lanes::sum_of_products(&a, &b, &c, &d), |i| a[i] * b[i] + c[i] * d[i]);
    }

    #[test]
    fn adds_as_the_portable_backend(a in eight(), b in eight()) {
        check!([a, b], a.add(&b), |i| a[i] + b[i]);
        check!([a], a.double(), |i| a[i].double());
        check!([a, b], Lanes::linear([(&a, 3), (&b, -2)], 4), |i| a[i].double() + a[i] - b[i].double());
        check!([a, b], a.reduced().negate_reduced(0b0110_0001).add(&b), |i| {
            if [0, 5, 6].contains(&i) { b[i] - a[i] } else { b[i] + a[i] }
        });
    }

    #[test]
    fn reduces_below_the_modulus(a in eight(), b in eight()) {
        let sixty = Fp::from_u64(60);
        check!([a, b], Lanes::linear_reduced([(&a, 60), (&b, -60)], 130), |i| (a[i] - b[i]) * sixty);
        if is_available() {
            // SAFETY: the processor has the instructions.
            let numbers = unsafe { reductions(&a, &b) };
            let integer = |limbs: &Limbs| limbs.iter().rev().fold(BigUint::ZERO, |sum, &limb| (sum << 52) + limb);
            let p = integer(&MODULUS);
            for [partly, fully, one_p_less] in numbers {
                prop_assert!(integer(&partly) < &p << 1);
                prop_assert_eq!(integer(&fully), integer(&partly) % &p);
                prop_assert_eq!(one_p_less, fully);
            }
        }
    }

    /// Numbers up to 256 p multiply and square rightly.
    #[test]
    fn multiplies_at_the_bound(a in eight(), b in eight()) {
        let factor = Fp::from_u64(128);
        check!([a, b], raised(a).multiply(&raised(b)), |i| a[i] * factor * b[i] * factor);
        check!([a], raised(a).square(), |i| (a[i] * factor).square());
        check!([a, b], Lanes::sum_of_products(&raised(a), &raised(b), &raised(b), &raised(a)), |i| {
            (a[i] * factor * b[i] * factor).double()
        });
    }

    #[test]
    fn moves_lanes(a in eight(), b in eight()) {
        const PERMUTED: [u64; LANES] = [7, 6, 5, 4, 3, 2, 1, 1];
        const PICKED: [u64; LANES] = [8, 1, 10, 3, 15, 5, 0, 9];
        const MIXED: [Term; 2] =
            [Term { from: PICKED, times: [2; LANES] }, Term { from: PERMUTED, times: [u64::MAX; LANES] }];
        check!([a], a.permute(PERMUTED), |i| a[PERMUTED[i] as usize]);
        check!([a, b], Lanes::permute_two(&a, &b, PICKED), |i| [a, b].as_flattened()[PICKED[i] as usize]);
        check!([a, b], Lanes::mix(&a, &b, &MIXED, 3), |i| [a, b].as_flattened()[PICKED[i] as usize].double() - a[PERMUTED[i] as usize]);
        check!([a, b], Lanes::select(&a, &b, 0b1010_0001), |i| if [0, 5, 7].contains(&i) { b[i] } else { a[i] });
    }

    #[test]
    fn transposes_and_looks_up(a in eight(), b in eight(), signs in 0u64..1 << 48) {
        check!([a, b], transposed(&a, &b)[5], |i| a[i] * b[5]);
        if is_available() {
            // SAFETY: the processor has the instructions.
            let found = unsafe { looked_up(&a, &b, signs) };
            for (row, found) in found.into_iter().enumerate() {
                let bits = (0..6).fold(0, |bits, tooth| bits | (signs >> (8 * tooth + row) & 1) << tooth) as usize;
                let entry = |index: usize| a[index % 8] * b[index / 8];
                prop_assert_eq!(found, if bits >= 32 { entry(bits - 32) } else { -entry(31 - bits) });
            }
        }
    }

    #[test]
    fn inverts_with_one_inversion(a in eight(), b in eight()) {
        let nonzero = |numbers: [Fp; LANES]| numbers.map(|number| if number == Fp::ZERO { Fp::ONE } else { number });
        let (a, b) = (nonzero(a), nonzero(b));
        check!([a], { let mut all = [a]; invert_all(&mut all); all[0] }, |i| a[i].invert());
        check!([a, b], { let mut all = [a, b, a]; invert_all(&mut all); all[1] }, |i| b[i].invert());
        check!([a, b], { let mut all = [a, b, a]; invert_all(&mut all); all[2] }, |i| a[i].invert());
    }
}

/// a - b reduced below 2 p, that below p, and p and that again below p.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn reductions(a: &[Fp; LANES], b: &[Fp; LANES]) -> [[Limbs; 3]; LANES] {
    let (a, b) = (Lanes::from_fp(a.each_ref()), Lanes::from_fp(b.each_ref()));
    let partly = Lanes::linear_reduced([(&a, 1), (&b, -1)], 100);
    let fully = partly.reduced();
    let one_p_less = fully.add(&Lanes::broadcast(&MODULUS)).reduced();
    let [partly, fully, one_p_less] = [partly, fully, one_p_less].map(|number| number.scatter());
    core::array::from_fn(|lane| [partly[lane], fully[lane], one_p_less[lane]])
}

/// The product of every number of a with every number of b.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn transposed(a: &Lanes, b: &Lanes) -> [Lanes; LANES] {
    let mut products = core::array::from_fn(|i| a.permute([i as u64; LANES]).multiply(b));
    Lanes::transpose(&mut products);
    products
}

/// What a table contributes to the rows whose entry 8 i + j is a_j b_i.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn looked_up(a: &[Fp; LANES], b: &[Fp; LANES], signs: u64) -> [Fp; LANES] {
    let products = transposed(&Lanes::from_fp(a.each_ref()), &Lanes::from_fp(b.each_ref()));
    let digits = Digits::of_rows(signs);
    let entries = core::array::from_fn(|i| products[i].reduced());
    Lanes::look_up(&entries, digits.index).negate_reduced(digits.negative).to_fp()
}

/// 128 times the numbers.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn raised(a: Lanes) -> Lanes {
    Lanes::linear([(&a, 128)], 0)
}

#[test]
fn numbers_at_the_bound_fit_their_limbs() {
    let p = <P>::LIMBS.iter().rev().fold(BigUint::ZERO, |sum, &limb| (sum << 64) + limb);
    assert!(&p << 8 < BigUint::from(1u8) << 1032);
    assert!(&p << 16 < BigUint::from(1u8) << 1040);
}
