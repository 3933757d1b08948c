use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::{ExtensionType, GeneralExtension};
use crate::mikey::Error;
use crate::mikey::codec::{Reader, put_data_8};
use crate::mikey::registry::registry;

registry! {
    /// What a key ID names (RFC 4563 4).
    KeyIdType {
        MBMS_KEY_DOMAIN = 0, "MBMS Key Domain ID";
        MBMS_SERVICE_KEY = 1, "MBMS Service Key ID";
        MBMS_TRAFFIC_KEY = 2, "MBMS Traffic Key ID";
    }
}

/// The data of a general extension of type 3: which keys the message carries (RFC 4563 4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyIdInformation<'a> {
    /// The key IDs in their order.
    pub key_ids: Vec<KeyId<'a>>,
}

/// A Key ID Type sub-payload (RFC 4563 4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyId<'a> {
    /// What it names.
    pub key_id_type: KeyIdType,
    /// The name, at most 255 octets.
    pub id: Cow<'a, [u8]>,
}

impl<'a> KeyIdInformation<'a> {
    /// Reads the data of an extension. Offsets in errors count from the start of the data.
    ///
    /// # Errors
    /// [`Error::Truncated`].
    pub fn parse(data: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(data);
        let mut key_ids = Vec::new();
        while reader.remaining() > 0 {
            let key_id_type = KeyIdType(reader.octet("Key ID Type")?);
            key_ids.push(KeyId { key_id_type, id: Cow::Borrowed(reader.data_8("Key ID")?) });
        }
        Ok(Self { key_ids })
    }

    /// The extension with these key IDs: its data is what [`parse`](Self::parse) reads.
    ///
    /// # Errors
    /// [`Error::TooLong`] if a key ID has more than 255 octets.
    pub fn to_extension(&self) -> Result<GeneralExtension<'static>, Error> {
        let mut data = Vec::new();
        for key_id in &self.key_ids {
            data.push(key_id.key_id_type.0);
            put_data_8(&mut data, &key_id.id, "Key ID")?;
        }
        Ok(GeneralExtension::new(ExtensionType::KEY_ID, data))
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn information() -> KeyIdInformation<'static> {
        let key_id = |key_id_type, id: &'static [u8]| KeyId { key_id_type, id: id.into() };
        let key_ids = vec![key_id(KeyIdType::MBMS_KEY_DOMAIN, &[1, 2, 3]), key_id(KeyIdType(77), &[])];
        KeyIdInformation { key_ids }
    }

    #[test]
    fn types_lengths_and_ids() {
        let extension = information().to_extension().unwrap();
        assert_eq!(extension.extension_type, ExtensionType::KEY_ID);
        assert_eq!(extension.data[..], [0, 3, 1, 2, 3, 77, 0]);
        assert_eq!(KeyIdInformation::parse(&extension.data).unwrap(), information());
        assert_eq!(KeyIdInformation::parse(&[]).unwrap().key_ids, []);
    }

    #[test]
    fn wrong_lengths_are_refused() {
        let refused = |data: &[u8]| KeyIdInformation::parse(data).unwrap_err();
        let truncated = |offset, expected, found| Error::Truncated { field: "Key ID", offset, expected, found };
        assert_eq!(refused(&[0]), truncated(1, 1, 0));
        assert_eq!(refused(&[0, 3, 1, 2]), truncated(2, 3, 2));
        let long = KeyIdInformation { key_ids: vec![KeyId { key_id_type: KeyIdType(1), id: vec![0; 256].into() }] };
        assert_eq!(long.to_extension(), Err(Error::TooLong { field: "Key ID", found: 256, limit: 255 }));
    }
}
