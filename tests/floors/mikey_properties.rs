//! Properties of the MIKEY codec over random messages: building and parsing undo each other, and no input panics.

use std::borrow::Cow;

use mikey_sakke::mikey::{
    BaseTicket, CacheType, Cert, CertType, Chash, CsIdMap, DataType, Dh, DhGroup, EccCurve, Eccpt, EncryptionAlgorithm,
    ErrorNumber, ErrorPayload, Esk, ExtensionType, GeneralExtension, GenericIdEntry, GenericIdMap, HashFunction,
    Header, Ibake, Id, IdRole, IdScheme, IdType, Idr, Kemac, KeyData, KeyDataType, KeyIdInformation, KeyValidity, Mac,
    MacAlgorithm, Message, NtpTime, Payload, PayloadType, Pke, PolicyParameter, PrfFunction, ProtocolType, Rand,
    RandRole, Randr, Sakke, SakkeParameters, SecretKey, SecretKeyType, SecurityPolicy, Sign, SignatureType,
    SrtpIdEntry, SubPayload, SubPayloads, Ticket, TicketFlags, TicketPolicy, TicketType, Timestamp, Tr, TsRole,
    Verification, sdp,
};
use proptest::collection::vec;
use proptest::prelude::*;

fn data(limit: usize) -> impl Strategy<Value = Cow<'static, [u8]>> {
    vec(any::<u8>(), 0..=limit).prop_map(Cow::Owned)
}

fn cs_id_map() -> impl Strategy<Value = CsIdMap<'static>> {
    let srtp_id = any::<(u8, u32, u32)>().prop_map(|(policy_no, ssrc, roc)| SrtpIdEntry { policy_no, ssrc, roc });
    let generic_id = (any::<(u8, u8, bool)>(), data(127), data(300), data(255));
    prop_oneof![
        vec(srtp_id, 0..=255).prop_map(CsIdMap::SrtpId),
        any::<u8>().prop_map(|cs_count| CsIdMap::Empty { cs_count }),
        vec(generic_id, 0..=4).prop_map(|sessions| {
            CsIdMap::GenericId(GenericIdMap::new(&sessions.iter().map(generic_id_entry).collect::<Vec<_>>()).unwrap())
        }),
    ]
}

type Session = ((u8, u8, bool), Cow<'static, [u8]>, Cow<'static, [u8]>, Cow<'static, [u8]>);

fn generic_id_entry((numbers, policy_numbers, session_data, spi): &Session) -> GenericIdEntry<'_> {
    let (cs_id, protocol, session_data_flag) = *numbers;
    GenericIdEntry { cs_id, protocol: ProtocolType(protocol), session_data_flag, policy_numbers, session_data, spi }
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

fn timestamp() -> impl Strategy<Value = Timestamp> {
    let time = || any::<u64>().prop_map(NtpTime::from_bits);
    prop_oneof![
        time().prop_map(Timestamp::NtpUtc),
        time().prop_map(Timestamp::Ntp),
        any::<u32>().prop_map(Timestamp::Counter),
        any::<u32>().prop_map(Timestamp::NtpUtc32),
    ]
}

fn mac() -> impl Strategy<Value = Mac<'static>> {
    (0..=2u8, any::<u8>()).prop_map(|(algorithm, octet)| {
        let algorithm = MacAlgorithm::from_number(algorithm).unwrap();
        Mac::new(algorithm, vec![octet; algorithm.mac_len()]).unwrap()
    })
}

fn validity() -> impl Strategy<Value = KeyValidity<'static>> {
    prop_oneof![
        Just(KeyValidity::Null),
        data(255).prop_map(KeyValidity::Spi),
        (data(255), data(255)).prop_map(|(from, to)| KeyValidity::Interval { from, to }),
    ]
}

fn ticket_policy() -> impl Strategy<Value = TicketPolicy<'static>> {
    (any::<(u16, u8, u8)>(), 0..=127u8, any::<u16>(), 0..=31u8, data(300)).prop_map(
        |((ticket_type, subtype, version), prf, flags, reserved, data)| TicketPolicy {
            ticket_type: TicketType(ticket_type),
            subtype,
            version,
            prf: PrfFunction(prf),
            flags: TicketFlags::from_bits_truncated(flags),
            reserved,
            data,
        },
    )
}

fn identity() -> impl Strategy<Value = Id<'static>> {
    (any::<u8>(), data(300)).prop_map(|(id_type, data)| Id { id_type: IdType(id_type), data })
}

fn identity_with_role() -> impl Strategy<Value = Idr<'static>> {
    (any::<u8>(), any::<u8>(), data(300)).prop_map(|(role, id_type, data)| Idr {
        role: IdRole(role),
        id_type: IdType(id_type),
        data,
    })
}

/// Payloads of RFC 3830.
fn basic_payload() -> impl Strategy<Value = Payload<'static>> {
    let dh = (0..=2u8, any::<u8>(), 0..=15u8, validity()).prop_map(|(group, octet, reserved, validity)| {
        let group = DhGroup::from_number(group).unwrap();
        let mut dh = Dh::new(group, vec![octet; group.value_len()], validity).unwrap();
        dh.reserved = reserved;
        Payload::from(dh)
    });
    let chash = (0..=2u8, any::<u8>()).prop_map(|(function, octet)| {
        let function = HashFunction::from_number(function).unwrap();
        Payload::from(Chash::new(function, vec![octet; function.hash_len()]).unwrap())
    });
    prop_oneof![
        timestamp().prop_map(Payload::from),
        data(255).prop_map(|octets| Rand { octets }.into()),
        identity().prop_map(Payload::from),
        policy().prop_map(Payload::from),
        (any::<u8>(), data(300)).prop_map(|(extension_type, data)| {
            GeneralExtension { extension_type: ExtensionType(extension_type), data }.into()
        }),
        (any::<u8>(), data(300), mac()).prop_map(|(encryption, data, mac)| Kemac {
            encryption: EncryptionAlgorithm(encryption),
            data,
            mac
        }
        .into()),
        (0..=3u8, data(300)).prop_map(|(cache, data)| Pke { cache: CacheType(cache), data }.into()),
        dh,
        (any::<u8>(), data(300)).prop_map(|(cert_type, data)| Cert { cert_type: CertType(cert_type), data }.into()),
        chash,
        mac().prop_map(|mac| Verification { mac }.into()),
        any::<(u8, u16)>().prop_map(|(number, reserved)| ErrorPayload { number: ErrorNumber(number), reserved }.into()),
    ]
}

/// Payloads of later specifications.
fn later_payload() -> impl Strategy<Value = Payload<'static>> {
    prop_oneof![
        (any::<u8>(), timestamp()).prop_map(|(role, timestamp)| Tr { role: TsRole(role), timestamp }.into()),
        identity_with_role().prop_map(Payload::from),
        (any::<u8>(), data(255)).prop_map(|(role, octets)| Randr { role: RandRole(role), octets }.into()),
        ticket_policy().prop_map(Payload::from),
        (ticket_policy(), data(300), data(300)).prop_map(|(policy, data, initiator_data)| Ticket {
            policy,
            data,
            initiator_data
        }
        .into()),
        data(300).prop_map(|data| Ibake { data }.into()),
        data(300).prop_map(|data| Esk { data }.into()),
        (any::<u8>(), any::<u8>(), data(300)).prop_map(|(parameters, id_scheme, data)| {
            Sakke { parameters: SakkeParameters(parameters), id_scheme: IdScheme(id_scheme), data }.into()
        }),
    ]
}

fn payload() -> impl Strategy<Value = Payload<'static>> {
    prop_oneof![basic_payload(), later_payload()]
}

fn sub_payload() -> impl Strategy<Value = SubPayload<'static>> {
    let key = || vec(any::<u8>(), 0..=300);
    let key_data = (0..=7u8, key(), key(), validity()).prop_map(|(key_type, key, salt, validity)| {
        let key_type = KeyDataType::from_number(key_type).unwrap();
        let salt = if key_type.has_salt() { salt } else { Vec::new() };
        SubPayload::from(KeyData { key_type, key: key.into(), salt: salt.into(), validity })
    });
    let secret_key = (0..=15u8, key(), validity()).prop_map(|(key_type, key, validity)| {
        SubPayload::from(SecretKey { key_type: SecretKeyType(key_type), key: key.into(), validity })
    });
    let forms = prop_oneof![Just(0u8), Just(2), Just(3), Just(4)];
    let eccpt = (1..=16u8, forms, any::<(u8, u16)>(), 0..=15u8, validity()).prop_map(
        |(curve, form, (auth_alg, tgk_len), reserved, validity)| {
            let curve = EccCurve::from_number(curve).unwrap();
            let coordinates = [0, 0, 1, 1, 2][usize::from(form)];
            let point = [vec![form], vec![7; coordinates * curve.coordinate_len()]].concat();
            let mut eccpt = Eccpt::new(curve, &point, validity).unwrap();
            (eccpt.auth_alg, eccpt.tgk_len, eccpt.reserved) = (auth_alg, tgk_len, reserved);
            SubPayload::from(eccpt)
        },
    );
    prop_oneof![
        identity().prop_map(SubPayload::from),
        identity_with_role().prop_map(SubPayload::from),
        key_data,
        secret_key,
        eccpt,
    ]
}

fn sub_payloads() -> impl Strategy<Value = SubPayloads<'static>> {
    vec(sub_payload(), 0..=8).prop_map(|payloads| SubPayloads { payloads })
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

/// What must hold of any decrypted octets.
fn assert_sub_total(first: u8, octets: &[u8]) {
    if let Ok(payloads) = SubPayloads::parse(PayloadType(first), octets) {
        assert_eq!(*payloads.to_bytes().unwrap(), octets);
        assert_eq!(payloads.encoded_len(), octets.len());
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
        next in 1..=26u8,
        map_type in 0..=2u8,
        octets in vec(any::<u8>(), 0..300),
    ) {
        assert_total(&[&[1, 26, next, 1, 0, 0, 0, 1, 0, map_type][..], &octets].concat());
    }

    #[test]
    fn parsing_undoes_building_of_sub_payloads(payloads in sub_payloads(), at in any::<usize>()) {
        let octets = payloads.to_bytes().unwrap();
        prop_assert_eq!(octets.len(), payloads.encoded_len());
        prop_assert_eq!(&SubPayloads::parse(payloads.first_type(), &octets).unwrap(), &payloads);
        if !octets.is_empty() {
            prop_assert!(SubPayloads::parse(payloads.first_type(), &octets[..at % octets.len()]).is_err());
        }
    }

    #[test]
    fn mutated_sub_payloads_are_refused_or_read_exactly(
        payloads in sub_payloads(),
        mutations in vec(mutation(), 1..=4),
    ) {
        let mut octets = payloads.to_bytes().unwrap().to_vec();
        mutations.iter().for_each(|mutation| mutate(&mut octets, mutation));
        assert_sub_total(payloads.first_type().0, &octets);
    }

    #[test]
    fn arbitrary_octets_are_no_harm_as_sub_payloads_or_extensions(
        first in prop_oneof![Just(6u8), Just(14), Just(20), Just(24), Just(25)],
        octets in vec(any::<u8>(), 0..300),
    ) {
        assert_sub_total(first, &octets);
        if let Ok(information) = KeyIdInformation::parse(&octets) {
            prop_assert_eq!(&information.to_extension().data[..], &octets[..]);
        }
        if let Ok(ticket) = BaseTicket::parse(&octets) {
            prop_assert_eq!(ticket.to_bytes().unwrap(), octets);
        }
    }

    #[test]
    fn ticket_data_holds_any_payloads(payloads in vec(payload(), 0..=6), header_data in data(300)) {
        let data = TicketPolicy::data_of(&payloads).unwrap();
        let policy = TicketPolicy {
            ticket_type: TicketType::MIKEY_BASE,
            subtype: 1,
            version: 1,
            prf: PrfFunction::HMAC_SHA_256,
            flags: TicketFlags::NONE,
            reserved: 0,
            data: data.into(),
        };
        prop_assert_eq!(policy.payloads().unwrap(), &payloads[..]);
        let ticket = BaseTicket { header_data, payloads };
        let data = ticket.to_bytes().unwrap();
        prop_assert_eq!(BaseTicket::parse(&data).unwrap(), ticket);
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
