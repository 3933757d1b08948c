use super::imessage::Deviation;
use super::{KeyType, Uid};
use crate::mikey::{
    DataType, IdRole, IdScheme, IdType, NtpTime, PayloadType, PrfFunction, ProtocolType, SakkeParameters,
    SignatureType, SrtpParameter, Utc,
};
use crate::{eccsi, mikey, sakke};
use alloc::string::String;
use core::fmt;

/// The two ends of a message, in errors.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Party {
    /// Who sends: IDRi or IDRuidi, IDRkmsi.
    Initiator,
    /// Who receives: IDRr or IDRuidr, IDRkmsr.
    Recipient,
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Initiator => "initiator",
            Self::Recipient => "recipient",
        })
    }
}

/// Why the mission critical profile refuses something. None holds a secret.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // Identities, periods, identifiers
    /// A value exceeds its length field.
    #[error("{what} is too long: {len}")]
    TooLong {
        /// Which value.
        what: &'static str,
        /// Its octets, or its number of items.
        len: usize,
    },
    /// A time does not fit into five octets.
    #[error("{what} {value} is beyond 40 bits of seconds")]
    TimeTooLate {
        /// Which time.
        what: &'static str,
        /// Unix seconds.
        value: u64,
    },
    /// A key period of no length.
    #[error("a key period must have at least one second")]
    ZeroPeriod,
    /// A time for which no key period exists.
    #[error("time {} ({} s of NTP) is before the first key period", Utc::from(*.time), .time.seconds())]
    BeforeFirstPeriod {
        /// The time.
        time: NtpTime,
    },
    /// The first four bits of a key identifier name no key type (table G-1).
    #[error("purpose tag {tag} names no key type; 0 (GMK) to 6 (MuSiK) do")]
    UnknownPurposeTag {
        /// The tag.
        tag: u8,
    },
    /// Something that only a GMK has was asked of another key.
    #[error("a {key_type} has no GUK-ID, only a GMK has")]
    NotAGmk {
        /// The type of the key.
        key_type: KeyType,
    },

    // Keys
    /// The RSK is not valid for this user, period and KMS.
    #[error("decryption key (RSK): {0}")]
    RskInvalid(#[source] sakke::Error),
    /// The pair of SSK and PVT is not valid for this user, period and KMS.
    #[error("signing key (SSK, PVT): {0}")]
    SigningKeyInvalid(#[source] eccsi::Error),
    /// The KMS certificate is not yet or no longer valid.
    #[error("the certificate of KMS {kms_uri} is not valid at {} ({} s of NTP)", Utc::from(*.time), .time.seconds())]
    KmsNotValid {
        /// The KMS.
        kms_uri: String,
        /// The time of the message.
        time: NtpTime,
    },

    // Offering
    /// The time of a new message is outside the period of the key set that is to sign it.
    #[error("the key set is for period {key_set}, the time of the message falls into period {time}")]
    TimeOutsideKeySet {
        /// Period of the key set.
        key_set: u64,
        /// Period of the time.
        time: u64,
    },
    /// SAKKE could not encapsulate.
    #[error("encapsulation: {0}")]
    Encapsulation(#[source] sakke::Error),
    /// Groups were given for a key that has none.
    #[error("key parameters of a {key_type} list no groups")]
    GroupsNotAllowed {
        /// The type of the key.
        key_type: KeyType,
    },

    // Shape of a message
    /// It is not a well-formed MIKEY message.
    #[error("{0}")]
    Mikey(#[from] mikey::Error),
    /// Not a SAKKE message.
    #[error("MIKEY data type {found}: expected 26 (SAKKE)")]
    DataType {
        /// The data type.
        found: DataType,
    },
    /// A key derivation function other than PRF-HMAC-SHA-256.
    #[error("MIKEY PRF function {found}: expected 1 (PRF-HMAC-SHA-256)")]
    Prf {
        /// The function.
        found: PrfFunction,
    },
    /// A payload that belongs in the message is missing.
    #[error("the message has no {what}")]
    Missing {
        /// The payload or role.
        what: &'static str,
    },
    /// A payload that belongs in the message once is there again.
    #[error("the message has more than one {what}")]
    Repeated {
        /// The payload or role.
        what: &'static str,
    },
    /// A payload that does not belong in an I_MESSAGE.
    #[error("a payload of type {found} does not belong in an I_MESSAGE")]
    UnexpectedPayload {
        /// The payload type.
        found: PayloadType,
    },
    /// A timestamp of another kind than NTP-UTC.
    #[error("timestamp type {found}: expected 0 (NTP-UTC)")]
    TimestampType {
        /// The TS type.
        found: u8,
    },
    /// A RAND of another length than 16 octets.
    #[error("RAND has {found} octets: expected 16")]
    RandLength {
        /// Its octets.
        found: usize,
    },
    /// An identity role that the profile does not have.
    #[error("identity role {role}: expected 1 (IDRi), 2 (IDRr), 6 (IDRkmsi), 7 (IDRkmsr), 8 (IDRuidi) or 9 (IDRuidr)")]
    UnexpectedRole {
        /// The role.
        role: IdRole,
    },
    /// One identity is hidden, the other is not.
    #[error("one identity of the message is hidden and the other is not: expected roles 1 and 2, or 8 and 9")]
    MixedRoles,
    /// An identity of another type than URI.
    #[error("{role} has identity type {found}: expected 1 (URI)")]
    IdentityType {
        /// The role's name.
        role: &'static str,
        /// The ID type.
        found: IdType,
    },
    /// A hidden identity that is not a UID.
    #[error("{role} has {found} octets: a UID has 32")]
    UidLength {
        /// The role's name.
        role: &'static str,
        /// Its octets.
        found: usize,
    },
    /// An identity that should be a URI is no UTF-8 text, or is empty.
    #[error("{role} is not the text of a URI")]
    NotAUri {
        /// The role's name.
        role: &'static str,
    },
    /// A URI that has control characters, or characters that reorder or break a line.
    #[error("{role} has control characters or characters that change the direction of text")]
    UnprintableUri {
        /// The role's name.
        role: &'static str,
    },
    /// SAKKE with other parameters.
    #[error("SAKKE parameter set {found}: expected 1")]
    SakkeParameterSet {
        /// The set.
        found: SakkeParameters,
    },
    /// Another identifier scheme.
    #[error("SAKKE ID scheme {found}: expected 2 (3GPP MCX hashed UID)")]
    IdScheme {
        /// The scheme.
        found: IdScheme,
    },
    /// SAKKE encapsulated data of another length.
    #[error("SAKKE encapsulated data has {found} octets: expected 273")]
    SakkeLength {
        /// Its octets.
        found: usize,
    },
    /// A signature of another kind than ECCSI.
    #[error("signature type {found}: expected 2 (ECCSI)")]
    SignatureType {
        /// The S type.
        found: SignatureType,
    },
    /// A signature of another length.
    #[error("the signature has {found} octets: expected 129")]
    SignatureLength {
        /// Its octets.
        found: usize,
    },
    /// Crypto sessions without a map that says what they are.
    #[error("the message has {count} crypto sessions in an empty CS ID map: expected 0")]
    SessionsWithoutMap {
        /// #CS.
        count: u8,
    },
    /// A crypto session for another protocol than SRTP.
    #[error("crypto session {cs_id} has protocol type {found}: expected 0 (SRTP)")]
    CsProtocol {
        /// The CS-ID.
        cs_id: u8,
        /// The protocol type.
        found: ProtocolType,
    },
    /// A crypto session names a security policy that the message does not have.
    #[error("crypto session {cs_id} names security policy {policy_no}, which the message does not have")]
    NoSuchPolicy {
        /// The CS-ID.
        cs_id: u8,
        /// The policy number.
        policy_no: u8,
    },
    /// A crypto session that the type of the key does not have (table E.1.3-1).
    #[error("a {key_type} has no crypto session {cs_id}")]
    CsId {
        /// The CS-ID.
        cs_id: u8,
        /// The type of the key.
        key_type: KeyType,
    },
    /// A crypto session with session data, which the profile has no use for.
    #[error("crypto session {cs_id} has session data: expected none")]
    SessionData {
        /// The CS-ID.
        cs_id: u8,
    },
    /// The SPI of a crypto session is not the identifier of the key.
    #[error("the SPI of crypto session {cs_id} is not the identifier of the key")]
    Spi {
        /// The CS-ID.
        cs_id: u8,
    },
    /// A security policy for another protocol than SRTP.
    #[error("security policy {policy_no} has protocol type {found}: expected 0 (SRTP)")]
    PolicyProtocol {
        /// The policy number.
        policy_no: u8,
        /// The protocol type.
        found: ProtocolType,
    },
    /// A security policy parameter that no profile of TS 33.180 has.
    #[error("security policy {policy_no}: parameter {parameter} is not that of AEAD_AES_128_GCM as TS 33.180 uses it")]
    PolicyParameter {
        /// The policy number.
        policy_no: u8,
        /// Which parameter.
        parameter: SrtpParameter,
    },
    /// A security policy that does not choose AES-GCM leaves the cipher to MIKEY's default, which the profile is not.
    #[error("security policy {policy_no} does not choose AES-GCM (parameter 0, value 6)")]
    PolicyCipher {
        /// The policy number.
        policy_no: u8,
    },
    /// A deviation from the profile that no compatibility setting allows.
    #[error("{0}")]
    Deviation(Deviation),

    // Who, when, what for
    /// None of the receiver's key sets belongs to the recipient of the message.
    #[error("the message is not for any of these identities: its recipient is {recipient}")]
    NotForMe {
        /// The URI or UID in the message.
        recipient: String,
    },
    /// None of the key sets belongs to the initiator of a message that is read as one's own.
    #[error("the message was not sent by any of these identities: its initiator is {initiator}")]
    NotFromMe {
        /// The URI or UID in the message.
        initiator: String,
    },
    /// A message that is read as one's own went to somebody else.
    #[error("the message was not sent to {expected}: its recipient is {recipient}")]
    NotForRecipient {
        /// The URI or UID in the message.
        recipient: String,
        /// The URI of whom it should have gone to.
        expected: String,
    },
    /// The message is for the receiver, but from a key period that it has no keys for.
    #[error("no key set for period {period_no}")]
    NoKeySetForPeriod {
        /// The period by the message's time.
        period_no: u64,
    },
    /// The recipient's UID is of another key period than the message's time.
    #[error("the recipient's UID is of key period {uid}, the time of the message falls into period {time}")]
    PeriodMismatch {
        /// Period of the UID.
        uid: u64,
        /// Period of the time.
        time: u64,
    },
    /// A KMS that the receiver does not trust or know.
    #[error("the KMS of the {party} is unknown: {kms_uri}")]
    UnknownKms {
        /// Whose KMS.
        party: Party,
        /// Its URI in the message.
        kms_uri: String,
    },
    /// The message comes from someone else than expected.
    #[error("the initiator of the message (UID {uid}) is not the expected one")]
    UnexpectedInitiator {
        /// The UID of the initiator of the message.
        uid: Uid,
    },
    /// The KMS of the initiator is not that of the user who should have sent the message: the user's domain is listed by
    /// another known KMS and not by this one, or the receiver names another KMS.
    #[error("KMS {kms_uri} does not issue the keys of {user_uri}")]
    KmsNotForUser {
        /// The user.
        user_uri: String,
        /// The KMS that the message names.
        kms_uri: String,
    },
    /// The message carries a key for another purpose than expected.
    #[error("the message carries a {found}: expected a {expected}")]
    UnexpectedKeyType {
        /// By the purpose tag of the CSB-ID.
        found: KeyType,
        /// By where the message came.
        expected: KeyType,
    },
    /// The message is older than the time window.
    #[error("the message is {age} s old: at most {allowed} s are allowed")]
    TooOld {
        /// Age in seconds.
        age: u64,
        /// The window.
        allowed: u64,
    },
    /// The message is from the future.
    #[error("the message is dated {ahead} s ahead: at most {allowed} s are allowed")]
    InTheFuture {
        /// Seconds ahead of now.
        ahead: u64,
        /// The window.
        allowed: u64,
    },

    // Cryptography
    /// The octets of the signature are not a signature.
    #[error("signature: {0}")]
    SignatureMalformed(#[source] eccsi::Error),
    /// The signature does not verify for the initiator: the message was altered or comes from someone else.
    #[error("the signature is not the initiator's: {0}")]
    SignatureInvalid(#[source] eccsi::Error),
    /// The encapsulated data cannot be decapsulated: not a point, or not made for this key.
    #[error("decapsulation: {0}")]
    Decapsulation(#[source] sakke::Error),

    // Key parameters
    /// Key parameters end too early.
    #[error("the protected key parameters have {len} octets: at least 35 are expected")]
    ParametersTooShort {
        /// Their octets.
        len: usize,
    },
    /// Key parameters whose encrypted part is not as long as it says.
    #[error(
        "the encrypted part of the key parameters says {stated} octets (at least 16 are needed), {present} are there"
    )]
    ParametersPayloadLength {
        /// By the length field.
        stated: usize,
        /// In the message.
        present: usize,
    },
    /// Key parameters in clear.
    #[error("the key parameters are not encrypted: message type {message_type:#04x} lacks bit 0x40")]
    ParametersNotEncrypted {
        /// The message type.
        message_type: u8,
    },
    /// Key parameters under another cipher.
    #[error("key parameters under algorithm {found}: expected 1 (AES-128-GCM)")]
    ParametersAlgorithm {
        /// The algorithm.
        found: u8,
    },
    /// Key parameters protected by another key than that of the message.
    #[error("key parameters under DPPK-ID {found:08x}: expected the CSB-ID {expected:08x}")]
    DppkIdMismatch {
        /// In the parameters.
        found: u32,
        /// The CSB-ID.
        expected: u32,
    },
    /// The tag of the key parameters does not fit: they were altered, or are under another key.
    #[error("the key parameters do not decrypt under the key of the message")]
    ParametersTag,
    /// Decrypted key parameters that do not follow table E.6.1-1.
    #[error("key parameters, octet {offset}: expected {expected}")]
    ParametersMalformed {
        /// Octet in the clear parameters.
        offset: usize,
        /// What should be there.
        expected: &'static str,
    },
    /// A text in key parameters that is not UTF-8.
    #[error("{what} of the key parameters is not UTF-8")]
    ParametersText {
        /// Which text.
        what: &'static str,
    },
    /// A text in key parameters that has control characters, or characters that reorder or break a line.
    #[error("{what} has control characters or characters that change the direction of text")]
    ParametersUnprintable {
        /// Which text.
        what: &'static str,
    },
    /// Key parameters name a type of key that there is not (table G-1).
    #[error("the key parameters are of key type {found}; 0 (GMK) to 6 (MuSiK) are known")]
    ParametersKeyType {
        /// The type.
        found: u8,
    },
    /// Key parameters of a key that ends before it begins.
    #[error(
        "the key parameters end the key at {} ({expiry} s of Unix) and begin it at {} ({activation} s of Unix)",
        Utc::from_unix(*.expiry),
        Utc::from_unix(*.activation)
    )]
    ExpiryBeforeActivation {
        /// Unix seconds.
        expiry: u64,
        /// Unix seconds.
        activation: u64,
    },
    /// An MC group ID without a character.
    #[error("item {index} of the group list is empty: expected an MC group ID")]
    EmptyGroup {
        /// Its place in the list, from 0.
        index: usize,
    },
    /// A group list whose count does not match its length.
    #[error("the group list says {count} groups in {len} octets, which hold {read} and something else")]
    GroupList {
        /// The count.
        count: u8,
        /// Groups that could be read.
        read: u8,
        /// Octets of the list, the count included.
        len: usize,
    },
    /// An item of the group list that is not an MC group ID.
    #[error("information element {found:#04x} in the group list: expected 0x7b (MC group ID)")]
    GroupIei {
        /// The identifier.
        found: u8,
    },
    /// The key has no crypto sessions that a map could name.
    #[error("a {key_type} has no crypto sessions to map: leave the CS ID map empty")]
    NoCryptoSessions {
        /// What the key is for.
        key_type: KeyType,
    },
    /// The parameters describe a key of another type than the purpose tag.
    #[error("the key parameters are of a {found}, the purpose tag says {expected}")]
    ParametersContradictType {
        /// By the parameters.
        found: KeyType,
        /// By the purpose tag.
        expected: KeyType,
    },
    /// The key is revoked. The message that says so is authentic: stop using the key.
    #[error("key {key_id:08x} is revoked")]
    KeyRevoked {
        /// The key's identifier.
        key_id: u32,
    },
    /// The key's life is over.
    #[error("the key expired at {} ({expiry} s of Unix)", Utc::from_unix(*.expiry))]
    KeyExpired {
        /// Unix seconds.
        expiry: u64,
    },
    /// The key's life has not begun.
    #[error("the key is not active before {} ({activation} s of Unix)", Utc::from_unix(*.activation))]
    KeyNotYetActive {
        /// Unix seconds.
        activation: u64,
    },
}
