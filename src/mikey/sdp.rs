//! The SDP attribute that carries a MIKEY message: `a=key-mgmt:mikey BASE64` (RFC 4567 3.1).

use alloc::string::String;
use alloc::vec::Vec;

use base64::engine::general_purpose::STANDARD;
use base64::{DecodeError, Engine};

use super::payload::protocol_id;
use super::{Error, SdpIds};

const ATTRIBUTE: &[u8] = b"a=key-mgmt:";
/// KMPID of MIKEY (RFC 4567 7).
pub(crate) const PROTOCOL: &str = "mikey";

/// A MIKEY message found in an SDP body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyManagement {
    /// Where it stands.
    pub level: Level,
    /// The octets of the message, not yet parsed.
    pub message: Vec<u8>,
}

/// What a `key-mgmt` attribute applies to (RFC 4567 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// All media of the session that have no attribute of their own.
    Session,
    /// The medium with this index among the `m=` lines, counted from 0.
    Media(usize),
}

/// The attribute line for a message, without a line end.
pub fn line(message: &[u8]) -> String {
    let mut line = String::from("a=key-mgmt:");
    line.push_str(&value(message));
    line
}

/// The attribute's value for a message: `mikey BASE64`.
pub fn value(message: &[u8]) -> String {
    let mut value = String::from(PROTOCOL);
    value.push(' ');
    STANDARD.encode_string(message, &mut value);
    value
}

/// The octets of the message in an attribute line, or in the attribute's value `mikey BASE64` alone. White space around
/// it is passed over.
///
/// # Errors
/// [`Error::NotKeyManagement`], [`Error::UnsupportedProtocol`], [`Error::InvalidBase64`], with offsets in `text`.
pub fn parse_line(text: &[u8]) -> Result<Vec<u8>, Error> {
    let start = text.len() - text.trim_ascii_start().len();
    let trimmed = text.trim_ascii();
    match trimmed.strip_prefix(ATTRIBUTE) {
        Some(value) => parse_value(value, start + ATTRIBUTE.len()),
        None => parse_value(trimmed, start).map_err(|error| match error {
            Error::UnsupportedProtocol { offset } => Error::NotKeyManagement { offset },
            error => error,
        }),
    }
}

/// Every MIKEY message of an SDP body, at session and at media level. Lines end with CRLF or LF. Attributes for other
/// key management protocols are passed over.
///
/// # Errors
/// [`Error::NotKeyManagement`], [`Error::InvalidBase64`] for an attribute for MIKEY that cannot be read, with offsets
/// in `body`.
pub fn parse_body(body: &[u8]) -> Result<Vec<KeyManagement>, Error> {
    let mut level = Level::Session;
    let mut media = 0;
    let mut offset = 0;
    let lines = || body.split_inclusive(|&octet| octet == b'\n');
    let mut found = Vec::with_capacity(lines().filter(|line| line.starts_with(ATTRIBUTE)).count());
    for line in lines() {
        if line.starts_with(b"m=") {
            level = Level::Media(media);
            media += 1;
        }
        if let Some(value) = line.trim_ascii_end().strip_prefix(ATTRIBUTE) {
            match parse_value(value, offset + ATTRIBUTE.len()) {
                Ok(message) => found.push(KeyManagement { level, message }),
                Err(Error::UnsupportedProtocol { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        offset += line.len();
    }
    Ok(found)
}

/// The identifiers of the key management protocols that an SDP body offers, in the order of its `key-mgmt` lines at session
/// and at media level, each as often as it is there (RFC 4567 4.1.4). An offerer puts the list into every message of the
/// body; a receiver compares it with the [list in the message](SdpIds).
///
/// # Errors
/// [`Error::NotKeyManagement`] if there is no such line, [`Error::ProtocolId`] for a line without an identifier, with
/// offsets in `body`.
pub fn protocol_ids(body: &[u8]) -> Result<SdpIds<'static>, Error> {
    let mut ids = Vec::new();
    let mut offset = 0;
    for line in body.split_inclusive(|&octet| octet == b'\n') {
        if let Some(value) = line.trim_ascii_end().strip_prefix(ATTRIBUTE) {
            let (id, offset, _) = split_value(value, offset + ATTRIBUTE.len());
            ids.push(protocol_id(id, offset)?);
        }
        offset += line.len();
    }
    if ids.is_empty() { Err(Error::NotKeyManagement { offset }) } else { SdpIds::new(&ids) }
}

/// `[SP] mikey SP BASE64`, `offset` octets into the text.
fn parse_value(value: &[u8], offset: usize) -> Result<Vec<u8>, Error> {
    let (name, offset, data) = split_value(value, offset);
    if !name.eq_ignore_ascii_case(PROTOCOL.as_bytes()) {
        return Err(Error::UnsupportedProtocol { offset });
    }
    let offset = offset + name.len();
    let data = data.strip_prefix(b" ").ok_or(Error::NotKeyManagement { offset })?;
    let offset = offset + 1;
    if data.is_empty() {
        return Err(Error::NotKeyManagement { offset });
    }
    decode(data, offset)
}

/// The identifier of `[SP] KMPID SP BASE64`, `offset` octets into the text; where it starts; and what follows it.
pub(crate) fn split_value(value: &[u8], offset: usize) -> (&[u8], usize, &[u8]) {
    let (value, offset) = match value {
        [b' ', rest @ ..] => (rest, offset + 1),
        _ => (value, offset),
    };
    let name_len = value.iter().position(u8::is_ascii_whitespace).unwrap_or(value.len());
    let (name, data) = value.split_at_checked(name_len).unwrap_or((value, &[]));
    (name, offset, data)
}

/// Padded, canonical base64 (RFC 4648 4), `offset` octets into the text.
///
/// # Errors
/// [`Error::InvalidBase64`].
pub(super) fn decode(data: &[u8], offset: usize) -> Result<Vec<u8>, Error> {
    STANDARD.decode(data).map_err(|error| Error::InvalidBase64 {
        offset: offset
            + match error {
                DecodeError::InvalidByte(at, _) | DecodeError::InvalidLastSymbol { offset: at, .. } => at,
                _ => data.len(),
            },
    })
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn a_line_is_read_back() {
        let message: Vec<u8> = (0..=255).collect();
        let line = line(&message);
        assert!(line.starts_with("a=key-mgmt:mikey AAECAwQ"));
        assert_eq!(parse_line(line.as_bytes()).unwrap(), message);
        assert_eq!(parse_line(value(&message).as_bytes()).unwrap(), message);
    }

    #[test]
    fn white_space_around_and_one_space_before_the_protocol_are_accepted() {
        for text in ["a=key-mgmt:mikey AQID\r\n", "  a=key-mgmt: mikey AQID", "mikey AQID\n", "a=key-mgmt:MIKEY AQID"] {
            assert_eq!(parse_line(text.as_bytes()), Ok(vec![1, 2, 3]), "{text:?}");
        }
    }

    #[test]
    fn other_text_is_refused_with_its_place() {
        let not = |offset| Err(Error::NotKeyManagement { offset });
        assert_eq!(parse_line(b""), not(0));
        assert_eq!(parse_line(b" a=crypto:1 x"), not(1));
        assert_eq!(parse_line(b"AQID"), not(0));
        assert_eq!(parse_line(b"a=key-mgmt:mikey"), not(16));
        assert_eq!(parse_line(b"mikey"), not(5));
        assert_eq!(parse_line(b"a=key-mgmt:keyp AQID"), Err(Error::UnsupportedProtocol { offset: 11 }));
        assert_eq!(parse_line(b"a=key-mgmt:"), Err(Error::UnsupportedProtocol { offset: 11 }));
    }

    #[test]
    fn what_is_not_canonical_base64_is_refused_with_its_place() {
        let invalid = |offset| Err(Error::InvalidBase64 { offset });
        assert_eq!(parse_line(b"mikey AQ!D"), invalid(8));
        assert_eq!(parse_line(b"mikey AQ\xffD"), invalid(8));
        assert_eq!(parse_line(b"mikey \x80\x81\x82\x83"), invalid(6));
        assert_eq!(parse_line(b"mikey AQ D"), invalid(8));
        assert_eq!(parse_line(b"mikey  AQID"), invalid(6));
        assert_eq!(parse_line(b"mikey AQ-_"), invalid(8));
        assert_eq!(parse_line(b"mikey AR=="), invalid(7), "bits behind the last octet");
        for unpadded in ["mikey AQ", "mikey AQI", "mikey AQ=", "mikey AQID=", "mikey AQIDA"] {
            assert!(matches!(parse_line(unpadded.as_bytes()), Err(Error::InvalidBase64 { .. })), "{unpadded}");
        }
    }

    #[test]
    fn a_body_gives_every_message_with_its_level() {
        for end in ["\r\n", "\n"] {
            let body = [
                "v=0",
                "s=-",
                "a=key-mgmt:mikey AQID",
                "a=key-mgmt:keyp !!",
                "m=audio 1 RTP/SAVP 0",
                "a=sendrecv",
                "m=application 2 udp MCPTT",
                "a=key-mgmt:mikey BA==",
                "a=key-mgmt:mikey BQ==",
            ]
            .join(end);
            let found = |level, message| KeyManagement { level, message };
            let expected = [
                found(Level::Session, vec![1, 2, 3]),
                found(Level::Media(1), vec![4]),
                found(Level::Media(1), vec![5]),
            ];
            assert_eq!(parse_body(body.as_bytes()).unwrap(), expected);
        }
        assert_eq!(parse_body(b""), Ok(vec![]));
        assert_eq!(parse_body(b"v=0\r\nx a=key-mgmt:mikey AQID"), Ok(vec![]));
    }

    #[test]
    fn a_broken_line_of_a_body_is_refused_with_its_place() {
        assert_eq!(parse_body(b"v=0\na=key-mgmt:mikey AQI\xfe\r\n"), Err(Error::InvalidBase64 { offset: 24 }));
        assert_eq!(parse_body(b"v=0\na=key-mgmt:mikey"), Err(Error::NotKeyManagement { offset: 20 }));
    }

    #[test]
    fn the_protocols_of_a_body_are_those_of_its_lines_in_their_order() {
        for end in ["\r\n", "\n"] {
            let body = [
                "v=0",
                "a=key-mgmt:mikey AQID",
                "a=key-mgmt: keyp1 !!",
                "m=audio 1 RTP/SAVP 0",
                "a=key-mgmt:mikey BA==",
            ];
            let ids = protocol_ids(body.join(end).as_bytes()).unwrap();
            assert_eq!(ids, SdpIds::new(&["mikey", "keyp1", "mikey"]).unwrap());
        }
        assert_eq!(protocol_ids(b"v=0\r\n"), Err(Error::NotKeyManagement { offset: 5 }));
        assert_eq!(protocol_ids(b"v=0\na=key-mgmt:\n"), Err(Error::ProtocolId { offset: 15 }));
        assert_eq!(protocol_ids(b"v=0\na=key-mgmt:mikey;keyp AQID"), Err(Error::ProtocolId { offset: 20 }));
    }
}
