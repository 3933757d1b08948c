//! Tables for a fixed point, such as a KMS's public key, on the backend that was active when they were built.

use alloc::vec::Vec;
use core::{fmt, slice};
use zeroize::Zeroizing;

use super::comb::Comb;
use super::field::{Fp, FpOn, Scalar};
use super::generator::{GeneratorTables, affine};
#[cfg(target_arch = "x86_64")]
use super::generator::{ifma_multiples, ifma_powers};
use super::pairing_value::PairingValueOn;
use super::point::{Affine, ProjectiveOn};
use crate::arith::backend::{Backend, LimbEngine, Portable};
#[cfg(target_arch = "x86_64")]
use crate::arith::backend::{bmi2::Bmi2, ifma};
use crate::arith::residue::invert_all;
use crate::arith::wiped::Wiped;

/// Multiples of one point of the subgroup, to be added to those of the generator P: 336 KiB.
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
        self.multiply_with_generator_batch(slice::from_ref(&[*k, *l])).first().copied().flatten()
    }

    /// The same for many pairs of scalars k and l, faster for each.
    pub fn multiply_with_generator_batch(&self, scalars: &[[Scalar; 2]]) -> Wiped<Option<Affine>> {
        match &self.0 {
            #[cfg(target_arch = "x86_64")]
            Tables::Ifma(comb) => affine(&ifma::Comb::multiply_sums([ifma_multiples(), comb], &items(scalars))),
            #[cfg(target_arch = "x86_64")]
            Tables::Bmi2(comb) => affine(&multiply_with_generator(comb, scalars)),
            Tables::Portable(comb) => affine(&multiply_with_generator(comb, scalars)),
        }
    }

    /// `[k]P + [l]B` and the representative of g^l, in constant time; `None` for infinity, which alone is revealed.
    pub fn commit(&self, k: &Scalar, l: &Scalar) -> (Option<Affine>, Fp) {
        self.commit_batch(slice::from_ref(&[*k, *l])).first().copied().unwrap_or_default()
    }

    /// The same for many pairs of scalars k and l, faster for each.
    pub fn commit_batch(&self, scalars: &[[Scalar; 2]]) -> Wiped<(Option<Affine>, Fp)> {
        match &self.0 {
            #[cfg(target_arch = "x86_64")]
            Tables::Ifma(comb) => {
                let exponents: Vec<&Scalar> = scalars.iter().map(|[_, l]| l).collect();
                commitments(
                    &ifma::Comb::multiply_sums([ifma_multiples(), comb], &items(scalars)),
                    ifma_powers().powers(&exponents),
                )
            }
            #[cfg(target_arch = "x86_64")]
            Tables::Bmi2(comb) => commitments(&multiply_with_generator(comb, scalars), powers(scalars)),
            Tables::Portable(comb) => commitments(&multiply_with_generator(comb, scalars), powers(scalars)),
        }
    }
}

fn multiply_with_generator<E: GeneratorTables>(
    comb: &Comb<E>,
    scalars: &[[Scalar; 2]],
) -> Zeroizing<Vec<ProjectiveOn<E>>> {
    Comb::multiply_sums([E::multiples(), comb], &items(scalars))
}

fn powers<E: GeneratorTables>(scalars: &[[Scalar; 2]]) -> Vec<PairingValueOn<E>> {
    scalars.iter().map(|[_, l]| E::powers().power(l)).collect()
}

/// Points and powers share their last inversion.
fn commitments<E: LimbEngine>(
    points: &[ProjectiveOn<E>],
    powers: Vec<PairingValueOn<E>>,
) -> Wiped<(Option<Affine>, Fp)> {
    let powers = Zeroizing::new(powers);
    let mut inverses: Zeroizing<Vec<FpOn<E>>> = Zeroizing::new(Vec::with_capacity(2 * points.len()));
    inverses.extend(points.iter().zip(powers.iter()).flat_map(|(point, power)| [point.z, power.re]));
    invert_all(&mut inverses);
    let pairs = points.iter().zip(powers.iter());
    Wiped::collect(pairs.zip(inverses.chunks_exact(2)).map(|((point, power), inverses)| {
        let point = point.divided(&inverses[0]).map(|point| point.convert());
        (point, (power.im * inverses[1]).convert())
    }))
}

fn items(scalars: &[[Scalar; 2]]) -> Vec<[&Scalar; 2]> {
    scalars.iter().map(|[k, l]| [k, l]).collect()
}

impl fmt::Debug for FixedBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FixedBase")
    }
}
