//! The request document: what it must say of the request that it came in.

use super::asker::Asker;
use super::exchange::{Exchange, Found};
use super::refusal::Refusal;
use super::{App, body};
use crate::kms::calendar;
use crate::kms::config::Policy;
use crate::kms::protection::KeyBook;
use crate::kms_protocol::resource::{self, PathRules, UrlMatch, compare_request_url};
use crate::kms_protocol::{ErrorCode, KmsRequest, Limits, SignatureStatus, excerpt};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use std::time::Duration;

impl App {
    /// How paths are read.
    pub(super) fn path_rules(&self) -> PathRules<'_> {
        let leniency = &self.state.config.leniency;
        PathRules {
            unescaped_uris: leniency.unescaped_uris,
            lower_case_times: leniency.lower_case_times,
            lookup: self.state.config.lookup.as_deref(),
        }
    }

    /// The document, if there is one; whom it names and who signed it is noted.
    pub(super) fn read_document(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        (policy, book): (Policy, &KeyBook),
        found: &mut Found,
    ) -> Result<Option<KmsRequest>, Refusal> {
        let limits = Limits::with_max_bytes(self.state.config.server.max_body);
        let leniency = &self.state.config.leniency;
        if body.iter().any(|octet| !octet.is_ascii_whitespace()) {
            if let Some(encoding) = headers.get_all(CONTENT_ENCODING).iter().find(|encoding| *encoding != "identity") {
                let encoding = excerpt(&String::from_utf8_lossy(encoding.as_bytes()));
                let message = format!("Content-Encoding {encoding} is not taken: send the body as it is");
                return Err(Refusal::new(ErrorCode::UnsupportedMediaType, message));
            }
            let is_expected = headers.get(CONTENT_TYPE).map_or(leniency.missing_content_type, body::is_xml);
            if !is_expected {
                let message = "the body must be application/xml, or empty";
                return Err(Refusal::new(ErrorCode::UnsupportedMediaType, message));
            }
        }
        let received = match policy {
            Policy::Off => KmsRequest::from_body(body, &limits)?,
            Policy::Optional | Policy::Required => {
                KmsRequest::from_body_with_keys(body, &limits, &book.signing_keys())?
            }
        };
        let Some(received) = received else { return Ok(None) };
        if !leniency.other_versions && received.version() != Some(KmsRequest::VERSION) {
            let found = received.version().unwrap_or("missing");
            let message = format!("Version is {found}, expected {}", KmsRequest::VERSION);
            return Err(Refusal::new(ErrorCode::MalformedDocument, message));
        }
        found.has_local_time = received.has_local_time() && leniency.local_times;
        let (document, signature) = received.into_parts();
        found.signer = match signature {
            SignatureStatus::Verified { key_name } => Some(key_name),
            // Where the extension is off, a signature adds nothing to a client that its token has authenticated.
            SignatureStatus::Absent | SignatureStatus::Unverified { .. } => None,
        };
        require_short(&document.user_uri)?;
        found.user_uri.clone_from(&document.user_uri);
        Ok(Some(document))
    }

    /// Whether the document is about this request, and of one who may ask.
    pub(super) fn check_document(
        &self,
        document: &KmsRequest,
        asker: &Asker,
        exchange: &mut Exchange,
    ) -> Result<(), Refusal> {
        let config = &self.state.config;
        if document.kms_uri != config.kms_uri {
            let message = format!("KmsUri is {}, this is {}", excerpt(&document.kms_uri), config.kms_uri);
            return Err(Refusal::new(ErrorCode::WrongKms, message));
        }
        if !self.is_forgiven(&document.client_req_url, &exchange.request_url) {
            let named = exchange.other_urls.iter().find(|url| self.is_forgiven(&document.client_req_url, url));
            let Some(named) = named.cloned() else {
                let (claimed, actual) = (excerpt(&document.client_req_url), excerpt(&exchange.request_url));
                let message = format!("ClientReqUrl is {claimed}, not {actual}");
                return Err(Refusal::new(ErrorCode::WrongRequestUrl, message));
            };
            exchange.request_url = named;
        }
        let window = config.server.request_window;
        let mut difference = (document.time - calendar::date(exchange.now)).unsigned_abs();
        if exchange.found.has_local_time {
            difference = beyond_zone(difference);
        }
        if difference > window {
            let message = format!("Time is {} s off, at most {} s are allowed", difference.as_secs(), window.as_secs());
            return Err(Refusal::new(ErrorCode::StaleRequest, message));
        }
        if asker.identities.has(&document.user_uri) { Ok(()) } else { Err(asker.not_own(&document.user_uri)) }
    }

    /// Whether a `ClientReqUrl` will do for the URL of the request.
    fn is_forgiven(&self, client_req_url: &str, request_url: &str) -> bool {
        let leniency = &self.state.config.leniency;
        match compare_request_url(client_req_url, request_url) {
            UrlMatch::Same { by_http } => !by_http || leniency.http_request_url,
            UrlMatch::SameOperation { by_http } => {
                leniency.short_request_url && (!by_http || leniency.http_request_url)
            }
            UrlMatch::Different => false,
        }
    }
}

/// What a difference of times is that may have come about by a zone: from UTC, whole quarters of an hour, up to 14 hours.
fn beyond_zone(difference: Duration) -> Duration {
    const QUARTER: u64 = 15 * 60;
    const FARTHEST: u64 = 14 * 3600;
    let seconds = difference.as_secs();
    let zone = (seconds + QUARTER / 2) / QUARTER * QUARTER;
    difference.abs_diff(Duration::from_secs(zone.min(FARTHEST)))
}

/// What is longer than any registered URI is not repeated, neither in the answer nor in the log.
fn require_short(uri: &str) -> Result<(), Refusal> {
    if uri.len() <= resource::MAX_USER_URI {
        return Ok(());
    }
    let message = format!("UserUri has {} octets, at most {} are allowed", uri.len(), resource::MAX_USER_URI);
    Err(Refusal::new(ErrorCode::MalformedDocument, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_explains_whole_quarters_of_an_hour_up_to_fourteen_hours() {
        for (seconds, beyond) in [
            (0, 0),
            (20, 20),
            (880, 20),
            (920, 20),
            (3600, 0),
            (20_700, 0),
            (450, 450),
            (14 * 3600 + 5, 5),
            (15 * 3600, 3600),
            (365 * 86_400, 365 * 86_400 - 14 * 3600),
        ] {
            assert_eq!(beyond_zone(Duration::from_secs(seconds)), Duration::from_secs(beyond), "{seconds}");
        }
    }
}
