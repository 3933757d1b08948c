use crate::message::{base64, invite, octets};
use crate::wire::{self, COOKED, COOKED_2, ETHERNET, LOOPBACK, RAW};
use mikey_sakke::capture::{self, Error, Fault, Found, MAX_CAPTURE_LEN, Transport, read};
use std::time::Duration;

fn faults(input: &[u8]) -> Vec<Fault> {
    let unread = match read(input) {
        Ok(found) => found.unread,
        Err(Error::NoMessage { unread }) => unread,
        Err(error) => panic!("{error}"),
    };
    unread.into_iter().map(|unread| unread.fault).collect()
}

fn only(found: Found) -> capture::Mikey {
    assert_eq!((found.messages.len(), found.unread.len()), (1, 0), "{found:?}");
    found.messages.into_iter().next().unwrap()
}

/// A stream of segments of `size` octets, with its SYN.
fn segments(stream: &[u8], first: u32, size: usize) -> Vec<Vec<u8>> {
    let mut frames = vec![wire::tcp(first, true, &[])];
    let mut sequence = first.wrapping_add(1);
    for piece in stream.chunks(size) {
        frames.push(wire::tcp(sequence, false, piece));
        sequence = sequence.wrapping_add(u32::try_from(piece.len()).unwrap());
    }
    frames
}

#[test]
fn every_network_gives_the_same_octets() {
    let sip = invite(&octets());
    let ip = wire::ip(&sip);
    let loopback = [&[2, 0, 0, 0], ip.as_slice()].concat();
    let cooked = [&[0; 14][..], &[8, 0], &ip].concat();
    let cooked_2 = [&[8, 0][..], &[0; 18], &ip].concat();
    for (link, frame) in [
        (ETHERNET, wire::udp(&sip)),
        (ETHERNET, wire::vlan_ipv6(&sip)),
        (RAW, ip),
        (LOOPBACK, loopback),
        (COOKED, cooked),
        (COOKED_2, cooked_2),
    ] {
        let frames = [frame];
        for file in [wire::pcap(link, &frames), wire::pcap_big_endian(link, &frames), wire::pcapng(link, &frames)] {
            let message = only(read(&file).unwrap());
            assert_eq!(message.octets, octets(), "link type {link}");
            let packet = message.origin.packet.unwrap();
            assert_eq!((packet.frame, packet.transport), (1, Transport::Udp));
            assert_eq!(packet.time, Some(Duration::from_millis(1_700_000_000_250)));
            assert_eq!((packet.source.port(), packet.destination.port()), (5060, 5060));
            let sip = message.origin.sip.unwrap();
            assert_eq!((sip.method.as_deref(), sip.call_id.as_deref()), (Some("INVITE"), Some("call-1")));
        }
    }
}

#[test]
fn a_stream_is_put_together_whatever_the_order() {
    let stream = invite(&octets()).repeat(2);
    for size in [1, 100, 1000, 60_000] {
        // Sequence numbers wrap around within the stream.
        let mut frames = segments(&stream, u32::MAX - 50, size);
        let found = read(&wire::pcap(ETHERNET, &frames)).unwrap();
        assert_eq!((found.messages.len(), found.unread.len()), (2, 0), "{size}");
        frames[1..].reverse();
        frames.extend(segments(&stream, u32::MAX - 50, 77));
        let found = read(&wire::pcap(ETHERNET, &frames)).unwrap();
        assert_eq!((found.messages.len(), found.unread.len()), (2, 0), "{size} backwards and again");
        assert!(found.messages.iter().all(|message| message.octets == octets()));
    }
}

#[test]
fn a_hole_is_named_and_what_follows_is_read() {
    let one = invite(&octets());
    let stream = one.repeat(2);
    let mut frames = segments(&stream, 1000, one.len() / 2);
    frames.remove(2);
    let found = read(&wire::pcap(ETHERNET, &frames)).unwrap();
    assert_eq!(found.messages.len(), 1);
    let faults: Vec<_> = found.unread.into_iter().map(|unread| unread.fault).collect();
    assert!(matches!(faults[..], [Fault::SipCut { .. }, Fault::Hole { octets }] if octets > 100), "{faults:?}");
}

#[test]
fn fragments_are_put_together_or_named() {
    let mut frames = wire::fragments(&wire::ip(&invite(&octets())), 480);
    assert!(frames.len() > 2);
    frames.reverse();
    assert_eq!(only(read(&wire::pcap(RAW, &frames)).unwrap()).octets, octets());
    frames.pop();
    assert_eq!(faults(&wire::pcap(RAW, &frames)), [Fault::Fragments]);
}

#[test]
fn extension_headers_of_ipv6_that_are_cut_are_not_read_beyond() {
    let whole = wire::vlan_ipv6(&invite(&octets())).split_off(18);
    // Hop-by-hop options, routing, fragment, authentication, destination options.
    for kind in [0, 43, 44, 51, 60] {
        for further in [0, 43, 44, 51, 60] {
            let mut packet = whole.clone();
            packet[6] = kind;
            packet[40] = further;
            for length in [40, 41, 47, 48, 49, 56, 80] {
                // Text that stands where a fragment header would may well make one.
                let faults = faults(&wire::pcap(RAW, &[packet[..length].to_vec()]));
                assert!(faults.iter().all(|fault| *fault == Fault::Fragments), "{kind} {further} {length}: {faults:?}");
            }
        }
    }
}

#[test]
fn what_is_no_message_is_named() {
    let tls = wire::tcp(1, false, &[22, 3, 1, 0, 5, 1, 0, 0, 1, 0]);
    assert_eq!(faults(&wire::pcap(ETHERNET, &[tls])), [Fault::Tls]);
    let http = wire::tcp(1, false, b"HTTP/1.1 200 OK\r\n\r\na=key-mgmt:mikey AAAA\r\n");
    assert_eq!(faults(&wire::pcap(ETHERNET, &[http])), [Fault::OutsideSip]);
    let broken = b"INVITE sip:b SIP/2.0\r\nContent-Type: application/sdp\r\n\r\na=key-mgmt:mikey A!\r\n";
    let broken = faults(&wire::pcap(ETHERNET, &[wire::udp(broken)]));
    assert!(matches!(broken[..], [Fault::KeyManagement { line: 1, .. }]), "{broken:?}");
    let unmeasured = wire::tcp(1, false, b"INVITE sip:b SIP/2.0\r\nContent-Type: application/sdp\r\n\r\n");
    assert_eq!(faults(&wire::pcap(ETHERNET, &[unmeasured])), [Fault::SipLength]);
    let long = wire::tcp(1, false, b"INVITE sip:b SIP/2.0\r\nl: 9999999\r\n\r\n");
    assert!(matches!(faults(&wire::pcap(ETHERNET, &[long]))[..], [Fault::SipTooLong { .. }]));
    let cut = b"INVITE sip:b SIP/2.0\r\nContent-Length: 9\r\n\r\nv=0";
    assert_eq!(faults(&wire::pcap(ETHERNET, &[wire::udp(cut)])), [Fault::SipCut { present: 3, stated: 9 }]);
    let unended = b"INVITE sip:b SIP/2.0\r\nCall-ID: 1\r\n";
    assert_eq!(faults(&wire::pcap(ETHERNET, &[wire::udp(unended)])), [Fault::SipHeaders]);
}

#[test]
fn what_is_wrong_with_a_capture_is_named() {
    let frames = [wire::udp(&invite(&octets())), wire::udp(b"x")];
    for file in [wire::pcap(ETHERNET, &frames), wire::pcapng(ETHERNET, &frames)] {
        let cut = &file[..file.len() - 3];
        assert_eq!(faults(cut), [Fault::CaptureCut { frame: 1 }]);
        assert_eq!(read(cut).unwrap().messages.len(), 1, "what is whole is read");
        assert_eq!(faults(&file[..10]), [Fault::CaptureCut { frame: 0 }]);
    }
    assert_eq!(faults(&wire::pcap(147, &frames)), [Fault::LinkType { link: 147 }]);
    let mut short = wire::pcap(ETHERNET, &frames[1..]);
    short[36..40].copy_from_slice(&1500_u32.to_le_bytes());
    assert_eq!(faults(&short), [Fault::PacketsCut { count: 1, frame: 1 }]);
    let mut large = wire::pcap(ETHERNET, &frames);
    large.resize(MAX_CAPTURE_LEN + 1, 0);
    assert_eq!(read(&large), Err(Error::TooLong { limit: MAX_CAPTURE_LEN }));
    let nothing = read(&wire::pcap(ETHERNET, &frames[1..])).unwrap_err();
    assert!(nothing.to_string().starts_with("no SIP, RTSP or SDP"), "{nothing}");
}

#[test]
fn dumps_of_packets_are_packets() {
    let hex = |octets: &[u8]| octets.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>();
    let frame = wire::udp(&invite(&octets()));
    assert_eq!(only(read(hex(&frame).concat().as_bytes()).unwrap()).octets, octets());
    // As tcpdump -X prints them: from the IP header on, two packets of one stream.
    let dump = |packet: &[u8]| -> String {
        let row = |(index, row): (usize, &[u8])| {
            let pairs = hex(row).chunks(2).map(<[String]>::concat).collect::<Vec<_>>().join(" ");
            format!("\t0x{:04x}:  {pairs:39}  ................\n", index * 16)
        };
        let rows: String = packet.chunks(16).enumerate().map(row).collect();
        format!("12:00:00.000000 IP 192.0.2.1.40000 > 192.0.2.2.5060: Flags [.]\n{rows}")
    };
    let text: String = segments(&invite(&octets()), 1, 700).iter().map(|frame| dump(&frame[14..])).collect();
    assert_eq!(only(read(text.as_bytes()).unwrap()).octets, octets());
}

#[test]
fn each_plain_form_gives_the_same_octets() {
    let (octets, text) = (octets(), base64(&octets()));
    let body = |kind: &str, further: &str| {
        format!("REGISTER sip:example.org SIP/2.0\r\nContent-Type: {kind}\r\n{further}\r\n").into_bytes()
    };
    for input in [
        text.clone().into_bytes(),
        format!("mikey {text}").into_bytes(),
        format!("a=key-mgmt:mikey {text}").into_bytes(),
        format!("v=0\r\na=key-mgmt:mikey {text}\r\n").into_bytes(),
        invite(&octets),
        [body("application/mikey", ""), octets.clone()].concat(),
        [body("application/mikey", "Content-Transfer-Encoding: base64\r\n"), text.into_bytes()].concat(),
        octets.iter().map(|octet| format!("{octet:02X} ")).collect::<String>().into_bytes(),
        octets.clone(),
    ] {
        assert_eq!(only(read(&input).unwrap()).octets, octets, "{}", String::from_utf8_lossy(&input));
    }
}
