//! From captures, dumps and bare octets to messages.
use super::file::{self, Frame};
use super::fragments::Fragments;
use super::hex_dump::Blocks;
use super::packet::{self, IpPayload};
use super::tcp::Stream;
use super::{Collector, Fault, Form, Found, Origin, Packet, Transport, sdp, sip};
use crate::mikey::DataType;
use core::net::SocketAddr;
use core::time::Duration;
use etherparse::{TcpSlice, UdpSlice};
use std::collections::{BTreeMap, BTreeSet};

/// The port that MIKEY has of its own (RFC 3830 11).
const MIKEY_PORT: u16 = 2269;
const UDP: u8 = 17;
const TCP: u8 = 6;
const ETHERNET: i32 = 1;
const RAW_IP: i32 = 101;
/// Directions of connections that are followed at once, of any capture.
const MAX_STREAMS: usize = 4096;
/// Octets of the capture for each of them, beyond the first [`FREE_STREAMS`].
const INPUT_PER_STREAM: usize = 768;
const FREE_STREAMS: usize = 48;

/// Every message of a capture file.
pub(super) fn capture(input: &[u8]) -> Found {
    let mut reader = Reader::new(input.len());
    let outcome = file::frames(input, |frame| reader.frame(&frame));
    if let Err(fault) = outcome {
        reader.found.fault(fault, &Origin::of(Form::Capture));
    }
    reader.finish()
}

/// What octets are that came without a word about it: a MIKEY message, a packet, or text. If nothing fits, they are
/// taken as a message, so that its parser says what is wrong with them.
pub(super) fn octets(octets: &[u8], form: Form, found: &mut Collector) {
    blocks_of(core::iter::once(octets), form, found);
}

/// The same for the blocks of a hex dump, which may be packets of one stream.
pub(super) fn blocks(blocks: &Blocks, found: &mut Collector) {
    blocks_of(blocks.iter(), Form::HexDump, found);
}

fn blocks_of<'a>(blocks: impl Iterator<Item = &'a [u8]> + Clone, form: Form, found: &mut Collector) {
    let packets = packets(blocks.clone());
    let no_packets = packets.messages.is_empty() && packets.unread.is_empty();
    for block in blocks {
        let content = block.trim_ascii_start();
        if is_mikey(block) {
            found.add(block.to_vec(), Vec::new(), Origin::of(form));
        } else if sip::begins(content) {
            sip::read_all(content, &Origin::of(form), found);
        } else if no_packets && sdp::is_in(block) {
            sdp::read(block, &Origin::of(form), found);
        } else if no_packets {
            found.add(block.to_vec(), Vec::new(), Origin::of(form));
        }
    }
    found.extend(packets);
}

/// What blocks hold as packets of IP or Ethernet.
fn packets<'a>(blocks: impl Iterator<Item = &'a [u8]> + Clone) -> Found {
    let mut reader = Reader::new(blocks.clone().map(<[u8]>::len).sum());
    for (number, block) in (1..).zip(blocks) {
        if is_mikey(block) {
            continue;
        }
        let link = match block.first().map(|octet| octet >> 4) {
            Some(4 | 6) => RAW_IP,
            _ => ETHERNET,
        };
        reader.frame(&Frame { number, time: None, link, octets: block, original_len: block.len() });
    }
    reader.finish()
}

/// Whether a message of version 1 begins here.
fn is_mikey(octets: &[u8]) -> bool {
    matches!(octets, [1, data_type, ..] if DataType::from_number(*data_type).is_some())
}

/// Follows the packets of a capture.
struct Reader {
    found: Collector,
    fragments: Fragments,
    streams: BTreeMap<(SocketAddr, SocketAddr), Stream>,
    max_streams: usize,
    /// Link types that were named already.
    unknown_links: BTreeSet<i32>,
    /// Packets that the capture cut: how many, and the first.
    cut: Option<(u64, u64)>,
    told_of_streams: bool,
}

impl Reader {
    /// For a capture of so many octets.
    fn new(input_len: usize) -> Self {
        Self {
            found: Collector::new(input_len),
            fragments: Fragments::new(input_len),
            streams: BTreeMap::new(),
            max_streams: MAX_STREAMS.min(FREE_STREAMS + input_len / INPUT_PER_STREAM),
            unknown_links: BTreeSet::new(),
            cut: None,
            told_of_streams: false,
        }
    }

    fn frame(&mut self, frame: &Frame<'_>) {
        if frame.octets.len() < frame.original_len {
            let (count, first) = self.cut.unwrap_or((0, frame.number));
            self.cut = Some((count + 1, first));
        }
        match packet::ip_payload(frame.link, frame.octets) {
            Ok(Some(payload)) => self.ip_payload(&payload, frame.number, frame.time),
            Ok(None) => {}
            Err(fault) if self.unknown_links.insert(frame.link) => {
                self.found.fault(fault, &Origin::of(Form::Capture));
            }
            Err(_) => {}
        }
    }

    fn ip_payload(&mut self, payload: &IpPayload<'_>, number: u64, time: Option<Duration>) {
        let Some(fragment) = payload.fragment else {
            return self.transport(payload, payload.octets, number, time);
        };
        if let Some(whole) = self.fragments.add(payload, fragment) {
            self.transport(payload, &whole, number, time);
        } else if self.fragments.is_full() {
            self.fragments.clear();
            let fault = Fault::TooManyFragments { limit: self.fragments.limit() };
            self.found.fault(fault, &Origin::of(Form::Capture));
        }
    }

    fn transport(&mut self, payload: &IpPayload<'_>, octets: &[u8], number: u64, time: Option<Duration>) {
        let packet = |transport, ports: (u16, u16)| Packet {
            frame: number,
            time,
            source: SocketAddr::new(payload.source, ports.0),
            destination: SocketAddr::new(payload.destination, ports.1),
            transport,
        };
        match payload.protocol {
            UDP => {
                let Ok(datagram) = UdpSlice::from_slice_lax(octets) else { return };
                let ports = (datagram.source_port(), datagram.destination_port());
                self.datagram(datagram.payload(), packet(Transport::Udp, ports));
            }
            TCP => {
                let Ok(segment) = TcpSlice::from_slice(octets) else { return };
                let ports = (segment.source_port(), segment.destination_port());
                self.segment(&segment, packet(Transport::Tcp, ports));
            }
            _ => {}
        }
    }

    fn datagram(&mut self, octets: &[u8], packet: Packet) {
        let of_mikey = [packet.source.port(), packet.destination.port()].contains(&MIKEY_PORT);
        let origin = Origin { packet: Some(packet), ..Origin::default() };
        let text = octets.trim_ascii_start();
        if of_mikey && is_mikey(octets) {
            self.found.add(octets.to_vec(), Vec::new(), origin);
        } else if sip::begins(text) && text.contains(&b'\n') {
            sip::read_datagram(text, &origin, &mut self.found);
        } else if sdp::is_in(octets) {
            self.found.fault(Fault::OutsideSip, &origin);
        }
    }

    fn segment(&mut self, segment: &TcpSlice<'_>, packet: Packet) {
        let key = (packet.source, packet.destination);
        if !self.streams.contains_key(&key) && !self.has_room() {
            return;
        }
        self.streams.entry(key).or_default().add(segment, packet, &mut self.found);
    }

    /// Makes room for another stream, if need be by letting go of those that are over.
    fn has_room(&mut self) -> bool {
        if self.streams.len() < self.max_streams {
            return true;
        }
        let found = &mut self.found;
        self.streams.retain(|_, stream| {
            let over = stream.is_over();
            if over {
                stream.finish(found);
            }
            !over
        });
        let room = self.streams.len() < self.max_streams;
        if !room && !self.told_of_streams {
            self.told_of_streams = true;
            self.found.fault(Fault::TooManyStreams { limit: self.max_streams }, &Origin::of(Form::Capture));
        }
        room
    }

    fn finish(mut self) -> Found {
        for stream in self.streams.values_mut() {
            stream.finish(&mut self.found);
        }
        for _ in 0..self.fragments.clear() {
            self.found.fault(Fault::Fragments, &Origin::of(Form::Capture));
        }
        if let Some((count, frame)) = self.cut {
            self.found.fault(Fault::PacketsCut { count, frame }, &Origin::of(Form::Capture));
        }
        self.found.into_found()
    }
}
