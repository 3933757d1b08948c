//! The domain of a URI, by which certificates say whose users a KMS serves.

/// The host that a URI names: `example.org` of `sip:alice@example.org:5060;transport=tls`, of `sip:example.org` and of
/// `example.org`.
pub(crate) fn domain_of(uri: &str) -> &str {
    let without_scheme =
        uri.split_once(':').map_or(uri, |(scheme, rest)| if scheme.contains(['@', '.']) { uri } else { rest });
    let host = without_scheme.rsplit_once('@').map_or(without_scheme, |(_, host)| host).trim_start_matches('/');
    if host.starts_with('[') {
        return host.split_inclusive(']').next().unwrap_or(host);
    }
    host.split([':', ';', '/', '?']).next().unwrap_or(host)
}

/// Whether two URIs or host names name one domain: case and a final dot make no difference.
pub fn same_domain(one: &str, other: &str) -> bool {
    let domain = |uri| domain_of(uri).trim_end_matches('.');
    domain(one).eq_ignore_ascii_case(domain(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_of_a_uri_is_its_host() {
        for uri in [
            "sip:alice@example.org",
            "sip:alice@example.org:5060;transport=tls",
            "alice@example.org",
            "sip:example.org",
            "example.org",
            "example.org:8443",
            "https://example.org/path",
        ] {
            assert_eq!(domain_of(uri), "example.org", "{uri}");
        }
        assert_eq!(domain_of("sip:alice@[2001:db8::1]:5060"), "[2001:db8::1]");
    }

    #[test]
    fn case_and_a_final_dot_make_no_other_domain() {
        assert!(same_domain("sip:alice@Example.ORG", "example.org."));
        assert!(!same_domain("sip:alice@example.org", "sip:alice@example.com"));
        assert!(!same_domain("sip:alice@sub.example.org", "example.org"));
    }
}
