//! Floor 1: numbers, fields, curves, the pairing and fixed-base tables.
//!
//! Everything is of fixed width and constant-time unless its name says `vartime`; what is variable-time takes only public
//! values.

pub mod backend;
mod inversion;
pub mod p256;
mod residue;
pub mod supersingular;
mod wiped;

pub use residue::{Modulus, Residue, invert_all, invert_all_vartime};
pub use wiped::{Wipe, Wiped};

#[cfg(test)]
pub(crate) mod tally;
#[cfg(test)]
mod tests;
