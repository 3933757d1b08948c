use super::clock;
use super::output::{Output, hex};
use mikey_sakke::mc::imessage::Revocation;
use mikey_sakke::mc::{Bundle, CsId, KeyParameters, KeyType};
use serde_json::{Value, json};

/// A key with its identifiers as commands show it: the secret parts only if that was asked for.
pub struct KeyView<'a> {
    bundle: &'a Bundle,
    show_secrets: bool,
}

impl<'a> KeyView<'a> {
    pub fn of(bundle: &'a Bundle, show_secrets: bool) -> Self {
        Self { bundle, show_secrets }
    }

    pub fn key_type(&self) -> &'static str {
        name(self.bundle.key_id.key_type())
    }

    pub fn key_id(&self) -> String {
        hex(self.bundle.key_id.to_bytes())
    }

    pub fn key(&self) -> Option<String> {
        self.show_secrets.then(|| hex(self.bundle.key.as_bytes()))
    }

    pub fn guk_id(&self) -> Option<String> {
        self.bundle.guk_id().map(|guk_id| hex(guk_id.to_bytes()))
    }

    pub fn rand(&self) -> String {
        hex(self.bundle.rand)
    }

    /// The SRTP keys of the first crypto session that such a key has; null for a key that protects no media.
    pub fn srtp(&self) -> Value {
        let Some(keys) = self.bundle.first_media_keys() else { return Value::Null };
        let secret = |octets: &[u8]| self.show_secrets.then(|| hex(octets));
        json!({
            "cs_id": keys.cs_id.to_u8(),
            "master_key": secret(&keys.master_key),
            "master_salt": secret(&keys.master_salt),
            "mki": hex(&keys.mki),
        })
    }

    pub fn print(&self, output: &Output) {
        output.line(format_args!("  key type   {}", self.bundle.key_id.key_type()));
        output.line(format_args!("  key id     {}", self.key_id()));
        if let Some(guk_id) = self.guk_id() {
            output.line(format_args!("  GUK-ID     {guk_id}"));
        }
        output.line(format_args!("  RAND       {}", self.rand()));
        let Some(key) = self.key() else { return };
        output.line(format_args!("  key        {key}"));
        if let Some(keys) = self.bundle.first_media_keys() {
            output.line(format_args!("  SRTP       CS-ID {} ({})", keys.cs_id.to_u8(), session(keys.cs_id)));
            output.line(format_args!("             master key {}", hex(keys.master_key)));
            output.line(format_args!("             master salt {}", hex(keys.master_salt)));
            output.line(format_args!("             MKI {}", hex(&keys.mki)));
        }
    }
}

/// Says where the secrets are, if they are not shown.
pub fn hidden_note(show_secrets: bool, output: &Output) {
    if !show_secrets && !output.is_json() {
        output.message("The key itself is shown with --show-secrets.");
    }
}

/// The name of a key type on the command line and in JSON.
pub fn name(key_type: KeyType) -> &'static str {
    match key_type {
        KeyType::Gmk => "gmk",
        KeyType::Pck => "pck",
        KeyType::Csk => "csk",
        KeyType::Spk => "spk",
        KeyType::Mkfc => "mkfc",
        KeyType::Mscck => "mscck",
        KeyType::MuSik => "musik",
    }
}

fn session(cs_id: CsId) -> &'static str {
    match cs_id {
        CsId::McpttInitiator => "MCPTT, from the caller",
        CsId::McpttReceiver => "MCPTT, from the called",
        CsId::McVideoInitiator => "MCVideo, from the caller",
        CsId::McVideoReceiver => "MCVideo, from the called",
        CsId::McpttGroup => "MCPTT group",
        CsId::McVideoGroup => "MCVideo group",
        CsId::McpttCsk | CsId::McpttMuSik => "MCPTT signalling",
        CsId::McVideoCsk | CsId::McVideoMuSik => "MCVideo signalling",
    }
}

/// Whether a message revokes its key, in JSON.
pub fn revocation(revocation: Revocation) -> &'static str {
    match revocation {
        Revocation::No => "no",
        Revocation::Possible => "possible",
        Revocation::Yes => "yes",
    }
}

/// The same in words.
pub fn revocation_text(revocation: Revocation) -> &'static str {
    match revocation {
        Revocation::No => "not revoked",
        Revocation::Possible => "possibly revoked: status 0, which some send with live keys",
        Revocation::Yes => "revoked",
    }
}

/// Key parameters as JSON: activation and expiry in seconds since 1970, 0 where there is no limit.
pub fn parameters_json(parameters: &KeyParameters) -> Value {
    json!({
        "type": name(parameters.key_type),
        "status": parameters.status.0,
        "activation": parameters.activation,
        "expiry": parameters.expiry,
        "text": parameters.text,
        "groups": parameters.groups,
    })
}

/// Key parameters in words, in the order of table E.6.1-1 of TS 33.180: the name of each field, and what it says.
pub fn parameters_fields(parameters: &KeyParameters) -> Vec<(&'static str, String)> {
    let limit = |time: u64, unlimited: &str| match time {
        0 => format!("0 ({unlimited})"),
        time => clock::display_unix(time),
    };
    let status = match (parameters.status.is_live(), parameters.status.is_shared_with_gateway()) {
        (true, true) => "not revoked, shared with a security gateway",
        (true, false) => "not revoked",
        (false, _) => "revoked",
    };
    let mut fields = vec![
        ("Key Type", name(parameters.key_type).to_owned()),
        ("Status", format!("{:#x} ({status})", parameters.status.0)),
        ("Activation Time", limit(parameters.activation, "the message's time")),
        ("Expiry Time", limit(parameters.expiry, "when revoked")),
        ("Text", format!("{:?}", parameters.text)),
    ];
    fields.extend(parameters.groups.iter().map(|group| ("MC Group ID", group.clone())));
    fields
}

/// The same in one line.
pub fn parameters_text(parameters: &KeyParameters) -> String {
    let fields = parameters_fields(parameters);
    let said = fields.iter().filter(|(name, _)| *name != "Text" || !parameters.text.is_empty());
    said.map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
}
