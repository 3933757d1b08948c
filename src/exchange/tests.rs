//! The exchange as a whole.

use alloc::borrow::Cow;
use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::mikey::{
    self, CsIdMap, DataType, EncryptionAlgorithm, ErrorNumber, ErrorPayload, ExtensionType, GeneralExtension,
    GenericIdEntry, GenericIdMap, Header, Id, IdType, KeyData, KeyDataType, KeyId, KeyIdInformation, KeyIdType,
    KeyValidity, Mac, MacAlgorithm, Message, NtpTime, Payload, PayloadType, PrfFunction, ProtocolType, Rand, SdpIds,
    SecurityPolicy, SrtpEncryption, SrtpIdEntry, SrtpParameter, Timestamp, Verification,
};
use crate::replay::ReplayCache;

/// What `tests/oracle/mikey_psk.py` makes.
struct Vector {
    protection: Protection,
    prf: PrfFunction,
    i_message: &'static str,
    r_message: &'static str,
    error: &'static str,
    /// Master key and salt of CS 1 and 2.
    srtp: [(&'static str, &'static str); 2],
}

const MANDATORY: Vector = Vector {
    protection: Protection::MANDATORY,
    prf: PrfFunction::MIKEY_1,
    i_message: "010005801234567802000011223344000000000000000000000000000b00d6b43232800000010610a0a1a2a3a4a5a6a7a8a9\
         aaabacadaeaf060100157369703a616c696365406578616d706c652e6f72670a0100137369703a626f62406578616d706c65\
         2e6f7267010000000900010101011004010e00010049785d1359263919dbe454ce95760f04c8d984c173bb939f728c571992\
         bd282fa597e85c570fece3a12b996cd293ad54c1e9c5605f3d67587b84b6423a9c4b70af7369cc938ffd79e5eb014f137025\
         9f2cad7351c8cd31ea4fec6d251cf72b",
    r_message: "010105001234567802000011223344000000000055667788000000000600d6b4323280000001090100137369703a626f6240\
         6578616d706c652e6f72670001a2b8d8177dda659b51e659d9b2d5293dee8ce4d4",
    error: "010605001234567802000011223344000000000000000000000000000c00d6b4323280000001090a00000001b7d0998bfb00\
         8d4f568edee277c1aa92f076edb2",
    srtp: [
        ("81fd9ed9f2e8a09e572eaa935d972b36", "392a496e3e251e26316d9e640aa7"),
        ("eebf0b1b3a947a67de1283e931a9db6e", "3003bc0b3f148ca8594e3fcf4315"),
    ],
};

const STRONG: Vector = Vector {
    protection: Protection::STRONG,
    prf: PrfFunction::HMAC_SHA_256,
    i_message: "010005811234567802000011223344000000000000000000000000000b00d6b43232800000010610a0a1a2a3a4a5a6a7a8a9\
         aaabacadaeaf060100157369703a616c696365406578616d706c652e6f72670a0100137369703a626f62406578616d706c65\
         2e6f7267010000000900010101011004010e00030049b9562d70c522ddd1ce68211bc82eda271d02a3444057ca9da53236cd\
         6fe8a7286e5ce7a7446e2aa82141703047553d8b3ca6b15432cd47eb0e4c0384b069f9c42a4b7785860f4474180270e81f1e\
         475dc23ed6acceb90ba6db85e927a405062ab9d6ca9ce4de28c2315c",
    r_message: "010105011234567802000011223344000000000055667788000000000600d6b4323280000001090100137369703a626f6240\
         6578616d706c652e6f72670002f0726c51e520063c9df88a634658a30e05db0858cc2b9c317eb9b918cf087fbf",
    error: "010605011234567802000011223344000000000000000000000000000c00d6b4323280000001090a000000029ccd864a1fb0\
         40e7ecc1bf94976cb060b90d84061b92e35423ed00b65667168c",
    srtp: [
        ("f7c9ce63ac4641cda45f4b7978104800", "043b1e3ecb857ad80b1755d0f5c4"),
        ("478537fd8b8afa1fb593b1fb5b64e11c", "8094f0c2f77d2150ea6195093309"),
    ],
};

const NOW: NtpTime = NtpTime::from_bits(0xd6b4_3232_8000_0001);

const TRUSTING: Settings =
    Settings { clock_skew: 600, keys_in_clear: KeysInClear::OverProtectedTransport, unnamed_initiator: false };

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn octets(from: u8, to: u8) -> Vec<u8> {
    (from..to).collect()
}

fn key() -> PreSharedKey {
    PreSharedKey::new(octets(0x10, 0x30)).unwrap()
}

fn other_key() -> PreSharedKey {
    PreSharedKey::new(octets(0x11, 0x31)).unwrap()
}

fn alice() -> Id<'static> {
    Id::uri("sip:alice@example.org")
}

fn bob() -> Id<'static> {
    Id::uri("sip:bob@example.org")
}

fn srtp_ids(ssrcs: &[u32]) -> CsIdMap<'static> {
    CsIdMap::SrtpId(ssrcs.iter().map(|&ssrc| SrtpIdEntry { policy_no: 0, ssrc, roc: 0 }).collect())
}

fn tgk() -> KeyData<'static> {
    KeyData::new(KeyDataType::Tgk, octets(0x40, 0x50), KeyValidity::spi(vec![7, 7]))
}

fn salted_tek() -> KeyData<'static> {
    let validity = KeyValidity::Interval { from: vec![0; 6].into(), to: vec![0xff; 6].into() };
    KeyData { salt: octets(0x80, 0x8e).into(), ..KeyData::new(KeyDataType::TekSalt, octets(0x60, 0x70), validity) }
}

fn policy(policy_no: u8) -> SecurityPolicy<'static> {
    let parameters = [
        (SrtpParameter::ENCRYPTION_ALGORITHM, SrtpEncryption::AES_CM.0),
        (SrtpParameter::SESSION_ENCRYPTION_KEY_LENGTH, 16),
        (SrtpParameter::SESSION_SALT_LENGTH, 14),
    ];
    SecurityPolicy::srtp(policy_no, &parameters)
}

fn offer() -> Offer<'static> {
    Offer {
        cs_id_map: srtp_ids(&[0x1122_3344, 0]),
        parties: Parties::new(alice(), bob()),
        policies: vec![policy(0)],
        keys: vec![tgk(), salted_tek()],
        wants_verification: true,
        ..Offer::new(0x1234_5678, Timestamp::NtpUtc(NOW), octets(0xa0, 0xb0))
    }
}

fn vector_offer(vector: &Vector) -> Offer<'static> {
    Offer { prf: vector.prf, protection: vector.protection, ..offer() }
}

fn seal(offer: &Offer<'_>) -> Sent {
    offer.seal(Some(&key()), &Settings::default()).unwrap()
}

/// An offer whose keys fill two blocks of AES key wrap.
fn wrapped_offer() -> Offer<'static> {
    let protection = Protection { encryption: EncryptionAlgorithm::AES_KW_128, mac: MacAlgorithm::HmacSha256 };
    let validity = KeyValidity::spi(vec![1, 2, 3]);
    Offer { protection, keys: vec![KeyData::new(KeyDataType::Tgk, octets(0x40, 0x50), validity)], ..offer() }
}

fn open_with(octets: &[u8], key: Option<&PreSharedKey>, reception: &Reception<'_>) -> Result<Opened, Error> {
    Incoming::parse(octets)?.open(key, reception, &mut ReplayCache::default())
}

fn open(octets: &[u8]) -> Result<Opened, Error> {
    open_with(octets, Some(&key()), &Reception::at(NOW))
}

/// Opens a message that was parsed, changed and given a right MAC again.
fn open_changed(change: impl FnOnce(&mut Message<'_>)) -> Result<Opened, Error> {
    open(&resealed(change))
}

fn resealed(change: impl FnOnce(&mut Message<'_>)) -> Vec<u8> {
    let sent = seal(&offer());
    let mut message = Message::parse(sent.octets()).unwrap();
    change(&mut message);
    let ends_in_mac = matches!(message.payloads.last(), Some(Payload::Kemac(_)));
    let mut octets = message.to_bytes().unwrap();
    if ends_in_mac {
        sent.mac_key.unwrap().fill(&mut octets, &[]);
    }
    octets
}

#[test]
fn messages_and_keys_are_those_of_other_code() {
    for vector in [MANDATORY, STRONG] {
        let sent = seal(&vector_offer(&vector));
        assert_eq!(sent.octets(), hex(vector.i_message));
        let opened = open(sent.octets()).unwrap();
        assert_eq!(opened.bundle(), sent.bundle());
        assert_eq!(*opened.parties(), Parties::new(alice(), bob()));
        for (cs_id, (master_key, master_salt)) in (1..).zip(vector.srtp) {
            let [of_tgk, of_tek] = &opened.bundle().srtp_keys(cs_id).unwrap()[..] else { panic!("two keys") };
            assert_eq!(
                (&of_tgk.master_key[..], &of_tgk.master_salt[..]),
                (&hex(master_key)[..], &hex(master_salt)[..])
            );
            assert_eq!(of_tgk.validity, KeyValidity::spi(vec![7, 7]));
            let tek = salted_tek();
            assert_eq!((&of_tek.master_key, &of_tek.master_salt), (&tek.key, &tek.salt));
            assert_eq!(of_tek.validity, tek.validity);
        }

        let sessions = srtp_ids(&[0x1122_3344, 0x5566_7788]);
        let answer = opened.verification_message(sessions.clone()).unwrap();
        assert_eq!(answer.octets, hex(vector.r_message));
        assert_eq!(*answer.bundle.cs_id_map(), sessions);
        assert_eq!(sent.read_answer(&answer.octets), Ok(Answer::Verified(answer.bundle)));

        let report = ErrorMessage::new(ErrorNumber::INVALID_SP_PARAMETERS);
        let incoming = Incoming::parse(sent.octets()).unwrap();
        let error = incoming.error_message(&report, Some(&key()), &Reception::at(NOW)).unwrap();
        assert_eq!(error, hex(vector.error));
    }
}

#[test]
fn wrapped_keys_and_keys_in_clear_arrive_as_well() {
    let sent = seal(&wrapped_offer());
    assert_eq!(open(sent.octets()).unwrap().bundle(), sent.bundle());

    let clear = Offer { protection: Protection::NONE, wants_verification: false, ..offer() };
    let sent = clear.seal(None, &TRUSTING).unwrap();
    let trusting = Reception { settings: TRUSTING, ..Reception::at(NOW) };
    assert_eq!(open_with(sent.octets(), None, &trusting).unwrap().bundle(), sent.bundle());

    let protection = Protection { encryption: EncryptionAlgorithm::NULL, mac: MacAlgorithm::HmacSha1 };
    let sent = Offer { protection, ..offer() }.seal(Some(&key()), &TRUSTING).unwrap();
    assert_eq!(open_with(sent.octets(), Some(&key()), &trusting).unwrap().bundle(), sent.bundle());
}

#[test]
fn keys_in_clear_are_refused_on_both_sides_unless_allowed() {
    let clear = Offer { protection: Protection::NONE, wants_verification: false, ..offer() };
    assert_eq!(clear.seal(None, &Settings::default()).unwrap_err(), Error::KeysInClear);
    assert_eq!(clear.seal(Some(&key()), &TRUSTING).unwrap_err(), Error::NullMac);
    let sent = clear.seal(None, &TRUSTING).unwrap();
    assert_eq!(open_with(sent.octets(), None, &Reception::at(NOW)).unwrap_err(), Error::KeysInClear);
    let trusting = Reception { settings: TRUSTING, ..Reception::at(NOW) };
    assert_eq!(open_with(sent.octets(), Some(&key()), &trusting).unwrap_err(), Error::NullMac);
    assert_eq!(open_with(seal(&offer()).octets(), None, &trusting).unwrap_err(), Error::NoPreSharedKey);
}

#[test]
fn the_clock_and_the_replay_cache_come_first() {
    let sent = seal(&offer());
    let at =
        |seconds: u64| open_with(sent.octets(), Some(&other_key()), &Reception::at(NtpTime::from_seconds(seconds)));
    let now = NOW.seconds();
    assert_eq!(at(now + 601).unwrap_err(), Error::TooOld { age: 601, allowed: 600 });
    assert_eq!(at(now - 601).unwrap_err(), Error::InTheFuture { ahead: 601, allowed: 600 });
    assert_eq!(at(now + 600).unwrap_err(), Error::Authentication);
    assert_eq!(at(now - 600).unwrap_err(), Error::Authentication);

    let incoming = Incoming::parse(sent.octets()).unwrap();
    let mut replays = ReplayCache::default();
    let mut open = |key, now| incoming.open(Some(&key), &Reception::at(now), &mut replays);
    assert_eq!(open(other_key(), NOW).unwrap_err(), Error::Authentication, "what fails is not remembered");
    assert!(open(key(), NOW).is_ok());
    assert_eq!(open(key(), NOW).unwrap_err(), Error::Replayed);
    assert_eq!(open(other_key(), NOW).unwrap_err(), Error::Replayed);

    let later = NtpTime::from_seconds(now + 2000);
    let other = seal(&Offer { timestamp: Timestamp::NtpUtc(later), ..offer() });
    let reception = Reception { settings: Settings { clock_skew: 100, ..Settings::default() }, ..Reception::at(later) };
    Incoming::parse(other.octets()).unwrap().open(Some(&key()), &reception, &mut replays).unwrap();
    let third = seal(&Offer { csb_id: 3, ..offer() });
    let forgotten = Incoming::parse(third.octets()).unwrap().open(Some(&key()), &Reception::at(NOW), &mut replays);
    assert_eq!(forgotten.unwrap_err(), Error::Forgotten);
}

#[test]
fn each_kind_of_time_but_a_counter_is_taken() {
    let seconds = u32::try_from(NOW.seconds()).unwrap();
    for timestamp in [Timestamp::NtpUtc(NOW), Timestamp::Ntp(NOW), Timestamp::NtpUtc32(seconds)] {
        let sent = seal(&Offer { timestamp, ..offer() });
        let opened = open(sent.octets()).unwrap();
        let answer = opened.verification_message(offer().cs_id_map).unwrap();
        assert_eq!(sent.read_answer(&answer.octets), Ok(Answer::Verified(answer.bundle)));
    }
    let counted = Offer { timestamp: Timestamp::Counter(1), ..offer() };
    assert_eq!(counted.seal(Some(&key()), &Settings::default()).unwrap_err(), Error::TimestampType { found: 2 });
    let found = open_changed(|message| message.payloads[0] = Timestamp::Counter(1).into()).unwrap_err();
    assert_eq!(found, Error::TimestampType { found: 2 });
}

#[test]
fn no_bent_octet_gets_through() {
    for offer in [offer(), wrapped_offer()] {
        let sent = seal(&offer);
        for at in 0..sent.octets().len() {
            let mut bent = sent.octets().to_vec();
            bent[at] ^= 1;
            assert!(open(&bent).is_err(), "octet {at}");
            assert!(open(&sent.octets()[..at]).is_err(), "cut after {at}");
        }
    }
    let sent = seal(&offer());
    let answer = open(sent.octets()).unwrap().verification_message(srtp_ids(&[0x1122_3344, 9])).unwrap().octets;
    for at in 0..answer.len() {
        let mut bent = answer.clone();
        bent[at] ^= 1;
        assert!(sent.read_answer(&bent).is_err(), "octet {at}");
        assert!(sent.read_answer(&answer[..at]).is_err(), "cut after {at}");
    }
}

#[test]
fn identities_must_be_those_that_are_known() {
    let sent = seal(&offer());
    let knowing = |initiator, responder| {
        let reception = Reception { parties: Parties { initiator, responder }, ..Reception::at(NOW) };
        open_with(sent.octets(), Some(&key()), &reception)
    };
    assert!(knowing(Some(alice()), Some(bob())).is_ok());
    let other = |party| Error::Identity { party };
    assert_eq!(knowing(Some(bob()), None).unwrap_err(), other(Party::Initiator));
    assert_eq!(knowing(None, Some(alice())).unwrap_err(), other(Party::Responder));
    let nai = Id { id_type: IdType::NAI, ..alice() };
    assert_eq!(knowing(Some(nai), None).unwrap_err(), other(Party::Initiator));
}

#[test]
fn parties_that_are_not_named_are_still_covered_by_the_verification_message() {
    let sent = seal(&Offer { names_parties: false, ..offer() });
    assert_eq!(*Incoming::parse(sent.octets()).unwrap().parties(), Parties::default());
    let expected = Reception { parties: Parties::new(alice(), bob()), ..Reception::at(NOW) };
    assert_eq!(open_with(sent.octets(), Some(&key()), &expected).unwrap_err(), Error::UnnamedInitiator);
    let sent_back = Reception { parties: Parties::new(bob(), alice()), ..Reception::at(NOW) };
    assert_eq!(open_with(sent.octets(), Some(&key()), &sent_back).unwrap_err(), Error::UnnamedInitiator);
    let settings = Settings { unnamed_initiator: true, ..Settings::default() };
    let answer_of = |parties| {
        let reception = Reception { parties, settings, ..Reception::at(NOW) };
        let opened = open_with(sent.octets(), Some(&key()), &reception).unwrap();
        sent.read_answer(&opened.verification_message(offer().cs_id_map).unwrap().octets)
    };
    assert_eq!(answer_of(Parties::new(alice(), bob())), Ok(Answer::Verified(sent.bundle().clone())));
    assert_eq!(answer_of(Parties::default()), Err(Error::Authentication));
    assert_eq!(answer_of(Parties::new(bob(), bob())), Err(Error::Authentication));
    assert_eq!(answer_of(Parties::new(alice(), alice())), Err(Error::Identity { party: Party::Responder }));

    let alone = Offer { parties: Parties { initiator: None, responder: Some(bob()) }, ..offer() };
    assert_eq!(alone.seal(Some(&key()), &Settings::default()).unwrap_err(), Error::ResponderAlone);
}

#[test]
fn other_forms_are_refused() {
    let refused = |change: fn(&mut Message<'_>)| open_changed(change).unwrap_err();
    let found = DataType::PublicKey;
    let error = refused(|message| message.header.data_type = DataType::PublicKey);
    assert_eq!(error, Error::DataType { found, expected: DataType::PreShared });
    assert_eq!(refused(|message| drop(message.payloads.remove(0))), Error::Missing { what: "T" });
    assert_eq!(refused(|message| drop(message.payloads.remove(1))), Error::Missing { what: "RAND" });
    assert_eq!(refused(|message| drop(message.payloads.pop())), Error::Missing { what: "KEMAC" });
    for (at, what) in [(0, "T"), (1, "RAND"), (3, "IDr")] {
        let twice = open_changed(|message| message.payloads.insert(at, message.payloads[at].clone())).unwrap_err();
        assert_eq!(twice, Error::Repeated { what });
    }
    let error = refused(|message| message.payloads.push(policy(1).into()));
    assert_eq!(error, Error::NotLast { payload_type: PayloadType::KEMAC });
    let error = refused(|message| message.payloads.insert(1, ErrorPayload::new(ErrorNumber::UNSPECIFIED).into()));
    assert_eq!(error, Error::UnexpectedPayload { found: PayloadType::ERR });
    let error = refused(|message| message.payloads[1] = Rand::new(vec![1; 15]).into());
    assert_eq!(error, Error::RandLength { found: 15 });
    assert!(matches!(open(&[1, 0]).unwrap_err(), Error::Mikey(mikey::Error::Truncated { .. })));
}

#[test]
fn unknown_algorithms_are_refused_before_the_mac() {
    let found = PrfFunction(9);
    assert_eq!(open_changed(|message| message.header.prf = found).unwrap_err(), Error::Prf { found });
    let encryption = EncryptionAlgorithm(9);
    let change = |message: &mut Message<'_>| {
        if let Some(Payload::Kemac(kemac)) = message.payloads.last_mut() {
            kemac.encryption = encryption;
        }
    };
    assert_eq!(open_changed(change).unwrap_err(), Error::Encryption { found: encryption });
    let sealed = |offer: Offer<'_>| offer.seal(Some(&key()), &Settings::default()).map(|_| ());
    assert_eq!(sealed(Offer { prf: found, ..offer() }), Err(Error::Prf { found }));
    let protection = Protection { encryption, ..Protection::MANDATORY };
    assert_eq!(sealed(Offer { protection, ..offer() }), Err(Error::Encryption { found: encryption }));
    let unpadded = Offer { keys: vec![tgk()], ..wrapped_offer() };
    assert_eq!(sealed(unpadded), Err(Error::KeyWrapLength { found: 23 }));
}

#[test]
fn extensions_are_handed_on() {
    let extension = GeneralExtension::new(ExtensionType::VENDOR_ID, vec![1, 2]);
    let octets = resealed(|message| message.payloads.insert(2, extension.clone().into()));
    assert_eq!(Incoming::parse(&octets).unwrap().extensions(), [extension]);
    assert!(open(&octets).is_ok());
}

/// What both sides require of keys and policies. The reader sees a message that its sender should not have made.
#[test]
fn unfit_keys_and_policies_are_refused_on_both_sides() {
    let key = |key_type, octets| KeyData::new(key_type, octets, KeyValidity::Null);
    let gtgk = Error::KeyType { found: KeyDataType::Gtgk };
    for (offer, error) in [
        (Offer { keys: vec![], ..offer() }, Error::Missing { what: "Key data" }),
        (Offer { keys: vec![key(KeyDataType::Tgk, vec![])], ..offer() }, Error::Missing { what: "octets of a key" }),
        (Offer { keys: vec![key(KeyDataType::Gtgk, vec![7; 16])], ..offer() }, gtgk),
        (Offer { policies: vec![policy(0), policy(0)], ..offer() }, Error::RepeatedPolicy { policy_no: 0 }),
        (Offer { policies: vec![policy(1)], ..offer() }, Error::NoSuchPolicy { cs_id: 1, policy_no: 0 }),
        (Offer { rand: Cow::Owned(vec![1; 15]), ..offer() }, Error::RandLength { found: 15 }),
    ] {
        assert_eq!(offer.seal(Some(&self::key()), &Settings::default()).unwrap_err(), error);
    }
    let error = open_changed(|message| message.payloads.insert(4, policy(0).into())).unwrap_err();
    assert_eq!(error, Error::RepeatedPolicy { policy_no: 0 });
    let error = open_changed(|message| message.payloads[4] = policy(1).into()).unwrap_err();
    assert_eq!(error, Error::NoSuchPolicy { cs_id: 1, policy_no: 0 });
    let error = open_changed(|message| {
        if let Some(Payload::Kemac(kemac)) = message.payloads.last_mut() {
            kemac.data = vec![].into();
        }
    });
    assert_eq!(error.unwrap_err(), Error::Missing { what: "Key data" });

    let clear = Offer { protection: Protection::NONE, wants_verification: false, ..offer() };
    let sent = clear.seal(None, &TRUSTING).unwrap();
    for (data, error) in [
        (vec![0, 0x40, 0, 1, 7], Error::KeyType { found: KeyDataType::Gtgk }),
        (vec![6, 0x00, 0, 1, 7, 0, 1, 0, 0], Error::UnexpectedPayload { found: PayloadType::ID }),
    ] {
        let mut message = Message::parse(sent.octets()).unwrap();
        if let Some(Payload::Kemac(kemac)) = message.payloads.last_mut() {
            kemac.data = data.into();
        }
        let trusting = Reception { settings: TRUSTING, ..Reception::at(NOW) };
        assert_eq!(open_with(&message.to_bytes().unwrap(), None, &trusting).unwrap_err(), error);
    }
}

#[test]
fn a_verification_message_is_made_and_read_only_where_one_is_expected() {
    let unasked = seal(&Offer { wants_verification: false, ..offer() });
    let opened = open(unasked.octets()).unwrap();
    assert_eq!(opened.verification_message(offer().cs_id_map), Err(Error::NoVerification));
    assert_eq!(unasked.read_answer(&hex(MANDATORY.r_message)), Err(Error::NoVerification));
    let clear = Offer { protection: Protection::NONE, ..offer() };
    assert_eq!(clear.seal(None, &TRUSTING).unwrap_err(), Error::NoVerification);

    let opened = open(seal(&offer()).octets()).unwrap();
    let changed = opened.verification_message(srtp_ids(&[1, 2]));
    assert_eq!(changed, Err(Error::SessionsChanged { entry: 1 }));
}

/// An answer with the MAC that the responder would give it.
fn answer(sent: &Sent, change: impl FnOnce(&mut Message<'_>)) -> Result<Answer, Error> {
    let octets = open(sent.octets()).unwrap().verification_message(srtp_ids(&[0x1122_3344, 9])).unwrap().octets;
    let mut message = Message::parse(&octets).unwrap();
    change(&mut message);
    let ends_in_mac = match message.payloads.last() {
        Some(Payload::Verification(verification)) => verification.mac != Mac::null(),
        _ => false,
    };
    let mut octets = message.to_bytes().unwrap();
    if !ends_in_mac {
        return sent.read_answer(&octets);
    }
    let follows = verification::follows(&sent.parties, sent.timestamp);
    sent.mac_key.as_ref().unwrap().fill(&mut octets, &[&follows]);
    sent.read_answer(&octets)
}

#[test]
fn answers_to_other_messages_are_refused() {
    let sent = seal(&offer());
    let other = |field| Err(Error::OtherExchange { field });
    assert!(answer(&sent, |_| {}).is_ok());
    assert_eq!(answer(&sent, |message| message.header.csb_id += 1), other("CSB ID"));
    assert_eq!(answer(&sent, |message| message.header.prf = PrfFunction::HMAC_SHA_256), other("PRF func"));
    let later = Timestamp::NtpUtc(NtpTime::from_bits(NOW.to_bits() + 1));
    assert_eq!(answer(&sent, |message| message.payloads[0] = later.into()), other("T"));
    let changed = answer(&sent, |message| message.header.cs_id_map = srtp_ids(&[7, 9]));
    assert_eq!(changed, Err(Error::SessionsChanged { entry: 1 }));
    let found = DataType::PreShared;
    let wrong_type = answer(&sent, |message| message.header.data_type = found);
    assert_eq!(wrong_type, Err(Error::DataType { found, expected: DataType::PreSharedVerification }));
}

#[test]
fn other_forms_of_answers_are_refused() {
    let sent = seal(&offer());
    let unexpected = |found| Err(Error::UnexpectedPayload { found });
    let without_v = answer(&sent, |message| drop(message.payloads.pop()));
    assert_eq!(without_v, Err(Error::Missing { what: "V" }));
    assert_eq!(answer(&sent, |message| drop(message.payloads.remove(0))), Err(Error::Missing { what: "T" }));
    for (at, what) in [(0, "T"), (1, "IDr")] {
        let twice = answer(&sent, |message| message.payloads.insert(at, message.payloads[at].clone()));
        assert_eq!(twice, Err(Error::Repeated { what }));
    }
    let behind_v = answer(&sent, |message| message.payloads.push(alice().into()));
    assert_eq!(behind_v, Err(Error::NotLast { payload_type: PayloadType::V }));
    for (payload, found) in [
        (Payload::from(ErrorPayload::new(ErrorNumber::UNSPECIFIED)), PayloadType::ERR),
        (policy(0).into(), PayloadType::SP),
        (Rand::new(vec![1; 16]).into(), PayloadType::RAND),
    ] {
        assert_eq!(answer(&sent, |message| message.payloads.insert(1, payload)), unexpected(found));
    }
    let other_mac = answer(&sent, |message| {
        let mac = Mac::new(MacAlgorithm::HmacSha256, vec![0; 32]).unwrap();
        message.payloads[2] = Verification::new(mac).into();
    });
    let (found, expected) = (MacAlgorithm::HmacSha256, MacAlgorithm::HmacSha1);
    assert_eq!(other_mac, Err(Error::MacAlgorithm { found, expected }));
    let no_mac = answer(&sent, |message| message.payloads[2] = Verification::new(Mac::null()).into());
    assert_eq!(no_mac, Err(Error::MacAlgorithm { found: MacAlgorithm::Null, expected }));
}

#[test]
fn errors_are_authenticated_to_who_is_authentic() {
    let sent = seal(&offer());
    let incoming = Incoming::parse(sent.octets()).unwrap();
    let report = ErrorMessage {
        errors: vec![ErrorNumber::INVALID_SP, ErrorNumber::INVALID_SP_PARAMETERS],
        policies: vec![policy(3)],
    };
    let refused = |authenticated| {
        let (errors, policies) = (report.errors.clone(), report.policies.clone());
        Ok(Answer::Refused { errors, policies, authenticated })
    };
    let tell = |key: Option<&PreSharedKey>| incoming.error_message(&report, key, &Reception::at(NOW)).unwrap();
    assert_eq!(sent.read_answer(&tell(Some(&key()))), refused(true));
    assert_eq!(sent.read_answer(&tell(None)), refused(false));
    assert_eq!(sent.read_answer(&tell(Some(&other_key()))), refused(false), "the I_MESSAGE is not from its holder");

    let mut bent = tell(Some(&key()));
    *bent.last_mut().unwrap() ^= 1;
    assert_eq!(sent.read_answer(&bent), Err(Error::Authentication));
    let nothing = ErrorMessage { errors: vec![], policies: vec![] };
    let error = incoming.error_message(&nothing, None, &Reception::at(NOW)).unwrap_err();
    assert_eq!(error, Error::Missing { what: "ERR" });
}

/// V covers the identities of the I_MESSAGE, whatever the responder knows.
#[test]
fn who_names_another_identity_is_told_so_with_authority() {
    let sent = seal(&offer());
    let incoming = Incoming::parse(sent.octets()).unwrap();
    let carol = Parties { initiator: Some(Id::uri("sip:carol@example.org")), responder: None };
    let reception = Reception { parties: carol, ..Reception::at(NOW) };
    let error = open_with(sent.octets(), Some(&key()), &reception).unwrap_err();
    assert_eq!(error, Error::Identity { party: Party::Initiator });
    let report = ErrorMessage::new(error.number().unwrap());
    let answer = |reception: &Reception<'_>| {
        sent.read_answer(&incoming.error_message(&report, Some(&key()), reception).unwrap())
    };
    let refused =
        |authenticated| Ok(Answer::Refused { errors: vec![ErrorNumber::INVALID_ID], policies: vec![], authenticated });
    assert_eq!(answer(&reception), refused(true));
    let parties = Parties { initiator: None, responder: Some(alice()) };
    assert_eq!(
        answer(&Reception { parties, ..Reception::at(NOW) }),
        refused(false),
        "the offer is the responder's own, sent back"
    );

    let unnamed = seal(&Offer { names_parties: false, ..offer() });
    let incoming = Incoming::parse(unnamed.octets()).unwrap();
    let mut reception = Reception { parties: Parties::new(alice(), bob()), ..Reception::at(NOW) };
    let octets = incoming.error_message(&report, Some(&key()), &reception).unwrap();
    assert_eq!(unnamed.read_answer(&octets), refused(false), "it may be the responder's own, sent back");
    reception.settings.unnamed_initiator = true;
    let octets = incoming.error_message(&report, Some(&key()), &reception).unwrap();
    assert_eq!(unnamed.read_answer(&octets), refused(true), "who is not named is known");
}

/// RFC 6043 6.1.1: policy, SPI and SSRC that the responder chooses are those that both ends derive keys by.
#[test]
fn the_choice_of_the_responder_reaches_the_keys_of_both_ends() {
    let gcm = (SrtpParameter::ENCRYPTION_ALGORITHM, SrtpEncryption::AES_GCM.0);
    let strong = SecurityPolicy::srtp(5, &[gcm, (SrtpParameter::SESSION_ENCRYPTION_KEY_LENGTH, 32)]);
    let second = KeyData::new(KeyDataType::Tgk, octets(1, 17), KeyValidity::spi(vec![8]));
    let entry = |policy_numbers: &[u8], session_data: &[u8], spi: &[u8]| {
        let (cs_id, protocol, session_data_flag) = (4, ProtocolType::SRTP, false);
        let entry = GenericIdEntry { cs_id, protocol, session_data_flag, policy_numbers, session_data, spi };
        CsIdMap::GenericId(GenericIdMap::new(&[entry]).unwrap())
    };
    for suggested in [&[][..], &[0, 5]] {
        let cs_id_map = entry(suggested, &[], &[]);
        let sent = seal(&Offer {
            cs_id_map,
            policies: vec![policy(0), strong.clone()],
            keys: vec![tgk(), second.clone()],
            ..offer()
        });
        let opened = open(sent.octets()).unwrap();
        let chosen = entry(&[5], &[0, 0, 0, 9], &[8]);
        let answer = opened.verification_message(chosen.clone()).unwrap();
        let Ok(Answer::Verified(agreed)) = sent.read_answer(&answer.octets) else { panic!("{answer:?}") };
        assert_eq!((&agreed, agreed.cs_id_map()), (&answer.bundle, &chosen));
        let keys = agreed.srtp_keys(4).unwrap();
        assert_eq!(keys, answer.bundle.srtp_keys(4).unwrap());
        assert_eq!((keys[0].master_key.len(), keys[0].master_salt.len()), (32, 12), "of the chosen policy");
        assert_eq!(keys[0].validity, KeyValidity::spi(vec![8]), "of the chosen key");
        let offered = sent.bundle().srtp_keys(4).unwrap();
        assert_eq!((offered[0].master_key.len(), &offered[0].validity), (16, &KeyValidity::spi(vec![7, 7])));

        let unchosen = opened.verification_message(entry(suggested, &[], &[]));
        assert_eq!(unchosen, Err(Error::PolicyCount { cs_id: 4, found: suggested.len() }));
        for (map, error) in [
            (entry(suggested, &[0; 4], &[8]), Error::PolicyCount { cs_id: 4, found: suggested.len() }),
            (entry(&[5], &[], &[8]), Error::SessionDataLength { cs_id: 4, found: 0, expected: 4 }),
            (entry(&[5], &[0; 4], &[]), Error::NoSpi { cs_id: 4 }),
            (entry(&[5], &[0; 4], &[9]), Error::NoSuchKey { cs_id: 4 }),
        ] {
            assert_eq!(opened.verification_message(map.clone()), Err(error.clone()));
            assert_eq!(changed_map(&sent, &answer.octets, map), Err(error));
        }
    }
}

/// Reads an answer with another map and a right MAC.
fn changed_map(sent: &Sent, answer: &[u8], map: CsIdMap<'_>) -> Result<Answer, Error> {
    let mut message = Message::parse(answer).unwrap();
    message.header.cs_id_map = map;
    let mut octets = message.to_bytes().unwrap();
    let follows = verification::follows(&sent.parties, sent.timestamp);
    sent.mac_key.as_ref().unwrap().fill(&mut octets, &[&follows]);
    sent.read_answer(&octets)
}

#[test]
fn the_list_of_protocols_guards_against_bidding_down() {
    let ids = |ids: &[&str]| SdpIds::new(ids).unwrap();
    let both = ids(&["mikey", "keyp1"]);
    let key_ids = KeyIdInformation::new(&[KeyId { key_id_type: KeyIdType::MBMS_SERVICE_KEY, id: &[1, 2] }]).unwrap();
    let extensions = vec![both.to_extension(), key_ids.to_extension()];
    let sent = seal(&Offer { extensions: extensions.clone(), ..offer() });
    let incoming = Incoming::parse(sent.octets()).unwrap();
    assert_eq!(incoming.extensions(), extensions);
    assert_eq!((incoming.sdp_ids(), incoming.key_ids()), (Ok(Some(both.clone())), Ok(Some(key_ids.clone()))));
    let seen = |octets: &[u8], sdp_ids| {
        let reception = Reception { sdp_ids: Some(sdp_ids), ..Reception::at(NOW) };
        open_with(octets, Some(&key()), &reception).map(|_| ())
    };
    assert_eq!(seen(sent.octets(), both.clone()), Ok(()));
    assert_eq!(seen(sent.octets(), ids(&["mikey"])), Err(Error::SdpIds), "a line was deleted");
    assert_eq!(seen(seal(&offer()).octets(), ids(&["mikey"])), Err(Error::Missing { what: "SDP IDs" }));
    assert!(open(sent.octets()).is_ok(), "nothing is compared");

    let refused = |extensions| Offer { extensions, ..offer() }.seal(Some(&key()), &Settings::default()).unwrap_err();
    assert_eq!(refused(vec![both.to_extension(); 2]), Error::Repeated { what: "SDP IDs" });
    assert_eq!(refused(vec![key_ids.to_extension(); 2]), Error::Repeated { what: "key ID information" });
    let broken = GeneralExtension::new(ExtensionType::SDP_IDS, b"mikey;".as_slice());
    let error = Error::Mikey(mikey::Error::ProtocolId { offset: 6 });
    assert_eq!(refused(vec![broken.clone()]), error);
    let received = resealed(|message| message.payloads.insert(4, broken.into()));
    assert_eq!(seen(&received, both), Err(error));
}

#[test]
fn any_message_but_an_error_can_be_answered_with_one() {
    let sent = seal(&offer());
    let report = ErrorMessage::new(ErrorNumber::UNSUPPORTED_MESSAGE_TYPE);
    let answer = report.answer(sent.octets()).unwrap().to_bytes().unwrap();
    let errors = vec![ErrorNumber::UNSUPPORTED_MESSAGE_TYPE];
    assert_eq!(sent.read_answer(&answer), Ok(Answer::Refused { errors, policies: vec![], authenticated: false }));
    assert_eq!(report.answer(&answer), Err(Error::ErrorAnswered));
    assert!(matches!(report.answer(&[1]), Err(Error::Mikey(mikey::Error::Truncated { .. }))));

    let header = Header::sakke(7, CsIdMap::Empty { cs_count: 0 });
    let sakke = Message::new(header).with(Timestamp::NtpUtc(NOW)).to_bytes().unwrap();
    let answer = report.answer(&sakke).unwrap();
    assert_eq!((answer.header.data_type, answer.header.csb_id), (DataType::Error, 7));
    assert_eq!(answer.timestamp(), Ok(Timestamp::NtpUtc(NOW)));
}

#[test]
fn other_forms_of_error_messages_are_refused() {
    let sent = seal(&offer());
    let read = |change: fn(&mut Message<'_>)| {
        let mut message = ErrorMessage::new(ErrorNumber::UNSPECIFIED).answer(sent.octets()).unwrap();
        change(&mut message);
        sent.read_answer(&message.to_bytes().unwrap())
    };
    assert!(read(|_| {}).is_ok());
    assert_eq!(read(|message| drop(message.payloads.pop())), Err(Error::Missing { what: "ERR" }));
    let with_id = read(|message| message.payloads.push(bob().into()));
    assert_eq!(with_id, Err(Error::UnexpectedPayload { found: PayloadType::ID }));
    assert_eq!(read(|message| message.header.csb_id = 1), Err(Error::OtherExchange { field: "CSB ID" }));

    let clear = Offer { protection: Protection::NONE, wants_verification: false, ..offer() };
    let without_key = clear.seal(None, &TRUSTING).unwrap();
    let error = without_key.read_answer(&hex(MANDATORY.error));
    assert_eq!(error, Err(Error::UnexpectedPayload { found: PayloadType::V }));
}

#[test]
fn lengths_follow_the_policy_of_the_session() {
    let gcm = |policy_no| {
        let cipher = (SrtpParameter::ENCRYPTION_ALGORITHM, SrtpEncryption::AES_GCM.0);
        SecurityPolicy::srtp(policy_no, &[cipher, (SrtpParameter::SESSION_ENCRYPTION_KEY_LENGTH, 32)])
    };
    fn entry<'a>(cs_id: u8, policy_numbers: &'a [u8], spi: &'a [u8]) -> GenericIdEntry<'a> {
        let protocol = ProtocolType::SRTP;
        GenericIdEntry { cs_id, protocol, session_data_flag: false, policy_numbers, session_data: &[], spi }
    }
    let tesla = GenericIdEntry { protocol: ProtocolType::TESLA, ..entry(9, &[], &[]) };
    let entries = [entry(0, &[5, 0], &[8]), entry(4, &[0], &[]), entry(6, &[], &[]), tesla];
    let map = CsIdMap::GenericId(GenericIdMap::new(&entries).unwrap());
    let second = KeyData::new(KeyDataType::Tgk, vec![1; 16], KeyValidity::spi(vec![8]));
    let foreign = SecurityPolicy::new(6, ProtocolType::TESLA, &[]).unwrap();
    let with = |policies, keys| Offer { cs_id_map: map.clone(), policies, keys, ..offer() };
    let sent = seal(&with(vec![policy(0), gcm(5)], vec![tgk(), second]));
    let lengths = |cs_id| {
        let keys = sent.bundle().srtp_keys(cs_id).unwrap();
        keys.iter().map(|keys| (keys.master_key.len(), keys.master_salt.len())).collect::<Vec<_>>()
    };
    assert_eq!(lengths(0), [(32, 12), (32, 12)]);
    assert_eq!(lengths(4), [(16, 14), (16, 14)]);
    assert_eq!(lengths(6), [(16, 14), (16, 14)], "the first policy counts where the session has none");
    let order = |cs_id| sent.bundle().srtp_keys(cs_id).unwrap()[0].validity.clone();
    assert_eq!((order(0), order(4)), (KeyValidity::spi(vec![8]), KeyValidity::spi(vec![7, 7])));
    assert_eq!(sent.bundle().srtp_keys(1), Err(Error::NoSuchSession { cs_id: 1 }));
    let found = ProtocolType::TESLA;
    assert_eq!(sent.bundle().srtp_keys(9), Err(Error::Protocol { cs_id: 9, found }));

    let second = KeyData::new(KeyDataType::Tgk, vec![1; 16], KeyValidity::spi(vec![8]));
    let foreign_first = seal(&with(vec![foreign, policy(0), gcm(5)], vec![tgk(), second]));
    assert_eq!(foreign_first.bundle().srtp_keys(6), Err(Error::Protocol { cs_id: 6, found }));
    let unmapped = seal(&Offer { cs_id_map: CsIdMap::Empty { cs_count: 2 }, policies: vec![], ..offer() });
    assert_eq!(unmapped.bundle().srtp_keys(2).unwrap().len(), 2);
    let unmapped_at_all = seal(&Offer { cs_id_map: CsIdMap::Empty { cs_count: 0 }, ..offer() });
    assert_eq!(unmapped_at_all.bundle().srtp_keys(7).unwrap().len(), 2);
    for cs_id in [0, 3] {
        assert_eq!(unmapped.bundle().srtp_keys(cs_id), Err(Error::NoSuchSession { cs_id }));
    }
    assert_eq!(seal(&offer()).bundle().srtp_keys(0), Err(Error::NoSuchSession { cs_id: 0 }));
}

#[test]
fn a_tek_is_the_master_key_with_or_without_the_salt_behind_it() {
    let keys_of = |key: KeyData<'static>| {
        let sent = seal(&Offer { keys: vec![key], ..offer() });
        let keys = sent.bundle().srtp_keys(1)?;
        Ok((keys[0].master_key.to_vec(), keys[0].master_salt.to_vec()))
    };
    let tek = |len: u8| KeyData::new(KeyDataType::Tek, octets(0, len), KeyValidity::Null);
    assert_eq!(keys_of(tek(16)), Ok((octets(0, 16), vec![])));
    assert_eq!(keys_of(tek(30)), Ok((octets(0, 16), octets(16, 30))));
    for found in [15, 17, 29, 31] {
        let refused = Err(Error::TekLength { found: found.into(), expected: 16 });
        assert_eq!(keys_of(tek(found)), refused);
    }
    let salted = |key_type, key, salt| KeyData {
        salt: octets(0, salt).into(),
        ..KeyData::new(key_type, octets(0, key), KeyValidity::Null)
    };
    let wrong_salt = Err(Error::SaltLength { found: 12, expected: 14 });
    assert_eq!(keys_of(salted(KeyDataType::TekSalt, 16, 12)), wrong_salt);
    assert_eq!(keys_of(salted(KeyDataType::TgkSalt, 16, 12)), wrong_salt);
    assert_eq!(keys_of(salted(KeyDataType::TekSalt, 30, 14)), Err(Error::TekLength { found: 30, expected: 16 }));
    let (_, salt) = keys_of(salted(KeyDataType::TgkSalt, 16, 14)).unwrap();
    assert_eq!(salt, octets(0, 14));
}

#[test]
fn nothing_prints_a_key() {
    let clear = Offer { protection: Protection::NONE, wants_verification: false, ..offer() };
    let sent = clear.seal(None, &TRUSTING).unwrap();
    let incoming = Incoming::parse(sent.octets()).unwrap();
    let opened = open_with(sent.octets(), None, &Reception { settings: TRUSTING, ..Reception::at(NOW) }).unwrap();
    let keys = opened.bundle().srtp_keys(1).unwrap();
    let printed = alloc::format!("{sent:?} {incoming:?} {opened:?} {keys:?} {:?} {clear:?}", opened.bundle());
    let key = octets(0x40, 0x50);
    assert!(!printed.contains("64, 65, 66") && !printed.contains("404142"), "{printed}");
    assert_eq!(*sent.bundle().keys()[0].key, key);
}
