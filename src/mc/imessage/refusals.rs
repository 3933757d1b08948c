//! What becomes of refusals: a receiver stops at the first, a tool for people notes them all.
use crate::mc::Error;
use alloc::vec::Vec;

/// Takes refusals as rules find them.
pub(super) trait Refusals {
    /// Ends the judgement with the refusal, or goes on.
    fn refuse(&mut self, error: Error) -> Result<(), Error>;
}

/// Stops at the first.
pub(super) struct AtFirst;

impl Refusals for AtFirst {
    fn refuse(&mut self, error: Error) -> Result<(), Error> {
        Err(error)
    }
}

/// Notes each.
impl Refusals for Vec<Error> {
    fn refuse(&mut self, error: Error) -> Result<(), Error> {
        self.push(error);
        Ok(())
    }
}
