//! What the map of crypto sessions may say, in an I_MESSAGE and in its answer.

use alloc::vec::Vec;
use core::ops::ControlFlow;

use super::{Bundle, Error};
use crate::mikey::{
    CsIdMap, GenericIdEntry, GenericIdMap, KeyData, KeyDataType, KeyValidity, ProtocolType, SecurityPolicy, SrtpIdEntry,
};

/// Session data of an SRTP session: SSRC, and with the S flag ROC and SEQ (RFC 6043 6.1.1).
const SSRC_LEN: usize = 4;
const SSRC_ROC_SEQ_LEN: usize = 10;

/// Which message of an exchange a map is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MapRole {
    /// The first: policies that it refers to are there.
    Offer,
    /// A later one, as an update of the bundle: it may refer to policies that came before (RFC 3830 4.5).
    Update,
    /// The answer, which leaves nothing open and may refer to policies of the offer (RFC 6043 6.1.1).
    Answer,
}

/// A map, and what of its message it is held against.
struct Context<'m> {
    map: &'m CsIdMap<'m>,
    policies: &'m [SecurityPolicy<'m>],
    /// None where they are not known.
    keys: Option<&'m [KeyData<'m>]>,
    role: MapRole,
}

/// Takes a fault, and says whether to look for more.
type Take<'t> = &'t mut dyn FnMut(Error) -> ControlFlow<Error>;

/// Everything that an exchange refuses about a map of crypto sessions and the policies of its message, whatever its method;
/// what comes first is what [`Incoming::open`](super::Incoming::open) says of an offer.
///
/// No two policies have one number. Of an offer, each policy that the map refers to is there. In a GENERIC-ID map no session
/// comes twice, policies are for the session's protocol, and session data of SRTP are 4 octets, or 10 with the S flag; in an
/// answer each entry has one policy, session data and an SPI (RFC 3830 6.1.1, 6.10, RFC 6043 6.1.1). Where `keys` are known,
/// one of them has each SPI, and no SSRC comes twice under a TEK (RFC 3711 9.1).
pub fn map_faults(
    map: &CsIdMap<'_>,
    policies: &[SecurityPolicy<'_>],
    keys: Option<&[KeyData<'_>]>,
    role: MapRole,
) -> Vec<Error> {
    let mut faults = Vec::new();
    let _ = Context { map, policies, keys, role }.judge(&mut |fault| {
        faults.push(fault);
        ControlFlow::Continue(())
    });
    faults
}

/// What the map of any message must be, as [`map_faults`] says of an offer.
///
/// # Errors
/// [`Error::RepeatedPolicy`], [`Error::NoSuchPolicy`], [`Error::RepeatedSsrc`], [`Error::RepeatedSession`],
/// [`Error::PolicyProtocol`], [`Error::SessionDataLength`], [`Error::NoSuchKey`].
pub(super) fn judge(bundle: &Bundle) -> Result<(), Error> {
    let (map, policies, keys) = (&bundle.cs_id_map, &bundle.policies, Some(bundle.keys.as_slice()));
    first(Context { map, policies, keys, role: MapRole::Offer }.judge(&mut ControlFlow::Break))
}

fn first(outcome: ControlFlow<Error>) -> Result<(), Error> {
    match outcome {
        ControlFlow::Break(fault) => Err(fault),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// The bundle that both ends agree on: what was offered, with the map of the answer.
///
/// The map keeps what the initiator chose. What it left open the responder fills in: the SSRC and ROC of an SRTP-ID entry
/// with SSRC 0 (RFC 3830 6.1.1); of a GENERIC-ID entry, which must then be complete, the one policy, session data and the SPI
/// (RFC 6043 6.1.1).
///
/// # Errors
/// [`Error::PolicyCount`], [`Error::SessionDataLength`], [`Error::NoSpi`], [`Error::SessionsChanged`], and those of
/// [`judge`].
pub(super) fn agree(offered: &Bundle, answered: &CsIdMap<'_>) -> Result<Bundle, Error> {
    if let CsIdMap::GenericId(map) = answered {
        first(map.entries().try_for_each(|entry| judge_complete(&entry, &mut ControlFlow::Break)))?;
    }
    require_kept(&offered.cs_id_map, answered)?;
    let agreed = Bundle { cs_id_map: answered.clone().into_owned(), ..offered.clone() };
    judge(&agreed)?;
    Ok(agreed)
}

impl Context<'_> {
    fn judge(&self, take: Take<'_>) -> ControlFlow<Error> {
        self.judge_policies(take)?;
        match self.map {
            CsIdMap::SrtpId(entries) => self.judge_srtp_id(entries, take)?,
            CsIdMap::Empty { .. } => {}
            CsIdMap::GenericId(map) => self.judge_generic_id(map, take)?,
        }
        self.judge_ssrcs(take)
    }

    fn judge_policies(&self, take: Take<'_>) -> ControlFlow<Error> {
        let mut seen = [false; 256];
        self.policies.iter().try_for_each(|&SecurityPolicy { policy_no, .. }| match is_again(policy_no, &mut seen) {
            true => take(Error::RepeatedPolicy { policy_no }),
            false => ControlFlow::Continue(()),
        })
    }

    /// An offer without policies means SRTP's defaults, whatever number an entry has for them.
    fn judge_srtp_id(&self, entries: &[SrtpIdEntry], take: Take<'_>) -> ControlFlow<Error> {
        let any = self.policies.is_empty() || self.role != MapRole::Offer;
        (1..=u8::MAX).zip(entries).try_for_each(|(cs_id, &SrtpIdEntry { policy_no, .. })| {
            if any || self.policy(policy_no).is_some() {
                return ControlFlow::Continue(());
            }
            take(Error::NoSuchPolicy { cs_id, policy_no })
        })
    }

    fn judge_generic_id(&self, map: &GenericIdMap<'_>, take: Take<'_>) -> ControlFlow<Error> {
        let mut seen = [false; 256];
        for entry in map.entries() {
            let cs_id = entry.cs_id;
            if is_again(cs_id, &mut seen) {
                take(Error::RepeatedSession { cs_id })?;
            }
            self.judge_policies_of(&entry, take)?;
            if self.role == MapRole::Answer {
                judge_complete(&entry, take)?;
            } else if !entry.session_data.is_empty() {
                judge_session_data(&entry, take)?;
            }
            let names = |validity: &KeyValidity<'_>| matches!(validity, KeyValidity::Spi(spi) if **spi == *entry.spi);
            let is_unknown = self.keys.is_some_and(|keys| !keys.iter().any(|key| names(&key.validity)));
            if !entry.spi.is_empty() && is_unknown {
                take(Error::NoSuchKey { cs_id })?;
            }
        }
        ControlFlow::Continue(())
    }

    fn judge_policies_of(&self, entry: &GenericIdEntry<'_>, take: Take<'_>) -> ControlFlow<Error> {
        let (cs_id, expected) = (entry.cs_id, entry.protocol);
        entry.policy_numbers.iter().try_for_each(|&policy_no| {
            match self.policy(policy_no).map(|found| found.protocol) {
                None if self.role == MapRole::Offer => take(Error::NoSuchPolicy { cs_id, policy_no }),
                Some(found) if found != expected => take(Error::PolicyProtocol { cs_id, policy_no, found, expected }),
                _ => ControlFlow::Continue(()),
            }
        })
    }

    /// A TEK is the master key of every session: two streams of one SSRC would be encrypted with the same key stream
    /// (RFC 3830 6.1.1, RFC 3711 9.1). Of a TGK each session has a key of its own.
    fn judge_ssrcs(&self, take: Take<'_>) -> ControlFlow<Error> {
        let is_tek = |key: &KeyData<'_>| matches!(key.key_type, KeyDataType::Tek | KeyDataType::TekSalt);
        if !self.keys.is_some_and(|keys| keys.iter().any(is_tek)) {
            return ControlFlow::Continue(());
        }
        let mut ssrcs: Vec<u32> = match self.map {
            CsIdMap::SrtpId(entries) => entries.iter().map(|entry| entry.ssrc).filter(|ssrc| *ssrc != 0).collect(),
            CsIdMap::Empty { .. } => Vec::new(),
            CsIdMap::GenericId(map) => map.entries().filter_map(|entry| ssrc(&entry)).collect(),
        };
        ssrcs.sort_unstable();
        let mut again = ssrcs.chunk_by(|one, other| one == other).filter(|same| same.len() > 1);
        again.try_for_each(|same| same.iter().take(1).try_for_each(|&ssrc| take(Error::RepeatedSsrc { ssrc })))
    }

    fn policy(&self, number: u8) -> Option<&SecurityPolicy<'_>> {
        self.policies.iter().find(|policy| policy.policy_no == number)
    }
}

/// Whether a number was there before.
fn is_again(number: u8, seen: &mut [bool; 256]) -> bool {
    seen.get_mut(usize::from(number)).is_some_and(|seen| core::mem::replace(seen, true))
}

fn ssrc(entry: &GenericIdEntry<'_>) -> Option<u32> {
    let ssrc = entry.session_data.first_chunk().filter(|_| entry.protocol == ProtocolType::SRTP)?;
    Some(u32::from_be_bytes(*ssrc))
}

/// In a response "#P SHALL always be exactly 1", session data "MUST be provided" for SRTP, and so must the SPI.
fn judge_complete(entry: &GenericIdEntry<'_>, take: Take<'_>) -> ControlFlow<Error> {
    let cs_id = entry.cs_id;
    match entry.policy_numbers.len() {
        1 => {}
        found => take(Error::PolicyCount { cs_id, found })?,
    }
    judge_session_data(entry, take)?;
    if entry.spi.is_empty() { take(Error::NoSpi { cs_id }) } else { ControlFlow::Continue(()) }
}

fn judge_session_data(entry: &GenericIdEntry<'_>, take: Take<'_>) -> ControlFlow<Error> {
    let expected = if entry.session_data_flag { SSRC_ROC_SEQ_LEN } else { SSRC_LEN };
    match entry.session_data.len() {
        found if found != expected && entry.protocol == ProtocolType::SRTP => {
            take(Error::SessionDataLength { cs_id: entry.cs_id, found, expected })
        }
        _ => ControlFlow::Continue(()),
    }
}

fn require_kept(offered: &CsIdMap<'_>, answered: &CsIdMap<'_>) -> Result<(), Error> {
    match (offered, answered) {
        (CsIdMap::SrtpId(offered), CsIdMap::SrtpId(answered)) => {
            require_each(offered.iter().copied(), answered.iter().copied(), keeps_srtp_id)
        }
        (CsIdMap::GenericId(offered), CsIdMap::GenericId(answered)) => {
            require_each(offered.entries(), answered.entries(), keeps_generic_id)
        }
        (offered, answered) if offered == answered => Ok(()),
        _ => Err(Error::SessionsChanged { entry: 1 }),
    }
}

fn require_each<E>(
    mut offered: impl Iterator<Item = E>,
    mut answered: impl Iterator<Item = E>,
    keeps: impl Fn(&E, &E) -> bool,
) -> Result<(), Error> {
    let mut entry = 1;
    loop {
        match (offered.next(), answered.next()) {
            (None, None) => return Ok(()),
            (Some(offered), Some(answered)) if keeps(&offered, &answered) => entry += 1,
            _ => return Err(Error::SessionsChanged { entry }),
        }
    }
}

/// The policy is the initiator's choice: a responder that does not support it says so in an error message (RFC 3830 5.1.1).
fn keeps_srtp_id(offered: &SrtpIdEntry, answered: &SrtpIdEntry) -> bool {
    offered.policy_no == answered.policy_no && (offered.ssrc == 0 || offered == answered)
}

/// The policy is one of those that the initiator suggests, or, where it suggests none, any of the message. An SSRC of 0 "has
/// no special meaning" here.
fn keeps_generic_id(offered: &GenericIdEntry<'_>, answered: &GenericIdEntry<'_>) -> bool {
    let open = |offered: &[u8], answered: &[u8]| offered.is_empty() || offered == answered;
    offered.cs_id == answered.cs_id
        && offered.protocol == answered.protocol
        && (offered.policy_numbers.is_empty()
            || answered.policy_numbers.iter().all(|number| offered.policy_numbers.contains(number)))
        && (offered.session_data.is_empty() || offered.session_data_flag == answered.session_data_flag)
        && open(offered.session_data, answered.session_data)
        && open(offered.spi, answered.spi)
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::mikey::prf::Prf;
    use crate::mikey::{KeyData, SecurityPolicy};

    fn bundle(cs_id_map: CsIdMap<'static>) -> Bundle {
        let key = |spi: u8| KeyData::new(KeyDataType::Tgk, vec![spi; 16], KeyValidity::spi(vec![spi]));
        Bundle {
            csb_id: 1,
            prf: Prf::Mikey1,
            rand: vec![0; 16],
            cs_id_map,
            policies: vec![
                SecurityPolicy::srtp(1, &[]),
                SecurityPolicy::srtp(2, &[]),
                SecurityPolicy::new(6, ProtocolType::TESLA, &[]).unwrap(),
                SecurityPolicy::srtp(0, &[]),
            ],
            keys: vec![key(1), key(2)],
        }
    }

    fn with_teks(cs_id_map: CsIdMap<'static>) -> Bundle {
        let mut bundle = bundle(cs_id_map);
        bundle.keys.push(KeyData::new(KeyDataType::Tek, vec![5; 16], KeyValidity::Null));
        bundle
    }

    fn srtp_id(ssrcs: &[u32]) -> CsIdMap<'static> {
        CsIdMap::SrtpId(ssrcs.iter().map(|&ssrc| SrtpIdEntry { policy_no: 0, ssrc, roc: 0 }).collect())
    }

    fn map(entries: &[GenericIdEntry<'_>]) -> CsIdMap<'static> {
        CsIdMap::GenericId(GenericIdMap::new(entries).unwrap())
    }

    /// As an initiator offers it that chooses nothing but between two policies.
    fn open_entry() -> GenericIdEntry<'static> {
        GenericIdEntry {
            cs_id: 3,
            protocol: ProtocolType::SRTP,
            session_data_flag: false,
            policy_numbers: &[1, 2],
            session_data: &[],
            spi: &[],
        }
    }

    /// As a responder completes it.
    fn complete_entry() -> GenericIdEntry<'static> {
        GenericIdEntry { policy_numbers: &[2], session_data: &[0, 0, 0, 7], spi: &[2], ..open_entry() }
    }

    #[test]
    fn only_an_ssrc_that_was_left_open_is_filled_in() {
        let answer = |offered: &CsIdMap<'static>, answered: &CsIdMap<'static>| {
            agree(&bundle(offered.clone()), answered).map(|bundle| bundle.cs_id_map)
        };
        let changed = |entry| Err(Error::SessionsChanged { entry });
        assert_eq!(answer(&srtp_id(&[7, 0]), &srtp_id(&[7, 9])), Ok(srtp_id(&[7, 9])));
        assert_eq!(answer(&srtp_id(&[7, 0]), &srtp_id(&[8, 9])), changed(1));
        assert_eq!(answer(&srtp_id(&[7, 5]), &srtp_id(&[7, 0])), changed(2));
        assert_eq!(answer(&srtp_id(&[7]), &srtp_id(&[7, 1])), changed(2));
        assert_eq!(answer(&srtp_id(&[7, 1]), &srtp_id(&[7])), changed(2));
        let joined = CsIdMap::SrtpId(vec![SrtpIdEntry { policy_no: 0, ssrc: 9, roc: 3 }]);
        assert_eq!(answer(&srtp_id(&[0]), &joined), Ok(joined.clone()));
        assert_eq!(answer(&srtp_id(&[9]), &joined), changed(1));
        let other_policy = CsIdMap::SrtpId(vec![SrtpIdEntry { policy_no: 1, ssrc: 7, roc: 0 }]);
        assert_eq!(answer(&srtp_id(&[0]), &other_policy), changed(1));
        let empty = |cs_count| CsIdMap::Empty { cs_count };
        assert_eq!(answer(&empty(2), &empty(2)), Ok(empty(2)));
        assert_eq!(answer(&empty(2), &empty(1)), changed(1));
        assert_eq!(answer(&empty(1), &srtp_id(&[1])), changed(1));
        assert_eq!(answer(&map(&[complete_entry()]), &srtp_id(&[7])), changed(1));
    }

    #[test]
    fn a_generic_entry_is_narrowed_and_completed() {
        let offered = bundle(map(&[open_entry()]));
        let answer = |change: fn(&mut GenericIdEntry<'_>)| {
            let mut answered = complete_entry();
            change(&mut answered);
            agree(&offered, &map(&[answered])).map(|bundle| bundle.cs_id_map)
        };
        let changed = Err(Error::SessionsChanged { entry: 1 });
        assert_eq!(answer(|_| {}), Ok(map(&[complete_entry()])));
        assert!(answer(|entry| (entry.session_data_flag, entry.session_data) = (true, &[9; 10])).is_ok());
        assert_eq!(answer(|entry| entry.policy_numbers = &[0]), changed, "none of those suggested");
        assert_eq!(answer(|entry| entry.cs_id = 4), changed);
        assert_eq!(answer(|entry| entry.protocol = ProtocolType::TESLA), changed);
        let kept = GenericIdEntry { spi: &[1], session_data: &[0, 0, 0, 7], ..open_entry() };
        assert_eq!(agree(&bundle(map(&[kept])), &map(&[complete_entry()])), Err(Error::SessionsChanged { entry: 1 }));
        let free = bundle(map(&[GenericIdEntry { policy_numbers: &[], ..open_entry() }]));
        assert!(agree(&free, &map(&[complete_entry()])).is_ok(), "any policy of the message");
    }

    #[test]
    fn an_answer_that_leaves_a_generic_entry_open_is_refused() {
        let offered = bundle(map(&[GenericIdEntry { policy_numbers: &[], ..open_entry() }]));
        let refused = |change: fn(&mut GenericIdEntry<'_>)| {
            let mut answered = complete_entry();
            change(&mut answered);
            agree(&offered, &map(&[answered])).unwrap_err()
        };
        assert_eq!(refused(|entry| entry.policy_numbers = &[]), Error::PolicyCount { cs_id: 3, found: 0 });
        assert_eq!(refused(|entry| entry.policy_numbers = &[1, 2]), Error::PolicyCount { cs_id: 3, found: 2 });
        assert_eq!(refused(|entry| entry.policy_numbers = &[9]), Error::NoSuchPolicy { cs_id: 3, policy_no: 9 });
        let (found, expected) = (ProtocolType::TESLA, ProtocolType::SRTP);
        let foreign = Error::PolicyProtocol { cs_id: 3, policy_no: 6, found, expected };
        assert_eq!(refused(|entry| entry.policy_numbers = &[6]), foreign);
        let length = |found, expected| Error::SessionDataLength { cs_id: 3, found, expected };
        assert_eq!(refused(|entry| entry.session_data = &[]), length(0, 4));
        assert_eq!(refused(|entry| entry.session_data = &[7; 10]), length(10, 4));
        assert_eq!(refused(|entry| entry.session_data_flag = true), length(4, 10));
        assert_eq!(refused(|entry| entry.spi = &[]), Error::NoSpi { cs_id: 3 });
        assert_eq!(refused(|entry| entry.spi = &[3]), Error::NoSuchKey { cs_id: 3 });
        let without_policies = Bundle { policies: vec![], ..offered.clone() };
        let error = agree(&without_policies, &map(&[complete_entry()])).unwrap_err();
        assert_eq!(error, Error::NoSuchPolicy { cs_id: 3, policy_no: 2 });
    }

    #[test]
    fn an_answer_for_another_protocol_than_srtp_needs_no_session_data() {
        let tesla =
            |policy_numbers, spi| GenericIdEntry { protocol: ProtocolType::TESLA, policy_numbers, spi, ..open_entry() };
        assert!(agree(&bundle(map(&[tesla(&[], &[])])), &map(&[tesla(&[6], &[1])])).is_ok());
    }

    #[test]
    fn maps_that_no_message_may_have_are_refused() {
        let refused = |entries: &[GenericIdEntry<'_>]| judge(&bundle(map(entries))).unwrap_err();
        assert_eq!(judge(&bundle(map(&[open_entry(), GenericIdEntry { cs_id: 4, ..complete_entry() }]))), Ok(()));
        assert_eq!(refused(&[open_entry(), complete_entry()]), Error::RepeatedSession { cs_id: 3 });
        let no_policy = GenericIdEntry { policy_numbers: &[1, 9], ..open_entry() };
        assert_eq!(refused(&[no_policy]), Error::NoSuchPolicy { cs_id: 3, policy_no: 9 });
        let (found, expected) = (ProtocolType::SRTP, ProtocolType::TESLA);
        let foreign = GenericIdEntry { protocol: expected, policy_numbers: &[2], ..open_entry() };
        assert_eq!(refused(&[foreign]), Error::PolicyProtocol { cs_id: 3, policy_no: 2, found, expected });
        let short = GenericIdEntry { session_data: &[1, 2, 3], ..open_entry() };
        assert_eq!(refused(&[short]), Error::SessionDataLength { cs_id: 3, found: 3, expected: 4 });
        let no_key = GenericIdEntry { spi: &[1, 1], ..open_entry() };
        assert_eq!(refused(&[no_key]), Error::NoSuchKey { cs_id: 3 });
        let no_policy = CsIdMap::SrtpId(vec![SrtpIdEntry { policy_no: 9, ssrc: 0, roc: 0 }]);
        assert_eq!(judge(&bundle(no_policy.clone())), Err(Error::NoSuchPolicy { cs_id: 1, policy_no: 9 }));
        assert_eq!(judge(&Bundle { policies: vec![], ..bundle(no_policy) }), Ok(()));
    }

    #[test]
    fn every_fault_of_a_map_is_told_and_first_what_an_exchange_refuses() {
        let open = bundle(map(&[]));
        let entries = [
            GenericIdEntry { policy_numbers: &[9, 6], session_data: &[1], spi: &[9], ..open_entry() },
            GenericIdEntry { policy_numbers: &[1, 8], ..open_entry() },
        ];
        let faulty = map(&entries);
        let cs_id = 3;
        let no_policy = |policy_no| Error::NoSuchPolicy { cs_id, policy_no };
        let (found, expected) = (ProtocolType::TESLA, ProtocolType::SRTP);
        let foreign = Error::PolicyProtocol { cs_id, policy_no: 6, found, expected };
        let length = |found| Error::SessionDataLength { cs_id, found, expected: 4 };
        let (again, no_key) = (Error::RepeatedSession { cs_id }, Error::NoSuchKey { cs_id });
        let keys = Some(open.keys.as_slice());
        let faults = map_faults(&faulty, &open.policies, keys, MapRole::Offer);
        assert_eq!(faults, [no_policy(9), foreign.clone(), length(1), no_key, again.clone(), no_policy(8)]);
        assert_eq!(judge(&bundle(faulty.clone())), Err(no_policy(9)));
        let faults = map_faults(&faulty, &open.policies, None, MapRole::Update);
        assert_eq!(faults, [foreign.clone(), length(1), again.clone()]);
        let count = Error::PolicyCount { cs_id, found: 2 };
        let faults = map_faults(&faulty, &open.policies, None, MapRole::Answer);
        assert_eq!(faults, [foreign, count.clone(), length(1), again, count, length(0), Error::NoSpi { cs_id }]);
        let policies = [SecurityPolicy::srtp(1, &[]), SecurityPolicy::srtp(1, &[])];
        let faults = map_faults(&srtp_id(&[1]), &policies, None, MapRole::Offer);
        assert_eq!(faults, [Error::RepeatedPolicy { policy_no: 1 }, Error::NoSuchPolicy { cs_id: 1, policy_no: 0 }]);
        let teks = with_teks(srtp_id(&[7, 8, 7, 8, 7, 9]));
        let faults = map_faults(&teks.cs_id_map, &[], Some(&teks.keys), MapRole::Offer);
        assert_eq!(faults, [Error::RepeatedSsrc { ssrc: 7 }, Error::RepeatedSsrc { ssrc: 8 }]);
    }

    #[test]
    fn no_ssrc_comes_twice_under_one_master_key() {
        let repeated = Error::RepeatedSsrc { ssrc: 7 };
        assert_eq!(judge(&bundle(srtp_id(&[7, 7]))), Ok(()), "each session has a key of its own");
        assert_eq!(judge(&with_teks(srtp_id(&[7, 0, 0, 8]))), Ok(()));
        assert_eq!(judge(&with_teks(srtp_id(&[7, 8, 7]))), Err(repeated.clone()));
        assert_eq!(agree(&with_teks(srtp_id(&[7, 0])), &srtp_id(&[7, 7])), Err(repeated.clone()));
        let generic = map(&[complete_entry(), GenericIdEntry { cs_id: 4, ..complete_entry() }]);
        assert_eq!(judge(&bundle(generic.clone())), Ok(()));
        assert_eq!(judge(&with_teks(generic)), Err(repeated));
    }
}
