use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::mikey::Error;
use crate::mikey::codec::{Reader, put_data_16};
use crate::mikey::registry::registry;

registry! {
    /// What a general extension holds (RFC 3830 6.15, RFC 4442 4.4, RFC 4563 4, RFC 4738 3.9.3, RFC 5410 3,
    /// TS 33.180 E.5 and E.6).
    ExtensionType {
        VENDOR_ID = 0, "vendor ID";
        SDP_IDS = 1, "SDP IDs";
        TESLA_INITIAL_KEY = 2, "TESLA I-Key";
        KEY_ID = 3, "key ID information";
        CSB_ID = 4, "CSB_ID";
        OMA_BCAST = 5, "OMA BCAST";
        SAKKE_TO_SELF = 6, "SAKKE-to-self";
        KEY_PARAMETERS = 7, "3GPP key parameters";
    }
}

/// General extension: data of a type that other specifications define (RFC 3830 6.15).
///
/// [`SdpIds`](super::SdpIds), [`KeyIdInformation`](super::KeyIdInformation), [`OmaBcast`](super::OmaBcast) and
/// [`Sakke`](super::Sakke) read the data of types 1, 3, 5 and 6.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneralExtension<'a> {
    /// What the data is.
    pub extension_type: ExtensionType,
    /// The data, at most 65535 octets.
    pub data: Cow<'a, [u8]>,
}

impl<'a> GeneralExtension<'a> {
    /// An extension with this data.
    pub fn new(extension_type: ExtensionType, data: impl Into<Cow<'a, [u8]>>) -> Self {
        Self { extension_type, data: data.into() }
    }

    /// The same payload with all of its data owned.
    pub fn into_owned(self) -> GeneralExtension<'static> {
        GeneralExtension { extension_type: self.extension_type, data: Cow::Owned(self.data.into_owned()) }
    }

    pub(super) fn body_len(&self) -> usize {
        3 + self.data.len()
    }

    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let extension_type = ExtensionType(reader.octet("General Extension type")?);
        let data = Cow::Borrowed(reader.data_16("General Extension data")?);
        Ok(Self { extension_type, data })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        out.push(self.extension_type.0);
        put_data_16(out, &self.data, "General Extension data")
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
        let extension = GeneralExtension::new(ExtensionType::KEY_PARAMETERS, vec![1, 2, 3]);
        assert_form(extension, &[0, 7, 0, 3, 1, 2, 3]);
        assert_form(GeneralExtension::new(ExtensionType(250), vec![]), &[0, 250, 0, 0]);
    }

    #[test]
    fn wrong_lengths_are_refused() {
        let error = parse_error(PayloadType::GENERAL_EXTENSION, &[0, 7, 0xff, 0xff, 1, 2, 3]);
        let field = "General Extension data";
        assert_eq!(error, Error::Truncated { field, offset: HEADER_LEN + 4, expected: 65535, found: 3 });
        let error = parse_error(PayloadType::GENERAL_EXTENSION, &[0, 7, 0, 2, 1, 2, 3]);
        assert_eq!(error, Error::TrailingOctets { offset: HEADER_LEN + 6, count: 1 });
        let error = build_error(GeneralExtension::new(ExtensionType::VENDOR_ID, vec![0; 65536]));
        assert_eq!(error, Error::TooLong { field, found: 65536, limit: 65535 });
    }
}
