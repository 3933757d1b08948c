//! Tables for the generator G, computed when first needed.

use alloc::boxed::Box;
use once_cell::race::OnceBox;

use super::field::Scalar;
use super::fixed_base::FixedBase;
use super::multi_scalar::OddMultiples;
use super::point::{Affine, Jacobian};

/// `[scalar]G`, in constant time.
pub fn generator_multiply(scalar: &Scalar) -> Jacobian {
    static TABLES: OnceBox<FixedBase> = OnceBox::new();
    TABLES.get_or_init(|| Box::new(FixedBase::new(&Affine::generator()))).multiply(scalar)
}

/// The multiples of G for sums with public scalars.
pub fn generator_multiples() -> &'static OddMultiples {
    static MULTIPLES: OnceBox<OddMultiples> = OnceBox::new();
    MULTIPLES.get_or_init(|| Box::new(OddMultiples::many_times(&Affine::generator())))
}
