//! Which way a request came: straight from its client, or through a proxy.

use super::Peer;
use crate::kms::config::SecurityExtension;
use axum::http::header::{FORWARDED, VIA};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use std::net::IpAddr;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What a proxy adds to the requests that it forwards (RFC 9110 7.6.3, RFC 7239).
const PROXY_HEADERS: [HeaderName; 3] = [VIA, FORWARDED, X_FORWARDED_FOR];

/// The way of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Route {
    /// Through a proxy that ends TLS, as its address or a header says. Headers can make a request look proxied and never the
    /// other way round.
    pub(super) is_proxied: bool,
    /// The client's address: what a known proxy says that it is, otherwise that of the connection.
    pub(super) from: Option<IpAddr>,
}

impl Route {
    pub(super) fn of(peer: Option<&Peer>, headers: &HeaderMap, extension: &SecurityExtension) -> Self {
        let is_known = |address: &IpAddr| extension.proxies.contains(address);
        let connected = peer.map(|peer| peer.address.ip().to_canonical());
        let through_known = connected.is_some_and(|address| is_known(&address));
        let is_proxied = through_known || PROXY_HEADERS.iter().any(|name| headers.contains_key(name));
        let told = through_known.then(|| last_forwarded(headers, is_known)).flatten();
        Self { is_proxied, from: told.or(connected) }
    }
}

/// The last address of X-Forwarded-For that is not a known proxy's: everything before it may be invented.
fn last_forwarded(headers: &HeaderMap, is_known: impl Fn(&IpAddr) -> bool) -> Option<IpAddr> {
    let values = headers.get_all(X_FORWARDED_FOR).iter().filter_map(|value| HeaderValue::to_str(value).ok());
    let addresses: Vec<Option<IpAddr>> =
        values.flat_map(|value| value.split(',')).map(|text| text.trim().parse().ok()).collect();
    addresses.into_iter().rev().find(|address| !address.is_some_and(|address| is_known(&address))).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(connected: &str, headers: &[(HeaderName, &str)]) -> (bool, String) {
        let extension = SecurityExtension {
            proxies: vec!["192.0.2.7".parse().unwrap(), "192.0.2.8".parse().unwrap()],
            ..SecurityExtension::default()
        };
        let peer = Peer { address: (connected.parse::<IpAddr>().unwrap(), 1).into(), holder: None };
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        let route = Route::of(Some(&peer), &headers, &extension);
        (route.is_proxied, route.from.unwrap().to_string())
    }

    #[test]
    fn a_known_proxy_says_where_a_request_came_from_and_nobody_else_does() {
        let forwarded = |value| (X_FORWARDED_FOR, value);
        for (connected, headers, expected) in [
            ("203.0.113.1", vec![], (false, "203.0.113.1")),
            ("203.0.113.1", vec![(VIA, "1.1 proxy")], (true, "203.0.113.1")),
            ("203.0.113.1", vec![(FORWARDED, "for=203.0.113.9")], (true, "203.0.113.1")),
            ("203.0.113.1", vec![forwarded("203.0.113.9")], (true, "203.0.113.1")),
            ("192.0.2.7", vec![], (true, "192.0.2.7")),
            ("::ffff:192.0.2.7", vec![], (true, "192.0.2.7")),
            ("192.0.2.7", vec![forwarded("203.0.113.9")], (true, "203.0.113.9")),
            ("192.0.2.7", vec![forwarded("invented, 203.0.113.9, 192.0.2.8")], (true, "203.0.113.9")),
            ("192.0.2.7", vec![forwarded("203.0.113.8"), forwarded("2001:db8::1")], (true, "2001:db8::1")),
            ("192.0.2.7", vec![forwarded("203.0.113.9, unknown")], (true, "192.0.2.7")),
        ] {
            assert_eq!(route(connected, &headers), (expected.0, expected.1.to_owned()), "{connected} {headers:?}");
        }
    }
}
