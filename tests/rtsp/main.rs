//! An exchange under a pre-shared key over RTSP, as a network sees it: every message is found in a capture, and tshark agrees
//! where it can.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at what it did not expect")]

#[path = "../cli_support/mod.rs"]
mod cli_support;
mod exchange;
#[path = "../inspect/message.rs"]
#[allow(dead_code, reason = "a part is used")]
mod message;
mod tcp;
#[path = "../inspect/wire.rs"]
#[allow(dead_code, reason = "a part is used")]
mod wire;

use cli_support::Program;
use exchange::Exchange;
use mikey_sakke::capture::{Error, Fault, Form, Mikey, RtspOrigin, read};
use mikey_sakke::mikey::{rtsp, sdp};
use serde_json::Value;
use tcp::{Connection, MIKEY, RTSP};

const URI: &str = "rtsp://camera.example.org/stream";

/// What the server and the client send, each from one port to the other.
fn dialogue(exchange: &Exchange) -> (Vec<u8>, Vec<u8>) {
    let body = format!("v=0\r\ns=-\r\nt=0 0\r\n{}\r\nm=video 0 RTP/SAVP 96\r\n", sdp::line(&exchange.i_message));
    let describe = format!("DESCRIBE {URI} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n");
    let described = format!(
        "RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let header = rtsp::header(&[rtsp::KeyManagement { uri: Some(URI.into()), message: exchange.r_message.clone() }]);
    let setup =
        format!("SETUP {URI}/track RTSP/1.0\r\nCSeq: 2\r\n{}\r\nTransport: RTP/SAVP/TCP\r\n\r\n", header.unwrap());
    let header = rtsp::header(&[rtsp::KeyManagement { uri: None, message: exchange.error.clone() }]);
    let refused = format!("RTSP/1.0 463 Key Management Failure\r\nCSeq: 2\r\n{}\r\n\r\n", header.unwrap());
    let media = [&b"$\0\x01\x04"[..], &[0x80; 260], b"$\x01\0\0"].concat();
    let server = [described.into_bytes(), media.clone(), refused.into_bytes()].concat();
    (server, [describe.into_bytes(), setup.into_bytes(), media].concat())
}

fn assert_found(messages: &[Mikey], exchange: &Exchange) {
    let at = |octets: &[u8]| messages.iter().find(|message| message.octets == octets).unwrap().origin.clone();
    let origin = |method: Option<&str>, status, uri: Option<&str>| {
        Some(RtspOrigin { method: method.map(Into::into), status, uri: uri.map(Into::into) })
    };
    let offered = at(&exchange.i_message);
    assert_eq!((offered.form, offered.rtsp), (Form::Sdp, origin(None, Some(200), None)));
    let answered = at(&exchange.r_message);
    assert_eq!((answered.form, answered.rtsp), (Form::KeyMgmt, origin(Some("SETUP"), None, Some(URI))));
    let refused = at(&exchange.error);
    assert_eq!((refused.form, refused.rtsp), (Form::KeyMgmt, origin(None, Some(463), None)));
    assert_eq!(messages.len(), 3);
}

#[test]
fn a_capture_of_rtsp_gives_the_whole_exchange() {
    let exchange = Exchange::new();
    let (server, client) = dialogue(&exchange);
    for port in [RTSP, 8554, 40_554] {
        for size in [1, 7, 100, 1400] {
            let mut from_server = Connection { source: port, destination: 40_000 }.segments(&server, size);
            let mut from_client = Connection { source: 40_000, destination: port }.segments(&client, size);
            for order in ["in order", "backwards behind the SYN"] {
                let frames = [&from_server[..], &from_client].concat();
                let found = read(&wire::pcap(wire::ETHERNET, &frames)).unwrap();
                assert_eq!(found.unread, [], "port {port}, {size} octets a segment, {order}");
                assert_found(&found.messages, &exchange);
                from_server[1..].reverse();
                from_client[1..].reverse();
            }
        }
    }
}

#[test]
fn inspect_shows_every_message_of_it() {
    let exchange = Exchange::new();
    let (server, client) = dialogue(&exchange);
    let mut frames = Connection { source: RTSP, destination: 40_000 }.segments(&server, 1400);
    frames.extend(Connection { source: 40_000, destination: RTSP }.segments(&client, 1400));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("camera.pcap");
    std::fs::write(&file, wire::pcap(wire::ETHERNET, &frames)).unwrap();
    let run = Program::new(&["inspect", file.to_str().unwrap(), "--json"]).run();
    let result: Value = serde_json::from_str(&run.stdout).unwrap();
    let origin = |index: usize| &result["messages"][index]["origin"];
    assert_eq!(result["messages"].as_array().unwrap().len(), 3, "{}", run.stdout);
    assert_eq!((&origin(0)["form"], &origin(0)["rtsp"]["status"]), (&"sdp".into(), &200.into()));
    let setup =
        result["messages"].as_array().unwrap().iter().find(|message| message["origin"]["rtsp"]["method"] == "SETUP");
    assert_eq!(setup.unwrap()["origin"]["rtsp"]["uri"], URI);
    assert_eq!(setup.unwrap()["origin"]["form"], "keymgmt");
    let text = Program::new(&["inspect", file.to_str().unwrap()]).run().stdout;
    assert!(text.contains(&format!("RTSP SETUP, {URI}, keymgmt")), "{text}");
}

#[test]
fn messages_on_the_port_of_mikey_part_themselves() {
    let exchange = Exchange::new();
    let messages = [&exchange.i_message, &message::octets(), &exchange.error].map(Vec::clone);
    let connection = Connection { source: 40_000, destination: MIKEY };
    for size in [1, 5, 100, 1400] {
        let frames = connection.segments(&messages.concat(), size);
        let found = read(&wire::pcap(wire::ETHERNET, &frames)).unwrap();
        assert_eq!(found.unread, []);
        assert!(found.messages.iter().map(|message| &message.octets).eq(&messages), "{size}");
        assert!(found.messages.iter().all(|message| message.origin.form == Form::Binary));
    }
    let datagrams: Vec<_> = messages.iter().map(|message| wire::udp_to(MIKEY, message)).collect();
    let found = read(&wire::pcap(wire::ETHERNET, &datagrams)).unwrap();
    assert!(found.messages.iter().map(|message| &message.octets).eq(&messages));

    let elsewhere = Connection { source: 40_000, destination: 40_001 }.segments(&messages[0], 1400);
    assert!(
        matches!(read(&wire::pcap(wire::ETHERNET, &elsewhere)), Err(Error::NoMessage { unread }) if unread.is_empty())
    );
}

#[test]
fn what_a_stream_of_mikey_does_not_end_is_named() {
    let whole = message::octets();
    let connection = Connection { source: MIKEY, destination: 40_000 };
    let frames = connection.segments(&[&whole[..], &whole[..100]].concat(), 64);
    let found = read(&wire::pcap(wire::ETHERNET, &frames)).unwrap();
    assert_eq!(found.messages.len(), 1);
    let faults: Vec<_> = found.unread.into_iter().map(|unread| unread.fault).collect();
    assert_eq!(faults, [Fault::MikeyCut { present: 100 }]);

    // A payload type that nobody knows: nothing tells where the message ends, and its parser says why.
    let mut broken = whole.clone();
    broken[2] = 99;
    let frames = connection.segments(&[broken.clone(), whole].concat(), 60_000);
    let found = read(&wire::pcap(wire::ETHERNET, &frames)).unwrap();
    assert!(found.messages[0].octets.starts_with(&broken));
}

/// tshark knows MIKEY on its port and in SDP; of `KeyMgmt` headers it shows the text.
#[test]
fn tshark_sees_the_same_messages_where_it_looks() {
    if !tcp::tshark_is_installed() {
        return;
    }
    let exchange = Exchange::new();
    let (server, client) = dialogue(&exchange);
    let csb_ids = |frames: &[Vec<u8>]| tcp::tshark_field(&wire::pcap(wire::ETHERNET, frames), "mikey.csb_id");
    let csb_id = format!("0x{:08x}", Exchange::CSB_ID);
    let frames = Connection { source: RTSP, destination: 40_000 }.segments(&server, 1400);
    assert_eq!(csb_ids(&frames), [&*csb_id]);
    let frames = Connection { source: 40_000, destination: RTSP }.segments(&client, 1400);
    assert_eq!(csb_ids(&frames), [""; 0]);
    let frames = Connection { source: 40_000, destination: MIKEY }.segments(&exchange.i_message, 1400);
    assert_eq!(csb_ids(&frames), [&*csb_id]);
}
