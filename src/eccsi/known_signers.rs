//! The signers that verification under a KMS keeps tables of.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use super::KnownSigner;
use super::hash::Hs;

/// Signers remembered by one valid signature for each that tables are kept of.
const SEEN_PER_KNOWN: usize = 8;

/// Signers by HS, which is a hash of the KMS's public key, the identity and the PVT.
#[derive(Default)]
pub(super) struct KnownSigners(RwLock<Signers>);

#[derive(Default)]
struct Signers {
    known: Recent<Arc<KnownSigner>>,
    /// Those with one valid signature so far.
    seen: Recent<()>,
}

impl KnownSigners {
    /// Makes room for so many signers, and forgets all of before.
    pub(super) fn resize(&self, capacity: usize) {
        let signers =
            Signers { known: Recent::new(capacity), seen: Recent::new(capacity.saturating_mul(SEEN_PER_KNOWN)) };
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = signers;
    }

    pub(super) fn find(&self, hs: &Hs) -> Option<Arc<KnownSigner>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).known.get(hs.octets()).cloned()
    }

    /// Notes a valid signature of a signer, who had no tables before. The second one is worth them.
    pub(super) fn note(&self, hs: &Hs, signer: impl FnOnce() -> Option<KnownSigner>) {
        {
            let mut signers = self.0.write().unwrap_or_else(PoisonError::into_inner);
            // Of a batch, an earlier signature may have brought them.
            if signers.known.contains(hs.octets()) {
                return;
            }
            if signers.seen.get(hs.octets()).is_none() {
                signers.seen.insert(*hs.octets(), ());
                return;
            }
        }
        // Others verify meanwhile.
        if let Some(signer) = signer() {
            let mut signers = self.0.write().unwrap_or_else(PoisonError::into_inner);
            signers.known.insert(*hs.octets(), Arc::new(signer));
        }
    }
}

type Key = [u8; 32];

/// A bounded map. What is inserted into a full one replaces an entry that has not been used since a hand, which goes
/// round, last passed it.
struct Recent<V> {
    capacity: usize,
    entries: Vec<Entry<V>>,
    places: HashMap<Key, usize>,
    hand: usize,
}

struct Entry<V> {
    key: Key,
    value: V,
    used: AtomicBool,
}

impl<V> Recent<V> {
    fn new(capacity: usize) -> Self {
        Recent { capacity, entries: Vec::new(), places: HashMap::new(), hand: 0 }
    }

    fn get(&self, key: &Key) -> Option<&V> {
        let entry = self.entries.get(*self.places.get(key)?)?;
        entry.used.store(true, Ordering::Relaxed);
        Some(&entry.value)
    }

    fn contains(&self, key: &Key) -> bool {
        self.places.contains_key(key)
    }

    fn insert(&mut self, key: Key, value: V) {
        if self.capacity == 0 || self.contains(&key) {
            return;
        }
        let entry = Entry { key, value, used: AtomicBool::new(false) };
        if self.entries.len() < self.capacity {
            self.places.insert(key, self.entries.len());
            self.entries.push(entry);
            return;
        }
        while self.entries[self.hand].used.swap(false, Ordering::Relaxed) {
            self.hand = (self.hand + 1) % self.capacity;
        }
        self.places.remove(&self.entries[self.hand].key);
        self.places.insert(key, self.hand);
        self.entries[self.hand] = entry;
        self.hand = (self.hand + 1) % self.capacity;
    }
}

impl<V> Default for Recent<V> {
    fn default() -> Self {
        Recent::new(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn key(number: u8) -> Key {
        [number; 32]
    }

    #[test]
    fn a_full_map_replaces_what_was_not_used() {
        let mut recent = Recent::new(3);
        for number in 0..3 {
            recent.insert(key(number), number);
        }
        assert_eq!(recent.get(&key(0)), Some(&0));
        assert_eq!(recent.get(&key(2)), Some(&2));
        recent.insert(key(3), 3);
        assert_eq!([0, 1, 2, 3].map(|number| recent.get(&key(number)).copied()), [Some(0), None, Some(2), Some(3)]);
        // All have been used: the hand, which stands after what it replaced, goes round once.
        recent.insert(key(4), 4);
        assert_eq!(recent.get(&key(2)), None);
        assert_eq!((recent.entries.len(), recent.places.len()), (3, 3));
    }

    #[test]
    fn what_is_there_is_left_as_it_is() {
        let mut recent = Recent::new(2);
        recent.insert(key(1), 1);
        recent.insert(key(1), 2);
        assert_eq!(recent.get(&key(1)), Some(&1));
        assert_eq!(recent.entries.len(), 1);
    }

    #[test]
    fn without_room_nothing_is_kept() {
        let mut recent = Recent::default();
        recent.insert(key(1), 1);
        assert_eq!(recent.get(&key(1)), None);
        assert_eq!(recent.entries.capacity(), 0);
    }

    #[test]
    fn never_more_than_asked_for() {
        let mut recent = Recent::new(5);
        for number in 0..=255 {
            recent.insert(key(number), number);
            if number % 3 == 0 {
                recent.get(&key(number / 2));
            }
            assert!(recent.entries.len() <= 5);
            assert_eq!(recent.entries.len(), recent.places.len());
            assert_eq!(recent.get(&key(number)), Some(&number));
        }
    }
}
