//! Where the rules of the profile are written down. No match here has a wildcard, so that a new error cannot be without a
//! clause.

use super::Error;
use super::imessage::Deviation;

const I_MESSAGE: &str = "TS 33.180 E.1.2";
const SESSIONS: &str = "TS 33.180 E.1.3";
const PROFILES: &str = "TS 33.180 E.2, E.3";
const KEY_PARAMETERS: &str = "TS 33.180 E.6.1";
const IDENTITIES: &str = "TS 33.180 E.7";
const PROTECTED_PAYLOAD: &str = "TS 33.180 8.5.4";
const RECEPTION: &str = "TS 33.180 5.2.2";
const KEY_PERIODS: &str = "TS 33.180 F.2.1";
const CERTIFICATE: &str = "TS 33.180 D.3.2.2";
const COMPONENTS: &str = "RFC 6509 2.2.1";
const SAKKE: &str = "RFC 6509 4.2";
const REPLAY: &str = "RFC 3830 5.4";

impl Error {
    /// The clause that says what was not kept; `None` where [`mikey::Error::clause`](crate::mikey::Error::clause) is.
    ///
    /// Where the profile of TS 33.180 is stricter than the RFC below it, the clause is that of the profile.
    pub const fn clause(&self) -> Option<&'static str> {
        Some(match self {
            Self::Mikey(error) => return error.clause(),
            Self::Deviation(deviation) => deviation.clause(),

            Self::TooLong { .. } | Self::TimeTooLate { .. } | Self::GroupsNotAllowed { .. } => KEY_PARAMETERS,
            Self::ZeroPeriod | Self::BeforeFirstPeriod { .. } | Self::UidLength { .. } => KEY_PERIODS,
            Self::TimeOutsideKeySet { .. } | Self::NoKeySetForPeriod { .. } | Self::PeriodMismatch { .. } => {
                KEY_PERIODS
            }
            Self::UnknownPurposeTag { .. } | Self::UnexpectedKeyType { .. } => "TS 33.180 Annex G",
            Self::NotAGmk { .. } => "TS 33.180 5.2.3",
            Self::RskInvalid(_) => "RFC 6508 6.1.2",
            Self::SigningKeyInvalid(_) => "RFC 6507 5.1.2",
            Self::Encapsulation(_) => "RFC 6508 6.2.1",
            Self::KmsNotValid { .. } => CERTIFICATE,

            Self::DataType { .. } => "RFC 6509 4.1",
            Self::Missing { what } => match what.as_bytes() {
                b"T" | b"RAND" | b"SAKKE" | b"signature" => COMPONENTS,
                _ => I_MESSAGE,
            },
            // Types 0 and 1 are left by RFC 6509, of which the profile has the first alone.
            Self::TimestampType { found } => {
                if *found == 1 {
                    I_MESSAGE
                } else {
                    COMPONENTS
                }
            }
            // RFC 3830 recommends 16 octets at least; the profile has no other number.
            Self::RandLength { .. }
            | Self::Prf { .. }
            | Self::Repeated { .. }
            | Self::UnexpectedRole { .. }
            | Self::IdentityType { .. }
            | Self::NotAUri { .. }
            | Self::UnprintableUri { .. }
            | Self::IdScheme { .. }
            | Self::SignatureType { .. } => I_MESSAGE,
            Self::UnexpectedPayload { .. } => COMPONENTS,
            Self::MixedRoles => IDENTITIES,
            Self::SakkeParameterSet { .. } | Self::SakkeLength { .. } => SAKKE,
            Self::SignatureLength { .. } => "RFC 6509 4.3",
            Self::SessionsWithoutMap { .. }
            | Self::CsProtocol { .. }
            | Self::CsId { .. }
            | Self::NoCryptoSessions { .. }
            | Self::SessionData { .. }
            | Self::Spi { .. } => SESSIONS,
            Self::NoSuchPolicy { .. } => "RFC 6043 6.1.1",
            Self::PolicyProtocol { .. } | Self::PolicyParameter { .. } | Self::PolicyCipher { .. } => PROFILES,

            Self::NotForMe { .. }
            | Self::NotForRecipient { .. }
            | Self::UnknownKms { .. }
            | Self::UnexpectedInitiator { .. }
            | Self::KmsNotForUser { .. } => RECEPTION,
            Self::NotFromMe { .. } => "TS 33.180 E.5",
            Self::TooOld { .. } | Self::InTheFuture { .. } => REPLAY,
            Self::SignatureMalformed(_) | Self::SignatureInvalid(_) => "TS 33.180 5.2.2, RFC 6507 5.2.2",
            Self::Decapsulation(_) => "RFC 6508 6.2.2",

            Self::ParametersTooShort { .. }
            | Self::ParametersPayloadLength { .. }
            | Self::ParametersNotEncrypted { .. }
            | Self::ParametersAlgorithm { .. }
            | Self::ParametersTag => PROTECTED_PAYLOAD,
            Self::DppkIdMismatch { .. }
            | Self::ParametersMalformed { .. }
            | Self::ParametersText { .. }
            | Self::ParametersUnprintable { .. }
            | Self::ParametersKeyType { .. }
            | Self::ParametersContradictType { .. }
            | Self::ExpiryBeforeActivation { .. }
            | Self::EmptyGroup { .. }
            | Self::GroupList { .. }
            | Self::GroupIei { .. }
            | Self::KeyRevoked { .. }
            | Self::KeyExpired { .. }
            | Self::KeyNotYetActive { .. } => KEY_PARAMETERS,
        })
    }
}

impl Deviation {
    /// The clause that says what was not kept.
    pub const fn clause(self) -> &'static str {
        match self {
            Self::VFlag => COMPONENTS,
            Self::PrfZero | Self::KmsUriTrailingNul(_) => I_MESSAGE,
            Self::SrtpIdMap => SESSIONS,
            Self::UidInPlainRole(_) => IDENTITIES,
            Self::ShortEncapsulation => "RFC 6508 4",
            Self::ClearKeyParameters => KEY_PARAMETERS,
        }
    }
}
