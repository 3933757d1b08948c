use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::mikey::Error;
use crate::mikey::codec::{Reader, fits, too_long};
use crate::mikey::registry::registry;

/// Octets before the signature: the type in 4 bits and the length in 12.
pub(crate) const SIGN_HEADER_LEN: usize = 2;
const LENGTH_LIMIT: u16 = 0x0fff;
const TYPE_LIMIT: u8 = 0x0f;

registry! {
    /// The signature scheme: 4 bits (RFC 3830 6.5, RFC 6509 4.3).
    SignatureType {
        RSA_PKCS_1 = 0, "RSA/PKCS#1/1.5";
        RSA_PSS = 1, "RSA/PSS";
        ECCSI = 2, "ECCSI";
    }
}

/// SIGN, the signature that ends a message (RFC 3830 6.5). It has no next payload field.
///
/// The signature covers all of the message before it, the two octets of this payload's own header included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sign<'a> {
    /// The scheme; at most 15.
    pub signature_type: SignatureType,
    /// The signature, at most 4095 octets: 129 for ECCSI.
    pub signature: Cow<'a, [u8]>,
}

impl<'a> Sign<'a> {
    /// An ECCSI signature.
    pub fn eccsi(signature: impl Into<Cow<'a, [u8]>>) -> Self {
        Self { signature_type: SignatureType::ECCSI, signature: signature.into() }
    }

    /// The same payload with all of its data owned.
    pub fn into_owned(self) -> Sign<'static> {
        Sign { signature_type: self.signature_type, signature: Cow::Owned(self.signature.into_owned()) }
    }

    pub(super) fn encoded_len(&self) -> usize {
        SIGN_HEADER_LEN + self.signature.len()
    }

    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let header = reader.u16("SIGN S type and signature length")?;
        let [first, _] = header.to_be_bytes();
        let length = header & LENGTH_LIMIT;
        let signature = Cow::Borrowed(reader.take(length.into(), "SIGN signature")?);
        Ok(Self { signature_type: SignatureType(first >> 4), signature })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        let signature_type = fits(self.signature_type.0, TYPE_LIMIT, "SIGN S type")?;
        let length = u16::try_from(self.signature.len())
            .ok()
            .filter(|&length| length <= LENGTH_LIMIT)
            .ok_or_else(|| too_long("SIGN signature", self.signature.len(), LENGTH_LIMIT.into()))?;
        let header = u16::from(signature_type) << 12 | length;
        out.extend_from_slice(&header.to_be_bytes());
        out.extend_from_slice(&self.signature);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::super::PayloadType;
    use super::super::testing::{HEADER_LEN, assert_form, build_error, parse_error};
    use super::*;
    use crate::mikey::{CsIdMap, Header, Message, Rand};

    #[test]
    fn type_and_length_share_two_octets() {
        let mut octets = vec![5; 131];
        octets[..2].copy_from_slice(&[0x20, 0x81]);
        assert_form(Sign::eccsi(vec![5; 129]), &octets);
        assert_form(Sign::eccsi(vec![]), &[0x20, 0x00]);
        let mut octets = vec![6; 4097];
        octets[..2].copy_from_slice(&[0xff, 0xff]);
        assert_form(Sign { signature_type: SignatureType(15), signature: vec![6; 4095].into() }, &octets);
    }

    #[test]
    fn wrong_lengths_are_refused() {
        let error = parse_error(PayloadType::SIGN, &[0x20, 0x81, 1, 2]);
        let field = "SIGN signature";
        assert_eq!(error, Error::Truncated { field, offset: HEADER_LEN + 2, expected: 129, found: 2 });
        let error = parse_error(PayloadType::SIGN, &[0x20, 0x01, 1, 2]);
        assert_eq!(error, Error::TrailingOctets { offset: HEADER_LEN + 3, count: 1 });
        let error = build_error(Sign::eccsi(vec![0; 4096]));
        assert_eq!(error, Error::TooLong { field, found: 4096, limit: 4095 });
        let error = build_error(Sign { signature_type: SignatureType(16), signature: vec![].into() });
        assert_eq!(error, Error::OutOfRange { field: "SIGN S type", found: 16, limit: 15 });
    }

    #[test]
    fn nothing_may_follow() {
        let message = Message::new(Header::sakke(1, CsIdMap::Empty { cs_count: 0 }));
        let sign = Sign::eccsi(vec![0; 129]);
        assert_eq!(
            message.clone().with(sign.clone()).with(Rand::new(vec![])).to_bytes(),
            Err(Error::SignNotLast { index: 0 })
        );
        assert_eq!(message.with(sign.clone()).with(sign).to_bytes(), Err(Error::SignNotLast { index: 0 }));
    }
}
