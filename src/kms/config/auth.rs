//! Whose tokens and certificates open the KMS.

use super::certificates::{self, CertificatesSection, ClientCertificates};
use super::{ConfigError, check, check_range, quoted, relative};
use reqwest::Url;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The `[auth]` section: whose tokens the server accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthConfig {
    /// The one issuer (`iss`).
    pub issuer: String,
    /// The audience (`aud`) that a token must name.
    pub audience: String,
    /// Where the issuer's public keys come from.
    pub keys: KeySource,
    /// How long they are used.
    pub lifetime: KeyLifetime,
    /// The difference of clocks that is forgiven in `exp` and `nbf`.
    pub leeway: Duration,
    /// Clients that show a TLS certificate in place of a token.
    pub certificates: Option<ClientCertificates>,
}

/// Where the public keys of the token issuer come from (a JWK set, RFC 7517).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// A file; read again when a token names a key that is not in it.
    File(PathBuf),
    /// An HTTPS URL (HTTP only on the loopback interface), fetched again from time to time and when a token names an
    /// unknown key.
    Url {
        /// The URL of the key set.
        url: Url,
        /// PEM file of the certificate authority of the URL's host; without it, those of the system.
        ca: Option<PathBuf>,
        /// HTTP proxy that the connection is tunnelled through (CONNECT); without it, none: not that of the environment.
        proxy: Option<Url>,
    },
}

/// How long the public keys of the token issuer are used before they are read anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyLifetime {
    /// `jwks_refresh`: from this age on they are read again when a token comes, so that a withdrawn key stops working.
    pub refresh: Duration,
    /// `jwks_keep`: while they cannot be read, they are used up to this age.
    pub keep: Duration,
}

impl Default for KeyLifetime {
    /// Ten minutes, and a day during an outage.
    fn default() -> Self {
        Self { refresh: Duration::from_secs(jwks_refresh()), keep: Duration::from_secs(jwks_keep()) }
    }
}

impl AuthConfig {
    /// One for tokens of this issuer, and otherwise as where a key is left out.
    pub(in crate::kms) fn new(issuer: String, audience: String, keys: KeySource) -> Self {
        let leeway = Duration::from_secs(leeway());
        Self { issuer, audience, keys, lifetime: KeyLifetime::default(), leeway, certificates: None }
    }

    /// The files that say who is who, each with the key that names it.
    pub(in crate::kms) fn files(&self) -> Vec<(&'static str, &Path)> {
        let of_tokens = match &self.keys {
            KeySource::File(file) => Some(("auth.jwks_file", file.as_path())),
            KeySource::Url { ca, .. } => ca.as_deref().map(|ca| ("auth.jwks_ca", ca)),
        };
        let authority = self.certificates.as_ref().and_then(|certificates| certificates.ca.as_deref());
        of_tokens.into_iter().chain(authority.map(|ca| ("auth.certificates.ca", ca))).collect()
    }

    pub(super) fn to_toml(&self, folder: &Path) -> String {
        let keys = match &self.keys {
            KeySource::File(file) => format!("jwks_file = {}", relative(file, folder)),
            KeySource::Url { url, ca, proxy } => {
                let mut lines = vec![format!("jwks_url = {}", quoted(url.as_str()))];
                lines.extend(ca.as_ref().map(|ca| format!("jwks_ca = {}", relative(ca, folder))));
                lines.extend(proxy.as_ref().map(|proxy| format!("jwks_proxy = {}", quoted(proxy.as_str()))));
                lines.join("\n")
            }
        };
        format!(
            "\
# Whose access tokens (JWT) open the KMS: those of one identity provider, by its JWK set.
[auth]
issuer = {issuer}
audience = {audience}
{keys}
jwks_refresh = {jwks_refresh}  # seconds after which the set is read again: a withdrawn key works for no longer
jwks_keep = {jwks_keep}  # seconds that keys are used while the set cannot be read
leeway = {leeway}  # seconds that the provider's clock may differ from ours

{certificates}",
            issuer = quoted(&self.issuer),
            audience = quoted(&self.audience),
            jwks_refresh = self.lifetime.refresh.as_secs(),
            jwks_keep = self.lifetime.keep.as_secs(),
            leeway = self.leeway.as_secs(),
            certificates =
                self.certificates.as_ref().map_or(certificates::COMMENT.to_owned(), ClientCertificates::to_toml),
        )
    }
}

/// The section as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AuthSection {
    issuer: String,
    audience: String,
    jwks_file: Option<PathBuf>,
    jwks_url: Option<String>,
    jwks_ca: Option<PathBuf>,
    jwks_proxy: Option<String>,
    #[serde(default = "jwks_refresh")]
    jwks_refresh: u64,
    #[serde(default = "jwks_keep")]
    jwks_keep: u64,
    #[serde(default = "leeway")]
    leeway: u64,
    certificates: Option<CertificatesSection>,
}

impl AuthSection {
    pub(super) fn check(self, folder: &Path) -> Result<AuthConfig, ConfigError> {
        check("auth.issuer", &self.issuer, !self.issuer.is_empty(), "write the exact iss of the provider's tokens")?;
        check("auth.audience", &self.audience, !self.audience.is_empty(), "write the aud that tokens for us have")?;
        check_range("auth.jwks_refresh", self.jwks_refresh, 5..=86_400, "give 5 to 86400 seconds (a day)")?;
        let keep = self.jwks_refresh..=2_592_000;
        check_range("auth.jwks_keep", self.jwks_keep, keep, "give jwks_refresh to 2592000 seconds (30 days)")?;
        check_range("auth.leeway", self.leeway, 0..=300, "give 0 to 300 seconds")?;
        let keys = match (self.jwks_file, self.jwks_url, self.jwks_ca) {
            (Some(file), None, None) => {
                let remedy = "remove it: it is only for jwks_url";
                check(
                    "auth.jwks_proxy",
                    self.jwks_proxy.as_deref().unwrap_or_default(),
                    self.jwks_proxy.is_none(),
                    remedy,
                )?;
                KeySource::File(folder.join(file))
            }
            (None, Some(url), ca) => {
                let url = fetchable(&url).ok_or_else(|| ConfigError::Value {
                    key: "auth.jwks_url".into(),
                    value: quoted(&url),
                    remedy: "write an https URL without user and password (http only to 127.0.0.1, [::1] or localhost)",
                })?;
                let proxy = self.jwks_proxy.map(|proxy| its_proxy(&url, &proxy)).transpose()?;
                KeySource::Url { url, ca: ca.map(|ca| folder.join(ca)), proxy }
            }
            (Some(_), None, Some(ca)) => {
                return Err(ConfigError::Value {
                    key: "auth.jwks_ca".into(),
                    value: quoted(&ca.to_string_lossy()),
                    remedy: "remove it: it is only for jwks_url",
                });
            }
            (Some(_), Some(url), _) => {
                return Err(ConfigError::Value {
                    key: "auth.jwks_url".into(),
                    value: quoted(&url),
                    remedy: "remove it or jwks_file: the keys come from one place",
                });
            }
            (None, None, _) => {
                return Err(ConfigError::Value {
                    key: "auth.jwks_file".into(),
                    value: "(absent)".to_owned(),
                    remedy: "name the file or, with jwks_url, the URL of the identity provider's JWK set",
                });
            }
        };
        Ok(AuthConfig {
            issuer: self.issuer,
            audience: self.audience,
            keys,
            lifetime: KeyLifetime {
                refresh: Duration::from_secs(self.jwks_refresh),
                keep: Duration::from_secs(self.jwks_keep),
            },
            leeway: Duration::from_secs(self.leeway),
            certificates: self.certificates.map(|section| section.check(folder)).transpose()?,
        })
    }
}

fn fetchable(url: &str) -> Option<Url> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?;
    let secure = url.scheme() == "https";
    let loopback = url.scheme() == "http" && ["127.0.0.1", "[::1]", "localhost"].contains(&host);
    let has_login = !url.username().is_empty() || url.password().is_some();
    ((secure || loopback) && !has_login).then_some(url)
}

/// A proxy for TLS alone: it tunnels, and neither reads nor makes up what goes through.
fn its_proxy(fetched: &Url, text: &str) -> Result<Url, ConfigError> {
    let proxy = Url::parse(text).ok().filter(|proxy| proxy.scheme() == "http" && proxy.has_host());
    proxy
        .filter(|proxy| fetched.scheme() == "https" && proxy.username().is_empty() && proxy.password().is_none())
        .ok_or_else(|| ConfigError::Value {
            key: "auth.jwks_proxy".into(),
            value: quoted(text),
            remedy: "write the http URL of a proxy without user and password, beside a jwks_url with https",
        })
}

// What a key that is left out means.

fn jwks_refresh() -> u64 {
    600
}

fn jwks_keep() -> u64 {
    24 * 3600
}

fn leeway() -> u64 {
    30
}
