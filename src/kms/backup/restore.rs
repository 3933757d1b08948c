use super::BackupFault;
use super::digest::Digesting;
use super::manifest::{self, LeftOut, Manifest, is_within, named_elsewhere};
use super::named::Named;
use super::pieces::Opener;
use super::target::Target;
use crate::kms::audit::{self, Act, Event, Hash, Head};
use crate::kms::{Config, Error, State};
use crate::sealing::Passphrase;
use crate::sealing::file::make_folder;
use std::fs::{File, OpenOptions};
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
    /// SHA-256 of the backup, which that entry has, and the one that tells of the backup in the log of the KMS that it is of.
    pub sha256: Hash,
    /// The files, relative to the folder of the KMS.
    pub files: Vec<String>,
    /// Files that `kms.toml` names and that the backup does not hold, or that it names at another place than where they are now.
    pub left_out: Vec<LeftOut>,
    /// Whether the folder had what an interrupted restoring left, which was cleared away first.
    pub cleared: bool,
}

/// Makes the KMS of a backup in a folder, which must be new or empty, or left by a restoring that was interrupted. Before the files get
/// their places, the KMS has been opened with the passphrase and its audit log followed from end to end; after an error nothing is left.
///
/// # Errors
/// [`Error::Backup`]; [`Error::Audit`]; those of [`State::open`].
pub async fn restore(from: &Path, folder: &Path, passphrase: &Passphrase, act: Act) -> Result<Restored, Error> {
    let file = File::open(from).map_err(|source| BackupFault::file(from, source))?;
    let target = Target::open(folder)?;
    let (path, unpacked, with) = (from.to_owned(), target.unpacked(), passphrase.clone());
    let unpack = move || unpack(file, &unpacked, &with).map_err(|error| BackupFault::within(error, &path));
    let (manifest, sha256) = tokio::task::spawn_blocking(unpack).await.map_err(|_| Error::Interrupted)??;

    let restored = Event::Restored { file: from.display().to_string(), sha256: sha256.to_string() };
    let head = examine(&target.unpacked(), passphrase, &manifest, restored, act).await?;
    target.settle(&manifest.files)?;
    let cleared = target.cleared;
    target.finish();
    tracing::info!(kms_uri = manifest.kms_uri, entries = head.number, "restored");
    let Manifest { kms_uri, made, files, mut left_out, .. } = manifest;
    left_out.extend(named_elsewhere(&Config::load(folder)?, &left_out));
    Ok(Restored { kms_uri, made, head, sha256, files, left_out, cleared })
}

/// Opens the KMS, follows its audit log, and writes there that it was restored. Nothing of it is open afterwards.
async fn examine(
    folder: &Path,
    passphrase: &Passphrase,
    manifest: &Manifest,
    restored: Event,
    act: Act,
) -> Result<Head, Error> {
    let state = State::open(folder, passphrase).await?;
    let examined = async {
        let head = audit::verify(&*state.store, None).await?;
        if (head.number, &head.hash.to_string()) != (manifest.audit_entries, &manifest.audit_hash) {
            return Err(BackupFault::Damaged.into());
        }
        state.store.record(restored, act).await?;
        Ok(head)
    };
    let examined: Result<Head, Error> = examined.await;
    let closed = state.store.close().await;
    let head = examined?;
    closed?;
    Ok(head)
}

/// Also the SHA-256 of the whole backup.
fn unpack(from: File, folder: &Path, passphrase: &Passphrase) -> io::Result<(Manifest, Hash)> {
    let opener = Opener::begin(Digesting::new(BufReader::new(from)), passphrase)?;
    let mut archive = tar::Archive::new(opener);
    let manifest = extract(&mut archive, folder)?;
    let (_, digested) = archive.into_inner().finish()?.finish();
    Ok((manifest, digested.sha256))
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
    let place_failed = |path: &Path, error| io::Error::other(BackupFault::file(path, error));
    make_folder(folder).map_err(|error| place_failed(folder, error))?;
    for name in &manifest.files {
        let mut entry = entries.next().ok_or_else(damaged)??;
        if entry.path_bytes() != name.as_bytes() || !is_within(name) {
            return Err(damaged());
        }
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            make_folder(parent).map_err(|error| place_failed(parent, error))?;
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(|error| place_failed(&path, error))?;
        io::copy(&mut entry, &mut Named::new(&mut file, &path))?;
        file.sync_all().map_err(|error| place_failed(&path, error))?;
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

#[cfg(test)]
mod tests {
    use super::super::save::{Sources, pack};
    use super::*;
    use crate::kms::secrets::SecretsFile;
    use crate::kms::testing;
    use crate::kms::{InitOptions, init};
    use crate::sealing::KdfParameters;
    use std::fs;
    use std::time::SystemTime;

    fn act() -> Act {
        Act::new("the operator", SystemTime::now())
    }

    /// A backup in which nothing was altered, and which says of its audit log what is not so.
    #[tokio::test]
    async fn a_kms_that_is_refused_when_it_is_open_leaves_nothing() {
        let temporary = testing::folder();
        let (folder, out) = (temporary.path().join("kms"), temporary.path().join("kms.backup"));
        let passphrase = Passphrase::new("a passphrase".into()).unwrap();
        let options =
            InitOptions { kdf: KdfParameters::cheap_for_tests(), ..InitOptions::new("kms.example.org", "example.org") };
        let made = init(&folder, options, &passphrase, act()).await.unwrap();
        let (sealed, key) = SecretsFile::open(&made.config, &passphrase).unwrap().0.into_parts();
        let manifest = Manifest {
            form: manifest::FORM,
            program: "test".into(),
            kms_uri: made.config.kms_uri.clone(),
            made: "2026-11-29T00:00:00Z".into(),
            audit_entries: 1,
            audit_hash: "00".repeat(32),
            files: ["kms.toml", "secrets.sealed", "kms.sqlite", "tls-key.pem"].map(str::to_owned).into(),
            left_out: Vec::new(),
        };
        let sources = Sources { database: folder.join("kms.sqlite"), config: made.config, sealed };
        pack(&manifest, &sources, key, &out).unwrap().temporary.create(&out).unwrap();
        let target = temporary.path().join("restored");
        for is_there in [false, true, true, true] {
            if is_there {
                fs::create_dir_all(&target).unwrap();
            }
            let error = restore(&out, &target, &passphrase, act()).await.unwrap_err();
            assert!(matches!(error, Error::Backup(BackupFault::Damaged)), "{error}");
            match is_there {
                true => assert_eq!(fs::read_dir(&target).unwrap().count(), 0),
                false => assert!(!target.exists()),
            }
        }
    }
}
