//! Arithmetic on 64-bit limbs, least significant first, in plain Rust.
//!
//! With R = 2^(64 N), the product of a and b is a b / R mod m. Inputs may be any N-limb numbers as long as one of them
//! is below m; the result is below m. No branch, index or shift depends on a value.

use core::hint::black_box;

/// Entries of a table that is looked up in, at most.
const LARGEST_TABLE: usize = 64;
/// Limbs of a table's entries that are summed at once, for which there are enough registers.
const COLUMN: usize = 8;

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

/// The sum of the K products / R mod m, with one reduction. All factors must be below m, and K is small.
#[inline]
pub(in crate::arith) fn multiply_sum<const N: usize, const K: usize>(
    products: [[&[u64; N]; 2]; K],
    m: &[u64; N],
    n0: u64,
) -> [u64; N] {
    debug_assert!(products.iter().flatten().all(|factor| is_below(factor, m)));
    let mut t = [0; N];
    // Stays below K + 2, since t is below the sum of all second factors, plus m, after every round.
    let mut top = 0;
    for i in 0..N {
        let mut t_n: u64 = top;
        let mut high = 0;
        for [a, b] in products {
            let mut carry = 0;
            for j in 0..N {
                (t[j], carry) = a[i].carrying_mul_add(b[j], t[j], carry);
            }
            let overflow;
            (t_n, overflow) = t_n.overflowing_add(carry);
            high += u64::from(overflow);
        }

        let q = t[0].wrapping_mul(n0);
        let (_, mut carry) = q.carrying_mul_add(m[0], t[0], 0);
        for j in 1..N {
            (t[j - 1], carry) = q.carrying_mul_add(m[j], t[j], carry);
        }
        let (t_last, overflow) = t_n.overflowing_add(carry);
        t[N - 1] = t_last;
        top = high + u64::from(overflow);
    }
    // The result is below K m²/R + m, less than (K + 1) m.
    for _ in 0..K {
        let (reduced, borrow) = subtract_with_borrow(&t, m);
        let (high, negative) = top.overflowing_sub(u64::from(borrow));
        let keep = mask(negative);
        t = core::array::from_fn(|i| reduced[i] ^ (keep & (reduced[i] ^ t[i])));
        top = high ^ (keep & (high ^ top));
    }
    t
}

/// a + b mod m, for a and b below m.
#[inline]
pub(in crate::arith) fn add<const N: usize>(a: &[u64; N], b: &[u64; N], m: &[u64; N]) -> [u64; N] {
    debug_assert!(is_below(a, m) && is_below(b, m));
    let (sum, carry) = add_with_carry(a, b);
    subtract_modulus_once(&sum, carry, m)
}

/// a - b mod m, for a and b below m.
#[inline]
pub(in crate::arith) fn subtract<const N: usize>(a: &[u64; N], b: &[u64; N], m: &[u64; N]) -> [u64; N] {
    debug_assert!(is_below(a, m) && is_below(b, m));
    let (difference, borrow) = subtract_with_borrow(a, b);
    let keep = mask(borrow);
    let (sum, _) = add_with_carry(&difference, &m.map(|limb| limb & keep));
    sum
}

/// a / 2 mod m, for a below m.
#[inline]
pub(in crate::arith) fn halve<const N: usize>(a: &[u64; N], m: &[u64; N]) -> [u64; N] {
    debug_assert!(is_below(a, m));
    let odd = mask(a[0] & 1 == 1);
    let (sum, carry) = add_with_carry(a, &m.map(|limb| limb & odd));
    core::array::from_fn(|i| sum[i] >> 1 | sum.get(i + 1).map_or(u64::from(carry), |&limb| limb) << 63)
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
    let m = black_box(m);
    let (reduced, borrow) = subtract_with_borrow(t, m);
    let undo = mask(borrow & !carry);
    let (sum, _) = add_with_carry(&reduced, &m.map(|limb| limb & undo));
    debug_assert!(is_below(&sum, m));
    sum
}

/// Entry `index` of a table of at most 64, by reading all of it; 0 if there is none. W is a multiple of 8.
#[inline]
pub(in crate::arith) fn select<const W: usize>(table: &[[u64; W]], index: u64) -> [u64; W] {
    const { assert!(W.is_multiple_of(COLUMN)) };
    debug_assert!(table.len() <= LARGEST_TABLE);
    // All ones for the entry. An optimiser that saw that all others are 0 might branch.
    let masks = black_box(core::array::from_fn::<_, LARGEST_TABLE, _>(|i| u64::from(index == i as u64).wrapping_neg()));
    let mut chosen = [0; W];
    for (column, chosen) in chosen.as_chunks_mut::<COLUMN>().0.iter_mut().enumerate() {
        let mut sum = [0; COLUMN];
        for (entry, mask) in table.iter().zip(&masks) {
            let limbs = &entry.as_chunks::<COLUMN>().0[column];
            for i in 0..COLUMN {
                sum[i] |= limbs[i] & mask;
            }
        }
        *chosen = sum;
    }
    chosen
}

/// The 64 bits of a number from the bit at `position` on, which is public; those outside the number are 0.
#[inline(always)]
pub(in crate::arith) const fn word_at(limbs: &[u64], position: usize) -> u64 {
    let (limb, shift) = (position / 64, position % 64);
    let low = if limb < limbs.len() { limbs[limb] >> shift } else { 0 };
    if shift == 0 || limb + 1 >= limbs.len() { low } else { low | limbs[limb + 1] << (64 - shift) }
}

/// All ones if `bit`, otherwise 0. An optimiser that saw that these are the only values would branch on the bit.
#[inline(always)]
pub(in crate::arith) fn mask(bit: bool) -> u64 {
    black_box(u64::from(bit)).wrapping_neg()
}
