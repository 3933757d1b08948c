//! The steps on halves of 1024-bit numbers in plain Rust.

use super::Portable;
use super::halves::{HALF, Half, HalfEngine, LIMBS, Product, Whole};
use super::portable::subtract_modulus_once;

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
        let t = t.as_flattened_mut().as_flattened_mut();
        let mut shifted_out = 0;
        let mut carry = false;
        for (pair, &limb) in t.as_chunks_mut().0.iter_mut().zip(a.as_flattened()) {
            let (low, high) = limb.carrying_mul(limb, 0);
            let [t_low, t_high] = *pair;
            (pair[0], carry) = low.carrying_add(t_low << 1 | shifted_out, carry);
            (pair[1], carry) = high.carrying_add(t_high << 1 | t_low >> 63, carry);
            shifted_out = t_high >> 63;
        }
    }

    #[inline(always)]
    fn subtract_once<const N: usize>(sum: &Whole, carry: bool, m: &[u64; N]) -> [u64; N] {
        debug_assert_eq!(N, LIMBS);
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
