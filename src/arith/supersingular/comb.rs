//! Multiples of fixed points by a signed comb, see [`super::signed_digits`]: one point for each table and row.
//!
//! The 21 points of a row are added in pairs of neighbours, then the sums in pairs, and so on, by the affine formulas, in
//! which all additions of a level share one inversion. No addition there is exceptional: as integers, two blocks of digits
//! of one row differ in magnitude, for no digit is 0 and the higher block is a multiple of a power of two above the lower.
//! Nor are they the same or opposite modulo q, except perhaps where table 20 takes part, whose digits reach beyond q; but
//! the signs there from bit 1022 on are the same for every scalar, and none of the values that are left lies within 2^981
//! of a multiple of q, while all lower tables together stay below (a test goes through them).
//! What is left of the rows is joined by the complete formulas, which have no exceptional case on the subgroup. So the
//! sequence of operations is the same for every scalar; and tables are read in full for every digit.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::marker::PhantomData;
use zeroize::Zeroizing;

use super::field::{FpOn, Scalar};
use super::jacobian::Jacobian;
use super::point::{AffineOn, Entry, ProjectiveOn};
use super::signed_digits::{Layout, SignedDigits, tables_of_teeth};
use crate::arith::backend::LimbEngine;
use crate::arith::residue::invert_all;

/// Of combs for 64-bit limbs: as few additions as tables allow that still fit the second cache with all that is needed.
pub(super) const LAYOUT: Layout = Layout::new(7, 7, 21);
const ROWS: usize = LAYOUT.rows;
const TABLES: usize = LAYOUT.tables;
const TABLE_LEN: usize = LAYOUT.table_len();
/// So many affine additions at least outweigh the inversion that they share.
const WORTH_AN_INVERSION: usize = 12;

/// The comb of one point: 1344 points, 336 KiB.
pub(in crate::arith) struct Comb<E: LimbEngine> {
    tables: Box<[Table]>,
    engine: PhantomData<E>,
}

/// Points of a table, aligned to cache lines.
#[repr(align(64))]
struct Table([Entry; TABLE_LEN]);

impl<E: LimbEngine> Comb<E> {
    /// Builds the tables for a point of the subgroup, in about 16,000 multiplications.
    pub(super) fn new(base: &AffineOn<E>) -> Comb<E> {
        let mut point = Jacobian::from(*base);
        let mut teeth = Vec::with_capacity(TABLES * LAYOUT.teeth);
        let mut inverses = Vec::with_capacity(TABLES * LAYOUT.teeth);
        for doublings in 0..=LAYOUT.doublings() {
            if doublings > 0 {
                point.double();
            }
            if doublings % ROWS == 0 {
                teeth.push(AffineOn { x: point.x, y: point.y });
                inverses.push(point.z);
            }
        }
        invert_all(&mut inverses);
        for (tooth, inverse) in teeth.iter_mut().zip(inverses) {
            let square = inverse.square();
            tooth.x *= square;
            tooth.y *= square * inverse;
        }
        let points = tables_of_teeth(LAYOUT, &teeth, plus_and_minus);
        let table = |points: &[AffineOn<E>]| Table(core::array::from_fn(|i| points[i].to_entry()));
        Comb { tables: points.chunks_exact(TABLE_LEN).map(table).collect(), engine: PhantomData }
    }

    /// For each item, the sum of the multiples of all bases by the item's scalars, in constant time. All items share
    /// inversions.
    pub(super) fn multiply_sums<const TERMS: usize>(
        bases: [&Comb<E>; TERMS],
        items: &[[&Scalar; TERMS]],
    ) -> Zeroizing<Vec<ProjectiveOn<E>>> {
        let mut points = Zeroizing::new(vec![AffineOn::default(); items.len() * ROWS * TERMS * TABLES]);
        for (points, scalars) in points.chunks_exact_mut(ROWS * TERMS * TABLES).zip(items) {
            for (term, (base, scalar)) in bases.iter().zip(scalars).enumerate() {
                let digits = SignedDigits::new(LAYOUT, scalar);
                for (table, Table(entries)) in base.tables.iter().enumerate() {
                    for row in 0..ROWS {
                        let (index, negative) = digits.digit(table, row);
                        let point = AffineOn::from_entry(&E::select(entries, index));
                        points[(row * TERMS + term) * TABLES + table] = point.negate_if(negative);
                    }
                }
            }
        }
        let groups = items.len() * ROWS * TERMS;
        let mut width = TABLES;
        while width > 1 && groups * (width / 2) >= WORTH_AN_INVERSION {
            add_neighbours(&mut points[..groups * width], width);
            width = width.div_ceil(2);
        }
        let sums = points[..groups * width].chunks_exact(ROWS * TERMS * width);
        Zeroizing::new(sums.map(|points| join_rows(points, TERMS * width)).collect())
    }
}

/// In every group of `width` points, replaces each pair of neighbours by its sum; an odd last point stays. The groups, of
/// half as many points, move up to the front.
fn add_neighbours<E: LimbEngine>(points: &mut [AffineOn<E>], width: usize) {
    let (groups, sums, half) = (points.len() / width, width / 2, width.div_ceil(2));
    let pair = |i: usize| i / sums * width + i % sums * 2;
    let mut inverses: Zeroizing<Vec<FpOn<E>>> =
        Zeroizing::new((0..groups * sums).map(|i| points[pair(i) + 1].x - points[pair(i)].x).collect());
    invert_all(&mut inverses);
    for group in 0..groups {
        for i in 0..half {
            let from = group * width + 2 * i;
            points[group * half + i] = match i < sums {
                true => add_distinct(&points[from], &points[from + 1], &inverses[group * sums + i]),
                false => points[from],
            };
        }
    }
}

/// The sum of two points, neither the same nor opposite, given 1 / (x₂ - x₁).
fn add_distinct<E: LimbEngine>(first: &AffineOn<E>, second: &AffineOn<E>, inverse: &FpOn<E>) -> AffineOn<E> {
    let slope = (second.y - first.y) * *inverse;
    let x = slope.square() - first.x - second.x;
    AffineOn { x, y: slope * (first.x - x) - first.y }
}

/// The sums and differences of pairs of points, neither the same nor opposite, with one inversion.
fn plus_and_minus<E: LimbEngine>(pairs: &[[AffineOn<E>; 2]]) -> Vec<[AffineOn<E>; 2]> {
    let mut inverses: Vec<FpOn<E>> = pairs.iter().map(|[first, second]| second.x - first.x).collect();
    invert_all(&mut inverses);
    let sums = pairs.iter().zip(&inverses).map(|([first, second], inverse)| {
        [add_distinct(first, second, inverse), add_distinct(first, &second.negate(), inverse)]
    });
    sums.collect()
}

/// The sum of 2^row times the points of a row, of which there are `width`, over all rows.
fn join_rows<E: LimbEngine>(points: &[AffineOn<E>], width: usize) -> ProjectiveOn<E> {
    let rows = points.chunks_exact(width).rev();
    rows.fold(ProjectiveOn::IDENTITY, |sum, row| row.iter().fold(sum.double(), |sum, point| sum.add_affine(point)))
}
