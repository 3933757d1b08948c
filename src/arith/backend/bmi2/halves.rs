//! The steps on halves of 1024-bit numbers.

use core::arch::{asm, naked_asm};

use super::Bmi2;
use super::rows::ZERO;
use crate::arith::backend::halves::{Half, HalfEngine, LIMBS, Product, Whole};

/// One product of a row of 8, `rdx` times limb $i of the number at `rdi`. Its low half completes the limb below. Its high
/// half and $had, a limb of the accumulator, are what the next product completes, in the register of the limb below $had:
/// so the accumulator moves on by a limb.
macro_rules! product {
    ($i:literal: $below:literal, $limb:literal = $had:literal) => {
        lines! {
            "mulx " $limb ", rax, [rdi + 8 * " $i "]";
            "adcx " $below ", rax";
            "adox " $limb ", " $had;
        }
    };
}

/// Accumulator + `rdx` times the number at `rdi`: the lowest limb goes to `rcx`, the others are the accumulator.
macro_rules! row {
    () => {
        concat!(
            lines! {
                "xor eax, eax"; // No carries.
                "mov rcx, r8";
            },
            product!(0: "rcx", "r8" = "r9"),
            product!(1: "r8", "r9" = "r10"),
            product!(2: "r9", "r10" = "r11"),
            product!(3: "r10", "r11" = "r12"),
            product!(4: "r11", "r12" = "r13"),
            product!(5: "r12", "r13" = "r14"),
            product!(6: "r13", "r14" = "r15"),
            product!(7: "r14", "r15" = "[rip + {zero}]"),
            lines! { "adcx r15, [rip + {zero}]"; },
        )
    };
}

/// The row of limb $i of the number at `rsi`, with the lowest limb of the sum to limb $i at `rbx`.
macro_rules! multiply_row {
    ($i:literal) => {
        concat!(lines! { "mov rdx, [rsi + 8 * " $i "]"; }, row!(), lines! { "mov [rbx + 8 * " $i "], rcx"; },)
    };
}

/// The row of the limb with which the lowest limb of the sum is 0, which becomes limb $i at `rsi`. `rbx` is -1/m mod 2^64.
macro_rules! cancel_row {
    ($i:literal) => {
        concat!(
            lines! {
                "mov rdx, r8";
                "imul rdx, rbx";
                "mov [rsi + 8 * " $i "], rdx";
            },
            row!(),
        )
    };
}

macro_rules! store {
    ($($i:literal: $limb:literal),+) => {
        lines! { $("mov [rdi + 8 * " $i "], " $limb;)+ }
    };
}

/// Doubles limbs 2 $i and 2 $i + 1 at `rdi` on the carries of CF, and adds the square of limb $i at `rsi` on those of OF.
macro_rules! double_and_add_square {
    ($i:literal) => {
        lines! {
            "mov rdx, [rsi + 8 * " $i "]";
            "mulx rcx, rax, rdx";
            "mov r8, [rdi + 16 * " $i "]";
            "mov r9, [rdi + 16 * " $i " + 8]";
            "adcx r8, r8";
            "adox r8, rax";
            "adcx r9, r9";
            "adox r9, rcx";
            "mov [rdi + 16 * " $i "], r8";
            "mov [rdi + 16 * " $i " + 8], r9";
        }
    };
}

/// Limb $i at `rdi` = limb $i at `rsi` - limb $i at `rcx` - CF.
macro_rules! subtract_limb {
    ($i:literal) => {
        lines! {
            "mov r8, [rsi + 8 * " $i "]";
            "sbb r8, [rcx + 8 * " $i "]";
            "mov [rdi + 8 * " $i "], r8";
        }
    };
}

/// Limb $i at `rdi` = limb $i at `rsi` if CF is set.
macro_rules! restore_limb_if_borrowed {
    ($i:literal) => {
        lines! {
            "mov r8, [rdi + 8 * " $i "]";
            "cmovc r8, [rsi + 8 * " $i "]";
            "mov [rdi + 8 * " $i "], r8";
        }
    };
}

macro_rules! for_8 {
    ($step:ident) => {
        concat!($step!(0), $step!(1), $step!(2), $step!(3), $step!(4), $step!(5), $step!(6), $step!(7))
    };
}

macro_rules! for_16 {
    ($step:ident) => {
        concat!(
            concat!($step!(0), $step!(1), $step!(2), $step!(3), $step!(4), $step!(5), $step!(6), $step!(7)),
            concat!($step!(8), $step!(9), $step!(10), $step!(11), $step!(12), $step!(13), $step!(14), $step!(15)),
        )
    };
}

impl HalfEngine for Bmi2 {
    #[inline(always)]
    fn multiply_add(accumulator: &mut Half, x: &Half, y: &Half, low: &mut Half) {
        let [a0, a1, a2, a3, a4, a5, a6, a7] = accumulator;
        // SAFETY: reads the 8 limbs of x and of y and writes the 8 of low. The stack is as it was, and so is rbx, which
        // cannot be an operand.
        unsafe {
            asm!(
                "push rbx",
                "mov rbx, rax",
                for_8!(multiply_row),
                "pop rbx",
                zero = sym ZERO,
                in("rsi") x, in("rdi") y, inout("rax") low => _, out("rcx") _, out("rdx") _,
                inout("r8") *a0, inout("r9") *a1, inout("r10") *a2, inout("r11") *a3,
                inout("r12") *a4, inout("r13") *a5, inout("r14") *a6, inout("r15") *a7,
            );
        }
    }

    #[inline(always)]
    fn cancel(accumulator: &mut Half, m: &Half, n0: u64, q: &mut Half) {
        let [a0, a1, a2, a3, a4, a5, a6, a7] = accumulator;
        // SAFETY: reads the 8 limbs of m and writes the 8 of q. The stack and rbx are as they were.
        unsafe {
            asm!(
                "push rbx",
                "mov rbx, rax",
                for_8!(cancel_row),
                "pop rbx",
                zero = sym ZERO,
                in("rsi") q, in("rdi") m, inout("rax") n0 => _, out("rcx") _, out("rdx") _,
                inout("r8") *a0, inout("r9") *a1, inout("r10") *a2, inout("r11") *a3,
                inout("r12") *a4, inout("r13") *a5, inout("r14") *a6, inout("r15") *a7,
            );
        }
    }

    /// Limb i > 0 of the sum is in register `r8` + (i - 1) mod 8 until it is complete.
    #[inline(always)]
    fn products_of_pairs(a: &Half, sum: &mut Whole) {
        // SAFETY: reads the 8 limbs of a and writes the 16 of the sum.
        unsafe {
            asm!(
                "mov rdx, [rsi]",
                "mulx r9, r8, [rsi + 8 * 1]",
                first_row_product!(2: "add" "r9", "r10"),
                first_row_product!(3: "adc" "r10", "r11"),
                first_row_product!(4: "adc" "r11", "r12"),
                first_row_product!(5: "adc" "r12", "r13"),
                first_row_product!(6: "adc" "r13", "r14"),
                first_row_product!(7: "adc" "r14", "r15"),
                "adc r15, 0",
                store!(1: "r8", 2: "r9"),
                begin_row!("rsi", 1),
                add_product!(2: "r10", "r11"),
                add_product!(3: "r11", "r12"),
                add_product!(4: "r12", "r13"),
                add_product!(5: "r13", "r14"),
                add_product!(6: "r14", "r15"),
                add_last_product!(7: "r15", "r8"),
                store!(3: "r10", 4: "r11"),
                begin_row!("rsi", 2),
                add_product!(3: "r12", "r13"),
                add_product!(4: "r13", "r14"),
                add_product!(5: "r14", "r15"),
                add_product!(6: "r15", "r8"),
                add_last_product!(7: "r8", "r9"),
                store!(5: "r12", 6: "r13"),
                begin_row!("rsi", 3),
                add_product!(4: "r14", "r15"),
                add_product!(5: "r15", "r8"),
                add_product!(6: "r8", "r9"),
                add_last_product!(7: "r9", "r10"),
                store!(7: "r14", 8: "r15"),
                begin_row!("rsi", 4),
                add_product!(5: "r8", "r9"),
                add_product!(6: "r9", "r10"),
                add_last_product!(7: "r10", "r11"),
                store!(9: "r8", 10: "r9"),
                begin_row!("rsi", 5),
                add_product!(6: "r10", "r11"),
                add_last_product!(7: "r11", "r12"),
                store!(11: "r10", 12: "r11"),
                begin_row!("rsi", 6),
                add_last_product!(7: "r12", "r13"),
                "xor eax, eax",
                store!(13: "r12", 14: "r13", 0: "rax", 15: "rax"),
                zero = sym ZERO,
                in("rsi") a, in("rdi") sum, out("rax") _, out("rcx") _, out("rdx") _,
                out("r8") _, out("r9") _, out("r10") _, out("r11") _,
                out("r12") _, out("r13") _, out("r14") _, out("r15") _,
                options(nostack),
            );
        }
    }

    #[inline(always)]
    fn double_and_add_squares(t: &mut Product, a: &Whole) {
        // SAFETY: reads the 16 limbs of a, and reads and writes the 32 of t.
        unsafe {
            asm!(
                "xor eax, eax", // No carries.
                for_16!(double_and_add_square),
                in("rsi") a, in("rdi") t, out("rax") _, out("rcx") _, out("rdx") _, out("r8") _, out("r9") _,
                options(nostack),
            );
        }
    }

    #[inline(always)]
    fn subtract_once<const N: usize>(sum: &Whole, carry: bool, m: &[u64; N]) -> [u64; N] {
        assert!(N == LIMBS);
        subtract_once(sum, u64::from(carry), m).0
    }
}

#[repr(C)]
struct Limbs<const N: usize>([u64; N]);

/// A function, so that its result is written where it is wanted: a result of assembly within a function would be copied
/// there by wider loads than it was stored with, which wait for the stores.
///
/// The result is at `rdi`, the sum at `rsi`, the carry in `rdx` and m at `rcx`.
#[unsafe(naked)]
extern "sysv64" fn subtract_once<const N: usize>(sum: &Whole, carry: u64, m: &[u64; N]) -> Limbs<N> {
    naked_asm!(
        "xor r8d, r8d", // No borrow.
        for_16!(subtract_limb),
        "sbb rdx, 0",
        for_16!(restore_limb_if_borrowed),
        "mov rax, rdi",
        "ret",
    )
}
