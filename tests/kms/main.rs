//! The KMS: what it keeps, what it gives to whom over HTTPS, and what it refuses.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends at what it did not expect")]

mod api;
mod audit;
mod backup;
mod bulk;
mod clients;
mod connections;
#[cfg(unix)]
mod custody;
#[cfg(unix)]
mod kill;
#[cfg(unix)]
mod process;
mod resources;
mod rollover;
#[path = "../schema/mod.rs"]
mod schema;
mod server;
mod support;
mod trust;
