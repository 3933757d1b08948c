//! What is in an access token.

use super::{AuthError, Identities, Service};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::errors::ErrorKind;
use serde::Deserialize;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The key that a token names, good or bad: for the log alone.
pub(in crate::kms) fn claimed_key_id(authorization: &[u8]) -> Option<String> {
    TokenHeader::of(bearer_token(authorization)?).ok()?.kid
}

/// The token of an `Authorization` header of the scheme Bearer.
pub(super) fn bearer_token(authorization: &[u8]) -> Option<&str> {
    let (scheme, token) = core::str::from_utf8(authorization).ok()?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("Bearer")).then(|| token.trim_matches(' '))
}

/// What the library has against a token.
pub(super) fn refusal(kind: &ErrorKind) -> AuthError {
    match kind {
        ErrorKind::InvalidSignature => AuthError::BadSignature,
        ErrorKind::InvalidAudience => AuthError::WrongAudience,
        ErrorKind::InvalidAlgorithm => AuthError::AlgorithmMismatch,
        ErrorKind::MissingRequiredClaim(claim) => match claim.as_str() {
            "iss" => AuthError::MissingClaim("iss"),
            _ => AuthError::MissingClaim("aud"),
        },
        ErrorKind::Json(_) | ErrorKind::InvalidClaimFormat(_) => AuthError::Malformed("a claim has a wrong type"),
        _ => AuthError::Malformed("not a signed JWT"),
    }
}

/// The parts of a JOSE header that decide how the token is checked.
#[derive(Deserialize)]
pub(super) struct TokenHeader {
    pub(super) alg: String,
    pub(super) kid: Option<String>,
    pub(super) crit: Option<serde_json::Value>,
}

impl TokenHeader {
    pub(super) fn of(token: &str) -> Result<Self, AuthError> {
        let (encoded, _) = token.split_once('.').ok_or(AuthError::Malformed("it has no dots"))?;
        let json = BASE64_URL_SAFE_NO_PAD
            .decode(encoded)
            .map_err(|_| AuthError::Malformed("its header is not in base64url"))?;
        serde_json::from_slice(&json).map_err(|_| AuthError::Malformed("its header is not a JOSE header"))
    }
}

/// The end of the year 9999 in seconds since 1970: a token that is good for longer would be good for ever.
const LATEST: f64 = 253_402_300_799.0;

/// The claims that a KMS looks at.
#[derive(Deserialize)]
pub(super) struct Claims {
    iss: Option<serde_json::Value>,
    exp: Option<f64>,
    nbf: Option<f64>,
    scope: Option<Scope>,
    mcptt_id: Option<String>,
    mcvideo_id: Option<String>,
    mcdata_id: Option<String>,
}

/// A space-separated string (RFC 8693 4.2), or an array of strings as some providers write it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scope {
    Text(String),
    List(Vec<String>),
}

impl Scope {
    fn includes(&self, scope: &str) -> bool {
        match self {
            Self::Text(text) => text.split_ascii_whitespace().any(|part| part == scope),
            Self::List(list) => list.iter().any(|part| part == scope),
        }
    }
}

impl Claims {
    /// Whether it is of this issuer, and valid at the time `now`.
    pub(super) fn check(&self, issuer: &str, leeway: Duration, now: SystemTime) -> Result<(), AuthError> {
        let (now, leeway) = (unix_seconds(now), leeway.as_secs_f64());
        if self.iss.as_ref().and_then(serde_json::Value::as_str) != Some(issuer) {
            return Err(AuthError::WrongIssuer);
        }
        let expires = self.exp.ok_or(AuthError::MissingClaim("exp"))?;
        if expires > LATEST {
            return Err(AuthError::Malformed("its exp claim is beyond the year 9999"));
        }
        if expires + leeway <= now {
            return Err(AuthError::Expired);
        }
        if self.nbf.is_some_and(|not_before| not_before - leeway > now) {
            return Err(AuthError::NotYetValid);
        }
        Ok(())
    }

    /// What the token opens, and for whom.
    pub(super) fn identities(self) -> Result<Identities, AuthError> {
        let scope = self.scope.ok_or(AuthError::InsufficientScope)?;
        let mut uris: Vec<String> = Vec::new();
        let mut in_scope = false;
        for (service, uri) in Service::ALL.into_iter().zip([self.mcptt_id, self.mcvideo_id, self.mcdata_id]) {
            if scope.includes(service.scope()) {
                in_scope = true;
                uris.extend(uri.filter(|uri| !uri.is_empty() && !uris.contains(uri)));
            }
        }
        match (in_scope, uris.is_empty()) {
            (false, _) => Err(AuthError::InsufficientScope),
            (true, true) => Err(AuthError::NoIdentity),
            (true, false) => Ok(Identities { uris }),
        }
    }
}

fn unix_seconds(time: SystemTime) -> f64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_secs_f64(),
        Err(before) => -before.duration().as_secs_f64(),
    }
}
