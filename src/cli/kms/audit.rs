use super::Folder;
use crate::cli::failure::{Context, Failure};
use crate::cli::output::Output;
use crate::cli::runtime;
use mikey_sakke::kms::audit::{self, Anchor, Hash};
use mikey_sakke::kms::store::Store;
use serde_json::json;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Read and check the log of every issue, refusal and administrative act. The server need not be stopped, and no passphrase is
/// needed.
#[derive(clap::Subcommand)]
pub enum Command {
    Verify(Verify),
    Export(Export),
}

/// Check that no entry was altered, removed or moved, and print the number and hash of the last.
///
/// Whoever can write to the whole database can forge a whole log. Note what this prints elsewhere, and give it the next time with
/// --anchor: a log that was forged or cut since does not hold it.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  mikey-sakke kms audit verify --dir kms
  mikey-sakke kms audit verify --dir kms --anchor 1207:6d0c...")]
pub struct Verify {
    #[command(flatten)]
    folder: Folder,
    /// Number and hash of an entry that was noted before.
    #[arg(long, value_name = "NUMBER:HASH", value_parser = parse_anchor)]
    anchor: Option<Anchor>,
}

/// Print the log as JSON lines: number, hash, and the entry as it was hashed.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  mikey-sakke kms audit export --dir kms --from 1208 >> kms-audit.jsonl")]
pub struct Export {
    #[command(flatten)]
    folder: Folder,
    /// Number of the first entry.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    from: u64,
    /// File to append the lines to, in place of standard output; needed with --json.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub fn run(command: &Command, output: &Output) -> Result<(), Failure> {
    let runtime = runtime::start()?;
    match command {
        Command::Verify(arguments) => runtime.block_on(verify(arguments, output)),
        Command::Export(arguments) => runtime.block_on(export(arguments, output)),
    }
}

async fn verify(arguments: &Verify, output: &Output) -> Result<(), Failure> {
    let (_, store) = arguments.folder.open_store().await?;
    let verified = audit::verify(&*store, arguments.anchor).await;
    store.close().await.context("cannot close the database")?;
    let head = verified.context("the audit log does not hold")?;
    output.line(format_args!(
        "{} entries follow from each other; the last is {}:{}",
        head.number, head.number, head.hash
    ));
    output.object(&json!({
        "entries": head.number,
        "hash": head.hash.to_string(),
        "key_sets": head.key_sets,
        "anchored": arguments.anchor.is_some(),
    }))
}

async fn export(arguments: &Export, output: &Output) -> Result<(), Failure> {
    let mut file = match &arguments.out {
        Some(path) => Some(append_to(path).context(format_args!("cannot write {}", path.display()))?),
        None if output.is_json() => return Err(Failure::new("with --json, the lines need a file: give --out")),
        None => None,
    };
    let write = |line: &str| match &mut file {
        Some(file) => writeln!(file, "{line}").context("cannot write the audit log"),
        None => {
            output.line(line);
            Ok(())
        }
    };
    let (_, store) = arguments.folder.open_store().await?;
    let exported = export_from(arguments.from.max(1), &*store, write).await;
    store.close().await.context("cannot close the database")?;
    let Exported { count, last } = exported?;
    if let Some(mut file) = file {
        file.flush().context("cannot write the audit log")?;
    }
    let (number, hash) = last.map(|(number, hash)| (number, hash.to_string())).unzip();
    output.object(&json!({ "exported": count, "last": number, "hash": hash, "out": arguments.out }))
}

struct Exported {
    count: u64,
    last: Option<(u64, Hash)>,
}

async fn export_from(
    first: u64,
    store: &dyn Store,
    mut write: impl FnMut(&str) -> Result<(), Failure>,
) -> Result<Exported, Failure> {
    let mut exported = Exported { count: 0, last: None };
    loop {
        let from = exported.last.map_or(first, |(number, _)| number.saturating_add(1));
        let page = audit::page(store, from).await.context("cannot read the audit log")?;
        let Some(end) = page.last() else { return Ok(exported) };
        exported = Exported { count: exported.count + page.len() as u64, last: Some((end.number, end.hash)) };
        page.iter().try_for_each(|entry| write(&entry.to_json_line()))?;
    }
}

fn append_to(path: &Path) -> io::Result<BufWriter<File>> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(BufWriter::new)
}

fn parse_anchor(text: &str) -> Result<Anchor, String> {
    let wrong = || "a number, a colon and 64 hex digits are expected, as `kms audit verify` prints them".to_owned();
    let (number, hash) = text.split_once(':').ok_or_else(wrong)?;
    let number = number.parse().map_err(|_| wrong())?;
    Ok(Anchor { number, hash: Hash::from_hex(hash).ok_or_else(wrong)? })
}
