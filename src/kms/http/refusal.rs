//! Why a request is refused: the code, the HTTP status that goes with it, and a text for people.

use crate::kms::Error;
use crate::kms::auth::AuthError;
use crate::kms::limits::TooMany;
use crate::kms::store::StoreError;
use crate::kms_protocol::{self, ErrorCode, excerpt, resource};
use axum::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use std::time::Duration;

/// When to ask again, where nobody knows how long the KMS will not answer.
const OUTAGE: Duration = Duration::from_secs(10);

/// Why a request gets no keys.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) code: ErrorCode,
    /// For people: no secrets, no tokens, nothing of the server's inside. Empty where the code says all.
    pub(super) message: String,
    /// One of many of a client that is refused for their number: it is counted, and not recorded by itself.
    pub(super) is_counted: bool,
    /// When to ask again.
    retry_after: Option<Duration>,
}

impl Refusal {
    pub(super) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        let retry_after = (code == ErrorCode::Unavailable).then_some(OUTAGE);
        Self { code, message: message.into(), is_counted: false, retry_after }
    }

    /// A failure that the operator reads in the log and the client does not.
    pub(super) fn internal(error: &Error) -> Self {
        tracing::error!(%error, "a request failed");
        Self::new(ErrorCode::Internal, "")
    }

    pub(super) fn reason(&self) -> &str {
        if self.message.is_empty() { self.code.meaning() } else { &self.message }
    }

    pub(super) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub(super) fn add_headers(&self, headers: &mut HeaderMap, realm: &str) {
        if let Some(wait) = self.retry_after {
            // In whole seconds, and not before.
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs() + u64::from(wait.subsec_nanos() > 0)));
        }
        let challenge = match self.code {
            ErrorCode::Unauthenticated => format!("Bearer realm=\"{realm}\""),
            ErrorCode::InvalidToken => {
                format!("Bearer realm=\"{realm}\", error=\"invalid_token\", error_description=\"{}\"", self.message)
            }
            ErrorCode::MissingScope => format!("Bearer realm=\"{realm}\", error=\"insufficient_scope\""),
            ErrorCode::MethodNotAllowed => {
                headers.insert(ALLOW, HeaderValue::from_static("POST"));
                return;
            }
            _ => return,
        };
        if let Ok(challenge) = HeaderValue::from_str(&challenge) {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
    }
}

impl From<TooMany> for Refusal {
    fn from(TooMany { retry_after, is_first }: TooMany) -> Self {
        let refusal = Self::new(ErrorCode::TooManyRequests, "");
        Self { is_counted: !is_first, retry_after: Some(retry_after), ..refusal }
    }
}

impl From<resource::Error> for Refusal {
    fn from(error: resource::Error) -> Self {
        Self::new(ErrorCode::UnknownResource, error.to_string())
    }
}

impl From<kms_protocol::Error> for Refusal {
    fn from(error: kms_protocol::Error) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<AuthError> for Refusal {
    fn from(error: AuthError) -> Self {
        let code = match &error {
            AuthError::NoToken | AuthError::NotBearer | AuthError::UselessCertificate(_) => ErrorCode::Unauthenticated,
            AuthError::InsufficientScope => ErrorCode::MissingScope,
            AuthError::NoIdentity => ErrorCode::NotAuthorised,
            AuthError::KeysUnavailable(source) => {
                tracing::error!(error = %source, "tokens cannot be checked");
                ErrorCode::Unavailable
            }
            _ => ErrorCode::InvalidToken,
        };
        Self::new(code, error.to_string())
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match &error {
            Error::UnknownUri(uri) => Self::new(ErrorCode::UnknownUser, format!("{} is not registered", excerpt(uri))),
            Error::Revoked { uri, .. } => Self::new(ErrorCode::RevokedUser, format!("{} is revoked", excerpt(uri))),
            Error::Store(StoreError::SecretsOutdated { .. }) => {
                tracing::error!(%error, "the server must be started anew");
                Self::new(
                    ErrorCode::Unavailable,
                    "the KMS has new master secrets that this server was not started with yet",
                )
            }
            Error::Store(source) if source.is_outage() => {
                tracing::error!(%error, "the database does not work: is the disk full?");
                Self::new(ErrorCode::Unavailable, "")
            }
            _ => Self::internal(&error),
        }
    }
}
