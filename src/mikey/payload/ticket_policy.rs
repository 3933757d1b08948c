use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;

use super::{Payload, PayloadType, PrfFunction, TicketFlags};
use crate::mikey::codec::{Reader, fits, put_data_16};
use crate::mikey::{Error, chain};

const PRF_LIMIT: u8 = 0x7f;
const RESERVED_LIMIT: u8 = 0x1f;

/// The kind of a ticket: 16 bits (RFC 6043 6.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TicketType(pub u16);

impl TicketType {
    /// MIKEY base ticket (RFC 6043 Appendix A).
    pub const MIKEY_BASE: Self = Self(1);
    /// 3GPP base ticket.
    pub const THREE_GPP_BASE: Self = Self(2);

    /// The registered name, or `None` for a value that this version has no name for.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::MIKEY_BASE => Some("MIKEY base ticket"),
            Self::THREE_GPP_BASE => Some("3GPP base ticket"),
            _ => None,
        }
    }
}

impl fmt::Display for TicketType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0, self.name().unwrap_or("unassigned"))
    }
}

/// TP, the policy that a ticket is asked for with, and the first part of TICKET (RFC 6043 6.10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketPolicy<'a> {
    /// The kind of ticket.
    pub ticket_type: TicketType,
    /// Subtype: 1 for a MIKEY base ticket of RFC 6043.
    pub subtype: u8,
    /// Version of the subtype: 1 for a MIKEY base ticket of RFC 6043.
    pub version: u8,
    /// The PRF of key forking; at most 127.
    pub prf: PrfFunction,
    /// What the parties may do and must.
    pub flags: TicketFlags,
    /// Five bits of no meaning: 0 when sent.
    pub reserved: u8,
    /// TP Data, at most 65535 octets: the type of a first payload, and payloads; see [`payloads`](Self::payloads).
    pub data: Cow<'a, [u8]>,
}

impl<'a> TicketPolicy<'a> {
    /// The payloads of TP Data: identities, times, KEMAC. Offsets in errors count from the start of TP Data.
    ///
    /// # Errors
    /// Those of [`Message::parse`](crate::mikey::Message::parse) for what is wrong with a payload, and
    /// [`Error::Truncated`] if TP Data is empty.
    pub fn payloads(&self) -> Result<Vec<Payload<'_>>, Error> {
        let mut reader = Reader::new(&self.data);
        let first = PayloadType(reader.octet("TP Data First Payload")?);
        chain::read(first, &mut reader, Payload::read)
    }

    /// TP Data of these payloads: the inverse of [`payloads`](Self::payloads).
    ///
    /// # Errors
    /// [`Error::TooLong`] and [`Error::OutOfRange`] for what its field cannot hold, [`Error::SignNotLast`].
    pub fn data_of(payloads: &[Payload<'_>]) -> Result<Vec<u8>, Error> {
        let mut data = Vec::new();
        chain::write(payloads, &mut data, |first, data| {
            data.push(first.0);
            Ok(())
        })?;
        Ok(data)
    }

    /// The same payload with all of its data owned.
    pub fn into_owned(self) -> TicketPolicy<'static> {
        TicketPolicy {
            ticket_type: self.ticket_type,
            subtype: self.subtype,
            version: self.version,
            prf: self.prf,
            flags: self.flags,
            reserved: self.reserved,
            data: Cow::Owned(self.data.into_owned()),
        }
    }

    pub(super) fn body_len(&self) -> usize {
        9 + self.data.len()
    }

    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let ticket_type = TicketType(reader.u16("TP Ticket Type")?);
        let subtype = reader.octet("TP Subtype")?;
        let version = reader.octet("TP Version")?;
        let bits = reader.array::<3>("TP PRF Func and flags")?;
        let [prf, _, reserved] = bits;
        let [high, middle, low] = bits.map(u16::from);
        let data = Cow::Borrowed(reader.data_16("TP Data")?);
        Ok(Self {
            ticket_type,
            subtype,
            version,
            prf: PrfFunction(prf >> 1),
            flags: TicketFlags::from_bits_truncated(high << 11 | middle << 3 | low >> 5),
            reserved: reserved & RESERVED_LIMIT,
            data,
        })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        let prf = u32::from(fits(self.prf.0, PRF_LIMIT, "TP PRF Func")?);
        let reserved = u32::from(fits(self.reserved, RESERVED_LIMIT, "TP reserved")?);
        let [_, bits @ ..] = (prf << 17 | u32::from(self.flags.bits()) << 5 | reserved).to_be_bytes();
        out.extend_from_slice(&self.ticket_type.0.to_be_bytes());
        out.extend_from_slice(&[self.subtype, self.version]);
        out.extend_from_slice(&bits);
        put_data_16(out, &self.data, "TP Data")
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::super::testing::{HEADER_LEN, assert_form, build_error, parse_error};
    use super::super::{EncryptionAlgorithm, IdRole, Idr, Kemac, Mac, Timestamp, Tr, TsRole};
    use super::*;

    fn policy() -> TicketPolicy<'static> {
        TicketPolicy {
            ticket_type: TicketType::MIKEY_BASE,
            subtype: 1,
            version: 1,
            prf: PrfFunction::HMAC_SHA_256,
            flags: TicketFlags::D.with(TicketFlags::O),
            reserved: 0,
            data: vec![0].into(),
        }
    }

    #[test]
    fn prf_flags_and_reserved_bits_share_three_octets() {
        assert_form(policy(), &[0, 0, 1, 1, 1, 0b0000_0011, 0, 0b0010_0000, 0, 1, 0]);
        let full = TicketPolicy {
            ticket_type: TicketType(0xfedc),
            prf: PrfFunction(127),
            flags: TicketFlags::from_bits_truncated(u16::MAX),
            reserved: 31,
            data: vec![].into(),
            ..policy()
        };
        assert_form(full, &[0, 0xfe, 0xdc, 1, 1, 255, 255, 255, 0, 0]);
        let alternating = TicketPolicy { flags: TicketFlags::E.with(TicketFlags::M), reserved: 0b10101, ..policy() };
        assert_form(alternating, &[0, 0, 1, 1, 1, 0b0000_0010, 0b1000_0000, 0b1001_0101, 0, 1, 0]);
    }

    #[test]
    fn ticket_types_have_names() {
        assert_eq!(alloc::format!("{}", TicketType::THREE_GPP_BASE), "2 (3GPP base ticket)");
        assert_eq!(alloc::format!("{}", TicketType(3)), "3 (unassigned)");
    }

    #[test]
    fn data_is_a_chain_of_payloads() {
        let payloads = [
            Idr::uri(IdRole::KMS, b"kms".as_slice()).into(),
            Tr::new(TsRole::END, Timestamp::NtpUtc32(7)).into(),
            Kemac::new(EncryptionAlgorithm::NULL, vec![1, 2], Mac::null()).into(),
        ];
        let data = TicketPolicy::data_of(&payloads).unwrap();
        assert_eq!(data[..10], *b"\x0e\x0d\x03\x01\x00\x03kms\x01");
        let policy = TicketPolicy { data: data.into(), ..policy() };
        assert_eq!(policy.payloads().unwrap(), payloads);
        assert_eq!(TicketPolicy { data: vec![0].into(), ..policy }.payloads(), Ok(vec![]));
    }

    #[test]
    fn data_that_is_no_chain_is_refused_when_it_is_read() {
        let refused = |data: &[u8]| TicketPolicy { data: data.to_vec().into(), ..policy() }.payloads().unwrap_err();
        let field = "TP Data First Payload";
        assert_eq!(refused(&[]), Error::Truncated { field, offset: 0, expected: 1, found: 0 });
        assert_eq!(refused(&[0, 1]), Error::TrailingOctets { offset: 1, count: 1 });
        assert_eq!(refused(&[99]), Error::UnsupportedPayload { offset: 1, payload_type: PayloadType(99) });
        assert_eq!(refused(&[11, 0, 2, 1]), Error::Truncated { field: "RAND", offset: 3, expected: 2, found: 1 });
        let rand = |next| [&[next, 22][..], &[7; 22]].concat();
        let many = [vec![11], rand(11).repeat(64), rand(0)].concat();
        assert_eq!(refused(&many), Error::TooManyPayloads { offset: 1 + 64 * 24, limit: 64 });
    }

    #[test]
    fn wrong_lengths_are_refused() {
        let error = parse_error(PayloadType::TP, &[0, 0, 1, 1, 1, 0, 0, 0, 0, 3, 0]);
        assert_eq!(error, Error::Truncated { field: "TP Data", offset: HEADER_LEN + 10, expected: 3, found: 1 });
        let error = build_error(TicketPolicy { data: vec![0; 65536].into(), ..policy() });
        assert_eq!(error, Error::TooLong { field: "TP Data", found: 65536, limit: 65535 });
        let error = build_error(TicketPolicy { prf: PrfFunction(128), ..policy() });
        assert_eq!(error, Error::OutOfRange { field: "TP PRF Func", found: 128, limit: 127 });
        let error = build_error(TicketPolicy { reserved: 32, ..policy() });
        assert_eq!(error, Error::OutOfRange { field: "TP reserved", found: 32, limit: 31 });
    }
}
