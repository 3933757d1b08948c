use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::mikey::Error;
use crate::mikey::codec::{Reader, put_data_16};
use crate::mikey::registry::registry;

registry! {
    /// What the data of a certificate payload is (RFC 3830 6.7).
    CertType {
        X509V3 = 0, "X.509v3";
        X509V3_URL = 1, "X.509v3 URL";
        X509V3_SIGN = 2, "X.509v3 Sign";
        X509V3_ENCR = 3, "X.509v3 Encr";
    }
}

/// CERT, a certificate or where it is (RFC 3830 6.7). Each certificate of a chain has a payload of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cert<'a> {
    /// What the data is.
    pub cert_type: CertType,
    /// The certificate in DER or its URL in ASCII, at most 65535 octets.
    pub data: Cow<'a, [u8]>,
}

impl<'a> Cert<'a> {
    /// A certificate.
    pub fn new(cert_type: CertType, data: impl Into<Cow<'a, [u8]>>) -> Self {
        Self { cert_type, data: data.into() }
    }

    /// The same payload with all of its data owned.
    pub fn into_owned(self) -> Cert<'static> {
        Cert { cert_type: self.cert_type, data: Cow::Owned(self.data.into_owned()) }
    }

    pub(super) fn body_len(&self) -> usize {
        3 + self.data.len()
    }

    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let cert_type = CertType(reader.octet("CERT type")?);
        let data = Cow::Borrowed(reader.data_16("CERT data")?);
        Ok(Self { cert_type, data })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        out.push(self.cert_type.0);
        put_data_16(out, &self.data, "CERT data")
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
        assert_form(Cert::new(CertType::X509V3_URL, b"http://c".as_slice()), b"\x00\x01\x00\x08http://c");
        assert_form(Cert::new(CertType(200), vec![]), &[0, 200, 0, 0]);
    }

    #[test]
    fn wrong_lengths_are_refused() {
        let error = parse_error(PayloadType::CERT, &[0, 0, 1, 0, 1]);
        assert_eq!(error, Error::Truncated { field: "CERT data", offset: HEADER_LEN + 4, expected: 256, found: 1 });
        let error = parse_error(PayloadType::CERT, &[0, 0, 0, 1, 1, 2]);
        assert_eq!(error, Error::TrailingOctets { offset: HEADER_LEN + 5, count: 1 });
        let error = build_error(Cert::new(CertType::X509V3, vec![0; 65536]));
        assert_eq!(error, Error::TooLong { field: "CERT data", found: 65536, limit: 65535 });
    }
}
