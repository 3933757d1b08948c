//! What a person can do about a KMS's refusal.

use crate::kms_protocol::ErrorCode;

/// A remedy, in the words of the command line, to follow what the KMS said; nothing for a code that is not in this project's table.
/// `retry_after` is for how many seconds the KMS wants to be left alone.
pub(super) fn remedy(code: i64, retry_after: Option<u64>) -> String {
    let wait = retry_after.map(|seconds| format!("; try again in {seconds} s"));
    let advice = ErrorCode::from_number(code).and_then(advice).map(|advice| format!("; {advice}"));
    wait.or(advice).unwrap_or_default()
}

fn advice(code: ErrorCode) -> Option<&'static str> {
    Some(match code {
        ErrorCode::StaleRequest => "set this machine's clock",
        ErrorCode::WrongKms => "check the URL (--kms), and whether --trk and --ink are of the KMS that is there",
        ErrorCode::WrongRequestUrl => "give the URL by which the KMS knows itself (--kms), or ask its operator for it",
        ErrorCode::RequestTimeout => "check the network, and try again",
        ErrorCode::TooManyRequests | ErrorCode::Unavailable => "try again later",
        ErrorCode::Unauthenticated => {
            "show an access token (--token), or a certificate that names this user and that the KMS knows (--cert, --key)"
        }
        ErrorCode::InvalidToken => {
            "get a new access token: this one has expired, or is not from the identity provider that the KMS trusts"
        }
        ErrorCode::MissingScope => {
            "get an access token whose scope includes key management, such as 3gpp:mc:ptt_key_management_service"
        }
        ErrorCode::NotAuthorised => {
            "give --user exactly as the access token or the certificate has it, or log in as that user"
        }
        ErrorCode::SignatureRequired => {
            "give both --trk and --ink, the files that the KMS's operator made for this user; if they are lost, ask for new ones \
             (kms trk new --replace)"
        }
        ErrorCode::InvalidSignature | ErrorCode::OtherTransportKey => {
            "the KMS has other keys of this user than those of --trk and --ink or of the store: ask its operator for new ones \
             (kms trk new --replace), and give both"
        }
        ErrorCode::NotForThisKind | ErrorCode::WrongAuthentication => {
            "ask the KMS's operator what clients of this kind may ask for, and whether with --token or with --cert"
        }
        ErrorCode::UnknownUser => "check --user, or ask the KMS's operator to add the user (kms user add)",
        ErrorCode::RevokedUser => "ask the KMS's operator: whoever is revoked gets no keys any more",
        ErrorCode::PeriodNotAvailable => "ask again when the period is near, or ask the KMS's operator",
        ErrorCode::NoTransportKey => {
            "ask the KMS's operator for a TrK and an InK (kms trk new), and give both with --trk and --ink"
        }
        ErrorCode::Internal => "ask the KMS's operator, whose log says more",
        ErrorCode::MalformedDocument
        | ErrorCode::TooLarge
        | ErrorCode::UnknownResource
        | ErrorCode::MethodNotAllowed
        | ErrorCode::UnsupportedMediaType
        | ErrorCode::TwoLengths
        | ErrorCode::BadHost
        | ErrorCode::SeveralAuthorizations
        | ErrorCode::UnknownCertificate
        | ErrorCode::UnknownDomain => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_that_a_person_can_mend_says_how() {
        for (code, word) in [
            (1006, "clock"),
            (1010, "later"),
            (2001, "--cert"),
            (2002, "new access token"),
            (2003, "3gpp:mc:ptt_key_management_service"),
            (2004, "--user"),
            (2006, "--trk and --ink"),
            (2007, "kms trk new --replace"),
            (3001, "kms user add"),
            (3002, "operator"),
            (3004, "kms trk new"),
        ] {
            assert!(remedy(code, None).contains(word), "{code}: {}", remedy(code, None));
        }
    }

    #[test]
    fn a_time_to_wait_goes_before_anything_else_and_unknown_codes_have_no_remedy() {
        assert_eq!(remedy(1010, Some(20)), "; try again in 20 s");
        assert_eq!(remedy(7, Some(20)), "; try again in 20 s");
        assert_eq!(remedy(7, None), "");
        assert_eq!(remedy(1001, None), "");
    }
}
