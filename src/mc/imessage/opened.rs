//! Steps 11 to 13: the key, its identifier, its parameters.
use super::sessions::Sessions;
use super::{Expected, Incoming, Peer, Policy, SrtpPolicy, StatusZero, TimeRules, Verified};
use crate::mc::{Bundle, CsId, Error, GukId, KeyId, KeyParameters, KeySet, KeyStatus, KeyType, Uid};
use crate::mikey::NtpTime;
use crate::sakke;
use alloc::string::String;
use alloc::vec::Vec;

/// Whether the parameters revoke the key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Revocation {
    /// No: it is live, or the message says nothing of it.
    No,
    /// Status 0 with a key that has not expired: live as some send it, revoked by the letter. It is revoked if the
    /// receiver holds the key already.
    Possible,
    /// Yes: the message is [`Decapsulated::Revoked`].
    Yes,
}

/// What a message turned out to be. Its contents are authentic either way.
#[derive(Debug)]
#[must_use]
pub enum Decapsulated {
    /// It brings a key.
    Live(Opened),
    /// It takes a key back: whoever holds this key from this initiator stops using it.
    Revoked(Opened),
}

impl Decapsulated {
    /// The message that brings a key; fails with [`Error::KeyRevoked`] when it takes one back.
    pub fn live(self) -> Result<Opened, Error> {
        match self {
            Self::Live(opened) => Ok(opened),
            Self::Revoked(opened) => Err(Error::KeyRevoked { key_id: opened.bundle.key_id.to_u32() }),
        }
    }

    /// The message, whichever it is.
    pub fn into_opened(self) -> Opened {
        match self {
            Self::Live(opened) | Self::Revoked(opened) => opened,
        }
    }
}

/// An opened message.
#[derive(Debug)]
pub struct Opened {
    /// The key with its identifiers and RAND: derives media keys.
    pub bundle: Bundle,
    /// T of the message.
    pub time: NtpTime,
    /// What the message says about the key, if it does.
    pub parameters: Option<KeyParameters>,
    /// Whether that revokes the key.
    pub revocation: Revocation,
    /// URI of the receiver's identity that the message is for.
    pub recipient_uri: String,
    /// UID of that identity.
    pub recipient_uid: Uid,
    /// What time makes wrong, under [`TimeRules::Report`]: [`Error::TooOld`],
    /// [`Error::InTheFuture`], [`Error::KeyRevoked`], [`Error::KeyExpired`], [`Error::KeyNotYetActive`].
    pub findings: Vec<Error>,
    initiator: Peer,
    sessions: Sessions,
}

impl Opened {
    /// What the key is for.
    pub const fn key_type(&self) -> KeyType {
        self.bundle.key_id.key_type()
    }

    /// Who sent it.
    pub const fn initiator(&self) -> &Peer {
        &self.initiator
    }

    /// How the media of a crypto session is protected: by the first security policy that the map of the message gives
    /// it; without an entry there, by the first of the message. `None` if the message says nothing of it.
    pub fn policy(&self, cs_id: CsId) -> Option<SrtpPolicy> {
        self.sessions.policy(cs_id)
    }

    /// Ties a hidden initiator to a URI that the receiver learnt elsewhere, for example from protected signalling
    /// (TS 33.180 E.7): recomputes the UID and compares.
    ///
    /// Fails with [`Error::KmsNotForUser`] when the message's KMS is not the user's, and with
    /// [`Error::UnexpectedInitiator`] when the URI is another user's.
    pub fn confirm_initiator(&mut self, expected: Expected<'_>) -> Result<(), Error> {
        self.initiator.confirm(expected)
    }
}

impl Decapsulated {
    pub(super) fn from_verified(verified: Verified<'_>) -> Result<Self, Error> {
        let Verified { incoming, key_sets, policy, initiator, findings } = verified;
        let unpadded = policy.compatibility.dropped_zeros;
        let (key_set, key) = decapsulate(&key_sets, incoming.sed(), unpadded).map_err(Error::Decapsulation)?;
        let recipient = (key_set.user_uri(), *key_set.uid());
        Self::from_key(&incoming, key, initiator, recipient, &policy, findings)
    }

    /// What a message says of the key in it. The recipient is the one that the key was encapsulated to.
    pub(super) fn from_key(
        incoming: &Incoming,
        key: sakke::SharedSecret,
        initiator: Peer,
        (recipient_uri, recipient_uid): (&str, Uid),
        policy: &Policy,
        mut findings: Vec<Error>,
    ) -> Result<Self, Error> {
        let csb_id = incoming.csb_id();
        let key_id = match csb_id.key_type() {
            KeyType::Gmk => GukId::from_key_id(csb_id)?.gmk_id(&key, recipient_uri)?,
            _ => csb_id,
        };
        incoming.sessions().require_key_id(key_id)?;

        let parameters = match incoming.parameters() {
            Some(carried) => Some(carried.open(&key)?),
            None => None,
        };
        let revocation = match &parameters {
            Some(parameters) => judge_parameters(parameters, key_id, incoming.time(), policy, &mut findings)?,
            None => Revocation::No,
        };

        let opened = Opened {
            bundle: Bundle { key, key_id, csb_id, rand: *incoming.rand() },
            time: incoming.time(),
            parameters,
            revocation,
            recipient_uri: recipient_uri.into(),
            recipient_uid,
            findings,
            initiator,
            sessions: incoming.sessions().clone(),
        };
        Ok(match revocation {
            Revocation::Yes => Self::Revoked(opened),
            Revocation::No | Revocation::Possible => Self::Live(opened),
        })
    }
}

/// The key, by the first key set that the encapsulation is for; `unpadded` if leading zero octets may be missing.
pub(super) fn decapsulate<'a>(
    key_sets: &[&'a KeySet],
    sed: &[u8],
    unpadded: bool,
) -> Result<(&'a KeySet, sakke::SharedSecret), sakke::Error> {
    let sed = match unpadded {
        true => sakke::Encapsulation::from_unpadded_bytes(sed)?,
        false => sakke::Encapsulation::from_bytes(sed)?,
    };
    let mut refusal = sakke::Error::DecapsulationFailed;
    for key_set in key_sets {
        let (receiver, kms) = (key_set.receiver(), key_set.kms().sakke());
        let decapsulated = match unpadded {
            true => receiver.decapsulate_unpadded(kms, &sed),
            false => receiver.decapsulate(kms, &sed),
        };
        match decapsulated {
            Ok(key) => return Ok((key_set, key)),
            Err(error) => refusal = error,
        }
    }
    Err(refusal)
}

fn judge_parameters(
    parameters: &KeyParameters,
    key_id: KeyId,
    time: NtpTime,
    policy: &Policy,
    findings: &mut Vec<Error>,
) -> Result<Revocation, Error> {
    let expected = key_id.key_type();
    if parameters.key_type != expected {
        return Err(Error::ParametersContradictType { found: parameters.key_type, expected });
    }
    let revocation = revocation(parameters, time, policy.compatibility.status_zero);
    if revocation == Revocation::Yes {
        match policy.time_rules {
            // A key can be taken back whenever its life ends.
            TimeRules::Apply => return Ok(revocation),
            TimeRules::Report => findings.push(Error::KeyRevoked { key_id: key_id.to_u32() }),
        }
    }
    let now = policy.now.unix_seconds().unwrap_or(0);
    policy.judge_time(require_not_expired(parameters.expiry, now), findings)?;
    let activation = match parameters.activation {
        0 => time.unix_seconds().unwrap_or(0),
        activation => activation,
    };
    policy.judge_time(require_active(activation, now.saturating_add(policy.window.future)), findings)?;
    Ok(revocation)
}

/// Nobody sends a live key that has expired, so that status 0 is no doubt then.
fn revocation(parameters: &KeyParameters, time: NtpTime, zero: StatusZero) -> Revocation {
    let expired = parameters.expiry != 0 && time.unix_seconds().is_some_and(|sent| parameters.expiry <= sent);
    match (parameters.status, zero) {
        (status, _) if status.is_live() => Revocation::No,
        (KeyStatus::ZERO, StatusZero::PossiblyLive) if !expired => Revocation::Possible,
        (KeyStatus::ZERO, StatusZero::Live) if !expired => Revocation::No,
        _ => Revocation::Yes,
    }
}

fn require_not_expired(expiry: u64, now: u64) -> Result<(), Error> {
    if expiry != 0 && now >= expiry { Err(Error::KeyExpired { expiry }) } else { Ok(()) }
}

fn require_active(activation: u64, latest: u64) -> Result<(), Error> {
    if activation > latest { Err(Error::KeyNotYetActive { activation }) } else { Ok(()) }
}
