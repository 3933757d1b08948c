//! Powers of fixed elements of the pairing's target group.

use alloc::boxed::Box;
use alloc::vec::Vec;
use subtle::{ConditionallySelectable, ConstantTimeEq};

use super::comb::{SignedDigits, TABLE_LEN, TABLES};
use super::field::{FpOn, Scalar};
use super::pairing_value::PairingValueOn;
use crate::arith::backend::LimbEngine;
use crate::arith::residue::invert_all;

/// Powers of one fixed element, by the same signed comb as multiples of a point: 288 representatives, 36 KiB.
pub(in crate::arith) struct PowerComb<E: LimbEngine> {
    /// Representatives of the comb's combinations, a table after the other.
    entries: Box<[FpOn<E>]>,
}

impl<E: LimbEngine> PowerComb<E> {
    /// Builds the tables: about a thousand squarings.
    pub(super) fn new(base: &PairingValueOn<E>) -> PowerComb<E> {
        let mut entries = Vec::with_capacity(TABLES * TABLE_LEN);
        SignedDigits::for_each_table(
            *base,
            |value| value.square(),
            |a, b| a.multiply(b),
            |value| value.invert(),
            |table| entries.extend_from_slice(table),
        );
        let mut re: Vec<FpOn<E>> = entries.iter().map(|value: &PairingValueOn<E>| value.re).collect();
        invert_all(&mut re);
        PowerComb { entries: entries.iter().zip(re).map(|(value, inverse)| value.im * inverse).collect() }
    }

    /// base^exponent, in constant time.
    pub(super) fn power(&self, exponent: &Scalar) -> PairingValueOn<E> {
        let comb = SignedDigits::new(exponent);
        let mut accumulator = PairingValueOn::ONE;
        for column in SignedDigits::columns() {
            accumulator = accumulator.square();
            for (table, entries) in self.entries.chunks_exact(TABLE_LEN).enumerate() {
                let (index, negative) = comb.digit(table, column);
                let mut u = FpOn::ZERO;
                for (i, entry) in entries.iter().enumerate() {
                    u.take_if(entry, (i as u64).ct_eq(&index));
                }
                u.conditional_assign(&-u, negative);
                accumulator = accumulator.multiply_by_one_plus(&u);
            }
        }
        accumulator
    }
}
