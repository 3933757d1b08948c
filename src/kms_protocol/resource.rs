//! The resources of a KMS (TS 33.180 D.2.1): what a request's URL asks for.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The path under which a KMS has its resources.
pub const ROOT: &str = "/keymanagement/identity/v1";

/// The most octets of a URI in a path.
pub const MAX_USER_URI: usize = 255;

/// A resource of a KMS; requests are POSTed to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    /// `init`: the KMS's own certificate.
    Init,
    /// `keyprov[/{URI}[/{time}]]`: key sets.
    KeyProv {
        /// The identity asked for; the client's own where it is absent.
        user_uri: Option<String>,
        /// A time in the key period asked for, as a 64-bit NTP timestamp (RFC 5905; the `T` payload of MIKEY); now where
        /// it is absent. Never present without `user_uri`.
        time: Option<u64>,
    },
    /// `certcache[/{number}]`: certificates of other KMSs.
    CertCache {
        /// Number of the latest cache that the client has.
        number: Option<u64>,
    },
    /// `cert/{KMS URI}`: the certificate of one KMS (D.2.6).
    Cert {
        /// KmsUri of the certificate asked for.
        kms_uri: String,
    },
    /// `{operation}/{URI or domain}`: which KMS serves a user or a domain (Discovery Lookup, D.2.7). The name of the operation
    /// is not public, so there is none unless [`PathRules::lookup`] gives it one.
    Lookup {
        /// The name of the operation.
        operation: String,
        /// The URI of a user, or a domain.
        subject: String,
    },
    /// `redirect`: KMS redirect responses are handed to the KMS (Discovery Upload).
    Redirect,
}

/// A sort of resource, whatever is asked for there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResourceKind {
    /// [`Resource::Init`].
    Init,
    /// [`Resource::KeyProv`].
    KeyProv,
    /// [`Resource::CertCache`].
    CertCache,
    /// [`Resource::Cert`].
    Cert,
    /// [`Resource::Lookup`].
    Lookup,
    /// [`Resource::Redirect`].
    Redirect,
}

impl ResourceKind {
    /// Every sort, in the order of D.2.1.
    pub const ALL: [Self; 6] = [Self::Init, Self::KeyProv, Self::CertCache, Self::Cert, Self::Lookup, Self::Redirect];

    /// The sort whose paths begin with this segment, but for a lookup, whose name is a matter of configuration.
    pub fn of_operation(operation: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind != Self::Lookup && kind.as_str() == operation)
    }

    /// The first segment of its path, or `lookup`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::KeyProv => "keyprov",
            Self::CertCache => "certcache",
            Self::Cert => "cert",
            Self::Lookup => "lookup",
            Self::Redirect => "redirect",
        }
    }
}

/// How paths are read: what deployed clients write in another way than D.2.1 has it, and the name that is not public.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathRules<'r> {
    /// A URI may stand in the path without escapes: the colon and the at sign of a SIP URI, but no slash.
    pub unescaped_uris: bool,
    /// The hex digits of a time may be in lower case.
    pub lower_case_times: bool,
    /// The name of the operation [`Resource::Lookup`].
    pub lookup: Option<&'r str>,
}

impl Default for PathRules<'_> {
    /// Everything that deployed clients write, and no lookup.
    fn default() -> Self {
        Self { unescaped_uris: true, lower_case_times: true, lookup: None }
    }
}

impl PathRules<'_> {
    /// What D.2.1 has, and no lookup.
    pub const STRICT: Self = Self { unescaped_uris: false, lower_case_times: false, lookup: None };
}

/// Why a path names no resource.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The path is not under [`ROOT`], or its next segment is no operation.
    #[error("no resource {found:?}, expected {ROOT}/ and one of {}", operations(lookup.as_deref()))]
    Unknown {
        /// The path.
        found: String,
        /// The name of the lookup, if it has one.
        lookup: Option<String>,
    },
    /// There is more in the path than the operation takes.
    #[error("{operation} takes at most {limit} path segments, found {found}: escape a URI's slashes as %2F")]
    TooManySegments {
        /// The operation.
        operation: String,
        /// Segments that it takes.
        limit: usize,
        /// Segments that are there.
        found: usize,
    },
    /// A URI's escapes are malformed, it is not UTF-8, has control characters or white space in it, or has more
    /// than [`MAX_USER_URI`] octets.
    #[error("URI {found:?}: expected a percent-encoded URI of at most {MAX_USER_URI} octets")]
    Uri {
        /// The segment as it stands.
        found: String,
    },
    /// The URI or domain that the operation is about is missing.
    #[error("{operation} needs one more path segment, expected a percent-encoded URI")]
    MissingUri {
        /// The operation.
        operation: String,
    },
    /// A URI has characters in it that must be escaped, and the rules are strict.
    #[error("URI {found:?}: expected everything but letters, digits and -._~ to be escaped")]
    Unescaped {
        /// The segment as it stands.
        found: String,
    },
    /// The time is in lower-case hex, and the rules are strict.
    #[error("time {found:?}: expected upper-case hex digits")]
    LowerCaseTime {
        /// The segment as it stands.
        found: String,
    },
    /// The time is not 16 hex digits.
    #[error("time {found:?}: expected a 64-bit NTP timestamp as 16 hex digits")]
    Time {
        /// The segment as it stands.
        found: String,
    },
    /// The cache number is not a decimal number.
    #[error("cache number {found:?}: expected a decimal number")]
    CacheNumber {
        /// The segment as it stands.
        found: String,
    },
}

/// The names of all operations.
fn operations(lookup: Option<&str>) -> String {
    let named = ResourceKind::ALL.iter().filter(|kind| **kind != ResourceKind::Lookup).map(|kind| kind.as_str());
    named.chain(lookup).collect::<Vec<_>>().join(", ")
}

impl Resource {
    /// Of which sort it is.
    pub fn kind(&self) -> ResourceKind {
        match self {
            Self::Init => ResourceKind::Init,
            Self::KeyProv { .. } => ResourceKind::KeyProv,
            Self::CertCache { .. } => ResourceKind::CertCache,
            Self::Cert { .. } => ResourceKind::Cert,
            Self::Lookup { .. } => ResourceKind::Lookup,
            Self::Redirect => ResourceKind::Redirect,
        }
    }

    /// Reads a request's path (or path and query, which is left aside) as it came: still escaped. A user URI is accepted
    /// unescaped as well, a time in either case, and one slash at the end.
    ///
    /// ```
    /// use mikey_sakke::kms_protocol::resource::Resource;
    ///
    /// let path = "/keymanagement/identity/v1/keyprov/sip%3Auser%40example.org/D6B4323200000000";
    /// let resource = Resource::parse(path)?;
    /// assert_eq!(resource, Resource::KeyProv {
    ///     user_uri: Some("sip:user@example.org".into()),
    ///     time: Some(0xD6B4_3232_0000_0000),
    /// });
    /// assert_eq!(resource.path(), path);
    /// # Ok::<(), mikey_sakke::kms_protocol::resource::Error>(())
    /// ```
    pub fn parse(path: &str) -> Result<Self, Error> {
        Self::parse_by(path, &PathRules::default())
    }

    /// The same, by rules that may be stricter, and with a lookup if they name one.
    pub fn parse_by(path: &str, rules: &PathRules<'_>) -> Result<Self, Error> {
        let unknown = || Error::Unknown { found: super::value::excerpt(path), lookup: rules.lookup.map(str::to_owned) };
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let below = path.strip_prefix(ROOT).and_then(|rest| rest.strip_prefix('/')).ok_or_else(unknown)?;
        let below = below.strip_suffix('/').unwrap_or(below);
        let mut segments = below.split('/');
        let operation = segments.next().unwrap_or_default();
        let arguments: Vec<&str> = segments.collect();
        let lookup = || (rules.lookup == Some(operation)).then_some(ResourceKind::Lookup);
        let kind = ResourceKind::of_operation(operation).or_else(lookup).ok_or_else(unknown)?;
        match (kind, arguments.as_slice()) {
            (ResourceKind::Init, []) => Ok(Resource::Init),
            (ResourceKind::Redirect, []) => Ok(Resource::Redirect),
            (ResourceKind::Init | ResourceKind::Redirect, more) => Err(too_many(operation, 0, more.len())),
            (ResourceKind::KeyProv, []) => Ok(Resource::KeyProv { user_uri: None, time: None }),
            (ResourceKind::KeyProv, [uri]) => {
                Ok(Resource::KeyProv { user_uri: Some(parse_uri(uri, rules)?), time: None })
            }
            (ResourceKind::KeyProv, [uri, time]) => {
                Ok(Resource::KeyProv { user_uri: Some(parse_uri(uri, rules)?), time: Some(parse_time(time, rules)?) })
            }
            (ResourceKind::KeyProv, more) => Err(too_many(operation, 2, more.len())),
            (ResourceKind::CertCache, []) => Ok(Resource::CertCache { number: None }),
            (ResourceKind::CertCache, [number]) => {
                Ok(Resource::CertCache { number: Some(parse_cache_number(number)?) })
            }
            (ResourceKind::CertCache, more) => Err(too_many(operation, 1, more.len())),
            (ResourceKind::Cert, arguments) => Ok(Resource::Cert { kms_uri: the_uri(operation, arguments, rules)? }),
            (ResourceKind::Lookup, arguments) => {
                Ok(Resource::Lookup { operation: operation.to_owned(), subject: the_uri(operation, arguments, rules)? })
            }
        }
    }

    /// The path, from [`ROOT`] on, escaped, with the time in upper case.
    pub fn path(&self) -> String {
        match self {
            Resource::Init => format!("{ROOT}/init"),
            Resource::KeyProv { user_uri: None, .. } => format!("{ROOT}/keyprov"),
            Resource::KeyProv { user_uri: Some(uri), time: None } => {
                format!("{ROOT}/keyprov/{}", utf8_percent_encode(uri, ESCAPED))
            }
            Resource::KeyProv { user_uri: Some(uri), time: Some(time) } => {
                format!("{ROOT}/keyprov/{}/{time:016X}", utf8_percent_encode(uri, ESCAPED))
            }
            Resource::CertCache { number: None } => format!("{ROOT}/certcache"),
            Resource::CertCache { number: Some(number) } => format!("{ROOT}/certcache/{number}"),
            Resource::Cert { kms_uri } => format!("{ROOT}/cert/{}", utf8_percent_encode(kms_uri, ESCAPED)),
            Resource::Lookup { operation, subject } => {
                format!("{ROOT}/{operation}/{}", utf8_percent_encode(subject, ESCAPED))
            }
            Resource::Redirect => format!("{ROOT}/redirect"),
        }
    }

    /// The URL at a KMS, given as `https://host[:port]` with or without a slash or [`ROOT`] at its end.
    pub fn url(&self, kms: &str) -> String {
        let kms = kms.trim_end_matches('/');
        format!("{}{}", kms.strip_suffix(ROOT).unwrap_or(kms), self.path())
    }
}

/// How the `ClientReqUrl` of a document fits the URL of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UrlMatch {
    /// It is that URL.
    Same {
        /// But for `http` in place of `https`; the examples of D.2.1 write it so.
        by_http: bool,
    },
    /// It is that URL without the user URI, time or cache number at its end; deployed clients write it so.
    SameOperation {
        /// And with `http` in place of `https`.
        by_http: bool,
    },
    /// It is another.
    Different,
}

/// Compares a `ClientReqUrl` with the URL to which the request went, both absolute. Case of scheme and host, default ports,
/// escapes and a slash at the end make no difference. A path before [`ROOT`] must be the same.
pub fn compare_request_url(client_req_url: &str, request_url: &str) -> UrlMatch {
    let (Some(claimed), Some(actual)) = (UrlParts::parse(client_req_url), UrlParts::parse(request_url)) else {
        return UrlMatch::Different;
    };
    if claimed.authority != actual.authority || claimed.prefix != actual.prefix {
        return UrlMatch::Different;
    }
    let by_http = actual.is_https && !claimed.is_https;
    if claimed.path == actual.path {
        return UrlMatch::Same { by_http };
    }
    match (Resource::parse(claimed.path), Resource::parse(actual.path)) {
        (Ok(claimed), Ok(actual)) if claimed == actual => UrlMatch::Same { by_http },
        (Ok(claimed), Ok(actual)) if actual.without_arguments().is_some_and(|operation| operation == claimed) => {
            UrlMatch::SameOperation { by_http }
        }
        _ => UrlMatch::Different,
    }
}

impl Resource {
    fn without_arguments(&self) -> Option<Resource> {
        match self {
            Resource::KeyProv { .. } => Some(Resource::KeyProv { user_uri: None, time: None }),
            Resource::CertCache { .. } => Some(Resource::CertCache { number: None }),
            Resource::Init | Resource::Cert { .. } | Resource::Lookup { .. } | Resource::Redirect => None,
        }
    }
}

struct UrlParts<'u> {
    is_https: bool,
    authority: String,
    /// What stands before [`ROOT`].
    prefix: &'u str,
    path: &'u str,
}

impl<'u> UrlParts<'u> {
    fn parse(url: &'u str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let (is_https, port) = match scheme.to_ascii_lowercase().as_str() {
            "http" => (false, ":80"),
            "https" => (true, ":443"),
            _ => return None,
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let authority = authority.to_ascii_lowercase();
        let authority = authority.strip_suffix(port).unwrap_or(&authority);
        let (prefix, path) = path.split_at(path.find(ROOT).unwrap_or(0));
        (!authority.is_empty()).then(|| UrlParts { is_https, authority: authority.to_owned(), prefix, path })
    }
}

/// Everything but the unreserved characters of RFC 3986.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn too_many(operation: &str, limit: usize, found: usize) -> Error {
    Error::TooManySegments { operation: operation.to_owned(), limit, found }
}

fn the_uri(operation: &str, arguments: &[&str], rules: &PathRules<'_>) -> Result<String, Error> {
    match arguments {
        [] => Err(Error::MissingUri { operation: operation.to_owned() }),
        [uri] => parse_uri(uri, rules),
        more => Err(too_many(operation, 1, more.len())),
    }
}

fn parse_uri(segment: &str, rules: &PathRules<'_>) -> Result<String, Error> {
    let bad = || Error::Uri { found: super::value::excerpt(segment) };
    let is_escape = |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|octet| octet.is_ascii_hexdigit());
    if !segment.split('%').skip(1).all(is_escape) {
        return Err(bad());
    }
    let uri = percent_decode_str(segment).decode_utf8().map_err(|_| bad())?;
    if uri.is_empty() || uri.len() > MAX_USER_URI || uri.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return Err(bad());
    }
    let is_escaped = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~%".contains(&octet);
    if !rules.unescaped_uris && !segment.bytes().all(is_escaped) {
        return Err(Error::Unescaped { found: super::value::excerpt(segment) });
    }
    Ok(uri.into_owned())
}

fn parse_time(segment: &str, rules: &PathRules<'_>) -> Result<u64, Error> {
    let bad = || Error::Time { found: super::value::excerpt(segment) };
    if segment.len() != 16 || !segment.bytes().all(|octet| octet.is_ascii_hexdigit()) {
        return Err(bad());
    }
    if !rules.lower_case_times && segment.bytes().any(|octet| octet.is_ascii_lowercase()) {
        return Err(Error::LowerCaseTime { found: super::value::excerpt(segment) });
    }
    u64::from_str_radix(segment, 16).map_err(|_| bad())
}

fn parse_cache_number(segment: &str) -> Result<u64, Error> {
    let bad = || Error::CacheNumber { found: super::value::excerpt(segment) };
    if !segment.bytes().all(|octet| octet.is_ascii_digit()) {
        return Err(bad());
    }
    segment.parse().map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_prov(user_uri: &str, time: Option<u64>) -> Resource {
        Resource::KeyProv { user_uri: Some(user_uri.to_owned()), time }
    }

    #[test]
    fn every_resource_is_read_from_the_path_that_it_writes() {
        for (path, resource) in [
            ("init", Resource::Init),
            ("keyprov", Resource::KeyProv { user_uri: None, time: None }),
            ("keyprov/sip%3Auser%40example.org", key_prov("sip:user@example.org", None)),
            ("keyprov/http%3A%2F%2Fgms.example.org%2Fa%25b", key_prov("http://gms.example.org/a%b", None)),
            ("keyprov/sip%3A%C3%A9%40example.org", key_prov("sip:\u{e9}@example.org", None)),
            (
                "keyprov/sip%3Auser%40example.org/D6B4323200000000",
                key_prov("sip:user@example.org", Some(0xd6b4_3232_0000_0000)),
            ),
            ("keyprov/D6B4323200000000/0000000000000001", key_prov("D6B4323200000000", Some(1))),
            ("certcache", Resource::CertCache { number: None }),
            ("certcache/12", Resource::CertCache { number: Some(12) }),
            ("cert/kms.example.com", Resource::Cert { kms_uri: "kms.example.com".to_owned() }),
            ("cert/https%3A%2F%2Fkms.example.com", Resource::Cert { kms_uri: "https://kms.example.com".to_owned() }),
            ("redirect", Resource::Redirect),
        ] {
            let path = format!("{ROOT}/{path}");
            assert_eq!(Resource::parse(&path).as_ref(), Ok(&resource), "{path}");
            assert_eq!(resource.path(), path);
            assert_eq!(Resource::parse(&format!("{path}/")).as_ref(), Ok(&resource), "{path}/");
            assert_eq!(Resource::parse(&format!("{path}?x=/y")).as_ref(), Ok(&resource), "{path}?x=/y");
        }
    }

    #[test]
    fn unescaped_user_uris_and_lower_case_times_are_read() {
        assert_eq!(
            Resource::parse("/keymanagement/identity/v1/keyprov/sip:user@example.org/d6b4323200000000"),
            Ok(key_prov("sip:user@example.org", Some(0xd6b4_3232_0000_0000)))
        );
    }

    #[test]
    fn unknown_paths_are_refused() {
        for path in [
            "",
            "/",
            "/init",
            "/keymanagement/identity/v1",
            "/keymanagement/identity/v1/",
            "/keymanagement/identity/v1/INIT",
            "/keymanagement/identity/v1/lookup/sip%3Aa%40b",
            "/keymanagement/identity/v1init",
            "/keymanagement/identity/v2/init",
            "/x/keymanagement/identity/v1/init",
        ] {
            assert!(matches!(Resource::parse(path), Err(Error::Unknown { .. })), "{path}");
        }
        let names = |lookup| {
            let error = Resource::parse_by("/", &PathRules { lookup, ..PathRules::default() }).unwrap_err().to_string();
            error.split_once("one of ").unwrap().1.to_owned()
        };
        assert_eq!(names(None), "init, keyprov, certcache, cert, redirect");
        assert_eq!(names(Some("find")), "init, keyprov, certcache, cert, redirect, find");
    }

    #[test]
    fn too_many_segments_are_refused() {
        let parse = |path: &str| Resource::parse(&format!("{ROOT}/{path}"));
        assert_eq!(parse("init/x"), Err(Error::TooManySegments { operation: "init".into(), limit: 0, found: 1 }));
        assert_eq!(
            parse("keyprov/http://a/0000000000000001"),
            Err(Error::TooManySegments { operation: "keyprov".into(), limit: 2, found: 4 })
        );
        for (path, operation, limit) in
            [("certcache/1/2", "certcache", 1), ("cert/a/b", "cert", 1), ("redirect/a/b", "redirect", 0)]
        {
            assert_eq!(parse(path), Err(Error::TooManySegments { operation: operation.into(), limit, found: 2 }));
        }
        assert_eq!(parse("cert"), Err(Error::MissingUri { operation: "cert".into() }));
    }

    #[test]
    fn malformed_user_uris_are_refused() {
        for segment in ["%", "%4", "%zz", "a%+1b", "%ff", "a%00b", "a%20b", "a%0d%0ab", "", "%4\u{e9}"] {
            let parsed = Resource::parse(&format!("{ROOT}/keyprov/{segment}/0000000000000001"));
            assert_eq!(parsed, Err(Error::Uri { found: segment.to_owned() }), "{segment}");
        }
    }

    #[test]
    fn user_uris_that_are_too_long_are_refused() {
        let parse = |length: usize| Resource::parse(&format!("{ROOT}/keyprov/{}", "%61".repeat(length)));
        assert_eq!(parse(MAX_USER_URI), Ok(key_prov(&"a".repeat(MAX_USER_URI), None)));
        let refused = parse(MAX_USER_URI + 1).unwrap_err();
        assert!(matches!(&refused, Error::Uri { found } if found.len() < 70), "{refused}");
    }

    #[test]
    fn malformed_times_and_cache_numbers_are_refused() {
        for segment in ["D6B43232", "D6B432320000000G", "+6B4323200000000", "D6B43232000000000"] {
            let parsed = Resource::parse(&format!("{ROOT}/keyprov/sip%3Aa%40b/{segment}"));
            assert_eq!(parsed, Err(Error::Time { found: segment.to_owned() }), "{segment}");
        }
        for segment in ["-1", "x", "18446744073709551616", "+1"] {
            let parsed = Resource::parse(&format!("{ROOT}/certcache/{segment}"));
            assert_eq!(parsed, Err(Error::CacheNumber { found: segment.to_owned() }), "{segment}");
        }
        assert_eq!(Resource::parse(&format!("{ROOT}/certcache//")), Err(Error::CacheNumber { found: String::new() }));
    }

    #[test]
    fn a_lookup_has_the_name_that_the_rules_give_it() {
        let rules = PathRules { lookup: Some("find"), ..PathRules::default() };
        let lookup = Resource::Lookup { operation: "find".into(), subject: "sip:a@b".into() };
        let path = format!("{ROOT}/find/sip%3Aa%40b");
        assert_eq!(Resource::parse_by(&path, &rules).as_ref(), Ok(&lookup));
        assert_eq!(lookup.path(), path);
        for path in [format!("{ROOT}/find"), format!("{ROOT}/find/")] {
            assert_eq!(Resource::parse_by(&path, &rules), Err(Error::MissingUri { operation: "find".into() }));
        }
    }

    #[test]
    fn strict_rules_want_escapes_and_upper_case() {
        let parse = |path: &str| Resource::parse_by(&format!("{ROOT}/{path}"), &PathRules::STRICT);
        assert_eq!(parse("keyprov/sip%3Aa%40b/D6B4323200000000"), Ok(key_prov("sip:a@b", Some(0xd6b4_3232_0000_0000))));
        for path in ["keyprov/sip:a%40b", "cert/sip:a%40b"] {
            assert_eq!(parse(path), Err(Error::Unescaped { found: "sip:a%40b".into() }), "{path}");
        }
        let found = "d6b4323200000000".to_owned();
        assert_eq!(parse("keyprov/sip%3Aa%40b/d6b4323200000000"), Err(Error::LowerCaseTime { found }));
    }

    #[test]
    fn urls_at_a_kms() {
        for kms in [
            "https://kms.example.org:8443",
            "https://kms.example.org:8443/",
            "https://kms.example.org:8443/keymanagement/identity/v1/",
        ] {
            assert_eq!(Resource::Init.url(kms), "https://kms.example.org:8443/keymanagement/identity/v1/init");
        }
    }

    #[test]
    fn request_urls_are_compared_by_meaning() {
        const SAME: UrlMatch = UrlMatch::Same { by_http: false };
        const SAME_BY_HTTP: UrlMatch = UrlMatch::Same { by_http: true };
        const SAME_OPERATION: UrlMatch = UrlMatch::SameOperation { by_http: false };
        let compare =
            |claimed: &str, path: &str| compare_request_url(claimed, &format!("https://kms.example.org{ROOT}/{path}"));
        for (claimed, path, expected) in [
            ("https://kms.example.org/keymanagement/identity/v1/init", "init", SAME),
            ("http://KMS.example.org:80/keymanagement/identity/v1/init", "init", SAME_BY_HTTP),
            ("HTTPS://kms.example.org:443/keymanagement/identity/v1/init/", "init", SAME),
            ("https://kms.example.org/keymanagement/identity/v1/keyprov/sip:a@b", "keyprov/sip%3aa%40b", SAME),
            ("https://kms.example.org/keymanagement/identity/v1/keyprov", "keyprov/sip%3Aa%40b", SAME_OPERATION),
            ("https://kms.example.org/keymanagement/identity/v1/cert/k:1", "cert/k%3A1", SAME),
            (
                "http://kms.example.org/keymanagement/identity/v1/keyprov",
                "keyprov/sip%3Aa%40b",
                UrlMatch::SameOperation { by_http: true },
            ),
            ("https://kms.example.org/keymanagement/identity/v1/cert/l", "cert/k", UrlMatch::Different),
            ("https://kms.example.org/keymanagement/identity/v1/certcache", "certcache/4", SAME_OPERATION),
            (
                "https://kms.example.org/keymanagement/identity/v1/keyprov/sip:a@c",
                "keyprov/sip%3Aa%40b",
                UrlMatch::Different,
            ),
            ("https://kms.example.org/keymanagement/identity/v1/keyprov/sip:a@b", "keyprov", UrlMatch::Different),
            ("https://kms.example.org/keymanagement/identity/v1/init", "keyprov", UrlMatch::Different),
            ("https://kms.example.com/keymanagement/identity/v1/init", "init", UrlMatch::Different),
            ("https://kms.example.org:8443/keymanagement/identity/v1/init", "init", UrlMatch::Different),
            ("ftp://kms.example.org/keymanagement/identity/v1/init", "init", UrlMatch::Different),
            ("/keymanagement/identity/v1/init", "init", UrlMatch::Different),
            ("https:///keymanagement/identity/v1/init", "init", UrlMatch::Different),
            ("", "init", UrlMatch::Different),
        ] {
            assert_eq!(compare(claimed, path), expected, "{claimed} {path}");
        }
    }

    #[test]
    fn a_path_before_the_root_must_be_the_same() {
        let url = |prefix: &str, resource: &str| format!("https://edge.example.org{prefix}{ROOT}/{resource}");
        let actual = url("/kms", "keyprov/sip%3Aa%40b");
        for (claimed, expected) in [
            (url("/kms", "keyprov/sip:a@b"), UrlMatch::Same { by_http: false }),
            (url("/kms", "keyprov"), UrlMatch::SameOperation { by_http: false }),
            (url("", "keyprov/sip:a@b"), UrlMatch::Different),
            (url("/KMS", "keyprov/sip:a@b"), UrlMatch::Different),
            (url("/kms/kms", "keyprov/sip%3Aa%40b"), UrlMatch::Different),
        ] {
            assert_eq!(compare_request_url(&claimed, &actual), expected, "{claimed}");
        }
    }
}
