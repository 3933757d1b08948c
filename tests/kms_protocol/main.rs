//! The documents of the KMS interface: written, read, signed, and refused.
#![cfg(all(feature = "kms", feature = "xml-security"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends at what it did not expect")]

mod documents;
mod redirect;
#[path = "../schema/mod.rs"]
mod schema;
mod security;
