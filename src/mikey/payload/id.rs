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

    pub(super) fn body_len(&self) -> usize {
        3 + self.data.len()
    }

    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let id_type = IdType(reader.octet("ID type")?);
        let data = Cow::Borrowed(reader.data_16("ID data")?);
        Ok(Self { id_type, data })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        out.push(self.id_type.0);
        put_data_16(out, &self.data, "ID data")
    }
}
