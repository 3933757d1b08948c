//! The RTSP header that carries MIKEY messages: `KeyMgmt: prot=mikey; uri="URI"; data="BASE64"` (RFC 4567 3.2).
//!
//! The server initiates: its I_MESSAGE is in the [SDP](super::sdp) of the answer to DESCRIBE. The client's verification
//! message goes into this header of SETUP. A server that refuses it answers with the status [`KEY_MANAGEMENT_FAILURE`], and
//! may put an error message into the header of that answer (4.2).

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::payload::protocol_id;
use super::sdp::{PROTOCOL, decode};
use super::{Error, SdpIds};

/// The status of an answer to SETUP whose key management failed (RFC 4567 3.2, 4.2).
pub const KEY_MANAGEMENT_FAILURE: u16 = 463;

const HEADER: &str = "KeyMgmt";

/// A MIKEY message in a `KeyMgmt` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyManagement {
    /// The aggregate or media control URI that the message is for; without one, that of the request (RFC 4567 3.2).
    pub uri: Option<String>,
    /// The octets of the message, not yet parsed.
    pub message: Vec<u8>,
}

/// The header line for messages, at least one, without a line end.
///
/// # Errors
/// [`Error::Uri`] with its offset in the URI, [`Error::KeyMgmtHeader`] if there is no message.
pub fn header(messages: &[KeyManagement]) -> Result<String, Error> {
    let mut line = String::from(HEADER);
    line.push(':');
    for (index, KeyManagement { uri, message }) in messages.iter().enumerate() {
        line.push_str(if index == 0 { " prot=" } else { ", prot=" });
        line.push_str(PROTOCOL);
        if let Some(uri) = uri {
            line.push_str("; uri=\"");
            line.push_str(require_uri(uri.as_bytes(), 0)?);
            line.push('"');
        }
        line.push_str("; data=\"");
        STANDARD.encode_string(message, &mut line);
        line.push('"');
    }
    if messages.is_empty() { Err(Error::KeyMgmtHeader { offset: line.len(), expected: "prot=" }) } else { Ok(line) }
}

/// Every MIKEY message of a header, with its name or without: `prot=mikey; uri="URI"; data="BASE64"`, several with commas
/// between them. A header may be folded, `uri` is optional, the quotes around `data` are too. Those for other protocols are
/// passed over.
///
/// # Errors
/// [`Error::KeyMgmtHeader`], [`Error::ProtocolId`], [`Error::Uri`], [`Error::InvalidBase64`], with offsets in `text`.
pub fn parse_header(text: &[u8]) -> Result<Vec<KeyManagement>, Error> {
    let value = value_of(text).unwrap_or(text);
    messages(|| specs(value, text.len() - value.len()))
}

/// Every MIKEY message in the `KeyMgmt` headers of a request or an answer. What follows its first empty line is its body,
/// which is for [`sdp`](super::sdp).
///
/// # Errors
/// Those of [`parse_header`], with offsets in `octets`.
pub fn parse_message(octets: &[u8]) -> Result<Vec<KeyManagement>, Error> {
    messages(|| values(octets).flat_map(|(value, offset)| specs(value, offset)))
}

/// One `key-mgmt-spec`, of any protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spec<'a> {
    /// KMPID.
    pub protocol: &'a str,
    pub uri: Option<&'a str>,
    /// Base64, not yet decoded.
    pub data: &'a [u8],
    /// Where it is in the text.
    pub data_offset: usize,
}

impl Spec<'_> {
    pub(crate) fn is_for_mikey(&self) -> bool {
        self.protocol.eq_ignore_ascii_case(PROTOCOL)
    }
}

/// The specs of a header's value, `offset` octets into the text. The first that is none ends them.
pub(crate) fn specs(value: &[u8], offset: usize) -> impl Iterator<Item = Result<Spec<'_>, Error>> {
    let mut cursor = Some(Cursor { octets: value, at: 0, offset });
    core::iter::from_fn(move || {
        let spec = cursor.as_mut()?.spec();
        let goes_on = spec.is_ok() && cursor.as_mut().is_some_and(|cursor| cursor.passes(b','));
        let rest = cursor.as_ref().map_or(0, Cursor::remaining);
        if goes_on {
            return Some(spec);
        }
        let end = cursor.take()?;
        Some(if rest == 0 { spec } else { spec.and_then(|_| Err(end.unexpected("a comma or the end"))) })
    })
}

/// The protocols that the specs of a header's value are for, in their order.
///
/// # Errors
/// [`Error::KeyMgmtHeader`], [`Error::ProtocolId`], [`Error::Uri`], with offsets in `text`.
pub fn protocol_ids(text: &[u8]) -> Result<SdpIds<'static>, Error> {
    let value = value_of(text).unwrap_or(text);
    let ids = specs(value, text.len() - value.len()).map(|spec| spec.map(|spec| spec.protocol));
    SdpIds::new(&ids.collect::<Result<Vec<_>, _>>()?)
}

/// The messages of specs, which are read twice: a list that grows would for a while be there twice.
fn messages<'a, S>(specs: impl Fn() -> S) -> Result<Vec<KeyManagement>, Error>
where
    S: Iterator<Item = Result<Spec<'a>, Error>>,
{
    let of_mikey = || specs().filter(|spec| spec.as_ref().map_or(true, Spec::is_for_mikey));
    let mut found = Vec::with_capacity(of_mikey().count());
    for spec in of_mikey() {
        let spec = spec?;
        let message = decode(spec.data, spec.data_offset)?;
        found.push(KeyManagement { uri: spec.uri.map(ToOwned::to_owned), message });
    }
    Ok(found)
}

/// The values of `KeyMgmt` headers before the first empty line, each with its offset.
fn values(octets: &[u8]) -> impl Iterator<Item = (&[u8], usize)> {
    let mut offset = 0;
    let fields = core::iter::from_fn(move || {
        let field = octets.get(offset..).map(first_field).filter(|field| !field.trim_ascii().is_empty())?;
        offset += field.len();
        Some((field, offset))
    });
    fields.filter_map(|(field, end)| value_of(field).map(|value| (value, end - value.len())))
}

/// What follows the name of the header and its colon.
pub(crate) fn value_of(field: &[u8]) -> Option<&[u8]> {
    let colon = field.iter().position(|&octet| octet == b':')?;
    let (name, value) = field.split_at_checked(colon)?;
    name.trim_ascii().eq_ignore_ascii_case(HEADER.as_bytes()).then(|| value.get(1..).unwrap_or_default())
}

/// The first line with those that continue it: they begin with white space (RFC 2326 15.1).
fn first_field(octets: &[u8]) -> &[u8] {
    let mut len = 0;
    for line in octets.split_inclusive(|&octet| octet == b'\n') {
        let continues = matches!(line, [b' ' | b'\t', ..]) && !line.trim_ascii().is_empty();
        if len > 0 && !continues {
            break;
        }
        len += line.len();
    }
    octets.get(..len).unwrap_or(octets)
}

/// What RFC 3986 2 lets a URI be written with, as far as that keeps it from ending its quotes.
fn require_uri(uri: &[u8], offset: usize) -> Result<&str, Error> {
    let len = uri.iter().take_while(|octet| octet.is_ascii_graphic() && **octet != b'"').count();
    match core::str::from_utf8(uri) {
        Ok(uri) if !uri.is_empty() && len == uri.len() => Ok(uri),
        _ => Err(Error::Uri { offset: offset + len }),
    }
}

/// Where the reading of a value has come.
struct Cursor<'a> {
    octets: &'a [u8],
    at: usize,
    offset: usize,
}

impl<'a> Cursor<'a> {
    fn spec(&mut self) -> Result<Spec<'a>, Error> {
        self.parameter("prot", "prot=")?;
        let (id, offset) = self.word();
        let protocol = protocol_id(id, offset)?;
        self.separator("; after the protocol")?;
        let mut uri = None;
        if self.parameter("uri", "uri=").is_ok() {
            let (octets, offset) = self.quoted("a URI in quotes")?;
            uri = Some(require_uri(octets, offset)?);
            self.separator("; after the URI")?;
        }
        self.parameter("data", "data=")?;
        let (data, data_offset) =
            if self.next() == Some(b'"') { self.quoted("base64 in quotes")? } else { self.word() };
        if data.is_empty() { Err(self.unexpected("base64")) } else { Ok(Spec { protocol, uri, data, data_offset }) }
    }

    /// Passes `name =`, or stays where it is.
    fn parameter(&mut self, name: &str, expected: &'static str) -> Result<(), Error> {
        self.skip_space();
        let start = self.at;
        let named = self.rest().get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()));
        if named {
            self.at += name.len();
            if self.passes(b'=') {
                self.skip_space();
                return Ok(());
            }
        }
        self.at = start;
        Err(self.unexpected(expected))
    }

    /// What is between quotes, and where.
    fn quoted(&mut self, expected: &'static str) -> Result<(&'a [u8], usize), Error> {
        let closed = self.rest().strip_prefix(b"\"").and_then(|rest| {
            let end = rest.iter().position(|&octet| octet == b'"')?;
            rest.get(..end)
        });
        let octets = closed.ok_or_else(|| self.unexpected(expected))?;
        let offset = self.offset + self.at + 1;
        self.at += octets.len() + 2;
        Ok((octets, offset))
    }

    /// What comes before a separator or white space, and where.
    fn word(&mut self) -> (&'a [u8], usize) {
        let rest = self.rest();
        let ends = |octet: &u8| matches!(octet, b';' | b',' | b'"') || octet.is_ascii_whitespace();
        let word = rest.get(..rest.iter().position(ends).unwrap_or(rest.len())).unwrap_or(rest);
        let offset = self.offset + self.at;
        self.at += word.len();
        (word, offset)
    }

    fn separator(&mut self, expected: &'static str) -> Result<(), Error> {
        if self.passes(b';') { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    /// Passes this octet, white space before it included, if it comes next.
    fn passes(&mut self, octet: u8) -> bool {
        self.skip_space();
        let is_next = self.next() == Some(octet);
        self.at += usize::from(is_next);
        is_next
    }

    fn skip_space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_ascii_start().len();
    }

    fn next(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.octets.get(self.at..).unwrap_or_default()
    }

    fn remaining(&self) -> usize {
        self.rest().len()
    }

    fn unexpected(&self, expected: &'static str) -> Error {
        Error::KeyMgmtHeader { offset: self.offset + self.at, expected }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn at(uri: Option<&str>, message: &[u8]) -> KeyManagement {
        KeyManagement { uri: uri.map(Into::into), message: message.to_vec() }
    }

    #[test]
    fn a_header_is_read_back() {
        let messages = [
            at(Some("rtsp://movie.example.com/action/audio"), &[1, 2, 3]),
            at(None, &[4]),
            at(Some("rtsp://movie.example.com/action?a=1,2;b"), &(0..=255).collect::<Vec<_>>()),
        ];
        let line = header(&messages[..2]).unwrap();
        let expected = "KeyMgmt: prot=mikey; uri=\"rtsp://movie.example.com/action/audio\"; data=\"AQID\", \
                        prot=mikey; data=\"BA==\"";
        assert_eq!(line, expected);
        let line = header(&messages).unwrap();
        assert_eq!(parse_header(line.as_bytes()).unwrap(), messages);
        assert_eq!(parse_header(&line.as_bytes()["KeyMgmt:".len()..]).unwrap(), messages);
        assert_eq!(header(&[]), Err(Error::KeyMgmtHeader { offset: 8, expected: "prot=" }));
        for (uri, offset) in [("", 0), ("a\"b", 1), ("a b", 1), ("a\r\nb", 1), ("aü", 1)] {
            assert_eq!(header(&[at(Some(uri), &[])]), Err(Error::Uri { offset }), "{uri:?}");
        }
    }

    /// As RFC 4567 5.3 and GStreamer write it.
    #[test]
    fn other_ways_of_writing_are_accepted() {
        let expected = Ok(vec![at(Some("rtsp://a/b"), &[1, 2, 3])]);
        for text in [
            "keymgmt: prot=mikey; uri=\"rtsp://a/b\";\r\n         data=\"AQID\"\r\n",
            "KeyMgmt:prot=mikey;uri=\"rtsp://a/b\";data=\"AQID\"",
            "prot=mikey;uri=\"rtsp://a/b\";data=AQID",
            " PROT = MIKEY ;\tURI = \"rtsp://a/b\" ; Data = \"AQID\" ",
        ] {
            assert_eq!(parse_header(text.as_bytes()), expected, "{text:?}");
        }
        let several = "prot=keyp1; data=\"!!\", prot=mikey; data=AQ==,prot=keyp2;data=x";
        assert_eq!(parse_header(several.as_bytes()), Ok(vec![at(None, &[1])]));
        assert_eq!(protocol_ids(several.as_bytes()), SdpIds::new(&["keyp1", "mikey", "keyp2"]));
    }

    #[test]
    fn what_is_no_header_is_refused_with_its_place() {
        let unexpected = |offset, expected| Err(Error::KeyMgmtHeader { offset, expected });
        for (text, error) in [
            ("", unexpected(0, "prot=")),
            ("KeyMgmt: ", unexpected(9, "prot=")),
            ("uri=\"a\"; data=\"AQID\"", unexpected(0, "prot=")),
            ("prot=mikey", unexpected(10, "; after the protocol")),
            ("prot=; data=AQID", Err(Error::ProtocolId { offset: 5 })),
            ("prot=mi-key; data=AQID", Err(Error::ProtocolId { offset: 7 })),
            ("prot=mikey; AQID", unexpected(12, "data=")),
            ("prot=mikey; uri=a; data=AQID", unexpected(16, "a URI in quotes")),
            ("prot=mikey; uri=\"a; data=AQID", unexpected(16, "a URI in quotes")),
            ("prot=mikey; uri=\"a\" data=AQID", unexpected(20, "; after the URI")),
            ("prot=mikey; uri=\"a b\"; data=AQID", Err(Error::Uri { offset: 18 })),
            ("prot=mikey; uri=\"\"; data=AQID", Err(Error::Uri { offset: 17 })),
            ("prot=mikey; data=", unexpected(17, "base64")),
            ("prot=mikey; data=\"\"", unexpected(19, "base64")),
            ("prot=mikey; data=\"AQID", unexpected(17, "base64 in quotes")),
            ("prot=mikey; data=\"AQ!D\"", Err(Error::InvalidBase64 { offset: 20 })),
            ("prot=mikey; data=AQID;", unexpected(21, "a comma or the end")),
            ("prot=mikey; data=AQID, ", unexpected(23, "prot=")),
            ("prot=mikey; data=AQID prot=mikey; data=AQID", unexpected(22, "a comma or the end")),
        ] {
            assert_eq!(parse_header(text.as_bytes()), error, "{text:?}");
        }
    }

    #[test]
    fn a_message_gives_what_all_its_headers_hold() {
        for end in ["\r\n", "\n"] {
            let head = [
                "SETUP rtsp://movie.example.com/action/audio RTSP/1.0",
                "CSeq: 313",
                "KeyMgmt: prot=mikey; uri=\"rtsp://movie.example.com/action\";",
                "  data=\"AQID\"",
                "Transport: RTP/SAVP/UDP;unicast",
                "keymgmt: prot=mikey; data=\"BA==\"",
                "",
                "KeyMgmt: prot=mikey; data=\"BQ==\"",
            ];
            let messages = [at(Some("rtsp://movie.example.com/action"), &[1, 2, 3]), at(None, &[4])];
            assert_eq!(parse_message(head.join(end).as_bytes()).unwrap(), messages);
        }
        assert_eq!(parse_message(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"), Ok(vec![]));
        let broken = b"RTSP/1.0 463 Key Management Failure\r\nKeyMgmt: prot=mikey\r\n\r\n";
        assert_eq!(parse_message(broken), Err(Error::KeyMgmtHeader { offset: 58, expected: "; after the protocol" }));
    }
}
