//! Keys that were taken back, as long as an older message that brings one could still be accepted.

use super::calendar::date_time;
use super::held_key::{Initiator, Tie};
use super::octets::Octets;
use super::record::{Contents, RevocationRecord};
use super::{Error, HeldKey};
use crate::mc::{UID_LEN, Uid};
use crate::mikey::NtpTime;

/// Revocations that are remembered in all, and of one initiator; beyond that the oldest are forgotten.
const LIMIT: usize = 4096;
const LIMIT_PER_INITIATOR: usize = 256;

impl Contents {
    /// Refuses a key that its initiator has taken back from this recipient in a message that was made no earlier.
    ///
    /// # Errors
    /// [`Error::RevokedSince`].
    pub(super) fn require_not_taken_back(&self, key: &HeldKey) -> Result<(), Error> {
        let takes_back = |record: &&RevocationRecord| {
            record.key_id == key.bundle.key_id.to_u32()
                && record.time >= key.time.seconds()
                && record.recipient.as_ref().is_none_or(|recipient| *recipient == key.recipient)
                // Who cannot be told apart from the initiator may be it.
                && initiator(record).is_some_and(|other| self.tie(&other, &key.initiator) != Tie::Different)
        };
        match self.revocations.iter().find(takes_back) {
            Some(record) => Err(Error::RevokedSince {
                key_id: key.bundle.key_id,
                revoked: date_time(NtpTime::from_seconds(record.time)),
            }),
            None => Ok(()),
        }
    }

    /// Remembers that a key was taken back: from its recipient, or from all if the user itself sent it. What is older than
    /// `oldest` (seconds since 1900) is forgotten.
    pub(super) fn remember_taken_back(&mut self, key: &HeldKey, from_all: bool, oldest: u64) {
        let recipient = (!from_all).then(|| key.recipient.clone());
        let mut of_initiator = 0;
        let mut records = core::mem::take(&mut self.revocations);
        // From the newest on, so that the oldest of too many go.
        records.reverse();
        records.retain(|record| {
            let same = initiator(record).is_some_and(|other| self.tie(&other, &key.initiator) == Tie::Same);
            let replaced = same
                && record.key_id == key.bundle.key_id.to_u32()
                && record.recipient == recipient
                && record.time <= key.time.seconds();
            of_initiator += usize::from(same && !replaced);
            record.time >= oldest && !replaced && !(same && of_initiator >= LIMIT_PER_INITIATOR)
        });
        records.truncate(LIMIT - 1);
        records.reverse();
        records.push(RevocationRecord {
            key_id: key.bundle.key_id.to_u32(),
            initiator_uid: Octets::new(key.initiator.uid.as_bytes()),
            initiator_uri: key.initiator.uri.clone(),
            initiator_kms: key.initiator.kms_uri.clone(),
            initiator_period: key.initiator.period_no,
            recipient,
            time: key.time.seconds(),
        });
        self.revocations = records;
    }
}

fn initiator(record: &RevocationRecord) -> Option<Initiator> {
    let uid: [u8; UID_LEN] = record.initiator_uid.as_bytes().try_into().ok()?;
    Some(Initiator {
        uid: Uid::from_bytes(uid),
        uri: record.initiator_uri.clone(),
        kms_uri: record.initiator_kms.clone(),
        period_no: record.initiator_period,
    })
}
