//! The walk of Miller's loop, two products at a time.
//!
//! The formulas are those of `supersingular::miller_walk`. Each operation waits for the one before, so they are arranged
//! for few rounds of multiplication, of one or two pairs: three for a doubling, five for an addition. To that end the
//! running point is (X, 2 Y, Z), and Z⁴ is kept with it.

use alloc::vec::Vec;
use zeroize::{Zeroize, Zeroizing};

use super::inversion::invert_all;
use super::lanes::LANES;
use super::pair::{Columns, Pair};
use crate::arith::supersingular::{Affine, Fp, Step, steps};

/// Walks from a point of order q, in constant time, and gives what the functions of Miller's loop are made of: λ and w for
/// every doubling, λ and a number without meaning for every addition, in the order of the walk.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub fn walk(start: &Affine) -> Zeroizing<Vec<Pair>> {
    let others = Zeroizing::new([*start, start.negate()].map(|point| with_y_doubled(&point)));
    let mut operations = Zeroizing::new(Vec::with_capacity(3 * steps().len()));
    let mut point = Zeroizing::new(Jacobian::from_affine(start));
    for step in steps() {
        for _ in 0..step.doublings() {
            operations.push(point.double());
        }
        match step {
            Step::QuadrupleAdd => operations.push(point.add(&others[0])),
            Step::QuadrupleSubtract => operations.push(point.add(&others[1])),
            Step::Double | Step::Quadruple => (),
        }
    }
    divided(&operations)
}

/// A doubling or an addition.
struct Operation {
    /// The quotients to be, times the new Z.
    numerators: Pair,
    /// The new Z divided by the old one, and the new Z.
    scale: Pair,
}

/// Divides everything by its Z. The inverses follow from that of the last Z, going back factor by factor, an eighth of the
/// walk a lane.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn divided(operations: &[Operation]) -> Zeroizing<Vec<Pair>> {
    let mut quotients = Zeroizing::new(alloc::vec![operations[0].numerators; operations.len()]);
    let length = operations.len().div_ceil(LANES);
    // The last two eighths may overlap.
    let starts: [usize; LANES] = core::array::from_fn(|lane| (length * lane).min(operations.len() - length));
    let [_, mut inverse] = Pair::to_lanes(starts.map(|start| &operations[start + length - 1].scale));
    invert_all(core::slice::from_mut(&mut inverse));
    for i in (0..length).rev() {
        let [a, b] = Pair::to_lanes(starts.map(|start| &operations[start + i].numerators));
        let pairs = Pair::from_lanes(&a.multiply(&inverse), &b.multiply(&inverse));
        for (start, pair) in starts.iter().zip(pairs) {
            quotients[start + i] = pair;
        }
        let [factor, _] = Pair::to_lanes(starts.map(|start| &operations[start + i].scale));
        inverse = inverse.multiply(&factor);
    }
    inverse.zeroize();
    quotients
}

/// A point (X / Z², Y / Z³).
struct Jacobian {
    /// X and 2 Y.
    xy: Pair,
    /// Z and something.
    z: Pair,
    /// Z⁴ and something.
    z4: Pair,
}

impl Jacobian {
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn from_affine(point: &Affine) -> Jacobian {
        let one = Pair::from_fp(&Fp::ONE, &Fp::ONE);
        Jacobian { xy: with_y_doubled(point), z: one, z4: one }
    }

    /// Doubles the point.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn double(&mut self) -> Operation {
        let z4 = self.z4.columns();
        let squares = self.xy.multiply(&self.xy);
        // (w, 4 Y²) and (λ, 8 X²), with w and λ times the new Z.
        let w = Columns::halves(&squares.add(&z4.triple()), &squares).carried();
        let slope = squares.subtract(&z4).triple();
        let slope = Columns::halves(&slope, &squares.swapped().double_times::<3>()).carried();

        // (w², 8 X² Z⁴) and (2 Y Z, 16 Y⁴).
        let products = Pair::halves(&w, &slope).multiply(&Pair::halves(&w, &self.z4.swapped()));
        let y = self.xy.swapped();
        let scale = Pair::halves(&y, &w).multiply(&Pair::halves(&self.z, &w)).carried();
        // (X, w² - 24 X² Z⁴).
        let x = Columns::halves(&products, &products.swapped().subtract(&products.triple())).carried();

        // (16 Y⁴ Z⁴, Y).
        let last = Pair::halves(&scale.swapped(), &w.swapped()).multiply(&Pair::halves(&self.z4, &x));
        let z4_y = Columns::halves(&last, &last.double_times::<1>()).carried();
        *self = Jacobian { xy: Pair::halves(&x, &z4_y), z: scale, z4: z4_y };
        Operation { numerators: Pair::halves(&slope, &w.swapped()), scale: Pair::halves(&y, &scale.swapped()) }
    }

    /// Adds a finite point, as x and 2 y, neither the running one nor its opposite: "madd-2007-bl" with the new Z = 2 Z h.
    /// Only after a doubling.
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn add(&mut self, other: &Pair) -> Operation {
        // (Z², 2 y Z), then (x Z², 2 y Z³), then h and θ, the differences from X and 2 Y.
        let z = self.z.swapped();
        let scaled = Pair::halves(&self.z, other).multiply(&Pair::halves(&self.z, &z)).carried();
        let scaled = Pair::halves(other, &scaled).multiply(&Pair::halves(&scaled, &scaled.swapped()));
        let differences = scaled.subtract(&self.xy.columns());
        let (h, twice) = (differences.carried(), differences.double_times::<1>().carried());

        // (4 h², 4 θ²), then (j, v) = (4 h³, 4 X h²) and (16 h⁴, 2 Z h).
        let squares = h.multiply(&h);
        let hh = squares.double_times::<2>().carried();
        let y = self.xy.swapped();
        let cubes = Pair::halves(&h, &y).multiply(&Pair::halves(&hh, &hh.swapped()));
        let scale = Pair::halves(&hh, &z).multiply(&Pair::halves(&hh, &twice.swapped())).carried();
        // X = θ² - j - 2 v, and v - X.
        let x = squares.swapped().subtract(&cubes.add(&cubes.swapped().double_times::<1>()));
        let v_minus_x = cubes.triple().add(&cubes.swapped()).subtract(&squares);
        let x = Columns::halves(&x, &v_minus_x).carried();

        // (2 Y j, θ (v - X)), whose difference is Y.
        let products = Pair::halves(&y, &h).multiply(&Pair::halves(&cubes.carried(), &x));
        let y = products.subtract(&products.swapped()).double_times::<1>();
        let z4_y = Columns::halves(&scale.multiply(&self.z4), &y).carried();
        *self = Jacobian { xy: Pair::halves(&x, &z4_y), z: scale.swapped(), z4: z4_y };
        Operation { numerators: h.swapped(), scale: Pair::halves(&twice, &scale) }
    }
}

/// x and 2 y.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn with_y_doubled(point: &Affine) -> Pair {
    Pair::from_fp(&point.x, &point.y.double())
}

impl Zeroize for Operation {
    fn zeroize(&mut self) {
        self.numerators.zeroize();
        self.scale.zeroize();
    }
}

impl Zeroize for Jacobian {
    fn zeroize(&mut self) {
        self.xy.zeroize();
        self.z.zeroize();
        self.z4.zeroize();
    }
}
