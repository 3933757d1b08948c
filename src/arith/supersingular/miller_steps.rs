//! The steps of Miller's loop, which take a point A to ±A by the digits of q, its order.

use super::field::{LIMBS, Q};
use crate::arith::residue::Modulus;

/// What happens to the running point.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::arith) enum Step {
    /// It is doubled.
    Double,
    /// It is doubled twice.
    Quadruple,
    /// It is doubled twice, and A is added.
    QuadrupleAdd,
    /// It is doubled twice, and A is subtracted.
    QuadrupleSubtract,
}

impl Step {
    /// How often the running point is doubled.
    pub(in crate::arith) fn doublings(self) -> usize {
        if self == Step::Double { 1 } else { 2 }
    }

    /// Whether A is added or subtracted.
    pub(in crate::arith) fn adds(self) -> bool {
        matches!(self, Step::QuadrupleAdd | Step::QuadrupleSubtract)
    }
}

/// Digits of a non-adjacent form: that of a number of 1024 bits may have one more.
const DIGITS: usize = 64 * LIMBS + 1;
static ORDER_STEPS: ([Step; DIGITS], usize) = plan(&non_adjacent_form(&<Q as Modulus<LIMBS>>::LIMBS));

/// The steps for q, without the last addition: its line is vertical, and its operands cancel.
pub(in crate::arith) fn steps() -> &'static [Step] {
    let (steps, count) = &ORDER_STEPS;
    steps.split_at(*count).0
}

/// Digits from -1 to 1 of a number, least significant first, of which no two neighbours are both other than 0.
pub(super) const fn non_adjacent_form(number: &[u64; LIMBS]) -> [i8; DIGITS] {
    // Digit i is bit i + 1 of three times the number minus bit i + 1 of the number.
    let mut triple = [0; LIMBS + 1];
    let mut carry = 0;
    let mut i = 0;
    while i < LIMBS {
        let wide = number[i] as u128 * 3 + carry;
        triple[i] = wide as u64;
        carry = wide >> 64;
        i += 1;
    }
    triple[LIMBS] = carry as u64;
    let mut digits = [0; DIGITS];
    let mut i = 0;
    while i < DIGITS {
        digits[i] = bit(&triple, i + 1) - bit(number, i + 1);
        i += 1;
    }
    digits
}

const fn bit(limbs: &[u64], i: usize) -> i8 {
    if i / 64 < limbs.len() { (limbs[i / 64] >> (i % 64) & 1) as i8 } else { 0 }
}

/// From the highest digit on, an odd number of zeros takes one step of its own, and every two digits one step.
const fn plan(digits: &[i8; DIGITS]) -> ([Step; DIGITS], usize) {
    let mut steps = [Step::Double; DIGITS];
    let mut count = 0;
    let mut position = next_digit(digits, DIGITS);
    while position > 0 {
        let next = next_digit(digits, position);
        if (position - next) % 2 == 1 {
            steps[count] = Step::Double;
            position -= 1;
        } else {
            position -= 2;
            steps[count] = match digits[position] {
                1 if position > 0 => Step::QuadrupleAdd,
                -1 if position > 0 => Step::QuadrupleSubtract,
                _ => Step::Quadruple,
            };
        }
        count += 1;
    }
    (steps, count)
}

/// The highest position below `position` whose digit is not 0, or 0.
const fn next_digit(digits: &[i8; DIGITS], mut position: usize) -> usize {
    while position > 0 {
        position -= 1;
        if digits[position] != 0 {
            return position;
        }
    }
    0
}
