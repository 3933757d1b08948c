//! The pairing with a prepared point, on the backend that was active when it was prepared.

use alloc::vec::Vec;
use core::{fmt, slice};
use zeroize::Zeroizing;

use super::field::{Fp, FpOn};
use super::pairing::{Lines, NotInSubgroup};
use super::pairing_value::PairingValueOn;
use super::point::Affine;
use crate::arith::backend::{Backend, LimbEngine, Portable};
#[cfg(target_arch = "x86_64")]
use crate::arith::backend::{bmi2::Bmi2, ifma};

/// The functions of Miller's loop for one point of the subgroup: 356 KiB. Wiped on drop, since the point may be a secret key.
pub struct MillerLines(Storage);

enum Storage {
    #[cfg(target_arch = "x86_64")]
    Ifma(ifma::Lines),
    #[cfg(target_arch = "x86_64")]
    Bmi2(Lines<Bmi2>),
    Portable(Lines<Portable>),
}

impl MillerLines {
    /// Walks Miller's loop from a point, in constant time but for whether the point has order q, which is refused
    /// otherwise.
    pub fn new(point: &Affine) -> Result<MillerLines, NotInSubgroup> {
        Ok(MillerLines(match Backend::active() {
            #[cfg(target_arch = "x86_64")]
            Backend::Ifma => Storage::Ifma(ifma::Lines::new(point).ok_or(NotInSubgroup)?),
            #[cfg(target_arch = "x86_64")]
            Backend::Bmi2 => Storage::Bmi2(Lines::new(&point.convert())?),
            Backend::Portable => Storage::Portable(Lines::new(&point.convert())?),
        }))
    }

    /// The representative of <A, B> for the prepared point A and a point B with y ≠ 0, in constant time.
    pub fn pair(&self, b: &Affine) -> Fp {
        self.pair_batch(slice::from_ref(b)).into_iter().next().unwrap_or_default()
    }

    /// The same for many points, which share inversions.
    pub fn pair_batch(&self, points: &[Affine]) -> Vec<Fp> {
        match &self.0 {
            #[cfg(target_arch = "x86_64")]
            Storage::Ifma(lines) => PairingValueOn::representatives(&Zeroizing::new(lines.pair(points))),
            #[cfg(target_arch = "x86_64")]
            Storage::Bmi2(lines) => pair(lines, points),
            Storage::Portable(lines) => pair(lines, points),
        }
    }
}

fn pair<E: LimbEngine>(lines: &Lines<E>, points: &[Affine]) -> Vec<Fp> {
    let points: Vec<_> = points.iter().map(Affine::convert).collect();
    let values = Zeroizing::new(lines.pair(&points));
    PairingValueOn::representatives(&values).iter().map(FpOn::convert).collect()
}

impl fmt::Debug for MillerLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MillerLines")
    }
}
