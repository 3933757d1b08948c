//! Montgomery arithmetic on 64-bit limbs, least significant first, in plain Rust.
//!
//! With R = 2^(64 N), the product of a and b is a b / R mod m. Inputs may be any N-limb numbers as long as one of them
//! is below m; the result is below m. No branch, index or shift depends on a value.

/// a b / R mod m, by coarsely integrated operand scanning (Koç, Acar, Kaliski 1996). `n0` is -1/m mod 2^64.
#[inline(always)]
pub(in crate::arith) fn multiply<const N: usize>(a: &[u64; N], b: &[u64; N], m: &[u64; N], n0: u64) -> [u64; N] {
    let mut t = [0; N];
    let mut top = 0;
    for &a_i in a {
        let mut carry = 0;
        for j in 0..N {
            (t[j], carry) = multiply_add(a_i, b[j], t[j], carry);
        }
        let (t_n, overflow) = add_carry(top, carry);

        let q = t[0].wrapping_mul(n0);
        let (_, mut carry) = multiply_add(q, m[0], t[0], 0);
        for j in 1..N {
            (t[j - 1], carry) = multiply_add(q, m[j], t[j], carry);
        }
        let (t_last, overflow_again) = add_carry(t_n, carry);
        t[N - 1] = t_last;
        top = overflow + overflow_again;
    }
    subtract_modulus_once(&t, top, m)
}

/// a² / R mod m.
#[inline(always)]
pub(in crate::arith) fn square<const N: usize>(a: &[u64; N], m: &[u64; N], n0: u64) -> [u64; N] {
    multiply(a, a, m, n0)
}

/// a + b mod m, for a and b below m.
#[inline(always)]
pub(in crate::arith) fn add<const N: usize>(a: &[u64; N], b: &[u64; N], m: &[u64; N]) -> [u64; N] {
    let mut sum = [0; N];
    let mut carry = 0;
    for i in 0..N {
        let wide = u128::from(a[i]) + u128::from(b[i]) + u128::from(carry);
        (sum[i], carry) = (wide as u64, (wide >> 64) as u64);
    }
    subtract_modulus_once(&sum, carry, m)
}

/// a - b mod m, for a and b below m.
#[inline(always)]
pub(in crate::arith) fn subtract<const N: usize>(a: &[u64; N], b: &[u64; N], m: &[u64; N]) -> [u64; N] {
    let (mut difference, borrow) = subtract_with_borrow(a, b);
    let mask = borrow.wrapping_neg();
    let mut carry = 0;
    for i in 0..N {
        let wide = u128::from(difference[i]) + u128::from(m[i] & mask) + u128::from(carry);
        (difference[i], carry) = (wide as u64, (wide >> 64) as u64);
    }
    difference
}

/// a - b modulo 2^(64 N), and 1 if a < b.
#[inline(always)]
pub(in crate::arith) fn subtract_with_borrow<const N: usize>(a: &[u64; N], b: &[u64; N]) -> ([u64; N], u64) {
    let mut difference = [0; N];
    let mut borrow = 0;
    for i in 0..N {
        let (d, first) = a[i].overflowing_sub(b[i]);
        let (d, second) = d.overflowing_sub(borrow);
        difference[i] = d;
        borrow = u64::from(first | second);
    }
    (difference, borrow)
}

/// t + top 2^(64 N), which is below 2 m, reduced below m.
#[inline(always)]
pub(in crate::arith) fn subtract_modulus_once<const N: usize>(t: &[u64; N], top: u64, m: &[u64; N]) -> [u64; N] {
    let (mut reduced, borrow) = subtract_with_borrow(t, m);
    let keep = (borrow & (top ^ 1)).wrapping_neg();
    for i in 0..N {
        reduced[i] ^= keep & (reduced[i] ^ t[i]);
    }
    reduced
}

/// a b + c + d as (low, high): it never overflows.
#[inline(always)]
fn multiply_add(a: u64, b: u64, c: u64, d: u64) -> (u64, u64) {
    let wide = u128::from(a) * u128::from(b) + u128::from(c) + u128::from(d);
    (wide as u64, (wide >> 64) as u64)
}

#[inline(always)]
fn add_carry(a: u64, b: u64) -> (u64, u64) {
    let (sum, overflow) = a.overflowing_add(b);
    (sum, u64::from(overflow))
}
