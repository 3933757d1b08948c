use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::{ExtensionType, GeneralExtension};
use crate::mikey::Error;
use crate::mikey::codec::Reader;
use crate::mikey::registry::registry;

registry! {
    /// What an OMA BCAST extension holds (RFC 5410 3, which replaces RFC 4909).
    OmaBcastSubtype {
        LTKM = 1, "LTKM";
        STKM = 2, "STKM";
        LTKM_REPORTING = 3, "LTKM Reporting";
        PARENTAL_CONTROL = 4, "Parental Control";
    }
}

/// The data of a general extension of type 5: a part of an OMA BCAST message (RFC 5410 3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OmaBcast<'a> {
    /// What the data is.
    pub subtype: OmaBcastSubtype,
    /// Subtype specific data, which OMA defines.
    pub data: Cow<'a, [u8]>,
}

impl<'a> OmaBcast<'a> {
    /// Reads the data of an extension. Offsets in errors count from the start of the data.
    ///
    /// # Errors
    /// [`Error::Truncated`] if it is empty.
    pub fn parse(data: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(data);
        let subtype = OmaBcastSubtype(reader.octet("OMA BCAST Subtype")?);
        Ok(Self { subtype, data: Cow::Borrowed(reader.rest()) })
    }

    /// The extension with this data: what [`parse`](Self::parse) reads.
    pub fn to_extension(&self) -> GeneralExtension<'static> {
        let mut data = Vec::with_capacity(1 + self.data.len());
        data.push(self.subtype.0);
        data.extend_from_slice(&self.data);
        GeneralExtension::new(ExtensionType::OMA_BCAST, data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subtype_and_data() {
        let stkm = OmaBcast { subtype: OmaBcastSubtype::STKM, data: [7, 8].as_slice().into() };
        let extension = stkm.to_extension();
        assert_eq!((extension.extension_type, &extension.data[..]), (ExtensionType::OMA_BCAST, &[2, 7, 8][..]));
        assert_eq!(OmaBcast::parse(&extension.data).unwrap(), stkm);
        assert_eq!(OmaBcast::parse(&[99]).unwrap().subtype, OmaBcastSubtype(99));
    }

    #[test]
    fn no_data_is_refused() {
        let field = "OMA BCAST Subtype";
        assert_eq!(OmaBcast::parse(&[]), Err(Error::Truncated { field, offset: 0, expected: 1, found: 0 }));
    }
}
