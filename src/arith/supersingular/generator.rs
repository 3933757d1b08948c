//! Tables for the generator P and for g = <P, P>, computed when first needed.

use alloc::boxed::Box;
use once_cell::race::OnceBox;

use super::fixed_base::FixedBase;
use super::pairing_value::{FixedBasePower, PairingValue};
use super::point::Affine;

/// Multiples of P: 72 KiB.
pub fn generator_multiples() -> &'static FixedBase {
    static TABLES: OnceBox<FixedBase> = OnceBox::new();
    TABLES.get_or_init(|| Box::new(FixedBase::new(&Affine::generator())))
}

/// Powers of g: 36 KiB.
pub fn generator_powers() -> &'static FixedBasePower {
    static TABLES: OnceBox<FixedBasePower> = OnceBox::new();
    TABLES.get_or_init(|| Box::new(FixedBasePower::new(&PairingValue::generator())))
}
