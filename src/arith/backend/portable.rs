//! Arithmetic on 64-bit limbs, least significant first, in plain Rust.
//!
//! With R = 2^(64 N), the product of a and b is a b / R mod m. Inputs may be any N-limb numbers as long as one of them
//! is below m; the result is below m. No branch, index or shift depends on a value.

/// a b / R mod m, by coarsely integrated operand scanning (Koç, Acar, Kaliski 1996). `n0` is -1/m mod 2^64.
#[inline]
pub(in crate::arith) fn multiply<const N: usize>(a: &[u64; N], b: &[u64; N], m: &[u64; N], n0: u64) -> [u64; N] {
    debug_assert!(is_below(a, m) || is_below(b, m));
    let mut t = [0; N];
    let mut top = false;
    for &a_i in a {
        let mut carry = 0;
        for j in 0..N {
            (t[j], carry) = a_i.carrying_mul_add(b[j], t[j], carry);
        }
        let (t_n, overflow) = carry.overflowing_add(u64::from(top));

        let q = t[0].wrapping_mul(n0);
        let (_, mut carry) = q.carrying_mul_add(m[0], t[0], 0);
        for j in 1..N {
            (t[j - 1], carry) = q.carrying_mul_add(m[j], t[j], carry);
        }
        let (t_last, overflow_again) = t_n.overflowing_add(carry);
        t[N - 1] = t_last;
        top = overflow | overflow_again;
    }
    subtract_modulus_once(&t, top, m)
}

/// (a b + c d) / R mod m, with one reduction. All four must be below m.
#[inline]
pub(in crate::arith) fn multiply_two<const N: usize>(
    [a, b]: [&[u64; N]; 2],
    [c, d]: [&[u64; N]; 2],
    m: &[u64; N],
    n0: u64,
) -> [u64; N] {
    debug_assert!([a, b, c, d].into_iter().all(|factor| is_below(factor, m)));
    let mut t = [0; N];
    // Stays below 4, since t is below b + d + m after every round.
    let mut top = 0;
    for i in 0..N {
        let mut carry = 0;
        for j in 0..N {
            (t[j], carry) = a[i].carrying_mul_add(b[j], t[j], carry);
        }
        let (t_n, overflow) = carry.overflowing_add(top);
        let mut high = u64::from(overflow);
        let mut carry = 0;
        for j in 0..N {
            (t[j], carry) = c[i].carrying_mul_add(d[j], t[j], carry);
        }
        let (t_n, overflow) = t_n.overflowing_add(carry);
        high += u64::from(overflow);

        let q = t[0].wrapping_mul(n0);
        let (_, mut carry) = q.carrying_mul_add(m[0], t[0], 0);
        for j in 1..N {
            (t[j - 1], carry) = q.carrying_mul_add(m[j], t[j], carry);
        }
        let (t_last, overflow) = t_n.overflowing_add(carry);
        t[N - 1] = t_last;
        top = high + u64::from(overflow);
    }
    // The result is below 2 m²/R + m, less than 3 m.
    let (reduced, borrow) = subtract_with_borrow(&t, m);
    let (high, negative) = top.overflowing_sub(u64::from(borrow));
    let keep = mask(negative);
    let once = core::array::from_fn(|i| reduced[i] ^ (keep & (reduced[i] ^ t[i])));
    subtract_modulus_once(&once, (high & !keep) != 0, m)
}

/// a + b mod m, for a and b below m.
#[inline]
pub(in crate::arith) fn add<const N: usize>(a: &[u64; N], b: &[u64; N], m: &[u64; N]) -> [u64; N] {
    let (sum, carry) = add_with_carry(a, b);
    subtract_modulus_once(&sum, carry, m)
}

/// a - b mod m, for a and b below m.
#[inline]
pub(in crate::arith) fn subtract<const N: usize>(a: &[u64; N], b: &[u64; N], m: &[u64; N]) -> [u64; N] {
    let (difference, borrow) = subtract_with_borrow(a, b);
    let keep = mask(borrow);
    let (sum, _) = add_with_carry(&difference, &m.map(|limb| limb & keep));
    sum
}

/// Whether a < b.
pub(in crate::arith) fn is_below<const N: usize>(a: &[u64; N], b: &[u64; N]) -> bool {
    subtract_with_borrow(a, b).1
}

/// a - b modulo 2^(64 N), and whether a < b.
#[inline(always)]
pub(in crate::arith) fn subtract_with_borrow<const N: usize>(a: &[u64; N], b: &[u64; N]) -> ([u64; N], bool) {
    let mut difference = [0; N];
    let mut borrow = false;
    for i in 0..N {
        (difference[i], borrow) = a[i].borrowing_sub(b[i], borrow);
    }
    (difference, borrow)
}

/// a + b modulo 2^(64 N), and whether it overflowed.
#[inline(always)]
fn add_with_carry<const N: usize>(a: &[u64; N], b: &[u64; N]) -> ([u64; N], bool) {
    let mut sum = [0; N];
    let mut carry = false;
    for i in 0..N {
        (sum[i], carry) = a[i].carrying_add(b[i], carry);
    }
    (sum, carry)
}

/// t becomes 2 t + the sum of a_i² 2^(128 i), where t has twice the limbs of a: the square of a, if t is the sum of its
/// products of two different limbs.
#[inline(always)]
pub(super) fn double_and_add_squares(t: &mut [u64], a: &[u64]) {
    let mut shifted_out = 0;
    let mut carry = false;
    for ([t_low, t_high], &limb) in t.as_chunks_mut().0.iter_mut().zip(a) {
        let (low, high) = limb.carrying_mul(limb, 0);
        let doubled_low = *t_low << 1 | shifted_out;
        let doubled_high = *t_high << 1 | *t_low >> 63;
        shifted_out = *t_high >> 63;
        (*t_low, carry) = low.carrying_add(doubled_low, carry);
        (*t_high, carry) = high.carrying_add(doubled_high, carry);
    }
}

/// t + carry 2^(64 N), which is below 2 m, reduced below m.
#[inline(always)]
pub(in crate::arith) fn subtract_modulus_once<const N: usize>(t: &[u64; N], carry: bool, m: &[u64; N]) -> [u64; N] {
    // Of a constant modulus, the optimiser would turn the borrows into comparisons, at twice the time.
    let m = core::hint::black_box(m);
    let (reduced, borrow) = subtract_with_borrow(t, m);
    let undo = mask(borrow & !carry);
    let (sum, _) = add_with_carry(&reduced, &m.map(|limb| limb & undo));
    sum
}

/// All ones if `bit`, otherwise 0. An optimiser that saw that these are the only values would branch on the bit.
#[inline(always)]
pub(in crate::arith) fn mask(bit: bool) -> u64 {
    core::hint::black_box(u64::from(bit)).wrapping_neg()
}
