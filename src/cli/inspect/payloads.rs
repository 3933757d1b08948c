use super::node::Node;
use super::{anatomy, short_hex};
use crate::cli::clock;
use crate::cli::output::{Output, hex, quiet_style, title_style};
use mikey_sakke::mikey::{
    CsIdMap, Dh, ExtensionType, GeneralExtension, Header, IdRole, Idr, KeyIdInformation, KeyValidity, Mac, Message,
    OmaBcast, Payload, PayloadType, SecurityPolicy, TicketPolicy, Timestamp,
};
use serde_json::{Map, Value, json};
use std::ops::Range;

/// A payload for people and scripts: where it is, what it is, what is in it.
pub struct Described {
    name: String,
    octets: Range<usize>,
    fields: Vec<Field>,
    /// The same field by field as it lies in the message; empty where that is not known.
    tree: Vec<Node>,
}

struct Field {
    name: &'static str,
    value: Value,
    /// For people, where the value itself is not good for them; may have several lines.
    text: Option<String>,
}

impl Described {
    pub fn json(&self) -> Value {
        let mut object = Map::new();
        object.insert("type".into(), self.name.clone().into());
        object.insert("offset".into(), self.octets.start.into());
        object.insert("length".into(), self.octets.len().into());
        for field in &self.fields {
            object.insert(field.name.into(), field.value.clone());
        }
        object.insert("fields".into(), self.tree.iter().map(Node::json).collect());
        object.into()
    }

    pub fn print(&self, output: &Output) {
        let quiet = quiet_style();
        if !self.tree.is_empty() {
            let (start, name, len) = (self.octets.start, &self.name, self.octets.len());
            let title = title_style();
            output.line(format_args!("{quiet}{start:>5}{quiet:#}  {title}{name}{title:#}, {len} octets"));
            self.tree.iter().for_each(|field| field.print(output, 1));
            return;
        }
        let text: Vec<_> = self.fields.iter().map(Field::text).collect();
        let text = text.join("\n");
        let mut lines = text.lines();
        output.line(format_args!(
            "{quiet}{:>5}{quiet:#}  {:<18} {quiet}{:>4} octets{quiet:#}  {}",
            self.octets.start,
            self.name,
            self.octets.len(),
            lines.next().unwrap_or_default()
        ));
        for line in lines {
            output.line(format_args!("{:39}{line}", ""));
        }
    }
}

impl Field {
    fn new(name: &'static str, value: impl Into<Value>) -> Self {
        Self { name, value: value.into(), text: None }
    }

    /// A field that scripts get as `value` and people as `text`.
    fn spoken(name: &'static str, value: impl Into<Value>, text: impl ToString) -> Self {
        Self { name, value: value.into(), text: Some(text.to_string()) }
    }

    fn octets(name: &'static str, octets: &[u8]) -> Self {
        Self::spoken(name, hex(octets), short_hex(octets))
    }

    fn text(&self) -> String {
        let value = match (&self.text, &self.value) {
            (Some(text), _) => text.clone(),
            (None, Value::String(text)) => text.clone(),
            (None, value) => value.to_string(),
        };
        let name = self.name.replace('_', " ");
        let further_lines = format!("\n{:1$}", "", name.len() + 1);
        format!("{name} {}", value.replace('\n', &further_lines))
    }
}

/// Describes the header and every payload, in their order.
pub fn describe(message: &Message<'_>) -> Vec<Described> {
    let mut following = message.payloads.iter().map(Payload::payload_type);
    let mut next = || following.next().unwrap_or(PayloadType::LAST);
    let header = Described {
        name: "HDR".to_owned(),
        octets: 0..message.header.encoded_len(),
        fields: header(&message.header),
        tree: anatomy::header(&message.header, next()),
    };
    let payloads = message.located().map(|(octets, payload)| {
        let payload_type = payload.payload_type();
        let name = payload_type.name().map_or_else(|| payload_type.to_string(), str::to_owned);
        let tree = anatomy::payload(payload, octets.start, next());
        Described { name, octets, fields: fields(payload), tree }
    });
    std::iter::once(header).chain(payloads).collect()
}

fn header(header: &Header<'_>) -> Vec<Field> {
    let map = &header.cs_id_map;
    let mut fields = vec![
        Field::spoken("data_type", header.data_type.number(), header.data_type),
        Field::new("v_flag", header.verification_expected),
        Field::spoken("prf", header.prf.0, header.prf),
        Field::new("csb_id", format!("{:08x}", header.csb_id)),
        Field::spoken("cs_id_map", map.type_name(), format!("{} ({})", map.type_number(), map.type_name())),
        Field::new("cs_count", map.cs_count()),
    ];
    let (values, texts) = crypto_sessions(map);
    if !values.is_empty() {
        fields.push(Field::spoken("crypto_sessions", values, texts.join("\n")));
    }
    fields
}

/// The entries of the CS ID map, for scripts and for people.
fn crypto_sessions(map: &CsIdMap<'_>) -> (Vec<Value>, Vec<String>) {
    match map {
        CsIdMap::GenericId(map) => map
            .entries()
            .map(|entry| {
                let (policies, spi) = (entry.policy_numbers, hex(entry.spi));
                let text = format!("CS-ID {}, {}, policies {policies:?}, SPI {spi}", entry.cs_id, entry.protocol);
                let value = json!({
                    "cs_id": entry.cs_id,
                    "protocol": entry.protocol.0,
                    "policies": policies,
                    "session_data": hex(entry.session_data),
                    "spi": spi,
                });
                (value, text)
            })
            .unzip(),
        CsIdMap::SrtpId(entries) => entries
            .iter()
            .map(|entry| {
                let ssrc = format!("{:08x}", entry.ssrc);
                let text = format!("policy {}, SSRC {ssrc}, ROC {}", entry.policy_no, entry.roc);
                (json!({ "policy": entry.policy_no, "ssrc": ssrc, "roc": entry.roc }), text)
            })
            .unzip(),
        _ => (Vec::new(), Vec::new()),
    }
}

fn fields(payload: &Payload<'_>) -> Vec<Field> {
    match payload {
        Payload::Timestamp(timestamp) => time(*timestamp),
        Payload::Rand(rand) => vec![Field::octets("rand", &rand.octets)],
        Payload::Id(id) => vec![
            Field::spoken("id_type", id.id_type.0, id.id_type),
            id.text()
                .filter(|text| printable(text))
                .map_or_else(|| Field::octets("id", &id.data), |text| Field::new("id", text)),
        ],
        Payload::Idr(idr) => identity(idr),
        Payload::SecurityPolicy(policy) => security_policy(policy),
        Payload::Sakke(sakke) => vec![
            Field::spoken("parameter_set", sakke.parameters.0, sakke.parameters),
            Field::spoken("id_scheme", sakke.id_scheme.0, sakke.id_scheme),
            Field::octets("encapsulation", &sakke.data),
        ],
        Payload::GeneralExtension(extension) => general_extension(extension),
        Payload::Kemac(kemac) => {
            let mut fields = vec![
                Field::spoken("encryption", kemac.encryption.0, kemac.encryption),
                Field::octets("data", &kemac.data),
            ];
            fields.extend(mac(&kemac.mac));
            fields
        }
        Payload::Pke(pke) => {
            vec![Field::spoken("cache", pke.cache.0, pke.cache), Field::octets("data", &pke.data)]
        }
        Payload::Dh(dh) => diffie_hellman(dh),
        Payload::Cert(cert) => {
            vec![Field::spoken("cert_type", cert.cert_type.0, cert.cert_type), Field::octets("data", &cert.data)]
        }
        Payload::Chash(chash) => vec![
            Field::spoken("function", chash.function().number(), chash.function()),
            Field::octets("hash", chash.hash()),
        ],
        Payload::Verification(verification) => mac(&verification.mac),
        Payload::ErrorPayload(error) => vec![Field::spoken("error", error.number.0, error.number)],
        Payload::Tr(tr) => {
            let mut fields = vec![Field::spoken("role", tr.role.0, tr.role)];
            fields.extend(time(tr.timestamp));
            fields
        }
        Payload::Randr(randr) => {
            vec![Field::spoken("role", randr.role.0, randr.role), Field::octets("rand", &randr.octets)]
        }
        Payload::TicketPolicy(policy) => ticket_policy(policy),
        Payload::Ticket(ticket) => {
            let mut fields = ticket_policy(&ticket.policy);
            fields.push(Field::octets("ticket_data", &ticket.data));
            fields.push(Field::octets("initiator_data", &ticket.initiator_data));
            fields
        }
        Payload::Ibake(ibake) => vec![Field::octets("data", &ibake.data)],
        Payload::Esk(esk) => vec![Field::octets("data", &esk.data)],
        Payload::Sign(sign) => vec![
            Field::spoken("signature_type", sign.signature_type.0, sign.signature_type),
            Field::octets("signature", &sign.signature),
        ],
        _ => Vec::new(),
    }
}

fn time(timestamp: Timestamp) -> Vec<Field> {
    let timestamp_type = Field::new("timestamp_type", timestamp.type_name());
    match timestamp {
        Timestamp::NtpUtc(time) | Timestamp::Ntp(time) => {
            vec![
                timestamp_type,
                Field::new("time", clock::display(time)),
                Field::new("ntp", format!("{:016x}", time.to_bits())),
            ]
        }
        Timestamp::NtpUtc32(seconds) => vec![timestamp_type, Field::new("ntp", format!("{seconds:08x}"))],
        Timestamp::Counter(count) => vec![timestamp_type, Field::new("counter", count)],
        _ => vec![timestamp_type],
    }
}

fn identity(idr: &Idr<'_>) -> Vec<Field> {
    let hidden = matches!(idr.role, IdRole::INITIATOR_UID | IdRole::RESPONDER_UID);
    let identity = match idr.text() {
        Some(text) if !hidden && printable(text) => Field::new("identity", text),
        _ => Field::spoken("identity", hex(&idr.data), hex(&idr.data)),
    };
    vec![Field::spoken("role", idr.role.0, idr.role), Field::spoken("id_type", idr.id_type.0, idr.id_type), identity]
}

fn general_extension(extension: &GeneralExtension<'_>) -> Vec<Field> {
    let mut fields = vec![
        Field::spoken("extension_type", extension.extension_type.0, extension.extension_type),
        Field::octets("data", &extension.data),
    ];
    match extension.extension_type {
        ExtensionType::KEY_ID => {
            if let Ok(information) = KeyIdInformation::parse(&extension.data) {
                let key_ids = || information.key_ids();
                let text: Vec<_> = key_ids().map(|id| format!("{} {}", id.key_id_type, hex(id.id))).collect();
                let values: Value = key_ids().map(|id| json!({ "type": id.key_id_type.0, "id": hex(id.id) })).collect();
                fields.push(Field::spoken("key_ids", values, text.join("\n")));
            }
        }
        ExtensionType::OMA_BCAST => {
            if let Ok(part) = OmaBcast::parse(&extension.data) {
                fields.push(Field::spoken("subtype", part.subtype.0, part.subtype));
            }
        }
        _ => {}
    }
    fields
}

fn mac(mac: &Mac<'_>) -> Vec<Field> {
    vec![Field::spoken("mac_algorithm", mac.algorithm().number(), mac.algorithm()), Field::octets("mac", mac.octets())]
}

fn diffie_hellman(dh: &Dh<'_>) -> Vec<Field> {
    let mut fields = vec![Field::spoken("group", dh.group().number(), dh.group()), Field::octets("value", dh.value())];
    fields.extend(validity(&dh.validity));
    fields
}

fn validity(validity: &KeyValidity<'_>) -> Vec<Field> {
    let mut fields = vec![Field::new("validity", validity.type_name())];
    match validity {
        KeyValidity::Spi(spi) => fields.push(Field::octets("spi", spi)),
        KeyValidity::Interval { from, to } => {
            fields.extend([Field::octets("valid_from", from), Field::octets("valid_to", to)]);
        }
        _ => {}
    }
    fields
}

fn ticket_policy(policy: &TicketPolicy<'_>) -> Vec<Field> {
    vec![
        Field::spoken("ticket_type", policy.ticket_type.0, policy.ticket_type),
        Field::new("subtype", policy.subtype),
        Field::new("version", policy.version),
        Field::spoken("prf", policy.prf.0, policy.prf),
        Field::new("flags", policy.flags.to_string()),
        Field::octets("policy_data", &policy.data),
    ]
}

fn security_policy(policy: &SecurityPolicy<'_>) -> Vec<Field> {
    let parameters: Value = policy
        .parameters()
        .map(|parameter| json!({ "type": parameter.parameter_type, "value": hex(parameter.value) }))
        .collect();
    let text: Vec<String> = policy
        .parameters()
        .map(|parameter| {
            let value = hex(parameter.value);
            match parameter.name(policy.protocol) {
                Some(name) => format!("{} ({name}) = {value}", parameter.parameter_type),
                None => format!("{} = {value}", parameter.parameter_type),
            }
        })
        .collect();
    vec![
        Field::new("policy", policy.policy_no),
        Field::spoken("protocol", policy.protocol.0, policy.protocol),
        Field::spoken("parameters", parameters, text.join("\n")),
    ]
}

/// Whether a text of a stranger can be shown on a terminal as it is.
fn printable(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mikey_sakke::mikey::{Idr, SrtpIdEntry};

    #[test]
    fn every_crypto_session_is_described() {
        let entries = [1, 2].map(|ssrc| SrtpIdEntry { policy_no: 0, ssrc, roc: 7 });
        let message = Message::new(Header::sakke(0x1000_0001, CsIdMap::SrtpId(entries.to_vec())));
        let header = describe(&message).remove(0).json();
        assert_eq!(header["csb_id"], "10000001");
        assert_eq!(header["crypto_sessions"][1], json!({ "policy": 0, "ssrc": "00000002", "roc": 7 }));
        assert_eq!(header["length"], 28);
    }

    #[test]
    fn identities_that_are_no_text_are_shown_in_hex() {
        let message = Message::new(Header::sakke(1, CsIdMap::Empty { cs_count: 0 }))
            .with(Idr::uri(IdRole::INITIATOR, b"sip:a@example.org".as_slice()))
            .with(Idr::uri(IdRole::INITIATOR_KMS, b"kms\0".as_slice()))
            .with(Idr::uri(IdRole::RESPONDER_UID, b"abc".as_slice()));
        let payloads = describe(&message);
        let identities: Vec<_> = payloads.iter().skip(1).map(|payload| payload.json()["identity"].clone()).collect();
        assert_eq!(identities, ["sip:a@example.org", "6b6d7300", "616263"]);
        assert_eq!(payloads.last().unwrap().json()["offset"], 10 + 22 + 9);
    }
}
