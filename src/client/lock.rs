//! One process at a time writes to a store.

use super::Error;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};
use std::{io, thread};

const POLL: Duration = Duration::from_millis(20);

/// Held for as long as the store is open; the operating system releases it even when the process dies.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "dropping the file releases the lock")] File);

impl Lock {
    /// Locks the file at `path`, waiting for another holder up to `wait`.
    pub(super) fn acquire(path: &Path, wait: Duration) -> Result<Self, Error> {
        let failed = |source: io::Error| Error::file("lock", path, source);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(failed)?;
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self(file)),
                Err(TryLockError::WouldBlock) if started.elapsed() >= wait => {
                    return Err(Error::StoreInUse { path: path.to_owned() });
                }
                Err(TryLockError::WouldBlock) => thread::sleep(POLL),
                Err(TryLockError::Error(source)) => return Err(failed(source)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_holder_is_refused_until_the_first_lets_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = Lock::acquire(&path, Duration::ZERO).unwrap();
        let error = Lock::acquire(&path, Duration::from_millis(50)).unwrap_err();
        assert!(matches!(error, Error::StoreInUse { .. }), "{error}");
        drop(first);
        Lock::acquire(&path, Duration::ZERO).unwrap();
    }

    #[test]
    fn a_waiting_holder_gets_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = Lock::acquire(&path, Duration::ZERO).unwrap();
        let waiting = {
            let path = path.clone();
            thread::spawn(move || Lock::acquire(&path, Duration::from_secs(30)).map(drop))
        };
        thread::sleep(Duration::from_millis(60));
        drop(first);
        waiting.join().unwrap().unwrap();
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = Lock::acquire(Path::new("/no/such/folder/lock"), Duration::ZERO).unwrap_err();
        assert!(matches!(&error, Error::File { path, .. } if path == Path::new("/no/such/folder/lock")), "{error}");
    }
}
