//! The folder that a KMS is restored to. What is unpacked waits in a hidden folder until it has been looked at; after a failure nothing
//! is left, and what a process that was killed has left is cleared away by the next one.

use super::BackupFault;
use super::manifest::is_within;
use crate::kms::absent::absent_is_fine;
use crate::kms::{Error, config, custody};
use crate::sealing::file::{self, flush_folder, make_folder};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

/// The hidden folder: while it is there without `kms.toml` beside it, the KMS is not restored to the end.
pub(in crate::kms) const STAGING: &str = ".restoring";

/// In the hidden folder: the KMS, the names of its files once they get their places, and what this process holds while it works.
const UNPACKED: &str = "kms";
const NAMES: &str = "files.json";
const LOCK: &str = "lock";

/// A folder that this process restores to. Unless it is [finished](Self::finish), nothing stays of what was made.
#[derive(Debug)]
pub(super) struct Target {
    folder: PathBuf,
    /// The folder and those above it, as far as they were made here, the innermost first.
    made: Vec<PathBuf>,
    /// Whether an earlier restoring was cleared away.
    pub(super) cleared: bool,
    is_finished: bool,
    #[expect(dead_code, reason = "dropping the file releases the lock")]
    lock: File,
}

impl Target {
    /// Takes a folder that is new, empty, or left by a restoring that was interrupted.
    pub(super) fn open(folder: &Path) -> Result<Self, Error> {
        let made: Vec<PathBuf> = folder.ancestors().take_while(|path| is_absent(path)).map(Path::to_owned).collect();
        let opened = make_folder(folder).map_err(|source| failed(folder, source)).and_then(|()| {
            custody::require_folder(folder)?;
            let is_interrupted = Self::require_own(folder)?;
            let lock = lock(folder)?;
            // Another process may have restored to the end before this one had the lock.
            Self::require_own(folder).inspect_err(|_| leave(folder))?;
            let (folder, made) = (folder.to_owned(), made.clone());
            Ok(Self { folder, made, cleared: is_interrupted, is_finished: false, lock })
        });
        let target = opened.inspect_err(|_| remove_empty(&made))?;
        target.clear().map_err(|source| failed(folder, source))?;
        Ok(target)
    }

    /// Where the KMS is unpacked and looked at.
    pub(super) fn unpacked(&self) -> PathBuf {
        self.folder.join(STAGING).join(UNPACKED)
    }

    /// Gives the files their places, `kms.toml` last: until then the folder has no KMS. Their names are noted first, so that whoever
    /// clears away after an interruption knows what came from here.
    pub(super) fn settle(&self, names: &[String]) -> Result<(), Error> {
        let (last, first): (Vec<&String>, Vec<&String>) = names.iter().partition(|name| *name == config::FILE);
        let settle = || {
            file::create(&self.folder.join(STAGING).join(NAMES), &serde_json::to_vec(names)?)?;
            first.into_iter().chain(last).try_for_each(|name| self.settle_one(name))
        };
        settle().map_err(|source: io::Error| failed(&self.folder, source))
    }

    fn settle_one(&self, name: &str) -> io::Result<()> {
        let place = self.folder.join(name);
        if let Some(parent) = place.parent() {
            make_folder(parent)?;
        }
        fs::rename(self.unpacked().join(name), &place)?;
        flush_folder(&place)
    }

    /// All files have their places: what was needed to put them there goes.
    pub(super) fn finish(mut self) {
        self.is_finished = true;
        self.remove_staging();
    }

    /// Whether the folder was left by a restoring that was interrupted. Fails if anything in it is of somebody else.
    fn require_own(folder: &Path) -> Result<bool, Error> {
        let found = entries(folder).map_err(|source| failed(folder, source))?;
        let mut own: BTreeSet<OsString> = settled(folder).iter().filter_map(|name| first_part(name)).collect();
        own.insert(STAGING.into());
        // Whatever is done in it would be done elsewhere.
        let is_elsewhere = folder.join(STAGING).is_symlink();
        match found.is_subset(&own) && !is_elsewhere && !found.contains(config::FILE.as_ref() as &std::ffi::OsStr) {
            true => Ok(!found.is_empty()),
            false => Err(BackupFault::NotEmpty(folder.to_owned()).into()),
        }
    }

    /// Removes all that a restoring has put here, but for the lock.
    fn clear(&self) -> io::Result<()> {
        for name in settled(&self.folder) {
            let place = self.folder.join(&name);
            absent_is_fine(fs::remove_file(&place))?;
            let within = place.ancestors().skip(1).take_while(|above| **above != self.folder);
            remove_empty(within);
        }
        absent_is_fine(fs::remove_dir_all(self.unpacked()))?;
        absent_is_fine(fs::remove_file(self.folder.join(STAGING).join(NAMES)))
    }

    /// What is left of an empty folder does no harm; the next restoring removes it.
    fn remove_staging(&self) {
        let _ = fs::remove_dir_all(self.folder.join(STAGING));
    }
}

/// The first error is the one to report. What cannot be removed now is by the next restoring.
impl Drop for Target {
    fn drop(&mut self) {
        if !self.is_finished && self.clear().is_ok() {
            self.remove_staging();
            remove_empty(&self.made);
        }
    }
}

/// The files of an earlier restoring that have their places: those that it noted and that are unpacked no more.
fn settled(folder: &Path) -> Vec<String> {
    let staging = folder.join(STAGING);
    let text = fs::read(staging.join(NAMES)).unwrap_or_default();
    let mut names: Vec<String> = serde_json::from_slice(&text).unwrap_or_default();
    names.retain(|name| is_within(name) && is_absent(&staging.join(UNPACKED).join(name)));
    names
}

fn lock(folder: &Path) -> Result<File, Error> {
    let path = folder.join(STAGING).join(LOCK);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = make_folder(&folder.join(STAGING))
        .and_then(|()| options.open(&path))
        .map_err(|source| failed(&path, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(BackupFault::Busy(folder.to_owned()).into()),
        Err(TryLockError::Error(source)) => Err(failed(&path, source)),
    }
}

/// Takes the lock away from a folder that is somebody else's; what they keep beside it stays.
fn leave(folder: &Path) {
    let staging = folder.join(STAGING);
    let _ = fs::remove_file(staging.join(LOCK));
    let _ = fs::remove_dir(staging);
}

fn failed(path: &Path, source: io::Error) -> Error {
    BackupFault::file(path, source).into()
}

fn entries(folder: &Path) -> io::Result<BTreeSet<OsString>> {
    fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.file_name())).collect()
}

fn first_part(name: &str) -> Option<OsString> {
    match Path::new(name).components().next()? {
        Component::Normal(part) => Some(part.to_owned()),
        _ => None,
    }
}

fn is_absent(path: &Path) -> bool {
    !path.as_os_str().is_empty() && fs::symlink_metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Folders that have something in them stay.
fn remove_empty(folders: impl IntoIterator<Item = impl AsRef<Path>>) {
    for folder in folders {
        let _ = fs::remove_dir(folder);
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::kms::testing;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_lock_is_its_owners_alone() {
        let folder = testing::folder();
        let target = Target::open(folder.path()).unwrap();
        let lock = folder.path().join(STAGING).join(LOCK);
        assert_eq!(fs::metadata(&lock).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(Target::open(folder.path()), Err(Error::Backup(BackupFault::Busy(_)))));
        drop(target);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
