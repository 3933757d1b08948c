mod payloads;

use super::client::{self, Compatible};
use super::failure::{Context, Failure};
use super::key_view::{KeyView, hidden_note, parameters_json, parameters_text};
use super::message_input;
use super::output::{Output, error_style, good_style, hex, title_style};
use super::passphrase;
use mikey_sakke::client::{AcceptOptions, Error, Examined, examine, now};
use mikey_sakke::mc;
use mikey_sakke::mc::imessage::Incoming;
use mikey_sakke::mikey::Message;
use payloads::Described;
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// Decode a MIKEY message payload by payload; with a store of keys, verify and decrypt it as well.
///
/// A message is taken as it comes: base64, `mikey BASE64`, an SDP a=key-mgmt line or a whole SDP body, hex, or binary.
/// Where it deviates from the profile of TS 33.180 is said as well. With a store a message of any age is opened, as often as you like, and nothing is stored: what its age or a replay
/// would make wrong is reported. Every other rule holds.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  mikey-sakke inspect message.sdp
  echo 'mikey ARoFARaZJjgA...' | mikey-sakke inspect --json
  mikey-sakke inspect message.b64 --store bob --as sip:bob@example.org --show-secrets")]
pub struct Arguments {
    /// File with the message; - or nothing for standard input.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Folder of a client store, to verify and decrypt with.
    #[arg(long, value_name = "DIR", requires = "user")]
    store: Option<PathBuf>,
    /// Identity of the store that the message is for.
    #[arg(long = "as", id = "user", value_name = "URI", requires = "store")]
    user: Option<String>,
    #[command(flatten)]
    compatible: Compatible,
    /// Show the key itself.
    #[arg(long)]
    show_secrets: bool,
    #[command(flatten)]
    passphrase: passphrase::Source,
}

pub fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let octets = message_input::read(arguments.file.as_deref())?;
    let mut report = Report::default();
    let outcome = arguments.inspect(&octets, &mut report, output);
    if let Err(failure) = &outcome {
        report.error = Some(failure.message());
    }
    output.object(&report.json())?;
    outcome.map_err(Failure::once_reported)
}

impl Arguments {
    fn inspect(&self, octets: &[u8], report: &mut Report, output: &Output) -> Result<(), Failure> {
        let message = Message::parse(octets).context("this is no MIKEY message that can be read")?;
        report.csb_id = Some(message.header.csb_id);
        report.data_type = Some(message.header.data_type.number());
        report.payloads = payloads::describe(&message);
        let title = title_style();
        output.line(format_args!("{title}MIKEY message, {} octets{title:#}", octets.len()));
        report.payloads.iter().for_each(|payload| payload.print(output));
        report.judge(octets, output);

        let (Some(folder), Some(user)) = (&self.store, &self.user) else { return Ok(()) };
        let mut store = client::open(folder, &self.passphrase)?;
        let options = AcceptOptions { compatibility: self.compatible.settings(), ..AcceptOptions::default() };
        match examine(&mut store, user, octets, &options, now()) {
            Ok(examined) => {
                report.signature = Signature::Valid;
                report.opened = Some(Opened::of(&examined, self.show_secrets));
                print(&examined, self.show_secrets, output);
                Ok(())
            }
            Err(error) => {
                report.signature = Signature::after(&error);
                let style = error_style();
                output.line(format_args!("{style}signature {}{style:#}", report.signature.name()));
                Err(Failure::new("the message cannot be opened").because(&error))
            }
        }
    }
}

/// What is known of the message so far.
#[derive(Default)]
struct Report {
    payloads: Vec<Described>,
    data_type: Option<u8>,
    csb_id: Option<u32>,
    /// What only a setting excuses.
    deviations: Vec<String>,
    /// What nothing excuses.
    refusal: Option<String>,
    signature: Signature,
    opened: Option<Opened>,
    error: Option<String>,
}

/// What a store made of the message, ready to be shown.
struct Opened {
    key: Value,
    parameters: Value,
    initiator: Value,
    recipient: Value,
    findings: Vec<String>,
    replayed: bool,
}

impl Report {
    /// Holds the message against the profile of TS 33.180.
    fn judge(&mut self, octets: &[u8], output: &Output) {
        let style = error_style();
        match Incoming::parse(octets) {
            Ok(incoming) => self.deviations = incoming.deviations().iter().map(ToString::to_string).collect(),
            Err(error) => self.refusal = Some(Failure::explain(&error)),
        }
        for deviation in &self.deviations {
            output.line(format_args!("{style}deviates from TS 33.180:{style:#} {deviation}"));
        }
        if let Some(refusal) = &self.refusal {
            output.line(format_args!("{style}no I_MESSAGE of TS 33.180:{style:#} {refusal}"));
        }
    }

    fn json(&self) -> Value {
        let mut object = Map::new();
        object.insert("payloads".into(), self.payloads.iter().map(Described::json).collect());
        object.insert("data_type".into(), self.data_type.into());
        object.insert("csb_id".into(), self.csb_id.map(|csb_id| format!("{csb_id:08x}")).into());
        object.insert("deviations".into(), self.deviations.clone().into());
        object.insert("refusal".into(), self.refusal.clone().into());
        object.insert("signature".into(), self.signature.name().into());
        if let Some(opened) = &self.opened {
            object.insert("initiator".into(), opened.initiator.clone());
            object.insert("recipient".into(), opened.recipient.clone());
            object.insert("findings".into(), opened.findings.clone().into());
            object.insert("replayed".into(), opened.replayed.into());
        }
        object.insert("key".into(), self.opened.as_ref().map_or(Value::Null, |opened| opened.key.clone()));
        object.insert(
            "key_parameters".into(),
            self.opened.as_ref().map_or(Value::Null, |opened| opened.parameters.clone()),
        );
        object.insert("error".into(), self.error.clone().into());
        object.into()
    }
}

impl Opened {
    fn of(examined: &Examined, show_secrets: bool) -> Self {
        let opened = &examined.opened;
        let view = KeyView::of(&opened.bundle, show_secrets);
        let initiator = opened.initiator();
        Self {
            key: json!({
                "type": view.key_type(),
                "id": view.key_id(),
                "value": view.key(),
                "guk_id": view.guk_id(),
                "rand": view.rand(),
            }),
            parameters: opened.parameters.as_ref().map_or(Value::Null, parameters_json),
            initiator: json!({
                "uid": initiator.uid().to_string(),
                "uri": initiator.uri(),
                "kms_uri": initiator.kms_uri(),
            }),
            recipient: json!({ "uid": opened.recipient_uid.to_string(), "uri": opened.recipient_uri }),
            findings: opened.findings.iter().map(ToString::to_string).collect(),
            replayed: examined.replayed,
        }
    }
}

fn print(examined: &Examined, show_secrets: bool, output: &Output) {
    let opened = &examined.opened;
    let (good, bad) = (good_style(), error_style());
    output.line(format_args!("{good}signature valid{good:#}"));
    let initiator = opened.initiator();
    output.line(format_args!(
        "  initiator  {}",
        initiator.uri().map_or_else(|| initiator.uid().to_string(), str::to_owned)
    ));
    output.line(format_args!("  recipient  {}", opened.recipient_uri));
    let view = KeyView::of(&opened.bundle, show_secrets);
    view.print(output);
    if let Some(parameters) = &opened.parameters {
        output.line(format_args!("  parameters {}", parameters_text(parameters)));
    }
    for finding in &opened.findings {
        output.line(format_args!("{bad}not acceptable now:{bad:#} {finding}"));
    }
    if examined.replayed {
        output.line(format_args!("{bad}not acceptable now:{bad:#} the message was accepted before"));
    }
    hidden_note(show_secrets, output);
}

#[derive(Clone, Copy, Default)]
enum Signature {
    Valid,
    Invalid,
    #[default]
    Unchecked,
}

impl Signature {
    fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Unchecked => "unchecked",
        }
    }

    /// How far the checks came before this error.
    fn after(error: &Error) -> Self {
        use mc::Error as E;
        match error {
            Error::Message(E::SignatureMalformed(_) | E::SignatureInvalid(_)) => Self::Invalid,
            Error::Message(
                E::Decapsulation(_)
                | E::Spi { .. }
                | E::ParametersTag
                | E::ParametersMalformed { .. }
                | E::ParametersText { .. }
                | E::ParametersKeyType { .. }
                | E::ParametersUnprintable { .. }
                | E::ExpiryBeforeActivation { .. }
                | E::EmptyGroup { .. }
                | E::GroupList { .. }
                | E::GroupIei { .. }
                | E::ParametersContradictType { .. },
            ) => Self::Valid,
            _ => Self::Unchecked,
        }
    }
}

/// Octets in hex, shortened for a screen.
fn short_hex(octets: &[u8]) -> String {
    const SHOWN: usize = 24;
    match octets.get(..SHOWN) {
        Some(start) if octets.len() > SHOWN + 8 => format!("{}... ({} octets)", hex(start), octets.len()),
        _ => hex(octets),
    }
}
