//! Messages that were taken for what they are not.

use crate::mc_support::{
    GEXT, IDR, Parts, RAND_PAYLOAD, SAKKE, SP, T, WORLD, altered, bob_decapsulates, bob_opens, bob_opens_under, key,
    key_id, later, message, unix, with_parameters,
};
use crate::support::{self, TestKms, TestStore};
use mikey_sakke::client::{self, AcceptOptions, OfferRequest};
use mikey_sakke::mc::imessage::{Decapsulated, Incoming, Policy, Revocation};
use mikey_sakke::mc::{Error, KeyParameters, KeyStatus, KeyType};
use mikey_sakke::mikey::{self, IdScheme, NtpTime, PrfFunction, SakkeParameters, SrtpParameter, sdp};
use mikey_sakke::{capture, sakke};

/// Asserts that the shape of a message that Alice signed after a change is refused.
fn refused(change: impl FnOnce(&mut Parts), expected: &Error) {
    let message = altered(KeyType::Pck, change);
    assert_eq!(Incoming::parse(&message).map(|_| ()).as_ref(), Err(expected));
}

/// Asserts that Bob refuses such a message.
fn not_opened(change: impl FnOnce(&mut Parts)) -> Error {
    bob_opens(&altered(KeyType::Pck, change)).map(|_| ()).unwrap_err()
}

/// Data type changed from 26 to 27: accepted as authenticated without a signature.
#[test]
fn mishap_2_another_data_type_is_not_authentic_without_a_signature() {
    let mut parts = Parts::of(&message(KeyType::Pck));
    parts.header[1] = 27;
    let unknown = Err(Error::Mikey(mikey::Error::UnknownDataType { offset: 1, found: 27 }));
    assert_eq!(Incoming::parse(&parts.sign()).map(|_| ()), unknown);
    let mut unsigned = parts.signed_octets();
    let gext = 1 + parts.payload(GEXT, 0).len();
    let len = unsigned.len();
    unsigned[len - 2 - gext] = 0;
    unsigned.truncate(len - 2);
    assert_eq!(Incoming::parse(&unsigned).map(|_| ()), unknown);
    unsigned[1] = 26;
    assert_eq!(Incoming::parse(&unsigned).map(|_| ()), Err(Error::Missing { what: "signature" }));
}

/// An error inside decapsulation swallowed: message accepted with no key.
#[test]
fn mishap_3_a_message_whose_key_does_not_decapsulate_is_refused() {
    let identity = *WORLD.alice.uid();
    let sed = WORLD.issuer.kms.sakke().encapsulate(identity.as_bytes(), &key()).unwrap();
    let error = not_opened(|parts| parts.payload(SAKKE, 0)[4..].copy_from_slice(&sed.to_bytes()));
    assert_eq!(error, Error::Decapsulation(sakke::Error::DecapsulationFailed));
    let error = not_opened(|parts| *parts.payload(SAKKE, 0).last_mut().unwrap() ^= 1);
    assert_eq!(error, Error::Decapsulation(sakke::Error::DecapsulationFailed));
}

/// A signed message with a 256-bit SSV and a 16-octet RAND: memory grows until the process dies.
#[test]
fn mishap_4_a_key_of_256_bits_is_refused_whatever_the_rand() {
    let lengthen = |parts: &mut Parts, h_len: usize| {
        let sakke = parts.payload(SAKKE, 0);
        sakke.resize(4 + 257 + h_len, 0x5a);
        let length = u16::try_from(257 + h_len).unwrap();
        sakke[2..4].copy_from_slice(&length.to_be_bytes());
    };
    for h_len in [0, 17, 32, 4000] {
        refused(|parts| lengthen(parts, h_len), &Error::SakkeLength { found: 257 + h_len });
    }
    let long_rand = |parts: &mut Parts| {
        *parts.payload(RAND_PAYLOAD, 0) = [&[32][..], &[7; 32]].concat();
        lengthen(parts, 32);
    };
    refused(long_rand, &Error::RandLength { found: 32 });
}

/// No T, or no IDRi or IDRr: null pointer crash before the signature check. Base64 with octets over 0x7f: crash.
#[test]
fn mishap_5_what_is_missing_or_no_base64_is_named() {
    refused(|parts| parts.remove(T, 0), &Error::Missing { what: "T" });
    for (nth, what) in ["IDRi", "IDRr", "IDRkmsi", "IDRkmsr"].into_iter().enumerate() {
        refused(|parts| parts.remove(IDR, nth), &Error::Missing { what });
    }
    for octet in 0x80..=0xff {
        let line = [b"a=key-mgmt:mikey AR", &[octet][..], b"o"].concat();
        assert_eq!(sdp::parse_line(&line), Err(mikey::Error::InvalidBase64 { offset: 19 }));
        assert_eq!(sdp::parse_body(&line), Err(mikey::Error::InvalidBase64 { offset: 19 }));
        let Err(capture::Error::NoMessage { unread }) = capture::read(&line) else { panic!("{octet}") };
        assert!(matches!(unread[0].fault, capture::Fault::KeyManagement { line: 1, .. }), "{octet}");
    }
}

/// Lengths of General Extension and SAKKE data beyond the message: over-read.
#[test]
fn mishap_6_a_length_beyond_the_message_is_refused() {
    for (kind, at, field) in
        [(SAKKE, 2, "SAKKE data"), (GEXT, 1, "General Extension data"), (IDR, 2, "IDR data"), (SP, 2, "SP parameters")]
    {
        let message = altered(KeyType::Pck, |parts| parts.payload(kind, 0)[at] = 0xff);
        let Err(Error::Mikey(mikey::Error::Truncated { field: named, .. })) = Incoming::parse(&message) else {
            panic!("payload {kind}")
        };
        assert_eq!(named, field);
    }
}

/// The same message again, one a year old, one dated 2036: accepted.
#[test]
fn mishap_7_a_message_opens_once_and_in_time() {
    let kms = TestKms::new("kms.example.org");
    let [mut alice, mut bob] = [support::ALICE, support::BOB].map(|user| TestStore::of(&kms, user));
    let request = OfferRequest::new(support::ALICE, support::BOB, KeyType::Pck);
    let sent = client::offer(&mut alice.store, &request, support::now(), &mut support::rng()).unwrap();
    let mut accept = |at: NtpTime| {
        client::accept(&mut bob.store, support::BOB, &sent.message, &AcceptOptions::default(), at).map(|_| ())
    };
    let year = 365 * 86_400;
    let error = accept(support::later(year)).unwrap_err();
    assert!(matches!(error, client::Error::Message(Error::TooOld { .. })), "{error}");
    let error = accept(support::later(-10 * year)).unwrap_err();
    assert!(matches!(error, client::Error::Message(Error::InTheFuture { .. })), "{error}");
    accept(support::now()).unwrap();
    let error = accept(support::now()).unwrap_err();
    assert!(matches!(error, client::Error::Replayed), "{error}");
}

/// IDR contents, SAKKE parameters, ID scheme, version, PRF, SP never compared with anything.
#[test]
fn mishap_8_every_field_is_compared() {
    refused(|parts| parts.header[0] = 2, &Error::Mikey(mikey::Error::UnsupportedVersion { offset: 0, found: 2 }));
    refused(|parts| parts.header[3] = 2, &Error::Prf { found: PrfFunction(2) });
    refused(|parts| parts.payload(SAKKE, 0)[0] = 2, &Error::SakkeParameterSet { found: SakkeParameters(2) });
    refused(|parts| parts.payload(SAKKE, 0)[1] = 1, &Error::IdScheme { found: IdScheme::TEL_URI_MONTHLY });
    let cipher = Error::PolicyParameter { policy_no: 0, parameter: SrtpParameter::ENCRYPTION_ALGORITHM };
    refused(|parts| parts.payload(SP, 0)[6] = 1, &cipher);
    assert!(matches!(not_opened(|parts| parts.payload(IDR, 0)[4] ^= 1), Error::UnexpectedInitiator { .. }));
    assert!(matches!(not_opened(|parts| parts.payload(IDR, 1)[4] ^= 1), Error::NotForMe { .. }));
    for kms in [2, 3] {
        assert!(matches!(not_opened(|parts| parts.payload(IDR, kms)[4] ^= 1), Error::UnknownKms { .. }));
    }
}

/// Expired, not yet active or revoked key parameters ignored; a key type that contradicts the purpose tag ignored; a failed
/// GCM tag ignored.
#[test]
fn mishap_12_what_a_message_says_of_its_key_binds() {
    let live = KeyParameters::live(KeyType::Pck);
    expired(&live);
    not_yet_active(&live);
    taken_back(&live);
    let contradicting = with_parameters(KeyType::Pck, &KeyParameters::live(KeyType::Gmk));
    let contradiction = Error::ParametersContradictType { found: KeyType::Gmk, expected: KeyType::Pck };
    assert_eq!(bob_opens(&contradicting).map(|_| ()), Err(contradiction));
    let error = not_opened(|parts| *parts.payload(GEXT, 0).last_mut().unwrap() ^= 1);
    assert_eq!(error, Error::ParametersTag);
}

fn expired(live: &KeyParameters) {
    let expiry = unix(later(60));
    let message = with_parameters(KeyType::Pck, &KeyParameters { expiry, ..live.clone() });
    assert_eq!(bob_opens(&message).map(|_| ()), Err(Error::KeyExpired { expiry }));
    assert!(bob_opens_under(&message, &Policy::new(later(59))).is_ok());
    let opened = bob_opens_under(&message, &Policy::new(later(60)).at_any_age()).unwrap();
    assert_eq!(opened.findings, [Error::KeyExpired { expiry }]);
}

fn not_yet_active(live: &KeyParameters) {
    let activation = unix(later(60 + 301));
    let message = with_parameters(KeyType::Pck, &KeyParameters { activation, ..live.clone() });
    assert_eq!(bob_opens(&message).map(|_| ()), Err(Error::KeyNotYetActive { activation }));
    assert!(bob_opens_under(&message, &Policy::new(later(61))).is_ok());
}

fn taken_back(live: &KeyParameters) {
    let revoked = KeyParameters { status: KeyStatus::SHARED_WITH_GATEWAY, ..live.clone() };
    let error = Error::KeyRevoked { key_id: key_id(KeyType::Pck).to_u32() };
    let message = with_parameters(KeyType::Pck, &revoked);
    assert_eq!(bob_opens(&message).map(|_| ()), Err(error.clone()));
    let opened = match bob_decapsulates(&message, &Policy::new(later(60)).at_any_age()) {
        Ok(Decapsulated::Revoked(opened)) => opened,
        other => panic!("{other:?}"),
    };
    assert_eq!((opened.findings.as_slice(), opened.revocation), (&[error][..], Revocation::Yes));
}

/// A group list with a count that does not match its length: heap overrun.
#[test]
fn mishap_13_a_count_of_groups_that_its_length_does_not_bear_out_is_refused() {
    let groups = vec!["sip:fire@example.org".into(), "sip:ems@example.org".into()];
    let octets = KeyParameters { groups, ..KeyParameters::live(KeyType::Gmk) }.to_bytes().unwrap();
    let at = 1 + 4 + 5 + 5 + 2 + 2;
    assert_eq!(octets[at], 2);
    let len = octets.len() - at;
    for (count, read) in [(0, 0), (1, 1), (3, 2), (255, 2)] {
        let mut octets = octets.to_vec();
        octets[at] = count;
        assert_eq!(KeyParameters::parse(&octets), Err(Error::GroupList { count, read, len }), "{count}");
    }
}
