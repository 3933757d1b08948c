//! How a request came: straight from a client, or through a proxy that ends TLS.

use super::Peer;
use crate::kms::config::{Policy, SecurityExtension};
use axum::http::header::{FORWARDED, VIA};
use axum::http::{HeaderMap, HeaderName};

/// What a proxy adds to the requests that it forwards (RFC 9110 7.6.3, RFC 7239).
const PROXY_HEADERS: [HeaderName; 3] = [VIA, FORWARDED, HeaderName::from_static("x-forwarded-for")];

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
        let is_proxy = |peer: &Peer| {
            let address = peer.address.ip().to_canonical();
            extension.proxies.iter().any(|network| network.contains(&address))
        };
        if peer.is_some_and(is_proxy) {
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
    pub(super) fn policy(self, extension: &SecurityExtension) -> Policy {
        match self {
            Self::Direct => extension.direct,
            Self::Proxy => extension.proxied,
            Self::Claimed => extension.direct.max(extension.proxied),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn way(address: &str, header: Option<&'static str>, proxies: &[&str]) -> Way {
        let proxies = proxies.iter().map(|network| network.parse().unwrap()).collect();
        let extension = SecurityExtension { proxies, ..SecurityExtension::default() };
        let peer = Peer { address: address.parse().unwrap(), holder: None };
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
            ("192.0.2.8:1", Some("x-real-ip"), Way::Direct),
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
            let extension = SecurityExtension { direct, proxied, proxies: Vec::new() };
            assert_eq!(Way::Direct.policy(&extension), direct);
            assert_eq!(Way::Proxy.policy(&extension), proxied);
            assert_eq!(Way::Claimed.policy(&extension), claimed);
        }
    }
}
