//! The pairing with a prepared point, on the backend that was active when it was prepared.

use core::fmt;

use super::field::Fp;
use super::pairing::{Lines, NotInSubgroup};
use super::point::Affine;
#[cfg(target_arch = "x86_64")]
use crate::arith::backend::bmi2::Bmi2;
use crate::arith::backend::{Backend, Portable};

/// The lines of Miller's loop for one point of the subgroup: 343 KiB. Wiped on drop, since the point may be a secret key.
pub struct MillerLines(Storage);

enum Storage {
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
            Backend::Ifma | Backend::Bmi2 => Storage::Bmi2(Lines::new(&point.convert())?),
            Backend::Portable => Storage::Portable(Lines::new(&point.convert())?),
        }))
    }

    /// The representative of <A, B> for the prepared point A and a point B with y ≠ 0, in constant time.
    pub fn pair(&self, b: &Affine) -> Fp {
        match &self.0 {
            #[cfg(target_arch = "x86_64")]
            Storage::Bmi2(lines) => lines.pair(&b.convert()).representative().convert(),
            Storage::Portable(lines) => lines.pair(&b.convert()).representative().convert(),
        }
    }
}

impl fmt::Debug for MillerLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MillerLines")
    }
}
