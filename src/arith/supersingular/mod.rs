//! The supersingular curve E: y² = x³ - 3x over F_p of RFC 6509 Appendix A (SAKKE parameter set 1), and its pairing.
//!
//! E has p + 1 = 4 q points, q prime. P generates the subgroup of order q; its 2-Sylow group is cyclic of order 4, so
//! (0, 0) is the only point of order 2. The pairing takes two points of the subgroup to F_p2* / F_p*.

mod field;
mod fixed_base;
mod generator;
mod pairing;
mod pairing_value;
mod point;

pub use field::{BYTES, Fp, P, Scalar};
pub use fixed_base::FixedBase;
pub use generator::{generator_multiples, generator_powers};
pub use pairing::{MillerLines, NotInSubgroup};
pub use pairing_value::{FixedBasePower, PairingValue};
pub use point::{Affine, PointError, Projective, UNCOMPRESSED_LEN};

#[cfg(test)]
mod tests;
