//! Bodies of SIP messages (RFC 2045, RFC 2046).
//!
//! Parsers for mail pass over what is broken and decode what they can; here what is broken has to be named.
use super::sip::{Headers, head_len, short};
use super::{Collector, Fault, Form, Origin, Remark, sdp, text};
use std::borrow::Cow;

/// Multipart bodies in multipart bodies; deployed messages have one level.
const MAX_DEPTH: usize = 4;

/// Takes every MIKEY message of a body.
pub(super) fn read(headers: &Headers, body: &[u8], origin: &Origin, found: &mut Collector) {
    read_part(headers, body, origin, found, 0);
}

fn read_part(headers: &Headers, body: &[u8], origin: &Origin, found: &mut Collector, depth: usize) {
    let Some(content_type) = headers.get("content-type") else {
        if sdp::is_in(body) {
            found.fault(Fault::NoContentType, origin);
        }
        return;
    };
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let multipart = kind.starts_with("multipart/");
    if !multipart && kind != "application/sdp" && kind != "application/mikey" {
        return;
    }
    if let Some(coding) = headers.get("content-encoding").filter(|coding| !coding.eq_ignore_ascii_case("identity")) {
        return found.fault(Fault::ContentEncoding { coding: short(coding) }, origin);
    }
    if multipart {
        return match parameter(content_type, "boundary") {
            _ if depth == MAX_DEPTH => found.fault(Fault::NestedTooDeep { limit: MAX_DEPTH }, origin),
            Some(boundary) => read_multipart(&boundary, body, origin, found, depth + 1),
            None => found.fault(Fault::NoBoundary, origin),
        };
    }
    let encoding = headers.get("content-transfer-encoding").unwrap_or("binary").to_ascii_lowercase();
    let mut remarks = Vec::new();
    let decoded = match encoding.as_str() {
        "binary" | "8bit" | "7bit" => Ok(Cow::Borrowed(body)),
        "quoted-printable" => Ok(Cow::Owned(quoted_printable(body))),
        "base64" => text::from_base64(&without_spaces(body)).map(|(octets, found)| {
            remarks = found;
            Cow::Owned(octets)
        }),
        _ => Err(Fault::TransferEncoding { encoding: short(&encoding) }),
    };
    match decoded {
        Err(fault) => found.fault(fault, origin),
        Ok(body) if kind == "application/sdp" => sdp::read(&body, origin, found),
        Ok(body) => read_mikey(&body, remarks, &origin.in_form(Form::Body), found),
    }
}

/// A body of type application/mikey. One that is base64 without saying so is told by its first octet: a version of 65 is
/// unlikely.
fn read_mikey(body: &[u8], mut remarks: Vec<Remark>, origin: &Origin, found: &mut Collector) {
    let compact = without_spaces(body);
    if compact.is_empty() {
        return found.fault(Fault::EmptyBody, origin);
    }
    let encoded = compact.first().is_some_and(u8::is_ascii_alphabetic).then(|| text::from_base64(&compact));
    match encoded {
        Some(Ok((octets, further))) => {
            remarks.push(Remark::UndeclaredBase64);
            remarks.extend(further);
            found.add(octets, remarks, origin.clone());
        }
        _ => found.add(body.to_vec(), remarks, origin.clone()),
    }
}

fn read_multipart(boundary: &str, body: &[u8], origin: &Origin, found: &mut Collector, depth: usize) {
    let mut parts = Parts::new(boundary.as_bytes(), body);
    let count = parts.by_ref().count();
    if !parts.closed {
        let boundary = short(boundary);
        let fault = match count {
            0 => Fault::BoundaryNotFound { boundary },
            _ => Fault::MultipartNotClosed { boundary },
        };
        found.fault(fault, origin);
    }
    for part in Parts::new(boundary.as_bytes(), body) {
        // A part without headers begins with the empty line, and a part without an empty line has no body.
        let (headers, body) = head_len(part).and_then(|len| part.split_at_checked(len)).unwrap_or((part, &[]));
        read_part(&Headers::parse(headers), body, origin, found, depth);
    }
}

/// The parts between delimiter lines.
struct Parts<'a> {
    boundary: &'a [u8],
    body: &'a [u8],
    /// Where the next line begins.
    offset: usize,
    /// Where the part begins, once one does.
    start: Option<usize>,
    /// Whether the closing delimiter was met.
    closed: bool,
}

impl<'a> Parts<'a> {
    const fn new(boundary: &'a [u8], body: &'a [u8]) -> Self {
        Self { boundary, body, offset: 0, start: None, closed: false }
    }

    fn delimiter(&self, line: &[u8]) -> Option<Delimiter> {
        match line.trim_ascii_end().strip_prefix(b"--")?.strip_prefix(self.boundary)? {
            [] => Some(Delimiter::Opening),
            b"--" => Some(Delimiter::Closing),
            _ => None,
        }
    }
}

enum Delimiter {
    Opening,
    Closing,
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.body.get(self.offset..).filter(|_| !self.closed)?;
        for line in rest.split_inclusive(|&octet| octet == b'\n') {
            let at = self.offset;
            self.offset += line.len();
            let Some(delimiter) = self.delimiter(line) else { continue };
            self.closed = matches!(delimiter, Delimiter::Closing);
            let start = self.start.replace(self.offset);
            // The line end before a delimiter belongs to it.
            let part = start.and_then(|start| self.body.get(start..at)).map(without_line_end);
            if part.is_some() || self.closed {
                return part;
            }
        }
        self.start.take().and_then(|start| self.body.get(start..))
    }
}

fn without_line_end(part: &[u8]) -> &[u8] {
    let part = part.strip_suffix(b"\n").unwrap_or(part);
    part.strip_suffix(b"\r").unwrap_or(part)
}

fn without_spaces(octets: &[u8]) -> Vec<u8> {
    octets.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect()
}

/// A parameter of a header field: `; name=value` or `; name="value"`.
fn parameter(field: &str, name: &str) -> Option<String> {
    field.split(';').skip(1).find_map(|parameter| {
        let (found, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches('"');
        (found.trim().eq_ignore_ascii_case(name) && !value.is_empty()).then(|| value.to_owned())
    })
}

/// What `=` does not precede stands for itself; an escape that is none does so too.
fn quoted_printable(text: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'=', [b'\r', b'\n', after @ ..] | [b'\n', after @ ..]) => rest = after,
            (b'=', [high, low, after @ ..]) => match text::from_hex(&[*high, *low]) {
                Ok(octet) => {
                    octets.extend(octet);
                    rest = after;
                }
                Err(_) => octets.push(b'='),
            },
            _ => octets.push(*first),
        }
    }
    octets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{Error, read as read_input};

    const MESSAGE: [u8; 4] = [1, 0x1a, 5, 0x81];

    fn sip(content_type: &str, further: &str, body: &[u8]) -> Vec<u8> {
        let head = format!("REGISTER sip:example.org SIP/2.0\r\nContent-Type: {content_type}\r\n{further}\r\n");
        [head.as_bytes(), body].concat()
    }

    fn faults(input: &[u8]) -> Vec<Fault> {
        let unread = match read_input(input) {
            Ok(found) => found.unread,
            Err(Error::NoMessage { unread }) => unread,
            Err(error) => panic!("{error}"),
        };
        unread.into_iter().map(|unread| unread.fault).collect()
    }

    #[test]
    fn a_mikey_body_is_binary_or_base64() {
        let base64 = "Content-Transfer-Encoding: base64\r\n";
        for (further, body, remarks) in [
            ("", &MESSAGE[..], &[][..]),
            (base64, b"ARoF\r\ngQ==\r\n", &[]),
            ("", b"ARoFgQ==", &[Remark::UndeclaredBase64]),
        ] {
            let found = read_input(&sip("application/mikey", further, body)).unwrap();
            assert_eq!(found.messages[0].octets, MESSAGE);
            assert_eq!(found.messages[0].remarks, remarks);
            assert_eq!(found.messages[0].origin.form, Form::Body);
        }
    }

    #[test]
    fn every_part_of_a_multipart_is_read() {
        let body = b"preamble\r\n--b 1\r\nContent-Type: application/vnd.3gpp.mcptt-info+xml\r\n\r\n<a/>\r\n--b 1\r\n\
            Content-Type: application/mikey\r\n\r\n\x01\x1a\x05\x81\r\n--b 1\r\nContent-Type: application/sdp\r\n\
            Content-Transfer-Encoding: quoted-printable\r\n\r\na=3Dkey-mgmt:mikey ARoF=\r\ngQ=3D=3D\r\n--b 1--\r\n";
        let found = read_input(&sip("multipart/mixed;boundary=\"b 1\"", "", body)).unwrap();
        let octets: Vec<_> = found.messages.iter().map(|message| message.octets.as_slice()).collect();
        assert_eq!(octets, [MESSAGE, MESSAGE]);
        assert!(found.unread.is_empty());
    }

    #[test]
    fn a_broken_multipart_is_named() {
        let open = b"--x\r\nContent-Type: application/sdp\r\n\r\na=key-mgmt:mikey ARoFgQ==\r\n";
        let found = read_input(&sip("multipart/mixed; boundary=x", "", open)).unwrap();
        assert_eq!(found.messages[0].octets, MESSAGE);
        assert_eq!(found.unread[0].fault, Fault::MultipartNotClosed { boundary: "x".into() });
        let boundary = || "y".to_owned();
        assert_eq!(
            faults(&sip("multipart/mixed; boundary=y", "", open)),
            [Fault::BoundaryNotFound { boundary: boundary() }]
        );
        assert_eq!(faults(&sip("multipart/mixed", "", open)), [Fault::NoBoundary]);
    }

    #[test]
    fn what_cannot_be_decoded_is_named() {
        let gzip = sip("application/sdp", "Content-Encoding: gzip\r\n", b"\x1f\x8b");
        assert_eq!(faults(&gzip), [Fault::ContentEncoding { coding: "gzip".into() }]);
        let other = sip("application/sdp", "Content-Transfer-Encoding: x-uue\r\n", b"x");
        assert_eq!(faults(&other), [Fault::TransferEncoding { encoding: "x-uue".into() }]);
        assert_eq!(faults(&sip("application/mikey", "", b"\r\n")), [Fault::EmptyBody]);
    }

    #[test]
    fn a_key_mgmt_line_in_a_body_without_its_type_is_named() {
        let line = "a=key-mgmt:mikey ARoFgQ==\r\n";
        for head in ["INVITE sip:b SIP/2.0", "RTSP/1.0 200 OK"] {
            let of_length = |length: usize| format!("{head}\r\nContent-Length: {length}\r\n\r\nv=0\r\n{line}");
            assert_eq!(faults(of_length(5 + line.len()).as_bytes()), [Fault::NoContentType], "{head}");
            assert_eq!(faults(of_length(0).as_bytes()), [Fault::BehindLength], "{head}");
            let other = format!("{head}\r\nContent-Length: 5\r\n\r\nv=0\r\n");
            assert_eq!(faults(other.as_bytes()), [], "{head}");
        }
        let without_length = format!("RTSP/1.0 200 OK\r\nContent-Type: application/sdp\r\n\r\n{line}");
        assert_eq!(faults(without_length.as_bytes()), [Fault::BehindLength]);
        let part = format!("--x\r\n\r\n{line}\r\n--x--\r\n");
        assert_eq!(faults(&sip("multipart/mixed; boundary=x", "", part.as_bytes())), [Fault::NoContentType]);
    }

    #[test]
    fn nesting_ends() {
        let part =
            |level: usize| format!("--x{level}\r\nContent-Type: multipart/mixed; boundary=x{}\r\n\r\n", level + 1);
        let body: String = (0..6).map(part).collect();
        assert!(
            faults(&sip("multipart/mixed; boundary=x0", "", body.as_bytes()))
                .contains(&Fault::NestedTooDeep { limit: 4 })
        );
    }
}
