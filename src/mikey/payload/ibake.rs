use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::mikey::Error;
use crate::mikey::codec::{Reader, put_data_16};

/// IBAKE, identities and elliptic curve Diffie-Hellman values (RFC 6267 6.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ibake<'a> {
    /// Encr data, at most 65535 octets: encrypted to an identity, IDR and ECCPT once decrypted.
    pub data: Cow<'a, [u8]>,
}

impl<'a> Ibake<'a> {
    /// Encrypted Diffie-Hellman values.
    pub fn new(data: impl Into<Cow<'a, [u8]>>) -> Self {
        Self { data: data.into() }
    }

    /// The same payload with all of its data owned.
    pub fn into_owned(self) -> Ibake<'static> {
        Ibake { data: Cow::Owned(self.data.into_owned()) }
    }

    pub(super) fn body_len(&self) -> usize {
        2 + self.data.len()
    }

    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        reader.data_16("IBAKE Encr data").map(Self::new)
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        put_data_16(out, &self.data, "IBAKE Encr data")
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::super::PayloadType;
    use super::super::testing::{HEADER_LEN, assert_form, build_error, parse_error};
    use super::*;

    #[test]
    fn length_and_data() {
        assert_form(Ibake::new(vec![7, 8, 9]), &[0, 0, 3, 7, 8, 9]);
        assert_form(Ibake::new(vec![]), &[0, 0, 0]);
    }

    #[test]
    fn wrong_lengths_are_refused() {
        let field = "IBAKE Encr data";
        let error = parse_error(PayloadType::IBAKE, &[0, 0, 2, 7]);
        assert_eq!(error, Error::Truncated { field, offset: HEADER_LEN + 3, expected: 2, found: 1 });
        let error = parse_error(PayloadType::IBAKE, &[0, 0, 0, 7]);
        assert_eq!(error, Error::TrailingOctets { offset: HEADER_LEN + 3, count: 1 });
        let error = build_error(Ibake::new(vec![0; 65536]));
        assert_eq!(error, Error::TooLong { field, found: 65536, limit: 65535 });
    }
}
