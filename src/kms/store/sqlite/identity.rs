//! Which file a database is, so that nobody goes on with one that is no longer there.

use super::super::StoreError;
use std::io;
use std::path::{Path, PathBuf};

/// A file as it was when it was opened. Who has it open still reads and writes it after it was removed, or another was put in its
/// place, and nobody else ever sees what was written.
#[derive(Clone, Debug)]
pub(super) struct FileIdentity {
    path: PathBuf,
    number: Number,
}

/// Of the device, and of the file on it; elsewhere than on Unix an open file cannot be removed.
#[cfg(unix)]
type Number = (u64, u64);
#[cfg(not(unix))]
type Number = ();

impl FileIdentity {
    pub(super) fn of(path: &Path) -> Result<Self, StoreError> {
        let number = number(path).map_err(sqlx::Error::Io)?;
        Ok(Self { path: path.to_owned(), number })
    }

    /// Fails with [`StoreError::Replaced`] where the file has another one's place, or none.
    pub(super) fn require_in_place(&self) -> Result<(), StoreError> {
        match number(&self.path) {
            Ok(number) if number == self.number => Ok(()),
            _ => Err(StoreError::Replaced(self.path.clone())),
        }
    }
}

#[cfg(unix)]
fn number(path: &Path) -> io::Result<Number> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).map(|file| (file.dev(), file.ino()))
}

#[cfg(not(unix))]
fn number(path: &Path) -> io::Result<Number> {
    std::fs::metadata(path).map(|_| ())
}
