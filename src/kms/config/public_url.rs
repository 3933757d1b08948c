//! URLs by which clients know a KMS that is behind proxies.

use super::{ConfigError, quoted};
use crate::kms_protocol::resource::ROOT;
use core::fmt;
use reqwest::Url;

/// `https://host[:port][/prefix]`: what stands before `/keymanagement/identity/v1` in the URLs that clients post to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    text: String,
    authority: String,
}

impl PublicUrl {
    /// Reads one of `server.public_urls`.
    ///
    /// # Errors
    /// [`ConfigError::Value`].
    pub fn new(text: &str) -> Result<Self, ConfigError> {
        let wrong = || ConfigError::Value {
            key: "server.public_urls".into(),
            value: quoted(text),
            remedy: "write https://host, https://host:port, or these with a path, as clients have it",
        };
        let url = Url::parse(text).map_err(|_| wrong())?;
        let is_plain =
            url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
        let (true, true, Some(host)) = (url.scheme() == "https", is_plain, url.host_str()) else { return Err(wrong()) };
        let authority = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let path = url.path().trim_end_matches('/');
        let prefix = path.strip_suffix(ROOT).unwrap_or(path);
        Ok(Self { text: format!("https://{authority}{prefix}"), authority })
    }

    /// Whether a `Host` header names its host and port.
    pub fn is_at(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        host.strip_suffix(":443").unwrap_or(&host) == self.authority
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_with_or_without_what_every_kms_has() {
        for (text, expected) in [
            ("https://KMS.example.org", "https://kms.example.org"),
            ("https://kms.example.org:443/", "https://kms.example.org"),
            ("https://kms.example.org:8443/keymanagement/identity/v1", "https://kms.example.org:8443"),
            ("https://edge.example.org/kms/", "https://edge.example.org/kms"),
            ("https://[2001:db8::1]/kms/keymanagement/identity/v1/", "https://[2001:db8::1]/kms"),
        ] {
            assert_eq!(PublicUrl::new(text).unwrap().to_string(), expected);
        }
        for text in
            ["http://kms.example.org", "kms.example.org", "https://", "https://a@b", "https://a?b", "https://a#b"]
        {
            assert!(matches!(PublicUrl::new(text), Err(ConfigError::Value { .. })), "{text}");
        }
    }

    #[test]
    fn a_host_is_compared_without_case_and_default_port() {
        let url = PublicUrl::new("https://edge.example.org/kms").unwrap();
        assert!(url.is_at("Edge.Example.org") && url.is_at("edge.example.org:443"));
        assert!(!url.is_at("edge.example.org:8443") && !url.is_at("kms.example.org"));
        assert!(PublicUrl::new("https://edge.example.org:8443").unwrap().is_at("edge.example.org:8443"));
    }
}
