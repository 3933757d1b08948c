//! `--strict`: every rule of a message's data type, each with its clause.
use crate::cli_support::Run;
use crate::message::{base64, message};
use crate::program::{inspect, object};
use mikey_sakke::mikey::{
    BaseTicket, Cert, CertType, CsIdMap, DataType, Dh, DhGroup, EncryptionAlgorithm, ErrorNumber, ErrorPayload,
    ExtensionType, GeneralExtension, GenericIdEntry, GenericIdMap, Header, Ibake, Id, IdRole, Idr, Kemac, KeyData,
    KeyDataType, KeyId, KeyIdInformation, KeyIdType, KeyValidity, Mac, MacAlgorithm, Message, NtpTime, Payload, Pke,
    PrfFunction, ProtocolType, Rand, RandRole, Randr, Sakke, SakkeParameters, SdpIds, SecurityPolicy, Sign,
    SignatureType, SrtpIdEntry, SrtpParameter, SubPayloads, Ticket, TicketFlags, TicketPolicy, TicketType, Timestamp,
    Tr, TsRole, Verification,
};
use serde_json::{Value, json};

/// What, clause and severity of a finding; of what is found, the beginning.
type Expected<'e> = (&'e str, &'e str, &'e str);

fn run(message: &Message<'_>) -> Run {
    inspect(&["--strict", "--json"], base64(&message.to_bytes().unwrap()).as_bytes())
}

/// What `--strict` finds, with the exit code.
fn strict(message: &Message<'_>) -> (i32, Vec<Value>) {
    let run = run(message);
    (run.code, object(&run)["findings"].as_array().unwrap().clone())
}

fn assert_found(message: &Message<'_>, expected: &[Expected<'_>]) {
    let (code, findings) = strict(message);
    assert_eq!(code, 1, "{findings:?}");
    assert_eq!(findings.len(), expected.len(), "{findings:#?}");
    for (finding, (what, clause, severity)) in findings.iter().zip(expected) {
        assert!(finding["what"].as_str().unwrap().starts_with(what), "{finding}, expected {what}");
        assert_eq!((&finding["clause"], &finding["severity"]), (&json!(clause), &json!(severity)), "{finding}");
    }
}

/// A message that is as the profile and the RFCs want it: with a policy it has a map.
fn faithful() -> Message<'static> {
    let mut message = message();
    message.header.cs_id_map = generic_id(0, &[0], &[0x10, 0, 0, 1]);
    message
}

fn generic_id(cs_id: u8, policies: &[u8], spi: &[u8]) -> CsIdMap<'static> {
    let protocol = ProtocolType::SRTP;
    let entry =
        GenericIdEntry { cs_id, protocol, session_data_flag: false, policy_numbers: policies, session_data: &[], spi };
    CsIdMap::GenericId(GenericIdMap::new(&[entry]).unwrap())
}

fn changed(change: impl FnOnce(&mut Message<'static>)) -> Message<'static> {
    let mut message = faithful();
    change(&mut message);
    message
}

#[test]
fn a_faithful_message_passes() {
    assert_eq!(strict(&faithful()), (0, vec![]));
    let without_policy = {
        let mut message = message();
        message.payloads.remove(6);
        message
    };
    assert_eq!(strict(&without_policy), (0, vec![]));
}

#[test]
fn each_deviation_is_named_with_its_clause() {
    let cipher = || SecurityPolicy::srtp(0, &[(SrtpParameter(0), 6)]);
    let map = "1 SP beside an empty CS ID map";
    let cases: [(Message<'_>, &[Expected<'_>]); 10] = [
        (message(), &[(map, "RFC 4563 5", "accepted")]),
        (changed(|m| m.payloads.swap(6, 7)), &[("SP follows SAKKE", "TS 33.180 E.1.2", "accepted")]),
        (changed(|m| m.header.verification_expected = true), &[("the V flag is set", "RFC 6509 2.2.1", "excusable")]),
        (
            changed(|m| m.payloads[0] = Timestamp::Ntp(NtpTime::from_unix(1_700_000_000)).into()),
            &[("timestamp type 1", "TS 33.180 E.1.2", "refused")],
        ),
        (
            changed(|m| m.payloads[0] = Timestamp::Counter(7).into()),
            &[("timestamp type 2", "RFC 6509 2.2.1", "refused")],
        ),
        (
            changed(|m| m.payloads[1] = Rand::new(vec![7; 20]).into()),
            &[("RAND has 20 octets", "TS 33.180 E.1.2", "refused")],
        ),
        (
            changed(|m| m.header.cs_id_map = CsIdMap::Empty { cs_count: 1 }),
            &[
                ("the message has 1 crypto sessions in an empty", "TS 33.180 E.1.3", "refused"),
                (map, "RFC 4563 5", "accepted"),
            ],
        ),
        (
            changed(|m| {
                m.payloads[6] = cipher().into();
                m.header.cs_id_map = CsIdMap::Empty { cs_count: 0 };
            }),
            &[
                ("security policy 0 is not the default profile of a PCK", "TS 33.180 E.2, E.3", "accepted"),
                ("no GENERIC-ID map", "TS 33.180 E.1.3", "accepted"),
                (map, "RFC 4563 5", "accepted"),
            ],
        ),
        (
            changed(|m| m.header.cs_id_map = CsIdMap::SrtpId(vec![])),
            &[("no crypto session, and a CS ID map of type SRTP-ID", "TS 36.579-1 5.5.9.1", "accepted")],
        ),
        (
            changed(|m| m.payloads.insert(8, GeneralExtension::new(ExtensionType::KEY_ID, vec![0, 9]).into())),
            &[("3 (key ID information): Key ID at octet 2", "RFC 4563 4", "contradicts")],
        ),
    ];
    for (message, expected) in cases {
        assert_found(&message, expected);
    }
    let text = base64(&faithful().to_bytes().unwrap());
    let unpadded = inspect(&["--strict"], format!("mikey {}", text.trim_end_matches('=')).as_bytes());
    assert_eq!(unpadded.code, i32::from(text.ends_with('=')), "{}", unpadded.stdout);
}

#[test]
fn everything_is_said_at_once() {
    let message = changed(|m| {
        m.header.verification_expected = true;
        m.header.prf = PrfFunction::MIKEY_1;
        m.payloads[0] = Timestamp::Counter(7).into();
        m.payloads[1] = Rand::new(vec![7; 8]).into();
        m.payloads[2] = Idr::uri(IdRole::INITIATOR, b"a\x07".as_slice()).into();
        m.payloads[4] = Idr::uri(IdRole::KMS, b"kms".as_slice()).into();
        m.payloads[6] =
            SecurityPolicy::srtp(0, &[(SrtpParameter(0), 6), (SrtpParameter(1), 32), (SrtpParameter(4), 14)]).into();
        m.payloads[7] =
            Sakke { parameters: SakkeParameters(2), data: vec![4; 300].into(), ..Sakke::mcx(vec![]) }.into();
        m.payloads[8] = Sign { signature_type: SignatureType(0), signature: vec![5; 64].into() }.into();
        m.header.cs_id_map = generic_id(9, &[7], &[1]);
    });
    let profile = "TS 33.180 E.2, E.3";
    assert_found(
        &message,
        &[
            ("the V flag is set", "RFC 6509 2.2.1", "excusable"),
            ("PRF function 0", "TS 33.180 E.1.2", "excusable"),
            ("identity role 3", "TS 33.180 E.1.2", "refused"),
            ("timestamp type 2", "RFC 6509 2.2.1", "refused"),
            ("RAND has 8 octets", "TS 33.180 E.1.2", "refused"),
            ("IDRi has control characters", "TS 33.180 E.1.2", "refused"),
            ("the message has no IDRkmsi", "TS 33.180 E.1.2", "refused"),
            ("security policy 0: parameter 1", profile, "refused"),
            ("security policy 0: parameter 4", profile, "refused"),
            ("a PCK has no crypto session 9", "TS 33.180 E.1.3", "refused"),
            ("crypto session 9 names security policy 7", "RFC 6043 6.1.1", "refused"),
            ("the SPI of crypto session 9", "TS 33.180 E.1.3", "refused"),
            ("SAKKE parameter set 2", "RFC 6509 4.2", "refused"),
            ("SAKKE encapsulated data has 300 octets", "RFC 6509 4.2", "refused"),
            ("signature type 0", "TS 33.180 E.1.2", "refused"),
            ("the signature has 64 octets", "RFC 6509 4.3", "refused"),
            ("security policy 0 is not the default", profile, "accepted"),
        ],
    );
    let run = run(&message);
    let result = object(&run);
    assert_eq!(result["deviations"].as_array().unwrap().len(), 2);
    assert!(result["refusal"].as_str().unwrap().starts_with("identity role 3"), "{result}");
    let text = inspect(&["--strict"], &message.to_bytes().unwrap());
    assert!(text.stdout.contains("RAND has 8 octets: expected 16 (TS 33.180 E.1.2)"), "{}", text.stdout);
    assert!(text.stderr.contains("17 deviations"), "{}", text.stderr);
}

#[test]
fn key_parameters_and_sakke_to_self_are_judged_too() {
    let parameters = {
        let mut octets = vec![7; 35 + 20];
        (octets[0], octets[11], octets[34]) = (0x03, 2, 21);
        octets
    };
    let to_self = Sakke { parameters: SakkeParameters(3), data: vec![4; 200].into(), ..Sakke::mcx(vec![]) };
    let message = changed(|m| {
        m.payloads.insert(8, GeneralExtension::new(ExtensionType::KEY_PARAMETERS, parameters).into());
        let to_self = GeneralExtension::new(ExtensionType::SAKKE_TO_SELF, to_self.to_standalone().unwrap());
        m.payloads.insert(9, to_self.into());
    });
    let protected = "TS 33.180 8.5.4";
    let own = "SAKKE-to-self, which other devices of the initiator refuse: SAKKE";
    assert_found(
        &message,
        &[
            ("the key parameters are not encrypted", protected, "refused"),
            ("key parameters under algorithm 2", protected, "refused"),
            ("the encrypted part of the key parameters says", protected, "refused"),
            ("key parameters under DPPK-ID 07070707", "TS 33.180 E.6.1", "refused"),
            (&format!("{own} parameter set 3"), "RFC 6509 4.2", "accepted"),
            (&format!("{own} encapsulated data has 200"), "RFC 6509 4.2", "accepted"),
            ("payload ID or sequence number", "TS 33.180 E.6.1", "accepted"),
        ],
    );
    let short = changed(|m| {
        m.payloads.insert(8, GeneralExtension::new(ExtensionType::SAKKE_TO_SELF, vec![0, 1]).into());
    });
    let what = "SAKKE-to-self, which other devices of the initiator refuse: SAKKE ID scheme";
    assert_found(&short, &[(what, "RFC 3830 6", "accepted")]);
}

fn header(data_type: DataType) -> Header<'static> {
    Header {
        data_type,
        verification_expected: false,
        prf: PrfFunction::HMAC_SHA_256,
        csb_id: 1,
        cs_id_map: CsIdMap::Empty { cs_count: 0 },
    }
}

fn t() -> Payload<'static> {
    Timestamp::NtpUtc(NtpTime::from_unix(1_700_000_000)).into()
}

fn rand() -> Payload<'static> {
    Rand::new(vec![1; 16]).into()
}

fn kemac(mac: Mac<'static>) -> Payload<'static> {
    Kemac::new(EncryptionAlgorithm::AES_CM_128, vec![2; 30], mac).into()
}

fn hmac() -> Mac<'static> {
    Mac::new(MacAlgorithm::HmacSha1, vec![3; 20]).unwrap()
}

fn v() -> Payload<'static> {
    Verification::new(hmac()).into()
}

fn sign() -> Payload<'static> {
    Sign { signature_type: SignatureType(0), signature: vec![4; 128].into() }.into()
}

fn id() -> Payload<'static> {
    Id::uri("sip:a@example.org").into()
}

fn idr(role: IdRole) -> Payload<'static> {
    Idr::uri(role, b"sip:a@example.org".as_slice()).into()
}

fn randr(role: RandRole) -> Payload<'static> {
    Randr::new(role, vec![5; 16]).into()
}

/// KEMAC with a key that nothing hides.
fn in_clear(key_type: KeyDataType) -> Payload<'static> {
    let keys = SubPayloads::new().with(KeyData::new(key_type, vec![2; 16], KeyValidity::Null));
    Kemac::new(EncryptionAlgorithm::NULL, keys.to_bytes().unwrap().to_vec(), hmac()).into()
}

fn pke() -> Payload<'static> {
    Pke::new(mikey_sakke::mikey::CacheType(0), vec![6; 128]).into()
}

fn dh() -> Payload<'static> {
    Dh::new(DhGroup::Oakley1, vec![7; 96], KeyValidity::Null).unwrap().into()
}

fn ticket_policy(flags: TicketFlags) -> TicketPolicy<'static> {
    let rekeying = Tr::new(TsRole::REKEYING_INTERVAL, Timestamp::NtpUtc32(3600));
    TicketPolicy {
        ticket_type: TicketType::THREE_GPP_BASE,
        subtype: 1,
        version: 1,
        prf: PrfFunction::HMAC_SHA_256,
        flags,
        reserved: 0,
        data: TicketPolicy::data_of(&[rekeying.into()]).unwrap().into(),
    }
}

fn ticket() -> Payload<'static> {
    Ticket::new(ticket_policy(TicketFlags::D), vec![8; 20]).into()
}

fn ibake() -> Payload<'static> {
    Ibake::new(vec![9; 40]).into()
}

/// A message of every method as its RFC shows it, save MIKEY-SAKKE.
fn methods() -> Vec<Message<'static>> {
    use DataType as D;
    let (i, r, kms) = (IdRole::INITIATOR, IdRole::RESPONDER, IdRole::KMS);
    let cert = || Payload::from(Cert::new(CertType::X509V3, vec![1; 50]));
    let error = ErrorPayload::new(ErrorNumber::AUTH_FAILURE).into();
    let (from_i, from_r) = (randr(RandRole::INITIATOR), randr(RandRole::RESPONDER));
    let tp = || Payload::from(ticket_policy(TicketFlags::NONE));
    let null = || kemac(Mac::null());
    let keys = || kemac(hmac());
    let parts = vec![
        (D::PreShared, vec![t(), rand(), id(), id(), keys()]),
        (D::PreSharedVerification, vec![t(), id(), v()]),
        (D::PublicKey, vec![t(), rand(), cert(), cert(), id(), keys(), pke(), sign()]),
        (D::PublicKeyVerification, vec![t(), v()]),
        (D::DiffieHellmanInit, vec![t(), rand(), id(), dh(), sign()]),
        (D::DiffieHellmanResponse, vec![t(), cert(), id(), dh(), dh(), sign()]),
        (D::Error, vec![t(), error]),
        (D::DhHmacInit, vec![t(), rand(), id(), id(), dh(), keys()]),
        (D::DhHmacResponse, vec![t(), id(), id(), dh(), dh(), keys()]),
        (D::RsaReverseInit, vec![t(), rand(), id(), sign()]),
        (D::RsaReverseResponse, vec![t(), cert(), keys(), pke(), sign()]),
        (D::TicketRequestPreShared, vec![t(), from_i.clone(), idr(i), idr(kms), tp(), idr(IdRole::PSK), v()]),
        (D::TicketRequestPublicKey, vec![t(), from_i.clone(), idr(i), cert(), tp(), pke(), sign()]),
        (D::TicketRequestResponse, vec![t(), idr(kms), ticket(), null(), v()]),
        (D::TicketTransferInit, vec![t(), from_i, idr(i), idr(r), ticket(), v()]),
        (D::TicketTransferResponse, vec![t(), from_r.clone(), idr(r), v()]),
        (D::TicketResolvePreShared, vec![t(), from_r.clone(), idr(r), ticket(), v()]),
        (D::TicketResolvePublicKey, vec![t(), from_r, cert(), ticket(), pke(), sign()]),
        (D::TicketResolveResponse, vec![t(), null(), idr(r), randr(RandRole::KMS), v()]),
        (D::IbakeRequestPreShared, vec![t(), rand(), idr(i), idr(i), idr(kms), v()]),
        (D::IbakeRequestPublicKey, vec![t(), rand(), idr(r), cert(), idr(kms), pke(), sign()]),
        (D::IbakeRequestResponse, vec![t(), idr(i), idr(kms), null(), v()]),
        (D::IbakeInit1, vec![t(), rand(), idr(i), idr(r), ibake()]),
        (D::IbakeResponse1, vec![t(), idr(i), idr(r), ibake()]),
        (D::IbakeInit2, vec![t(), rand(), idr(i), idr(r), ibake()]),
        (D::IbakeResponse2, vec![t(), idr(i), idr(r), v()]),
    ];
    parts
        .into_iter()
        .map(|(data_type, payloads)| {
            let verification_expected = matches!(
                data_type,
                D::RsaReverseInit
                    | D::TicketRequestPreShared
                    | D::TicketRequestPublicKey
                    | D::TicketResolvePreShared
                    | D::TicketResolvePublicKey
                    | D::IbakeInit1
                    | D::IbakeResponse1
                    | D::IbakeInit2
            );
            Message { header: Header { verification_expected, ..header(data_type) }, payloads }
        })
        .collect()
}

/// The message of a method.
fn of(data_type: DataType) -> Message<'static> {
    methods().into_iter().find(|message| message.header.data_type == data_type).unwrap()
}

/// What is found beyond that it is another method.
fn beyond(message: &Message<'_>) -> Vec<Value> {
    let mut findings = strict(message).1;
    assert_eq!(findings.remove(0)["severity"], "other_method");
    findings
}

#[test]
fn a_message_of_another_method_passes_by_its_own_rules() {
    assert_eq!(methods().len(), 26);
    for message in methods() {
        let (code, findings) = strict(&message);
        assert_eq!((code, findings.len()), (0, 1), "{:?}: {findings:#?}", message.header.data_type);
        assert_eq!(findings[0]["severity"], "other_method");
        assert_eq!(findings[0]["clause"], "RFC 6509 4.1");
    }
}

#[test]
fn the_composition_of_another_method_is_judged() {
    for message in methods() {
        let data_type = message.header.data_type;
        let mut foreign = message.clone();
        foreign.payloads.insert(1, Sakke::mcx(vec![1]).into());
        let findings = beyond(&foreign);
        assert_eq!(findings.len(), 1, "{data_type:?}: {findings:?}");
        assert!(findings[0]["what"].as_str().unwrap().starts_with("SAKKE has no place"), "{findings:?}");
        assert_eq!(findings[0]["severity"], "contradicts");
        let mut without_time = message.clone();
        without_time.payloads.remove(0);
        let found = &beyond(&without_time)[0];
        assert_eq!((&found["what"], &found["severity"]), (&json!("the message has no T"), &json!("contradicts")));
        let mut twice = message;
        twice.payloads.insert(1, t());
        assert_eq!(beyond(&twice)[0]["what"], "the message has another T", "{data_type:?}");
    }
    let mut swapped = of(DataType::PreShared);
    swapped.payloads.swap(0, 1);
    let found = beyond(&swapped);
    assert_eq!(
        (found.len(), &found[0]["clause"], &found[0]["severity"]),
        (1, &json!("RFC 3830 3.1"), &json!("accepted"))
    );
    let mut behind = of(DataType::PreShared);
    behind.payloads.push(GeneralExtension::new(ExtensionType::VENDOR_ID, vec![1]).into());
    assert_eq!(beyond(&behind)[0]["what"], "KEMAC is not the last payload");
    let mut update = of(DataType::DhHmacInit);
    update.payloads.retain(|payload| !matches!(payload, Payload::Rand(_) | Payload::Dh(_)));
    let found = beyond(&update);
    assert_eq!(
        (found.len(), &found[0]["clause"], &found[0]["severity"]),
        (1, &json!("RFC 3830 4.5"), &json!("accepted"))
    );
}

#[test]
fn every_rule_of_other_methods_has_its_clause() {
    let changed = |data_type, change: &dyn Fn(&mut Message<'static>)| {
        let mut message = of(data_type);
        change(&mut message);
        message
    };
    let sp = |number| Payload::from(SecurityPolicy::srtp(number, &[(SrtpParameter(0), 1)]));
    let srtp = |policy_no| CsIdMap::SrtpId(vec![SrtpIdEntry { policy_no, ssrc: 1, roc: 0 }]);
    let flags = |flags, initiator_data: &[u8]| {
        Payload::from(Ticket {
            initiator_data: initiator_data.to_vec().into(),
            ..Ticket::new(ticket_policy(flags), vec![8; 20])
        })
    };
    for (message, what, clause, severity) in [
        (
            changed(DataType::RsaReverseInit, &|m| m.header.verification_expected = false),
            "the V flag is 0: expected 1",
            "RFC 4738 3.4",
            "accepted",
        ),
        (
            changed(DataType::TicketTransferInit, &|m| m.header.verification_expected = true),
            "the V flag is 1: expected 0",
            "RFC 6043 4.2.2.1",
            "accepted",
        ),
        (
            changed(DataType::PreShared, &|m| m.header.prf = PrfFunction(9)),
            "PRF function 9",
            "RFC 3830 6.1, RFC 6043 6.1",
            "contradicts",
        ),
        (
            changed(DataType::IbakeRequestResponse, &|m| m.header.cs_id_map = srtp(0)),
            "1 crypto sessions in a map of type SRTP-ID",
            "RFC 6267 4.2.1.3",
            "contradicts",
        ),
        (
            changed(DataType::PreShared, &|m| m.payloads[1] = Rand::new(vec![1; 8]).into()),
            "RAND has 8 octets",
            "RFC 3830 6.11",
            "accepted",
        ),
        (
            changed(DataType::PreShared, &|m| m.payloads[4] = kemac(Mac::null())),
            "KEMAC has the NULL MAC",
            "RFC 3830 4.2.4",
            "accepted",
        ),
        (
            changed(DataType::PreShared, &|m| {
                m.payloads[4] = in_clear(KeyDataType::Tgk);
            }),
            "the keys are in clear",
            "RFC 3830 4.2.3",
            "accepted",
        ),
        (
            changed(DataType::DhHmacInit, &|m| m.payloads[5] = kemac(Mac::null())),
            "KEMAC has the NULL MAC: expected an HMAC",
            "RFC 4650 3",
            "contradicts",
        ),
        (
            changed(DataType::TicketResolveResponse, &|m| m.payloads[1] = kemac(hmac())),
            "KEMAC has a MAC beside that of V",
            "RFC 6043 4.2.3.5",
            "contradicts",
        ),
        (
            changed(DataType::PreSharedVerification, &|m| m.payloads[2] = Verification::new(Mac::null()).into()),
            "V has the NULL MAC",
            "RFC 3830 4.2.4",
            "contradicts",
        ),
        (
            changed(DataType::PreShared, &|m| m.payloads.insert(4, sp(0))),
            "1 SP beside an empty CS ID map",
            "RFC 4563 5",
            "accepted",
        ),
        (
            changed(DataType::PreShared, &|m| {
                m.header.cs_id_map = srtp(0);
                m.payloads.splice(4..4, [sp(0), sp(0)]);
            }),
            "two security policies have the number 0",
            "RFC 3830 6.10",
            "contradicts",
        ),
        (
            changed(DataType::PreShared, &|m| {
                m.header.cs_id_map = srtp(7);
                m.payloads.insert(4, sp(0));
            }),
            "crypto session 1 refers to security policy 7",
            "RFC 3830 6.1.1",
            "contradicts",
        ),
        (
            changed(DataType::PreShared, &|m| {
                m.header.cs_id_map = generic_id(3, &[7], &[]);
                m.payloads.insert(4, sp(0));
            }),
            "crypto session 3 refers to security policy 7",
            "RFC 3830 6.1.1",
            "contradicts",
        ),
        (
            changed(DataType::PreShared, &|m| {
                m.payloads.insert(2, GeneralExtension::new(ExtensionType::SDP_IDS, b"mikey;".as_slice()).into());
            }),
            "1 (SDP IDs): no identifier",
            "RFC 4567 4.1.4",
            "contradicts",
        ),
        (
            changed(DataType::TicketTransferInit, &|m| {
                m.header.verification_expected = true;
                m.payloads[4] = flags(TicketFlags::I.with(TicketFlags::E).with(TicketFlags::F), &[]);
            }),
            "flag I (key forking) is set, and the ticket has no Initiator Data",
            "RFC 6043 6.10",
            "contradicts",
        ),
        (
            changed(DataType::TicketTransferInit, &|m| m.payloads[4] = flags(TicketFlags::NONE, &[0])),
            "flag I (key forking) is not set, and the ticket has Initiator Data",
            "RFC 6043 6.10",
            "contradicts",
        ),
        (
            changed(DataType::TicketTransferInit, &|m| m.payloads.insert(5, kemac(hmac()))),
            "the initiator supplies keys",
            "RFC 6043 4.2.2.1",
            "contradicts",
        ),
        (
            changed(DataType::TicketRequestPreShared, &|m| {
                let data = TicketPolicy::data_of(&[Tr::new(TsRole::REKEYING_INTERVAL, Timestamp::Counter(7)).into()]);
                m.payloads[4] = TicketPolicy { data: data.unwrap().into(), ..ticket_policy(TicketFlags::NONE) }.into();
            }),
            "TRr of TS type 2",
            "RFC 6043 6.10",
            "contradicts",
        ),
        (
            changed(DataType::TicketRequestPreShared, &|m| {
                m.payloads[4] = TicketPolicy { data: vec![].into(), ..ticket_policy(TicketFlags::NONE) }.into();
            }),
            "TP Data: TP Data First Payload at octet 0",
            "RFC 6043 6.10",
            "contradicts",
        ),
        (
            changed(DataType::TicketRequestResponse, &|m| {
                let policy = TicketPolicy { ticket_type: TicketType::MIKEY_BASE, ..ticket_policy(TicketFlags::D) };
                m.payloads[2] = Ticket::new(policy, vec![5]).into();
            }),
            "Ticket Data: THDR Data at octet 1",
            "RFC 6043 A",
            "contradicts",
        ),
    ] {
        let findings = beyond(&message);
        assert_eq!(findings.len(), 1, "{what}: {findings:#?}");
        assert!(findings[0]["what"].as_str().unwrap().starts_with(what), "{findings:?}, expected {what}");
        assert_eq!((&findings[0]["clause"], &findings[0]["severity"]), (&json!(clause), &json!(severity)), "{what}");
    }
}

fn with(data_type: DataType, change: impl FnOnce(&mut Message<'static>)) -> Message<'static> {
    let mut message = of(data_type);
    change(&mut message);
    message
}

fn whats(message: &Message<'_>) -> Vec<String> {
    beyond(message).iter().map(|finding| finding["what"].as_str().unwrap().to_owned()).collect()
}

/// The message has this one contradiction.
fn assert_contradicts(message: &Message<'_>, what: &str, clause: &str) {
    let findings = beyond(message);
    assert_eq!(findings.len(), 1, "{what}: {findings:#?}");
    assert!(findings[0]["what"].as_str().unwrap().starts_with(what), "{findings:?}, expected {what}");
    let place = (&findings[0]["clause"], &findings[0]["severity"]);
    assert_eq!(place, (&json!(clause), &json!("contradicts")), "{what}");
}

/// An entry of a GENERIC-ID map that leaves nothing open.
fn complete() -> GenericIdEntry<'static> {
    GenericIdEntry {
        cs_id: 3,
        protocol: ProtocolType::SRTP,
        session_data_flag: false,
        policy_numbers: &[0],
        session_data: &[0, 0, 0, 7],
        spi: &[1],
    }
}

fn generic(entries: &[GenericIdEntry<'_>]) -> CsIdMap<'static> {
    CsIdMap::GenericId(GenericIdMap::new(entries).unwrap())
}

#[test]
fn sessions_that_an_exchange_refuses_are_contradictions() {
    let clause = "RFC 6043 6.1.1";
    let offer = |entries: &[GenericIdEntry<'_>]| {
        with(DataType::PreShared, |m| {
            m.header.cs_id_map = generic(entries);
            m.payloads.insert(4, SecurityPolicy::srtp(0, &[(SrtpParameter(0), 1)]).into());
        })
    };
    assert_eq!(whats(&offer(&[complete(), GenericIdEntry { cs_id: 4, ..complete() }])), [""; 0]);
    assert_contradicts(&offer(&[complete(), complete()]), "crypto session 3 is there twice", clause);
    let short = GenericIdEntry { session_data: b"abc", ..complete() };
    assert_contradicts(&offer(&[short]), "crypto session 3 has 3 octets of session data, expected 4", clause);
    let foreign = GenericIdEntry { protocol: ProtocolType::TESLA, ..complete() };
    assert_contradicts(
        &offer(&[foreign]),
        "crypto session 3 refers to security policy 0 for security protocol",
        clause,
    );
    let no_policy = with(DataType::PreShared, |m| m.header.cs_id_map = generic(&[complete()]));
    assert_contradicts(&no_policy, "crypto session 3 refers to security policy 0, which the message", "RFC 3830 6.1.1");
    let defaults = with(DataType::PreShared, |m| {
        m.header.cs_id_map = CsIdMap::SrtpId(vec![SrtpIdEntry { policy_no: 5, ssrc: 1, roc: 0 }]);
    });
    assert_eq!(whats(&defaults), [""; 0], "no policy stands for the defaults of SRTP");
}

#[test]
fn an_answer_leaves_nothing_open() {
    let clause = "RFC 6043 6.1.1";
    for data_type in [DataType::PreSharedVerification, DataType::TicketTransferResponse, DataType::DhHmacResponse] {
        let answer = |entry| with(data_type, |m| m.header.cs_id_map = generic(&[entry]));
        assert_eq!(whats(&answer(complete())), [""; 0], "policies are in the offer");
        let two = GenericIdEntry { policy_numbers: &[0, 1], ..complete() };
        assert_contradicts(&answer(two), "the answer has 2 security policies for crypto session 3", clause);
        let none = GenericIdEntry { session_data: &[], ..complete() };
        assert_contradicts(&answer(none), "crypto session 3 has 0 octets of session data", clause);
        let no_spi = GenericIdEntry { spi: &[], ..complete() };
        assert_contradicts(&answer(no_spi), "the answer has no SPI for crypto session 3", clause);
    }
}

#[test]
fn extensions_that_an_exchange_takes_once_are_there_once() {
    let key_ids = KeyIdInformation::new(&[KeyId { key_id_type: KeyIdType::MBMS_TRAFFIC_KEY, id: &[1] }]).unwrap();
    let sdp_ids = SdpIds::new(&["mikey"]).unwrap();
    for (extension, what) in [
        (sdp_ids.to_extension().into_owned(), "the message has more than one SDP IDs"),
        (key_ids.to_extension().into_owned(), "the message has more than one key ID information"),
    ] {
        let mut message = of(DataType::PreShared);
        message.payloads.insert(2, extension.clone().into());
        assert_eq!(whats(&message), [""; 0]);
        message.payloads.insert(2, extension.into());
        assert_contradicts(&message, what, "RFC 3830 3.1");
    }
}

#[test]
fn keys_in_clear_are_judged() {
    let clear = "the keys are in clear, which the protocol below has to protect";
    let twice = |key_type| {
        with(DataType::PreShared, |m| {
            let entry = SrtpIdEntry { policy_no: 0, ssrc: 7, roc: 0 };
            m.header.cs_id_map = CsIdMap::SrtpId(vec![entry; 2]);
            m.payloads[4] = in_clear(key_type);
        })
    };
    let found = whats(&twice(KeyDataType::Tek));
    assert_eq!(found, [clear, "two crypto sessions under one TEK have the SSRC 0x00000007"]);
    assert_eq!(whats(&twice(KeyDataType::Tgk)), [clear], "each session has a key of its own");
    let broken = with(DataType::PreShared, |m| {
        m.payloads[4] = Kemac::new(EncryptionAlgorithm::NULL, vec![0, 0x20, 0, 9, 1], hmac()).into();
    });
    let findings = beyond(&broken);
    assert_eq!(findings.len(), 2, "{findings:?}");
    assert_eq!((&findings[0]["what"], &findings[1]["severity"]), (&json!(clear), &json!("contradicts")));
    assert!(findings[1]["what"].as_str().unwrap().starts_with("in Encr data of KEMAC: Key data at octet"));
}

#[test]
fn tickets_are_held_against_their_policies() {
    use TicketFlags as F;
    let (clause, forking) = ("RFC 6043 6.10", "RFC 6043 5.1.1");
    let ticket = |flags: F| {
        let initiator_data = if flags.contains(F::I) { vec![0] } else { vec![] };
        Ticket { initiator_data: initiator_data.into(), ..Ticket::new(ticket_policy(flags), vec![8; 20]) }
    };
    let transfer = |ticket: Ticket<'static>| {
        with(DataType::TicketTransferInit, |m| {
            m.header.verification_expected = ticket.policy.flags.contains(F::F);
            m.payloads[4] = ticket.into();
        })
    };
    let all = F::D.with(F::E).with(F::F).with(F::G).with(F::I).with(F::K);
    assert_eq!(whats(&transfer(ticket(all))), [""; 0]);
    for (flags, what, clause) in [
        (F::D.with(F::G), "flag G is set without flag F", clause),
        (F::D.with(F::I).with(F::F), "flag I is set without flag E", forking),
        (F::D.with(F::I).with(F::E), "flag I is set without flag F", forking),
        (F::K, "flag K is set without flag D", clause),
    ] {
        assert_contradicts(&transfer(ticket(flags)), what, clause);
    }
    let base = |subtype, version| {
        let data = BaseTicket { header_data: vec![].into(), payloads: vec![] }.to_bytes().unwrap();
        let policy = ticket_policy(F::D);
        Ticket::new(TicketPolicy { ticket_type: TicketType::MIKEY_BASE, subtype, version, ..policy }, data)
    };
    assert_eq!(whats(&transfer(base(1, 1))), [""; 0]);
    assert_contradicts(&transfer(base(9, 7)), "a MIKEY base ticket of subtype 9 and version 7", clause);
    let with_keys = TicketPolicy::data_of(&[kemac(Mac::null())]).unwrap();
    let granted = TicketPolicy { data: with_keys.into(), ..ticket_policy(F::D) };
    assert_contradicts(&transfer(Ticket::new(granted, vec![8; 20])), "TP Data of the ticket has KEMAC", clause);
    let grant = with(DataType::TicketRequestResponse, |m| m.payloads[2] = ticket(F::NONE).into());
    assert_contradicts(&grant, "flag D is not set", clause);
    let request = with(DataType::TicketRequestPreShared, |m| m.payloads[4] = ticket_policy(F::D.with(F::K)).into());
    let found = beyond(&request);
    assert_eq!((found.len(), &found[0]["severity"], &found[0]["clause"]), (1, &json!("accepted"), &json!(clause)));
    for data_type in [DataType::TicketTransferInit, DataType::TicketTransferResponse] {
        let mapped = with(data_type, |m| {
            m.header.cs_id_map = CsIdMap::SrtpId(vec![SrtpIdEntry { policy_no: 0, ssrc: 1, roc: 0 }]);
        });
        assert_contradicts(&mapped, "a CS ID map of type SRTP-ID", "RFC 6043 6.1");
    }
}

#[test]
fn of_one_rule_that_is_broken_often_the_first_findings_are_told() {
    let numbers: Vec<u8> = (0..127).collect();
    let entry = |cs_id| GenericIdEntry { cs_id, policy_numbers: &numbers, session_data: &[], spi: &[], ..complete() };
    let entries: Vec<_> = (0..255).map(entry).collect();
    let message = with(DataType::PreShared, |m| {
        m.header.cs_id_map = generic(&entries);
        m.payloads.insert(4, SecurityPolicy::srtp(200, &[(SrtpParameter(0), 1)]).into());
    });
    let text = inspect(&["--strict"], &message.to_bytes().unwrap());
    assert!(text.stderr.contains("32385 deviations"), "{}", text.stderr);
    let found = whats(&message);
    assert_eq!(found.len(), 21);
    assert!(found[20].ends_with("(and 32364 more of this kind)"), "{}", found[20]);
}
