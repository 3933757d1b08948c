use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::{Payload, PayloadType};
use crate::mikey::codec::{Reader, put_data_16};
use crate::mikey::{Error, chain};

/// The Ticket Data of a MIKEY base ticket: THDR, the ticket header, and payloads (RFC 6043 Appendix A).
///
/// Offsets in errors count from the start of Ticket Data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseTicket<'a> {
    /// THDR Data, at most 65535 octets: up to the implementation.
    pub header_data: Cow<'a, [u8]>,
    /// T, RAND, KEMAC, perhaps IDRpsk, and V.
    pub payloads: Vec<Payload<'a>>,
}

impl<'a> BaseTicket<'a> {
    /// Reads Ticket Data.
    ///
    /// # Errors
    /// Those of [`Message::parse`](crate::mikey::Message::parse) for what is wrong with a payload.
    pub fn parse(data: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(data);
        let next = PayloadType(reader.octet("THDR next payload")?);
        let header_data = Cow::Borrowed(reader.data_16("THDR Data")?);
        Ok(Self { header_data, payloads: chain::read(next, &mut reader, Payload::read)? })
    }

    /// The ticket as Ticket Data: the inverse of [`parse`](Self::parse).
    ///
    /// # Errors
    /// [`Error::TooLong`] and [`Error::OutOfRange`] for what its field cannot hold, [`Error::SignNotLast`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let mut data = Vec::new();
        chain::write(&self.payloads, &mut data, |first, data| {
            data.push(first.0);
            put_data_16(data, &self.header_data, "THDR Data")
        })?;
        Ok(data)
    }

    /// The same ticket with all of its data owned.
    pub fn into_owned(self) -> BaseTicket<'static> {
        BaseTicket {
            header_data: Cow::Owned(self.header_data.into_owned()),
            payloads: self.payloads.into_iter().map(Payload::into_owned).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::super::{Mac, Rand, Timestamp, Verification};
    use super::*;

    fn ticket() -> BaseTicket<'static> {
        let payloads =
            vec![Timestamp::Counter(7).into(), Rand::new(vec![1; 2]).into(), Verification::new(Mac::null()).into()];
        BaseTicket { header_data: vec![0xaa].into(), payloads }
    }

    const OCTETS: [u8; 16] = [5, 0, 1, 0xaa, 11, 2, 0, 0, 0, 7, 9, 2, 1, 1, 0, 0];

    #[test]
    fn a_header_and_a_chain_of_payloads() {
        assert_eq!(ticket().to_bytes().unwrap(), OCTETS);
        assert_eq!(BaseTicket::parse(&OCTETS).unwrap(), ticket());
        assert_eq!(BaseTicket::parse(&OCTETS).unwrap().into_owned(), ticket());
    }

    #[test]
    fn what_is_not_exactly_that_is_refused() {
        for length in 0..OCTETS.len() {
            let error = BaseTicket::parse(&OCTETS[..length]).unwrap_err();
            assert!(matches!(error, Error::Truncated { .. }), "cut after {length} octets");
        }
        let longer = [&OCTETS[..], &[0]].concat();
        assert_eq!(BaseTicket::parse(&longer), Err(Error::TrailingOctets { offset: 16, count: 1 }));
        let long = BaseTicket { header_data: vec![0; 65536].into(), ..ticket() };
        assert_eq!(long.to_bytes(), Err(Error::TooLong { field: "THDR Data", found: 65536, limit: 65535 }));
    }
}
