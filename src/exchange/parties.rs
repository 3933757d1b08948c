use alloc::vec::Vec;

use super::{Error, Party};
use crate::mikey::Id;

/// Who the two ends of an exchange are, as far as that is known.
///
/// A message names them by ID payloads (RFC 3830 6.7), the initiator first: a single ID is that of the initiator. It may
/// leave them out where each end knows the other from elsewhere, as from SIP (RFC 3830 3.1).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parties<'a> {
    /// IDi.
    pub initiator: Option<Id<'a>>,
    /// IDr.
    pub responder: Option<Id<'a>>,
}

impl<'a> Parties<'a> {
    /// Both ends.
    pub const fn new(initiator: Id<'a>, responder: Id<'a>) -> Self {
        Self { initiator: Some(initiator), responder: Some(responder) }
    }

    /// The same with all of their data owned.
    pub fn into_owned(self) -> Parties<'static> {
        Parties { initiator: self.initiator.map(Id::into_owned), responder: self.responder.map(Id::into_owned) }
    }

    /// Adds what is known from elsewhere to what a message says.
    ///
    /// # Errors
    /// [`Error::Identity`] where they differ.
    pub(super) fn agreeing_with(&self, known: &Parties<'_>) -> Result<Parties<'static>, Error> {
        let initiator = agreed(self.initiator.as_ref(), known.initiator.as_ref(), Party::Initiator)?;
        let responder = agreed(self.responder.as_ref(), known.responder.as_ref(), Party::Responder)?;
        Ok(Parties { initiator, responder })
    }

    /// What a message says, and what is known from elsewhere where it is silent.
    pub(super) fn or(&self, known: &Parties<'_>) -> Parties<'static> {
        let one = |named: &Option<Id<'_>>, known: &Option<Id<'_>>| {
            named.as_ref().or(known.as_ref()).cloned().map(Id::into_owned)
        };
        Parties { initiator: one(&self.initiator, &known.initiator), responder: one(&self.responder, &known.responder) }
    }

    /// Identity_i || Identity_r, as they stand in ID payloads (RFC 3830 5.2; RFC 6043 5.5 says that these are not whole
    /// payloads). An end that nobody named adds nothing.
    pub(super) fn identities(&self) -> Vec<u8> {
        let named = [&self.initiator, &self.responder].into_iter().flatten();
        named.flat_map(|id| id.data.iter().copied()).collect()
    }
}

fn agreed(named: Option<&Id<'_>>, known: Option<&Id<'_>>, party: Party) -> Result<Option<Id<'static>>, Error> {
    match (named, known) {
        (Some(named), Some(known)) if named != known => Err(Error::Identity { party }),
        (named, known) => Ok(named.or(known).map(|id| id.clone().into_owned())),
    }
}
