//! Who a request comes from: bearer tokens (RFC 6750) that are JWTs (RFC 7519) of one identity provider, or the TLS certificate
//! of a client that is known by it.
//!
//! A token is taken only if all of this holds: signed with RS256, PS256, ES256, ES384 or EdDSA (Ed25519) by a key that its
//! `kid` names in the provider's JWK set and that is meant for this algorithm alone; `iss` and `aud` as configured; `exp`
//! in the future and `nbf`, if present, in the past, but for a small leeway; no critical extension. Its `scope` then says
//! for which services it opens the KMS, and the identity claim of each such service (TS 33.180 B.4.2.2) which URI its
//! holder has there.

mod certificate;
mod key_ring;
mod token;
mod trust;

use super::config::{AuthConfig, KeySource};
pub use certificate::CertificateFault;
pub(super) use certificate::CertificateHolders;
use jsonwebtoken::{Algorithm, Validation};
use key_ring::KeyRing;
use std::time::{Duration, SystemTime};
use thiserror::Error;
pub(super) use token::claimed_key_id;
use token::{Claims, TokenHeader, bearer_token, refusal};

pub use key_ring::KeyRingError;
pub use trust::Trust;
pub(super) use trust::{KeyChanges, KeysChanged};

/// The services of an MC system, each with a scope and an identity claim of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// MCPTT.
    Ptt,
    /// MCVideo.
    Video,
    /// MCData.
    Data,
}

impl Service {
    /// All services, in the order in which a token's identities are listed.
    pub const ALL: [Self; 3] = [Self::Ptt, Self::Video, Self::Data];

    /// The scope that opens the KMS for this service.
    pub fn scope(self) -> &'static str {
        match self {
            Self::Ptt => "3gpp:mc:ptt_key_management_service",
            Self::Video => "3gpp:mc:video_key_management_service",
            Self::Data => "3gpp:mc:data_key_management_service",
        }
    }

    /// The claim that holds the user's URI in this service.
    pub fn claim(self) -> &'static str {
        match self {
            Self::Ptt => "mcptt_id",
            Self::Video => "mcvideo_id",
            Self::Data => "mcdata_id",
        }
    }
}

/// What a valid token says about its holder, or a certificate of one who is known by that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identities {
    uris: Vec<String>,
}

impl Identities {
    /// These, each once; `None` without any.
    fn of(uris: Vec<String>) -> Option<Self> {
        let mut each = Vec::with_capacity(uris.len());
        for uri in uris {
            if !each.contains(&uri) {
                each.push(uri);
            }
        }
        (!each.is_empty()).then_some(Self { uris: each })
    }

    /// The URIs of the holder in the services that the token opens, each once, in the order of [`Service::ALL`];
    /// at least one.
    pub fn uris(&self) -> &[String] {
        &self.uris
    }

    /// Whether the token says that this exact URI is its holder's.
    pub fn has(&self, uri: &str) -> bool {
        self.uris.iter().any(|own| own == uri)
    }
}

/// Why a request was not let in.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AuthError {
    /// No `Authorization` header.
    #[error("no access token: send Authorization: Bearer TOKEN")]
    NoToken,
    /// No `Authorization` header, and a TLS certificate that stands for nobody.
    #[error("no access token, and the TLS certificate that was shown does not count: {0}")]
    UselessCertificate(CertificateFault),
    /// An `Authorization` header of another scheme or form.
    #[error("the Authorization header is not of the form Bearer TOKEN")]
    NotBearer,
    /// Not a JWT, or a claim of a wrong type.
    #[error("the access token is malformed: {0}")]
    Malformed(&'static str),
    /// Signed with another algorithm, or not signed.
    #[error("the access token's algorithm is not allowed: RS256, PS256, ES256, ES384 and EdDSA are")]
    AlgorithmNotAllowed,
    /// A critical header extension, which a receiver must understand or refuse (RFC 7515 4.1.11).
    #[error("the access token has a critical header extension, which is not supported")]
    CriticalExtension,
    /// No `kid`.
    #[error("the access token does not name its key (kid)")]
    NoKeyId,
    /// The key that it names is not in the provider's key set.
    #[error("the access token is signed with a key that the identity provider does not publish")]
    UnknownKey,
    /// The key that it names is for another algorithm.
    #[error("the access token's algorithm is not that of its key")]
    AlgorithmMismatch,
    /// The signature does not verify.
    #[error("the access token's signature is wrong")]
    BadSignature,
    /// A required claim is absent.
    #[error("the access token has no {0} claim")]
    MissingClaim(&'static str),
    /// `exp` is past.
    #[error("the access token has expired")]
    Expired,
    /// `nbf` is still to come.
    #[error("the access token is not valid yet")]
    NotYetValid,
    /// `iss` is another.
    #[error("the access token is of another issuer")]
    WrongIssuer,
    /// `aud` does not name this KMS.
    #[error("the access token is for another audience")]
    WrongAudience,
    /// No scope of a key management service.
    #[error("the access token's scope does not include a key management service (3gpp:mc:*_key_management_service)")]
    InsufficientScope,
    /// No identity claim of a service that the scope opens.
    #[error("the access token has no identity (mcptt_id, mcvideo_id, mcdata_id) of a service that its scope opens")]
    NoIdentity,
    /// The provider's keys could not be had: not the client's fault.
    #[error("the identity provider's keys are not available")]
    KeysUnavailable(#[source] KeyRingError),
}

/// Checks access tokens. Shared by all requests.
#[derive(Debug)]
pub struct Authenticator {
    issuer: String,
    audience: String,
    leeway: Duration,
    source: KeySource,
    keys: KeyRing,
}

impl Authenticator {
    /// An authenticator by the `[auth]` section. The key set of a file is read at once, that of a URL when first needed.
    ///
    /// # Errors
    /// [`KeyRingError`] if the file or the certificate authority cannot be used.
    pub async fn new(config: &AuthConfig) -> Result<Self, KeyRingError> {
        let keys = KeyRing::new(&config.keys, config.lifetime).await?;
        Ok(Self::with(config, keys))
    }

    /// One by another `[auth]` section. The keys of a provider that stays the same are fetched anew; if a URL does not give any, those
    /// that were had stay in use. Another provider's must be there: without any keys nobody is let in.
    ///
    /// # Errors
    /// [`KeyRingError`] if a file or the certificate authority cannot be used, or another URL gives no keys.
    pub async fn renewed(&self, config: &AuthConfig) -> Result<Self, KeyRingError> {
        let keys = match config.keys == self.source {
            true => self.keys.renewed(&config.keys, config.lifetime).await?,
            false => self.keys.replaced(&config.keys, config.lifetime).await?,
        };
        Ok(Self::with(config, keys))
    }

    /// SHA-256 of the keys that tokens are checked by, and of the authority that they are fetched under.
    pub(super) async fn trust(&self) -> Trust {
        let (jwks, jwks_ca) = self.keys.fingerprints().await;
        Trust {
            jwks: jwks.map(|hash| hash.to_string()),
            jwks_ca: jwks_ca.map(|hash| hash.to_string()),
            ..Trust::default()
        }
    }

    /// What has changed of the keys since, here and in those that were [renewed](Self::renewed) from it.
    pub(super) fn key_changes(&self) -> KeyChanges {
        self.keys.changes()
    }

    fn with(config: &AuthConfig, keys: KeyRing) -> Self {
        Self {
            issuer: config.issuer.clone(),
            audience: config.audience.clone(),
            leeway: config.leeway,
            source: config.keys.clone(),
            keys,
        }
    }

    /// Checks the value of an `Authorization` header at the time `now`.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn authenticate(&self, authorization: Option<&[u8]>, now: SystemTime) -> Result<Identities, AuthError> {
        let authorization = authorization.ok_or(AuthError::NoToken)?;
        let token = bearer_token(authorization).ok_or(AuthError::NotBearer)?;
        let claims = self.verify(token, now).await?;
        claims.identities()
    }

    async fn verify(&self, token: &str, now: SystemTime) -> Result<Claims, AuthError> {
        let header = TokenHeader::of(token)?;
        let algorithm = match header.alg.as_str() {
            "RS256" => Algorithm::RS256,
            "PS256" => Algorithm::PS256,
            "ES256" => Algorithm::ES256,
            "ES384" => Algorithm::ES384,
            "EdDSA" => Algorithm::EdDSA,
            _ => return Err(AuthError::AlgorithmNotAllowed),
        };
        if header.crit.is_some() {
            return Err(AuthError::CriticalExtension);
        }
        let key_id = header.kid.ok_or(AuthError::NoKeyId)?;
        let key = self.keys.find(&key_id).await.map_err(AuthError::KeysUnavailable)?.ok_or(AuthError::UnknownKey)?;
        if key.algorithm != algorithm {
            return Err(AuthError::AlgorithmMismatch);
        }
        let claims: Claims = jsonwebtoken::decode(token, &key.decoding, &self.validation(algorithm))
            .map_err(|error| refusal(error.kind()))?
            .claims;
        claims.check(&self.issuer, self.leeway, now)?;
        Ok(claims)
    }

    /// The library checks signature and audience; issuer and times are checked in [`Claims::check`], more strictly and
    /// at a given time.
    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.set_audience(&[&self.audience]);
        // Not exp, which it takes for absent where it is negative or large.
        validation.set_required_spec_claims(&["iss", "aud"]);
        validation.validate_exp = false;
        validation
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kms::config::{KeyLifetime, KeySource};
    use crate::kms::development::TokenIssuer;
    use crate::kms::testing;
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use jsonwebtoken::{EncodingKey, Header};
    use serde_json::{Map, Value, json};
    use std::time::UNIX_EPOCH;

    const ALICE: &str = "sip:alice@example.org";

    struct Provider {
        issuer: TokenIssuer,
        authenticator: Authenticator,
        now: SystemTime,
    }

    impl Provider {
        async fn new() -> Self {
            let folder = testing::folder();
            let path = folder.path().join("jwks.json");
            let issuer = TokenIssuer::new("https://idms.example.org", "kms", "key-1").unwrap();
            std::fs::write(&path, issuer.jwks()).unwrap();
            let config = AuthConfig {
                issuer: "https://idms.example.org".into(),
                audience: "kms".into(),
                keys: KeySource::File(path),
                lifetime: KeyLifetime::default(),
                leeway: Duration::from_secs(30),
                certificates: None,
            };
            let authenticator = Authenticator::new(&config).await.unwrap();
            Self { issuer, authenticator, now: UNIX_EPOCH + Duration::from_secs(1_700_000_000) }
        }

        fn claims(&self) -> Map<String, Value> {
            self.issuer.claims(ALICE, self.now, Duration::from_secs(300))
        }

        async fn check(&self, token: &str, now: SystemTime) -> Result<Identities, AuthError> {
            self.authenticator.authenticate(Some(format!("Bearer {token}").as_bytes()), now).await
        }

        async fn with(&self, name: &str, value: Value) -> Result<Identities, AuthError> {
            let mut claims = self.claims();
            claims.insert(name.to_owned(), value);
            self.check(&self.issuer.token_with(claims).unwrap(), self.now).await
        }

        async fn without(&self, name: &str) -> Result<Identities, AuthError> {
            let mut claims = self.claims();
            claims.remove(name).unwrap();
            self.check(&self.issuer.token_with(claims).unwrap(), self.now).await
        }
    }

    macro_rules! refused {
        ($result:expr, $error:pat) => {
            let result = $result;
            assert!(matches!(result, Err($error)), "{result:?}");
        };
    }

    #[tokio::test]
    async fn a_good_token_opens() {
        let provider = Provider::new().await;
        let token = provider.issuer.token(ALICE, provider.now, Duration::from_secs(300)).unwrap();
        let identities = provider.check(&token, provider.now).await.unwrap();
        assert_eq!(identities.uris(), [ALICE]);
        assert!(identities.has(ALICE) && !identities.has("sip:bob@example.org"));
        let header = format!("bearer  {token}");
        assert!(provider.authenticator.authenticate(Some(header.as_bytes()), provider.now).await.is_ok());
    }

    #[tokio::test]
    async fn other_authorization_headers_are_refused() {
        let provider = Provider::new().await;
        refused!(provider.authenticator.authenticate(None, provider.now).await, AuthError::NoToken);
        for header in [&b"Basic YTpi"[..], b"Bearer", b"", b"Bearer \xff"] {
            refused!(provider.authenticator.authenticate(Some(header), provider.now).await, AuthError::NotBearer);
        }
        for token in ["", "abc", "a.b.c", "####.b.c", "e30.e30.", "bnVsbA.e30.e30"] {
            refused!(provider.check(token, provider.now).await, AuthError::Malformed(_));
        }
    }

    #[tokio::test]
    async fn times_are_checked_with_leeway() {
        let provider = Provider::new().await;
        let token = provider.issuer.token_with(provider.claims()).unwrap();
        let at = |seconds| provider.now + Duration::from_secs(seconds);
        assert!(provider.check(&token, at(329)).await.is_ok());
        refused!(provider.check(&token, at(330)).await, AuthError::Expired);
        refused!(provider.with("exp", json!(-1)).await, AuthError::Expired);
        refused!(provider.with("exp", json!(0)).await, AuthError::Expired);
        refused!(provider.with("exp", json!(1e30)).await, AuthError::Malformed(_));
        refused!(provider.without("exp").await, AuthError::MissingClaim("exp"));
        assert!(provider.with("nbf", json!(1_700_000_030)).await.is_ok());
        refused!(provider.with("nbf", json!(1_700_000_031)).await, AuthError::NotYetValid);
        refused!(provider.without("exp").await, AuthError::MissingClaim("exp"));
        refused!(provider.with("exp", json!("1800000000")).await, AuthError::Malformed(_));
    }

    #[tokio::test]
    async fn issuer_and_audience_are_required_and_exact() {
        let provider = Provider::new().await;
        refused!(provider.without("iss").await, AuthError::MissingClaim("iss"));
        refused!(provider.without("aud").await, AuthError::MissingClaim("aud"));
        refused!(provider.with("iss", json!("https://idms.example.org/")).await, AuthError::WrongIssuer);
        let several = json!(["https://idms.example.org", "https://evil.example"]);
        refused!(provider.with("iss", several).await, AuthError::WrongIssuer);
        refused!(provider.with("aud", json!("other")).await, AuthError::WrongAudience);
        refused!(provider.with("aud", json!([])).await, AuthError::WrongAudience);
        assert!(provider.with("aud", json!(["other", "kms"])).await.is_ok());
    }

    #[tokio::test]
    async fn scope_decides_which_identities_count() {
        let provider = Provider::new().await;
        refused!(provider.without("scope").await, AuthError::InsufficientScope);
        refused!(provider.with("scope", json!("openid 3gpp:mc:ptt_service")).await, AuthError::InsufficientScope);
        refused!(
            provider.with("scope", json!("3gpp:mc:ptt_key_management_servicex")).await,
            AuthError::InsufficientScope
        );
        assert!(provider.with("scope", json!(["openid", "3gpp:mc:data_key_management_service"])).await.is_ok());

        let mut claims = provider.claims();
        claims.insert("mcptt_id".into(), "sip:ptt@example.org".into());
        claims.insert("mcvideo_id".into(), "sip:video@example.org".into());
        claims.insert("mcdata_id".into(), "sip:ptt@example.org".into());
        for (scope, expected) in [
            ("3gpp:mc:ptt_key_management_service", &["sip:ptt@example.org"][..]),
            ("openid 3gpp:mc:video_key_management_service", &["sip:video@example.org"]),
            (
                "3gpp:mc:data_key_management_service 3gpp:mc:video_key_management_service",
                &["sip:video@example.org", "sip:ptt@example.org"],
            ),
        ] {
            claims.insert("scope".into(), scope.into());
            let token = provider.issuer.token_with(claims.clone()).unwrap();
            assert_eq!(provider.check(&token, provider.now).await.unwrap().uris(), expected, "{scope}");
        }

        claims.remove("mcvideo_id");
        claims.insert("scope".into(), Service::Video.scope().into());
        let token = provider.issuer.token_with(claims).unwrap();
        refused!(provider.check(&token, provider.now).await, AuthError::NoIdentity);
    }

    #[tokio::test]
    async fn only_the_named_key_with_its_algorithm_counts() {
        let provider = Provider::new().await;
        let claims = provider.claims();
        let stranger = TokenIssuer::new("https://idms.example.org", "kms", "key-1").unwrap();
        refused!(
            provider.check(&stranger.token_with(claims.clone()).unwrap(), provider.now).await,
            AuthError::BadSignature
        );
        let unpublished = TokenIssuer::new("https://idms.example.org", "kms", "key-2").unwrap();
        refused!(
            provider.check(&unpublished.token_with(claims.clone()).unwrap(), provider.now).await,
            AuthError::UnknownKey
        );

        let good = provider.issuer.token_with(claims).unwrap();
        let (_, rest) = good.split_once('.').unwrap();
        let with_header = |header: &str| format!("{}.{rest}", BASE64_URL_SAFE_NO_PAD.encode(header));
        for (header, expected) in [
            (r#"{"alg":"none"}"#, "algorithm is not allowed"),
            (r#"{"alg":"HS256","kid":"key-1"}"#, "algorithm is not allowed"),
            (r#"{"alg":"ES512","kid":"key-1"}"#, "algorithm is not allowed"),
            (r#"{"alg":"RS512","kid":"key-1"}"#, "algorithm is not allowed"),
            (r#"{"alg":"RS256","kid":"key-1"}"#, "not that of its key"),
            (r#"{"alg":"PS256","kid":"key-1"}"#, "not that of its key"),
            (r#"{"alg":"ES384","kid":"key-1"}"#, "not that of its key"),
            (r#"{"alg":"EdDSA","kid":"key-1"}"#, "not that of its key"),
            (r#"{"alg":"ES256"}"#, "does not name its key"),
            (r#"{"alg":"ES256","kid":"key-1","crit":["b64"]}"#, "critical"),
            (r#"{"alg":"ES256","alg":"ES256","kid":"key-1"}"#, "malformed"),
            (r#"{"alg":"ES256","kid":"key-1","typ":"JWT" }"#, "signature is wrong"),
        ] {
            let error = provider.check(&with_header(header), provider.now).await.unwrap_err().to_string();
            assert!(error.contains(expected), "{header}: {error}");
        }
        let unsigned = good.rsplit_once('.').unwrap().0;
        refused!(provider.check(&format!("{unsigned}."), provider.now).await, AuthError::BadSignature);
    }

    #[tokio::test]
    async fn a_secret_made_of_the_public_key_does_not_sign() {
        let provider = Provider::new().await;
        let jwks: Value = serde_json::from_str(&provider.issuer.jwks()).unwrap();
        let secret = EncodingKey::from_secret(jwks["keys"][0]["x"].as_str().unwrap().as_bytes());
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some("key-1".into());
        let token = jsonwebtoken::encode(&header, &provider.claims(), &secret).unwrap();
        refused!(provider.check(&token, provider.now).await, AuthError::AlgorithmNotAllowed);
    }
}
