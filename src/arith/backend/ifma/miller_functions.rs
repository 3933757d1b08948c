//! The functions of Miller's loop, eight at a time: their coefficients and their values.
//!
//! Formulas are those of `supersingular::miller_walk`. Values are not divided by y: the inversion would cost more than it
//! saves.

use alloc::vec::Vec;
use zeroize::{Zeroize, Zeroizing};

use super::lanes::{LANES, Lanes};
use super::miller_walk::walk;
use super::pair::Pair;
use super::value::Values;
use crate::arith::supersingular::{Affine, Fp, Step, steps};

/// Coefficients of eight functions of one kind, a function a lane.
pub type Group<const COEFFICIENTS: usize> = [Lanes; COEFFICIENTS];

/// The functions for one point by their kinds, each in the order of the loop. What is in the last lanes of a kind may have
/// no meaning. Wiped on drop, since the point may be a secret key.
pub struct Functions {
    /// y + s x + c, as c and s.
    pub doubles: Vec<Group<2>>,
    /// y (x + b) + a₂ x² + a₁ x + a₀, as a₀, a₁, a₂ and b.
    pub quadruples: Vec<Group<4>>,
    /// y (d₁ x + d₀) + x³ + c₂ x² + c₁ x + c₀, as c₀, c₁, c₂, d₀ and d₁.
    pub additions: Vec<Group<5>>,
}

impl Functions {
    /// Walks Miller's loop from a point of order q, in constant time.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn new(start: &Affine) -> Functions {
        let quotients = walk(start);
        let start = Zeroizing::new(Start::new(start));
        let passed = passed_steps(&start, &quotients);
        Functions {
            doubles: groups(&passed, &[Step::Double]).map(|steps| double(&Quotients::of(&steps))).collect(),
            quadruples: groups(&passed, &[Step::Quadruple]).map(|steps| quadruple(&Quotients::of(&steps))).collect(),
            additions: groups(&passed, &[Step::QuadrupleAdd, Step::QuadrupleSubtract])
                .map(|steps| {
                    let subtractions = mask(&steps, |step| step == Step::QuadrupleSubtract);
                    let y = Lanes::select(&start.y, &start.minus_y, subtractions);
                    quadruple_and_add(&Quotients::of(&steps), &start, &y)
                })
                .collect(),
        }
    }
}

impl Drop for Functions {
    fn drop(&mut self) {
        self.doubles.zeroize();
        self.quadruples.zeroize();
        self.additions.zeroize();
    }
}

/// The start of the walk, and a constant, in every lane.
struct Start {
    x: Lanes,
    y: Lanes,
    minus_y: Lanes,
    three: Lanes,
}

impl Start {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn new(point: &Affine) -> Start {
        let numbers = Zeroizing::new([point.x, point.y, -point.y, Fp::from_u64(3)]);
        let [x, y, minus_y, three] = numbers.each_ref().map(|number| Lanes::from_fp([number; LANES]));
        Start { x, y, minus_y, three }
    }
}

/// A step of the walk.
#[derive(Clone, Copy)]
struct Passed<'a> {
    step: Step,
    /// x where the step starts, and something.
    x: Pair,
    /// λ and w.
    first: &'a Pair,
    /// λ and w of the second doubling, or those of the only one.
    second: &'a Pair,
    /// λ of the addition and something, or what the last doubling has.
    last: &'a Pair,
}

/// All steps, from the quotients of the walk.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn passed_steps<'a>(start: &Start, quotients: &'a [Pair]) -> Zeroizing<Vec<Passed<'a>>> {
    let [x, ..] = Pair::from_lanes(&start.x, &start.x);
    let mut passed = Zeroizing::new(Vec::with_capacity(steps().len()));
    let mut i = 0;
    for &step in steps() {
        let (first, second) = (i, i + step.doublings() - 1);
        let last = second + usize::from(step.adds());
        passed.push(Passed { step, x, first: &quotients[first], second: &quotients[second], last: &quotients[last] });
        i = last + 1;
    }
    for first in (0..passed.len() - 1).step_by(LANES) {
        let steps = group(&passed[first..]);
        let Quotients { slopes: [_, _, slope], w: [_, w], .. } = Quotients::of(&steps);
        let doubled = w.square();
        let added = Lanes::linear([(&slope.square(), 1), (&doubled, -1), (&start.x, -1)], 4);
        let end = Lanes::select(&doubled, &added, mask(&steps, Step::adds));
        for (passed, x) in passed[first + 1..].iter_mut().zip(Pair::from_lanes(&end, &end)) {
            passed.x = x;
        }
    }
    passed
}

/// The steps of some kinds, eight at a time.
fn groups<'a>(passed: &[Passed<'a>], kinds: &[Step]) -> impl Iterator<Item = [Passed<'a>; LANES]> {
    let of_kinds = || passed.iter().filter(|passed| kinds.contains(&passed.step));
    let mut steps = Zeroizing::new(Vec::with_capacity(of_kinds().count()));
    steps.extend(of_kinds().copied());
    (0..steps.len()).step_by(LANES).map(move |first| group(&steps[first..]))
}

/// Eight steps; where there are fewer, the last one again.
fn group<'a>(steps: &[Passed<'a>]) -> [Passed<'a>; LANES] {
    core::array::from_fn(|i| steps[i.min(steps.len() - 1)])
}

/// The lanes of steps.
fn mask(steps: &[Passed; LANES], which: impl Fn(Step) -> bool) -> u8 {
    steps.iter().enumerate().map(|(lane, passed)| u8::from(which(passed.step)) << lane).sum()
}

/// What eight steps have in their quotients.
struct Quotients {
    /// x where they start.
    x: Lanes,
    /// λ of both doublings and of the addition.
    slopes: [Lanes; 3],
    /// w of both doublings.
    w: [Lanes; 2],
}

impl Quotients {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn of(steps: &[Passed; LANES]) -> Quotients {
        let [x, _] = Pair::to_lanes(steps.each_ref().map(|passed| &passed.x));
        let [first, w_first] = Pair::to_lanes(steps.map(|passed| passed.first));
        let [second, w_second] = Pair::to_lanes(steps.map(|passed| passed.second));
        let [third, _] = Pair::to_lanes(steps.map(|passed| passed.last));
        Quotients { x, slopes: [first, second, third], w: [w_first, w_second] }
    }
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn double(Quotients { x, slopes: [slope, ..], w: [w, _] }: &Quotients) -> Group<2> {
    [x.multiply(w), Lanes::linear([(slope, -1)], 2)]
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn quadruple(Quotients { x, slopes: [first, second, _], w: [w2, w4] }: &Quotients) -> Group<4> {
    let [x2, x4] = [w2, w4].map(|w| w.square());
    let sum = first.add(second);
    let inner = Lanes::linear([(&first.multiply(second), 1), (&x2, 2)], 0);
    [
        x.square().multiply(w4),
        Lanes::linear([(&Lanes::sum_of_products(first, &inner, &x2, w4), -1)], 3),
        Lanes::linear([(first, -1), (&sum, -1)], 6),
        Lanes::linear([(&sum.square(), 1), (&x4, -1)], 2),
    ]
}

/// With the coefficients for 4 T and the line y + s x + c.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn quadruple_and_add(quotients: &Quotients, start: &Start, y: &Lanes) -> Group<5> {
    let [a0, a1, a2, b] = &quadruple(quotients);
    let Quotients { slopes: [_, _, slope], w: [_, w4], .. } = quotients;
    let x4 = &w4.square();
    let s = &Lanes::linear([(slope, -1)], 2);
    let c = &Lanes::linear([(&slope.multiply(&start.x), 1), (y, -1)], 2);
    let c2 = Lanes::linear([(&a2.multiply(s), 1), (b, 1), (x4, 1)], 0);
    let c1 = Lanes::sum_of_products(a2, c, a1, s);
    let c1 = Lanes::linear([(&c1, 1), (&x4.multiply(&c2), 1), (&start.three, -1)], 2);
    let c0 = Lanes::sum_of_products(a1, c, a0, s);
    let c0 = Lanes::linear([(&c0, 1), (&x4.multiply(&c1), 1), (b, -3)], 12);
    let d1 = a2.add(s);
    let d0 = Lanes::linear([(&Lanes::sum_of_products(b, s, x4, &d1), 1), (c, 1), (a1, 1)], 0);
    [c0, c1, c2, d0, d1]
}

/// The image φ(B) = (x, i y) of points, one a lane, where y is that of B: what functions are evaluated at. Values are below
/// 22 p.
pub struct Evaluation {
    x: Lanes,
    y: Lanes,
    xy: Lanes,
    x2: Lanes,
    x3: Lanes,
}

impl Evaluation {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn at(points: [&Affine; LANES]) -> Evaluation {
        let x = Lanes::linear([(&Lanes::from_fp(points.map(|point| &point.x)), -1)], 2);
        let y = Lanes::from_fp(points.map(|point| &point.y));
        let (xy, x2) = (x.multiply(&y), x.square());
        let x3 = x2.multiply(&x);
        Evaluation { x, y, xy, x2, x3 }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn double(&self, [c, s]: &Group<2>) -> Values {
        Values { re: s.multiply(&self.x).add(c), im: self.y }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn quadruple(&self, [a0, a1, a2, b]: &Group<4>) -> Values {
        let re = Lanes::sum_of_products(a2, &self.x2, a1, &self.x);
        Values { re: re.add(a0), im: b.multiply(&self.y).add(&self.xy) }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub fn quadruple_and_add(&self, [c0, c1, c2, d0, d1]: &Group<5>) -> Values {
        let re = Lanes::sum_of_products(c2, &self.x2, c1, &self.x);
        let im = Lanes::sum_of_products(d1, &self.xy, d0, &self.y);
        Values { re: Lanes::linear([(&re, 1), (c0, 1), (&self.x3, 1)], 0), im }
    }
}

impl Zeroize for Evaluation {
    fn zeroize(&mut self) {
        for lanes in [&mut self.x, &mut self.y, &mut self.xy, &mut self.x2, &mut self.x3] {
            lanes.zeroize();
        }
    }
}

impl Zeroize for Start {
    fn zeroize(&mut self) {
        for lanes in [&mut self.x, &mut self.y, &mut self.minus_y] {
            lanes.zeroize();
        }
    }
}

impl Zeroize for Passed<'_> {
    fn zeroize(&mut self) {
        self.x.zeroize();
    }
}
