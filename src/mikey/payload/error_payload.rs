use alloc::vec::Vec;

use crate::mikey::Error;
use crate::mikey::codec::Reader;
use crate::mikey::registry::registry;

registry! {
    /// What went wrong (RFC 3830 6.12, RFC 4738 3.9.2, RFC 6043 6.9).
    ErrorNumber {
        AUTH_FAILURE = 0, "Auth failure";
        INVALID_TS = 1, "Invalid TS";
        INVALID_PRF = 2, "Invalid PRF";
        INVALID_MAC = 3, "Invalid MAC";
        INVALID_EA = 4, "Invalid EA";
        INVALID_HA = 5, "Invalid HA";
        INVALID_DH = 6, "Invalid DH";
        INVALID_ID = 7, "Invalid ID";
        INVALID_CERT = 8, "Invalid Cert";
        INVALID_SP = 9, "Invalid SP";
        INVALID_SP_PARAMETERS = 10, "Invalid SPpar";
        INVALID_DATA_TYPE = 11, "Invalid DT";
        UNSPECIFIED = 12, "Unspecified error";
        UNSUPPORTED_MESSAGE_TYPE = 13, "Unsupported message type";
        INVALID_TICKET = 14, "Invalid TICKET";
        INVALID_TP_PARAMETERS = 15, "Invalid TPpar";
    }
}

/// ERR, what the receiver of a message found wrong with it (RFC 3830 6.12).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorPayload {
    /// What went wrong.
    pub number: ErrorNumber,
    /// Sixteen bits of no meaning: 0 when sent.
    pub reserved: u16,
}

impl ErrorPayload {
    /// This error.
    pub const fn new(number: ErrorNumber) -> Self {
        Self { number, reserved: 0 }
    }

    pub(super) const BODY_LEN: usize = 3;

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let number = ErrorNumber(reader.octet("ERR Error no")?);
        Ok(Self { number, reserved: reader.u16("ERR reserved")? })
    }

    pub(super) fn write(self, out: &mut Vec<u8>) -> Result<(), Error> {
        out.push(self.number.0);
        out.extend_from_slice(&self.reserved.to_be_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::PayloadType;
    use super::super::testing::{HEADER_LEN, assert_form, parse_error};
    use super::*;

    #[test]
    fn number_and_reserved_octets() {
        assert_form(ErrorPayload::new(ErrorNumber::INVALID_TS), &[0, 1, 0, 0]);
        assert_form(ErrorPayload { number: ErrorNumber(250), reserved: 0x0102 }, &[0, 250, 1, 2]);
        assert_eq!(ErrorNumber(13).name(), Some("Unsupported message type"));
    }

    #[test]
    fn wrong_lengths_are_refused() {
        let error = parse_error(PayloadType::ERR, &[0, 1, 0]);
        assert_eq!(error, Error::Truncated { field: "ERR reserved", offset: HEADER_LEN + 2, expected: 2, found: 1 });
        let error = parse_error(PayloadType::ERR, &[0, 1, 0, 0, 0]);
        assert_eq!(error, Error::TrailingOctets { offset: HEADER_LEN + 4, count: 1 });
    }
}
