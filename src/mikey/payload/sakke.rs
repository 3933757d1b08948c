use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::mikey::Error;
use crate::mikey::codec::{Reader, put_data_16};
use crate::mikey::registry::registry;

registry! {
    /// The SAKKE parameter set (RFC 6509 4.2 and Appendix A).
    SakkeParameters {
        SET_1 = 1, "parameter set 1";
    }
}

registry! {
    /// How the identity that was encapsulated to is made (RFC 6509 4.2, TS 33.180 E.5).
    IdScheme {
        TEL_URI_MONTHLY = 1, "tel URI with monthly keys";
        MCX_UID = 2, "3GPP MCX hashed UID";
    }
}

/// SAKKE, a key encapsulated to an identity (RFC 6509 4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sakke<'a> {
    /// The parameter set.
    pub parameters: SakkeParameters,
    /// How the receiver's identity is made.
    pub id_scheme: IdScheme,
    /// SED, the encapsulated data, at most 65535 octets: 273 with parameter set 1.
    pub data: Cow<'a, [u8]>,
}

impl<'a> Sakke<'a> {
    /// Data under parameter set 1, encapsulated to a UID of TS 33.180 F.2.1.
    pub fn mcx(data: impl Into<Cow<'a, [u8]>>) -> Self {
        Self { parameters: SakkeParameters::SET_1, id_scheme: IdScheme::MCX_UID, data: data.into() }
    }

    /// Reads a payload that stands alone, its next payload octet included: the data of a SAKKE-to-self extension
    /// (TS 33.180 E.5). The next payload octet has no meaning there and is dropped.
    ///
    /// # Errors
    /// [`Error::Truncated`] and [`Error::TrailingOctets`], with offsets in `octets`.
    pub fn from_standalone(octets: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(octets);
        reader.octet("SAKKE next payload")?;
        let sakke = Self::read(&mut reader)?;
        match reader.remaining() {
            0 => Ok(sakke),
            count => Err(Error::TrailingOctets { offset: reader.position(), count }),
        }
    }

    /// The payload as it stands alone, with 0 for the next payload: the inverse of
    /// [`from_standalone`](Self::from_standalone).
    ///
    /// # Errors
    /// [`Error::TooLong`] if the data has more than 65535 octets.
    pub fn to_standalone(&self) -> Result<Vec<u8>, Error> {
        let mut out = Vec::with_capacity(1 + self.body_len());
        out.push(0);
        self.write(&mut out)?;
        Ok(out)
    }

    /// The same payload with all of its data owned.
    pub fn into_owned(self) -> Sakke<'static> {
        Sakke { parameters: self.parameters, id_scheme: self.id_scheme, data: Cow::Owned(self.data.into_owned()) }
    }

    pub(super) fn body_len(&self) -> usize {
        4 + self.data.len()
    }

    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let parameters = SakkeParameters(reader.octet("SAKKE params")?);
        let id_scheme = IdScheme(reader.octet("SAKKE ID scheme")?);
        let data = Cow::Borrowed(reader.data_16("SAKKE data")?);
        Ok(Self { parameters, id_scheme, data })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        out.extend_from_slice(&[self.parameters.0, self.id_scheme.0]);
        put_data_16(out, &self.data, "SAKKE data")
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::super::PayloadType;
    use super::super::testing::{HEADER_LEN, assert_form, build_error, parse_error};
    use super::*;

    #[test]
    fn parameters_scheme_length_and_data() {
        let mut octets = vec![4; 278];
        octets[..5].copy_from_slice(&[0, 1, 2, 0x01, 0x11]);
        assert_form(Sakke::mcx(vec![4; 273]), &octets);
        let unknown = Sakke { parameters: SakkeParameters(9), id_scheme: IdScheme(8), data: b"x".as_slice().into() };
        assert_form(unknown, &[0, 9, 8, 0, 1, b'x']);
    }

    #[test]
    fn a_payload_that_stands_alone_is_all_of_its_data() {
        let sakke = Sakke::mcx(vec![1, 2]);
        let mut octets = sakke.to_standalone().unwrap();
        assert_eq!(octets, [0, 1, 2, 0, 2, 1, 2]);
        octets[0] = 21;
        assert_eq!(Sakke::from_standalone(&octets).unwrap().into_owned(), sakke);
        for length in 0..octets.len() {
            let error = Sakke::from_standalone(&octets[..length]);
            assert!(matches!(error, Err(Error::Truncated { .. })), "cut after {length} octets");
        }
        octets.push(0);
        assert_eq!(Sakke::from_standalone(&octets), Err(Error::TrailingOctets { offset: 7, count: 1 }));
    }

    #[test]
    fn wrong_lengths_are_refused() {
        let error = parse_error(PayloadType::SAKKE, &[0, 1, 2, 0x01, 0x11, 4, 4]);
        assert_eq!(error, Error::Truncated { field: "SAKKE data", offset: HEADER_LEN + 5, expected: 273, found: 2 });
        let error = parse_error(PayloadType::SAKKE, &[0, 1, 2, 0, 1, 4, 4]);
        assert_eq!(error, Error::TrailingOctets { offset: HEADER_LEN + 6, count: 1 });
        let error = Error::TooLong { field: "SAKKE data", found: 65536, limit: 65535 };
        assert_eq!(build_error(Sakke::mcx(vec![0; 65536])), error);
        assert_eq!(Sakke::mcx(vec![0; 65536]).to_standalone(), Err(error));
    }
}
