//! The crypto sessions of a message: which there are, under which security policy.
use super::refusals::Refusals;
use super::{Deviation, SrtpPolicy};
use crate::mc::{CsId, Error, KeyId, KeyType};
use crate::mikey::{CsIdMap, GenericIdEntry, ProtocolType};
use alloc::vec::Vec;

/// What the header says about crypto sessions.
#[derive(Clone, Debug, Default)]
pub(super) struct Sessions {
    /// The security policies of the message, by number.
    policies: Vec<(u8, SrtpPolicy)>,
    /// The sessions that are mapped.
    cs_ids: Vec<u8>,
    /// The first security policy of each session that is mapped and has one.
    policy_numbers: Vec<(u8, u8)>,
    /// For a GMK, whose identifier shows only once the key is there: what SPIs claim it to be, by CS-ID.
    claimed_gmk_ids: Vec<(u8, [u8; 4])>,
}

impl Sessions {
    /// Judges the map of the header. Without a CSB-ID that names a key type, what depends on it is not judged.
    pub(super) fn judge(
        map: &CsIdMap<'_>,
        policies: Vec<(u8, SrtpPolicy)>,
        csb_id: Option<KeyId>,
        deviations: &mut Vec<Deviation>,
        refusals: &mut impl Refusals,
    ) -> Result<Self, Error> {
        let mut sessions = Self { policies, ..Self::default() };
        match map {
            CsIdMap::Empty { cs_count: 0 } => {}
            CsIdMap::Empty { cs_count } => refusals.refuse(Error::SessionsWithoutMap { count: *cs_count })?,
            CsIdMap::SrtpId(entries) => {
                if !entries.is_empty() {
                    deviations.push(Deviation::SrtpIdMap);
                }
                for (cs_id, entry) in (1..=u8::MAX).zip(entries) {
                    sessions.add_policies(cs_id, &[entry.policy_no], refusals)?;
                }
            }
            CsIdMap::GenericId(map) => {
                for entry in map.entries() {
                    sessions.add(&entry, csb_id, refusals)?;
                }
            }
        }
        Ok(sessions)
    }

    /// How the media of a session is protected, see [`Opened::policy`](super::Opened::policy).
    pub(super) fn policy(&self, cs_id: CsId) -> Option<SrtpPolicy> {
        let mapped = self.policy_numbers.iter().find(|(mapped, _)| *mapped == cs_id.to_u8());
        let policy = match mapped {
            Some((_, number)) => self.policies.iter().find(|(known, _)| known == number),
            None => self.policies.first(),
        };
        policy.map(|(_, policy)| *policy)
    }

    /// Requires the GMK-IDs that SPIs claim to be that of the decapsulated GMK.
    pub(super) fn require_key_id(&self, key_id: KeyId) -> Result<(), Error> {
        match self.claimed_gmk_ids.iter().find(|(_, claimed)| *claimed != key_id.to_bytes()) {
            Some((cs_id, _)) => Err(Error::Spi { cs_id: *cs_id }),
            None => Ok(()),
        }
    }

    fn add(
        &mut self,
        entry: &GenericIdEntry<'_>,
        csb_id: Option<KeyId>,
        refusals: &mut impl Refusals,
    ) -> Result<(), Error> {
        let cs_id = entry.cs_id;
        for rule in self.rules(entry, csb_id) {
            rule.or_else(|error| refusals.refuse(error))?;
        }
        self.cs_ids.push(cs_id);
        self.add_policies(cs_id, entry.policy_numbers, refusals)?;
        match csb_id.map(|csb_id| judge_spi(entry, csb_id)) {
            Some(Ok(gmk_id)) => self.claimed_gmk_ids.extend(gmk_id.map(|gmk_id| (cs_id, gmk_id))),
            Some(Err(error)) => refusals.refuse(error)?,
            None => {}
        }
        Ok(())
    }

    /// Protocol, CS-ID, session data, each by itself.
    fn rules(&self, entry: &GenericIdEntry<'_>, csb_id: Option<KeyId>) -> [Result<(), Error>; 4] {
        let cs_id = entry.cs_id;
        let has = |key_type| CsId::ALL.iter().any(|known| known.to_u8() == cs_id && known.key_type() == key_type);
        [
            match entry.protocol {
                ProtocolType::SRTP => Ok(()),
                found => Err(Error::CsProtocol { cs_id, found }),
            },
            match csb_id.map(KeyId::key_type) {
                Some(key_type) if !has(key_type) => Err(Error::CsId { cs_id, key_type }),
                _ => Ok(()),
            },
            match self.cs_ids.contains(&cs_id) {
                true => Err(Error::Repeated { what: "crypto session of one CS-ID" }),
                false => Ok(()),
            },
            match entry.session_data_flag || !entry.session_data.is_empty() {
                true => Err(Error::SessionData { cs_id }),
                false => Ok(()),
            },
        ]
    }

    fn add_policies(&mut self, cs_id: u8, numbers: &[u8], refusals: &mut impl Refusals) -> Result<(), Error> {
        let is_known = |number: &&u8| self.policies.iter().any(|(known, _)| known == *number);
        let unknown = numbers.iter().filter(|number| !is_known(number));
        unknown.copied().try_for_each(|policy_no| refusals.refuse(Error::NoSuchPolicy { cs_id, policy_no }))?;
        self.policy_numbers.extend(numbers.first().map(|number| (cs_id, *number)));
        Ok(())
    }
}

/// An SPI is absent, or names the key: GMK-ID || GUK-ID for a GMK, of which it returns the first, the CSB-ID for others.
fn judge_spi(entry: &GenericIdEntry<'_>, csb_id: KeyId) -> Result<Option<[u8; 4]>, Error> {
    let wrong = Err(Error::Spi { cs_id: entry.cs_id });
    match (csb_id.key_type(), entry.spi) {
        (_, []) => Ok(None),
        (KeyType::Gmk, [a, b, c, d, guk_id @ ..]) if *guk_id == csb_id.to_bytes() => Ok(Some([*a, *b, *c, *d])),
        (KeyType::Gmk, _) => wrong,
        (_, spi) if *spi == csb_id.to_bytes() => Ok(None),
        _ => wrong,
    }
}
