//! Tables of a comb: built eight side by side, a table a lane, and kept with eight entries side by side.

use alloc::vec::Vec;

use super::lanes::{LANES, Lanes, Limbs};
use crate::arith::supersingular::signed_digits::Layout;

/// Of the combs here: a row a lane.
pub const LAYOUT: Layout = Layout::new(LANES, 6, 22);
/// Points that one table combines.
pub const TEETH: usize = LAYOUT.teeth;
/// Tables of a comb.
pub const TABLES: usize = LAYOUT.tables;
/// Entries of one table.
pub const TABLE_LEN: usize = LAYOUT.table_len();

/// The numbers of a table, reduced: entry i is lane i mod 8 of number i / 8.
pub type Entries = [Lanes; TABLE_LEN / LANES];

/// The teeth of eight tables side by side, of all tables, from the numbers of every tooth. Where there are no eight tables
/// left, the last one is repeated.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub fn teeth_side_by_side<const N: usize>(teeth: &[[Limbs; N]]) -> Vec<[Lanes; N]> {
    let mut side_by_side = Vec::with_capacity(TABLES.div_ceil(LANES) * TEETH);
    for first in (0..TABLES).step_by(LANES) {
        for tooth in 0..TEETH {
            let of_table = |lane: usize| &teeth[(first + lane).min(TABLES - 1) * TEETH + tooth];
            side_by_side.push(core::array::from_fn(|n| Lanes::gather(&core::array::from_fn(|lane| of_table(lane)[n]))));
        }
    }
    side_by_side
}

/// The tables of which the lanes of numbers below 2 p are the entries.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub fn tables_of_lanes(entries: [Lanes; TABLE_LEN]) -> [Entries; LANES] {
    let mut eighths: [[Lanes; LANES]; TABLE_LEN / LANES] =
        core::array::from_fn(|i| core::array::from_fn(|j| entries[i * LANES + j].reduced()));
    for eighth in &mut eighths {
        Lanes::transpose(eighth);
    }
    core::array::from_fn(|table| core::array::from_fn(|i| eighths[i][table]))
}
