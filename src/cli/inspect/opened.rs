use super::finding::{Finding, Severity};
use super::node::print_value;
use crate::cli::key_view::{KeyView, hidden_note, parameters_fields, parameters_json, revocation, revocation_text};
use crate::cli::output::{Output, error_style, field_style, good_style};
use mikey_sakke::client::Examined;
use mikey_sakke::mc::KeyParameters;
use serde_json::{Value, json};

/// What a store made of the message, ready to be shown.
pub struct Opened {
    pub key: Value,
    pub parameters: Value,
    pub initiator: Value,
    pub recipient: Value,
    pub findings: Vec<Finding>,
    pub replayed: bool,
    pub revocation: Value,
}

/// What the store remembers of the key.
fn barred(examined: &Examined) -> Option<Finding> {
    examined
        .barred
        .as_ref()
        .map(|error| Finding { severity: Severity::NotNow, ..Finding::accepted(error, "TS 33.180 E.6") })
}

impl Opened {
    pub fn of(examined: &Examined, show_secrets: bool) -> Self {
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
            findings: opened.findings.iter().map(Finding::not_now).chain(barred(examined)).collect(),
            replayed: examined.replayed,
            revocation: revocation(opened.revocation).into(),
        }
    }

    pub fn print(&self, examined: &Examined, show_secrets: bool, output: &Output) {
        let opened = &examined.opened;
        let (good, bad) = (good_style(), error_style());
        output.line(format_args!("{good}signature valid{good:#}"));
        let initiator = opened.initiator();
        output.line(format_args!(
            "  initiator  {}",
            initiator.uri().map_or_else(|| initiator.uid().to_string(), str::to_owned)
        ));
        output.line(format_args!("  recipient  {}", opened.recipient_uri));
        KeyView::of(&opened.bundle, show_secrets).print(output);
        output.line(format_args!("  revocation {}", revocation_text(opened.revocation)));
        if let Some(parameters) = &opened.parameters {
            print_parameters(parameters, output);
        }
        self.findings.iter().for_each(|finding| finding.print(output));
        if self.replayed {
            output.line(format_args!("{bad}not acceptable now:{bad:#} the message was accepted before"));
        }
        hidden_note(show_secrets, output);
    }
}

/// Key parameters, decrypted.
fn print_parameters(parameters: &KeyParameters, output: &Output) {
    let field = field_style();
    output.line(format_args!("  {field}key parameters{field:#}"));
    parameters_fields(parameters).iter().for_each(|(name, value)| print_value(name, value, output));
}
