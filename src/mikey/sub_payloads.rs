use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::codec::Reader;
use super::payload::{Eccpt, Id, Idr, KeyData, PayloadType, SecretKey};
use super::{Error, Message, chain};

/// What KEMAC, IBAKE or ESK hold once decrypted: keys, Diffie-Hellman values and whose they are (RFC 3830 6.2,
/// RFC 6267 6.1.1 and 6.1.2).
///
/// The limits are those of a [`Message`]. Offsets in errors count from the start of the decrypted octets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SubPayloads<'a> {
    /// The sub-payloads in their order.
    pub payloads: Vec<SubPayload<'a>>,
}

/// A payload inside an encrypted one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubPayload<'a> {
    /// ID, whose keys follow in the public-key and RSA-R methods.
    Id(Id<'a>),
    /// IDR, whose keys or values follow.
    Idr(Idr<'a>),
    /// Key data, a key.
    KeyData(KeyData<'a>),
    /// SK, a secret key.
    SecretKey(SecretKey<'a>),
    /// ECCPT, an elliptic curve Diffie-Hellman value.
    Eccpt(Eccpt<'a>),
}

impl<'a> SubPayloads<'a> {
    /// Sub-payloads, for more to be added.
    pub const fn new() -> Self {
        Self { payloads: Vec::new() }
    }

    /// Adds a sub-payload.
    #[must_use]
    pub fn with(mut self, payload: impl Into<SubPayload<'a>>) -> Self {
        self.payloads.push(payload.into());
        self
    }

    /// The type of the first, or [`PayloadType::LAST`] if there is none. The octets do not tell it: it follows from the
    /// method.
    pub fn first_type(&self) -> PayloadType {
        self.payloads.first().map_or(PayloadType::LAST, SubPayload::payload_type)
    }

    /// Reads decrypted octets that start with a sub-payload of this type: Key data in the pre-shared key method, ID in
    /// the public-key and RSA-R methods, IDR in MIKEY-IBAKE.
    ///
    /// # Errors
    /// [`Error::Truncated`], [`Error::UnsupportedPayload`], [`Error::UnknownNumber`], [`Error::TrailingOctets`],
    /// [`Error::TooManyPayloads`], each with its offset, and [`Error::MessageTooLong`].
    pub fn parse(first: PayloadType, octets: &'a [u8]) -> Result<Self, Error> {
        if octets.len() > Message::MAX_LEN {
            return Err(Error::MessageTooLong { found: octets.len(), limit: Message::MAX_LEN });
        }
        let payloads = chain::read(first, &mut Reader::new(octets), SubPayload::read)?;
        Ok(Self { payloads })
    }

    /// The octets to encrypt: the inverse of [`parse`](Self::parse).
    ///
    /// # Errors
    /// [`Error::TooLong`], [`Error::OutOfRange`] and [`Error::WrongLength`] for what its field cannot hold.
    pub fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        // The capacity is never exceeded, so that no copy of a key is left behind.
        let mut out = Zeroizing::new(Vec::with_capacity(self.encoded_len()));
        let mut types = self.payloads.iter().skip(1).map(SubPayload::payload_type);
        for payload in &self.payloads {
            payload.write(types.next().unwrap_or(PayloadType::LAST), &mut out)?;
        }
        Ok(out)
    }

    /// Octets of all of them.
    pub fn encoded_len(&self) -> usize {
        self.payloads.iter().map(SubPayload::encoded_len).sum()
    }

    /// The same sub-payloads with all of their data owned.
    pub fn into_owned(self) -> SubPayloads<'static> {
        SubPayloads { payloads: self.payloads.into_iter().map(SubPayload::into_owned).collect() }
    }
}

impl<'a> SubPayload<'a> {
    /// The type that what precedes announces.
    pub const fn payload_type(&self) -> PayloadType {
        match self {
            Self::Id(_) => PayloadType::ID,
            Self::Idr(_) => PayloadType::IDR,
            Self::KeyData(_) => PayloadType::KEY_DATA,
            Self::SecretKey(_) => PayloadType::SK,
            Self::Eccpt(_) => PayloadType::ECCPT,
        }
    }

    /// Octets that the sub-payload occupies, its next payload field included.
    pub fn encoded_len(&self) -> usize {
        1 + match self {
            Self::Id(id) => id.body_len(),
            Self::Idr(idr) => idr.body_len(),
            Self::KeyData(key) => key.body_len(),
            Self::SecretKey(key) => key.body_len(),
            Self::Eccpt(point) => point.body_len(),
        }
    }

    /// The same sub-payload with all of its data owned.
    pub fn into_owned(self) -> SubPayload<'static> {
        match self {
            Self::Id(id) => SubPayload::Id(id.into_owned()),
            Self::Idr(idr) => SubPayload::Idr(idr.into_owned()),
            Self::KeyData(key) => SubPayload::KeyData(key.into_owned()),
            Self::SecretKey(key) => SubPayload::SecretKey(key.into_owned()),
            Self::Eccpt(point) => SubPayload::Eccpt(point.into_owned()),
        }
    }

    fn read(payload_type: PayloadType, reader: &mut Reader<'a>) -> Result<(Self, PayloadType), Error> {
        let read_body = match payload_type {
            PayloadType::ID => |reader: &mut Reader<'a>| Id::read(reader).map(Self::Id),
            PayloadType::IDR => |reader: &mut Reader<'a>| Idr::read(reader).map(Self::Idr),
            PayloadType::KEY_DATA => |reader: &mut Reader<'a>| KeyData::read(reader).map(Self::KeyData),
            PayloadType::SK => |reader: &mut Reader<'a>| SecretKey::read(reader).map(Self::SecretKey),
            PayloadType::ECCPT => |reader: &mut Reader<'a>| Eccpt::read(reader).map(Self::Eccpt),
            payload_type => return Err(Error::UnsupportedPayload { offset: reader.position(), payload_type }),
        };
        let next = PayloadType(reader.octet("next payload")?);
        Ok((read_body(reader)?, next))
    }

    fn write(&self, next: PayloadType, out: &mut Vec<u8>) -> Result<(), Error> {
        out.push(next.0);
        match self {
            Self::Id(id) => id.write(out),
            Self::Idr(idr) => idr.write(out),
            Self::KeyData(key) => key.write(out),
            Self::SecretKey(key) => key.write(out),
            Self::Eccpt(point) => point.write(out),
        }
    }
}

macro_rules! from_sub_payload {
    ($($payload:ident)*) => {
        $(impl<'a> From<$payload<'a>> for SubPayload<'a> {
            fn from(payload: $payload<'a>) -> Self {
                Self::$payload(payload)
            }
        })*
    };
}

from_sub_payload! { Id Idr KeyData SecretKey Eccpt }

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::vec;

    use super::*;
    use crate::mikey::{IdRole, KeyDataType, KeyValidity};

    fn keys() -> SubPayloads<'static> {
        let mut salted = KeyData::new(KeyDataType::TekSalt, vec![3, 4], KeyValidity::Null);
        salted.salt = vec![5].into();
        SubPayloads::new()
            .with(Id::uri("a"))
            .with(KeyData::new(KeyDataType::Tgk, vec![1, 2], KeyValidity::spi(vec![9])))
            .with(salted)
    }

    const OCTETS: [u8; 21] = [20, 1, 0, 1, b'a', 20, 0x01, 0, 2, 1, 2, 1, 9, 0, 0x30, 0, 2, 3, 4, 0, 1];

    #[test]
    fn a_chain_is_read_as_it_is_written() {
        let octets = [&OCTETS[..], &[5]].concat();
        assert_eq!(*keys().to_bytes().unwrap(), octets);
        assert_eq!(keys().encoded_len(), octets.len());
        assert_eq!(keys().first_type(), PayloadType::ID);
        let parsed = SubPayloads::parse(PayloadType::ID, &octets).unwrap();
        assert_eq!(parsed, keys());
        assert_eq!(parsed.into_owned(), keys());
        assert_eq!(SubPayloads::parse(PayloadType::LAST, &[]).unwrap(), SubPayloads::new());
        assert_eq!(SubPayloads::new().first_type(), PayloadType::LAST);
    }

    #[test]
    fn nothing_beyond_the_octets_is_read_and_nothing_is_left() {
        let octets = [&OCTETS[..], &[5]].concat();
        for length in 0..octets.len() {
            let error = SubPayloads::parse(PayloadType::ID, &octets[..length]).unwrap_err();
            assert!(matches!(error, Error::Truncated { .. }), "cut after {length} octets");
        }
        let longer = [&octets[..], &[0, 0]].concat();
        let error = SubPayloads::parse(PayloadType::ID, &longer).unwrap_err();
        assert_eq!(error, Error::TrailingOctets { offset: 22, count: 2 });
        let error = SubPayloads::parse(PayloadType::LAST, &[1]).unwrap_err();
        assert_eq!(error, Error::TrailingOctets { offset: 0, count: 1 });
    }

    #[test]
    fn there_are_no_more_than_a_message_has() {
        let key = |next| [&[next, 0, 0, 28][..], &[7; 28]].concat();
        let of = |count: usize| [key(20).repeat(count - 1), key(0)].concat();
        let parse = |octets: &[u8]| SubPayloads::parse(PayloadType::KEY_DATA, octets).map(|keys| keys.payloads.len());
        assert_eq!(parse(&of(64)), Ok(64));
        assert_eq!(parse(&of(65)), Err(Error::TooManyPayloads { offset: 64 * 32, limit: 64 }));
        let limit = (1024 + 4 * 256) / size_of::<SubPayload<'_>>();
        let small = [[20, 0, 0, 0].repeat(63), vec![0; 4]].concat();
        assert_eq!(parse(&small), Err(Error::TooManyPayloads { offset: 4 * limit, limit }));
        assert_eq!(parse(&[0; 65536]), Err(Error::MessageTooLong { found: 65536, limit: 65535 }));
    }

    #[test]
    fn payloads_of_messages_are_no_sub_payloads() {
        for payload_type in [PayloadType::T, PayloadType::KEMAC, PayloadType::SIGN, PayloadType(99)] {
            let error = SubPayloads::parse(payload_type, &[0; 9]).unwrap_err();
            assert_eq!(error, Error::UnsupportedPayload { offset: 0, payload_type });
        }
    }

    #[test]
    fn keys_do_not_print() {
        let keys = SubPayloads::new().with(KeyData::new(KeyDataType::Tgk, vec![0xab; 16], KeyValidity::Null));
        assert!(!format!("{keys:?}").contains("171"), "{keys:?}");
    }

    #[test]
    fn what_identity_based_methods_encrypt_has_the_same_form() {
        let point = [&[4][..], &[7; 64]].concat();
        let curve = crate::mikey::EccCurve::P256;
        let values = SubPayloads::new()
            .with(Idr::uri(IdRole::INITIATOR, b"a".as_slice()))
            .with(Eccpt::new(curve, &point, KeyValidity::Null).unwrap());
        let octets = values.to_bytes().unwrap();
        assert_eq!(SubPayloads::parse(PayloadType::IDR, &octets).unwrap(), values);
        let key = SubPayloads::new().with(Id::uri("b")).with(SecretKey::new(vec![1; 16], KeyValidity::Null));
        let octets = key.to_bytes().unwrap();
        assert_eq!(SubPayloads::parse(PayloadType::ID, &octets).unwrap(), key);
    }
}
