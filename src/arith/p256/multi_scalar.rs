//! Sums of multiples of several points by public scalars.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use super::field::{LIMBS, Scalar};
use super::point::{Affine, Jacobian};

/// Digits of the sparsest form of a scalar of 256 bits, with its carry.
const DIGITS: usize = 64 * LIMBS + 1;

/// The odd multiples B, `[3]B`, `[5]B`, ... of a point.
pub struct OddMultiples {
    points: Box<[Affine]>,
    window: u32,
}

impl OddMultiples {
    /// For a point that a single sum uses: 8 multiples.
    pub fn once(base: &Affine) -> OddMultiples {
        Self::with_window(base, 5)
    }

    /// For a point that many sums use: 256 multiples, 16 KiB.
    pub fn many_times(base: &Affine) -> OddMultiples {
        Self::with_window(base, 10)
    }

    fn with_window(base: &Affine, window: u32) -> OddMultiples {
        let base = Jacobian::from(*base);
        let twice = base.double();
        let mut multiples: Vec<Jacobian> = vec![base];
        let mut multiple = base;
        for _ in 1..1 << (window - 2) {
            multiple = multiple.add_vartime(&twice);
            multiples.push(multiple);
        }
        OddMultiples { points: Jacobian::to_affine_all(&multiples).into_boxed_slice(), window }
    }
}

impl fmt::Debug for OddMultiples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OddMultiples")
    }
}

/// The sum of `[scalar]B` over all terms, which share the doublings. Time and memory accesses depend on the scalars.
pub fn multi_scalar_vartime<const TERMS: usize>(terms: [(&OddMultiples, &Scalar); TERMS]) -> Jacobian {
    let terms = terms.map(|(multiples, scalar)| (multiples, sparse_digits_vartime(scalar, multiples.window)));
    let mut sum = Jacobian::INFINITY;
    for position in (0..DIGITS).rev() {
        sum = sum.double();
        for (multiples, digits) in &terms {
            let digit = digits[position];
            if digit == 0 {
                continue;
            }
            let point = &multiples.points[usize::from(digit.unsigned_abs() / 2)];
            sum = if digit > 0 { sum.add_affine_vartime(point) } else { sum.add_affine_vartime(&point.negate()) };
        }
    }
    sum
}

/// The scalar as a sum of digit · 2^position, the digits 0 or odd and below 2^(window - 1) in size, with at least
/// window - 1 zeros after each other digit (the width-w non-adjacent form).
fn sparse_digits_vartime(scalar: &Scalar, window: u32) -> [i16; DIGITS] {
    let limbs = scalar.to_limbs();
    let mut digits = [0; DIGITS];
    let mut carry = 0;
    let mut position = 0;
    while position < DIGITS {
        let bits = bits_at(&limbs, position, window) + carry;
        if bits & 1 == 0 {
            position += 1;
            continue;
        }
        // Odd: between 1 and 2^window - 1 (the carry makes an even number odd, and no more).
        carry = bits >> (window - 1);
        digits[position] = bits as i16 - ((carry as i16) << window);
        position += window as usize;
    }
    digits
}

/// `count` bits of a number from `position` up; those outside it are 0.
fn bits_at(limbs: &[u64; LIMBS], position: usize, count: u32) -> u64 {
    let (word, shift) = (position / 64, position % 64);
    let low = limbs.get(word).map_or(0, |limb| limb >> shift);
    let high = if shift == 0 { 0 } else { limbs.get(word + 1).map_or(0, |limb| limb << (64 - shift)) };
    (low | high) & ((1 << count) - 1)
}
