use super::payload::{PayloadType, SignatureType};
use crate::eccsi;

/// What can be wrong with a MIKEY message or with the line that carries one.
///
/// Offsets count octets from the start of the message, or, for the variants of SDP and RTSP, from the start of the text given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A field reaches beyond the message, or beyond the payload that contains it.
    #[error("{field} at octet {offset} needs {expected} octets, {found} are left")]
    Truncated {
        /// The field, named as in its specification.
        field: &'static str,
        /// Where the field starts.
        offset: usize,
        /// Octets that the field needs.
        expected: usize,
        /// Octets that are there.
        found: usize,
    },
    /// The version octet is not 1, the only version there is (RFC 3830 6.1).
    #[error("MIKEY version {found} at octet {offset}, expected 1")]
    UnsupportedVersion {
        /// Where the octet is.
        offset: usize,
        /// Its value.
        found: u8,
    },
    /// The data type of the header is in no registry.
    #[error("unknown MIKEY data type {found} at octet {offset}, expected 0 to 26")]
    UnknownDataType {
        /// Where the octet is.
        offset: usize,
        /// Its value.
        found: u8,
    },
    /// The CS ID map type of the header is not one that can be read.
    #[error("unknown CS ID map type {found} at octet {offset}, expected 0 (SRTP-ID), 1 (empty) or 2 (GENERIC-ID)")]
    UnknownMapType {
        /// Where the octet is.
        offset: usize,
        /// Its value.
        found: u8,
    },
    /// A payload of a type that cannot be read; what follows it cannot be found either.
    #[error("payload of type {payload_type} at octet {offset} is not supported")]
    UnsupportedPayload {
        /// Where the payload starts.
        offset: usize,
        /// The type that the previous payload announced.
        payload_type: PayloadType,
    },
    /// A payload that is only ever sent inside an encrypted one stands in the message itself (RFC 3830 6.13,
    /// RFC 6267 6.1.4 and 6.1.5).
    #[error("{payload_type} at octet {offset} is in clear, expected inside an encrypted payload")]
    SubPayloadInClear {
        /// Where the payload starts.
        offset: usize,
        /// Its type.
        payload_type: PayloadType,
    },
    /// A number is in no registry, and the length of what follows depends on it.
    #[error("{field} {found} at octet {offset} is unknown, expected {expected}")]
    UnknownNumber {
        /// The field, named as in its specification.
        field: &'static str,
        /// Where the octet with the number is.
        offset: usize,
        /// The number.
        found: u8,
        /// The numbers that are known.
        expected: &'static str,
    },
    /// The type of a timestamp is unknown, hence its length too.
    #[error(
        "unknown timestamp type {found} at octet {offset}, \
         expected 0 (NTP-UTC), 1 (NTP), 2 (COUNTER) or 3 (NTP-UTC-32)"
    )]
    UnknownTimestampType {
        /// Where the octet is.
        offset: usize,
        /// Its value.
        found: u8,
    },
    /// The message goes on after its last payload, or after SIGN, which ends every message that has one.
    #[error("{count} octets after the end of the message at octet {offset}")]
    TrailingOctets {
        /// Where the message ends.
        offset: usize,
        /// How many octets follow.
        count: usize,
    },
    /// More octets than any message has.
    #[error("the message has {found} octets, at most {limit} are read")]
    MessageTooLong {
        /// Its octets.
        found: usize,
        /// [`Message::MAX_LEN`](super::Message::MAX_LEN).
        limit: usize,
    },
    /// More payloads than any message has, or than so few octets may make a reader keep.
    #[error("payload at octet {offset} is one too many, at most {limit} are read")]
    TooManyPayloads {
        /// Where the first payload beyond the limit starts.
        offset: usize,
        /// [`Message::MAX_PAYLOADS`](super::Message::MAX_PAYLOADS), or less where payloads are small.
        limit: usize,
    },
    /// A payload that a message has once at most is there again.
    #[error("second {payload_type} payload at octet {offset}, expected one")]
    DuplicatePayload {
        /// The type of the payload.
        payload_type: PayloadType,
        /// Where the second one starts.
        offset: usize,
    },
    /// A payload that is needed is absent.
    #[error("the message has no {payload_type} payload")]
    MissingPayload {
        /// The type of the payload.
        payload_type: PayloadType,
    },
    /// A value is too long for the length field that announces it: the message cannot be built.
    #[error("{field} has {found} octets or entries, at most {limit} fit")]
    TooLong {
        /// The field, named as in its specification.
        field: &'static str,
        /// Its length.
        found: usize,
        /// What the length field can express.
        limit: usize,
    },
    /// A value does not have the length that its algorithm, group or type gives it: the payload cannot be built.
    #[error("{field} has {found} octets, expected {expected}")]
    WrongLength {
        /// The field, named as in its specification.
        field: &'static str,
        /// Its length.
        found: usize,
        /// The length that it must have.
        expected: usize,
    },
    /// A number is too large for the bits of its field: the message cannot be built.
    #[error("{field} is {found}, at most {limit} fits")]
    OutOfRange {
        /// The field, named as in its specification.
        field: &'static str,
        /// Its value.
        found: u8,
        /// The largest value.
        limit: u8,
    },
    /// Payloads follow SIGN: the message cannot be built.
    #[error("payload {index} of the message is SIGN and is not the last")]
    SignNotLast {
        /// Index of the SIGN payload.
        index: usize,
    },
    /// The signature is not an ECCSI one.
    #[error("signature of type {found}, expected {}", SignatureType::ECCSI)]
    UnexpectedSignatureType {
        /// The type that SIGN states.
        found: SignatureType,
    },
    /// The signature is malformed or not the signer's, or signing failed.
    #[error(transparent)]
    Eccsi(#[from] eccsi::Error),
    /// The text is no `key-mgmt` attribute, nor the value of one.
    #[error("no key-mgmt attribute at octet {offset}, expected \"a=key-mgmt:mikey BASE64\" or \"mikey BASE64\"")]
    NotKeyManagement {
        /// Where the text stops being one.
        offset: usize,
    },
    /// The attribute is for a key management protocol other than MIKEY (RFC 4567 3.1).
    #[error("key management protocol at octet {offset} is not \"mikey\"")]
    UnsupportedProtocol {
        /// Where the protocol's name starts.
        offset: usize,
    },
    /// No identifier of a key management protocol, which has letters and digits and at least one (RFC 4567 3).
    #[error("no identifier of a key management protocol at octet {offset}, expected letters and digits")]
    ProtocolId {
        /// Where it stops being one.
        offset: usize,
    },
    /// The text is no `KeyMgmt` header of RTSP, nor the value of one (RFC 4567 3.2).
    #[error("no KeyMgmt header at octet {offset}, expected {expected}")]
    KeyMgmtHeader {
        /// Where the text stops being one.
        offset: usize,
        /// What the header goes on with.
        expected: &'static str,
    },
    /// The URI of a `KeyMgmt` header is empty, or has a character that a URI does not have (RFC 3986 2).
    #[error("no URI at octet {offset}")]
    Uri {
        /// Where it stops being one.
        offset: usize,
    },
    /// The message in the attribute or header is not padded, canonical base64 (RFC 4648 4).
    #[error("invalid base64 at octet {offset}")]
    InvalidBase64 {
        /// Where decoding stopped.
        offset: usize,
    },
}
