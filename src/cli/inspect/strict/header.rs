//! What the header of a message says, by its data type.
use super::super::finding::Finding;
use mikey_sakke::mikey::{CsIdMap, DataType, Message, Payload, PrfFunction, TicketFlags};

/// V flag, PRF and crypto sessions.
pub fn judge(message: &Message<'_>) -> Vec<Finding> {
    [v_flag(message), prf(message), sessions(message), map_type(message)].into_iter().flatten().collect()
}

fn v_flag(message: &Message<'_>) -> Option<Finding> {
    let (expected, clause) = match message.header.data_type {
        DataType::RsaReverseInit => (true, "RFC 4738 3.4"),
        DataType::TicketRequestPreShared | DataType::TicketRequestPublicKey => (true, "RFC 6043 4.2.1.1"),
        DataType::TicketRequestResponse => (false, "RFC 6043 4.2.1.5"),
        DataType::TicketTransferInit => (asks_for_response(message)?, "RFC 6043 4.2.2.1"),
        DataType::TicketTransferResponse => (false, "RFC 6043 4.2.2.3"),
        DataType::TicketResolvePreShared | DataType::TicketResolvePublicKey => (true, "RFC 6043 4.2.3.1"),
        DataType::TicketResolveResponse => (false, "RFC 6043 4.2.3.5"),
        DataType::IbakeRequestResponse => (false, "RFC 6267 4.2.1.3"),
        DataType::IbakeInit1 => (true, "RFC 6267 4.2.2.1"),
        DataType::IbakeResponse1 => (true, "RFC 6267 4.2.2.3"),
        DataType::IbakeInit2 => (true, "RFC 6267 4.2.2.5"),
        DataType::IbakeResponse2 => (false, "RFC 6267 4.2.2.7"),
        _ => return None,
    };
    (message.header.verification_expected != expected).then(|| {
        let what = format!("the V flag is {}: expected {}", u8::from(!expected), u8::from(expected));
        // Whoever receives such a message ignores the flag.
        Finding::accepted(what, clause)
    })
}

/// The F flag of the ticket policy, with which the V flag agrees.
fn asks_for_response(message: &Message<'_>) -> Option<bool> {
    message.payloads.iter().find_map(|payload| match payload {
        Payload::Ticket(ticket) => Some(ticket.policy.flags.contains(TicketFlags::F)),
        _ => None,
    })
}

fn prf(message: &Message<'_>) -> Option<Finding> {
    let prf = message.header.prf;
    (!matches!(prf, PrfFunction::MIKEY_1 | PrfFunction::HMAC_SHA_256)).then(|| {
        let what = format!("PRF function {prf}: expected 0 (MIKEY-1) or 1 (PRF-HMAC-SHA-256)");
        Finding::contradiction(what, "RFC 3830 6.1, RFC 6043 6.1")
    })
}

/// Exchanges with a KMS are about no crypto session.
fn sessions(message: &Message<'_>) -> Option<Finding> {
    let clause = match message.header.data_type {
        DataType::TicketRequestPreShared | DataType::TicketRequestPublicKey => "RFC 6043 4.2.1.1",
        DataType::TicketRequestResponse => "RFC 6043 4.2.1.5",
        DataType::TicketResolvePreShared | DataType::TicketResolvePublicKey => "RFC 6043 4.2.3.1",
        DataType::TicketResolveResponse => "RFC 6043 4.2.3.5",
        DataType::IbakeRequestPreShared | DataType::IbakeRequestPublicKey => "RFC 6267 4.2.1.1",
        DataType::IbakeRequestResponse => "RFC 6267 4.2.1.3",
        _ => return None,
    };
    let map = &message.header.cs_id_map;
    (!matches!(map, CsIdMap::Empty { cs_count: 0 })).then(|| {
        let what =
            format!("{} crypto sessions in a map of type {}: expected 0, empty", map.cs_count(), map.type_name());
        Finding::contradiction(what, clause)
    })
}

/// "The map type SRTP-ID SHALL NOT be used" where tickets are transferred.
fn map_type(message: &Message<'_>) -> Option<Finding> {
    let transfers = matches!(message.header.data_type, DataType::TicketTransferInit | DataType::TicketTransferResponse);
    (transfers && matches!(message.header.cs_id_map, CsIdMap::SrtpId(_))).then(|| {
        let what = "a CS ID map of type SRTP-ID: expected 2 (GENERIC-ID) where a ticket is transferred";
        Finding::contradiction(what, "RFC 6043 6.1")
    })
}
