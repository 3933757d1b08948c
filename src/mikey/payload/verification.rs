use alloc::vec::Vec;

use super::Mac;
use super::mac::MacFields;
use crate::mikey::Error;
use crate::mikey::codec::Reader;

const MAC: MacFields = MacFields { algorithm: "V Auth alg", mac: "V Ver data" };

/// V, the verification message: a MAC over the message and what its exchange adds (RFC 3830 6.9 and 5.2, RFC 6043 5.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification<'a> {
    /// The MAC.
    pub mac: Mac<'a>,
}

impl<'a> Verification<'a> {
    /// A verification message of this MAC.
    pub const fn new(mac: Mac<'a>) -> Self {
        Self { mac }
    }

    /// The same payload with all of its data owned.
    pub fn into_owned(self) -> Verification<'static> {
        Verification { mac: self.mac.into_owned() }
    }

    pub(super) fn body_len(&self) -> usize {
        self.mac.encoded_len()
    }

    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        Mac::read(reader, &MAC).map(Self::new)
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        self.mac.write(out);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::super::testing::{HEADER_LEN, assert_form, parse_error};
    use super::super::{MacAlgorithm, PayloadType};
    use super::*;

    #[test]
    fn algorithm_and_a_mac_of_its_own_length() {
        assert_form(Verification::new(Mac::null()), &[0, 0]);
        for (algorithm, length) in [(MacAlgorithm::HmacSha1, 20), (MacAlgorithm::HmacSha256, 32)] {
            let mac = Mac::new(algorithm, vec![7; length]).unwrap();
            assert_form(Verification::new(mac), &[vec![0, algorithm.number()], vec![7; length]].concat());
        }
    }

    #[test]
    fn unknown_algorithms_and_wrong_lengths_are_refused() {
        let expected = "0 (NULL), 1 (HMAC-SHA-1-160) or 2 (HMAC-SHA-256-256)";
        let error = parse_error(PayloadType::V, &[0, 9, 7]);
        assert_eq!(error, Error::UnknownNumber { field: "V Auth alg", offset: HEADER_LEN + 1, found: 9, expected });
        let error = parse_error(PayloadType::V, &[0, 2, 7]);
        assert_eq!(error, Error::Truncated { field: "V Ver data", offset: HEADER_LEN + 2, expected: 32, found: 1 });
        let error = parse_error(PayloadType::V, &[0, 0, 7]);
        assert_eq!(error, Error::TrailingOctets { offset: HEADER_LEN + 2, count: 1 });
    }
}
