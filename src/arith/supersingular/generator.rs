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
#[cfg(target_arch = "x86_64")]
use crate::arith::backend::bmi2::Bmi2;
use crate::arith::backend::{Backend, LimbEngine, Portable};

/// `[scalar]P` with the active backend, in constant time; `None` for infinity, which alone is revealed.
pub fn multiply_generator(scalar: &Scalar) -> Option<Affine> {
    multiply_generator_batch(slice::from_ref(scalar)).pop().flatten()
}

/// The same for many scalars, faster for each.
pub fn multiply_generator_batch(scalars: &[Scalar]) -> Vec<Option<Affine>> {
    match Backend::active() {
        #[cfg(target_arch = "x86_64")]
        Backend::Bmi2 => multiply_on::<Bmi2>(scalars),
        Backend::Portable => multiply_on::<Portable>(scalars),
    }
}

/// The representative of g^exponent with the active backend, in constant time.
pub fn power_generator(exponent: &Scalar) -> Fp {
    match Backend::active() {
        #[cfg(target_arch = "x86_64")]
        Backend::Bmi2 => power_on::<Bmi2>(exponent),
        Backend::Portable => power_on::<Portable>(exponent),
    }
}

fn multiply_on<E: GeneratorTables>(scalars: &[Scalar]) -> Vec<Option<Affine>> {
    let items: Vec<_> = scalars.iter().map(|scalar| [scalar]).collect();
    let multiples = Comb::multiply_sums([E::multiples()], &items);
    ProjectiveOn::to_affine_all(&multiples).iter().map(|point| point.as_ref().map(AffineOn::convert)).collect()
}

fn power_on<E: GeneratorTables>(exponent: &Scalar) -> Fp {
    E::powers().power(exponent).representative().convert()
}

/// An engine's tables for the generators, one slot each.
pub(super) trait GeneratorTables: LimbEngine {
    /// Multiples of P: 176 KiB.
    fn multiples() -> &'static Comb<Self>;

    /// Powers of g: 88 KiB.
    fn powers() -> &'static PowerComb<Self>;

    /// The lines of P: 356 KiB.
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
