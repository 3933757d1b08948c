//! Every kind of message that the library makes, as tshark sees it: the same fields at the same places.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at what it did not expect")]

mod difference;
mod dissect;
mod expected;
mod faults;
#[path = "../mc_support/mod.rs"]
mod mc_support;
#[path = "../inspect/message.rs"]
#[allow(dead_code, reason = "a part is used")]
mod message;
mod messages;
#[path = "../inspect/wire.rs"]
#[allow(dead_code, reason = "a part is used")]
mod wire;

use difference::differences;
use dissect::{Dissection, dissect, is_installed};
use faults::FAULTS;
use messages::Sample;
use mikey_sakke::mikey::{DataType, Message};
use std::collections::BTreeSet;

/// The port of MIKEY (RFC 3830 11).
const MIKEY_PORT: u16 = 2269;

fn dissect_datagrams(samples: &[Sample]) -> Vec<Dissection> {
    let frames: Vec<_> = samples.iter().map(|sample| wire::udp_to(MIKEY_PORT, &sample.octets)).collect();
    dissect(&wire::pcap(wire::ETHERNET, &frames))
}

/// Asserts that tshark sees in each sample what is there, but for its known faults. Returns those that were met.
fn assert_agree(samples: &[Sample], dissections: &[Dissection]) -> BTreeSet<&'static str> {
    assert_eq!(dissections.len(), samples.len());
    let mut met = BTreeSet::new();
    for (sample, dissection) in samples.iter().zip(dissections) {
        let message = Message::parse(&sample.octets).unwrap();
        for difference in differences(&message, dissection) {
            let fault = FAULTS.iter().find(|fault| (fault.explains)(&message, &difference));
            let fault = fault.unwrap_or_else(|| panic!("{}: {difference:?}", sample.name));
            met.insert(fault.name);
        }
    }
    met
}

#[test]
fn tshark_agrees_on_every_message_but_for_its_known_faults() {
    if !is_installed() {
        return;
    }
    let samples: Vec<_> =
        [messages::i_messages(), messages::data_types(), messages::payloads()].into_iter().flatten().collect();
    assert!(samples.len() > 120, "{}", samples.len());
    let met = assert_agree(&samples, &dissect_datagrams(&samples));
    let known: BTreeSet<_> = FAULTS.iter().map(|fault| fault.name).collect();
    assert_eq!(met, known, "a known fault is gone");
}

#[test]
fn a_difference_is_seen() {
    if !is_installed() {
        return;
    }
    let sample = messages::i_messages().swap_remove(0);
    let dissection = &dissect_datagrams(std::slice::from_ref(&sample))[0];
    for at in [4, 8, 20, 60] {
        let mut octets = sample.octets.clone();
        octets[at] ^= 1;
        let Ok(message) = Message::parse(&octets) else { continue };
        let unexplained = differences(&message, dissection)
            .into_iter()
            .filter(|difference| FAULTS.iter().all(|fault| !(fault.explains)(&message, difference)));
        assert!(unexplained.count() > 0, "octet {at}");
    }
}

#[test]
fn a_message_in_the_sdp_of_an_invite_is_the_same() {
    if !is_installed() {
        return;
    }
    let samples = messages::i_messages();
    let frames: Vec<_> = samples.iter().map(|sample| wire::udp(&message::invite(&sample.octets))).collect();
    let met = assert_agree(&samples, &dissect(&wire::pcap(wire::ETHERNET, &frames)));
    assert_eq!(met.into_iter().collect::<Vec<_>>(), ["GENERIC-ID map", "SP parameter 13", "places of SP parameters"]);
}

/// What tshark calls data types: those of RFC 3830, 4650 and 4738 as we do, SAKKE in short, and 27, which no RFC has.
#[test]
fn tshark_has_the_names_of_data_types_that_it_knows() {
    if !is_installed() {
        return;
    }
    let samples = messages::data_types();
    for (number, dissection) in (0..).zip(dissect_datagrams(&samples)) {
        let shown = &dissection.fields.iter().find(|field| field.name == "type").unwrap().shown;
        let name = match DataType::from_number(number).unwrap() {
            DataType::Sakke => "SAKKE",
            _ if number > 10 => "Unknown",
            known => known.name(),
        };
        assert_eq!(*shown, format!("Data Type: {name} ({number})"));
    }
    let unknown = Sample { name: "data type 27".into(), octets: vec![1, 27, 0, 1, 0, 0, 0, 1, 0, 0] };
    assert!(Message::parse(&unknown.octets).is_err());
    let dissection = &dissect_datagrams(&[unknown])[0];
    assert!(dissection.fields.iter().any(|field| field.shown == "Data Type: CS Id map Update (27)"));
}
