//! `key-mgmt` lines in SDP, read more leniently than [`mikey::sdp`](crate::mikey::sdp) does: as people paste them.
use super::{Collector, Fault, Form, Origin, text};
use crate::mikey::sdp::{PROTOCOL, split_value};

const ATTRIBUTE: &[u8] = b"key-mgmt:";

/// Whether there is a `key-mgmt` attribute somewhere.
pub(super) fn is_in(octets: &[u8]) -> bool {
    octets.windows(ATTRIBUTE.len()).any(|window| window == ATTRIBUTE)
}

/// Takes the message of every `key-mgmt` line.
pub(super) fn read(body: &[u8], origin: &Origin, found: &mut Collector) {
    let origin = origin.in_form(Form::Sdp);
    for (line, content) in (1..).zip(body.split(|&octet| octet == b'\n')) {
        let content = content.trim_ascii();
        let Some(value) = content.strip_prefix(b"a=").unwrap_or(content).strip_prefix(ATTRIBUTE) else { continue };
        match message(value.trim_ascii()) {
            Some(encoded) => match text::from_base64(encoded) {
                Ok((octets, _)) if octets.is_empty() => {
                    found.fault(Fault::KeyManagement { line, why: "there is nothing after mikey".into() }, &origin);
                }
                Ok((octets, remarks)) => found.add(octets, remarks, origin.clone()),
                Err(why) => found.fault(Fault::KeyManagement { line, why: why.to_string() }, &origin),
            },
            None => found.fault(Fault::OtherProtocol { line }, &origin),
        }
    }
}

/// The base64 of `mikey BASE64`.
pub(super) fn message(value: &[u8]) -> Option<&[u8]> {
    let (protocol, _, data) = split_value(value, 0);
    protocol.eq_ignore_ascii_case(PROTOCOL.as_bytes()).then(|| data.trim_ascii())
}
