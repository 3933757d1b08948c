//! The target group of the pairing: F_p2* / F_p*, with F_p2 = F_p(i), i² = -1.

use alloc::vec::Vec;
use core::fmt;
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, Zeroizing};

use super::field::{FpOn, Scalar};
use super::miller_steps::non_adjacent_form;
use crate::arith::backend::{LimbEngine, Portable};
use crate::arith::residue::{Residue, invert_all};

/// The class of re + im i, up to a factor in F_p*.
pub type PairingValue = PairingValueOn<Portable>;

/// A pairing value, computed with by the engine E.
#[derive(Clone, Copy)]
pub struct PairingValueOn<E: LimbEngine> {
    pub(in crate::arith) re: FpOn<E>,
    pub(in crate::arith) im: FpOn<E>,
}

impl<E: LimbEngine> PairingValueOn<E> {
    /// The class of 1.
    pub const ONE: Self = PairingValueOn { re: FpOn::ONE, im: FpOn::ZERO };

    /// g = <P, P> of RFC 6509 Appendix A.
    pub fn generator() -> Self {
        Self::from_representative(Residue::from_limbs_mod(&G))
    }

    /// The class of 1 + u i.
    pub(super) fn from_representative(u: FpOn<E>) -> Self {
        PairingValueOn { re: FpOn::ONE, im: u }
    }

    /// im / re, the element of F_p by which RFC 6508 section 3.2 represents the class.
    pub fn representative(&self) -> FpOn<E> {
        self.im * self.re.invert()
    }

    /// The representatives of many classes, with one inversion.
    pub(super) fn representatives(values: &[Self]) -> Zeroizing<Vec<FpOn<E>>> {
        let mut inverses = Zeroizing::new(values.iter().map(|value| value.re).collect::<Vec<_>>());
        invert_all(&mut inverses);
        Zeroizing::new(values.iter().zip(inverses.iter()).map(|(value, inverse)| value.im * *inverse).collect())
    }

    /// The product, in 2 sums of two products.
    #[inline]
    pub fn multiply(&self, other: &Self) -> Self {
        PairingValueOn {
            re: FpOn::sum_of_products(&self.re, &other.re, &-self.im, &other.im),
            im: FpOn::sum_of_products(&self.re, &other.im, &self.im, &other.re),
        }
    }

    /// The product with the class of 1 + u i, in 2 multiplications.
    #[inline]
    pub(super) fn multiply_by_one_plus(&self, u: &FpOn<E>) -> Self {
        PairingValueOn { re: self.re - self.im * *u, im: self.im + self.re * *u }
    }

    /// The product with u + i, in 2 multiplications.
    #[inline]
    pub(super) fn multiply_by_plus_i(&self, u: &FpOn<E>) -> Self {
        PairingValueOn { re: self.re * *u - self.im, im: self.re + self.im * *u }
    }

    /// The square, in 2 multiplications.
    #[inline]
    pub fn square(&self) -> Self {
        PairingValueOn { re: (self.re + self.im) * (self.re - self.im), im: (self.re * self.im).double() }
    }

    /// The power by a public exponent.
    pub(super) fn power_vartime(&self, exponent: &Scalar) -> Self {
        let digits = non_adjacent_form(&exponent.to_limbs());
        let top = digits.iter().rposition(|&digit| digit != 0).unwrap_or_default();
        digits[..=top].iter().rev().fold(Self::ONE, |power, digit| match digit {
            1 => power.square().multiply(self),
            -1 => power.square().multiply(&self.invert()),
            _ => power.square(),
        })
    }

    /// The inverse: conjugation, since the norm is in F_p*.
    pub fn invert(&self) -> Self {
        PairingValueOn { re: self.re, im: -self.im }
    }
}

impl<E: LimbEngine> ConstantTimeEq for PairingValueOn<E> {
    fn ct_eq(&self, other: &Self) -> Choice {
        (self.re * other.im).ct_eq(&(self.im * other.re)) & !self.is_degenerate() & !other.is_degenerate()
    }
}

impl<E: LimbEngine> PairingValueOn<E> {
    /// Whether both coordinates are 0, which is no element.
    fn is_degenerate(&self) -> Choice {
        self.re.is_zero() & self.im.is_zero()
    }
}

impl<E: LimbEngine> Zeroize for PairingValueOn<E> {
    fn zeroize(&mut self) {
        self.re.zeroize();
        self.im.zeroize();
    }
}

/// Shows only the type, since a pairing value may be a shared secret.
impl<E: LimbEngine> fmt::Debug for PairingValueOn<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PairingValue")
    }
}

const G: [u64; 16] = [
    0xcde0_fab3_6461_ea46,
    0x3c8c_ae87_b7a0_042a,
    0xe372_0f20_b9b7_b040,
    0xd682_c033_a794_2bcc,
    0xb4f1_a32b_cafa_1ffa,
    0x55df_0460_b4a9_fd74,
    0xb99d_fb01_38c7_8433,
    0xee0f_aed1_828e_ab90,
    0x7072_da8f_5417_21be,
    0xcbfd_a85d_5d00_ef57,
    0x449a_e956_3f8b_c446,
    0x371e_9474_4c96_feda,
    0x27fa_be65_8e01_5a87,
    0xc6a8_7bd1_fb94_c41e,
    0x148f_1586_7d62_3068,
    0x66fc_2a43_2b6e_a392,
];
