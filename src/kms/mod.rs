//! The key management server.
pub mod auth;
pub mod config;
pub mod development;
pub mod store;
