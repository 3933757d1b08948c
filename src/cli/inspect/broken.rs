use super::finding::Finding;
use super::short_hex;
use crate::cli::output::{Output, error_style, quiet_style};
use mikey_sakke::mikey::{Fault, Part};
use serde_json::{Value, json};

/// Where a message breaks: which part cannot be read, at which octet, and what is there.
pub struct Broken {
    part: String,
    start: usize,
    offset: usize,
    octets: String,
    finding: Finding,
}

impl Broken {
    pub fn of(fault: &Fault, message: &[u8]) -> Self {
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
            octets: short_hex(message.get(offset..).unwrap_or_default()),
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
        let octets = if self.octets.is_empty() { "none" } else { &self.octets };
        output.line(format_args!("         octets from here: {octets}"));
    }
}
