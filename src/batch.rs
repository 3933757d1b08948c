//! How many threads a batch runs on.
//!
//! Operations on many items share work between them, which makes each cheaper, and with the `std` feature they also spread
//! over threads. What they give does not depend on how many.

use alloc::vec::Vec;

/// Items that share work at most: more would hardly make each cheaper, and no longer fit the caches.
const LARGEST_SHARE: usize = 32;

/// The threads that a batch may run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threads(usize);

impl Threads {
    /// The calling thread alone.
    pub const ONE: Threads = Threads(1);

    /// As many threads as this machine runs at a time.
    #[cfg(feature = "std")]
    pub fn available() -> Threads {
        std::thread::available_parallelism().map_or(Threads::ONE, |count| Threads(count.get()))
    }

    /// More than one.
    #[cfg(test)]
    pub(crate) const SEVERAL: Threads = Threads(3);

    /// So many threads, at least one.
    #[cfg(feature = "std")]
    pub const fn count(count: core::num::NonZeroUsize) -> Threads {
        Threads(count.get())
    }
}

/// What `operation` gives for every item, in order. It is called with some neighbouring items at a time.
pub(crate) fn map<T: Sync, R: Send + Sync>(
    items: &[T],
    threads: Threads,
    operation: impl Fn(&[T]) -> Vec<R> + Sync,
) -> Vec<R> {
    let share = items.len().div_ceil(threads.0).clamp(1, LARGEST_SHARE);
    let shares: Vec<&[T]> = items.chunks(share).collect();
    #[cfg(feature = "std")]
    if threads.0.min(shares.len()) > 1 {
        return spread(&shares, threads.0.min(shares.len()), operation);
    }
    shares.into_iter().flat_map(operation).collect()
}

/// Each thread takes the next share that is left, until none is.
#[cfg(feature = "std")]
fn spread<T: Sync, R: Send + Sync>(
    shares: &[&[T]],
    threads: usize,
    operation: impl Fn(&[T]) -> Vec<R> + Sync,
) -> Vec<R> {
    use core::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::OnceLock;

    let results: Vec<OnceLock<Vec<R>>> = shares.iter().map(|_| OnceLock::new()).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let (Some(share), Some(result)) = (shares.get(i), results.get(i)) else { break };
            result.get_or_init(|| operation(share));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            // Where the system has no thread left, those that there are do the work.
            if std::thread::Builder::new().spawn_scoped(scope, work).is_err() {
                break;
            }
        }
        work();
    });
    results.into_iter().filter_map(OnceLock::into_inner).flatten().collect()
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;
    use core::num::NonZeroUsize;
    use std::sync::Mutex;
    use std::thread::{self, ThreadId};

    #[test]
    fn every_item_is_taken_once_and_results_keep_the_order() {
        for threads in [1, 2, 3, 8].map(|count| Threads::count(NonZeroUsize::new(count).unwrap())) {
            for count in (0..70).chain([500]) {
                let items: Vec<u32> = (0..count).collect();
                let doubled = map(&items, threads, |share| {
                    assert!((1..=LARGEST_SHARE).contains(&share.len()));
                    share.iter().map(|item| 2 * item).collect()
                });
                assert_eq!(doubled, items.iter().map(|item| 2 * item).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn one_thread_is_the_calling_one() {
        let seen: Mutex<Vec<ThreadId>> = Mutex::default();
        map(&[0; 100], Threads::ONE, |_| {
            seen.lock().unwrap().push(thread::current().id());
            Vec::<u8>::new()
        });
        assert!(seen.into_inner().unwrap().iter().all(|&id| id == thread::current().id()));
    }
}
