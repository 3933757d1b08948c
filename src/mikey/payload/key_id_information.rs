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
    /// Well-formed sub-payloads, read anew whenever they are asked for.
    key_ids: Cow<'a, [u8]>,
}

/// A Key ID Type sub-payload (RFC 4563 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyId<'a> {
    /// What it names.
    pub key_id_type: KeyIdType,
    /// The name, at most 255 octets.
    pub id: &'a [u8],
}

impl KeyIdInformation<'static> {
    /// Information of these key IDs.
    ///
    /// # Errors
    /// [`Error::TooLong`] if a key ID has more than 255 octets.
    pub fn new(key_ids: &[KeyId<'_>]) -> Result<Self, Error> {
        let mut octets = Vec::new();
        for key_id in key_ids {
            octets.push(key_id.key_id_type.0);
            put_data_8(&mut octets, key_id.id, "Key ID")?;
        }
        Ok(Self { key_ids: Cow::Owned(octets) })
    }
}

impl<'a> KeyIdInformation<'a> {
    /// Reads the data of an extension. Offsets in errors count from the start of the data.
    ///
    /// # Errors
    /// [`Error::Truncated`].
    pub fn parse(data: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(data);
        while reader.remaining() > 0 {
            KeyId::read(&mut reader)?;
        }
        Ok(Self { key_ids: Cow::Borrowed(data) })
    }

    /// The key IDs in their order.
    pub fn key_ids(&self) -> impl Iterator<Item = KeyId<'_>> {
        let mut reader = Reader::new(&self.key_ids);
        core::iter::from_fn(move || KeyId::read(&mut reader).ok())
    }

    /// The extension with these key IDs: its data is what [`parse`](Self::parse) reads.
    pub fn to_extension(&self) -> GeneralExtension<'static> {
        GeneralExtension::new(ExtensionType::KEY_ID, self.key_ids.to_vec())
    }
}

impl<'a> KeyId<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let key_id_type = KeyIdType(reader.octet("Key ID Type")?);
        Ok(Self { key_id_type, id: reader.data_8("Key ID")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY_IDS: [KeyId<'static>; 2] = [
        KeyId { key_id_type: KeyIdType::MBMS_KEY_DOMAIN, id: &[1, 2, 3] },
        KeyId { key_id_type: KeyIdType(77), id: &[] },
    ];

    #[test]
    fn types_lengths_and_ids() {
        let information = KeyIdInformation::new(&KEY_IDS).unwrap();
        let extension = information.to_extension();
        assert_eq!(extension.extension_type, ExtensionType::KEY_ID);
        assert_eq!(extension.data[..], [0, 3, 1, 2, 3, 77, 0]);
        assert_eq!(KeyIdInformation::parse(&extension.data).unwrap(), information);
        assert!(information.key_ids().eq(KEY_IDS));
        assert_eq!(KeyIdInformation::parse(&[]).unwrap().key_ids().count(), 0);
    }

    #[test]
    fn wrong_lengths_are_refused() {
        let refused = |data: &[u8]| KeyIdInformation::parse(data).unwrap_err();
        let truncated = |offset, expected, found| Error::Truncated { field: "Key ID", offset, expected, found };
        assert_eq!(refused(&[0]), truncated(1, 1, 0));
        assert_eq!(refused(&[0, 3, 1, 2]), truncated(2, 3, 2));
        let long = KeyIdInformation::new(&[KeyId { key_id_type: KeyIdType(1), id: &[0; 256] }]);
        assert_eq!(long, Err(Error::TooLong { field: "Key ID", found: 256, limit: 255 }));
    }
}
