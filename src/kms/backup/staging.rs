//! Where the copy of the database waits that a backup is made of, and what of it and of the backup itself is left by a process that was
//! killed.

use super::BackupFault;
use crate::kms::absent::absent_is_fine;
use crate::kms::store;
use crate::kms::{Error, leftovers};
use crate::sealing::file::{Temporary, folder_of, make_folder, sweep as sweep_files};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Of the hidden name that a backup has until it is whole.
const BACKUP: &str = "mikey-sakke-backup";
/// Of the hidden file that is locked as long as there is the folder of its name.
const LOCK: &str = "backup";
/// What the name of the folder ends with in place of that of the lock.
const FOLDER: &str = "copy";

/// A hidden folder in that of the KMS, for its owner alone, whoever can enter that one. It goes when this is dropped.
pub(super) struct Staging {
    folder: PathBuf,
    #[expect(dead_code, reason = "dropping it removes the lock, after the folder")]
    lock: Temporary,
}

impl Staging {
    pub(super) fn new(kms: &Path) -> io::Result<Self> {
        let lock = Temporary::new(kms, LOCK)?;
        let staging = Self { folder: copy_of(lock.path()), lock };
        make_folder(&staging.folder)?;
        Ok(staging)
    }

    /// Where the copy of the database is to be.
    pub(super) fn database(&self) -> PathBuf {
        self.folder.join(store::FILE)
    }
}

/// What cannot be removed now is by the next backup.
impl Drop for Staging {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// What a backup is written to at first, in the folder where it is to be.
pub(super) fn temporary(out: &Path) -> io::Result<Temporary> {
    Temporary::new(folder_of(out), BACKUP)
}

/// Removes what killed commands have left in the folder of the KMS, and killed backups where this one is to be.
pub(super) fn sweep(kms: &Path, out: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut swept = leftovers::sweep(kms)?;
    let copies = sweep_files(kms, &[LOCK], |lock| absent_is_fine(fs::remove_dir_all(copy_of(lock))));
    swept.extend(copies.map_err(|source| BackupFault::file(kms, source))?);
    let beside = folder_of(out);
    let backups = sweep_files(beside, &[BACKUP], |_| Ok(()));
    swept.extend(backups.map_err(|source| BackupFault::file(beside, source))?);
    Ok(swept)
}

fn copy_of(lock: &Path) -> PathBuf {
    lock.with_extension(FOLDER)
}
