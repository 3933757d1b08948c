//! TCP streams: segments in their order, retransmissions dropped.
use super::{Collector, Fault, Origin, Packet, stream::Framer};
use core::time::Duration;
use etherparse::TcpSlice;
use std::collections::BTreeMap;

/// Octets of a stream that may wait for what comes before them.
const MAX_WAITING: usize = 1 << 20;

/// One direction of a TCP connection.
#[derive(Default)]
pub(super) struct Stream {
    /// The sequence number of its first octet, if its beginning was seen.
    first: Option<u32>,
    /// The sequence number that comes next, once one is known.
    next: Option<u32>,
    /// What came too early, by sequence number as it lies ahead.
    waiting: BTreeMap<u32, Waiting>,
    octets_waiting: usize,
    /// The last packet. It stands for those that wait in all that one stream has in common.
    packet: Option<Packet>,
    /// Whether it was closed; what fills a hole may still come.
    closed: bool,
    framer: Framer,
}

/// A segment that waits, and the packet that brought it.
struct Waiting {
    frame: u64,
    time: Option<Duration>,
    octets: Vec<u8>,
}

impl Stream {
    pub(super) fn add(&mut self, segment: &TcpSlice<'_>, packet: Packet, found: &mut Collector) {
        let mut sequence = segment.sequence_number();
        if segment.syn() {
            sequence = sequence.wrapping_add(1);
            self.begin(sequence, found);
        }
        self.closed |= segment.fin() || segment.rst();
        let next = *self.next.get_or_insert(sequence);
        let payload = segment.payload();
        if payload.is_empty() {
            return;
        }
        self.packet = Some(packet.clone());
        if ahead(sequence, next) > 0 {
            self.wait(sequence, &packet, payload, found);
        } else {
            self.take(sequence, &packet, payload, found);
            self.take_waiting(found);
        }
    }

    /// A connection between ports that were used before is a new one, unless its first segment is only repeated.
    fn begin(&mut self, first: u32, found: &mut Collector) {
        if self.first != Some(first) {
            self.finish(found);
            (self.first, self.next, self.closed) = (Some(first), Some(first), false);
        }
    }

    /// Whether nothing more can come of it.
    pub(super) fn is_over(&self) -> bool {
        self.closed && self.waiting.is_empty()
    }

    /// Ends the stream: what still waits comes after a hole.
    pub(super) fn finish(&mut self, found: &mut Collector) {
        while !self.waiting.is_empty() {
            self.skip_hole(found);
        }
        self.framer.finish(found);
        self.next = None;
    }

    fn wait(&mut self, sequence: u32, packet: &Packet, payload: &[u8], found: &mut Collector) {
        let longer = self.waiting.get(&sequence).is_none_or(|known| known.octets.len() < payload.len());
        if longer {
            let segment = Waiting { frame: packet.frame, time: packet.time, octets: payload.to_vec() };
            let known = self.waiting.insert(sequence, segment);
            self.octets_waiting += payload.len();
            self.octets_waiting -= known.map_or(0, |known| known.octets.len());
        }
        while self.octets_waiting > MAX_WAITING {
            self.skip_hole(found);
        }
    }

    /// Takes the octets of a segment that are new.
    fn take(&mut self, sequence: u32, packet: &Packet, payload: &[u8], found: &mut Collector) {
        let next = self.next.unwrap_or(sequence);
        let known = usize::try_from(ahead(next, sequence)).unwrap_or(0);
        let Some(new) = payload.get(known..).filter(|new| !new.is_empty()) else { return };
        let end = u32::try_from(payload.len()).unwrap_or(0);
        self.next = Some(sequence.wrapping_add(end));
        self.framer.add(new, packet, found);
    }

    fn take_waiting(&mut self, found: &mut Collector) {
        while let Some(sequence) = self.first_waiting()
            && self.next.is_some_and(|next| ahead(sequence, next) <= 0)
        {
            self.take_one(sequence, found);
        }
    }

    fn take_one(&mut self, sequence: u32, found: &mut Collector) {
        if let Some(segment) = self.waiting.remove(&sequence) {
            self.octets_waiting -= segment.octets.len();
            if let Some(packet) = self.packet_of(&segment) {
                self.take(sequence, &packet, &segment.octets, found);
            }
        }
    }

    fn skip_hole(&mut self, found: &mut Collector) {
        let (Some(sequence), Some(next)) = (self.first_waiting(), self.next) else { return };
        if let Some(segment) = self.waiting.get(&sequence) {
            let octets = sequence.wrapping_sub(next);
            let origin = Origin { packet: self.packet_of(segment), ..Origin::default() };
            self.framer.finish(found);
            found.fault(Fault::Hole { octets }, &origin);
        }
        self.next = Some(sequence);
        self.take_waiting(found);
    }

    fn packet_of(&self, segment: &Waiting) -> Option<Packet> {
        let packet = self.packet.clone()?;
        Some(Packet { frame: segment.frame, time: segment.time, ..packet })
    }

    /// The sequence number closest to the next, in the order of the stream: numbers wrap around.
    fn first_waiting(&self) -> Option<u32> {
        let next = self.next?;
        let past = next.wrapping_sub(1 << 31);
        // From half a round behind the next number to half a round ahead of it.
        let later = self.waiting.range(past..).next();
        later.or_else(|| self.waiting.iter().next()).map(|(sequence, _)| *sequence)
    }
}

/// How far `sequence` lies ahead of `next`; below 0 if it lies behind.
fn ahead(sequence: u32, next: u32) -> i32 {
    sequence.wrapping_sub(next).cast_signed()
}
