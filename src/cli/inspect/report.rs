use super::broken::Broken;
use super::finding::{Finding, Severity};
use super::findings::Findings;
use super::opened::Opened;
use super::origin;
use super::payloads::{self, Described};
use super::strict::{self, Extent};
use crate::cli::failure::{Context, Failure};
use crate::cli::output::{Output, error_style, quiet_style, title_style};
use mikey_sakke::capture::{self, Mikey};
use mikey_sakke::client::Error;
use mikey_sakke::mc;
use mikey_sakke::mc::imessage::Judgement;
use mikey_sakke::mikey::{Message, Part, Partial};
use serde_json::{Map, Value};

/// What is known of a message so far.
pub struct Report {
    number: usize,
    origin: capture::Origin,
    octets: usize,
    payloads: Vec<Described>,
    data_type: Option<u8>,
    csb_id: Option<u32>,
    /// Where it breaks.
    broken: Option<Broken>,
    /// What only a setting excuses.
    deviations: Vec<String>,
    /// What nothing excuses.
    refusal: Option<String>,
    findings: Findings,
    signature: Signature,
    opened: Option<Opened>,
    /// Why it could not be read or opened.
    failure: Option<Failure>,
}

impl Report {
    /// Reads a message as far as it goes, and holds it against the specification of its data type.
    pub fn of(number: usize, message: &Mikey, strict: bool, show_secrets: bool) -> Self {
        let Partial { header, payloads, fault } = Partial::parse(&message.octets);
        let mut report = Self {
            number,
            origin: message.origin.clone(),
            octets: message.octets.len(),
            payloads: Vec::new(),
            data_type: None,
            csb_id: None,
            broken: fault.as_ref().map(|fault| Broken::of(fault, &message.octets, show_secrets)),
            deviations: Vec::new(),
            refusal: None,
            findings: Findings::default(),
            signature: Signature::Unchecked,
            opened: None,
            failure: None,
        };
        if strict {
            report.add(message.remarks.iter().copied().map(Finding::remark));
        }
        if let Some(header) = header {
            let message = Message { header, payloads };
            report.describe(&message, fault.as_ref().map(|fault| fault.part), show_secrets);
            report.judge(&message, if fault.is_none() { Extent::Whole } else { Extent::Beginning }, strict);
        }
        if let Some(fault) = fault {
            report.add([Finding::broken(&fault)]);
            report.failure = Err::<(), _>(fault.error).context("this is no MIKEY message that can be read").err();
        }
        report
    }

    fn describe(&mut self, message: &Message<'_>, unread: Option<Part>, show_secrets: bool) {
        self.csb_id = Some(message.header.csb_id);
        self.data_type = Some(message.header.data_type.number());
        self.payloads = payloads::describe(message, unread, show_secrets);
    }

    /// Without `strict` what is accepted stays unsaid, and so do the rules of other methods.
    fn judge(&mut self, message: &Message<'_>, extent: Extent, strict: bool) {
        let judgement = Judgement::of(message);
        if extent == Extent::Whole {
            self.deviations = judgement.deviations.iter().map(ToString::to_string).collect();
            self.refusal = judgement.refusals.first().map(|refusal| Failure::explain(refusal));
        }
        let told = |severity| strict || !matches!(severity, Severity::Accepted | Severity::Contradicts);
        let findings = strict::judge(message, extent);
        self.add(findings.into_iter().filter(|finding| told(finding.severity)));
    }

    /// Adds what was not found before.
    pub fn add(&mut self, findings: impl IntoIterator<Item = Finding>) {
        self.findings.add(findings);
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

    pub fn into_failure(self) -> Option<Failure> {
        self.failure
    }

    /// Deviations from the specification, whatever comes of them.
    pub fn deviations(&self) -> usize {
        self.findings.deviations()
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
        if let Some(broken) = &self.broken {
            broken.print(output);
        }
        let told = |finding: &&Finding| !self.broken.as_ref().is_some_and(|broken| broken.is(finding));
        self.findings.told().iter().filter(told).for_each(|finding| finding.print(output));
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
        object.insert("fault".into(), self.broken.as_ref().map(Broken::json).into());
        object.insert("data_type".into(), self.data_type.into());
        object.insert("csb_id".into(), self.csb_id.map(|csb_id| format!("{csb_id:08x}")).into());
        object.insert("deviations".into(), self.deviations.clone().into());
        object.insert("refusal".into(), self.refusal.clone().into());
        object.insert("findings".into(), self.findings.told().iter().map(Finding::json).collect());
        object.insert("signature".into(), self.signature.name().into());
        let (mut key, mut parameters) = (Value::Null, Value::Null);
        if let Some(opened) = &self.opened {
            object.insert("initiator".into(), opened.initiator.clone());
            object.insert("recipient".into(), opened.recipient.clone());
            object.insert("replayed".into(), opened.replayed.into());
            object.insert("revocation".into(), opened.revocation.clone());
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
