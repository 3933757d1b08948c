use super::clause;
use crate::cli::failure::Failure;
use crate::cli::output::{Output, error_style};
use mikey_sakke::mc::Error;
use mikey_sakke::mc::imessage::Deviation;
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
}

impl Severity {
    fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Excusable => "excusable",
            Self::Accepted => "accepted",
            Self::NotNow => "not_now",
        }
    }
}

impl Finding {
    pub fn refused(error: &Error) -> Self {
        Self { what: Failure::explain(error), clause: clause::of_error(error), severity: Severity::Refused }
    }

    pub fn excusable(deviation: Deviation) -> Self {
        let clause = Some(clause::of_deviation(deviation));
        Self { what: deviation.to_string(), clause, severity: Severity::Excusable }
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
            Severity::Refused => "no I_MESSAGE of TS 33.180:",
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
