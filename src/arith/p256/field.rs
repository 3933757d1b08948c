//! The prime field F_p of P-256 and the integers modulo its order q.

use crate::arith::backend::portable;
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
        reduce(wide_product(a, b))
    }

    #[inline(always)]
    fn square_limbs(a: &[u64; LIMBS]) -> [u64; LIMBS] {
        reduce(wide_square(a))
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

#[inline(always)]
fn wide_product(a: &[u64; LIMBS], b: &[u64; LIMBS]) -> [u64; 2 * LIMBS] {
    let mut t = [0; 2 * LIMBS];
    for i in 0..LIMBS {
        let mut carry = 0;
        for j in 0..LIMBS {
            (t[i + j], carry) = a[i].carrying_mul_add(b[j], t[i + j], carry);
        }
        t[i + LIMBS] = carry;
    }
    t
}

/// Each product of two different limbs is taken once and doubled.
#[inline(always)]
fn wide_square(a: &[u64; LIMBS]) -> [u64; 2 * LIMBS] {
    let mut t = [0; 2 * LIMBS];
    for i in 0..LIMBS {
        let mut carry = 0;
        for j in i + 1..LIMBS {
            (t[i + j], carry) = a[i].carrying_mul_add(a[j], t[i + j], carry);
        }
        t[i + LIMBS] = carry;
    }
    let mut shifted_out = 0;
    let mut carry = false;
    for i in 0..LIMBS {
        let (low, high) = a[i].carrying_mul(a[i], 0);
        let (t_low, t_high) = (t[2 * i], t[2 * i + 1]);
        (t[2 * i], carry) = low.carrying_add(t_low << 1 | shifted_out, carry);
        (t[2 * i + 1], carry) = high.carrying_add(t_high << 1 | t_low >> 63, carry);
        shifted_out = t_high >> 63;
    }
    t
}

/// t / 2^256 mod p, for t below p 2^256.
///
/// -1/p mod 2^64 is 1, so that the lowest limb is itself the multiple of p to add. All limbs of p but the highest are
/// sums of powers of two: adding q p takes one multiplication.
#[inline(always)]
fn reduce(mut t: [u64; 2 * LIMBS]) -> [u64; LIMBS] {
    let mut top = false;
    for i in 0..LIMBS {
        let q = t[i];
        // At most 2^64 - 2^32, so that two carries fit in.
        let (low, high) = q.carrying_mul(P::LIMBS[3], 0);
        let mut carry;
        (t[i + 1], carry) = t[i + 1].overflowing_add(q << 32);
        (t[i + 2], carry) = t[i + 2].carrying_add(q >> 32, carry);
        (t[i + 3], carry) = t[i + 3].carrying_add(low, carry);
        (t[i + 4], top) = t[i + 4].overflowing_add(high + u64::from(carry) + u64::from(top));
    }
    portable::subtract_modulus_once(&[t[4], t[5], t[6], t[7]], top, &P::LIMBS)
}
