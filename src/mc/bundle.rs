//! From the key of a message to SRTP master keys, salts and MKIs (TS 33.180 7.4, table E.1.3-1).
use super::{Error, GukId, KeyId, KeyType};
use crate::mikey::prf;
use crate::sakke::SharedSecret;
use alloc::vec::Vec;
use core::fmt;
use subtle::ConstantTimeEq;
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
    /// Every crypto session, in the order of the CS-IDs.
    pub const ALL: [Self; 10] = [
        Self::McpttInitiator,
        Self::McpttReceiver,
        Self::McVideoInitiator,
        Self::McVideoReceiver,
        Self::McpttGroup,
        Self::McVideoGroup,
        Self::McpttCsk,
        Self::McpttMuSik,
        Self::McVideoCsk,
        Self::McVideoMuSik,
    ];

    /// The type of the key that the session is under.
    pub const fn key_type(self) -> KeyType {
        match self {
            Self::McpttInitiator | Self::McpttReceiver | Self::McVideoInitiator | Self::McVideoReceiver => KeyType::Pck,
            Self::McpttGroup | Self::McVideoGroup => KeyType::Gmk,
            Self::McpttCsk | Self::McVideoCsk => KeyType::Csk,
            Self::McpttMuSik | Self::McVideoMuSik => KeyType::MuSik,
        }
    }

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

/// Master key, master salt and MKI of one SRTP crypto session. Compares in constant time.
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

impl PartialEq for MediaKeys {
    fn eq(&self, other: &Self) -> bool {
        let secrets = self.master_key.ct_eq(&other.master_key) & self.master_salt.ct_eq(&other.master_salt);
        bool::from(secrets) && self.cs_id == other.cs_id && self.mki == other.mki
    }
}

impl Eq for MediaKeys {}

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

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    fn bundle(key_type: KeyType) -> Bundle {
        let key = SharedSecret::new([1; 16]);
        let key_id = KeyId::from_u32(u32::from(key_type.tag()) << 28 | 0x0765_4321).unwrap();
        let csb_id = match key_type {
            KeyType::Gmk => GukId::new(&key, key_id, "sip:alice@example.org").unwrap().key_id(),
            _ => key_id,
        };
        Bundle { key, key_id, csb_id, rand: [2; 16] }
    }

    #[test]
    fn cs_ids_are_those_of_table_e_1_3_1() {
        use Service::{McVideo, Mcptt};
        let private = |service, side| CsId::private(service, side).to_u8();
        assert_eq!(private(Mcptt, Side::Initiator), 0);
        assert_eq!(private(Mcptt, Side::Receiver), 1);
        assert_eq!(private(McVideo, Side::Initiator), 2);
        assert_eq!(private(McVideo, Side::Receiver), 3);
        assert_eq!([Mcptt, McVideo].map(|service| CsId::group(service).to_u8()), [4, 5]);
        let first = |key_type| CsId::first(key_type).map(CsId::to_u8);
        assert_eq!(KeyType::ALL.map(first), [Some(4), Some(0), Some(6), None, None, None, Some(7)]);
    }

    #[test]
    fn an_mki_has_eight_octets_in_a_group_and_four_elsewhere() {
        for key_type in KeyType::ALL {
            let bundle = bundle(key_type);
            let mki = bundle.mki();
            assert_eq!(mki[..4], bundle.key_id.to_bytes());
            match bundle.guk_id() {
                Some(guk_id) => assert_eq!(mki[4..], guk_id.to_bytes()),
                None => assert_eq!(mki.len(), 4),
            }
            assert_eq!(bundle.guk_id().is_some(), key_type == KeyType::Gmk);
        }
    }

    #[test]
    fn media_keys_depend_on_every_input() {
        let bundle = bundle(KeyType::Pck);
        let base = bundle.media_keys(CsId::McpttInitiator);
        assert_eq!(base, bundle.media_keys(CsId::McpttInitiator));
        for other in [
            bundle.media_keys(CsId::McpttReceiver),
            Bundle { rand: [3; 16], ..bundle.clone() }.media_keys(CsId::McpttInitiator),
            Bundle { key: SharedSecret::new([4; 16]), ..bundle.clone() }.media_keys(CsId::McpttInitiator),
            Bundle { csb_id: KeyId::from_u32(0x1000_0000).unwrap(), ..bundle.clone() }.media_keys(CsId::McpttInitiator),
        ] {
            assert_ne!(base.master_key, other.master_key);
            assert_ne!(base.master_salt, other.master_salt);
            assert_ne!(base, other);
        }
    }

    #[test]
    fn only_the_bundle_of_a_gmk_has_other_senders() {
        let guk_id = bundle(KeyType::Gmk).guk_id().unwrap();
        let refused = bundle(KeyType::Pck).for_sender(guk_id).map(|_| ());
        assert_eq!(refused, Err(Error::NotAGmk { key_type: KeyType::Pck }));
    }

    #[test]
    fn debug_output_shows_no_secret() {
        let bundle = bundle(KeyType::Pck);
        let keys = bundle.media_keys(CsId::McpttInitiator);
        let shown = format!("{keys:?} {bundle:?}");
        assert!(!shown.contains(&format!("{:?}", keys.master_key)));
        assert!(!shown.contains(&format!("{:?}", bundle.key.as_bytes())));
    }
}
