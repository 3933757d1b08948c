//! Powers of a fixed element of the pairing's target group: a lane for each row of the comb.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::digits::Digits;
use super::inversion::invert_all;
use super::is_available;
use super::lanes::{LANES, LIMBS, Lanes, Limbs};
use super::signs::{ROWS, Signs, TABLE_LEN, TABLES, TEETH};
use super::value::{FewValues, Values};
use crate::arith::supersingular::{PairingValue, Scalar};

/// Powers of one element by the comb of `supersingular::comb`: 704 representatives, 110 KiB.
pub struct PowerComb {
    tables: Box<[Table]>,
}

/// u of every power 1 + u i of a table, reduced.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Table([Limbs; TABLE_LEN]);

impl PowerComb {
    /// Builds the tables: about a thousand squarings. Panics where the processor lacks the instructions.
    pub fn new(base: &PairingValue) -> PowerComb {
        assert!(is_available());
        // SAFETY: the processor has the instructions.
        unsafe { PowerComb::build(base) }
    }

    /// base^exponent, in constant time.
    pub fn power(&self, exponent: &Scalar) -> PairingValue {
        // SAFETY: a comb exists only where the processor has the instructions.
        unsafe { join_rows(&self.multiply_rows(&Signs::new(exponent))) }
    }

    /// The product of what all tables contribute to each row.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn multiply_rows(&self, signs: &Signs) -> Values {
        let u = |table: usize| {
            let digits = Digits::new(signs.of_table(table));
            digits.pick(&self.tables[table].0).negate_reduced(digits.negative)
        };
        let mut product = Values::of_two(&u(0), &u(1));
        for table in 2..TABLES {
            product = product.multiply_by_one_plus(&u(table));
        }
        product
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn build(base: &PairingValue) -> PowerComb {
        let teeth = teeth(base);
        // Tables are built eight at a time, a table a lane.
        let mut entries = Vec::with_capacity(TABLES.div_ceil(LANES) * TABLE_LEN);
        for first in (0..TABLES).step_by(LANES) {
            let tooth = |i| {
                let values: [&[Limbs; 2]; LANES] =
                    core::array::from_fn(|lane| &teeth[(first + lane).min(TABLES - 1) * TEETH + i]);
                let [re, im] = [0, 1].map(|c| Lanes::gather(&values.map(|value| value[c])));
                Values { re, im }
            };
            let mut table = Vec::with_capacity(TABLE_LEN);
            table.push((0..TEETH - 1).fold(tooth(TEETH - 1), |product, i| product.multiply(&tooth(i).conjugate())));
            for i in 0..TEETH - 1 {
                let square = tooth(i).multiply(&tooth(i));
                for j in 0..table.len() {
                    table.push(table[j].multiply(&square));
                }
            }
            entries.append(&mut table);
        }
        let mut inverses: Vec<Lanes> = entries.iter().map(|value| value.re).collect();
        invert_all(&mut inverses);
        let mut tables = alloc::vec![Table([[0; LIMBS]; TABLE_LEN]); TABLES];
        for (i, (values, inverse)) in entries.iter().zip(inverses).enumerate() {
            let (first, entry) = (i / TABLE_LEN * LANES, i % TABLE_LEN);
            let u = values.im.multiply(&inverse).reduced().scatter();
            for (table, u) in tables[first..].iter_mut().zip(u) {
                table.0[entry] = u;
            }
        }
        PowerComb { tables: tables.into_boxed_slice() }
    }
}

/// The real and the imaginary part of base^(2^(8 j)) for every tooth j.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn teeth(base: &PairingValue) -> Vec<[Limbs; 2]> {
    let mut value = FewValues::from_value(base);
    let mut teeth = Vec::with_capacity(TABLES * TEETH);
    for _ in 0..TABLES * TEETH {
        teeth.push(value.first());
        value = value.square_times(ROWS);
    }
    teeth
}

/// The product of each row to the power of 2^row, over all of them.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn join_rows(rows: &Values) -> PairingValue {
    // Rows 0, 2, 4, 6 and 1, 3, 5, 7.
    let [even, odd] = [0, 1].map(|which| FewValues::pick_alternate(rows, which));
    let pairs = even.multiply(&odd.square_times(1));
    let halves = pairs.alternate(0).multiply(&pairs.alternate(1).square_times(2));
    halves.alternate(0).multiply(&halves.alternate(1).square_times(4)).to_value()
}
