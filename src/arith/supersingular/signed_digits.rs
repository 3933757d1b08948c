//! Scalars as sums of ± powers of two, and how a comb arranges them (Hamburg, "Fast and compact elliptic-curve
//! cryptography", 2012).
//!
//! An odd scalar is a sum of ±2^i over all i below ROWS · TEETH · TABLES. Bit i of the sign string belongs to row i mod 7,
//! tooth (i / 7) mod 7 and table i / 49. A table holds every signed sum of its teeth `[2^(7 j)]B` with the top sign
//! positive; so a row takes one entry, or its opposite, from each table, and row ρ counts 2^ρ times. No digit is ever 0.

use alloc::vec;
use alloc::vec::Vec;
use subtle::Choice;
use zeroize::{Zeroize, Zeroizing};

use super::field::{LIMBS, Q, Scalar};
use crate::arith::residue::Modulus;

/// Rows of a comb: the distance in bits between two teeth.
pub(super) const ROWS: usize = 7;
/// Points that one table combines.
const TEETH: usize = 7;
/// Of these, combined apart when a table is built.
const LOW_TEETH: usize = 3;
/// Tables of a comb.
pub(super) const TABLES: usize = 21;
/// Entries of one table.
pub(super) const TABLE_LEN: usize = 1 << (TEETH - 1);
/// Doublings between the lowest tooth and the highest.
pub(super) const DOUBLINGS: usize = ROWS * (TEETH * TABLES - 1);
/// Signs of the recoded scalar. An odd scalar below 2 q has at most 1023 bits.
const SIGNS: usize = TABLES * TEETH * ROWS;
const _: () = assert!(SIGNS >= 1023 && SIGNS <= 64 * (LIMBS + 1));

/// A scalar in signed form. Wiped on drop.
pub(super) struct SignedDigits {
    /// Bit i is 1 for +2^i and 0 for -2^i.
    signs: [u64; LIMBS + 1],
}

impl SignedDigits {
    /// The signs of the scalar, or of the scalar plus q if it is even. (k + 2^SIGNS - 1) / 2 has the signs as bits.
    pub(super) fn new(scalar: &Scalar) -> SignedDigits {
        let limbs = Zeroizing::new(scalar.to_limbs());
        let even = ((limbs[0] & 1) ^ 1).wrapping_neg();
        let mut odd = Zeroizing::new([0; LIMBS + 1]);
        let mut carry = 0;
        for i in 0..LIMBS {
            let wide = u128::from(limbs[i]) + u128::from(<Q as Modulus<LIMBS>>::LIMBS[i] & even) + carry;
            odd[i] = wide as u64;
            carry = wide >> 64;
        }
        let mut signs = [0; LIMBS + 1];
        for i in 0..LIMBS {
            signs[i] = odd[i] >> 1 | odd[i + 1] << 63;
        }
        signs[(SIGNS - 1) / 64] |= 1 << ((SIGNS - 1) % 64);
        SignedDigits { signs }
    }

    /// What a table contributes to a row: an index, and whether the entry counts negatively.
    pub(super) fn digit(&self, table: usize, row: usize) -> (u64, Choice) {
        let mut bits = 0;
        for tooth in 0..TEETH {
            let i = (table * TEETH + tooth) * ROWS + row;
            bits |= (self.signs[i / 64] >> (i % 64) & 1) << tooth;
        }
        let top = bits >> (TEETH - 1);
        let flip = top.wrapping_sub(1) & (TABLE_LEN as u64 - 1);
        ((bits ^ flip) & (TABLE_LEN as u64 - 1), Choice::from((top ^ 1) as u8))
    }
}

impl Drop for SignedDigits {
    fn drop(&mut self) {
        self.signs.zeroize();
    }
}

/// All tables of a comb, in any group, from its teeth: entry i of a table is the sum of its teeth, the top one positive and
/// the others by the bits of i. `plus_and_minus` gives the sum and the difference of many pairs.
///
/// High and low teeth are combined apart, so that an entry costs half a pair, and little else.
pub(super) fn tables_of_teeth<T: Copy>(teeth: &[T], plus_and_minus: impl Fn(&[[T; 2]]) -> Vec<[T; 2]>) -> Vec<T> {
    // For each table all sums of some of its teeth, first one alone, by the signs of the others as bits of an index.
    let sums = |top: usize, rest: core::ops::Range<usize>| {
        let first = teeth.chunks_exact(TEETH).map(|teeth| vec![teeth[top]]).collect();
        rest.rev().fold(first, |tables: Vec<Vec<T>>, next| {
            let pairs: Vec<_> = tables
                .iter()
                .zip(teeth.chunks_exact(TEETH))
                .flat_map(|(sums, teeth)| sums.iter().map(|sum| [*sum, teeth[next]]))
                .collect();
            let signed = plus_and_minus(&pairs);
            let with_next = |signed: &[[T; 2]]| signed.iter().flat_map(|[plus, minus]| [*minus, *plus]).collect();
            signed.chunks_exact(tables[0].len()).map(with_next).collect()
        })
    };
    let (high, low) = (sums(TEETH - 1, LOW_TEETH..TEETH - 1), sums(LOW_TEETH - 1, 0..LOW_TEETH - 1));
    let pairs: Vec<_> = high
        .iter()
        .zip(&low)
        .flat_map(|(high, low)| high.iter().flat_map(|high| low.iter().map(|low| [*high, *low])))
        .collect();
    let signed = plus_and_minus(&pairs);
    (0..TABLES * TABLE_LEN)
        .map(|i| {
            // Of 2^(LOW_TEETH - 1) low sums, the sign of the top one says whether the sum or its opposite is added; that
            // has opposite signs.
            let count = 1 << (LOW_TEETH - 1);
            let (high, is_positive, low) = (i / (2 * count), i / count % 2 == 1, i % count);
            let [plus, minus] = signed[high * count + if is_positive { low } else { count - 1 - low }];
            if is_positive { plus } else { minus }
        })
        .collect()
}
