//! The keys that were sent and accepted.

use super::octets::Octets;
use super::record::KeyRecord;
use super::{Error, Store};
use crate::mc::{Bundle, KeyId, KeyType};
use crate::mikey::NtpTime;
use crate::sakke::SharedSecret;

/// Keys that a store holds; beyond that expired ones and then the oldest are dropped.
const LIMIT: usize = 4096;

/// A key that this client sent or accepted, with all that derives media keys from it.
#[derive(Clone, Debug)]
pub struct HeldKey {
    /// The key, its identifiers and RAND.
    pub bundle: Bundle,
    /// Who sent it: URI where it is known, otherwise the UID in hex.
    pub initiator: String,
    /// Whom it was for.
    pub recipient: String,
    /// T of the message.
    pub time: NtpTime,
    /// Unix seconds from which it may be used, if its parameters say so.
    pub activation: Option<u64>,
    /// Unix seconds from which it must not be used, if its parameters say so.
    pub expiry: Option<u64>,
    /// MC group IDs that it is for.
    pub groups: Vec<String>,
}

/// Whether a key outlives the exchange that brought it. A PCK does not: it belongs to one call, and dies with it.
pub(super) fn is_kept(key_type: KeyType) -> bool {
    key_type != KeyType::Pck
}

impl Store {
    /// The keys that were sent and accepted and are still held, in the order in which they came. A PCK is not held: it
    /// belongs to one call.
    pub fn held_keys(&self) -> Vec<HeldKey> {
        self.contents.keys.iter().filter_map(HeldKey::of).collect()
    }

    /// Whether this key came from the same sender to the same receiver before.
    pub(super) fn holds(&self, key: &HeldKey) -> bool {
        let record = key.record();
        self.contents.keys.iter().any(|held| held.same_as(&record))
    }

    pub(super) fn hold(&mut self, key: &HeldKey, now: NtpTime) -> Result<(), Error> {
        let record = key.record();
        let now = now.unix_seconds().unwrap_or(0);
        self.change(|contents| {
            contents.put_key(record, now, LIMIT);
            Ok(())
        })
    }

    /// Drops the keys of this identifier that this initiator sent to this recipient, because it revoked them.
    pub(super) fn drop_revoked(&mut self, key_id: u32, initiator: &str, recipient: &str) -> Result<(), Error> {
        let revoked =
            |key: &KeyRecord| key.key_id == key_id && key.initiator == initiator && key.recipient == recipient;
        if !self.contents.keys.iter().any(revoked) {
            return Ok(());
        }
        self.change(|contents| {
            contents.keys.retain(|key| !revoked(key));
            Ok(())
        })
    }
}

impl HeldKey {
    fn of(record: &KeyRecord) -> Option<Self> {
        Some(Self {
            bundle: Bundle {
                key: SharedSecret::new(record.key.as_bytes().try_into().ok()?),
                key_id: KeyId::from_u32(record.key_id).ok()?,
                csb_id: KeyId::from_u32(record.csb_id).ok()?,
                rand: record.rand.as_bytes().try_into().ok()?,
            },
            initiator: record.initiator.clone(),
            recipient: record.recipient.clone(),
            time: NtpTime::from_seconds(record.time),
            activation: record.activation,
            expiry: record.expiry,
            groups: record.groups.clone(),
        })
    }

    fn record(&self) -> KeyRecord {
        KeyRecord {
            key_id: self.bundle.key_id.to_u32(),
            csb_id: self.bundle.csb_id.to_u32(),
            key: Octets::new(self.bundle.key.as_bytes()),
            rand: Octets::new(&self.bundle.rand),
            initiator: self.initiator.clone(),
            recipient: self.recipient.clone(),
            time: self.time.seconds(),
            activation: self.activation,
            expiry: self.expiry,
            groups: self.groups.clone(),
        }
    }
}
