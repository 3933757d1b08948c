//! Tickets and their policies (RFC 6043 6.10).
use super::super::finding::Finding;
use mikey_sakke::mikey::{
    BaseTicket, DataType, Message, Payload, Ticket, TicketFlags, TicketPolicy, TicketType, Timestamp, TsRole,
};

const CLAUSE: &str = "RFC 6043 6.10";

/// What is wrong with the tickets and ticket policies of a message.
pub fn judge(message: &Message<'_>) -> Vec<Finding> {
    let transfers = message.header.data_type == DataType::TicketTransferInit;
    let has_keys = message.payloads.iter().any(|payload| matches!(payload, Payload::Kemac(_)));
    message
        .payloads
        .iter()
        .flat_map(|payload| match payload {
            Payload::TicketPolicy(policy) => of_policy(policy),
            Payload::Ticket(ticket) => {
                let mut findings = of_ticket(ticket);
                if transfers {
                    findings.extend(of_transfer(ticket, has_keys));
                }
                findings
            }
            _ => Vec::new(),
        })
        .collect()
}

fn of_policy(policy: &TicketPolicy<'_>) -> Vec<Finding> {
    match policy.payloads() {
        Ok(payloads) => payloads.iter().filter_map(rekeying_interval).collect(),
        Err(error) => vec![Finding::contradiction(format!("TP Data: {error} of it"), CLAUSE)],
    }
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
