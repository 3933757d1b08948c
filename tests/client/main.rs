//! The key management client as its users see it.
#![cfg(feature = "client")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod import;
mod messages;
mod mutation;
mod mutual_tls;
#[cfg(feature = "kms")]
mod provision;
mod roll_over;
#[cfg(feature = "kms")]
mod security;
mod store;
mod support;
mod vendor;
#[cfg(feature = "kms")]
mod world;
