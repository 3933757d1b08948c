use super::BackupFault;
use super::manifest::{self, LeftOut, Manifest, named_files};
use super::pieces::Sealer;
use crate::kms::audit::{self, Act, Event, Head};
use crate::kms::config::{self, Config};
use crate::kms::rollover::require_recorded;
use crate::kms::secrets::{self, SecretsFile};
use crate::kms::store::{self, GenerationStore, SqliteStore, Store};
use crate::kms::{Error, State, calendar};
use crate::sealing::{self, Passphrase, SealingKey};
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use time::format_description::well_known::Rfc3339;

/// A backup that was made.
#[derive(Clone, Debug)]
pub struct Saved {
    /// The URI of the KMS.
    pub kms_uri: String,
    /// The end of the audit log in the backup, which tells of the backup itself.
    pub head: Head,
    /// Octets of the backup.
    pub octets: u64,
    /// The files in it, relative to the folder of the KMS.
    pub files: Vec<String>,
    /// Files that `kms.toml` names and that are not in it.
    pub left_out: Vec<LeftOut>,
}

/// Makes a backup of the KMS in a folder, while its server runs or not. It is sealed under the passphrase of the KMS, and gets its name
/// when it is whole.
///
/// # Errors
/// [`Error::Backup`] if there is a file of this name or writing fails; those of [`State::open`]: a KMS that does not open is not saved;
/// [`Error::Audit`] if its audit log does not hold.
pub async fn save(folder: &Path, out: &Path, passphrase: &Passphrase, act: Act) -> Result<Saved, Error> {
    if out.try_exists().map_err(|source| failed(out, source))? {
        return Err(BackupFault::Exists(out.to_owned()).into());
    }
    let state = State::open(folder, passphrase).await?;
    let made = calendar::date(act.at).format(&Rfc3339).map_err(store::StoreError::from)?;
    state.store.record(Event::BackedUp { file: out.display().to_string() }, act).await?;

    let staging = private_folder(folder).map_err(|source| failed(folder, source))?;
    let database = staging.path().join(store::FILE);
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
        kms_uri: state.config.kms_uri.clone(),
        made,
        audit_entries: head.number,
        audit_hash: head.hash.to_string(),
        files: names.into_iter().chain(files).collect(),
        left_out,
    };
    let (folder, out) = (folder.to_owned(), out.to_owned());
    let pack = move || {
        let octets = pack(&manifest, &Sources { folder, database, sealed }, key, &out)?;
        drop(staging);
        Ok((manifest, octets))
    };
    let packed: Result<_, Error> = tokio::task::spawn_blocking(pack).await.map_err(|_| Error::Interrupted)?;
    let (Manifest { kms_uri, files, left_out, .. }, octets) = packed?;
    tracing::info!(octets, entries = head.number, "backed up");
    Ok(Saved { kms_uri, head, octets, files, left_out })
}

/// For the copy of the database: the folder of a KMS may be one that others can enter.
fn private_folder(within: &Path) -> io::Result<tempfile::TempDir> {
    let mut folder = tempfile::Builder::new();
    #[cfg(unix)]
    folder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    folder.prefix(".backup-").tempdir_in(within)
}

/// Where the files of an archive come from.
pub(super) struct Sources {
    /// Of the KMS.
    pub(super) folder: PathBuf,
    /// The copy of the database.
    pub(super) database: PathBuf,
    /// The sealed master secrets that belong to it.
    pub(super) sealed: Vec<u8>,
}

pub(super) fn pack(manifest: &Manifest, sources: &Sources, key: SealingKey, out: &Path) -> Result<u64, Error> {
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let to_out = |source| failed(out, source);
    // For its owner alone, until it has its name and after.
    let temporary = tempfile::Builder::new().prefix(".backup-").tempfile_in(parent).map_err(to_out)?;
    let sealer = Sealer::begin(BufWriter::new(temporary), key).map_err(to_out)?;
    let mut archive = tar::Builder::new(sealer);
    let text = serde_json::to_vec(manifest).map_err(|error| to_out(error.into()))?;
    append(&mut archive, manifest::FILE, text.len() as u64, text.as_slice()).map_err(to_out)?;
    for name in &manifest.files {
        if name == secrets::FILE {
            append(&mut archive, name, sources.sealed.len() as u64, sources.sealed.as_slice()).map_err(to_out)?;
            continue;
        }
        let path = if name == store::FILE { sources.database.clone() } else { sources.folder.join(name) };
        let of_file = |source| failed(&path, source);
        let file = File::open(&path).map_err(of_file)?;
        let len = file.metadata().map_err(of_file)?.len();
        append(&mut archive, name, len, file).map_err(of_file)?;
    }
    let sealer = archive.into_inner().map_err(to_out)?;
    let temporary = sealer.finish().map_err(to_out)?.into_inner().map_err(|error| to_out(error.into_error()))?;
    temporary.as_file().sync_all().map_err(to_out)?;
    let octets = temporary.as_file().metadata().map_err(to_out)?.len();
    temporary.persist_noclobber(out).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => BackupFault::Exists(out.to_owned()).into(),
        _ => to_out(error.error),
    })?;
    sealing::file::flush_folder(out).map_err(to_out)?;
    Ok(octets)
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
        false => Err(io::Error::other("the file was changed while it was read: try again")),
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

pub(super) fn failed(path: &Path, source: io::Error) -> Error {
    let path: PathBuf = path.to_owned();
    BackupFault::File { path, source }.into()
}
