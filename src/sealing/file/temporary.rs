//! Files under hidden names, until they get their own.

use super::flush_folder;
use alloc::format;
use alloc::vec::Vec;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::TempPath;

/// Hex digits of chance in a hidden name.
const CHANCE: usize = 16;
const ENDING: &str = ".tmp";

/// A file for its owner alone under a hidden name, `.STEM.0123456789abcdef.tmp`, which is to get its own name once it is whole.
///
/// Dropped before that, it is removed. A process that is killed leaves it; [`sweep`] then removes it, but never one that a process still
/// works on, which is locked.
#[derive(Debug)]
pub struct Temporary {
    path: TempPath,
    file: File,
}

impl Temporary {
    /// An empty one in this folder.
    ///
    /// # Errors
    /// What the file system reports.
    pub fn new(folder: &Path, stem: impl AsRef<OsStr>) -> io::Result<Self> {
        loop {
            let path = folder.join(hidden_name(stem.as_ref())?);
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let file = options.open(&path)?;
            let temporary = Self { path: TempPath::try_from_path(path)?, file };
            // Where a file system has no locks, nobody can take it for one that was left either.
            let _ = temporary.file.lock();
            // Somebody who swept had the lock first.
            if temporary.path.try_exists()? {
                return Ok(temporary);
            }
        }
    }

    /// An empty one beside the place that it is to get, named after that.
    pub(super) fn beside(place: &Path) -> io::Result<Self> {
        let no_name =
            || io::Error::new(io::ErrorKind::InvalidInput, format!("{} does not name a file", place.display()));
        Self::new(folder_of(place), place.file_name().ok_or_else(no_name)?)
    }

    /// Where it is now.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Brings it to the disk. [`create`](Self::create) and [`replace`](Self::replace) do that as well.
    ///
    /// # Errors
    /// What the file system reports.
    pub fn flush_to_disk(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    /// Gives it a name that no file has.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`], and what the file system reports. Nothing is then left of it.
    pub fn create(self, place: &Path) -> io::Result<()> {
        self.flush_to_disk()?;
        // Never takes the place of a file that another process made meanwhile.
        self.path.persist_noclobber(place).map_err(|failure| match failure.error.kind() {
            io::ErrorKind::AlreadyExists => {
                io::Error::new(io::ErrorKind::AlreadyExists, "it exists already, and is never replaced")
            }
            _ => failure.error,
        })?;
        flush_folder(place).inspect_err(|_| {
            let _ = fs::remove_file(place);
        })
    }

    /// Gives it a name, in the place of the file that has it, and on Unix to the owner of that, as far as this process may: what root
    /// replaces stays that of the service that uses it.
    ///
    /// # Errors
    /// What the file system reports.
    pub fn replace(self, place: &Path) -> io::Result<()> {
        #[cfg(unix)]
        self.give_to_owner_of(place);
        self.flush_to_disk()?;
        self.path.persist(place).map_err(|failure| failure.error)?;
        flush_folder(place)
    }
}

#[cfg(unix)]
impl Temporary {
    fn give_to_owner_of(&self, place: &Path) {
        use std::os::unix::fs::{MetadataExt, fchown};
        let (Ok(old), Ok(own)) = (fs::metadata(place), self.file.metadata()) else { return };
        if (old.uid(), old.gid()) != (own.uid(), own.gid()) {
            let _ = fchown(&self.file, Some(old.uid()), Some(old.gid()));
        }
    }
}

impl Write for Temporary {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.file.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Removes what processes that were killed have left in a folder of [`Temporary`] files with one of these stems, and tells their places.
/// `first` is called for each before it goes, for whatever else belongs to it. What cannot be removed stays: it may be another user's.
///
/// # Errors
/// What the file system reports of the folder.
pub fn sweep(
    folder: &Path,
    stems: &[&str],
    mut first: impl FnMut(&Path) -> io::Result<()>,
) -> io::Result<Vec<PathBuf>> {
    let mut removed = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_type()?.is_file() || !is_hidden_name(&entry.file_name(), stems) {
            continue;
        }
        let path = entry.path();
        let Ok(file) = OpenOptions::new().write(true).open(&path) else { continue };
        if file.try_lock().is_ok() && first(&path).is_ok() && fs::remove_file(&path).is_ok() {
            removed.push(path);
        }
    }
    Ok(removed)
}

/// Where a file lies, as the system takes its name.
pub(crate) fn folder_of(place: &Path) -> &Path {
    place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn hidden_name(stem: &OsStr) -> io::Result<OsString> {
    let mut chance = [0; CHANCE / 2];
    getrandom::fill(&mut chance).map_err(io::Error::other)?;
    let mut name = OsString::from(".");
    name.push(stem);
    name.push(format!(".{:016x}{ENDING}", u64::from_be_bytes(chance)));
    Ok(name)
}

fn is_hidden_name(name: &OsStr, stems: &[&str]) -> bool {
    let parts = name.to_str().and_then(|name| name.strip_prefix('.')?.strip_suffix(ENDING)?.rsplit_once('.'));
    parts.is_some_and(|(stem, chance)| {
        stems.contains(&stem) && chance.len() == CHANCE && chance.bytes().all(|octet| octet.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<OsString> {
        let mut names: Vec<OsString> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_is_dropped_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let temporary = Temporary::new(folder.path(), "stem").unwrap();
        assert!(temporary.path().exists());
        drop(temporary);
        assert_eq!(names(folder.path()), [""; 0]);
    }

    #[test]
    fn what_was_left_is_swept_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        let left = [".kms.toml.0123456789abcdef.tmp", ".secrets.sealed.0000000000000000.tmp"];
        let kept = [
            "..0123456789abcdef.tmp",
            ".kms.toml.0123456789abcde.tmp",
            ".kms.toml.0123456789abcdeg.tmp",
            ".kms.toml.0123456789abcdef",
            ".other.0123456789abcdef.tmp",
            "kms.toml",
            "kms.toml.0123456789abcdef.tmp",
        ];
        for name in left.iter().chain(&kept) {
            fs::write(place(name), "").unwrap();
        }
        fs::create_dir(place(".kms.toml.ffffffffffffffff.tmp")).unwrap();
        let in_use = Temporary::beside(&place("kms.toml")).unwrap();
        let mut firsts = Vec::new();
        let stems = ["kms.toml", "secrets.sealed"];
        let mut removed = sweep(folder.path(), &stems, |path| {
            firsts.push(path.to_owned());
            Ok(())
        })
        .unwrap();
        removed.sort();
        firsts.sort();
        assert_eq!(removed, left.map(place));
        assert_eq!(firsts, removed);
        assert!(kept.iter().all(|name| place(name).exists()) && place(".kms.toml.ffffffffffffffff.tmp").exists());
        in_use.replace(&place("kms.toml")).unwrap();

        fs::write(place(left[0]), "").unwrap();
        assert_eq!(sweep(folder.path(), &stems, |_| Err(io::ErrorKind::Other.into())).unwrap(), [""; 0].map(place));
        assert!(place(left[0]).exists(), "as long as what belongs to it is there");
        assert!(sweep(&place("absent"), &stems, |_| Ok(())).is_err());
    }

    #[test]
    #[cfg(unix)]
    fn what_root_replaces_stays_its_owners() {
        use std::os::unix::fs::{MetadataExt, chown};
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("file");
        fs::write(&place, "old").unwrap();
        // Only root can give files away.
        let given = chown(&place, Some(4242), Some(4243)).is_ok();
        Temporary::beside(&place).unwrap().replace(&place).unwrap();
        let file = fs::metadata(&place).unwrap();
        assert_eq!((file.uid(), file.gid()) == (4242, 4243), given);
        assert_eq!((file.len(), file.mode() & 0o777), (0, 0o600));
    }

    #[test]
    fn a_name_is_made_once_and_replaced_at_will() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("file");
        let write = |text: &str| {
            let mut temporary = Temporary::beside(&place).unwrap();
            temporary.write_all(text.as_bytes()).unwrap();
            temporary
        };
        write("first").create(&place).unwrap();
        assert_eq!(write("second").create(&place).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&place).unwrap(), b"first");
        write("third").replace(&place).unwrap();
        assert_eq!(fs::read(&place).unwrap(), b"third");
        assert_eq!(names(folder.path()), ["file"]);
    }
}
