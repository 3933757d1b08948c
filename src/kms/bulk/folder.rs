//! Folders that get many files, each whole or not at all.

use super::FolderFault;
use crate::kms::Error;
use crate::kms::absent::absent_is_fine;
use crate::sealing::file::make_folder;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Files are written here first.
const UNFINISHED: &str = ".unfinished";
const LOCK: &str = ".lock";

/// A folder that this process alone writes to.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    unfinished: PathBuf,
    #[expect(dead_code, reason = "dropping the file releases the lock")]
    lock: File,
}

impl Folder {
    /// Opens or makes a folder. One without the file `mark` must be empty. What an earlier process did not finish is removed.
    pub(super) fn open(path: &Path, mark: &str) -> Result<Self, Error> {
        let failed = |source| Error::file(path, source);
        if path.try_exists().map_err(failed)? && !path.is_dir() {
            return Err(FolderFault::NoFolder(path.to_owned()).into());
        }
        make_folder(path).map_err(failed)?;
        let is_own = |name: &OsStr| [UNFINISHED, LOCK].iter().any(|own| name == *own);
        if !path.join(mark).try_exists().map_err(failed)? {
            for entry in fs::read_dir(path).map_err(failed)? {
                if !is_own(&entry.map_err(failed)?.file_name()) {
                    return Err(FolderFault::NotEmpty(path.to_owned()).into());
                }
            }
        }
        let unfinished = path.join(UNFINISHED);
        let lock = lock(path)?;
        make_folder(&unfinished).map_err(|source| Error::file(&unfinished, source))?;
        let folder = Self { path: path.to_owned(), unfinished, lock };
        folder.sweep()?;
        Ok(folder)
    }

    /// The names of finished files.
    pub(super) fn finished(&self) -> Result<Vec<String>, Error> {
        names(&self.path)
    }

    /// The contents of a finished file, if it is there.
    pub(super) fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let path = self.path.join(name);
        match fs::read(&path) {
            Ok(content) => Ok(Some(Zeroizing::new(content))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::file(&path, source)),
        }
    }

    /// Begins a file.
    pub(super) fn write(&self, name: &str, content: &[u8]) -> Result<(), Error> {
        let path = self.unfinished.join(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options
            .open(&path)
            .and_then(|mut file| file.write_all(content).and_then(|()| flush_file(&file)))
            .map_err(|source| Error::file(&path, source))
    }

    /// Brings all that was begun to the disk.
    pub(super) fn flush(&self) -> Result<(), Error> {
        flush_file_system(&self.unfinished).map_err(|source| Error::file(&self.unfinished, source))
    }

    /// Gives a file its place.
    pub(super) fn finish(&self, name: &str) -> Result<(), Error> {
        let (from, to) = (self.unfinished.join(name), self.path.join(name));
        fs::rename(&from, &to).map_err(|source| Error::file(&from, source))
    }

    /// Brings the places of all files to the disk.
    pub(super) fn flush_names(&self) -> Result<(), Error> {
        if cfg!(unix) {
            File::open(&self.path)
                .and_then(|folder| folder.sync_all())
                .map_err(|source| Error::file(&self.path, source))?;
        }
        Ok(())
    }

    /// Removes a file that was begun.
    pub(super) fn discard(&self, name: &str) -> Result<(), Error> {
        remove(&self.unfinished.join(name))
    }

    /// Removes a file that was finished, if it is there.
    pub(super) fn remove(&self, name: &str) -> Result<(), Error> {
        let path = self.path.join(name);
        absent_is_fine(fs::remove_file(&path)).map_err(|source| Error::file(&path, source))
    }
}

impl Folder {
    fn sweep(&self) -> Result<(), Error> {
        names(&self.unfinished)?.iter().try_for_each(|name| self.discard(name))
    }
}

/// What stays after a failure is removed by the next process at the latest.
impl Drop for Folder {
    fn drop(&mut self) {
        let _ = self.sweep();
        let _ = fs::remove_dir(&self.unfinished);
    }
}

fn remove(path: &Path) -> Result<(), Error> {
    fs::remove_file(path).map_err(|source| Error::file(path, source))
}

fn lock(folder: &Path) -> Result<File, Error> {
    let path = folder.join(LOCK);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&path).map_err(|source| Error::file(&path, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(FolderFault::Busy(folder.to_owned()).into()),
        Err(TryLockError::Error(source)) => Err(Error::file(&path, source)),
    }
}

/// The files' own names are all UTF-8.
fn names(folder: &Path) -> Result<Vec<String>, Error> {
    let failed = |source| Error::file(folder, source);
    let entries = fs::read_dir(folder).map_err(failed)?;
    let name = |entry: io::Result<fs::DirEntry>| entry.map(|entry| entry.file_name().into_string().ok());
    entries.filter_map(|entry| name(entry).map_err(failed).transpose()).collect()
}

/// One call for all files of a batch in place of one for each.
#[cfg(target_os = "linux")]
fn flush_file_system(folder: &Path) -> io::Result<()> {
    Ok(rustix::fs::syncfs(File::open(folder)?)?)
}

#[cfg(target_os = "linux")]
fn flush_file(_: &File) -> io::Result<()> {
    Ok(())
}

/// There is no such call: each file was flushed when it was written.
#[cfg(not(target_os = "linux"))]
fn flush_file_system(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn flush_file(file: &File) -> io::Result<()> {
    file.sync_all()
}
