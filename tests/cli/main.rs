//! The program as its users run it.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

mod bulk;
#[path = "../cli_support/mod.rs"]
mod cli_support;
mod kms;
mod program;
mod readme;
#[path = "../schema/mod.rs"]
mod schema;
