//! P-256, eight operations of a batch side by side.
//!
//! Numbers have 5 limbs of 52 bits. A multiplication takes 80 multiply-adds for eight results: 50 for the product, and
//! 30 for the reduction, since half of p's limbs are powers of two.

mod digits;
mod lanes;
mod point;
mod secret_base;
mod sums;
mod table;
#[cfg(test)]
mod tests;

pub(in crate::arith) use secret_base::SecretBase;
pub(in crate::arith) use sums::PublicBase;
