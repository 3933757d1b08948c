//! Montgomery arithmetic on 64-bit limbs with the multiplication and carries of BMI2 and ADX.

mod wide;

use super::{LimbEngine, portable, portable_p256};

cpufeatures::new!(instructions, "bmi2", "adx");

/// The processor's `mulx`, `adcx` and `adox`. Only for a processor of which [`is_available`] holds.
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
            wide::LIMBS => *same(&wide::multiply(same(a), same(b), same(m), n0)),
            _ => portable::multiply(a, b, m, n0),
        }
    }

    #[inline(always)]
    fn square<const N: usize>(a: &[u64; N], m: &[u64; N], n0: u64) -> [u64; N] {
        Self::multiply(a, a, m, n0)
    }

    #[inline(always)]
    fn multiply_two<const N: usize>(first: [&[u64; N]; 2], second: [&[u64; N]; 2], m: &[u64; N], n0: u64) -> [u64; N] {
        portable::multiply_sum([first, second], m, n0)
    }

    #[inline(always)]
    fn multiply_p256(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4] {
        portable_p256::multiply(a, b)
    }

    #[inline(always)]
    fn square_p256(a: &[u64; 4]) -> [u64; 4] {
        portable_p256::square(a)
    }
}

/// The same number, where the compiler cannot see that N = M.
#[inline(always)]
fn same<const N: usize, const M: usize>(limbs: &[u64; N]) -> &[u64; M] {
    assert!(N == M);
    // SAFETY: both arrays have the same length.
    unsafe { &*limbs.as_ptr().cast() }
}
