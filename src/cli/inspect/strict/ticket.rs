//! Tickets and their policies (RFC 6043 6.10).
use super::super::finding::Finding;
use mikey_sakke::mikey::{
    BaseTicket, DataType, Message, Payload, Ticket, TicketFlags, TicketPolicy, TicketType, Timestamp, TsRole,
};

const CLAUSE: &str = "RFC 6043 6.10";

const FORKING: &str = "RFC 6043 5.1.1";

/// Flags that say nothing without another: which, the other, why, where.
const NEEDS: [(TicketFlags, TicketFlags, &str, &str); 4] = [
    (TicketFlags::G, TicketFlags::F, "RANDRr is sent in the TRANSFER_RESP that flag F does not allow", CLAUSE),
    (TicketFlags::I, TicketFlags::E, "forked keys come from the KMS, which flag E lets the responder pass by", FORKING),
    (TicketFlags::I, TicketFlags::F, "the initiator forks keys by the IDRr of a TRANSFER_RESP", FORKING),
    (TicketFlags::K, TicketFlags::D, "a KMS that did not make the ticket changed nothing", CLAUSE),
];

/// What is wrong with the tickets and ticket policies of a message.
pub fn judge(message: &Message<'_>) -> Vec<Finding> {
    let data_type = message.header.data_type;
    let has_keys = message.payloads.iter().any(|payload| matches!(payload, Payload::Kemac(_)));
    message
        .payloads
        .iter()
        .flat_map(|payload| match payload {
            Payload::TicketPolicy(policy) => of_request(policy),
            Payload::Ticket(ticket) => {
                let mut findings = of_ticket(ticket);
                match data_type {
                    DataType::TicketTransferInit => findings.extend(of_transfer(ticket, has_keys)),
                    DataType::TicketRequestResponse => findings.extend(of_grant(ticket)),
                    _ => {}
                }
                findings
            }
            _ => Vec::new(),
        })
        .collect()
}

fn of_policy(policy: &TicketPolicy<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = lone_flags(policy.flags).chain(kind(policy)).collect();
    match policy.payloads() {
        Ok(payloads) => findings.extend(payloads.iter().filter_map(rekeying_interval)),
        Err(error) => findings.push(Finding::contradiction(format!("TP Data: {error} of it"), CLAUSE)),
    }
    findings
}

fn lone_flags(flags: TicketFlags) -> impl Iterator<Item = Finding> {
    let lone = NEEDS.into_iter().filter(move |(flag, other, ..)| flags.contains(*flag) && !flags.contains(*other));
    lone.map(|(flag, other, why, clause)| {
        Finding::contradiction(format!("flag {flag} is set without flag {other}: {why}"), clause)
    })
}

/// "Subtype = 0x01 and Version = 0x01 refers to MIKEY Base Ticket as defined in this document."
fn kind(policy: &TicketPolicy<'_>) -> Option<Finding> {
    let (subtype, version) = (policy.subtype, policy.version);
    (policy.ticket_type == TicketType::MIKEY_BASE && (subtype, version) != (1, 1)).then(|| {
        let what = format!("a MIKEY base ticket of subtype {subtype} and version {version}: expected 1 and 1");
        Finding::contradiction(what, CLAUSE)
    })
}

/// A policy that is asked for.
fn of_request(policy: &TicketPolicy<'_>) -> Vec<Finding> {
    let mut findings = of_policy(policy);
    if policy.flags.contains(TicketFlags::K) {
        let what = "flag K, which the KMS sets, is set in TP: expected 0";
        findings.push(Finding::accepted(what, CLAUSE));
    }
    findings
}

/// A policy that is granted, with the ticket of a KMS.
fn of_grant(ticket: &Ticket<'_>) -> Option<Finding> {
    (!ticket.policy.flags.contains(TicketFlags::D)).then(|| {
        Finding::contradiction("flag D is not set: the ticket of a KMS says that the initiator made it", CLAUSE)
    })
}

fn rekeying_interval(payload: &Payload<'_>) -> Option<Finding> {
    let Payload::Tr(tr) = payload else { return None };
    let wrong = tr.role == TsRole::REKEYING_INTERVAL && !matches!(tr.timestamp, Timestamp::NtpUtc32(_));
    wrong.then(|| {
        let what = format!("TRr of TS type {}: expected 3 (NTP-UTC-32)", tr.timestamp.type_number());
        Finding::contradiction(what, CLAUSE)
    })
}

fn of_ticket(ticket: &Ticket<'_>) -> Vec<Finding> {
    let mut findings = of_policy(&ticket.policy);
    let asks = |payloads: Vec<Payload<'_>>| payloads.iter().any(|payload| matches!(payload, Payload::Kemac(_)));
    if ticket.policy.payloads().is_ok_and(asks) {
        let what = "TP Data of the ticket has KEMAC, which only a policy that is asked for may have";
        findings.push(Finding::contradiction(what, CLAUSE));
    }
    if ticket.policy.ticket_type == TicketType::MIKEY_BASE
        && let Err(error) = BaseTicket::parse(&ticket.data)
    {
        findings.push(Finding::contradiction(format!("Ticket Data: {error} of it"), "RFC 6043 A"));
    }
    findings
}

/// What the flags of the policy say of the message that transfers the ticket.
fn of_transfer(ticket: &Ticket<'_>, has_keys: bool) -> Vec<Finding> {
    let forks = ticket.policy.flags.contains(TicketFlags::I);
    let mut findings = Vec::new();
    if forks == ticket.initiator_data.is_empty() {
        let (flag, has) = if forks { ("set", "no") } else { ("not set", "") };
        let what =
            format!("flag I (key forking) is {flag}, and the ticket has {has} Initiator Data").replace("  ", " ");
        findings.push(Finding::contradiction(what, CLAUSE));
    }
    if has_keys && !ticket.policy.flags.contains(TicketFlags::L) {
        let what = "the initiator supplies keys (KEMAC), and flag L does not allow it";
        findings.push(Finding::contradiction(what, "RFC 6043 4.2.2.1"));
    }
    findings
}
