//! The KMS's resources over HTTP (TS 33.180 D.2.1): who may ask what, and the answers.
//!
//! Every answer, refusals included, is a `KmsResponse` document. A refusal has the HTTP status that its
//! [`ErrorCode`] goes with. What is checked, in this order: method, path, access token, body, the request document's
//! KMS, URL and time, whose keys are asked for, whether that user is registered and active, the security extension, the key
//! period. A signature is verified when the body is read. Refusals are not signed.

use super::audit::{Act, Event};
use super::auth::{self, AuthError, Authenticator, Identities};
use super::config::Policy;
use super::issue::{self, Grant};
use super::protection::{KeyBook, Protection};
use super::store::StoreError;
use super::{Error, State, admin, calendar};
use crate::kms_protocol::resource::{self, Resource, UrlMatch, compare_request_url};
use crate::kms_protocol::{
    self, ErrorCode, KeyIds, KmsCertCache, KmsError, KmsKeyProv, KmsMessage, KmsRequest, KmsResponse, Limits,
    MEDIA_TYPE, Received, SignatureStatus, WriteOptions, excerpt,
};
use crate::mikey::NtpTime;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::{ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, FORWARDED, HOST, VIA, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use core::pin::Pin;
use hyper::body::Body as _;
use std::future::poll_fn;
use std::net::{Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Instant, SystemTime};
use tokio::time::timeout;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The number of the cache of external KMS certificates, which is empty.
const CERT_CACHE_NUMBER: u64 = 0;

/// What a proxy adds to the requests that it forwards (RFC 9110 7.6.3, RFC 7239).
const PROXY_HEADERS: [HeaderName; 3] = [VIA, FORWARDED, HeaderName::from_static("x-forwarded-for")];

/// Who asks, before an access token was found good.
const NOBODY: &str = "unauthenticated";

/// What an answer repeats of the path, in characters; every resource has a shorter one.
const MAX_PATH: usize = 1024;

/// Whom a connection is with; the server puts it into each request's extensions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) SocketAddr);

/// All resources of the KMS.
pub(super) async fn router(state: &State) -> Result<Router, Error> {
    let authenticator = Authenticator::new(&state.config.auth).await?;
    let app = Arc::new(App { state: state.clone(), authenticator });
    Ok(Router::new().fallback(move |request| app.clone().handle(request)))
}

struct App {
    state: State,
    authenticator: Authenticator,
}

/// What is known of a request so far: enough to answer and log it, however it ends.
struct Exchange {
    request_id: String,
    now: SystemTime,
    policy: Policy,
    /// The name of the key that the request is signed with, once it was verified.
    signer: Option<String>,
    /// The TrK that the client says it has.
    trk_id: Option<String>,
    /// What protects the answer.
    protection: Option<Protection>,
    resource: Option<Resource>,
    /// The identities of the access token, once it was found good.
    asker: Option<String>,
    /// The key that a bad access token names.
    key_id: Option<String>,
    /// Whose keys are asked for.
    user_uri: String,
    request_url: String,
}

impl App {
    async fn handle(self: Arc<Self>, request: Request) -> Response {
        let started = Instant::now();
        let peer = request.extensions().get::<Peer>().copied();
        let policy = self.policy(peer, request.headers());
        let mut exchange = Exchange::begin(&request, policy, &self.state.config.kms_uri);
        let limit = self.state.config.server.request_timeout;
        let outcome = match timeout(limit, self.answer(request, &mut exchange)).await {
            Ok(outcome) => outcome,
            Err(_elapsed) => Err(Refusal::new(ErrorCode::RequestTimeout, "the request took too long")),
        };
        let outcome = self.record_refusal(outcome, &exchange, peer).await;
        let status = outcome.as_ref().err().map_or(StatusCode::OK, Refusal::status);
        tracing::info!(
            request_id = exchange.request_id,
            peer = peer.map(|Peer(address)| address.to_string()),
            resource = exchange.resource.as_ref().map(|resource| excerpt(&resource.path())),
            asker = exchange.asker,
            kid = exchange.key_id,
            signer = exchange.signer.as_deref().map(excerpt),
            asked = excerpt(&exchange.user_uri),
            status = status.as_u16(),
            code = outcome.as_ref().err().map(|refusal| refusal.code.number()),
            reason = outcome.as_ref().err().map(Refusal::reason),
            ms = started.elapsed().as_millis(),
            "request"
        );
        self.respond(exchange, outcome)
    }

    /// Writes a refusal to the audit log. If that fails, the client learns of the failure in place of the reason.
    async fn record_refusal(
        &self,
        outcome: Result<KmsMessage, Refusal>,
        exchange: &Exchange,
        peer: Option<Peer>,
    ) -> Result<KmsMessage, Refusal> {
        let Err(refusal) = outcome else { return outcome };
        let event = Event::Refused {
            code: refusal.code.number(),
            reason: excerpt(refusal.reason()),
            resource: exchange.resource.as_ref().map(|resource| excerpt(&resource.path())),
            asked: excerpt(&exchange.user_uri),
            peer: peer.map(|Peer(address)| address.ip().to_string()),
        };
        match self.state.store.record(event, exchange.act()).await {
            Ok(()) => Err(refusal),
            Err(error) => Err(Refusal::internal(&error.into())),
        }
    }

    async fn answer(&self, request: Request, exchange: &mut Exchange) -> Result<KmsMessage, Refusal> {
        if request.method() != Method::POST {
            return Err(Refusal::new(ErrorCode::MethodNotAllowed, "every resource of a KMS is POSTed to"));
        }
        let resource = Resource::parse(request.uri().path())?;
        exchange.resource = Some(resource.clone());

        let (parts, body) = request.into_parts();
        let mut authorizations = parts.headers.get_all(AUTHORIZATION).iter().map(HeaderValue::as_bytes);
        let authorization = authorizations.next();
        if authorizations.next().is_some() {
            return Err(Refusal::new(ErrorCode::SeveralAuthorizations, ""));
        }
        let identities = match self.authenticator.authenticate(authorization, exchange.now).await {
            Ok(identities) => identities,
            Err(error) => {
                exchange.key_id = authorization.and_then(auth::claimed_key_id).map(|key_id| excerpt(&key_id));
                return Err(error.into());
            }
        };
        let asker: Vec<String> = identities.uris().iter().map(|uri| excerpt(uri)).collect();
        exchange.asker = Some(asker.join(" "));

        let book = KeyBook::of(&self.state, exchange.policy, identities.uris()).await?;

        let body = read_body(body, self.state.config.server.max_body).await?;
        let (document, signer) = self.read_document(&parts.headers, &body, exchange.policy, &book)?;
        exchange.signer = signer;
        if let Some(document) = &document {
            require_short(&document.user_uri)?;
            exchange.user_uri.clone_from(&document.user_uri);
            exchange.trk_id.clone_from(&document.key_ids.trk_id);
            self.check_document(document, &identities, exchange)?;
        }
        let own = document.map(|document| document.user_uri);
        let named = match &resource {
            Resource::KeyProv { user_uri: Some(user_uri), .. } => Some(user_uri.clone()),
            _ => own,
        };
        let grants = self.grants(named, &identities, exchange).await?;
        exchange.protection = self.protection(&grants, book, exchange).await?;

        match resource {
            Resource::Init => Ok(admin::init_message(&self.state)),
            Resource::CertCache { number: _ } => {
                Ok(KmsMessage::CertCache(KmsCertCache { cache_num: Some(CERT_CACHE_NUMBER), certificates: Vec::new() }))
            }
            Resource::KeyProv { user_uri: _, time } => {
                let periods = self.periods(time, exchange.now)?;
                let key_sets = issue::key_sets(&self.state, &grants, &periods, exchange.act()).await?;
                Ok(KmsMessage::KeyProv(KmsKeyProv { key_sets, ..KmsKeyProv::default() }))
            }
        }
    }

    /// Whether the security extension is used for a request that came this way.
    fn policy(&self, peer: Option<Peer>, headers: &HeaderMap) -> Policy {
        let extension = &self.state.config.security_extension;
        let is_proxy = |Peer(address)| extension.proxies.contains(&address.ip().to_canonical());
        let is_proxied = peer.is_some_and(is_proxy) || PROXY_HEADERS.iter().any(|name| headers.contains_key(name));
        if is_proxied { extension.proxied } else { extension.direct }
    }

    /// The document, if there is one, and the name of the key that it is signed with.
    fn read_document(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        policy: Policy,
        book: &KeyBook,
    ) -> Result<(Option<KmsRequest>, Option<String>), Refusal> {
        let limits = Limits::with_max_bytes(self.state.config.server.max_body);
        if body.iter().any(|octet| !octet.is_ascii_whitespace()) && !is_xml(headers.get(CONTENT_TYPE)) {
            return Err(Refusal::new(ErrorCode::UnsupportedMediaType, "the body must be application/xml, or empty"));
        }
        let received = match policy {
            Policy::Off => KmsRequest::from_body(body, &limits)?,
            Policy::Optional | Policy::Required => {
                KmsRequest::from_body_with_keys(body, &limits, &book.signing_keys())?
            }
        };
        let Some((document, signature)) = received.map(Received::into_parts) else { return Ok((None, None)) };
        match signature {
            SignatureStatus::Verified { key_name } => Ok((Some(document), Some(key_name))),
            // Where the extension is off, a signature adds nothing to a client that its token has authenticated.
            SignatureStatus::Absent | SignatureStatus::Unverified { .. } => Ok((Some(document), None)),
        }
    }

    /// How the answer to these identities, all of one user, is protected.
    async fn protection(
        &self,
        grants: &[Grant],
        book: KeyBook,
        exchange: &Exchange,
    ) -> Result<Option<Protection>, Refusal> {
        let Some(Grant { user_id, .. }) = grants.first().filter(|_| exchange.policy != Policy::Off) else {
            return Ok(None);
        };
        let is_one_user = grants.iter().all(|grant| grant.user_id == *user_id);
        if !is_one_user && grants.iter().any(|grant| book.has_keys(&grant.user_id)) {
            let message = "the token's identities belong to several users, of whom some have a transport key: name one";
            return Err(Refusal::new(ErrorCode::NotAuthorised, message));
        }
        let signer = exchange.signer.as_deref();
        if let Some(key_name) = signer.filter(|key_name| !book.is_of(user_id, key_name)) {
            let message = format!("{} is not a key of the user who is asked for", excerpt(key_name));
            return Err(Refusal::new(ErrorCode::InvalidSignature, message));
        }
        let is_required = exchange.policy == Policy::Required;
        let Some(keys) = book.take(user_id) else {
            return if is_required { Err(Refusal::new(ErrorCode::NoTransportKey, "")) } else { Ok(None) };
        };
        if is_required && signer.is_none() {
            return Err(Refusal::new(ErrorCode::SignatureRequired, ""));
        }
        Ok(Protection::settle(&*self.state.store, keys, signer, exchange.trk_id.as_deref(), &exchange.act()).await?)
    }

    fn check_document(
        &self,
        document: &KmsRequest,
        identities: &Identities,
        exchange: &Exchange,
    ) -> Result<(), Refusal> {
        let config = &self.state.config;
        if document.kms_uri != config.kms_uri {
            let message = format!("KmsUri is {}, this is {}", excerpt(&document.kms_uri), config.kms_uri);
            return Err(Refusal::new(ErrorCode::WrongKms, message));
        }
        if compare_request_url(&document.client_req_url, &exchange.request_url) == UrlMatch::Different {
            let (claimed, actual) = (excerpt(&document.client_req_url), excerpt(&exchange.request_url));
            let message = format!("ClientReqUrl is {claimed}, not {actual}");
            return Err(Refusal::new(ErrorCode::WrongRequestUrl, message));
        }
        let window = config.server.request_window;
        let difference = (document.time - calendar::date(exchange.now)).unsigned_abs();
        if difference > window {
            let message = format!("Time is {} s off, at most {} s are allowed", difference.as_secs(), window.as_secs());
            return Err(Refusal::new(ErrorCode::StaleRequest, message));
        }
        require_own(&document.user_uri, identities)
    }

    /// The registered and active ones among the identities that are asked for: the one named, or all of the token's.
    async fn grants(
        &self,
        named: Option<String>,
        identities: &Identities,
        exchange: &mut Exchange,
    ) -> Result<Vec<Grant>, Refusal> {
        let store = &*self.state.store;
        if let Some(uri) = named {
            exchange.user_uri.clone_from(&uri);
            require_own(&uri, identities)?;
            return Ok(vec![Grant::find(store, &uri).await?]);
        }
        let mut grants = Vec::new();
        let mut refusal = None;
        for uri in identities.uris() {
            match Grant::find(store, uri).await {
                Ok(grant) => grants.push(grant),
                Err(error @ (Error::UnknownUri(_) | Error::Revoked { .. })) => refusal = refusal.or(Some(error)),
                Err(error) => return Err(error.into()),
            }
        }
        exchange.user_uri =
            grants.first().map(|grant| &grant.uri).or(identities.uris().first()).cloned().unwrap_or_default();
        match (grants.is_empty(), refusal) {
            (true, Some(refusal)) => Err(refusal.into()),
            _ => Ok(grants),
        }
    }

    fn periods(&self, time: Option<u64>, now: SystemTime) -> Result<Vec<u64>, Refusal> {
        let issued = issue::current_and_next(&self.state, now)?;
        let Some(time) = time else { return Ok(issued.to_vec()) };
        let [current, next] = issued;
        match self.state.authority.period_at(NtpTime::from_bits(time)) {
            Ok(asked) if issued.contains(&asked) => Ok(vec![asked]),
            _ => {
                let message = format!("keys are given for the key periods {current} and {next} alone");
                Err(Refusal::new(ErrorCode::PeriodNotAvailable, message))
            }
        }
    }

    fn respond(&self, mut exchange: Exchange, outcome: Result<KmsMessage, Refusal>) -> Response {
        let protection = exchange.protection.take().filter(|_| outcome.is_ok());
        let kms_uri = &self.state.config.kms_uri;
        let (user_uri, message, refusal) = match outcome {
            Ok(message) => (exchange.user_uri.clone(), Some(message), None),
            // What was asked for may be no URI; in the answer it has to be one.
            Err(refusal) => (any_uri(&exchange.user_uri), None, Some(refusal)),
        };
        let mut document = KmsResponse {
            user_uri,
            kms_uri: kms_uri.clone(),
            time: calendar::date(exchange.now),
            kms_id: None,
            client_req_url: exchange.request_url.clone(),
            message,
            error: refusal.as_ref().map(|refusal| KmsError::new(refusal.code, refusal.message.clone())),
            key_ids: KeyIds::default(),
        };
        let xml = match protection.map(|protection| protection.write(&mut document)) {
            None => document.to_xml(&WriteOptions::default()),
            Some(Ok(xml)) => xml,
            Some(Err(error)) => return self.respond(exchange, Err(Refusal::internal(&error.into()))),
        };
        // The text may hold keys: it is wiped once it was sent.
        let xml = Bytes::from_owner(xml);
        let mut response = Response::new(Body::from(xml));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Ok(request_id) = HeaderValue::from_str(&exchange.request_id) {
            headers.insert(REQUEST_ID, request_id);
        }
        if let Some(refusal) = refusal {
            refusal.add_headers(headers, kms_uri);
            *response.status_mut() = refusal.status();
        }
        response
    }
}

impl Exchange {
    /// Who asks, and when.
    fn act(&self) -> Act {
        let by = self.asker.clone().unwrap_or_else(|| NOBODY.to_owned());
        Act { at: self.now, by, request_id: Some(self.request_id.clone()) }
    }

    fn begin(request: &Request, policy: Policy, kms_uri: &str) -> Self {
        let authority = request.uri().authority().map(|authority| authority.as_str());
        let host = authority.or_else(|| request.headers().get(HOST)?.to_str().ok()).filter(|host| is_host(host));
        let host = host.unwrap_or_else(|| kms_uri.split_once("://").map_or(kms_uri, |(_, rest)| rest));
        Self {
            request_id: request_id(),
            now: SystemTime::now(),
            policy,
            signer: None,
            trk_id: None,
            protection: None,
            resource: None,
            asker: None,
            key_id: None,
            user_uri: String::new(),
            request_url: format!("https://{host}{}", any_uri(start(request.uri().path(), MAX_PATH))),
        }
    }
}

/// Why a request gets no keys.
#[derive(Debug)]
struct Refusal {
    code: ErrorCode,
    /// For people: no secrets, no tokens, nothing of the server's inside. Empty where the code says all.
    message: String,
}

impl Refusal {
    fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// A failure that the operator reads in the log and the client does not.
    fn internal(error: &Error) -> Self {
        tracing::error!(%error, "a request failed");
        Self::new(ErrorCode::Internal, "")
    }

    fn reason(&self) -> &str {
        if self.message.is_empty() { self.code.meaning() } else { &self.message }
    }

    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn add_headers(&self, headers: &mut HeaderMap, realm: &str) {
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
            AuthError::NoToken | AuthError::NotBearer => ErrorCode::Unauthenticated,
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
            Error::Store(StoreError::Database(source)) if is_overload(source) => {
                tracing::error!(%error, "the database does not keep up");
                Self::new(ErrorCode::Unavailable, "")
            }
            _ => Self::internal(&error),
        }
    }
}

/// The text with everything escaped that keeps it from being a URI, stray percent signs among it. A URI stays as it is, but
/// for brackets, which belong into a host alone.
fn any_uri(text: &str) -> String {
    let mut uri = String::with_capacity(text.len());
    for (at, octet) in text.bytes().enumerate() {
        let allowed = match octet {
            b'%' => {
                let digits = text.as_bytes().get(at + 1..at + 3);
                digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            }
            _ => octet.is_ascii_alphanumeric() || b"-._~:/?@!$&'()*+,;=".contains(&octet),
        };
        if allowed {
            uri.push(char::from(octet));
        } else {
            uri.push_str(&format!("%{octet:02X}"));
        }
    }
    uri
}

fn start(text: &str, characters: usize) -> &str {
    text.char_indices().nth(characters).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

/// A name or an address, with or without a port: what can stand in a URL as it is.
fn is_host(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port),
        _ => (host, ""),
    };
    let address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_name = |name: &str| name.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-._".contains(&octet));
    let is_host = address.map_or_else(|| is_name(name), |address| address.parse::<Ipv6Addr>().is_ok());
    !name.is_empty() && is_host && port.len() <= 5 && port.bytes().all(|digit| digit.is_ascii_digit())
}

fn is_overload(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::PoolTimedOut)
}

fn require_own(uri: &str, identities: &Identities) -> Result<(), Refusal> {
    if identities.has(uri) {
        return Ok(());
    }
    let message = format!("{} is not an identity of this token's holder", excerpt(uri));
    Err(Refusal::new(ErrorCode::NotAuthorised, message))
}

/// What is longer than any registered URI is not repeated, neither in the answer nor in the log.
fn require_short(uri: &str) -> Result<(), Refusal> {
    if uri.len() <= resource::MAX_USER_URI {
        return Ok(());
    }
    let message = format!("UserUri has {} octets, at most {} are allowed", uri.len(), resource::MAX_USER_URI);
    Err(Refusal::new(ErrorCode::MalformedDocument, message))
}

/// A body may come without a media type; another one than XML shows a client that speaks something else.
fn is_xml(content_type: Option<&HeaderValue>) -> bool {
    let Some(content_type) = content_type else { return true };
    let Ok(content_type) = content_type.to_str() else { return false };
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(media_type.as_str(), "application/xml" | "text/xml")
        || (media_type.starts_with("application/") && media_type.ends_with("+xml"))
}

async fn read_body(mut body: Body, max: usize) -> Result<Vec<u8>, Refusal> {
    let too_large = || Refusal::new(ErrorCode::TooLarge, format!("a request has at most {max} octets"));
    if body.size_hint().lower() > u64::try_from(max).unwrap_or(u64::MAX) {
        return Err(too_large());
    }
    let mut octets = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|_| Refusal::new(ErrorCode::MalformedDocument, "the body ended early"))?;
        if let Ok(data) = frame.into_data() {
            if octets.len() + data.len() > max {
                return Err(too_large());
            }
            octets.extend_from_slice(&data);
        }
    }
    Ok(octets)
}

/// Sixteen hex digits that tell one request from another in the log, the answer and the database.
fn request_id() -> String {
    getrandom::u64().map_or_else(|_| "0".repeat(16), |number| format!("{number:016x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_uri_becomes_one_and_a_uri_stays() {
        for uri in ["/keymanagement/identity/v1/keyprov/sip%3Aa%40b/D6B4323200000000", "sip:a@b;x=1?y", ""] {
            assert_eq!(any_uri(uri), uri);
        }
        for (text, uri) in [
            ("/%zz", "/%25zz"),
            ("/%", "/%25"),
            ("/%4", "/%254"),
            ("%%41", "%25%41"),
            ("a b\"<\u{e9}[", "a%20b%22%3C%C3%A9%5B"),
        ] {
            assert_eq!(any_uri(text), uri);
        }
    }

    #[test]
    fn a_text_starts_with_whole_characters() {
        assert_eq!(start("a\u{e9}b", 2), "a\u{e9}");
        assert_eq!(start("a\u{e9}b", 3), "a\u{e9}b");
    }

    #[test]
    fn only_hosts_are_taken_into_urls() {
        for host in ["kms.example.org", "127.0.0.1:8443", "[::1]", "[::1]:443", "a_b"] {
            assert!(is_host(host), "{host}");
        }
        for host in ["", ":1", "a b", "a:b", "a:123456", "[x]", "a%zz", "u@a", "a/b", "::1"] {
            assert!(!is_host(host), "{host}");
        }
    }
}
