//! Multiples of fixed points: a lane for each row of the comb of `supersingular::comb`.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::digits::Digits;
use super::few_points::FewPoints;
use super::inversion::invert_all;
use super::is_available;
use super::lanes::{LANES, LIMBS, Lanes, Limbs};
use super::point::{AffinePoints, Points};
use super::signs::{ROWS, Signs, TABLE_LEN, TABLES, TEETH};
use crate::arith::backend::Portable;
use crate::arith::supersingular::{Affine, ProjectiveOn, Scalar};

const _: () = assert!(ROWS == LANES);

/// The comb of one point: 704 points, 220 KiB.
pub struct Comb {
    tables: Box<[Table]>,
}

/// The points of a table, x and y apart, since a look-up takes one after the other.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Table {
    x: [Limbs; TABLE_LEN],
    y: [Limbs; TABLE_LEN],
}

impl Comb {
    /// Builds the tables for a point of the subgroup: about a thousand doublings. Panics where the processor lacks the
    /// instructions.
    pub fn new(base: &Affine) -> Comb {
        assert!(is_available());
        // SAFETY: the processor has the instructions.
        unsafe { Comb::build(base) }
    }

    /// The sum of `[scalar]B` over all terms, at least one, in constant time.
    pub fn multiply_sum<const TERMS: usize>(terms: [(&Comb, &Scalar); TERMS]) -> ProjectiveOn<Portable> {
        let terms = terms.map(|(comb, scalar)| (comb, Signs::new(scalar)));
        // SAFETY: a comb exists only where the processor has the instructions.
        unsafe { join_rows(&sum_rows(&terms)) }
    }

    /// The points that a table contributes to the rows, by the table's signs.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn look_up(&self, table: usize, signs: u64) -> AffinePoints {
        let digits = Digits::new(signs);
        let table = &self.tables[table];
        let y = digits.pick(&table.y);
        AffinePoints { x: digits.pick(&table.x), y: y.negate_reduced(digits.negative) }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn build(base: &Affine) -> Comb {
        let teeth = teeth(base);
        // Tables are built eight at a time, a table a lane.
        let mut entries = Vec::with_capacity(TABLES.div_ceil(LANES) * TABLE_LEN);
        for first in (0..TABLES).step_by(LANES) {
            let tooth = |i| {
                let points: [&[Limbs; 3]; LANES] =
                    core::array::from_fn(|lane| &teeth[(first + lane).min(TABLES - 1) * TEETH + i]);
                let [x, y, z] = [0, 1, 2].map(|c| Lanes::gather(&points.map(|point| point[c])));
                Points { x, y, z }
            };
            let mut table = Vec::with_capacity(TABLE_LEN);
            table.push((0..TEETH - 1).fold(tooth(TEETH - 1), |sum, i| sum.add(&tooth(i).negate())));
            for i in 0..TEETH - 1 {
                let twice = tooth(i).double();
                for j in 0..table.len() {
                    table.push(table[j].add(&twice));
                }
            }
            entries.append(&mut table);
        }
        let mut inverses: Vec<Lanes> = entries.iter().map(|point| point.z).collect();
        invert_all(&mut inverses);
        let mut tables = alloc::vec![Table { x: [[0; LIMBS]; TABLE_LEN], y: [[0; LIMBS]; TABLE_LEN] }; TABLES];
        for (i, (points, inverse)) in entries.iter().zip(inverses).enumerate() {
            let (first, entry) = (i / TABLE_LEN * LANES, i % TABLE_LEN);
            let [x, y] = [points.x, points.y].map(|c| c.multiply(&inverse).reduced().scatter());
            for (table, (x, y)) in tables[first..].iter_mut().zip(x.into_iter().zip(y)) {
                (table.x[entry], table.y[entry]) = (x, y);
            }
        }
        Comb { tables: tables.into_boxed_slice() }
    }
}

/// X, Y and Z of `[2^(8 j)]B` for every tooth j.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn teeth(base: &Affine) -> Vec<[Limbs; 3]> {
    let mut point = FewPoints::from_affine(base);
    let mut teeth = Vec::with_capacity(TABLES * TEETH);
    for _ in 0..TABLES * TEETH {
        let [x, y, z, ..] = point.coordinates().scatter();
        teeth.push([x, y, z]);
        point = point.double_times(ROWS);
    }
    teeth
}

/// The sum of what all tables contribute to each row.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn sum_rows<const TERMS: usize>(terms: &[(&Comb, Signs); TERMS]) -> Points {
    let point = |i: usize| {
        let (comb, signs) = &terms[i / TABLES];
        comb.look_up(i % TABLES, signs.of_table(i % TABLES))
    };
    let mut sum = point(0).add(&point(1));
    for i in 2..TERMS * TABLES {
        sum = sum.add_affine(&point(i));
    }
    sum
}

/// The sum of 2^row times a row, over all of them.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn join_rows(rows: &Points) -> ProjectiveOn<Portable> {
    // Rows 0 and 1, 2 and 3; rows 4 and 5, 6 and 7.
    let [low, high] = [0, 4].map(|row| {
        let [even, odd] = [0, 1].map(|i| FewPoints::pick(rows, [row + i, row + 2 + i]));
        even.add(&odd.double_times(1))
    });
    let [even, odd] = [0, 1].map(|which| FewPoints::pick_each(&low, &high, which));
    let halves = even.add(&odd.double_times(2));
    let [x, y, z, ..] = halves.single(0).add(&halves.single(1).double_times(4)).coordinates().to_fp();
    ProjectiveOn { x, y, z }
}
