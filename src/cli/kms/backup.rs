use super::{Folder, operator};
use crate::cli::failure::{Context, Failure};
use crate::cli::output::Output;
use crate::cli::{passphrase, runtime};
use mikey_sakke::kms::backup::{self, LeftOut};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Save all that the KMS is in one file, sealed under its passphrase. The server need not be stopped.
///
/// The file holds the master secrets, users, transport keys and audit log, the configuration, and the files that it names in the KMS's
/// folder. Note the last entry of the audit log that is printed: a KMS restored from this file prints the same. The SHA-256 of the file is
/// in the audit log of both.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  mikey-sakke kms backup --dir kms --out kms-2026-11-29.backup")]
pub struct Save {
    #[command(flatten)]
    folder: Folder,
    /// File for the backup; never replaced.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    passphrase: passphrase::Source,
}

/// Make a KMS of a backup, in a new or empty folder. After a failure nothing is left there; interrupted, the same command begins anew.
///
/// What was issued, added or revoked after the backup was made is not in it: stop the KMS that it is of, if it still runs.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  mikey-sakke kms restore --from kms-2026-11-29.backup --dir kms")]
pub struct Restore {
    /// The backup.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    passphrase: passphrase::Source,
}

pub fn save(arguments: &Save, output: &Output) -> Result<(), Failure> {
    let passphrase = arguments.passphrase.read(&arguments.folder.secrets())?;
    let (dir, out) = (&arguments.folder.dir, &arguments.out);
    let saved = runtime::start()?
        .block_on(backup::save(dir, out, &passphrase, operator::act()))
        .context(format_args!("cannot back up the KMS in {}", dir.display()))?;
    output.line(format_args!("KMS {} in {} ({} octets)", saved.kms_uri, out.display(), saved.octets));
    output.line(format_args!("its audit log ends with {}:{}", saved.head.number, saved.head.hash));
    output.line(format_args!("the SHA-256 of the file is {}", saved.sha256));
    for path in &saved.swept {
        output.message(format_args!("note: {} was removed, which an interrupted command had left", path.display()));
    }
    tell_left_out("is not in the backup", &saved.left_out, output);
    output.object(&json!({
        "kms_uri": saved.kms_uri,
        "out": out,
        "octets": saved.octets,
        "sha256": saved.sha256.to_string(),
        "entries": saved.head.number,
        "hash": saved.head.hash.to_string(),
        "files": saved.files,
        "left_out": listed(&saved.left_out),
        "swept": saved.swept,
    }))
}

pub fn restore(arguments: &Restore, output: &Output) -> Result<(), Failure> {
    let passphrase = arguments.passphrase.read(&format!("the backup {}", arguments.from.display()))?;
    let dir = &arguments.folder.dir;
    let restored = runtime::start()?
        .block_on(backup::restore(&arguments.from, dir, &passphrase, operator::act()))
        .context(format_args!("cannot restore {}", arguments.from.display()))?;
    if restored.cleared {
        output.message("note: what an interrupted restoring had left in the folder was cleared away");
    }
    output.line(format_args!("KMS {} as of {} in {}", restored.kms_uri, restored.made, dir.display()));
    output.line(format_args!("its audit log holds, up to {}:{}", restored.head.number, restored.head.hash));
    tell_left_out("was not restored to its place", &restored.left_out, output);
    output.object(&json!({
        "kms_uri": restored.kms_uri,
        "dir": dir,
        "made": restored.made,
        "entries": restored.head.number,
        "hash": restored.head.hash.to_string(),
        "sha256": restored.sha256.to_string(),
        "files": restored.files,
        "left_out": listed(&restored.left_out),
        "cleared": restored.cleared,
    }))
}

fn tell_left_out(what: &str, left_out: &[LeftOut], output: &Output) {
    for LeftOut { file, reason } in left_out {
        output.message(format_args!("note: {} {what}: {reason}", file.display()));
    }
}

fn listed(left_out: &[LeftOut]) -> Value {
    left_out.iter().map(|LeftOut { file, reason }| json!({ "file": file, "reason": reason })).collect()
}
