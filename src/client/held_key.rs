//! The keys that were sent and accepted.

use super::octets::Octets;
use super::record::{Contents, KeyRecord};
use super::{Error, Store};
use crate::mc::imessage::Peer;
use crate::mc::{Bundle, KeyId, KeyPeriods, KeySet, KeyType, UID_LEN, Uid};
use crate::mikey::NtpTime;
use crate::sakke::SharedSecret;
use core::fmt;
use subtle::ConstantTimeEq;

/// Keys that a store holds; beyond that expired ones and then the oldest are dropped.
const LIMIT: usize = 4096;

/// Accepted keys that a store holds of one initiator; beyond that its own are dropped, so that it cannot push out others.
const LIMIT_PER_INITIATOR: usize = 256;

/// A key that this client sent or accepted, with all that derives media keys from it.
#[derive(Clone, Debug)]
pub struct HeldKey {
    /// The key, its identifiers and RAND.
    pub bundle: Bundle,
    /// Who sent it.
    pub initiator: Initiator,
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
    /// Whether this client took it back. It is held on to tell the other recipients. An accepted key that is taken back
    /// is not held.
    pub revoked: bool,
}

/// Who sent a key: enough to know the same user again, in another key period too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Initiator {
    /// The UID.
    pub uid: Uid,
    /// The URI, where it is known.
    pub uri: Option<String>,
    /// The user's KMS.
    pub kms_uri: String,
    /// The key period of the UID.
    pub period_no: u64,
}

/// Whether a key outlives the exchange that brought it. A PCK does not: it belongs to one call, and dies with it.
pub(super) fn is_kept(key_type: KeyType) -> bool {
    key_type != KeyType::Pck
}

/// Whether two initiators are one user.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tie {
    Same,
    Different,
    /// Their UIDs are of different key periods, and neither's URI is known.
    Unknown,
}

impl Initiator {
    pub(super) fn of_peer(peer: &Peer) -> Self {
        Self {
            uid: *peer.uid(),
            uri: peer.uri().map(Into::into),
            kms_uri: peer.kms_uri().to_owned(),
            period_no: peer.period_no(),
        }
    }

    pub(super) fn of_sender(sender: &KeySet) -> Self {
        Self {
            uid: *sender.uid(),
            uri: Some(sender.user_uri().to_owned()),
            kms_uri: sender.kms().uri().to_owned(),
            period_no: sender.period_no(),
        }
    }

    /// `periods` are those of this one's KMS.
    fn tie(&self, other: &Self, periods: &KeyPeriods) -> Tie {
        let is = |uri: &Option<String>, uid: &Self| {
            let Some(uri) = uri else { return false };
            // A message may be dated a period off at a boundary, where that is excused.
            let nearby = uid.period_no.saturating_sub(1)..=uid.period_no.saturating_add(1);
            nearby.into_iter().any(|period_no| Uid::new(uri, &uid.kms_uri, periods, period_no) == Ok(uid.uid))
        };
        if self.uid == other.uid {
            Tie::Same
        } else if self.kms_uri != other.kms_uri {
            Tie::Different
        } else if is(&self.uri, other) || is(&other.uri, self) {
            Tie::Same
        } else if self.uri.is_some() || other.uri.is_some() || self.period_no == other.period_no {
            Tie::Different
        } else {
            Tie::Unknown
        }
    }
}

/// The URI, or the UID in hex where that is all that is known.
impl fmt::Display for Initiator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.uri {
            Some(uri) => formatter.write_str(uri),
            None => self.uid.fmt(formatter),
        }
    }
}

/// How an accepted message changes the keys that are held. Found out before anything is changed.
#[derive(Debug)]
pub(super) enum KeyChange {
    Nothing,
    Hold(HeldKey),
    /// Drops this key from the same initiator to the same recipient, and lets no older message bring it again.
    Drop(HeldKey),
    /// Lets no older message bring this key, which is not held: to its recipient, or to all.
    Bar {
        key: HeldKey,
        from_all: bool,
    },
    /// The user took this key of its own back, with another device: from all recipients.
    TakeBack(HeldKey),
}

impl Store {
    /// The keys that were sent and accepted and are still held, in the order in which they came. A PCK is not held: it
    /// belongs to one call.
    pub fn held_keys(&self) -> Vec<HeldKey> {
        self.contents.keys.iter().filter_map(HeldKey::of).collect()
    }

    /// Whether this very key came from the same initiator to the same recipient before.
    ///
    /// # Errors
    /// [`Error::InitiatorUntied`] if it came, but from whom cannot be told.
    pub(super) fn holds(&self, key: &HeldKey) -> Result<bool, Error> {
        let mut found = Tie::Different;
        for held in self.contents.keys.iter().filter_map(HeldKey::of) {
            match self.contents.tie(&held.initiator, &key.initiator) {
                _ if !held.is_key(key) => {}
                Tie::Same => return Ok(true),
                Tie::Unknown => found = Tie::Unknown,
                Tie::Different => {}
            }
        }
        match found {
            Tie::Unknown => Err(Error::InitiatorUntied { key_id: key.bundle.key_id }),
            _ => Ok(false),
        }
    }

    /// Changes the keys that are held, on the disk and then in memory.
    ///
    /// `oldest` is how far back a message may be dated to be accepted, in seconds since 1900.
    pub(super) fn change_keys(&mut self, change: &KeyChange, now: NtpTime, oldest: u64) -> Result<(), Error> {
        match change {
            KeyChange::Nothing => Ok(()),
            KeyChange::Hold(key) => self.hold(key, now, LIMIT_PER_INITIATOR),
            KeyChange::Drop(key) => self.change(|contents| {
                let mut sent = None;
                contents.retain_keys(|contents, held| {
                    let goes = held.is_key(key) && contents.tie(&held.initiator, &key.initiator) == Tie::Same;
                    if goes && held.initiator.uri.as_ref().is_some_and(|uri| contents.is_user(uri)) {
                        sent = Some(HeldKey { revoked: true, ..held.clone() });
                    }
                    !goes
                });
                // Both ends have this store: who sent it must not send it again.
                if let Some(sent) = sent {
                    contents.put_key(sent, now.unix_seconds().unwrap_or(0), LIMIT);
                }
                contents.remember_taken_back(key, false, oldest);
                Ok(())
            }),
            KeyChange::Bar { key, from_all } => self.change(|contents| {
                contents.remember_taken_back(key, *from_all, oldest);
                Ok(())
            }),
            KeyChange::TakeBack(key) => self.change(|contents| {
                contents.put_key(key.clone(), now.unix_seconds().unwrap_or(0), LIMIT);
                contents.remember_taken_back(key, true, oldest);
                Ok(())
            }),
        }
    }

    /// Holds a key that this client sends itself: to as many recipients as the store has room for. If it takes the key back,
    /// no older message of its own brings it again. `oldest` is that of [`change_keys`](Self::change_keys).
    pub(super) fn hold_own(&mut self, key: &HeldKey, now: NtpTime, oldest: u64) -> Result<(), Error> {
        match key.revoked {
            true => self.change_keys(&KeyChange::TakeBack(key.clone()), now, oldest),
            false => self.hold(key, now, LIMIT),
        }
    }

    fn hold(&mut self, key: &HeldKey, now: NtpTime, of_initiator: usize) -> Result<(), Error> {
        let now = now.unix_seconds().unwrap_or(0);
        self.change(|contents| {
            contents.put_key(key.clone(), now, of_initiator);
            Ok(())
        })
    }
}

impl Contents {
    fn is_user(&self, uri: &str) -> bool {
        self.key_sets.iter().any(|set| set.user_uri == uri)
    }

    pub(super) fn tie(&self, one: &Initiator, other: &Initiator) -> Tie {
        let periods = self.kms(&one.kms_uri).and_then(|kms| kms.periods().ok());
        match periods {
            Some(periods) => one.tie(other, &periods),
            None if one.uid == other.uid => Tie::Same,
            None => Tie::Different,
        }
    }

    /// Adds a key, or takes the place of the same one from the same initiator to the same recipient. Beyond
    /// `of_initiator` keys of this initiator, and [`LIMIT`] in all, keys that expired before `now` (Unix seconds) go
    /// first, then the oldest.
    fn put_key(&mut self, mut key: HeldKey, now: u64, of_initiator: usize) {
        let mut same_initiator = 0;
        self.retain_keys(|contents, held| {
            if contents.tie(&held.initiator, &key.initiator) != Tie::Same {
                return true;
            }
            if key.initiator.uri.is_none() {
                key.initiator.uri.clone_from(&held.initiator.uri);
            }
            let replaced = held.bundle.key_id == key.bundle.key_id
                && held.bundle.csb_id == key.bundle.csb_id
                && held.recipient == key.recipient;
            // What was taken back stays so, whoever sends it again.
            key.revoked |= replaced && held.revoked;
            same_initiator += usize::from(!replaced);
            !replaced
        });
        if same_initiator >= of_initiator {
            let mut surplus = same_initiator + 1 - of_initiator;
            for only_expired in [true, false] {
                self.retain_keys(|contents, held| {
                    let goes = surplus > 0
                        && (!only_expired || held.is_expired(now))
                        && contents.tie(&held.initiator, &key.initiator) == Tie::Same;
                    surplus -= usize::from(goes);
                    !goes
                });
            }
        }
        if self.keys.len() >= LIMIT {
            self.retain_keys(|_, held| !held.is_expired(now));
        }
        let surplus = (self.keys.len() + 1).saturating_sub(LIMIT);
        self.keys.drain(..surplus);
        self.keys.push(key.record());
    }

    fn retain_keys(&mut self, mut keep: impl FnMut(&Self, &HeldKey) -> bool) {
        let mut keys = core::mem::take(&mut self.keys);
        keys.retain(|record| HeldKey::of(record).is_some_and(|held| keep(self, &held)));
        self.keys = keys;
    }
}

impl HeldKey {
    /// Whether the other is the same key, octet for octet, for the same recipient.
    fn is_key(&self, other: &Self) -> bool {
        self.bundle.key_id == other.bundle.key_id
            && self.recipient == other.recipient
            && bool::from(self.bundle.key.as_bytes().ct_eq(other.bundle.key.as_bytes()))
    }

    fn is_expired(&self, now: u64) -> bool {
        self.expiry.is_some_and(|expiry| expiry < now)
    }

    fn of(record: &KeyRecord) -> Option<Self> {
        let uid: [u8; UID_LEN] = record.initiator_uid.as_bytes().try_into().ok()?;
        Some(Self {
            bundle: Bundle {
                key: SharedSecret::new(record.key.as_bytes().try_into().ok()?),
                key_id: KeyId::from_u32(record.key_id).ok()?,
                csb_id: KeyId::from_u32(record.csb_id).ok()?,
                rand: record.rand.as_bytes().try_into().ok()?,
            },
            initiator: Initiator {
                uid: Uid::from_bytes(uid),
                uri: record.initiator_uri.clone(),
                kms_uri: record.initiator_kms.clone(),
                period_no: record.initiator_period,
            },
            recipient: record.recipient.clone(),
            time: NtpTime::from_seconds(record.time),
            activation: record.activation,
            expiry: record.expiry,
            groups: record.groups.clone(),
            revoked: record.revoked,
        })
    }

    fn record(&self) -> KeyRecord {
        KeyRecord {
            key_id: self.bundle.key_id.to_u32(),
            csb_id: self.bundle.csb_id.to_u32(),
            key: Octets::new(self.bundle.key.as_bytes()),
            rand: Octets::new(&self.bundle.rand),
            initiator_uid: Octets::new(self.initiator.uid.as_bytes()),
            initiator_uri: self.initiator.uri.clone(),
            initiator_kms: self.initiator.kms_uri.clone(),
            initiator_period: self.initiator.period_no,
            recipient: self.recipient.clone(),
            time: self.time.seconds(),
            activation: self.activation,
            expiry: self.expiry,
            groups: self.groups.clone(),
            revoked: self.revoked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::record::KmsRecord;
    use crate::mc::imessage::StatusZero;
    use crate::mc::{IdentityForm, PeriodEpoch};

    const KMS: &str = "kms.example.org";
    const GMS: &str = "sip:gms@example.org";

    fn periods() -> KeyPeriods {
        KeyPeriods::new(2_592_000, 0, PeriodEpoch::Ntp).unwrap()
    }

    fn initiator(uri: &str, named: bool, period_no: u64) -> Initiator {
        let uid = Uid::new(uri, KMS, &periods(), period_no).unwrap();
        Initiator { uid, uri: named.then(|| uri.to_owned()), kms_uri: KMS.to_owned(), period_no }
    }

    fn key(initiator: Initiator, number: u32, expiry: Option<u64>) -> HeldKey {
        let key_id = KeyId::from_u32(number).unwrap();
        HeldKey {
            bundle: Bundle { key: SharedSecret::new([7; 16]), key_id, csb_id: key_id, rand: [0; 16] },
            initiator,
            recipient: "sip:bob@example.org".into(),
            time: NtpTime::from_unix(0),
            activation: None,
            expiry,
            groups: Vec::new(),
            revoked: false,
        }
    }

    fn contents() -> Contents {
        let record = KmsRecord {
            kms_uri: KMS.into(),
            home: true,
            period: 2_592_000,
            offset: 0,
            identity_form: IdentityForm::Raw,
            period_epoch: PeriodEpoch::Ntp,
            certificates: Vec::new(),
            cache_number: None,
            excused: Vec::new(),
            status_zero: StatusZero::default(),
        };
        Contents { kms: vec![record], ..Contents::EMPTY }
    }

    #[test]
    fn one_known_uri_ties_two_periods() {
        let tie = |one: &Initiator, other: &Initiator| {
            let both = [one.tie(other, &periods()), other.tie(one, &periods())];
            assert_eq!(both[0], both[1]);
            both[0]
        };
        let hidden = initiator(GMS, false, 100);
        assert_eq!(tie(&hidden, &initiator(GMS, false, 100)), Tie::Same);
        assert_eq!(tie(&hidden, &initiator(GMS, false, 101)), Tie::Unknown);
        assert_eq!(tie(&hidden, &initiator(GMS, true, 150)), Tie::Same);
        assert_eq!(tie(&hidden, &initiator("sip:mallory@example.org", true, 101)), Tie::Different);
        assert_eq!(tie(&hidden, &initiator("sip:mallory@example.org", false, 100)), Tie::Different);
        let elsewhere = Initiator { kms_uri: "kms.example.net".into(), ..initiator(GMS, true, 101) };
        assert_eq!(tie(&hidden, &elsewhere), Tie::Different);
    }

    #[test]
    fn one_initiator_cannot_push_out_the_keys_of_others() {
        let mut contents = contents();
        contents.put_key(key(initiator(GMS, true, 100), 1, None), 0, LIMIT_PER_INITIATOR);
        let count = u32::try_from(LIMIT_PER_INITIATOR).unwrap();
        for number in 0..count + 5 {
            // The first but one expires, and goes first.
            let expiry = (number == 1).then_some(10);
            let mallory = initiator("sip:mallory@example.org", false, 100);
            contents.put_key(key(mallory, number, expiry), 20, LIMIT_PER_INITIATOR);
            let second = contents.keys.iter().any(|held| held.key_id == 1 && held.initiator_uri.is_none());
            assert_eq!(second, (1..count).contains(&number), "{number}");
        }
        assert_eq!(contents.keys.len(), LIMIT_PER_INITIATOR + 1);
        assert_eq!(contents.keys[0].initiator_uri.as_deref(), Some(GMS));
        assert_eq!(contents.keys[1].key_id, 5);
    }

    #[test]
    fn a_name_once_known_is_kept_when_the_key_comes_again_hidden() {
        let mut contents = contents();
        for initiator in [initiator(GMS, true, 100), initiator(GMS, false, 101)] {
            contents.put_key(key(initiator, 1, None), 0, LIMIT_PER_INITIATOR);
        }
        let [held] = &contents.keys[..] else { panic!("one key") };
        assert_eq!((held.initiator_uri.as_deref(), held.initiator_period), (Some(GMS), 101));
    }
}
