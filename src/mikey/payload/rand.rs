use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::mikey::Error;
use crate::mikey::codec::{Reader, put_data_8};

/// RAND, the random octets that enter key derivation (RFC 3830 6.11): at most 255, and 16 in practice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rand<'a> {
    /// The random octets.
    pub octets: Cow<'a, [u8]>,
}

impl<'a> Rand<'a> {
    /// A RAND of these octets.
    pub fn new(octets: impl Into<Cow<'a, [u8]>>) -> Self {
        Self { octets: octets.into() }
    }

    /// The same payload with all of its data owned.
    pub fn into_owned(self) -> Rand<'static> {
        Rand { octets: Cow::Owned(self.octets.into_owned()) }
    }

    pub(super) fn body_len(&self) -> usize {
        1 + self.octets.len()
    }

    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        reader.data_8("RAND").map(Self::new)
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        put_data_8(out, &self.octets, "RAND")
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::super::PayloadType;
    use super::super::testing::{HEADER_LEN, assert_form, build_error, parse_error};
    use super::*;

    #[test]
    fn any_length_of_an_octet() {
        assert_form(Rand::new(vec![]), &[0, 0]);
        assert_form(Rand::new(vec![0xaa, 0xbb]), &[0, 2, 0xaa, 0xbb]);
        let mut octets = vec![7; 257];
        octets[..2].copy_from_slice(&[0, 255]);
        assert_form(Rand::new(vec![7; 255]), &octets);
    }

    #[test]
    fn wrong_lengths_are_refused() {
        let error = parse_error(PayloadType::RAND, &[0, 3, 1, 2]);
        assert_eq!(error, Error::Truncated { field: "RAND", offset: HEADER_LEN + 2, expected: 3, found: 2 });
        let error = parse_error(PayloadType::RAND, &[0, 1, 1, 2]);
        assert_eq!(error, Error::TrailingOctets { offset: HEADER_LEN + 3, count: 1 });
        let error = build_error(Rand::new(vec![0; 256]));
        assert_eq!(error, Error::TooLong { field: "RAND", found: 256, limit: 255 });
    }
}
