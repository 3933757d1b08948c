use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::IdType;
use crate::mikey::Error;
use crate::mikey::codec::{Reader, put_data_16};
use crate::mikey::registry::registry;

registry! {
    /// Whose identity an IDR payload holds (RFC 6043 6.6, RFC 6509 4.4, TS 33.180 E.7).
    IdRole {
        INITIATOR = 1, "initiator, IDRi";
        RESPONDER = 2, "responder, IDRr";
        KMS = 3, "KMS, IDRkms";
        PSK = 4, "pre-shared key, IDRpsk";
        APPLICATION = 5, "application, IDRapp";
        INITIATOR_KMS = 6, "KMS of the initiator, IDRkmsi";
        RESPONDER_KMS = 7, "KMS of the responder, IDRkmsr";
        INITIATOR_UID = 8, "UID of the initiator, IDRuidi";
        RESPONDER_UID = 9, "UID of the responder, IDRuidr";
    }
}

/// IDR, an identity with its role (RFC 6043 6.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idr<'a> {
    /// Whose identity it is.
    pub role: IdRole,
    /// What the data is.
    pub id_type: IdType,
    /// The identity, at most 65535 octets: a URI or a UID of 32 octets, whatever the type and role say.
    pub data: Cow<'a, [u8]>,
}

impl<'a> Idr<'a> {
    /// An identity of type URI. TS 33.180 E.7 gives UIDs this type, too.
    pub fn uri(role: IdRole, data: impl Into<Cow<'a, [u8]>>) -> Self {
        Self { role, id_type: IdType::URI, data: data.into() }
    }

    /// The data as text, exactly as it came, or `None` if it is not UTF-8.
    pub fn text(&self) -> Option<&str> {
        core::str::from_utf8(&self.data).ok()
    }

    /// The same payload with all of its data owned.
    pub fn into_owned(self) -> Idr<'static> {
        Idr { role: self.role, id_type: self.id_type, data: Cow::Owned(self.data.into_owned()) }
    }

    pub(in crate::mikey) fn body_len(&self) -> usize {
        4 + self.data.len()
    }

    pub(in crate::mikey) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let role = IdRole(reader.octet("IDR role")?);
        let id_type = IdType(reader.octet("IDR type")?);
        let data = Cow::Borrowed(reader.data_16("IDR data")?);
        Ok(Self { role, id_type, data })
    }

    pub(in crate::mikey) fn write(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        out.extend_from_slice(&[self.role.0, self.id_type.0]);
        put_data_16(out, &self.data, "IDR data")
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::super::PayloadType;
    use super::super::testing::{HEADER_LEN, assert_form, build_error, parse_error};
    use super::*;

    #[test]
    fn role_type_length_and_data() {
        assert_form(Idr::uri(IdRole::INITIATOR_KMS, b"kms".as_slice()), b"\x00\x06\x01\x00\x03kms");
        assert_form(Idr { role: IdRole(77), id_type: IdType(9), data: vec![1].into() }, &[0, 77, 9, 0, 1, 1]);
    }

    #[test]
    fn what_vendors_send_is_carried_as_it_is() {
        let with_nul = Idr::uri(IdRole::RESPONDER_KMS, b"kms\0".as_slice());
        assert_form(with_nul.clone(), b"\x00\x07\x01\x00\x04kms\0");
        assert_eq!(with_nul.text(), Some("kms\0"));
        let uid = Idr::uri(IdRole::INITIATOR, vec![0xc4; 32]);
        assert_eq!(uid.text(), None);
        let mut octets = vec![0xc4; 37];
        octets[..5].copy_from_slice(&[0, 1, 1, 0, 32]);
        assert_form(uid, &octets);
    }

    #[test]
    fn wrong_lengths_are_refused() {
        let error = parse_error(PayloadType::IDR, &[0, 8, 1, 0, 32, 1, 2]);
        assert_eq!(error, Error::Truncated { field: "IDR data", offset: HEADER_LEN + 5, expected: 32, found: 2 });
        let error = parse_error(PayloadType::IDR, &[0, 8, 1, 0, 1, 1, 2]);
        assert_eq!(error, Error::TrailingOctets { offset: HEADER_LEN + 6, count: 1 });
        let error = build_error(Idr::uri(IdRole::KMS, vec![0; 65536]));
        assert_eq!(error, Error::TooLong { field: "IDR data", found: 65536, limit: 65535 });
    }
}
