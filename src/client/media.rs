//! Media under the keys of a call: SRTP with AEAD_AES_128_GCM (RFC 3711, RFC 7714), which TS 33.180 prescribes.
//!
//! The crate `libsrtp` does the work; it is kept to what calls need, so that it can be exchanged.

use crate::mc::MediaKeys;
use core::fmt;
use libsrtp::{MasterKey, ProtectionProfile, RecvSession, SendSession, SrtpError, StreamConfig};

/// One party's outgoing media: all its streams under one key.
pub struct MediaSender {
    session: SendSession,
    mki: Option<Vec<u8>>,
}

impl MediaSender {
    /// A sender that starts with these keys. [`MediaError::Srtp`] if the keys are of no use.
    pub fn new(keys: &MediaKeys) -> Result<Self, MediaError> {
        let mut session = SendSession::new();
        session.add_stream(None, &stream(keys))?;
        Ok(Self { session, mki: Some(keys.mki.clone()) })
    }

    /// An RTP packet as SRTP, with the MKI that names its key. [`MediaError::Packet`] if it is no RTP packet.
    pub fn protect(&mut self, packet: Vec<u8>) -> Result<Vec<u8>, MediaError> {
        Ok(self.session.rtp_protect_mki(packet, &self.mki)?)
    }
}

/// What one other party sends.
pub struct MediaReceiver {
    session: RecvSession,
}

impl MediaReceiver {
    /// A receiver of what is sent with these keys. [`MediaError::Srtp`] if the keys are of no use.
    pub fn new(keys: &MediaKeys) -> Result<Self, MediaError> {
        let mut session = RecvSession::new();
        session.add_stream(None, &stream(keys))?;
        Ok(Self { session })
    }

    /// The RTP packet in an SRTP packet. [`MediaError::Forged`], [`MediaError::Replayed`], [`MediaError::OtherKey`],
    /// [`MediaError::Packet`].
    pub fn unprotect(&mut self, packet: Vec<u8>) -> Result<Vec<u8>, MediaError> {
        Ok(self.session.rtp_unprotect(packet)?)
    }
}

/// Why a packet was neither protected nor opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MediaError {
    /// It is not what its sender sent.
    #[error("the packet's authentication tag is wrong")]
    Forged,
    /// It came before, or is older than what the replay window covers.
    #[error("the packet came before, or is too old to tell")]
    Replayed,
    /// Its MKI names no key of this receiver.
    #[error("the packet's MKI names another key")]
    OtherKey,
    /// It is too short for its header, or of another version.
    #[error("this is no RTP or SRTP packet")]
    Packet,
    /// SRTP cannot be used so.
    #[error("SRTP: {0}")]
    Srtp(SrtpError),
}

impl From<SrtpError> for MediaError {
    fn from(error: SrtpError) -> Self {
        match error {
            SrtpError::Authentication => Self::Forged,
            SrtpError::InvalidPacketIndex => Self::Replayed,
            SrtpError::InvalidMki => Self::OtherKey,
            SrtpError::InvalidPacket => Self::Packet,
            error => Self::Srtp(error),
        }
    }
}

fn stream(keys: &MediaKeys) -> StreamConfig {
    let master = MasterKey::new(&keys.master_key, &keys.master_salt, &Some(keys.mki.clone()));
    StreamConfig::new(vec![master], &ProtectionProfile::AeadAes128Gcm, &ProtectionProfile::AeadAes128Gcm)
}

impl fmt::Debug for MediaSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MediaSender")
    }
}

impl fmt::Debug for MediaReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MediaReceiver")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mc::{Bundle, CsId, KeyId, Service, Side};
    use crate::sakke::SharedSecret;

    fn keys(key: u8, key_id: u32) -> MediaKeys {
        let key_id = KeyId::from_u32(key_id).unwrap();
        let bundle = Bundle { key: SharedSecret::new([key; 16]), key_id, csb_id: key_id, rand: [3; 16] };
        bundle.media_keys(CsId::private(Service::Mcptt, Side::Initiator))
    }

    fn packet(number: u8) -> Vec<u8> {
        [&[0x80, 96, 0, number, 0, 0, 0, 160, 1, 2, 3, 4][..], b"speech"].concat()
    }

    #[test]
    fn packets_reach_the_receiver_in_any_order() {
        let keys = keys(1, 0x1000_0001);
        let (mut sender, mut receiver) = (MediaSender::new(&keys).unwrap(), MediaReceiver::new(&keys).unwrap());
        let sent: Vec<_> = (1..4).map(|number| sender.protect(packet(number)).unwrap()).collect();
        for number in [2, 1, 3] {
            let on_the_wire = sent[number - 1].clone();
            // Header and text of the packet, tag of 16 octets, MKI of 4.
            assert_eq!(on_the_wire.len(), packet(0).len() + 16 + 4);
            assert!(on_the_wire.ends_with(&keys.mki));
            assert_eq!(receiver.unprotect(on_the_wire).unwrap(), packet(number as u8));
        }
    }

    #[test]
    fn what_was_bent_repeated_or_meant_for_others_is_refused() {
        let mine = keys(1, 0x1000_0001);
        let sent = MediaSender::new(&mine).unwrap().protect(packet(1)).unwrap();
        let mut receiver = MediaReceiver::new(&mine).unwrap();
        let mut bent = sent.clone();
        bent[13] ^= 1;
        assert!(matches!(receiver.unprotect(bent), Err(MediaError::Forged)));
        assert!(receiver.unprotect(sent.clone()).is_ok());
        assert!(matches!(receiver.unprotect(sent.clone()), Err(MediaError::Replayed)));
        let mut stranger = MediaReceiver::new(&keys(2, 0x1000_0001)).unwrap();
        assert!(matches!(stranger.unprotect(sent.clone()), Err(MediaError::Forged)));
        let mut other = MediaReceiver::new(&keys(1, 0x1000_0002)).unwrap();
        assert!(matches!(other.unprotect(sent.clone()), Err(MediaError::OtherKey)));
        for length in 0..12 {
            assert!(receiver.unprotect(sent[..length].to_vec()).is_err(), "{length}");
        }
    }
}
