//! The same operations for different processors.
//!
//! Code above `arith` builds tables and lines (`FixedBase`, `MillerLines`, `PublicBase`) and calls
//! their operations. What these hold and how they loop belongs to a backend, so nothing above learns which one runs.

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
pub(super) mod bmi2;
mod halves;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
pub(super) mod ifma;
mod limb_engine;
#[cfg(test)]
mod on_each;
pub(super) mod portable;
mod portable_halves;
pub(super) mod portable_p256;

use core::sync::atomic::{AtomicU8, Ordering};

pub(super) use limb_engine::{LimbEngine, Portable};
#[cfg(test)]
pub(crate) use on_each::on_each;

/// One implementation of the arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backend {
    /// AVX-512 IFMA, eight numbers of 52-bit limbs side by side.
    #[cfg(target_arch = "x86_64")]
    Ifma,
    /// 64-bit limbs, with the instructions of BMI2 and ADX, and AVX2 to look up in tables.
    #[cfg(target_arch = "x86_64")]
    Bmi2,
    /// 64-bit limbs in plain Rust, for every processor.
    Portable,
}

/// The backend that was forced, as its place in [`Backend::ALL`] plus one; 0 if none was.
static FORCED: AtomicU8 = AtomicU8::new(0);

impl Backend {
    /// Every backend, fastest first.
    const ALL: &[Backend] = &[
        #[cfg(target_arch = "x86_64")]
        Backend::Ifma,
        #[cfg(target_arch = "x86_64")]
        Backend::Bmi2,
        Backend::Portable,
    ];

    /// The backends that this processor can run, fastest first.
    pub fn available() -> impl Iterator<Item = Backend> {
        Backend::ALL.iter().copied().filter(|backend| backend.is_available())
    }

    /// The backend that tables and lines are made for from now on: the fastest of this processor, unless
    /// [`Backend::force`] chose another.
    pub fn active() -> Backend {
        match FORCED.load(Ordering::Relaxed) {
            0 => Backend::available().next().unwrap_or(Backend::Portable),
            place => Backend::ALL[usize::from(place) - 1],
        }
    }

    /// Makes this backend the active one of the whole process, for comparison and diagnosis. What was built before keeps
    /// the backend that it was built for. `false`, and no change, if the processor cannot run it.
    pub fn force(self) -> bool {
        let is_available = self.is_available();
        if is_available {
            self.make_active();
        }
        is_available
    }

    /// [`Backend::force`] without asking whether the processor can run it: for valgrind, whose processor runs more
    /// instructions than it claims to have.
    ///
    /// # Safety
    /// The processor has the backend's instructions all the same.
    #[allow(unsafe_code)]
    pub unsafe fn force_unchecked(self) {
        self.make_active();
    }

    fn make_active(self) {
        if let Some(place) = Backend::ALL.iter().position(|&backend| backend == self) {
            FORCED.store(place as u8 + 1, Ordering::Relaxed);
        }
    }

    /// The name that `--backend` and reports use.
    pub fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Backend::Ifma => "ifma",
            #[cfg(target_arch = "x86_64")]
            Backend::Bmi2 => "bmi2",
            Backend::Portable => "portable",
        }
    }

    /// The backend called `name`, if this processor can run it.
    pub fn from_name(name: &str) -> Option<Backend> {
        Backend::available().find(|backend| backend.name() == name)
    }

    fn is_available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Backend::Ifma => ifma::is_available(),
            #[cfg(target_arch = "x86_64")]
            Backend::Bmi2 => bmi2::is_available(),
            Backend::Portable => true,
        }
    }
}

#[cfg(test)]
mod tests;
