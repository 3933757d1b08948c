//! No input makes a parser allocate much more than it has octets: four times as many, and a small fixed amount.
#![cfg(feature = "capture")]
#![allow(unsafe_code, reason = "an allocator is unsafe")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at what it did not expect")]

mod captures;
mod counting;
#[path = "../inspect/message.rs"]
#[allow(dead_code, reason = "a part is used")]
mod message;
mod mikey;
#[path = "../inspect/wire.rs"]
#[allow(dead_code, reason = "a part is used")]
mod wire;

use counting::allocated_by;

/// Octets that may be allocated for each octet of the input.
const FACTOR: usize = 4;

/// Asserts that `parse` allocates at most [`FACTOR`] times the input and `floor` octets, whether it succeeds or not.
fn assert_bound<'a, T: 'a>(what: &str, input: &'a [u8], floor: usize, parse: impl FnOnce(&'a [u8]) -> T) {
    let allocated = allocated_by(|| parse(input));
    let limit = FACTOR * input.len() + floor;
    assert!(allocated.peak <= limit, "{what}: {allocated:?} for {} octets, at most {limit}", input.len());
}

#[test]
fn the_count_sees_what_is_held_at_once() {
    let allocated = allocated_by(|| {
        drop(vec![0_u8; 100]);
        let mut grown = vec![0_u8; 64];
        grown.reserve_exact(128);
        grown
    });
    assert_eq!((allocated.peak, allocated.largest), (64 + 192, 192));
}
