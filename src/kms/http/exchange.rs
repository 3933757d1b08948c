//! A request and its answer: what is known of it so far, and how it is told.

use super::Peer;
use super::refusal::Refusal;
use super::way::{Way, client_address};
use crate::kms::audit::Act;
use crate::kms::config::{Config, PublicUrl};
use crate::kms_protocol::ErrorCode;
use crate::kms_protocol::resource::Resource;
use axum::extract::Request;
use axum::http::Version;
use axum::http::header::HOST;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::SystemTime;

/// Who asks, before an access token was found good.
const NOBODY: &str = "unauthenticated";

/// What an answer repeats of the path, in characters; every resource has a shorter one.
const MAX_PATH: usize = 1024;

/// What is known of a request so far: enough to answer and log it, however it ends.
pub(super) struct Exchange {
    pub(super) request_id: String,
    pub(super) now: SystemTime,
    /// The address of the connection.
    pub(super) peer: Option<SocketAddr>,
    /// The address of the client, as far as it is known.
    pub(super) client: Option<IpAddr>,
    pub(super) way: Way,
    /// The URL of the request as its client knows it, as far as the KMS can tell.
    pub(super) request_url: String,
    /// What that may be as well, where a proxy is on the way.
    pub(super) other_urls: Vec<String>,
    pub(super) found: Found,
}

/// What the log and the answer say of a request, found out one after the other.
#[derive(Default)]
pub(super) struct Found {
    pub(super) resource: Option<Resource>,
    /// The identities of the access token, once it was found good.
    pub(super) asker: Option<String>,
    /// The key that a bad access token names.
    pub(super) key_id: Option<String>,
    /// The name of the key that the request is signed with, once it was verified.
    pub(super) signer: Option<String>,
    /// Whose keys are asked for.
    pub(super) user_uri: String,
    /// `Time` of the request is forgiven to be in local time.
    pub(super) has_local_time: bool,
}

impl Exchange {
    /// Who asks, and when.
    pub(super) fn act(&self) -> Act {
        let by = self.found.asker.clone().unwrap_or_else(|| NOBODY.to_owned());
        Act { at: self.now, by, request_id: Some(self.request_id.clone()) }
    }

    pub(super) fn begin(request: &Request, config: &Config) -> Self {
        let peer = request.extensions().get::<Peer>();
        let way = Way::of(peer, request.headers(), &config.security_extension);
        let (request_url, other_urls) = request_urls(request, way, config);
        Self {
            request_id: request_id(),
            now: SystemTime::now(),
            peer: peer.map(|peer| peer.address),
            client: client_address(peer, request.headers(), &config.security_extension),
            way,
            request_url,
            other_urls,
            found: Found::default(),
        }
    }
}

/// The likeliest URL of a request, and the others: that of its `Host`, and those that proxies are known to make it of.
fn request_urls(request: &Request, way: Way, config: &Config) -> (String, Vec<String>) {
    let authority = request.uri().authority().map(|authority| authority.as_str());
    let host = authority.or_else(|| request.headers().get(HOST)?.to_str().ok()).filter(|host| is_host(host));
    let host = host.map(|host| host.strip_suffix(':').unwrap_or(host));
    let host = host.unwrap_or_else(|| config.kms_uri.split_once("://").map_or(&*config.kms_uri, |(_, rest)| rest));
    let path = any_uri(start(request.uri().path(), MAX_PATH));
    // That of OPTIONS * and the like has none.
    let path = if path.starts_with('/') { path } else { format!("/{path}") };
    let direct = format!("https://{host}{path}");
    let public_urls = &config.server.public_urls;
    let by_host = public_urls.iter().position(|url| url.is_at(host));
    let likeliest = match way {
        Way::Direct => None,
        Way::Proxy | Way::Claimed => public_urls.get(by_host.unwrap_or(0)),
    };
    let through = |url: &PublicUrl| format!("{url}{path}");
    match likeliest {
        None => (direct, public_urls.iter().map(through).collect()),
        Some(likeliest) => {
            let others = public_urls.iter().filter(|url| *url != likeliest).map(through);
            (through(likeliest), others.chain([direct]).collect())
        }
    }
}

/// A request of HTTP/1.1 has one `Host`, which is a host (RFC 9112 3.2): proxies differ in what they make of others.
pub(super) fn require_host(request: &Request) -> Result<(), Refusal> {
    if request.version() != Version::HTTP_11 {
        return Ok(());
    }
    let refused = |message: &str| Err(Refusal::new(ErrorCode::BadHost, message));
    let mut hosts = request.headers().get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) if host.to_str().is_ok_and(is_host) => Ok(()),
        (Some(_), None) => refused("Host is no host with or without a port"),
        (Some(_), Some(_)) => refused("there is more than one Host header"),
        (None, _) => refused("there is no Host header"),
    }
}

/// The text with everything escaped that keeps it from being a URI, stray percent signs among it. A URI stays as it is, but
/// for brackets, which belong into a host alone; of what has not the form of one, the delimiters are escaped as well.
pub(super) fn any_uri(text: &str) -> String {
    let uri = escaped(text, b":/?@!$&'()*+,;=");
    if has_form_of_uri(&uri) { uri } else { escaped(text, b"") }
}

/// The text with everything escaped but letters, digits, `-._~`, escapes and these delimiters.
fn escaped(text: &str, delimiters: &[u8]) -> String {
    let mut uri = String::with_capacity(text.len());
    for (at, octet) in text.bytes().enumerate() {
        let allowed = match octet {
            b'%' => {
                let digits = text.as_bytes().get(at + 1..at + 3);
                digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            }
            _ => octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) || delimiters.contains(&octet),
        };
        if allowed {
            uri.push(char::from(octet));
        } else {
            uri.push_str(&format!("%{octet:02X}"));
        }
    }
    uri
}

/// Whether a text of the characters of a URI is one, or a reference relative to one (RFC 3986 4.1).
fn has_form_of_uri(text: &str) -> bool {
    let first_segment = text.split(['/', '?']).next().unwrap_or_default();
    let rest = match first_segment.split_once(':') {
        None => text,
        Some((scheme, _)) => {
            let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet));
            match text.split_once(':') {
                Some((_, rest)) if is_scheme => rest,
                _ => return false,
            }
        }
    };
    let Some(authority) = rest.strip_prefix("//").and_then(|rest| rest.split(['/', '?']).next()) else { return true };
    let host = authority.split_once('@').map_or(authority, |(_, host)| host);
    !host.contains('@') && host.split_once(':').is_none_or(|(name, port)| !name.is_empty() && is_port(port))
}

fn start(text: &str, characters: usize) -> &str {
    text.char_indices().nth(characters).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

/// A name or an address, with or without a port: what can stand in a URL as it is.
fn is_host(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port),
        _ => (host, ""),
    };
    let address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_name = |name: &str| name.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-._".contains(&octet));
    let is_host = address.map_or_else(|| is_name(name), |address| address.parse::<Ipv6Addr>().is_ok());
    !name.is_empty() && is_host && is_port(port)
}

/// As many digits as a port has, or none.
fn is_port(port: &str) -> bool {
    port.len() <= 5 && port.bytes().all(|digit| digit.is_ascii_digit())
}

/// Sixteen hex digits that tell one request from another in the log, the answer and the database.
fn request_id() -> String {
    getrandom::u64().map_or_else(|_| "0".repeat(16), |number| format!("{number:016x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_uri_becomes_one_and_a_uri_stays() {
        for uri in [
            "/keymanagement/identity/v1/keyprov/sip%3Aa%40b/D6B4323200000000",
            "/keymanagement/identity/v1/keyprov/sip:a@b",
            "sip:a@b;x=1?y",
            "https://u:p@kms.example.org:8443/a:b",
            "tel:+49",
            "a/b:c",
            "",
        ] {
            assert_eq!(any_uri(uri), uri);
        }
        for (text, uri) in [
            ("/%zz", "/%25zz"),
            ("/%", "/%25"),
            ("/%4", "/%254"),
            ("%%41", "%25%41"),
            ("a b\"<\u{e9}[", "a%20b%22%3C%C3%A9%5B"),
            (":", "%3A"),
            ("1:b", "1%3Ab"),
            ("'ip:a@b", "%27ip%3Aa%40b"),
            (" sip:a@b", "%20sip%3Aa%40b"),
            ("http://a:b:c", "http%3A%2F%2Fa%3Ab%3Ac"),
            ("http://[::1]", "http%3A%2F%2F%5B%3A%3A1%5D"),
            ("//:1/a", "%2F%2F%3A1%2Fa"),
            ("[::1]", "%5B%3A%3A1%5D"),
        ] {
            assert_eq!(any_uri(text), uri);
        }
    }

    #[test]
    fn a_text_starts_with_whole_characters() {
        assert_eq!(start("a\u{e9}b", 2), "a\u{e9}");
        assert_eq!(start("a\u{e9}b", 3), "a\u{e9}b");
    }

    #[test]
    fn only_hosts_are_taken_into_urls() {
        for host in ["kms.example.org", "127.0.0.1:8443", "[::1]", "[::1]:443", "a_b"] {
            assert!(is_host(host), "{host}");
        }
        for host in ["", ":1", "a b", "a:b", "a:123456", "[x]", "a%zz", "u@a", "a/b", "::1"] {
            assert!(!is_host(host), "{host}");
        }
    }
}
