//! Messages between stores.

use crate::support::{ALICE, BOB, NOW_UNIX, PERIOD, TestKms, TestStore, later, now, rng};
use mikey_sakke::client::{AcceptOptions, Error, OfferRequest, Offered, Store, accept, examine, import, offer};
use mikey_sakke::mc::imessage::{
    Compatibility, Deviation, Excuse, IdentityMode, Opened, Revocation, SessionMap, StatusZero, TimeWindow,
};
use mikey_sakke::mc::{self, CsId, IdentityForm, KeyId, KeyParameters, KeyStatus, KeyType, PeriodEpoch};
use mikey_sakke::mikey::NtpTime;
use mikey_sakke::sakke::SharedSecret;
use std::fs;
use time::OffsetDateTime;

const KMS: &str = "kms.example.org";
const GMS: &str = "sip:gms@example.org";
const CAROL: &str = "sip:carol@example.org";

fn send(from: &mut TestStore, request: &OfferRequest<'_>, at: NtpTime) -> Offered {
    offer(&mut from.store, request, at, &mut rng()).unwrap()
}

fn receive(to: &mut TestStore, user_uri: &str, message: &[u8], at: NtpTime) -> Result<Opened, Error> {
    accept(&mut to.store, user_uri, message, &AcceptOptions::default(), at)
}

fn pair() -> (TestStore, TestStore) {
    let kms = TestKms::new(KMS);
    (TestStore::of(&kms, ALICE), TestStore::of(&kms, BOB))
}

#[test]
fn both_ends_of_a_private_call_derive_the_same_keys() {
    let (mut alice, mut bob) = pair();
    for identity_mode in [IdentityMode::Hidden, IdentityMode::Plain] {
        let request = OfferRequest { identity_mode, ..OfferRequest::new(ALICE, BOB, KeyType::Pck) };
        let sent = send(&mut alice, &request, now());
        let opened = receive(&mut bob, BOB, &sent.message, now()).unwrap();
        assert_eq!(opened.bundle.key.as_bytes(), sent.bundle.key.as_bytes());
        assert_eq!(opened.bundle.csb_id, sent.bundle.key_id);
        for cs_id in [CsId::McpttInitiator, CsId::McpttReceiver] {
            assert_eq!(opened.bundle.media_keys(cs_id), sent.bundle.media_keys(cs_id));
        }
        let known = (identity_mode == IdentityMode::Plain).then_some(ALICE);
        assert_eq!(opened.initiator().uri(), known);
    }
    assert!(alice.store.held_keys().is_empty() && bob.store.held_keys().is_empty(), "a PCK is for one call");
}

#[test]
fn all_members_of_a_group_have_its_key_and_a_guk_id_of_their_own() {
    let kms = TestKms::new(KMS);
    let mut gms = TestStore::of(&kms, GMS);
    let mut request = OfferRequest::new(GMS, ALICE, KeyType::Gmk);
    let groups = vec!["sip:group1@example.org".to_owned()];
    request.parameters = Some(KeyParameters { groups: groups.clone(), ..KeyParameters::live(KeyType::Gmk) });
    let mut opened = Vec::new();
    for member in [ALICE, BOB, CAROL] {
        request.recipient_uri = member;
        let sent = send(&mut gms, &request, now());
        // From the second member on, the same key goes out by its identifier alone, even after a restart.
        request.key_id = Some(sent.bundle.key_id);
        gms = gms.reopen();
        let mut store = TestStore::of(&kms, member);
        opened.push(receive(&mut store, member, &sent.message, now()).unwrap());
        let held = store.reopen().store.held_keys();
        assert_eq!(held.len(), 1);
        assert_eq!((held[0].groups.as_slice(), held[0].recipient.as_str()), (groups.as_slice(), member));
        assert_eq!(held[0].bundle.key.as_bytes(), opened[0].bundle.key.as_bytes());
    }
    let [alice, bob, carol] = &opened[..] else { panic!("three members") };
    let guk_ids = [alice, bob, carol].map(|member| member.bundle.guk_id().unwrap());
    assert!(guk_ids[0] != guk_ids[1] && guk_ids[1] != guk_ids[2] && guk_ids[0] != guk_ids[2]);
    let bobs = bob.bundle.media_keys(CsId::McpttGroup);
    let heard = alice.bundle.for_sender(guk_ids[1]).unwrap().media_keys(CsId::McpttGroup);
    assert_eq!(heard, bobs);
    assert_eq!(gms.store.held_keys().len(), 3);
}

#[test]
fn a_message_says_that_its_key_is_live() {
    let (mut alice, mut bob) = pair();
    for key_type in [KeyType::Pck, KeyType::Csk, KeyType::Gmk, KeyType::MuSik, KeyType::Mkfc] {
        let sent = send(&mut alice, &OfferRequest::new(ALICE, BOB, key_type), now());
        assert_eq!(sent.parameters, Some(KeyParameters::live(key_type)));
        let opened = receive(&mut bob, BOB, &sent.message, now()).unwrap();
        assert_eq!(opened.parameters, sent.parameters);
    }
    for key_type in [KeyType::Spk, KeyType::Mscck] {
        let sent = send(&mut alice, &OfferRequest::new(ALICE, BOB, key_type), now());
        assert_eq!(sent.parameters, None);
        assert_eq!(receive(&mut bob, BOB, &sent.message, now()).unwrap().parameters, None);
    }
}

#[test]
fn a_key_that_is_sent_again_is_for_the_same_groups() {
    let (mut alice, mut bob) = pair();
    let parameters = KeyParameters {
        groups: vec!["sip:group1@example.org".into()],
        expiry: NOW_UNIX + 1000,
        ..KeyParameters::live(KeyType::Gmk)
    };
    let mut request = OfferRequest::new(ALICE, CAROL, KeyType::Gmk);
    request.parameters = Some(parameters.clone());
    let sent = send(&mut alice, &request, now());
    let mut again = OfferRequest { key_id: Some(sent.bundle.key_id), ..OfferRequest::new(ALICE, BOB, KeyType::Gmk) };
    let resent = send(&mut alice.reopen(), &again, now());
    assert_eq!(resent.parameters.as_ref(), Some(&parameters));
    assert_eq!(receive(&mut bob, BOB, &resent.message, now()).unwrap().parameters, Some(parameters));
    again.parameters = Some(KeyParameters::live(KeyType::Gmk));
    let (mut alice, _) = pair();
    assert_eq!(send(&mut alice, &again, now()).parameters, again.parameters);
}

#[test]
fn a_csk_reaches_the_server_and_both_keep_it() {
    let kms = TestKms::new(KMS);
    let (mut alice, mut server) = (TestStore::of(&kms, ALICE), TestStore::of(&kms, "sip:mcptt@example.org"));
    let sent = send(&mut alice, &OfferRequest::new(ALICE, "sip:mcptt@example.org", KeyType::Csk), now());
    let options =
        AcceptOptions { initiator_uri: Some(ALICE), key_type: Some(KeyType::Csk), ..AcceptOptions::default() };
    let opened = accept(&mut server.store, "sip:mcptt@example.org", &sent.message, &options, now()).unwrap();
    assert_eq!(opened.initiator().uri(), Some(ALICE));
    let (sent_keys, received_keys) = (alice.reopen().store.held_keys(), server.reopen().store.held_keys());
    assert_eq!((sent_keys.len(), received_keys.len()), (1, 1));
    assert_eq!(sent_keys[0].bundle.key.as_bytes(), received_keys[0].bundle.key.as_bytes());
    assert_eq!(received_keys[0].initiator.uri.as_deref(), Some(ALICE));
}

/// The user's phone sends; the tablet has keys of the same user.
#[test]
fn another_device_of_the_sender_reads_and_holds_what_was_sent() {
    let kms = TestKms::new(KMS);
    let (mut phone, mut tablet) = (TestStore::of(&kms, ALICE), TestStore::of(&kms, ALICE));
    for identity_mode in [IdentityMode::Hidden, IdentityMode::Plain] {
        let usual = OfferRequest::new(ALICE, BOB, KeyType::Gmk);
        let sent = send(&mut phone, &OfferRequest { to_self: true, identity_mode, ..usual }, now());
        let own = AcceptOptions { sent_to: Some(BOB), ..AcceptOptions::default() };
        let opened = accept(&mut tablet.store, ALICE, &sent.message, &own, now()).unwrap();
        assert_eq!(opened.bundle.key.as_bytes(), sent.bundle.key.as_bytes());
        let again = accept(&mut tablet.store, ALICE, &sent.message, &own, now());
        assert!(matches!(again, Err(Error::Replayed)), "{again:?}");

        // It goes on to the next member by its identifier alone, now from the tablet.
        let next = OfferRequest { key_id: Some(sent.bundle.key_id), ..OfferRequest::new(ALICE, CAROL, KeyType::Gmk) };
        let forwarded = send(&mut tablet, &next, now());
        assert_eq!(forwarded.bundle.key.as_bytes(), sent.bundle.key.as_bytes());
    }
}

#[test]
fn what_one_did_not_send_oneself_is_not_opened_as_ones_own() {
    let (mut alice, mut bob) = pair();
    let usual = OfferRequest::new(ALICE, BOB, KeyType::Csk);
    let sent = send(&mut alice, &OfferRequest { to_self: true, ..usual }, now());
    let own = AcceptOptions { sent_to: Some(BOB), ..AcceptOptions::default() };
    let refused =
        |store: &mut TestStore, user, options| match accept(&mut store.store, user, &sent.message, &options, now()) {
            Err(Error::Message(error)) => error,
            other => panic!("{other:?}"),
        };
    assert!(matches!(refused(&mut bob, BOB, own), mc::Error::NotFromMe { .. }));
    let expected = AcceptOptions { initiator_uri: Some(BOB), ..own };
    assert!(matches!(refused(&mut alice, ALICE, expected), mc::Error::NotFromMe { .. }));
    let to_carol = AcceptOptions { sent_to: Some(CAROL), ..own };
    assert!(matches!(refused(&mut alice, ALICE, to_carol), mc::Error::NotForRecipient { .. }));
    let of_a_call = AcceptOptions { key_type: Some(KeyType::Pck), ..own };
    assert!(matches!(refused(&mut alice, ALICE, of_a_call), mc::Error::UnexpectedKeyType { .. }));
    let without = send(&mut alice, &OfferRequest::new(ALICE, BOB, KeyType::Csk), now());
    let missing = accept(&mut alice.store, ALICE, &without.message, &own, now());
    assert!(matches!(missing, Err(Error::Message(mc::Error::Missing { .. }))), "{missing:?}");
}

#[test]
fn what_is_excused_under_a_kms_holds_for_the_messages_of_its_users() {
    let (kms, other) = (TestKms::new(KMS).serving(&["example.org"]), TestKms::new("kms.example.com"));
    let (mut alice, mut bob) = (TestStore::of(&kms, ALICE), TestStore::of(&kms, BOB));
    bob.import(&other, BOB, other.period_now());
    let mut with_v_flag = || {
        let mut message = send(&mut alice, &OfferRequest::new(ALICE, BOB, KeyType::Csk), now()).message;
        message[3] |= 0x80;
        kms.signed_again(&message, ALICE)
    };
    let v_flag = mc::Error::Deviation(Deviation::VFlag);
    let refused = |bob: &mut TestStore, message: &[u8]| match receive(bob, BOB, message, now()) {
        Err(Error::Message(error)) => error,
        result => panic!("{result:?}"),
    };
    assert_eq!(refused(&mut bob, &with_v_flag()), v_flag);

    bob.store.excuse("kms.example.com", &[Excuse::VFlag]).unwrap();
    assert_eq!(refused(&mut bob, &with_v_flag()), v_flag);
    bob.store.excuse(KMS, &[Excuse::PrfZero]).unwrap();
    assert_eq!(refused(&mut bob, &with_v_flag()), v_flag);

    bob.store.excuse(KMS, &[Excuse::VFlag, Excuse::PrfZero]).unwrap();
    bob.import(&kms, BOB, kms.period_now());
    let mut bob = bob.reopen();
    let message = with_v_flag();
    let examined = examine(&mut bob.store, BOB, &message, &AcceptOptions::default(), now()).unwrap();
    assert_eq!(examined.excused, Some(v_flag.clone()));
    receive(&mut bob, BOB, &message, now()).unwrap();
    let excused = bob.store.kms_list().into_iter().find(|known| known.kms_uri == KMS).unwrap().excused;
    assert_eq!(excused, ["v-flag", "prf-zero"]);

    bob.store.excuse(KMS, &[]).unwrap();
    assert_eq!(refused(&mut bob, &with_v_flag()), v_flag);
    let unknown = bob.store.excuse("kms.example.net", &[Excuse::VFlag]);
    assert!(matches!(unknown, Err(Error::UnknownKms { .. })), "{unknown:?}");
}

#[test]
fn a_given_key_and_identifier_go_out_as_they_are() {
    let (mut alice, mut bob) = pair();
    let (key, key_id) = (SharedSecret::new([0x11; 16]), KeyId::from_u32(0x1234_5678).unwrap());
    let request = OfferRequest { key: Some(key), key_id: Some(key_id), ..OfferRequest::new(ALICE, BOB, KeyType::Pck) };
    let sent = send(&mut alice, &request, now());
    let opened = receive(&mut bob, BOB, &sent.message, now()).unwrap();
    assert_eq!((opened.bundle.key.as_bytes(), opened.bundle.key_id), (&[0x11; 16], key_id));
}

#[test]
fn what_an_identifier_contradicts_is_not_sent() {
    let (mut alice, _) = pair();
    let key_id = Some(KeyId::from_u32(0x0234_5678).unwrap());
    let request = OfferRequest { key_id, ..OfferRequest::new(ALICE, BOB, KeyType::Pck) };
    let error = offer(&mut alice.store, &request, now(), &mut rng()).unwrap_err();
    assert!(matches!(error, Error::KeyIdType { .. }), "{error}");

    let request = OfferRequest { key_id, ..OfferRequest::new(ALICE, BOB, KeyType::Gmk) };
    send(&mut alice, &request, now());
    let other = OfferRequest { key: Some(SharedSecret::new([7; 16])), ..request };
    let error = offer(&mut alice.store, &other, now(), &mut rng()).unwrap_err();
    assert!(matches!(error, Error::OtherKeyHeld { .. }), "{error}");
    assert_eq!(alice.store.held_keys().len(), 1);
}

#[test]
fn a_recipient_is_a_uri() {
    let (mut alice, _) = pair();
    for uri in
        ["", " ", "sip:bob@example.org ", "sip:bob\t@example.org", "sip:bob@example.org\n", "sip:bob\0@example.org"]
    {
        let error =
            offer(&mut alice.store, &OfferRequest::new(ALICE, uri, KeyType::Csk), now(), &mut rng()).unwrap_err();
        assert!(matches!(error, Error::RecipientUri { .. }), "{uri:?}: {error}");
    }
    assert!(alice.store.held_keys().is_empty());
}

#[test]
fn a_replay_is_refused_also_after_reopening() {
    let (mut alice, mut bob) = pair();
    let sent = send(&mut alice, &OfferRequest::new(ALICE, BOB, KeyType::Pck), now());
    receive(&mut bob, BOB, &sent.message, now()).unwrap();
    assert!(matches!(receive(&mut bob, BOB, &sent.message, now()), Err(Error::Replayed)));
    let mut bob = bob.reopen();
    assert!(matches!(receive(&mut bob, BOB, &sent.message, now()), Err(Error::Replayed)));
    let again = send(&mut alice, &OfferRequest::new(ALICE, BOB, KeyType::Pck), now());
    receive(&mut bob, BOB, &again.message, now()).unwrap();
}

#[test]
fn a_message_that_was_refused_may_come_again() {
    let (mut alice, mut bob) = pair();
    let sent = send(&mut alice, &OfferRequest::new(ALICE, BOB, KeyType::Pck), now());
    let mut altered = sent.message.clone();
    *altered.last_mut().unwrap() ^= 1;
    receive(&mut bob, BOB, &altered, now()).unwrap_err();
    receive(&mut bob, BOB, &sent.message, later(301)).unwrap_err();
    receive(&mut bob, BOB, &sent.message, now()).unwrap();
}

#[test]
fn a_message_that_could_not_be_remembered_is_not_accepted() {
    let (mut alice, mut bob) = pair();
    let sent = send(&mut alice, &OfferRequest::new(ALICE, BOB, KeyType::Pck), now());
    let path = bob.folder.path().join("replay.sealed");
    let aside = bob.folder.path().join("aside");
    fs::rename(&path, &aside).unwrap();
    fs::create_dir(&path).unwrap();
    fs::write(path.join("inside"), "").unwrap();
    let error = receive(&mut bob, BOB, &sent.message, now()).unwrap_err();
    assert!(matches!(error, Error::File { .. }), "{error}");
    fs::remove_dir_all(&path).unwrap();
    fs::rename(&aside, &path).unwrap();
    receive(&mut bob, BOB, &sent.message, now()).unwrap();
}

#[test]
fn a_group_key_that_could_not_be_stored_is_not_accepted() {
    let (mut alice, mut bob) = pair();
    let sent = send(&mut alice, &OfferRequest::new(ALICE, BOB, KeyType::Gmk), now());
    for name in ["keys.sealed", "replay.sealed"] {
        let (path, aside) = (bob.folder.path().join(name), bob.folder.path().join("aside"));
        // A folder in the file's place makes the rename fail, for root as well.
        fs::rename(&path, &aside).unwrap();
        fs::create_dir(&path).unwrap();
        fs::write(path.join("inside"), "").unwrap();
        let error = receive(&mut bob, BOB, &sent.message, now()).unwrap_err();
        assert!(matches!(error, Error::File { .. }), "{name}: {error}");
        assert!(bob.store.held_keys().is_empty(), "{name}");
        fs::remove_dir_all(&path).unwrap();
        fs::rename(&aside, &path).unwrap();
        bob = bob.reopen();
        assert!(bob.store.held_keys().is_empty(), "{name}");
    }
    receive(&mut bob, BOB, &sent.message, now()).unwrap();
    assert_eq!(bob.reopen().store.held_keys().len(), 1);
}

#[test]
fn stale_and_future_messages_are_refused() {
    let (mut alice, mut bob) = pair();
    let sent = send(&mut alice, &OfferRequest::new(ALICE, BOB, KeyType::Pck), now());
    for (seconds, fits) in [(301, false), (-301, false), (365 * 86_400, false), (300, true)] {
        match receive(&mut bob, BOB, &sent.message, later(seconds)) {
            Ok(_) => assert!(fits, "{seconds}"),
            Err(Error::Message(mc::Error::TooOld { .. })) => assert!(!fits && seconds > 0, "{seconds}"),
            Err(Error::Message(mc::Error::InTheFuture { .. })) => assert!(!fits && seconds < 0, "{seconds}"),
            Err(error) => panic!("{seconds}: {error}"),
        }
    }
}

#[test]
fn a_group_key_may_be_a_day_under_way_and_other_windows_can_be_chosen() {
    let (mut alice, mut bob) = pair();
    let sent = send(&mut alice, &OfferRequest::new(ALICE, BOB, KeyType::Gmk), now());
    let error = receive(&mut bob, BOB, &sent.message, later(86_401)).unwrap_err();
    assert!(matches!(error, Error::Message(mc::Error::TooOld { .. })), "{error}");
    let narrow = AcceptOptions { window: Some(TimeWindow { past: 10, future: 0 }), ..AcceptOptions::default() };
    let error = accept(&mut bob.store, BOB, &sent.message, &narrow, later(11)).unwrap_err();
    assert!(matches!(error, Error::Message(mc::Error::TooOld { .. })), "{error}");
    receive(&mut bob, BOB, &sent.message, later(86_400)).unwrap();
}

#[test]
fn what_has_dropped_out_of_the_replay_cache_stays_refused_in_any_window() {
    let (mut alice, mut bob) = pair();
    let old = send(&mut alice, &OfferRequest::new(ALICE, BOB, KeyType::Gmk), now());
    receive(&mut bob, BOB, &old.message, now()).unwrap();
    let three_days = 3 * 86_400;
    let new = send(&mut alice, &OfferRequest::new(ALICE, BOB, KeyType::Gmk), later(three_days));
    receive(&mut bob, BOB, &new.message, later(three_days)).unwrap();
    let wide = AcceptOptions { window: Some(TimeWindow { past: u64::MAX, future: 0 }), ..AcceptOptions::default() };
    let error = accept(&mut bob.reopen().store, BOB, &old.message, &wide, later(three_days)).unwrap_err();
    assert!(matches!(error, Error::Forgotten { .. }), "{error}");
}

#[test]
fn only_the_recipient_opens_it() {
    let kms = TestKms::new(KMS);
    let (mut alice, mut carol) = (TestStore::of(&kms, ALICE), TestStore::of(&kms, CAROL));
    for identity_mode in [IdentityMode::Hidden, IdentityMode::Plain] {
        let request = OfferRequest { identity_mode, ..OfferRequest::new(ALICE, BOB, KeyType::Pck) };
        let sent = send(&mut alice, &request, now());
        let error = receive(&mut carol, CAROL, &sent.message, now()).unwrap_err();
        assert!(matches!(error, Error::Message(mc::Error::NotForMe { .. })), "{error}");
        let error = receive(&mut carol, BOB, &sent.message, now()).unwrap_err();
        assert!(matches!(&error, Error::UnknownUser { users, .. } if users == &[CAROL]), "{error}");
        let error = receive(&mut alice, ALICE, &sent.message, now()).unwrap_err();
        assert!(matches!(error, Error::Message(mc::Error::NotForMe { .. })), "{error}");
    }
}

#[test]
fn a_store_of_several_users_opens_for_the_one_that_is_named() {
    let kms = TestKms::new(KMS);
    let (mut alice, mut both) = (TestStore::of(&kms, ALICE), TestStore::of(&kms, BOB));
    both.import(&kms, CAROL, kms.period_now());
    let sent = send(&mut alice, &OfferRequest::new(ALICE, BOB, KeyType::Pck), now());
    let error = receive(&mut both, CAROL, &sent.message, now()).unwrap_err();
    assert!(matches!(error, Error::Message(mc::Error::NotForMe { .. })), "{error}");
    receive(&mut both, BOB, &sent.message, now()).unwrap();
}

#[test]
fn every_flipped_bit_is_refused() {
    let (mut alice, mut bob) = pair();
    let sent = send(&mut alice, &OfferRequest::new(ALICE, BOB, KeyType::Csk), now());
    for octet in (0..sent.message.len()).step_by(3) {
        let mut altered = sent.message.clone();
        altered[octet] ^= 1 << (octet % 8);
        assert!(receive(&mut bob, BOB, &altered, now()).is_err(), "octet {octet}");
    }
    assert!(bob.store.held_keys().is_empty());
    let mut bob = bob.reopen();
    assert!(bob.store.held_keys().is_empty());
    receive(&mut bob, BOB, &sent.message, now()).unwrap();
}

#[test]
fn a_sender_of_an_unknown_kms_is_refused() {
    let (home, foreign) = (TestKms::new(KMS), TestKms::new("kms.example.net"));
    let mut stranger = TestStore::of(&foreign, "sip:dave@example.net");
    stranger.import(&home, CAROL, home.period_now());
    let mut bob = TestStore::of(&home, BOB);
    let request =
        OfferRequest { recipient_kms_uri: Some(KMS), ..OfferRequest::new("sip:dave@example.net", BOB, KeyType::Pck) };
    let sent = send(&mut stranger, &request, now());
    let error = receive(&mut bob, BOB, &sent.message, now()).unwrap_err();
    assert!(matches!(&error, Error::UnknownKms { kms_uri } if kms_uri == "kms.example.net"), "{error}");
}

#[test]
fn two_kmss_work_together_once_they_know_each_other() {
    let (home, foreign) = (TestKms::new(KMS), TestKms::new("kms.example.net"));
    let mut dave = TestStore::of(&foreign, "sip:dave@example.net");
    dave.import(&home, CAROL, home.period_now());
    let mut bob = TestStore::of(&home, BOB);
    bob.import(&foreign, "sip:bob@example.net", foreign.period_now());
    let request =
        OfferRequest { recipient_kms_uri: Some(KMS), ..OfferRequest::new("sip:dave@example.net", BOB, KeyType::Pck) };
    let sent = send(&mut dave, &request, now());
    let opened = receive(&mut bob, BOB, &sent.message, now()).unwrap();
    assert_eq!(opened.initiator().kms_uri(), "kms.example.net");
}

#[test]
fn an_impostor_with_keys_of_another_kms_of_the_same_name_is_refused() {
    let (real, fake) = (TestKms::new(KMS), TestKms::new(KMS));
    let (mut mallory, mut bob) = (TestStore::of(&fake, ALICE), TestStore::of(&real, BOB));
    let sent = send(&mut mallory, &OfferRequest::new(ALICE, BOB, KeyType::Pck), now());
    let error = receive(&mut bob, BOB, &sent.message, now()).unwrap_err();
    assert!(matches!(error, Error::Message(mc::Error::SignatureInvalid(_))), "{error}");
}

#[test]
fn another_initiator_than_expected_is_refused() {
    let (mut alice, mut bob) = pair();
    let sent = send(&mut alice, &OfferRequest::new(ALICE, BOB, KeyType::Pck), now());
    let options = AcceptOptions { initiator_uri: Some(CAROL), ..AcceptOptions::default() };
    let error = accept(&mut bob.store, BOB, &sent.message, &options, now()).unwrap_err();
    assert!(matches!(error, Error::Message(mc::Error::UnexpectedInitiator { .. })), "{error}");
    let options = AcceptOptions { key_type: Some(KeyType::Csk), ..AcceptOptions::default() };
    let error = accept(&mut bob.store, BOB, &sent.message, &options, now()).unwrap_err();
    assert!(matches!(error, Error::Message(mc::Error::UnexpectedKeyType { .. })), "{error}");
}

#[test]
fn a_message_of_a_period_without_keys_is_named() {
    let kms = TestKms::new(KMS);
    let mut alice = TestStore::of(&kms, ALICE);
    let next = later(PERIOD.try_into().unwrap());
    let error = offer(&mut alice.store, &OfferRequest::new(ALICE, BOB, KeyType::Pck), next, &mut rng()).unwrap_err();
    assert!(matches!(error, Error::NoKeysForPeriod { .. }), "{error}");

    alice.import(&kms, ALICE, kms.period_now() + 1);
    for identity_mode in [IdentityMode::Hidden, IdentityMode::Plain] {
        let request = OfferRequest { identity_mode, ..OfferRequest::new(ALICE, BOB, KeyType::Pck) };
        let sent = send(&mut alice, &request, next);
        let mut bob = TestStore::of(&kms, BOB);
        let error = receive(&mut bob, BOB, &sent.message, next).unwrap_err();
        assert!(matches!(error, Error::NoKeysForPeriod { .. }), "{error}");
        bob.import(&kms, BOB, kms.period_now() + 1);
        receive(&mut bob, BOB, &sent.message, next).unwrap();
    }
}

#[test]
fn time_and_type_are_judged_before_keys_are_made_ready() {
    let kms = TestKms::new(KMS);
    let (mut alice, mut bob) = (TestStore::empty(), TestStore::of(&kms, BOB));
    let next = later(PERIOD.try_into().unwrap());
    alice.import(&kms, ALICE, kms.period_now() + 1);
    let sent = send(&mut alice, &OfferRequest::new(ALICE, BOB, KeyType::Pck), next);
    let error = receive(&mut bob, BOB, &sent.message, now()).unwrap_err();
    assert!(matches!(error, Error::Message(mc::Error::InTheFuture { .. })), "{error}");
    let csk = AcceptOptions { key_type: Some(KeyType::Csk), ..AcceptOptions::default() };
    let error = accept(&mut bob.store, BOB, &sent.message, &csk, next).unwrap_err();
    assert!(matches!(error, Error::Message(mc::Error::UnexpectedKeyType { .. })), "{error}");
    let error = receive(&mut bob, BOB, &sent.message, next).unwrap_err();
    assert!(matches!(error, Error::NoKeysForPeriod { .. }), "{error}");
}

#[test]
fn the_dates_of_a_key_set_bind_its_use() {
    let kms = TestKms::new(KMS);
    let mut alice = TestStore::empty();
    let mut key_set = kms.key_set(ALICE, kms.period_now());
    (key_set.valid_from, key_set.valid_to) = (date(10), date(20));
    let (init, keyprov) = (kms.init(kms.certificate()), kms.key_prov(vec![key_set]));
    import(&mut alice.store, &init, &keyprov, now()).unwrap();
    for (seconds, valid) in [(9, false), (10, true), (19, true), (20, false)] {
        let request = OfferRequest::new(ALICE, BOB, KeyType::Pck);
        match offer(&mut alice.store, &request, later(seconds), &mut rng()) {
            Ok(_) => assert!(valid, "{seconds}"),
            Err(Error::KeySetDates { .. }) => assert!(!valid, "{seconds}"),
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_certificate_for_ever_can_be_used() {
    let kms = TestKms::new(KMS);
    let mut alice = TestStore::empty();
    let mut certificate = kms.certificate();
    certificate.valid_from = OffsetDateTime::from_unix_timestamp(-60_000_000_000).ok();
    certificate.valid_to = OffsetDateTime::from_unix_timestamp(253_402_300_799).ok();
    let keyprov = kms.key_prov(vec![kms.key_set(ALICE, kms.period_now())]);
    import(&mut alice.store, &kms.init(certificate), &keyprov, now()).unwrap();
    send(&mut alice.reopen(), &OfferRequest::new(ALICE, BOB, KeyType::Pck), now());
}

fn date(seconds: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(i64::try_from(NOW_UNIX).unwrap() + seconds).ok()
}

#[test]
fn a_message_for_keys_of_another_kms_is_named() {
    let (home, other) = (TestKms::new(KMS), TestKms::new("kms.example.net"));
    let mut alice = TestStore::of(&home, ALICE);
    alice.import(&other, CAROL, other.period_now());
    let mut bob = TestStore::of(&home, BOB);
    let request = OfferRequest {
        recipient_kms_uri: Some("kms.example.net"),
        identity_mode: IdentityMode::Plain,
        ..OfferRequest::new(ALICE, BOB, KeyType::Pck)
    };
    let sent = send(&mut alice, &request, now());
    let error = receive(&mut bob, BOB, &sent.message, now()).unwrap_err();
    assert!(matches!(&error, Error::NoKeysOfKms { kms_uri, .. } if kms_uri == "kms.example.net"), "{error}");
}

#[test]
fn old_conventions_work_end_to_end() {
    let kms = TestKms::new(KMS).with_convention(IdentityForm::HexText, PeriodEpoch::Unix);
    let (mut alice, mut bob) = (TestStore::of(&kms, ALICE).reopen(), TestStore::of(&kms, BOB).reopen());
    let sent = send(&mut alice, &OfferRequest::new(ALICE, BOB, KeyType::Pck), now());
    let opened = receive(&mut bob, BOB, &sent.message, now()).unwrap();
    assert_eq!(opened.bundle.key.as_bytes(), sent.bundle.key.as_bytes());
}

#[test]
fn a_revocation_takes_the_key_away() {
    let (mut alice, mut bob) = pair();
    let request = OfferRequest { identity_mode: IdentityMode::Plain, ..OfferRequest::new(ALICE, BOB, KeyType::Gmk) };
    let sent = send(&mut alice, &request, now());
    receive(&mut bob, BOB, &sent.message, now()).unwrap();
    for status in [KeyStatus::SHARED_WITH_GATEWAY, KeyStatus::ZERO] {
        receive(&mut bob, BOB, &send(&mut alice, &request, now()).message, now()).unwrap();
        assert!(!bob.store.held_keys().is_empty());
        let revocation = OfferRequest {
            key_id: bob.store.held_keys().last().map(|key| key.bundle.key_id),
            parameters: Some(KeyParameters { status, ..KeyParameters::live(KeyType::Gmk) }),
            ..OfferRequest::new(ALICE, BOB, KeyType::Gmk)
        };
        let revocation = OfferRequest { identity_mode: IdentityMode::Plain, ..revocation };
        let before = bob.store.held_keys().len();
        let revoking = send(&mut alice, &revocation, later(1)).message;
        let error = receive(&mut bob, BOB, &revoking, later(1)).unwrap_err();
        assert!(matches!(error, Error::HeldKeyRevoked { .. }), "{error}");
        assert_eq!(bob.store.held_keys().len(), before - 1);
    }
}

/// Revokes the key of `sent`, with whichever status.
fn revoke(from: &mut TestStore, sent: &Offered, status: KeyStatus, at: NtpTime) -> Vec<u8> {
    let request = OfferRequest {
        key_id: Some(sent.bundle.key_id),
        parameters: Some(KeyParameters { status, ..KeyParameters::live(KeyType::Gmk) }),
        ..OfferRequest::new(ALICE, BOB, KeyType::Gmk)
    };
    send(from, &request, at).message
}

fn require_revoked(to: &mut TestStore, message: &[u8], from: Option<&str>, at: NtpTime) {
    let options = AcceptOptions { initiator_uri: from, ..AcceptOptions::default() };
    let error = accept(&mut to.store, BOB, message, &options, at).unwrap_err();
    assert!(matches!(error, Error::HeldKeyRevoked { .. }), "{error}");
    assert!(to.store.held_keys().is_empty());
    let error = accept(&mut to.store, BOB, message, &options, at).unwrap_err();
    assert!(matches!(error, Error::Replayed), "{error}");
}

#[test]
fn a_hidden_revocation_takes_the_key_away_also_in_the_next_period() {
    let kms = TestKms::new(KMS);
    let period = kms.period_now();
    let (mut alice, mut bob) = (TestStore::of(&kms, ALICE), TestStore::of(&kms, BOB));
    for made in [(&mut alice, ALICE), (&mut bob, BOB)] {
        made.0.import(&kms, made.1, period + 1);
    }
    let next = later(PERIOD.try_into().unwrap());
    for status in [KeyStatus::SHARED_WITH_GATEWAY, KeyStatus::ZERO] {
        let request = OfferRequest::new(ALICE, BOB, KeyType::Gmk);
        // Known by its UID alone, in one period.
        let sent = send(&mut alice, &request, now());
        receive(&mut bob, BOB, &sent.message, now()).unwrap();
        let revoking = revoke(&mut alice, &sent, status, later(1));
        require_revoked(&mut bob, &revoking, None, later(1));
        // Known by its URI when the key came, hidden in the next period.
        let sent = send(&mut alice, &request, later(2));
        let options = AcceptOptions { initiator_uri: Some(ALICE), ..AcceptOptions::default() };
        accept(&mut bob.store, BOB, &sent.message, &options, later(2)).unwrap();
        let mut bob_again = bob.reopen();
        require_revoked(&mut bob_again, &revoke(&mut alice, &sent, status, next), None, next);
        bob = TestStore::of(&kms, BOB);
        bob.import(&kms, BOB, period + 1);
        // Hidden when the key came, and in the next period: it takes a name.
        let sent = send(&mut alice, &request, later(3));
        receive(&mut bob, BOB, &sent.message, later(3)).unwrap();
        let revoking = revoke(&mut alice, &sent, status, later(PERIOD as i64 + 3));
        let error = receive(&mut bob, BOB, &revoking, later(PERIOD as i64 + 3)).unwrap_err();
        assert!(matches!(error, Error::InitiatorUntied { key_id } if key_id == sent.bundle.key_id), "{error}");
        assert_eq!(bob.store.held_keys().len(), 1);
        require_revoked(&mut bob, &revoking, Some(ALICE), later(PERIOD as i64 + 3));
        bob = TestStore::of(&kms, BOB);
        bob.import(&kms, BOB, period + 1);
    }
}

#[test]
fn a_key_that_was_sent_is_taken_back_and_stays_so() {
    let kms = TestKms::new(KMS);
    let (mut alice, mut bob) = (TestStore::of(&kms, ALICE), TestStore::of(&kms, BOB));
    let mut carol = TestStore::of(&kms, CAROL);
    let groups = vec!["sip:group1@example.org".to_owned()];
    let parameters = KeyParameters { groups: groups.clone(), ..KeyParameters::live(KeyType::Gmk) };
    let request = OfferRequest { parameters: Some(parameters), ..OfferRequest::new(ALICE, BOB, KeyType::Gmk) };
    let sent = send(&mut alice, &request, now());
    receive(&mut bob, BOB, &sent.message, now()).unwrap();

    let revoke =
        OfferRequest { key_id: Some(sent.bundle.key_id), revoke: true, ..OfferRequest::new(ALICE, BOB, KeyType::Gmk) };
    let revoking = send(&mut alice, &revoke, later(1));
    let since = NOW_UNIX + 1;
    assert_eq!(revoking.parameters, Some(KeyParameters { groups, ..KeyParameters::revoked(KeyType::Gmk, since) }));
    require_revoked(&mut bob, &revoking.message, None, later(1));

    let mut alice = alice.reopen();
    let again = OfferRequest { revoke: false, recipient_uri: CAROL, ..revoke };
    let error = offer(&mut alice.store, &again, later(2), &mut rng()).unwrap_err();
    assert!(matches!(error, Error::KeyTakenBack { key_id } if key_id == sent.bundle.key_id), "{error}");

    // Others are told as well; to one who never held the key, under either reading of status 0, it is no live key.
    for status_zero in [StatusZero::PossiblyLive, StatusZero::Revoked] {
        let told = OfferRequest { revoke: true, ..again.clone() };
        let told = send(&mut alice, &told, later(2)).message;
        let compatibility = Compatibility { status_zero, ..Compatibility::default() };
        let options = AcceptOptions { compatibility, ..AcceptOptions::default() };
        let error = accept(&mut carol.store, CAROL, &told, &options, later(2)).unwrap_err();
        assert!(matches!(error, Error::Message(mc::Error::KeyRevoked { .. })), "{error}");
        assert!(carol.store.held_keys().is_empty());
    }
}

#[test]
fn only_a_key_that_was_sent_or_is_given_can_be_taken_back() {
    let (mut alice, _) = pair();
    let key_id = |key_type| Some(KeyId::generate(key_type, &mut rng()));
    let sent = send(&mut alice, &OfferRequest::new(ALICE, BOB, KeyType::Pck), now()).bundle;
    let of_a_call = OfferRequest { key_id: Some(sent.key_id), ..OfferRequest::new(ALICE, BOB, KeyType::Pck) };
    let never_sent = OfferRequest { key_id: key_id(KeyType::Gmk), ..OfferRequest::new(ALICE, BOB, KeyType::Gmk) };
    let without_name = OfferRequest { key: Some(sent.key), ..OfferRequest::new(ALICE, BOB, KeyType::Gmk) };
    for request in [of_a_call, never_sent.clone(), without_name.clone()] {
        let request = OfferRequest { revoke: true, ..request };
        let error = offer(&mut alice.store, &request, now(), &mut rng()).unwrap_err();
        assert!(matches!(error, Error::NothingToRevoke { .. }), "{error}");
        assert!(alice.store.held_keys().is_empty());
    }
    let given = OfferRequest { revoke: true, key_id: never_sent.key_id, ..without_name };
    assert!(!send(&mut alice, &given, now()).parameters.unwrap().status.is_live());
}

#[test]
fn a_revocation_ends_a_life_that_has_not_begun_or_at_the_time_that_is_named() {
    let (mut alice, _) = pair();
    let parameters = KeyParameters {
        activation: NOW_UNIX + 100,
        expiry: NOW_UNIX + 200,
        status: KeyStatus(KeyStatus::NOT_REVOKED.0 | KeyStatus::SHARED_WITH_GATEWAY.0),
        ..KeyParameters::live(KeyType::Csk)
    };
    let request = OfferRequest { parameters: Some(parameters.clone()), ..OfferRequest::new(ALICE, BOB, KeyType::Csk) };
    let key_id = Some(send(&mut alice, &request, now()).bundle.key_id);
    let revoke = OfferRequest { key_id, revoke: true, ..OfferRequest::new(ALICE, BOB, KeyType::Csk) };
    let said = send(&mut alice, &revoke, later(1)).parameters.unwrap();
    assert_eq!((said.activation, said.expiry), (0, NOW_UNIX + 1));
    let ahead = OfferRequest { parameters: Some(parameters.clone()), ..revoke.clone() };
    let error = offer(&mut alice.store, &ahead, later(1), &mut rng()).unwrap_err();
    assert!(matches!(error, Error::RevocationAhead { expiry } if expiry == parameters.expiry), "{error}");
    let past = KeyParameters { activation: 0, expiry: NOW_UNIX, ..parameters };
    let named = OfferRequest { parameters: Some(past), ..revoke.clone() };
    let said = send(&mut alice, &named, later(1)).parameters.unwrap();
    assert_eq!((said.activation, said.expiry, said.status), (0, NOW_UNIX, KeyStatus::SHARED_WITH_GATEWAY));
    let unsaid = OfferRequest { without_parameters: true, ..revoke };
    let error = offer(&mut alice.store, &unsaid, later(1), &mut rng()).unwrap_err();
    assert!(matches!(error, Error::RevocationUnsaid), "{error}");
}

#[test]
fn no_older_message_brings_back_a_key_that_was_taken_back() {
    let kms = TestKms::new(KMS);
    let (mut alice, mut bob) = (TestStore::of(&kms, ALICE), TestStore::of(&kms, BOB));
    let request = OfferRequest::new(ALICE, BOB, KeyType::Gmk);
    let first = send(&mut alice, &request, now());
    let again = OfferRequest { key_id: Some(first.bundle.key_id), ..request.clone() };
    let [second, third] = [1, 2].map(|seconds| send(&mut alice, &again, later(seconds)).message);
    let revoking = send(&mut alice, &OfferRequest { revoke: true, ..again.clone() }, later(3)).message;
    receive(&mut bob, BOB, &first.message, now()).unwrap();
    require_revoked(&mut bob, &revoking, None, later(3));
    let error = receive(&mut bob, BOB, &second, later(4)).unwrap_err();
    assert!(matches!(error, Error::RevokedSince { key_id, .. } if key_id == first.bundle.key_id), "{error}");
    let mut bob = bob.reopen();
    let error = receive(&mut bob, BOB, &third, later(4)).unwrap_err();
    assert!(matches!(error, Error::RevokedSince { .. }), "{error}");
    assert!(bob.store.held_keys().is_empty());

    // A revocation that comes before what it takes back.
    let mut other = TestStore::of(&kms, BOB);
    let error = receive(&mut other, BOB, &revoking, later(3)).unwrap_err();
    assert!(matches!(error, Error::Message(mc::Error::KeyRevoked { .. })), "{error}");
    let error = receive(&mut other, BOB, &first.message, later(4)).unwrap_err();
    assert!(matches!(error, Error::RevokedSince { .. }), "{error}");
    // A new key of the same initiator is another one.
    let renewed = send(&mut alice, &request, later(5));
    receive(&mut other, BOB, &renewed.message, later(5)).unwrap();
}

#[test]
fn what_one_device_took_back_the_other_does_not_send_again() {
    let kms = TestKms::new(KMS);
    let (mut alice, mut device) = (TestStore::of(&kms, ALICE), TestStore::of(&kms, ALICE));
    let own = |device: &mut TestStore, message: &[u8], recipient: &str, at| {
        let options = AcceptOptions { sent_to: Some(recipient), ..AcceptOptions::default() };
        accept(&mut device.store, ALICE, message, &options, at)
    };
    let request = OfferRequest { to_self: true, ..OfferRequest::new(ALICE, BOB, KeyType::Gmk) };
    let to_bob = send(&mut alice, &request, now());
    let key_id = Some(to_bob.bundle.key_id);
    let to_carol = send(&mut alice, &OfferRequest { key_id, recipient_uri: CAROL, ..request.clone() }, now());
    let late = send(&mut alice, &OfferRequest { key_id, recipient_uri: GMS, ..request.clone() }, now());
    own(&mut device, &to_bob.message, BOB, now()).unwrap();
    own(&mut device, &to_carol.message, CAROL, now()).unwrap();
    let revoking = send(&mut alice, &OfferRequest { key_id, revoke: true, ..request.clone() }, later(1));
    let error = own(&mut device, &revoking.message, BOB, later(1)).unwrap_err();
    assert!(matches!(error, Error::TakenBackElsewhere { .. }), "{error}");
    let error = own(&mut device, &late.message, GMS, later(2)).unwrap_err();
    assert!(matches!(error, Error::RevokedSince { .. }), "{error}");
    let mut device = device.reopen();
    let again = OfferRequest { key_id, recipient_uri: GMS, ..request };
    let error = offer(&mut device.store, &again, later(2), &mut rng()).unwrap_err();
    assert!(matches!(error, Error::KeyTakenBack { .. }), "{error}");
    let told = send(&mut device, &OfferRequest { revoke: true, ..again }, later(2));
    assert_eq!(told.bundle.key.as_bytes(), to_bob.bundle.key.as_bytes());
}

#[test]
fn no_message_of_ones_own_undoes_what_one_took_back() {
    let kms = TestKms::new(KMS);
    let (mut alice, mut unaware) = (TestStore::of(&kms, ALICE), TestStore::of(&kms, ALICE));
    let own = |device: &mut TestStore, message: &[u8], at| {
        let options = AcceptOptions { sent_to: Some(BOB), ..AcceptOptions::default() };
        accept(&mut device.store, ALICE, message, &options, at)
    };
    let request = OfferRequest { to_self: true, ..OfferRequest::new(ALICE, BOB, KeyType::Gmk) };
    let sent = send(&mut alice, &request, now());
    own(&mut unaware, &sent.message, now()).unwrap();
    let again = OfferRequest { key_id: Some(sent.bundle.key_id), ..request };
    send(&mut alice, &OfferRequest { revoke: true, ..again.clone() }, later(1));
    let error = own(&mut alice, &sent.message, later(2)).unwrap_err();
    assert!(matches!(error, Error::RevokedSince { .. }), "{error}");
    // Another device that was not told sends it once more, later: the key is there, and is not sent on from here.
    let unaware = send(&mut unaware, &again, later(3));
    own(&mut alice, &unaware.message, later(3)).unwrap();
    let error = offer(&mut alice.store, &OfferRequest { recipient_uri: CAROL, ..again }, later(4), &mut rng());
    assert!(matches!(error, Err(Error::KeyTakenBack { .. })), "{error:?}");
}

#[test]
fn the_key_of_a_call_that_was_taken_back_does_not_come_back() {
    let (mut alice, mut bob) = pair();
    let (key, key_id) = (SharedSecret::new([0x11; 16]), KeyId::from_u32(0x1234_5678));
    let request =
        OfferRequest { key: Some(key), key_id: Some(key_id.unwrap()), ..OfferRequest::new(ALICE, BOB, KeyType::Pck) };
    let live = send(&mut alice, &request, now()).message;
    let revoking = send(&mut alice, &OfferRequest { revoke: true, ..request }, later(1)).message;
    let error = receive(&mut bob, BOB, &revoking, later(1)).unwrap_err();
    assert!(matches!(error, Error::Message(mc::Error::KeyRevoked { .. })), "{error}");
    let examined = examine(&mut bob.store, BOB, &live, &AcceptOptions::default(), later(2)).unwrap();
    assert!(matches!(examined.barred, Some(Error::RevokedSince { .. })), "{:?}", examined.barred);
    let error = receive(&mut bob, BOB, &live, later(2)).unwrap_err();
    assert!(matches!(error, Error::RevokedSince { .. }), "{error}");
}

#[test]
fn a_store_of_both_ends_does_not_send_a_key_again_that_was_taken_back_from_itself() {
    let kms = TestKms::new(KMS);
    let mut both = TestStore::of(&kms, ALICE);
    both.import(&kms, BOB, kms.period_now());
    let request = OfferRequest::new(ALICE, BOB, KeyType::Csk);
    let sent = send(&mut both, &request, now());
    receive(&mut both, BOB, &sent.message, now()).unwrap();
    let again = OfferRequest { key_id: Some(sent.bundle.key_id), ..request };
    let revoking = send(&mut both, &OfferRequest { revoke: true, ..again.clone() }, later(1)).message;
    let error = receive(&mut both, BOB, &revoking, later(1)).unwrap_err();
    assert!(matches!(error, Error::HeldKeyRevoked { .. }), "{error}");
    let error = offer(&mut both.store, &OfferRequest { recipient_uri: CAROL, ..again }, later(2), &mut rng());
    assert!(matches!(error, Err(Error::KeyTakenBack { .. })), "{error:?}");
}

#[test]
fn what_one_message_leaves_out_the_next_says_again() {
    let (mut alice, _) = pair();
    let groups = vec!["sip:group1@example.org".to_owned()];
    let parameters = KeyParameters { expiry: NOW_UNIX + 500, groups, ..KeyParameters::live(KeyType::Gmk) };
    let request = OfferRequest { parameters: Some(parameters.clone()), ..OfferRequest::new(ALICE, BOB, KeyType::Gmk) };
    let key_id = Some(send(&mut alice, &request, now()).bundle.key_id);
    let again = OfferRequest { key_id, recipient_uri: CAROL, ..OfferRequest::new(ALICE, BOB, KeyType::Gmk) };
    let silent = send(&mut alice, &OfferRequest { without_parameters: true, ..again.clone() }, now());
    assert_eq!(silent.parameters, None);
    let said = send(&mut alice, &OfferRequest { recipient_uri: GMS, ..again }, now()).parameters;
    assert_eq!(said, Some(parameters));
}

#[test]
fn what_is_optional_can_be_left_out() {
    let (mut alice, mut bob) = pair();
    let request = OfferRequest {
        without_parameters: true,
        without_policy: true,
        session_map: SessionMap::GenericId,
        ..OfferRequest::new(ALICE, BOB, KeyType::Csk)
    };
    let sent = send(&mut alice, &request, now());
    assert_eq!(sent.parameters, None);
    let opened = receive(&mut bob, BOB, &sent.message, now()).unwrap();
    assert_eq!((opened.parameters.is_none(), opened.policy(CsId::McpttCsk)), (true, None));
}

#[test]
fn what_status_zero_means_is_set_for_a_kms() {
    let kms = TestKms::new(KMS);
    let (mut alice, mut bob) = (TestStore::of(&kms, ALICE), TestStore::of(&kms, BOB));
    let parameters = Some(KeyParameters { status: KeyStatus::ZERO, ..KeyParameters::live(KeyType::Csk) });
    let request = OfferRequest { parameters, ..OfferRequest::new(ALICE, BOB, KeyType::Csk) };
    bob.store.read_status_zero(KMS, StatusZero::Revoked).unwrap();
    bob.import(&kms, BOB, kms.period_now());
    let mut bob = bob.reopen();
    let error = receive(&mut bob, BOB, &send(&mut alice, &request, now()).message, now()).unwrap_err();
    assert!(matches!(error, Error::Message(mc::Error::KeyRevoked { .. })), "{error}");
    bob.store.read_status_zero(KMS, StatusZero::PossiblyLive).unwrap();
    let opened = receive(&mut bob, BOB, &send(&mut alice, &request, now()).message, now()).unwrap();
    assert_eq!(opened.revocation, Revocation::Possible);
    // Without a setting a key that comes again with status 0 is taken back; some send each of theirs so, again and again.
    bob.store.read_status_zero(KMS, StatusZero::Live).unwrap();
    for _ in 0..2 {
        let again = OfferRequest { key_id: Some(opened.bundle.key_id), ..request.clone() };
        let live = receive(&mut bob, BOB, &send(&mut alice, &again, now()).message, now()).unwrap();
        assert_eq!(live.revocation, Revocation::No);
    }
    let unknown = bob.store.read_status_zero("kms.example.net", StatusZero::Revoked);
    assert!(matches!(unknown, Err(Error::UnknownKms { .. })), "{unknown:?}");
}

#[test]
fn nobody_revokes_anothers_key_or_a_key_of_other_octets() {
    let kms = TestKms::new(KMS);
    let (mut alice, mut bob) = (TestStore::of(&kms, ALICE), TestStore::of(&kms, BOB));
    let mut carol = TestStore::of(&kms, CAROL);
    let sent = send(&mut alice, &OfferRequest::new(ALICE, BOB, KeyType::Csk), now());
    receive(&mut bob, BOB, &sent.message, now()).unwrap();
    let revoked = KeyParameters { status: KeyStatus::SHARED_WITH_GATEWAY, ..KeyParameters::live(KeyType::Csk) };
    let revocation = |user_uri, key: &[u8; 16]| OfferRequest {
        key: Some(SharedSecret::new(*key)),
        key_id: Some(sent.bundle.key_id),
        parameters: Some(revoked.clone()),
        ..OfferRequest::new(user_uri, BOB, KeyType::Csk)
    };
    let by_carol = send(&mut carol, &revocation(CAROL, sent.bundle.key.as_bytes()), now()).message;
    let other_octets = send(&mut TestStore::of(&kms, ALICE), &revocation(ALICE, &[9; 16]), now()).message;
    for message in [by_carol, other_octets] {
        let error = receive(&mut bob, BOB, &message, now()).unwrap_err();
        assert!(matches!(error, Error::Message(mc::Error::KeyRevoked { .. })), "{error}");
        assert_eq!(bob.store.held_keys().len(), 1);
    }
}

#[test]
fn a_kms_makes_no_keys_for_the_users_of_another() {
    let home = TestKms::new(KMS).serving(&["example.org"]);
    let foreign = TestKms::new("kms.example.net");
    let mut bob = TestStore::of(&home, BOB);
    bob.import(&foreign, CAROL, foreign.period_now());
    let mut mallory = TestStore::of(&foreign, ALICE);
    mallory.import(&home, CAROL, home.period_now());
    for identity_mode in [IdentityMode::Hidden, IdentityMode::Plain] {
        let request =
            OfferRequest { identity_mode, recipient_kms_uri: Some(KMS), ..OfferRequest::new(ALICE, BOB, KeyType::Pck) };
        let sent = send(&mut mallory, &request, now());
        let options = AcceptOptions { initiator_uri: Some(ALICE), ..AcceptOptions::default() };
        let error = accept(&mut bob.store, BOB, &sent.message, &options, now()).unwrap_err();
        assert!(matches!(error, Error::Message(mc::Error::KmsNotForUser { .. })), "{error}");
    }
}

#[test]
fn a_store_can_be_looked_into_at_any_age() {
    let (mut alice, mut bob) = pair();
    let sent = send(&mut alice, &OfferRequest::new(ALICE, BOB, KeyType::Gmk), now());
    let look = |store: &mut Store, at| examine(store, BOB, &sent.message, &AcceptOptions::default(), at).unwrap();
    let a_year = later(365 * 86_400);
    for _ in 0..2 {
        let examined = look(&mut bob.store, a_year);
        assert!(!examined.replayed);
        assert!(matches!(examined.opened.findings[..], [mc::Error::TooOld { .. }]));
    }
    assert!(bob.store.held_keys().is_empty());
    receive(&mut bob, BOB, &sent.message, now()).unwrap();
    let examined = look(&mut bob.store, now());
    assert!(examined.replayed && examined.opened.findings.is_empty());
}

/// Alice at `example.org`, who knows a KMS of `example.net` as well.
fn two_domains() -> (TestKms, TestKms, TestStore) {
    let home = TestKms::new(KMS).serving(&["example.org"]);
    let foreign = TestKms::new("kms.example.net").serving(&["example.net"]);
    let mut alice = TestStore::of(&home, ALICE);
    alice.import(&foreign, CAROL, foreign.period_now());
    (home, foreign, alice)
}

#[test]
fn the_recipients_domain_tells_its_kms() {
    let (home, foreign, mut alice) = two_domains();
    let request = OfferRequest {
        identity_mode: IdentityMode::Plain,
        ..OfferRequest::new(ALICE, "sip:dave@example.net", KeyType::Pck)
    };
    let sent = send(&mut alice, &request, now());
    assert_eq!(sent.recipient_kms, foreign.uri);
    let mut dave = TestStore::of(&foreign, "sip:dave@example.net");
    dave.import(&home, CAROL, home.period_now());
    receive(&mut dave, "sip:dave@example.net", &sent.message, now()).unwrap();
    let named = OfferRequest { recipient_kms_uri: Some(KMS), ..request };
    assert_eq!(send(&mut alice, &named, now()).recipient_kms, KMS);
}

#[test]
fn no_other_kms_takes_over_calls_to_the_senders_own_domain() {
    let (home, foreign, mut alice) = two_domains();
    let request = OfferRequest::new(ALICE, BOB, KeyType::Pck);
    for _ in 0..2 {
        assert_eq!(send(&mut alice, &request, now()).recipient_kms, KMS);
        // Neither the order of imports matters, nor what the other KMS claims later.
        let greedy = foreign.certificate_for(&["example.net", "EXAMPLE.ORG"]);
        let keyprov = foreign.key_prov(vec![foreign.key_set(CAROL, foreign.period_now())]);
        let error = import(&mut alice.store, &foreign.init(greedy), &keyprov, now()).unwrap_err();
        assert!(matches!(&error, Error::DomainTaken { holder, .. } if holder == KMS), "{error}");
        alice.import(&home, ALICE, home.period_now());
        alice = alice.reopen();
    }
    // A KMS that names no domains serves its own users' calls before any other does.
    let quiet = TestKms::new("kms.example.com");
    let mut erin = TestStore::of(&quiet, "sip:erin@example.com");
    erin.import(&foreign, CAROL, foreign.period_now());
    let request = OfferRequest::new("sip:erin@example.com", "sip:dave@example.net", KeyType::Pck);
    assert_eq!(send(&mut erin, &request, now()).recipient_kms, quiet.uri);
}

#[test]
fn a_recipient_of_no_single_kms_needs_one_to_be_named() {
    let (_, _, mut alice) = two_domains();
    let request = OfferRequest::new(ALICE, "sip:frank@example.com", KeyType::Pck);
    let error = offer(&mut alice.store, &request, now(), &mut rng()).unwrap_err();
    assert!(
        matches!(&error, Error::AmbiguousKms { domain, candidates } if domain == "example.com" && candidates.is_empty()),
        "{error}"
    );

    let mut alice = TestStore::of(&TestKms::new(KMS), ALICE);
    let second = TestKms::new("kms.example.net");
    alice.import(&second, ALICE, second.period_now());
    let error = offer(&mut alice.store, &request, now(), &mut rng()).unwrap_err();
    assert!(matches!(&error, Error::AmbiguousKms { candidates, .. } if candidates == &[KMS, second.uri]), "{error}");
    let named = OfferRequest { recipient_kms_uri: Some(second.uri), ..request };
    assert_eq!(send(&mut alice, &named, now()).recipient_kms, second.uri);
}
