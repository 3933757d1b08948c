//! Whose the files of a KMS are. Who can write them decides who gets whose keys: the JWK set says who is who, `kms.toml` where it lies,
//! and whoever writes a folder can put another file in the place of each that is in it.

use super::Error;
use super::config::{self, Config};
use crate::sealing::file::folder_of;
use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use thiserror::Error as ThisError;

/// The database with its write-ahead log, and what SQLite keeps beside them.
const DATABASE_ENDINGS: [&str; 3] = ["", "-wal", "-shm"];

/// What others than the KMS's user can do with one of its files.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum Exposure {
    /// Its group or others can write it.
    #[error(
        "others can write it (mode {mode:04o}), and with it get anybody's keys: take that from them with chmod go-w"
    )]
    Writable {
        /// Its permissions.
        mode: u32,
    },
    /// Its group or others can read it.
    #[error(
        "others can use it (mode {mode:04o}), and it tells who is who and has sealed keys: make it private with chmod 600"
    )]
    Usable {
        /// Its permissions.
        mode: u32,
    },
    /// It is another user's, who can do with it whatever he likes.
    #[error(
        "it belongs to user {owner}, who can change it at any time, and not to root or to user {user}: give it to that one with chown, or run this as the user that it belongs to"
    )]
    Foreign {
        /// Number of the user that it belongs to.
        owner: u32,
        /// Number of the user that it should belong to.
        user: u32,
    },
}

/// Requires that nobody else can put files into a folder that is to hold a KMS.
pub(super) fn require_folder(folder: &Path) -> Result<(), Error> {
    Keeper::of(folder)?.require_unwritable(folder)
}

/// Requires that nobody else can write a folder with a KMS, or its `kms.toml`.
pub(super) fn require_configuration(folder: &Path) -> Result<(), Error> {
    let keeper = Keeper::of(folder)?;
    keeper.require_unwritable(folder)?;
    keeper.require_unwritable(&folder.join(config::FILE))
}

/// Requires that nobody else can write what tokens and certificates of clients are checked by, nor read the database. What is not there is
/// the affair of whoever needs it.
pub(super) fn require_files(config: &Config) -> Result<(), Error> {
    let keeper = Keeper::of(&config.folder)?;
    config.auth.files().into_iter().try_for_each(|(_, path)| keeper.require_unwritable(path))?;
    DATABASE_ENDINGS.into_iter().try_for_each(|ending| {
        let mut path = config.database().into_os_string();
        path.push(ending);
        keeper.require_private(&PathBuf::from(path))
    })
}

/// Whether a file, looked at as it is open, is in good hands: as the files of the folder that it lies in are.
pub(super) fn require_kept(path: &Path, file: &Metadata) -> Result<(), Exposure> {
    let keeper = Keeper::of(folder_of(path)).unwrap_or_else(|_| Keeper::of_process());
    keeper.require_own(file).and_then(|()| require_unwritable(file))
}

/// Who may have files of a KMS beside root: the user of this process; or, where that is root, the one that the folder belongs to.
struct Keeper {
    #[cfg(unix)]
    user: u32,
}

impl Keeper {
    #[cfg(unix)]
    fn of(folder: &Path) -> Result<Self, Error> {
        use std::os::unix::fs::MetadataExt;
        let owner = metadata(folder)?.filter(|_| rustix::process::geteuid().is_root()).map(|folder| folder.uid());
        Ok(owner.map_or_else(Self::of_process, |user| Self { user }))
    }

    #[cfg(unix)]
    fn of_process() -> Self {
        Self { user: rustix::process::geteuid().as_raw() }
    }

    #[cfg(not(unix))]
    fn of(_: &Path) -> Result<Self, Error> {
        Ok(Self::of_process())
    }

    #[cfg(not(unix))]
    fn of_process() -> Self {
        Self {}
    }

    fn require_unwritable(&self, path: &Path) -> Result<(), Error> {
        self.require(path, require_unwritable)
    }

    /// Not by opening it: whoever closes a file that SQLite has open in the same process takes its locks away.
    fn require_private(&self, path: &Path) -> Result<(), Error> {
        self.require(path, require_private)
    }

    fn require(&self, path: &Path, rule: impl FnOnce(&Metadata) -> Result<(), Exposure>) -> Result<(), Error> {
        let Some(file) = metadata(path)? else { return Ok(()) };
        let kept = self.require_own(&file).and_then(|()| rule(&file));
        kept.map_err(|exposure| Error::Exposed { path: path.to_owned(), exposure })
    }

    #[cfg(unix)]
    fn require_own(&self, file: &Metadata) -> Result<(), Exposure> {
        use std::os::unix::fs::MetadataExt;
        match file.uid() {
            owner if owner == 0 || owner == self.user => Ok(()),
            owner => Err(Exposure::Foreign { owner, user: self.user }),
        }
    }

    #[cfg(not(unix))]
    fn require_own(&self, _: &Metadata) -> Result<(), Exposure> {
        Ok(())
    }
}

#[cfg(unix)]
fn require_unwritable(file: &Metadata) -> Result<(), Exposure> {
    use std::os::unix::fs::MetadataExt;
    let mode = file.mode() & 0o7777;
    if mode & 0o022 == 0 { Ok(()) } else { Err(Exposure::Writable { mode }) }
}

#[cfg(not(unix))]
fn require_unwritable(_: &Metadata) -> Result<(), Exposure> {
    Ok(())
}

#[cfg(unix)]
fn require_private(file: &Metadata) -> Result<(), Exposure> {
    use crate::sealing::file::not_private;
    use std::os::unix::fs::MetadataExt;
    let mode = file.mode() & 0o7777;
    if mode & not_private(file.uid()) == 0 { Ok(()) } else { Err(Exposure::Usable { mode }) }
}

#[cfg(not(unix))]
fn require_private(_: &Metadata) -> Result<(), Exposure> {
    Ok(())
}

fn metadata(path: &Path) -> Result<Option<Metadata>, Error> {
    match fs::metadata(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::File { path: path.to_owned(), source }),
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::kms::testing;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn exposure(result: Result<(), Error>) -> Option<Exposure> {
        match result {
            Ok(()) => None,
            Err(Error::Exposed { exposure, .. }) => Some(exposure),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_mode_decides_what_others_can_do() {
        let folder = testing::folder();
        let path = folder.path().join("file");
        fs::write(&path, "").unwrap();
        let keeper = Keeper::of(folder.path()).unwrap();
        let is_roots = fs::metadata(&path).unwrap().uid() == 0;
        for (mode, is_unwritable, is_private) in [
            (0o600, true, true),
            (0o400, true, true),
            (0o644, true, false),
            (0o755, true, false),
            (0o640, true, is_roots),
            (0o620, false, false),
            (0o602, false, false),
            (0o601, true, false),
            (0o1666, false, false),
            (0o777, false, false),
        ] {
            set_mode(&path, mode);
            let writable = Exposure::Writable { mode };
            assert_eq!(exposure(keeper.require_unwritable(&path)), (!is_unwritable).then_some(writable), "{mode:o}");
            let usable = Exposure::Usable { mode };
            assert_eq!(exposure(keeper.require_private(&path)), (!is_private).then_some(usable), "{mode:o}");
        }
        let absent = folder.path().join("absent");
        assert_eq!(exposure(keeper.require_unwritable(&absent)), None);
        assert!(matches!(keeper.require_unwritable(&path.join("below")), Err(Error::File { .. })));
    }

    #[test]
    fn an_owner_is_root_the_process_or_where_that_is_root_the_folders() {
        let folder = testing::folder();
        let path = folder.path().join("file");
        fs::write(&path, "").unwrap();
        let own = fs::metadata(&path).unwrap().uid();
        let of_user = |user| exposure(Keeper { user }.require_unwritable(&path));
        assert_eq!(of_user(own), None);
        // Only root can give files away.
        if own != 0 {
            assert_eq!(of_user(own + 1), Some(Exposure::Foreign { owner: own, user: own + 1 }));
            return;
        }
        let as_process = || exposure(Keeper::of(folder.path()).unwrap().require_unwritable(&path));
        chown(&path, Some(1234), None).unwrap();
        assert_eq!(as_process(), Some(Exposure::Foreign { owner: 1234, user: 0 }));
        chown(folder.path(), Some(1234), None).unwrap();
        assert_eq!(as_process(), None);
        assert_eq!(exposure(require_folder(folder.path())), None);
        chown(&path, Some(0), None).unwrap();
        assert_eq!(as_process(), None);
        chown(&path, Some(1235), None).unwrap();
        assert_eq!(as_process(), Some(Exposure::Foreign { owner: 1235, user: 1234 }));
    }

    #[test]
    fn a_sticky_folder_is_writable_all_the_same() {
        let folder = testing::folder();
        set_mode(folder.path(), 0o1777);
        let error = require_folder(folder.path()).unwrap_err();
        assert!(matches!(&error, Error::Exposed { exposure: Exposure::Writable { mode: 0o1777 }, .. }), "{error}");
        let text = error.to_string();
        assert!(
            text.starts_with(folder.path().to_str().unwrap()) && text.contains("1777") && text.contains("chmod go-w")
        );
        set_mode(folder.path(), 0o755);
        require_folder(folder.path()).unwrap();
    }

    #[test]
    fn a_file_that_is_open_is_held_to_the_folder_that_it_lies_in() {
        let folder = testing::folder();
        let path = folder.path().join("jwks.json");
        fs::write(&path, "").unwrap();
        let judged = || require_kept(&path, &fs::File::open(&path).unwrap().metadata().unwrap());
        assert_eq!(judged(), Ok(()));
        set_mode(&path, 0o666);
        assert_eq!(judged(), Err(Exposure::Writable { mode: 0o666 }));
        set_mode(&path, 0o644);
        // Only root can give files away.
        if chown(&path, Some(4242), None).is_ok() {
            assert_eq!(judged(), Err(Exposure::Foreign { owner: 4242, user: 0 }));
        }
    }
}
