//! Reading again what one sent oneself, by the SAKKE-to-self extension (TS 33.180 E.5).
use super::opened::decapsulate;
use super::{CarriedIdentity, CarriedParty, Decapsulated, Expected, Incoming, Peer, Policy};
use crate::mc::error::Party;
use crate::mc::{Error, KeySet, KeyType, Kms, Uid};
use alloc::string::ToString;

/// Whom a message went to, as its sender's devices know.
#[derive(Clone, Copy, Debug)]
pub struct SentTo<'a> {
    /// The recipient.
    pub uri: &'a str,
    /// The recipient's KMS.
    pub kms: &'a Kms,
    /// Which key must have gone there, if that is known.
    pub key_type: Option<KeyType>,
}

impl Incoming {
    /// Opens a message whose initiator one of these key sets belongs to, with what it carries for its initiator. The rules
    /// are those of a [receiver](super): time, key period, identities of both ends, signature, then the key and its
    /// parameters. Deviations that touch the encapsulation are not excused here, since the extension has none in the field.
    ///
    /// Fails with [`Error::NotFromMe`], [`Error::NotForRecipient`], [`Error::UnexpectedKeyType`], [`Error::Missing`] without the extension, and as
    /// [`Incoming::verify`] and [`Verified::decapsulate`](super::Verified::decapsulate) do.
    pub fn open_own(self, key_sets: &[&KeySet], recipient: SentTo<'_>, policy: &Policy) -> Result<Decapsulated, Error> {
        let findings = self.judge_claims(recipient.key_type, policy)?;
        let key_sets = self.find_key_sets(self.initiator(), key_sets, &policy.compatibility).map_err(not_from_me)?;
        let recipient_uid = self.require_recipient(recipient)?;
        let initiators = key_sets.iter().map(|key_set| me(key_set)).collect::<Result<_, _>>()?;
        let initiator = self.verify_signature(initiators, &policy.compatibility)?;
        let (_, key) = decapsulate(&key_sets, &self.sed_to_self()?, false).map_err(Error::Decapsulation)?;
        Decapsulated::from_key(&self, key, initiator, (recipient.uri, recipient_uid), policy, findings)
    }

    fn require_recipient(&self, SentTo { uri, kms, .. }: SentTo<'_>) -> Result<Uid, Error> {
        let uid = kms.uid_at(uri, self.time())?;
        let CarriedParty { identity, kms_uri } = self.recipient();
        let is_named = match identity {
            CarriedIdentity::Uid(named) => *named == uid,
            CarriedIdentity::Uri(named) => named == uri,
        };
        match is_named && kms_uri == kms.uri() {
            true => Ok(uid),
            false => Err(Error::NotForRecipient { recipient: identity.to_string(), expected: uri.into() }),
        }
    }
}

fn me(key_set: &KeySet) -> Result<Peer, Error> {
    let mut me = Peer::of_uid(*key_set.uid(), key_set.kms(), key_set.period_no(), 0, &[]);
    me.confirm(Expected::user(key_set.user_uri()))?;
    Ok(me)
}

fn not_from_me(error: Error) -> Error {
    match error {
        Error::NotForMe { recipient } => Error::NotFromMe { initiator: recipient },
        Error::UnknownKms { kms_uri, .. } => Error::UnknownKms { party: Party::Initiator, kms_uri },
        error => error,
    }
}
