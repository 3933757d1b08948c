//! The pairing with a prepared point: single ones two products at a time, batches a pairing a lane.

use alloc::vec::Vec;
use zeroize::Zeroizing;

use super::is_available;
use super::lanes::LANES;
use super::miller_functions::{Evaluation, Functions, Group};
use super::pair_value::{Factor, Value};
use super::value::Values;
use crate::arith::supersingular::{Affine, PairingValue, Scalar, Step, steps};

/// From how many pairings on eight take no longer one each lane than one after the other.
const WORTH_A_LANE_EACH: usize = 6;

/// The functions of Miller's loop for one point, as in `supersingular::pairing`. Wiped on drop.
pub struct Lines(Functions);

impl Lines {
    /// Walks Miller's loop from a point of order q, in constant time. Panics where the processor lacks the instructions.
    pub fn new(point: &Affine) -> Lines {
        assert!(is_available());
        // SAFETY: the processor has the instructions.
        Lines(unsafe { Functions::new(point) })
    }

    /// <A, B> for the prepared point A and each of the points B, in constant time.
    pub fn pair(&self, points: &[Affine]) -> Vec<PairingValue> {
        // SAFETY: lines exist only where the processor has the instructions.
        points.chunks(LANES).flat_map(|points| unsafe { self.pair_some(points) }).collect()
    }

    /// The same for up to eight points.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn pair_some(&self, points: &[Affine]) -> Vec<PairingValue> {
        if points.len() < WORTH_A_LANE_EACH {
            return points.iter().map(|point| self.pair_one(point)).collect();
        }
        let values = self.pair_eight(core::array::from_fn(|lane| &points[lane.min(points.len() - 1)]));
        values.into_iter().take(points.len()).collect()
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn pair_eight(&self, points: [&Affine; LANES]) -> [PairingValue; LANES] {
        let points = Zeroizing::new(Evaluation::at(points));
        let Functions { doubles, quadruples, additions } = &self.0;
        let (mut doubles, mut quadruples, mut additions) =
            (Everywhere::new(doubles), Everywhere::new(quadruples), Everywhere::new(additions));
        let mut value = Values::one();
        for step in steps() {
            let factor = match step {
                Step::Double => points.double(&doubles.next()),
                Step::Quadruple => points.quadruple(&quadruples.next()),
                Step::QuadrupleAdd | Step::QuadrupleSubtract => points.quadruple_and_add(&additions.next()),
            };
            for _ in 0..step.doublings() {
                value = value.square();
            }
            value = value.multiply(&factor);
        }
        value.square().square().to_pairing_values()
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn pair_one(&self, point: &Affine) -> PairingValue {
        self.value_at(point).square_times(2).to_pairing_value()
    }

    /// f(φ(B)).
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn value_at(&self, point: &Affine) -> Value {
        let point = Zeroizing::new(Evaluation::at([point; LANES]));
        let Functions { doubles, quadruples, additions } = &self.0;
        let (mut doubles, mut quadruples, mut additions) =
            (Factors::new(doubles), Factors::new(quadruples), Factors::new(additions));
        let mut value = Value::one();
        for step in steps() {
            let factor = match step {
                Step::Double => doubles.next(|group| point.double(group)),
                Step::Quadruple => quadruples.next(|group| point.quadruple(group)),
                Step::QuadrupleAdd | Step::QuadrupleSubtract => additions.next(|group| point.quadruple_and_add(group)),
            };
            value = value.square_times(step.doublings()).multiply(factor);
        }
        value
    }
}

/// <`[b]A` + C, K> for the points A and C of lines, in constant time, but for b, which is public.
pub fn pair_sum(a: &Lines, b: &Scalar, c: &Lines, key: &Affine) -> PairingValue {
    // SAFETY: lines exist only where the processor has the instructions.
    unsafe {
        let power = a.value_at(key).power_vartime(b);
        power.multiply(&c.value_at(key).to_factor()).square_times(2).to_pairing_value()
    }
}

/// The functions of a kind, in the order of the loop, one by one in every lane.
struct Everywhere<'a, const COEFFICIENTS: usize> {
    groups: &'a [Group<COEFFICIENTS>],
    used: usize,
}

impl<const COEFFICIENTS: usize> Everywhere<'_, COEFFICIENTS> {
    fn new(groups: &[Group<COEFFICIENTS>]) -> Everywhere<'_, COEFFICIENTS> {
        Everywhere { groups, used: 0 }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn next(&mut self) -> Group<COEFFICIENTS> {
        let (group, lane) = (self.used / LANES, self.used % LANES);
        self.used += 1;
        self.groups[group].each_ref().map(|lanes| lanes.everywhere(lane))
    }
}

/// The values of the functions of a kind, in the order of the loop, computed eight at a time.
struct Factors<'a, const COEFFICIENTS: usize> {
    groups: &'a [Group<COEFFICIENTS>],
    used: usize,
    ready: Zeroizing<[Factor; LANES]>,
}

impl<const COEFFICIENTS: usize> Factors<'_, COEFFICIENTS> {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn new(groups: &[Group<COEFFICIENTS>]) -> Factors<'_, COEFFICIENTS> {
        Factors { groups, used: 0, ready: Zeroizing::new(Factor::of_each(&Values::one())) }
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    #[inline]
    fn next(&mut self, evaluate: impl FnOnce(&Group<COEFFICIENTS>) -> Values) -> &Factor {
        let (group, lane) = (self.used / LANES, self.used % LANES);
        if lane == 0 {
            *self.ready = Factor::of_each(&evaluate(&self.groups[group]));
        }
        self.used += 1;
        &self.ready[lane]
    }
}
