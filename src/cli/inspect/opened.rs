use super::finding::Finding;
use super::node::print_value;
use crate::cli::clock;
use crate::cli::key_view::{KeyView, hidden_note, name, parameters_json};
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
            findings: opened.findings.iter().map(Finding::not_now).collect(),
            replayed: examined.replayed,
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

/// Key parameters, decrypted, in the order of table E.6.1-1.
fn print_parameters(parameters: &KeyParameters, output: &Output) {
    let limit = |time: u64, unlimited: &str| match time {
        0 => format!("0 ({unlimited})"),
        time => clock::display_unix(time),
    };
    let status = match (parameters.status.is_live(), parameters.status.is_shared_with_gateway()) {
        (true, true) => "not revoked, shared with a security gateway",
        (true, false) => "not revoked",
        (false, _) => "revoked",
    };
    let field = field_style();
    output.line(format_args!("  {field}key parameters{field:#}"));
    print_value("Key Type", name(parameters.key_type), output);
    print_value("Status", &format!("{:#x} ({status})", parameters.status.0), output);
    print_value("Activation Time", &limit(parameters.activation, "the message's time"), output);
    print_value("Expiry Time", &limit(parameters.expiry, "when revoked"), output);
    print_value("Text", &format!("{:?}", parameters.text), output);
    for group in &parameters.groups {
        print_value("MC Group ID", group, output);
    }
}
