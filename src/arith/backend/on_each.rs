//! How tests run on every backend of the machine.

use std::sync::{Mutex, PoisonError};

use super::{Backend, FORCED, Ordering};

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Forces each backend of this machine in turn, and runs `test` with it.
pub(crate) fn on_each(mut test: impl FnMut(Backend)) {
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let _restore = Restore(FORCED.load(Ordering::Relaxed));
    for backend in Backend::available() {
        assert!(backend.force());
        test(backend);
    }
}

struct Restore(u8);

impl Drop for Restore {
    fn drop(&mut self) {
        FORCED.store(self.0, Ordering::Relaxed);
    }
}
