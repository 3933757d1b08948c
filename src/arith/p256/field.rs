//! The prime field F_p of P-256 and the integers modulo its order q.

use crate::arith::backend::portable_p256;
use crate::arith::inversion;
use crate::arith::residue::{Modulus, Residue};

/// Limbs of a field element or scalar.
pub const LIMBS: usize = 4;
/// Octets of a field element or scalar.
pub const BYTES: usize = 8 * LIMBS;
/// 62-bit limbs that inversion needs for 256 bits and a sign.
const INVERSION_LIMBS: usize = 5;

/// An element of F_p.
pub type Fp = Residue<P, LIMBS>;
/// An integer modulo q, the order of the group.
pub type Scalar = Residue<Q, LIMBS>;

/// The characteristic p = 2^256 - 2^224 + 2^192 + 2^96 - 1.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct P;

impl Modulus<LIMBS> for P {
    const LIMBS: [u64; LIMBS] = [0xffff_ffff_ffff_ffff, 0x0000_0000_ffff_ffff, 0, 0xffff_ffff_0000_0001];

    fn invert_limbs(a: &[u64; LIMBS]) -> [u64; LIMBS] {
        inversion::invert::<LIMBS, INVERSION_LIMBS>(a, &Self::LIMBS)
    }

    #[inline(always)]
    fn multiply_limbs(a: &[u64; LIMBS], b: &[u64; LIMBS]) -> [u64; LIMBS] {
        portable_p256::multiply(a, b)
    }

    #[inline(always)]
    fn square_limbs(a: &[u64; LIMBS]) -> [u64; LIMBS] {
        portable_p256::square(a)
    }
}

/// The order q.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Q;

impl Modulus<LIMBS> for Q {
    const LIMBS: [u64; LIMBS] =
        [0xf3b9_cac2_fc63_2551, 0xbce6_faad_a717_9e84, 0xffff_ffff_ffff_ffff, 0xffff_ffff_0000_0000];

    fn invert_limbs(a: &[u64; LIMBS]) -> [u64; LIMBS] {
        inversion::invert::<LIMBS, INVERSION_LIMBS>(a, &Self::LIMBS)
    }
}
