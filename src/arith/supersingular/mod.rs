//! The supersingular curve E: y² = x³ - 3x over F_p of RFC 6509 Appendix A (SAKKE parameter set 1), and its pairing.
//!
//! E has p + 1 = 4 q points, q prime. P generates the subgroup of order q; its 2-Sylow group is cyclic of order 4, so
//! (0, 0) is the only point of order 2. The pairing takes two points of the subgroup to F_p2* / F_p*.

mod comb;
mod field;
mod fixed_base;
mod generator;
mod jacobian;
mod miller_lines;
mod miller_steps;
mod miller_walk;
mod pairing;
mod pairing_value;
mod point;
mod power_comb;
pub(super) mod signed_digits;
mod subgroup;

#[cfg(target_arch = "x86_64")]
pub(super) use field::FpOn;
#[cfg(any(target_arch = "x86_64", test))]
pub(super) use field::P;
#[cfg(test)]
pub(super) use field::Q;
pub use field::{BYTES, Fp, Scalar};
pub use fixed_base::FixedBase;
pub use generator::{multiply_generator, multiply_generator_batch, power_generator};
pub use miller_lines::MillerLines;
#[cfg(target_arch = "x86_64")]
pub(super) use miller_steps::{Step, steps};
pub use pairing_value::PairingValue;
#[cfg(target_arch = "x86_64")]
pub(super) use pairing_value::PairingValueOn;
#[cfg(target_arch = "x86_64")]
pub(super) use point::ProjectiveOn;
pub use point::{Affine, PointError, UNCOMPRESSED_LEN};

#[cfg(test)]
mod tests;
