//! Multiples of the generator G, with tables that are computed when a backend first needs them.

use alloc::boxed::Box;
use alloc::vec::Vec;
use once_cell::race::OnceBox;
use zeroize::Zeroizing;

use super::engine::Engine;
use super::extended::Extended;
use super::field::Scalar;
use super::fixed_base::FixedBase;
use super::point::{Affine, AffineOn};
use super::public_base::PublicBaseOn;
#[cfg(target_arch = "x86_64")]
use crate::arith::backend::bmi2::Bmi2;
use crate::arith::backend::{LimbEngine, Portable};

/// `[scalar]G` with the active backend, in constant time; `None` for infinity, which alone is revealed.
pub fn multiply_generator(scalar: &Scalar) -> Option<Affine> {
    let [point] = *multiply_generator_batch(core::slice::from_ref(scalar)) else { return None };
    point
}

/// What [`multiply_generator`] gives for each scalar, in less time.
pub fn multiply_generator_batch(scalars: &[Scalar]) -> Vec<Option<Affine>> {
    match Engine::active() {
        #[cfg(target_arch = "x86_64")]
        Engine::Bmi2 => multiply_on::<Bmi2>(scalars),
        Engine::Portable => multiply_on::<Portable>(scalars),
    }
}

fn multiply_on<E: GeneratorTables>(scalars: &[Scalar]) -> Vec<Option<Affine>> {
    let multiples: Vec<_> = scalars.iter().map(|scalar| E::secret_multiples().multiply(scalar)).collect();
    let points = Extended::to_affine_all(&Zeroizing::new(multiples));
    points.into_iter().map(|point| point.map(|point| point.convert())).collect()
}

/// An engine's tables for the generator, one slot each.
pub(super) trait GeneratorTables: LimbEngine {
    /// For secret scalars.
    fn secret_multiples() -> &'static FixedBase<Self>;

    /// For public scalars.
    fn public_multiples() -> &'static PublicBaseOn<Self>;
}

macro_rules! generator_tables {
    ($engine:ty) => {
        impl GeneratorTables for $engine {
            fn secret_multiples() -> &'static FixedBase<Self> {
                static TABLES: OnceBox<FixedBase<$engine>> = OnceBox::new();
                TABLES.get_or_init(|| Box::new(FixedBase::new(&AffineOn::generator())))
            }

            fn public_multiples() -> &'static PublicBaseOn<Self> {
                static TABLES: OnceBox<PublicBaseOn<$engine>> = OnceBox::new();
                TABLES.get_or_init(|| Box::new(PublicBaseOn::for_all_sums(&AffineOn::generator())))
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
generator_tables!(Bmi2);
generator_tables!(Portable);
