//! What `inspect` reads: texts, dumps, SIP, captures.

use crate::assert_bound;
use crate::message::{base64, invite, octets};
use crate::wire::{self, ETHERNET, RAW};
use etherparse::PacketBuilder;
use mikey_sakke::capture::read;

/// Octets that readers of captures may allocate whatever the input: what is open at once of connections and fragments.
const FLOOR: usize = 64 << 10;

const COUNTS: [usize; 9] = [1, 10, 100, 300, 1000, 3000, 4000, 5000, 20_000];

fn assert_read(what: &str, input: &[u8]) {
    assert_bound(what, input, FLOOR, read);
}

#[test]
fn texts_of_the_smallest_parts() {
    let sip = b"INVITE a SIP/2.0\n";
    for count in COUNTS {
        let of = |unit: &str| unit.repeat(count).into_bytes();
        assert_read("key-mgmt lines without a message", &of("a=key-mgmt:\n"));
        assert_read("key-mgmt lines that are no base64", &of("a=key-mgmt:mikey !\n"));
        assert_read("the smallest messages", &of("a=key-mgmt:mikey AQ\n"));
        assert_read("hex", &of("01"));
        assert_read("base64", &of("AAAA"));
        assert_read("control characters", &of("\u{1}"));
        assert_read("dumps of one octet", &of("0000 01\n"));
        assert_read("rows without octets", &[b"0000 01\n".to_vec(), of("0001 \n")].concat());
        assert_read("dumps of two octets, a message each", &of("0000 01 1a\n"));
        assert_read("header fields", &[sip.to_vec(), of("a:\n"), b"\n".to_vec()].concat());
        assert_read("header fields of one name", &[sip.to_vec(), of("i:1\n"), b"\n".to_vec()].concat());
        assert_read("a header field that is folded", &[&sip[..], b"i:1\n", &of(" 2\n"), b"\n"].concat());
        assert_read("a header field that is no UTF-8", &[&sip[..], b"i:", &vec![0xff; 4 * count], b"\n\n"].concat());
        assert_read("SIP messages", &of("A a SIP/2.0\nl:0\n\n"));
        assert_read("RTSP messages", &of("A a RTSP/1.0\n\n"));
        assert_read("RTSP messages with a key", &of("A a RTSP/1.0\nkeymgmt:prot=mikey;data=AQ\n\n"));
        assert_read("RTSP messages with a broken header", &of("A a RTSP/1.0\nkeymgmt:\n\n"));
        let rtsp = format!("A {} RTSP/1.0\n", "u".repeat(count.min(4000)));
        let headers = [rtsp.as_bytes(), &of("keymgmt:prot=m;data=A\n"), b"\n"].concat();
        assert_read("headers of RTSP", &headers);
        let specs = vec!["prot=mikey;uri=\"a\";data=AQ"; count].join(",");
        assert_read("a header of RTSP", &[rtsp.as_bytes(), b"keymgmt:", specs.as_bytes(), b"\n\n"].concat());
        assert_read("a header alone", &[b"keymgmt:", specs.as_bytes()].concat());
    }
}

#[test]
fn bodies_of_the_smallest_parts() {
    for count in COUNTS {
        for part in ["--b\n", "--b\n\n", "--b\nc:application/sdp\n\na=key-mgmt:\n", "--b\nc:application/mikey\n\n1\n"] {
            let head = format!("INVITE a SIP/2.0\ni:{}\nc:multipart/mixed;boundary=b\n\n", "x".repeat(count));
            assert_read("multipart", &[head.as_bytes(), &part.repeat(count).into_bytes(), b"--b--"].concat());
        }
        for encoding in ["base64", "quoted-printable", "binary"] {
            let head = format!("A a SIP/2.0\nc:application/mikey\nContent-Transfer-Encoding:{encoding}\n\n");
            assert_read(encoding, &[head.as_bytes(), &b"=41A".repeat(count)].concat());
        }
    }
}

#[test]
fn a_dump_stands_for_little_more_than_its_text() {
    let squeezed = b"0000  01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10\n*\n000fff00  01\n";
    for count in [1, 10, 100, 1000] {
        assert_read("rows that are left out", &squeezed.repeat(count));
    }
}

#[test]
fn captures_of_the_smallest_packets() {
    let broken = b"INVITE b SIP/2.0\nc:application/sdp\n\na=key-mgmt:\n";
    for count in COUNTS {
        let frames = |frame: &dyn Fn(usize) -> Vec<u8>| (0..count).map(frame).collect::<Vec<_>>();
        let raw = |frames: &[Vec<u8>]| wire::pcap(RAW, frames);
        assert_read("no packets", &raw(&frames(&|_| vec![])));
        assert_read("datagrams that are no SIP", &raw(&frames(&|_| wire::ip(b"key-mgmt:"))));
        assert_read("datagrams with a broken line", &raw(&frames(&|_| wire::ip(broken))));
        assert_read("datagrams of MIKEY", &raw(&frames(&|_| wire::udp_to(2269, &[1, 26]).split_off(14))));
        assert_read("connections", &raw(&frames(&|index| segment(index, 1, &[], true))));
        assert_read("connections with an octet", &raw(&frames(&|index| segment(index, 1, b"A", false))));
        let stream = |octets: &[u8]| {
            let segments: Vec<_> = octets.chunks(1000).enumerate().collect();
            let frame = |(index, piece): &(usize, &[u8])| segment_to(2269, 1, 1 + index * 1000, piece, false);
            wire::pcap(RAW, &segments.iter().map(frame).collect::<Vec<_>>())
        };
        assert_read("a stream of MIKEY", &stream(&[1, 6, 0, 0, 0, 0, 0, 1, 0, 1].repeat(count)));
        assert_read(
            "a stream of MIKEY that does not end",
            &stream(&[&[1, 6, 11][..], &[11; 9].repeat(count)].concat()),
        );
        let media = [&b"A a RTSP/1.0\n\n"[..], &b"$\0\0\0".repeat(count)].concat();
        assert_read("media of RTSP", &stream(&media));
        assert_read("octets out of order", &raw(&frames(&|index| segment(1, 9 + 2 * index, b"A", false))));
        assert_read("fragments of many packets", &raw(&frames(&fragment)));
        let link = |index: usize| u32::try_from(1000 + index).unwrap();
        let interfaces = (0..count).map(|index| wire::pcapng(link(index), &[vec![0; 4]])).collect::<Vec<_>>();
        assert_read("networks that are not known", &interfaces.concat());
    }
}

/// An IP packet with a segment of the connection with this number.
fn segment(connection: usize, sequence: usize, payload: &[u8], syn: bool) -> Vec<u8> {
    segment_to(5060, connection, sequence, payload, syn)
}

fn segment_to(port: u16, connection: usize, sequence: usize, payload: &[u8], syn: bool) -> Vec<u8> {
    let [high, low] = u16::try_from(connection % 65_536).unwrap().to_be_bytes();
    let sequence = u32::try_from(sequence).unwrap();
    let builder = PacketBuilder::ipv4([10, 0, high, low], [10, 1, 0, 1], 64).tcp(40_000, port, sequence, 65_535);
    let builder = if syn { builder.syn() } else { builder.ack(1) };
    let mut octets = Vec::new();
    builder.write(&mut octets, payload).unwrap();
    octets
}

/// The first fragment of a packet of its own.
fn fragment(index: usize) -> Vec<u8> {
    let mut packet = wire::fragments(&wire::ip(&[7; 64]), 8).remove(0);
    packet[4..6].copy_from_slice(&u16::try_from(index % 65_536).unwrap().to_be_bytes());
    packet
}

#[test]
fn what_the_field_sends() {
    let (octets, sip) = (octets(), invite(&octets()));
    let hex: String = octets.iter().map(|octet| format!("{octet:02x} ")).collect();
    for input in [octets.clone(), base64(&octets).into_bytes(), hex.into_bytes(), sip.clone()] {
        assert_read("a message", &input);
    }
    for count in [1, 10, 100, 1000] {
        let datagrams = vec![wire::udp(&sip); count];
        assert_read("datagrams", &wire::pcap(ETHERNET, &datagrams));
        assert_read("datagrams", &wire::pcapng(ETHERNET, &datagrams));
        let stream = sip.repeat(count);
        for size in [1, 100, 1400] {
            let mut segments: Vec<_> = stream.chunks(size).take(20_000).enumerate().collect();
            let frames = |segments: &[(usize, &[u8])]| -> Vec<_> {
                segments.iter().map(|(index, octets)| segment(1, 2 + index * size, octets, false)).collect()
            };
            assert_read("a stream", &wire::pcap(RAW, &frames(&segments)));
            segments[1..].reverse();
            assert_read("a stream backwards", &wire::pcap(RAW, &frames(&segments)));
        }
    }
}
