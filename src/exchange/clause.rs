//! Where the rules of an exchange are written down. The match has no wildcard, so that a new error cannot be without a clause.

use super::Error;

const METHOD: &str = "RFC 3830 3.1";
const TRANSFORMS: &str = "RFC 3830 4.2.3";
const PARSING: &str = "RFC 3830 5.3";
const REPLAY: &str = "RFC 3830 5.4";
const VERIFICATION: &str = "RFC 3830 5.2";
const SRTP_ID: &str = "RFC 3830 6.1.1";
const POLICY: &str = "RFC 3830 6.10";
const KEY_DATA: &str = "RFC 3830 6.13";
const GENERIC_ID: &str = "RFC 6043 6.1.1";
const KEY_WRAP: &str = "RFC 3830 4.2.3, RFC 3394 2.2";

impl Error {
    /// The clause that says what was not kept; `None` where [`mikey::Error::clause`](crate::mikey::Error::clause) is, and for
    /// a session of one's own bundle that was asked for and is not there.
    pub const fn clause(&self) -> Option<&'static str> {
        Some(match self {
            Self::Mikey(error) => return error.clause(),
            Self::NoSuchSession { .. } => return None,
            Self::DataType { .. } => "RFC 3830 6.1",
            Self::UnexpectedPayload { .. }
            | Self::Missing { .. }
            | Self::Repeated { .. }
            | Self::ResponderAlone
            | Self::UnnamedInitiator
            | Self::NoPreSharedKey
            | Self::EmptyPreSharedKey
            | Self::NoVerification => METHOD,
            Self::NotLast { .. } | Self::OtherExchange { .. } => VERIFICATION,
            Self::RandLength { .. } => "RFC 3830 6.11",
            Self::TimestampType { .. } => "RFC 3830 6.6",
            Self::TooOld { .. } | Self::InTheFuture { .. } | Self::Identity { .. } | Self::Authentication => PARSING,
            Self::Replayed | Self::Forgotten => REPLAY,
            Self::Prf { .. } => "RFC 3830 6.1, RFC 6043 6.1",
            Self::Encryption { .. } => "RFC 3830 6.2, RFC 6043 6.2",
            Self::KeysInClear => TRANSFORMS,
            Self::NullMac | Self::MacAlgorithm { .. } => "RFC 3830 4.2.4",
            Self::KeyWrapLength { .. } | Self::KeyWrap => KEY_WRAP,
            Self::KeyType { .. } | Self::TekLength { .. } | Self::SaltLength { .. } => KEY_DATA,
            Self::RepeatedPolicy { .. } => POLICY,
            Self::NoSuchPolicy { .. } | Self::Protocol { .. } => SRTP_ID,
            Self::RepeatedSsrc { .. } => "RFC 3830 6.1.1, RFC 3711 9.1",
            Self::PolicyProtocol { .. }
            | Self::PolicyCount { .. }
            | Self::RepeatedSession { .. }
            | Self::SessionDataLength { .. }
            | Self::NoSpi { .. }
            | Self::NoSuchKey { .. } => GENERIC_ID,
            Self::SessionsChanged { .. } => "RFC 3830 6.1.1, RFC 6043 6.1.1",
            Self::SdpIds => "RFC 4567 4.1.4, 7",
            Self::ErrorAnswered => "RFC 6043 5.4",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mikey;

    #[test]
    fn a_clause_says_what_was_not_kept() {
        let long = mikey::Error::MessageTooLong { found: 65536, limit: 65535 };
        for (error, clause) in [
            (Error::Replayed, Some("RFC 3830 5.4")),
            (Error::Missing { what: "KEMAC" }, Some("RFC 3830 3.1")),
            (Error::NoSuchKey { cs_id: 1 }, Some("RFC 6043 6.1.1")),
            (mikey::Error::UnsupportedVersion { offset: 0, found: 2 }.into(), Some("RFC 3830 6.1")),
            (Error::NoSuchSession { cs_id: 1 }, None),
            (long.into(), None),
        ] {
            assert_eq!(error.clause(), clause, "{error}");
        }
    }
}
