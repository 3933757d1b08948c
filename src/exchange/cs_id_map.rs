//! What an answer may say about the crypto sessions that an I_MESSAGE set up.

use super::Error;
use crate::mikey::{CsIdMap, GenericIdEntry, SrtpIdEntry};

/// Whether `answered` keeps what `offered` chose. What the initiator left open the responder fills in: the SSRC and ROC of
/// an SRTP-ID entry with SSRC 0 (RFC 3830 6.1.1); session data, SPI, and one of the policies of a GENERIC-ID entry
/// (RFC 6043 6.1.1).
///
/// # Errors
/// [`Error::SessionsChanged`].
pub(super) fn require_kept(offered: &CsIdMap<'_>, answered: &CsIdMap<'_>) -> Result<(), Error> {
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

fn keeps_srtp_id(offered: &SrtpIdEntry, answered: &SrtpIdEntry) -> bool {
    offered.policy_no == answered.policy_no && (offered.ssrc == 0 || offered == answered)
}

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
    use crate::mikey::{GenericIdMap, ProtocolType};

    fn srtp_id(ssrcs: &[u32]) -> CsIdMap<'static> {
        CsIdMap::SrtpId(ssrcs.iter().map(|&ssrc| SrtpIdEntry { policy_no: 0, ssrc, roc: 0 }).collect())
    }

    fn entry() -> GenericIdEntry<'static> {
        GenericIdEntry {
            cs_id: 3,
            protocol: ProtocolType::SRTP,
            session_data_flag: false,
            policy_numbers: &[1, 2],
            session_data: &[],
            spi: &[],
        }
    }

    #[test]
    fn only_an_ssrc_that_was_left_open_is_filled_in() {
        let changed = |entry| Err(Error::SessionsChanged { entry });
        assert_eq!(require_kept(&srtp_id(&[7, 0]), &srtp_id(&[7, 9])), Ok(()));
        assert_eq!(require_kept(&srtp_id(&[7, 0]), &srtp_id(&[8, 9])), changed(1));
        assert_eq!(require_kept(&srtp_id(&[7, 5]), &srtp_id(&[7, 0])), changed(2));
        assert_eq!(require_kept(&srtp_id(&[7]), &srtp_id(&[7, 1])), changed(2));
        assert_eq!(require_kept(&srtp_id(&[7, 1]), &srtp_id(&[7])), changed(2));
        let other_policy = CsIdMap::SrtpId(vec![SrtpIdEntry { policy_no: 1, ssrc: 7, roc: 0 }]);
        assert_eq!(require_kept(&srtp_id(&[0]), &other_policy), changed(1));
        assert_eq!(require_kept(&CsIdMap::Empty { cs_count: 2 }, &CsIdMap::Empty { cs_count: 2 }), Ok(()));
        assert_eq!(require_kept(&CsIdMap::Empty { cs_count: 2 }, &CsIdMap::Empty { cs_count: 1 }), changed(1));
        assert_eq!(require_kept(&CsIdMap::Empty { cs_count: 1 }, &srtp_id(&[1])), changed(1));
    }

    fn map(entry: GenericIdEntry<'_>) -> CsIdMap<'static> {
        CsIdMap::GenericId(GenericIdMap::new(&[entry]).unwrap())
    }

    #[test]
    fn a_generic_entry_may_be_narrowed_and_completed() {
        let offered = map(entry());
        let answer = |change: fn(&mut GenericIdEntry<'_>)| {
            let mut answered = entry();
            change(&mut answered);
            require_kept(&offered, &map(answered))
        };
        let changed = Err(Error::SessionsChanged { entry: 1 });
        assert_eq!(answer(|entry| entry.policy_numbers = &[2]), Ok(()));
        assert_eq!(answer(|entry| (entry.session_data, entry.spi) = (&[0; 4], &[1])), Ok(()));
        assert_eq!(answer(|entry| entry.policy_numbers = &[3]), changed);
        assert_eq!(answer(|entry| entry.cs_id = 4), changed);
        assert_eq!(answer(|entry| entry.protocol = ProtocolType::TESLA), changed);
        let mut with_spi = entry();
        (with_spi.spi, with_spi.session_data) = (&[1], &[0; 4]);
        assert_eq!(require_kept(&map(with_spi), &map(entry())), changed);
    }
}
