//! Runs a test on every backend.

use mikey_sakke::arith::backend::Backend;
use std::sync::{Mutex, PoisonError};

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Forces each backend of this processor in turn and runs `test`, which must build there what it uses.
pub fn on_each_backend(mut test: impl FnMut()) {
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    for backend in Backend::available() {
        assert!(backend.force());
        eprintln!("on the backend {}", backend.name());
        test();
    }
}
