//! `ErrorType` of the schema, and this project's table of error codes.

use crate::mc::printable;
use core::fmt;

/// An error that one side reports to the other (`ErrorType` of the schema): `KmsError` in a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsError {
    /// `ErrorCode`. TS 33.180 gives no table; a KMS of this project uses the numbers of [`ErrorCode`], others their own.
    pub code: i64,
    /// `ErrorMsg`: text for people.
    pub message: String,
}

/// `ClientError` in a request: what a client reports to its KMS. The same schema type.
pub type ClientError = KmsError;

impl KmsError {
    /// An error with a code of this project's table. `detail` says what was wrong with this request; where it is empty,
    /// the code's own meaning stands in.
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let message = if detail.is_empty() { code.meaning().to_owned() } else { detail };
        KmsError { code: code.number(), message }
    }

    /// The entry of this project's table with this number, if there is one.
    pub fn known_code(&self) -> Option<ErrorCode> {
        ErrorCode::from_number(self.code)
    }
}

impl fmt::Display for KmsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = printable(&self.message);
        match self.known_code() {
            Some(code) if code.meaning() != self.message => {
                write!(f, "{message} (code {}, {})", self.code, code.meaning())
            }
            _ => write!(f, "{message} (code {})", self.code),
        }
    }
}

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $status:literal, $meaning:literal;)+) => {
        /// Why a KMS of this project refuses a request.
        ///
        /// TS 33.180 has an integer `ErrorCode` but no table of values, so this table is the project's own: 1xxx the
        /// request itself, 2xxx who asks, 3xxx what is asked for, 5xxx the server.
        ///
        /// | number | HTTP status | meaning |
        /// |---|---|---|
        $(#[doc = concat!("| ", $number, " | ", $status, " | ", $meaning, " |")])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $($(#[$doc])* $name,)+
        }

        impl ErrorCode {
            /// Every code, by number.
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$name,)+];

            /// The number in `ErrorCode`.
            pub const fn number(self) -> i64 {
                match self { $(ErrorCode::$name => $number,)+ }
            }

            /// The HTTP status that goes with it.
            pub const fn http_status(self) -> u16 {
                match self { $(ErrorCode::$name => $status,)+ }
            }

            /// What it means, in a few words.
            pub const fn meaning(self) -> &'static str {
                match self { $(ErrorCode::$name => $meaning,)+ }
            }

            /// The code with this number.
            pub const fn from_number(number: i64) -> Option<ErrorCode> {
                match number { $($number => Some(ErrorCode::$name),)+ _ => None }
            }
        }
    };
}

error_codes! {
    /// The body is not a KmsRequest.
    MalformedDocument = 1001, 400, "the request document cannot be read";
    /// The body is over the size limit.
    TooLarge = 1002, 413, "the request is too large";
    /// The path is none of Annex D.2.1.
    UnknownResource = 1003, 404, "there is no such resource";
    /// Another method than POST.
    MethodNotAllowed = 1004, 405, "the method is not allowed";
    /// The body's media type is none that carries XML, or it is encoded.
    UnsupportedMediaType = 1005, 415, "the media type or its encoding is not supported";
    /// `Time` is too far from the KMS's clock.
    StaleRequest = 1006, 400, "the request's time is too far from the server's";
    /// `KmsUri` names another KMS.
    WrongKms = 1007, 400, "the request is for another KMS";
    /// `ClientReqUrl` is not the URL that was asked.
    WrongRequestUrl = 1008, 400, "ClientReqUrl is not the URL of the request";
    /// The request did not arrive, or was not answered, in time.
    RequestTimeout = 1009, 408, "the request took too long";
    /// The client, or the address that it comes from, asks more often than the KMS answers.
    TooManyRequests = 1010, 429, "too many requests";
    /// Both `Content-Length` and `Transfer-Encoding`: servers and proxies differ in which counts.
    TwoLengths = 1011, 400, "the request gives its length twice";
    /// HTTP/1.1 without `Host`, with several, or one that is no host (RFC 9112 3.2).
    BadHost = 1012, 400, "the request does not name one host";
    /// No bearer token or client certificate.
    Unauthenticated = 2001, 401, "authentication is missing";
    /// The bearer token is malformed, expired, or not from the trusted issuer.
    InvalidToken = 2002, 401, "the token is not valid";
    /// The token has no key management scope.
    MissingScope = 2003, 403, "the token lacks a key management scope";
    /// The identity is not one of the authenticated client's own.
    NotAuthorised = 2004, 403, "the client may not have keys for this identity";
    /// More than one `Authorization` header: which one counts would be a guess.
    SeveralAuthorizations = 2005, 400, "there is more than one Authorization header";
    /// The request must be signed, and is not.
    SignatureRequired = 2006, 403, "the request must be signed";
    /// The signature of the request does not hold, or is under a key that is not the client's.
    InvalidSignature = 2007, 403, "the signature of the request is not valid";
    /// Clients of this kind have no business with this resource.
    NotForThisKind = 2008, 403, "clients of this kind may not ask for this";
    /// Clients of this kind must show a token where this one has shown a certificate, or the other way round.
    WrongAuthentication = 2009, 403, "clients of this kind must authenticate in another way";
    /// `TrK-ID` names a key that is not the user's: the keys of the answer could not be read.
    OtherTransportKey = 2010, 403, "the TrK-ID is not that of a key of this user";
    /// The identity is not registered at this KMS.
    UnknownUser = 3001, 404, "the user is unknown";
    /// The identity is revoked.
    RevokedUser = 3002, 403, "the user is revoked";
    /// The KMS gives no keys for that key period.
    PeriodNotAvailable = 3003, 403, "the key period is not available";
    /// The security extension is required, and the user has no transport key.
    NoTransportKey = 3004, 403, "the user has no transport key";
    /// The KMS has no certificate of the KMS that is asked for.
    UnknownCertificate = 3005, 404, "there is no certificate of that KMS";
    /// No KMS is known that serves the user or domain that is looked up.
    UnknownDomain = 3006, 404, "no KMS is known for that user or domain";
    /// Something failed inside the KMS.
    Internal = 5001, 500, "internal error";
    /// The KMS cannot answer now.
    Unavailable = 5002, 503, "the service is not available";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_distinct_and_invertible() {
        for (i, &code) in ErrorCode::ALL.iter().enumerate() {
            assert_eq!(ErrorCode::from_number(code.number()), Some(code));
            assert!(ErrorCode::ALL[..i].iter().all(|other| other.number() < code.number()), "{code:?} out of order");
            assert!((400..600).contains(&code.http_status()));
        }
        assert_eq!(ErrorCode::from_number(0), None);
    }

    #[test]
    fn an_error_prints_its_message_and_its_code() {
        assert_eq!(KmsError::new(ErrorCode::UnknownUser, "").to_string(), "the user is unknown (code 3001)");
        assert_eq!(
            KmsError::new(ErrorCode::UnknownUser, "no sip:x@example.org").to_string(),
            "no sip:x@example.org (code 3001, the user is unknown)"
        );
        assert_eq!(KmsError { code: 7, message: "no".into() }.to_string(), "no (code 7)");
    }
}
