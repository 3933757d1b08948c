//! The prime field F_p of P-256 and the integers modulo its order q.

use core::marker::PhantomData;

use crate::arith::backend::{LimbEngine, Portable};
use crate::arith::inversion;
use crate::arith::residue::{Modulus, Residue};

/// Limbs of a field element or scalar.
pub const LIMBS: usize = 4;
/// Octets of a field element or scalar.
pub const BYTES: usize = 8 * LIMBS;
/// 62-bit limbs that inversion needs for 256 bits and a sign.
const INVERSION_LIMBS: usize = 5;

/// An element of F_p.
pub type Fp = FpOn<Portable>;
/// An element of F_p, multiplied by the engine E.
pub type FpOn<E> = Residue<P<E>, LIMBS>;
/// An integer modulo q, the order of the group.
pub type Scalar = Residue<Q, LIMBS>;

/// The characteristic p = 2^256 - 2^224 + 2^192 + 2^96 - 1.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct P<E = Portable>(PhantomData<E>);

impl<E: LimbEngine> Modulus<LIMBS> for P<E> {
    type Engine = E;

    const LIMBS: [u64; LIMBS] = [0xffff_ffff_ffff_ffff, 0x0000_0000_ffff_ffff, 0, 0xffff_ffff_0000_0001];

    fn invert_limbs(a: &[u64; LIMBS]) -> [u64; LIMBS] {
        inversion::invert::<LIMBS, INVERSION_LIMBS>(a, &Self::LIMBS)
    }

    #[inline(always)]
    fn multiply_limbs(a: &[u64; LIMBS], b: &[u64; LIMBS]) -> [u64; LIMBS] {
        E::multiply_p256(a, b)
    }

    #[inline(always)]
    fn square_limbs(a: &[u64; LIMBS]) -> [u64; LIMBS] {
        E::square_p256(a)
    }

    #[inline(always)]
    fn multiply_difference_limbs(first: [&[u64; LIMBS]; 2], second: [&[u64; LIMBS]; 2]) -> [u64; LIMBS] {
        E::multiply_difference_p256(first, second)
    }

    #[inline(always)]
    fn multiply_less_square_limbs(first: [&[u64; LIMBS]; 2], c: &[u64; LIMBS]) -> [u64; LIMBS] {
        E::multiply_less_square_p256(first, c)
    }
}

/// The order q.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Q<E = Portable>(PhantomData<E>);

impl<E: LimbEngine> Modulus<LIMBS> for Q<E> {
    type Engine = E;

    const LIMBS: [u64; LIMBS] =
        [0xf3b9_cac2_fc63_2551, 0xbce6_faad_a717_9e84, 0xffff_ffff_ffff_ffff, 0xffff_ffff_0000_0000];

    fn invert_limbs(a: &[u64; LIMBS]) -> [u64; LIMBS] {
        inversion::invert::<LIMBS, INVERSION_LIMBS>(a, &Self::LIMBS)
    }
}
