//! Powers of fixed elements of the pairing's target group, by the same signed comb as multiples of points.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::marker::PhantomData;
use subtle::ConditionallySelectable;

use super::comb::LAYOUT;
use super::field::{FpOn, LIMBS, Scalar};
use super::pairing_value::PairingValueOn;
use super::signed_digits::{SignedDigits, tables_of_teeth};
use crate::arith::backend::LimbEngine;
use crate::arith::residue::invert_all;

/// Powers of one element of order q: 1344 representatives, 168 KiB.
pub(in crate::arith) struct PowerComb<E: LimbEngine> {
    tables: Box<[Table]>,
    engine: PhantomData<E>,
}

/// Representatives of a table, in Montgomery form and aligned to cache lines.
#[repr(align(64))]
struct Table([[u64; LIMBS]; LAYOUT.table_len()]);

impl<E: LimbEngine> PowerComb<E> {
    /// Builds the tables, in about 11,000 multiplications.
    pub(super) fn new(base: &PairingValueOn<E>) -> PowerComb<E> {
        let mut value = *base;
        let mut teeth = Vec::with_capacity(LAYOUT.tables * LAYOUT.teeth);
        for squarings in 0..=LAYOUT.doublings() {
            if squarings > 0 {
                value = value.square();
            }
            if squarings % LAYOUT.rows == 0 {
                teeth.push(value);
            }
        }
        let entries = tables_of_teeth(LAYOUT, &PairingValueOn::representatives(&teeth), product_and_quotient);
        let table = |entries: &[FpOn<E>]| Table(core::array::from_fn(|i| entries[i].to_montgomery()));
        PowerComb { tables: entries.chunks_exact(LAYOUT.table_len()).map(table).collect(), engine: PhantomData }
    }

    /// base^exponent, in constant time, in 308 multiplications.
    pub(super) fn power(&self, exponent: &Scalar) -> PairingValueOn<E> {
        let digits = SignedDigits::new(LAYOUT, exponent);
        (0..LAYOUT.rows).rev().fold(PairingValueOn::ONE, |product, row| {
            self.tables.iter().enumerate().fold(product.square(), |product, (table, Table(entries))| {
                let (index, inverse) = digits.digit(table, row);
                let mut u = FpOn::from_montgomery(E::select(entries, index));
                u.conditional_assign(&-u, inverse);
                product.multiply_by_one_plus(&u)
            })
        })
    }
}

/// The products and quotients of pairs, of odd order, with one inversion: the classes of (1 + u i)(1 ± v i) are
/// represented by (u ± v) / (1 ∓ u v).
fn product_and_quotient<E: LimbEngine>(pairs: &[[FpOn<E>; 2]]) -> Vec<[FpOn<E>; 2]> {
    let products = pairs.iter().map(|[u, v]| *u * *v);
    let mut inverses: Vec<FpOn<E>> = products.flat_map(|uv| [FpOn::ONE - uv, FpOn::ONE + uv]).collect();
    invert_all(&mut inverses);
    let quotients = pairs.iter().zip(inverses.chunks_exact(2));
    quotients.map(|([u, v], inverses)| [(*u + *v) * inverses[0], (*u - *v) * inverses[1]]).collect()
}
