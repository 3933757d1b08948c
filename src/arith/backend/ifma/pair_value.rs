//! Elements of F_p2 = F_p(i), i² = -1, as pairs.

use zeroize::{Zeroize, Zeroizing};

use super::lanes::{LANES, Lanes};
use super::pair::{BOTH_SECOND, Columns, EACH, FIRST, Pair, sum_of_products};
use super::value::Values;
use crate::arith::supersingular::{Fp, PairingValue, Scalar};

/// re + i im as the pair (re, im).
#[derive(Clone, Copy)]
pub struct Value(Columns);

/// An element of F_p2 to multiply by.
#[derive(Clone, Copy)]
pub struct Factor {
    /// (re, im).
    pub straight: Pair,
    /// (-im, re).
    pub turned: Pair,
}

impl Factor {
    /// An element for each lane.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn of_each(Values { re, im }: &Values) -> [Factor; LANES] {
        let straight = Pair::from_lanes(re, im);
        let turned = Pair::from_lanes(&Lanes::linear([(im, -1)], 64), re);
        core::array::from_fn(|lane| Factor { straight: straight[lane], turned: turned[lane] })
    }
}

impl Factor {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn one() -> Factor {
        let (zero, one) = (&Fp::ZERO, &Fp::ONE);
        Factor { straight: Pair::from_fp(one, zero), turned: Pair::from_fp(zero, one) }
    }
}

impl Zeroize for Factor {
    fn zeroize(&mut self) {
        self.straight.zeroize();
        self.turned.zeroize();
    }
}

impl Value {
    /// 1.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn one() -> Value {
        Value::new(&Pair::from_fp(&Fp::ONE, &Fp::ZERO))
    }

    /// The class of the element in F_p2* / F_p*.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn to_pairing_value(&self) -> PairingValue {
        let (re, im) = self.0.carried().to_fp();
        PairingValue { re, im }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn new(pair: &Pair) -> Value {
        Value(pair.columns())
    }

    /// The element to the power 2^times.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn square_times(&self, times: usize) -> Value {
        let mut value = self.0;
        for _ in 0..times {
            let other = value.swapped();
            // (re + im) (re - im) and (re + re) im.
            let sum = other.add(&Columns::halves(&value, &other)).carried_in_lanes();
            let difference = value.subtract_first(&other).carried_in_lanes();
            value = sum_of_products!([sum, EACH, difference]);
        }
        Value(value)
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn multiply(&self, factor: &Factor) -> Value {
        let value = self.0.carried_in_lanes();
        Value(sum_of_products!([value, FIRST, factor.straight], [value, BOTH_SECOND, factor.turned]))
    }

    /// The element, to multiply by.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn to_factor(&self) -> Factor {
        let swapped = self.0.swapped();
        let turned = Columns::halves(&Columns::zero().subtract(&swapped), &swapped);
        Factor { straight: self.0.carried(), turned: turned.carried() }
    }

    /// The element to the power of a public exponent, four bits at a time.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn power_vartime(&self, exponent: &Scalar) -> Value {
        let factor = Zeroizing::new(self.to_factor());
        let mut powers = Zeroizing::new([Factor::one(); 16]);
        for i in 1..powers.len() {
            powers[i] = Value(powers[i - 1].straight.columns()).multiply(&factor).to_factor();
        }
        let limbs = exponent.to_limbs();
        let digits = (0..16 * limbs.len()).rev().map(|i| (limbs[i / 16] >> (4 * (i % 16)) & 15) as usize);
        let mut value = Value::one();
        for digit in digits.skip_while(|&digit| digit == 0) {
            value = value.square_times(4);
            if digit != 0 {
                value = value.multiply(&powers[digit]);
            }
        }
        value
    }
}
