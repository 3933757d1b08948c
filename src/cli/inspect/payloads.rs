use super::anatomy;
use super::node::Node;
use crate::cli::clock;
use crate::cli::output::{Output, hex, quiet_style, title_style};
use mikey_sakke::mc::is_printable;
use mikey_sakke::mikey::{
    BaseTicket, CsIdMap, Dh, EncryptionAlgorithm, Error, ExtensionType, GeneralExtension, Header, IdRole, Idr,
    KeyIdInformation, KeyValidity, Mac, Message, NtpTime, OmaBcast, Part, Payload, PayloadType, SdpIds, SecurityPolicy,
    Ticket, TicketPolicy, TicketType, Timestamp, TsRole,
};
use serde_json::{Map, Value, json};
use std::ops::Range;

/// A payload: where it is, what it is, what is in it.
pub struct Described {
    name: String,
    octets: Range<usize>,
    /// What scripts get by name.
    fields: Vec<Field>,
    /// Field by field as it lies in the message.
    tree: Vec<Node>,
}

struct Field {
    name: &'static str,
    value: Value,
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
        let (quiet, title) = (quiet_style(), title_style());
        let (start, name, len) = (self.octets.start, &self.name, self.octets.len());
        output.line(format_args!("{quiet}{start:>5}{quiet:#}  {title}{name}{title:#}, {len} octets"));
        self.tree.iter().for_each(|field| field.print(output, 1));
    }
}

impl Field {
    fn new(name: &'static str, value: impl Into<Value>) -> Self {
        Self { name, value: value.into() }
    }

    fn octets(name: &'static str, octets: &[u8]) -> Self {
        Self::new(name, hex(octets))
    }
}

/// Describes the header and every payload, in their order. `unread` is the part behind them that cannot be read: then a
/// random value may have a wrong length and hold what follows it, keys among it.
pub fn describe(message: &Message<'_>, unread: Option<Part>, show_secrets: bool) -> Vec<Described> {
    let announced = match unread {
        Some(Part::Payload(payload_type)) => Some(payload_type),
        Some(Part::Header) | None => None,
    };
    let mut following = message.payloads.iter().map(Payload::payload_type).chain(announced);
    let mut next = || following.next().unwrap_or(PayloadType::LAST);
    let header = Described {
        name: "HDR".to_owned(),
        octets: 0..message.header.encoded_len(),
        fields: header(&message.header),
        tree: anatomy::header(&message.header, next()),
    };
    let is_doubtful = |payload: &Payload<'_>| {
        unread.is_some() && !show_secrets && matches!(payload, Payload::Rand(_) | Payload::Randr(_))
    };
    let payloads = message.located().map(|(octets, payload)| {
        if is_doubtful(payload) {
            let tree = anatomy::hidden(octets.clone(), next());
            return Described { name: name(payload), octets, fields: vec![Field::new("rand", Value::Null)], tree };
        }
        let tree = anatomy::payload(payload, octets.start, next(), show_secrets);
        Described { name: name(payload), octets, fields: fields(payload, show_secrets), tree }
    });
    std::iter::once(header).chain(payloads).collect()
}

/// The name of a payload's type.
pub fn name(payload: &Payload<'_>) -> String {
    let payload_type = payload.payload_type();
    payload_type.name().map_or_else(|| payload_type.to_string(), str::to_owned)
}

fn header(header: &Header<'_>) -> Vec<Field> {
    let map = &header.cs_id_map;
    let mut fields = vec![
        Field::new("data_type", header.data_type.number()),
        Field::new("v_flag", header.verification_expected),
        Field::new("prf", header.prf.0),
        Field::new("csb_id", format!("{:08x}", header.csb_id)),
        Field::new("cs_id_map", map.type_name()),
        Field::new("cs_count", map.cs_count()),
    ];
    let sessions = crypto_sessions(map);
    if !sessions.is_empty() {
        fields.push(Field::new("crypto_sessions", sessions));
    }
    fields
}

/// The entries of the CS ID map.
fn crypto_sessions(map: &CsIdMap<'_>) -> Vec<Value> {
    match map {
        CsIdMap::GenericId(map) => map
            .entries()
            .map(|entry| {
                json!({
                    "cs_id": entry.cs_id,
                    "protocol": entry.protocol.0,
                    "policies": entry.policy_numbers,
                    "session_data": hex(entry.session_data),
                    "spi": hex(entry.spi),
                })
            })
            .collect(),
        CsIdMap::SrtpId(entries) => entries
            .iter()
            .map(|entry| json!({ "policy": entry.policy_no, "ssrc": format!("{:08x}", entry.ssrc), "roc": entry.roc }))
            .collect(),
        _ => Vec::new(),
    }
}

fn fields(payload: &Payload<'_>, show_secrets: bool) -> Vec<Field> {
    match payload {
        Payload::Timestamp(timestamp) => time(*timestamp),
        Payload::Rand(rand) => vec![Field::octets("rand", &rand.octets)],
        Payload::Id(id) => vec![
            Field::new("id_type", id.id_type.0),
            id.text()
                .filter(|text| is_printable(text))
                .map_or_else(|| Field::octets("id", &id.data), |text| Field::new("id", text)),
        ],
        Payload::Idr(idr) => identity(idr),
        Payload::SecurityPolicy(policy) => security_policy(policy),
        Payload::Sakke(sakke) => vec![
            Field::new("parameter_set", sakke.parameters.0),
            Field::new("id_scheme", sakke.id_scheme.0),
            Field::octets("encapsulation", &sakke.data),
        ],
        Payload::GeneralExtension(extension) => general_extension(extension),
        Payload::Kemac(kemac) => {
            let data =
                if !is_encrypted(kemac.encryption) && !show_secrets { Value::Null } else { hex(&kemac.data).into() };
            let mut fields = vec![Field::new("encryption", kemac.encryption.0), Field::new("data", data)];
            fields.extend(mac(&kemac.mac));
            fields
        }
        Payload::Pke(pke) => {
            vec![Field::new("cache", pke.cache.0), Field::octets("data", &pke.data)]
        }
        Payload::Dh(dh) => diffie_hellman(dh),
        Payload::Cert(cert) => {
            vec![Field::new("cert_type", cert.cert_type.0), Field::octets("data", &cert.data)]
        }
        Payload::Chash(chash) => {
            vec![Field::new("function", chash.function().number()), Field::octets("hash", chash.hash())]
        }
        Payload::Verification(verification) => mac(&verification.mac),
        Payload::ErrorPayload(error) => vec![Field::new("error", error.number.0)],
        Payload::Tr(tr) => {
            let mut fields = vec![Field::new("role", tr.role.0)];
            match (tr.role, tr.timestamp) {
                (TsRole::REKEYING_INTERVAL, Timestamp::NtpUtc32(seconds)) => {
                    fields.extend([
                        Field::new("timestamp_type", tr.timestamp.type_name()),
                        Field::new("seconds", seconds),
                    ]);
                }
                _ => fields.extend(time(tr.timestamp)),
            }
            fields
        }
        Payload::Randr(randr) => {
            vec![Field::new("role", randr.role.0), Field::octets("rand", &randr.octets)]
        }
        Payload::TicketPolicy(policy) => ticket_policy(policy, show_secrets),
        Payload::Ticket(ticket) => self::ticket(ticket, show_secrets),
        Payload::Ibake(ibake) => vec![Field::octets("data", &ibake.data)],
        Payload::Esk(esk) => vec![Field::octets("data", &esk.data)],
        Payload::Sign(sign) => {
            vec![Field::new("signature_type", sign.signature_type.0), Field::octets("signature", &sign.signature)]
        }
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
        Timestamp::NtpUtc32(seconds) => {
            vec![
                timestamp_type,
                Field::new("time", clock::display(ntp_utc_32(seconds))),
                Field::new("ntp", format!("{seconds:08x}")),
            ]
        }
        Timestamp::Counter(count) => vec![timestamp_type, Field::new("counter", count)],
        _ => vec![timestamp_type],
    }
}

/// The time of a timestamp without a fraction (RFC 6043 6.3).
pub fn ntp_utc_32(seconds: u32) -> NtpTime {
    NtpTime::from_bits(u64::from(seconds) << 32)
}

fn identity(idr: &Idr<'_>) -> Vec<Field> {
    let hidden = matches!(idr.role, IdRole::INITIATOR_UID | IdRole::RESPONDER_UID);
    let identity = match idr.text() {
        Some(text) if !hidden && is_printable(text) => Field::new("identity", text),
        _ => Field::new("identity", hex(&idr.data)),
    };
    vec![Field::new("role", idr.role.0), Field::new("id_type", idr.id_type.0), identity]
}

fn general_extension(extension: &GeneralExtension<'_>) -> Vec<Field> {
    let mut fields =
        vec![Field::new("extension_type", extension.extension_type.0), Field::octets("data", &extension.data)];
    match extension.extension_type {
        ExtensionType::KEY_ID => {
            if let Ok(information) = KeyIdInformation::parse(&extension.data) {
                let key_ids: Value =
                    information.key_ids().map(|id| json!({ "type": id.key_id_type.0, "id": hex(id.id) })).collect();
                fields.push(Field::new("key_ids", key_ids));
            }
        }
        ExtensionType::SDP_IDS => {
            if let Ok(protocols) = SdpIds::parse(&extension.data) {
                fields.push(Field::new("protocols", protocols.ids().collect::<Value>()));
            }
        }
        ExtensionType::OMA_BCAST => {
            if let Ok(part) = OmaBcast::parse(&extension.data) {
                fields.push(Field::new("subtype", part.subtype.0));
            }
        }
        _ => {}
    }
    fields
}

fn mac(mac: &Mac<'_>) -> Vec<Field> {
    vec![Field::new("mac_algorithm", mac.algorithm().number()), Field::octets("mac", mac.octets())]
}

fn diffie_hellman(dh: &Dh<'_>) -> Vec<Field> {
    let mut fields = vec![Field::new("group", dh.group().number()), Field::octets("value", dh.value())];
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

/// Ticket Data of another type than RFC 6043 are as opaque as such that cannot be read.
fn ticket(ticket: &Ticket<'_>, show_secrets: bool) -> Vec<Field> {
    let data = match ticket.policy.ticket_type {
        TicketType::MIKEY_BASE => {
            let inside = BaseTicket::parse(&ticket.data).map(|ticket| ticket.payloads);
            chain("ticket_data", &ticket.data, inside, show_secrets)
        }
        _ => Field::new("ticket_data", (show_secrets || ticket.data.is_empty()).then(|| hex(&ticket.data))),
    };
    let mut fields = ticket_policy(&ticket.policy, show_secrets);
    fields.extend([data, chain("initiator_data", &ticket.initiator_data, ticket.initiator_payloads(), show_secrets)]);
    fields
}

/// Octets with payloads inside; null where there could be a key in clear among them: in a KEMAC that is not encrypted, in
/// a ticket or its policy, or in what cannot be read.
fn chain(name: &'static str, octets: &[u8], inside: Result<Vec<Payload<'_>>, Error>, show_secrets: bool) -> Field {
    let may_be_secret = |payload: &Payload<'_>| match payload {
        Payload::Kemac(kemac) => kemac.encryption == EncryptionAlgorithm::NULL,
        Payload::TicketPolicy(_) | Payload::Ticket(_) => true,
        _ => false,
    };
    let is_shown =
        show_secrets || octets.is_empty() || inside.is_ok_and(|payloads| !payloads.iter().any(may_be_secret));
    Field::new(name, is_shown.then(|| hex(octets)))
}

fn ticket_policy(policy: &TicketPolicy<'_>, show_secrets: bool) -> Vec<Field> {
    vec![
        Field::new("ticket_type", policy.ticket_type.0),
        Field::new("subtype", policy.subtype),
        Field::new("version", policy.version),
        Field::new("prf", policy.prf.0),
        Field::new("flags", policy.flags.to_string()),
        chain("policy_data", &policy.data, policy.payloads(), show_secrets),
    ]
}

fn security_policy(policy: &SecurityPolicy<'_>) -> Vec<Field> {
    let parameters: Value = policy
        .parameters()
        .map(|parameter| json!({ "type": parameter.parameter_type, "value": hex(parameter.value) }))
        .collect();
    vec![
        Field::new("policy", policy.policy_no),
        Field::new("protocol", policy.protocol.0),
        Field::new("parameters", parameters),
    ]
}

/// Whether the data of a KEMAC are encrypted. An algorithm that nobody has assigned may stand where a length is wrong.
pub fn is_encrypted(algorithm: EncryptionAlgorithm) -> bool {
    matches!(
        algorithm,
        EncryptionAlgorithm::AES_CM_128 | EncryptionAlgorithm::AES_KW_128 | EncryptionAlgorithm::AES_CM_256
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use mikey_sakke::mikey::{Idr, SrtpIdEntry};

    #[test]
    fn every_crypto_session_is_described() {
        let entries = [1, 2].map(|ssrc| SrtpIdEntry { policy_no: 0, ssrc, roc: 7 });
        let message = Message::new(Header::sakke(0x1000_0001, CsIdMap::SrtpId(entries.to_vec())));
        let header = describe(&message, None, false).remove(0).json();
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
        let payloads = describe(&message, None, false);
        let identities: Vec<_> = payloads.iter().skip(1).map(|payload| payload.json()["identity"].clone()).collect();
        assert_eq!(identities, ["sip:a@example.org", "6b6d7300", "616263"]);
        assert_eq!(payloads.last().unwrap().json()["offset"], 10 + 22 + 9);
    }
}
