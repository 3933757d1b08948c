//! Floor 4: which messages were accepted already (RFC 3830 5.4).
//!
//! The memory has a size. Who keeps it on disk writes [`ReplayCache::to_bytes`] after each message that is accepted.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

/// Messages remembered before the oldest are dropped: 40 octets each in memory and on disk.
const CAPACITY: usize = 65_536;

const VERSION: u8 = 1;
const FLOOR_LEN: usize = 8;
const ENTRY_LEN: usize = 40;

/// What makes a message the same message: SHA-256 of the octets of it that are authenticated.
pub type Tag = [u8; 32];

/// The accepted messages, by the seconds of their T payload.
///
/// Whatever is dropped leaves its time behind as the *floor*: a message as old as that, or older, can no longer be told
/// from a replay and is refused. The floor only ever takes times of messages that were accepted, so a clock that was
/// wrong for a while does not raise it into the future.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ReplayCache {
    floor: u64,
    seen: BTreeSet<(u64, Tag)>,
}

/// What [`ReplayCache::insert`] changed.
#[derive(Debug)]
#[must_use]
pub struct Insertion {
    added: (u64, Tag),
    dropped: Vec<(u64, Tag)>,
    floor: u64,
}

/// What the cache says of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Never seen.
    Never,
    /// Accepted before.
    Before,
    /// Older than what the cache remembers.
    Forgotten,
}

impl ReplayCache {
    /// Looks up a message with T at `time` (seconds since 1900).
    pub fn look_up(&self, time: u64, tag: Tag) -> Seen {
        if self.seen.contains(&(time, tag)) {
            Seen::Before
        } else if time <= self.floor {
            Seen::Forgotten
        } else {
            Seen::Never
        }
    }

    /// Remembers a message, and drops those dated before `oldest` and those beyond the capacity.
    pub fn insert(&mut self, time: u64, tag: Tag, oldest: u64) -> Insertion {
        let mut insertion = Insertion { added: (time, tag), dropped: Vec::new(), floor: self.floor };
        self.seen.insert((time, tag));
        while let Some(&(time, tag)) = self.seen.first()
            && (time < oldest || self.seen.len() > CAPACITY)
        {
            self.seen.pop_first();
            insertion.dropped.push((time, tag));
            self.floor = self.floor.max(time);
        }
        insertion
    }

    /// Takes an insertion back: the key of the message could not be stored, so that it has to be accepted once more.
    pub fn undo(&mut self, insertion: Insertion) {
        self.seen.extend(insertion.dropped);
        self.seen.remove(&insertion.added);
        self.floor = insertion.floor;
    }

    /// Version octet, floor, then time and tag of each message.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(1 + FLOOR_LEN + ENTRY_LEN * self.seen.len());
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.floor.to_be_bytes());
        for (time, tag) in &self.seen {
            bytes.extend_from_slice(&time.to_be_bytes());
            bytes.extend_from_slice(tag);
        }
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote; `None` if it did not.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.strip_prefix(&[VERSION])?;
        let (floor, entries) = bytes.split_first_chunk::<FLOOR_LEN>()?;
        let (entries, []) = entries.as_chunks::<ENTRY_LEN>() else { return None };
        let seen = entries.iter().map(entry).collect::<Option<_>>()?;
        Some(Self { floor: u64::from_be_bytes(*floor), seen })
    }
}

fn entry(bytes: &[u8; ENTRY_LEN]) -> Option<(u64, Tag)> {
    let (time, tag) = bytes.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*time), tag.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(number: u32) -> Tag {
        let mut tag = [0; 32];
        tag[..4].copy_from_slice(&number.to_be_bytes());
        tag
    }

    #[test]
    fn a_message_is_new_once() {
        let mut cache = ReplayCache::default();
        assert_eq!(cache.look_up(100, tag(1)), Seen::Never);
        let _ = cache.insert(100, tag(1), 0);
        assert_eq!(cache.look_up(100, tag(1)), Seen::Before);
        assert_eq!(cache.look_up(100, tag(2)), Seen::Never);
    }

    #[test]
    fn an_insertion_that_is_undone_leaves_no_trace() {
        let mut cache = ReplayCache::default();
        for number in 1..5 {
            let _ = cache.insert(u64::from(number), tag(number), 0);
        }
        let before = cache.to_bytes();
        let insertion = cache.insert(10, tag(10), 3);
        assert_eq!([cache.look_up(1, tag(1)), cache.look_up(10, tag(10))], [Seen::Forgotten, Seen::Before]);
        cache.undo(insertion);
        assert_eq!(cache.to_bytes(), before);
        // The message itself may be older than what is kept.
        let insertion = cache.insert(2, tag(20), 3);
        cache.undo(insertion);
        assert_eq!(cache.to_bytes(), before);
    }

    #[test]
    fn what_was_dropped_by_age_cannot_come_back() {
        let mut cache = ReplayCache::default();
        let _ = cache.insert(100, tag(1), 0);
        let _ = cache.insert(200, tag(2), 150);
        assert_eq!(cache.look_up(100, tag(1)), Seen::Forgotten);
        assert_eq!(cache.look_up(101, tag(3)), Seen::Never);
        assert_eq!(cache.look_up(200, tag(2)), Seen::Before);
    }

    #[test]
    fn a_clock_far_ahead_does_not_raise_the_floor_beyond_accepted_messages() {
        let mut cache = ReplayCache::default();
        let _ = cache.insert(100, tag(1), u64::MAX);
        assert_eq!(cache.look_up(100, tag(1)), Seen::Forgotten);
        assert_eq!(cache.look_up(101, tag(2)), Seen::Never);
    }

    #[test]
    fn the_oldest_go_first_when_it_is_full_and_stay_refused() {
        let mut cache = ReplayCache::default();
        let count = u32::try_from(CAPACITY).unwrap() + 10;
        for number in 0..count {
            let _ = cache.insert(1000 + u64::from(number), tag(number), 0);
        }
        assert_eq!(cache.seen.len(), CAPACITY);
        for number in 0..count {
            assert_ne!(cache.look_up(1000 + u64::from(number), tag(number)), Seen::Never, "{number}");
        }
    }

    #[test]
    fn survives_the_round_trip_and_refuses_everything_else() {
        let mut cache = ReplayCache::default();
        for number in 0..5 {
            let _ = cache.insert(u64::from(number) + 1, tag(number), 3);
        }
        let bytes = cache.to_bytes();
        assert_eq!(ReplayCache::from_bytes(&bytes), Some(cache));
        for len in 0..bytes.len() {
            let whole = len >= 9 && (len - 9) % ENTRY_LEN == 0;
            assert_eq!(ReplayCache::from_bytes(&bytes[..len]).is_some(), whole, "{len}");
        }
        let mut newer = bytes.clone();
        newer[0] = 2;
        assert_eq!(ReplayCache::from_bytes(&newer), None);
    }
}
