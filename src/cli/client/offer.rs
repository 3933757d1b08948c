use super::{KeyTypeName, open};
use crate::cli::failure::{Context, Failure};
use crate::cli::key_view::{KeyView, hidden_note, parameters_json, parameters_text};
use crate::cli::message_input::from_hex;
use crate::cli::output::Output;
use crate::cli::{clock, passphrase, rng};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mikey_sakke::client::{self, OfferRequest, now};
use mikey_sakke::mc::imessage::{IdentityMode, SessionMap};
use mikey_sakke::mc::{KeyId, KeyParameters, KeyStatus, KeyType};
use mikey_sakke::mikey::{NtpTime, sdp};
use mikey_sakke::sakke::SharedSecret;
use serde_json::{Value, json};
use std::path::PathBuf;
use zeroize::Zeroizing;

/// Make a message (I_MESSAGE) that carries a key to somebody, encrypted to them and signed by you.
///
/// It prints the message; with --json the key and its SRTP keys as well, which are null without --show-secrets. A key
/// that has an identifier already, such as that of a group, goes to the next member with --key-id.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  mikey-sakke client offer --store alice --as sip:alice@example.org \\
      --to sip:bob@example.org --type pck
  mikey-sakke client offer --store gms --as sip:gms@example.org --to sip:bob@example.org \\
      --type gmk --group sip:team@example.org --sdp")]
pub struct Arguments {
    /// Folder of the client store.
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// Identity of the store that sends.
    #[arg(long = "as", id = "user", value_name = "URI")]
    user: String,
    /// Whom the key is for.
    #[arg(long, value_name = "URI")]
    to: String,
    /// What the key is for.
    #[arg(long = "type", id = "type", value_name = "TYPE", value_enum, ignore_case = true)]
    key_type: KeyTypeName,
    /// Group that the key is for (of gmk, mkfc and musik); may be given several times. Without it, a key that you sent
    /// before is for the same groups as then.
    #[arg(long = "group", value_name = "URI")]
    groups: Vec<String>,
    /// The key, 16 octets in hex; without it, a random one.
    #[arg(long, value_name = "HEX", value_parser = parse_key)]
    key: Option<Key>,
    /// The key's identifier, 4 octets in hex; without it, a random one. The key of an identifier that you sent before
    /// is sent again.
    #[arg(long, value_name = "HEX", value_parser = parse_key_id)]
    key_id: Option<KeyId>,
    /// URI of the recipient's KMS. Without it: yours, if it serves the recipient's domain or names no domains; otherwise
    /// the one other KMS that serves it.
    #[arg(long, value_name = "URI")]
    to_kms: Option<String>,
    /// Name both ends by their URIs, for everyone on the way to see, in place of their UIDs.
    #[arg(long)]
    plain: bool,
    /// Let your other devices read the message as well (SAKKE-to-self, TS 33.180 E.5).
    #[arg(long)]
    to_self: bool,
    /// Map the crypto session of the key in the header (GENERIC-ID map). An SPK, MKFC or MSCCK has none.
    #[arg(long)]
    session_map: bool,
    /// Leave the security policy out (SP).
    #[arg(long)]
    no_policy: bool,
    #[command(flatten)]
    parameters: Parameters,
    /// Print the message as an SDP line (a=key-mgmt:mikey ...).
    #[arg(long)]
    sdp: bool,
    /// Show the key and the SRTP keys.
    #[arg(long)]
    show_secrets: bool,
    #[command(flatten)]
    passphrase: passphrase::Source,
}

/// What the message says about the key (TS 33.180 E.6). Any of these takes the place of what is said otherwise: that the
/// key is live, and of a key that you sent before, what was said of it then.
#[derive(clap::Args)]
struct Parameters {
    /// Take back a key that you sent, named by --key-id: whoever holds it stops using it. Everyone who has it must be
    /// told, each by a message of their own. From then on it is not sent again.
    #[arg(long, requires = "key_id")]
    revoke: bool,
    /// Say that a security gateway has the key as well.
    #[arg(long)]
    shared_with_gateway: bool,
    /// From when on the key may be used, for example 2026-11-24T16:00:00Z; without it, at once.
    #[arg(long, value_name = "RFC3339", value_parser = clock::parse_limit)]
    activation: Option<NtpTime>,
    /// From when on the key must not be used; without it, never. Of a key that is taken back: no later than now.
    #[arg(long, value_name = "RFC3339", value_parser = clock::parse_limit)]
    expiry: Option<NtpTime>,
    /// Text for people.
    #[arg(long)]
    text: Option<String>,
    /// Say nothing of the key: leave the key parameters out, which are optional.
    #[arg(long, conflicts_with_all = ["revoke", "shared_with_gateway", "activation", "expiry", "text", "groups"])]
    no_parameters: bool,
}

impl Parameters {
    /// `None` if nothing is to be said but the usual.
    fn of(&self, key_type: KeyType, groups: &[String]) -> Option<KeyParameters> {
        let Self { shared_with_gateway, activation, expiry, text, .. } = self;
        let usual = !shared_with_gateway && activation.is_none() && expiry.is_none() && text.is_none();
        if usual && groups.is_empty() {
            return None;
        }
        let unix = |time: &Option<NtpTime>| time.and_then(NtpTime::unix_seconds).unwrap_or(0);
        let shared = if *shared_with_gateway { KeyStatus::SHARED_WITH_GATEWAY.0 } else { 0 };
        Some(KeyParameters {
            key_type,
            status: KeyStatus(KeyStatus::NOT_REVOKED.0 | shared),
            activation: unix(activation),
            expiry: unix(expiry),
            text: text.clone().unwrap_or_default(),
            groups: groups.to_vec(),
        })
    }
}

/// A key of the command line, which is not to be shown again.
#[derive(Clone)]
struct Key(SharedSecret);

fn parse_key(digits: &str) -> Result<Key, String> {
    let octets = Zeroizing::new(from_hex(digits)?);
    let octets =
        <[u8; 16]>::try_from(octets.as_slice()).map_err(|_| format!("16 octets are needed, not {}", octets.len()))?;
    Ok(Key(SharedSecret::new(octets)))
}

fn parse_key_id(digits: &str) -> Result<KeyId, String> {
    let octets = from_hex(digits)?;
    let octets =
        <[u8; 4]>::try_from(octets.as_slice()).map_err(|_| format!("4 octets are needed, not {}", octets.len()))?;
    KeyId::from_bytes(octets).map_err(|error| error.to_string())
}

pub fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let mut store = open(&arguments.store, &arguments.passphrase)?;
    let request = arguments.request();
    let offered = client::offer(&mut store, &request, now(), &mut rng::system()).context("the message was not made")?;

    let message = STANDARD.encode(&offered.message);
    if arguments.sdp {
        output.line(sdp::line(&offered.message));
    } else {
        output.line(&message);
    }
    let view = KeyView::of(&offered.bundle, arguments.show_secrets);
    if !output.is_json() {
        output.message(format_args!(
            "{} {} for {} at KMS {}",
            view.key_type(),
            view.key_id(),
            arguments.to,
            offered.recipient_kms
        ));
        if let Some(parameters) = &offered.parameters {
            output.message(format_args!("parameters {}", parameters_text(parameters)));
        }
        if let Some(doubt) = offered.parameters.as_ref().and_then(doubt) {
            output.message(doubt);
        }
        if let Some(key) = view.key() {
            output.message(format_args!("key {key}"));
        }
    }
    hidden_note(arguments.show_secrets, output);
    output.object(&json!({
        "message": message,
        "key_type": view.key_type(),
        "key_id": view.key_id(),
        "key": view.key(),
        "guk_id": view.guk_id(),
        "rand": view.rand(),
        "srtp": view.srtp(),
        "recipient_kms": offered.recipient_kms,
        "key_parameters": offered.parameters.as_ref().map_or(Value::Null, parameters_json),
    }))
}

/// What a lab may want, and others did not mean.
fn doubt(parameters: &KeyParameters) -> Option<&'static str> {
    let now = now().unix_seconds().unwrap_or(0);
    let expired = parameters.expiry != 0 && parameters.expiry <= now;
    (expired && parameters.status.is_live()).then_some("The key has expired already: its receiver will refuse it.")
}

impl Arguments {
    fn request(&self) -> OfferRequest<'_> {
        let key_type = KeyType::from(self.key_type);
        OfferRequest {
            recipient_kms_uri: self.to_kms.as_deref(),
            key_id: self.key_id,
            key: self.key.as_ref().map(|Key(key)| key.clone()),
            identity_mode: if self.plain { IdentityMode::Plain } else { IdentityMode::Hidden },
            session_map: if self.session_map { SessionMap::GenericId } else { SessionMap::Empty },
            to_self: self.to_self,
            parameters: self.parameters.of(key_type, &self.groups),
            without_parameters: self.parameters.no_parameters,
            without_policy: self.no_policy,
            revoke: self.parameters.revoke,
            ..OfferRequest::new(&self.user, &self.to, key_type)
        }
    }
}
