//! Counts the multiplications of a thread, in tests: docs/performance.md sets them against the time that operations take.

use alloc::collections::BTreeMap;
use core::cell::RefCell;

/// What is multiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Width {
    /// One number of 1024 bits.
    One1024,
    /// One number of 256 bits.
    One256,
}

impl Width {
    /// The width of a residue of so many 64-bit limbs.
    pub fn of_limbs(limbs: usize) -> Width {
        if limbs > 4 { Width::One1024 } else { Width::One256 }
    }
}

/// Products, squares and reductions of each width; a sum of products has one reduction.
pub type Tally = BTreeMap<Width, [u32; 3]>;

thread_local! {
    static TALLY: RefCell<Option<Tally>> = const { RefCell::new(None) };
}

/// What `operation` multiplies on this thread.
pub fn of<T>(operation: impl FnOnce() -> T) -> Tally {
    TALLY.set(Some(Tally::new()));
    operation();
    TALLY.take().unwrap_or_default()
}

/// A sum of so many products with one reduction.
pub fn products(width: Width, count: u32) {
    add(width, [count, 0, 1]);
}

/// A square.
pub fn square(width: Width) {
    add(width, [0, 1, 1]);
}

fn add(width: Width, more: [u32; 3]) {
    TALLY.with_borrow_mut(|tally| {
        let Some(tally) = tally else { return };
        let counts = tally.entry(width).or_default();
        for (count, more) in counts.iter_mut().zip(more) {
            *count += more;
        }
    });
}
