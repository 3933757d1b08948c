//! Fragments of IP packets, put together: a SIP message with a key is longer than an Ethernet frame.
use super::packet::{Fragment, IpPayload};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Octets of fragments that may be open at once.
pub(super) const MAX_OPEN: usize = 4 << 20;
/// Fragments of one packet; the longest has 45 on Ethernet.
const MAX_PIECES: usize = 128;
/// The longest payload of an IP packet.
const MAX_PAYLOAD: usize = 65535;

type Key = (IpAddr, IpAddr, u8, u32);

/// Packets of which some fragments were seen.
#[derive(Default)]
pub(super) struct Fragments {
    open: BTreeMap<Key, Vec<(Fragment, Vec<u8>)>>,
    octets: usize,
}

impl Fragments {
    /// Adds a fragment. The payload of the packet, once every fragment is there.
    pub(super) fn add(&mut self, payload: &IpPayload<'_>, fragment: Fragment) -> Option<Vec<u8>> {
        let key = (payload.source, payload.destination, payload.protocol, fragment.identification);
        let pieces = self.open.entry(key).or_default();
        if pieces.len() == MAX_PIECES || pieces.iter().any(|(known, _)| known.offset == fragment.offset) {
            return None;
        }
        pieces.push((fragment, payload.octets.to_vec()));
        self.octets += payload.octets.len();
        let whole = join(pieces)?;
        let held = self.open.remove(&key).unwrap_or_default();
        self.octets -= held.iter().map(|(_, octets)| octets.len()).sum::<usize>();
        Some(whole)
    }

    /// Whether too many octets are held.
    pub(super) fn is_full(&self) -> bool {
        self.octets > MAX_OPEN || self.open.len() > MAX_OPEN / 1024
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
