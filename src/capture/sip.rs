//! SIP messages (RFC 3261) and RTSP messages (RFC 2326), which have the same form, as much of them as it takes to find
//! bodies and `KeyMgmt` headers.
use super::start_line::{Protocol, StartLine, begins};
use super::{Collector, Fault, Origin, RtspOrigin, SipOrigin, mime, rtsp, sdp};

/// Octets of a text that tells of a message; no Call-ID of the field is longer.
const MAX_SHORT: usize = 128;

/// The start line and the headers of a message.
pub(super) struct Head {
    speaker: Speaker,
    headers: Headers,
    /// Octets of the head, the empty line included.
    pub len: usize,
}

enum Speaker {
    Sip(SipOrigin),
    Rtsp(RtspOrigin),
}

/// Header fields by their names in lower case and in full, each once.
#[derive(Default)]
pub(super) struct Headers(Vec<(&'static str, String)>);

/// Takes every MIKEY message of one or more messages, one behind the other.
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
        if !begins(octets) && sdp::is_in(octets) {
            found.fault(Fault::BehindLength, &head.within(origin));
        }
    }
}

/// Takes every MIKEY message of the message in a datagram.
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
        Some(stated) => {
            let (body, rest) = body.split_at_checked(stated).unwrap_or((body, &[]));
            head.read_body(body, origin, found);
            if sdp::is_in(rest) {
                found.fault(Fault::BehindLength, &head.within(origin));
            }
        }
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
        let start = StartLine::parse(line.trim_ascii_end())?;
        let method = start.method.map(short);
        let speaker = match start.protocol {
            Protocol::Sip => {
                let cseq = || headers.get("cseq")?.split_ascii_whitespace().nth(1).map(short);
                let call_id = headers.get("call-id").map(short);
                Speaker::Sip(SipOrigin { method: method.or_else(cseq), status: start.status, call_id })
            }
            Protocol::Rtsp => {
                let uri = start.uri.map(|uri| short(&text(uri)));
                Speaker::Rtsp(RtspOrigin { method, status: start.status, uri })
            }
        };
        Some(Self { speaker, headers, len })
    }

    /// Without one, an RTSP message has no body (RFC 2326 4.4).
    pub(super) fn content_length(&self) -> Option<usize> {
        match (self.headers.get("content-length"), &self.speaker) {
            (Some(length), _) => length.parse().ok(),
            (None, Speaker::Sip(_)) => None,
            (None, Speaker::Rtsp(_)) => Some(0),
        }
    }

    pub(super) const fn is_rtsp(&self) -> bool {
        matches!(self.speaker, Speaker::Rtsp(_))
    }

    pub(super) fn within(&self, origin: &Origin) -> Origin {
        match &self.speaker {
            Speaker::Sip(sip) => Origin { sip: Some(sip.clone()), ..origin.clone() },
            Speaker::Rtsp(rtsp) => Origin { rtsp: Some(rtsp.clone()), ..origin.clone() },
        }
    }

    pub(super) fn read_body(&self, body: &[u8], origin: &Origin, found: &mut Collector) {
        let origin = self.within(origin);
        if let Some(value) = self.headers.get(KEY_MGMT).filter(|_| self.is_rtsp()) {
            rtsp::read_key_mgmt(value, &origin, found);
        }
        mime::read(&self.headers, body, &origin, found);
    }
}

impl Headers {
    /// Reads the header fields that matter here, folded ones too; of several of one name, the first, but of `KeyMgmt` all,
    /// as one with commas between them (RFC 2326 4.2). What has no colon is passed over.
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
                let value = value.get(1..).unwrap_or_default();
                let known = name.and_then(|name| fields.iter().position(|(known, _)| *known == name));
                goes_on = match (name, known) {
                    (Some(name), None) => {
                        fields.push((name, text(value)));
                        true
                    }
                    // The last of the fields is the one that a folded line belongs to.
                    (Some(KEY_MGMT), Some(at)) => {
                        let (name, mut all) = fields.remove(at);
                        all.push_str(", ");
                        all.push_str(&text(value));
                        fields.push((name, all));
                        true
                    }
                    _ => false,
                };
            }
        }
        Self(fields)
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| *found == name).map(|(_, value)| value.as_str())
    }
}

/// The header fields that matter here, by their names and compact forms (RFC 3261 7.3.3).
const NAMES: [(&str, &str); 7] = [
    ("call-id", "i"),
    ("content-type", "c"),
    ("content-length", "l"),
    ("content-encoding", "e"),
    ("content-transfer-encoding", ""),
    ("cseq", ""),
    (KEY_MGMT, ""),
];

/// `KeyMgmt` (RFC 4567 3.2).
const KEY_MGMT: &str = "keymgmt";

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
    fn rtsp_gives_what_its_headers_and_its_body_have() {
        let text = format!(
            "RTSP/1.0 200 OK\r\nCSeq: 312\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{SDP}\
             SETUP rtsp://a/b RTSP/1.0\r\nkeymgmt: prot=mikey; uri=\"rtsp://a\";\r\n  data=\"ARoFgQ==\"\r\nCSeq: 313\r\n\
             KeyMgmt: prot=mikey; data=ARoFgQ\r\nTransport: RTP/SAVP/UDP;unicast\r\n\r\n\
             RTSP/1.0 463 Key Management Failure\r\nKeyMgmt: prot=mikey; data=\"ARoFgQ==\"\r\n\r\n",
            SDP.len()
        );
        let found = read(text.as_bytes()).unwrap();
        assert_eq!(found.unread, []);
        let at = |method: Option<&str>, status, uri: Option<&str>| {
            Some(RtspOrigin { method: method.map(str::to_owned), status, uri: uri.map(str::to_owned) })
        };
        let expected = [
            (Form::Sdp, at(None, Some(200), None)),
            (Form::KeyMgmt, at(Some("SETUP"), None, Some("rtsp://a"))),
            (Form::KeyMgmt, at(Some("SETUP"), None, Some("rtsp://a/b"))),
            (Form::KeyMgmt, at(None, Some(463), None)),
        ];
        let origins = found.messages.iter().map(|message| (message.origin.form, message.origin.rtsp.clone()));
        assert_eq!(origins.collect::<Vec<_>>(), expected);
        assert!(found.messages.iter().all(|message| message.octets == [1, 0x1a, 5, 0x81]));
        assert_eq!(found.messages[2].remarks, [crate::capture::Remark::Unpadded]);
    }

    #[test]
    fn broken_key_mgmt_headers_are_named() {
        for (value, why) in [
            ("prot=mikey", "no KeyMgmt header at octet 10, expected ; after the protocol"),
            ("prot=mikey; data=\"A!\"", "not base64: Invalid symbol 33, offset 1."),
            ("prot=keyp; data=AQID", "it is not for MIKEY"),
        ] {
            let text = format!("SETUP rtsp://a RTSP/1.0\r\nKeyMgmt: {value}\r\n\r\n");
            let error = read(text.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), format!("KeyMgmt header: {why}"));
            let sip = text.replace("rtsp://a RTSP/1.0", "sip:a SIP/2.0");
            assert!(read(sip.as_bytes()).unwrap_err().to_string().starts_with("no SIP"), "SIP has no such header");
        }
    }
}
