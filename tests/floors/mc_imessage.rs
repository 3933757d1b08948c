//! I_MESSAGEs there and back, and everything that a receiver must refuse.

use crate::mc_support::*;
use mikey_sakke::mc::imessage::{
    CarriedIdentity, Compatibility, Decapsulated, Deviation, Expected, IdentityMode, Incoming, Offer, Opened, Policy,
    Receiver, Revocation, SentTo, SessionMap, SrtpPolicy, StatusZero, TimeWindow,
};
use mikey_sakke::mc::{
    CsId, Error, GukId, IdentityForm, KeyId, KeyParameters, KeyPeriods, KeySet, KeyStatus, KeyType, Kms, Party,
    PeriodEpoch, Service, Side,
};
use mikey_sakke::mikey::{
    DataType, IdRole, IdScheme, IdType, NtpTime, PayloadType, ProtocolType, SakkeParameters, SignatureType,
    SrtpParameter,
};
use mikey_sakke::{eccsi, mikey, sakke};

// There and back

#[test]
fn every_key_type_arrives_in_both_identity_modes() {
    for key_type in KeyType::ALL {
        for mode in [IdentityMode::Hidden, IdentityMode::Plain] {
            let parameters = KeyParameters { text: "for the drill".into(), ..KeyParameters::live(key_type) };
            let offer = offer(key_type).identity_mode(mode).parameters(parameters.clone()).unwrap();
            let opened = bob_opens(&offer.build(&mut rng()).unwrap()).unwrap();
            assert_eq!(opened.bundle.key.as_bytes(), key().as_bytes());
            assert_eq!(opened.bundle.key_id, key_id(key_type));
            assert_eq!(opened.bundle.csb_id, csb_id(key_type));
            assert_eq!(opened.bundle.rand, RAND);
            assert_eq!(opened.bundle.mki(), offer.bundle().mki());
            assert_eq!(opened.parameters, Some(parameters));
            assert_eq!(opened.revocation, Revocation::No);
            assert_eq!(opened.time.seconds(), noon().seconds());
            assert_eq!(opened.recipient_uri, BOB);
            assert_eq!(opened.recipient_uid, *WORLD.bob.uid());
            assert_eq!(opened.initiator().uri(), Some(ALICE));
            assert_eq!(opened.initiator().uid(), WORLD.alice.uid());
            assert_eq!(opened.findings, []);
        }
    }
}

#[test]
fn both_ends_of_a_private_call_derive_the_same_media_keys_one_pair_a_direction() {
    let offer = offer(KeyType::Pck);
    let opened = bob_opens(&offer.build(&mut rng()).unwrap()).unwrap();
    let [to_bob, to_alice] = [Side::Initiator, Side::Receiver].map(|side| CsId::private(Service::Mcptt, side));
    for cs_id in [to_bob, to_alice] {
        assert_eq!(offer.bundle().media_keys(cs_id), opened.bundle.media_keys(cs_id));
    }
    assert_ne!(opened.bundle.media_keys(to_bob).master_key, opened.bundle.media_keys(to_alice).master_key);
    assert_eq!(opened.bundle.media_keys(to_bob).mki, key_id(KeyType::Pck).to_bytes());
}

#[test]
fn members_of_a_group_derive_the_media_keys_of_a_sender_from_its_guk_id() {
    let opened = bob_opens(&message(KeyType::Gmk)).unwrap();
    let bobs = opened.bundle.guk_id().unwrap();
    let alices = GukId::new(&key(), key_id(KeyType::Gmk), ALICE).unwrap();
    let alice_sends = opened.bundle.for_sender(alices).unwrap();
    assert_ne!(alice_sends.media_keys(CsId::McpttGroup), opened.bundle.media_keys(CsId::McpttGroup));
    assert_eq!(
        alice_sends.for_sender(bobs).unwrap().media_keys(CsId::McpttGroup),
        opened.bundle.media_keys(CsId::McpttGroup)
    );
    assert_eq!(alice_sends.mki(), [key_id(KeyType::Gmk).to_bytes(), alices.to_bytes()].concat());
}

#[test]
fn payloads_go_out_in_the_order_that_the_field_expects() {
    let kinds = |message: &[u8]| Parts::of(message).payloads.iter().map(|(kind, _)| *kind).collect::<Vec<_>>();
    let roles = |message: &[u8]| {
        let parts = Parts::of(message);
        parts.payloads.iter().filter(|(kind, _)| *kind == IDR).map(|(_, body)| body[0]).collect::<Vec<_>>()
    };
    let hidden = message(KeyType::Gmk);
    assert_eq!(kinds(&hidden), [T, RAND_PAYLOAD, IDR, IDR, IDR, IDR, SP, SAKKE, GEXT]);
    assert_eq!(roles(&hidden), [8, 9, 6, 7]);
    let plain = offer(KeyType::Gmk).identity_mode(IdentityMode::Plain).build(&mut rng()).unwrap();
    assert_eq!(kinds(&plain), [T, RAND_PAYLOAD, IDR, IDR, IDR, IDR, SP, SAKKE]);
    assert_eq!(roles(&plain), [1, 2, 6, 7]);
}

#[test]
fn a_gmk_message_with_a_map_has_the_header_that_streamwide_sends() {
    let message = mapped_message(KeyType::Gmk);
    let guk_id = csb_id(KeyType::Gmk).to_bytes();
    let mut expected = vec![1, 26, T, 1];
    expected.extend_from_slice(&guk_id);
    expected.extend_from_slice(&[1, 2, 4, 0, 1, 0, 0, 0, 8]);
    expected.extend_from_slice(&key_id(KeyType::Gmk).to_bytes());
    expected.extend_from_slice(&guk_id);
    assert_eq!(message[..expected.len()], expected);
}

#[test]
fn a_message_without_a_map_has_the_header_that_alea_sends() {
    for key_type in KeyType::ALL {
        let mut expected = vec![1, 26, T, 1];
        expected.extend_from_slice(&csb_id(key_type).to_bytes());
        expected.extend_from_slice(&[0, 1, RAND_PAYLOAD, 0]);
        assert_eq!(message(key_type)[..expected.len()], expected);
    }
}

#[test]
fn every_key_type_that_has_crypto_sessions_arrives_with_a_map() {
    for key_type in KeyType::ALL {
        if CsId::first(key_type).is_none() {
            let refused = offer(key_type).session_map(SessionMap::GenericId).build(&mut rng());
            assert_eq!(refused, Err(Error::NoCryptoSessions { key_type }));
            continue;
        }
        let message = mapped_message(key_type);
        assert_eq!(message[9], 2);
        assert!(bob_opens(&message).is_ok());
    }
}

#[test]
fn a_hidden_message_holds_neither_uri() {
    let message = message(KeyType::Pck);
    for uri in [ALICE, BOB] {
        assert!(!message.windows(uri.len()).any(|window| window == uri.as_bytes()));
    }
}

#[test]
fn a_message_without_key_parameters_opens() {
    let opened = bob_opens(&offer(KeyType::Pck).build(&mut rng()).unwrap()).unwrap();
    assert_eq!(opened.parameters, None);
    assert_eq!(opened.revocation, Revocation::No);
}

#[test]
fn payloads_in_another_order_open() {
    let message = altered(KeyType::Pck, |parts| parts.payloads.reverse());
    assert!(bob_opens(&message).is_ok());
}

#[test]
fn a_kms_of_the_old_conventions_works() {
    let issuer = Issuer::new(KMS_URI);
    let periods = KeyPeriods::new(PERIOD, 0, PeriodEpoch::Unix).unwrap();
    let kms = issuer.kms.with_convention(periods, IdentityForm::HexText);
    let period_no = periods.number_at(noon()).unwrap();
    let (alice, bob) = (issuer.key_set_of(&kms, ALICE, period_no), issuer.key_set_of(&kms, BOB, period_no));
    let message = Offer::new(&alice, BOB, &kms, key_id(KeyType::Pck), key(), noon(), RAND).unwrap();
    let message = message.build(&mut rng()).unwrap();
    let receiver =
        Receiver { key_sets: &[&bob], kmss: &[&kms], initiator: Some(Expected::user(ALICE)), key_type: None };
    let verified = Incoming::parse(&message).unwrap().verify(&receiver, &Policy::new(noon())).unwrap();
    assert_eq!(verified.decapsulate().unwrap().live().unwrap().bundle.key.as_bytes(), key().as_bytes());
}

#[test]
fn users_of_two_kmss_reach_each_other() {
    let other = Issuer::new("kms.elsewhere.org");
    let carol = other.key_set("sip:carol@elsewhere.org", PERIOD_NO);
    let message =
        Offer::new(&WORLD.alice, carol.user_uri(), &other.kms, key_id(KeyType::Pck), key(), noon(), RAND).unwrap();
    let message = message.build(&mut rng()).unwrap();
    let receiver = Receiver {
        key_sets: &[&WORLD.bob, &carol],
        kmss: &[&other.kms, &WORLD.issuer.kms],
        initiator: Some(Expected::user(ALICE)),
        key_type: Some(KeyType::Pck),
    };
    let verified = Incoming::parse(&message).unwrap().verify(&receiver, &Policy::new(noon())).unwrap();
    assert_eq!(verified.key_sets()[0].user_uri(), carol.user_uri());
    assert!(verified.decapsulate().is_ok());
}

#[test]
fn a_hidden_initiator_is_known_by_uid_until_confirmed() {
    let receiver = Receiver { key_sets: &[&WORLD.bob], kmss: &[&WORLD.issuer.kms], initiator: None, key_type: None };
    let incoming = Incoming::parse(&message(KeyType::Pck)).unwrap();
    let verified = incoming.verify(&receiver, &Policy::new(noon())).unwrap();
    assert_eq!(verified.initiator_uri(), None);
    let mut opened = verified.decapsulate().unwrap().live().unwrap();
    assert_eq!(opened.initiator().uri(), None);
    let uid = *WORLD.alice.uid();
    assert_eq!(
        opened.confirm_initiator(Expected::user("sip:mallory@example.org")),
        Err(Error::UnexpectedInitiator { uid })
    );
    assert_eq!(opened.initiator().uri(), None);
    assert_eq!(opened.confirm_initiator(Expected::user(ALICE)), Ok(()));
    assert_eq!(opened.initiator().uri(), Some(ALICE));
}

/// A KMS that is known but not Alice's, and her keys as it would issue them.
fn rogue() -> (Issuer, Vec<u8>) {
    let rogue = Issuer::new("kms.rogue.example");
    let alice = rogue.key_set(ALICE, PERIOD_NO);
    let offer = Offer::new(&alice, BOB, &WORLD.issuer.kms, key_id(KeyType::Pck), key(), noon(), RAND).unwrap();
    (rogue, offer.build(&mut rng()).unwrap())
}

/// What Bob makes of a message from a rogue KMS's Alice, given what the two KMSs list.
fn bob_verifies(message: &[u8], kmss: &[&Kms], initiator: Option<Expected<'_>>) -> Result<Opened, Error> {
    let receiver = Receiver { key_sets: &[&WORLD.bob], kmss, initiator, key_type: None };
    Incoming::parse(message)?.verify(&receiver, &Policy::new(noon()))?.decapsulate()?.live()
}

#[test]
fn a_kms_cannot_issue_keys_for_a_user_whom_another_serves() {
    let (rogue, message) = rogue();
    let home = WORLD.issuer.kms.clone().with_domains(["EXAMPLE.org"]);
    let refused = Err(Error::KmsNotForUser { user_uri: ALICE.into(), kms_uri: "kms.rogue.example".into() });
    let alice = Some(Expected::user(ALICE));
    for domains in [&[] as &[&str], &["rogue.example"]] {
        let foreign = rogue.kms.clone().with_domains(domains.iter().copied());
        for kmss in [[&home, &foreign], [&foreign, &home]] {
            assert_eq!(bob_verifies(&message, &kmss, alice).map(|_| ()), refused);
            let mut opened = bob_verifies(&message, &kmss, None).unwrap();
            assert!(!opened.initiator().is(ALICE));
            assert_eq!(opened.confirm_initiator(Expected::user(ALICE)), refused);
            assert_eq!(opened.initiator().uri(), None);
        }
    }
    // Both list the domain; nobody does; or the receiver says so.
    let foreign = rogue.kms.clone().with_domains(["example.org"]);
    assert!(bob_verifies(&message, &[&home, &foreign], alice).is_ok());
    assert!(bob_verifies(&message, &[&WORLD.issuer.kms, &rogue.kms], alice).is_ok());
    let expected = Some(Expected { uri: ALICE, kms_uri: Some("kms.rogue.example") });
    assert!(bob_verifies(&message, &[&home, &rogue.kms], expected).is_ok());
}

#[test]
fn a_plain_initiator_whom_another_kms_serves_is_refused_without_expectations() {
    let rogue = Issuer::new("kms.rogue.example");
    let alice = rogue.key_set(ALICE, PERIOD_NO);
    let offer = Offer::new(&alice, BOB, &WORLD.issuer.kms, key_id(KeyType::Pck), key(), noon(), RAND).unwrap();
    let message = offer.identity_mode(IdentityMode::Plain).build(&mut rng()).unwrap();
    let home = WORLD.issuer.kms.clone().with_domains(["example.org"]);
    let refused = Err(Error::KmsNotForUser { user_uri: ALICE.into(), kms_uri: "kms.rogue.example".into() });
    assert_eq!(bob_verifies(&message, &[&home, &rogue.kms], None).map(|_| ()), refused);
    assert!(bob_verifies(&message, &[&rogue.kms], None).is_ok());
}

#[test]
fn an_initiator_of_another_kms_than_expected_is_refused() {
    let (rogue, message) = rogue();
    let expected = Some(Expected { uri: ALICE, kms_uri: Some(KMS_URI) });
    let refused = Err(Error::KmsNotForUser { user_uri: ALICE.into(), kms_uri: "kms.rogue.example".into() });
    assert_eq!(bob_verifies(&message, &[&WORLD.issuer.kms, &rogue.kms], expected).map(|_| ()), refused);
}

#[test]
fn a_message_made_just_before_the_period_ends_opens_after() {
    let next = WORLD.issuer.key_set(BOB, PERIOD_NO + 1);
    let (_, end) = WORLD.issuer.kms.periods().bounds(PERIOD_NO);
    let last = NtpTime::from_seconds(end - 1);
    for mode in [IdentityMode::Hidden, IdentityMode::Plain] {
        let offer = Offer::new(&WORLD.alice, BOB, &WORLD.issuer.kms, key_id(KeyType::Pck), key(), last, RAND).unwrap();
        let message = offer.identity_mode(mode).build(&mut rng()).unwrap();
        let receiver = Receiver {
            key_sets: &[&next, &WORLD.bob],
            kmss: &[&WORLD.issuer.kms],
            initiator: Some(Expected::user(ALICE)),
            key_type: None,
        };
        let policy = Policy::new(NtpTime::from_seconds(end + 30));
        let verified = Incoming::parse(&message).unwrap().verify(&receiver, &policy).unwrap();
        assert_eq!(verified.key_sets()[0].period_no(), PERIOD_NO);
        assert!(verified.decapsulate().is_ok());
    }
}

/// A message of Alice, whose KMS has a second certificate under the same URI.
fn after_a_key_change() -> (Issuer, KeySet, Vec<u8>) {
    let new = Issuer::new(KMS_URI);
    let (alice, bob) = (new.key_set(ALICE, PERIOD_NO), new.key_set(BOB, PERIOD_NO));
    let offer = Offer::new(&alice, BOB, &new.kms, key_id(KeyType::Gmk), key(), noon(), RAND).unwrap();
    let message = offer.build(&mut rng()).unwrap();
    (new, bob, message)
}

#[test]
fn a_message_opens_by_whichever_certificate_of_its_kms_it_was_made() {
    let (new, bob, message) = after_a_key_change();
    let old_kms = WORLD.issuer.kms.clone().valid(None, Some(noon()));
    let old_bob = WORLD.issuer.key_set_of(&old_kms, BOB, PERIOD_NO);
    for key_sets in [[&WORLD.bob, &bob], [&bob, &WORLD.bob], [&old_bob, &bob], [&bob, &old_bob]] {
        for kmss in [[&WORLD.issuer.kms, &new.kms], [&new.kms, &WORLD.issuer.kms], [&old_kms, &new.kms]] {
            let initiator = Some(Expected::user(ALICE));
            let receiver = Receiver { key_sets: &key_sets, kmss: &kmss, initiator, key_type: None };
            let verified = Incoming::parse(&message).unwrap().verify(&receiver, &Policy::new(noon())).unwrap();
            let opened = verified.decapsulate().unwrap().live().unwrap();
            assert_eq!(opened.bundle.key_id, key_id(KeyType::Gmk));
        }
    }
}

#[test]
fn a_recipient_whose_kms_certificate_ran_out_is_refused() {
    let kms = WORLD.issuer.kms.clone().valid(None, Some(noon()));
    let bob = WORLD.issuer.key_set_of(&kms, BOB, PERIOD_NO);
    for mode in [IdentityMode::Hidden, IdentityMode::Plain] {
        let message = offer(KeyType::Pck).identity_mode(mode).build(&mut rng()).unwrap();
        let receiver = Receiver { key_sets: &[&bob], kmss: &[&WORLD.issuer.kms], initiator: None, key_type: None };
        let refused = Incoming::parse(&message).unwrap().verify(&receiver, &Policy::new(noon()));
        assert_eq!(refused.map(|_| ()), Err(Error::KmsNotValid { kms_uri: KMS_URI.into(), time: noon() }));
    }
}

#[test]
fn a_certificate_is_valid_from_its_first_moment() {
    let kms = WORLD.issuer.kms.clone().valid(Some(noon()), Some(later(1)));
    assert_eq!(kms.require_valid_at(noon()), Ok(()));
    assert!(kms.require_valid_at(earlier(1)).is_err() && kms.require_valid_at(later(1)).is_err());
}

// What an offer refuses

#[test]
fn an_offer_under_a_certificate_that_ran_out_is_refused() {
    let kms = WORLD.issuer.kms.clone().valid(None, Some(noon()));
    let alice = WORLD.issuer.key_set_of(&kms, ALICE, PERIOD_NO);
    let refused = Offer::new(&alice, BOB, &WORLD.issuer.kms, key_id(KeyType::Pck), key(), noon(), RAND);
    assert_eq!(refused.map(|_| ()), Err(Error::KmsNotValid { kms_uri: KMS_URI.into(), time: noon() }));
}

#[test]
fn an_offer_outside_the_period_of_its_key_set_is_refused() {
    let time = later(PERIOD);
    let refused = Offer::new(&WORLD.alice, BOB, &WORLD.issuer.kms, key_id(KeyType::Pck), key(), time, RAND);
    assert_eq!(refused.map(|_| ()), Err(Error::TimeOutsideKeySet { key_set: PERIOD_NO, time: PERIOD_NO + 1 }));
}

#[test]
fn an_offer_to_a_kms_whose_certificate_ran_out_is_refused() {
    let kms = WORLD.issuer.kms.clone().valid(None, Some(noon()));
    let refused = Offer::new(&WORLD.alice, BOB, &kms, key_id(KeyType::Pck), key(), noon(), RAND);
    assert_eq!(refused.map(|_| ()), Err(Error::KmsNotValid { kms_uri: KMS_URI.into(), time: noon() }));
}

#[test]
fn an_offer_with_parameters_of_another_type_is_refused() {
    let refused = offer(KeyType::Pck).parameters(KeyParameters::live(KeyType::Csk));
    assert_eq!(
        refused.map(|_| ()),
        Err(Error::ParametersContradictType { found: KeyType::Csk, expected: KeyType::Pck })
    );
}

// Shape. Each message is signed again, so that nothing but the fault can be the reason.

/// Asserts that the altered message is refused with `expected`, already when it is parsed.
fn shape(alter: impl FnOnce(&mut Parts), expected: Error) {
    let message = altered(KeyType::Pck, alter);
    assert_eq!(Incoming::parse(&message).map(|_| ()), Err(expected));
}

#[test]
fn another_data_type_is_refused() {
    shape(|parts| parts.header[1] = 0, Error::DataType { found: DataType::PreShared });
}

#[test]
fn an_unknown_purpose_tag_is_refused() {
    shape(|parts| parts.header[4] = 0x7f, Error::UnknownPurposeTag { tag: 7 });
}

#[test]
fn a_message_without_rand_is_refused() {
    shape(|parts| parts.remove(RAND_PAYLOAD, 0), Error::Missing { what: "RAND" });
}

#[test]
fn a_message_without_encapsulated_data_is_refused() {
    shape(|parts| parts.remove(SAKKE, 0), Error::Missing { what: "SAKKE" });
}

#[test]
fn a_payload_that_is_there_twice_is_refused() {
    for (kind, what) in
        [(T, "T"), (RAND_PAYLOAD, "RAND"), (SAKKE, "SAKKE"), (GEXT, "key parameters extension"), (IDR, "IDRuidi")]
    {
        shape(
            |parts| {
                let at = parts.position(kind);
                let copy = parts.payloads[at].clone();
                parts.payloads.insert(at, copy);
            },
            Error::Repeated { what },
        );
    }
}

#[test]
fn a_security_policy_number_that_is_there_twice_is_refused() {
    shape(
        |parts| {
            let at = parts.position(SP);
            let copy = parts.payloads[at].clone();
            parts.payloads.insert(at, copy);
        },
        Error::Repeated { what: "security policy of one number" },
    );
}

#[test]
fn a_rand_of_another_length_is_refused() {
    for found in [0u8, 15, 17, 32] {
        shape(
            |parts| *parts.payload(RAND_PAYLOAD, 0) = [vec![found], vec![1; found.into()]].concat(),
            Error::RandLength { found: found.into() },
        );
    }
}

#[test]
fn a_timestamp_of_another_type_is_refused() {
    shape(|parts| parts.payload(T, 0)[0] = 1, Error::TimestampType { found: 1 });
}

#[test]
fn another_role_is_refused() {
    shape(|parts| parts.payload(IDR, 0)[0] = 3, Error::UnexpectedRole { role: IdRole::KMS });
}

#[test]
fn one_hidden_and_one_plain_identity_are_refused() {
    shape(|parts| parts.payload(IDR, 0)[0] = 1, Error::MixedRoles);
    shape(|parts| parts.payload(IDR, 1)[0] = 2, Error::MixedRoles);
}

#[test]
fn an_identity_of_another_type_is_refused() {
    for (nth, role) in ["IDRuidi", "IDRuidr", "IDRkmsi", "IDRkmsr"].into_iter().enumerate() {
        shape(|parts| parts.payload(IDR, nth)[1] = 0, Error::IdentityType { role, found: IdType::NAI });
    }
}

#[test]
fn a_uid_of_another_length_is_refused() {
    shape(
        |parts| *parts.payload(IDR, 1) = [vec![9, 1, 0, 31], vec![1; 31]].concat(),
        Error::UidLength { role: "IDRuidr", found: 31 },
    );
}

#[test]
fn an_identity_that_is_no_text_is_refused() {
    shape(|parts| *parts.payload(IDR, 2) = vec![6, 1, 0, 2, b'k', 0xff], Error::NotAUri { role: "IDRkmsi" });
    for control in [&b"\nkms"[..], "\u{202e}kms".as_bytes()] {
        let body = [&[7, 1, 0, control.len() as u8], control].concat();
        shape(|parts| *parts.payload(IDR, 3) = body, Error::UnprintableUri { role: "IDRkmsr" });
    }
    shape(|parts| *parts.payload(IDR, 3) = vec![7, 1, 0, 0], Error::NotAUri { role: "IDRkmsr" });
}

#[test]
fn encapsulated_data_of_another_length_is_refused() {
    for length in [0, 1, 257, 274] {
        let resize = |parts: &mut Parts| {
            let sakke = parts.payload(SAKKE, 0);
            sakke.resize(4 + length, 0);
            sakke[2..4].copy_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
        };
        shape(resize, Error::SakkeLength { found: length });
    }
}

#[test]
fn another_kind_of_signature_is_refused() {
    let mut message = message(KeyType::Pck);
    let at = message.len() - 131;
    message[at] = 0x10;
    assert_eq!(Incoming::parse(&message).map(|_| ()), Err(Error::SignatureType { found: SignatureType::RSA_PSS }));
}

#[test]
fn a_signature_of_another_length_is_refused() {
    let mut message = message(KeyType::Pck);
    message.pop();
    let at = message.len() - 129;
    message[at] = 0x80;
    assert_eq!(Incoming::parse(&message).map(|_| ()), Err(Error::SignatureLength { found: 128 }));
}

#[test]
fn another_map_type_is_refused() {
    let message = altered(KeyType::Pck, |parts| parts.header[9] = 3);
    assert!(matches!(Incoming::parse(&message), Err(Error::Mikey(mikey::Error::UnknownMapType { found: 3, .. }))));
}

#[test]
fn crypto_sessions_without_a_map_are_refused() {
    shape(|parts| parts.header[8] = 1, Error::SessionsWithoutMap { count: 1 });
}

#[test]
fn no_crypto_session_needs_no_map_whatever_its_type() {
    for map_type in 0..3 {
        let message = altered(KeyType::Pck, |parts| parts.header[9] = map_type);
        assert!(bob_opens(&message).is_ok(), "map type {map_type}");
    }
}

/// A message with a map of these crypto sessions: CS-ID, policy 0, no session data, no SPI.
fn with_sessions(key_type: KeyType, cs_ids: &[u8]) -> Vec<u8> {
    altered(key_type, |parts| {
        parts.header.truncate(8);
        parts.header.extend_from_slice(&[cs_ids.len() as u8, 2]);
        for cs_id in cs_ids {
            parts.header.extend_from_slice(&[*cs_id, 0, 1, 0, 0, 0, 0]);
        }
    })
}

#[test]
fn crypto_sessions_are_those_of_the_key_type_each_once() {
    let parse = |key_type, cs_ids: &[u8]| Incoming::parse(&with_sessions(key_type, cs_ids)).map(|_| ());
    for key_type in KeyType::ALL {
        let own: Vec<u8> = match key_type {
            KeyType::Pck => vec![0, 1, 2, 3],
            KeyType::Gmk => vec![4, 5],
            KeyType::Csk => vec![6, 8],
            KeyType::MuSik => vec![7, 9],
            KeyType::Spk | KeyType::Mkfc | KeyType::Mscck => vec![],
        };
        assert_eq!(parse(key_type, &own), Ok(()));
        for cs_id in (0..=12).filter(|cs_id| !own.contains(cs_id)) {
            assert_eq!(parse(key_type, &[cs_id]), Err(Error::CsId { cs_id, key_type }));
        }
    }
    let repeated = Err(Error::Repeated { what: "crypto session of one CS-ID" });
    assert_eq!(parse(KeyType::Pck, &[1, 0, 1]), repeated);
}

#[test]
fn session_data_is_refused() {
    let message = altered_message(&with_sessions(KeyType::Pck, &[1]), |parts| {
        let end = parts.header.len();
        parts.header[end - 2] = 2;
        parts.header.splice(end - 1..end - 1, [7, 7]);
    });
    assert_eq!(Incoming::parse(&message).map(|_| ()), Err(Error::SessionData { cs_id: 1 }));
    let message = altered_message(&with_sessions(KeyType::Pck, &[1]), |parts| parts.header[12] |= 0x80);
    assert_eq!(Incoming::parse(&message).map(|_| ()), Err(Error::SessionData { cs_id: 1 }));
}

#[test]
fn a_policy_that_an_srtp_id_map_names_must_be_there() {
    let message = altered(KeyType::Pck, |parts| {
        parts.header.truncate(8);
        parts.header.extend_from_slice(&[2, 0]);
        parts.header.extend_from_slice(&[0; 9]);
        parts.header.extend_from_slice(&[3, 0, 0, 0, 0, 0, 0, 0, 0]);
    });
    assert_eq!(Incoming::parse(&message).map(|_| ()), Err(Error::NoSuchPolicy { cs_id: 2, policy_no: 3 }));
}

#[test]
fn a_session_is_mapped_once_also_without_a_policy() {
    let message = altered_message(&mapped_message(KeyType::Csk), |parts| {
        // #P and the one policy number.
        parts.header.splice(12..14, [0]);
        let entry = parts.header[10..].to_vec();
        parts.header.extend(entry);
        parts.header[8] = 2;
    });
    let refused = Error::Repeated { what: "crypto session of one CS-ID" };
    assert_eq!(bob_opens(&message).map(|_| ()), Err(refused));
}

#[test]
fn a_crypto_session_for_another_protocol_is_refused() {
    let message = altered_message(&mapped_message(KeyType::Gmk), |parts| parts.header[11] = 1);
    assert_eq!(Incoming::parse(&message).map(|_| ()), Err(Error::CsProtocol { cs_id: 4, found: ProtocolType(1) }));
}

#[test]
fn a_crypto_session_without_its_policy_is_refused() {
    let message = altered_message(&mapped_message(KeyType::Gmk), |parts| parts.header[13] = 5);
    assert_eq!(Incoming::parse(&message).map(|_| ()), Err(Error::NoSuchPolicy { cs_id: 4, policy_no: 5 }));
    let message = altered_message(&mapped_message(KeyType::Gmk), |parts| parts.remove(SP, 0));
    assert_eq!(Incoming::parse(&message).map(|_| ()), Err(Error::NoSuchPolicy { cs_id: 4, policy_no: 0 }));
}

#[test]
fn an_spi_that_is_not_the_key_identifier_is_refused() {
    let message = altered_message(&mapped_message(KeyType::Gmk), |parts| *parts.header.last_mut().unwrap() ^= 1);
    assert_eq!(Incoming::parse(&message).map(|_| ()), Err(Error::Spi { cs_id: 4 }));
    let message = altered_message(&mapped_message(KeyType::Csk), |parts| *parts.header.last_mut().unwrap() ^= 1);
    assert_eq!(Incoming::parse(&message).map(|_| ()), Err(Error::Spi { cs_id: 6 }));
    // The GMK-ID shows only when the key is there.
    let message = altered_message(&mapped_message(KeyType::Gmk), |parts| parts.header[20] ^= 1);
    assert_eq!(bob_opens(&message).map(|_| ()), Err(Error::Spi { cs_id: 4 }));
}

#[test]
fn a_security_policy_that_is_not_the_profile_is_refused() {
    let of_parameter = |kind| Error::PolicyParameter { policy_no: 0, parameter: SrtpParameter(kind) };
    // Policy number, protocol, length (2), then type, length and value of each parameter.
    shape(|parts| parts.payload(SP, 0)[6] = 1, of_parameter(0));
    shape(|parts| parts.payload(SP, 0)[9] = 32, of_parameter(1));
    shape(|parts| parts.payload(SP, 0)[4] = 99, of_parameter(99));
    shape(|parts| parts.payload(SP, 0)[1] = 1, Error::PolicyProtocol { policy_no: 0, found: ProtocolType(1) });
    shape(|parts| *parts.payload(SP, 0) = vec![0, 0, 0, 3, 1, 1, 16], Error::PolicyCipher { policy_no: 0 });
}

/// The parameters of tables E.2-1 and E.3-1, octet by octet.
const GROUP_POLICY: [u8; 34] =
    [0, 0, 0, 30, 0, 1, 6, 1, 1, 16, 2, 1, 4, 4, 1, 12, 5, 1, 0, 6, 1, 0, 13, 1, 1, 18, 1, 4, 19, 1, 0, 20, 1, 16];
const PAIR_POLICY: [u8; 22] = [0, 0, 0, 18, 0, 1, 6, 1, 1, 16, 4, 1, 12, 5, 1, 0, 6, 1, 0, 20, 1, 16];

#[test]
fn a_gmk_goes_out_under_the_policy_of_groups_and_others_under_that_of_pairs() {
    let policy = |key_type| Parts::of(&message(key_type)).payload(SP, 0).clone();
    assert_eq!(policy(KeyType::Gmk), GROUP_POLICY);
    assert_eq!(policy(KeyType::Pck), PAIR_POLICY);
    assert_eq!(policy(KeyType::Csk), PAIR_POLICY);
}

#[test]
fn the_media_layer_learns_which_policy_a_session_has() {
    let opened = |message: &[u8]| bob_opens(message).unwrap();
    assert_eq!(opened(&message(KeyType::Gmk)).policy(CsId::McpttGroup), Some(SrtpPolicy::Group));
    assert_eq!(opened(&message(KeyType::Pck)).policy(CsId::McpttReceiver), Some(SrtpPolicy::Pair));
    let without = altered(KeyType::Pck, |parts| parts.remove(SP, 0));
    assert_eq!(opened(&without).policy(CsId::McpttReceiver), None);
    // Session 0 under policy 0, session 1 under policy 9.
    let two = altered_message(&with_sessions(KeyType::Pck, &[0, 1]), |parts| {
        let at = parts.position(SP);
        let mut group = GROUP_POLICY.to_vec();
        group[0] = 9;
        parts.payloads.insert(at + 1, (SP, group));
        let last = parts.header.len() - 4;
        parts.header[last] = 9;
    });
    let two = opened(&two);
    assert_eq!(two.policy(CsId::McpttInitiator), Some(SrtpPolicy::Pair));
    assert_eq!(two.policy(CsId::McpttReceiver), Some(SrtpPolicy::Group));
    assert_eq!(two.policy(CsId::McVideoReceiver), Some(SrtpPolicy::Pair));
}

#[test]
fn a_payload_that_does_not_belong_is_refused() {
    // ID, an identity without a role.
    shape(
        |parts| parts.payloads.insert(0, (6, vec![1, 0, 1, b'x'])),
        Error::UnexpectedPayload { found: PayloadType::ID },
    );
}

#[test]
fn an_unknown_payload_is_refused() {
    let message = altered(KeyType::Pck, |parts| parts.payloads.insert(0, (99, vec![0])));
    assert!(matches!(Incoming::parse(&message), Err(Error::Mikey(_))));
}

#[test]
fn octets_after_the_signature_are_refused() {
    let mut message = message(KeyType::Pck);
    message.push(0);
    assert!(Incoming::parse(&message).is_err());
}

#[test]
fn nothing_is_a_message() {
    assert!(matches!(Incoming::parse(&[]), Err(Error::Mikey(_))));
}

#[test]
fn faults_in_the_clear_part_of_key_parameters_are_refused() {
    // Extension type, length (2), then the protected payload.
    shape(|parts| parts.payload(GEXT, 0)[3] = 0x03, Error::ParametersNotEncrypted { message_type: 3 });
    shape(|parts| parts.payload(GEXT, 0)[14] = 2, Error::ParametersAlgorithm { found: 2 });
    let expected = key_id(KeyType::Pck).to_u32();
    shape(|parts| parts.payload(GEXT, 0)[34] ^= 1, Error::DppkIdMismatch { found: expected ^ 1, expected });
    shape(|parts| parts.payload(GEXT, 0)[37] += 1, Error::ParametersPayloadLength { stated: 34, present: 33 });
    shape(|parts| *parts.payload(GEXT, 0) = vec![7, 0, 2, 0x43, 0], Error::ParametersTooShort { len: 2 });
}

// Who

#[test]
fn a_message_for_another_user_is_refused() {
    let receiver = Receiver { key_sets: &[&WORLD.alice], kmss: &[&WORLD.issuer.kms], initiator: None, key_type: None };
    let refuse = |mode| {
        let message = offer(KeyType::Pck).identity_mode(mode).build(&mut rng()).unwrap();
        Incoming::parse(&message).unwrap().verify(&receiver, &Policy::new(noon())).map(|_| ())
    };
    let recipient = WORLD.bob.uid().to_string();
    assert_eq!(refuse(IdentityMode::Hidden), Err(Error::NotForMe { recipient }));
    assert_eq!(refuse(IdentityMode::Plain), Err(Error::NotForMe { recipient: BOB.into() }));
}

#[test]
fn a_receiver_without_keys_is_nobody() {
    let receiver = Receiver { key_sets: &[], kmss: &[&WORLD.issuer.kms], initiator: None, key_type: None };
    let refused = Incoming::parse(&message(KeyType::Pck)).unwrap().verify(&receiver, &Policy::new(noon()));
    assert!(matches!(refused, Err(Error::NotForMe { .. })));
}

#[test]
fn an_unknown_kms_is_refused() {
    let receiver = Receiver { key_sets: &[&WORLD.bob], kmss: &[], initiator: None, key_type: None };
    let refused = Incoming::parse(&message(KeyType::Pck)).unwrap().verify(&receiver, &Policy::new(noon()));
    assert_eq!(refused.map(|_| ()), Err(Error::UnknownKms { party: Party::Initiator, kms_uri: KMS_URI.into() }));
    let other = b"kms.example.com";
    let mut body = vec![7, 1, 0, other.len() as u8];
    body.extend_from_slice(other);
    let message = altered(KeyType::Pck, |parts| *parts.payload(IDR, 3) = body);
    assert_eq!(
        bob_opens(&message).map(|_| ()),
        Err(Error::UnknownKms { party: Party::Recipient, kms_uri: "kms.example.com".into() })
    );
}

#[test]
fn a_kms_certificate_outside_its_validity_is_refused() {
    let expired = WORLD.issuer.kms.clone().valid(None, Some(earlier(1)));
    let early = WORLD.issuer.kms.clone().valid(Some(later(1)), None);
    for kms in [&expired, &early] {
        let receiver = Receiver { key_sets: &[&WORLD.bob], kmss: &[kms], initiator: None, key_type: None };
        let refused = Incoming::parse(&message(KeyType::Pck)).unwrap().verify(&receiver, &Policy::new(noon()));
        assert_eq!(refused.map(|_| ()), Err(Error::KmsNotValid { kms_uri: KMS_URI.into(), time: noon() }));
    }
}

#[test]
fn another_initiator_than_expected_is_refused() {
    let receiver = Receiver {
        key_sets: &[&WORLD.bob],
        kmss: &[&WORLD.issuer.kms],
        initiator: Some(Expected::user("sip:carol@example.org")),
        key_type: None,
    };
    for mode in [IdentityMode::Hidden, IdentityMode::Plain] {
        let message = offer(KeyType::Pck).identity_mode(mode).build(&mut rng()).unwrap();
        let refused = Incoming::parse(&message).unwrap().verify(&receiver, &Policy::new(noon()));
        assert_eq!(refused.map(|_| ()), Err(Error::UnexpectedInitiator { uid: *WORLD.alice.uid() }));
    }
}

#[test]
fn another_key_type_than_expected_is_refused() {
    let receiver =
        Receiver { key_sets: &[&WORLD.bob], kmss: &[&WORLD.issuer.kms], initiator: None, key_type: Some(KeyType::Pck) };
    let refused = Incoming::parse(&message(KeyType::Csk)).unwrap().verify(&receiver, &Policy::new(noon()));
    assert_eq!(refused.map(|_| ()), Err(Error::UnexpectedKeyType { found: KeyType::Csk, expected: KeyType::Pck }));
}

#[test]
fn a_plain_message_of_a_period_without_keys_is_refused() {
    let next = WORLD.issuer.key_set(BOB, PERIOD_NO + 1);
    let receiver = Receiver { key_sets: &[&next], kmss: &[&WORLD.issuer.kms], initiator: None, key_type: None };
    let message = offer(KeyType::Pck).identity_mode(IdentityMode::Plain).build(&mut rng()).unwrap();
    let refused = Incoming::parse(&message).unwrap().verify(&receiver, &Policy::new(noon()));
    assert_eq!(refused.map(|_| ()), Err(Error::NoKeySetForPeriod { period_no: PERIOD_NO }));
}

// When

#[test]
fn messages_outside_the_time_window_are_refused() {
    let message = message(KeyType::Pck);
    let at = |now| bob_opens_under(&message, &Policy::new(now)).map(|_| ());
    assert_eq!(at(later(300)), Ok(()));
    assert_eq!(at(later(301)), Err(Error::TooOld { age: 301, allowed: 300 }));
    assert_eq!(at(earlier(300)), Ok(()));
    assert_eq!(at(earlier(301)), Err(Error::InTheFuture { ahead: 301, allowed: 300 }));
    let year = 365 * 86_400;
    assert_eq!(at(later(year)), Err(Error::TooOld { age: year, allowed: 300 }));
    let narrow = Policy { window: TimeWindow { past: 5, future: 0 }, ..Policy::new(later(6)) };
    assert_eq!(bob_opens_under(&message, &narrow).map(|_| ()), Err(Error::TooOld { age: 6, allowed: 5 }));
}

#[test]
fn a_message_dated_far_ahead_is_from_the_future_whatever_its_period() {
    let message = altered(KeyType::Pck, |parts| parts.payload(T, 0)[1..5].copy_from_slice(&u32::MAX.to_be_bytes()));
    assert!(matches!(bob_opens(&message), Err(Error::InTheFuture { .. })));
}

#[test]
fn an_age_only_reported_is_a_finding() {
    let policy = Policy::new(later(1000)).at_any_age();
    let opened = bob_opens_under(&message(KeyType::Pck), &policy).unwrap();
    assert_eq!(opened.findings, [Error::TooOld { age: 1000, allowed: 300 }]);
}

#[test]
fn a_flipped_bit_is_refused_at_any_age_as_well() {
    let mut message = message(KeyType::Pck);
    let last = message.len() - 1;
    message[last - 129 - 2 - 10] ^= 1;
    let refused = bob_opens_under(&message, &Policy::new(later(60)).at_any_age());
    assert_eq!(refused.map(|_| ()), Err(Error::SignatureInvalid(eccsi::Error::SignatureInvalid)));
}

#[test]
fn a_time_and_a_uid_of_different_periods_are_refused() {
    let message = altered(KeyType::Pck, |parts| {
        let seconds = (noon().seconds() + PERIOD) as u32;
        parts.payload(T, 0)[1..5].copy_from_slice(&seconds.to_be_bytes());
    });
    let refused = bob_opens_under(&message, &Policy::new(later(PERIOD)));
    assert_eq!(refused.map(|_| ()), Err(Error::PeriodMismatch { uid: PERIOD_NO, time: PERIOD_NO + 1 }));
}

#[test]
fn replay_tags_ignore_the_signature_and_nothing_else() {
    let tag = |message: &[u8]| Incoming::parse(message).unwrap().replay_tag();
    let first = message(KeyType::Pck);
    let parts = Parts::of(&first);
    assert_eq!(tag(&first), tag(&parts.sign()));
    assert_ne!(tag(&first), tag(&message(KeyType::Pck)));
}

// Cryptography

#[test]
fn a_message_signed_by_another_user_is_refused() {
    let parts = Parts::of(&message(KeyType::Pck));
    let mut forged = parts.signed_octets();
    let signature = WORLD.bob.signer().sign(&forged, &mut rng()).unwrap();
    forged.extend_from_slice(&signature.to_bytes());
    assert_eq!(bob_opens(&forged).map(|_| ()), Err(Error::SignatureInvalid(eccsi::Error::SignatureInvalid)));
}

// Key parameters

#[test]
fn a_revocation_names_key_recipient_and_initiator_whenever_the_key_ends() {
    let revoked = KeyParameters {
        status: KeyStatus::SHARED_WITH_GATEWAY,
        expiry: unix(noon()),
        ..KeyParameters::live(KeyType::Gmk)
    };
    let message = with_parameters(KeyType::Gmk, &revoked);
    let opened = match bob_decapsulates(&message, &Policy::new(later(60))) {
        Ok(Decapsulated::Revoked(opened)) => opened,
        other => panic!("{other:?}"),
    };
    assert_eq!(opened.bundle.key.as_bytes(), key().as_bytes());
    assert_eq!(opened.bundle.key_id, key_id(KeyType::Gmk));
    assert_eq!(opened.recipient_uri, BOB);
    assert!(opened.initiator().is(ALICE) && !opened.initiator().is(BOB));
    assert_eq!(opened.initiator().period_no(), PERIOD_NO);
    assert_eq!(opened.revocation, Revocation::Yes);
    let secret = "75, 75, 75, 75"; // the key's octets as Debug would show them
    let shown = format!("{opened:?}");
    assert!(!shown.contains(secret) && !shown.contains("4b4b4b4b"), "{shown}");
}

#[test]
fn status_zero_is_reported_or_refused_as_the_setting_says() {
    let zero = KeyParameters { status: KeyStatus::ZERO, ..KeyParameters::live(KeyType::Pck) };
    let message = with_parameters(KeyType::Pck, &zero);
    assert_eq!(bob_opens(&message).unwrap().revocation, Revocation::Possible);
    let strict = Compatibility { status_zero: StatusZero::Revoked, ..Compatibility::default() };
    assert_eq!(
        bob_opens_under(&message, &Policy { compatibility: strict, ..Policy::new(later(60)) }).map(|_| ()),
        Err(Error::KeyRevoked { key_id: key_id(KeyType::Pck).to_u32() })
    );
}

#[test]
fn a_key_without_an_activation_time_is_active_from_the_time_of_its_message() {
    let message = with_parameters(KeyType::Pck, &KeyParameters::live(KeyType::Pck));
    let policy = Policy { window: TimeWindow { past: 0, future: 10 }, ..Policy::new(earlier(11)) }.at_any_age();
    let ahead = Error::InTheFuture { ahead: 11, allowed: 10 };
    let inactive = Error::KeyNotYetActive { activation: unix(noon()) };
    assert_eq!(bob_opens_under(&message, &policy).unwrap().findings, [ahead, inactive]);
}

// One's own messages

fn own_message(key_type: KeyType, mode: IdentityMode) -> Vec<u8> {
    let offer = offer(key_type).identity_mode(mode).to_self();
    offer.parameters(KeyParameters::live(key_type)).unwrap().build(&mut rng()).unwrap()
}

fn open_own(message: &[u8], me: &KeySet, recipient: &str, kms: &Kms) -> Result<Opened, Error> {
    let recipient = SentTo { uri: recipient, kms, key_type: None };
    Incoming::parse(message)?.open_own(&[me], recipient, &Policy::new(later(60)))?.live()
}

#[test]
fn the_initiator_reads_its_own_message_by_sakke_to_self() {
    let (alice, kms) = (&WORLD.alice, &WORLD.issuer.kms);
    for key_type in KeyType::ALL {
        for mode in [IdentityMode::Hidden, IdentityMode::Plain] {
            let message = own_message(key_type, mode);
            let bobs = bob_opens(&message).unwrap();
            let own = open_own(&message, alice, BOB, kms).unwrap();
            assert_eq!(own.bundle.key.as_bytes(), bobs.bundle.key.as_bytes());
            assert_eq!((own.bundle.key_id, own.bundle.csb_id), (bobs.bundle.key_id, bobs.bundle.csb_id));
            assert_eq!(own.parameters, bobs.parameters);
            assert_eq!((own.initiator().uri(), own.recipient_uri.as_str()), (Some(ALICE), BOB));
            assert_eq!(own.recipient_uid, bobs.recipient_uid);
        }
    }
}

#[test]
fn a_message_is_ones_own_only_if_one_sent_it() {
    let (world, kms) = (&*WORLD, &WORLD.issuer.kms);
    let message = own_message(KeyType::Pck, IdentityMode::Hidden);
    let initiator = world.alice.uid().to_string();
    assert_eq!(open_own(&message, &world.bob, BOB, kms).unwrap_err(), Error::NotFromMe { initiator });
    let refusal = Error::NotForRecipient { recipient: world.bob.uid().to_string(), expected: ALICE.into() };
    assert_eq!(open_own(&message, &world.alice, ALICE, kms).unwrap_err(), refusal);
    let stranger = Issuer::new("kms.example.com");
    let refusal = Error::NotForRecipient { recipient: world.bob.uid().to_string(), expected: BOB.into() };
    assert_eq!(open_own(&message, &world.alice, BOB, &stranger.kms).unwrap_err(), refusal);
}

#[test]
fn a_message_without_sakke_to_self_does_not_open_for_its_initiator() {
    let own = |message: &[u8]| open_own(message, &WORLD.alice, BOB, &WORLD.issuer.kms).unwrap_err();
    let missing = Error::Missing { what: "SAKKE-to-self extension" };
    assert_eq!(own(&message(KeyType::Pck)), missing);

    let with_extension = |alter: fn(&mut Vec<u8>)| {
        altered_message(&own_message(KeyType::Pck, IdentityMode::Hidden), |parts| alter(parts.payload(GEXT, 0)))
    };
    assert_eq!(own(&with_extension(|gext| gext[4] = 2)), Error::SakkeParameterSet { found: SakkeParameters(2) });
    assert_eq!(own(&with_extension(|gext| gext[5] = 1)), Error::IdScheme { found: IdScheme::TEL_URI_MONTHLY });
    assert!(matches!(own(&with_extension(|gext| gext[6] = 0xff)), Error::Mikey(mikey::Error::Truncated { .. })));
    let altered = with_extension(|gext| *gext.last_mut().unwrap() ^= 1);
    assert_eq!(own(&altered), Error::Decapsulation(sakke::Error::DecapsulationFailed));
    let twice = altered_message(&own_message(KeyType::Pck, IdentityMode::Hidden), |parts| {
        let extension = parts.payload(GEXT, 0).clone();
        parts.payloads.push((GEXT, extension));
    });
    assert_eq!(own(&twice), Error::Repeated { what: "SAKKE-to-self extension" });
}

// Compatibility: refused by default, accepted with the one setting.

fn excused_only_by(message: &[u8], deviation: Deviation, compatibility: Compatibility) {
    assert_eq!(bob_opens(message).map(|_| ()), Err(Error::Deviation(deviation)));
    let policy = Policy { compatibility, ..Policy::new(later(60)) };
    let opened = bob_opens_under(message, &policy).unwrap();
    assert_eq!(opened.bundle.key.as_bytes(), key().as_bytes());
    assert_eq!(opened.initiator().uri(), Some(ALICE));
}

#[test]
fn the_v_flag_needs_its_setting() {
    let message = altered(KeyType::Pck, |parts| parts.header[3] |= 0x80);
    excused_only_by(&message, Deviation::VFlag, Compatibility { v_flag: true, ..Default::default() });
}

#[test]
fn prf_zero_needs_its_setting() {
    let message = altered(KeyType::Pck, |parts| parts.header[3] = 0);
    excused_only_by(&message, Deviation::PrfZero, Compatibility { prf_zero: true, ..Default::default() });
}

#[test]
fn an_srtp_id_map_needs_its_setting() {
    let message = altered(KeyType::Pck, |parts| {
        parts.header.truncate(8);
        parts.header.extend_from_slice(&[2, 0]);
        for _ in 0..2 {
            parts.header.extend_from_slice(&[0; 9]); // policy 0, SSRC, ROC
        }
    });
    excused_only_by(&message, Deviation::SrtpIdMap, Compatibility { srtp_id_map: true, ..Default::default() });
}

#[test]
fn uids_in_plain_roles_need_their_setting() {
    let message = altered(KeyType::Pck, |parts| {
        parts.payload(IDR, 0)[0] = 1;
        parts.payload(IDR, 1)[0] = 2;
    });
    excused_only_by(
        &message,
        Deviation::UidInPlainRole(Party::Initiator),
        Compatibility { uids_in_plain_roles: true, ..Default::default() },
    );
}

#[test]
fn a_trailing_nul_of_a_kms_uri_needs_its_setting() {
    let message = altered(KeyType::Pck, |parts| {
        let kms = parts.payload(IDR, 2);
        kms.push(0);
        kms[3] += 1;
    });
    excused_only_by(
        &message,
        Deviation::KmsUriTrailingNul(Party::Initiator),
        Compatibility { kms_uri_trailing_nul: true, ..Default::default() },
    );
}

#[test]
fn an_encapsulation_without_leading_zeros_is_opened_where_that_is_excused() {
    let with_key = |number: u32| {
        let key = sakke::SharedSecret::new([number.to_be_bytes(); 4].as_flattened().try_into().unwrap());
        let world = &*WORLD;
        let offer = Offer::new(&world.alice, BOB, &world.issuer.kms, key_id(KeyType::Pck), key, noon(), RAND).unwrap();
        offer.build(&mut rng()).unwrap()
    };
    let h = 4 + sakke::POINT_LEN;
    let message = (0..).map(with_key).find(|message| Parts::of(message).payload(SAKKE, 0)[h] == 0).unwrap();
    let short = altered_message(&message, |parts| {
        let sakke = parts.payload(SAKKE, 0);
        sakke.remove(h);
        sakke[2..4].copy_from_slice(&272u16.to_be_bytes());
    });
    let compatibility = Compatibility { dropped_zeros: true, ..Default::default() };
    assert_eq!(bob_opens(&short).unwrap_err(), Error::Deviation(Deviation::ShortEncapsulation));
    let policy = Policy { compatibility, ..Policy::new(later(60)) };
    let [short, whole] = [short, message].map(|message| bob_opens_under(&message, &policy).unwrap());
    assert_eq!(short.bundle.key.as_bytes(), whole.bundle.key.as_bytes());
}

#[test]
fn old_key_parameters_in_clear_are_read_where_that_is_excused() {
    let live = KeyParameters { expiry: unix(later(3600)), ..KeyParameters::live(KeyType::Pck) };
    let in_clear = |change: fn(&mut Vec<u8>)| {
        let mut octets = live.to_bytes().unwrap();
        octets[0] += 1;
        change(&mut octets);
        altered(KeyType::Pck, |parts| {
            *parts.payload(GEXT, 0) = [&[7, 0, octets.len() as u8], octets.as_slice()].concat();
        })
    };
    let compatibility = Compatibility { clear_key_parameters: true, ..Default::default() };
    let policy = Policy { compatibility, ..Policy::new(later(60)) };
    let message = in_clear(|_| ());
    excused_only_by(&message, Deviation::ClearKeyParameters, compatibility);
    assert_eq!(bob_opens_under(&message, &policy).unwrap().parameters, Some(live.clone()));

    let refusal = |change| bob_opens_under(&in_clear(change), &policy).unwrap_err();
    assert_eq!(refusal(|octets| octets[0] = 0), Error::ParametersKeyType { found: 0 });
    assert_eq!(
        refusal(|octets| octets[0] = 1),
        Error::ParametersContradictType { found: KeyType::Gmk, expected: KeyType::Pck }
    );
    assert_eq!(
        refusal(|octets| octets[16] = 1),
        Error::ParametersMalformed { offset: 17, expected: "text of key parameters" }
    );
    assert!(matches!(refusal(|octets| octets.push(0)), Error::ParametersTooShort { len: 18 }));
}

#[test]
fn a_signature_without_the_sign_header_needs_its_setting() {
    let mut message = Parts::of(&message(KeyType::Pck)).signed_octets();
    let signature = WORLD.alice.signer().sign(&message[..message.len() - 2], &mut rng()).unwrap();
    message.extend_from_slice(&signature.to_bytes());
    assert_eq!(bob_opens(&message).map(|_| ()), Err(Error::SignatureInvalid(eccsi::Error::SignatureInvalid)));
    let compatibility = Compatibility { unsigned_sign_header: true, ..Compatibility::default() };
    assert!(bob_opens_under(&message, &Policy { compatibility, ..Policy::new(later(60)) }).is_ok());
}

#[test]
fn neighbouring_periods_need_their_setting_and_reach_no_further() {
    let dated = |seconds: u64| {
        altered(KeyType::Pck, |parts| {
            let seconds = u32::try_from(noon().seconds() + seconds).unwrap();
            parts.payload(T, 0)[1..5].copy_from_slice(&seconds.to_be_bytes());
        })
    };
    let compatibility = Compatibility { neighbouring_periods: true, ..Compatibility::default() };
    let at = |periods: u64, compatibility| {
        let policy = Policy { compatibility, ..Policy::new(later(periods * PERIOD)) };
        bob_opens_under(&dated(periods * PERIOD), &policy).map(|_| ())
    };
    let refused = |time| Err(Error::PeriodMismatch { uid: PERIOD_NO, time });
    assert_eq!(at(1, Compatibility::default()), refused(PERIOD_NO + 1));
    assert_eq!(at(1, compatibility), Ok(()));
    assert_eq!(at(2, compatibility), refused(PERIOD_NO + 2));
}

#[test]
fn the_period_before_and_the_one_after_are_neighbours() {
    let compatibility = Compatibility { neighbouring_periods: true, ..Compatibility::default() };
    for period_no in [PERIOD_NO - 1, PERIOD_NO + 1] {
        let [alice, bob] = [ALICE, BOB].map(|user| WORLD.issuer.key_set(user, period_no));
        let (start, _) = WORLD.issuer.kms.periods().bounds(period_no);
        let made = NtpTime::from_seconds(start + 86_400);
        let offer = Offer::new(&alice, BOB, &WORLD.issuer.kms, key_id(KeyType::Pck), key(), made, RAND).unwrap();
        // Dated into the middle period, signed by a key of its neighbour.
        let mut parts = Parts::of(&offer.build(&mut rng()).unwrap());
        parts.payload(T, 0)[1..9].copy_from_slice(&noon().to_bits().to_be_bytes());
        let mut message = parts.signed_octets();
        message.extend_from_slice(&alice.signer().sign(&message, &mut rng()).unwrap().to_bytes());
        let open = |initiator| {
            let receiver = Receiver { key_sets: &[&bob], kmss: &[&WORLD.issuer.kms], initiator, key_type: None };
            let policy = Policy { compatibility, ..Policy::new(noon()) };
            Incoming::parse(&message)?.verify(&receiver, &policy)?.decapsulate()?.live()
        };
        assert_eq!(open(Some(Expected::user(ALICE))).unwrap().initiator().period_no(), period_no);
        let mut opened = open(None).unwrap();
        assert!(opened.initiator().is(ALICE));
        assert_eq!(opened.confirm_initiator(Expected::user(ALICE)), Ok(()));
        assert_eq!(opened.initiator().period_no(), period_no);
    }
}

// What a caller sees of a message before it is verified

#[test]
fn an_incoming_message_shows_what_it_claims() {
    let incoming = Incoming::parse(&message(KeyType::Gmk)).unwrap();
    assert_eq!(incoming.time().seconds(), noon().seconds());
    assert_eq!(incoming.key_type(), KeyType::Gmk);
    assert_eq!(incoming.csb_id(), csb_id(KeyType::Gmk));
    assert_eq!(incoming.rand(), &RAND);
    assert_eq!(incoming.initiator().identity, CarriedIdentity::Uid(*WORLD.alice.uid()));
    assert_eq!(incoming.recipient().identity, CarriedIdentity::Uid(*WORLD.bob.uid()));
    assert_eq!(incoming.recipient().kms_uri, KMS_URI);
}

#[test]
fn key_identifiers_are_random_under_their_tag() {
    for key_type in KeyType::ALL {
        let (a, b) = (KeyId::generate(key_type, &mut rng()), KeyId::generate(key_type, &mut rng()));
        assert_eq!(a.key_type(), key_type);
        assert_eq!(KeyId::from_bytes(a.to_bytes()), Ok(a));
        assert_ne!(a, b);
    }
}
