//! The target group of the pairing: F_p2* / F_p*, with F_p2 = F_p(i), i² = -1.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroize;

use super::field::{Fp, Scalar};
use super::fixed_base::{Comb, TABLE_LEN, TABLES};
use crate::arith::residue::{Residue, invert_all};

/// The class of re + im i, up to a factor in F_p*.
#[derive(Clone, Copy)]
pub struct PairingValue {
    pub(super) re: Fp,
    pub(super) im: Fp,
}

impl PairingValue {
    /// The class of 1.
    pub const ONE: PairingValue = PairingValue { re: Fp::ONE, im: Fp::ZERO };

    /// g = <P, P> of RFC 6509 Appendix A.
    pub fn generator() -> PairingValue {
        PairingValue::from_representative(Residue::from_limbs_mod(&G))
    }

    /// The class of 1 + u i.
    pub(super) fn from_representative(u: Fp) -> PairingValue {
        PairingValue { re: Fp::ONE, im: u }
    }

    /// im / re, the element of F_p by which RFC 6508 section 3.2 represents the class.
    pub fn representative(&self) -> Fp {
        self.im * self.re.invert()
    }

    /// The product, in 3 multiplications.
    #[inline]
    pub fn multiply(&self, other: &PairingValue) -> PairingValue {
        let re = self.re * other.re;
        let im = self.im * other.im;
        let cross = (self.re + self.im) * (other.re + other.im) - re - im;
        PairingValue { re: re - im, im: cross }
    }

    /// The product with the class of 1 + u i, in 2 multiplications.
    #[inline]
    pub(super) fn multiply_by_one_plus(&self, u: &Fp) -> PairingValue {
        PairingValue { re: self.re - self.im * *u, im: self.im + self.re * *u }
    }

    /// The product with u + i, in 2 multiplications.
    #[inline]
    pub(super) fn multiply_by_plus_i(&self, u: &Fp) -> PairingValue {
        PairingValue { re: self.re * *u - self.im, im: self.re + self.im * *u }
    }

    /// The square, in 2 multiplications.
    #[inline]
    pub fn square(&self) -> PairingValue {
        PairingValue { re: (self.re + self.im) * (self.re - self.im), im: (self.re * self.im).double() }
    }

    /// The inverse: conjugation, since the norm is in F_p*.
    pub fn invert(&self) -> PairingValue {
        PairingValue { re: self.re, im: -self.im }
    }
}

/// Powers of one fixed element, by the same signed comb as [`super::FixedBase`].
pub struct FixedBasePower {
    /// Representatives of the comb's combinations, a table after the other.
    entries: Box<[Fp]>,
}

impl FixedBasePower {
    /// Builds the tables: about a thousand squarings.
    pub fn new(base: &PairingValue) -> FixedBasePower {
        let mut entries = Vec::with_capacity(TABLES * TABLE_LEN);
        Comb::for_each_table(
            *base,
            |value| value.square(),
            |a, b| a.multiply(b),
            |value| value.invert(),
            |table| entries.extend_from_slice(table),
        );
        let mut re: Vec<Fp> = entries.iter().map(|value: &PairingValue| value.re).collect();
        invert_all(&mut re);
        FixedBasePower { entries: entries.iter().zip(re).map(|(value, inverse)| value.im * inverse).collect() }
    }

    /// base^exponent, in constant time.
    pub fn power(&self, exponent: &Scalar) -> PairingValue {
        let comb = Comb::recode(exponent);
        let mut accumulator = PairingValue::ONE;
        for column in Comb::columns() {
            accumulator = accumulator.square();
            for (table, entries) in self.entries.chunks_exact(TABLE_LEN).enumerate() {
                let (index, negative) = comb.digit(table, column);
                let mut u = Fp::ZERO;
                for (i, entry) in entries.iter().enumerate() {
                    u.take_if(entry, (i as u64).ct_eq(&index));
                }
                u.conditional_assign(&-u, negative);
                accumulator = accumulator.multiply_by_one_plus(&u);
            }
        }
        accumulator
    }
}

impl ConstantTimeEq for PairingValue {
    fn ct_eq(&self, other: &PairingValue) -> Choice {
        (self.re * other.im).ct_eq(&(self.im * other.re)) & !self.is_degenerate() & !other.is_degenerate()
    }
}

impl PairingValue {
    /// Whether both coordinates are 0, which is no element.
    fn is_degenerate(&self) -> Choice {
        self.re.is_zero() & self.im.is_zero()
    }
}

impl Zeroize for PairingValue {
    fn zeroize(&mut self) {
        self.re.zeroize();
        self.im.zeroize();
    }
}

/// Shows only the type, since a pairing value may be a shared secret.
impl fmt::Debug for PairingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PairingValue")
    }
}

impl fmt::Debug for FixedBasePower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FixedBasePower")
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
