use alloc::vec::Vec;

use super::chain::{self, Break};
use super::codec::Reader;
use super::{Error, Header, Message, Payload, PayloadType};

/// As much of a message as can be read, for who wants to see where a broken one breaks.
///
/// A receiver has no use for it: what is not a whole [`Message`] is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partial<'a> {
    /// HDR, if it can be read.
    pub header: Option<Header<'a>>,
    /// The payloads before the fault, in their order.
    pub payloads: Vec<Payload<'a>>,
    /// What ends them; `None` for a whole message.
    pub fault: Option<Fault>,
}

/// Where a message breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which part cannot be read.
    pub part: Part,
    /// The octet at which that part starts.
    pub start: usize,
    /// What is wrong with it.
    pub error: Error,
}

/// A part of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// HDR, the common header.
    Header,
    /// A payload of the type that the part before it announces; [`PayloadType::LAST`] for octets behind the last payload.
    Payload(PayloadType),
}

impl Fault {
    /// The octet at which the fault is: that of the field, if it is known, or else that of the part.
    pub fn offset(&self) -> usize {
        self.error.offset().unwrap_or(self.start)
    }

    /// The clause that the fault breaks: of an unreadable field that which lays its payload out, or else the
    /// [clause of the error](Error::clause).
    pub const fn clause(&self) -> Option<&'static str> {
        match (&self.error, self.part) {
            (Error::Truncated { .. } | Error::UnknownNumber { .. }, Part::Payload(payload_type)) => {
                match payload_type.clause() {
                    Some(clause) => Some(clause),
                    None => self.error.clause(),
                }
            }
            (Error::Truncated { .. }, Part::Header) => Some("RFC 3830 6.1"),
            _ => self.error.clause(),
        }
    }
}

impl<'a> Partial<'a> {
    /// Reads a message as far as it goes, under the limits of [`Message::parse`], which succeeds where this finds no fault
    /// and fails with the same error where it does.
    pub fn parse(octets: &'a [u8]) -> Self {
        let broken =
            |part, start, error| Self { header: None, payloads: Vec::new(), fault: Some(Fault { part, start, error }) };
        if octets.len() > Message::MAX_LEN {
            return broken(Part::Header, 0, Error::MessageTooLong { found: octets.len(), limit: Message::MAX_LEN });
        }
        let mut reader = Reader::new(octets);
        let (header, next) = match Header::read(&mut reader) {
            Ok(header) => header,
            Err(error) => return broken(Part::Header, 0, error),
        };
        let (payloads, end) = chain::read_to_break(next, &mut reader, Payload::read);
        let fault =
            end.map(|Break { payload_type, start, error }| Fault { part: Part::Payload(payload_type), start, error });
        Self { header: Some(header), payloads, fault }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::mikey::{CsIdMap, Rand, Sign, Timestamp};

    fn octets() -> Vec<u8> {
        let message = Message::new(Header::sakke(1, CsIdMap::Empty { cs_count: 0 }))
            .with(Timestamp::Counter(7))
            .with(Rand::new(vec![1; 16]))
            .with(Sign::eccsi(vec![4; 129]));
        message.to_bytes().unwrap()
    }

    #[test]
    fn a_whole_message_has_no_fault() {
        let octets = octets();
        let (partial, message) = (Partial::parse(&octets), Message::parse(&octets).unwrap());
        assert_eq!((partial.header, partial.payloads, partial.fault), (Some(message.header), message.payloads, None));
    }

    #[test]
    fn every_cut_leaves_what_is_before_it() {
        let octets = octets();
        let (rand, sign) = (10 + 6, 10 + 6 + 18);
        for length in 0..octets.len() {
            let partial = Partial::parse(&octets[..length]);
            let fault = partial.fault.unwrap();
            assert_eq!(Message::parse(&octets[..length]), Err(fault.error.clone()), "cut after {length} octets");
            let (payloads, part, start) = match length {
                0..10 => (0, Part::Header, 0),
                10..16 => (0, Part::Payload(PayloadType::T), 10),
                16..34 => (1, Part::Payload(PayloadType::RAND), rand),
                _ => (2, Part::Payload(PayloadType::SIGN), sign),
            };
            assert_eq!((partial.payloads.len(), fault.part, fault.start), (payloads, part, start));
            assert_eq!(partial.header.is_some(), length >= 10);
            assert!((fault.start..=length).contains(&fault.offset()));
            assert!(fault.clause().is_some());
        }
    }

    #[test]
    fn faults_of_every_kind_have_their_place_and_clause() {
        let changed = |at: usize, octet: u8| {
            let mut octets = octets();
            octets[at] = octet;
            octets
        };
        let long = vec![1; Message::MAX_LEN + 1];
        let trailing = [octets(), vec![0]].concat();
        for (octets, part, start, offset, clause) in [
            (changed(0, 2), Part::Header, 0, 0, Some("RFC 3830 6.1")),
            (changed(1, 27), Part::Header, 0, 1, Some("RFC 3830 6.1")),
            (changed(2, 99), Part::Payload(PayloadType(99)), 10, 10, Some("RFC 3830 6.1")),
            (changed(10, 20), Part::Payload(PayloadType::KEY_DATA), 16, 16, Some("RFC 3830 6.13")),
            (changed(11, 9), Part::Payload(PayloadType::T), 10, 11, Some("RFC 3830 6.6")),
            (trailing, Part::Payload(PayloadType::LAST), 165, 165, Some("RFC 3830 6.1")),
            (long, Part::Header, 0, 0, None),
        ] {
            let fault = Partial::parse(&octets).fault.unwrap();
            assert_eq!(
                (fault.part, fault.start, fault.offset(), fault.clause()),
                (part, start, offset, clause),
                "{fault:?}"
            );
        }
    }
}
