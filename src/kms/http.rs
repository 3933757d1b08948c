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
use super::auth::{self, Authenticator, Identities};
use super::config::{Authentication, Config, Policy};
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
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use exchange::{Exchange, any_uri};
use hyper::body::Body as _;
use refusal::Refusal;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;
use tokio::time::timeout;
use way::{Way, client_address};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Whom a connection is with; the server puts it into each request's extensions.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    /// The holder of the TLS certificate that it has shown.
    pub(super) holder: Option<Arc<Identities>>,
    /// A request on it has given both `Content-Length` and `Transfer-Encoding`.
    pub(super) has_two_lengths: bool,
}

/// All resources of the KMS, as one configuration has them.
pub(super) struct App {
    pub(super) state: State,
    pub(super) authenticator: Authenticator,
    pub(super) limits: Limits,
}

impl App {
    /// Answers a request.
    pub(super) async fn handle(self: Arc<Self>, request: Request) -> Response {
        let started = Instant::now();
        let is_head = request.method() == Method::HEAD;
        let peer = request.extensions().get::<Peer>().cloned();
        let config = &self.state.config;
        let way = Way::of(peer.as_ref(), request.headers(), &config.security_extension);
        let mut exchange = Exchange::begin(&request, way, config);
        exchange.from = client_address(peer.as_ref(), request.headers(), &config.security_extension);
        let limit = config.server.request_timeout;
        let outcome = match timeout(limit, self.answer(request, &mut exchange)).await {
            Ok(outcome) => outcome,
            Err(_elapsed) => Err(Refusal::new(ErrorCode::RequestTimeout, "the request took too long")),
        };
        let outcome = self.record_refusal(self.limit_refusals(outcome, &exchange), &exchange).await;
        let status = outcome.as_ref().err().map_or(StatusCode::OK, Refusal::status);
        tracing::info!(
            request_id = exchange.request_id,
            peer = peer.map(|peer| peer.address.to_string()),
            client = exchange.from.map(|address| address.to_string()),
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
        let response = self.respond(exchange, outcome);
        if is_head { without_body(response) } else { response }
    }

    /// Whoever is not known is refused with the reason so often only. A good token or certificate is never refused for what others
    /// of its address did.
    fn limit_refusals(
        &self,
        outcome: Result<Option<KmsMessage>, Refusal>,
        exchange: &Exchange,
    ) -> Result<Option<KmsMessage>, Refusal> {
        match (&outcome, exchange.from) {
            (Err(_), Some(from)) if exchange.asker.is_none() => {
                self.limits.refusal(from).map_err(Refusal::from).and(outcome)
            }
            _ => outcome,
        }
    }

    /// Writes a refusal to the audit log. If that fails, the client learns of the failure in place of the reason.
    async fn record_refusal(
        &self,
        outcome: Result<Option<KmsMessage>, Refusal>,
        exchange: &Exchange,
    ) -> Result<Option<KmsMessage>, Refusal> {
        let Err(refusal) = outcome else { return outcome };
        if refusal.is_counted {
            return Err(refusal);
        }
        let event = Event::Refused {
            code: refusal.code.number(),
            reason: excerpt(refusal.reason()),
            resource: exchange.resource.as_ref().map(|resource| excerpt(&resource.path())),
            asked: excerpt(&exchange.user_uri),
            peer: exchange.from.map(|address| address.to_string()),
        };
        match self.state.store.record(event, exchange.act()).await {
            Ok(()) => Err(refusal),
            Err(error) => Err(Error::from(error).into()),
        }
    }

    /// The message of the answer, or none where the request is taken and there is nothing to say.
    async fn answer(&self, request: Request, exchange: &mut Exchange) -> Result<Option<KmsMessage>, Refusal> {
        if request.extensions().get::<Peer>().is_some_and(|peer| peer.has_two_lengths) {
            let message = "Content-Length and Transfer-Encoding exclude each other: send one of them";
            return Err(Refusal::new(ErrorCode::TwoLengths, message));
        }
        if request.method() != Method::POST {
            return Err(Refusal::new(ErrorCode::MethodNotAllowed, "every resource of a KMS is POSTed to"));
        }
        let resource = Resource::parse_by(request.uri().path(), &self.path_rules())?;
        exchange.resource = Some(resource.clone());

        let (parts, body) = request.into_parts();
        let mut authorizations = parts.headers.get_all(AUTHORIZATION).iter().map(HeaderValue::as_bytes);
        let authorization = authorizations.next();
        if authorizations.next().is_some() {
            return Err(Refusal::new(ErrorCode::SeveralAuthorizations, ""));
        }
        // The certificate of a proxy that ends TLS is not that of who asks.
        let peer = parts.extensions.get::<Peer>().filter(|_| !exchange.way.is_proxied());
        let holder = peer.and_then(|peer| peer.holder.as_deref());
        let (identities, by) = match (authorization, holder) {
            // A token says more than a certificate: it may be that of a server that asks for a user.
            (None, Some(holder)) => (Ok(holder.clone()), Authentication::Certificate),
            _ => (self.authenticator.authenticate(authorization, exchange.now).await, Authentication::Token),
        };
        let identities = match identities {
            Ok(identities) => identities,
            Err(error) => {
                exchange.key_id = authorization.and_then(auth::claimed_key_id).map(|key_id| excerpt(&key_id));
                return Err(error.into());
            }
        };
        let uris: Vec<String> = identities.uris().iter().map(|uri| excerpt(uri)).collect();
        exchange.asker = Some(uris.join(" "));
        let asker = Asker::find(&*self.state.store, identities, by).await?;
        asker.count(&self.limits)?;
        exchange.policy = asker.policy(&self.state.config, exchange.way);
        let book = KeyBook::of(&self.state.vault, exchange.policy, asker.holders())?;

        let body = body::read(body, self.state.config.server.max_body).await?;
        let document = self.read_document(&parts.headers, &body, &book, exchange)?;
        if let Some(document) = &document {
            self.check_document(document, &asker.identities, exchange)?;
        }
        let own = document.as_ref().map(|document| document.user_uri.clone());
        let named = match &resource {
            Resource::KeyProv { user_uri: Some(user_uri), .. } => Some(user_uri.clone()),
            _ => own,
        };
        let grants = self.grants(named.as_deref(), &resource, &asker, exchange)?;
        exchange.protection = self.protection(&grants, book, exchange).await?;
        let uploads = Uploads::of(document, &resource)?;
        self.message(resource, &grants, uploads, exchange).await
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

    /// The identities that are asked for, and in whose name the answer is.
    fn grants(
        &self,
        named: Option<&str>,
        resource: &Resource,
        asker: &Asker,
        exchange: &mut Exchange,
    ) -> Result<Vec<Grant>, Refusal> {
        exchange.user_uri =
            named.or(asker.identities.uris().first().map(String::as_str)).unwrap_or_default().to_owned();
        let grants = asker.grants(&self.state.config, resource, named)?;
        if let Some(grant) = grants.first() {
            exchange.user_uri.clone_from(&grant.uri);
        }
        Ok(grants)
    }

    fn respond(&self, mut exchange: Exchange, outcome: Result<Option<KmsMessage>, Refusal>) -> Response {
        let protection = exchange.protection.take().filter(|_| outcome.is_ok());
        let Config { kms_uri, documents, .. } = &self.state.config;
        let documents = *documents;
        let (user_uri, message, refusal) = match outcome {
            Ok(message) => (exchange.user_uri.clone(), message, None),
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

/// The answer to HEAD: as long as that to GET, and not sent. HTTP/1 would see to it by itself.
fn without_body(mut response: Response) -> Response {
    let length = response.body().size_hint().exact().map(HeaderValue::from);
    *response.body_mut() = Body::empty();
    response.headers_mut().extend(length.map(|length| (CONTENT_LENGTH, length)));
    response
}
