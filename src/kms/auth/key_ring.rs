use super::trust::{KeyChanges, KeysChanged};
use crate::kms::config::{KeyLifetime, KeySource};
use crate::kms::custody::{self, Exposure};
use crate::kms::hash::Hash;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use reqwest::{Certificate, Client, Proxy, Url};
use serde::Deserialize;
use std::collections::HashMap;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use thiserror::Error;
use tokio::io::AsyncReadExt;
use tokio::sync::{Mutex, RwLock};

/// Tokens with invented key identifiers must not make the server fetch keys more often than this, and a provider that does
/// not answer is not waited for more often.
const RETRY_AFTER: Duration = Duration::from_secs(5);
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_OCTETS: usize = 256 * 1024;
/// What `localhost` is, whatever a resolver says (RFC 6761 6.3): keys are fetched without TLS there. The port is the URL's.
const LOOPBACK: [SocketAddr; 2] = [
    SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)),
    SocketAddr::V6(SocketAddrV6::new(Ipv6Addr::LOCALHOST, 0, 0, 0)),
];

/// Why the identity provider's keys could not be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyRingError {
    /// A file could not be read.
    #[error("cannot read {}: {source}; put the identity provider's JWK set there, or set auth.jwks_url", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the file system reports.
        source: std::io::Error,
    },
    /// Others can write a file.
    #[error("{}: {exposure}", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// What they can do.
        exposure: Exposure,
    },
    /// The URL could not be fetched.
    #[error("cannot fetch {url}: {source}")]
    Fetch {
        /// The URL.
        url: String,
        /// What the HTTP client reports.
        source: reqwest::Error,
    },
    /// The URL answered with another status than 200.
    #[error("{url} answered with status {status}")]
    Status {
        /// The URL.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// The certificate authority cannot be used by the HTTP client.
    #[error("cannot prepare to fetch {url}: {source}")]
    Client {
        /// The URL.
        url: String,
        /// What the HTTP client reports.
        source: reqwest::Error,
    },
    /// The file of the certificate authority has none.
    #[error("{} has no PEM certificate; auth.jwks_ca names that of the authority of auth.jwks_url", path.display())]
    NoAuthority {
        /// The file.
        path: PathBuf,
    },
    /// The key set is too large.
    #[error("{origin} has more than {MAX_OCTETS} octets, which is too much for a JWK set")]
    TooLarge {
        /// The file or URL.
        origin: String,
    },
    /// Not a JWK set.
    #[error("{origin} is not a JWK set: {source}")]
    NotJwkSet {
        /// The file or URL.
        origin: String,
        /// What the JSON parser reports.
        source: serde_json::Error,
    },
    /// The set has no key with a `kid` for an algorithm that is taken.
    #[error("{origin} has no key for RS256, PS256, ES256, ES384 or EdDSA with a kid")]
    NoUsableKey {
        /// The file or URL.
        origin: String,
    },
    /// The last attempt failed a moment ago.
    #[error("the identity provider's keys could not be had a moment ago, and are not asked for again so soon")]
    FailedRecently,
}

/// A public key of the identity provider and the one algorithm that it is for.
pub(super) struct VerifyingKey {
    pub(super) algorithm: Algorithm,
    pub(super) decoding: DecodingKey,
}

/// The identity provider's keys, fetched when needed and kept for a while.
pub(super) struct KeyRing {
    source: Source,
    lifetime: KeyLifetime,
    changes: KeyChanges,
    keys: RwLock<Option<Loaded>>,
    /// When loading was last tried; locked while it is being tried.
    attempt: Mutex<Option<Instant>>,
}

enum Source {
    File(PathBuf),
    Url { url: Url, client: Client, ca: Option<Hash> },
}

#[derive(Clone)]
struct Loaded {
    keys: HashMap<String, Arc<VerifyingKey>>,
    /// Of the set as it was read.
    fingerprint: Hash,
    at: Instant,
}

impl KeyRing {
    pub(super) async fn new(source: &KeySource, lifetime: KeyLifetime) -> Result<Self, KeyRingError> {
        let ring = Self::empty(source, lifetime, KeyChanges::default()).await?;
        if let Source::File(_) = ring.source {
            ring.load().await?;
        }
        Ok(ring)
    }

    /// Another in its place that has the keys of another source: one that gives none is an error, a URL too.
    pub(super) async fn replaced(&self, source: &KeySource, lifetime: KeyLifetime) -> Result<Self, KeyRingError> {
        let ring = Self::empty(source, lifetime, self.changes()).await?;
        ring.load().await?;
        Ok(ring)
    }

    /// Another that has read the same source and its certificate authority now. A file must be good; where a URL gives no keys, it has
    /// those of this one.
    pub(super) async fn renewed(&self, source: &KeySource, lifetime: KeyLifetime) -> Result<Self, KeyRingError> {
        let ring = Self::empty(source, lifetime, self.changes()).await?;
        match (ring.load().await, &ring.source) {
            (Err(error), Source::Url { .. }) => {
                tracing::warn!(%error, "the identity provider's keys could not be refreshed");
                ring.keys.write().await.clone_from(&*self.keys.read().await);
                *ring.attempt.lock().await = Some(Instant::now());
            }
            (result, _) => drop(result?),
        }
        Ok(ring)
    }

    async fn empty(source: &KeySource, lifetime: KeyLifetime, changes: KeyChanges) -> Result<Self, KeyRingError> {
        let source = Source::new(source).await?;
        Ok(Self { source, lifetime, changes, keys: RwLock::new(None), attempt: Mutex::new(None) })
    }

    /// Of the set, if there is one, and of the authority of its URL, if there is one.
    pub(super) async fn fingerprints(&self) -> (Option<Hash>, Option<Hash>) {
        let authority = match &self.source {
            Source::File(_) => None,
            Source::Url { ca, .. } => *ca,
        };
        (self.keys.read().await.as_ref().map(|loaded| loaded.fingerprint), authority)
    }

    /// Where it is told that the keys have changed.
    pub(super) fn changes(&self) -> KeyChanges {
        self.changes.clone()
    }

    /// The key of this identifier, fetched anew if it is not known or if the known ones have aged.
    pub(super) async fn find(&self, key_id: &str) -> Result<Option<Arc<VerifyingKey>>, KeyRingError> {
        let KeyLifetime { refresh, keep } = self.lifetime;
        let (known, age) = self.known(key_id).await;
        match (known, age) {
            (Some(key), Some(age)) if age < refresh => Ok(Some(key)),
            (Some(key), Some(age)) if age < keep => {
                // One request refreshes; the others go on with what is there.
                if let Ok(attempt) = self.attempt.try_lock() {
                    self.refresh(attempt).await;
                    return Ok(self.known(key_id).await.0);
                }
                Ok(Some(key))
            }
            _ => {
                let attempt = self.attempt.lock().await;
                // Another request may have fetched the key while this one waited.
                if let (Some(key), Some(age)) = self.known(key_id).await
                    && age < refresh
                {
                    return Ok(Some(key));
                }
                let failure = self.refresh(attempt).await;
                let (known, age) = self.known(key_id).await;
                match age {
                    Some(age) if age < keep => Ok(known),
                    _ => Err(failure.unwrap_or(KeyRingError::FailedRecently)),
                }
            }
        }
    }

    async fn known(&self, key_id: &str) -> (Option<Arc<VerifyingKey>>, Option<Duration>) {
        let keys = self.keys.read().await;
        match keys.as_ref() {
            None => (None, None),
            Some(loaded) => (loaded.keys.get(key_id).cloned(), Some(loaded.at.elapsed())),
        }
    }

    /// Loads the keys unless that was tried a moment ago; a failure leaves the old ones and is logged.
    async fn refresh(&self, mut attempt: tokio::sync::MutexGuard<'_, Option<Instant>>) -> Option<KeyRingError> {
        if attempt.is_some_and(|at| at.elapsed() < RETRY_AFTER) {
            return None;
        }
        // Both before and after: the request may be given up while it waits, and the next one must not wait as long at once.
        *attempt = Some(Instant::now());
        let loaded = self.load().await;
        *attempt = Some(Instant::now());
        match loaded {
            Ok(change) => {
                change.into_iter().for_each(|change| self.changes.add(change));
                None
            }
            Err(error) => {
                tracing::warn!(%error, "the identity provider's keys could not be refreshed");
                Some(error)
            }
        }
    }

    /// Tells what has changed, if anything has.
    async fn load(&self) -> Result<Option<KeysChanged>, KeyRingError> {
        let (origin, json) = self.source.read().await?;
        let (keys, jwks) = (usable_keys(&origin, &json)?, Hash::of(&json));
        let loaded = Loaded { keys, fingerprint: jwks, at: Instant::now() };
        let before = self.keys.write().await.replace(loaded).map(|before| before.fingerprint);
        Ok((before != Some(jwks)).then(|| KeysChanged { at: SystemTime::now(), origin, jwks, before }))
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("KeyRing(..)")
    }
}

impl Source {
    async fn new(source: &KeySource) -> Result<Self, KeyRingError> {
        let (url, ca, proxy) = match source {
            KeySource::File(path) => return Ok(Self::File(path.clone())),
            KeySource::Url { url, ca, proxy } => (url.clone(), ca, proxy),
        };
        let failed = |source| KeyRingError::Client { url: url.to_string(), source };
        // No proxy but the configured one: that of the environment would get what is fetched in clear, and make the keys up.
        let mut client = Client::builder()
            .timeout(FETCH_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .resolve_to_addrs("localhost", &LOOPBACK)
            .https_only(url.scheme() == "https");
        if let Some(proxy) = proxy {
            client = client.proxy(Proxy::https(proxy.clone()).map_err(failed)?);
        }
        let mut fingerprint = None;
        if let Some(ca) = ca {
            let pem = read_file(ca).await?;
            fingerprint = Some(Hash::of(&pem));
            let authorities = Certificate::from_pem_bundle(&pem).map_err(failed)?;
            if authorities.is_empty() {
                return Err(KeyRingError::NoAuthority { path: ca.clone() });
            }
            client = client.tls_certs_only(authorities);
        }
        let client = client.build().map_err(failed)?;
        Ok(Self::Url { url, client, ca: fingerprint })
    }

    async fn read(&self) -> Result<(String, Vec<u8>), KeyRingError> {
        match self {
            Self::File(path) => Ok((path.display().to_string(), read_file(path).await?)),
            Self::Url { url, client, .. } => Ok((url.to_string(), fetch(url, client).await?)),
        }
    }
}

async fn read_file(path: &Path) -> Result<Vec<u8>, KeyRingError> {
    let failed = |source| KeyRingError::File { path: path.to_owned(), source };
    let mut file = tokio::fs::File::open(path).await.map_err(failed)?;
    let metadata = file.metadata().await.map_err(failed)?;
    let exposed = |exposure| KeyRingError::Exposed { path: path.to_owned(), exposure };
    custody::require_kept(path, &metadata).map_err(exposed)?;
    let mut octets = Vec::new();
    file.read_to_end(&mut octets).await.map_err(failed)?;
    if octets.len() > MAX_OCTETS {
        return Err(KeyRingError::TooLarge { origin: path.display().to_string() });
    }
    Ok(octets)
}

async fn fetch(url: &Url, client: &Client) -> Result<Vec<u8>, KeyRingError> {
    let failed = |source| KeyRingError::Fetch { url: url.to_string(), source };
    let mut response = client.get(url.clone()).send().await.map_err(failed)?;
    if response.status() != reqwest::StatusCode::OK {
        return Err(KeyRingError::Status { url: url.to_string(), status: response.status().as_u16() });
    }
    let mut octets = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if octets.len() + chunk.len() > MAX_OCTETS {
            return Err(KeyRingError::TooLarge { origin: url.to_string() });
        }
        octets.extend_from_slice(&chunk);
    }
    Ok(octets)
}

#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<serde_json::Value>,
}

/// The keys of a set that can be used. Others are left out, and so are identifiers that two keys share.
fn usable_keys(origin: &str, json: &[u8]) -> Result<HashMap<String, Arc<VerifyingKey>>, KeyRingError> {
    let set: JwkSet =
        serde_json::from_slice(json).map_err(|source| KeyRingError::NotJwkSet { origin: origin.to_owned(), source })?;
    let mut keys: HashMap<String, Option<Arc<VerifyingKey>>> = HashMap::new();
    for (key_id, key) in set.keys.into_iter().filter_map(usable_key) {
        keys.entry(key_id).and_modify(|ambiguous| *ambiguous = None).or_insert_with(|| Some(Arc::new(key)));
    }
    let keys: HashMap<_, _> = keys.into_iter().filter_map(|(key_id, key)| Some((key_id, key?))).collect();
    if keys.is_empty() {
        return Err(KeyRingError::NoUsableKey { origin: origin.to_owned() });
    }
    Ok(keys)
}

fn usable_key(jwk: serde_json::Value) -> Option<(String, VerifyingKey)> {
    let jwk: Jwk = serde_json::from_value(jwk).ok()?;
    let algorithm = its_algorithm(&jwk)?;
    let common = &jwk.common;
    let for_signatures = common.public_key_use.as_ref().is_none_or(|purpose| *purpose == PublicKeyUse::Signature);
    let for_verifying = common.key_operations.as_ref().is_none_or(|purposes| purposes.contains(&KeyOperations::Verify));
    if !(for_signatures && for_verifying) {
        return None;
    }
    let key_id = common.key_id.clone()?;
    let decoding = DecodingKey::from_jwk(&jwk).ok()?;
    Some((key_id, VerifyingKey { algorithm, decoding }))
}

/// The one algorithm that a key is for: what it says itself, or else what providers mean that leave it out.
fn its_algorithm(jwk: &Jwk) -> Option<Algorithm> {
    let name = jwk.common.key_algorithm;
    let only = |algorithm: Algorithm| name.is_none_or(|name| name == algorithm.into()).then_some(algorithm);
    match &jwk.algorithm {
        AlgorithmParameters::RSA(_) if name == Some(KeyAlgorithm::PS256) => Some(Algorithm::PS256),
        AlgorithmParameters::RSA(_) => only(Algorithm::RS256),
        AlgorithmParameters::EllipticCurve(key) => match key.curve {
            EllipticCurve::P256 => only(Algorithm::ES256),
            EllipticCurve::P384 => only(Algorithm::ES384),
            _ => None,
        },
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => only(Algorithm::EdDSA),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kms::development::{SelfSigned, TokenIssuer};
    use crate::kms::testing;
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    fn jwks(key_id: &str) -> String {
        TokenIssuer::new("i", "a", key_id).unwrap().jwks()
    }

    fn jwk(key_id: &str) -> serde_json::Value {
        serde_json::from_str::<serde_json::Value>(&jwks(key_id)).unwrap()["keys"][0].clone()
    }

    fn usable(keys: &[serde_json::Value]) -> Result<Vec<String>, KeyRingError> {
        let set = serde_json::json!({ "keys": keys }).to_string();
        usable_keys("set", set.as_bytes()).map(|keys| keys.into_keys().collect())
    }

    #[test]
    fn keys_for_other_ends_are_left_out() {
        for (member, value) in [
            ("use", "enc".into()),
            ("alg", "ES384".into()),
            ("crv", "P-384".into()),
            ("kty", "oct".into()),
            ("kid", serde_json::Value::Null),
            ("key_ops", serde_json::json!(["sign"])),
            ("x", "####".into()),
        ] {
            let mut other = jwk("other");
            other[member] = value;
            assert!(matches!(usable(&[other.clone()]), Err(KeyRingError::NoUsableKey { .. })), "{member}");
            assert_eq!(usable(&[other, jwk("good")]).unwrap(), ["good"], "{member}");
        }
    }

    #[test]
    fn a_key_is_for_one_algorithm() {
        let rsa = serde_json::json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB" });
        let p256 = serde_json::json!({ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" });
        let p384 = serde_json::json!({ "kty": "EC", "crv": "P-384", "x": "AA", "y": "AA" });
        let p521 = serde_json::json!({ "kty": "EC", "crv": "P-521", "x": "AA", "y": "AA" });
        let ed25519 = serde_json::json!({ "kty": "OKP", "crv": "Ed25519", "x": "AA" });
        for (jwk, without_alg, with_others) in [
            (&rsa, Some(Algorithm::RS256), &[("RS256", Algorithm::RS256), ("PS256", Algorithm::PS256)][..]),
            (&p256, Some(Algorithm::ES256), &[("ES256", Algorithm::ES256)]),
            (&p384, Some(Algorithm::ES384), &[("ES384", Algorithm::ES384)]),
            (&p521, None, &[]),
            (&ed25519, Some(Algorithm::EdDSA), &[("EdDSA", Algorithm::EdDSA)]),
        ] {
            let parsed = |jwk: serde_json::Value| serde_json::from_value::<Jwk>(jwk).unwrap();
            assert_eq!(its_algorithm(&parsed(jwk.clone())), without_alg, "{jwk}");
            for name in
                ["RS256", "RS384", "RS512", "PS256", "PS384", "ES256", "ES384", "EdDSA", "HS256", "RSA-OAEP", "?"]
            {
                let mut named = jwk.clone();
                named["alg"] = name.into();
                let expected = with_others.iter().find(|(other, _)| *other == name).map(|(_, algorithm)| *algorithm);
                assert_eq!(its_algorithm(&parsed(named)), expected, "{jwk} {name}");
            }
        }
    }

    #[test]
    fn an_identifier_of_two_keys_means_neither() {
        assert_eq!(usable(&[jwk("twice"), jwk("once"), jwk("twice"), jwk("twice")]).unwrap(), ["once"]);
    }

    #[test]
    fn what_is_no_set_is_named() {
        for json in ["", "[]", "{\"keys\": 1}"] {
            assert!(matches!(usable_keys("set", json.as_bytes()), Err(KeyRingError::NotJwkSet { .. })), "{json}");
        }
        assert!(matches!(usable(&[]), Err(KeyRingError::NoUsableKey { .. })));
    }

    #[tokio::test]
    async fn a_file_is_read_at_once_and_again_for_an_unknown_key() {
        let folder = testing::folder();
        let path = folder.path().join("jwks.json");
        let source = KeySource::File(path.clone());
        assert!(matches!(KeyRing::new(&source, KeyLifetime::default()).await, Err(KeyRingError::File { .. })));
        std::fs::write(&path, vec![b' '; MAX_OCTETS + 1]).unwrap();
        assert!(matches!(KeyRing::new(&source, KeyLifetime::default()).await, Err(KeyRingError::TooLarge { .. })));
        std::fs::write(&path, jwks("old")).unwrap();
        let ring = KeyRing::new(&source, KeyLifetime::default()).await.unwrap();
        std::fs::write(&path, jwks("new")).unwrap();
        assert!(ring.find("old").await.unwrap().is_some());
        assert!(ring.find("new").await.unwrap().is_some());
        assert!(ring.find("old").await.unwrap().is_none());
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_file_that_others_can_write_is_not_read_whenever_that_was() {
        use std::os::unix::fs::PermissionsExt;
        let folder = testing::folder();
        let path = folder.path().join("jwks.json");
        let write = |key_id, mode| {
            std::fs::write(&path, jwks(key_id)).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        let source = KeySource::File(path.clone());
        write("one", 0o644);
        let ring = KeyRing::new(&source, KeyLifetime::default()).await.unwrap();
        write("two", 0o666);
        assert!(ring.find("two").await.unwrap().is_none());
        assert!(ring.find("one").await.unwrap().is_some());
        let error = KeyRing::new(&source, KeyLifetime::default()).await.unwrap_err();
        assert!(matches!(&error, KeyRingError::Exposed { path: exposed, .. } if *exposed == path), "{error}");
        assert_eq!(ring.changes().take(), None);
    }

    #[tokio::test]
    async fn another_set_is_told_of_and_the_same_is_not() {
        let folder = testing::folder();
        let path = folder.path().join("jwks.json");
        let (one, two) = (jwks("one"), jwks("two"));
        let hash = |set: &str| Hash::of(set.as_bytes());
        std::fs::write(&path, &one).unwrap();
        let ring = KeyRing::new(&KeySource::File(path.clone()), KeyLifetime::default()).await.unwrap();
        let again = async |ring: &KeyRing| {
            *ring.attempt.lock().await = None;
            ring.find("unknown").await.unwrap();
            ring.changes().take()
        };
        assert_eq!(ring.fingerprints().await, (Some(hash(&one)), None));
        assert_eq!(again(&ring).await, None);
        std::fs::write(&path, &two).unwrap();
        let changed = again(&ring).await.unwrap();
        assert_eq!((changed.jwks, changed.before), (hash(&two), Some(hash(&one))));
        assert_eq!(changed.origin, path.display().to_string());
        assert_eq!(again(&ring).await, None);

        // What a reload reads is told by the reload; what is read after it is told where it always was.
        std::fs::write(&path, &one).unwrap();
        let renewed = ring.renewed(&KeySource::File(path.clone()), KeyLifetime::default()).await.unwrap();
        assert_eq!((ring.changes().take(), renewed.fingerprints().await.0), (None, Some(hash(&one))));
        std::fs::write(&path, &two).unwrap();
        *renewed.attempt.lock().await = None;
        renewed.find("two").await.unwrap();
        assert_eq!(ring.changes().next().await.before, Some(hash(&one)));

        let (source, _) = provider(|_| ok(&"{\"keys\":[KEY]}".replace("KEY", &jwk("one").to_string()))).await;
        let fetched = ring.replaced(&source, KeyLifetime::default()).await.unwrap();
        assert_eq!(ring.changes().take(), None);
        assert!(fetched.fingerprints().await.0.is_some());
        let first = KeyRing::new(&source, KeyLifetime::default()).await.unwrap();
        assert_eq!(first.fingerprints().await, (None, None));
        first.find("one").await.unwrap();
        assert_eq!(first.changes().take().unwrap().before, None, "the first that came from a URL");
    }

    /// Serves what `answer` gives, and counts how often it was asked.
    async fn provider(answer: fn(usize) -> String) -> (KeySource, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks", listener.local_addr().unwrap()).parse().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = asked.clone();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(answer(counter.fetch_add(1, Ordering::SeqCst)).as_bytes()).await;
            }
        });
        (KeySource::Url { url, ca: None, proxy: None }, asked)
    }

    fn ok(body: &str) -> String {
        format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    }

    #[tokio::test]
    async fn a_url_is_fetched_when_needed_but_not_for_every_invented_key() {
        let (source, asked) = provider(|_| ok(&jwks("one"))).await;
        let ring = KeyRing::new(&source, KeyLifetime::default()).await.unwrap();
        assert_eq!(asked.load(Ordering::SeqCst), 0);
        assert!(ring.find("one").await.unwrap().is_some());
        for _ in 0..10 {
            assert!(ring.find("two").await.unwrap().is_none());
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_source_that_must_have_keys_has_them_at_once() {
        let (source, asked) = provider(|asked| if asked == 0 { ok(&jwks("one")) } else { String::new() }).await;
        let ring = KeyRing::new(&source, KeyLifetime::default()).await.unwrap();
        ring.replaced(&source, KeyLifetime::default()).await.unwrap();
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        let error = ring.replaced(&source, KeyLifetime::default()).await.unwrap_err();
        assert!(matches!(error, KeyRingError::Fetch { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_proxy_that_is_configured_gets_a_tunnel() {
        let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let source = KeySource::Url {
            url: "https://idms.invalid/jwks".parse().unwrap(),
            ca: None,
            proxy: Some(format!("http://{}", proxy.local_addr().unwrap()).parse().unwrap()),
        };
        let ring = KeyRing::new(&source, KeyLifetime::default()).await.unwrap();
        let asked = async {
            let (mut stream, _) = proxy.accept().await.unwrap();
            let mut asked = vec![0; 4096];
            let length = stream.read(&mut asked).await.unwrap();
            String::from_utf8_lossy(&asked[..length]).into_owned()
        };
        let (found, asked) = tokio::join!(ring.find("one"), asked);
        assert!(matches!(found, Err(KeyRingError::Fetch { .. })));
        assert!(asked.starts_with("CONNECT idms.invalid:443 HTTP/1.1\r\n"), "{asked}");
    }

    #[tokio::test]
    async fn a_renewed_ring_has_new_keys_or_keeps_the_old_ones_and_looks_up_unknown_ones_at_once() {
        let (source, asked) = provider(|asked| match asked {
            0 => ok(&jwks("one")),
            1 => ok(&jwks("two")),
            2 => ok(&jwks("three")),
            _ => String::new(),
        })
        .await;
        let ring = KeyRing::new(&source, KeyLifetime::default()).await.unwrap();
        assert!(ring.find("one").await.unwrap().is_some());
        let renewed = ring.renewed(&source, KeyLifetime::default()).await.unwrap();
        assert!(renewed.find("two").await.unwrap().is_some());
        assert!(renewed.find("three").await.unwrap().is_some(), "looked up though there was a reload a moment ago");
        assert!(ring.find("one").await.unwrap().is_some(), "whoever goes on with the old ones has them");

        let renewed = renewed.renewed(&source, KeyLifetime::default()).await.unwrap();
        assert!(renewed.find("three").await.unwrap().is_some());
        let asked_until_now = asked.load(Ordering::SeqCst);
        assert!(renewed.find("four").await.unwrap().is_none());
        assert_eq!(asked.load(Ordering::SeqCst), asked_until_now, "a provider that is away is not asked so soon");
    }

    #[tokio::test]
    async fn a_renewed_ring_trusts_the_authority_that_is_in_the_file_now() {
        let provider = SelfSigned::new(&[]).unwrap();
        let config =
            rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(
                    vec![CertificateDer::from_pem_slice(provider.certificate.as_bytes()).unwrap()],
                    PrivateKeyDer::from_pem_slice(provider.key.as_bytes()).unwrap(),
                )
                .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/jwks", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move {
            loop {
                // Whoever does not trust it goes away.
                let Ok(mut stream) = acceptor.accept(listener.accept().await.unwrap().0).await else { continue };
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(ok(&jwks("one")).as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        let folder = testing::folder();
        let ca = folder.path().join("ca.pem");
        std::fs::write(&ca, SelfSigned::new(&[]).unwrap().certificate).unwrap();
        let source = KeySource::Url { url, ca: Some(ca.clone()), proxy: None };
        let ring = KeyRing::new(&source, KeyLifetime::default()).await.unwrap();
        assert!(matches!(ring.find("one").await, Err(KeyRingError::Fetch { .. })));
        std::fs::write(&ca, &provider.certificate).unwrap();
        let ring = ring.renewed(&source, KeyLifetime::default()).await.unwrap();
        assert!(ring.find("one").await.unwrap().is_some());
        std::fs::write(&ca, "rubbish").unwrap();
        let refused = ring.renewed(&source, KeyLifetime::default()).await.map(drop);
        assert!(matches!(refused, Err(KeyRingError::NoAuthority { .. })), "{refused:?}");
        std::fs::remove_file(&ca).unwrap();
        let refused = ring.renewed(&source, KeyLifetime::default()).await.map(drop);
        assert!(matches!(refused, Err(KeyRingError::File { .. })), "{refused:?}");
    }

    #[tokio::test]
    async fn an_outage_is_an_error_only_without_keys() {
        let (source, _) = provider(|asked| if asked == 0 { ok(&jwks("one")) } else { String::new() }).await;
        let ring = KeyRing::new(&source, KeyLifetime::default()).await.unwrap();
        assert!(ring.find("one").await.unwrap().is_some());
        *ring.attempt.lock().await = None;
        assert!(ring.find("two").await.unwrap().is_none());
        assert!(ring.find("one").await.unwrap().is_some());

        let (source, _) = provider(|_| "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n".into()).await;
        let ring = KeyRing::new(&source, KeyLifetime::default()).await.unwrap();
        assert!(matches!(ring.find("one").await, Err(KeyRingError::Status { status: 302, .. })));
        assert!(matches!(ring.find("one").await, Err(KeyRingError::FailedRecently)));

        let (source, _) = provider(|_| ok(&" ".repeat(MAX_OCTETS + 1))).await;
        let ring = KeyRing::new(&source, KeyLifetime::default()).await.unwrap();
        assert!(matches!(ring.find("one").await, Err(KeyRingError::TooLarge { .. })));
    }
}
