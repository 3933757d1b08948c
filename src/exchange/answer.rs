use alloc::vec::Vec;

use super::mac_key::MacKey;
use super::{Bundle, Error, Parties};
use crate::mikey::{ErrorNumber, Mac, Message, Payload, PayloadType, SecurityPolicy, Timestamp};

/// What an I_MESSAGE brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A verification message: the responder has the pre-shared key and took the I_MESSAGE. Media keys are derived of this
    /// bundle now: its [map](Bundle::cs_id_map) has the SSRCs, policies and SPIs that the responder chose where the initiator
    /// left the choice (RFC 3830 6.1.1, RFC 6043 6.1.1).
    Verified(Bundle),
    /// An error message (RFC 3830 5.1.2).
    Refused {
        /// What the responder found wrong, at least one.
        errors: Vec<ErrorNumber>,
        /// What it would take instead, where it says that.
        policies: Vec<SecurityPolicy<'static>>,
        /// Whether the responder made the message. If not, anyone may have, to make the initiator give up: it is no more
        /// than a hint of what went wrong (RFC 3830 5.1.2).
        authenticated: bool,
    },
}

/// The payloads of an answer by kind, each there as often as it may be.
pub(super) struct AnswerPayloads<'m> {
    pub(super) timestamp: Timestamp,
    pub(super) parties: Parties<'m>,
    pub(super) errors: Vec<ErrorNumber>,
    pub(super) policies: Vec<SecurityPolicy<'static>>,
    pub(super) mac: Option<&'m Mac<'m>>,
}

impl<'m> AnswerPayloads<'m> {
    /// HDR, T, \[IDr\], V (RFC 3830 3.1).
    pub(super) fn of_verification(message: &'m Message<'m>) -> Result<Self, Error> {
        let answer = Self::collect(message)?;
        let misplaced = |found| Err(Error::UnexpectedPayload { found });
        match () {
            () if !answer.errors.is_empty() => misplaced(PayloadType::ERR),
            () if !answer.policies.is_empty() => misplaced(PayloadType::SP),
            () if answer.mac.is_none() => Err(Error::Missing { what: "V" }),
            () => Ok(answer),
        }
    }

    /// HDR, T, {ERR}, {SP}, \[V\] (RFC 3830 5.1.2).
    pub(super) fn of_error(message: &'m Message<'m>) -> Result<Self, Error> {
        let answer = Self::collect(message)?;
        match () {
            () if answer.parties.responder.is_some() => Err(Error::UnexpectedPayload { found: PayloadType::ID }),
            () if answer.errors.is_empty() => Err(Error::Missing { what: "ERR" }),
            () => Ok(answer),
        }
    }

    /// # Errors
    /// [`Error::MacAlgorithm`] unless V has the algorithm of the I_MESSAGE.
    pub(super) fn require_mac(&self, key: &MacKey) -> Result<(), Error> {
        match self.mac.map(Mac::algorithm) {
            Some(found) if found != key.algorithm() => Err(Error::MacAlgorithm { found, expected: key.algorithm() }),
            _ => Ok(()),
        }
    }

    fn collect(message: &'m Message<'m>) -> Result<Self, Error> {
        let (mut timestamp, mut responder, mut mac) = (None, None, None);
        let (mut errors, mut policies) = (Vec::new(), Vec::new());
        for payload in &message.payloads {
            if mac.is_some() {
                return Err(Error::NotLast { payload_type: PayloadType::V });
            }
            match payload {
                Payload::Timestamp(found) => once(&mut timestamp, *found, "T")?,
                Payload::Id(found) => once(&mut responder, found.clone(), "IDr")?,
                Payload::ErrorPayload(error) => errors.push(error.number),
                Payload::SecurityPolicy(policy) => policies.push(policy.clone().into_owned()),
                Payload::Verification(verification) => mac = Some(&verification.mac),
                // Extensions are optional to understand (RFC 3830 6.15).
                Payload::GeneralExtension(_) => {}
                other => return Err(Error::UnexpectedPayload { found: other.payload_type() }),
            }
        }
        let timestamp = timestamp.ok_or(Error::Missing { what: "T" })?;
        Ok(Self { timestamp, parties: Parties { initiator: None, responder }, errors, policies, mac })
    }
}

/// Fills a slot that a message fills once at most.
///
/// # Errors
/// [`Error::Repeated`].
pub(super) fn once<T>(slot: &mut Option<T>, value: T, what: &'static str) -> Result<(), Error> {
    match slot.replace(value) {
        Some(_) => Err(Error::Repeated { what }),
        None => Ok(()),
    }
}
