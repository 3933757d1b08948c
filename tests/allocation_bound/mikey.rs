//! Messages, sub-payloads, tickets, extensions, SDP.

use crate::assert_bound;
use crate::message::octets;
use mikey_sakke::exchange;
use mikey_sakke::mc::KeyParameters;
use mikey_sakke::mc::imessage::Incoming;
use mikey_sakke::mikey::{
    BaseTicket, Error, KeyIdInformation, Message, OmaBcast, Payload, PayloadType, Sakke, SdpIds, SubPayloads, rtsp, sdp,
};

/// Octets that parsers of MIKEY may allocate whatever the input.
const FLOOR: usize = 1024;

/// The smallest bodies that the payloads of a message may have.
const SMALLEST: [(PayloadType, &[u8]); 19] = [
    (PayloadType::KEMAC, &[0, 0, 0, 0]),
    (PayloadType::PKE, &[0, 0]),
    (PayloadType::DH, &[1; 98]),
    (PayloadType::T, &[2, 0, 0, 0, 0]),
    (PayloadType::ID, &[0, 0, 0]),
    (PayloadType::CERT, &[0, 0, 0]),
    (PayloadType::CHASH, &[1; 17]),
    (PayloadType::V, &[0]),
    (PayloadType::SP, &[0, 0, 0, 0]),
    (PayloadType::SP, &[0, 0, 0, 4, 1, 0, 2, 0]),
    (PayloadType::RAND, &[0]),
    (PayloadType::ERR, &[0, 0, 0]),
    (PayloadType::TR, &[1, 2, 0, 0, 0, 0]),
    (PayloadType::IDR, &[1, 0, 0, 0]),
    (PayloadType::RANDR, &[1, 0]),
    (PayloadType::TP, &[0; 9]),
    (PayloadType::TICKET, &[0; 13]),
    (PayloadType::GENERAL_EXTENSION, &[0, 0, 0]),
    (PayloadType::SAKKE, &[1, 2, 0, 0]),
];

const SMALLEST_SUB: [(PayloadType, &[u8]); 5] = [
    (PayloadType::ID, &[0, 0, 0]),
    (PayloadType::IDR, &[1, 0, 0, 0]),
    (PayloadType::KEY_DATA, &[0, 0, 0]),
    (PayloadType::SK, &[0, 0, 0]),
    (PayloadType::ECCPT, &[8, 0, 0, 0, 0, 0, 0]),
];

/// How many payloads to try: few, those about the limits, far too many.
const COUNTS: [usize; 16] = [1, 2, 4, 8, 11, 12, 13, 16, 24, 32, 48, 63, 64, 65, 128, 4000];

fn chain((payload_type, body): (PayloadType, &[u8]), count: usize) -> Vec<u8> {
    let payload = |next: u8| [&[next], body].concat();
    [payload(payload_type.0).repeat(count - 1), payload(0)].concat()
}

fn header(next: PayloadType, cs_count: u8, map_type: u8) -> Vec<u8> {
    vec![1, 0, next.0, 0, 0, 0, 0, 1, cs_count, map_type]
}

fn assert_message(what: &str, octets: &[u8]) -> bool {
    assert_bound(what, octets, FLOOR, Message::parse);
    assert_bound(what, octets, FLOOR, Incoming::parse);
    assert_bound(what, octets, FLOOR, exchange::Incoming::parse);
    Message::parse(octets).is_ok()
}

#[test]
fn chains_of_the_smallest_payloads() {
    let mut accepted = 0;
    for smallest in SMALLEST {
        for count in COUNTS {
            let what = format!("{count} times {}", smallest.0);
            let octets = [header(smallest.0, 0, 1), chain(smallest, count)].concat();
            accepted += usize::from(assert_message(&what, &octets));
            let data = [&[smallest.0.0][..], &chain(smallest, count)].concat();
            let ticket = [&[smallest.0.0, 0, 0][..], &chain(smallest, count)].concat();
            assert_bound(&what, &ticket, FLOOR, BaseTicket::parse);
            assert_policy(&what, &data);
        }
    }
    assert!(accepted > 5 * SMALLEST.len(), "{accepted}");
}

/// An I_MESSAGE under a pre-shared key, with as many policies and extensions as its octets allow.
#[test]
fn policies_and_extensions_of_the_smallest_parts() {
    let mut accepted = 0;
    for count in 0..60 {
        for filling in [0, 1, 6, 11, 20] {
            let mut octets = header(PayloadType::T, 0, 1);
            octets.extend([11, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
            let next = |index: usize| if index == count { 1 } else { [10, 21][index % 2] };
            octets.extend([&[next(0), 16][..], &[7; 16]].concat());
            for index in 0..count {
                let [high, low] = u16::try_from(filling).unwrap().to_be_bytes();
                let head: &[u8] = if index % 2 == 0 { &[5, 0] } else { &[1] };
                octets.extend([&[next(index + 1)], head, &[high, low], &vec![0; filling]].concat());
            }
            octets.extend([0, 1, 0, 1, 9, 0]);
            assert_bound(&format!("{count} of {filling}"), &octets, FLOOR, exchange::Incoming::parse);
            accepted += usize::from(exchange::Incoming::parse(&octets).is_ok());
        }
    }
    assert!(accepted > 80, "{accepted}");
}

/// The payloads of TP Data, within TP within a message.
fn assert_policy(what: &str, data: &[u8]) {
    let Ok(length) = u16::try_from(data.len()) else { return };
    let octets = [&header(PayloadType::TP, 0, 1)[..], &[0, 0, 1, 1, 1, 2, 0, 0], &length.to_be_bytes(), data].concat();
    let Ok(message) = Message::parse(&octets) else { return };
    let Some(Payload::TicketPolicy(policy)) = message.payloads.first() else { panic!("{message:?}") };
    assert_bound(what, data, FLOOR, |_| policy.payloads());
}

#[test]
fn chains_of_the_smallest_sub_payloads() {
    for smallest in SMALLEST_SUB {
        assert!(SubPayloads::parse(smallest.0, &chain(smallest, 8)).is_ok(), "{}", smallest.0);
        for count in COUNTS {
            let what = format!("{count} times {}", smallest.0);
            assert_bound(&what, &chain(smallest, count), FLOOR, |octets| SubPayloads::parse(smallest.0, octets));
        }
    }
}

#[test]
fn payloads_of_different_types_in_turn() {
    let longest = [&header(PayloadType::RAND, 0, 1)[..], &[11, 0].repeat(32_761), &[0, 0]].concat();
    assert!(matches!(Message::parse(&longest), Err(Error::TooManyPayloads { .. })));
    assert!(!assert_message("the longest chain", &longest));
    for count in COUNTS {
        let mut octets = header(PayloadType::RAND, 0, 1);
        for _ in 0..count {
            octets.extend([14, 0, 12, 1, 0, 0, 0, 9, 0, 0, 0, 11, 0]);
        }
        octets.extend([0, 0]);
        assert_message(&format!("{count} times four"), &octets);
    }
}

#[test]
fn maps_of_the_smallest_entries() {
    for cs_count in [1, 2, 16, 170, 171, 255] {
        for (map_type, entry) in [(0, &[0_u8; 9][..]), (2, &[0; 6]), (2, &[4, 0, 1, 0, 0, 0, 4, 1, 2, 3, 4])] {
            let entries = entry.repeat(cs_count.into());
            for rest in
                [vec![0, 0], chain((PayloadType::RAND, &[0]), 11), chain((PayloadType::T, &[2, 0, 0, 0, 0]), 16)]
            {
                let first = if rest.len() > 30 { PayloadType::T } else { PayloadType::RAND };
                let octets = [header(first, cs_count, map_type), entries.clone(), rest].concat();
                assert!(assert_message(&format!("{cs_count} entries of type {map_type}"), &octets), "{cs_count}");
            }
        }
    }
}

#[test]
fn extensions_of_the_smallest_parts() {
    for count in COUNTS {
        assert_bound("key IDs", &[1, 0].repeat(count), FLOOR, KeyIdInformation::parse);
        assert_bound("SDP IDs", &[&b"m;".repeat(count)[..], b"m"].concat(), FLOOR, SdpIds::parse);
        assert_bound("OMA BCAST", &vec![1; count], FLOOR, OmaBcast::parse);
        assert_bound("SAKKE-to-self", &vec![0; count], FLOOR, Sakke::from_standalone);
    }
}

#[test]
fn key_parameters_of_the_smallest_groups() {
    let head = [&[0, 0, 0, 0, 1][..], &[0; 10], &[0, 0]].concat();
    for count in [1_u8, 2, 85, 255] {
        let groups = [&[count][..], &[0x7b, 0, 1, b'g'].repeat(count.into())].concat();
        let length = u16::try_from(groups.len()).unwrap();
        let octets = [&head[..], &length.to_be_bytes(), &groups].concat();
        assert!(KeyParameters::parse(&octets).is_ok(), "{count} groups");
        // Authentic when they are read, and no more than their count in one octet.
        assert_bound("groups", &octets, 8 * FLOOR, KeyParameters::parse);
    }
}

#[test]
fn lines_of_sdp() {
    let line = |count: usize| format!("a=key-mgmt:mikey {}==\n", "AA".repeat(2 * count - 1)).into_bytes();
    for count in COUNTS {
        assert_bound("a long line", &line(count), FLOOR, sdp::parse_line);
        assert_bound("a long line in a body", &line(count), FLOOR, sdp::parse_body);
        let body = line(1).repeat(count);
        assert!(sdp::parse_body(&body).is_ok_and(|found| found.len() == count));
        assert_bound("short lines", &body, FLOOR, sdp::parse_body);
        assert_bound("protocols of a body", &b"a=key-mgmt:m\n".repeat(count), FLOOR, sdp::protocol_ids);
        assert_bound("media", &b"m=\n".repeat(count), FLOOR, sdp::parse_body);
    }
}

#[test]
fn headers_of_rtsp() {
    let spec = |count: usize| format!("prot=mikey;data={}==", "AA".repeat(2 * count - 1)).into_bytes();
    for count in COUNTS {
        assert_bound("a long header", &spec(count), FLOOR, rtsp::parse_header);
        let several = [&b"KeyMgmt:"[..], &vec![spec(1); count].join(&b","[..])].concat();
        assert!(rtsp::parse_header(&several).is_ok_and(|found| found.len() == count));
        assert_bound("short specs", &several, FLOOR, rtsp::parse_header);
        let headers = [&b"KeyMgmt:"[..], &spec(1), b"\n"].concat().repeat(count);
        assert!(rtsp::parse_message(&headers).is_ok_and(|found| found.len() == count));
        assert_bound("short headers", &headers, FLOOR, rtsp::parse_message);
        assert_bound("protocols", &vec![&b"prot=m;data=A"[..]; count].join(&b","[..]), FLOOR, rtsp::protocol_ids);
    }
}

#[test]
fn messages_whole_and_cut() {
    let octets = octets();
    assert!(assert_message("a message", &octets));
    for length in 0..octets.len() {
        assert_message("a message that is cut", &octets[..length]);
    }
    for octet in 0..octets.len() {
        let mut bent = octets.clone();
        bent[octet] ^= 0xff;
        assert_message("a message with one octet bent", &bent);
    }
}

#[test]
fn messages_of_other_vendors() {
    let Some(shared) = std::env::var_os("MIKEY_SAKKE_SHARED").map(std::path::PathBuf::from) else {
        assert!(std::env::var_os("CI").is_none(), "MIKEY_SAKKE_SHARED must name the folder of shared vectors");
        return;
    };
    let mut seen = 0;
    for file in ["alea-v3.json", "softil.json", "streamwide-v5.json"] {
        let text = std::fs::read_to_string(shared.join("vectors/vendor").join(file)).unwrap();
        for word in text.split('"').filter(|word| word.len() > 300) {
            let line = format!("a=key-mgmt:mikey {}", word.trim_start_matches("mikey "));
            let Ok(octets) = sdp::parse_line(line.as_bytes()) else { continue };
            assert_bound(file, line.as_bytes(), FLOOR, sdp::parse_line);
            seen += usize::from(assert_message(file, &octets));
        }
    }
    assert!(seen >= 4, "{seen}");
}
