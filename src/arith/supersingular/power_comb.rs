//! Powers of fixed elements of the pairing's target group, by the same signed comb as multiples of points.

use alloc::boxed::Box;
use alloc::vec::Vec;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::field::{FpOn, Scalar};
use super::pairing_value::PairingValueOn;
use super::signed_digits::{DOUBLINGS, ROWS, SignedDigits, TABLE_LEN, TABLES, tables_of_teeth};
use crate::arith::backend::LimbEngine;
use crate::arith::residue::invert_all;

/// Powers of one element of order q: 704 representatives, 88 KiB.
pub(in crate::arith) struct PowerComb<E: LimbEngine> {
    /// One table after the other.
    entries: Box<[FpOn<E>]>,
}

impl<E: LimbEngine> PowerComb<E> {
    /// Builds the tables, in about 8,000 multiplications.
    pub(super) fn new(base: &PairingValueOn<E>) -> PowerComb<E> {
        let mut value = *base;
        let mut teeth = Vec::with_capacity(TABLES * TABLE_LEN);
        for squarings in 0..=DOUBLINGS {
            if squarings > 0 {
                value = value.square();
            }
            if squarings % ROWS == 0 {
                teeth.push(value);
            }
        }
        let teeth = PairingValueOn::representatives(&teeth);
        PowerComb { entries: tables_of_teeth(&teeth, product_and_quotient).into_boxed_slice() }
    }

    /// base^exponent, in constant time, in 366 multiplications.
    pub(super) fn power(&self, exponent: &Scalar) -> PairingValueOn<E> {
        let digits = SignedDigits::new(exponent);
        (0..ROWS).rev().fold(PairingValueOn::ONE, |product, row| {
            let tables = self.entries.chunks_exact(TABLE_LEN).enumerate();
            tables.fold(product.square(), |product, (table, entries)| {
                let (index, negative) = digits.digit(table, row);
                product.multiply_by_one_plus(&select(entries, index, negative))
            })
        })
    }
}

/// Entry `index` of a table, or the representative of its inverse, by reading all of it.
fn select<E: LimbEngine>(entries: &[FpOn<E>], index: u64, inverse: Choice) -> FpOn<E> {
    let mut chosen = FpOn::ZERO;
    for (i, entry) in entries.iter().enumerate() {
        chosen.take_if(entry, (i as u64).ct_eq(&index));
    }
    chosen.conditional_assign(&-chosen, inverse);
    chosen
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
