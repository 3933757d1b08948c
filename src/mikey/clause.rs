//! Where rules of MIKEY are written down. No match here has a wildcard, so that a new error cannot be without a clause.

use super::{Error, PayloadType};

impl Error {
    /// The clause that says what was not kept; `None` for the limits of this library, which no specification has.
    pub const fn clause(&self) -> Option<&'static str> {
        Some(match self {
            Self::MessageTooLong { .. } | Self::TooManyPayloads { .. } => return None,
            Self::Truncated { .. } | Self::UnknownNumber { .. } | Self::TooLong { .. } | Self::OutOfRange { .. } => {
                "RFC 3830 6"
            }
            Self::UnsupportedVersion { .. }
            | Self::UnknownDataType { .. }
            | Self::UnknownMapType { .. }
            | Self::UnsupportedPayload { .. }
            | Self::TrailingOctets { .. } => "RFC 3830 6.1",
            Self::SubPayloadInClear { payload_type, .. } => match payload_type.clause() {
                Some(clause) => clause,
                None => "RFC 3830 6.13",
            },
            Self::UnknownTimestampType { .. } => "RFC 3830 6.6",
            Self::DuplicatePayload { payload_type, .. } | Self::MissingPayload { payload_type } => {
                match payload_type.clause() {
                    Some(clause) => clause,
                    None => "RFC 3830 3",
                }
            }
            Self::WrongLength { .. } => "RFC 3830 4.2",
            Self::SignNotLast { .. } => "RFC 3830 5.2",
            Self::UnexpectedSignatureType { .. } => "RFC 6509 4.3",
            Self::Eccsi(_) => "RFC 6507 5.2",
            Self::NotKeyManagement { .. } | Self::UnsupportedProtocol { .. } => "RFC 4567 3.1",
            Self::ProtocolId { .. } => "RFC 4567 3",
            Self::KeyMgmtHeader { .. } => "RFC 4567 3.2",
            Self::Uri { .. } => "RFC 4567 3.2, RFC 3986 2",
            Self::InvalidBase64 { .. } => "RFC 4567 3.1, RFC 4648 4",
        })
    }

    /// The octet at which the fault is; `None` for a fault that has no place, or is not in what was read.
    pub const fn offset(&self) -> Option<usize> {
        match self {
            Self::Truncated { offset, .. }
            | Self::UnsupportedVersion { offset, .. }
            | Self::UnknownDataType { offset, .. }
            | Self::UnknownMapType { offset, .. }
            | Self::UnsupportedPayload { offset, .. }
            | Self::SubPayloadInClear { offset, .. }
            | Self::UnknownNumber { offset, .. }
            | Self::UnknownTimestampType { offset, .. }
            | Self::TrailingOctets { offset, .. }
            | Self::TooManyPayloads { offset, .. }
            | Self::DuplicatePayload { offset, .. }
            | Self::NotKeyManagement { offset }
            | Self::UnsupportedProtocol { offset }
            | Self::ProtocolId { offset }
            | Self::KeyMgmtHeader { offset, .. }
            | Self::Uri { offset }
            | Self::InvalidBase64 { offset } => Some(*offset),
            Self::MessageTooLong { .. }
            | Self::MissingPayload { .. }
            | Self::TooLong { .. }
            | Self::WrongLength { .. }
            | Self::OutOfRange { .. }
            | Self::SignNotLast { .. }
            | Self::UnexpectedSignatureType { .. }
            | Self::Eccsi(_) => None,
        }
    }
}

impl PayloadType {
    /// The clause that lays a payload of this type out, or `None` for a type that this version has no name for.
    pub const fn clause(self) -> Option<&'static str> {
        Some(match self {
            Self::LAST => "RFC 3830 6.1",
            Self::KEMAC => "RFC 3830 6.2",
            Self::PKE => "RFC 3830 6.3",
            Self::DH => "RFC 3830 6.4",
            Self::SIGN => "RFC 3830 6.5",
            Self::T => "RFC 3830 6.6",
            Self::ID | Self::CERT => "RFC 3830 6.7",
            Self::CHASH => "RFC 3830 6.8",
            Self::V => "RFC 3830 6.9",
            Self::SP => "RFC 3830 6.10",
            Self::RAND => "RFC 3830 6.11",
            Self::ERR => "RFC 3830 6.12",
            Self::TR => "RFC 6043 6.4",
            Self::IDR => "RFC 6043 6.6",
            Self::RANDR => "RFC 6043 6.8",
            Self::TP | Self::TICKET => "RFC 6043 6.10",
            Self::KEY_DATA => "RFC 3830 6.13",
            Self::GENERAL_EXTENSION => "RFC 3830 6.15",
            Self::IBAKE => "RFC 6267 6.1.1",
            Self::ESK => "RFC 6267 6.1.2",
            Self::SK => "RFC 6267 6.1.5",
            Self::ECCPT => "RFC 6267 6.1.4",
            Self::SAKKE => "RFC 6509 4.2",
            // A number and not a list: every other one.
            Self(_) => return None,
        })
    }
}
