use zeroize::{Zeroize, Zeroizing};

use crate::arith::residue::Modulus;
use crate::arith::supersingular::{Q, Scalar};

pub const ROWS: usize = 8;
pub const TEETH: usize = 6;
pub const TABLES: usize = 22;
pub const TABLE_LEN: usize = 1 << (TEETH - 1);
const SIGNS: usize = ROWS * TEETH * TABLES;
const LIMBS: usize = 16;

pub struct Signs([u64; LIMBS + 1]);

impl Signs {
    pub fn new(scalar: &Scalar) -> Signs {
        let limbs = Zeroizing::new(scalar.to_limbs());
        let even = ((limbs[0] & 1) ^ 1).wrapping_neg();
        let mut odd = Zeroizing::new([0; LIMBS + 1]);
        let mut carry = 0;
        for i in 0..LIMBS {
            let wide = u128::from(limbs[i]) + u128::from(<Q as Modulus<LIMBS>>::LIMBS[i] & even) + carry;
            odd[i] = wide as u64;
            carry = wide >> 64;
        }
        let mut signs = [0; LIMBS + 1];
        for i in 0..LIMBS {
            signs[i] = odd[i] >> 1 | odd[i + 1] << 63;
        }
        signs[(SIGNS - 1) / 64] |= 1 << ((SIGNS - 1) % 64);
        Signs(signs)
    }

    /// The signs of a table's teeth, in the lowest 48 bits.
    pub fn of_table(&self, table: usize) -> u64 {
        let (word, shift) = (table * ROWS * TEETH / 64, table * ROWS * TEETH % 64);
        let mut signs = self.0[word] >> shift;
        if shift > 64 - ROWS * TEETH {
            signs |= self.0[word + 1] << (64 - shift);
        }
        signs & ((1 << (ROWS * TEETH)) - 1)
    }
}

impl Drop for Signs {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
