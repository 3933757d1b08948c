use super::{Folder, operator};
use crate::cli::failure::{Context, Failure};
use crate::cli::output::Output;
use crate::cli::{key_files, passphrase, runtime};
use mikey_sakke::kms::{State, admin};
use mikey_sakke::sealing;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Write a user's keys to a file, to be carried to the client by hand (pre-provisioning).
///
/// The file is the KMS response that the client would have got over HTTPS. Without a transport key (kms trk new) the keys in
/// it are in clear: guard it, and delete it when the client has imported it. With one it is signed, its keys are wrapped, and
/// only the holder of the transport key can read them.
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  mikey-sakke kms issue --dir kms --user sip:alice@example.org --out keyprov.xml --init-out init.xml
  mikey-sakke client import --store alice --init init.xml --keyprov keyprov.xml")]
pub struct Arguments {
    #[command(flatten)]
    folder: Folder,
    /// URI that the keys are for; it must belong to a user of the KMS.
    #[arg(long, value_name = "URI")]
    user: String,
    /// Key period; without it, the current and the next one.
    #[arg(long, value_name = "N")]
    period_no: Option<u64>,
    /// File for the keys (the answer to keyprov).
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// File for the KMS's certificate (the answer to init), which the client needs as well.
    #[arg(long, value_name = "FILE")]
    init_out: Option<PathBuf>,
    #[command(flatten)]
    keys: key_files::KeyFiles,
    #[command(flatten)]
    passphrase: passphrase::Source,
}

pub fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let keys = arguments.keys.read()?;
    let passphrase = arguments.passphrase.read(&arguments.folder.secrets())?;
    let user = &arguments.user;
    runtime::start()?.block_on(async {
        let state = State::open(&arguments.folder.dir, &passphrase).await.context(arguments.folder.cannot_open())?;
        let act = operator::act();
        if let Some(path) = &arguments.init_out {
            let document = admin::init_document(&state, user, keys.as_ref(), act.at)
                .await
                .context("cannot write the certificate")?;
            write(path, document.as_bytes())?;
            output.line(format_args!("certificate of {} in {}", state.config.kms_uri, path.display()));
        }
        let issued = admin::issue(&state, user, arguments.period_no, keys.as_ref(), &act)
            .await
            .context(format_args!("cannot issue keys for {user}"))?;
        write(&arguments.out, issued.document.as_bytes())?;
        let key_sets = issued.key_sets;
        output.line(format_args!("{key_sets} key sets of {user} in {}", arguments.out.display()));
        output.object(&json!({
            "user_uri": user,
            "kms_uri": state.config.kms_uri,
            "issued": key_sets,
            "signed_with": keys.as_ref().map(|keys| keys.signing_key().name()),
            "wrapped_with": keys.as_ref().map(|keys| keys.transport.name()),
            "out": arguments.out,
            "init_out": arguments.init_out,
        }))
    })
}

fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    sealing::file::replace(path, content).context(format_args!("cannot write {}", path.display()))
}
