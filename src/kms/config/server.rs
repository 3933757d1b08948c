//! Where and how the server listens, and how much it takes from whom.

use super::{ConfigError, PublicUrl, check_range, per_minute, quoted, relative};
use serde::Deserialize;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

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
    /// The most connections of one address, or of an IPv6 network of 64 bits; further ones are closed. The proxies of
    /// [`SecurityExtension::proxies`](super::SecurityExtension::proxies) may have as many as there are.
    pub connections_per_address: usize,
    /// The most octets that the body of a request may have.
    pub max_body: usize,
    /// How long a request may take from its first to its last octet, its answer included.
    pub request_timeout: Duration,
    /// How many requests without a good token or certificate are refused, with their reason and an entry in the audit log, from
    /// one address in a minute. What comes beyond is refused for its number, and counted.
    pub refusals_per_minute: NonZeroU32,
}

impl ServerConfig {
    /// One that listens here, with these files, and otherwise as where a key is left out.
    pub(in crate::kms) fn new(listen: SocketAddr, tls_certificate: PathBuf, tls_key: PathBuf) -> Self {
        Self {
            listen,
            public_urls: Vec::new(),
            tls_certificate,
            tls_key,
            request_window: Duration::from_secs(request_window()),
            max_connections: max_connections(),
            connections_per_address: connections_per_address(),
            max_body: max_body(),
            request_timeout: Duration::from_secs(request_timeout()),
            refusals_per_minute: REFUSALS_PER_MINUTE,
        }
    }

    pub(super) fn to_toml(&self, folder: &Path) -> String {
        let public_urls: Vec<String> = self.public_urls.iter().map(|url| quoted(&url.to_string())).collect();
        format!(
            "\
[server]
listen = {listen}
tls_certificate = {tls_certificate}
tls_key = {tls_key}
public_urls = [{public_urls}]  # as clients know this KMS, where a proxy changes Host or path
request_window = {request_window}  # seconds that a request's Time may differ from our clock
max_connections = {max_connections}
connections_per_address = {connections_per_address}  # but for the proxies of security_extension
max_body = {max_body}  # octets
request_timeout = {request_timeout}  # seconds
refusals_per_minute = {refusals_per_minute}  # of requests without a good token, from one address
",
            listen = quoted(&self.listen.to_string()),
            tls_certificate = relative(&self.tls_certificate, folder),
            tls_key = relative(&self.tls_key, folder),
            public_urls = public_urls.join(", "),
            request_window = self.request_window.as_secs(),
            max_connections = self.max_connections,
            connections_per_address = self.connections_per_address,
            max_body = self.max_body,
            request_timeout = self.request_timeout.as_secs(),
            refusals_per_minute = self.refusals_per_minute,
        )
    }
}

/// The section as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServerSection {
    listen: String,
    #[serde(default)]
    public_urls: Vec<String>,
    tls_certificate: PathBuf,
    tls_key: PathBuf,
    #[serde(default = "request_window")]
    request_window: u64,
    #[serde(default = "max_connections")]
    max_connections: usize,
    #[serde(default = "connections_per_address")]
    connections_per_address: usize,
    #[serde(default = "max_body")]
    max_body: usize,
    #[serde(default = "request_timeout")]
    request_timeout: u64,
    #[serde(default = "refusals_per_minute")]
    refusals_per_minute: u32,
}

impl ServerSection {
    pub(super) fn check(self, folder: &Path) -> Result<ServerConfig, ConfigError> {
        let listen = self.listen.parse().map_err(|_| ConfigError::Value {
            key: "server.listen".into(),
            value: quoted(&self.listen),
            remedy: "write an IP address and a port, such as \"0.0.0.0:8443\" or \"[::]:8443\"",
        })?;
        check_range("server.request_window", self.request_window, 1..=3600, "give 1 to 3600 seconds")?;
        check_range("server.max_connections", self.max_connections, 1..=100_000, "give 1 to 100000 connections")?;
        let per_address = self.connections_per_address;
        check_range("server.connections_per_address", per_address, 1..=100_000, "give 1 to 100000 connections")?;
        check_range("server.max_body", self.max_body, 1024..=1_048_576, "give 1024 to 1048576 octets")?;
        check_range("server.request_timeout", self.request_timeout, 1..=600, "give 1 to 600 seconds")?;
        Ok(ServerConfig {
            listen,
            public_urls: self.public_urls.iter().map(|url| PublicUrl::new(url)).collect::<Result<_, _>>()?,
            tls_certificate: folder.join(self.tls_certificate),
            tls_key: folder.join(self.tls_key),
            request_window: Duration::from_secs(self.request_window),
            max_connections: self.max_connections,
            connections_per_address: self.connections_per_address,
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

// What a key that is left out means.

fn request_window() -> u64 {
    30
}

fn max_connections() -> usize {
    4096
}

fn connections_per_address() -> usize {
    256
}

fn max_body() -> usize {
    64 * 1024
}

fn request_timeout() -> u64 {
    15
}

const REFUSALS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(60).unwrap();

fn refusals_per_minute() -> u32 {
    REFUSALS_PER_MINUTE.get()
}
