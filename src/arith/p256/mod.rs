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

#[cfg(target_arch = "x86_64")]
pub(super) use extended::Extended;
#[cfg(any(target_arch = "x86_64", test))]
pub(super) use field::P;
#[cfg(test)]
pub(super) use field::Q;
pub use field::{BYTES, Fp, Scalar};
pub use generator::{multiply_generator, multiply_generator_batch};
pub use point::{Affine, Jacobian, PointError, UNCOMPRESSED_LEN};
pub use public_base::{PublicBase, Summands};
#[cfg(target_arch = "x86_64")]
pub(super) use signed_digits::SignedDigits;

#[cfg(test)]
mod tests;
