//! The same operations for different processors.
//!
//! A backend supplies modular multiplication and squaring in Montgomery form; everything above is written once.
//! Which one runs is decided when the process first asks, from what the processor has, and can be forced by name.

pub(super) mod portable;

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
