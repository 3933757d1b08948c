//! Traces of powers of elements of F_p2 whose norm is 1.

use super::is_available;
use super::pair::{BOTH_SECOND, Columns, FIRST, Pair, sum_of_products};
use crate::arith::supersingular::Fp;

/// The trace of the power of an element of norm 1 from its trace, by the ladder of a Lucas sequence: the product and the
/// square that a bit of the exponent takes are a pair. In constant time, but for the exponent. Panics where the processor
/// lacks the instructions.
pub fn trace_of_power(trace: &Fp, exponent: &[u64]) -> Fp {
    assert!(is_available());
    // SAFETY: the processor has the instructions.
    unsafe { ladder(trace, exponent) }
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn ladder(trace: &Fp, exponent: &[u64]) -> Fp {
    let two = Fp::from_u64(2);
    let [two_and_trace, trace_and_two] = [(&two, trace), (trace, &two)].map(|(a, b)| Pair::from_fp(a, b).columns());
    // The traces of the k-th and the (k + 1)-th power, k being the bits so far, raised by 16 p.
    let mut traces = two_and_trace.subtract(&Columns::zero());
    for i in (0..64 * exponent.len()).rev() {
        let both = traces.carried_in_lanes();
        traces = if exponent[i / 64] >> (i % 64) & 1 == 1 {
            sum_of_products!([both, BOTH_SECOND, both]).subtract(&trace_and_two)
        } else {
            sum_of_products!([both, FIRST, both]).subtract(&two_and_trace)
        };
    }
    let (low, _) = traces.carried().to_fp();
    low
}
