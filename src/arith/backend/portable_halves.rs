//! The steps on halves of 1024-bit numbers in plain Rust.

use super::Portable;
use super::halves::{HALF, Half, HalfEngine, Product, Whole};
use super::portable::{double_and_add_squares, subtract_modulus_once};

impl HalfEngine for Portable {
    #[inline(always)]
    fn multiply_add(accumulator: &mut Half, x: &Half, y: &Half, low: &mut Half) {
        for i in 0..HALF {
            low[i] = add_row(accumulator, x[i], y);
        }
    }

    #[inline(always)]
    fn cancel(accumulator: &mut Half, m: &Half, n0: u64, q: &mut Half) {
        for q in q {
            *q = accumulator[0].wrapping_mul(n0);
            add_row(accumulator, *q, m);
        }
    }

    #[inline(always)]
    fn products_of_pairs(a: &Half, sum: &mut Whole) {
        let sum = sum.as_flattened_mut();
        sum.fill(0);
        for i in 0..HALF {
            let mut carry = 0;
            for j in i + 1..HALF {
                (sum[i + j], carry) = a[i].carrying_mul_add(a[j], sum[i + j], carry);
            }
            sum[i + HALF] = carry;
        }
    }

    #[inline(always)]
    fn double_and_add_squares(t: &mut Product, a: &Whole) {
        double_and_add_squares(t.as_flattened_mut().as_flattened_mut(), a.as_flattened());
    }

    #[inline(always)]
    fn subtract_once<const N: usize>(sum: &Whole, carry: bool, m: &[u64; N]) -> [u64; N] {
        subtract_modulus_once(&core::array::from_fn(|i| sum[i / HALF][i % HALF]), carry, m)
    }
}

/// accumulator + x y: returns the lowest limb and leaves the others in the accumulator.
#[inline(always)]
fn add_row(accumulator: &mut Half, x: u64, y: &Half) -> u64 {
    let (lowest, mut carry) = x.carrying_mul_add(y[0], accumulator[0], 0);
    for j in 1..HALF {
        (accumulator[j - 1], carry) = x.carrying_mul_add(y[j], accumulator[j], carry);
    }
    accumulator[HALF - 1] = carry;
    lowest
}
