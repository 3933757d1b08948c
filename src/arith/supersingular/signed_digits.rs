//! Scalars as sums of ± powers of two, and how a comb arranges them (Hamburg, "Fast and compact elliptic-curve
//! cryptography", 2012).
//!
//! An odd scalar is a sum of ±2^i over all i below ROWS · TEETH · TABLES. Bit i of the sign string belongs to row i mod 8,
//! tooth (i / 8) mod 6 and table i / 48. A table holds every signed sum of its teeth `[2^(8 j)]B` with the top sign
//! positive; so a row takes one entry, or its opposite, from each table, and row ρ counts 2^ρ times. No digit is ever 0.

use alloc::vec::Vec;
use subtle::Choice;
use zeroize::{Zeroize, Zeroizing};

use super::field::{LIMBS, Q, Scalar};
use crate::arith::residue::Modulus;

/// Rows of a comb: the distance in bits between two teeth.
pub(in crate::arith) const ROWS: usize = 8;
/// Points that one table combines.
pub(in crate::arith) const TEETH: usize = 6;
/// Tables of a comb.
pub(in crate::arith) const TABLES: usize = 22;
/// Entries of one table.
pub(in crate::arith) const TABLE_LEN: usize = 1 << (TEETH - 1);
/// Doublings between the lowest tooth and the highest.
pub(super) const DOUBLINGS: usize = ROWS * (TEETH * TABLES - 1);
/// Signs of the recoded scalar. An odd scalar below 2 q has at most 1023 bits.
const SIGNS: usize = TABLES * SIGNS_OF_TABLE;
/// Signs that belong to one table.
const SIGNS_OF_TABLE: usize = TEETH * ROWS;
const _: () = assert!(SIGNS >= 1023 && SIGNS <= 64 * (LIMBS + 1));

/// A scalar in signed form. Wiped on drop.
pub(in crate::arith) struct SignedDigits {
    /// Bit i is 1 for +2^i and 0 for -2^i.
    signs: [u64; LIMBS + 1],
}

impl SignedDigits {
    /// The signs of the scalar, or of the scalar plus q if it is even. (k + 2^SIGNS - 1) / 2 has the signs as bits.
    pub(in crate::arith) fn new(scalar: &Scalar) -> SignedDigits {
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
        let signs = self.of_table(table) >> row;
        let bits = (0..TEETH).fold(0, |bits, tooth| bits | (signs >> (tooth * ROWS) & 1) << tooth);
        let top = bits >> (TEETH - 1);
        let flip = top.wrapping_sub(1) & (TABLE_LEN as u64 - 1);
        ((bits ^ flip) & (TABLE_LEN as u64 - 1), Choice::from((top ^ 1) as u8))
    }

    /// The signs of a table: of its lowest tooth for all rows, then of the next, and so on.
    pub(in crate::arith) fn of_table(&self, table: usize) -> u64 {
        let (word, shift) = (table * SIGNS_OF_TABLE / 64, table * SIGNS_OF_TABLE % 64);
        let mut signs = self.signs[word] >> shift;
        if shift > 64 - SIGNS_OF_TABLE {
            signs |= self.signs[word + 1] << (64 - shift);
        }
        signs & ((1 << SIGNS_OF_TABLE) - 1)
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
/// Teeth 5, 4 and 3 are combined apart from 2, 1 and 0, so that an entry costs half a pair, and little else.
pub(in crate::arith) fn tables_of_teeth<T: Copy>(
    teeth: &[T],
    plus_and_minus: impl Fn(&[[T; 2]]) -> Vec<[T; 2]>,
) -> Vec<T> {
    let tables = || teeth.chunks_exact(TEETH);
    let halves: Vec<_> = tables().flat_map(|table| [[table[5], table[4]], [table[2], table[1]]]).collect();
    let halves = plus_and_minus(&halves);
    let lowest_of_halves = tables().flat_map(|table| [table[3], table[0]]);
    let halves: Vec<_> =
        halves.iter().zip(lowest_of_halves).flat_map(|(sums, tooth)| sums.map(|sum| [sum, tooth])).collect();
    // Of each half the sums with signs ++, +-, -+ and --, the top sign being +.
    let halves = plus_and_minus(&halves);
    let pairs: Vec<_> = halves
        .chunks_exact(4)
        .flat_map(|half| {
            let high = [half[0][0], half[0][1], half[1][0], half[1][1]];
            let low = [half[2][0], half[2][1], half[3][0], half[3][1]];
            high.map(|high| low.map(|low| [high, low]))
        })
        .flatten()
        .collect();
    let entries = plus_and_minus(&pairs);
    (0..teeth.len() / TEETH * TABLE_LEN)
        .map(|i| {
            let (table, index) = (i / TABLE_LEN, i % TABLE_LEN);
            let (high, tooth_2, low) = (3 - (index >> 3), index >> 2 & 1, 3 - (index & 3));
            // The opposite of a low half has opposite signs.
            let low = if tooth_2 == 1 { low } else { 3 - low };
            entries[table * 16 + high * 4 + low][1 - tooth_2]
        })
        .collect()
}
