//! Sums, differences and halves of 4 limbs.

use core::arch::asm;

use super::bits256::{four, from_four};
use crate::arith::backend::portable::is_below;

/// a + b mod m, for a and b below m. N is 4.
#[inline(always)]
pub(super) fn add<const N: usize>(a: &[u64; N], b: &[u64; N], m: &[u64; N]) -> [u64; N] {
    debug_assert!(is_below(a, m) && is_below(b, m));
    let ([mut r0, mut r1, mut r2, mut r3], b, m) = (*four(a), four(b), four(m));
    // SAFETY: reads the 4 limbs of b and of m.
    unsafe {
        asm!(
            "add {r0}, [{b}]",
            "adc {r1}, [{b} + 8]",
            "adc {r2}, [{b} + 16]",
            "adc {r3}, [{b} + 24]",
            "sbb {carry}, {carry}",
            "mov {s0}, {r0}",
            "mov {s1}, {r1}",
            "mov {s2}, {r2}",
            "mov {b}, {r3}",
            "sub {r0}, [{m}]",
            "sbb {r1}, [{m} + 8]",
            "sbb {r2}, [{m} + 16]",
            "sbb {r3}, [{m} + 24]",
            // Not 0 where there was a borrow, but no carry before: then the sum is below m as it is.
            "adc {carry}, 0",
            "cmovnz {r0}, {s0}",
            "cmovnz {r1}, {s1}",
            "cmovnz {r2}, {s2}",
            "cmovnz {r3}, {b}",
            r0 = inout(reg) r0,
            r1 = inout(reg) r1,
            r2 = inout(reg) r2,
            r3 = inout(reg) r3,
            b = inout(reg) b.as_ptr() => _,
            m = in(reg) m.as_ptr(),
            carry = out(reg) _,
            s0 = out(reg) _,
            s1 = out(reg) _,
            s2 = out(reg) _,
            options(pure, readonly, nostack),
        );
    }
    from_four([r0, r1, r2, r3])
}

/// a - b mod m, for a and b below m. N is 4.
#[inline(always)]
pub(super) fn subtract<const N: usize>(a: &[u64; N], b: &[u64; N], m: &[u64; N]) -> [u64; N] {
    debug_assert!(is_below(a, m) && is_below(b, m));
    let ([mut r0, mut r1, mut r2, mut r3], b, m) = (*four(a), four(b), four(m));
    let [m0, m1, m2, m3] = *m;
    // SAFETY: reads the 4 limbs of b.
    unsafe {
        asm!(
            "sub {r0}, [{b}]",
            "sbb {r1}, [{b} + 8]",
            "sbb {r2}, [{b} + 16]",
            "sbb {r3}, [{b} + 24]",
            // All ones where there was a borrow.
            "sbb {b}, {b}",
            "and {m0}, {b}",
            "and {m1}, {b}",
            "and {m2}, {b}",
            "and {m3}, {b}",
            "add {r0}, {m0}",
            "adc {r1}, {m1}",
            "adc {r2}, {m2}",
            "adc {r3}, {m3}",
            r0 = inout(reg) r0,
            r1 = inout(reg) r1,
            r2 = inout(reg) r2,
            r3 = inout(reg) r3,
            b = inout(reg) b.as_ptr() => _,
            m0 = inout(reg) m0 => _,
            m1 = inout(reg) m1 => _,
            m2 = inout(reg) m2 => _,
            m3 = inout(reg) m3 => _,
            options(pure, readonly, nostack),
        );
    }
    from_four([r0, r1, r2, r3])
}

/// a / 2 mod m, for a below m. N is 4.
#[inline(always)]
pub(super) fn halve<const N: usize>(a: &[u64; N], m: &[u64; N]) -> [u64; N] {
    debug_assert!(is_below(a, m));
    let ([mut r0, mut r1, mut r2, mut r3], m) = (*four(a), four(m));
    // SAFETY: reads the 4 limbs of m.
    unsafe {
        asm!(
            "mov {m3:e}, 1",
            "and {m3}, {r0}",
            "neg {m3}", // All ones where a is odd.
            "mov {m0}, [{m}]",
            "mov {m1}, [{m} + 8]",
            "mov {m2}, [{m} + 16]",
            "and {m0}, {m3}",
            "and {m1}, {m3}",
            "and {m2}, {m3}",
            "and {m3}, [{m} + 24]",
            "add {r0}, {m0}",
            "adc {r1}, {m1}",
            "adc {r2}, {m2}",
            "adc {r3}, {m3}",
            "sbb {m3}, {m3}",
            "shrd {r0}, {r1}, 1",
            "shrd {r1}, {r2}, 1",
            "shrd {r2}, {r3}, 1",
            "shrd {r3}, {m3}, 1",
            r0 = inout(reg) r0,
            r1 = inout(reg) r1,
            r2 = inout(reg) r2,
            r3 = inout(reg) r3,
            m = in(reg) m.as_ptr(),
            m0 = out(reg) _,
            m1 = out(reg) _,
            m2 = out(reg) _,
            m3 = out(reg) _,
            options(pure, readonly, nostack),
        );
    }
    from_four([r0, r1, r2, r3])
}
