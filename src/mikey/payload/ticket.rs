use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::{Payload, PayloadType, TicketPolicy};
use crate::mikey::codec::{Reader, put_data_16};
use crate::mikey::{Error, chain};

/// TICKET, a ticket under its policy (RFC 6043 6.10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket<'a> {
    /// The policy that was granted.
    pub policy: TicketPolicy<'a>,
    /// Ticket Data, at most 65535 octets, for who resolves the ticket: a [`BaseTicket`](super::BaseTicket), for example.
    pub data: Cow<'a, [u8]>,
    /// Initiator Data, at most 65535 octets: authenticates the initiator where keys are forked.
    pub initiator_data: Cow<'a, [u8]>,
}

impl<'a> Ticket<'a> {
    /// A ticket without initiator data.
    pub fn new(policy: TicketPolicy<'a>, data: impl Into<Cow<'a, [u8]>>) -> Self {
        Self { policy, data: data.into(), initiator_data: Cow::Borrowed(&[]) }
    }

    /// The payloads of Initiator Data: V for the KMS and V for the responder, where keys are forked; none where there is no
    /// Initiator Data. Offsets in errors count from the start of Initiator Data.
    ///
    /// # Errors
    /// Those of [`Message::parse`](crate::mikey::Message::parse) for what is wrong with a payload.
    pub fn initiator_payloads(&self) -> Result<Vec<Payload<'_>>, Error> {
        if self.initiator_data.is_empty() {
            return Ok(Vec::new());
        }
        let mut reader = Reader::new(&self.initiator_data);
        let first = PayloadType(reader.octet("Initiator Data First Payload")?);
        chain::read(first, &mut reader, Payload::read)
    }

    /// The same payload with all of its data owned.
    pub fn into_owned(self) -> Ticket<'static> {
        Ticket {
            policy: self.policy.into_owned(),
            data: Cow::Owned(self.data.into_owned()),
            initiator_data: Cow::Owned(self.initiator_data.into_owned()),
        }
    }

    pub(super) fn body_len(&self) -> usize {
        self.policy.body_len() + 4 + self.data.len() + self.initiator_data.len()
    }

    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let policy = TicketPolicy::read(reader)?;
        let data = Cow::Borrowed(reader.data_16("TICKET Ticket Data")?);
        let initiator_data = Cow::Borrowed(reader.data_16("TICKET Initiator Data")?);
        Ok(Self { policy, data, initiator_data })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        self.policy.write(out)?;
        put_data_16(out, &self.data, "TICKET Ticket Data")?;
        put_data_16(out, &self.initiator_data, "TICKET Initiator Data")
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::super::testing::{HEADER_LEN, assert_form, build_error, parse_error};
    use super::super::{Mac, PrfFunction, TicketFlags, TicketType, Verification};
    use super::*;

    fn ticket() -> Ticket<'static> {
        let policy = TicketPolicy {
            ticket_type: TicketType::THREE_GPP_BASE,
            subtype: 3,
            version: 4,
            prf: PrfFunction::MIKEY_1,
            flags: TicketFlags::NONE,
            reserved: 0,
            data: vec![0].into(),
        };
        Ticket::new(policy, vec![8, 9])
    }

    #[test]
    fn policy_ticket_data_and_initiator_data() {
        assert_form(ticket(), &[0, 0, 2, 3, 4, 0, 0, 0, 0, 1, 0, 0, 2, 8, 9, 0, 0]);
        let initiated = Ticket { initiator_data: vec![7].into(), ..ticket() };
        assert_form(initiated, &[0, 0, 2, 3, 4, 0, 0, 0, 0, 1, 0, 0, 2, 8, 9, 0, 1, 7]);
    }

    #[test]
    fn initiator_data_is_a_chain_of_payloads() {
        let of = |data: &[u8]| Ticket { initiator_data: data.to_vec().into(), ..ticket() };
        assert_eq!(ticket().initiator_payloads(), Ok(vec![]));
        let v: Payload<'_> = Verification::new(Mac::null()).into();
        assert_eq!(of(&[9, 9, 0, 0, 0]).initiator_payloads(), Ok(vec![v.clone(), v]));
        let trailing = Error::TrailingOctets { offset: 3, count: 1 };
        assert_eq!(of(&[9, 0, 0, 1]).initiator_payloads(), Err(trailing));
    }

    #[test]
    fn wrong_lengths_are_refused() {
        let error = parse_error(PayloadType::TICKET, &[0, 0, 2, 3, 4, 0, 0, 0, 0, 0, 0, 2, 8]);
        let field = "TICKET Ticket Data";
        assert_eq!(error, Error::Truncated { field, offset: HEADER_LEN + 12, expected: 2, found: 1 });
        let error = parse_error(PayloadType::TICKET, &[0, 0, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8]);
        assert_eq!(error, Error::TrailingOctets { offset: HEADER_LEN + 14, count: 1 });
        let too_long = |field| Error::TooLong { field, found: 65536, limit: 65535 };
        assert_eq!(build_error(Ticket { data: vec![0; 65536].into(), ..ticket() }), too_long(field));
        let field = "TICKET Initiator Data";
        assert_eq!(build_error(Ticket { initiator_data: vec![0; 65536].into(), ..ticket() }), too_long(field));
    }
}
