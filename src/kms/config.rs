//! `kms.toml`: what the operator of a KMS decides, read once and checked value by value.

mod auth;
mod certificates;
mod clients;
mod documents;
mod leniency;
mod public_url;
mod security_extension;
mod server;

use super::hash::Hash;
use super::secrets;
use super::store::FILE as DATABASE_FILE;
use crate::kms_protocol::resource::ResourceKind;
use auth::AuthSection;
use clients::ClientsSection;
use core::fmt;
use documents::DocumentsSection;
use security_extension::SecurityExtensionSection;
use serde::Deserialize;
use server::ServerSection;
use std::borrow::Cow;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use thiserror::Error;

pub use auth::{AuthConfig, KeyLifetime, KeySource};
pub use certificates::{ClientCertificates, PinnedCertificate};
pub use clients::{Authentication, ClientRules, Clients};
pub use documents::{Documents, KeySets};
pub use leniency::Leniency;
pub use public_url::PublicUrl;
pub use security_extension::{Policy, SecurityExtension};
pub use server::ServerConfig;

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
        key: Cow<'static, str>,
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
        Ok(Self::load_hashed(folder)?.0)
    }

    /// The same, with the SHA-256 of the very text that it was.
    pub(super) fn load_hashed(folder: &Path) -> Result<(Self, Hash), ConfigError> {
        let path = folder.join(FILE);
        let text = std::fs::read_to_string(&path).map_err(|source| ConfigError::Read { path, source })?;
        Ok((Self::parse(&text, folder)?, Hash::of(text.as_bytes())))
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
        let domains: Vec<String> = self.domains.iter().map(|domain| quoted(domain)).collect();
        format!(
            "\
# Configuration of a key management server. Paths are relative to this folder.

# These three are part of every user's identity, and sealed with the master secrets: they cannot be changed.
kms_uri = {kms_uri}
key_period = {key_period}  # seconds
key_offset = {key_offset}  # seconds after 1900-01-01T00:00:00Z

# Domains that this KMS serves, as its certificate lists them.
domains = [{domains}]

{server}
{auth}
{security_extension}
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
            server = self.server.to_toml(&self.folder),
            auth = self.auth.to_toml(&self.folder),
            security_extension = self.security_extension.to_toml(),
            clients = self.clients.to_toml(),
            documents = self.documents.to_toml(),
            leniency = self.leniency.to_toml(),
            lookup = match &self.lookup {
                Some(operation) => format!("operation = {}", quoted(operation)),
                None => "# operation = \"lookup\"".to_owned(),
            },
        )
    }

    /// The files that it names, each with the key that does.
    pub(super) fn named_files(&self) -> Vec<(&'static str, &Path)> {
        let of_server: [(_, &Path); 2] =
            [("server.tls_certificate", &self.server.tls_certificate), ("server.tls_key", &self.server.tls_key)];
        of_server.into_iter().chain(self.auth.files()).collect()
    }

    /// None of the files that it names is one of those that make the KMS up.
    fn require_no_own_file(&self) -> Result<(), ConfigError> {
        let own = OWN_FILES.map(|name| self.folder.join(name));
        match self.named_files().into_iter().find(|(_, path)| own.iter().any(|own| is_same_file(own, path))) {
            None => Ok(()),
            Some((key, path)) => Err(ConfigError::Value {
                key: key.into(),
                value: relative(path, &self.folder),
                remedy: "name another file: this is one that the KMS itself is made of",
            }),
        }
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.folder.join(DATABASE_FILE)
    }
}

/// What a KMS is made of, whatever its configuration says.
const OWN_FILES: [&str; 6] =
    [FILE, secrets::FILE, secrets::OLD_FILE, DATABASE_FILE, "kms.sqlite-wal", "kms.sqlite-shm"];

/// Whether two paths lead to one file, or would if there was one.
fn is_same_file(one: &Path, other: &Path) -> bool {
    let is_same = |one: std::io::Result<PathBuf>, other| matches!((one, other), (Ok(one), Ok(other)) if one == other);
    is_same(std::path::absolute(one), std::path::absolute(other)) || is_same(one.canonicalize(), other.canonicalize())
}

/// As it is seen from the folder.
fn relative(path: &Path, folder: &Path) -> String {
    quoted(&path.strip_prefix(folder).unwrap_or(path).to_string_lossy())
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
        let config = Config {
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
        };
        config.require_no_own_file()?;
        Ok(config)
    }
}

impl LookupSection {
    fn check(self) -> Result<Option<String>, ConfigError> {
        let is_name = |name: &str| {
            let is_taken = ResourceKind::of_operation(name).is_some();
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

/// So many in a minute.
fn per_minute(key: impl Into<Cow<'static, str>>, number: u32, remedy: &'static str) -> Result<NonZeroU32, ConfigError> {
    let within = NonZeroU32::new(number).filter(|number| number.get() <= 1_000_000);
    within.ok_or_else(|| ConfigError::Value { key: key.into(), value: number.to_string(), remedy })
}

fn check(key: &'static str, value: impl fmt::Debug, holds: bool, remedy: &'static str) -> Result<(), ConfigError> {
    if holds { Ok(()) } else { Err(ConfigError::Value { key: key.into(), value: format!("{value:?}"), remedy }) }
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
    use std::time::Duration;

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
                connections_per_address: 10,
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
            documents: Documents { wrapping: KeyWrapping::Plain, key_sets: KeySets::Current, ..Documents::default() },
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
        config.auth.keys = KeySource::Url { url: "http://127.0.0.1:3000/jwks".parse().unwrap(), ca: None, proxy: None };
        assert_eq!(Config::parse(&config.to_toml(), &config.folder).unwrap(), config);
        config.auth.keys = KeySource::Url {
            url: "https://idms.example.org/jwks".parse().unwrap(),
            ca: Some(config.folder.join("ca.pem")),
            proxy: Some("http://proxy.example.org:3128".parse().unwrap()),
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
        assert_eq!(config.server.connections_per_address, 256);
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
            (
                "connections_per_address = 10",
                "connections_per_address = 0",
                "server.connections_per_address = 0: give 1 to",
            ),
            (
                "connections_per_address = 10",
                "connections_per_address = 100001",
                "server.connections_per_address = 100001: give 1 to 100000 connections",
            ),
            ("max_connections = 100", "max_connections = 100001", "server.max_connections = 100001: "),
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
                "clients.signalling-proxy.resources = \"keys\": name resources",
            ),
            ("[\"token\", \"certificate\"]", "[]", "clients.user.authentication = []: list"),
            ("refusals_per_minute = 8", "refusals_per_minute = 0", "server.refusals_per_minute = 0: give 1 to 1000000"),
            ("requests_per_minute = 60", "requests_per_minute = 0", "clients.user.requests_per_minute = 0: give 1"),
            ("user_id = \"hex\"", "user_id = \"text\"", "documents.user_id = \"text\": write \"hex\" or \"base64\""),
            ("wrapping = \"plain\"", "wrapping = \"none\"", "documents.wrapping = \"none\": write"),
            ("cipher_value = \"base64\"", "cipher_value = \"\"", "documents.cipher_value = \"\": write"),
            ("signature = \"sibling\"", "signature = \"no\"", "documents.signature = \"no\": write"),
            ("key_sets = \"current\"", "key_sets = \"next\"", "documents.key_sets = \"next\": write"),
            ("operation = \"lookup\"", "operation = \"look/up\"", "lookup.operation = \"look/up\": write a name"),
            ("operation = \"lookup\"", "operation = \"cert\"", "lookup.operation = \"cert\": "),
            ("\"tls-cert.pem\"", "\"kms.sqlite\"", "server.tls_certificate = \"kms.sqlite\": name another file"),
            ("\"tls-cert.pem\"", "\"/var/lib/kms/./kms.toml\"", "server.tls_certificate = \"kms.toml\": "),
            ("\"jwks.json\"", "\"secrets.sealed.old\"", "auth.jwks_file = \"secrets.sealed.old\": name another"),
            ("leeway", "jwks_ca = \"ca.pem\"\nleeway", "auth.jwks_ca = \"ca.pem\": remove it"),
            ("leeway", "jwks_proxy = \"http://p\"\nleeway", "auth.jwks_proxy = \"http://p\": remove it"),
            (
                "jwks_file = \"jwks.json\"",
                "jwks_url = \"https://i.org\"\njwks_proxy = \"https://p\"",
                "auth.jwks_proxy = \"https://p\": write the http URL",
            ),
            (
                "jwks_file = \"jwks.json\"",
                "jwks_url = \"https://i.org\"\njwks_proxy = \"http://u:p@p\"",
                "auth.jwks_proxy = \"http://u:p@p\": write the http URL",
            ),
            (
                "jwks_file = \"jwks.json\"",
                "jwks_url = \"http://localhost/\"\njwks_proxy = \"http://p\"",
                "auth.jwks_proxy = \"http://p\": write the http URL",
            ),
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
