use super::BackupFault;
use super::digest::{Digested, Digesting};
use super::manifest::{self, LeftOut, Manifest, is_private, named_files};
use super::named::Named;
use super::pieces::Sealer;
use super::staging::{self, Staging};
use crate::kms::audit::{self, Act, Event, Hash, Head};
use crate::kms::config::{self, Config};
use crate::kms::rollover::require_recorded;
use crate::kms::secrets::{self, SecretsFile};
use crate::kms::store::{self, GenerationStore, SqliteStore, Store};
use crate::kms::{Error, State, calendar};
use crate::sealing::file::{Temporary, open_private};
use crate::sealing::{Passphrase, SealingKey};
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use time::format_description::well_known::Rfc3339;

/// A backup that was made.
#[derive(Clone, Debug)]
pub struct Saved {
    /// The URI of the KMS.
    pub kms_uri: String,
    /// The end of the audit log in the backup. The backup itself is told of by a later entry, in the log of the KMS alone.
    pub head: Head,
    /// SHA-256 of the backup, by which that entry names it.
    pub sha256: Hash,
    /// Octets of the backup.
    pub octets: u64,
    /// The files in it, relative to the folder of the KMS.
    pub files: Vec<String>,
    /// Files that `kms.toml` names and that are not in it.
    pub left_out: Vec<LeftOut>,
    /// What commands that were killed had left, and was removed.
    pub swept: Vec<PathBuf>,
}

/// Makes a backup of the KMS in a folder, while its server runs or not. It is sealed under the passphrase of the KMS. Once it is whole and
/// on the disk, it is recorded in the audit log, and gets its name: no backup has one that is not recorded.
///
/// # Errors
/// [`Error::Backup`] if there is a file of this name, a file cannot be read, or writing fails; those of [`State::open`]: a KMS that does not
/// open is not saved; [`Error::Audit`] if its audit log does not hold; [`Error::Store`] if it cannot be recorded. There is then no backup.
pub async fn save(folder: &Path, out: &Path, passphrase: &Passphrase, act: Act) -> Result<Saved, Error> {
    // A link is something too, wherever it leads.
    if out.is_symlink() || out.try_exists().map_err(|source| BackupFault::file(out, source))? {
        return Err(BackupFault::Exists(out.to_owned()).into());
    }
    let state = State::open(folder, passphrase).await?;
    let saved = save_open(&state, out, passphrase, act).await;
    let closed = state.store.close().await;
    let saved = saved?;
    closed?;
    Ok(saved)
}

async fn save_open(state: &State, out: &Path, passphrase: &Passphrase, act: Act) -> Result<Saved, Error> {
    let folder = &state.config.folder;
    let swept = staging::sweep(folder, out)?;
    let made = calendar::date(act.at).format(&Rfc3339).map_err(store::StoreError::from)?;
    let staging = Staging::new(folder).map_err(|source| BackupFault::file(folder, source))?;
    let database = staging.database();
    state.store.copy_to(&database).await?;
    let copy = SqliteStore::open(&database).await?;
    let (verified, generations) = (audit::verify(&copy, None).await, copy.generations().await);
    copy.close().await?;
    let (head, generations) = (verified?, generations?);

    let config = Config::load(folder)?;
    let (sealed, mut secrets) = SecretsFile::open(&config, passphrase)?;
    // A roll-over changes both, one after the other.
    require_recorded(&config, &mut secrets, &generations).map_err(|_| BackupFault::RolledOver)?;
    let (sealed, key) = sealed.into_parts();
    let (files, left_out) = named_files(&config);
    let names = [config::FILE, secrets::FILE, store::FILE].map(str::to_owned);
    let manifest = Manifest {
        form: manifest::FORM,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        kms_uri: config.kms_uri.clone(),
        made,
        audit_entries: head.number,
        audit_hash: head.hash.to_string(),
        files: names.into_iter().chain(files).collect(),
        left_out,
    };
    let place = out.to_owned();
    let pack = move || {
        let packed = pack(&manifest, &Sources { config, database, sealed }, key, &place)?;
        drop(staging);
        Ok((manifest, packed))
    };
    let packed: Result<_, Error> = tokio::task::spawn_blocking(pack).await.map_err(|_| Error::Interrupted)?;
    let (Manifest { kms_uri, files, left_out, .. }, Packed { temporary, digested }) = packed?;
    let Digested { sha256, octets } = digested;
    publish(state, temporary, out, sha256, head.number, act).await?;
    tracing::info!(octets, entries = head.number, "backed up");
    Ok(Saved { kms_uri, head, sha256, octets, files, left_out, swept })
}

/// Records a backup that is whole, and gives it its name. If the process ends between both, the log tells of a backup that is not there;
/// the other way round there could be one that nobody knows of.
async fn publish(
    state: &State,
    temporary: Temporary,
    out: &Path,
    sha256: Hash,
    entries: u64,
    act: Act,
) -> Result<(), Error> {
    let (file, sha256) = (out.display().to_string(), sha256.to_string());
    let made = Event::BackedUp { file: file.clone(), sha256: sha256.clone(), entries };
    state.store.record(made, act.clone()).await?;
    let Err(source) = temporary.create(out) else { return Ok(()) };
    let failed = Event::BackupFailed { file, sha256, reason: source.to_string() };
    if let Err(error) = state.store.record(failed, act).await {
        tracing::error!(%error, "that a backup did not get its name could not be recorded");
    }
    match source.kind() {
        io::ErrorKind::AlreadyExists => Err(BackupFault::Exists(out.to_owned()).into()),
        _ => Err(BackupFault::file(out, source).into()),
    }
}

/// Where the files of an archive come from.
pub(super) struct Sources {
    /// Of the KMS.
    pub(super) config: Config,
    /// The copy of the database.
    pub(super) database: PathBuf,
    /// The sealed master secrets that belong to it.
    pub(super) sealed: Vec<u8>,
}

impl Sources {
    fn open(&self, name: &str) -> Result<(PathBuf, File), BackupFault> {
        let path = if name == store::FILE { self.database.clone() } else { self.config.folder.join(name) };
        // What `kms serve` would not take is not carried on.
        let opened = if is_private(&self.config, name) { open_private(&path) } else { File::open(&path) };
        match opened {
            Ok(file) => Ok((path, file)),
            Err(source) => Err(BackupFault::file(&path, source)),
        }
    }
}

/// A backup that is whole and on the disk, and has no name yet.
pub(super) struct Packed {
    pub(super) temporary: Temporary,
    pub(super) digested: Digested,
}

pub(super) fn pack(manifest: &Manifest, sources: &Sources, key: SealingKey, out: &Path) -> Result<Packed, Error> {
    let to_out = |error| Error::from(BackupFault::within(error, out));
    let temporary = staging::temporary(out).map_err(to_out)?;
    let sealer = Sealer::begin(Digesting::new(BufWriter::new(temporary)), key).map_err(to_out)?;
    let mut archive = tar::Builder::new(sealer);
    let text = serde_json::to_vec(manifest).map_err(|error| to_out(error.into()))?;
    append(&mut archive, manifest::FILE, text.len() as u64, text.as_slice()).map_err(to_out)?;
    for name in &manifest.files {
        if name == secrets::FILE {
            append(&mut archive, name, sources.sealed.len() as u64, sources.sealed.as_slice()).map_err(to_out)?;
            continue;
        }
        let (path, file) = sources.open(name)?;
        let len = file.metadata().map_err(|source| BackupFault::file(&path, source))?.len();
        append(&mut archive, name, len, Named::new(file, &path)).map_err(to_out)?;
    }
    let sealer = archive.into_inner().map_err(to_out)?;
    let (buffered, digested) = sealer.finish().map_err(to_out)?.finish();
    let temporary = buffered.into_inner().map_err(|error| to_out(error.into_error()))?;
    temporary.flush_to_disk().map_err(to_out)?;
    Ok(Packed { temporary, digested })
}

/// One member; a file that grows or shrinks meanwhile is an error.
fn append(archive: &mut tar::Builder<impl io::Write>, name: &str, len: u64, content: impl io::Read) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(len);
    header.set_mode(0o600);
    let mut content = Counted { content: content.take(len), count: 0 };
    archive.append_data(&mut header, name, &mut content)?;
    match content.count == len {
        true => Ok(()),
        false => {
            let changed = io::Error::other("the file was changed while it was read: try again");
            Err(io::Error::other(BackupFault::file(Path::new(name), changed)))
        }
    }
}

struct Counted<R> {
    content: R,
    count: u64,
}

impl<R: io::Read> io::Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.content.read(into)?;
        self.count += count as u64;
        Ok(count)
    }
}
