mod many;
mod one;

use super::Folder;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::{key_files, passphrase};
use std::path::PathBuf;

/// Write users' keys to files, to be carried to their clients by hand (pre-provisioning).
///
/// A file is the KMS response that the client would have got over HTTPS. Without a transport key (kms trk new) the keys in
/// it are in clear: guard it, and delete it when the client has imported it. With one it is signed, its keys are wrapped, and
/// only the holder of the transport key can read them.
///
/// For many users (--users, --all) the KMS takes the transport keys from its database, and users who have none are refused, unless
/// --clear or --new-trk says what they get. Interrupted, the same command goes on where it was. Files of earlier runs that are good
/// no more, of users who were revoked or got other transport keys since, are removed and listed.
#[derive(clap::Args)]
#[command(
    group = clap::ArgGroup::new("whom").required(true).args(["user", "users", "all"]),
    group = clap::ArgGroup::new("many").multiple(true).args(["users", "all"]),
    after_help = "\
Examples:
  mikey-sakke kms issue --dir kms --user sip:alice@example.org --out keyprov.xml --init-out init.xml
  mikey-sakke client import --store alice --init init.xml --keyprov keyprov.xml

  mikey-sakke kms issue --dir kms --users users.csv --out issued --new-trk transport-keys
  mikey-sakke client import --store alice --init issued/sip%3Aalice@example.org.init.xml \\
      --keyprov issued/sip%3Aalice@example.org.keyprov.xml \\
      --trk transport-keys/sip%3Aalice@example.org.trk.key --ink transport-keys/sip%3Aalice@example.org.ink.key"
)]
pub struct Arguments {
    #[command(flatten)]
    folder: Folder,
    /// URI that the keys are for; it must belong to a user of the KMS.
    #[arg(long, value_name = "URI")]
    user: Option<String>,
    /// File of URIs, one a line, or CSV as kms user import takes it; - is standard input.
    #[arg(long, value_name = "FILE")]
    users: Option<PathBuf>,
    /// All URIs of all active users.
    #[arg(long)]
    all: bool,
    /// Key period; without it, the current and the next one.
    #[arg(long, value_name = "N")]
    period_no: Option<u64>,
    /// File for the keys (the answer to keyprov); for many users, a folder: new, empty, or that of an interrupted issue.
    #[arg(long, value_name = "PATH")]
    out: PathBuf,
    /// File for the KMS's certificate (the answer to init), which the client needs as well. Where the keys need further ones, after
    /// a roll-over, they go to a file beside it: init.certcache.xml beside init.xml.
    #[arg(long, value_name = "FILE", conflicts_with = "many")]
    init_out: Option<PathBuf>,
    #[command(flatten)]
    keys: key_files::KeyFiles,
    /// For users without transport key, write files with the keys in clear; for one user, although it has a transport key.
    #[arg(long, conflicts_with = "trk")]
    clear: bool,
    /// For users without transport key, make one and an integrity key, in files of this folder, to be handed over apart from
    /// the others.
    #[arg(long, value_name = "DIR", requires = "many", conflicts_with = "clear")]
    new_trk: Option<PathBuf>,
    #[command(flatten)]
    passphrase: passphrase::Source,
}

pub fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    match &arguments.user {
        Some(user) => one::run(arguments, user, output),
        None => many::run(arguments, output),
    }
}
