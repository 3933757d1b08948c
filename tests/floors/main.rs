//! The cryptography, the codecs and the message security, as their users see them. One program: each is linked with all of the library.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends at what it did not expect")]

#[path = "../backend_support/mod.rs"]
mod backend_support;
mod eccsi;
#[cfg(feature = "std")]
mod mc_imessage;
#[cfg(feature = "std")]
mod mc_mutations;
#[cfg(feature = "std")]
#[path = "../mc_support/mod.rs"]
mod mc_support;
mod mikey_properties;
mod mikey_vendor;
#[cfg(feature = "xml-security")]
#[path = "../schema/mod.rs"]
mod schema;
#[cfg(feature = "sealing")]
mod sealing;
#[cfg(feature = "std")]
mod vendor_vectors;
#[cfg(feature = "xml-security")]
mod xml_security;
