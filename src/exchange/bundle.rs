use alloc::vec::Vec;
use core::fmt;

use super::srtp_keys::{SrtpKeys, SrtpLengths};
use super::{Error, MIN_RAND_LEN, cs_id_map};
use crate::mikey::prf::Prf;
use crate::mikey::{CsIdMap, KeyData, KeyDataType, KeyValidity, ProtocolType, SecurityPolicy};

/// A crypto session bundle (CSB): the keys that an I_MESSAGE carries, and all that media keys are derived from.
///
/// What the initiator leaves open of its sessions the responder chooses in its verification message (RFC 3830 6.1.1, RFC 6043
/// 6.1.1): then both ends have a bundle with the agreed sessions from [`VerificationMessage`](super::VerificationMessage) and
/// [`Answer::Verified`](super::Answer::Verified), whose policies and SPIs may differ from those of the I_MESSAGE.
#[derive(Clone, PartialEq, Eq)]
pub struct Bundle {
    pub(super) csb_id: u32,
    pub(super) prf: Prf,
    pub(super) rand: Vec<u8>,
    pub(super) cs_id_map: CsIdMap<'static>,
    pub(super) policies: Vec<SecurityPolicy<'static>>,
    pub(super) keys: Vec<KeyData<'static>>,
}

/// What the header says about one crypto session.
struct Session<'b> {
    /// The security policies that it may have. Once it is agreed on there is one; until then the first counts.
    policies: &'b [u8],
    /// The SPI or MKI of the key that it uses at first.
    spi: &'b [u8],
}

impl Bundle {
    /// CSB ID.
    pub const fn csb_id(&self) -> u32 {
        self.csb_id
    }

    /// RAND.
    pub fn rand(&self) -> &[u8] {
        &self.rand
    }

    /// Which crypto sessions there are.
    pub const fn cs_id_map(&self) -> &CsIdMap<'static> {
        &self.cs_id_map
    }

    /// SPs, the security policies.
    pub fn policies(&self) -> &[SecurityPolicy<'static>] {
        &self.policies
    }

    /// TGKs and TEKs in the order of the message, at least one.
    pub fn keys(&self) -> &[KeyData<'static>] {
        &self.keys
    }

    /// SRTP master keys and salts of a crypto session, one pair for each key of the bundle; the one that the SPI of a
    /// GENERIC-ID entry names comes first.
    ///
    /// Of a TGK, key and salt are derived (RFC 3830 4.1.3), unless a salt came along. A TEK is the master key itself.
    /// Their lengths are those of the session's policy, or of SRTP's defaults where the message has no policy or the
    /// policy no length (RFC 3830 6.10.1). Where the message maps no session at all (#CS is 0, as GStreamer sends it),
    /// sessions are agreed on by other means, and any CS-ID has its keys.
    ///
    /// # Errors
    /// [`Error::NoSuchSession`], [`Error::Protocol`], [`Error::TekLength`], [`Error::SaltLength`].
    pub fn srtp_keys(&self, cs_id: u8) -> Result<Vec<SrtpKeys>, Error> {
        let session = self.session(cs_id)?;
        let lengths = self.lengths(cs_id, &session)?;
        let (named, others): (Vec<_>, Vec<_>) = self.keys.iter().partition(|key| match &key.validity {
            KeyValidity::Spi(spi) => !session.spi.is_empty() && **spi == *session.spi,
            _ => false,
        });
        named.into_iter().chain(others).map(|key| SrtpKeys::of(key, self, cs_id, lengths)).collect()
    }

    /// What both ends require of a bundle.
    ///
    /// # Errors
    /// [`Error::RandLength`], [`Error::Missing`] without a key or for a key without octets, [`Error::KeyType`],
    /// and those of [`cs_id_map::judge`].
    pub(super) fn judge(&self) -> Result<(), Error> {
        if self.rand.len() < MIN_RAND_LEN {
            return Err(Error::RandLength { found: self.rand.len() });
        }
        if self.keys.is_empty() {
            return Err(Error::Missing { what: "Key data" });
        }
        self.keys.iter().try_for_each(judge_key)?;
        cs_id_map::judge(self)
    }

    fn session(&self, cs_id: u8) -> Result<Session<'_>, Error> {
        let missing = Error::NoSuchSession { cs_id };
        match &self.cs_id_map {
            map if map.cs_count() == 0 => Ok(Session { policies: &[], spi: &[] }),
            CsIdMap::SrtpId(entries) => {
                let index = usize::from(cs_id).checked_sub(1).ok_or(missing.clone())?;
                let entry = entries.get(index).ok_or(missing)?;
                Ok(Session { policies: core::slice::from_ref(&entry.policy_no), spi: &[] })
            }
            CsIdMap::Empty { cs_count } if (1..=*cs_count).contains(&cs_id) => Ok(Session { policies: &[], spi: &[] }),
            CsIdMap::Empty { .. } => Err(missing),
            CsIdMap::GenericId(entries) => {
                let entry = entries.entries().find(|entry| entry.cs_id == cs_id).ok_or(missing)?;
                if entry.protocol != ProtocolType::SRTP {
                    return Err(Error::Protocol { cs_id, found: entry.protocol });
                }
                Ok(Session { policies: entry.policy_numbers, spi: entry.spi })
            }
        }
    }

    /// A session without a policy of its own has the first one of the message.
    fn lengths(&self, cs_id: u8, session: &Session<'_>) -> Result<SrtpLengths, Error> {
        let policy = match session.policies.first() {
            Some(number) => self.policy(*number),
            None => self.policies.first(),
        };
        match policy {
            Some(policy) if policy.protocol != ProtocolType::SRTP => {
                Err(Error::Protocol { cs_id, found: policy.protocol })
            }
            policy => Ok(SrtpLengths::of(policy)),
        }
    }

    pub(super) fn policy(&self, number: u8) -> Option<&SecurityPolicy<'static>> {
        self.policies.iter().find(|policy| policy.policy_no == number)
    }
}

fn judge_key(key: &KeyData<'_>) -> Result<(), Error> {
    match key.key_type {
        KeyDataType::Tgk | KeyDataType::TgkSalt | KeyDataType::Tek | KeyDataType::TekSalt if key.key.is_empty() => {
            Err(Error::Missing { what: "octets of a key" })
        }
        KeyDataType::Tgk | KeyDataType::TgkSalt | KeyDataType::Tek | KeyDataType::TekSalt => Ok(()),
        found => Err(Error::KeyType { found }),
    }
}

impl fmt::Debug for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bundle").field("csb_id", &self.csb_id).finish_non_exhaustive()
    }
}
