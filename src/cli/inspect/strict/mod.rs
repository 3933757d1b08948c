//! What a message does against its specification: the rules that hold for its data type, each by itself.

mod composition;
mod header;
mod imessage;
mod method;
mod payload;
mod ticket;

use super::finding::Finding;
use mikey_sakke::mikey::{DataType, Message};

pub use imessage::judge_opened;

/// How much of a message could be read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// What precedes a fault: nothing is said of what may be missing.
    Beginning,
}

/// Everything that can be said against a message.
pub fn judge(message: &Message<'_>, extent: Extent) -> Vec<Finding> {
    match message.header.data_type {
        DataType::Sakke => imessage::judge(message, extent),
        _ => method::judge(message, extent),
    }
}
