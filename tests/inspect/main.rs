//! `inspect` and what it reads: captures, SIP, dumps; its findings; the messages of other vendors.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at what it did not expect")]

mod broken;
mod captures;
#[path = "../cli_support/mod.rs"]
mod cli_support;
#[cfg(target_os = "linux")]
mod memory;
mod message;
mod program;
mod strict;
mod vendor;
mod wire;
