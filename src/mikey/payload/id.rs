use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::mikey::Error;
use crate::mikey::codec::{Reader, put_data_16};
use crate::mikey::registry::registry;

registry! {
    /// What the data of an identity is (RFC 3830 6.7, RFC 6043 6.6).
    IdType {
        NAI = 0, "NAI";
        URI = 1, "URI";
        BYTE_STRING = 2, "byte string";
    }
}

/// ID, an identity without a role (RFC 3830 6.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Id<'a> {
    /// What the data is.
    pub id_type: IdType,
    /// The identity, at most 65535 octets, not necessarily text whatever its type says.
    pub data: Cow<'a, [u8]>,
}

impl<'a> Id<'a> {
    /// An identity that is a URI.
    pub fn uri(uri: &'a str) -> Self {
        Self { id_type: IdType::URI, data: Cow::Borrowed(uri.as_bytes()) }
    }

    /// The data as text, exactly as it came, or `None` if it is not UTF-8.
    pub fn text(&self) -> Option<&str> {
        core::str::from_utf8(&self.data).ok()
    }

    /// The same payload with all of its data owned.
    pub fn into_owned(self) -> Id<'static> {
        Id { id_type: self.id_type, data: Cow::Owned(self.data.into_owned()) }
    }

    pub(in crate::mikey) fn body_len(&self) -> usize {
        3 + self.data.len()
    }

    pub(in crate::mikey) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let id_type = IdType(reader.octet("ID type")?);
        let data = Cow::Borrowed(reader.data_16("ID data")?);
        Ok(Self { id_type, data })
    }

    pub(in crate::mikey) fn write(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        out.push(self.id_type.0);
        put_data_16(out, &self.data, "ID data")
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::super::PayloadType;
    use super::super::testing::{HEADER_LEN, assert_form, build_error, parse_error};
    use super::*;

    #[test]
    fn type_length_and_data() {
        assert_form(Id::uri("sip:a@b"), b"\x00\x01\x00\x07sip:a@b");
        assert_form(Id { id_type: IdType(200), data: vec![].into() }, &[0, 200, 0, 0]);
    }

    #[test]
    fn text_is_utf_8_or_nothing() {
        assert_eq!(Id::uri("sip:a@b").text(), Some("sip:a@b"));
        assert_eq!(Id { id_type: IdType::NAI, data: vec![0xff].into() }.text(), None);
    }

    #[test]
    fn wrong_lengths_are_refused() {
        let error = parse_error(PayloadType::ID, &[0, 1, 1, 0, 1]);
        assert_eq!(error, Error::Truncated { field: "ID data", offset: HEADER_LEN + 4, expected: 256, found: 1 });
        let error = parse_error(PayloadType::ID, &[0, 1, 0, 1, 1, 2, 3]);
        assert_eq!(error, Error::TrailingOctets { offset: HEADER_LEN + 5, count: 2 });
        let error = build_error(Id { id_type: IdType::URI, data: vec![0; 65536].into() });
        assert_eq!(error, Error::TooLong { field: "ID data", found: 65536, limit: 65535 });
    }
}
