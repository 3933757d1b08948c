//! AVX-512 IFMA: eight numbers of 20 limbs of 52 bits side by side.
//!
//! The processor multiplies 52-bit limbs and adds the low or the high half of the product to a 64-bit lane
//! (`vpmadd52luq`, `vpmadd52huq`), one or two vectors of eight a cycle. A multiplication modulo p of 1024 bits takes 1620
//! of them for eight results, whatever the results are for, so all that this backend does is to keep eight independent
//! multiplications ready: the rows of a comb, the coordinates of a point, segments of Miller's loop, or a batch.
//!
//! Every function here needs avx512f, avx512dq and avx512ifma. They are called only through types that are built after
//! [`is_available`] has said yes.

mod comb;
mod digits;
mod few_points;
mod inversion;
mod lanes;
mod miller_functions;
mod miller_walk;
pub(in crate::arith) mod p256;
mod pair;
#[cfg(test)]
mod pair_tests;
mod pair_value;
mod pairing;
mod point;
#[cfg(test)]
mod point_tests;
mod power_comb;
mod tables;
#[cfg(test)]
mod tests;
mod traces;
mod value;

pub(in crate::arith) use comb::Comb;
pub(in crate::arith) use lanes::LANES;
pub(in crate::arith) use pairing::{Lines, pair_sum};
pub(in crate::arith) use power_comb::PowerComb;
pub(in crate::arith) use traces::trace_of_power;

use super::bmi2;

cpufeatures::new!(detected, "avx512f", "avx512dq", "avx512ifma");

/// Whether processor and operating system have what this backend needs: also what [`Bmi2`] needs, since the engine of
/// single operations is that.
///
/// [`Bmi2`]: super::bmi2::Bmi2
pub(super) fn is_available() -> bool {
    detected::get() && bmi2::is_available()
}
