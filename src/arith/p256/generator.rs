//! Multiples of the generator G by secret scalars.

use super::engine::{Engine, for_backend};
use super::field::Scalar;
use super::point::Jacobian;
use crate::arith::backend::Backend;

/// `[scalar]G`, in constant time.
pub fn generator_multiply(scalar: &Scalar) -> Jacobian {
    for_backend!(Backend::active(), E => E::generator_tables().multiply(scalar).on())
}
