use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::answer::{Answer, AnswerPayloads};
use super::cs_id_map::agree;
use super::mac_key::MacKey;
use super::verification::follows;
use super::{Bundle, Error, Parties};
use crate::mikey::{DataType, Message, PayloadType, PrfFunction, Timestamp};

/// An I_MESSAGE that was made, and what is needed to judge what comes back.
pub struct Sent {
    pub(super) octets: Zeroizing<Vec<u8>>,
    pub(super) bundle: Bundle,
    pub(super) prf: PrfFunction,
    pub(super) timestamp: Timestamp,
    pub(super) parties: Parties<'static>,
    pub(super) mac_key: Option<MacKey>,
    pub(super) wants_verification: bool,
}

impl Sent {
    /// The message as it goes on the wire. With the NULL encryption the keys are in it.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// What the initiator derives media keys from, as long as no [verification message](Answer::Verified) says what the
    /// responder chose.
    pub const fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// Reads what the responder sent back: a verification message or an error message.
    ///
    /// In this order: form, the fields that tie it to the I_MESSAGE (PRF, CSB ID, T), identities, algorithm, MAC, and
    /// then for a verification message whether its crypto sessions are those of the I_MESSAGE, with what was left open
    /// filled in. Refuse an answer, and the exchange goes on: anyone can send one.
    ///
    /// # Errors
    /// [`Error::Mikey`], [`Error::DataType`], [`Error::UnexpectedPayload`], [`Error::Missing`], [`Error::Repeated`],
    /// [`Error::NotLast`], [`Error::NoVerification`], [`Error::OtherExchange`], [`Error::Identity`],
    /// [`Error::MacAlgorithm`], [`Error::Authentication`]; for the sessions [`Error::PolicyCount`],
    /// [`Error::SessionDataLength`], [`Error::NoSpi`], [`Error::SessionsChanged`], [`Error::RepeatedSession`],
    /// [`Error::NoSuchPolicy`], [`Error::PolicyProtocol`], [`Error::NoSuchKey`], [`Error::RepeatedSsrc`].
    pub fn read_answer(&self, octets: &[u8]) -> Result<Answer, Error> {
        let message = Message::parse(octets)?;
        match message.header.data_type {
            DataType::PreSharedVerification => self.read_verification(octets, &message),
            DataType::Error => self.read_error(octets, &message),
            found => Err(Error::DataType { found, expected: DataType::PreSharedVerification }),
        }
    }

    fn read_verification(&self, octets: &[u8], message: &Message<'_>) -> Result<Answer, Error> {
        let payloads = AnswerPayloads::of_verification(message)?;
        let mac_key = self.mac_key.as_ref().filter(|_| self.wants_verification).ok_or(Error::NoVerification)?;
        self.require_same_exchange(message, payloads.timestamp)?;
        let parties = self.parties.agreeing_with(&payloads.parties)?;
        payloads.require_mac(mac_key)?;
        mac_key.verify(octets, &[&follows(&parties, self.timestamp)])?;
        Ok(Answer::Verified(agree(&self.bundle, &message.header.cs_id_map)?))
    }

    fn read_error(&self, octets: &[u8], message: &Message<'_>) -> Result<Answer, Error> {
        let payloads = AnswerPayloads::of_error(message)?;
        self.require_same_exchange(message, payloads.timestamp)?;
        let authenticated = match (&self.mac_key, &payloads.mac) {
            (Some(mac_key), Some(_)) => {
                payloads.require_mac(mac_key)?;
                mac_key.verify(octets, &[&follows(&self.parties, self.timestamp)])?;
                true
            }
            (None, Some(_)) => return Err(Error::UnexpectedPayload { found: PayloadType::V }),
            (_, None) => false,
        };
        Ok(Answer::Refused { errors: payloads.errors, policies: payloads.policies, authenticated })
    }

    fn require_same_exchange(&self, message: &Message<'_>, timestamp: Timestamp) -> Result<(), Error> {
        let other = |field| Err(Error::OtherExchange { field });
        match () {
            () if message.header.prf != self.prf => other("PRF func"),
            () if message.header.csb_id != self.bundle.csb_id => other("CSB ID"),
            () if timestamp != self.timestamp => other("T"),
            () => Ok(()),
        }
    }
}

impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sent").field("csb_id", &self.bundle.csb_id).finish_non_exhaustive()
    }
}
