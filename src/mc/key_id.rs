//! Key types, key identifiers with their purpose tags (TS 33.180 annex G), and GUK-IDs (clause 5.2.3, F.1.3).
use super::Error;
use super::kdf::kdf;
use crate::sakke::SharedSecret;
use core::fmt;
use rand_core::CryptoRng;

/// FC of the User Salt.
const FC_USER_SALT: u8 = 0x50;
const TAG_SHIFT: u32 = 28;
const LOW_28: u32 = 0x0fff_ffff;

/// What a key is for. The value is its purpose tag: the first four bits of its identifier (table G-1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
#[repr(u8)]
pub enum KeyType {
    /// Group Master Key: media of a group, sent by its group management server.
    Gmk = 0,
    /// Private Call Key: media of a private call, sent by the caller.
    Pck = 1,
    /// Client-Server Key: signalling and floor control between a client and its server.
    Csk = 2,
    /// Signalling Protection Key: signalling between servers.
    Spk = 3,
    /// Multicast Floor Control Key.
    Mkfc = 4,
    /// MBMS SubChannel Control Key.
    Mscck = 5,
    /// Multicast Signalling Key.
    MuSik = 6,
}

impl KeyType {
    /// Every type, in the order of the tags.
    pub const ALL: [Self; 7] = [Self::Gmk, Self::Pck, Self::Csk, Self::Spk, Self::Mkfc, Self::Mscck, Self::MuSik];

    /// The purpose tag, 0 to 6.
    pub const fn tag(self) -> u8 {
        self as u8
    }

    /// The type of a purpose tag; fails with [`Error::UnknownPurposeTag`] for 7 and above.
    pub const fn from_tag(tag: u8) -> Result<Self, Error> {
        Ok(match tag {
            0 => Self::Gmk,
            1 => Self::Pck,
            2 => Self::Csk,
            3 => Self::Spk,
            4 => Self::Mkfc,
            5 => Self::Mscck,
            6 => Self::MuSik,
            _ => return Err(Error::UnknownPurposeTag { tag }),
        })
    }

    /// Whether key parameters of this type list the groups that the key is for (table E.6.1-1).
    pub const fn has_groups(self) -> bool {
        matches!(self, Self::Gmk | Self::Mkfc | Self::MuSik)
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gmk => "GMK",
            Self::Pck => "PCK",
            Self::Csk => "CSK",
            Self::Spk => "SPK",
            Self::Mkfc => "MKFC",
            Self::Mscck => "MSCCK",
            Self::MuSik => "MuSiK",
        })
    }
}

/// The identifier of a key: a purpose tag in the first four bits, then 28 random bits. Displays as eight hex characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId {
    key_type: KeyType,
    bits: u32,
}

impl KeyId {
    /// A fresh random identifier.
    pub fn generate(key_type: KeyType, rng: &mut impl CryptoRng) -> Self {
        let mut octets = [0; 4];
        rng.fill_bytes(&mut octets);
        Self::tagged(key_type, u32::from_be_bytes(octets))
    }

    /// The identifier with these bits; fails with [`Error::UnknownPurposeTag`] for tags 7 to 15.
    pub fn from_u32(bits: u32) -> Result<Self, Error> {
        let [first, ..] = bits.to_be_bytes();
        KeyType::from_tag(first >> 4).map(|key_type| Self { key_type, bits })
    }

    /// The identifier in four big-endian octets; fails with [`Error::UnknownPurposeTag`] for tags 7 to 15.
    pub fn from_bytes(octets: [u8; 4]) -> Result<Self, Error> {
        Self::from_u32(u32::from_be_bytes(octets))
    }

    const fn tagged(key_type: KeyType, random: u32) -> Self {
        Self { key_type, bits: ((key_type as u32) << TAG_SHIFT) | (random & LOW_28) }
    }

    /// What the key is for, by the purpose tag.
    pub const fn key_type(self) -> KeyType {
        self.key_type
    }

    /// All 32 bits.
    pub const fn to_u32(self) -> u32 {
        self.bits
    }

    /// Four big-endian octets.
    pub const fn to_bytes(self) -> [u8; 4] {
        self.bits.to_be_bytes()
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.bits)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// Group User Key Identifier: a GMK-ID as one user of the group carries it, so that no two users share a key stream
/// (end-point diversity, TS 33.180 5.2.3). Its tag is that of a GMK, 0. Displays as eight hex characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GukId(KeyId);

impl GukId {
    /// The GUK-ID of `user_uri` (MC service user ID) for a GMK: tag of the GMK-ID, then its other 28 bits xor the User
    /// Salt, which is the low 28 bits of KDF(GMK, 0x50, user URI) (F.1.3).
    ///
    /// Fails with [`Error::NotAGmk`] when `gmk_id` has another tag, [`Error::TooLong`] when the URI has over 65535 octets.
    pub fn new(gmk: &SharedSecret, gmk_id: KeyId, user_uri: &str) -> Result<Self, Error> {
        Self::from_key_id(gmk_id)?.salted(gmk, user_uri).map(Self)
    }

    /// The GMK-ID that this GUK-ID of `user_uri` stands for: the inverse of [`GukId::new`].
    ///
    /// Fails with [`Error::TooLong`] when the URI has over 65535 octets.
    pub fn gmk_id(self, gmk: &SharedSecret, user_uri: &str) -> Result<KeyId, Error> {
        self.salted(gmk, user_uri)
    }

    fn salted(self, gmk: &SharedSecret, user_uri: &str) -> Result<KeyId, Error> {
        let [.., a, b, c, d] = kdf(gmk.as_bytes(), FC_USER_SALT, &[user_uri.as_bytes()])?;
        Ok(KeyId::tagged(KeyType::Gmk, self.0.bits ^ u32::from_be_bytes([a, b, c, d])))
    }

    /// Takes an identifier read from a message for a GUK-ID; fails with [`Error::NotAGmk`] when its tag is not 0.
    pub const fn from_key_id(id: KeyId) -> Result<Self, Error> {
        match id.key_type {
            KeyType::Gmk => Ok(Self(id)),
            key_type => Err(Error::NotAGmk { key_type }),
        }
    }

    /// The same bits as a plain identifier.
    pub const fn key_id(self) -> KeyId {
        self.0
    }

    /// All 32 bits.
    pub const fn to_u32(self) -> u32 {
        self.0.bits
    }

    /// Four big-endian octets.
    pub const fn to_bytes(self) -> [u8; 4] {
        self.0.to_bytes()
    }
}

impl fmt::Display for GukId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for GukId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GukId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_types_name_each_other() {
        for (tag, key_type) in KeyType::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(key_type.tag()), tag);
            assert_eq!(KeyType::from_tag(key_type.tag()), Ok(key_type));
            assert_eq!(KeyId::from_u32((tag as u32) << 28 | 0x0abc_def0).unwrap().key_type(), key_type);
        }
    }

    #[test]
    fn undefined_purpose_tags_are_refused() {
        for tag in 7..16u8 {
            assert_eq!(KeyId::from_bytes([tag << 4, 1, 2, 3]), Err(Error::UnknownPurposeTag { tag }));
        }
    }

    #[test]
    fn a_guk_id_and_its_inverse_agree_and_differ_by_user() {
        let gmk = SharedSecret::new([7; 16]);
        let gmk_id = KeyId::from_u32(0x0123_4567).unwrap();
        let alice = GukId::new(&gmk, gmk_id, "sip:alice@example.org").unwrap();
        let bob = GukId::new(&gmk, gmk_id, "sip:bob@example.org").unwrap();
        assert_ne!(alice, bob);
        assert_eq!(alice.to_u32() >> 28, 0);
        assert_eq!(alice.gmk_id(&gmk, "sip:alice@example.org"), Ok(gmk_id));
        assert_ne!(alice.gmk_id(&gmk, "sip:bob@example.org"), Ok(gmk_id));
    }

    #[test]
    fn only_a_gmk_has_guk_ids() {
        let pck_id = KeyId::from_u32(0x1123_4567).unwrap();
        let refused = GukId::new(&SharedSecret::new([7; 16]), pck_id, "sip:alice@example.org");
        assert_eq!(refused, Err(Error::NotAGmk { key_type: KeyType::Pck }));
    }
}
