//! Elements of F_p2* / F_p* side by side: a + b i up to a factor in F_p*.

use zeroize::Zeroize;

use super::lanes::{LANES, Lanes, Limbs, Term};
use crate::arith::backend::bmi2::Bmi2;
use crate::arith::supersingular::{PairingValue, PairingValueOn};

/// Eight elements, one a lane. Numbers are below 64 p.
#[derive(Clone, Copy)]
pub struct Values {
    pub re: Lanes,
    pub im: Lanes,
}

/// Up to four elements, the real parts in the lower four lanes, below 64 p.
#[derive(Clone, Copy)]
pub struct FewValues(Lanes);

impl Values {
    /// 1 in every lane.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn one() -> Values {
        Values { re: Lanes::one(), im: Lanes::zero() }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn to_pairing_values(&self) -> [PairingValue; LANES] {
        let (re, im) = (self.re.to_fp(), self.im.to_fp());
        core::array::from_fn(|lane| PairingValue { re: re[lane], im: im[lane] })
    }

    /// (1 + u i) (1 + v i), in one multiplication. u and v are at most p, and results below 3 p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn of_two(u: &Lanes, v: &Lanes) -> Values {
        Values { re: Lanes::linear([(&Lanes::one(), 1), (&u.multiply(v), -1)], 2), im: u.add(v) }
    }

    /// The products with 1 + u i, in 2 multiplications. The bound grows by 2 p.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn multiply_by_one_plus(&self, u: &Lanes) -> Values {
        Values {
            re: Lanes::linear([(&self.re, 1), (&self.im.multiply(u), -1)], 2),
            im: self.im.add(&self.re.multiply(u)),
        }
    }

    /// The squares, below 4 p, in 2 multiplications.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn square(&self) -> Values {
        let difference = Lanes::linear([(&self.re, 1), (&self.im, -1)], 64);
        Values { re: self.re.add(&self.im).multiply(&difference), im: self.re.multiply(&self.im).double() }
    }

    /// The products, below 3 p, in 2 sums of two products.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn multiply(&self, other: &Values) -> Values {
        let minus_im = Lanes::linear([(&self.im, -1)], 64);
        Values {
            re: Lanes::sum_of_products(&self.re, &other.re, &minus_im, &other.im),
            im: Lanes::sum_of_products(&self.re, &other.im, &self.im, &other.re),
        }
    }
}

impl FewValues {
    /// One element.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn from_value(value: &PairingValue) -> FewValues {
        let (re, im) = (&value.re, &value.im);
        FewValues(Lanes::from_fp([re, re, re, re, im, im, im, im]))
    }

    /// Four of eight elements: those with even or those with odd indices.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn pick_alternate(values: &Values, odd: u64) -> FewValues {
        FewValues(Lanes::permute_two(&values.re, &values.im, [0, 2, 4, 6, 8, 10, 12, 14].map(|lane| lane + odd)))
    }

    /// Two of four elements, or one of two: those with even or those with odd indices.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn alternate(&self, odd: u64) -> FewValues {
        FewValues(self.0.permute([0, 2, 0, 2, 4, 6, 4, 6].map(|lane| lane + odd)))
    }

    /// The products, below 3 p, in one sum of two products.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn multiply(&self, other: &FewValues) -> FewValues {
        FewValues(Lanes::sum_of_products(
            &self.0.permute([0, 1, 2, 3, 0, 1, 2, 3]),
            &other.0,
            &Lanes::mix(&self.0, &self.0, &MINUS_IM_AND_IM, 64),
            &other.0.permute([4, 5, 6, 7, 0, 1, 2, 3]),
        ))
    }

    /// The squares, below 2 p, in one multiplication: (re + im) (re - im) and (2 re) im. After that, the same `times` - 1
    /// times.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn square_times(&self, times: usize) -> FewValues {
        let mut value = self.0;
        for _ in 0..times {
            let factors = [&SUM_AND_TWICE_RE, &DIFFERENCE_AND_IM].map(|map| Lanes::mix(&value, &value, map, 64));
            value = factors[0].multiply(&factors[1]);
        }
        FewValues(value)
    }

    /// The first element's real and imaginary part.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn first(&self) -> [Limbs; 2] {
        let [re, _, _, _, im, ..] = self.0.scatter();
        [re, im]
    }

    /// The first element.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn value(&self) -> PairingValueOn<Bmi2> {
        let [re, _, _, _, im, ..] = self.0.to_fp();
        PairingValueOn { re: re.convert(), im: im.convert() }
    }
}

const RE: [u64; LANES] = [0, 1, 2, 3, 0, 1, 2, 3];
const IM: [u64; LANES] = [4, 5, 6, 7, 4, 5, 6, 7];
const MINUS_ONE: u64 = u64::MAX;
const SUM_AND_TWICE_RE: [Term; 2] =
    [Term { from: RE, times: [1, 1, 1, 1, 2, 2, 2, 2] }, Term { from: IM, times: [1, 1, 1, 1, 0, 0, 0, 0] }];
const DIFFERENCE_AND_IM: [Term; 2] = [
    Term { from: RE, times: [1, 1, 1, 1, 0, 0, 0, 0] },
    Term { from: IM, times: [MINUS_ONE, MINUS_ONE, MINUS_ONE, MINUS_ONE, 1, 1, 1, 1] },
];
const MINUS_IM_AND_IM: [Term; 1] = [Term { from: IM, times: [MINUS_ONE, MINUS_ONE, MINUS_ONE, MINUS_ONE, 1, 1, 1, 1] }];

impl Zeroize for Values {
    fn zeroize(&mut self) {
        self.re.zeroize();
        self.im.zeroize();
    }
}
