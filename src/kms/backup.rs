//! Backup and restore: all that a KMS is, in one sealed file.
//!
//! A backup holds `kms.toml`, the master secrets as they are sealed, a copy of the database of one moment, and the files that `kms.toml`
//! names and that lie in the KMS's folder, the TLS private key among them. All of it is sealed under the passphrase of the KMS: whoever
//! finds it learns nothing, and nothing of it can be altered, cut or exchanged unnoticed.
//!
//! The file is `MSBACKUP`, an octet 1 (the form), 16 random octets, and pieces of a tar archive. A piece is an octet that is 1 for the last
//! one and otherwise 0, its length in 4 octets, and a blob of [`sealing`](crate::sealing) whose context is `KMS backup`, an octet 0, the
//! random octets, its number from 0 on in 8 octets, and the first octet again. The first member of the archive, `manifest.json`, says what
//! it holds.

mod digest;
mod manifest;
mod named;
mod pieces;
mod restore;
mod save;
mod staging;
mod target;

pub use manifest::LeftOut;
pub use restore::{Restored, restore};
pub use save::{Saved, save};
pub(super) use target::STAGING;

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why there is no backup, or none can be restored.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BackupFault {
    /// The file for the backup is there.
    #[error("{} exists already: choose another name", _0.display())]
    Exists(PathBuf),
    /// The master secrets are not those that the copy of the database knows of.
    #[error("the KMS rolled over while it was saved: run `kms backup` again")]
    RolledOver,
    /// The folder for the KMS has something in it.
    #[error("{} is not empty: choose a new or empty folder", _0.display())]
    NotEmpty(PathBuf),
    /// Another process restores to the folder.
    #[error("{} is being restored to by another command: wait until that has ended", _0.display())]
    Busy(PathBuf),
    /// It is no backup.
    #[error("this is no backup of a KMS: it does not begin with MSBACKUP")]
    NotABackup,
    /// It was made by a later version.
    #[error(
        "this backup has the form {0}, this program knows form 1 alone: use the version that made it, or a later one"
    )]
    Form(u64),
    /// Its end is missing.
    #[error("this backup is cut short: take another copy of it")]
    Truncated,
    /// Something in it was altered.
    #[error("this backup is damaged: take another copy of it")]
    Damaged,
    /// The first piece does not open: mostly for another passphrase.
    #[error(
        "wrong passphrase for this backup; if it is the right one, the beginning of the file is damaged: take another copy of it"
    )]
    WrongPassphrase,
    /// There is no room for a file.
    #[error("{}: {source}: make room there and run the command again", path.display())]
    Full {
        /// The file.
        path: PathBuf,
        /// What the file system reports.
        source: io::Error,
    },
    /// Reading or writing failed.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the file system reports.
        source: io::Error,
    },
}

impl BackupFault {
    fn file(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Self::Full { path, source },
            _ => Self::File { path, source },
        }
    }

    /// The fault that an error carries, or else the failure of this file.
    fn within(error: io::Error, path: &Path) -> Self {
        error.downcast().unwrap_or_else(|source| Self::file(path, source))
    }
}
