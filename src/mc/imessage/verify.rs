//! Steps 3 to 10: whom a message is for, whom it is from, when, and the signature.
use super::{CarriedIdentity, CarriedParty, Compatibility, Decapsulated, Expected, Incoming, Peer};
use crate::eccsi;
use crate::mc::error::Party;
use crate::mc::{Error, KeySet, KeyType, Kms, Uid};
use crate::mikey::NtpTime;
use alloc::string::ToString;
use alloc::vec::Vec;

/// What a receiver knows before a message comes.
#[derive(Clone, Copy, Debug)]
pub struct Receiver<'a> {
    /// Its own key sets, of all its identities, KMSs and periods.
    pub key_sets: &'a [&'a KeySet],
    /// All KMSs whose users it listens to: the domains that one lists bar the others from them. Its own KMSs are not
    /// implied.
    pub kmss: &'a [&'a Kms],
    /// Who must have sent the message, as far as the signalling says so. Without it a hidden initiator is known by its
    /// UID alone, until [`Opened::confirm_initiator`](super::Opened::confirm_initiator).
    pub initiator: Option<Expected<'a>>,
    /// Which key must come here; a call set-up, say, carries a PCK and nothing else.
    pub key_type: Option<KeyType>,
}

/// How far from now the time of a message may be, in seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimeWindow {
    /// Seconds into the past.
    pub past: u64,
    /// Seconds into the future, for clocks that run ahead; also the allowance for activation times.
    pub future: u64,
}

impl Default for TimeWindow {
    /// Five minutes either way, as RFC 3830 5.4 suggests for clocks that are loosely synchronised.
    fn default() -> Self {
        Self { past: 300, future: 300 }
    }
}

/// Whether what only time makes wrong is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TimeRules {
    /// Refuse it.
    #[default]
    Apply,
    /// Report it in [`Verified::findings`] and [`Opened::findings`](super::Opened::findings).
    Report,
}

/// How to judge a message.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Now.
    pub now: NtpTime,
    /// How old or early a message may be.
    pub window: TimeWindow,
    /// Whether that is enforced.
    pub time_rules: TimeRules,
    /// What to excuse.
    pub compatibility: Compatibility,
}

impl Policy {
    /// The strict policy: default window, time enforced, nothing excused.
    pub fn new(now: NtpTime) -> Self {
        Self {
            now,
            window: TimeWindow::default(),
            time_rules: TimeRules::Apply,
            compatibility: Compatibility::default(),
        }
    }

    /// The same judgement at any age of the message: what time makes wrong is reported.
    #[must_use]
    pub const fn at_any_age(self) -> Self {
        Self { time_rules: TimeRules::Report, ..self }
    }

    /// Refuses or reports what time makes wrong.
    pub(super) fn judge_time(&self, judgement: Result<(), Error>, findings: &mut Vec<Error>) -> Result<(), Error> {
        match (judgement, self.time_rules) {
            (Err(finding), TimeRules::Report) => {
                findings.push(finding);
                Ok(())
            }
            (judgement, _) => judgement,
        }
    }
}

/// A message for me, in time, with its initiator's signature. The key is still encapsulated.
#[derive(Debug)]
pub struct Verified<'a> {
    pub(super) incoming: Incoming,
    /// At least one.
    pub(super) key_sets: Vec<&'a KeySet>,
    pub(super) policy: Policy,
    pub(super) initiator: Peer,
    pub(super) findings: Vec<Error>,
}

impl<'a> Verified<'a> {
    /// The UID that signed.
    pub const fn initiator_uid(&self) -> &Uid {
        self.initiator.uid()
    }

    /// Its URI, where the message or the receiver names one.
    pub fn initiator_uri(&self) -> Option<&str> {
        self.initiator.uri()
    }

    /// The key sets that the message may be for. There is more than one only while a KMS changes its keys.
    pub fn key_sets(&self) -> &[&'a KeySet] {
        &self.key_sets
    }

    /// What time makes wrong, under [`TimeRules::Report`].
    pub fn findings(&self) -> &[Error] {
        &self.findings
    }

    /// Step 11 and on: decapsulates the key, opens its parameters, and tells a key from the revocation of one.
    ///
    /// Fails with [`Error::Decapsulation`], [`Error::Spi`], the errors of [key parameters](crate::mc::KeyParameters),
    /// [`Error::ParametersContradictType`], [`Error::KeyExpired`], [`Error::KeyNotYetActive`].
    pub fn decapsulate(self) -> Result<Decapsulated, Error> {
        Decapsulated::from_verified(self)
    }
}

impl Incoming {
    /// Steps 3 to 10 of the [order](super): everything that needs no secret.
    pub fn verify<'a>(self, receiver: &Receiver<'a>, policy: &Policy) -> Result<Verified<'a>, Error> {
        let findings = self.judge_claims(receiver.key_type, policy)?;
        let key_sets = self.find_key_sets(self.recipient(), receiver.key_sets, &policy.compatibility)?;
        let candidates = self.find_initiators(receiver, &policy.compatibility)?;
        let initiator = self.verify_signature(candidates, &policy.compatibility)?;
        Ok(Verified { incoming: self, key_sets, policy: *policy, initiator, findings })
    }

    /// Steps 3 to 5 of the [order](super), which need no key at all: for a receiver that makes its keys ready only when they
    /// are needed. [`verify`](Self::verify) takes them again. `key_type` is what [`Receiver::key_type`] says.
    ///
    /// Returns what time makes wrong, under [`TimeRules::Report`].
    pub fn judge_claims(&self, key_type: Option<KeyType>, policy: &Policy) -> Result<Vec<Error>, Error> {
        self.require_excused(&policy.compatibility)?;
        self.require_key_type(key_type)?;
        let mut findings = Vec::new();
        policy.judge_time(self.judge_age(policy), &mut findings)?;
        Ok(findings)
    }

    fn require_excused(&self, compatibility: &Compatibility) -> Result<(), Error> {
        match self.deviations().iter().find(|deviation| !compatibility.excuses(**deviation)) {
            Some(deviation) => Err(Error::Deviation(*deviation)),
            None => Ok(()),
        }
    }

    fn require_key_type(&self, expected: Option<KeyType>) -> Result<(), Error> {
        match expected {
            Some(expected) if expected != self.key_type() => {
                Err(Error::UnexpectedKeyType { found: self.key_type(), expected })
            }
            _ => Ok(()),
        }
    }

    /// The key sets that an end of the message has here, for the key period of T. There is more than one while a KMS
    /// changes its keys: both certificates have one URI and one UID.
    pub(super) fn find_key_sets<'a>(
        &self,
        me: &CarriedParty,
        key_sets: &[&'a KeySet],
        compatibility: &Compatibility,
    ) -> Result<Vec<&'a KeySet>, Error> {
        let mine = |key_set: &&&KeySet| match &me.identity {
            CarriedIdentity::Uid(uid) => key_set.uid() == uid,
            CarriedIdentity::Uri(uri) => key_set.user_uri() == uri,
        };
        let mut of_me = key_sets.iter().filter(mine).peekable();
        if of_me.peek().is_none() {
            return Err(Error::NotForMe { recipient: me.identity.to_string() });
        }
        let mut refusal = None;
        let mut candidates = Vec::new();
        for key_set in of_me.filter(|key_set| key_set.kms().uri() == me.kms_uri) {
            match self.judge_key_set(me, key_set, compatibility) {
                Ok(()) => candidates.push(*key_set),
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        match refusal {
            _ if !candidates.is_empty() => Ok(candidates),
            Some(error) => Err(error),
            None => Err(Error::UnknownKms { party: Party::Recipient, kms_uri: me.kms_uri.clone() }),
        }
    }

    fn judge_key_set(&self, me: &CarriedParty, key_set: &KeySet, compatibility: &Compatibility) -> Result<(), Error> {
        let period_no = key_set.kms().periods().number_at(self.time())?;
        key_set.kms().require_valid_at(self.time())?;
        match me.identity {
            CarriedIdentity::Uri(_) if key_set.period_no() != period_no => Err(Error::NoKeySetForPeriod { period_no }),
            CarriedIdentity::Uid(_)
                if key_set.period_no().abs_diff(period_no) > u64::from(compatibility.neighbouring_periods) =>
            {
                Err(Error::PeriodMismatch { uid: key_set.period_no(), time: period_no })
            }
            _ => Ok(()),
        }
    }

    /// Who may have signed: by one of the certificates of the initiator's KMS. There is more than one while a KMS
    /// changes its keys.
    fn find_initiators(&self, receiver: &Receiver<'_>, compatibility: &Compatibility) -> Result<Vec<Peer>, Error> {
        let carried = self.initiator();
        let mut refusal = Error::UnknownKms { party: Party::Initiator, kms_uri: carried.kms_uri.clone() };
        let mut candidates = Vec::new();
        for kms in receiver.kmss.iter().filter(|kms| kms.uri() == carried.kms_uri) {
            match self.find_initiator(receiver, kms, compatibility) {
                Ok(initiator) => candidates.push(initiator),
                Err(error) => refusal = error,
            }
        }
        if candidates.is_empty() { Err(refusal) } else { Ok(candidates) }
    }

    fn find_initiator(&self, receiver: &Receiver<'_>, kms: &Kms, compatibility: &Compatibility) -> Result<Peer, Error> {
        kms.require_valid_at(self.time())?;
        let period_no = kms.periods().number_at(self.time())?;
        let peer = |uid: Uid, neighbours| Peer::of_uid(uid, kms, period_no, neighbours, receiver.kmss);
        match &self.initiator().identity {
            CarriedIdentity::Uri(uri) => {
                let mut initiator = peer(kms.uid(uri, period_no)?, 0);
                initiator.confirm(receiver.initiator.unwrap_or(Expected::user(uri)))?;
                Ok(initiator)
            }
            CarriedIdentity::Uid(uid) => {
                let mut initiator = peer(*uid, compatibility.neighbouring_periods.into());
                if let Some(expected) = receiver.initiator {
                    initiator.confirm(expected)?;
                }
                Ok(initiator)
            }
        }
    }

    fn judge_age(&self, policy: &Policy) -> Result<(), Error> {
        let (then, now) = (self.time().seconds(), policy.now.seconds());
        let TimeWindow { past, future } = policy.window;
        match (now.saturating_sub(then), then.saturating_sub(now)) {
            (age, _) if age > past => Err(Error::TooOld { age, allowed: past }),
            (_, ahead) if ahead > future => Err(Error::InTheFuture { ahead, allowed: future }),
            _ => Ok(()),
        }
    }

    pub(super) fn verify_signature(&self, candidates: Vec<Peer>, compatibility: &Compatibility) -> Result<Peer, Error> {
        let signature = eccsi::Signature::from_bytes(self.signature()).map_err(Error::SignatureMalformed)?;
        let mut refusal = Error::Missing { what: "signature" };
        for initiator in candidates {
            let identity = initiator.kms().identity(initiator.uid());
            let verify = |message| initiator.kms().eccsi().verify(identity.as_bytes(), message, &signature);
            match verify(self.signed_octets()) {
                Ok(()) => return Ok(initiator),
                Err(_) if compatibility.unsigned_sign_header && verify(self.octets_before_sign()).is_ok() => {
                    return Ok(initiator);
                }
                Err(error) => refusal = Error::SignatureInvalid(error),
            }
        }
        Err(refusal)
    }
}
