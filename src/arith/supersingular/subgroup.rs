//! Whether a point of the curve has order q, by a pairing of order 4 in place of a multiplication by q.
//!
//! E(F_p) is cyclic of order 4 q, so the points of order q and infinity are 4 E(F_p). Let A generate E(F_p), and take a
//! point Q of order 4 of E(F_p2) with 2 Q = (√3, 0). The Tate pairing <Q, A> of order 4 is f(A)^((p² - 1) / 4), where f
//! has divisor 4 (Q) - 4 (O). Its square is <2 Q, A>, which is 1 if and only if x_A - √3 is a square in F_p2; that is so
//! if and only if its norm x_A² - 3 is a square in F_p, and with it x_A, as y_A² = x_A (x_A² - 3). It is not: a rational
//! point K with x_K and x_K² - 3 square is in 2 E(F_p) (descent by 2, E(F_p) having only one point of order 2). So
//! <Q, A> has order 4, and <Q, [k]A> is 1 exactly where 4 divides k.
//!
//! The tangent at Q is l = y - λ (x - √3), and f = l² / (x - √3), of the class of l² (x + √3) modulo F_p*, since
//! √3 = h i. No zero or pole of f is a rational point, so there is no exceptional case. As (p² - 1) / 4 = (p - 1) q, the
//! pairing is 1 where v^q is in F_p, for v = f(K). That is where the trace of (v / v̄)^q, of norm 1, is 2, and traces of
//! powers are a Lucas sequence.

use subtle::{Choice, ConstantTimeEq};

use super::field::{FpOn, LIMBS, Q};
use super::pairing_value::PairingValueOn;
use super::point::{Affine, AffineOn, PointError};
use crate::arith::backend::{Backend, LimbEngine, Portable};
#[cfg(target_arch = "x86_64")]
use crate::arith::backend::{bmi2::Bmi2, ifma};
use crate::arith::residue::Modulus;

/// q.
const ORDER: [u64; LIMBS] = <Q as Modulus<LIMBS>>::LIMBS;

impl Affine {
    /// Refuses a point whose order is not q, which alone is revealed.
    pub fn check_subgroup(&self) -> Result<(), PointError> {
        let in_subgroup = match Backend::active() {
            #[cfg(target_arch = "x86_64")]
            Backend::Ifma => ifma_is_in_subgroup(self),
            #[cfg(target_arch = "x86_64")]
            Backend::Bmi2 => is_in_subgroup::<Bmi2>(&self.convert()),
            Backend::Portable => is_in_subgroup::<Portable>(self),
        };
        if bool::from(in_subgroup) { Ok(()) } else { Err(PointError::NotInSubgroup) }
    }
}

/// Whether a point of the curve has order q, in constant time: an inversion, 1024 multiplications and as many squarings.
pub(super) fn is_in_subgroup<E: LimbEngine>(point: &AffineOn<E>) -> Choice {
    trace_of_power(&trace_of_value(point)).ct_eq(&FpOn::from_u64(2))
}

/// The same with the vector backend.
#[cfg(target_arch = "x86_64")]
pub(super) fn ifma_is_in_subgroup(point: &Affine) -> Choice {
    ifma::trace_of_power(&trace_of_value::<Bmi2>(&point.convert()).convert(), &ORDER).ct_eq(&FpOn::from_u64(2))
}

/// The trace of v / v̄.
fn trace_of_value<E: LimbEngine>(point: &AffineOn<E>) -> FpOn<E> {
    let value = tangent_value(point);
    let norm = value.re.square() + value.im.square();
    ((value.re + value.im) * (value.re - value.im)).double() * norm.invert()
}

/// The class of f(K).
fn tangent_value<E: LimbEngine>(point: &AffineOn<E>) -> PairingValueOn<E> {
    let [slope_re, slope_im, constant_re, constant_im, root_im] =
        [SLOPE_RE, SLOPE_IM, CONSTANT_RE, CONSTANT_IM, ROOT_IM].map(|limbs| FpOn::from_limbs_mod(&limbs));
    let tangent =
        PairingValueOn { re: point.y - slope_re * point.x + constant_re, im: constant_im - slope_im * point.x };
    tangent.square().multiply(&PairingValueOn { re: point.x, im: root_im })
}

/// The trace of the q-th power of an element of norm 1 from its trace.
fn trace_of_power<E: LimbEngine>(trace: &FpOn<E>) -> FpOn<E> {
    let two = FpOn::from_u64(2);
    // The traces of the k-th and the (k + 1)-th power, k being the bits so far.
    let (mut low, mut high) = (two, *trace);
    for i in (0..64 * LIMBS).rev() {
        let between = low * high - *trace;
        if ORDER[i / 64] >> (i % 64) & 1 == 1 {
            (low, high) = (between, high.square() - two);
        } else {
            (low, high) = (low.square() - two, between);
        }
    }
    low
}

/// √3 = ROOT_IM i.
const ROOT_IM: [u64; LIMBS] = [
    0xab05_64f6_3cb0_3931,
    0x4d52_28f1_9071_0176,
    0xc394_0336_7361_9d3f,
    0x3c83_f9b4_d34a_34f5,
    0x991c_277d_d463_a215,
    0x435f_3b69_a160_2e31,
    0x07c2_581f_698b_6f23,
    0xd62e_1d53_e495_8b3e,
    0x6f53_0c25_466a_22a8,
    0xb9d5_89b0_b2a0_120a,
    0x4dbb_23de_919e_b5d4,
    0xac11_40b6_ebe0_7da5,
    0x33e2_3042_d0b9_f81d,
    0xcec4_0e7f_736f_516e,
    0xfa90_e5a4_a5b6_25f1,
    0x6ec2_065e_3b96_c6c3,
];

/// λ, the slope of the tangent at Q.
const SLOPE_RE: [u64; LIMBS] = [
    0xe785_8e3f_76d7_d048,
    0x1595_ee2b_ca3a_52af,
    0x77eb_8086_e91b_cb4a,
    0xc63e_24cb_7e50_1c1a,
    0x59a6_3909_f583_4a7f,
    0x818d_3ebc_74c8_1db9,
    0x503f_d779_afb4_58d2,
    0xb609_46b5_ea9a_ad0f,
    0x63ad_e7f5_ef80_5814,
    0xb178_ce68_fcdc_5a12,
    0xde48_da01_170b_b452,
    0xa7fa_c4ec_d0ca_eb80,
    0x581a_d055_fe58_f919,
    0x1158_9aa0_5bcb_1c3b,
    0xcbee_af35_35e8_afbf,
    0x69ed_a11d_f7ac_5af0,
];

const SLOPE_IM: [u64; LIMBS] = [
    0x5293_6d21_e655_7a5b,
    0x498b_a430_c187_eead,
    0x858b_22f3_3540_d796,
    0xde31_fa53_5e95_1bcc,
    0x9cf8_b28f_636b_91d9,
    0x1736_1f2f_7dbd_2241,
    0xa892_2c83_8acd_ac99,
    0xcb65_7856_6701_0e31,
    0xe24e_faa9_c3a9_313a,
    0x076b_9a11_dad9_3d95,
    0x4680_746b_6b93_96b6,
    0x0993_dda9_923d_bb25,
    0xc468_a9f3_6521_d667,
    0x3804_14a6_60c8_aad0,
    0x9666_625c_aca9_7ecd,
    0x1ca5_d787_3c3d_0050,
];

/// λ √3.
const CONSTANT_RE: [u64; LIMBS] = [
    0xe1a6_34c0_86eb_25b2,
    0xa2eb_8e31_1c12_5d96,
    0x8abc_65dd_0943_40a7,
    0xc212_7eb7_5946_3891,
    0x7cf4_d881_7dca_082d,
    0x874c_12ca_cd21_c6b7,
    0xfc68_3aae_fab2_e30f,
    0x404b_4fd4_9f1e_10ad,
    0xec4b_5ebe_2d18_e864,
    0x2b31_0676_aa3a_ab1c,
    0x8f56_14ff_62e3_1cda,
    0x440a_9efd_a101_5941,
    0xc6fc_7c88_883a_cdf6,
    0x107e_d507_39b5_957c,
    0xc304_c41e_13bf_e77e,
    0x91ae_fae4_7999_24eb,
];

const CONSTANT_IM: [u64; LIMBS] = [
    0x7ca1_37d0_a364_5bde,
    0x0e51_3a1f_df9a_3d01,
    0xd1e0_4b42_eeb1_62a5,
    0x3ff5_d12a_951d_e4a2,
    0x0cdb_2d01_4cc0_4f08,
    0xe445_aed9_b5c6_eb46,
    0x4f6a_6ca0_8252_3508,
    0xc7d4_2ba2_da16_54f0,
    0xfa70_31bc_5de0_506c,
    0x04cf_c941_fe35_f492,
    0x990b_ae83_87de_fa48,
    0x85bd_97e0_3c43_c715,
    0x8f13_7c52_9647_5935,
    0x6a0c_f2b7_189d_17fe,
    0x9ca1_966a_c930_6154,
    0x1535_f8d4_ae65_c4d1,
];
