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
    /// Two numbers of 1024 bits, each spread over four lanes.
    #[cfg(target_arch = "x86_64")]
    Two1024,
    /// Eight numbers of 1024 bits side by side.
    #[cfg(target_arch = "x86_64")]
    Eight1024,
    /// Eight numbers of 256 bits side by side.
    #[cfg(target_arch = "x86_64")]
    Eight256,
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

/// Products, squares and reductions of numbers of N limbs of 64 bits.
pub fn count_limbs<const N: usize>(counts: [u32; 3]) {
    count(if N > 4 { Width::One1024 } else { Width::One256 }, counts);
}

/// Products, squares and reductions.
pub fn count(width: Width, more: [u32; 3]) {
    TALLY.with_borrow_mut(|tally| {
        let Some(tally) = tally else { return };
        let counts = tally.entry(width).or_default();
        for (count, more) in counts.iter_mut().zip(more) {
            *count += more;
        }
    });
}
