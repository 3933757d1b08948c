//! The TCP streams that are followed at once.
use super::tcp::Stream;
use super::{Collector, Fault, Form, Origin, Packet};
use core::net::SocketAddr;
use etherparse::TcpSlice;
use std::collections::{BTreeMap, BTreeSet};

/// Directions of connections that are followed at once, of any capture.
const MAX_STREAMS: usize = 4096;
/// Octets of the capture for each of them, beyond the first [`FREE_STREAMS`].
const INPUT_PER_STREAM: usize = 768;
const FREE_STREAMS: usize = 48;

type Key = (SocketAddr, SocketAddr);

/// As many streams as the length of the capture pays for.
pub(super) struct Streams {
    followed: BTreeMap<Key, Stream>,
    /// Those of them that were over when their last segment came: the first to go when room is needed, without a look at
    /// the others.
    over: BTreeSet<Key>,
    limit: usize,
    told_of_limit: bool,
    /// How many streams were looked at to make room.
    #[cfg(test)]
    looks: usize,
}

impl Streams {
    /// For a capture of so many octets.
    pub(super) fn new(input_len: usize) -> Self {
        Self {
            followed: BTreeMap::new(),
            over: BTreeSet::new(),
            limit: MAX_STREAMS.min(FREE_STREAMS + input_len / INPUT_PER_STREAM),
            told_of_limit: false,
            #[cfg(test)]
            looks: 0,
        }
    }

    /// Adds a segment to its stream, unless that is new and there is no room for it.
    pub(super) fn add(&mut self, segment: &TcpSlice<'_>, packet: Packet, found: &mut Collector) {
        let key = (packet.source, packet.destination);
        if !self.followed.contains_key(&key) && !self.has_room(found) {
            return;
        }
        let stream = self.followed.entry(key).or_default();
        stream.add(segment, packet, found);
        if stream.is_over() {
            self.over.insert(key);
        } else {
            self.over.remove(&key);
        }
    }

    /// Ends them all.
    pub(super) fn finish(&mut self, found: &mut Collector) {
        self.followed.values_mut().for_each(|stream| stream.finish(found));
    }

    /// Makes room for another stream, if need be by letting go of one that is over.
    fn has_room(&mut self, found: &mut Collector) -> bool {
        if self.followed.len() < self.limit {
            return true;
        }
        let Some(mut stream) = self.over.pop_first().and_then(|key| self.followed.remove(&key)) else {
            if !self.told_of_limit {
                self.told_of_limit = true;
                found.fault(Fault::TooManyStreams { limit: self.limit }, &Origin::of(Form::Capture));
            }
            return false;
        };
        #[cfg(test)]
        {
            self.looks += 1;
        }
        stream.finish(found);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Transport;
    use etherparse::{TcpHeader, TcpSlice};

    /// Adds a segment of the connection with this number, which is closed with it or goes on.
    fn add(streams: &mut Streams, connection: u16, fin: bool, found: &mut Collector) {
        let header = TcpHeader { ack: true, fin, ..TcpHeader::new(connection, 5060, 1, 65_535) };
        let octets = header.to_bytes();
        let source = SocketAddr::from(([192, 0, 2, 1], connection));
        let destination = SocketAddr::from(([192, 0, 2, 2], 5060));
        let packet = Packet { frame: 1, time: None, source, destination, transport: Transport::Tcp };
        streams.add(&TcpSlice::from_slice(&octets).unwrap(), packet, found);
    }

    #[test]
    fn room_is_made_without_looking_at_streams_that_go_on() {
        let mut found = Collector::new(0);
        let mut streams = Streams::new(0);
        assert_eq!(streams.limit, FREE_STREAMS);
        (0..60_000).for_each(|connection| add(&mut streams, connection, false, &mut found));
        assert_eq!((streams.looks, streams.followed.len()), (0, FREE_STREAMS), "none of them is over");
        add(&mut streams, 7, true, &mut found);
        (50_000..60_000).for_each(|connection| add(&mut streams, connection, true, &mut found));
        assert_eq!((streams.looks, streams.followed.len()), (10_000, FREE_STREAMS), "each makes room for the next");
        let faults: Vec<_> = found.into_found().unread.into_iter().map(|unread| unread.fault).collect();
        assert_eq!(faults, [Fault::TooManyStreams { limit: FREE_STREAMS }]);
    }

    #[test]
    fn a_connection_that_opens_again_stays() {
        let mut found = Collector::new(0);
        let mut streams = Streams::new(0);
        (0..48).for_each(|connection| add(&mut streams, connection, false, &mut found));
        add(&mut streams, 7, true, &mut found);
        assert_eq!(streams.over.len(), 1);
        let header = TcpHeader { syn: true, ..TcpHeader::new(7, 5060, 900, 65_535) };
        let octets = header.to_bytes();
        let (source, destination) = (SocketAddr::from(([192, 0, 2, 1], 7)), SocketAddr::from(([192, 0, 2, 2], 5060)));
        let packet = Packet { frame: 1, time: None, source, destination, transport: Transport::Tcp };
        streams.add(&TcpSlice::from_slice(&octets).unwrap(), packet, &mut found);
        assert!(streams.over.is_empty());
        add(&mut streams, 100, false, &mut found);
        assert!(streams.followed.keys().all(|(source, _)| source.port() != 100));
    }
}
