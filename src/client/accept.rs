//! Receiving: from a message to its key.

use super::calendar::date_time;
use super::held_key::{Initiator, KeyChange, is_kept};
use super::{Error, HeldKey, Store};
use crate::mc::imessage::{
    CarriedIdentity, CarriedParty, Compatibility, Decapsulated, Expected, Incoming, Opened, Policy, Receiver,
    Revocation, SentTo, TimeWindow,
};
use crate::mc::{self, KeySet, KeyType};
use crate::mikey::NtpTime;
use crate::replay::Seen;
use std::sync::Arc;

/// How long accepted messages are remembered, in seconds: twice the longest time that one may be under way.
pub(super) const REMEMBERED: u64 = 2 * GROUP_KEY_PAST;

/// A group key may be a day under way, for it waits for members who are out of coverage.
const GROUP_KEY_PAST: u64 = 24 * 60 * 60;

/// What the receiver of a message expects and allows.
#[derive(Clone, Copy, Debug, Default)]
pub struct AcceptOptions<'a> {
    /// Who must have sent the message, as far as the signalling that it came with says so.
    pub initiator_uri: Option<&'a str>,
    /// To whom the user sent the message, from another device: it is opened with what it carries for its initiator
    /// (SAKKE-to-self, TS 33.180 E.5), and its key is held as one that the user sent.
    pub sent_to: Option<&'a str>,
    /// Which key must come here.
    pub key_type: Option<KeyType>,
    /// How far from now the message may be dated. Without it: five minutes in the past, a day for keys of groups (GMK,
    /// MKFC, MSCCK, MuSiK), and five minutes in the future.
    pub window: Option<TimeWindow>,
    /// What to excuse in the messages of peers that deviate from the specification, besides what the store excuses under
    /// the initiator's KMS ([`Store::excuse`], [`Store::read_status_zero`]).
    pub compatibility: Compatibility,
}

impl AcceptOptions<'_> {
    fn window(&self, key_type: KeyType) -> TimeWindow {
        self.window.unwrap_or_else(|| match key_type {
            KeyType::Gmk | KeyType::Mkfc | KeyType::Mscck | KeyType::MuSik => {
                TimeWindow { past: GROUP_KEY_PAST, ..TimeWindow::default() }
            }
            KeyType::Pck | KeyType::Csk | KeyType::Spk => TimeWindow::default(),
        })
    }
}

/// Opens an I_MESSAGE (binary) for `user_uri` at the time `now`, and remembers it, so that it opens once only.
///
/// The replay cache is asked first, before anything expensive; the other checks come in the order that
/// [`mc::imessage`] gives. The key is kept in the store, except a PCK.
///
/// A message that takes back a key is remembered as well; it drops the key if that came from the same initiator,
/// whether that names itself or not, and messages that were made before it bring that key no more. Status 0 takes back a
/// key that is held already. What the user took back with another device is not sent from this one either.
///
/// # Errors
/// [`Error::Message`] for what is wrong with the message, which is [`mc::Error::KeyRevoked`] for one that takes back a
/// key that is not held; [`Error::HeldKeyRevoked`] where it was, [`Error::TakenBackElsewhere`] of one's own;
/// [`Error::RevokedSince`]; [`Error::Replayed`], [`Error::Forgotten`]; [`Error::InitiatorUntied`];
/// [`Error::UnknownUser`], [`Error::NoKeysForPeriod`], [`Error::KeySetDates`]; [`Error::UnknownKms`],
/// [`Error::CertificateRevoked`]; [`Error::File`]. After an error the store is what it was, unless a key was taken back.
pub fn accept(
    store: &mut Store,
    user_uri: &str,
    message: &[u8],
    options: &AcceptOptions<'_>,
    now: NtpTime,
) -> Result<Opened, Error> {
    store.require_user(user_uri)?;
    let incoming = Incoming::parse(message)?;
    let time = incoming.time().seconds();
    let tag = incoming.replay_tag();
    match store.replay.look_up(time, tag) {
        Seen::Never => {}
        Seen::Before => return Err(Error::Replayed),
        Seen::Forgotten => return Err(Error::Forgotten { dated: date_time(incoming.time()) }),
    }
    let policy = policy(store, &incoming, options, now);
    let decapsulated = open(store, user_uri, incoming, options, &policy)?;
    let change = key_change(store, &decapsulated, options.sent_to.is_some())?;
    let oldest = now.seconds().saturating_sub(REMEMBERED);
    let insertion = store.replay.insert(time, tag, oldest);
    // First remembered, then held: of the two files, this one can be written back.
    if let Err(error) = store.save_replay() {
        store.replay.undo(insertion);
        return Err(error);
    }
    if let Err(error) = store.change_keys(&change, now, oldest) {
        store.replay.undo(insertion);
        store.save_replay()?;
        return Err(error);
    }
    match change {
        KeyChange::Drop(key) => Err(Error::HeldKeyRevoked { key_id: key.bundle.key_id }),
        KeyChange::TakeBack(key) => Err(Error::TakenBackElsewhere { key_id: key.bundle.key_id }),
        _ => Ok(decapsulated.live()?),
    }
}

/// What [`examine`] found.
#[derive(Debug)]
pub struct Examined {
    /// The message, opened. [`Opened::findings`] holds what its age makes wrong.
    pub opened: Opened,
    /// Whether [`accept`] would refuse it as a replay.
    pub replayed: bool,
    /// Why [`accept`] would refuse it for what the store remembers of its key: [`Error::RevokedSince`],
    /// [`Error::InitiatorUntied`].
    pub barred: Option<Error>,
    /// What a setting excused: the refusal without it.
    pub excused: Option<mc::Error>,
}

/// Opens a message at any age, as often as one likes, and keeps nothing: for people who look into messages. Rules of
/// time and replay are reported; all others hold.
///
/// # Errors
/// As [`accept`].
pub fn examine(
    store: &mut Store,
    user_uri: &str,
    message: &[u8],
    options: &AcceptOptions<'_>,
    now: NtpTime,
) -> Result<Examined, Error> {
    store.require_user(user_uri)?;
    let incoming = Incoming::parse(message)?;
    let seen = store.replay.look_up(incoming.time().seconds(), incoming.replay_tag());
    let policy = policy(store, &incoming, options, now).at_any_age();
    let decapsulated = open(store, user_uri, incoming, options, &policy)?;
    let barred = key_change(store, &decapsulated, options.sent_to.is_some()).err();
    let opened = decapsulated.into_opened();
    let excused = match policy.compatibility == Compatibility::default() {
        true => None,
        false => {
            let strict = Policy { compatibility: Compatibility::default(), ..policy };
            match open(store, user_uri, Incoming::parse(message)?, options, &strict) {
                Err(Error::Message(refusal)) => Some(refusal),
                _ => None,
            }
        }
    };
    Ok(Examined { opened, replayed: seen != Seen::Never, barred, excused })
}

fn policy(store: &Store, incoming: &Incoming, options: &AcceptOptions<'_>, now: NtpTime) -> Policy {
    Policy {
        window: options.window(incoming.key_type()),
        compatibility: store.with_settings(options.compatibility, &incoming.initiator().kms_uri),
        ..Policy::new(now)
    }
}

fn open(
    store: &mut Store,
    user_uri: &str,
    incoming: Incoming,
    options: &AcceptOptions<'_>,
    policy: &Policy,
) -> Result<Decapsulated, Error> {
    // Before keys are made ready, which takes some hundred times as long as all that precedes.
    incoming.judge_claims(options.key_type, policy)?;
    if let Some(recipient_uri) = options.sent_to {
        return open_own(store, user_uri, incoming, recipient_uri, options, policy);
    }
    let not_for_me = || mc::Error::NotForMe { recipient: incoming.recipient().identity.to_string() };
    let key_set = key_set_for(store, user_uri, incoming.recipient(), incoming.time(), not_for_me)?;
    require_kms_of(store, options.initiator_uri, &incoming)?;
    let initiator_kms = store.kms_at(&incoming.initiator().kms_uri, incoming.time())?;
    let receiver = Receiver {
        key_sets: &[&key_set],
        kmss: &[&initiator_kms],
        initiator: options.initiator_uri.map(Expected::user),
        key_type: options.key_type,
    };
    Ok(incoming.verify(&receiver, policy)?.decapsulate()?)
}

fn open_own(
    store: &mut Store,
    user_uri: &str,
    incoming: Incoming,
    recipient_uri: &str,
    options: &AcceptOptions<'_>,
    policy: &Policy,
) -> Result<Decapsulated, Error> {
    let not_from_me = || mc::Error::NotFromMe { initiator: incoming.initiator().identity.to_string() };
    if options.initiator_uri.is_some_and(|expected| expected != user_uri) {
        return Err(not_from_me().into());
    }
    let key_set = key_set_for(store, user_uri, incoming.initiator(), incoming.time(), not_from_me)?;
    let recipient_kms = store.kms_at(&incoming.recipient().kms_uri, incoming.time())?;
    let recipient = SentTo { uri: recipient_uri, kms: &recipient_kms, key_type: options.key_type };
    Ok(incoming.open_own(&[&key_set], recipient, policy)?)
}

/// The domains that other KMSs list are not the initiator's KMS's, so that it cannot make keys for their users. Known from
/// the records alone: no other KMS has to be made ready.
fn require_kms_of(store: &Store, expected: Option<&str>, incoming: &Incoming) -> Result<(), Error> {
    let carried = incoming.initiator();
    let named = match &carried.identity {
        CarriedIdentity::Uri(uri) => Some(uri.as_str()),
        CarriedIdentity::Uid(_) => expected,
    };
    let Some(uri) = named else { return Ok(()) };
    let mut serving = store.contents.kms.iter().filter(|kms| !kms.is_revoked() && kms.serves(uri)).peekable();
    if serving.peek().is_none() || serving.any(|kms| kms.kms_uri == carried.kms_uri) {
        return Ok(());
    }
    Err(mc::Error::KmsNotForUser { user_uri: uri.to_owned(), kms_uri: carried.kms_uri.clone() }.into())
}

/// The one key set of the user that an end of the message can mean, so that no other has to be made ready. Which it is
/// costs hashes only; [`Incoming::verify`] then checks it in full. `time` is the message's.
fn key_set_for(
    store: &mut Store,
    user_uri: &str,
    end: &CarriedParty,
    time: NtpTime,
    not_me: impl Fn() -> mc::Error,
) -> Result<Arc<KeySet>, Error> {
    match &end.identity {
        CarriedIdentity::Uri(uri) if uri == user_uri => {
            if !store.kmss_of(user_uri)?.contains(&end.kms_uri) {
                let (user_uri, kms_uri) = (user_uri.to_owned(), end.kms_uri.clone());
                return Err(Error::NoKeysOfKms { user_uri, kms_uri });
            }
            store.key_set_at(user_uri, &end.kms_uri, time)
        }
        CarriedIdentity::Uri(_) => Err(not_me().into()),
        CarriedIdentity::Uid(uid) => {
            let mut mine = None;
            for (index, set) in store.contents.key_sets.iter().enumerate().filter(|(_, set)| set.user_uri == user_uri) {
                let Some(kms) = store.contents.kms(&set.kms_uri) else { continue };
                if mc::Uid::new(user_uri, &set.kms_uri, &kms.periods()?, set.period_no)? == *uid {
                    mine = Some(index);
                }
            }
            if let Some(index) = mine {
                return store.ready_key_set(index, time);
            }
            // Mine all the same, if it is my UID of a period that I have no keys for.
            for kms_uri in store.kmss_of(user_uri)? {
                let Some(kms) = store.contents.kms(&kms_uri) else { continue };
                let periods = kms.periods()?;
                let period_no = periods.number_at(time)?;
                if mc::Uid::new(user_uri, &kms_uri, &periods, period_no)? == *uid {
                    return Err(Error::NoKeysForPeriod { user_uri: user_uri.to_owned(), kms_uri, period_no });
                }
            }
            Err(not_me().into())
        }
    }
}

/// What the message means for the keys that are held. A key of one call is not. `own` if the user itself sent it.
fn key_change(store: &Store, decapsulated: &Decapsulated, own: bool) -> Result<KeyChange, Error> {
    let (opened, revoked) = match decapsulated {
        Decapsulated::Live(opened) => (opened, opened.revocation != Revocation::No),
        Decapsulated::Revoked(opened) => (opened, true),
    };
    let parameters = opened.parameters.as_ref();
    let key = HeldKey {
        bundle: opened.bundle.clone(),
        initiator: Initiator::of_peer(opened.initiator()),
        recipient: opened.recipient_uri.clone(),
        time: opened.time,
        activation: parameters.map(|parameters| parameters.activation).filter(|time| *time != 0),
        expiry: parameters.map(|parameters| parameters.expiry).filter(|time| *time != 0),
        groups: parameters.map(|parameters| parameters.groups.clone()).unwrap_or_default(),
        revoked: false,
    };
    if !is_kept(opened.key_type()) {
        return match decapsulated {
            Decapsulated::Live(_) => store.contents.require_not_taken_back(&key).map(|()| KeyChange::Nothing),
            Decapsulated::Revoked(_) => Ok(KeyChange::Bar { key, from_all: own }),
        };
    }
    let held = revoked && store.holds(&key)?;
    if let (Decapsulated::Live(_), false) = (decapsulated, held) {
        store.contents.require_not_taken_back(&key)?;
        return Ok(KeyChange::Hold(key));
    }
    Ok(match (own, held) {
        (true, _) => KeyChange::TakeBack(HeldKey { revoked: true, ..key }),
        (false, true) => KeyChange::Drop(key),
        (false, false) => KeyChange::Bar { key, from_all: false },
    })
}
