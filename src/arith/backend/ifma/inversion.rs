//! Inverses that share one inversion.

use alloc::vec::Vec;
use zeroize::{Zeroize, Zeroizing};

use super::lanes::Lanes;

/// Replaces every number of every lane by its inverse, with one inversion and three multiplications a vector. None may
/// be 0. Numbers are below 256 p, and results below 2 p.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub fn invert_all(values: &mut [Lanes]) {
    let Some((first, others)) = values.split_first_mut() else { return };
    let mut products = Zeroizing::new(Vec::with_capacity(others.len()));
    let mut product = *first;
    for value in others.iter() {
        products.push(product);
        product = product.multiply(value);
    }
    let mut inverse = invert(&product);
    for (value, before) in others.iter_mut().zip(products.iter()).rev() {
        let inverted = inverse.multiply(before);
        inverse = inverse.multiply(value);
        *value = inverted;
    }
    *first = inverse;
}

/// The inverses of eight numbers, none of which may be 0.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn invert(values: &Lanes) -> Lanes {
    const NEIGHBOUR: [u64; 8] = [1, 0, 3, 2, 5, 4, 7, 6];
    const NEXT_PAIR: [u64; 8] = [2, 3, 0, 1, 6, 7, 4, 5];
    const NEXT_FOUR: [u64; 8] = [4, 5, 6, 7, 0, 1, 2, 3];
    let others = values.permute(NEIGHBOUR);
    let pairs = values.multiply(&others);
    let other_pairs = pairs.permute(NEXT_PAIR);
    let fours = pairs.multiply(&other_pairs);
    let other_fours = fours.permute(NEXT_FOUR);
    let [mut all, ..] = fours.multiply(&other_fours).to_fp();
    let mut inverse = all.invert();
    let all_inverted = Lanes::from_fp([&inverse; 8]);
    all.zeroize();
    inverse.zeroize();
    all_inverted.multiply(&other_fours).multiply(&other_pairs).multiply(&others)
}
