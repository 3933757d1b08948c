//! Fragments of IP packets, put together: a SIP message with a key is longer than an Ethernet frame.
use super::packet::{Fragment, IpPayload};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Octets that open fragments may take, of any capture.
const MAX_OPEN: usize = 4 << 20;
/// Octets that open fragments may take whatever the capture.
const FREE: usize = 8 << 10;
/// What a fragment takes beyond its own octets.
const OVERHEAD: usize = 160;
/// Fragments of one packet; the longest has 45 on Ethernet.
const MAX_PIECES: usize = 128;
/// The longest payload of an IP packet.
const MAX_PAYLOAD: usize = 65535;

type Key = (IpAddr, IpAddr, u8, u32);

/// Packets of which some fragments were seen.
pub(super) struct Fragments {
    open: BTreeMap<Key, Vec<(Fragment, Vec<u8>)>>,
    octets: usize,
    limit: usize,
}

impl Fragments {
    /// For a capture of so many octets.
    pub(super) fn new(input_len: usize) -> Self {
        Self { open: BTreeMap::new(), octets: 0, limit: MAX_OPEN.min(FREE + input_len) }
    }

    /// Octets that may be held, with what holding them takes.
    pub(super) const fn limit(&self) -> usize {
        self.limit
    }

    /// Adds a fragment. The payload of the packet, once every fragment is there.
    pub(super) fn add(&mut self, payload: &IpPayload<'_>, fragment: Fragment) -> Option<Vec<u8>> {
        let key = (payload.source, payload.destination, payload.protocol, fragment.identification);
        let pieces = self.open.entry(key).or_default();
        if pieces.len() == MAX_PIECES || pieces.iter().any(|(known, _)| known.offset == fragment.offset) {
            return None;
        }
        pieces.reserve_exact(1);
        pieces.push((fragment, payload.octets.to_vec()));
        self.octets += OVERHEAD + payload.octets.len();
        let whole = join(pieces)?;
        let held = self.open.remove(&key).unwrap_or_default();
        self.octets -= held.iter().map(|(_, octets)| OVERHEAD + octets.len()).sum::<usize>();
        Some(whole)
    }

    /// Whether too many octets are held.
    pub(super) fn is_full(&self) -> bool {
        self.octets > self.limit
    }

    /// Gives up what is open; how many packets that were.
    pub(super) fn clear(&mut self) -> usize {
        self.octets = 0;
        std::mem::take(&mut self.open).len()
    }
}

/// The payload of a packet, if its fragments are all there and lie one behind the other.
fn join(pieces: &mut [(Fragment, Vec<u8>)]) -> Option<Vec<u8>> {
    pieces.sort_by_key(|(fragment, _)| fragment.offset);
    if pieces.last().is_none_or(|(fragment, _)| fragment.more) {
        return None;
    }
    let mut end = 0;
    for (fragment, octets) in pieces.iter() {
        if fragment.offset != end {
            return None;
        }
        end += octets.len();
    }
    (end <= MAX_PAYLOAD).then(|| pieces.iter().flat_map(|(_, octets)| octets).copied().collect())
}
