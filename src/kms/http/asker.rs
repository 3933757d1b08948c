//! Who asks: the identities that a token or certificate has, and the users of the KMS that they belong to.

use super::exchange::Exchange;
use super::refusal::Refusal;
use super::way::Way;
use super::{App, Peer, ShownCertificate};
use crate::kms::auth::{self, AuthError, Identities};
use crate::kms::config::{Authentication, Config, Policy};
use crate::kms::issue::Grant;
use crate::kms::limits::{Limits, TooMany};
use crate::kms::store::{Holder, Store};
use crate::kms::{ClientKind, Error};
use crate::kms_protocol::resource::Resource;
use crate::kms_protocol::{ErrorCode, excerpt};
use axum::http::HeaderValue;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

impl App {
    /// Who asks, by token or certificate; it is noted, and so is the key of a bad token.
    pub(super) async fn asker(&self, parts: &Parts, exchange: &mut Exchange) -> Result<Asker, Refusal> {
        let mut authorizations = parts.headers.get_all(AUTHORIZATION).iter().map(HeaderValue::as_bytes);
        let authorization = authorizations.next();
        if authorizations.next().is_some() {
            return Err(Refusal::new(ErrorCode::SeveralAuthorizations, ""));
        }
        // The certificate of a proxy that ends TLS is not that of who asks.
        let peer = parts.extensions.get::<Peer>().filter(|_| !exchange.way.is_proxied());
        let certificate = peer.map_or(&ShownCertificate::None, |peer| &peer.certificate);
        let (identities, by) = match (authorization, certificate) {
            // A token says more than a certificate: it may be that of a server that asks for a user.
            (None, ShownCertificate::Of(holder)) => (Ok((**holder).clone()), Authentication::Certificate),
            (None, ShownCertificate::Useless(fault)) => {
                (Err(AuthError::UselessCertificate(fault.clone())), Authentication::Certificate)
            }
            _ => (self.authenticator.authenticate(authorization, exchange.now).await, Authentication::Token),
        };
        let identities = match identities {
            Ok(identities) => identities,
            Err(error) => {
                let key_id = authorization.and_then(auth::claimed_key_id);
                exchange.found.key_id = key_id.map(|key_id| excerpt(&key_id));
                return Err(error.into());
            }
        };
        let uris: Vec<String> = identities.uris().iter().map(|uri| excerpt(uri)).collect();
        exchange.found.asker = Some(uris.join(" "));
        Ok(Asker::find(&*self.state.store, identities, by).await?)
    }
}

/// One who asks, once it is known who.
pub(super) struct Asker {
    pub(super) identities: Identities,
    by: Authentication,
    /// For each identity whom it belongs to, if it is registered.
    holders: Vec<Option<Holder>>,
}

impl Asker {
    async fn find(store: &dyn Store, identities: Identities, by: Authentication) -> Result<Self, Error> {
        let uris: Vec<&str> = identities.uris().iter().map(String::as_str).collect();
        let mut found = store.holders(&uris).await?;
        let mut take = |uri: &&str| Some(found.swap_remove(found.iter().position(|holder| holder.uri == **uri)?));
        let holders = uris.iter().map(&mut take).collect();
        Ok(Self { identities, by, holders })
    }

    /// Counts this request. An identity that is not registered is counted as a person's.
    pub(super) fn count(&self, limits: &Limits) -> Result<(), TooMany> {
        match self.holders.iter().flatten().next() {
            Some(holder) => limits.request(holder.kind, &holder.user_id),
            None => limits.request(ClientKind::User, self.identities.uris().first().map_or("", |uri| uri)),
        }
    }

    /// Whether the security extension is used: the strictest policy of all that the identities belong to.
    pub(super) fn policy(&self, config: &Config, way: Way) -> Policy {
        let kinds = self.holders.iter().map(|holder| holder.as_ref().map_or(ClientKind::User, |holder| holder.kind));
        let policy = |kind| way.policy(config.clients.of(kind).policies(&config.security_extension));
        kinds.map(policy).max().unwrap_or(Policy::Required)
    }

    /// The registered ones of those whom the identities belong to.
    pub(super) fn holders(&self) -> impl Iterator<Item = &Holder> {
        self.holders.iter().flatten()
    }

    /// The one identity that is named, or all that are registered, active and of a kind that may ask for this.
    pub(super) fn grants(
        &self,
        config: &Config,
        resource: &Resource,
        named: Option<&str>,
    ) -> Result<Vec<Grant>, Refusal> {
        let all = self.identities.uris().iter().zip(&self.holders);
        let mut grants = Vec::new();
        let mut refusal = None;
        for (uri, holder) in all.filter(|(uri, _)| named.is_none_or(|named| named == *uri)) {
            match self.grant(config, resource, uri, holder.as_ref()) {
                Ok(grant) => grants.push(grant),
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        match (grants.is_empty(), named, refusal) {
            (false, ..) => Ok(grants),
            (true, _, Some(refusal)) => Err(refusal),
            (true, named, None) => Err(self.not_own(named.unwrap_or_default())),
        }
    }

    fn grant(
        &self,
        config: &Config,
        resource: &Resource,
        uri: &str,
        holder: Option<&Holder>,
    ) -> Result<Grant, Refusal> {
        let grant = Grant::of(holder, uri)?;
        let rules = config.clients.of(grant.kind);
        if !rules.authentication.contains(&self.by) {
            return Err(Refusal::new(ErrorCode::WrongAuthentication, ""));
        }
        if !rules.resources.contains(&resource.kind()) {
            let message = format!("a client of the kind {} may not ask for {}", grant.kind, resource.kind().as_str());
            return Err(Refusal::new(ErrorCode::NotForThisKind, message));
        }
        Ok(grant)
    }

    /// The refusal of an identity that the token or certificate does not have.
    pub(super) fn not_own(&self, uri: &str) -> Refusal {
        let shown = match self.by {
            Authentication::Token => "token",
            Authentication::Certificate => "certificate",
        };
        let message = format!("{} is not an identity of this {shown}'s holder", excerpt(uri));
        Refusal::new(ErrorCode::NotAuthorised, message)
    }
}
