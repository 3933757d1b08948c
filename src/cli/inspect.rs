mod anatomy;
mod broken;
mod finding;
mod findings;
mod node;
mod opened;
mod origin;
mod payloads;
mod report;
mod strict;

use super::client::{self, Compatible};
use super::failure::{Advise, Failure};
use super::message_input;
use super::output::{Output, error_style, hex};
use super::passphrase;
use finding::{Finding, Severity};
use mikey_sakke::capture::{Found, Unread};
use mikey_sakke::client::{AcceptOptions, Store, examine, now};
use opened::Opened;
use report::Report;
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// Decode MIKEY messages field by field; with a store of keys, verify and decrypt them as well.
///
/// A message is taken as it comes: base64, `mikey BASE64`, an SDP a=key-mgmt line or a whole SDP body, a SIP or RTSP
/// message with its headers, hex, a hex dump (xxd, hexdump -C, tcpdump -X, Wireshark), binary, or a capture of packets
/// (pcap, pcapng; SIP, RTSP, and MIKEY itself on port 2269, over UDP and TCP). Of a capture every message is shown with the
/// frame that completed it, and what could have been a message and is none is named.
///
/// Where a message deviates from the profile of TS 33.180 is said as well, with the clause. With a store a message of any
/// age is opened, as often as you like, and nothing is stored: what its age or a replay would make wrong is reported. Every
/// other rule holds. If any of several messages cannot be read or opened, the command fails; --message picks one.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  mikey-sakke inspect message.sdp
  echo 'mikey ARoFARaZJjgA...' | mikey-sakke inspect --json
  mikey-sakke inspect call.pcapng
  mikey-sakke inspect call.pcapng --message 2 --strict
  mikey-sakke inspect message.b64 --store bob --as sip:bob@example.org --show-secrets")]
pub struct Arguments {
    /// File with the message or messages; - or nothing for standard input.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Look at this message of several, counted from 1.
    #[arg(long, value_name = "N")]
    message: Option<usize>,
    /// Report every deviation from the specification, also what is accepted, and exit with 1 if there is one.
    #[arg(long)]
    strict: bool,
    /// Folder of a client store, to verify and decrypt with.
    #[arg(long, value_name = "DIR", requires = "user")]
    store: Option<PathBuf>,
    /// Identity of the store that the message is for.
    #[arg(long = "as", id = "user", value_name = "URI", requires = "store")]
    user: Option<String>,
    /// Open a message of this identity's own that went to somebody (SAKKE-to-self, TS 33.180 E.5).
    #[arg(long, value_name = "URI", requires = "user")]
    sent_to: Option<String>,
    #[command(flatten)]
    compatible: Compatible,
    /// Show the key itself, keys in clear, and what could be one where a message breaks.
    #[arg(long)]
    show_secrets: bool,
    #[command(flatten)]
    passphrase: passphrase::Source,
}

pub fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let found = message_input::read_all(arguments.file.as_deref())?;
    let chosen = arguments.choose(&found)?;
    let mut store = match &arguments.store {
        Some(folder) => Some(client::open(folder, &arguments.passphrase)?),
        None => None,
    };
    let mut outcome = Outcome::default();
    let mut first = Map::new();
    // One message at a time: what is said of all messages of a capture takes many times its octets.
    let mut results = output.stream();
    results.begin_list("messages");
    for (index, message) in found.messages.iter().enumerate() {
        let mut report = Report::of(index + 1, message, arguments.strict, arguments.show_secrets);
        if chosen.contains(&index) {
            report.print(several(&found), output);
            if let (Some(store), Some(user), true) = (&mut store, &arguments.user, report.is_readable()) {
                arguments.open(store, user, &message.octets, &mut report, output);
            }
        }
        if output.is_json() {
            let object = report.json();
            if index == chosen.start {
                first.clone_from(&object);
            }
            results.item(&object.into());
        }
        if chosen.contains(&index) {
            outcome.add(report);
        }
    }
    results.end_list();
    first.iter().for_each(|(name, value)| results.field(name, value));
    print_unread(&found.unread, output);
    results.field("unread", &found.unread.iter().map(unread).collect());
    results.end();
    outcome.result(arguments.strict).map_err(Failure::once_reported)
}

/// How many messages there are, if there is more than one.
fn several(found: &Found) -> Option<usize> {
    Some(found.messages.len()).filter(|count| *count > 1)
}

impl Arguments {
    /// The messages to look at, by their places.
    fn choose(&self, found: &Found) -> Result<std::ops::Range<usize>, Failure> {
        let count = found.messages.len();
        match self.message {
            None => Ok(0..count),
            Some(number) if (1..=count).contains(&number) => Ok(number - 1..number),
            Some(number) => Err(Failure::new(format!("there is no message {number}")))
                .advise(format!("The input has {count}, counted from 1.")),
        }
    }

    fn open(&self, store: &mut Store, user: &str, octets: &[u8], report: &mut Report, output: &Output) {
        let (sent_to, compatibility) = (self.sent_to.as_deref(), self.compatible.settings());
        let options = AcceptOptions { sent_to, compatibility, ..AcceptOptions::default() };
        match examine(store, user, octets, &options, now()) {
            Ok(examined) => {
                let opened = Opened::of(&examined, self.show_secrets);
                opened.print(&examined, self.show_secrets, output);
                report.opened(opened);
                if self.strict {
                    let mut findings = strict::judge_opened(&examined.opened);
                    let excused = examined.excused.iter().map(Finding::refused);
                    findings.extend(excused.map(|finding| Finding { severity: Severity::Excusable, ..finding }));
                    findings.iter().for_each(|finding| finding.print(output));
                    report.add(findings);
                }
            }
            Err(error) => {
                report.not_opened(&error);
                report.print_signature(output);
            }
        }
    }
}

/// What comes of all messages that were looked at.
#[derive(Default)]
struct Outcome {
    failure: Option<Failure>,
    deviations: usize,
}

impl Outcome {
    fn add(&mut self, report: Report) {
        self.deviations += report.deviations();
        self.failure = self.failure.take().or(report.into_failure());
    }

    /// The first failure; under --strict deviations are one.
    fn result(self, strict: bool) -> Result<(), Failure> {
        match (self.failure, self.deviations) {
            (Some(failure), _) => Err(failure),
            (None, 0) => Ok(()),
            (None, _) if !strict => Ok(()),
            (None, 1) => Err(Failure::new("1 deviation from the specification")),
            (None, count) => Err(Failure::new(format!("{count} deviations from the specification"))),
        }
    }
}

/// What cannot be read, for scripts.
fn unread(unread: &Unread) -> Value {
    json!({ "what": unread.fault.to_string(), "origin": origin::json(&unread.origin) })
}

fn print_unread(unread: &[Unread], output: &Output) {
    let style = error_style();
    for Unread { fault, origin } in unread {
        output.line(format_args!("{style}not read:{style:#} {fault} ({})", origin::text(origin)));
    }
}

/// In place of what is a secret, or could have one in it.
const HIDDEN: &str = "(hidden)";

/// Octets in hex, shortened for a screen.
fn short_hex(octets: &[u8]) -> String {
    const SHOWN: usize = 24;
    match octets.get(..SHOWN) {
        Some(start) if octets.len() > SHOWN + 8 => format!("{}... ({} octets)", hex(start), octets.len()),
        _ => hex(octets),
    }
}
