use super::super::node::Fields;
use super::timestamp;
use super::transport::data_16;
use crate::cli::output::hex;
use mikey_sakke::mikey::{Randr, Ticket, TicketPolicy, Tr};

/// TR (RFC 6043 6.4).
pub fn timestamp_with_role(tr: &Tr, fields: Fields) -> Fields {
    timestamp(tr.timestamp, fields.field("TS role", 1, tr.role))
}

/// RANDR (RFC 6043 6.8).
pub fn rand_with_role(randr: &Randr<'_>, fields: Fields) -> Fields {
    let octets = &randr.octets;
    let fields = fields.field("RAND Role", 1, randr.role);
    fields.field("RAND len", 1, octets.len()).field("RAND", octets.len(), hex(octets))
}

/// TP (RFC 6043 6.10).
pub fn policy(policy: &TicketPolicy<'_>, fields: Fields) -> Fields {
    let fields = fields
        .field("Ticket Type", 2, policy.ticket_type)
        .field("Subtype", 1, policy.subtype)
        .field("Version", 1, policy.version)
        .bits("PRF Func", policy.prf)
        .bits("Flags", policy.flags)
        .skip(3);
    data_16("TP Data", &policy.data, fields)
}

/// TICKET (RFC 6043 6.10).
pub fn ticket(ticket: &Ticket<'_>, fields: Fields) -> Fields {
    let fields = data_16("Ticket Data", &ticket.data, policy(&ticket.policy, fields));
    data_16("Initiator Data", &ticket.initiator_data, fields)
}
