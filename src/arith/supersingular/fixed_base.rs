//! Tables for a fixed point, such as a KMS's public key, on the backend that was active when they were built.

use core::fmt;
use zeroize::Zeroizing;

use super::comb::Comb;
use super::field::{Fp, Scalar};
use super::generator::{self, GeneratorTables};
use super::point::Affine;
use crate::arith::backend::{Backend, Portable};
#[cfg(target_arch = "x86_64")]
use crate::arith::backend::{bmi2::Bmi2, ifma};
use crate::arith::residue::invert_all;

/// Multiples of one point of the subgroup, together with those of the generator P: 72 KiB.
pub struct FixedBase(Tables);

enum Tables {
    #[cfg(target_arch = "x86_64")]
    Ifma(ifma::Comb),
    #[cfg(target_arch = "x86_64")]
    Bmi2(Comb<Bmi2>),
    Portable(Comb<Portable>),
}

impl FixedBase {
    /// Builds the tables for a point of the subgroup: about a thousand doublings.
    pub fn new(base: &Affine) -> FixedBase {
        FixedBase(match Backend::active() {
            #[cfg(target_arch = "x86_64")]
            Backend::Ifma => Tables::Ifma(ifma::Comb::new(base)),
            #[cfg(target_arch = "x86_64")]
            Backend::Bmi2 => Tables::Bmi2(Comb::new(&base.convert())),
            Backend::Portable => Tables::Portable(Comb::new(&base.convert())),
        })
    }

    /// `[k]P + [l]B`, in constant time; `None` for infinity, which alone is revealed.
    pub fn multiply_with_generator(&self, k: &Scalar, l: &Scalar) -> Option<Affine> {
        match &self.0 {
            #[cfg(target_arch = "x86_64")]
            Tables::Ifma(comb) => ifma::Comb::multiply_sum([(generator::ifma_multiples(), k), (comb, l)]).to_affine(),
            #[cfg(target_arch = "x86_64")]
            Tables::Bmi2(comb) => multiply_with_generator(comb, k, l),
            Tables::Portable(comb) => multiply_with_generator(comb, k, l),
        }
    }

    /// `[k]P + [l]B` and the representative of g^l, in constant time; `None` for infinity, which alone is revealed.
    pub fn commit(&self, k: &Scalar, l: &Scalar) -> (Option<Affine>, Fp) {
        match &self.0 {
            #[cfg(target_arch = "x86_64")]
            Tables::Ifma(comb) => {
                let point = ifma::Comb::multiply_sum([(generator::ifma_multiples(), k), (comb, l)]);
                let power = generator::ifma_powers().power(l);
                let mut inverses = Zeroizing::new([point.z, power.re]);
                invert_all(&mut *inverses);
                (point.to_affine_by(&inverses[0]), power.im * inverses[1])
            }
            #[cfg(target_arch = "x86_64")]
            Tables::Bmi2(comb) => commit(comb, k, l),
            Tables::Portable(comb) => commit(comb, k, l),
        }
    }
}

fn multiply_with_generator<E: GeneratorTables>(comb: &Comb<E>, k: &Scalar, l: &Scalar) -> Option<Affine> {
    Comb::multiply_sum([(E::multiples(), k), (comb, l)]).to_affine().map(|point| point.convert())
}

fn commit<E: GeneratorTables>(comb: &Comb<E>, k: &Scalar, l: &Scalar) -> (Option<Affine>, Fp) {
    (multiply_with_generator(comb, k, l), E::powers().power(l).representative().convert())
}

impl fmt::Debug for FixedBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FixedBase")
    }
}
