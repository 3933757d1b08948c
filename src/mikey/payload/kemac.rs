use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::Mac;
use super::mac::MacFields;
use crate::mikey::Error;
use crate::mikey::codec::{Reader, put_data_16};
use crate::mikey::registry::registry;

registry! {
    /// How the sub-payloads in KEMAC are encrypted (RFC 3830 6.2, RFC 6043 6.2).
    EncryptionAlgorithm {
        NULL = 0, "NULL";
        AES_CM_128 = 1, "AES-CM-128";
        AES_KW_128 = 2, "AES-KW-128";
        AES_CM_256 = 3, "AES-CM-256";
    }
}

const MAC: MacFields = MacFields { algorithm: "KEMAC Mac alg", mac: "KEMAC MAC" };

/// KEMAC, keys in transport: encrypted sub-payloads and a MAC over the message (RFC 3830 6.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kemac<'a> {
    /// How the data is encrypted.
    pub encryption: EncryptionAlgorithm,
    /// Encr data, at most 65535 octets: encrypted, [`SubPayloads`](crate::mikey::SubPayloads) once decrypted.
    pub data: Cow<'a, [u8]>,
    /// The MAC; NULL where V or SIGN protects the message.
    pub mac: Mac<'a>,
}

impl<'a> Kemac<'a> {
    /// Keys in transport.
    pub fn new(encryption: EncryptionAlgorithm, data: impl Into<Cow<'a, [u8]>>, mac: Mac<'a>) -> Self {
        Self { encryption, data: data.into(), mac }
    }

    /// The same payload with all of its data owned.
    pub fn into_owned(self) -> Kemac<'static> {
        Kemac { encryption: self.encryption, data: Cow::Owned(self.data.into_owned()), mac: self.mac.into_owned() }
    }

    pub(super) fn body_len(&self) -> usize {
        3 + self.data.len() + self.mac.encoded_len()
    }

    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let encryption = EncryptionAlgorithm(reader.octet("KEMAC Encr alg")?);
        let data = Cow::Borrowed(reader.data_16("KEMAC Encr data")?);
        let mac = Mac::read(reader, &MAC)?;
        Ok(Self { encryption, data, mac })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        out.push(self.encryption.0);
        put_data_16(out, &self.data, "KEMAC Encr data")?;
        self.mac.write(out);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::super::testing::{HEADER_LEN, assert_form, build_error, parse_error};
    use super::super::{MacAlgorithm, PayloadType};
    use super::*;

    #[test]
    fn algorithm_data_and_a_mac_of_its_own_length() {
        let kemac = Kemac::new(EncryptionAlgorithm::AES_CM_128, vec![8, 9], Mac::null());
        assert_form(kemac, &[0, 1, 0, 2, 8, 9, 0]);
        let mac = Mac::new(MacAlgorithm::HmacSha1, vec![7; 20]).unwrap();
        let kemac = Kemac::new(EncryptionAlgorithm::AES_KW_128, vec![], mac);
        assert_form(kemac, &[&[0, 2, 0, 0, 1][..], &[7; 20]].concat());
        let mac = Mac::new(MacAlgorithm::HmacSha256, vec![6; 32]).unwrap();
        assert_form(Kemac::new(EncryptionAlgorithm(99), vec![5], mac), &[&[0, 99, 0, 1, 5, 2][..], &[6; 32]].concat());
    }

    #[test]
    fn an_unknown_mac_algorithm_is_refused() {
        let expected = "0 (NULL), 1 (HMAC-SHA-1-160) or 2 (HMAC-SHA-256-256)";
        let error = parse_error(PayloadType::KEMAC, &[0, 1, 0, 1, 8, 3, 0]);
        let field = "KEMAC Mac alg";
        assert_eq!(error, Error::UnknownNumber { field, offset: HEADER_LEN + 5, found: 3, expected });
    }

    #[test]
    fn wrong_lengths_are_refused() {
        let error = parse_error(PayloadType::KEMAC, &[0, 1, 0, 4, 8, 9]);
        let field = "KEMAC Encr data";
        assert_eq!(error, Error::Truncated { field, offset: HEADER_LEN + 4, expected: 4, found: 2 });
        let error = parse_error(PayloadType::KEMAC, &[0, 1, 0, 0, 1, 7]);
        assert_eq!(error, Error::Truncated { field: "KEMAC MAC", offset: HEADER_LEN + 5, expected: 20, found: 1 });
        let error = parse_error(PayloadType::KEMAC, &[0, 1, 0, 0, 0, 7]);
        assert_eq!(error, Error::TrailingOctets { offset: HEADER_LEN + 5, count: 1 });
        let error = build_error(Kemac::new(EncryptionAlgorithm::NULL, vec![0; 65536], Mac::null()));
        assert_eq!(error, Error::TooLong { field, found: 65536, limit: 65535 });
    }
}
