//! Inversion modulo a prime by the divsteps of Bernstein and Yang ("Fast constant-time gcd computation and modular
//! inversion", 2019), in Wuille's variant that starts with delta = 1/2, on signed 62-bit limbs.
//!
//! How many divsteps take the largest inputs to a gcd of 1 is what Wuille and Maxwell computed
//! (<https://github.com/sipa/safegcd-bounds>): 590 for 256 bits, which is proved in Coq, and for a modulus M of up to 3805
//! bits (3787 log2(M) + 2166) / 1644. We always run that many, rounded up to whole batches.

use core::hint::black_box;

use zeroize::Zeroizing;

use super::backend::portable::word_at;
use super::residue::negated_inverse_of_limb;

const LIMB_BITS: usize = 62;
const LIMB_MASK: i64 = (1 << LIMB_BITS) - 1;
/// Divsteps between two updates of the whole numbers: three runs on packed words.
const BATCH: usize = 2 * RUN + LAST_RUN;
/// Divsteps that a packed word has bits for.
const RUN: usize = 20;
/// One less, so that 590 divsteps are ten batches.
const LAST_RUN: usize = 19;

/// A signed number of L limbs of 62 bits; the highest limb carries the sign.
type Signed<const L: usize> = [i64; L];

/// Divsteps as a matrix, scaled by 2^n for n divsteps: (f, g) becomes (u f + v g, q f + r g) / 2^n.
#[derive(Clone, Copy)]
struct Transition {
    u: i64,
    v: i64,
    q: i64,
    r: i64,
}

impl Transition {
    /// This one after another one.
    fn after(self, first: Transition) -> Transition {
        Transition {
            u: self.u * first.u + self.v * first.q,
            v: self.u * first.v + self.v * first.r,
            q: self.q * first.u + self.r * first.q,
            r: self.q * first.v + self.r * first.r,
        }
    }

    /// The lowest bits of f and g after it, 64 bits less its divsteps.
    fn apply(&self, f: i64, g: i64, steps: usize) -> (i64, i64) {
        let next = |a: i64, b: i64| a.wrapping_mul(f).wrapping_add(b.wrapping_mul(g)) >> steps;
        (next(self.u, self.v), next(self.q, self.r))
    }

    fn scaled(self, bits: usize) -> Transition {
        Transition { u: self.u << bits, v: self.v << bits, q: self.q << bits, r: self.r << bits }
    }
}

/// 1/a mod m for a below the odd prime m, both of N limbs of 64 bits; 0 for a = 0.
///
/// L must be at least (64 N + 2) / 62, rounded up, so that numbers between -2m and m fit.
pub(super) fn invert<const N: usize, const L: usize>(a: &[u64; N], m: &[u64; N]) -> [u64; N] {
    let mut modulus = [0; L];
    to_signed(m, &mut modulus);
    let modulus_inverse = negated_inverse_of_limb(m[0]).wrapping_neg();
    let mut f = Zeroizing::new(modulus);
    let mut g = Zeroizing::new([0; L]);
    to_signed(a, &mut g);
    let mut d = Zeroizing::new([0; L]);
    let mut e = Zeroizing::new([0; L]);
    e[0] = 1;
    let mut zeta = -1;
    for _ in 0..batches(64 * N) {
        let t = divsteps(&mut zeta, f[0], g[0]).scaled(LIMB_BITS - BATCH);
        update_d_e(&mut d, &mut e, &t, &modulus, modulus_inverse);
        update_f_g(&mut f, &mut g, &t);
    }
    normalize(&mut d, sign(f[L - 1]), &modulus);
    to_unsigned(&d)
}

const fn batches(bits: usize) -> usize {
    let steps = if bits == 256 { 590 } else { (3787 * bits + 2166) / 1644 };
    steps.div_ceil(BATCH)
}

/// A batch of divsteps on the lowest limbs of f and g. `zeta` is -(delta + 1/2).
fn divsteps(zeta: &mut i64, f: i64, g: i64) -> Transition {
    let first = packed_divsteps::<RUN>(zeta, f, g);
    let (f, g) = first.apply(f, g, RUN);
    let second = packed_divsteps::<RUN>(zeta, f, g);
    let (f, g) = second.apply(f, g, RUN);
    packed_divsteps::<LAST_RUN>(zeta, f, g).after(second).after(first)
}

/// STEPS divsteps, at most 20.
///
/// Divsteps are linear, so f and the first row of the matrix share a word, as g and the second row do: the number's
/// lowest 20 bits, its multiple of the first f above bit 21, and its multiple of the first g above bit 42, both negated
/// because their negatives are between -2^STEPS and 2^STEPS - 1 (section 10.3 of the paper has the idea).
#[inline(always)]
fn packed_divsteps<const STEPS: usize>(zeta: &mut i64, f: i64, g: i64) -> Transition {
    const LOW: i64 = (1 << RUN) - 1;
    let mut f = (f & LOW) - (1 << (21 + STEPS));
    let mut g = (g & LOW) - (1 << (42 + STEPS));
    for _ in 0..STEPS {
        let delta_positive = sign(*zeta);
        let g_odd = black_box(-(g & 1));
        // f, negated where delta > 0, joins an odd g; where both hold, the old g becomes f.
        let swap = delta_positive & g_odd;
        let joining = ((f ^ delta_positive) - delta_positive) & g_odd;
        f ^= (f ^ g) & swap;
        g = (g + joining) >> 1;
        *zeta = (*zeta ^ swap) - 1;
    }
    let ((u, v), (q, r)) = (unpack(f), unpack(g));
    Transition { u, v, q, r }
}

/// The two multiples in a packed word.
#[inline(always)]
fn unpack(word: i64) -> (i64, i64) {
    // What is below them lies between -2^20 and 2^20, and the lower one between -2^41 and 2^41 - 1.
    let word = word.wrapping_add(1 << 20);
    let (first, second) = (word << 22 >> 43, word.wrapping_add(1 << 41) >> 42);
    (-first, -second)
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
    let highest = modulus[L - 1] + 1;
    debug_assert!([d, e].iter().all(|number| (-2 * highest..highest).contains(&number[L - 1])));
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
fn normalize<const L: usize>(d: &mut Signed<L>, negate: i64, modulus: &Signed<L>) {
    add_modulus_if_negative(d, modulus);
    for limb in d.iter_mut() {
        *limb = (*limb ^ negate) - negate;
    }
    propagate(d);
    add_modulus_if_negative(d, modulus);
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

/// In place, so that a secret is where it is wiped.
fn to_signed<const N: usize, const L: usize>(a: &[u64; N], out: &mut Signed<L>) {
    for (i, limb) in out.iter_mut().enumerate() {
        *limb = word_at(a, LIMB_BITS * i) as i64 & LIMB_MASK;
    }
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
