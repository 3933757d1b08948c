use core::fmt;

use crate::mikey::{
    self, DataType, EncryptionAlgorithm, ErrorNumber, KeyDataType, MacAlgorithm, PayloadType, PrfFunction, ProtocolType,
};

/// One end of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Party {
    /// Who sends the I_MESSAGE.
    Initiator,
    /// Who receives it.
    Responder,
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Initiator => "initiator",
            Self::Responder => "responder",
        })
    }
}

/// Why a message of an exchange is refused, or cannot be made.
///
/// No variant holds anything secret. What an error message says of one is its [`number`](Self::number).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The message is malformed, or cannot be written.
    #[error(transparent)]
    Mikey(#[from] mikey::Error),
    /// The message is of another kind (RFC 3830 6.1).
    #[error("data type {found}, expected {expected}")]
    DataType {
        /// The kind in the header.
        found: DataType,
        /// The kind that is read here.
        expected: DataType,
    },
    /// A payload that the exchange does not have (RFC 3830 3.1, 5.1.2).
    #[error("a payload of type {found} has no place in this message")]
    UnexpectedPayload {
        /// Its type.
        found: PayloadType,
    },
    /// Something that the message must have is not there.
    #[error("the message has no {what}")]
    Missing {
        /// What it is, in words of the specification.
        what: &'static str,
    },
    /// Something that the message may have once is there again.
    #[error("the message has more than one {what}")]
    Repeated {
        /// What it is, in words of the specification.
        what: &'static str,
    },
    /// A payload stands behind the one with the MAC, which must be the last (RFC 3830 5.2, 6.2).
    #[error("{payload_type} is not the last payload")]
    NotLast {
        /// KEMAC or V.
        payload_type: PayloadType,
    },
    /// RAND has fewer octets than [`MIN_RAND_LEN`](super::MIN_RAND_LEN) (RFC 3830 6.11).
    #[error("RAND has {found} octets, expected at least {}", super::MIN_RAND_LEN)]
    RandLength {
        /// Its octets.
        found: usize,
    },
    /// T is a counter, which no clock can judge (RFC 3830 6.6).
    #[error("timestamp of type {found}, expected 0 (NTP-UTC), 1 (NTP) or 3 (NTP-UTC-32)")]
    TimestampType {
        /// The TS type.
        found: u8,
    },
    /// T lies further back than the allowed clock skew (RFC 3830 5.3).
    #[error("the message is {age} s old, at most {allowed} s are allowed")]
    TooOld {
        /// Seconds between T and now.
        age: u64,
        /// [`Settings::clock_skew`](super::Settings::clock_skew).
        allowed: u64,
    },
    /// T lies further ahead than the allowed clock skew (RFC 3830 5.3).
    #[error("the message is dated {ahead} s ahead, at most {allowed} s are allowed")]
    InTheFuture {
        /// Seconds between now and T.
        ahead: u64,
        /// [`Settings::clock_skew`](super::Settings::clock_skew).
        allowed: u64,
    },
    /// The message was accepted before (RFC 3830 5.4).
    #[error("this message was accepted before")]
    Replayed,
    /// The message is as old as what the replay cache had to drop (RFC 3830 5.4).
    #[error("the message is too old to be told from a replay")]
    Forgotten,
    /// The message names another party than the one that it must be from or for.
    #[error("the message names another {party}")]
    Identity {
        /// Which end.
        party: Party,
    },
    /// Only the responder is to be named: a reader would take it for the initiator, which comes first (RFC 3830 3.1).
    #[error("the message cannot name the responder without the initiator")]
    ResponderAlone,
    /// The PRF is in no registry (RFC 3830 6.1, RFC 6043 6.1).
    #[error("PRF function {found}, expected 0 (MIKEY-1) or 1 (PRF-HMAC-SHA-256)")]
    Prf {
        /// PRF func of the header.
        found: PrfFunction,
    },
    /// The encryption algorithm is in no registry (RFC 3830 6.2, RFC 6043 6.2).
    #[error("encryption algorithm {found}, expected AES-CM-128, AES-KW-128, AES-CM-256 or NULL")]
    Encryption {
        /// Encr alg of KEMAC.
        found: EncryptionAlgorithm,
    },
    /// The keys are not encrypted, and nothing says that the transport protects them (RFC 3830 4.2.3).
    #[error("the keys are in clear, which Settings::keys_in_clear does not allow")]
    KeysInClear,
    /// There is no MAC, although there is a pre-shared key or the keys are encrypted (RFC 3830 4.2.3, 4.2.4).
    #[error("the message has the NULL MAC")]
    NullMac,
    /// The MAC algorithm is another than that of the I_MESSAGE.
    #[error("MAC algorithm {found}, expected {expected}")]
    MacAlgorithm {
        /// The algorithm of the answer.
        found: MacAlgorithm,
        /// That of the I_MESSAGE.
        expected: MacAlgorithm,
    },
    /// Encryption and MAC need a pre-shared key, and none is given.
    #[error("the message is protected by a pre-shared key, and there is none")]
    NoPreSharedKey,
    /// A pre-shared key of no octets.
    #[error("the pre-shared key is empty")]
    EmptyPreSharedKey,
    /// The MAC is not that of this message under this pre-shared key between these parties.
    #[error("the message is not authentic")]
    Authentication,
    /// AES key wrap takes multiples of 8 octets, 16 at least, 8 more once wrapped (RFC 3394 2.2).
    #[error("AES key wrap cannot have {found} octets")]
    KeyWrapLength {
        /// Octets to wrap or to unwrap.
        found: usize,
    },
    /// The integrity check of AES key wrap failed (RFC 3394 2.2.3).
    #[error("the wrapped keys are not intact")]
    KeyWrap,
    /// A key that this exchange does not carry (RFC 3830 6.13).
    #[error("key of type {found}, expected TGK or TEK, with or without SALT")]
    KeyType {
        /// Type of Key data.
        found: KeyDataType,
    },
    /// A policy number that two SPs have (RFC 3830 6.10).
    #[error("two security policies have the number {policy_no}")]
    RepeatedPolicy {
        /// The number.
        policy_no: u8,
    },
    /// The map of the header refers to a policy that the message does not have (RFC 3830 6.1.1).
    #[error("crypto session {cs_id} refers to security policy {policy_no}, which the message does not have")]
    NoSuchPolicy {
        /// The crypto session.
        cs_id: u8,
        /// The number.
        policy_no: u8,
    },
    /// A policy of the map is for another security protocol than the session (RFC 6043 6.1.1).
    #[error(
        "crypto session {cs_id} refers to security policy {policy_no} for security protocol {found}, expected {expected}"
    )]
    PolicyProtocol {
        /// The crypto session.
        cs_id: u8,
        /// The number.
        policy_no: u8,
        /// Protocol of the policy.
        found: ProtocolType,
        /// Protocol of the session.
        expected: ProtocolType,
    },
    /// An answer does not name the one policy of a session (RFC 6043 6.1.1: "#P SHALL always be exactly 1").
    #[error("the answer has {found} security policies for crypto session {cs_id}, expected 1")]
    PolicyCount {
        /// The crypto session.
        cs_id: u8,
        /// #P.
        found: usize,
    },
    /// Two entries of the map have this CS ID (RFC 6043 6.1.1).
    #[error("crypto session {cs_id} is there twice")]
    RepeatedSession {
        /// The CS ID.
        cs_id: u8,
    },
    /// Session data of an SRTP session are not an SSRC, or with the S flag SSRC, ROC and SEQ; an answer must have them
    /// (RFC 6043 6.1.1).
    #[error("crypto session {cs_id} has {found} octets of session data, expected {expected}")]
    SessionDataLength {
        /// The crypto session.
        cs_id: u8,
        /// Octets that are there.
        found: usize,
        /// 4, or 10 with the S flag.
        expected: usize,
    },
    /// An answer names no key for a session (RFC 6043 6.1.1).
    #[error("the answer has no SPI for crypto session {cs_id}")]
    NoSpi {
        /// The crypto session.
        cs_id: u8,
    },
    /// No key of the message has the SPI of the map (RFC 6043 6.1.1).
    #[error("crypto session {cs_id} has an SPI that no key has")]
    NoSuchKey {
        /// The crypto session.
        cs_id: u8,
    },
    /// Two sessions under one SRTP master key have the same SSRC, and with it one key stream (RFC 3830 6.1.1, RFC 3711 9.1).
    #[error("two crypto sessions under one TEK have the SSRC {ssrc:#010x}")]
    RepeatedSsrc {
        /// The SSRC.
        ssrc: u32,
    },
    /// The message does not name the initiator that is expected ([`Settings::unnamed_initiator`](super::Settings)).
    #[error("the message names no initiator, and one is expected")]
    UnnamedInitiator,
    /// The SDP IDs of the message are not those of the description that brought it: someone may have deleted a stronger offer
    /// (RFC 4567 4.1.4, 7).
    #[error("the message lists other key management protocols than its SDP description")]
    SdpIds,
    /// The map of the header has no such crypto session.
    #[error("the bundle has no crypto session {cs_id}")]
    NoSuchSession {
        /// The CS-ID that was asked for.
        cs_id: u8,
    },
    /// The crypto session is not one of SRTP.
    #[error("crypto session {cs_id} is for security protocol {found}, expected {}", ProtocolType::SRTP)]
    Protocol {
        /// The crypto session.
        cs_id: u8,
        /// Its protocol.
        found: ProtocolType,
    },
    /// A TEK, which is the SRTP master key itself, is not as long as the policy says (RFC 3830 6.10.1).
    #[error("TEK of {found} octets, expected {expected}")]
    TekLength {
        /// Its octets.
        found: usize,
        /// Octets of the SRTP master key.
        expected: usize,
    },
    /// A salt, which is the SRTP master salt itself, is not as long as the policy says (RFC 3830 6.13).
    #[error("salt of {found} octets, expected {expected}")]
    SaltLength {
        /// Its octets.
        found: usize,
        /// Octets of the SRTP master salt.
        expected: usize,
    },
    /// The message answers another I_MESSAGE (RFC 3830 5.2, 6.1).
    #[error("the message answers another one: its {field} differs")]
    OtherExchange {
        /// The field.
        field: &'static str,
    },
    /// A verification message was not asked for, or there is no MAC to make one with (RFC 3830 3.1).
    #[error("no verification message is expected")]
    NoVerification,
    /// The answer changes what the initiator had chosen (RFC 3830 6.1.1, RFC 6043 6.1.1).
    #[error("the map of crypto sessions differs from that of the I_MESSAGE in entry {entry}")]
    SessionsChanged {
        /// The entry, counted from 1, or the first that one map has and the other has not.
        entry: usize,
    },
    /// The message is an error message, which no error message answers (RFC 6043 5.4).
    #[error("an error message is not answered by another")]
    ErrorAnswered,
}

impl Error {
    /// What a responder may tell the initiator of this refusal (RFC 3830 6.12, RFC 6509 2.2.2), or `None` where nothing
    /// is told: replays, which are discarded (RFC 3830 5.3), and what concerns answers.
    pub const fn number(&self) -> Option<ErrorNumber> {
        Some(match self {
            Self::Authentication => ErrorNumber::AUTH_FAILURE,
            Self::TimestampType { .. } | Self::TooOld { .. } | Self::InTheFuture { .. } => ErrorNumber::INVALID_TS,
            Self::Prf { .. } => ErrorNumber::INVALID_PRF,
            Self::NullMac => ErrorNumber::INVALID_MAC,
            Self::Encryption { .. } | Self::KeysInClear => ErrorNumber::INVALID_EA,
            Self::Identity { .. } | Self::UnnamedInitiator => ErrorNumber::INVALID_ID,
            Self::RepeatedPolicy { .. }
            | Self::NoSuchPolicy { .. }
            | Self::PolicyProtocol { .. }
            | Self::Protocol { .. } => ErrorNumber::INVALID_SP,
            Self::TekLength { .. } | Self::SaltLength { .. } => ErrorNumber::INVALID_SP_PARAMETERS,
            Self::DataType { .. } => ErrorNumber::INVALID_DATA_TYPE,
            Self::Replayed
            | Self::Forgotten
            | Self::OtherExchange { .. }
            | Self::SessionsChanged { .. }
            | Self::PolicyCount { .. }
            | Self::NoSpi { .. }
            | Self::MacAlgorithm { .. }
            | Self::NoVerification
            | Self::ErrorAnswered
            | Self::NoSuchSession { .. }
            | Self::EmptyPreSharedKey
            | Self::ResponderAlone => return None,
            Self::Mikey(_)
            | Self::UnexpectedPayload { .. }
            | Self::Missing { .. }
            | Self::Repeated { .. }
            | Self::NotLast { .. }
            | Self::RandLength { .. }
            | Self::NoPreSharedKey
            | Self::KeyWrapLength { .. }
            | Self::KeyWrap
            | Self::KeyType { .. }
            | Self::RepeatedSession { .. }
            | Self::SessionDataLength { .. }
            | Self::NoSuchKey { .. }
            | Self::RepeatedSsrc { .. }
            | Self::SdpIds => ErrorNumber::UNSPECIFIED,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_the_number_of_the_registry() {
        let found = DataType::Sakke;
        for (error, number) in [
            (Error::Authentication, Some(ErrorNumber::AUTH_FAILURE)),
            (Error::TooOld { age: 2, allowed: 1 }, Some(ErrorNumber::INVALID_TS)),
            (Error::Prf { found: PrfFunction(9) }, Some(ErrorNumber::INVALID_PRF)),
            (Error::NullMac, Some(ErrorNumber::INVALID_MAC)),
            (Error::KeysInClear, Some(ErrorNumber::INVALID_EA)),
            (Error::Identity { party: Party::Initiator }, Some(ErrorNumber::INVALID_ID)),
            (Error::RepeatedPolicy { policy_no: 1 }, Some(ErrorNumber::INVALID_SP)),
            (Error::TekLength { found: 1, expected: 16 }, Some(ErrorNumber::INVALID_SP_PARAMETERS)),
            (Error::DataType { found, expected: DataType::PreShared }, Some(ErrorNumber::INVALID_DATA_TYPE)),
            (Error::KeyWrap, Some(ErrorNumber::UNSPECIFIED)),
            (Error::NoSuchKey { cs_id: 1 }, Some(ErrorNumber::UNSPECIFIED)),
            (Error::PolicyCount { cs_id: 1, found: 2 }, None),
            (Error::Replayed, None),
            (Error::ErrorAnswered, None),
        ] {
            assert_eq!(error.number(), number, "{error}");
        }
    }
}
