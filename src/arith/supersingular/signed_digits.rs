//! Scalars as sums of ± powers of two, and how a comb arranges them (Hamburg, "Fast and compact elliptic-curve
//! cryptography", 2012).
//!
//! An odd scalar is a sum of ±2^i over as many i as the comb has signs. With R rows and T teeth a table, sign i belongs to
//! row i mod R, tooth (i / R) mod T and table i / (R T). A table holds every signed sum of its teeth `[2^(R j)]B` with the
//! top sign positive; so a row takes one entry, or its opposite, from each table, and row ρ counts 2^ρ times. No digit is
//! ever 0.

use alloc::vec;
use alloc::vec::Vec;
use subtle::Choice;
use zeroize::{Zeroize, Zeroizing};

use super::field::{LIMBS, Q, Scalar};
use crate::arith::backend::portable::word_at;
use crate::arith::residue::Modulus;

/// How a comb arranges the signs of a scalar.
#[derive(Clone, Copy)]
pub(in crate::arith) struct Layout {
    /// The distance in bits between two teeth.
    pub(in crate::arith) rows: usize,
    /// Points that one table combines.
    pub(in crate::arith) teeth: usize,
    /// Tables of the comb.
    pub(in crate::arith) tables: usize,
}

impl Layout {
    /// A layout for an odd scalar below 2 q, which has at most 1023 bits.
    pub(in crate::arith) const fn new(rows: usize, teeth: usize, tables: usize) -> Layout {
        let layout = Layout { rows, teeth, tables };
        assert!(layout.signs() >= 1023 && layout.signs() <= 64 * (LIMBS + 1) && layout.signs_of_table() < 64);
        layout
    }

    /// Entries of one table.
    pub(in crate::arith) const fn table_len(&self) -> usize {
        1 << (self.teeth - 1)
    }

    /// Doublings between the lowest tooth and the highest.
    pub(super) const fn doublings(&self) -> usize {
        self.rows * (self.teeth * self.tables - 1)
    }

    const fn signs_of_table(&self) -> usize {
        self.teeth * self.rows
    }

    const fn signs(&self) -> usize {
        self.tables * self.signs_of_table()
    }
}

/// A scalar in signed form. Wiped on drop.
pub(in crate::arith) struct SignedDigits {
    layout: Layout,
    /// Bit i is 1 for +2^i and 0 for -2^i.
    signs: [u64; LIMBS + 1],
}

impl SignedDigits {
    /// The n signs of the scalar, or of the scalar plus q if it is even. (k + 2^n - 1) / 2 has the signs as bits.
    pub(in crate::arith) fn new(layout: Layout, scalar: &Scalar) -> SignedDigits {
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
        let top = layout.signs() - 1;
        signs[top / 64] |= 1 << (top % 64);
        SignedDigits { layout, signs }
    }

    /// What a table contributes to a row: an index, and whether the entry counts negatively.
    pub(super) fn digit(&self, table: usize, row: usize) -> (u64, Choice) {
        let Layout { rows, teeth, .. } = self.layout;
        let signs = self.of_table(table) >> row;
        let bits = (0..teeth).fold(0, |bits, tooth| bits | (signs >> (tooth * rows) & 1) << tooth);
        let (top, below) = (bits >> (teeth - 1), self.layout.table_len() as u64 - 1);
        let flip = top.wrapping_sub(1) & below;
        ((bits ^ flip) & below, Choice::from((top ^ 1) as u8))
    }

    /// The signs of a table: of its lowest tooth for all rows, then of the next, and so on.
    pub(in crate::arith) fn of_table(&self, table: usize) -> u64 {
        let count = self.layout.signs_of_table();
        word_at(&self.signs, table * count) & ((1 << count) - 1)
    }
}

impl Drop for SignedDigits {
    fn drop(&mut self) {
        self.signs.zeroize();
    }
}

/// All tables of a comb, in any group, from their teeth: entry i of a table is the sum of its teeth, the top one positive
/// and the others by the bits of i. `plus_and_minus` gives the sum and the difference of many pairs.
///
/// High and low teeth are combined apart, so that an entry costs half a pair, and little else.
pub(in crate::arith) fn tables_of_teeth<T: Copy>(
    layout: Layout,
    teeth: &[T],
    plus_and_minus: impl Fn(&[[T; 2]]) -> Vec<[T; 2]>,
) -> Vec<T> {
    // All signed sums of some teeth, of every table: first one tooth alone, then by the signs of the others as bits.
    let sums = |top: usize, others: core::ops::Range<usize>| {
        let first = teeth.chunks_exact(layout.teeth).map(|teeth| vec![teeth[top]]).collect();
        others.rev().fold(first, |tables: Vec<Vec<T>>, next| {
            let with_next = tables.iter().zip(teeth.chunks_exact(layout.teeth));
            let pairs: Vec<_> =
                with_next.flat_map(|(sums, teeth)| sums.iter().map(|sum| [*sum, teeth[next]])).collect();
            let both_signs = |sums: &[[T; 2]]| sums.iter().flat_map(|[plus, minus]| [*minus, *plus]).collect();
            plus_and_minus(&pairs).chunks_exact(tables[0].len()).map(both_signs).collect()
        })
    };
    let low_teeth = layout.teeth / 2;
    let (high, low) = (sums(layout.teeth - 1, low_teeth..layout.teeth - 1), sums(low_teeth - 1, 0..low_teeth - 1));
    let of_table = |(high, low): (&Vec<T>, &Vec<T>)| -> Vec<[T; 2]> {
        high.iter().flat_map(|high| low.iter().map(|low| [*high, *low])).collect()
    };
    let signed = plus_and_minus(&high.iter().zip(&low).flat_map(of_table).collect::<Vec<_>>());
    (0..2 * signed.len())
        .map(|i| {
            // Where the top one of the low teeth is negative, a low sum is subtracted, which has the opposite signs.
            let count = 1 << (low_teeth - 1);
            let (high, positive, low) = (i / (2 * count), i / count % 2 == 1, i % count);
            let [plus, minus] = signed[high * count + if positive { low } else { count - 1 - low }];
            if positive { plus } else { minus }
        })
        .collect()
}
