//! Files that hold secrets: replaced as a whole or not at all, readable by their owner alone.

mod temporary;

pub(crate) use temporary::folder_of;
pub use temporary::{Temporary, sweep};

use alloc::format;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use zeroize::Zeroizing;

/// Replaces or creates the file at `path` with `content`.
///
/// After a crash at any moment the file holds either the old or the new content: the new one is written beside it,
/// flushed to the disk, and renamed into place. On Unix it has mode 0600.
///
/// # Errors
/// What the file system reports; the old file is then untouched.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    write_beside(path, content)?.replace(path)
}

/// Creates the file at `path` with `content`, as [`replace`] does, unless it exists.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`], and what the file system reports.
pub fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    write_beside(path, content)?.create(path)
}

/// Reads a file with secrets that others cannot read, as [`open_private`] has it.
///
/// # Errors
/// Those of [`open_private`].
pub fn read_private(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut content = Zeroizing::new(Vec::new());
    open_private(path)?.read_to_end(&mut content)?;
    Ok(content)
}

/// Opens a file with secrets that others cannot read.
///
/// On Unix neither its group nor others may have any access; one that root owns its group may read, as PostgreSQL has it, so that a file
/// can be given to a service that cannot change it.
///
/// # Errors
/// [`io::ErrorKind::PermissionDenied`] for one that others can read, with what to do; what the file system reports.
pub fn open_private(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    require_private(&file)?;
    Ok(file)
}

#[cfg(unix)]
fn require_private(file: &File) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let file = file.metadata()?;
    if file.mode() & not_private(file.uid()) == 0 {
        return Ok(());
    }
    let mode = file.mode() & 0o777;
    let text =
        format!("others can use this file, and it holds a secret (mode {mode:04o}): make it private with chmod 600");
    Err(io::Error::new(io::ErrorKind::PermissionDenied, text))
}

/// The bits of a mode that a private file of this owner does not have.
#[cfg(unix)]
pub(crate) fn not_private(owner: u32) -> u32 {
    if owner == 0 { 0o037 } else { 0o077 }
}

#[cfg(not(unix))]
fn require_private(_: &File) -> io::Result<()> {
    Ok(())
}

/// Makes a folder, and those above it, unless it is there. On Unix a new one has mode 0700; one that is there stays as it is.
///
/// # Errors
/// [`io::ErrorKind::NotADirectory`] if there is something else of this name; what the file system reports.
pub fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            io::Error::new(io::ErrorKind::NotADirectory, "it is no folder: choose another name")
        }
        _ => error,
    })
}

fn write_beside(path: &Path, content: &[u8]) -> io::Result<Temporary> {
    let mut temporary = Temporary::beside(path)?;
    temporary.write_all(content)?;
    Ok(temporary)
}

/// Makes the name of a file itself durable. Only Unix lets a program flush a folder.
pub(crate) fn flush_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder_of(path))?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    fn names(folder: &Path) -> Vec<OsString> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    }

    #[test]
    fn replaces_and_leaves_nothing_beside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        replace(&path, b"old").unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["secret"]);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_it_even_where_others_could_read_the_old_one() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, b"old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_use_is_not_read() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        create(&path, b"kept").unwrap();
        let is_roots = fs::metadata(&path).unwrap().uid() == 0;
        for (mode, is_read) in [
            (0o600, true),
            (0o400, true),
            (0o700, true),
            (0o640, is_roots),
            (0o440, is_roots),
            (0o660, false),
            (0o644, false),
            (0o604, false),
            (0o602, false),
            (0o601, false),
            (0o610, false),
            (0o777, false),
        ] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            match read_private(&path) {
                Ok(content) => assert!(is_read && *content == b"kept", "{mode:o}"),
                Err(error) => {
                    assert!(!is_read && error.kind() == io::ErrorKind::PermissionDenied, "{mode:o}: {error}");
                    let text = error.to_string();
                    assert!(text.contains(&format!("{mode:04o}")) && text.contains("chmod 600"), "{text}");
                }
            }
        }
        assert_eq!(read_private(&folder.path().join("absent")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn create_never_replaces() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        create(&path, b"first").unwrap();
        assert_eq!(create(&path, b"second").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(names(folder.path()), ["secret"]);
    }

    #[test]
    fn a_file_is_no_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "").unwrap();
        for place in [path.clone(), path.join("below")] {
            assert_eq!(make_folder(&place).unwrap_err().kind(), io::ErrorKind::NotADirectory);
        }
        make_folder(&folder.path().join("a/b")).unwrap();
        make_folder(&folder.path().join("a/b")).unwrap();
    }

    #[test]
    fn failure_keeps_the_old_state() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("taken");
        fs::create_dir(&taken).unwrap();
        fs::write(taken.join("inside"), b"kept").unwrap();
        assert!(replace(&taken, b"new").is_err());
        assert_eq!(fs::read(taken.join("inside")).unwrap(), b"kept");
        assert_eq!(names(folder.path()), ["taken"]);
        assert_eq!(replace(&folder.path().join("no/such"), b"").unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(replace(Path::new("/"), b"").unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}
