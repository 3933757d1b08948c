use alloc::vec::Vec;
use core::ops::Range;

use super::codec::Reader;
use super::payload::{
    ExtensionType, GeneralExtension, Header, IdRole, Idr, Payload, PayloadType, Rand, Sakke, SecurityPolicy, Sign,
    Timestamp,
};
use super::{Error, chain};

/// A MIKEY message: a header and the payloads after it, in their order.
///
/// [`parse`](Self::parse) borrows from its input and judges the form alone: lengths, payload types, that nothing
/// follows the end. What the values mean and whether they are acceptable together is for the caller.
/// Building turns the list into octets again; for a message that was parsed, into the same ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<'a> {
    /// HDR, the common header.
    pub header: Header<'a>,
    /// The payloads in their order; SIGN only as the last.
    pub payloads: Vec<Payload<'a>>,
}

impl<'a> Message<'a> {
    /// The most octets that are read: what one UDP datagram could hold, some sixty times what an I_MESSAGE has.
    pub const MAX_LEN: usize = 65535;
    /// The most payloads that are read; an I_MESSAGE has a dozen. Of small payloads they are fewer: their list takes at most
    /// four times the octets that it is read from and 1024 beyond that, which is eleven payloads and one for every 22 octets.
    pub const MAX_PAYLOADS: usize = 64;

    /// A message of a header alone, for payloads to be added.
    pub const fn new(header: Header<'a>) -> Self {
        Self { header, payloads: Vec::new() }
    }

    /// Adds a payload.
    #[must_use]
    pub fn with(mut self, payload: impl Into<Payload<'a>>) -> Self {
        self.payloads.push(payload.into());
        self
    }

    /// Reads a whole message along the chain of next payload fields.
    ///
    /// # Errors
    /// [`Error::Truncated`], [`Error::UnsupportedVersion`], [`Error::UnknownDataType`], [`Error::UnknownMapType`],
    /// [`Error::UnsupportedPayload`], [`Error::SubPayloadInClear`], [`Error::UnknownNumber`],
    /// [`Error::UnknownTimestampType`], [`Error::TrailingOctets`], [`Error::TooManyPayloads`], each with its offset, and
    /// [`Error::MessageTooLong`].
    pub fn parse(octets: &'a [u8]) -> Result<Self, Error> {
        if octets.len() > Self::MAX_LEN {
            return Err(Error::MessageTooLong { found: octets.len(), limit: Self::MAX_LEN });
        }
        let mut reader = Reader::new(octets);
        let (header, next) = Header::read(&mut reader)?;
        Ok(Self { header, payloads: chain::read(next, &mut reader, Payload::read)? })
    }

    /// The payloads of a message in turn, each with the octets that it occupies: for readers that cannot afford the list.
    pub(crate) fn walk(
        octets: &'a [u8],
    ) -> Result<impl Iterator<Item = Result<(Range<usize>, Payload<'a>), Error>>, Error> {
        let mut reader = Reader::new(octets);
        let (_, next) = Header::read(&mut reader)?;
        Ok(chain::each(next, reader, Payload::read))
    }

    /// Octets of the message that begins here, whatever follows it: in a stream nothing else tells where it ends.
    #[cfg(feature = "capture")]
    pub(crate) fn measure(octets: &[u8]) -> Result<usize, Error> {
        let mut reader = Reader::new(octets);
        let (_, next) = Header::read(&mut reader)?;
        let mut end = reader.position();
        for (index, payload) in chain::each(next, reader, Payload::read).enumerate() {
            if index == Self::MAX_PAYLOADS {
                return Err(Error::TooManyPayloads { offset: end, limit: Self::MAX_PAYLOADS });
            }
            end = payload?.0.end;
        }
        Ok(end)
    }

    /// The message as it goes on the wire.
    ///
    /// # Errors
    /// [`Error::TooLong`] and [`Error::OutOfRange`] for what its field cannot hold, [`Error::SignNotLast`]. A message
    /// that was parsed has none of them.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let mut out = Vec::with_capacity(self.encoded_len());
        chain::write(&self.payloads, &mut out, |first, out| self.header.write(first, out))?;
        Ok(out)
    }

    /// Octets of the whole message.
    pub fn encoded_len(&self) -> usize {
        self.header.encoded_len() + self.payloads.iter().map(Payload::encoded_len).sum::<usize>()
    }

    /// Each payload with the range of octets that it occupies in the message. The header occupies what precedes.
    pub fn located(&self) -> impl Iterator<Item = (Range<usize>, &Payload<'a>)> {
        let mut offset = self.header.encoded_len();
        self.payloads.iter().map(move |payload| {
            let start = offset;
            offset += payload.encoded_len();
            (start..offset, payload)
        })
    }

    /// The same message with all of its data owned.
    pub fn into_owned(self) -> Message<'static> {
        Message {
            header: self.header.into_owned(),
            payloads: self.payloads.into_iter().map(Payload::into_owned).collect(),
        }
    }

    /// T, the timestamp.
    ///
    /// # Errors
    /// [`Error::MissingPayload`], [`Error::DuplicatePayload`].
    pub fn timestamp(&self) -> Result<Timestamp, Error> {
        self.only(PayloadType::T, |payload| match payload {
            Payload::Timestamp(timestamp) => Some(*timestamp),
            _ => None,
        })
    }

    /// RAND, the random octets.
    ///
    /// # Errors
    /// [`Error::MissingPayload`], [`Error::DuplicatePayload`].
    pub fn rand(&self) -> Result<&Rand<'a>, Error> {
        self.only(PayloadType::RAND, |payload| match payload {
            Payload::Rand(rand) => Some(rand),
            _ => None,
        })
    }

    /// SAKKE, the encapsulated key.
    ///
    /// # Errors
    /// [`Error::MissingPayload`], [`Error::DuplicatePayload`].
    pub fn sakke(&self) -> Result<&Sakke<'a>, Error> {
        self.only(PayloadType::SAKKE, |payload| match payload {
            Payload::Sakke(sakke) => Some(sakke),
            _ => None,
        })
    }

    /// SIGN, the signature.
    ///
    /// # Errors
    /// [`Error::MissingPayload`], [`Error::DuplicatePayload`].
    pub fn signature(&self) -> Result<&Sign<'a>, Error> {
        self.only(PayloadType::SIGN, |payload| match payload {
            Payload::Sign(sign) => Some(sign),
            _ => None,
        })
    }

    /// The identity with this role, if there is one.
    ///
    /// # Errors
    /// [`Error::DuplicatePayload`] if two identities have this role.
    pub fn identity(&self, role: IdRole) -> Result<Option<&Idr<'a>>, Error> {
        self.at_most_one(PayloadType::IDR, |payload| match payload {
            Payload::Idr(idr) if idr.role == role => Some(idr),
            _ => None,
        })
    }

    /// The general extension of this type, if there is one.
    ///
    /// # Errors
    /// [`Error::DuplicatePayload`] if two extensions have this type.
    pub fn extension(&self, extension_type: ExtensionType) -> Result<Option<&GeneralExtension<'a>>, Error> {
        self.at_most_one(PayloadType::GENERAL_EXTENSION, |payload| match payload {
            Payload::GeneralExtension(extension) if extension.extension_type == extension_type => Some(extension),
            _ => None,
        })
    }

    /// The security policy with this number, if there is one.
    ///
    /// # Errors
    /// [`Error::DuplicatePayload`] if two policies have this number.
    pub fn policy(&self, policy_no: u8) -> Result<Option<&SecurityPolicy<'a>>, Error> {
        self.at_most_one(PayloadType::SP, |payload| match payload {
            Payload::SecurityPolicy(policy) if policy.policy_no == policy_no => Some(policy),
            _ => None,
        })
    }

    fn only<'m, T>(
        &'m self,
        payload_type: PayloadType,
        select: impl Fn(&'m Payload<'a>) -> Option<T>,
    ) -> Result<T, Error> {
        self.at_most_one(payload_type, select)?.ok_or(Error::MissingPayload { payload_type })
    }

    fn at_most_one<'m, T>(
        &'m self,
        payload_type: PayloadType,
        select: impl Fn(&'m Payload<'a>) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let mut found = self.located().filter_map(|(range, payload)| Some((range.start, select(payload)?)));
        let first = found.next().map(|(_, payload)| payload);
        match found.next() {
            Some((offset, _)) => Err(Error::DuplicatePayload { payload_type, offset }),
            None => Ok(first),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::mikey::{CsIdMap, DataType, NtpTime};

    fn message() -> Message<'static> {
        Message::new(Header::sakke(1, CsIdMap::Empty { cs_count: 0 }))
            .with(Timestamp::NtpUtc(NtpTime::from_bits(7)))
            .with(Rand::new(vec![1; 16]))
            .with(Idr::uri(IdRole::INITIATOR, b"alice".as_slice()))
            .with(Idr::uri(IdRole::RESPONDER, b"bob".as_slice()))
            .with(SecurityPolicy::srtp(0, &[]))
            .with(Sakke::mcx(vec![2; 273]))
            .with(GeneralExtension::new(ExtensionType::KEY_PARAMETERS, vec![3; 8]))
            .with(Sign::eccsi(vec![4; 129]))
    }

    #[test]
    fn a_header_alone_is_a_message() {
        let octets = [1, 6, 0, 0, 0, 0, 0, 1, 0, 0];
        let message = Message::parse(&octets).unwrap();
        assert_eq!(message.header.data_type, DataType::Error);
        assert!(message.payloads.is_empty());
        assert_eq!(message.to_bytes().unwrap(), octets);
    }

    #[test]
    fn payloads_lie_one_behind_the_other() {
        let message = message();
        let octets = message.to_bytes().unwrap();
        assert_eq!(Message::parse(&octets).unwrap(), message);
        let mut end = message.header.encoded_len();
        let walked: Result<Vec<_>, _> = Message::walk(&octets).unwrap().collect();
        assert!(walked.unwrap().iter().map(|(range, payload)| (range.clone(), payload)).eq(message.located()));
        for (range, payload) in message.located() {
            assert_eq!(range.start, end);
            assert_eq!(range.len(), payload.encoded_len());
            end = range.end;
        }
        assert_eq!(end, octets.len());
        assert_eq!(octets[message.located().next().unwrap().0][0], PayloadType::RAND.0);
    }

    #[test]
    fn a_message_has_no_more_octets_than_the_limit() {
        let long = |extra: usize| {
            let header = Header::sakke(1, CsIdMap::Empty { cs_count: 0 });
            let rest = Message::MAX_LEN + extra - header.encoded_len() - 2 * 5;
            let halves = [rest / 2, rest - rest / 2].map(|len| Idr::uri(IdRole::KMS, vec![b'a'; len]));
            let message = halves.into_iter().fold(Message::new(header), Message::with);
            message.to_bytes().unwrap()
        };
        assert_eq!(long(0).len(), 65535);
        assert!(Message::parse(&long(0)).is_ok());
        let found = Message::MAX_LEN + 1;
        assert_eq!(Message::parse(&long(1)), Err(Error::MessageTooLong { found, limit: Message::MAX_LEN }));
    }

    #[test]
    fn a_message_has_no_more_payloads_than_the_limit() {
        let of = |count| {
            let header = Header::sakke(1, CsIdMap::Empty { cs_count: 0 });
            let identity = |message: Message<'static>, _| message.with(Idr::uri(IdRole::KMS, vec![b'a'; 20]));
            (0..count).fold(Message::new(header), identity)
        };
        assert!(Message::parse(&of(64).to_bytes().unwrap()).is_ok());
        let message = of(65);
        let (range, _) = message.located().last().unwrap();
        let refused = Err(Error::TooManyPayloads { offset: range.start, limit: 64 });
        assert_eq!(Message::parse(&message.to_bytes().unwrap()), refused);
    }

    #[test]
    fn payloads_of_few_octets_are_limited_by_what_their_list_would_take() {
        let of = |count| {
            let header = Header::sakke(1, CsIdMap::Empty { cs_count: 0 });
            let counter = |message: Message<'static>, _| message.with(Timestamp::Counter(1));
            (0..count).fold(Message::new(header), counter).to_bytes().unwrap()
        };
        assert!(size_of::<Payload<'_>>() <= 88, "or the limit is less than what is documented");
        let limit = |count: usize| (1024 + 4 * 6 * count) / size_of::<Payload<'_>>();
        let most = (1..64).rfind(|&count| count <= limit(count)).unwrap();
        assert!(Message::parse(&of(most)).is_ok_and(|message| message.payloads.len() == most));
        let refused = Error::TooManyPayloads { offset: 10 + 6 * limit(64), limit: limit(64) };
        assert_eq!(Message::parse(&of(64)), Err(refused));
    }

    #[test]
    fn the_list_of_payloads_has_room_for_them_and_no_more() {
        for octets in [vec![1, 6, 0, 0, 0, 0, 0, 1, 0, 0], message().to_bytes().unwrap()] {
            let parsed = Message::parse(&octets).unwrap();
            assert_eq!(parsed.payloads.capacity(), parsed.payloads.len());
        }
    }

    #[test]
    fn payloads_are_found_by_kind_and_role() {
        let message = message();
        assert_eq!(message.timestamp(), Ok(Timestamp::NtpUtc(NtpTime::from_bits(7))));
        assert_eq!(message.rand(), Ok(&Rand::new(vec![1; 16])));
        assert_eq!(message.sakke(), Ok(&Sakke::mcx(vec![2; 273])));
        assert_eq!(message.signature(), Ok(&Sign::eccsi(vec![4; 129])));
        let responder = message.identity(IdRole::RESPONDER).unwrap();
        assert_eq!(responder.and_then(Idr::text), Some("bob"));
        assert_eq!(message.identity(IdRole::KMS), Ok(None));
        assert_eq!(message.extension(ExtensionType::KEY_PARAMETERS).unwrap().unwrap().data.len(), 8);
        assert_eq!(message.extension(ExtensionType::SAKKE_TO_SELF), Ok(None));
        assert_eq!(message.policy(0), Ok(Some(&SecurityPolicy::srtp(0, &[]))));
        assert_eq!(message.policy(1), Ok(None));
    }

    #[test]
    fn what_is_missing_is_named() {
        let empty = Message::new(Header::sakke(1, CsIdMap::Empty { cs_count: 0 }));
        let missing = |payload_type| Error::MissingPayload { payload_type };
        assert_eq!(empty.timestamp(), Err(missing(PayloadType::T)));
        assert_eq!(empty.rand(), Err(missing(PayloadType::RAND)));
        assert_eq!(empty.sakke(), Err(missing(PayloadType::SAKKE)));
        assert_eq!(empty.signature(), Err(missing(PayloadType::SIGN)));
    }

    #[test]
    fn what_is_there_twice_is_named_with_its_offset() {
        let message = message();
        for (at, payload) in message.payloads.iter().enumerate() {
            let mut twice = message.clone();
            twice.payloads.insert(at, payload.clone());
            let offset = twice.located().nth(at + 1).unwrap().0.start;
            let found = match payload {
                Payload::Timestamp(_) => twice.timestamp().err(),
                Payload::Rand(_) => twice.rand().err(),
                Payload::Sakke(_) => twice.sakke().err(),
                Payload::Sign(_) => twice.signature().err(),
                Payload::Idr(idr) => twice.identity(idr.role).err(),
                Payload::GeneralExtension(extension) => twice.extension(extension.extension_type).err(),
                Payload::SecurityPolicy(policy) => twice.policy(policy.policy_no).err(),
                _ => None,
            };
            assert_eq!(found, Some(Error::DuplicatePayload { payload_type: payload.payload_type(), offset }));
        }
    }
}
