use super::super::node::Fields;
use super::super::payloads::name;
use super::timestamp;
use super::transport::{data_16, hidden_16};
use crate::cli::output::hex;
use mikey_sakke::mikey::{
    BaseTicket, Error, Payload, PayloadType, Randr, Ticket, TicketPolicy, TicketType, Timestamp, Tr, TsRole,
};

/// TR (RFC 6043 6.4). The rekeying interval is a number of seconds, and no time.
pub fn timestamp_with_role(tr: &Tr, fields: Fields) -> Fields {
    let fields = fields.field("TS role", 1, tr.role);
    match (tr.role, tr.timestamp) {
        (TsRole::REKEYING_INTERVAL, Timestamp::NtpUtc32(seconds)) => {
            let kind = format!("{} ({})", tr.timestamp.type_number(), tr.timestamp.type_name());
            fields.field("TS type", 1, kind).field("TS value", 4, format!("{seconds} s"))
        }
        _ => timestamp(tr.timestamp, fields),
    }
}

/// RANDR (RFC 6043 6.8).
pub fn rand_with_role(randr: &Randr<'_>, fields: Fields) -> Fields {
    let octets = &randr.octets;
    let fields = fields.field("RAND Role", 1, randr.role);
    fields.field("RAND len", 1, octets.len()).field("RAND", octets.len(), hex(octets))
}

/// TP (RFC 6043 6.10).
pub fn policy(policy: &TicketPolicy<'_>, fields: Fields, show_secrets: bool) -> Fields {
    let fields = fields
        .field("Ticket Type", 2, policy.ticket_type)
        .field("Subtype", 1, policy.subtype)
        .field("Version", 1, policy.version)
        .bits("PRF Func", policy.prf)
        .bits("Flags", policy.flags)
        .skip(3);
    chain("TP Data", &policy.data, policy.payloads(), fields, show_secrets)
}

/// TICKET (RFC 6043 6.10).
pub fn ticket(ticket: &Ticket<'_>, fields: Fields, show_secrets: bool) -> Fields {
    let fields = policy(&ticket.policy, fields, show_secrets);
    let fields = match ticket.policy.ticket_type {
        TicketType::MIKEY_BASE => base_ticket(&ticket.data, fields, show_secrets),
        _ => hidden_16("Ticket Data", &ticket.data, fields, show_secrets),
    };
    chain("Initiator Data", &ticket.initiator_data, ticket.initiator_payloads(), fields, show_secrets)
}

/// The Ticket Data of a MIKEY base ticket: THDR and payloads (RFC 6043 A).
fn base_ticket(data: &[u8], fields: Fields, show_secrets: bool) -> Fields {
    let Ok(BaseTicket { header_data, payloads }) = BaseTicket::parse(data) else {
        return hidden_16("Ticket Data", data, fields, show_secrets);
    };
    let first = payloads.first().map_or(PayloadType::LAST, Payload::payload_type);
    fields.field("Ticket Data len", 2, data.len()).nested("Ticket Data", data.len(), "", |fields| {
        let fields = fields.nested("THDR", 3 + header_data.len(), "", |fields| {
            data_16("THDR Data", &header_data, fields.field("Next payload", 1, first))
        });
        inner(&payloads, fields, show_secrets)
    })
}

/// Data that is the type of a first payload, and payloads; octets, which are a secret, where it is not.
fn chain(
    name: &str,
    data: &[u8],
    payloads: Result<Vec<Payload<'_>>, Error>,
    fields: Fields,
    show_secrets: bool,
) -> Fields {
    let Some(payloads) = payloads.ok().filter(|_| !data.is_empty()) else {
        return hidden_16(name, data, fields, show_secrets);
    };
    let first = payloads.first().map_or(PayloadType::LAST, Payload::payload_type);
    fields
        .field(&format!("{name} len"), 2, data.len())
        .nested(name, data.len(), "", |fields| inner(&payloads, fields.field("First Payload", 1, first), show_secrets))
}

/// Payloads inside a payload.
fn inner(payloads: &[Payload<'_>], fields: Fields, show_secrets: bool) -> Fields {
    let mut following = payloads.iter().skip(1).map(Payload::payload_type);
    payloads.iter().fold(fields, |fields, payload| {
        let next = following.next().unwrap_or(PayloadType::LAST);
        fields.nested(&name(payload), payload.encoded_len(), "", |fields| {
            super::body(payload, fields, next, show_secrets)
        })
    })
}
