//! From captures, dumps and bare octets to messages.
use super::file::{self, Frame};
use super::fragments::Fragments;
use super::hex_dump::Blocks;
use super::packet::{self, IpPayload};
use super::streams::Streams;
use super::{Collector, Fault, Form, Found, Origin, Packet, Transport, bare, sdp, sip, start_line};
use core::net::SocketAddr;
use core::time::Duration;
use etherparse::{TcpSlice, UdpSlice};
use std::collections::BTreeSet;

const UDP: u8 = 17;
const TCP: u8 = 6;
const ETHERNET: i32 = 1;
const RAW_IP: i32 = 101;
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
        if bare::begins(block) {
            found.add(block.to_vec(), Vec::new(), Origin::of(form));
        } else if start_line::begins(content) {
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
        if bare::begins(block) {
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

/// Follows the packets of a capture.
struct Reader {
    found: Collector,
    fragments: Fragments,
    streams: Streams,
    /// Link types that were named already.
    unknown_links: BTreeSet<i32>,
    /// Packets that the capture cut: how many, and the first.
    cut: Option<(u64, u64)>,
}

impl Reader {
    /// For a capture of so many octets.
    fn new(input_len: usize) -> Self {
        Self {
            found: Collector::new(input_len),
            fragments: Fragments::new(input_len),
            streams: Streams::new(input_len),
            unknown_links: BTreeSet::new(),
            cut: None,
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
                self.streams.add(&segment, packet(Transport::Tcp, ports), &mut self.found);
            }
            _ => {}
        }
    }

    fn datagram(&mut self, octets: &[u8], packet: Packet) {
        let of_mikey = bare::is_between(&packet);
        let origin = Origin { packet: Some(packet), ..Origin::default() };
        let text = octets.trim_ascii_start();
        if of_mikey && bare::begins(octets) {
            self.found.add(octets.to_vec(), Vec::new(), origin);
        } else if start_line::begins(text) && text.contains(&b'\n') {
            sip::read_datagram(text, &origin, &mut self.found);
        } else if sdp::is_in(octets) {
            self.found.fault(Fault::OutsideSip, &origin);
        }
    }

    fn finish(mut self) -> Found {
        self.streams.finish(&mut self.found);
        for _ in 0..self.fragments.clear() {
            self.found.fault(Fault::Fragments, &Origin::of(Form::Capture));
        }
        if let Some((count, frame)) = self.cut {
            self.found.fault(Fault::PacketsCut { count, frame }, &Origin::of(Form::Capture));
        }
        self.found.into_found()
    }
}
