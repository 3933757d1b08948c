//! What the tests with foreign programs share: a KMS as its operator runs it, its clients, and processes that end with their
//! test.
#![allow(dead_code, reason = "each test uses its own part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at what it did not expect")]

pub mod client;
pub mod kms;
pub mod process;
