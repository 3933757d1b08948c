use super::BackupFault;
use super::manifest::{self, LeftOut, Manifest, is_within};
use super::pieces::Opener;
use super::save::failed;
use crate::kms::audit::{self, Act, Event, Head};
use crate::kms::{Error, State, config};
use crate::sealing::Passphrase;
use crate::sealing::file::{flush_folder, make_folder};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read};
use std::path::Path;

/// Octets that a manifest may have.
const MAX_MANIFEST: u64 = 1 << 20;

/// A KMS that was restored.
#[derive(Clone, Debug)]
pub struct Restored {
    /// The URI of the KMS.
    pub kms_uri: String,
    /// When the backup was made, RFC 3339.
    pub made: String,
    /// The end of the audit log as the backup has it; the entry after it tells of the restoring.
    pub head: Head,
    /// The files, relative to the folder of the KMS.
    pub files: Vec<String>,
    /// Files that `kms.toml` names and that the backup does not hold.
    pub left_out: Vec<LeftOut>,
}

/// Makes the KMS of a backup in a folder, which must be new or empty. Before the files get their places, the KMS has been opened with the
/// passphrase and its audit log followed from end to end; after an error the folder is empty.
///
/// # Errors
/// [`Error::Backup`]; [`Error::Audit`]; those of [`State::open`].
pub async fn restore(from: &Path, folder: &Path, passphrase: &Passphrase, act: Act) -> Result<Restored, Error> {
    let to_folder = |source| failed(folder, source);
    make_folder(folder).map_err(to_folder)?;
    if fs::read_dir(folder).map_err(to_folder)?.next().is_some() {
        return Err(BackupFault::NotEmpty(folder.to_owned()).into());
    }
    // Within the folder, which may be a file system of its own.
    let staging = tempfile::Builder::new().prefix(".restoring-").tempdir_in(folder).map_err(to_folder)?;
    let (path, target, with) = (from.to_owned(), staging.path().to_owned(), passphrase.clone());
    let unpack = move || unpack(&path, &target, &with);
    let manifest = tokio::task::spawn_blocking(unpack).await.map_err(|_| Error::Interrupted)??;

    let state = State::open(staging.path(), passphrase).await?;
    let head = audit::verify(&*state.store, None).await?;
    if (head.number, head.hash.to_string()) != (manifest.audit_entries, manifest.audit_hash) {
        return Err(BackupFault::Damaged.into());
    }
    state.store.record(Event::Restored { file: from.display().to_string() }, act).await?;
    state.store.close().await?;

    // As when a KMS is made, the configuration is the last: without it the folder is half made.
    let (last, first): (Vec<&String>, Vec<&String>) = manifest.files.iter().partition(|name| *name == config::FILE);
    for name in first.into_iter().chain(last) {
        settle(staging.path(), folder, name).map_err(to_folder)?;
    }
    tracing::info!(kms_uri = manifest.kms_uri, entries = head.number, "restored");
    let Manifest { kms_uri, made, files, left_out, .. } = manifest;
    Ok(Restored { kms_uri, made, head, files, left_out })
}

fn unpack(from: &Path, folder: &Path, passphrase: &Passphrase) -> Result<Manifest, Error> {
    let read = || {
        let opener = Opener::begin(BufReader::new(File::open(from)?), passphrase)?;
        let mut archive = tar::Archive::new(opener);
        let manifest = extract(&mut archive, folder)?;
        archive.into_inner().finish()?;
        Ok(manifest)
    };
    read().map_err(|error: io::Error| match error.downcast::<BackupFault>() {
        Ok(fault) => fault.into(),
        Err(source) => failed(from, source),
    })
}

fn extract(archive: &mut tar::Archive<impl Read>, folder: &Path) -> io::Result<Manifest> {
    let damaged = || io::Error::other(BackupFault::Damaged);
    let mut entries = archive.entries()?;
    let first = entries.next().ok_or_else(damaged)??;
    if first.path_bytes() != manifest::FILE.as_bytes() {
        return Err(damaged());
    }
    let mut text = Vec::new();
    first.take(MAX_MANIFEST).read_to_end(&mut text)?;
    let manifest: Manifest = serde_json::from_slice(&text).map_err(|_| newer(&text).unwrap_or_else(damaged))?;
    if manifest.form != manifest::FORM {
        return Err(io::Error::other(BackupFault::Form(manifest.form)));
    }
    for name in &manifest.files {
        let mut entry = entries.next().ok_or_else(damaged)??;
        if entry.path_bytes() != name.as_bytes() || !is_within(name) {
            return Err(damaged());
        }
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            make_folder(parent)?;
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path)?;
        io::copy(&mut entry, &mut file)?;
        file.sync_all()?;
    }
    match entries.next() {
        None => Ok(manifest),
        Some(_) => Err(damaged()),
    }
}

/// A manifest that cannot be read may have a form that is not known yet.
fn newer(text: &[u8]) -> Option<io::Error> {
    let value: serde_json::Value = serde_json::from_slice(text).ok()?;
    let form = value.get("form")?.as_u64().filter(|form| *form != manifest::FORM)?;
    Some(io::Error::other(BackupFault::Form(form)))
}

fn settle(from: &Path, to: &Path, name: &str) -> io::Result<()> {
    let place = to.join(name);
    if let Some(parent) = place.parent() {
        make_folder(parent)?;
    }
    fs::rename(from.join(name), &place)?;
    flush_folder(&place)
}
