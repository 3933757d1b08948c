//! From the key of a message to SRTP master keys, salts and MKIs (TS 33.180 7.4, table E.1.3-1).
use super::{Error, GukId, KeyId, KeyType};
use crate::mikey::prf;
use crate::sakke::SharedSecret;
use alloc::vec::Vec;
use core::fmt;
use zeroize::{Zeroize, Zeroizing};

/// Octets of an SRTP master key (AEAD_AES_128_GCM).
pub const MASTER_KEY_LEN: usize = 16;
/// Octets of an SRTP master salt (AEAD_AES_128_GCM).
pub const MASTER_SALT_LEN: usize = 12;

/// The mission critical services that have media.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Service {
    /// Push to talk.
    Mcptt,
    /// Video.
    McVideo,
}

/// The two ends of a private call.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Side {
    /// Who sent the I_MESSAGE.
    Initiator,
    /// Who received it.
    Receiver,
}

/// The crypto sessions of a bundle (table E.1.3-1). The value is the CS-ID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
#[repr(u8)]
pub enum CsId {
    /// What the initiator of an MCPTT private call sends.
    McpttInitiator = 0,
    /// What the receiver of an MCPTT private call sends.
    McpttReceiver = 1,
    /// What the initiator of an MCVideo private call sends.
    McVideoInitiator = 2,
    /// What the receiver of an MCVideo private call sends.
    McVideoReceiver = 3,
    /// An MCPTT group call.
    McpttGroup = 4,
    /// An MCVideo group call.
    McVideoGroup = 5,
    /// SRTCP of MCPTT under a CSK.
    McpttCsk = 6,
    /// SRTCP of MCPTT under a MuSiK.
    McpttMuSik = 7,
    /// SRTCP of MCVideo under a CSK.
    McVideoCsk = 8,
    /// SRTCP of MCVideo under a MuSiK.
    McVideoMuSik = 9,
}

impl CsId {
    /// The CS-ID on the wire and in derivations.
    pub const fn to_u8(self) -> u8 {
        self as u8
    }

    /// What `side` of a private call sends.
    pub const fn private(service: Service, side: Side) -> Self {
        match (service, side) {
            (Service::Mcptt, Side::Initiator) => Self::McpttInitiator,
            (Service::Mcptt, Side::Receiver) => Self::McpttReceiver,
            (Service::McVideo, Side::Initiator) => Self::McVideoInitiator,
            (Service::McVideo, Side::Receiver) => Self::McVideoReceiver,
        }
    }

    /// A group call.
    pub const fn group(service: Service) -> Self {
        match service {
            Service::Mcptt => Self::McpttGroup,
            Service::McVideo => Self::McVideoGroup,
        }
    }

    /// The first crypto session of MCPTT under a key of this type; none where table E.1.3-1 has none
    /// (SPK, MKFC and MSCCK).
    pub const fn first(key_type: KeyType) -> Option<Self> {
        match key_type {
            KeyType::Gmk => Some(Self::McpttGroup),
            KeyType::Pck => Some(Self::McpttInitiator),
            KeyType::Csk => Some(Self::McpttCsk),
            KeyType::MuSik => Some(Self::McpttMuSik),
            KeyType::Spk | KeyType::Mkfc | KeyType::Mscck => None,
        }
    }
}

/// A crypto session bundle: a key with all that derives media keys from it.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// The key: GMK, PCK, CSK ... It is the TGK of the derivation.
    pub key: SharedSecret,
    /// Its identifier: GMK-ID, PCK-ID, CSK-ID ...
    pub key_id: KeyId,
    /// The CSB-ID: the identifier itself, or for a GMK the GUK-ID of the user who sends.
    pub csb_id: KeyId,
    /// RAND of the message.
    pub rand: [u8; 16],
}

impl Bundle {
    /// The GUK-ID that the CSB-ID is, when the key is a GMK.
    pub fn guk_id(&self) -> Option<GukId> {
        match self.key_id.key_type() {
            KeyType::Gmk => GukId::from_key_id(self.csb_id).ok(),
            _ => None,
        }
    }

    /// The same bundle for what another user of the group sends, known by the GUK-ID in the MKI.
    ///
    /// Fails with [`Error::NotAGmk`] when the key is of another type.
    pub fn for_sender(&self, guk_id: GukId) -> Result<Self, Error> {
        GukId::from_key_id(self.key_id)?;
        Ok(Self { csb_id: guk_id.key_id(), ..self.clone() })
    }

    /// The master key identifier in SRTP packets: GMK-ID || GUK-ID (8 octets) in a group, otherwise the key's identifier
    /// (4 octets, clause 7.4.1).
    pub fn mki(&self) -> Vec<u8> {
        match self.guk_id() {
            Some(guk_id) => [self.key_id.to_bytes(), guk_id.to_bytes()].concat(),
            None => self.key_id.to_bytes().to_vec(),
        }
    }

    /// SRTP keys of one crypto session.
    pub fn media_keys(&self, cs_id: CsId) -> MediaKeys {
        MediaKeys::derive(&self.key, cs_id, self.csb_id.to_u32(), &self.rand, self.mki())
    }

    /// SRTP keys of [`CsId::first`], where there is one.
    pub fn first_media_keys(&self) -> Option<MediaKeys> {
        CsId::first(self.key_id.key_type()).map(|cs_id| self.media_keys(cs_id))
    }
}

/// Master key, master salt and MKI of one SRTP crypto session.
#[derive(Clone, PartialEq, Eq)]
pub struct MediaKeys {
    /// The crypto session.
    pub cs_id: CsId,
    /// SRTP master key.
    pub master_key: [u8; MASTER_KEY_LEN],
    /// SRTP master salt.
    pub master_salt: [u8; MASTER_SALT_LEN],
    /// Master key identifier.
    pub mki: Vec<u8>,
}

impl MediaKeys {
    /// Derives key and salt by RFC 3830 4.1.3 with PRF-HMAC-SHA-256 (RFC 6043 6.1).
    pub fn derive(key: &SharedSecret, cs_id: CsId, csb_id: u32, rand: &[u8], mki: Vec<u8>) -> Self {
        let mut keys = Self { cs_id, master_key: [0; MASTER_KEY_LEN], master_salt: [0; MASTER_SALT_LEN], mki };
        let derive = |constant, out: &mut [u8]| {
            let octets: Zeroizing<Vec<u8>> =
                prf::derive(key.as_bytes(), constant, cs_id.to_u8(), csb_id, rand, out.len());
            for (to, from) in out.iter_mut().zip(octets.iter()) {
                *to = *from;
            }
        };
        derive(prf::TEK, &mut keys.master_key);
        derive(prf::SALT, &mut keys.master_salt);
        keys
    }
}

impl Drop for MediaKeys {
    fn drop(&mut self) {
        self.master_key.zeroize();
        self.master_salt.zeroize();
    }
}

impl fmt::Debug for MediaKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaKeys").field("cs_id", &self.cs_id).finish_non_exhaustive()
    }
}
