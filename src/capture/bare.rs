//! MIKEY messages that nothing carries: on UDP and TCP they have a port of their own (RFC 3830 11).
use super::Packet;
use crate::mikey::DataType;

const PORT: u16 = 2269;

/// Whether a message of version 1 begins here.
pub(super) fn begins(octets: &[u8]) -> bool {
    matches!(octets, [1, data_type, ..] if DataType::from_number(*data_type).is_some())
}

/// The same for the beginning of a stream, of which there may be one octet.
pub(super) fn may_begin(octets: &[u8]) -> bool {
    octets == [1] || begins(octets)
}

/// Whether a packet goes from or to that port.
pub(super) fn is_between(packet: &Packet) -> bool {
    [packet.source.port(), packet.destination.port()].contains(&PORT)
}
