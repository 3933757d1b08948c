//! Multiples of fixed points: a lane for each row of the comb of `supersingular::comb`.
//!
//! A table gives all rows their points in one look-up. As there, the points of a row are added in pairs of neighbours by
//! the affine formulas, as long as those of a level are so many that they outweigh the inversion that they share; no
//! addition is exceptional, by what is said there. The rest is added by the complete formulas: eight rows side by side,
//! and when rows are joined, eight items side by side or the coordinates of few points.

use alloc::boxed::Box;
use alloc::vec::Vec;
use zeroize::Zeroizing;

use super::digits::Digits;
use super::few_points::FewPoints;
use super::inversion::invert_all;
use super::is_available;
use super::lanes::{LANES, Lanes};
use super::point::{AffinePoints, Points};
use super::tables::{Entries, LAYOUT, TABLE_LEN, TABLES, TEETH, tables_of_lanes, teeth_side_by_side};
use crate::arith::backend::bmi2::Bmi2;
use crate::arith::supersingular::signed_digits::{SignedDigits, tables_of_teeth};
use crate::arith::supersingular::{Affine, FpOn, ProjectiveOn, Scalar};

/// So many additions of eight points at least save, by the affine formulas, more than the inversion that they share.
const WORTH_AN_INVERSION: usize = 12;
/// So many items at least are joined faster with a lane each.
const WORTH_A_LANE_EACH: usize = 4;
/// Items that share inversions; the points that are looked up take 55 KiB for each, for each base.
const ITEMS_AT_ONCE: usize = 32;

/// The comb of one point: 704 points, 220 KiB.
pub struct Comb {
    tables: Box<[Table]>,
}

/// The points of a table.
struct Table {
    x: Entries,
    y: Entries,
}

impl Comb {
    /// Builds the tables for a point of the subgroup: about a thousand doublings. Panics where the processor lacks the
    /// instructions.
    pub fn new(base: &Affine) -> Comb {
        assert!(is_available());
        // SAFETY: the processor has the instructions.
        unsafe { Comb::build(base) }
    }

    /// For each item, the sum of the multiples of all bases by the item's scalars, in constant time.
    pub fn multiply_sums<const TERMS: usize>(
        bases: [&Comb; TERMS],
        items: &[[&Scalar; TERMS]],
    ) -> Zeroizing<Vec<ProjectiveOn<Bmi2>>> {
        let mut sums = Zeroizing::new(Vec::with_capacity(items.len()));
        for items in items.chunks(ITEMS_AT_ONCE) {
            // SAFETY: a comb exists only where the processor has the instructions.
            sums.extend_from_slice(&unsafe { join_rows(&sum_rows(bases, items)) });
        }
        sums
    }

    /// The points that a table contributes to the rows, by the table's signs.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn look_up(&self, table: usize, signs: u64) -> AffinePoints {
        let digits = Digits::of_rows(signs);
        let table = &self.tables[table];
        let y = Lanes::look_up(&table.y, digits.index);
        AffinePoints { x: Lanes::look_up(&table.x, digits.index), y: y.negate_reduced(digits.negative) }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn build(base: &Affine) -> Comb {
        let entries = tables_of_teeth(LAYOUT, &teeth(base), |pairs| plus_and_minus(pairs));
        let mut tables = Vec::with_capacity(TABLES);
        for entries in entries.chunks_exact(TABLE_LEN) {
            let x = tables_of_lanes(core::array::from_fn(|i| entries[i].x));
            let y = tables_of_lanes(core::array::from_fn(|i| entries[i].y));
            let eight = x.into_iter().zip(y).map(|(x, y)| Table { x, y });
            tables.extend(eight.take(TABLES - tables.len()));
        }
        Comb { tables: tables.into_boxed_slice() }
    }
}

/// The teeth of all tables, `[2^(8 j)]B`, eight tables side by side.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn teeth(base: &Affine) -> Vec<AffinePoints> {
    let mut point = FewPoints::from_affine(base);
    let mut coordinates = Vec::with_capacity(TABLES * TEETH);
    for tooth in 0..TABLES * TEETH {
        if tooth > 0 {
            point = point.double_times(LANES);
        }
        let [x, y, z, ..] = point.coordinates().scatter();
        coordinates.push([x, y, z]);
    }
    let mut teeth = Vec::with_capacity(coordinates.len());
    let mut inverses = Vec::with_capacity(coordinates.len());
    for [x, y, z] in teeth_side_by_side(&coordinates) {
        teeth.push(AffinePoints { x, y });
        inverses.push(z);
    }
    invert_all(&mut inverses);
    for (tooth, inverse) in teeth.iter_mut().zip(&inverses) {
        (tooth.x, tooth.y) = (tooth.x.multiply(inverse), tooth.y.multiply(inverse));
    }
    teeth
}

/// The sums and differences of pairs of points, neither the same nor opposite, with one inversion.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn plus_and_minus(pairs: &[[AffinePoints; 2]]) -> Vec<[AffinePoints; 2]> {
    let mut inverses = Vec::with_capacity(pairs.len());
    inverses.extend(pairs.iter().map(|[first, second]| first.distance(second)));
    invert_all(&mut inverses);
    let mut sums = Vec::with_capacity(pairs.len());
    for ([first, second], inverse) in pairs.iter().zip(&inverses) {
        sums.push([first.add_distinct(second, inverse), first.add_distinct(&second.negate(), inverse)]);
    }
    sums
}

/// What all tables of all bases contribute to each row, summed, for every item.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn sum_rows<const TERMS: usize>(bases: [&Comb; TERMS], items: &[[&Scalar; TERMS]]) -> Zeroizing<Vec<Points>> {
    let mut points = Zeroizing::new(Vec::with_capacity(items.len() * TERMS * TABLES));
    for scalars in items {
        for (base, scalar) in bases.iter().zip(scalars) {
            let signs = SignedDigits::new(LAYOUT, scalar);
            for table in 0..TABLES {
                points.push(base.look_up(table, signs.of_table(table)));
            }
        }
    }
    let mut width = TABLES;
    while width > 1 && points.len() / width * (width / 2) >= WORTH_AN_INVERSION {
        add_neighbours(&mut points, width);
        width = width.div_ceil(2);
    }
    let mut sums = Zeroizing::new(Vec::with_capacity(items.len()));
    for points in points.chunks_exact(TERMS * width) {
        sums.push(AffinePoints::sum(points));
    }
    sums
}

/// In every group of `width` points, replaces each pair of neighbours by its sum; an odd last point stays.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn add_neighbours(points: &mut Vec<AffinePoints>, width: usize) {
    let (pairs, left) = (width / 2, width.div_ceil(2));
    let mut inverses = Zeroizing::new(Vec::with_capacity(points.len() / width * pairs));
    for group in points.chunks_exact(width) {
        inverses.extend(group.chunks_exact(2).map(|pair| pair[0].distance(&pair[1])));
    }
    invert_all(&mut inverses);
    for group in 0..points.len() / width {
        for i in 0..left {
            let from = group * width + 2 * i;
            points[group * left + i] = match i < pairs {
                true => points[from].add_distinct(&points[from + 1], &inverses[group * pairs + i]),
                false => points[from],
            };
        }
    }
    let groups = points.len() / width;
    points.truncate(groups * left);
}

/// The sums of 2^row times a row, over all of them.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn join_rows(items: &[Points]) -> Zeroizing<Vec<ProjectiveOn<Bmi2>>> {
    let mut sums = Zeroizing::new(Vec::with_capacity(items.len()));
    for items in items.chunks(LANES) {
        if items.len() < WORTH_A_LANE_EACH {
            sums.extend(items.iter().map(|rows| join_rows_of_one(rows)));
        } else {
            let [x, y, z] = join_rows_of_eight(items);
            let coordinates = x.into_iter().zip(y).zip(z);
            sums.extend(coordinates.take(items.len()).map(|((x, y), z)| ProjectiveOn { x, y, z }));
        }
    }
    sums
}

/// With an item a lane.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn join_rows_of_eight(items: &[Points]) -> [[FpOn<Bmi2>; LANES]; 3] {
    let item = |i: usize| &items[i.min(items.len() - 1)];
    let mut x = core::array::from_fn(|i| item(i).x);
    let mut y = core::array::from_fn(|i| item(i).y);
    let mut z = core::array::from_fn(|i| item(i).z);
    for coordinate in [&mut x, &mut y, &mut z] {
        Lanes::transpose(coordinate);
    }
    let row = |i: usize| Points { x: x[i], y: y[i], z: z[i] };
    let sum = (0..LANES - 1).rev().fold(row(LANES - 1), |sum, i| sum.double().add(&row(i)));
    [sum.x, sum.y, sum.z].map(|c| c.to_fp().map(|number| number.convert()))
}

/// With the coordinates of few points side by side.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn join_rows_of_one(rows: &Points) -> ProjectiveOn<Bmi2> {
    // Rows 0 and 1, 2 and 3; rows 4 and 5, 6 and 7.
    let [low, high] = [0, 4].map(|row| {
        let [even, odd] = [0, 1].map(|i| FewPoints::pick(rows, [row + i, row + 2 + i]));
        even.add(&odd.double_times(1))
    });
    let [even, odd] = [0, 1].map(|which| FewPoints::pick_each(&low, &high, which));
    let halves = even.add(&odd.double_times(2));
    let [x, y, z, ..] = halves.single(0).add(&halves.single(1).double_times(4)).coordinates().to_fp();
    ProjectiveOn { x: x.convert(), y: y.convert(), z: z.convert() }
}
