//! Inversion modulo a prime by the divsteps of Bernstein and Yang ("Fast constant-time gcd computation and modular
//! inversion", 2019), 62 steps at a time on signed 62-bit limbs.
//!
//! Theorem 11.2 there bounds the number of divsteps (with delta starting at 1) that take a d-bit input, d >= 46, to a
//! gcd of 1 by (49 d + 57) / 17. We always run that many, rounded up to whole batches.

use core::hint::black_box;

const LIMB_BITS: usize = 62;
const LIMB_MASK: i64 = (1 << LIMB_BITS) - 1;

/// A signed number of L limbs of 62 bits; the highest limb carries the sign.
type Signed<const L: usize> = [i64; L];

/// 62 divsteps as a matrix, scaled by 2^62: (f, g) becomes (u f + v g, q f + r g) / 2^62.
struct Transition {
    u: i64,
    v: i64,
    q: i64,
    r: i64,
}

/// 1/a mod m for a below the odd prime m, both of N limbs of 64 bits; 0 for a = 0.
///
/// L must be at least (64 N + 2) / 62, rounded up, so that numbers between -2m and m fit.
pub(super) fn invert<const N: usize, const L: usize>(a: &[u64; N], m: &[u64; N]) -> [u64; N] {
    let modulus = to_signed::<N, L>(m);
    let modulus_inverse = inverse_of_limb(m[0]);
    let mut f = modulus;
    let mut g = to_signed::<N, L>(a);
    let mut d = [0; L];
    let mut e = [0; L];
    e[0] = 1;
    let mut eta = -1;
    for _ in 0..batches(64 * N) {
        let t;
        (eta, t) = divsteps(eta, f[0], g[0]);
        update_d_e(&mut d, &mut e, &t, &modulus, modulus_inverse);
        update_f_g(&mut f, &mut g, &t);
    }
    to_unsigned(&normalize(&d, sign(f[L - 1]), &modulus))
}

const fn batches(bits: usize) -> usize {
    ((49 * bits + 57) / 17).div_ceil(LIMB_BITS)
}

/// Runs 62 divsteps on the lowest limbs of f and g. `eta` is -delta.
fn divsteps(mut eta: i64, f0: i64, g0: i64) -> (i64, Transition) {
    let (mut u, mut v, mut q, mut r) = (1i64, 0i64, 0i64, 1i64);
    let (mut f, mut g) = (f0, g0);
    for _ in 0..LIMB_BITS {
        let delta_positive = sign(eta);
        let g_odd = black_box(-(g & 1));
        // Add f (or subtract it, where delta > 0) to an odd g.
        g = g.wrapping_add(((f ^ delta_positive) - delta_positive) & g_odd);
        q += ((u ^ delta_positive) - delta_positive) & g_odd;
        r += ((v ^ delta_positive) - delta_positive) & g_odd;
        // Where both hold, the old g becomes f: f + (g - f).
        let swap = delta_positive & g_odd;
        eta = (eta ^ swap) - (1 + swap);
        f = f.wrapping_add(g & swap);
        u += q & swap;
        v += r & swap;
        g >>= 1;
        u <<= 1;
        v <<= 1;
    }
    (eta, Transition { u, v, q, r })
}

/// (d, e) becomes t (d, e) / 2^62 modulo m. Both stay between -2m and m.
fn update_d_e<const L: usize>(
    d: &mut Signed<L>,
    e: &mut Signed<L>,
    t: &Transition,
    modulus: &Signed<L>,
    modulus_inverse: u64,
) {
    let d_negative = sign(d[L - 1]);
    let e_negative = sign(e[L - 1]);
    let mut m_d = (t.u & d_negative) + (t.v & e_negative);
    let mut m_e = (t.q & d_negative) + (t.r & e_negative);
    let mut c_d = product(t.u, d[0]) + product(t.v, e[0]);
    let mut c_e = product(t.q, d[0]) + product(t.r, e[0]);
    // Choose multiples of m that clear the lowest 62 bits.
    m_d -= (modulus_inverse.wrapping_mul(c_d as u64) as i64).wrapping_add(m_d) & LIMB_MASK;
    m_e -= (modulus_inverse.wrapping_mul(c_e as u64) as i64).wrapping_add(m_e) & LIMB_MASK;
    c_d = (c_d + product(modulus[0], m_d)) >> LIMB_BITS;
    c_e = (c_e + product(modulus[0], m_e)) >> LIMB_BITS;
    for i in 1..L {
        c_d += product(t.u, d[i]) + product(t.v, e[i]) + product(modulus[i], m_d);
        c_e += product(t.q, d[i]) + product(t.r, e[i]) + product(modulus[i], m_e);
        d[i - 1] = c_d as i64 & LIMB_MASK;
        e[i - 1] = c_e as i64 & LIMB_MASK;
        c_d >>= LIMB_BITS;
        c_e >>= LIMB_BITS;
    }
    d[L - 1] = c_d as i64;
    e[L - 1] = c_e as i64;
}

/// (f, g) becomes t (f, g) / 2^62, which is exact.
fn update_f_g<const L: usize>(f: &mut Signed<L>, g: &mut Signed<L>, t: &Transition) {
    let mut c_f = (product(t.u, f[0]) + product(t.v, g[0])) >> LIMB_BITS;
    let mut c_g = (product(t.q, f[0]) + product(t.r, g[0])) >> LIMB_BITS;
    for i in 1..L {
        c_f += product(t.u, f[i]) + product(t.v, g[i]);
        c_g += product(t.q, f[i]) + product(t.r, g[i]);
        f[i - 1] = c_f as i64 & LIMB_MASK;
        g[i - 1] = c_g as i64 & LIMB_MASK;
        c_f >>= LIMB_BITS;
        c_g >>= LIMB_BITS;
    }
    f[L - 1] = c_f as i64;
    g[L - 1] = c_g as i64;
}

/// d, negated where `negate` is -1, brought from between -2m and m to between 0 and m.
fn normalize<const L: usize>(d: &Signed<L>, negate: i64, modulus: &Signed<L>) -> Signed<L> {
    let mut out = *d;
    add_modulus_if_negative(&mut out, modulus);
    for limb in &mut out {
        *limb = (*limb ^ negate) - negate;
    }
    propagate(&mut out);
    add_modulus_if_negative(&mut out, modulus);
    out
}

fn add_modulus_if_negative<const L: usize>(out: &mut Signed<L>, modulus: &Signed<L>) {
    let negative = sign(out[L - 1]);
    for i in 0..L {
        out[i] += modulus[i] & negative;
    }
    propagate(out);
}

fn propagate<const L: usize>(out: &mut Signed<L>) {
    for i in 1..L {
        out[i] += out[i - 1] >> LIMB_BITS;
        out[i - 1] &= LIMB_MASK;
    }
}

/// -1 if negative, otherwise 0. An optimiser that saw that these are the only values would branch on the sign.
fn sign(a: i64) -> i64 {
    black_box(a >> 63)
}

fn product(a: i64, b: i64) -> i128 {
    i128::from(a) * i128::from(b)
}

/// 1/m0 mod 2^62.
fn inverse_of_limb(m0: u64) -> u64 {
    let mut inverse = 1u64;
    for _ in 0..6 {
        inverse = inverse.wrapping_mul(2u64.wrapping_sub(m0.wrapping_mul(inverse)));
    }
    inverse
}

fn to_signed<const N: usize, const L: usize>(a: &[u64; N]) -> Signed<L> {
    let mut out = [0; L];
    for (i, limb) in out.iter_mut().enumerate() {
        let (word, shift) = (LIMB_BITS * i / 64, LIMB_BITS * i % 64);
        let low = a.get(word).map_or(0, |w| w >> shift);
        let high = if shift == 0 { 0 } else { a.get(word + 1).map_or(0, |w| w << (64 - shift)) };
        *limb = (low | high) as i64 & LIMB_MASK;
    }
    out
}

fn to_unsigned<const N: usize, const L: usize>(a: &Signed<L>) -> [u64; N] {
    let mut out = [0; N];
    for (i, &limb) in a.iter().enumerate() {
        let (word, shift) = (LIMB_BITS * i / 64, LIMB_BITS * i % 64);
        if let Some(w) = out.get_mut(word) {
            *w |= (limb as u64) << shift;
        }
        if shift > 2
            && let Some(w) = out.get_mut(word + 1)
        {
            *w |= (limb as u64) >> (64 - shift);
        }
    }
    out
}
