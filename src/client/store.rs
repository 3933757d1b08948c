//! The folder in which a client keeps its keys.

use super::lock::Lock;
use super::octets::SecretBuffer;
use super::record::{Contents, VERSION, Versioned};
use super::{Error, KeySetSummary, KmsSummary};
use crate::mc::{KeySet, Kms};
use crate::replay::ReplayCache;
use crate::sealing::{self, KdfParameters, Passphrase, SealingKey};
use core::fmt;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

const KEYS_FILE: &str = "keys.sealed";
const REPLAY_FILE: &str = "replay.sealed";
const LOCK_FILE: &str = "lock";
const KEYS_CONTEXT: &[u8] = b"mikey-sakke client store: keys";
const REPLAY_CONTEXT: &[u8] = b"mikey-sakke client store: accepted messages";

/// A store is a few kilobytes; what is larger than this is none.
const MAX_FILE: u64 = 64 * 1024 * 1024;

/// A client's keys, and the messages that it accepted, sealed under a passphrase in a folder of their own.
///
/// A store may hold several identities, several KMSs and several key periods. The folder contains
///
/// | file | holds |
/// |---|---|
/// | `keys.sealed` | KMS certificates, key sets, and the keys that were sent and accepted |
/// | `replay.sealed` | tags of the messages accepted lately |
/// | `lock` | nothing; whoever has the store open holds a lock on it |
///
/// A file is replaced as a whole or not at all: after a failed write, a crash or a wrong passphrase the store is what it
/// was. An open store excludes every other process until it is dropped.
pub struct Store {
    folder: PathBuf,
    sealing_key: SealingKey,
    pub(super) contents: Contents,
    pub(super) replay: ReplayCache,
    /// By URI and public keys.
    pub(super) kms_cache: HashMap<(String, Vec<u8>), Kms>,
    pub(super) key_set_cache: HashMap<(String, String, u64), Arc<KeySet>>,
    _lock: Lock,
}

/// How a store is opened.
#[derive(Clone, Copy, Debug)]
pub struct StoreOptions {
    /// What deriving the key from the passphrase costs; a store that exists has its own.
    pub kdf: KdfParameters,
    /// How long to wait for another process that has the store open.
    pub lock_wait: Duration,
}

impl StoreOptions {
    /// 4 MiB, 16 passes: the work of OWASP's choices for Argon2id with less memory, because a client must fit into 8 MB.
    const KDF: (u32, u32, u32) = (4 * 1024, 16, 1);
}

impl Default for StoreOptions {
    fn default() -> Self {
        let (memory_kib, passes, lanes) = Self::KDF;
        let kdf = KdfParameters::new(memory_kib, passes, lanes).unwrap_or_default();
        Self { kdf, lock_wait: Duration::from_secs(5) }
    }
}

impl Store {
    /// Makes an empty store in `folder`, which is created if need be.
    ///
    /// # Errors
    /// [`Error::StoreExists`], [`Error::StoreInUse`], [`Error::File`], [`Error::Sealing`].
    pub fn create(folder: &Path, passphrase: &Passphrase, options: &StoreOptions) -> Result<Self, Error> {
        sealing::file::make_folder(folder).map_err(|source| Error::file("create the folder", folder, source))?;
        let lock = Lock::acquire(&folder.join(LOCK_FILE), options.lock_wait)?;
        if Self::exists(folder)? {
            return Err(Error::StoreExists { path: folder.to_owned() });
        }
        sweep(folder)?;
        let sealing_key = SealingKey::generate(passphrase, options.kdf)?;
        let mut store = Self::new(folder, sealing_key, Contents::EMPTY, ReplayCache::default(), lock);
        // The keys file makes it a store, so it comes last.
        store.save_replay()?;
        store.change(|_| Ok(()))?;
        Ok(store)
    }

    /// Opens the store in `folder`.
    ///
    /// # Errors
    /// [`Error::StoreMissing`], [`Error::StoreInUse`], [`Error::WrongPassphrase`], [`Error::StoreDamaged`],
    /// [`Error::StoreVersion`], [`Error::File`], [`Error::Sealing`].
    pub fn open(folder: &Path, passphrase: &Passphrase, options: &StoreOptions) -> Result<Self, Error> {
        if !Self::exists(folder)? {
            return Err(Error::StoreMissing { path: folder.to_owned() });
        }
        let lock = Lock::acquire(&folder.join(LOCK_FILE), options.lock_wait)?;
        sweep(folder)?;
        let keys_path = folder.join(KEYS_FILE);
        let sealed = read(&keys_path)?;
        let sealing_key = SealingKey::of_sealed(passphrase, &sealed).map_err(|error| opening(&keys_path, error))?;
        let plaintext = sealing_key.open(KEYS_CONTEXT, &sealed).map_err(|error| opening(&keys_path, error))?;
        let contents = read_contents(&keys_path, &plaintext)?;
        let replay_path = folder.join(REPLAY_FILE);
        let replay = sealing_key
            .open(REPLAY_CONTEXT, &read(&replay_path)?)
            .map_err(|error| opening(&replay_path, error))
            .and_then(|bytes| {
                ReplayCache::from_bytes(&bytes).ok_or_else(|| Error::damaged(&replay_path, "its layout is unknown"))
            })?;
        Ok(Self::new(folder, sealing_key, contents, replay, lock))
    }

    /// Opens the store in `folder`, or makes one there.
    ///
    /// # Errors
    /// As [`Self::open`] and [`Self::create`].
    pub fn open_or_create(folder: &Path, passphrase: &Passphrase, options: &StoreOptions) -> Result<Self, Error> {
        match Self::open(folder, passphrase, options) {
            Err(Error::StoreMissing { .. }) => Self::create(folder, passphrase, options),
            opened => opened,
        }
    }

    /// Whether there is a store in `folder`.
    ///
    /// # Errors
    /// [`Error::File`] if the file system does not tell, for example because the folder is not this user's.
    pub fn exists(folder: &Path) -> Result<bool, Error> {
        let path = folder.join(KEYS_FILE);
        path.try_exists().map_err(|source| Error::file("look for", &path, source))
    }

    /// Deletes the store: its files, and the folder if nothing else is in it.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn delete(self) -> Result<(), Error> {
        let Self { folder, _lock: lock, .. } = self;
        // The keys file makes it a store, so it goes first; the lock is held to the end.
        for name in [KEYS_FILE, REPLAY_FILE, LOCK_FILE] {
            let path = folder.join(name);
            fs::remove_file(&path).map_err(|source| Error::file("delete", &path, source))?;
        }
        drop(lock);
        match fs::remove_dir(&folder) {
            Err(source) if source.kind() != io::ErrorKind::DirectoryNotEmpty => {
                Err(Error::file("delete", &folder, source))
            }
            _ => Ok(()),
        }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The KMSs that are known.
    pub fn kms_list(&self) -> Vec<KmsSummary> {
        self.contents.kms.iter().map(KmsSummary::of).collect()
    }

    /// The key sets of all identities.
    pub fn key_sets(&self) -> Vec<KeySetSummary> {
        self.contents.key_sets.iter().map(KeySetSummary::of).collect()
    }

    fn new(folder: &Path, sealing_key: SealingKey, contents: Contents, replay: ReplayCache, lock: Lock) -> Self {
        Self {
            folder: folder.to_owned(),
            sealing_key,
            contents,
            replay,
            kms_cache: HashMap::new(),
            key_set_cache: HashMap::new(),
            _lock: lock,
        }
    }

    /// Changes the contents on the disk and then in memory; if anything fails, in neither.
    pub(super) fn change<T>(&mut self, change: impl FnOnce(&mut Contents) -> Result<T, Error>) -> Result<T, Error> {
        let mut contents = self.contents.clone();
        let result = change(&mut contents)?;
        let path = self.folder.join(KEYS_FILE);
        let mut plaintext = SecretBuffer::default();
        serde_json::to_writer(&mut plaintext, &contents)
            .map_err(|error| Error::file("write", &path, io::Error::from(error)))?;
        self.write(&path, KEYS_CONTEXT, &plaintext.into_inner())?;
        self.contents = contents;
        Ok(result)
    }

    /// Writes the replay cache as it is in memory.
    pub(super) fn save_replay(&self) -> Result<(), Error> {
        self.write(&self.folder.join(REPLAY_FILE), REPLAY_CONTEXT, &self.replay.to_bytes())
    }

    fn write(&self, path: &Path, context: &[u8], plaintext: &[u8]) -> Result<(), Error> {
        let sealed = self.sealing_key.seal(context, plaintext)?;
        sealing::file::replace(path, &sealed).map_err(|source| Error::file("write", path, source))
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Store").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// Deletes what a process that was killed while it wrote has left beside the files. Only the holder of the lock may.
fn sweep(folder: &Path) -> Result<(), Error> {
    let failed = |source| Error::file("tidy up", folder, source);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let of = |file: &str| name.strip_prefix('.').and_then(|name| name.strip_prefix(file)).is_some_and(is_temporary);
        if of(KEYS_FILE) || of(REPLAY_FILE) {
            fs::remove_file(entry.path()).map_err(|source| Error::file("delete", &entry.path(), source))?;
        }
    }
    Ok(())
}

/// Whether a file's name ends as [`sealing::file`] has its temporary ones end.
fn is_temporary(rest: &str) -> bool {
    let digits = rest.strip_prefix('.').and_then(|rest| rest.strip_suffix(".tmp"));
    digits.is_some_and(|digits| digits.len() == 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let mut octets = Vec::new();
    File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut octets)).map_err(
        |source| match source.kind() {
            io::ErrorKind::NotFound => Error::damaged(path, "it is missing"),
            _ => Error::file("read", path, source),
        },
    )?;
    if fs::metadata(path).is_ok_and(|metadata| metadata.len() > MAX_FILE) {
        return Err(Error::damaged(path, "it is too large"));
    }
    Ok(octets)
}

fn read_contents(path: &Path, plaintext: &Zeroizing<Vec<u8>>) -> Result<Contents, Error> {
    // Serde's own message might quote what it could not read.
    let unreadable = |_| Error::damaged(path, "its layout is unknown");
    let Versioned { version } = serde_json::from_slice(plaintext).map_err(unreadable)?;
    if !(1..=VERSION).contains(&version) {
        return Err(Error::StoreVersion { path: path.to_owned(), found: version, supported: VERSION });
    }
    let contents = serde_json::from_slice(plaintext).map_err(unreadable)?;
    Ok(Contents { version: VERSION, ..contents })
}

fn opening(path: &Path, error: sealing::Error) -> Error {
    match error {
        sealing::Error::WrongPassphrase => Error::WrongPassphrase { path: path.to_owned() },
        sealing::Error::Randomness(_) => Error::Sealing(error),
        other => Error::damaged(path, &other.to_string()),
    }
}
