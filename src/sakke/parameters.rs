//! What parameter set 1 fixes for every KMS: tables for P and for g = <P, P>, built when first used.

use alloc::boxed::Box;
use once_cell::race::OnceBox;

use crate::arith::supersingular::{Affine, FixedBase, FixedBasePower, PairingValue};

/// Multiples of P: 72 KiB.
pub(super) fn generator() -> &'static FixedBase {
    static TABLES: OnceBox<FixedBase> = OnceBox::new();
    TABLES.get_or_init(|| Box::new(FixedBase::new(&Affine::generator())))
}

/// Powers of g: 36 KiB.
pub(super) fn pairing_generator() -> &'static FixedBasePower {
    static TABLES: OnceBox<FixedBasePower> = OnceBox::new();
    TABLES.get_or_init(|| Box::new(FixedBasePower::new(&PairingValue::generator())))
}
