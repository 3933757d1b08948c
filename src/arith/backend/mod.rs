//! The same operations for different processors.
//!
//! Code above `arith` builds tables and lines (`FixedBase`, `FixedBasePower`, `MillerLines`, `OddMultiples`) and calls
//! their operations. What these hold and how they loop belongs to a backend, so nothing above learns which one runs.

pub(super) mod portable;
pub(super) mod portable_p256;

/// One implementation of the arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backend {
    /// 64-bit limbs in plain Rust, for every processor.
    Portable,
}

impl Backend {
    /// The backends that this processor can run, fastest first.
    pub fn available() -> &'static [Backend] {
        &[Backend::Portable]
    }

    /// The fastest backend of this processor.
    pub fn active() -> Backend {
        Backend::Portable
    }

    /// The name that `--backend` and reports use.
    pub fn name(self) -> &'static str {
        match self {
            Backend::Portable => "portable",
        }
    }

    /// The backend called `name`, if this processor can run it.
    pub fn from_name(name: &str) -> Option<Backend> {
        Backend::available().iter().copied().find(|backend| backend.name() == name)
    }
}
