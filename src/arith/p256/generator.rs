//! Multiples of the generator G, with tables that are computed when a backend first needs them.

use alloc::boxed::Box;
use alloc::vec::Vec;
use once_cell::race::OnceBox;
use zeroize::Zeroizing;

use super::engine::Engine;
use super::extended::Extended;
use super::field::Scalar;
use super::fixed_base::FixedBase;
#[cfg(target_arch = "x86_64")]
use super::fixed_base::odd_multiples_of_windows_vartime;
use super::point::{Affine, AffineOn};
use super::public_base::PublicBaseOn;
use crate::arith::backend::{LimbEngine, Portable};
#[cfg(target_arch = "x86_64")]
use crate::arith::backend::{
    bmi2::Bmi2,
    ifma::{
        LANES,
        p256::{PublicBase, SecretBase},
    },
};
use crate::arith::wiped::Wiped;

/// So many scalars at least are multiplied faster with a lane each.
#[cfg(target_arch = "x86_64")]
const WORTH_A_LANE_EACH: usize = 4;

/// `[scalar]G` with the active backend, in constant time; `None` for infinity, which alone is revealed.
pub fn multiply_generator(scalar: &Scalar) -> Option<Affine> {
    multiply_generator_batch(core::slice::from_ref(scalar)).first().copied().flatten()
}

/// What [`multiply_generator`] gives for each scalar, in less time.
pub fn multiply_generator_batch(scalars: &[Scalar]) -> Wiped<Option<Affine>> {
    match Engine::active() {
        #[cfg(target_arch = "x86_64")]
        Engine::Ifma => {
            let mut multiples = Vec::with_capacity(scalars.len());
            scalars.chunks(LANES).for_each(|scalars| multiples.extend_from_slice(&multiply_lanes(scalars)));
            to_affine(multiples)
        }
        #[cfg(target_arch = "x86_64")]
        Engine::Bmi2 => to_affine(scalars.iter().map(multiply::<Bmi2>).collect()),
        Engine::Portable => to_affine(scalars.iter().map(multiply::<Portable>).collect()),
    }
}

fn to_affine<E: LimbEngine>(multiples: Vec<Extended<E>>) -> Wiped<Option<Affine>> {
    let points = Extended::to_affine_all(&Zeroizing::new(multiples));
    Wiped::collect(points.iter().map(|point| point.as_ref().map(AffineOn::convert)))
}

fn multiply<E: GeneratorTables>(scalar: &Scalar) -> Extended<E> {
    E::secret_multiples().multiply(scalar)
}

/// For up to eight scalars.
#[cfg(target_arch = "x86_64")]
fn multiply_lanes(scalars: &[Scalar]) -> Zeroizing<Vec<Extended<Bmi2>>> {
    let tables = secret_multiples_in_lanes();
    match scalars {
        [.., last] if scalars.len() >= WORTH_A_LANE_EACH => {
            let in_lanes = core::array::from_fn(|lane| scalars.get(lane).unwrap_or(last));
            let multiples = Zeroizing::new(tables.multiply_eight(in_lanes));
            Zeroizing::new(multiples[..scalars.len()].to_vec())
        }
        _ => Zeroizing::new(scalars.iter().map(|scalar| tables.multiply(scalar)).collect()),
    }
}

#[cfg(target_arch = "x86_64")]
fn secret_multiples_in_lanes() -> &'static SecretBase {
    static TABLES: OnceBox<SecretBase> = OnceBox::new();
    TABLES.get_or_init(|| {
        let multiples = |width, windows| -> Vec<Affine> {
            let multiples = odd_multiples_of_windows_vartime::<Bmi2>(&AffineOn::generator(), width, windows);
            multiples.iter().map(AffineOn::convert).collect()
        };
        let of_one = multiples(SecretBase::WINDOW_OF_ONE, SecretBase::WINDOWS_OF_ONE);
        let of_eight = multiples(SecretBase::WINDOW_OF_EIGHT, SecretBase::WINDOWS_OF_EIGHT);
        Box::new(SecretBase::new(&of_one, &of_eight))
    })
}

/// The multiples of G for eight sums at a time.
#[cfg(target_arch = "x86_64")]
pub(super) fn public_multiples_in_lanes() -> &'static PublicBase {
    static TABLES: OnceBox<PublicBase> = OnceBox::new();
    TABLES.get_or_init(|| Box::new(PublicBase::new(&Bmi2::public_multiples().first_multiples(PublicBase::POINTS))))
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
