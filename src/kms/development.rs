//! What stands in for a certificate authority and an identity provider until there are real ones: for development,
//! demonstrations and tests.

use super::auth::Service;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, date_time_ymd};
use serde_json::{Map, Value, json};
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use thiserror::Error;
use zeroize::Zeroizing;

/// Why a development certificate or token could not be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DevelopmentError {
    /// The certificate.
    #[error("cannot make a self-signed certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The token or its key.
    #[error("cannot make a token: {0}")]
    Token(#[from] jsonwebtoken::errors::Error),
}

/// A self-signed TLS certificate with its private key, as PEM text.
pub struct SelfSigned {
    /// The certificate, which a client takes as its certificate authority (`--ca`).
    pub certificate: String,
    /// The private key.
    pub key: Zeroizing<String>,
}

impl SelfSigned {
    /// A certificate for `localhost`, `127.0.0.1`, `::1` and the given names.
    ///
    /// # Errors
    /// [`DevelopmentError::Certificate`] for a name that is not ASCII.
    pub fn new(names: &[&str]) -> Result<Self, DevelopmentError> {
        let mut all: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
        for name in names {
            if !all.iter().any(|known| known == name) {
                all.push((*name).to_owned());
            }
        }
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(all)?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "mikey-sakke development KMS");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2099, 12, 31);
        let certificate = params.self_signed(&key)?;
        Ok(Self { certificate: certificate.pem(), key: Zeroizing::new(key.serialize_pem()) })
    }
}

impl fmt::Debug for SelfSigned {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SelfSigned(..)")
    }
}

/// A stand-in for an identity provider: gives out ES256 tokens to whomever its owner likes.
pub struct TokenIssuer {
    issuer: String,
    audience: String,
    key_id: String,
    key: EncodingKey,
    jwk: Jwk,
}

impl TokenIssuer {
    /// An issuer with a new key.
    ///
    /// # Errors
    /// [`DevelopmentError`] if no key can be made.
    pub fn new(issuer: &str, audience: &str, key_id: &str) -> Result<Self, DevelopmentError> {
        let pem = Zeroizing::new(KeyPair::generate()?.serialize_pem());
        let key = EncodingKey::from_ec_pem(pem.as_bytes())?;
        let mut jwk = Jwk::from_encoding_key(&key, Algorithm::ES256)?;
        jwk.common.key_id = Some(key_id.to_owned());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self { issuer: issuer.to_owned(), audience: audience.to_owned(), key_id: key_id.to_owned(), key, jwk })
    }

    /// The JWK set with the public key: what `jwks.json` of the KMS must hold.
    pub fn jwks(&self) -> String {
        json!({ "keys": [self.jwk] }).to_string()
    }

    /// A token for a user that has `uri` in all three services, valid from `now` on for `lifetime`.
    ///
    /// # Errors
    /// [`DevelopmentError::Token`].
    pub fn token(&self, uri: &str, now: SystemTime, lifetime: Duration) -> Result<String, DevelopmentError> {
        self.token_with(self.claims(uri, now, lifetime))
    }

    /// The claims of [`TokenIssuer::token`], to be changed before [`TokenIssuer::token_with`] signs them.
    pub fn claims(&self, uri: &str, now: SystemTime, lifetime: Duration) -> Map<String, Value> {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut claims = Map::new();
        claims.insert("iss".into(), self.issuer.clone().into());
        claims.insert("aud".into(), self.audience.clone().into());
        claims.insert("iat".into(), now.into());
        claims.insert("exp".into(), (now + lifetime.as_secs()).into());
        claims.insert("scope".into(), Service::ALL.map(Service::scope).join(" ").into());
        for service in Service::ALL {
            claims.insert(service.claim().into(), uri.into());
        }
        claims
    }

    /// A token with these very claims.
    ///
    /// # Errors
    /// [`DevelopmentError::Token`].
    pub fn token_with(&self, claims: Map<String, Value>) -> Result<String, DevelopmentError> {
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(self.key_id.clone());
        Ok(jsonwebtoken::encode(&header, &claims, &self.key)?)
    }
}

impl fmt::Debug for TokenIssuer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TokenIssuer").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}
