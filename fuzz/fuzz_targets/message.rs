//! Any octets are refused, or are exactly the message that they are read as.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mikey_sakke::mikey::{BaseTicket, IdRole, KeyIdInformation, Message, Payload, Sakke, SdpIds, TicketPolicy};

fuzz_target!(|octets: &[u8]| {
    let Ok(message) = Message::parse(octets) else { return };
    assert_eq!(message.to_bytes().as_deref(), Ok(octets));
    assert_eq!(message.encoded_len(), octets.len());

    let mut end = message.header.encoded_len();
    for (range, payload) in message.located() {
        assert_eq!(range.start, end);
        end = range.end;
        match payload {
            Payload::SecurityPolicy(policy) => {
                let octets: usize = policy.parameters().map(|parameter| 2 + parameter.value.len()).sum();
                assert_eq!(octets + 5, range.len(), "the iterator sees every parameter");
            }
            Payload::GeneralExtension(extension) => {
                if let Ok(sakke) = Sakke::from_standalone(&extension.data) {
                    assert_eq!(sakke.to_standalone().unwrap()[1..], extension.data[1..]);
                }
                if let Ok(ids) = SdpIds::parse(&extension.data) {
                    assert_eq!(ids.to_extension().data, extension.data);
                }
                if let Ok(information) = KeyIdInformation::parse(&extension.data) {
                    assert_eq!(information.to_extension().data, extension.data);
                }
            }
            Payload::TicketPolicy(policy) => check_policy(policy),
            Payload::Ticket(ticket) => {
                check_policy(&ticket.policy);
                if let Ok(base) = BaseTicket::parse(&ticket.data) {
                    assert_eq!(base.to_bytes().unwrap(), *ticket.data);
                }
            }
            _ => {}
        }
    }
    assert_eq!(end, octets.len());

    let _ = (message.timestamp(), message.rand(), message.sakke(), message.signed_octets());
    let _ = (message.identity(IdRole::INITIATOR), message.policy(0));
    assert_eq!(message.clone().into_owned(), message);
});

fn check_policy(policy: &TicketPolicy<'_>) {
    if let Ok(payloads) = policy.payloads() {
        assert_eq!(TicketPolicy::data_of(&payloads).unwrap(), *policy.data);
    }
}
