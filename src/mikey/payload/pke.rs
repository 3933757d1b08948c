use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::mikey::Error;
use crate::mikey::codec::{Reader, fits, too_long};
use crate::mikey::registry::registry;

const LENGTH_LIMIT: u16 = 0x3fff;
const CACHE_LIMIT: u8 = 3;

registry! {
    /// Whether the envelope key may serve later messages, too: 2 bits (RFC 3830 6.3 and 3.2).
    CacheType {
        NO_CACHE = 0, "no cache";
        CACHE = 1, "cache";
        CACHE_FOR_CSB = 2, "cache for CSB";
    }
}

/// PKE, the envelope key that protects KEMAC, under the public key of the receiver (RFC 3830 6.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pke<'a> {
    /// C, whether the key may be kept; at most 3.
    pub cache: CacheType,
    /// The encrypted envelope key, at most 16383 octets. Its algorithm is that of the certificate.
    pub data: Cow<'a, [u8]>,
}

impl<'a> Pke<'a> {
    /// An encrypted envelope key.
    pub fn new(cache: CacheType, data: impl Into<Cow<'a, [u8]>>) -> Self {
        Self { cache, data: data.into() }
    }

    /// The same payload with all of its data owned.
    pub fn into_owned(self) -> Pke<'static> {
        Pke { cache: self.cache, data: Cow::Owned(self.data.into_owned()) }
    }

    pub(super) fn body_len(&self) -> usize {
        2 + self.data.len()
    }

    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let header = reader.u16("PKE C and data length")?;
        let [first, _] = header.to_be_bytes();
        let data = Cow::Borrowed(reader.take((header & LENGTH_LIMIT).into(), "PKE data")?);
        Ok(Self { cache: CacheType(first >> 6), data })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        let cache = fits(self.cache.0, CACHE_LIMIT, "PKE C")?;
        let length = u16::try_from(self.data.len())
            .ok()
            .filter(|&length| length <= LENGTH_LIMIT)
            .ok_or_else(|| too_long("PKE data", self.data.len(), LENGTH_LIMIT.into()))?;
        out.extend_from_slice(&(u16::from(cache) << 14 | length).to_be_bytes());
        out.extend_from_slice(&self.data);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::super::PayloadType;
    use super::super::testing::{HEADER_LEN, assert_form, build_error, parse_error};
    use super::*;

    #[test]
    fn cache_type_and_length_share_two_octets() {
        assert_form(Pke::new(CacheType::NO_CACHE, vec![]), &[0, 0, 0]);
        assert_form(Pke::new(CacheType::CACHE_FOR_CSB, vec![7; 3]), &[0, 0x80, 3, 7, 7, 7]);
        let mut octets = vec![5; 16386];
        octets[..3].copy_from_slice(&[0, 0xff, 0xff]);
        assert_form(Pke::new(CacheType(3), vec![5; 16383]), &octets);
    }

    #[test]
    fn wrong_lengths_are_refused() {
        let error = parse_error(PayloadType::PKE, &[0, 0x40, 2, 7]);
        assert_eq!(error, Error::Truncated { field: "PKE data", offset: HEADER_LEN + 3, expected: 2, found: 1 });
        let error = parse_error(PayloadType::PKE, &[0, 0x40, 0, 7]);
        assert_eq!(error, Error::TrailingOctets { offset: HEADER_LEN + 3, count: 1 });
        let error = build_error(Pke::new(CacheType::CACHE, vec![0; 16384]));
        assert_eq!(error, Error::TooLong { field: "PKE data", found: 16384, limit: 16383 });
        let error = build_error(Pke::new(CacheType(4), vec![]));
        assert_eq!(error, Error::OutOfRange { field: "PKE C", found: 4, limit: 3 });
    }
}
