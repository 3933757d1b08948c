use super::Arguments;
use crate::cli::failure::{Context, Failure};
use crate::cli::kms::operator;
use crate::cli::output::Output;
use crate::cli::runtime;
use mikey_sakke::kms::{State, admin};
use mikey_sakke::sealing;
use serde_json::json;
use std::path::Path;

pub fn run(arguments: &Arguments, user: &str, output: &Output) -> Result<(), Failure> {
    let keys = arguments.keys.read()?;
    let passphrase = arguments.passphrase.read(&arguments.folder.secrets())?;
    runtime::start()?.block_on(async {
        let state = State::open(&arguments.folder.dir, &passphrase).await.context(arguments.folder.cannot_open())?;
        let act = operator::act();
        let cannot_issue = format!("cannot issue keys for {user}");
        // Before anything else, so that a user who gets none is told so.
        let has_keys = admin::has_client_keys(&state, user).await.context(&cannot_issue)?;
        if has_keys && keys.is_none() && !arguments.clear {
            return Err(Failure::new(format!("{user} has a transport key, and would get its keys in clear"))
                .advise("Give --trk and --ink, or --clear if its client cannot use them."));
        }
        let init = match &arguments.init_out {
            Some(path) => {
                let document = admin::init_document(&state, user, keys.as_ref(), act.at).await.context(&cannot_issue)?;
                Some((path, document))
            }
            None => None,
        };
        let further = admin::further_certificates_document(&state, user, arguments.period_no, keys.as_ref(), act.at)
            .await
            .context(&cannot_issue)?;
        let issued =
            admin::issue(&state, user, arguments.period_no, keys.as_ref(), &act).await.context(&cannot_issue)?;

        if let Some((path, document)) = init {
            write(path, document.as_bytes())?;
            output.line(format_args!("certificate of {} in {}", state.config.kms_uri, path.display()));
        }
        let certcache_out = match (&arguments.init_out, further) {
            (Some(init_out), Some(document)) => {
                let path = init_out.with_extension("certcache.xml");
                write(&path, document.as_bytes())?;
                output.message(format_args!(
                    "note: the KMS has rolled over, and these keys need further certificates: give {} to client import with --certcache",
                    path.display()
                ));
                Some(path)
            }
            (None, Some(_)) => {
                output.message(
                    "note: the KMS has rolled over, and these keys need further certificates: with --init-out they are written too",
                );
                None
            }
            (_, None) => None,
        };
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
            "certcache_out": certcache_out,
        }))
    })
}

fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    sealing::file::replace(path, content).context(format_args!("cannot write {}", path.display()))
}
