use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::mikey::Error;
use crate::mikey::codec::{Reader, put_data_8};

const NULL: u8 = 0;
const SPI: u8 = 1;
const INTERVAL: u8 = 2;

/// When a key is to be used: KV and KV data of DH, ECCPT, Key data and SK (RFC 3830 6.13 and 6.14).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyValidity<'a> {
    /// Type 0: no rule.
    Null,
    /// Type 1: for what names this SPI (for SRTP, the MKI) of at most 255 octets.
    Spi(Cow<'a, [u8]>),
    /// Type 2: from one value to another, each of at most 255 octets; for SRTP, packet indices of 6 octets.
    Interval {
        /// Valid From.
        from: Cow<'a, [u8]>,
        /// Valid To.
        to: Cow<'a, [u8]>,
    },
}

impl<'a> KeyValidity<'a> {
    /// A key for this SPI or MKI.
    pub fn spi(spi: impl Into<Cow<'a, [u8]>>) -> Self {
        Self::Spi(spi.into())
    }

    /// The registered number of the KV type: 4 bits.
    pub const fn type_number(&self) -> u8 {
        match self {
            Self::Null => NULL,
            Self::Spi(_) => SPI,
            Self::Interval { .. } => INTERVAL,
        }
    }

    /// The name of the KV type.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "Null",
            Self::Spi(_) => "SPI",
            Self::Interval { .. } => "Interval",
        }
    }

    /// The same rule with all of its data owned.
    pub fn into_owned(self) -> KeyValidity<'static> {
        match self {
            Self::Null => KeyValidity::Null,
            Self::Spi(spi) => KeyValidity::Spi(Cow::Owned(spi.into_owned())),
            Self::Interval { from, to } => {
                KeyValidity::Interval { from: Cow::Owned(from.into_owned()), to: Cow::Owned(to.into_owned()) }
            }
        }
    }

    /// Octets of the KV data, the type not included.
    pub(super) fn data_len(&self) -> usize {
        match self {
            Self::Null => 0,
            Self::Spi(spi) => 1 + spi.len(),
            Self::Interval { from, to } => 2 + from.len() + to.len(),
        }
    }

    /// Reads the KV data for a type that was in the low bits of the octet at `offset`.
    pub(super) fn read(kv: u8, offset: usize, reader: &mut Reader<'a>) -> Result<Self, Error> {
        let data = |reader: &mut Reader<'a>, field| reader.data_8(field).map(Cow::Borrowed);
        match kv {
            NULL => Ok(Self::Null),
            SPI => data(reader, "KV SPI").map(Self::Spi),
            INTERVAL => {
                let from = data(reader, "KV Valid From")?;
                Ok(Self::Interval { from, to: data(reader, "KV Valid To")? })
            }
            found => {
                let expected = "0 (Null), 1 (SPI) or 2 (Interval)";
                Err(Error::UnknownNumber { field: "KV", offset, found, expected })
            }
        }
    }

    pub(super) fn write_data(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        match self {
            Self::Null => Ok(()),
            Self::Spi(spi) => put_data_8(out, spi, "KV SPI"),
            Self::Interval { from, to } => {
                put_data_8(out, from, "KV Valid From")?;
                put_data_8(out, to, "KV Valid To")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn assert_form(validity: &KeyValidity<'static>, octets: &[u8]) {
        let mut out = vec![];
        validity.write_data(&mut out).unwrap();
        assert_eq!(out, octets);
        assert_eq!(validity.data_len(), octets.len());
        let read = |octets| {
            KeyValidity::read(validity.type_number(), 7, &mut Reader::new(octets)).map(KeyValidity::into_owned)
        };
        assert_eq!(read(octets), Ok(validity.clone()));
        for length in 0..octets.len() {
            assert!(matches!(read(&octets[..length]), Err(Error::Truncated { .. })), "cut after {length} octets");
        }
    }

    fn interval() -> KeyValidity<'static> {
        KeyValidity::Interval { from: vec![1, 2].into(), to: vec![3].into() }
    }

    #[test]
    fn each_type_has_its_data() {
        assert_form(&KeyValidity::Null, &[]);
        assert_form(&KeyValidity::spi(vec![4, 5]), &[2, 4, 5]);
        assert_form(&KeyValidity::spi(vec![]), &[0]);
        assert_form(&interval(), &[2, 1, 2, 1, 3]);
        assert_eq!([KeyValidity::Null, KeyValidity::spi(vec![]), interval()].map(|kv| kv.type_number()), [0, 1, 2]);
    }

    #[test]
    fn unknown_types_and_long_data_are_refused() {
        let expected = "0 (Null), 1 (SPI) or 2 (Interval)";
        let error = KeyValidity::read(3, 7, &mut Reader::new(&[])).unwrap_err();
        assert_eq!(error, Error::UnknownNumber { field: "KV", offset: 7, found: 3, expected });
        let too_long = |field| Err(Error::TooLong { field, found: 256, limit: 255 });
        let long = || Cow::Owned(vec![0; 256]);
        assert_eq!(KeyValidity::Spi(long()).write_data(&mut vec![]), too_long("KV SPI"));
        let from = KeyValidity::Interval { from: long(), to: vec![].into() };
        assert_eq!(from.write_data(&mut vec![]), too_long("KV Valid From"));
        let to = KeyValidity::Interval { from: vec![].into(), to: long() };
        assert_eq!(to.write_data(&mut vec![]), too_long("KV Valid To"));
    }
}
