//! Arithmetic on 64-bit limbs with `mulx` (BMI2), `adcx` and `adox` (ADX); AVX2 reads tables.
//!
//! `mulx` multiplies `rdx` and leaves the flags alone; `adcx` adds with CF alone, `adox` with OF alone. So one pass adds a
//! row, that is the products of one limb with several: their low halves on the carries of CF, and their high halves, which
//! belong one limb higher, on those of OF. The assembly here is of rows, each a macro; what joins them is Rust, for which
//! the compiler keeps the limbs in the registers where they are.
//!
//! Registers: `r8` to `r15` are the limbs that are added to, and which is which moves on by a limb with every row; `rdx` is
//! the limb of the row, `rax` and `rcx` are the product at hand; `rsi`, `rdi` and `rbx` point to numbers. All code is
//! straight: no branch or address depends on a value.
//!
//! On a Zen 5 a product of a row takes 1.05 cycles, where `mulx` and two additions without dependencies take 0.93. With one
//! chain of carries, for processors without ADX, a row needs a second pass and took 13 % longer.

#[macro_use]
mod rows;
mod bits256;
mod halves;
mod select;
mod sum256;

use super::halves as by_halves;
use super::{LimbEngine, portable};

cpufeatures::new!(instructions, "bmi2", "adx", "avx2");

/// Multiplication by the instructions of BMI2 and ADX, and look-ups by those of AVX2. For a processor of which
/// [`is_available`] holds: others stop at an illegal instruction.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Bmi2;

/// Whether this processor has the instructions.
pub fn is_available() -> bool {
    instructions::get()
}

impl LimbEngine for Bmi2 {
    #[inline(always)]
    fn multiply<const N: usize>(a: &[u64; N], b: &[u64; N], m: &[u64; N], n0: u64) -> [u64; N] {
        match N {
            by_halves::LIMBS => by_halves::multiply::<Bmi2, N>(a, b, m, n0),
            _ => bits256::multiply(a, b, m, n0),
        }
    }

    #[inline(always)]
    fn square<const N: usize>(a: &[u64; N], m: &[u64; N], n0: u64) -> [u64; N] {
        match N {
            by_halves::LIMBS => by_halves::square::<Bmi2, N>(a, m, n0),
            _ => bits256::square(a, m, n0),
        }
    }

    #[inline(always)]
    fn multiply_two<const N: usize>(first: [&[u64; N]; 2], second: [&[u64; N]; 2], m: &[u64; N], n0: u64) -> [u64; N] {
        match N {
            by_halves::LIMBS => by_halves::multiply_sum::<Bmi2, N, 2>([first, second], m, n0),
            _ => portable::multiply_sum([first, second], m, n0),
        }
    }

    #[inline(always)]
    fn multiply_three<const N: usize>(products: [[&[u64; N]; 2]; 3], m: &[u64; N], n0: u64) -> [u64; N] {
        match N {
            by_halves::LIMBS => by_halves::multiply_sum::<Bmi2, N, 3>(products, m, n0),
            _ => portable::multiply_sum(products, m, n0),
        }
    }

    #[inline(always)]
    fn add<const N: usize>(a: &[u64; N], b: &[u64; N], m: &[u64; N]) -> [u64; N] {
        match N {
            bits256::LIMBS => sum256::add(a, b, m),
            _ => portable::add(a, b, m),
        }
    }

    #[inline(always)]
    fn subtract<const N: usize>(a: &[u64; N], b: &[u64; N], m: &[u64; N]) -> [u64; N] {
        match N {
            bits256::LIMBS => sum256::subtract(a, b, m),
            _ => portable::subtract(a, b, m),
        }
    }

    #[inline(always)]
    fn halve<const N: usize>(a: &[u64; N], m: &[u64; N]) -> [u64; N] {
        match N {
            bits256::LIMBS => sum256::halve(a, m),
            _ => portable::halve(a, m),
        }
    }

    #[inline(always)]
    fn select<const W: usize>(table: &[[u64; W]], index: u64) -> [u64; W] {
        select::select(table, index)
    }

    #[inline(always)]
    fn multiply_p256(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4] {
        bits256::multiply_p256(a, b)
    }

    #[inline(always)]
    fn square_p256(a: &[u64; 4]) -> [u64; 4] {
        bits256::square_p256(a)
    }

    #[inline(always)]
    fn multiply_difference_p256(first: [&[u64; 4]; 2], second: [&[u64; 4]; 2]) -> [u64; 4] {
        bits256::multiply_difference_p256(first, second)
    }

    #[inline(always)]
    fn multiply_less_square_p256(first: [&[u64; 4]; 2], c: &[u64; 4]) -> [u64; 4] {
        bits256::multiply_less_square_p256(first, c)
    }
}
