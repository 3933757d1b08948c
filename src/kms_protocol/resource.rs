//! The resources of a KMS (TS 33.180 D.2.1): what a request's URL asks for.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The path under which a KMS has its resources.
pub const ROOT: &str = "/keymanagement/identity/v1";

/// The most octets of a user URI.
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
}

/// Why a path names no resource.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The path is not under [`ROOT`], or its next segment is no operation.
    #[error("no resource {found:?}, expected {ROOT}/ and one of init, keyprov, certcache")]
    Unknown {
        /// The path.
        found: String,
    },
    /// There is more in the path than the operation takes.
    #[error("{operation} takes at most {limit} path segments, found {found}: escape a URI's slashes as %2F")]
    TooManySegments {
        /// The operation.
        operation: &'static str,
        /// Segments that it takes.
        limit: usize,
        /// Segments that are there.
        found: usize,
    },
    /// The user URI's escapes are malformed, it is not UTF-8, has control characters or white space in it, or has more
    /// than [`MAX_USER_URI`] octets.
    #[error("user URI {found:?}: expected a percent-encoded URI of at most {MAX_USER_URI} octets")]
    UserUri {
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

impl Resource {
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
        let unknown = || Error::Unknown { found: super::value::excerpt(path) };
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let below = path.strip_prefix(ROOT).and_then(|rest| rest.strip_prefix('/')).ok_or_else(unknown)?;
        let below = below.strip_suffix('/').unwrap_or(below);
        let mut segments = below.split('/');
        let operation = segments.next().unwrap_or_default();
        let arguments: Vec<&str> = segments.collect();
        match (operation, arguments.as_slice()) {
            ("init", []) => Ok(Resource::Init),
            ("init", more) => Err(too_many("init", 0, more.len())),
            ("keyprov", []) => Ok(Resource::KeyProv { user_uri: None, time: None }),
            ("keyprov", [uri]) => Ok(Resource::KeyProv { user_uri: Some(parse_user_uri(uri)?), time: None }),
            ("keyprov", [uri, time]) => {
                Ok(Resource::KeyProv { user_uri: Some(parse_user_uri(uri)?), time: Some(parse_time(time)?) })
            }
            ("keyprov", more) => Err(too_many("keyprov", 2, more.len())),
            ("certcache", []) => Ok(Resource::CertCache { number: None }),
            ("certcache", [number]) => Ok(Resource::CertCache { number: Some(parse_cache_number(number)?) }),
            ("certcache", more) => Err(too_many("certcache", 1, more.len())),
            _ => Err(unknown()),
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
    /// It is that URL, `http` or `https`.
    Same,
    /// It is that URL without the user URI, time or cache number at its end; deployed clients write it so.
    SameOperation,
    /// It is another.
    Different,
}

/// Compares a `ClientReqUrl` with the URL to which the request went, both absolute. Scheme (`http` or `https`), case of the
/// host, default ports, escapes and a slash at the end make no difference.
pub fn compare_request_url(client_req_url: &str, request_url: &str) -> UrlMatch {
    let (Some(claimed), Some(actual)) = (UrlParts::parse(client_req_url), UrlParts::parse(request_url)) else {
        return UrlMatch::Different;
    };
    if claimed.authority != actual.authority {
        return UrlMatch::Different;
    }
    if claimed.path == actual.path {
        return UrlMatch::Same;
    }
    match (Resource::parse(claimed.path), Resource::parse(actual.path)) {
        (Ok(claimed), Ok(actual)) if claimed == actual => UrlMatch::Same,
        (Ok(claimed), Ok(actual)) if claimed == actual.without_arguments() => UrlMatch::SameOperation,
        _ => UrlMatch::Different,
    }
}

impl Resource {
    fn without_arguments(&self) -> Resource {
        match self {
            Resource::Init => Resource::Init,
            Resource::KeyProv { .. } => Resource::KeyProv { user_uri: None, time: None },
            Resource::CertCache { .. } => Resource::CertCache { number: None },
        }
    }
}

struct UrlParts<'u> {
    authority: String,
    path: &'u str,
}

impl<'u> UrlParts<'u> {
    fn parse(url: &'u str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let port = match scheme.to_ascii_lowercase().as_str() {
            "http" => ":80",
            "https" => ":443",
            _ => return None,
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let authority = authority.to_ascii_lowercase();
        let authority = authority.strip_suffix(port).unwrap_or(&authority);
        (!authority.is_empty()).then(|| UrlParts { authority: authority.to_owned(), path })
    }
}

/// Everything but the unreserved characters of RFC 3986.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn too_many(operation: &'static str, limit: usize, found: usize) -> Error {
    Error::TooManySegments { operation, limit, found }
}

fn parse_user_uri(segment: &str) -> Result<String, Error> {
    let bad = || Error::UserUri { found: super::value::excerpt(segment) };
    let is_escape = |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|octet| octet.is_ascii_hexdigit());
    if !segment.split('%').skip(1).all(is_escape) {
        return Err(bad());
    }
    let uri = percent_decode_str(segment).decode_utf8().map_err(|_| bad())?;
    if uri.is_empty() || uri.len() > MAX_USER_URI || uri.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return Err(bad());
    }
    Ok(uri.into_owned())
}

fn parse_time(segment: &str) -> Result<u64, Error> {
    let bad = || Error::Time { found: super::value::excerpt(segment) };
    if segment.len() != 16 || !segment.bytes().all(|octet| octet.is_ascii_hexdigit()) {
        return Err(bad());
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
            "/keymanagement/identity/v1/cert/x",
            "/keymanagement/identity/v1init",
            "/keymanagement/identity/v2/init",
            "/x/keymanagement/identity/v1/init",
        ] {
            assert!(matches!(Resource::parse(path), Err(Error::Unknown { .. })), "{path}");
        }
    }

    #[test]
    fn too_many_segments_are_refused() {
        let parse = |path: &str| Resource::parse(&format!("{ROOT}/{path}"));
        assert_eq!(parse("init/x"), Err(Error::TooManySegments { operation: "init", limit: 0, found: 1 }));
        assert_eq!(
            parse("keyprov/http://a/0000000000000001"),
            Err(Error::TooManySegments { operation: "keyprov", limit: 2, found: 4 })
        );
        assert_eq!(parse("certcache/1/2"), Err(Error::TooManySegments { operation: "certcache", limit: 1, found: 2 }));
    }

    #[test]
    fn malformed_user_uris_are_refused() {
        for segment in ["%", "%4", "%zz", "a%+1b", "%ff", "a%00b", "a%20b", "a%0d%0ab", "", "%4\u{e9}"] {
            let parsed = Resource::parse(&format!("{ROOT}/keyprov/{segment}/0000000000000001"));
            assert_eq!(parsed, Err(Error::UserUri { found: segment.to_owned() }), "{segment}");
        }
    }

    #[test]
    fn user_uris_that_are_too_long_are_refused() {
        let parse = |length: usize| Resource::parse(&format!("{ROOT}/keyprov/{}", "%61".repeat(length)));
        assert_eq!(parse(MAX_USER_URI), Ok(key_prov(&"a".repeat(MAX_USER_URI), None)));
        let refused = parse(MAX_USER_URI + 1).unwrap_err();
        assert!(matches!(&refused, Error::UserUri { found } if found.len() < 70), "{refused}");
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
        let compare =
            |claimed: &str, path: &str| compare_request_url(claimed, &format!("https://kms.example.org{ROOT}/{path}"));
        for (claimed, path, expected) in [
            ("https://kms.example.org/keymanagement/identity/v1/init", "init", UrlMatch::Same),
            ("http://KMS.example.org:80/keymanagement/identity/v1/init", "init", UrlMatch::Same),
            ("HTTPS://kms.example.org:443/keymanagement/identity/v1/init/", "init", UrlMatch::Same),
            (
                "https://kms.example.org/keymanagement/identity/v1/keyprov/sip:a@b",
                "keyprov/sip%3aa%40b",
                UrlMatch::Same,
            ),
            (
                "https://kms.example.org/keymanagement/identity/v1/keyprov",
                "keyprov/sip%3Aa%40b",
                UrlMatch::SameOperation,
            ),
            ("https://kms.example.org/keymanagement/identity/v1/certcache", "certcache/4", UrlMatch::SameOperation),
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
}
