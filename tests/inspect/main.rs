//! `inspect` and what it reads: captures, SIP, dumps; its findings; the messages of other vendors.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at what it did not expect")]

mod captures;
#[path = "../cli_support/mod.rs"]
mod cli_support;
mod message;
mod program;
mod vendor;
mod wire;
