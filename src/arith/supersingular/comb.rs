//! Multiples of fixed points by a signed comb (Hamburg, "Fast and compact elliptic-curve cryptography", 2012).
//!
//! An odd scalar is a sum of ±2^i over all i below TABLES · TEETH · SPACING. Bit i of the sign string belongs to column
//! i mod SPACING and to tooth (i / SPACING) mod TEETH of table i / (SPACING · TEETH). A table holds every signed sum of its
//! TEETH points `[2^(SPACING j)]B` with the top sign positive, so each column costs one addition a table, and the columns
//! are joined by SPACING - 1 doublings. No digit is ever 0, and the complete formulas have no exceptional case, so the
//! sequence of operations is the same for every scalar; tables are read in full for every digit.

use alloc::boxed::Box;
use alloc::vec::Vec;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::{Zeroize, Zeroizing};

use super::field::{FpOn, LIMBS, Q, Scalar};
use super::point::{AffineOn, ProjectiveOn};
use crate::arith::backend::LimbEngine;
use crate::arith::residue::Modulus;

/// Points that one table combines.
const TEETH: usize = 6;
/// Tables of a comb.
pub(super) const TABLES: usize = 9;
/// Distance in bits between two teeth.
const SPACING: usize = 19;
/// Entries of one table.
pub(super) const TABLE_LEN: usize = 1 << (TEETH - 1);
/// Signs of the recoded scalar. An odd scalar below 2q has at most 1023 bits.
const SIGNS: usize = TABLES * TEETH * SPACING;
const _: () = assert!(SIGNS >= 1023 && SIGNS <= 64 * (LIMBS + 1));

/// The comb of one point: 288 points, 72 KiB.
pub(in crate::arith) struct Comb<E: LimbEngine> {
    entries: Box<[AffineOn<E>]>,
}

impl<E: LimbEngine> Comb<E> {
    /// Builds the tables for a point of the subgroup: about a thousand doublings.
    pub(super) fn new(base: &AffineOn<E>) -> Comb<E> {
        let mut entries = Vec::with_capacity(TABLES * TABLE_LEN);
        SignedDigits::for_each_table(
            ProjectiveOn::from(*base),
            ProjectiveOn::double,
            ProjectiveOn::add,
            ProjectiveOn::negate,
            |table| entries.extend_from_slice(table),
        );
        Comb { entries: ProjectiveOn::to_affine_all(&entries).into_boxed_slice() }
    }

    /// The sum of `[scalar]B` over all terms, which share the doublings, in constant time.
    pub(super) fn multiply_sum<const TERMS: usize>(terms: [(&Comb<E>, &Scalar); TERMS]) -> ProjectiveOn<E> {
        let terms = terms.map(|(base, scalar)| (base, SignedDigits::new(scalar)));
        let mut accumulator = ProjectiveOn::IDENTITY;
        for column in SignedDigits::columns() {
            accumulator = accumulator.double();
            for (base, digits) in &terms {
                for (table, entries) in base.entries.chunks_exact(TABLE_LEN).enumerate() {
                    let (index, negative) = digits.digit(table, column);
                    accumulator = accumulator.add_affine(&select(entries, index, negative));
                }
            }
        }
        accumulator
    }
}

/// Entry `index` of a table, negated if asked, by reading all of it.
fn select<E: LimbEngine>(entries: &[AffineOn<E>], index: u64, negative: Choice) -> AffineOn<E> {
    let mut chosen = AffineOn { x: FpOn::ZERO, y: FpOn::ZERO };
    for (i, entry) in entries.iter().enumerate() {
        let hit = (i as u64).ct_eq(&index);
        chosen.x.take_if(&entry.x, hit);
        chosen.y.take_if(&entry.y, hit);
    }
    chosen.y.conditional_assign(&-chosen.y, negative);
    chosen
}

/// A scalar in signed form.
pub(super) struct SignedDigits {
    /// Bit i is 1 for +2^i and 0 for -2^i.
    signs: [u64; LIMBS + 1],
}

impl SignedDigits {
    /// The columns in the order in which they are taken.
    pub(super) fn columns() -> impl Iterator<Item = usize> {
        (0..SPACING).rev()
    }

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

    /// What a table contributes to a column: an index, and whether the entry counts negatively.
    pub(super) fn digit(&self, table: usize, column: usize) -> (u64, Choice) {
        let mut bits = 0;
        for tooth in 0..TEETH {
            let i = (table * TEETH + tooth) * SPACING + column;
            bits |= (self.signs[i / 64] >> (i % 64) & 1) << tooth;
        }
        let top = bits >> (TEETH - 1);
        let flip = top.wrapping_sub(1) & (TABLE_LEN as u64 - 1);
        ((bits ^ flip) & (TABLE_LEN as u64 - 1), Choice::from((top ^ 1) as u8))
    }

    /// Gives each table of the comb for `base`, in any group: entry i is the sum of `[2^(SPACING j)]base` over a table's
    /// teeth j, the top one positive and the others by the bits of i.
    pub(super) fn for_each_table<T: Copy>(
        base: T,
        double: impl Fn(&T) -> T,
        add: impl Fn(&T, &T) -> T,
        negate: impl Fn(&T) -> T,
        mut give: impl FnMut(&[T]),
    ) {
        let mut point = base;
        for _ in 0..TABLES {
            let mut teeth = Vec::with_capacity(TEETH);
            for _ in 0..TEETH {
                teeth.push(point);
                for _ in 0..SPACING {
                    point = double(&point);
                }
            }
            let mut table = Vec::with_capacity(TABLE_LEN);
            let lowest = teeth.iter().take(TEETH - 1).fold(teeth[TEETH - 1], |sum, tooth| add(&sum, &negate(tooth)));
            table.push(lowest);
            for tooth in teeth.iter().take(TEETH - 1) {
                let twice = double(tooth);
                for i in 0..table.len() {
                    table.push(add(&table[i], &twice));
                }
            }
            give(&table);
        }
    }
}

impl Drop for SignedDigits {
    fn drop(&mut self) {
        self.signs.zeroize();
    }
}
