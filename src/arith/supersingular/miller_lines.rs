//! The pairing with a prepared point, on the backend that was active when it was prepared.

use alloc::vec::Vec;
use core::{fmt, slice};
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use super::field::{Fp, FpOn, Scalar};
use super::generator::GeneratorTables;
#[cfg(target_arch = "x86_64")]
use super::generator::ifma_lines;
use super::pairing::{EvaluationPoint, Lines};
use super::pairing_value::PairingValueOn;
use super::point::{Affine, AffineOn};
#[cfg(target_arch = "x86_64")]
use super::subgroup::ifma_is_in_subgroup;
use super::subgroup::is_in_subgroup;
use crate::arith::backend::{Backend, LimbEngine, Portable};
#[cfg(target_arch = "x86_64")]
use crate::arith::backend::{bmi2::Bmi2, ifma};

/// The functions of Miller's loop for one point of the subgroup: at most 378 KiB. Wiped on drop, since the point may be a secret key.
pub struct MillerLines(Storage);

enum Storage {
    #[cfg(target_arch = "x86_64")]
    Ifma(ifma::Lines),
    #[cfg(target_arch = "x86_64")]
    Bmi2(Lines<Bmi2>),
    Portable(Lines<Portable>),
}

impl MillerLines {
    /// Walks Miller's loop from a point of order q, in constant time. Those of another point are of no use.
    pub fn new(point: &Affine) -> MillerLines {
        MillerLines(match Backend::active() {
            #[cfg(target_arch = "x86_64")]
            Backend::Ifma => Storage::Ifma(ifma::Lines::new(point)),
            #[cfg(target_arch = "x86_64")]
            Backend::Bmi2 => Storage::Bmi2(Lines::new(&point.convert())),
            Backend::Portable => Storage::Portable(Lines::new(&point.convert())),
        })
    }

    /// The representative of <A, B> for the prepared point A and a point B with y ≠ 0, in constant time.
    pub fn pair(&self, b: &Affine) -> Fp {
        self.pair_batch(slice::from_ref(b)).first().copied().unwrap_or_default()
    }

    /// The same for many points, which share inversions.
    pub fn pair_batch(&self, points: &[Affine]) -> Zeroizing<Vec<Fp>> {
        match &self.0 {
            #[cfg(target_arch = "x86_64")]
            Storage::Ifma(lines) => PairingValueOn::representatives(&Zeroizing::new(lines.pair(points))),
            #[cfg(target_arch = "x86_64")]
            Storage::Bmi2(lines) => pair(lines, points),
            Storage::Portable(lines) => pair(lines, points),
        }
    }

    /// Whether a key K belongs to the scalar b, where the prepared point is Z: <`[b]P` + Z, K> = g, and K has order q. In
    /// constant time, but for b, which is public.
    ///
    /// Since the pairing is symmetric, the value is <P, K>^b <Z, K>: both first points are prepared.
    pub fn accepts_key(&self, b: &Scalar, key: &Affine) -> bool {
        bool::from(match &self.0 {
            #[cfg(target_arch = "x86_64")]
            Storage::Ifma(lines) => {
                let value = Zeroizing::new(ifma::pair_sum(ifma_lines(), b, lines, key));
                value.ct_eq(&PairingValueOn::generator()) & ifma_is_in_subgroup(key)
            }
            #[cfg(target_arch = "x86_64")]
            Storage::Bmi2(lines) => accepts_key(lines, b, &key.convert()),
            Storage::Portable(lines) => accepts_key(lines, b, key),
        })
    }
}

fn accepts_key<E: GeneratorTables>(lines: &Lines<E>, b: &Scalar, key: &AffineOn<E>) -> Choice {
    let ready = EvaluationPoint::new(key);
    let by_generator = Zeroizing::new(E::lines().value_at(&ready));
    let value = by_generator.power_vartime(b).multiply(&lines.value_at(&ready)).square().square();
    value.ct_eq(&PairingValueOn::generator()) & is_in_subgroup(key)
}

fn pair<E: LimbEngine>(lines: &Lines<E>, points: &[Affine]) -> Zeroizing<Vec<Fp>> {
    let points: Vec<_> = points.iter().map(Affine::convert).collect();
    let values = Zeroizing::new(lines.pair(&points));
    Zeroizing::new(PairingValueOn::representatives(&values).iter().map(FpOn::convert).collect())
}

impl fmt::Debug for MillerLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MillerLines")
    }
}
