//! The engines against plain operand scanning, on five million multiplications of random and extreme numbers. Those of
//! [`ifma`](super::ifma) have two million more.

use super::portable::{self, is_below, subtract_with_borrow};
use super::{LimbEngine, Portable, portable_p256};
use crate::arith::residue::Modulus;
use crate::arith::{p256, supersingular};

/// SplitMix64 (Steele, Lea, Flood 2014).
pub(super) struct Numbers(pub u64);

impl Numbers {
    fn limb(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// Every other number has random limbs. The rest have limbs at which carries are decided, or are close to 0 or to m.
    fn number<const N: usize>(&mut self, m: &[u64; N]) -> [u64; N] {
        let extremes = [0, 1, u64::MAX, u64::MAX - 1, 1 << 63, self.limb()];
        let mut small = [0; N];
        small[0] = self.limb() >> (self.limb() % 64);
        match self.limb() % 8 {
            0..4 => core::array::from_fn(|_| self.limb()),
            4..6 => core::array::from_fn(|_| extremes[(self.limb() % 6) as usize]),
            6 => small,
            _ => subtract_with_borrow(m, &small).0,
        }
    }

    pub fn number_below<const N: usize>(&mut self, m: &[u64; N]) -> [u64; N] {
        let mut number = self.number(m);
        while !is_below(&number, m) {
            (number, _) = subtract_with_borrow(&number, m);
        }
        number
    }
}

/// Miri interprets, and is ten thousand times slower.
const FEWER: usize = if cfg!(miri) { 20_000 } else { 1 };

/// Five multiplications a round.
fn check<E: LimbEngine, const N: usize>(m: &[u64; N], n0: u64, rounds: usize) {
    let mut numbers = Numbers(m[0]);
    for _ in 0..rounds / FEWER {
        let any = numbers.number(m);
        let [a, b, c, d] = core::array::from_fn(|_| numbers.number_below(m));
        assert_eq!(E::multiply(&any, &b, m, n0), portable::multiply(&any, &b, m, n0), "{any:x?} {b:x?}");
        assert_eq!(E::multiply(&a, &any, m, n0), portable::multiply(&a, &any, m, n0), "{a:x?} {any:x?}");
        assert_eq!(E::square(&a, m, n0), portable::multiply(&a, &a, m, n0), "{a:x?}");
        assert_eq!(
            E::multiply_two([&a, &b], [&c, &d], m, n0),
            portable::multiply_sum([[&a, &b], [&c, &d]], m, n0),
            "{a:x?} {b:x?} {c:x?} {d:x?}"
        );
        let products = [[&a, &b], [&c, &d], [&b, &d]];
        assert_eq!(
            E::multiply_three(products, m, n0),
            portable::multiply_sum(products, m, n0),
            "{a:x?} {b:x?} {c:x?} {d:x?}"
        );
        assert_eq!(E::add(&a, &b, m), portable::add(&a, &b, m), "{a:x?} {b:x?}");
        assert_eq!(E::subtract(&a, &b, m), portable::subtract(&a, &b, m), "{a:x?} {b:x?}");
        assert_eq!(E::halve(&a, m), portable::halve(&a, m), "{a:x?}");
    }
}

/// Seven multiplications a round.
fn check_p256<E: LimbEngine>(rounds: usize) {
    let (m, n0) = (&portable_p256::CHARACTERISTIC, <p256::P as Modulus<4>>::N0);
    let mut numbers = Numbers(m[0]);
    for _ in 0..rounds / FEWER {
        let any = numbers.number(m);
        let [a, b, c, d] = core::array::from_fn(|_| numbers.number_below(m));
        let product = |a, b| portable::multiply(a, b, m, n0);
        let difference = portable::subtract(&product(&a, &b), &product(&c, &d), m);
        assert_eq!(E::multiply_difference_p256([&a, &b], [&c, &d]), difference, "{a:x?} {b:x?} {c:x?} {d:x?}");
        let difference = portable::subtract(&product(&a, &b), &product(&c, &c), m);
        assert_eq!(E::multiply_less_square_p256([&a, &b], &c), difference, "{a:x?} {b:x?} {c:x?}");
        assert_eq!(E::multiply_p256(&any, &a), portable::multiply(&any, &a, m, n0), "{any:x?} {a:x?}");
        assert_eq!(E::multiply_p256(&a, &any), portable::multiply(&a, &any, m, n0), "{a:x?} {any:x?}");
        assert_eq!(E::square_p256(&a), portable::multiply(&a, &a, m, n0), "{a:x?}");
    }
}

/// The last modulus of either width is the largest there is, with which sums reach furthest.
fn check_engine<E: LimbEngine>() {
    check_p256::<E>(200_000);
    check::<E, 4>(&p256::Q::<E>::LIMBS, p256::Q::<E>::N0, 200_000);
    check::<E, 4>(&[u64::MAX; 4], 1, 200_000);
    check::<E, 16>(&supersingular::P::<E>::LIMBS, supersingular::P::<E>::N0, 50_000);
    check::<E, 16>(&supersingular::Q::<E>::LIMBS, supersingular::Q::<E>::N0, 50_000);
    check::<E, 16>(&[u64::MAX; 16], 1, 50_000);
}

#[test]
fn portable_engine() {
    check_engine::<Portable>();
}

#[cfg(target_arch = "x86_64")]
#[test]
fn bmi2_engine() {
    if super::bmi2::is_available() {
        check_engine::<super::bmi2::Bmi2>();
    } else {
        eprintln!("skipped: this processor lacks BMI2 or ADX");
    }
}
