//! Where a rule is written down.
use mikey_sakke::mc::Error;
use mikey_sakke::mc::imessage::Deviation;
use mikey_sakke::{capture, mikey};

const I_MESSAGE: &str = "TS 33.180 E.1.2";
const IDENTITIES: &str = "TS 33.180 E.7";
const PROFILES: &str = "TS 33.180 E.2, E.3";
const SESSIONS: &str = "TS 33.180 E.1.3";
const KEY_PARAMETERS: &str = "TS 33.180 E.6.1";
const PROTECTED_PAYLOAD: &str = "TS 33.180 8.5.4";
const RECEPTION: &str = "TS 33.180 5.2.2";
const HEADER: &str = "RFC 3830 6.1";
const TIMESTAMP: &str = "RFC 3830 6.6";
const GENERIC_ID: &str = "RFC 6043 6.1.1";
const SAKKE: &str = "RFC 6509 4.2";
const SIGN: &str = "RFC 6509 4.3";

pub const ORDER: &str = I_MESSAGE;
pub const POLICY_SET: &str = PROFILES;
pub const SESSION_MAP: &str = SESSIONS;
pub const STATUS: &str = KEY_PARAMETERS;
pub const PAYLOAD_NUMBERS: &str = KEY_PARAMETERS;

/// The clause that a deviation is from.
pub const fn of_deviation(deviation: Deviation) -> &'static str {
    match deviation {
        Deviation::VFlag | Deviation::PrfZero | Deviation::KmsUriTrailingNul(_) => I_MESSAGE,
        Deviation::SrtpIdMap => SESSIONS,
        Deviation::UidInPlainRole(_) => IDENTITIES,
        Deviation::ShortEncapsulation => "RFC 6508 4",
        Deviation::ClearKeyParameters => KEY_PARAMETERS,
    }
}

/// The clause of a remark about the text of a message.
pub const fn of_remark(remark: capture::Remark) -> &'static str {
    match remark {
        capture::Remark::Unpadded => "RFC 4567 3.1, RFC 4648 3.2",
        capture::Remark::TrailingBits => "RFC 4567 3.1, RFC 4648 3.5",
        capture::Remark::UndeclaredBase64 => "RFC 2045 6.1",
    }
}

/// The clause that a refusal follows; none where it is a limit of this program.
pub fn of_error(error: &Error) -> Option<&'static str> {
    Some(match error {
        Error::Mikey(error) => return of_syntax(error),
        Error::DataType { .. } => "RFC 6509 4.1",
        Error::Prf { .. }
        | Error::Missing { .. }
        | Error::Repeated { .. }
        | Error::UnexpectedPayload { .. }
        | Error::IdentityType { .. }
        | Error::NotAUri { .. }
        | Error::UnprintableUri { .. } => I_MESSAGE,
        Error::TimestampType { .. } => TIMESTAMP,
        Error::RandLength { .. } => "RFC 3830 6.11",
        Error::UnexpectedRole { .. } => "RFC 6043 6.6",
        Error::MixedRoles => IDENTITIES,
        Error::UidLength { .. } => "TS 33.180 F.2.1",
        Error::SakkeParameterSet { .. } | Error::IdScheme { .. } | Error::SakkeLength { .. } => SAKKE,
        Error::SignatureType { .. } | Error::SignatureLength { .. } => SIGN,
        Error::SessionsWithoutMap { .. } => HEADER,
        Error::CsProtocol { .. } | Error::CsId { .. } | Error::SessionData { .. } => SESSIONS,
        Error::NoSuchPolicy { .. } | Error::Spi { .. } => GENERIC_ID,
        Error::PolicyProtocol { .. } => "RFC 3830 6.10",
        Error::PolicyParameter { .. } | Error::PolicyCipher { .. } => PROFILES,
        Error::UnknownPurposeTag { .. } => "TS 33.180 Annex G",
        Error::Deviation(deviation) => of_deviation(*deviation),
        Error::TooOld { .. } | Error::InTheFuture { .. } => "RFC 3830 5.4",
        Error::KmsNotValid { .. } => "TS 33.180 D.3.2.2",
        Error::SignatureMalformed(_) | Error::SignatureInvalid(_) => "TS 33.180 5.2.2, RFC 6507 5.2.2",
        Error::Decapsulation(_) => "RFC 6508 6.2.2",
        Error::ParametersTooShort { .. }
        | Error::ParametersPayloadLength { .. }
        | Error::ParametersNotEncrypted { .. }
        | Error::ParametersAlgorithm { .. }
        | Error::ParametersTag => PROTECTED_PAYLOAD,
        Error::DppkIdMismatch { .. }
        | Error::ParametersMalformed { .. }
        | Error::ParametersText { .. }
        | Error::ParametersUnprintable { .. }
        | Error::ParametersKeyType { .. }
        | Error::ParametersContradictType { .. }
        | Error::ExpiryBeforeActivation { .. }
        | Error::EmptyGroup { .. }
        | Error::GroupList { .. }
        | Error::GroupIei { .. }
        | Error::KeyRevoked { .. }
        | Error::KeyExpired { .. }
        | Error::KeyNotYetActive { .. } => KEY_PARAMETERS,
        _ => RECEPTION,
    })
}

/// The same for the syntax of MIKEY.
pub fn of_syntax(error: &mikey::Error) -> Option<&'static str> {
    use mikey::Error as E;
    Some(match error {
        E::Truncated { .. } => "RFC 3830 6",
        E::UnsupportedVersion { .. }
        | E::UnknownDataType { .. }
        | E::UnknownMapType { .. }
        | E::UnsupportedPayload { .. }
        | E::TrailingOctets { .. } => HEADER,
        E::UnknownTimestampType { .. } => TIMESTAMP,
        E::DuplicatePayload { .. } | E::MissingPayload { .. } => I_MESSAGE,
        _ => return None,
    })
}
