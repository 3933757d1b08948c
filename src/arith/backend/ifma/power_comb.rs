//! Powers of a fixed element of the pairing's target group: a lane for each row of the comb.

use alloc::boxed::Box;
use alloc::vec::Vec;
use zeroize::Zeroizing;

use super::digits::Digits;
use super::inversion::invert_all;
use super::is_available;
use super::lanes::{LANES, Lanes};
use super::tables::{Entries, LAYOUT, TABLE_LEN, TABLES, TEETH, tables_of_lanes, teeth_side_by_side};
use super::value::{FewValues, Values};
use crate::arith::backend::bmi2::Bmi2;
use crate::arith::supersingular::signed_digits::{SignedDigits, tables_of_teeth};
use crate::arith::supersingular::{PairingValue, PairingValueOn, Scalar};

/// Powers of one element by the comb of `supersingular::comb`: 704 representatives, 110 KiB.
pub struct PowerComb {
    /// u of every power 1 + u i.
    tables: Box<[Entries]>,
}

/// So many items at least are joined faster with a lane each.
const WORTH_A_LANE_EACH: usize = 4;

impl PowerComb {
    /// Builds the tables: about a thousand squarings. Panics where the processor lacks the instructions.
    pub fn new(base: &PairingValue) -> PowerComb {
        assert!(is_available());
        // SAFETY: the processor has the instructions.
        unsafe { PowerComb::build(base) }
    }

    /// base^exponent for every exponent, in constant time.
    pub fn powers(&self, exponents: &[&Scalar]) -> Vec<PairingValueOn<Bmi2>> {
        // SAFETY: a comb exists only where the processor has the instructions.
        exponents.chunks(LANES).flat_map(|exponents| unsafe { self.powers_of_eight(exponents) }).collect()
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn powers_of_eight(&self, exponents: &[&Scalar]) -> Vec<PairingValueOn<Bmi2>> {
        let mut rows = Zeroizing::new(Vec::with_capacity(LANES));
        for exponent in exponents {
            rows.push(self.multiply_rows(&SignedDigits::new(LAYOUT, exponent)));
        }
        if rows.len() < WORTH_A_LANE_EACH {
            rows.iter().map(|rows| join_rows_of_one(rows)).collect()
        } else {
            join_rows_of_eight(&rows).into_iter().take(rows.len()).collect()
        }
    }

    /// The product of what all tables contribute to each row.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn multiply_rows(&self, signs: &SignedDigits) -> Values {
        let u = |table: usize| {
            let digits = Digits::of_rows(signs.of_table(table));
            Lanes::look_up(&self.tables[table], digits.index).negate_reduced(digits.negative)
        };
        let mut product = Values::of_two(&u(0), &u(1));
        for table in 2..TABLES {
            product = product.multiply_by_one_plus(&u(table));
        }
        product
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn build(base: &PairingValue) -> PowerComb {
        let entries = tables_of_teeth(LAYOUT, &teeth(base), |pairs| product_and_quotient(pairs));
        let mut tables = Vec::with_capacity(TABLES);
        for entries in entries.chunks_exact(TABLE_LEN) {
            let eight = tables_of_lanes(core::array::from_fn(|i| entries[i]));
            tables.extend(eight.into_iter().take(TABLES - tables.len()));
        }
        PowerComb { tables: tables.into_boxed_slice() }
    }
}

/// u of the teeth of all tables, base^(2^(8 j)), eight tables side by side.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn teeth(base: &PairingValue) -> Vec<Lanes> {
    let mut value = FewValues::from_value(base);
    let mut parts = Vec::with_capacity(TABLES * TEETH);
    for tooth in 0..TABLES * TEETH {
        if tooth > 0 {
            value = value.square_times(LANES);
        }
        parts.push(value.first());
    }
    let mut teeth = Vec::with_capacity(parts.len());
    let mut inverses = Vec::with_capacity(parts.len());
    for [re, im] in teeth_side_by_side(&parts) {
        teeth.push(im);
        inverses.push(re);
    }
    invert_all(&mut inverses);
    for (tooth, inverse) in teeth.iter_mut().zip(&inverses) {
        *tooth = tooth.multiply(inverse);
    }
    teeth
}

/// The products and quotients of pairs, of odd order, with one inversion: the classes of (1 + u i)(1 ± v i) are
/// represented by (u ± v) / (1 ∓ u v). Numbers are below 2 p.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn product_and_quotient(pairs: &[[Lanes; 2]]) -> Vec<[Lanes; 2]> {
    let one = Lanes::one();
    let mut inverses = Vec::with_capacity(2 * pairs.len());
    for [u, v] in pairs {
        let product = u.multiply(v);
        inverses.push(Lanes::linear([(&one, 1), (&product, -1)], 2));
        inverses.push(one.add(&product));
    }
    invert_all(&mut inverses);
    let mut quotients = Vec::with_capacity(pairs.len());
    for ([u, v], inverses) in pairs.iter().zip(inverses.chunks_exact(2)) {
        let difference = Lanes::linear([(u, 1), (v, -1)], 2);
        quotients.push([u.add(v).multiply(&inverses[0]), difference.multiply(&inverses[1])]);
    }
    quotients
}

/// The products of each row to the power of 2^row, over all of them, with an item a lane.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn join_rows_of_eight(items: &[Values]) -> [PairingValueOn<Bmi2>; LANES] {
    let item = |i: usize| &items[i.min(items.len() - 1)];
    let mut re = core::array::from_fn(|i| item(i).re);
    let mut im = core::array::from_fn(|i| item(i).im);
    Lanes::transpose(&mut re);
    Lanes::transpose(&mut im);
    let row = |i: usize| Values { re: re[i], im: im[i] };
    let product = (0..LANES - 1).rev().fold(row(LANES - 1), |product, i| product.square().multiply(&row(i)));
    let (re, im) = (product.re.to_fp(), product.im.to_fp());
    core::array::from_fn(|i| PairingValueOn { re: re[i].convert(), im: im[i].convert() })
}

/// The same with few elements side by side.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn join_rows_of_one(rows: &Values) -> PairingValueOn<Bmi2> {
    // Rows 0, 2, 4, 6 and 1, 3, 5, 7.
    let [even, odd] = [0, 1].map(|which| FewValues::pick_alternate(rows, which));
    let pairs = even.multiply(&odd.square_times(1));
    let halves = pairs.alternate(0).multiply(&pairs.alternate(1).square_times(2));
    halves.alternate(0).multiply(&halves.alternate(1).square_times(4)).value()
}
