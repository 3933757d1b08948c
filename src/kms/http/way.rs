//! How a request came: straight from a client, or through a proxy that ends TLS.

use super::Peer;
use crate::kms::config::{Policy, SecurityExtension};
use axum::http::header::{FORWARDED, VIA};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use std::net::{IpAddr, SocketAddr};

/// What a proxy adds to the requests that it forwards (RFC 9110 7.6.3, RFC 7239), the HTTP proxy of 3GPP (TS 24.109) and
/// common ones among them.
const PROXY_HEADERS: [HeaderName; 7] = [
    VIA,
    FORWARDED,
    X_FORWARDED_FOR,
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("x-3gpp-asserted-identity"),
];
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// How a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Straight from a client, as far as it shows.
    Direct,
    /// From the address of a proxy.
    Proxy,
    /// With a header that a proxy adds, but from another address: a client may have written it as well.
    Claimed,
}

impl Way {
    pub(super) fn of(peer: Option<&Peer>, headers: &HeaderMap, extension: &SecurityExtension) -> Self {
        if peer.is_some_and(|peer| extension.is_proxy(peer.address.ip())) {
            Self::Proxy
        } else if PROXY_HEADERS.iter().any(|name| headers.contains_key(name)) {
            Self::Claimed
        } else {
            Self::Direct
        }
    }

    pub(super) fn is_proxied(self) -> bool {
        self != Self::Direct
    }

    /// Whether the security extension is used. Nobody gets a laxer policy by a header that anyone can write.
    pub(super) fn policy(self, (direct, proxied): (Policy, Policy)) -> Policy {
        match self {
            Self::Direct => direct,
            Self::Proxy => proxied,
            Self::Claimed => direct.max(proxied),
        }
    }
}

/// The client's address: what a known proxy says that it is, otherwise that of the connection.
pub(super) fn client_address(
    peer: Option<&Peer>,
    headers: &HeaderMap,
    extension: &SecurityExtension,
) -> Option<IpAddr> {
    let connected = peer?.address.ip().to_canonical();
    let told = || last_forwarded(headers, |address| extension.is_proxy(address));
    extension.is_proxy(connected).then(told).flatten().or(Some(connected))
}

/// The last address of X-Forwarded-For that is not a known proxy's: everything before it may be invented.
fn last_forwarded(headers: &HeaderMap, is_known: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
    let values = headers.get_all(X_FORWARDED_FOR).iter().filter_map(|value| HeaderValue::to_str(value).ok());
    let addresses: Vec<Option<IpAddr>> =
        values.flat_map(|value| value.split(',')).map(|text| forwarded_address(text.trim())).collect();
    addresses.into_iter().rev().find(|address| !address.is_some_and(&is_known)).flatten()
}

/// An address, which some proxies write with the port.
fn forwarded_address(text: &str) -> Option<IpAddr> {
    let address = text.parse().or_else(|_| text.parse().map(|address: SocketAddr| address.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kms::http::ShownCertificate;

    fn way(address: &str, header: Option<&'static str>, proxies: &[&str]) -> Way {
        let proxies = proxies.iter().map(|network| network.parse().unwrap()).collect();
        let extension = SecurityExtension { proxies, ..SecurityExtension::default() };
        let peer =
            Peer { address: address.parse().unwrap(), certificate: ShownCertificate::None, has_two_lengths: false };
        let mut headers = HeaderMap::new();
        headers.extend(header.map(|name| (HeaderName::from_static(name), HeaderValue::from_static("1.1 p"))));
        Way::of(Some(&peer), &headers, &extension)
    }

    #[test]
    fn a_listed_address_or_a_header_shows_a_proxy() {
        let listed = ["192.0.2.7/32", "10.1.0.0/16", "2001:db8::/32"];
        for (address, header, expected) in [
            ("192.0.2.7:1", None, Way::Proxy),
            ("[::ffff:192.0.2.7]:1", None, Way::Proxy),
            ("10.1.255.1:1", None, Way::Proxy),
            ("[2001:db8::1]:1", Some("via"), Way::Proxy),
            ("10.2.0.1:1", None, Way::Direct),
            ("192.0.2.8:1", None, Way::Direct),
            ("192.0.2.8:1", Some("via"), Way::Claimed),
            ("192.0.2.8:1", Some("forwarded"), Way::Claimed),
            ("192.0.2.8:1", Some("x-forwarded-for"), Way::Claimed),
            ("192.0.2.8:1", Some("x-forwarded-host"), Way::Claimed),
            ("192.0.2.8:1", Some("x-forwarded-proto"), Way::Claimed),
            ("192.0.2.8:1", Some("x-real-ip"), Way::Claimed),
            ("192.0.2.8:1", Some("x-3gpp-asserted-identity"), Way::Claimed),
            ("192.0.2.8:1", Some("x-request-id"), Way::Direct),
        ] {
            assert_eq!(way(address, header, &listed), expected, "{address} {header:?}");
        }
    }

    #[test]
    fn a_header_never_makes_the_policy_laxer() {
        use Policy::{Off, Optional, Required};
        for (direct, proxied, claimed) in
            [(Optional, Required, Required), (Required, Off, Required), (Required, Optional, Required), (Off, Off, Off)]
        {
            assert_eq!(Way::Direct.policy((direct, proxied)), direct);
            assert_eq!(Way::Proxy.policy((direct, proxied)), proxied);
            assert_eq!(Way::Claimed.policy((direct, proxied)), claimed);
        }
    }

    fn address(connected: &str, headers: &[(HeaderName, &str)]) -> String {
        let proxies = ["192.0.2.7/32", "192.0.2.8/32"].map(|network| network.parse().unwrap()).into();
        let extension = SecurityExtension { proxies, ..SecurityExtension::default() };
        let address = (connected.parse::<IpAddr>().unwrap(), 1).into();
        let peer = Peer { address, certificate: ShownCertificate::None, has_two_lengths: false };
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        client_address(Some(&peer), &headers, &extension).unwrap().to_string()
    }

    #[test]
    fn a_known_proxy_says_where_a_request_came_from_and_nobody_else_does() {
        let forwarded = |value| (X_FORWARDED_FOR, value);
        for (connected, headers, expected) in [
            ("203.0.113.1", vec![], "203.0.113.1"),
            ("203.0.113.1", vec![(FORWARDED, "for=203.0.113.9")], "203.0.113.1"),
            ("203.0.113.1", vec![forwarded("203.0.113.9")], "203.0.113.1"),
            ("192.0.2.7", vec![], "192.0.2.7"),
            ("::ffff:192.0.2.7", vec![], "192.0.2.7"),
            ("192.0.2.7", vec![forwarded("203.0.113.9")], "203.0.113.9"),
            ("192.0.2.7", vec![forwarded("invented, 203.0.113.9, 192.0.2.8")], "203.0.113.9"),
            ("192.0.2.7", vec![forwarded("203.0.113.8"), forwarded("2001:db8::1")], "2001:db8::1"),
            ("192.0.2.7", vec![forwarded("203.0.113.9:4711")], "203.0.113.9"),
            ("192.0.2.7", vec![forwarded("[2001:db8::1]:4711, ::ffff:192.0.2.8")], "2001:db8::1"),
            ("192.0.2.7", vec![forwarded("203.0.113.9, unknown")], "192.0.2.7"),
        ] {
            assert_eq!(address(connected, &headers), expected, "{connected} {headers:?}");
        }
    }
}
