use alloc::vec::Vec;

use super::Error;
use crate::mikey::{DataType, ErrorNumber, ErrorPayload, Header, Message, SecurityPolicy, Timestamp};

/// What a responder tells an initiator whose message it refused: HDR, T, {ERR}, {SP}, \[V|SIGNr\] (RFC 3830 5.1.2).
///
/// Whether to say anything is for the responder. Errors should be reported; replays are discarded in silence (5.3), and
/// where the initiator is not authentic the message is optional and better not authenticated, for signing answers to
/// strangers is work that they can cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorMessage<'a> {
    /// What went wrong, at least one.
    pub errors: Vec<ErrorNumber>,
    /// What the responder would take instead, where the I_MESSAGE asked for what it does not support (5.1.1).
    pub policies: Vec<SecurityPolicy<'a>>,
}

impl<'a> ErrorMessage<'a> {
    /// One error, and no policies.
    pub fn new(error: ErrorNumber) -> Self {
        Self { errors: alloc::vec![error], policies: Vec::new() }
    }

    /// The message, not authenticated, in answer to any message that can be read and has a T, of this exchange or of
    /// another one, MIKEY-SAKKE included (RFC 6509 2.2.2). Whoever answers with a signature
    /// [adds](Message::sign) one.
    ///
    /// # Errors
    /// [`Error::Mikey`] if the message cannot be read or has not one T, [`Error::ErrorAnswered`] if it is an error
    /// message, [`Error::Missing`] if there is nothing to tell.
    pub fn answer(&self, message: &[u8]) -> Result<Message<'a>, Error> {
        let answered = Message::parse(message)?;
        if answered.header.data_type == DataType::Error {
            return Err(Error::ErrorAnswered);
        }
        let timestamp = answered.timestamp()?;
        self.with_header(answered.header.into_owned(), timestamp)
    }

    /// The message in answer to one with this header and T.
    pub(super) fn with_header(&self, answered: Header<'a>, timestamp: Timestamp) -> Result<Message<'a>, Error> {
        if self.errors.is_empty() {
            return Err(Error::Missing { what: "ERR" });
        }
        let header = Header { data_type: DataType::Error, verification_expected: false, ..answered };
        let errors = self.errors.iter().map(|error| ErrorPayload::new(*error));
        let message = errors.fold(Message::new(header).with(timestamp), Message::with);
        Ok(self.policies.iter().cloned().fold(message, Message::with))
    }
}
