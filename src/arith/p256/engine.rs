//! Which engine works for which backend, and its tables for the generator.

use alloc::boxed::Box;
use once_cell::race::OnceBox;

use super::fixed_base::FixedBase;
use super::point::AffineOn;
use super::public_base::PublicBaseOn;
use crate::arith::backend::{LimbEngine, Portable};

/// An engine with tables for the generator G, which are computed when first needed.
pub trait Engine: LimbEngine {
    /// For secret scalars.
    fn generator_tables() -> &'static FixedBase<Self>;

    /// For public scalars.
    fn generator_multiples() -> &'static PublicBaseOn<Self>;
}

macro_rules! implement_engine {
    ($engine:ident) => {
        impl Engine for $engine {
            fn generator_tables() -> &'static FixedBase<Self> {
                static TABLES: OnceBox<FixedBase<$engine>> = OnceBox::new();
                TABLES.get_or_init(|| Box::new(FixedBase::new(&AffineOn::generator())))
            }

            fn generator_multiples() -> &'static PublicBaseOn<Self> {
                static MULTIPLES: OnceBox<PublicBaseOn<$engine>> = OnceBox::new();
                MULTIPLES.get_or_init(|| Box::new(PublicBaseOn::wide(&AffineOn::generator())))
            }
        }
    };
}

implement_engine!(Portable);

/// An expression, `$engine` in it standing for the engine that works for a backend.
macro_rules! for_backend {
    ($backend:expr, $engine:ident => $expression:expr) => {
        match $backend {
            crate::arith::backend::Backend::Portable => {
                type $engine = crate::arith::backend::Portable;
                $expression
            }
        }
    };
}
pub(super) use for_backend;
