//! What RTSP carries beside SDP: `KeyMgmt` headers (RFC 4567 3.2), and media between its messages on one TCP stream
//! (RFC 2326 10.12).
use super::{Collector, Fault, Form, Origin, Packet, text};
use crate::mikey::rtsp::{specs, value_of};

/// Ports of servers (RFC 2326 9.2, and the one in wide use beside it).
const PORTS: [u16; 2] = [554, 8554];

/// Octets before interleaved media: `$`, channel, length.
const INTERLEAVED_HEAD_LEN: usize = 4;

/// Takes the message of every spec of a `KeyMgmt` header.
pub(super) fn read_key_mgmt(value: &str, origin: &Origin, found: &mut Collector) {
    let origin = origin.in_form(Form::KeyMgmt);
    let broken = |why: String| Fault::KeyMgmt { why };
    for spec in specs(value.as_bytes(), 0) {
        match spec {
            Ok(spec) if spec.is_for_mikey() => match text::from_base64(spec.data) {
                Ok((octets, remarks)) => found.add(octets, remarks, origin.for_uri(spec.uri)),
                Err(why) => found.fault(broken(why.to_string()), &origin),
            },
            Ok(_) => found.fault(broken("it is not for MIKEY".into()), &origin),
            Err(why) => found.fault(broken(why.to_string()), &origin),
        }
    }
}

/// Takes the messages of a `KeyMgmt` header that someone pasted alone, if it is one.
pub(super) fn read_header(text: &str, found: &mut Collector) -> bool {
    let value = value_of(text.as_bytes()).and_then(|value| std::str::from_utf8(value).ok());
    value.inspect(|value| read_key_mgmt(value, &Origin::default(), found)).is_some()
}

/// Whether one of the ports is that of a server.
pub(super) fn is_between(packet: &Packet) -> bool {
    PORTS.contains(&packet.source.port()) || PORTS.contains(&packet.destination.port())
}

/// How long interleaved media are that begin here, if their head is there.
pub(super) fn interleaved_len(octets: &[u8]) -> Option<usize> {
    match octets {
        [b'$', _, high, low, ..] => Some(INTERLEAVED_HEAD_LEN + usize::from(u16::from_be_bytes([*high, *low]))),
        _ => None,
    }
}
