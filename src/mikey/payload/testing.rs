//! What the tests of all payloads share.

use alloc::vec::Vec;

use super::{CsIdMap, Header, Payload, PayloadType};
use crate::mikey::{Error, Message, SubPayload, SubPayloads};

/// Octets of the header before the payload under test.
pub(super) const HEADER_LEN: usize = 10;

fn header() -> Header<'static> {
    Header::sakke(0x1234_5678, CsIdMap::Empty { cs_count: 0 })
}

fn behind_header(payload_type: PayloadType, octets: &[u8]) -> Vec<u8> {
    let mut message = Message::new(header()).to_bytes().unwrap();
    message[2] = payload_type.0;
    message.extend_from_slice(octets);
    message
}

/// Asserts that a payload is written as these octets, is read from them, and that each truncation and an octet too many
/// are errors that name the place.
pub(super) fn assert_form(payload: impl Into<Payload<'static>>, octets: &[u8]) {
    let payload = payload.into();
    let octets = behind_header(payload.payload_type(), octets);
    let message = Message::new(header()).with(payload);
    assert_eq!(message.to_bytes().unwrap(), octets);
    assert_eq!(message.encoded_len(), octets.len());
    assert_eq!(Message::parse(&octets).unwrap(), message);
    assert_eq!(Message::parse(&octets).unwrap().into_owned(), message);

    for length in HEADER_LEN..octets.len() {
        match Message::parse(&octets[..length]) {
            Err(Error::Truncated { offset, expected, found, .. }) => {
                assert_eq!(offset + found, length, "cut after {length} octets");
                assert!(expected > found, "cut after {length} octets");
            }
            other => panic!("cut after {length} octets: {other:?}"),
        }
    }

    let mut longer = octets.clone();
    longer.push(0);
    assert_eq!(Message::parse(&longer), Err(Error::TrailingOctets { offset: octets.len(), count: 1 }));
}

/// The error of a message whose only payload is these octets.
pub(super) fn parse_error(payload_type: PayloadType, octets: &[u8]) -> Error {
    Message::parse(&behind_header(payload_type, octets)).unwrap_err()
}

/// The error of building a message with this payload alone.
pub(super) fn build_error(payload: impl Into<Payload<'static>>) -> Error {
    Message::new(header()).with(payload).to_bytes().unwrap_err()
}

/// Asserts that a sub-payload is written as these octets, is read from them, and that each truncation and an octet too
/// many are errors that name the place.
pub(super) fn assert_sub_form(payload: impl Into<SubPayload<'static>>, octets: &[u8]) {
    let chain = SubPayloads::new().with(payload);
    let first = chain.first_type();
    assert_eq!(*chain.to_bytes().unwrap(), octets);
    assert_eq!(chain.encoded_len(), octets.len());
    assert_eq!(SubPayloads::parse(first, octets).unwrap(), chain);
    assert_eq!(SubPayloads::parse(first, octets).unwrap().into_owned(), chain);
    for length in 0..octets.len() {
        match SubPayloads::parse(first, &octets[..length]) {
            Err(Error::Truncated { offset, expected, found, .. }) => {
                assert_eq!(offset + found, length, "cut after {length} octets");
                assert!(expected > found, "cut after {length} octets");
            }
            other => panic!("cut after {length} octets: {other:?}"),
        }
    }
    let longer = [octets, &[0]].concat();
    let refused = Err(Error::TrailingOctets { offset: octets.len(), count: 1 });
    assert_eq!(SubPayloads::parse(first, &longer), refused);
}

/// The error of decrypted octets that are to start with this sub-payload.
pub(super) fn sub_parse_error(payload_type: PayloadType, octets: &[u8]) -> Error {
    SubPayloads::parse(payload_type, octets).unwrap_err()
}

/// The error of building this sub-payload.
pub(super) fn sub_build_error(payload: impl Into<SubPayload<'static>>) -> Error {
    SubPayloads::new().with(payload).to_bytes().unwrap_err()
}
