//! The key management server.
pub mod config;
pub mod store;
