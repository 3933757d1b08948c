//! The KMS's resources over HTTP (TS 33.180 D.2.1): who may ask what, and the answers.
//!
//! Every answer, refusals included, is a `KmsResponse` document. A refusal has the HTTP status that its
//! [`ErrorCode`] goes with. What is checked, in this order: that the request has one length, method, path, access token or certificate, how often the client
//! asks, body, the request document's KMS, URL and time, whose keys are asked for, whether that user is registered, active and of
//! a kind that may ask for this, the security extension, what is uploaded, the key period. A signature is verified when the body
//! is read. Refusals are not signed.

mod answers;
mod asker;
mod body;
mod document;
mod exchange;
mod refusal;
mod way;

use super::audit::Event;
use super::auth::{Authenticator, CertificateFault, Identities};
use super::config::{Config, Policy};
use super::issue::Grant;
use super::limits::Limits;
use super::protection::{KeyBook, Protection};
use super::{Error, State, calendar};
use crate::kms_protocol::resource::Resource;
use crate::kms_protocol::{ErrorCode, KeyIds, KmsError, KmsMessage, KmsResponse, MEDIA_TYPE, excerpt};
use answers::Uploads;
use asker::Asker;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use exchange::{Exchange, Found, any_uri};
use hyper::body::Body as _;
use refusal::Refusal;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;
use tokio::time::timeout;

/// `UserUri` of a refusal to someone who is not known: the schema wants one, and deployed clients do not survive an empty element. It is
/// that of an unknown sender in SIP (RFC 3323).
const NOBODY: &str = "sip:anonymous@anonymous.invalid";

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Whom a connection is with; the server puts it into each request's extensions.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    pub(super) certificate: ShownCertificate,
    /// A request on it has given both `Content-Length` and `Transfer-Encoding`.
    pub(super) has_two_lengths: bool,
}

/// The TLS certificate of a connection's client.
#[derive(Clone, Debug)]
pub(super) enum ShownCertificate {
    /// It has shown none.
    None,
    /// It has shown that of these identities.
    Of(Arc<Identities>),
    /// It has shown one that TLS let through and that stands for nobody.
    Useless(CertificateFault),
}

/// All resources of the KMS, as one configuration has them.
pub(super) struct App {
    pub(super) state: State,
    pub(super) authenticator: Authenticator,
    pub(super) limits: Limits,
}

/// What a request that is not refused gets.
#[derive(Default)]
struct Answer {
    /// None where the request is taken and there is nothing to say.
    message: Option<KmsMessage>,
    /// Whether it is signed, and keys in it wrapped.
    protection: Option<Protection>,
}

type Outcome = Result<Answer, Refusal>;

impl App {
    /// Answers a request.
    pub(super) async fn handle(self: Arc<Self>, request: Request) -> Response {
        let started = Instant::now();
        let is_head = request.method() == Method::HEAD;
        let config = &self.state.config;
        let mut exchange = Exchange::begin(&request, config);
        let outcome = match timeout(config.server.request_timeout, self.answer(request, &mut exchange)).await {
            Ok(outcome) => outcome,
            Err(_elapsed) => Err(Refusal::new(ErrorCode::RequestTimeout, "the request took too long")),
        };
        let outcome = self.record_refusal(self.limit_refusals(outcome, &exchange), &exchange).await;
        log(&exchange, outcome.as_ref().err(), started);
        let response = self.respond(exchange, outcome);
        if is_head { without_body(response) } else { response }
    }

    /// Whoever is not known is refused with the reason so often only. A good token or certificate is never refused for what others
    /// of its address did.
    fn limit_refusals(&self, outcome: Outcome, exchange: &Exchange) -> Outcome {
        match (&outcome, exchange.client) {
            (Err(_), Some(client)) if exchange.found.asker.is_none() => {
                self.limits.refusal(client).map_err(Refusal::from).and(outcome)
            }
            _ => outcome,
        }
    }

    /// Writes a refusal to the audit log. If that fails, the client learns of the failure in place of the reason.
    async fn record_refusal(&self, outcome: Outcome, exchange: &Exchange) -> Outcome {
        let Err(refusal) = outcome else { return outcome };
        if refusal.is_counted {
            return Err(refusal);
        }
        let event = Event::Refused {
            code: refusal.code.number(),
            reason: excerpt(refusal.reason()),
            resource: exchange.found.resource.as_ref().map(|resource| excerpt(&resource.path())),
            asked: excerpt(&exchange.found.user_uri),
            peer: exchange.client.map(|address| address.to_string()),
        };
        match self.state.store.record(event, exchange.act()).await {
            Ok(()) => Err(refusal),
            Err(error) => Err(Error::from(error).into()),
        }
    }

    async fn answer(&self, request: Request, exchange: &mut Exchange) -> Outcome {
        let resource = self.resource(&request)?;
        exchange.found.resource = Some(resource.clone());
        let (parts, body) = request.into_parts();
        let asker = self.asker(&parts, exchange).await?;
        asker.count(&self.limits)?;
        let policy = asker.policy(&self.state.config, exchange.way);
        let book = KeyBook::of(&self.state.vault, policy, asker.holders())?;

        let body = body::read(body, self.state.config.server.max_body).await?;
        let document = self.read_document(&parts.headers, &body, (policy, &book), &mut exchange.found)?;
        if let Some(document) = &document {
            self.check_document(document, &asker, exchange)?;
        }
        let named = match &resource {
            Resource::KeyProv { user_uri: Some(user_uri), .. } => Some(user_uri.as_str()),
            _ => document.as_ref().map(|document| document.user_uri.as_str()),
        };
        let grants = self.grants(named, &resource, &asker, &mut exchange.found)?;
        let key_ids = document.as_ref().map(|document| document.key_ids.clone()).unwrap_or_default();
        let protection = self.protection(&grants, (policy, book), &key_ids, exchange).await?;
        let uploads = Uploads::of(document, &resource)?;
        let message = self.message(resource, &grants, uploads, exchange).await?;
        Ok(Answer { message, protection })
    }

    /// What is asked for, if it may be a request for anything.
    fn resource(&self, request: &Request) -> Result<Resource, Refusal> {
        if request.extensions().get::<Peer>().is_some_and(|peer| peer.has_two_lengths) {
            let message = "Content-Length and Transfer-Encoding exclude each other: send one of them";
            return Err(Refusal::new(ErrorCode::TwoLengths, message));
        }
        exchange::require_host(request)?;
        if request.method() != Method::POST {
            return Err(Refusal::new(ErrorCode::MethodNotAllowed, "every resource of a KMS is POSTed to"));
        }
        Ok(Resource::parse_by(request.uri().path(), &self.path_rules())?)
    }

    /// How the answer to these identities, all of one user, is protected.
    async fn protection(
        &self,
        grants: &[Grant],
        (policy, book): (Policy, KeyBook),
        key_ids: &KeyIds,
        exchange: &Exchange,
    ) -> Result<Option<Protection>, Refusal> {
        let Some(Grant { user_id, .. }) = grants.first().filter(|_| policy != Policy::Off) else {
            return Ok(None);
        };
        let is_one_user = grants.iter().all(|grant| grant.user_id == *user_id);
        if !is_one_user && grants.iter().any(|grant| book.has_keys(&grant.user_id)) {
            let message = "the token's identities belong to several users, of whom some have a transport key: name one";
            return Err(Refusal::new(ErrorCode::NotAuthorised, message));
        }
        let signer = exchange.found.signer.as_deref();
        if let Some(key_name) = signer.filter(|key_name| !book.is_of(user_id, key_name)) {
            let message = format!("{} is not a key of the user who is asked for", excerpt(key_name));
            return Err(Refusal::new(ErrorCode::InvalidSignature, message));
        }
        check_key_ids(key_ids, signer, |trk_id| book.has_transport_key(user_id, trk_id))?;
        let is_required = policy == Policy::Required;
        let Some(keys) = book.take(user_id) else {
            return if is_required { Err(Refusal::new(ErrorCode::NoTransportKey, "")) } else { Ok(None) };
        };
        if is_required && signer.is_none() {
            return Err(Refusal::new(ErrorCode::SignatureRequired, ""));
        }
        let trk_id = key_ids.trk_id.as_deref();
        Ok(Protection::settle(&*self.state.store, keys, signer, trk_id, &exchange.act()).await?)
    }

    /// The identities that are asked for, and in whose name the answer is.
    fn grants(
        &self,
        named: Option<&str>,
        resource: &Resource,
        asker: &Asker,
        found: &mut Found,
    ) -> Result<Vec<Grant>, Refusal> {
        found.user_uri = named.or(asker.identities.uris().first().map(String::as_str)).unwrap_or_default().to_owned();
        let grants = asker.grants(&self.state.config, resource, named)?;
        if let Some(grant) = grants.first() {
            found.user_uri.clone_from(&grant.uri);
        }
        Ok(grants)
    }

    fn respond(&self, exchange: Exchange, outcome: Outcome) -> Response {
        let Config { kms_uri, documents, .. } = &self.state.config;
        let documents = *documents;
        let user_uri = &exchange.found.user_uri;
        let (user_uri, Answer { message, protection }, refusal) = match outcome {
            Ok(answer) => (user_uri.clone(), answer, None),
            // What was asked for may be no URI; in the answer it has to be one.
            Err(refusal) if user_uri.is_empty() => (NOBODY.to_owned(), Answer::default(), Some(refusal)),
            Err(refusal) => (any_uri(user_uri), Answer::default(), Some(refusal)),
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
        let xml = match protection.map(|protection| protection.write(&mut document, documents)) {
            None => document.to_xml(&documents.write_options()),
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

/// Whether a request names the key that it is signed with, and a TrK of its user, where it names them.
fn check_key_ids(key_ids: &KeyIds, signer: Option<&str>, is_held: impl Fn(&str) -> bool) -> Result<(), Refusal> {
    let KeyIds { trk_id, signature_id } = key_ids;
    if let Some(named) = signature_id.as_deref().filter(|named| signer != Some(named)) {
        let message = match signer {
            Some(signer) => format!("Signature-ID is {}, the signature is under {}", excerpt(named), excerpt(signer)),
            None => format!("Signature-ID is {}, and there is no signature", excerpt(named)),
        };
        return Err(Refusal::new(ErrorCode::InvalidSignature, message));
    }
    match trk_id.as_deref().filter(|named| !is_held(named)) {
        None => Ok(()),
        Some(named) => {
            let message = format!("TrK-ID is {}, which is not a transport key of this user", excerpt(named));
            Err(Refusal::new(ErrorCode::OtherTransportKey, message))
        }
    }
}

/// The line of the log.
fn log(exchange: &Exchange, refusal: Option<&Refusal>, started: Instant) {
    let Found { resource, asker, key_id, signer, user_uri, .. } = &exchange.found;
    tracing::info!(
        request_id = exchange.request_id,
        peer = exchange.peer.map(|address| address.to_string()),
        client = exchange.client.map(|address| address.to_string()),
        resource = resource.as_ref().map(|resource| excerpt(&resource.path())),
        asker,
        kid = key_id,
        signer = signer.as_deref().map(excerpt),
        asked = excerpt(user_uri),
        status = refusal.map_or(StatusCode::OK, Refusal::status).as_u16(),
        code = refusal.map(|refusal| refusal.code.number()),
        reason = refusal.map(Refusal::reason),
        ms = started.elapsed().as_millis(),
        "request"
    );
}

/// The answer to HEAD: as long as that to GET, and not sent. HTTP/1 would see to it by itself.
fn without_body(mut response: Response) -> Response {
    let length = response.body().size_hint().exact().map(HeaderValue::from);
    *response.body_mut() = Body::empty();
    response.headers_mut().extend(length.map(|length| (CONTENT_LENGTH, length)));
    response
}
