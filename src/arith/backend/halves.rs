//! Montgomery arithmetic on 16 limbs, from steps on halves of 8 limbs: a block of 8 by 8 products is the most for which
//! registers hold what the products are added to. An engine brings the steps; what joins them is here.
//!
//! A product of 32 limbs comes first, of 192 products of limbs (Karatsuba) or, for a square, 136. Its reduction takes 256,
//! and 16 that are cut off at 64 bits. With R = 2^1024, it adds the multiple Q m that makes the low 1024 bits 0, and finds Q
//! in two halves.

use super::portable::{is_below, mask, subtract_with_borrow};

/// A number of 512 bits.
pub(super) type Half = [u64; HALF];
/// A number of 1024 bits.
pub(super) type Whole = [Half; 2];
/// A number of 2048 bits.
pub(super) type Product = [Whole; 2];

/// Limbs of the numbers.
pub(super) const LIMBS: usize = 16;
/// Limbs of a half.
pub(super) const HALF: usize = LIMBS / 2;

/// The steps, as a backend does them. All are constant-time.
pub(super) trait HalfEngine {
    /// accumulator + x y: its low half goes to `low`, its high half to the accumulator.
    fn multiply_add(accumulator: &mut Half, x: &Half, y: &Half, low: &mut Half);

    /// (accumulator + q m) / 2^512, with the `q` below 2^512 that makes this an integer. `n0` is -1/m mod 2^64.
    fn cancel(accumulator: &mut Half, m: &Half, n0: u64, q: &mut Half);

    /// The sum of a_i a_j 2^(64 (i + j)) over the limbs with i < j.
    fn products_of_pairs(a: &Half, sum: &mut Whole);

    /// 2 t + the sum of a_i² 2^(128 i), which is a² if t is the sum of the products of two different limbs.
    fn double_and_add_squares(t: &mut Product, a: &Whole);

    /// sum + carry R, which is below 2 m, reduced below m. N is 16.
    fn subtract_once<const N: usize>(sum: &Whole, carry: bool, m: &[u64; N]) -> [u64; N];
}

/// a b / R mod m, where one of a and b is below m. `n0` is -1/m mod 2^64. N is 16.
#[inline(always)]
pub(super) fn multiply<E: HalfEngine, const N: usize>(a: &[u64; N], b: &[u64; N], m: &[u64; N], n0: u64) -> [u64; N] {
    debug_assert!(is_below(a, m) || is_below(b, m));
    let mut t = [[[0; HALF]; 2]; 2];
    product::<E>(whole(a), whole(b), &mut t);
    reduce::<E, N>(&mut t, m, n0)
}

/// a² / R mod m, for a below m. N is 16.
#[inline(always)]
pub(super) fn square<E: HalfEngine, const N: usize>(a: &[u64; N], m: &[u64; N], n0: u64) -> [u64; N] {
    debug_assert!(is_below(a, m));
    let mut t = [[[0; HALF]; 2]; 2];
    square_product::<E>(whole(a), &mut t);
    reduce::<E, N>(&mut t, m, n0)
}

/// The sum of the K products / R mod m, with one reduction. All factors must be below m. N is 16.
#[inline(always)]
pub(super) fn multiply_sum<E: HalfEngine, const N: usize, const K: usize>(
    products: [[&[u64; N]; 2]; K],
    m: &[u64; N],
    n0: u64,
) -> [u64; N] {
    debug_assert!(products.iter().flatten().all(|factor| is_below(factor, m)));
    let mut t = [[[0; HALF]; 2]; 2];
    for (i, [a, b]) in products.into_iter().enumerate() {
        if i == 0 {
            product::<E>(whole(a), whole(b), &mut t);
            continue;
        }
        let mut u = [[[0; HALF]; 2]; 2];
        product::<E>(whole(a), whole(b), &mut u);
        let mut carry = false;
        for (t, u) in t.as_flattened_mut().iter_mut().zip(u.as_flattened()) {
            carry = add(t, u, carry);
        }
        // What lies above R is below 2 m, as each product is below m R.
        t[1] = *whole(&E::subtract_once(&t[1], carry, m));
    }
    reduce::<E, N>(&mut t, m, n0)
}

/// a b, of three products of halves: in the middle of it belongs
/// a_low b_high + a_high b_low = a_low b_low + a_high b_high + (a_high - a_low) (b_low - b_high).
#[inline(never)]
fn product<E: HalfEngine>([a_low, a_high]: &Whole, [b_low, b_high]: &Whole, t: &mut Product) {
    let (x, x_sign) = difference(a_high, a_low);
    let (y, y_sign) = difference(b_low, b_high);
    let [low, high] = t;
    multiply_halves::<E>(a_low, b_low, low);
    multiply_halves::<E>(a_high, b_high, high);
    let mut middle = [[0; HALF]; 2];
    multiply_halves::<E>(&x, &y, &mut middle);

    // Below 2^1025, so that the limb on top is 0 or 1 in the end.
    let sign = x_sign ^ y_sign;
    let carry = flip_and_add(&mut middle[0], sign, &low[0], sign & 1 == 1);
    let carry = flip_and_add(&mut middle[1], sign, &low[1], carry);
    let mut top = sign.wrapping_add(u64::from(carry));
    let carry = add(&mut middle[0], &high[0], false);
    let carry = add(&mut middle[1], &high[1], carry);
    top = top.wrapping_add(u64::from(carry));

    let carry = add(&mut low[1], &middle[0], false);
    let carry = add(&mut high[0], &middle[1], carry);
    add(&mut high[1], &[top, 0, 0, 0, 0, 0, 0, 0], carry);
}

#[inline(always)]
fn multiply_halves<E: HalfEngine>(x: &Half, y: &Half, [low, high]: &mut Whole) {
    let mut accumulator = [0; HALF];
    E::multiply_add(&mut accumulator, x, y, low);
    *high = accumulator;
}

/// |a - b|, and the sign as all ones if a < b and 0 otherwise.
#[inline(always)]
fn difference(a: &Half, b: &Half) -> (Half, u64) {
    let (mut difference, borrow) = subtract_with_borrow(a, b);
    let sign = mask(borrow);
    flip_and_add(&mut difference, sign, &[0; HALF], sign & 1 == 1);
    (difference, sign)
}

/// a²: first the products of two different limbs, each once.
#[inline(never)]
fn square_product<E: HalfEngine>(a: &Whole, t: &mut Product) {
    let [a_low, a_high] = a;
    E::products_of_pairs(a_low, &mut t[0]);
    E::products_of_pairs(a_high, &mut t[1]);
    let [[_, t1], [t2, t3]] = t;
    let mut accumulator = *t1;
    E::multiply_add(&mut accumulator, a_low, a_high, t1);
    let carry = add(&mut accumulator, t2, false);
    *t2 = accumulator;
    add(t3, &[0; HALF], carry);
    E::double_and_add_squares(t, a);
}

/// t / R mod m, for t below m R.
///
/// With Q the multiple that is added, t + Q m is below 2 m R: a single subtraction of m is left to do.
#[inline(never)]
fn reduce<E: HalfEngine, const N: usize>(t: &mut Product, m: &[u64; N], n0: u64) -> [u64; N] {
    let [m_low, m_high] = whole(m);
    let [[t0, t1], [t2, t3]] = t;
    let mut q = [0; HALF];

    // Q's low half. What it carries from one half of t into the next is the accumulator and a bit.
    let mut accumulator = *t0;
    E::cancel(&mut accumulator, m_low, n0, &mut q);
    let carry = add(&mut accumulator, t1, false);
    E::multiply_add(&mut accumulator, &q, m_high, t1);
    let carry_to_t3 = add(&mut accumulator, t2, carry);
    *t2 = accumulator;

    // Q's high half.
    accumulator = *t1;
    E::cancel(&mut accumulator, m_low, n0, &mut q);
    let carry = add(&mut accumulator, t2, false);
    E::multiply_add(&mut accumulator, &q, m_high, t2);
    let overflow = add(&mut accumulator, t3, carry_to_t3) | add(&mut accumulator, &[0; HALF], carry);
    *t3 = accumulator;
    E::subtract_once(&t[1], overflow, m)
}

/// a += b + carry, and whether that overflowed.
#[inline(always)]
fn add(a: &mut Half, b: &Half, carry: bool) -> bool {
    flip_and_add(a, 0, b, carry)
}

/// a = (a ^ flip) + b + carry, and whether that overflowed. With all ones for `flip` and a carry this is b - a. One pass
/// over the limbs: a vector would have to wait until the limbs, just stored one by one, are in the cache.
#[inline(always)]
fn flip_and_add(a: &mut Half, flip: u64, b: &Half, mut carry: bool) -> bool {
    for i in 0..HALF {
        (a[i], carry) = (a[i] ^ flip).carrying_add(b[i], carry);
    }
    carry
}

#[inline(always)]
fn whole<const N: usize>(limbs: &[u64; N]) -> &Whole {
    match limbs.as_chunks().0.as_array() {
        Some(whole) => whole,
        None => unreachable!("N is 16"),
    }
}
