use alloc::vec::Vec;
use core::ops::Deref;
use zeroize::Zeroize;

/// Secrets of which some may be missing, wiped when they go.
///
/// A `Zeroizing<Vec<Option<T>>>` would not do. Wiping an `Option`, zeroize writes a `None` over it, whose unused octets are
/// what the stack holds in their place: perhaps another copy of the secret.
pub struct Wiped<T: Wipe>(Vec<T>);

/// What can be wiped in place.
pub trait Wipe {
    /// Overwrites what is secret.
    fn wipe(&mut self);
}

impl<T: Zeroize> Wipe for Option<T> {
    fn wipe(&mut self) {
        if let Some(secret) = self {
            secret.zeroize();
        }
    }
}

impl<T: Zeroize, U: Zeroize> Wipe for (Option<T>, U) {
    fn wipe(&mut self) {
        self.0.wipe();
        self.1.zeroize();
    }
}

impl<T: Wipe> Wiped<T> {
    /// Of as many items as there will be: nothing moves, and leaves a copy behind.
    pub(super) fn collect(items: impl ExactSizeIterator<Item = T>) -> Self {
        let mut collected = Vec::with_capacity(items.len());
        collected.extend(items);
        Wiped(collected)
    }
}

impl<T: Wipe> Deref for Wiped<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Wipe> Drop for Wiped<T> {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(Wipe::wipe);
    }
}
