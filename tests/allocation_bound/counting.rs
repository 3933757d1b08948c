//! An allocator that counts what each thread holds.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// What an operation allocated.
#[derive(Debug, Clone, Copy)]
pub struct Allocated {
    /// The most octets that were held at once. A block that grows is held twice meanwhile.
    pub peak: usize,
    /// The largest block.
    pub largest: usize,
}

/// What `operation` allocates, its result included.
pub fn allocated_by<T>(operation: impl FnOnce() -> T) -> Allocated {
    HELD.set(0);
    PEAK.set(0);
    LARGEST.set(0);
    let result = operation();
    let allocated = Allocated { peak: PEAK.get(), largest: LARGEST.get() };
    drop(result);
    allocated
}

struct Counting;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: the system's allocator. Without `realloc` of its own it moves each block that grows.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.get().wrapping_add(layout.size());
        HELD.set(held);
        PEAK.set(PEAK.get().max(held));
        LARGEST.set(LARGEST.get().max(layout.size()));
        // SAFETY: as for the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // What was there before the operation may be freed in it.
        HELD.set(HELD.get().saturating_sub(layout.size()));
        // SAFETY: as for the caller.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
