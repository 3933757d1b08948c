use super::listener::shortened;
use super::narrator::Narrator;
use crate::cli::failure::Failure;
use libsrtp::{MasterKey, ProtectionProfile, RecvSession, SendSession, SrtpError, StreamConfig};
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
        on_the_wire = protect(clear.clone(), sent_with)?;
        let heard = unprotect(on_the_wire.clone(), received_with)?;
        if heard == clear { Ok(()) } else { Err("something else was heard".into()) }
    })?;
    narrator.detail("a listener hears", shortened(on_the_wire.get(RTP_HEADER.len()..).unwrap_or_default()));
    Ok(())
}

/// A voice packet in clear (RFC 3550).
pub fn packet() -> Vec<u8> {
    [RTP_HEADER.as_slice(), SPEECH].concat()
}

/// Why a packet was neither protected nor opened.
#[derive(Debug, thiserror::Error)]
pub enum PacketError {
    /// It is not what its sender sent.
    #[error("the packet's authentication tag is wrong")]
    Forged,
    /// SRTP cannot be used so.
    #[error("SRTP: {0}")]
    Srtp(SrtpError),
}

impl From<SrtpError> for PacketError {
    fn from(error: SrtpError) -> Self {
        match error {
            SrtpError::Authentication => Self::Forged,
            error => Self::Srtp(error),
        }
    }
}

/// The packet as SRTP, with the MKI that tells the receiver which key it needs (RFC 7714, AEAD_AES_128_GCM).
pub fn protect(packet: Vec<u8>, keys: &MediaKeys) -> Result<Vec<u8>, PacketError> {
    let mut session = SendSession::new();
    session.add_stream(None, &config(keys))?;
    Ok(session.rtp_protect_mki(packet, &Some(keys.mki.clone()))?)
}

/// The packet in clear again.
pub fn unprotect(packet: Vec<u8>, keys: &MediaKeys) -> Result<Vec<u8>, PacketError> {
    let mut session = RecvSession::new();
    session.add_stream(None, &config(keys))?;
    Ok(session.rtp_unprotect(packet)?)
}

fn config(keys: &MediaKeys) -> StreamConfig {
    let master = MasterKey::new(&keys.master_key, &keys.master_salt, &Some(keys.mki.clone()));
    StreamConfig::new(vec![master], &ProtectionProfile::AeadAes128Gcm, &ProtectionProfile::AeadAes128Gcm)
}
