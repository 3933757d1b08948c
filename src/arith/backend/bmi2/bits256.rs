//! Montgomery arithmetic on 4 limbs, whose product of 8 limbs never leaves the registers.
//!
//! Its lower half is reduced by itself, 4 limbs that stay 4 limbs, and the upper half added at the end.

use core::arch::asm;

use super::rows::ZERO;
use crate::arith::backend::portable::is_below;
use crate::arith::backend::portable_p256::CHARACTERISTIC as P256;

pub(super) const LIMBS: usize = 4;

/// `r8` to `r11` + `r12` to `r15`, which is below 2 m, reduced below m, of which $m0 to $m3 are the limbs.
macro_rules! add_high_and_subtract_once {
    ($m0:literal, $m1:literal, $m2:literal, $m3:literal) => {
        lines! {
            "mov edx, 0";
            "add r8, r12";
            "adc r9, r13";
            "adc r10, r14";
            "adc r11, r15";
            "adc rdx, 0";
            "mov r12, r8";
            "mov r13, r9";
            "mov r14, r10";
            "mov r15, r11";
            "sub r12, " $m0;
            "sbb r13, " $m1;
            "sbb r14, " $m2;
            "sbb r15, " $m3;
            "sbb rdx, 0";
            "cmovnc r8, r12";
            "cmovnc r9, r13";
            "cmovnc r10, r14";
            "cmovnc r11, r15";
        }
    };
}

/// One limb of reduction modulo the characteristic of P-256, p = 2^256 - 2^224 + 2^192 + 2^96 - 1: -1/p mod 2^64 is 1, so
/// that the lowest limb q is itself the multiple of p to add. q + q p = 2^96 q + 2^192 (2^64 - 2^32 + 1) q takes shifts
/// only. The limbs $q, $r1, $r2, $r3 become $r1, $r2, $r3, $q: the sum divided by 2^64 is below 2^256.
macro_rules! cancel_limb_p256 {
    ($q:literal, $r1:literal, $r2:literal, $r3:literal) => {
        lines! {
            "mov rax, " $q;
            "shl rax, 32";
            "mov rcx, " $q;
            "shr rcx, 32";
            "mov rdx, " $q;
            "sub rdx, rax";
            "sbb " $q ", rcx";
            "add " $r1 ", rax";
            "adc " $r2 ", rcx";
            "adc " $r3 ", rdx";
            "adc " $q ", 0";
        }
    };
}

/// One limb of reduction modulo the number m at `rsi`, with -1/m mod 2^64 in `rdi`. The limbs $r0, $r1, $r2, $r3 become
/// $r1, $r2, $r3, $r0: the sum divided by 2^64 is below 2^256.
macro_rules! cancel_limb {
    ($r0:literal, $r1:literal, $r2:literal, $r3:literal) => {
        concat!(
            lines! {
                "mov rdx, " $r0;
                "imul rdx, rdi";
                "xor eax, eax"; // No carries.
            },
            add_product!(0: $r0, $r1),
            add_product!(1: $r1, $r2),
            add_product!(2: $r2, $r3),
            add_last_product!(3: $r3, $r0),
        )
    };
}

/// a b / 2^256 mod m, where one of a and b is below m. `n0` is -1/m mod 2^64. N is 4.
#[inline(always)]
pub(super) fn multiply<const N: usize>(a: &[u64; N], b: &[u64; N], m: &[u64; N], n0: u64) -> [u64; N] {
    debug_assert!(is_below(a, m) || is_below(b, m));
    from_four(reduce(product(four(a), four(b)), four(m), n0))
}

/// a² / 2^256 mod m, for a below m. N is 4.
#[inline(always)]
pub(super) fn square<const N: usize>(a: &[u64; N], m: &[u64; N], n0: u64) -> [u64; N] {
    debug_assert!(is_below(a, m));
    from_four(reduce(square_product(four(a)), four(m), n0))
}

/// a b / 2^256 modulo the characteristic of P-256, for numbers of which one is below it.
#[inline(always)]
pub(super) fn multiply_p256(a: &[u64; LIMBS], b: &[u64; LIMBS]) -> [u64; LIMBS] {
    debug_assert!(is_below(a, &P256) || is_below(b, &P256));
    reduce_p256(product(a, b))
}

/// a² / 2^256 modulo the characteristic of P-256, for a below it.
#[inline(always)]
pub(super) fn square_p256(a: &[u64; LIMBS]) -> [u64; LIMBS] {
    debug_assert!(is_below(a, &P256));
    reduce_p256(square_product(a))
}

/// (a b - c d) / 2^256 modulo the characteristic of P-256, for numbers below it.
#[inline(always)]
pub(super) fn multiply_difference_p256([a, b]: [&[u64; LIMBS]; 2], [c, d]: [&[u64; LIMBS]; 2]) -> [u64; LIMBS] {
    debug_assert!([a, b, c, d].iter().all(|factor| is_below(factor, &P256)));
    let second = product(c, d);
    reduce_p256(subtract_p256(product(a, b), &second))
}

/// (a b - c²) / 2^256 modulo the characteristic of P-256, for numbers below it.
#[inline(always)]
pub(super) fn multiply_less_square_p256([a, b]: [&[u64; LIMBS]; 2], c: &[u64; LIMBS]) -> [u64; LIMBS] {
    debug_assert!([a, b, c].iter().all(|factor| is_below(factor, &P256)));
    let second = square_product(c);
    reduce_p256(subtract_p256(product(a, b), &second))
}

#[inline(always)]
pub(super) fn four<const N: usize>(limbs: &[u64; N]) -> &[u64; LIMBS] {
    match limbs.as_array() {
        Some(limbs) => limbs,
        None => unreachable!("N is 4"),
    }
}

#[inline(always)]
pub(super) fn from_four<const N: usize>(limbs: [u64; LIMBS]) -> [u64; N] {
    core::array::from_fn(|i| limbs[i])
}

/// Limb i is in register `r8` + i.
#[inline(always)]
fn product(a: &[u64; LIMBS], b: &[u64; LIMBS]) -> [u64; 2 * LIMBS] {
    let (t0, t1, t2, t3, t4, t5, t6, t7);
    // SAFETY: reads the 4 limbs of a and of b.
    unsafe {
        asm!(
            "mov rdx, [rdi]",
            "mulx r9, r8, [rsi]",
            first_row_product!(1: "add" "r9", "r10"),
            first_row_product!(2: "adc" "r10", "r11"),
            first_row_product!(3: "adc" "r11", "r12"),
            "adc r12, 0",
            begin_row!("rdi", 1),
            add_product!(0: "r9", "r10"),
            add_product!(1: "r10", "r11"),
            add_product!(2: "r11", "r12"),
            add_last_product!(3: "r12", "r13"),
            begin_row!("rdi", 2),
            add_product!(0: "r10", "r11"),
            add_product!(1: "r11", "r12"),
            add_product!(2: "r12", "r13"),
            add_last_product!(3: "r13", "r14"),
            begin_row!("rdi", 3),
            add_product!(0: "r11", "r12"),
            add_product!(1: "r12", "r13"),
            add_product!(2: "r13", "r14"),
            add_last_product!(3: "r14", "r15"),
            zero = sym ZERO,
            in("rsi") a, in("rdi") b, out("rax") _, out("rcx") _, out("rdx") _,
            out("r8") t0, out("r9") t1, out("r10") t2, out("r11") t3,
            out("r12") t4, out("r13") t5, out("r14") t6, out("r15") t7,
            options(pure, readonly, nostack),
        );
    }
    [t0, t1, t2, t3, t4, t5, t6, t7]
}

/// Doubles the limbs $low and $high on the carries of CF, and adds the square of limb $i of `rsi` on those of OF.
macro_rules! double_and_add_square {
    ($i:literal: $low:literal, $high:literal) => {
        lines! {
            "mov rdx, [rsi + 8 * " $i "]";
            "mulx rcx, rax, rdx";
            "adcx " $low ", " $low;
            "adox " $low ", rax";
            "adcx " $high ", " $high;
            "adox " $high ", rcx";
        }
    };
}

/// Limb i is in register `r8` + i. The products of two different limbs come first.
#[inline(always)]
fn square_product(a: &[u64; LIMBS]) -> [u64; 2 * LIMBS] {
    let (t0, t1, t2, t3, t4, t5, t6, t7);
    // SAFETY: reads the 4 limbs of a.
    unsafe {
        asm!(
            "mov rdx, [rsi]",
            "mulx r10, r9, [rsi + 8 * 1]",
            first_row_product!(2: "add" "r10", "r11"),
            first_row_product!(3: "adc" "r11", "r12"),
            "adc r12, 0",
            begin_row!("rsi", 1),
            add_product!(2: "r11", "r12"),
            add_last_product!(3: "r12", "r13"),
            begin_row!("rsi", 2),
            add_last_product!(3: "r13", "r14"),
            "mov r8d, 0",
            "xor r15d, r15d", // No carries either.
            double_and_add_square!(0: "r8", "r9"),
            double_and_add_square!(1: "r10", "r11"),
            double_and_add_square!(2: "r12", "r13"),
            double_and_add_square!(3: "r14", "r15"),
            zero = sym ZERO,
            in("rsi") a, out("rax") _, out("rcx") _, out("rdx") _,
            out("r8") t0, out("r9") t1, out("r10") t2, out("r11") t3,
            out("r12") t4, out("r13") t5, out("r14") t6, out("r15") t7,
            options(pure, readonly, nostack),
        );
    }
    [t0, t1, t2, t3, t4, t5, t6, t7]
}

/// s - t, and p 2^256 more where that is negative, for the characteristic p of P-256.
#[inline(always)]
fn subtract_p256(s: [u64; 2 * LIMBS], t: &[u64; 2 * LIMBS]) -> [u64; 2 * LIMBS] {
    let [mut s0, mut s1, mut s2, mut s3, mut s4, mut s5, mut s6, mut s7] = s;
    // SAFETY: reads the 8 limbs of t.
    unsafe {
        asm!(
            "sub r8, [rsi]",
            "sbb r9, [rsi + 8]",
            "sbb r10, [rsi + 16]",
            "sbb r11, [rsi + 24]",
            "sbb r12, [rsi + 32]",
            "sbb r13, [rsi + 40]",
            "sbb r14, [rsi + 48]",
            "sbb r15, [rsi + 56]",
            "sbb rax, rax", // All ones where there was a borrow.
            "mov rdx, 0xffffffff00000001",
            "mov ecx, eax",
            "and rdx, rax",
            "add r12, rax",
            "adc r13, rcx",
            "adc r14, 0",
            "adc r15, rdx",
            in("rsi") t, out("rax") _, out("rcx") _, out("rdx") _,
            inout("r8") s0, inout("r9") s1, inout("r10") s2, inout("r11") s3,
            inout("r12") s4, inout("r13") s5, inout("r14") s6, inout("r15") s7,
            options(pure, readonly, nostack),
        );
    }
    [s0, s1, s2, s3, s4, s5, s6, s7]
}

/// t / 2^256 mod p, for t below p 2^256 and the characteristic p of P-256.
#[inline(always)]
fn reduce_p256([mut t0, mut t1, mut t2, mut t3, t4, t5, t6, t7]: [u64; 2 * LIMBS]) -> [u64; LIMBS] {
    // SAFETY: uses registers only.
    unsafe {
        asm!(
            cancel_limb_p256!("r8", "r9", "r10", "r11"),
            cancel_limb_p256!("r9", "r10", "r11", "r8"),
            cancel_limb_p256!("r10", "r11", "r8", "r9"),
            cancel_limb_p256!("r11", "r8", "r9", "r10"),
            "mov eax, 0xffffffff",
            "mov rcx, 0xffffffff00000001",
            add_high_and_subtract_once!("-1", "rax", "0", "rcx"),
            out("rax") _, out("rcx") _, out("rdx") _,
            inout("r8") t0, inout("r9") t1, inout("r10") t2, inout("r11") t3,
            inout("r12") t4 => _, inout("r13") t5 => _, inout("r14") t6 => _, inout("r15") t7 => _,
            options(pure, nomem, nostack),
        );
    }
    [t0, t1, t2, t3]
}

/// t / 2^256 mod m, for t below m 2^256.
#[inline(always)]
fn reduce(t: [u64; 2 * LIMBS], m: &[u64; LIMBS], n0: u64) -> [u64; LIMBS] {
    let [mut t0, mut t1, mut t2, mut t3, t4, t5, t6, t7] = t;
    // SAFETY: reads the 4 limbs of m.
    unsafe {
        asm!(
            cancel_limb!("r8", "r9", "r10", "r11"),
            cancel_limb!("r9", "r10", "r11", "r8"),
            cancel_limb!("r10", "r11", "r8", "r9"),
            cancel_limb!("r11", "r8", "r9", "r10"),
            add_high_and_subtract_once!("[rsi]", "[rsi + 8]", "[rsi + 16]", "[rsi + 24]"),
            zero = sym ZERO,
            in("rsi") m, in("rdi") n0, out("rax") _, out("rcx") _, out("rdx") _,
            inout("r8") t0, inout("r9") t1, inout("r10") t2, inout("r11") t3,
            inout("r12") t4 => _, inout("r13") t5 => _, inout("r14") t6 => _, inout("r15") t7 => _,
            options(pure, readonly, nostack),
        );
    }
    [t0, t1, t2, t3]
}
