use alloc::vec::Vec;

use super::KeyValidity;
use crate::mikey::codec::{Reader, fits, put_data_16};
use crate::mikey::registry::registry;
use crate::mikey::{Error, SecretOctets};

const NIBBLE: u8 = 0x0f;

registry! {
    /// What key an SK sub-payload holds: 4 bits (RFC 6267 6.1.5).
    SecretKeyType {
        SK = 1, "SK";
    }
}

/// SK, a secret key for a receiver who is not there yet: a sub-payload of ESK (RFC 6267 6.1.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretKey<'a> {
    /// What key it is; at most 15.
    pub key_type: SecretKeyType,
    /// The key, at most 65535 octets.
    pub key: SecretOctets<'a>,
    /// When the key is to be used.
    pub validity: KeyValidity<'a>,
}

impl<'a> SecretKey<'a> {
    /// A secret key.
    pub fn new(key: impl Into<SecretOctets<'a>>, validity: KeyValidity<'a>) -> Self {
        Self { key_type: SecretKeyType::SK, key: key.into(), validity }
    }

    /// The same sub-payload with all of its data owned.
    pub fn into_owned(self) -> SecretKey<'static> {
        SecretKey { key_type: self.key_type, key: self.key.into_owned(), validity: self.validity.into_owned() }
    }

    pub(in crate::mikey) fn body_len(&self) -> usize {
        3 + self.key.len() + self.validity.data_len()
    }

    pub(in crate::mikey) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let offset = reader.position();
        let octet = reader.octet("SK Type and KV")?;
        let key = reader.data_16("SK Key data")?.into();
        let validity = KeyValidity::read(octet & NIBBLE, offset, reader)?;
        Ok(Self { key_type: SecretKeyType(octet >> 4), key, validity })
    }

    pub(in crate::mikey) fn write(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        let key_type = fits(self.key_type.0, NIBBLE, "SK Type")?;
        out.push(key_type << 4 | self.validity.type_number());
        put_data_16(out, &self.key, "SK Key data")?;
        self.validity.write_data(out)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::super::PayloadType;
    use super::super::testing::{assert_sub_form, sub_build_error, sub_parse_error};
    use super::*;

    #[test]
    fn type_key_and_validity() {
        assert_sub_form(SecretKey::new(vec![7, 8], KeyValidity::Null), &[0, 0x10, 0, 2, 7, 8]);
        let other = SecretKey { key_type: SecretKeyType(15), ..SecretKey::new(vec![], KeyValidity::spi(vec![3])) };
        assert_sub_form(other, &[0, 0xf1, 0, 0, 1, 3]);
    }

    #[test]
    fn unknown_numbers_and_wrong_lengths_are_refused() {
        let error = sub_parse_error(PayloadType::SK, &[0, 0x1f, 0, 0]);
        let expected = "0 (Null), 1 (SPI) or 2 (Interval)";
        assert_eq!(error, Error::UnknownNumber { field: "KV", offset: 1, found: 15, expected });
        let error = sub_parse_error(PayloadType::SK, &[0, 0x10, 0, 3, 1]);
        assert_eq!(error, Error::Truncated { field: "SK Key data", offset: 4, expected: 3, found: 1 });
        let key = SecretKey::new(vec![], KeyValidity::Null);
        let error = sub_build_error(SecretKey { key_type: SecretKeyType(16), ..key.clone() });
        assert_eq!(error, Error::OutOfRange { field: "SK Type", found: 16, limit: 15 });
        let error = sub_build_error(SecretKey { key: vec![0; 65536].into(), ..key });
        assert_eq!(error, Error::TooLong { field: "SK Key data", found: 65536, limit: 65535 });
    }
}
