//! The supersingular curve E: y² = x³ - 3x over F_p of RFC 6509 Appendix A (SAKKE parameter set 1), and its pairing.
//!
//! E has p + 1 = 4 q points, q prime. P generates the subgroup of order q; its 2-Sylow group is cyclic of order 4, so
//! (0, 0) is the only point of order 2. The pairing takes two points of the subgroup to F_p2* / F_p*.

mod comb;
mod field;
mod fixed_base;
mod generator;
mod miller_lines;
mod miller_steps;
mod miller_walk;
mod pairing;
mod pairing_value;
mod point;
mod power_comb;
mod subgroup;

pub use field::{BYTES, Fp, Scalar};
#[cfg(test)]
pub(super) use field::{FpOn, ScalarOn};
pub(super) use field::{P, Q};
pub use fixed_base::FixedBase;
pub use generator::{multiply_generator, power_generator};
pub use miller_lines::MillerLines;
pub(super) use miller_steps::{Step, steps};
pub use pairing::NotInSubgroup;
pub use pairing_value::PairingValue;
pub(super) use point::ProjectiveOn;
pub use point::{Affine, PointError, UNCOMPRESSED_LEN};

#[cfg(test)]
mod tests;
