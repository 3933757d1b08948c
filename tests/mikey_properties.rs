//! Properties of the MIKEY codec over random messages: building and parsing undo each other, and no input panics.

#![allow(clippy::unwrap_used)]

use std::borrow::Cow;

use mikey_sakke::mikey::{
    CsIdMap, DataType, ExtensionType, GeneralExtension, GenericIdEntry, Header, Id, IdRole, IdScheme, IdType, Idr,
    Message, NtpTime, Payload, PolicyParameter, PrfFunction, ProtocolType, Rand, Sakke, SakkeParameters,
    SecurityPolicy, Sign, SignatureType, SrtpIdEntry, Timestamp, sdp,
};
use proptest::collection::vec;
use proptest::prelude::*;

fn data(limit: usize) -> impl Strategy<Value = Cow<'static, [u8]>> {
    vec(any::<u8>(), 0..=limit).prop_map(Cow::Owned)
}

fn cs_id_map() -> impl Strategy<Value = CsIdMap<'static>> {
    let srtp_id = any::<(u8, u32, u32)>().prop_map(|(policy_no, ssrc, roc)| SrtpIdEntry { policy_no, ssrc, roc });
    let generic_id = (any::<(u8, u8, bool)>(), data(127), data(300), data(255)).prop_map(
        |((cs_id, protocol, session_data_flag), policy_numbers, session_data, spi)| GenericIdEntry {
            cs_id,
            protocol: ProtocolType(protocol),
            session_data_flag,
            policy_numbers,
            session_data,
            spi,
        },
    );
    prop_oneof![
        vec(srtp_id, 0..=255).prop_map(CsIdMap::SrtpId),
        any::<u8>().prop_map(|cs_count| CsIdMap::Empty { cs_count }),
        vec(generic_id, 0..=4).prop_map(CsIdMap::GenericId),
    ]
}

fn header() -> impl Strategy<Value = Header<'static>> {
    (0..=26u8, any::<bool>(), 0..=127u8, any::<u32>(), cs_id_map()).prop_map(
        |(data_type, verification_expected, prf, csb_id, cs_id_map)| Header {
            data_type: DataType::from_number(data_type).unwrap(),
            verification_expected,
            prf: PrfFunction(prf),
            csb_id,
            cs_id_map,
        },
    )
}

fn policy() -> impl Strategy<Value = SecurityPolicy<'static>> {
    let parameter = (any::<u8>(), vec(any::<u8>(), 0..=255));
    (any::<(u8, u8)>(), vec(parameter, 0..=12)).prop_map(|((policy_no, protocol), parameters)| {
        let parameters: Vec<_> = parameters
            .iter()
            .map(|(parameter_type, value)| PolicyParameter { parameter_type: *parameter_type, value })
            .collect();
        SecurityPolicy::new(policy_no, ProtocolType(protocol), &parameters).unwrap()
    })
}

fn payload() -> impl Strategy<Value = Payload<'static>> {
    let time = || any::<u64>().prop_map(NtpTime::from_bits);
    prop_oneof![
        time().prop_map(|time| Timestamp::NtpUtc(time).into()),
        time().prop_map(|time| Timestamp::Ntp(time).into()),
        any::<u32>().prop_map(|count| Timestamp::Counter(count).into()),
        data(255).prop_map(|octets| Rand { octets }.into()),
        (any::<u8>(), data(300)).prop_map(|(id_type, data)| Id { id_type: IdType(id_type), data }.into()),
        (any::<u8>(), any::<u8>(), data(300))
            .prop_map(|(role, id_type, data)| { Idr { role: IdRole(role), id_type: IdType(id_type), data }.into() }),
        policy().prop_map(Payload::from),
        (any::<u8>(), any::<u8>(), data(300)).prop_map(|(parameters, id_scheme, data)| {
            Sakke { parameters: SakkeParameters(parameters), id_scheme: IdScheme(id_scheme), data }.into()
        }),
        (any::<u8>(), data(300)).prop_map(|(extension_type, data)| {
            GeneralExtension { extension_type: ExtensionType(extension_type), data }.into()
        }),
    ]
}

fn message() -> impl Strategy<Value = Message<'static>> {
    let sign = (0..=15u8, data(4095)).prop_map(|(signature_type, signature)| {
        Payload::Sign(Sign { signature_type: SignatureType(signature_type), signature })
    });
    (header(), vec(payload(), 0..=12), proptest::option::of(sign)).prop_map(|(header, mut payloads, sign)| {
        payloads.extend(sign);
        Message { header, payloads }
    })
}

/// A change of the kind that transmission or an attacker makes.
#[derive(Debug, Clone)]
enum Mutation {
    Flip { at: usize, bits: u8 },
    Truncate { at: usize },
    Insert { at: usize, octets: Vec<u8> },
    Remove { at: usize, count: usize },
}

fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        4 => (any::<usize>(), 1..=255u8).prop_map(|(at, bits)| Mutation::Flip { at, bits }),
        1 => any::<usize>().prop_map(|at| Mutation::Truncate { at }),
        1 => (any::<usize>(), vec(any::<u8>(), 1..=8)).prop_map(|(at, octets)| Mutation::Insert { at, octets }),
        1 => (any::<usize>(), 1..=8usize).prop_map(|(at, count)| Mutation::Remove { at, count }),
    ]
}

fn mutate(octets: &mut Vec<u8>, mutation: &Mutation) {
    let place = |at: usize| if octets.is_empty() { 0 } else { at % octets.len() };
    match mutation {
        Mutation::Flip { at, bits } => {
            let at = place(*at);
            octets.iter_mut().skip(at).take(1).for_each(|octet| *octet ^= bits);
        }
        Mutation::Truncate { at } => octets.truncate(place(*at)),
        Mutation::Insert { at, octets: inserted } => {
            let at = place(*at);
            octets.splice(at..at, inserted.iter().copied());
        }
        Mutation::Remove { at, count } => {
            let at = place(*at);
            octets.drain(at..octets.len().min(at + count));
        }
    }
}

/// What must hold of any input: it is refused, or it is exactly the octets of the message that it is read as.
fn assert_total(octets: &[u8]) {
    if let Ok(message) = Message::parse(octets) {
        assert_eq!(message.to_bytes().unwrap(), octets);
        assert_eq!(message.encoded_len(), octets.len());
    }
}

proptest! {
    #[test]
    fn parsing_undoes_building(message in message()) {
        let octets = message.to_bytes().unwrap();
        prop_assert_eq!(octets.len(), message.encoded_len());
        let parsed = Message::parse(&octets).unwrap();
        prop_assert_eq!(&parsed, &message);
        prop_assert_eq!(parsed.to_bytes().unwrap(), octets);
    }

    #[test]
    fn every_truncation_is_an_error(message in message(), at in any::<usize>()) {
        let octets = message.to_bytes().unwrap();
        prop_assert!(Message::parse(&octets[..at % octets.len()]).is_err());
    }

    #[test]
    fn a_mutated_message_is_refused_or_read_exactly(message in message(), mutations in vec(mutation(), 1..=4)) {
        let mut octets = message.to_bytes().unwrap();
        mutations.iter().for_each(|mutation| mutate(&mut octets, mutation));
        assert_total(&octets);
    }

    #[test]
    fn arbitrary_octets_never_panic(octets in vec(any::<u8>(), 0..600)) {
        assert_total(&octets);
    }

    #[test]
    fn arbitrary_octets_behind_a_plausible_header_never_panic(
        next in prop_oneof![Just(4u8), Just(5), Just(6), Just(10), Just(11), Just(14), Just(21), Just(26)],
        map_type in 0..=2u8,
        octets in vec(any::<u8>(), 0..300),
    ) {
        assert_total(&[&[1, 26, next, 1, 0, 0, 0, 1, 0, map_type][..], &octets].concat());
    }

    #[test]
    fn an_sdp_line_gives_back_its_message(message in vec(any::<u8>(), 1..600)) {
        let line = sdp::line(&message);
        prop_assert_eq!(sdp::parse_line(line.as_bytes()).unwrap(), &message[..]);
        let body = format!("v=0\r\nm=audio 1 RTP/SAVP 0\r\n{line}\r\n");
        let found = sdp::parse_body(body.as_bytes()).unwrap();
        prop_assert_eq!(found, [sdp::KeyManagement { level: sdp::Level::Media(0), message }]);
    }

    #[test]
    fn arbitrary_text_in_an_sdp_line_never_panics(octets in vec(any::<u8>(), 0..200)) {
        let _ = sdp::parse_line(&octets);
        let _ = sdp::parse_body(&octets);
        for prefix in [&b"a=key-mgmt:mikey "[..], b"mikey "] {
            let text = [prefix, &octets].concat();
            if let Ok(message) = sdp::parse_line(&text) {
                prop_assert_eq!(sdp::parse_line(sdp::line(&message).as_bytes()), Ok(message));
            }
            let _ = sdp::parse_body(&text);
        }
    }
}
