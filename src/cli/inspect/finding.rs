use crate::cli::failure::Failure;
use crate::cli::output::{Output, error_style};
use mikey_sakke::capture::Remark;
use mikey_sakke::exchange;
use mikey_sakke::mc::Error;
use mikey_sakke::mc::imessage::Deviation;
use mikey_sakke::mikey::Fault;
use serde_json::{Value, json};

/// Something about a message that its specification or the time does not allow, with the clause that says so.
#[derive(Clone, PartialEq, Eq)]
pub struct Finding {
    pub what: String,
    pub clause: Option<&'static str>,
    pub severity: Severity,
}

/// What comes of a finding.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The message is refused, whatever the settings.
    Refused,
    /// The message is refused unless a setting excuses it.
    Excusable,
    /// It deviates from the specification and is accepted.
    Accepted,
    /// It is acceptable, but not now.
    NotNow,
    /// A message of another method contradicts the specification of that method.
    Contradicts,
    /// It is a message of another method, which is no fault.
    OtherMethod,
}

impl Severity {
    /// Whether it says that a message deviates from a specification.
    pub fn is_deviation(self) -> bool {
        match self {
            Self::Refused | Self::Excusable | Self::Accepted | Self::Contradicts => true,
            Self::NotNow | Self::OtherMethod => false,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Excusable => "excusable",
            Self::Accepted => "accepted",
            Self::NotNow => "not_now",
            Self::Contradicts => "contradicts",
            Self::OtherMethod => "other_method",
        }
    }
}

impl Finding {
    pub fn refused(error: &Error) -> Self {
        Self { what: Failure::explain(error), clause: error.clause(), severity: Severity::Refused }
    }

    /// What a fault of syntax says.
    pub fn broken(fault: &Fault) -> Self {
        Self { what: Failure::explain(&fault.error), clause: fault.clause(), severity: Severity::Refused }
    }

    /// Something in the SAKKE-to-self extension, which a recipient does not read.
    pub fn of_to_self(error: &Error) -> Self {
        let what = format!("SAKKE-to-self, which other devices of the initiator refuse: {}", Failure::explain(error));
        Self { what, clause: error.clause(), severity: Severity::Accepted }
    }

    pub fn contradiction(what: impl ToString, clause: &'static str) -> Self {
        Self { what: what.to_string(), clause: Some(clause), severity: Severity::Contradicts }
    }

    /// What an exchange of another method refuses.
    pub fn of_exchange(error: &exchange::Error) -> Self {
        Self { what: Failure::explain(error), clause: error.clause(), severity: Severity::Contradicts }
    }

    pub fn other_method(error: &Error) -> Self {
        Self { severity: Severity::OtherMethod, ..Self::refused(error) }
    }

    pub fn excusable(deviation: Deviation) -> Self {
        Self { what: deviation.to_string(), clause: Some(deviation.clause()), severity: Severity::Excusable }
    }

    pub fn remark(remark: Remark) -> Self {
        Self::accepted(remark, remark.clause())
    }

    pub fn accepted(what: impl ToString, clause: &'static str) -> Self {
        Self { what: what.to_string(), clause: Some(clause), severity: Severity::Accepted }
    }

    pub fn not_now(error: &Error) -> Self {
        Self { severity: Severity::NotNow, ..Self::refused(error) }
    }

    pub fn json(&self) -> Value {
        json!({ "what": self.what, "clause": self.clause, "severity": self.severity.name() })
    }

    /// Prints it with what comes of it.
    pub fn print(&self, output: &Output) {
        let style = error_style();
        let label = match self.severity {
            Severity::Refused | Severity::OtherMethod => "no I_MESSAGE of TS 33.180:",
            Severity::Contradicts => "contradicts its specification:",
            Severity::Excusable => "deviates from TS 33.180:",
            Severity::Accepted => "deviates, but is accepted:",
            Severity::NotNow => "not acceptable now:",
        };
        output.line(format_args!("{style}{label}{style:#} {}", self.text()));
    }

    /// In words, with the clause behind it.
    pub fn text(&self) -> String {
        match self.clause {
            Some(clause) => format!("{} ({clause})", self.what),
            None => self.what.clone(),
        }
    }
}
