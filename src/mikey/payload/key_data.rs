use alloc::vec::Vec;

use super::KeyValidity;
use crate::mikey::codec::{Reader, of_length, put_data_16};
use crate::mikey::registry::closed_registry;
use crate::mikey::{Error, SecretOctets};

const KV_MASK: u8 = 0x0f;
const TYPES: &str = "0 (TGK) to 7 (K_PR)";

closed_registry! {
    /// What key a Key data sub-payload holds, and whether with a salt: 4 bits (RFC 3830 6.13, RFC 6043 6.2.1,
    /// RFC 6267 6.1.3).
    KeyDataType {
        Tgk = 0, "TGK";
        TgkSalt = 1, "TGK+SALT";
        Tek = 2, "TEK";
        TekSalt = 3, "TEK+SALT";
        Gtgk = 4, "GTGK";
        GtgkSalt = 5, "GTGK+SALT";
        Mpk = 6, "MPK";
        PrivateKey = 7, "K_PR";
    }
}

impl KeyDataType {
    /// Whether a salt comes with the key.
    pub const fn has_salt(self) -> bool {
        matches!(self, Self::TgkSalt | Self::TekSalt | Self::GtgkSalt)
    }
}

/// Key data, a key with its salt and validity: a sub-payload of KEMAC (RFC 3830 6.13).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyData<'a> {
    /// What key it is.
    pub key_type: KeyDataType,
    /// The key, at most 65535 octets.
    pub key: SecretOctets<'a>,
    /// The salt, at most 65535 octets: for SRTP, the master salt. Empty where the type has none.
    pub salt: SecretOctets<'a>,
    /// When the key is to be used.
    pub validity: KeyValidity<'a>,
}

impl<'a> KeyData<'a> {
    /// A key without a salt.
    pub fn new(key_type: KeyDataType, key: impl Into<SecretOctets<'a>>, validity: KeyValidity<'a>) -> Self {
        Self { key_type, key: key.into(), salt: SecretOctets::EMPTY, validity }
    }

    /// The same sub-payload with all of its data owned.
    pub fn into_owned(self) -> KeyData<'static> {
        KeyData {
            key_type: self.key_type,
            key: self.key.into_owned(),
            salt: self.salt.into_owned(),
            validity: self.validity.into_owned(),
        }
    }

    pub(in crate::mikey) fn body_len(&self) -> usize {
        let salt_len = if self.key_type.has_salt() { 2 + self.salt.len() } else { 0 };
        3 + self.key.len() + salt_len + self.validity.data_len()
    }

    pub(in crate::mikey) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let offset = reader.position();
        let octet = reader.octet("Key data Type and KV")?;
        let (found, kv) = (octet >> 4, octet & KV_MASK);
        let unknown = Error::UnknownNumber { field: "Key data Type", offset, found, expected: TYPES };
        let key_type = KeyDataType::from_number(found).ok_or(unknown)?;
        let key = reader.data_16("Key data")?.into();
        let salt = if key_type.has_salt() { reader.data_16("Key data Salt")?.into() } else { SecretOctets::EMPTY };
        Ok(Self { key_type, key, salt, validity: KeyValidity::read(kv, offset, reader)? })
    }

    pub(in crate::mikey) fn write(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        out.push(self.key_type.number() << 4 | self.validity.type_number());
        put_data_16(out, &self.key, "Key data")?;
        if self.key_type.has_salt() {
            put_data_16(out, &self.salt, "Key data Salt")?;
        } else {
            of_length(&self.salt, 0, "Key data Salt")?;
        }
        self.validity.write_data(out)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::super::PayloadType;
    use super::super::testing::{assert_sub_form, sub_build_error, sub_parse_error};
    use super::*;

    fn salted(key_type: KeyDataType) -> KeyData<'static> {
        KeyData { salt: vec![8, 9].into(), ..KeyData::new(key_type, vec![7], KeyValidity::Null) }
    }

    #[test]
    fn types_without_a_salt() {
        for number in [0, 2, 4, 6, 7] {
            let key = KeyData::new(KeyDataType::from_number(number).unwrap(), vec![7, 8], KeyValidity::Null);
            assert_sub_form(key, &[0, number << 4, 0, 2, 7, 8]);
        }
    }

    #[test]
    fn types_with_a_salt() {
        for number in [1, 3, 5] {
            assert_sub_form(salted(KeyDataType::from_number(number).unwrap()), &[0, number << 4, 0, 1, 7, 0, 2, 8, 9]);
        }
    }

    #[test]
    fn validity_ends_it() {
        let spi = KeyData { validity: KeyValidity::spi(vec![1, 2]), ..salted(KeyDataType::TgkSalt) };
        assert_sub_form(spi, &[0, 0x11, 0, 1, 7, 0, 2, 8, 9, 2, 1, 2]);
        let interval = KeyValidity::Interval { from: vec![0; 6].into(), to: vec![9; 6].into() };
        let tek = KeyData::new(KeyDataType::Tek, vec![7], interval);
        assert_sub_form(tek, &[&[0, 0x22, 0, 1, 7, 6][..], &[0; 6], &[6], &[9; 6]].concat());
    }

    #[test]
    fn unknown_numbers_and_wrong_lengths_are_refused() {
        let unknown = |field, found, expected| Error::UnknownNumber { field, offset: 1, found, expected };
        let error = sub_parse_error(PayloadType::KEY_DATA, &[0, 0x80, 0, 0]);
        assert_eq!(error, unknown("Key data Type", 8, "0 (TGK) to 7 (K_PR)"));
        let error = sub_parse_error(PayloadType::KEY_DATA, &[0, 0x03, 0, 0]);
        assert_eq!(error, unknown("KV", 3, "0 (Null), 1 (SPI) or 2 (Interval)"));
        let error = sub_parse_error(PayloadType::KEY_DATA, &[0, 0x10, 0, 0, 0, 3, 1]);
        assert_eq!(error, Error::Truncated { field: "Key data Salt", offset: 6, expected: 3, found: 1 });
        let error = sub_build_error(salted(KeyDataType::Tgk));
        assert_eq!(error, Error::WrongLength { field: "Key data Salt", found: 2, expected: 0 });
        let error = sub_build_error(KeyData::new(KeyDataType::Tgk, vec![0; 65536], KeyValidity::Null));
        assert_eq!(error, Error::TooLong { field: "Key data", found: 65536, limit: 65535 });
    }
}
