use crate::arith::backend::Backend;

/// The engines that work for P-256.
pub(super) enum Engine {
    /// AVX-512 IFMA for batches and multiples of G. A single sum of public multiples has one to three multiplications to do
    /// at a time, and lanes for eight: that is for BMI2 and ADX.
    #[cfg(target_arch = "x86_64")]
    Ifma,
    #[cfg(target_arch = "x86_64")]
    Bmi2,
    Portable,
}

impl Engine {
    /// That of the active backend.
    pub(super) fn active() -> Engine {
        match Backend::active() {
            #[cfg(target_arch = "x86_64")]
            Backend::Ifma => Engine::Ifma,
            #[cfg(target_arch = "x86_64")]
            Backend::Bmi2 => Engine::Bmi2,
            Backend::Portable => Engine::Portable,
        }
    }
}
