use super::finding::{Finding, Severity};
use super::opened::Opened;
use super::payloads::{self, Described};
use super::{clause, origin, strict};
use crate::cli::failure::{Context, Failure};
use crate::cli::output::{Output, error_style, quiet_style, title_style};
use mikey_sakke::capture::{self, Mikey};
use mikey_sakke::client::Error;
use mikey_sakke::mc;
use mikey_sakke::mc::imessage::Incoming;
use mikey_sakke::mikey::{self, Message};
use serde_json::{Map, Value};

/// What is known of a message so far.
pub struct Report {
    number: usize,
    origin: capture::Origin,
    octets: usize,
    payloads: Vec<Described>,
    data_type: Option<u8>,
    csb_id: Option<u32>,
    /// What only a setting excuses.
    deviations: Vec<String>,
    /// What nothing excuses.
    refusal: Option<String>,
    findings: Vec<Finding>,
    signature: Signature,
    opened: Option<Opened>,
    /// Why it could not be read or opened.
    failure: Option<Failure>,
}

impl Report {
    /// Reads a message and holds it against the profile of TS 33.180.
    pub fn of(number: usize, message: &Mikey, strict: bool, show_secrets: bool) -> Self {
        let mut report = Self {
            number,
            origin: message.origin.clone(),
            octets: message.octets.len(),
            payloads: Vec::new(),
            data_type: None,
            csb_id: None,
            deviations: Vec::new(),
            refusal: None,
            findings: Vec::new(),
            signature: Signature::Unchecked,
            opened: None,
            failure: None,
        };
        if strict {
            let remarks = message.remarks.iter();
            report.add(remarks.map(|remark| Finding::accepted(remark, clause::of_remark(*remark))));
        }
        match Message::parse(&message.octets) {
            Ok(parsed) => {
                report.describe(&parsed, show_secrets);
                report.judge(&message.octets);
                if strict {
                    report.add(strict::judge(&parsed));
                }
            }
            Err(error) => report.broken(&message.octets, &error, strict, show_secrets),
        }
        report
    }

    /// A message that cannot be read is shown as far as its last payload, if it only goes on behind that.
    fn broken(&mut self, octets: &[u8], error: &mikey::Error, strict: bool, show_secrets: bool) {
        if let mikey::Error::TrailingOctets { offset, .. } = error
            && let Some(Ok(parsed)) = octets.get(..*offset).map(Message::parse)
        {
            self.describe(&parsed, show_secrets);
            if strict {
                self.add(strict::judge(&parsed));
            }
        }
        self.add([Finding::refused(&error.clone().into())]);
        self.failure = Err::<(), _>(error.clone()).context("this is no MIKEY message that can be read").err();
    }

    fn describe(&mut self, message: &Message<'_>, show_secrets: bool) {
        self.csb_id = Some(message.header.csb_id);
        self.data_type = Some(message.header.data_type.number());
        self.payloads = payloads::describe(message, show_secrets);
    }

    fn judge(&mut self, octets: &[u8]) {
        match Incoming::parse(octets) {
            Ok(incoming) => {
                self.deviations = incoming.deviations().iter().map(ToString::to_string).collect();
                self.add(incoming.deviations().iter().map(|deviation| Finding::excusable(*deviation)));
            }
            Err(error) => {
                self.refusal = Some(Failure::explain(&error));
                self.add([Finding::refused(&error)]);
            }
        }
    }

    /// Adds what was not found before.
    pub fn add(&mut self, findings: impl IntoIterator<Item = Finding>) {
        for finding in findings {
            if !self.findings.iter().any(|known| known.what == finding.what) {
                self.findings.push(finding);
            }
        }
    }

    pub fn is_readable(&self) -> bool {
        self.failure.is_none()
    }

    pub fn opened(&mut self, opened: Opened) {
        self.signature = Signature::Valid;
        self.add(opened.findings.clone());
        self.opened = Some(opened);
    }

    pub fn not_opened(&mut self, error: &Error) {
        self.signature = Signature::after(error);
        if let Error::Message(error) = error {
            self.add([Finding::refused(error)]);
        }
        self.failure = Some(Failure::new("the message cannot be opened").because(error));
    }

    pub fn take_failure(&mut self) -> Option<Failure> {
        self.failure.take()
    }

    /// Deviations from the specification, whatever comes of them.
    pub fn deviations(&self) -> usize {
        self.findings.iter().filter(|finding| finding.severity != Severity::NotNow).count()
    }

    /// Prints the message; with its number and origin if there are `several` or it comes from elsewhere.
    pub fn print(&self, several: Option<usize>, output: &Output) {
        let (title, quiet) = (title_style(), quiet_style());
        let number = several.map_or_else(String::new, |count| format!(" {} of {count}", self.number));
        output.line(format_args!("{title}MIKEY message{number}, {} octets{title:#}", self.octets));
        if several.is_some() || self.origin.packet.is_some() || self.origin.sip.is_some() || self.origin.rtsp.is_some()
        {
            output.line(format_args!("{quiet}{}{quiet:#}", origin::text(&self.origin)));
        }
        self.payloads.iter().for_each(|payload| payload.print(output));
        // The error of a message that cannot be read ends the command, if it is the only one.
        let broken = self.failure.is_some() && several.is_none();
        let told = |finding: &&Finding| !(broken && finding.severity == Severity::Refused);
        self.findings.iter().filter(told).for_each(|finding| finding.print(output));
    }

    pub fn print_signature(&self, output: &Output) {
        let style = error_style();
        output.line(format_args!("{style}signature {}{style:#}", self.signature.name()));
    }

    pub fn json(&self) -> Map<String, Value> {
        let mut object = Map::new();
        object.insert("number".into(), self.number.into());
        object.insert("origin".into(), origin::json(&self.origin));
        object.insert("payloads".into(), self.payloads.iter().map(Described::json).collect());
        object.insert("data_type".into(), self.data_type.into());
        object.insert("csb_id".into(), self.csb_id.map(|csb_id| format!("{csb_id:08x}")).into());
        object.insert("deviations".into(), self.deviations.clone().into());
        object.insert("refusal".into(), self.refusal.clone().into());
        object.insert("findings".into(), self.findings.iter().map(Finding::json).collect());
        object.insert("signature".into(), self.signature.name().into());
        let (mut key, mut parameters) = (Value::Null, Value::Null);
        if let Some(opened) = &self.opened {
            object.insert("initiator".into(), opened.initiator.clone());
            object.insert("recipient".into(), opened.recipient.clone());
            object.insert("replayed".into(), opened.replayed.into());
            (key, parameters) = (opened.key.clone(), opened.parameters.clone());
        }
        object.insert("key".into(), key);
        object.insert("key_parameters".into(), parameters);
        object.insert("error".into(), self.failure.as_ref().map(Failure::message).into());
        object
    }
}

#[derive(Clone, Copy)]
enum Signature {
    Valid,
    Invalid,
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
