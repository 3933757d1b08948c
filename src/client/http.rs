//! One POST to a KMS.

use super::Error;
use core::error::Error as _;
use core::fmt;
use core::time::Duration;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Identity, Proxy, Url};
use zeroize::Zeroizing;

const XML: HeaderValue = HeaderValue::from_static("application/xml");

/// How a KMS is reached.
#[derive(Clone)]
pub struct Transport {
    /// PEM certificates that are the only trust anchors; without them the system's are used.
    pub trust_anchors: Option<Vec<u8>>,
    /// URL of an HTTP proxy that the connection is tunnelled through (CONNECT), so that TLS still ends at the KMS.
    pub proxy: Option<String>,
    /// `name:password` for the proxy (RFC 7617), where it wants to know who asks.
    pub proxy_login: Option<Zeroizing<String>>,
    /// How long a connection may take.
    pub connect_timeout: Duration,
    /// How long a whole request may take.
    pub timeout: Duration,
    /// Octets that an answer may have.
    pub max_answer: usize,
}

impl Default for Transport {
    /// The system's trust anchors, no proxy, 10 s to connect, 30 s in all, 64 KiB.
    fn default() -> Self {
        Self {
            trust_anchors: None,
            proxy: None,
            proxy_login: None,
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(30),
            max_answer: 64 * 1024,
        }
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Transport")
            .field("own_trust_anchors", &self.trust_anchors.is_some())
            .field("proxy", &self.proxy.as_deref().map(without_password))
            .field("proxy_login", &self.proxy_login.is_some())
            .field("connect_timeout", &self.connect_timeout)
            .field("timeout", &self.timeout)
            .field("max_answer", &self.max_answer)
            .finish()
    }
}

/// A proxy's URL without the name and password that it may have before the `@`.
fn without_password(url: &str) -> String {
    match url.rsplit_once('@') {
        Some((_, host)) => format!("...@{host}"),
        None => url.to_owned(),
    }
}

/// How a client says who it is.
#[derive(Clone, Copy)]
pub enum Credentials<'a> {
    /// An access token (RFC 6750).
    Token(&'a str),
    /// A TLS certificate, with those between it and its authority, and its private key, all of it PEM.
    Certificate(&'a [u8]),
}

impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Token(_) => "Token(..)",
            Self::Certificate(_) => "Certificate(..)",
        })
    }
}

/// An HTTPS client that shows one access token or one certificate to one KMS.
pub(super) struct Http {
    client: Client,
    authorization: Option<HeaderValue>,
    /// The proxy's URL, without name and password.
    proxy: Option<String>,
    timeout: Duration,
    max_answer: usize,
}

pub(super) struct Answer {
    pub(super) status: u16,
    /// Seconds, where the server says when to ask again.
    pub(super) retry_after: Option<u64>,
    pub(super) body: Zeroizing<Vec<u8>>,
}

impl Http {
    pub(super) fn new(credentials: Credentials<'_>, transport: &Transport) -> Result<Self, Error> {
        // No redirects: the token and the keys are between this client and the KMS that it was told.
        let mut builder = Client::builder()
            .https_only(true)
            .no_proxy()
            .redirect(Policy::none())
            .connect_timeout(transport.connect_timeout)
            .timeout(transport.timeout);
        if let Some(pem) = &transport.trust_anchors {
            builder = builder.tls_certs_only(trust_anchors(pem)?);
        }
        if let Some(url) = &transport.proxy {
            builder = builder.proxy(proxy(url, transport.proxy_login.as_deref().map(String::as_str))?);
        }
        let authorization = match credentials {
            Credentials::Token(token) => Some(authorization(token)?),
            Credentials::Certificate(pem) => {
                let identity = Identity::from_pem(pem).map_err(|error| Error::ClientCertificate(causes(&error)))?;
                builder = builder.identity(identity);
                None
            }
        };
        let client = builder.build().map_err(|error| Error::TrustAnchors(causes(&error)))?;
        let proxy = transport.proxy.as_deref().map(without_password);
        Ok(Self { client, authorization, proxy, timeout: transport.timeout, max_answer: transport.max_answer })
    }

    pub(super) async fn post(&self, url: &Url, body: Vec<u8>) -> Result<Answer, Error> {
        let mut request = self.client.post(url.clone()).header(CONTENT_TYPE, XML).header(ACCEPT, XML).body(body);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        let mut response = request.send().await.map_err(|error| self.not_sent(url, error))?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let too_large = || Error::ResponseTooLarge { url: url.to_string(), limit: self.max_answer };
        // Room for all of it at once, so that keys leave no copies behind in buffers that were outgrown.
        let mut body = Zeroizing::new(Vec::with_capacity(self.max_answer));
        while let Some(chunk) = response.chunk().await.map_err(|error| self.failed(url, error))? {
            if chunk.len() > self.max_answer - body.len() {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, retry_after, body })
    }

    /// A server that does not want a certificate says so once the client has taken the connection for established.
    fn not_sent(&self, url: &Url, error: reqwest::Error) -> Error {
        let is_hung_up = self.authorization.is_none() && !error.is_connect();
        match self.failed(url, error) {
            Error::Connection { url, problem } if is_hung_up => Error::CertificateUnwanted { url, problem },
            error => error,
        }
    }

    fn failed(&self, url: &Url, error: reqwest::Error) -> Error {
        let url = url.to_string();
        if error.is_timeout() {
            return Error::Timeout { url, seconds: self.timeout.as_secs() };
        }
        let problem = causes(&error.without_url());
        // What its tunnel is refused with, the HTTP client says in words alone.
        if problem.contains("proxy authorization required") {
            Error::ProxyLogin
        } else if problem.contains("tunnel error: unsuccessful") {
            Error::ProxyRefuses { url }
        } else {
            match &self.proxy {
                Some(proxy) if problem.contains("tunnel error") => Error::Proxy { proxy: proxy.clone(), problem },
                _ => Error::Connection { url, problem },
            }
        }
    }
}

fn proxy(url: &str, login: Option<&str>) -> Result<Proxy, Error> {
    let wrong = |problem: String| Error::Url { url: without_password(url), problem };
    let expected = "expected http://host:port of an HTTP proxy that makes tunnels (CONNECT)";
    let scheme = Url::parse(url).map_err(|error| wrong(format!("{error}; {expected}")))?;
    if !matches!(scheme.scheme(), "http" | "https") {
        return Err(wrong(expected.to_owned()));
    }
    let proxy = Proxy::https(url).map_err(|error| wrong(causes(&error)))?;
    let Some(login) = login else { return Ok(proxy) };
    let (name, password) = login.split_once(':').ok_or(Error::ProxyLogin)?;
    Ok(proxy.basic_auth(name, password))
}

fn trust_anchors(pem: &[u8]) -> Result<Vec<Certificate>, Error> {
    let certificates = Certificate::from_pem_bundle(pem).map_err(|error| Error::TrustAnchors(causes(&error)))?;
    if certificates.is_empty() {
        return Err(Error::TrustAnchors("no PEM certificate found".into()));
    }
    Ok(certificates)
}

/// RFC 6750: a token consists of these characters alone.
fn authorization(token: &str) -> Result<HeaderValue, Error> {
    let token_octet = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~+/=".contains(&octet);
    if token.is_empty() || !token.bytes().all(token_octet) {
        return Err(Error::Token);
    }
    let mut value = Zeroizing::new(String::with_capacity("Bearer ".len() + token.len()));
    value.push_str("Bearer ");
    value.push_str(token);
    let mut value = HeaderValue::from_str(&value).map_err(|_| Error::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

/// An error with all its causes, for the outermost of them says little.
fn causes(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_that_no_header_takes_are_refused_and_not_shown() {
        for token in ["", "two words", "line\nbreak", "caf\u{e9}"] {
            let error = authorization(token).unwrap_err();
            assert!(matches!(error, Error::Token));
            assert!(token.is_empty() || !error.to_string().contains(token));
        }
        let header = authorization("abc.DEF-123_~+/=").unwrap();
        assert_eq!(header.to_str().unwrap(), "Bearer abc.DEF-123_~+/=");
        assert!(!format!("{header:?}").contains("abc"));
    }

    #[test]
    fn trust_anchors_must_hold_a_certificate() {
        for pem in [&b""[..], b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            let transport = Transport { trust_anchors: Some(pem.to_vec()), ..Transport::default() };
            assert!(matches!(Http::new(Credentials::Token("token"), &transport), Err(Error::TrustAnchors(_))));
        }
    }

    #[test]
    fn a_proxy_must_be_a_url() {
        let transport = Transport { proxy: Some("http://user:hunter2@[broken".into()), ..Transport::default() };
        let error = Http::new(Credentials::Token("token"), &transport).err().unwrap();
        assert!(matches!(&error, Error::Url { url, .. } if url == "...@[broken"), "{error}");
        assert!(!format!("{transport:?} {error} {error:?}").contains("hunter2"));
        for url in ["socks5://127.0.0.1:1080", "127.0.0.1:3128", "proxy.example.org:3128", "ftp://proxy.example.org"] {
            let transport = Transport { proxy: Some(url.into()), ..Transport::default() };
            let error = Http::new(Credentials::Token("token"), &transport).err().unwrap();
            assert!(matches!(&error, Error::Url { problem, .. } if problem.contains("http://host:port")), "{error}");
        }
    }

    #[test]
    fn a_login_for_a_proxy_has_a_colon_and_is_not_shown() {
        let proxy = Some("http://proxy.example.org:3128".to_owned());
        let transport = |login: &str| Transport {
            proxy: proxy.clone(),
            proxy_login: Some(login.to_owned().into()),
            ..Transport::default()
        };
        assert!(Http::new(Credentials::Token("token"), &transport("name:hunter2")).is_ok());
        let transport = transport("hunter2");
        let error = Http::new(Credentials::Token("token"), &transport).err().unwrap();
        assert!(matches!(error, Error::ProxyLogin), "{error}");
        assert!(!format!("{transport:?} {error} {error:?}").contains("hunter2"));
    }
}
