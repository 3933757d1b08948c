//! The elliptic curve P-256 (FIPS 186-4 section D.1.2.3): y² = x³ - 3x + b over F_p, on which ECCSI works (RFC 6507
//! Appendix A).
//!
//! The group has prime order q, so every point of the curve but infinity generates it: there is no subgroup to check.
//! Secret scalars multiply the generator alone, through [`multiply_generator`], in constant time. What multiplies other points is
//! public in ECCSI and goes through [`PublicBase`].

mod engine;
mod extended;
mod field;
mod fixed_base;
mod generator;
mod point;
mod public_base;
mod signed_digits;

pub use field::{BYTES, Fp, Scalar};
#[cfg(test)]
pub(super) use field::{P, Q};
pub use generator::{multiply_generator, multiply_generator_batch};
pub use point::{Affine, Jacobian, PointError, UNCOMPRESSED_LEN};
pub use public_base::{PublicBase, Summands};

#[cfg(test)]
mod tests;
