//! The fields of a message, octet by octet.
use super::node::{Fields, Node};
use super::short_hex;
use crate::cli::clock;
use crate::cli::output::hex;
use mikey_sakke::mikey::{
    CsIdMap, ExtensionType, GeneralExtension, GenericIdEntry, Header, IdRole, Idr, Payload, PayloadType, ProtocolType,
    Sakke, SecurityPolicy, Sign, SrtpAuthentication, SrtpEncryption, SrtpParameter, Timestamp,
};
use mikey_sakke::sakke::POINT_LEN;

/// Octets of a coordinate of a point of the curve of RFC 6509.
const COORDINATE: usize = POINT_LEN / 2;

/// The fields of the header; `next` is the type of the payload after it.
pub fn header(header: &Header<'_>, next: PayloadType) -> Vec<Node> {
    let map = &header.cs_id_map;
    let map_len = header.encoded_len().saturating_sub(10);
    let fields = Fields::at(0)
        .field("version", 1, 1)
        .field("data type", 1, header.data_type)
        .field("next payload", 1, next)
        .bits("V", u8::from(header.verification_expected))
        .bits("PRF func", header.prf)
        .skip(1)
        .field("CSB ID", 4, format!("{:08x}", header.csb_id))
        .field("#CS", 1, map.cs_count())
        .field("CS ID map type", 1, format!("{} ({})", map.type_number(), map.type_name()));
    let fields = match map_len {
        0 => fields,
        len => fields.nested("CS ID map info", len, "", |fields| sessions(map, fields)),
    };
    fields.nodes()
}

fn sessions(map: &CsIdMap<'_>, fields: Fields) -> Fields {
    match map {
        CsIdMap::GenericId(map) => map.entries().fold(fields, generic_id),
        CsIdMap::SrtpId(entries) => (1..).zip(entries).fold(fields, |fields, (number, entry)| {
            fields.nested(&format!("CS {number}"), 9, "", |fields| {
                fields
                    .field("Policy_no", 1, entry.policy_no)
                    .field("SSRC", 4, format!("{:08x}", entry.ssrc))
                    .field("ROC", 4, entry.roc)
            })
        }),
        _ => fields,
    }
}

fn generic_id(fields: Fields, entry: GenericIdEntry<'_>) -> Fields {
    let (policies, data, spi) = (entry.policy_numbers, entry.session_data, entry.spi);
    let len = 6 + policies.len() + data.len() + spi.len();
    fields.nested(&format!("CS {}", entry.cs_id), len, "", |fields| {
        fields
            .field("CS ID", 1, entry.cs_id)
            .field("Prot type", 1, entry.protocol)
            .bits("S", u8::from(entry.session_data_flag))
            .bits("#P", policies.len())
            .skip(1)
            .field("Ps", policies.len(), format!("{policies:?}"))
            .field("Session Data Length", 2, data.len())
            .field("Session Data", data.len(), short_hex(data))
            .field("SPI Length", 1, spi.len())
            .field("SPI", spi.len(), hex(spi))
    })
}

/// The fields of a payload that begins at `offset`; none for a payload that is not known here.
pub fn payload(payload: &Payload<'_>, offset: usize, next: PayloadType) -> Vec<Node> {
    let fields = match payload {
        Payload::Sign(sign) => return signature(sign, Fields::at(offset)).nodes(),
        _ => Fields::at(offset).field("Next payload", 1, next),
    };
    match payload {
        Payload::Timestamp(time) => timestamp(*time, fields),
        Payload::Rand(rand) => {
            fields.field("RAND len", 1, rand.octets.len()).field("RAND", rand.octets.len(), hex(&rand.octets))
        }
        Payload::Id(id) => fields.field("ID Type", 1, id.id_type).field("ID len", 2, id.data.len()).field(
            "ID data",
            id.data.len(),
            id.text().map_or_else(|| short_hex(&id.data), escaped),
        ),
        Payload::Idr(idr) => identity(idr, fields),
        Payload::SecurityPolicy(policy) => security_policy(policy, fields),
        Payload::Sakke(sakke) => encapsulation(sakke, fields),
        Payload::GeneralExtension(extension) => general_extension(extension, fields),
        _ => return Vec::new(),
    }
    .nodes()
}

fn timestamp(timestamp: Timestamp, fields: Fields) -> Fields {
    let kind = format!("{} ({})", timestamp.type_number(), timestamp.type_name());
    let fields = fields.field("TS type", 1, kind);
    match timestamp {
        Timestamp::NtpUtc(time) | Timestamp::Ntp(time) => {
            fields.field("TS value", 8, format!("{} ({:016x})", clock::display(time), time.to_bits()))
        }
        Timestamp::Counter(count) => fields.field("TS value", 4, count),
        _ => fields,
    }
}

fn identity(idr: &Idr<'_>, fields: Fields) -> Fields {
    let hidden = matches!(idr.role, IdRole::INITIATOR_UID | IdRole::RESPONDER_UID);
    let value = idr.text().filter(|_| !hidden).map_or_else(|| hex(&idr.data), escaped);
    fields.field("ID Role", 1, idr.role).field("ID Type", 1, idr.id_type).field("ID len", 2, idr.data.len()).field(
        "ID data",
        idr.data.len(),
        value,
    )
}

fn security_policy(policy: &SecurityPolicy<'_>, fields: Fields) -> Fields {
    let len = policy.parameters().map(|parameter| 2 + parameter.value.len()).sum();
    let fields = fields.field("Policy no", 1, policy.policy_no).field("Prot type", 1, policy.protocol).field(
        "Policy param length",
        2,
        len,
    );
    fields.nested("Policy param", len, "", |fields| {
        policy.parameters().fold(fields, |fields, parameter| {
            let kind = SrtpParameter(parameter.parameter_type);
            let (name, value) = match policy.protocol {
                ProtocolType::SRTP => (kind.to_string(), srtp_value(kind, parameter.value)),
                _ => (parameter.parameter_type.to_string(), hex(parameter.value)),
            };
            fields.nested(&name, 2 + parameter.value.len(), value, |inner| inner)
        })
    })
}

fn srtp_value(parameter: SrtpParameter, value: &[u8]) -> String {
    match (parameter, value) {
        (SrtpParameter::ENCRYPTION_ALGORITHM, [value]) => SrtpEncryption(*value).to_string(),
        (SrtpParameter::AUTHENTICATION_ALGORITHM, [value]) => SrtpAuthentication(*value).to_string(),
        (_, [value]) => value.to_string(),
        _ => hex(value),
    }
}

fn encapsulation(sakke: &Sakke<'_>, fields: Fields) -> Fields {
    let data = &sakke.data;
    fields
        .field("SAKKE params", 1, sakke.parameters)
        .field("ID scheme", 1, sakke.id_scheme)
        .field("SAKKE data length", 2, data.len())
        .nested("SAKKE data", data.len(), "", |fields| match data.split_at_checked(POINT_LEN) {
            Some(([form, x_y @ ..], hint)) if x_y.len() == 2 * COORDINATE => {
                let (x, y) = x_y.split_at_checked(COORDINATE).unwrap_or_default();
                fields
                    .nested("R", POINT_LEN, "point of E(F_p)", |fields| {
                        fields.field("form", 1, format!("{form:02x}")).field("x", x.len(), short_hex(x)).field(
                            "y",
                            y.len(),
                            short_hex(y),
                        )
                    })
                    .field("H", hint.len(), hex(hint))
            }
            _ => fields.field("octets", data.len(), short_hex(data)),
        })
}

fn general_extension(extension: &GeneralExtension<'_>, fields: Fields) -> Fields {
    let data = &extension.data;
    let fields = fields.field("Type", 1, extension.extension_type).field("Length", 2, data.len());
    fields.nested("Data", data.len(), "", |fields| match extension.extension_type {
        ExtensionType::KEY_PARAMETERS => protected_payload(data, fields),
        ExtensionType::SAKKE_TO_SELF => match (data.first(), Sakke::from_standalone(data)) {
            (Some(next), Ok(sakke)) => {
                encapsulation(&sakke, fields.field("Next payload", 1, format!("{next} (ignored)")))
            }
            _ => fields.field("octets", data.len(), short_hex(data)),
        },
        _ => fields.field("octets", data.len(), short_hex(data)),
    })
}

/// MCData Protected Payload (TS 33.180 8.5.4).
fn protected_payload(data: &[u8], fields: Fields) -> Fields {
    const TAG: usize = 16;
    let whole = |fields: Fields| fields.field("octets", data.len(), short_hex(data));
    let Some((head, payload)) = data.split_first_chunk::<32>() else { return whole(fields) };
    let [kind, t0, t1, t2, t3, t4, i0, i1, i2, i3, sequence, algorithm, rest @ ..] = head;
    let ([iei, length @ ..], protected) = match payload.split_first_chunk::<3>() {
        Some(parts) => parts,
        None => return whole(fields),
    };
    let (iv, dppk_id) = rest.split_at_checked(16).unwrap_or_default();
    let time = u64::from_be_bytes([0, 0, 0, *t0, *t1, *t2, *t3, *t4]);
    let (encrypted, authenticated) = (kind & 0x40 != 0, kind & 0x80 != 0);
    let flags = match (encrypted, authenticated) {
        (true, true) => " (encrypted, authenticated)",
        (true, false) => " (encrypted)",
        (false, true) => " (authenticated)",
        (false, false) => " (in clear)",
    };
    let cipher = match algorithm {
        1 => " (AES-128-GCM)",
        2 => " (AES-256-GCM)",
        _ => "",
    };
    let (text, tag) = protected.split_at_checked(protected.len().saturating_sub(TAG)).unwrap_or_default();
    fields
        .field("Message type", 1, format!("{kind:02x}{flags}"))
        .field("Date and time", 5, clock::display_unix(time))
        .field("Payload ID", 4, hex([*i0, *i1, *i2, *i3]))
        .field("Payload sequence number", 1, sequence)
        .field("Algorithm", 1, format!("{algorithm}{cipher}"))
        .field("IV", 16, hex(iv))
        .field("DPPK-ID", 4, hex(dppk_id))
        .nested("Payload", 3 + protected.len(), "", |fields| {
            fields
                .field("Payload IEI", 1, format!("{iei:02x}"))
                .field("Length", 2, u16::from_be_bytes(*length))
                .field("ciphertext", text.len(), short_hex(text))
                .field("tag", tag.len(), hex(tag))
        })
}

fn signature(sign: &Sign<'_>, fields: Fields) -> Fields {
    let octets = &sign.signature;
    fields.bits("S type", sign.signature_type).bits("Signature len", octets.len()).skip(2).nested(
        "Signature",
        octets.len(),
        "",
        |fields| match octets.split_at_checked(64) {
            Some((r_s, pvt)) if pvt.len() == 65 => {
                let (r, s) = r_s.split_at_checked(32).unwrap_or_default();
                fields.field("r", 32, hex(r)).field("s", 32, hex(s)).field("PVT", pvt.len(), short_hex(pvt))
            }
            _ => fields.field("octets", octets.len(), short_hex(octets)),
        },
    )
}

/// A text of a stranger, safe for a terminal.
fn escaped(text: &str) -> String {
    text.escape_debug().to_string()
}
