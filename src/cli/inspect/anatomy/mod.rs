//! The fields of a message, octet by octet.

mod encapsulation;
mod extension;
mod policy;
mod ticket;
mod transport;

use super::node::{Fields, Node};
use super::payloads::ntp_utc_32;
use super::{HIDDEN, short_hex};
use crate::cli::clock;
use crate::cli::output::hex;
use mikey_sakke::mikey::{CsIdMap, GenericIdEntry, Header, IdRole, Idr, Payload, PayloadType, Sign, Timestamp};
use std::ops::Range;

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

/// A payload whose value is not shown.
pub fn hidden(octets: Range<usize>, next: PayloadType) -> Vec<Node> {
    let fields = Fields::at(octets.start).field("Next payload", 1, next);
    fields.field("Value", octets.len().saturating_sub(1), HIDDEN).nodes()
}

/// The fields of a payload that begins at `offset`.
pub fn payload(payload: &Payload<'_>, offset: usize, next: PayloadType, show_secrets: bool) -> Vec<Node> {
    body(payload, Fields::at(offset), next, show_secrets).nodes()
}

/// The fields of a payload behind other fields.
fn body(payload: &Payload<'_>, fields: Fields, next: PayloadType, show_secrets: bool) -> Fields {
    let fields = match payload {
        Payload::Sign(sign) => return signature(sign, fields),
        _ => fields.field("Next payload", 1, next),
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
        Payload::SecurityPolicy(policy) => policy::security_policy(policy, fields),
        Payload::Sakke(sakke) => encapsulation::encapsulation(sakke, fields),
        Payload::GeneralExtension(extension) => extension::general_extension(extension, fields),
        Payload::Kemac(kemac) => transport::kemac(kemac, fields, show_secrets),
        Payload::Pke(pke) => transport::pke(pke, fields),
        Payload::Dh(dh) => transport::diffie_hellman(dh, fields),
        Payload::Cert(cert) => transport::certificate(cert, fields),
        Payload::Chash(chash) => transport::certificate_hash(chash, fields),
        Payload::Verification(verification) => transport::mac(&verification.mac, fields),
        Payload::ErrorPayload(error) => fields.field("Error no", 1, error.number).field("Reserved", 2, error.reserved),
        Payload::Tr(tr) => ticket::timestamp_with_role(tr, fields),
        Payload::Randr(randr) => ticket::rand_with_role(randr, fields),
        Payload::TicketPolicy(policy) => ticket::policy(policy, fields, show_secrets),
        Payload::Ticket(ticket) => ticket::ticket(ticket, fields, show_secrets),
        Payload::Ibake(ibake) => transport::data_16("Encr data", &ibake.data, fields),
        Payload::Esk(esk) => transport::data_16("Encr data", &esk.data, fields),
        _ => fields,
    }
}

fn timestamp(timestamp: Timestamp, fields: Fields) -> Fields {
    let kind = format!("{} ({})", timestamp.type_number(), timestamp.type_name());
    let fields = fields.field("TS type", 1, kind);
    match timestamp {
        Timestamp::NtpUtc(time) | Timestamp::Ntp(time) => {
            fields.field("TS value", 8, format!("{} ({:016x})", clock::display(time), time.to_bits()))
        }
        Timestamp::Counter(count) => fields.field("TS value", 4, count),
        Timestamp::NtpUtc32(seconds) => {
            fields.field("TS value", 4, format!("{} ({seconds:08x})", clock::display(ntp_utc_32(seconds))))
        }
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
