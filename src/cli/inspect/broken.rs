use super::finding::Finding;
use super::{HIDDEN, short_hex};
use crate::cli::output::{Output, error_style, quiet_style};
use mikey_sakke::mikey::{Fault, Part};
use serde_json::{Value, json};

/// Octets of the header without its map of crypto sessions (RFC 3830 6.1).
const HEADER_LEN: usize = 10;

/// Where a message breaks: which part cannot be read, at which octet, and what is there.
pub struct Broken {
    part: String,
    start: usize,
    offset: usize,
    /// None where they could be keys.
    octets: Option<String>,
    finding: Finding,
}

impl Broken {
    pub fn of(fault: &Fault, message: &[u8], show_secrets: bool) -> Self {
        let offset = fault.offset();
        Self {
            part: match fault.part {
                Part::Header => "HDR".to_owned(),
                Part::Payload(payload_type) => {
                    payload_type.name().map_or_else(|| format!("payload of type {payload_type}"), str::to_owned)
                }
            },
            start: fault.start,
            offset,
            octets: octets(fault, message, show_secrets).map(short_hex),
            finding: Finding::broken(fault),
        }
    }

    /// Whether a finding says the same.
    pub fn is(&self, finding: &Finding) -> bool {
        self.finding == *finding
    }

    pub fn json(&self) -> Value {
        json!({
            "payload": self.part,
            "start": self.start,
            "offset": self.offset,
            "octets": self.octets,
            "what": self.finding.what,
            "clause": self.finding.clause,
        })
    }

    pub fn print(&self, output: &Output) {
        let (quiet, style) = (quiet_style(), error_style());
        output.line(format_args!("{quiet}{:>5}{quiet:#}  {style}{} cannot be read{style:#}", self.start, self.part));
        output.line(format_args!(
            "{quiet}{:>5}{quiet:#}    {style}fault:{style:#} {}",
            self.offset,
            self.finding.text()
        ));
        let octets = match self.octets.as_deref() {
            None => HIDDEN,
            Some("") => "none",
            Some(octets) => octets,
        };
        output.line(format_args!("         octets from here: {octets}"));
    }
}

/// What is at the fault, of HDR alone: nothing tells what else an unreadable part hides, nor whether the header says the truth
/// of the method.
fn octets<'m>(fault: &Fault, message: &'m [u8], show_secrets: bool) -> Option<&'m [u8]> {
    let start = fault.offset();
    let rest = message.get(start..).unwrap_or_default();
    match fault.part {
        _ if show_secrets || rest.is_empty() => Some(rest),
        Part::Header => message.get(start..message.len().min(HEADER_LEN)).filter(|octets| !octets.is_empty()),
        Part::Payload(_) => None,
    }
}
