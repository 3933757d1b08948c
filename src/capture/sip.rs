//! SIP messages (RFC 3261), as much of them as it takes to find bodies.
use super::{Collector, Fault, Origin, SipOrigin, mime};

const VERSION: &[u8] = b"SIP/2.0";
/// No start line is longer.
pub(super) const MAX_START_LINE: usize = 4096;
/// Octets of a text that tells of a message; no Call-ID of the field is longer.
const MAX_SHORT: usize = 128;

/// The start line and the headers of a message.
pub(super) struct Head {
    origin: SipOrigin,
    headers: Headers,
    /// Octets of the head, the empty line included.
    pub len: usize,
}

/// Header fields by their names in lower case and in full, each once.
#[derive(Default)]
pub(super) struct Headers(Vec<(&'static str, String)>);

/// Whether `octets` begin with a start line, or, if they end before it does, with what could become one.
pub(super) fn begins(octets: &[u8]) -> bool {
    let end = octets.iter().take(MAX_START_LINE).position(|&octet| octet == b'\n');
    match end.and_then(|end| octets.get(..end)) {
        Some(line) => method(line.trim_ascii_end()).is_some() || status(line).is_some(),
        None if octets.len() >= MAX_START_LINE => false,
        None => {
            let token = octets.iter().take_while(|octet| octet.is_ascii_uppercase()).count();
            let response = !octets.is_empty() && octets.iter().zip(VERSION).all(|(a, b)| a == b);
            response || (1..=16).contains(&token) && octets.get(token).is_none_or(|octet| *octet == b' ')
        }
    }
}

/// Takes every MIKEY message of one or more SIP messages, one behind the other.
///
/// Content-Length parts them; where it says more than there is, as in a log whose line ends were converted, the body is
/// taken as it is.
pub(super) fn read_all(mut octets: &[u8], origin: &Origin, found: &mut Collector) {
    while begins(octets) {
        let Some(head) = Head::parse(octets) else {
            found.fault(Fault::SipHeaders, origin);
            return;
        };
        let rest = octets.get(head.len..).unwrap_or_default();
        let length = head.content_length().filter(|length| *length <= rest.len()).unwrap_or(rest.len());
        let (body, rest) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        head.read_body(body, origin, found);
        octets = rest.trim_ascii_start();
    }
}

/// Takes every MIKEY message of the SIP message in a datagram.
pub(super) fn read_datagram(octets: &[u8], origin: &Origin, found: &mut Collector) {
    let Some(head) = Head::parse(octets) else {
        found.fault(Fault::SipHeaders, origin);
        return;
    };
    let body = octets.get(head.len..).unwrap_or_default();
    match head.content_length() {
        Some(stated) if stated > body.len() => {
            found.fault(Fault::SipCut { present: body.len(), stated }, &head.within(origin));
        }
        Some(stated) => head.read_body(body.get(..stated).unwrap_or(body), origin, found),
        None => head.read_body(body, origin, found),
    }
}

impl Head {
    /// The head at the beginning of `octets`, if it is all there.
    pub(super) fn parse(octets: &[u8]) -> Option<Self> {
        let len = head_len(octets)?;
        let head = octets.get(..len)?;
        let line_len = head.iter().position(|&octet| octet == b'\n')?;
        let (line, fields) = head.split_at_checked(line_len + 1)?;
        let headers = Headers::parse(fields);
        let cseq = || headers.get("cseq")?.split_ascii_whitespace().nth(1).map(short);
        let origin = SipOrigin {
            method: method(line.trim_ascii_end()).or_else(cseq),
            status: status(line),
            call_id: headers.get("call-id").map(short),
        };
        Some(Self { origin, headers, len })
    }

    pub(super) fn content_length(&self) -> Option<usize> {
        self.headers.get("content-length")?.parse().ok()
    }

    pub(super) fn within(&self, origin: &Origin) -> Origin {
        Origin { sip: Some(self.origin.clone()), ..origin.clone() }
    }

    pub(super) fn read_body(&self, body: &[u8], origin: &Origin, found: &mut Collector) {
        mime::read(&self.headers, body, &self.within(origin), found);
    }
}

impl Headers {
    /// Reads the header fields that matter here, folded ones too; of several of one name, the first. What has no colon is
    /// passed over.
    pub(super) fn parse(octets: &[u8]) -> Self {
        let mut fields: Vec<(&'static str, String)> = Vec::new();
        // Whether a line that is folded belongs to the last of the fields.
        let mut goes_on = false;
        for line in octets.split(|&octet| octet == b'\n') {
            if line.starts_with(b" ") || line.starts_with(b"\t") {
                if let Some((_, value)) = fields.last_mut().filter(|_| goes_on) {
                    value.push(' ');
                    value.push_str(&text(line));
                }
            } else if let Some(colon) = line.iter().position(|&octet| octet == b':') {
                let (name, value) = line.split_at_checked(colon).unwrap_or_default();
                let name = name_of(name.trim_ascii());
                let new = name.filter(|name| fields.iter().all(|(known, _)| known != name));
                goes_on = new.is_some();
                fields.extend(new.map(|name| (name, text(value.get(1..).unwrap_or_default()))));
            }
        }
        Self(fields)
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| *found == name).map(|(_, value)| value.as_str())
    }
}

/// The header fields that matter here, by their names and compact forms (RFC 3261 7.3.3).
const NAMES: [(&str, &str); 6] = [
    ("call-id", "i"),
    ("content-type", "c"),
    ("content-length", "l"),
    ("content-encoding", "e"),
    ("content-transfer-encoding", ""),
    ("cseq", ""),
];

fn name_of(name: &[u8]) -> Option<&'static str> {
    let is = |known: &str| !known.is_empty() && name.eq_ignore_ascii_case(known.as_bytes());
    NAMES.iter().find(|(full, compact)| is(full) || is(compact)).map(|(full, _)| *full)
}

/// The text of a value. Octets that are no UTF-8 become one character each, so that it gets no longer.
fn text(octets: &[u8]) -> String {
    let octets = octets.trim_ascii();
    match std::str::from_utf8(octets) {
        Ok(text) => text.to_owned(),
        Err(_) => octets.iter().map(|octet| if octet.is_ascii() { char::from(*octet) } else { '?' }).collect(),
    }
}

/// The beginning of a text that comes along with messages and faults.
pub(super) fn short(text: &str) -> String {
    let end = (0..=MAX_SHORT).rfind(|&end| text.is_char_boundary(end)).unwrap_or_default();
    text.get(..end).unwrap_or(text).to_owned()
}

/// Octets up to and including the first empty line.
pub(super) fn head_len(octets: &[u8]) -> Option<usize> {
    let mut len = 0;
    for line in octets.split_inclusive(|&octet| octet == b'\n') {
        len += line.len();
        if matches!(line, b"\r\n" | b"\n") {
            return Some(len);
        }
    }
    None
}

/// The method of `METHOD URI SIP/2.0`.
fn method(line: &[u8]) -> Option<String> {
    let mut words = line.split(|&octet| octet == b' ');
    let (method, uri, version) = (words.next()?, words.next()?, words.next()?);
    let named = !method.is_empty() && method.len() <= 16 && method.iter().all(u8::is_ascii_uppercase);
    (named && !uri.is_empty() && version == VERSION && words.next().is_none())
        .then(|| String::from_utf8_lossy(method).into_owned())
}

/// The status of `SIP/2.0 STATUS REASON`.
fn status(line: &[u8]) -> Option<u16> {
    let digits = line.strip_prefix(VERSION)?.strip_prefix(b" ")?.get(..3)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{Form, read};

    const SDP: &str = "v=0\r\na=key-mgmt:mikey ARoFgQ==\r\n";

    #[test]
    fn a_request_with_sdp_gives_its_message_and_where_it_was() {
        for (end, id) in [("\r\n", "Call-ID"), ("\n", "i")] {
            let text = format!(
                "INVITE sip:b@example.org SIP/2.0\r\n{id}: 77\r\nCSeq: 1 INVITE\r\nContent-Type:\r\n application/sdp\r\n\
                 Content-Length: {}\r\n\r\n{SDP}",
                SDP.len()
            );
            let found = read(text.replace("\r\n", end).as_bytes()).unwrap();
            let origin = &found.messages[0].origin;
            assert_eq!(found.messages[0].octets, [1, 0x1a, 5, 0x81]);
            assert_eq!(origin.form, Form::Sdp);
            let sip = SipOrigin { method: Some("INVITE".into()), status: None, call_id: Some("77".into()) };
            assert_eq!(origin.sip, Some(sip));
        }
    }

    #[test]
    fn a_response_is_told_by_its_status_and_what_it_answers() {
        let text = format!("SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\nc: application/sdp; charset=utf-8\r\n\r\n{SDP}");
        let found = read(text.as_bytes()).unwrap();
        let sip = found.messages[0].origin.sip.clone().unwrap();
        assert_eq!((sip.status, sip.method.as_deref()), (Some(200), Some("INVITE")));
    }

    #[test]
    fn several_messages_of_a_log_are_parted_by_their_lengths() {
        let one = format!(
            "MESSAGE sip:b SIP/2.0\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{SDP}\r\n\r\n",
            SDP.len()
        );
        assert_eq!(read(one.repeat(3).as_bytes()).unwrap().messages.len(), 3);
    }

    #[test]
    fn headers_that_do_not_end_are_named() {
        let error = read(b"INVITE sip:b SIP/2.0\r\nCall-ID: 1\r\n").unwrap_err();
        assert_eq!(error.to_string(), Fault::SipHeaders.to_string());
    }

    #[test]
    fn start_lines_are_told_from_other_text_even_in_part() {
        for text in ["SIP/2.0 200 OK\r\n", "SIP", "INV", "INVITE", "INVITE sip:a", "INVITE sip:a SIP/2.0\r\n"] {
            assert!(begins(text.as_bytes()), "{text}");
        }
        for text in ["GET / HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\n", "v=0\r\n", "", "\x16\x03\x01", "ARoFgQ=="] {
            assert!(!begins(text.as_bytes()), "{text}");
        }
    }
}
