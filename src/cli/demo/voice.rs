use super::listener::shortened;
use super::narrator::Narrator;
use crate::cli::failure::Failure;
use mikey_sakke::client::{MediaReceiver, MediaSender};
use mikey_sakke::mc::MediaKeys;
use std::error::Error;

/// Stands for 20 ms of speech as a codec gives it.
const SPEECH: &[u8] = b"Control to Charlie One: send your position, over.";
/// Version 2, payload type 96, sequence number 1, timestamp 160, some source.
pub const RTP_HEADER: [u8; 12] = [0x80, 96, 0, 1, 0, 0, 0, 160, 0xde, 0xca, 0xfb, 0xad];

/// One voice packet goes from one party to the other, protected with its sender's keys and opened with the receiver's.
pub fn transmission(
    narrator: &mut Narrator<'_>,
    from: &str,
    to: &str,
    sent_with: &MediaKeys,
    received_with: &MediaKeys,
) -> Result<(), Failure> {
    let mut on_the_wire = Vec::new();
    let name = format!("{from} says something: one SRTP packet, and {to} understands it");
    narrator.step(&name, || -> Result<(), Box<dyn Error>> {
        let clear = packet();
        on_the_wire = MediaSender::new(sent_with)?.protect(clear.clone())?;
        let heard = MediaReceiver::new(received_with)?.unprotect(on_the_wire.clone())?;
        if heard == clear { Ok(()) } else { Err("something else was heard".into()) }
    })?;
    narrator.detail("a listener hears", shortened(on_the_wire.get(RTP_HEADER.len()..).unwrap_or_default()));
    Ok(())
}

/// A voice packet in clear (RFC 3550).
pub fn packet() -> Vec<u8> {
    [RTP_HEADER.as_slice(), SPEECH].concat()
}
