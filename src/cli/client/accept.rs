use super::{Compatible, KeyTypeName, open};
use crate::cli::failure::{Context, Failure};
use crate::cli::key_view::{KeyView, hidden_note, parameters_json, parameters_text};
use crate::cli::output::Output;
use crate::cli::{key_view, message_input, passphrase};
use mikey_sakke::client::{self, AcceptOptions, Error, now};
use mikey_sakke::mc;
use mikey_sakke::mc::imessage::Revocation;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Open a message (I_MESSAGE) that carries a key to you.
///
/// It is refused unless it is well formed, not seen before, for you, of now, signed by its sender, and its key
/// decrypts and is neither revoked nor expired. It opens once. With --json the key and its SRTP keys are null without
/// --show-secrets.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  mikey-sakke client accept --store bob --as sip:bob@example.org call.mikey
  mikey-sakke client accept --store bob --as sip:bob@example.org \\
      --from sip:alice@example.org --type pck < invite.sdp")]
pub struct Arguments {
    /// File with the message; - or nothing for standard input.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Folder of the client store.
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// Identity of the store that the message is for.
    #[arg(long = "as", id = "user", value_name = "URI")]
    user: String,
    /// Who must have sent it.
    #[arg(long, value_name = "URI")]
    from: Option<String>,
    /// Open a message of your own that you sent to somebody from another device (SAKKE-to-self, TS 33.180 E.5).
    #[arg(long, value_name = "URI", conflicts_with = "from")]
    sent_to: Option<String>,
    /// What the key must be for.
    #[arg(long = "type", id = "type", value_name = "TYPE", value_enum, ignore_case = true)]
    key_type: Option<KeyTypeName>,
    #[command(flatten)]
    compatible: Compatible,
    /// Show the key and the SRTP keys.
    #[arg(long)]
    show_secrets: bool,
    #[command(flatten)]
    passphrase: passphrase::Source,
}

/// The key that a message takes back, and whether it was held.
fn taken_back(error: &Error) -> Option<(String, bool)> {
    match error {
        Error::HeldKeyRevoked { key_id } => Some((key_id.to_string(), true)),
        Error::TakenBackElsewhere { key_id } => Some((key_id.to_string(), false)),
        Error::Message(mc::Error::KeyRevoked { key_id }) => Some((format!("{key_id:08x}"), false)),
        _ => None,
    }
}

pub fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let message = message_input::read(arguments.file.as_deref())?;
    let mut store = open(&arguments.store, &arguments.passphrase)?;
    let options = AcceptOptions {
        initiator_uri: arguments.from.as_deref(),
        sent_to: arguments.sent_to.as_deref(),
        key_type: arguments.key_type.map(Into::into),
        window: None,
        compatibility: arguments.compatible.settings(),
    };
    let accepted = client::accept(&mut store, &arguments.user, &message, &options, now());
    let taken_back = accepted.as_ref().err().and_then(taken_back);
    let opened = match accepted.context("the message was refused") {
        Ok(opened) => opened,
        Err(failure) => match taken_back {
            Some((key_id, dropped)) => {
                let error = failure.message();
                output.object(&json!({ "error": error, "revocation": "yes", "key_id": key_id, "dropped": dropped }))?;
                return Err(failure.once_reported());
            }
            None => return Err(failure),
        },
    };

    let view = KeyView::of(&opened.bundle, arguments.show_secrets);
    let initiator = opened.initiator();
    let from = initiator.uri().map_or_else(|| format!("UID {}", initiator.uid()), str::to_owned);
    output.line(format_args!("A key for {} from {from} of KMS {}", opened.recipient_uri, initiator.kms_uri()));
    view.print(output);
    if let Some(parameters) = &opened.parameters {
        output.line(format_args!("  parameters {}", parameters_text(parameters)));
    }
    if opened.revocation == Revocation::Possible {
        output.line(
            "  revocation possible: status 0 revokes by table E.6.1-1 of TS 33.180, and some send it with live keys",
        );
    }
    hidden_note(arguments.show_secrets, output);
    output.object(&json!({
        "key_type": view.key_type(),
        "key_id": view.key_id(),
        "key": view.key(),
        "guk_id": view.guk_id(),
        "rand": view.rand(),
        "srtp": view.srtp(),
        "key_parameters": opened.parameters.as_ref().map_or(Value::Null, parameters_json),
        "revocation": key_view::revocation(opened.revocation),
        "initiator": { "uid": initiator.uid().to_string(), "uri": initiator.uri(), "kms_uri": initiator.kms_uri() },
        "initiator_kms": initiator.kms_uri(),
        "recipient": { "uid": opened.recipient_uid.to_string(), "uri": opened.recipient_uri },
    }))
}
