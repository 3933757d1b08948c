//! The prime field F_p of RFC 6509 Appendix A (1024 bits) and the scalars modulo q (1022 bits), where p + 1 = 4 q.

use core::marker::PhantomData;

use crate::arith::backend::{LimbEngine, Portable};
use crate::arith::inversion;
use crate::arith::residue::{Modulus, Residue};

/// Limbs of a field element or scalar.
pub const LIMBS: usize = 16;
/// Octets of a field element or scalar.
pub const BYTES: usize = 8 * LIMBS;
/// 62-bit limbs that inversion needs for 1024 bits and a sign.
const INVERSION_LIMBS: usize = 17;

/// An element of F_p.
pub type Fp = FpOn<Portable>;
/// An element of F_p, multiplied by the engine E.
pub type FpOn<E> = Residue<P<E>, LIMBS>;
/// An integer modulo q, the order of the point P.
pub type Scalar = ScalarOn<Portable>;
/// An integer modulo q, multiplied by the engine E.
pub type ScalarOn<E> = Residue<Q<E>, LIMBS>;

/// The characteristic p.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct P<E = Portable>(PhantomData<E>);

impl<E: LimbEngine> Modulus<LIMBS> for P<E> {
    type Engine = E;

    const LIMBS: [u64; LIMBS] = [
        0x666d_807a_fea8_5feb,
        0x80c5_df10_ac7a_ce87,
        0xfce3_e823_8985_7db0,
        0x9f94_d6af_5697_1f1f,
        0xa7cf_3c52_1c3c_09aa,
        0xb6af_f4a8_3185_2a82,
        0x512a_c5cd_6568_1ce1,
        0xe26c_6487_326b_4cd4,
        0x356d_27f4_a666_a6d0,
        0xe791_b39f_f7c8_8a19,
        0x2287_30d5_31a5_9cb0,
        0xf40a_ab27_e2fc_0f1b,
        0xbe9a_e358_b3e0_1a2e,
        0x416c_0ce1_9cb4_8261,
        0x65c6_1198_dad0_657a,
        0x997a_bb1f_0a56_3fda,
    ];

    fn invert_limbs(a: &[u64; LIMBS]) -> [u64; LIMBS] {
        inversion::invert::<LIMBS, INVERSION_LIMBS>(a, &Self::LIMBS)
    }
}

/// The order q of the subgroup.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Q<E = Portable>(PhantomData<E>);

impl<E: LimbEngine> Modulus<LIMBS> for Q<E> {
    type Engine = E;

    const LIMBS: [u64; LIMBS] = [
        0xd99b_601e_bfaa_17fb,
        0x2031_77c4_2b1e_b3a1,
        0xff38_fa08_e261_5f6c,
        0xa7e5_35ab_d5a5_c7c7,
        0xa9f3_cf14_870f_026a,
        0x6dab_fd2a_0c61_4aa0,
        0x144a_b173_595a_0738,
        0x389b_1921_cc9a_d335,
        0x4d5b_49fd_2999_a9b4,
        0x39e4_6ce7_fdf2_2286,
        0xc8a1_cc35_4c69_672c,
        0xbd02_aac9_f8bf_03c6,
        0x6fa6_b8d6_2cf8_068b,
        0x905b_0338_672d_2098,
        0x9971_8466_36b4_195e,
        0x265e_aec7_c295_8ff6,
    ];

    fn invert_limbs(a: &[u64; LIMBS]) -> [u64; LIMBS] {
        inversion::invert::<LIMBS, INVERSION_LIMBS>(a, &Self::LIMBS)
    }
}
