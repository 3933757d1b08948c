use super::{Folder, operator};
use crate::cli::failure::{Advise, Context, Failure};
use crate::cli::output::Output;
use crate::cli::{passphrase, runtime};
use mikey_sakke::kms::{State, admin};
use mikey_sakke::sealing;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Make the keys that a user's client and the KMS share: a transport key (TrK), which wraps, and an integrity key (InK),
/// which signs.
#[derive(clap::Subcommand)]
pub enum Command {
    New(New),
    Rotate(Rotate),
}

/// Make a TrK and an InK for a user, and write them to two files, to be handed over out of band.
///
/// From now on the server signs its answers to this user and wraps the keys in them.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  mikey-sakke kms trk new --dir kms --user sip:alice@example.org --out alice-keys
  mikey-sakke client provision --store alice --kms https://kms.example.org:8443 --user sip:alice@example.org \\
      --token token.jwt --trk alice-keys/trk.key --ink alice-keys/ink.key")]
pub struct New {
    #[command(flatten)]
    folder: Folder,
    /// One of the user's URIs: the one that its client asks with.
    #[arg(long, value_name = "URI")]
    user: String,
    /// Folder for the files trk.key and ink.key; made if need be.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The user has keys already: end them at once.
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    passphrase: passphrase::Source,
}

/// Make the next TrK and InK of a user. The server sends them with its next answers, wrapped under the present TrK, and the
/// present ones stay good until the client has used the new ones.
///
/// A user has one pair, whatever the number of its devices: the first device that uses the new keys ends the old ones for all of them, and
/// the others need the new files by hand (kms trk new --replace). Give each device a user of its own.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  mikey-sakke kms trk rotate --dir kms --user sip:alice@example.org")]
pub struct Rotate {
    #[command(flatten)]
    folder: Folder,
    /// One of the user's URIs.
    #[arg(long, value_name = "URI")]
    user: String,
    #[command(flatten)]
    passphrase: passphrase::Source,
}

pub fn run(command: &Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::New(arguments) => new(arguments, output),
        Command::Rotate(arguments) => rotate(arguments, output),
    }
}

fn new(arguments: &New, output: &Output) -> Result<(), Failure> {
    let user = &arguments.user;
    let (trk, ink) = (arguments.out.join("trk.key"), arguments.out.join("ink.key"));
    // Before the KMS has keys that nobody could be given.
    sealing::file::make_folder(&arguments.out)
        .context(format_args!("cannot make the folder {}", arguments.out.display()))?;
    for path in [&trk, &ink] {
        if path.try_exists().context(format_args!("cannot look for {}", path.display()))? {
            return Err(Failure::new(format!("{} exists already", path.display()))).advise("Choose another folder.");
        }
    }
    let keys = runtime::start()?.block_on(async {
        let state = open(&arguments.folder, &arguments.passphrase).await?;
        admin::new_client_keys(&state, user, arguments.replace, &operator::act())
            .await
            .context(format_args!("cannot make keys for {user}"))
    })?;
    let (transport, integrity) = keys.to_files();
    write(&trk, transport.as_bytes())?;
    if let Some(integrity) = &integrity {
        write(&ink, integrity.as_bytes())?;
    }
    let (trk_id, ink_id) = (keys.transport.name(), keys.signing_key().name());
    output.line(format_args!("{trk_id} in {}", trk.display()));
    output.line(format_args!("{ink_id} in {}", ink.display()));
    output.message("Hand both files to the client in a safe way, and delete them here.");
    output.object(&json!({ "user_uri": user, "trk_id": trk_id, "ink_id": ink_id, "trk": trk, "ink": ink }))
}

fn rotate(arguments: &Rotate, output: &Output) -> Result<(), Failure> {
    let user = &arguments.user;
    let ids = runtime::start()?.block_on(async {
        let state = open(&arguments.folder, &arguments.passphrase).await?;
        admin::rotate_client_keys(&state, user, &operator::act())
            .await
            .context(format_args!("cannot make new keys for {user}"))
    })?;
    output.line(format_args!("{} and {} go out with the next answer to {user}", ids.trk_id, ids.ink_id));
    output
        .message("The first device that uses them ends the old ones; a second device of this user is then locked out.");
    output.object(&json!({ "user_uri": user, "trk_id": ids.trk_id, "ink_id": ids.ink_id }))
}

async fn open(folder: &Folder, passphrase: &passphrase::Source) -> Result<State, Failure> {
    let passphrase = passphrase.read(&folder.secrets())?;
    State::open(&folder.dir, &passphrase).await.context(folder.cannot_open())
}

fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    sealing::file::create(path, content)
        .context(format_args!("cannot write {}", path.display()))
        .advise("Run the command again with --replace, and another folder for --out.")
}
