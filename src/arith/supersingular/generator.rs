//! Tables for the generator P and for g = <P, P>, computed when a backend first needs them.

use alloc::boxed::Box;
use once_cell::race::OnceBox;

use super::comb::Comb;
use super::field::{Fp, Scalar};
use super::pairing_value::PairingValueOn;
use super::point::{Affine, AffineOn};
use super::power_comb::PowerComb;
use crate::arith::backend::{Backend, LimbEngine, Portable};
#[cfg(target_arch = "x86_64")]
use crate::arith::backend::{bmi2::Bmi2, ifma};

/// `[scalar]P` with the active backend, in constant time; `None` for infinity, which alone is revealed.
pub fn multiply_generator(scalar: &Scalar) -> Option<Affine> {
    match Backend::active() {
        #[cfg(target_arch = "x86_64")]
        Backend::Ifma => ifma::Comb::multiply_sum([(ifma_multiples(), scalar)]).to_affine(),
        #[cfg(target_arch = "x86_64")]
        Backend::Bmi2 => multiply_on::<Bmi2>(scalar),
        Backend::Portable => multiply_on::<Portable>(scalar),
    }
}

/// The representative of g^exponent with the active backend, in constant time.
pub fn power_generator(exponent: &Scalar) -> Fp {
    match Backend::active() {
        #[cfg(target_arch = "x86_64")]
        Backend::Ifma => ifma_powers().power(exponent).representative(),
        #[cfg(target_arch = "x86_64")]
        Backend::Bmi2 => power_on::<Bmi2>(exponent),
        Backend::Portable => power_on::<Portable>(exponent),
    }
}

fn multiply_on<E: GeneratorTables>(scalar: &Scalar) -> Option<Affine> {
    Comb::multiply_sum([(E::multiples(), scalar)]).to_affine().map(|point| point.convert())
}

fn power_on<E: GeneratorTables>(exponent: &Scalar) -> Fp {
    E::powers().power(exponent).representative().convert()
}

/// An engine's tables for the generators, one slot each.
pub(super) trait GeneratorTables: LimbEngine {
    /// Multiples of P.
    fn multiples() -> &'static Comb<Self>;

    /// Powers of g.
    fn powers() -> &'static PowerComb<Self>;
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
        }
    };
}

#[cfg(target_arch = "x86_64")]
generator_tables!(Bmi2);
generator_tables!(Portable);

/// Multiples of P for the vector backend.
#[cfg(target_arch = "x86_64")]
pub(super) fn ifma_multiples() -> &'static ifma::Comb {
    static TABLES: OnceBox<ifma::Comb> = OnceBox::new();
    TABLES.get_or_init(|| Box::new(ifma::Comb::new(&Affine::generator())))
}

/// Powers of g for the vector backend.
#[cfg(target_arch = "x86_64")]
pub(super) fn ifma_powers() -> &'static ifma::PowerComb {
    static TABLES: OnceBox<ifma::PowerComb> = OnceBox::new();
    TABLES.get_or_init(|| Box::new(ifma::PowerComb::new(&PairingValueOn::generator())))
}
