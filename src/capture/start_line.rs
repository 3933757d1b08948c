//! The first lines of SIP messages (RFC 3261 7) and of RTSP messages (RFC 2326 6, 7), by which they are told from other
//! text.

/// No start line is longer.
pub(super) const MAX_LEN: usize = 4096;
const MAX_METHOD_LEN: usize = 16;

/// What speaks in messages of this form.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Sip,
    Rtsp,
}

/// `METHOD URI VERSION` of a request or `VERSION STATUS REASON` of a response.
pub(super) struct StartLine<'a> {
    pub protocol: Protocol,
    pub method: Option<&'a str>,
    /// Of a request.
    pub uri: Option<&'a [u8]>,
    pub status: Option<u16>,
}

const VERSIONS: [(&[u8], Protocol); 3] =
    [(b"SIP/2.0", Protocol::Sip), (b"RTSP/1.0", Protocol::Rtsp), (b"RTSP/2.0", Protocol::Rtsp)];

/// Whether `octets` begin with a start line, or, if they end before it does, with what could become one.
pub(super) fn begins(octets: &[u8]) -> bool {
    let end = octets.iter().take(MAX_LEN).position(|&octet| octet == b'\n');
    match end.and_then(|end| octets.get(..end)) {
        Some(line) => StartLine::parse(line).is_some(),
        None if octets.len() >= MAX_LEN => false,
        None => {
            let becomes = |version: &[u8]| !octets.is_empty() && octets.iter().zip(version).all(|(a, b)| a == b);
            let token = octets.iter().take_while(|octet| is_of_method(octet)).count();
            VERSIONS.iter().any(|(version, _)| becomes(version))
                || (1..=MAX_METHOD_LEN).contains(&token) && octets.get(token).is_none_or(|octet| *octet == b' ')
        }
    }
}

impl<'a> StartLine<'a> {
    pub(super) fn parse(line: &'a [u8]) -> Option<Self> {
        Self::of_response(line).or_else(|| Self::of_request(line.trim_ascii_end()))
    }

    fn of_response(line: &[u8]) -> Option<Self> {
        let (rest, protocol) = VERSIONS.iter().find_map(|(version, it)| Some((line.strip_prefix(*version)?, *it)))?;
        let digits = rest.strip_prefix(b" ")?.get(..3)?;
        let status = std::str::from_utf8(digits).ok()?.parse().ok()?;
        Some(Self { protocol, method: None, uri: None, status: Some(status) })
    }

    fn of_request(line: &'a [u8]) -> Option<Self> {
        let mut words = line.split(|&octet| octet == b' ');
        let (method, uri, version) = (words.next()?, words.next()?, words.next()?);
        let (_, protocol) = VERSIONS.iter().find(|(known, _)| *known == version)?;
        let named = (1..=MAX_METHOD_LEN).contains(&method.len()) && method.iter().all(is_of_method);
        let method = std::str::from_utf8(method).ok().filter(|_| named && !uri.is_empty() && words.next().is_none())?;
        Some(Self { protocol: *protocol, method: Some(method), uri: Some(uri), status: None })
    }
}

/// RTSP has `GET_PARAMETER`.
fn is_of_method(octet: &u8) -> bool {
    octet.is_ascii_uppercase() || *octet == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_lines_are_told_from_other_text_even_in_part() {
        for text in [
            "SIP/2.0 200 OK\r\n",
            "SIP",
            "INV",
            "INVITE",
            "INVITE sip:a",
            "INVITE sip:a SIP/2.0\r\n",
            "RTSP/1.0 463 Key Management Failure\r\n",
            "RT",
            "DESCRIBE rtsp://a/b RTSP/1.0\r\n",
            "GET_PARAMETER * RTSP/2.0\n",
            "GET_PAR",
        ] {
            assert!(begins(text.as_bytes()), "{text}");
        }
        for text in [
            "GET / HTTP/1.1\r\n",
            "HTTP/1.1 200 OK\r\n",
            "RTSP/3.0 200 OK\r\n",
            "v=0\r\n",
            "",
            "\x16\x03\x01",
            "ARoFgQ==",
            "$\0",
        ] {
            assert!(!begins(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_line_says_what_it_is() {
        let line = StartLine::parse(b"SETUP rtsp://a/b RTSP/1.0\r").unwrap();
        assert!(line.protocol == Protocol::Rtsp);
        assert_eq!((line.method, line.uri, line.status), (Some("SETUP"), Some(&b"rtsp://a/b"[..]), None));
        let line = StartLine::parse(b"SIP/2.0 180 Ringing\r").unwrap();
        assert!(line.protocol == Protocol::Sip);
        assert_eq!((line.method, line.uri, line.status), (None, None, Some(180)));
    }
}
