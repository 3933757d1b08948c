//! Writes what a network and a capture program would: packets, pcap, pcapng.
use etherparse::{PacketBuilder, VlanId};

pub const ETHERNET: u32 = 1;
pub const RAW: u32 = 101;
pub const LOOPBACK: u32 = 0;
pub const COOKED: u32 = 113;
pub const COOKED_2: u32 = 276;

const ALICE: [u8; 4] = [192, 0, 2, 1];
const BOB: [u8; 4] = [192, 0, 2, 2];
const PORT: u16 = 5060;

/// An Ethernet frame with a UDP datagram between the ports of SIP.
pub fn udp(payload: &[u8]) -> Vec<u8> {
    udp_to(PORT, payload)
}

/// The same between other ports.
pub fn udp_to(port: u16, payload: &[u8]) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4(ALICE, BOB, 64).udp(port, port);
    let mut octets = Vec::new();
    builder.write(&mut octets, payload).unwrap();
    octets
}

/// The IP packet of such a frame.
pub fn ip(payload: &[u8]) -> Vec<u8> {
    udp(payload).split_off(14)
}

/// A frame with a VLAN tag and IPv6.
pub fn vlan_ipv6(payload: &[u8]) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2([2; 6], [4; 6])
        .single_vlan(VlanId::try_new(7).unwrap())
        .ipv6([1; 16], [2; 16], 64)
        .udp(PORT, PORT);
    let mut octets = Vec::new();
    builder.write(&mut octets, payload).unwrap();
    octets
}

/// An Ethernet frame with a segment of one TCP stream.
pub fn tcp(sequence: u32, syn: bool, payload: &[u8]) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4(ALICE, BOB, 64).tcp(40000, PORT, sequence, 65535);
    let builder = if syn { builder.syn() } else { builder.ack(1) };
    let mut octets = Vec::new();
    builder.write(&mut octets, payload).unwrap();
    octets
}

/// The fragments of an IP packet, each with `size` octets of its payload.
pub fn fragments(packet: &[u8], size: usize) -> Vec<Vec<u8>> {
    let (header, payload) = packet.split_at(20);
    let count = payload.chunks(size).count();
    payload
        .chunks(size)
        .enumerate()
        .map(|(index, piece)| {
            let mut fragment = [header, piece].concat();
            let length = u16::try_from(fragment.len()).unwrap();
            let more = if index + 1 < count { 0x2000 } else { 0 };
            let offset = u16::try_from(index * size / 8).unwrap() | more;
            fragment[2..4].copy_from_slice(&length.to_be_bytes());
            fragment[4..6].copy_from_slice(&[0, 77]);
            fragment[6..8].copy_from_slice(&offset.to_be_bytes());
            fragment
        })
        .collect()
}

/// A pcap file, one frame a second from 2023-11-14T22:13:20Z on.
pub fn pcap(link: u32, frames: &[Vec<u8>]) -> Vec<u8> {
    pcap_by(u32::to_le_bytes, u16::to_le_bytes, link, frames)
}

pub fn pcap_big_endian(link: u32, frames: &[Vec<u8>]) -> Vec<u8> {
    pcap_by(u32::to_be_bytes, u16::to_be_bytes, link, frames)
}

fn pcap_by(long: fn(u32) -> [u8; 4], short: fn(u16) -> [u8; 2], link: u32, frames: &[Vec<u8>]) -> Vec<u8> {
    let mut file = long(0xa1b2_c3d4).to_vec();
    file.extend([short(2), short(4)].concat());
    file.extend([0, 0, 262_144, link].map(long).concat());
    for (second, frame) in (1_700_000_000..).zip(frames) {
        let length = u32::try_from(frame.len()).unwrap();
        file.extend([second, 250_000, length, length].map(long).concat());
        file.extend(frame);
    }
    file
}

/// The same as pcapng with time stamps in nanoseconds.
pub fn pcapng(link: u32, frames: &[Vec<u8>]) -> Vec<u8> {
    let link = u16::try_from(link).unwrap();
    let section = [&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat();
    let resolution = [9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0];
    let interface = [&link.to_le_bytes()[..], &[0, 0], &[0; 4], &resolution].concat();
    let mut file = [block(0x0a0d_0d0a, &section), block(1, &interface)].concat();
    for (second, frame) in (1_700_000_000_u64..).zip(frames) {
        let time = second * 1_000_000_000 + 250_000_000;
        let length = u32::try_from(frame.len()).unwrap();
        let [high, low] = [time >> 32, time & 0xffff_ffff].map(|half| u32::try_from(half).unwrap());
        let head = [0, high, low, length, length].map(u32::to_le_bytes).concat();
        file.extend(block(6, &[&head[..], frame].concat()));
    }
    file
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let padding = vec![0; body.len().wrapping_neg() % 4];
    let length = u32::try_from(12 + body.len() + padding.len()).unwrap().to_le_bytes();
    [&kind.to_le_bytes()[..], &length, body, &padding, &length].concat()
}
