//! What a client tells its KMS of an answer that it cannot use: the `ClientError` of a request (TS 33.180 Annex D).

use super::Error;
use crate::kms_protocol::ClientError;
use crate::mc::printable;

/// The answer is none, or not to what was asked.
const ANSWER: i64 = 1;
/// The answer is not protected as it should be, or under keys that are not here.
const PROTECTION: i64 = 2;
/// The KMS certificate cannot be used.
const CERTIFICATE: i64 = 3;
/// The keys cannot be used.
const KEYS: i64 = 4;

/// What to tell the KMS; nothing of what it refused, of the way to it, or of what is wrong here.
pub(super) fn complaint(error: &Error) -> Option<ClientError> {
    let code = match error {
        Error::Response { .. }
        | Error::OtherUser { .. }
        | Error::OtherKms { .. }
        | Error::OtherRequest { .. }
        | Error::ResponseTime { .. }
        | Error::OldAnswer { .. } => ANSWER,
        Error::TransportKeyNeeded { .. } | Error::IntegrityKeyNeeded { .. } | Error::SignatureMissing { .. } => {
            PROTECTION
        }
        Error::CertificateRevoked { .. }
        | Error::CertificateDates { .. }
        | Error::CertificateUnsupported { .. }
        | Error::CertificateKey { .. }
        | Error::CertificateMissing { .. }
        | Error::KmsKeysChanged { .. }
        | Error::KmsConventionChanged { .. }
        | Error::DomainTaken { .. } => CERTIFICATE,
        Error::NoKeySets
        | Error::KeySetRevoked { .. }
        | Error::KeySetDates { .. }
        | Error::KeysOfOtherUsers { .. }
        | Error::KeySetTwice { .. }
        | Error::KeyMalformed { .. }
        | Error::KeysInvalid { .. }
        | Error::KeysOfOtherIdentity { .. }
        | Error::UserIdWrong { .. }
        | Error::MixedConventions { .. } => KEYS,
        _ => return None,
    };
    Some(ClientError { code, message: printable(&error.to_string()) })
}
