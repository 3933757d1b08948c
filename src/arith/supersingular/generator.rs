//! Multiples of the generator P and powers of g = <P, P>, with tables that are computed when a backend first needs them.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::slice;
use once_cell::race::OnceBox;

use super::comb::Comb;
use super::field::{Fp, Scalar};
use super::pairing::Lines;
use super::pairing_value::PairingValueOn;
use super::point::{Affine, AffineOn, ProjectiveOn};
use super::power_comb::PowerComb;
use crate::arith::backend::{Backend, LimbEngine, Portable};
#[cfg(target_arch = "x86_64")]
use crate::arith::backend::{bmi2::Bmi2, ifma};
use crate::arith::wiped::Wiped;

/// `[scalar]P` with the active backend, in constant time; `None` for infinity, which alone is revealed.
pub fn multiply_generator(scalar: &Scalar) -> Option<Affine> {
    multiply_generator_batch(slice::from_ref(scalar)).first().copied().flatten()
}

/// The same for many scalars, faster for each.
pub fn multiply_generator_batch(scalars: &[Scalar]) -> Wiped<Option<Affine>> {
    let items: Vec<_> = scalars.iter().map(|scalar| [scalar]).collect();
    match Backend::active() {
        #[cfg(target_arch = "x86_64")]
        Backend::Ifma => affine(&ifma::Comb::multiply_sums([ifma_multiples()], &items)),
        #[cfg(target_arch = "x86_64")]
        Backend::Bmi2 => affine(&Comb::multiply_sums([Bmi2::multiples()], &items)),
        Backend::Portable => affine(&Comb::multiply_sums([Portable::multiples()], &items)),
    }
}

/// The representative of g^exponent with the active backend, in constant time.
pub fn power_generator(exponent: &Scalar) -> Fp {
    match Backend::active() {
        #[cfg(target_arch = "x86_64")]
        Backend::Ifma => ifma_powers().powers(&[exponent])[0].representative().convert(),
        #[cfg(target_arch = "x86_64")]
        Backend::Bmi2 => power_on::<Bmi2>(exponent),
        Backend::Portable => power_on::<Portable>(exponent),
    }
}

/// Finite points with one inversion; `None` for infinity, which alone is revealed.
pub(super) fn affine<E: LimbEngine>(points: &[ProjectiveOn<E>]) -> Wiped<Option<Affine>> {
    let points = ProjectiveOn::to_affine_all(points);
    Wiped::collect(points.iter().map(|point| point.as_ref().map(AffineOn::convert)))
}

fn power_on<E: GeneratorTables>(exponent: &Scalar) -> Fp {
    E::powers().power(exponent).representative().convert()
}

/// An engine's tables for the generators, one slot each.
pub(super) trait GeneratorTables: LimbEngine {
    /// Multiples of P: 336 KiB.
    fn multiples() -> &'static Comb<Self>;

    /// Powers of g: 168 KiB.
    fn powers() -> &'static PowerComb<Self>;

    /// The lines of P: 351 KiB.
    fn lines() -> &'static Lines<Self>;
}

macro_rules! generator_tables {
    ($engine:ty) => {
        impl GeneratorTables for $engine {
            fn multiples() -> &'static Comb<Self> {
                static TABLES: OnceBox<Comb<$engine>> = OnceBox::new();
                TABLES.get_or_init(|| Box::new(Comb::new(&AffineOn::generator())))
            }

            fn powers() -> &'static PowerComb<Self> {
                static TABLES: OnceBox<PowerComb<$engine>> = OnceBox::new();
                TABLES.get_or_init(|| Box::new(PowerComb::new(&PairingValueOn::generator())))
            }

            fn lines() -> &'static Lines<Self> {
                static LINES: OnceBox<Lines<$engine>> = OnceBox::new();
                LINES.get_or_init(|| Box::new(Lines::new(&AffineOn::generator())))
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
generator_tables!(Bmi2);
generator_tables!(Portable);

/// Multiples of P for the vector backend: 220 KiB.
#[cfg(target_arch = "x86_64")]
pub(super) fn ifma_multiples() -> &'static ifma::Comb {
    static TABLES: OnceBox<ifma::Comb> = OnceBox::new();
    TABLES.get_or_init(|| Box::new(ifma::Comb::new(&Affine::generator())))
}

/// Powers of g for the vector backend: 110 KiB.
#[cfg(target_arch = "x86_64")]
pub(super) fn ifma_powers() -> &'static ifma::PowerComb {
    static TABLES: OnceBox<ifma::PowerComb> = OnceBox::new();
    TABLES.get_or_init(|| Box::new(ifma::PowerComb::new(&PairingValueOn::generator())))
}

/// The lines of P for the vector backend.
#[cfg(target_arch = "x86_64")]
pub(super) fn ifma_lines() -> &'static ifma::Lines {
    static LINES: OnceBox<ifma::Lines> = OnceBox::new();
    LINES.get_or_init(|| Box::new(ifma::Lines::new(&Affine::generator())))
}
