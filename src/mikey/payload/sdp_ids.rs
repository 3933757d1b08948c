use alloc::borrow::Cow;
use alloc::string::String;

use super::{ExtensionType, GeneralExtension};
use crate::mikey::Error;

const SEPARATOR: u8 = b';';

/// The data of a general extension of type 1: the identifiers (KMPID) of all key management protocols that an SDP
/// description offers, in its order, as in `mikey;keyp1;keyp2` (RFC 4567 4.1.4, 7).
///
/// An attacker on the way could delete the lines of the stronger protocols from the description. The MAC or the signature of
/// the message covers this list: the receiver compares it with
/// [what it saw in the description](crate::mikey::sdp::protocol_ids), and should refuse the offer where they differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SdpIds<'a> {
    /// `KMPID *(";" KMPID)`. Identifiers are told apart by case.
    list: Cow<'a, str>,
}

impl SdpIds<'static> {
    /// A list of these identifiers, at least one, each of ASCII letters and digits.
    ///
    /// # Errors
    /// [`Error::ProtocolId`], with its offset in the list.
    pub fn new(ids: &[&str]) -> Result<Self, Error> {
        let mut list = String::new();
        for (index, id) in ids.iter().enumerate() {
            if index > 0 {
                list.push(char::from(SEPARATOR));
            }
            // A separator within an identifier would make two of it.
            list.push_str(protocol_id(id.as_bytes(), list.len())?);
        }
        if ids.is_empty() {
            return Err(Error::ProtocolId { offset: 0 });
        }
        Ok(Self { list: Cow::Owned(list) })
    }
}

impl<'a> SdpIds<'a> {
    /// Reads the data of an extension. Offsets in errors count from the start of the data.
    ///
    /// # Errors
    /// [`Error::ProtocolId`].
    pub fn parse(data: &'a [u8]) -> Result<Self, Error> {
        let mut offset = 0;
        for id in data.split(|&octet| octet == SEPARATOR) {
            protocol_id(id, offset)?;
            offset += id.len() + 1;
        }
        let list = core::str::from_utf8(data).map_err(|error| Error::ProtocolId { offset: error.valid_up_to() })?;
        Ok(Self { list: Cow::Borrowed(list) })
    }

    /// The identifiers in their order, at least one.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.list.split(char::from(SEPARATOR))
    }

    /// The same list with its data owned.
    pub fn into_owned(self) -> SdpIds<'static> {
        SdpIds { list: Cow::Owned(self.list.into_owned()) }
    }

    /// The extension with this list: its data is what [`parse`](Self::parse) reads.
    pub fn to_extension(&self) -> GeneralExtension<'static> {
        GeneralExtension::new(ExtensionType::SDP_IDS, self.list.as_bytes().to_vec())
    }
}

/// KMPID = 1*(ALPHA / DIGIT), `offset` octets into the text (RFC 4567 3).
///
/// # Errors
/// [`Error::ProtocolId`].
pub(in crate::mikey) fn protocol_id(id: &[u8], offset: usize) -> Result<&str, Error> {
    let len = id.iter().take_while(|octet| octet.is_ascii_alphanumeric()).count();
    match core::str::from_utf8(id) {
        Ok(id) if !id.is_empty() && len == id.len() => Ok(id),
        _ => Err(Error::ProtocolId { offset: offset + len }),
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn a_list_has_its_identifiers_in_their_order() {
        let ids = SdpIds::new(&["mikey", "keyp1", "KEYP2"]).unwrap();
        let extension = ids.to_extension();
        assert_eq!(extension.extension_type, ExtensionType::SDP_IDS);
        assert_eq!(&extension.data[..], b"mikey;keyp1;KEYP2");
        let parsed = SdpIds::parse(&extension.data).unwrap();
        assert_eq!(parsed, ids);
        assert_eq!(parsed.into_owned(), ids);
        assert_eq!(ids.ids().collect::<Vec<_>>(), ["mikey", "keyp1", "KEYP2"]);
        assert_eq!(SdpIds::new(&["mikey"]).unwrap(), SdpIds::parse(b"mikey").unwrap());
    }

    #[test]
    fn lists_that_differ_in_order_or_case_are_not_the_same() {
        let ids = SdpIds::new(&["mikey", "keyp1"]).unwrap();
        for other in [&["mikey"][..], &["keyp1", "mikey"], &["mikey", "KEYP1"], &["mikey", "mikey", "keyp1"]] {
            assert_ne!(SdpIds::new(other).unwrap(), ids);
        }
    }

    #[test]
    fn what_is_no_identifier_is_refused_with_its_place() {
        let refused = |offset| Err(Error::ProtocolId { offset });
        for (data, offset) in [
            (&b""[..], 0),
            (b";mikey", 0),
            (b"mikey;", 6),
            (b"mikey;;keyp1", 6),
            (b"mikey, keyp1", 5),
            (b"mikey;k\xffp", 7),
            (b"mikey\0", 5),
        ] {
            assert_eq!(SdpIds::parse(data), refused(offset), "{data:?}");
        }
        assert_eq!(SdpIds::new(&[]), refused(0));
        assert_eq!(SdpIds::new(&["mikey", ""]), refused(6));
        assert_eq!(SdpIds::new(&["mikey", "a;b"]), refused(7));
    }
}
