use super::{Fault, Found, Mikey, Origin, Remark, Unread};

/// Messages and things that are none that are kept of any input: more than people look at, less than fills the memory.
const MOST: usize = 4096;

/// Octets of the input for each message that is kept, beyond the first [`FREE_MESSAGES`]. Messages of the field have more.
const INPUT_PER_MESSAGE: usize = 384;
const FREE_MESSAGES: usize = 48;

/// The same for what is none.
const INPUT_PER_UNREAD: usize = 1024;
const FREE_UNREAD: usize = 16;

/// Keeps what is found, as much of it as the length of the input pays for.
#[derive(Debug)]
pub(super) struct Collector {
    found: Found,
    messages: usize,
    unread: usize,
}

impl Collector {
    pub(super) fn new(input_len: usize) -> Self {
        Self {
            found: Found::default(),
            messages: MOST.min(FREE_MESSAGES + input_len / INPUT_PER_MESSAGE),
            unread: MOST.min(FREE_UNREAD + input_len / INPUT_PER_UNREAD),
        }
    }

    pub(super) fn add(&mut self, octets: Vec<u8>, remarks: Vec<Remark>, origin: Origin) {
        let limit = self.messages;
        let too_many = Fault::TooManyMessages { limit };
        if self.found.messages.len() < limit {
            put(&mut self.found.messages, Mikey { octets, origin, remarks }, limit);
        } else if self.found.unread.last().is_none_or(|last| last.fault != too_many) {
            self.found.unread.push(Unread { fault: too_many, origin });
        }
    }

    pub(super) fn fault(&mut self, fault: Fault, origin: &Origin) {
        if self.found.unread.len() < self.unread {
            put(&mut self.found.unread, Unread { fault, origin: origin.clone() }, self.unread);
        }
    }

    /// Adds what was found elsewhere in the same input.
    pub(super) fn extend(&mut self, found: Found) {
        found.messages.into_iter().for_each(|message| self.add(message.octets, message.remarks, message.origin));
        found.unread.into_iter().for_each(|unread| self.fault(unread.fault, &unread.origin));
    }

    pub(super) fn into_found(self) -> Found {
        self.found
    }
}

/// Appends to a list that gets no larger than it may become.
fn put<T>(list: &mut Vec<T>, item: T, limit: usize) {
    if list.len() == list.capacity() {
        list.reserve_exact(list.len().max(4).min(limit - list.len()));
    }
    list.push(item);
}
