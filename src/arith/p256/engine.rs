use crate::arith::backend::Backend;

/// The engines that work for P-256. Eight numbers side by side, as AVX-512 IFMA multiplies them, do not suit a single
/// operation: it multiplies one to three at a time.
pub(super) enum Engine {
    #[cfg(target_arch = "x86_64")]
    Bmi2,
    Portable,
}

impl Engine {
    /// That of the active backend.
    pub(super) fn active() -> Engine {
        match Backend::active() {
            #[cfg(target_arch = "x86_64")]
            Backend::Ifma | Backend::Bmi2 => Engine::Bmi2,
            Backend::Portable => Engine::Portable,
        }
    }
}
