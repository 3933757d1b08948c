//! What broke a deployed implementation, one test each: all of it is refused here, with an error of its own, before any
//! secret is used that it could harm.
#![cfg(all(feature = "client", feature = "capture"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends at what it did not expect")]

mod keys;
mod kms_answers;
#[path = "../mc_support/mod.rs"]
mod mc_support;
mod messages;
#[path = "../client/support.rs"]
#[allow(dead_code, reason = "a part is used")]
mod support;
