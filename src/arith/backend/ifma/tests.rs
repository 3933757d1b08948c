use num_bigint::BigUint;
use proptest::prelude::*;

use super::lanes::{LANES, Lanes};
use crate::arith::Modulus;
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
        if super::is_available() {
            // SAFETY: the processor has the instructions.
            let found = unsafe { run($(&$name),*) };
            let expected: [Fp; LANES] = core::array::from_fn($expected);
            prop_assert!(found == expected, "{}", stringify!($body));
        }
    }};
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
        check!([a], a.permute(PERMUTED), |i| a[PERMUTED[i] as usize]);
        check!([a, b], Lanes::permute_two(&a, &b, PICKED), |i| [a, b].as_flattened()[PICKED[i] as usize]);
        check!([a, b], Lanes::select(&a, &b, 0b1010_0001), |i| if [0, 5, 7].contains(&i) { b[i] } else { a[i] });
    }
}

/// 128 times the numbers.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn raised(a: Lanes) -> Lanes {
    let mut a = a;
    for _ in 0..7 {
        a = a.double();
    }
    a
}

#[test]
fn numbers_at_the_bound_fit_their_limbs() {
    let p = <P>::LIMBS.iter().rev().fold(BigUint::ZERO, |sum, &limb| (sum << 64) + limb);
    assert!(&p << 8 < BigUint::from(1u8) << 1032);
    assert!(&p << 16 < BigUint::from(1u8) << 1040);
}
