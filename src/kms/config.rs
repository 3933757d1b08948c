//! `kms.toml`: what the operator of a KMS decides, read once and checked value by value.

mod certificates;
mod clients;
mod documents;
mod leniency;
mod public_url;

use super::store::FILE as DATABASE_FILE;
use core::fmt;
use ipnet::IpNet;
use reqwest::Url;
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;

use certificates::CertificatesSection;
pub use certificates::{ClientCertificates, PinnedCertificate};
use clients::ClientsSection;
pub use clients::{Authentication, ClientRules, Clients};
pub use documents::Documents;
use documents::DocumentsSection;
pub use leniency::Leniency;
pub use public_url::PublicUrl;

/// The name of the configuration file in the folder of a KMS.
pub const FILE: &str = "kms.toml";

/// Seconds that key periods may last: an hour to ten years.
pub const KEY_PERIOD_SECONDS: core::ops::RangeInclusive<u64> = 3600..=315_360_000;

/// The checked configuration of a KMS. Paths are absolute or relative to the working folder, ready to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The URI that names this KMS: part of every UID, so it can never change. Used as exact text.
    pub kms_uri: String,
    /// The domains whose users this KMS serves (`KmsDomainList`); the first one is the principal domain.
    pub domains: Vec<String>,
    /// The length of a key period in seconds. Part of every UID.
    pub key_period: u64,
    /// The seconds after 0 h on 1 January 1900 at which period 0 began, less than [`Config::key_period`]. Part of every
    /// UID.
    pub key_offset: u64,
    /// Where and how the server listens.
    pub server: ServerConfig,
    /// Whose tokens the server accepts.
    pub auth: AuthConfig,
    /// Which requests and answers are signed, and keys wrapped.
    pub security_extension: SecurityExtension,
    /// What each kind of client may ask for, and how.
    pub clients: Clients,
    /// How answers are written.
    pub documents: Documents,
    /// What deployed clients do differently, and is forgiven.
    pub leniency: Leniency,
    /// `[lookup] operation`: the name of the discovery lookup in paths (TS 33.180 D.2.7), which is not public; none, and there is
    /// no lookup.
    pub lookup: Option<String>,
    /// The folder that holds `kms.toml`.
    pub folder: PathBuf,
}

/// The `[server]` section: where and how the server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerConfig {
    /// Address and port; port 0 lets the system choose one.
    pub listen: SocketAddr,
    /// URLs by which clients know the KMS where a proxy on the way sends another `Host` or path; the first one is meant where
    /// a proxied request tells nothing.
    pub public_urls: Vec<PublicUrl>,
    /// PEM file of the TLS certificate, followed by its intermediate certificates.
    pub tls_certificate: PathBuf,
    /// PEM file of the TLS private key.
    pub tls_key: PathBuf,
    /// How far the `Time` of a request may lie from the server's clock.
    pub request_window: Duration,
    /// The most connections that are served at a time; further ones wait.
    pub max_connections: usize,
    /// The most octets that the body of a request may have.
    pub max_body: usize,
    /// How long a request may take from its first to its last octet, its answer included.
    pub request_timeout: Duration,
    /// How many requests without a good token or certificate are refused, with their reason and an entry in the audit log, from
    /// one address in a minute. What comes beyond is refused for its number, and counted.
    pub refusals_per_minute: NonZeroU32,
}

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

/// The `[security_extension]` section: which requests and answers are signed, and keys wrapped (TS 33.180 5.3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityExtension {
    /// For requests that come straight from clients.
    pub direct: Policy,
    /// For requests that come through a proxy: from one of [`Self::proxies`], or with a header that a proxy adds.
    pub proxied: Policy,
    /// Addresses of the proxies that end TLS, and networks of such.
    pub proxies: Vec<IpNet>,
}

impl Default for SecurityExtension {
    /// Optional for direct requests, required through a proxy, and no address of one.
    fn default() -> Self {
        Self { direct: Policy::Optional, proxied: Policy::Required, proxies: Vec::new() }
    }
}

/// Whether the security extension is used; from the laxest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// Never.
    Off,
    /// For users who have a TrK.
    Optional,
    /// For everyone: whoever has no TrK is refused.
    Required,
}

impl Policy {
    fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Optional => "optional",
            Self::Required => "required",
        }
    }
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
        Self {
            refresh: Duration::from_secs(defaults::jwks_refresh()),
            keep: Duration::from_secs(defaults::jwks_keep()),
        }
    }
}

/// Why a configuration was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read {}: {source}; give the folder that `kms init` made", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the file system reports.
        source: std::io::Error,
    },
    /// The file is not TOML, misses a key, or has a key or a type that is not known.
    #[error("{}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, column, key and reason.
        message: String,
    },
    /// A value is out of its range.
    #[error("{key} = {value}: {remedy}")]
    Value {
        /// The key, with its section.
        key: &'static str,
        /// The value as given.
        value: String,
        /// What to write instead.
        remedy: &'static str,
    },
}

impl Config {
    /// Reads and checks `kms.toml` in `folder`.
    ///
    /// # Errors
    /// [`ConfigError`], naming key, value and remedy.
    pub fn load(folder: &Path) -> Result<Self, ConfigError> {
        let path = folder.join(FILE);
        let text = std::fs::read_to_string(&path).map_err(|source| ConfigError::Read { path, source })?;
        Self::parse(&text, folder)
    }

    /// Checks the text of a `kms.toml` that lies in `folder`.
    ///
    /// # Errors
    /// [`ConfigError`], naming key, value and remedy.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, ConfigError> {
        let document: Document = toml::from_str(text).map_err(|error| ConfigError::Syntax {
            path: folder.join(FILE),
            message: error.to_string().trim_end().to_owned(),
        })?;
        document.check(folder)
    }

    /// The text of a `kms.toml` with these values. [`Config::parse`] of it gives them again.
    pub fn to_toml(&self) -> String {
        let path = |path: &Path| quoted(&path.strip_prefix(&self.folder).unwrap_or(path).to_string_lossy());
        let domains: Vec<String> = self.domains.iter().map(|domain| quoted(domain)).collect();
        let proxies: Vec<String> = self.security_extension.proxies.iter().map(network_to_toml).collect();
        let public_urls: Vec<String> = self.server.public_urls.iter().map(|url| quoted(&url.to_string())).collect();
        let keys = match &self.auth.keys {
            KeySource::File(file) => format!("jwks_file = {}", path(file)),
            KeySource::Url { url, ca: None } => format!("jwks_url = {}", quoted(url.as_str())),
            KeySource::Url { url, ca: Some(ca) } => {
                format!("jwks_url = {}\njwks_ca = {}", quoted(url.as_str()), path(ca))
            }
        };
        format!(
            "\
# Configuration of a key management server. Paths are relative to this folder.

# These three are part of every user's identity, and sealed with the master secrets: they cannot be changed.
kms_uri = {kms_uri}
key_period = {key_period}  # seconds
key_offset = {key_offset}  # seconds after 1900-01-01T00:00:00Z

# Domains that this KMS serves, as its certificate lists them.
domains = [{domains}]

[server]
listen = {listen}
tls_certificate = {tls_certificate}
tls_key = {tls_key}
public_urls = [{public_urls}]  # as clients know this KMS, where a proxy changes Host or path
request_window = {request_window}  # seconds that a request's Time may differ from our clock
max_connections = {max_connections}
max_body = {max_body}  # octets
request_timeout = {request_timeout}  # seconds
refusals_per_minute = {refusals_per_minute}  # of requests without a good token, from one address

# Whose access tokens (JWT) open the KMS: those of one identity provider, by its JWK set.
[auth]
issuer = {issuer}
audience = {audience}
{keys}
jwks_refresh = {jwks_refresh}  # seconds after which the set is read again: a withdrawn key works for no longer
jwks_keep = {jwks_keep}  # seconds that keys are used while the set cannot be read
leeway = {leeway}  # seconds that the provider's clock may differ from ours

{certificates}
# Whether requests and answers are signed and keys wrapped, for users who were given a transport key (kms trk new):
# off, optional (for those who have one) or required.
[security_extension]
direct = \"{direct}\"
proxied = \"{proxied}\"  # requests from one of the proxies, or with a header Via, Forwarded or X-Forwarded-For
proxies = [{proxies}]  # addresses of proxies that end TLS, or networks such as 192.0.2.0/24

{clients}
{documents}
{leniency}
# Discovery lookup: which KMS serves a user or a domain. The specification's name for it in paths is not public; where it
# is left out, there is no lookup.
[lookup]
{lookup}
",
            kms_uri = quoted(&self.kms_uri),
            key_period = self.key_period,
            key_offset = self.key_offset,
            domains = domains.join(", "),
            listen = quoted(&self.server.listen.to_string()),
            tls_certificate = path(&self.server.tls_certificate),
            tls_key = path(&self.server.tls_key),
            request_window = self.server.request_window.as_secs(),
            max_connections = self.server.max_connections,
            max_body = self.server.max_body,
            request_timeout = self.server.request_timeout.as_secs(),
            refusals_per_minute = self.server.refusals_per_minute,
            issuer = quoted(&self.auth.issuer),
            audience = quoted(&self.auth.audience),
            jwks_refresh = self.auth.lifetime.refresh.as_secs(),
            jwks_keep = self.auth.lifetime.keep.as_secs(),
            leeway = self.auth.leeway.as_secs(),
            certificates =
                self.auth.certificates.as_ref().map_or(certificates::COMMENT.to_owned(), ClientCertificates::to_toml),
            direct = self.security_extension.direct.as_str(),
            proxied = self.security_extension.proxied.as_str(),
            proxies = proxies.join(", "),
            clients = self.clients.to_toml(),
            public_urls = public_urls.join(", "),
            documents = self.documents.to_toml(),
            leniency = self.leniency.to_toml(),
            lookup = match &self.lookup {
                Some(operation) => format!("operation = {}", quoted(operation)),
                None => "# operation = \"lookup\"".to_owned(),
            },
        )
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.folder.join(DATABASE_FILE)
    }
}

/// A network of one address is that address.
fn network_to_toml(network: &IpNet) -> String {
    match network.prefix_len() == network.max_prefix_len() {
        true => quoted(&network.addr().to_string()),
        false => quoted(&network.to_string()),
    }
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// The file as it is written, before its values are checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    kms_uri: String,
    domains: Vec<String>,
    key_period: u64,
    key_offset: u64,
    server: ServerSection,
    auth: AuthSection,
    #[serde(default)]
    security_extension: SecurityExtensionSection,
    #[serde(default)]
    clients: ClientsSection,
    #[serde(default)]
    documents: DocumentsSection,
    #[serde(default)]
    leniency: Leniency,
    #[serde(default)]
    lookup: LookupSection,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LookupSection {
    operation: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServerSection {
    listen: String,
    #[serde(default)]
    public_urls: Vec<String>,
    tls_certificate: PathBuf,
    tls_key: PathBuf,
    #[serde(default = "defaults::request_window")]
    request_window: u64,
    #[serde(default = "defaults::max_connections")]
    max_connections: usize,
    #[serde(default = "defaults::max_body")]
    max_body: usize,
    #[serde(default = "defaults::request_timeout")]
    request_timeout: u64,
    #[serde(default = "defaults::refusals_per_minute")]
    refusals_per_minute: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AuthSection {
    issuer: String,
    audience: String,
    jwks_file: Option<PathBuf>,
    jwks_url: Option<String>,
    jwks_ca: Option<PathBuf>,
    #[serde(default = "defaults::jwks_refresh")]
    jwks_refresh: u64,
    #[serde(default = "defaults::jwks_keep")]
    jwks_keep: u64,
    #[serde(default = "defaults::leeway")]
    leeway: u64,
    certificates: Option<CertificatesSection>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SecurityExtensionSection {
    direct: Option<Policy>,
    proxied: Option<Policy>,
    #[serde(default)]
    proxies: Vec<String>,
}

/// What a key that is left out means.
pub(super) mod defaults {
    use std::num::NonZeroU32;

    pub(crate) fn request_window() -> u64 {
        30
    }

    pub(crate) fn max_connections() -> usize {
        4096
    }

    pub(crate) fn max_body() -> usize {
        64 * 1024
    }

    pub(crate) fn request_timeout() -> u64 {
        15
    }

    pub(crate) const REFUSALS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(60).unwrap();

    pub(crate) fn refusals_per_minute() -> u32 {
        REFUSALS_PER_MINUTE.get()
    }

    pub(crate) fn jwks_refresh() -> u64 {
        600
    }

    pub(crate) fn jwks_keep() -> u64 {
        24 * 3600
    }

    pub(crate) fn leeway() -> u64 {
        30
    }
}

impl Document {
    fn check(self, folder: &Path) -> Result<Config, ConfigError> {
        check("kms_uri", &self.kms_uri, is_kms_uri(&self.kms_uri), URI_REMEDY)?;
        check("domains", "[]", !self.domains.is_empty(), "name at least one domain, such as \"example.org\"")?;
        for domain in &self.domains {
            check("domains", domain, is_domain(domain), "write a domain name, such as \"example.org\"")?;
        }
        check(
            "key_period",
            self.key_period,
            KEY_PERIOD_SECONDS.contains(&self.key_period),
            "give seconds from 3600 (an hour) to 315360000 (ten years)",
        )?;
        check(
            "key_offset",
            self.key_offset,
            self.key_offset < self.key_period,
            "give fewer seconds than key_period (TS 33.180 D.3.2.2)",
        )?;
        Ok(Config {
            kms_uri: self.kms_uri,
            domains: self.domains,
            key_period: self.key_period,
            key_offset: self.key_offset,
            server: self.server.check(folder)?,
            auth: self.auth.check(folder)?,
            security_extension: self.security_extension.check()?,
            clients: self.clients.check()?,
            documents: self.documents.check()?,
            leniency: self.leniency,
            lookup: self.lookup.check()?,
            folder: folder.to_owned(),
        })
    }
}

impl ServerSection {
    fn check(self, folder: &Path) -> Result<ServerConfig, ConfigError> {
        let listen = self.listen.parse().map_err(|_| ConfigError::Value {
            key: "server.listen",
            value: quoted(&self.listen),
            remedy: "write an IP address and a port, such as \"0.0.0.0:8443\" or \"[::]:8443\"",
        })?;
        check_range("server.request_window", self.request_window, 1..=3600, "give 1 to 3600 seconds")?;
        check_range("server.max_connections", self.max_connections, 1..=100_000, "give 1 to 100000 connections")?;
        check_range("server.max_body", self.max_body, 1024..=1_048_576, "give 1024 to 1048576 octets")?;
        check_range("server.request_timeout", self.request_timeout, 1..=600, "give 1 to 600 seconds")?;
        Ok(ServerConfig {
            listen,
            public_urls: self.public_urls.iter().map(|url| PublicUrl::new(url)).collect::<Result<_, _>>()?,
            tls_certificate: folder.join(self.tls_certificate),
            tls_key: folder.join(self.tls_key),
            request_window: Duration::from_secs(self.request_window),
            max_connections: self.max_connections,
            max_body: self.max_body,
            request_timeout: Duration::from_secs(self.request_timeout),
            refusals_per_minute: per_minute(
                "server.refusals_per_minute",
                self.refusals_per_minute,
                "give 1 to 1000000 refusals",
            )?,
        })
    }
}

impl AuthSection {
    fn check(self, folder: &Path) -> Result<AuthConfig, ConfigError> {
        check("auth.issuer", &self.issuer, !self.issuer.is_empty(), "write the exact iss of the provider's tokens")?;
        check("auth.audience", &self.audience, !self.audience.is_empty(), "write the aud that tokens for us have")?;
        check_range("auth.jwks_refresh", self.jwks_refresh, 5..=86_400, "give 5 to 86400 seconds (a day)")?;
        let keep = self.jwks_refresh..=2_592_000;
        check_range("auth.jwks_keep", self.jwks_keep, keep, "give jwks_refresh to 2592000 seconds (30 days)")?;
        check_range("auth.leeway", self.leeway, 0..=300, "give 0 to 300 seconds")?;
        let keys = match (self.jwks_file, self.jwks_url, self.jwks_ca) {
            (Some(file), None, None) => KeySource::File(folder.join(file)),
            (None, Some(url), ca) => {
                let url = fetchable(&url).ok_or_else(|| ConfigError::Value {
                    key: "auth.jwks_url",
                    value: quoted(&url),
                    remedy: "write an https URL without user and password (http only to 127.0.0.1, [::1] or localhost)",
                })?;
                KeySource::Url { url, ca: ca.map(|ca| folder.join(ca)) }
            }
            (Some(_), None, Some(ca)) => {
                return Err(ConfigError::Value {
                    key: "auth.jwks_ca",
                    value: quoted(&ca.to_string_lossy()),
                    remedy: "remove it: it is only for jwks_url",
                });
            }
            (Some(_), Some(url), _) => {
                return Err(ConfigError::Value {
                    key: "auth.jwks_url",
                    value: quoted(&url),
                    remedy: "remove it or jwks_file: the keys come from one place",
                });
            }
            (None, None, _) => {
                return Err(ConfigError::Value {
                    key: "auth.jwks_file",
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

impl SecurityExtensionSection {
    fn check(self) -> Result<SecurityExtension, ConfigError> {
        let default = SecurityExtension::default();
        let network = |text: &String| {
            let network = text.parse::<IpAddr>().map(IpNet::from).or_else(|_| text.parse());
            network.map_err(|_| ConfigError::Value {
                key: "security_extension.proxies",
                value: quoted(text),
                remedy: "write IP addresses, such as \"192.0.2.7\", or networks, such as \"192.0.2.0/24\"",
            })
        };
        Ok(SecurityExtension {
            direct: self.direct.unwrap_or(default.direct),
            proxied: self.proxied.unwrap_or(default.proxied),
            proxies: self.proxies.iter().map(network).collect::<Result<_, _>>()?,
        })
    }
}

impl LookupSection {
    fn check(self) -> Result<Option<String>, ConfigError> {
        let is_name = |name: &str| {
            let is_taken = ["init", "keyprov", "certcache", "cert", "redirect"].contains(&name);
            let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~".contains(&octet);
            !is_taken && (1..=64).contains(&name.len()) && name.bytes().all(is_plain)
        };
        if let Some(operation) = &self.operation {
            let remedy = "write a name of letters, digits and -._~ that no other resource has, such as \"lookup\"";
            check("lookup.operation", operation, is_name(operation), remedy)?;
        }
        Ok(self.operation)
    }
}

const URI_REMEDY: &str =
    "write the KMS's URI, 1 to 255 printable ASCII characters without spaces, such as \"kms.example.org\"";

/// The exact text is hashed into every UID, so anything that editors or peers might alter is refused.
fn is_kms_uri(uri: &str) -> bool {
    (1..=255).contains(&uri.len())
        && uri.bytes().all(|octet| octet.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&octet))
}

fn is_domain(domain: &str) -> bool {
    domain.len() <= 253
        && domain.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

fn fetchable(url: &str) -> Option<Url> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?;
    let secure = url.scheme() == "https";
    let loopback = url.scheme() == "http" && ["127.0.0.1", "[::1]", "localhost"].contains(&host);
    let has_login = !url.username().is_empty() || url.password().is_some();
    ((secure || loopback) && !has_login).then_some(url)
}

/// So many in a minute.
fn per_minute(key: &'static str, number: u32, remedy: &'static str) -> Result<NonZeroU32, ConfigError> {
    let within = NonZeroU32::new(number).filter(|number| number.get() <= 1_000_000);
    within.ok_or_else(|| ConfigError::Value { key, value: number.to_string(), remedy })
}

fn check(key: &'static str, value: impl fmt::Debug, holds: bool, remedy: &'static str) -> Result<(), ConfigError> {
    if holds { Ok(()) } else { Err(ConfigError::Value { key, value: format!("{value:?}"), remedy }) }
}

fn check_range<T: PartialOrd + fmt::Debug>(
    key: &'static str,
    value: T,
    range: core::ops::RangeInclusive<T>,
    remedy: &'static str,
) -> Result<(), ConfigError> {
    check(key, &value, range.contains(&value), remedy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml_security::KeyWrapping;

    fn config() -> Config {
        let folder = Path::new("/var/lib/kms");
        Config {
            kms_uri: "kms.example.org".into(),
            domains: vec!["example.org".into(), "mc.example.org".into()],
            key_period: 2_592_000,
            key_offset: 7,
            server: ServerConfig {
                listen: "127.0.0.1:8443".parse().unwrap(),
                public_urls: vec![PublicUrl::new("https://edge.example.org/kms").unwrap()],
                tls_certificate: folder.join("tls-cert.pem"),
                tls_key: "/etc/ssl/private/kms \"1\".pem".into(),
                request_window: Duration::from_secs(31),
                max_connections: 100,
                max_body: 2048,
                request_timeout: Duration::from_secs(9),
                refusals_per_minute: const { NonZeroU32::new(8).unwrap() },
            },
            auth: AuthConfig {
                issuer: "https://idms.example.org".into(),
                audience: "kms".into(),
                keys: KeySource::File(folder.join("jwks.json")),
                lifetime: KeyLifetime { refresh: Duration::from_secs(60), keep: Duration::from_secs(7200) },
                leeway: Duration::from_secs(5),
                certificates: None,
            },
            security_extension: SecurityExtension {
                direct: Policy::Off,
                proxied: Policy::Optional,
                proxies: ["192.0.2.7/32", "2001:db8::1/128", "10.0.0.0/8"].map(|text| text.parse().unwrap()).into(),
            },
            clients: Clients::default(),
            documents: Documents { wrapping: KeyWrapping::Plain, ..Documents::default() },
            leniency: Leniency { lower_case_times: false, missing_content_type: false, ..Leniency::default() },
            lookup: Some("lookup".into()),
            folder: folder.into(),
        }
    }

    fn refused(from: &str, to: &str) -> ConfigError {
        let text = config().to_toml();
        assert!(text.contains(from), "{from}");
        Config::parse(&text.replacen(from, to, 1), Path::new("/var/lib/kms")).unwrap_err()
    }

    #[test]
    fn text_and_values_agree() {
        let mut config = config();
        assert_eq!(Config::parse(&config.to_toml(), &config.folder).unwrap(), config);
        (config.leniency, config.lookup) = (Leniency::STRICT, None);
        assert_eq!(Config::parse(&config.to_toml(), &config.folder).unwrap(), config);
        config.auth.keys = KeySource::Url { url: "https://idms.example.org/jwks".parse().unwrap(), ca: None };
        assert_eq!(Config::parse(&config.to_toml(), &config.folder).unwrap(), config);
        config.auth.keys = KeySource::Url {
            url: "http://127.0.0.1:3000/jwks".parse().unwrap(),
            ca: Some(config.folder.join("ca.pem")),
        };
        assert_eq!(Config::parse(&config.to_toml(), &config.folder).unwrap(), config);
    }

    #[test]
    fn keys_left_out_have_defaults() {
        let text = "kms_uri = 'k'\ndomains = ['d']\nkey_period = 3600\nkey_offset = 0\n\
            [server]\nlisten = '[::]:0'\ntls_certificate = 'c'\ntls_key = 'k'\n\
            [auth]\nissuer = 'i'\naudience = 'a'\njwks_file = 'j'\n";
        let config = Config::parse(text, Path::new("f")).unwrap();
        assert_eq!(config.server.request_window, Duration::from_secs(30));
        assert_eq!((config.server.max_connections, config.server.max_body), (4096, 65536));
        assert_eq!(config.auth.leeway, Duration::from_secs(30));
        assert_eq!(config.auth.lifetime, KeyLifetime::default());
        assert_eq!(config.server.tls_key, Path::new("f/k"));
        assert_eq!(config.database(), Path::new("f/kms.sqlite"));
        assert_eq!(config.security_extension, SecurityExtension::default());
        assert_eq!(config.server.public_urls, []);
        assert_eq!((config.leniency, config.lookup), (Leniency::default(), None));
        assert_eq!((config.clients, config.documents), (Clients::default(), Documents::default()));
        assert_eq!(config.server.refusals_per_minute.get(), 60);
    }

    #[test]
    fn every_value_out_of_range_names_key_value_and_remedy() {
        for (from, to, expected) in [
            ("\"kms.example.org\"", "\"\"", "kms_uri = \"\": write the KMS's URI"),
            ("\"kms.example.org\"", "\"kms example\"", "kms_uri = \"kms example\": "),
            ("\"kms.example.org\"", "\"kms.example.org\\n\"", "kms_uri = \"kms.example.org\\n\": "),
            ("[\"example.org\", \"mc.example.org\"]", "[]", "domains = \"[]\": name at least one"),
            ("\"mc.example.org\"", "\"mc..org\"", "domains = \"mc..org\": write a domain name"),
            ("\"mc.example.org\"", "\"-mc.org\"", "domains = \"-mc.org\": "),
            ("key_period = 2592000", "key_period = 3599", "key_period = 3599: give seconds from 3600"),
            ("key_period = 2592000", "key_period = 315360001", "key_period = 315360001: "),
            ("key_offset = 7", "key_offset = 2592000", "key_offset = 2592000: give fewer seconds than key_period"),
            ("127.0.0.1:8443", "localhost", "server.listen = \"localhost\": write an IP address and a port"),
            ("request_window = 31", "request_window = 0", "server.request_window = 0: give 1 to 3600"),
            ("max_connections = 100", "max_connections = 0", "server.max_connections = 0: "),
            ("max_body = 2048", "max_body = 1023", "server.max_body = 1023: "),
            ("request_timeout = 9", "request_timeout = 601", "server.request_timeout = 601: "),
            ("\"https://idms.example.org\"", "\"\"", "auth.issuer = \"\": "),
            ("audience = \"kms\"", "audience = \"\"", "auth.audience = \"\": "),
            ("jwks_refresh = 60", "jwks_refresh = 4", "auth.jwks_refresh = 4: give 5 to 86400 seconds"),
            ("jwks_keep = 7200", "jwks_keep = 59", "auth.jwks_keep = 59: give jwks_refresh to"),
            ("jwks_keep = 7200", "jwks_keep = 2592001", "auth.jwks_keep = 2592001: "),
            ("leeway = 5", "leeway = 301", "auth.leeway = 301: "),
            ("jwks_file = \"jwks.json\"", "", "auth.jwks_file = (absent): name the file"),
            ("jwks_file = \"jwks.json\"", "jwks_url = \"http://idms.example.org/jwks\"", "auth.jwks_url = "),
            ("jwks_file = \"jwks.json\"", "jwks_url = \"https://u:p@i.org/jwks\"", "auth.jwks_url = "),
            ("jwks_file = \"jwks.json\"", "jwks_url = \"jwks\"", "auth.jwks_url = \"jwks\": write an https URL"),
            ("leeway", "jwks_url = \"https://i.org\"\nleeway", "auth.jwks_url = \"https://i.org\": remove it or"),
            (
                "https://edge.example.org/kms",
                "http://edge.example.org",
                "server.public_urls = \"http://edge.example.org\": ",
            ),
            ("10.0.0.0/8", "10.0.0.0/33", "security_extension.proxies = \"10.0.0.0/33\": write IP addresses"),
            ("192.0.2.7", "192.0.2", "security_extension.proxies = \"192.0.2\": write IP addresses"),
            (
                "resources = [\"init\", \"keyprov\", \"certcache\", \"cert\"]",
                "resources = [\"init\", \"keys\"]",
                "clients.resources = \"keys\": name resources",
            ),
            ("[\"token\", \"certificate\"]", "[]", "clients.authentication = []: list"),
            ("refusals_per_minute = 8", "refusals_per_minute = 0", "server.refusals_per_minute = 0: give 1 to 1000000"),
            ("requests_per_minute = 60", "requests_per_minute = 0", "clients.requests_per_minute = 0: give 1"),
            ("user_id = \"hex\"", "user_id = \"text\"", "documents.user_id = \"text\": write \"hex\" or \"base64\""),
            ("wrapping = \"plain\"", "wrapping = \"none\"", "documents.wrapping = \"none\": write"),
            ("cipher_value = \"base64\"", "cipher_value = \"\"", "documents.cipher_value = \"\": write"),
            ("signature = \"sibling\"", "signature = \"no\"", "documents.signature = \"no\": write"),
            ("operation = \"lookup\"", "operation = \"look/up\"", "lookup.operation = \"look/up\": write a name"),
            ("operation = \"lookup\"", "operation = \"cert\"", "lookup.operation = \"cert\": "),
            ("leeway", "jwks_ca = \"ca.pem\"\nleeway", "auth.jwks_ca = \"ca.pem\": remove it"),
        ] {
            let error = refused(from, to);
            assert!(matches!(error, ConfigError::Value { .. }), "{to}: {error}");
            assert!(error.to_string().starts_with(expected), "{to}: {error}");
        }
    }

    #[test]
    fn wrong_syntax_unknown_keys_and_types_name_the_place() {
        for (from, to, expected) in [
            ("key_offset = 7", "key_ofset = 7", "key_ofset"),
            ("key_offset = 7", "key_offset = -7", "-7"),
            ("key_offset = 7", "key_offset = \"7\"", "expected u64"),
            ("key_offset = 7", "", "key_offset"),
            ("[server]", "[server", "line"),
            ("lower_case_times = false", "lower_case_times = 0", "expected a boolean"),
            ("lower_case_times = false", "lowercase_times = false", "lowercase_times"),
            ("direct = \"off\"", "direct = \"maybe\"", "maybe"),
            ("[clients.gms]", "[clients.pager]", "pager"),
        ] {
            let error = refused(from, to);
            assert!(matches!(error, ConfigError::Syntax { .. }), "{error}");
            let text = error.to_string();
            assert!(text.starts_with("/var/lib/kms/kms.toml: ") && text.contains(expected), "{text}");
        }
    }

    #[test]
    fn a_folder_without_configuration_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = Config::load(folder.path()).unwrap_err();
        assert!(matches!(error, ConfigError::Read { .. }));
        assert!(error.to_string().contains("kms.toml") && error.to_string().contains("kms init"), "{error}");
    }
}
