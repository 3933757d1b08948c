//! Montgomery arithmetic on 64-bit limbs, as one backend does it.

use super::{halves, portable, portable_p256};

/// How a backend multiplies residues of 64-bit limbs. Moduli are generic over it (`P<E>`, `Q<E>`), so that curves and the
/// pairing are written once for all backends that keep the form of residues: 64-bit limbs with R = 2^(64 N).
///
/// All functions are constant-time. Inputs are below the modulus unless said otherwise, and so are results.
pub trait LimbEngine: Copy + Eq + 'static {
    /// a b / R mod m, where one of a and b is below m. `n0` is -1/m mod 2^64.
    fn multiply<const N: usize>(a: &[u64; N], b: &[u64; N], m: &[u64; N], n0: u64) -> [u64; N];

    /// a² / R mod m.
    fn square<const N: usize>(a: &[u64; N], m: &[u64; N], n0: u64) -> [u64; N];

    /// (a b + c d) / R mod m, with one reduction.
    fn multiply_two<const N: usize>(first: [&[u64; N]; 2], second: [&[u64; N]; 2], m: &[u64; N], n0: u64) -> [u64; N];

    /// The sum of three products / R mod m, with one reduction.
    fn multiply_three<const N: usize>(products: [[&[u64; N]; 2]; 3], m: &[u64; N], n0: u64) -> [u64; N];

    /// a + b mod m.
    #[inline(always)]
    fn add<const N: usize>(a: &[u64; N], b: &[u64; N], m: &[u64; N]) -> [u64; N] {
        portable::add(a, b, m)
    }

    /// a - b mod m.
    #[inline(always)]
    fn subtract<const N: usize>(a: &[u64; N], b: &[u64; N], m: &[u64; N]) -> [u64; N] {
        portable::subtract(a, b, m)
    }

    /// a / 2 mod m.
    #[inline(always)]
    fn halve<const N: usize>(a: &[u64; N], m: &[u64; N]) -> [u64; N] {
        portable::halve(a, m)
    }

    /// Entry `index` of a table, by reading all of it; 0 if there is none.
    #[inline(always)]
    fn select<const W: usize>(table: &[[u64; W]], index: u64) -> [u64; W] {
        portable::select(table, index)
    }

    /// a b / 2^256 modulo the characteristic of P-256.
    fn multiply_p256(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4];

    /// a² / 2^256 modulo the characteristic of P-256.
    fn square_p256(a: &[u64; 4]) -> [u64; 4];

    /// (a b - c d) / 2^256 modulo the characteristic of P-256, with one reduction.
    fn multiply_difference_p256(first: [&[u64; 4]; 2], second: [&[u64; 4]; 2]) -> [u64; 4];

    /// (a b - c²) / 2^256 modulo the characteristic of P-256, with one reduction.
    fn multiply_less_square_p256(first: [&[u64; 4]; 2], c: &[u64; 4]) -> [u64; 4];
}

/// Plain Rust, for every processor.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Portable;

impl LimbEngine for Portable {
    #[inline(always)]
    fn multiply<const N: usize>(a: &[u64; N], b: &[u64; N], m: &[u64; N], n0: u64) -> [u64; N] {
        match N {
            halves::LIMBS => halves::multiply::<Portable, N>(a, b, m, n0),
            _ => portable::multiply(a, b, m, n0),
        }
    }

    #[inline(always)]
    fn square<const N: usize>(a: &[u64; N], m: &[u64; N], n0: u64) -> [u64; N] {
        match N {
            halves::LIMBS => halves::square::<Portable, N>(a, m, n0),
            _ => portable::multiply(a, a, m, n0),
        }
    }

    #[inline(always)]
    fn multiply_two<const N: usize>(first: [&[u64; N]; 2], second: [&[u64; N]; 2], m: &[u64; N], n0: u64) -> [u64; N] {
        match N {
            halves::LIMBS => halves::multiply_sum::<Portable, N, 2>([first, second], m, n0),
            _ => portable::multiply_sum([first, second], m, n0),
        }
    }

    #[inline(always)]
    fn multiply_three<const N: usize>(products: [[&[u64; N]; 2]; 3], m: &[u64; N], n0: u64) -> [u64; N] {
        match N {
            halves::LIMBS => halves::multiply_sum::<Portable, N, 3>(products, m, n0),
            _ => portable::multiply_sum(products, m, n0),
        }
    }

    #[inline(always)]
    fn multiply_p256(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4] {
        portable_p256::multiply(a, b)
    }

    #[inline(always)]
    fn square_p256(a: &[u64; 4]) -> [u64; 4] {
        portable_p256::square(a)
    }

    #[inline(always)]
    fn multiply_difference_p256(first: [&[u64; 4]; 2], second: [&[u64; 4]; 2]) -> [u64; 4] {
        portable_p256::multiply_difference(first, second)
    }

    #[inline(always)]
    fn multiply_less_square_p256(first: [&[u64; 4]; 2], c: &[u64; 4]) -> [u64; 4] {
        portable_p256::multiply_less_square(first, c)
    }
}
