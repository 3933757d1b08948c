//! A KMS that rolls over to new master secrets (docs/roll-over.md), as its clients see it.

use crate::support::{ALICE, BOB, TestKms, TestStore, now, rng};
use mikey_sakke::client::{self, AcceptOptions, Error, ImportReport, OfferRequest, accept, offer};
use mikey_sakke::kms_protocol::{KmsCertificate, KmsKeySet};
use mikey_sakke::mc::imessage::IdentityMode;
use mikey_sakke::mc::{self, KeyType};
use mikey_sakke::mikey::NtpTime;
use time::OffsetDateTime;

const KMS: &str = "kms.example.org";

/// Two generations of one KMS: the second begins with the period after the present one.
struct Generations {
    first: TestKms,
    second: TestKms,
    /// The first period of the second.
    change: u64,
}

impl Generations {
    fn new() -> Self {
        let (first, second) = (TestKms::new(KMS), TestKms::new(KMS));
        let change = first.period_now() + 1;
        Self { first, second, change }
    }

    fn of_period(&self, period_no: u64) -> &TestKms {
        if period_no < self.change { &self.first } else { &self.second }
    }

    fn certificate_of_period(&self, period_no: u64) -> KmsCertificate {
        let change = self.start(self.change).unix_seconds().map(unix);
        let own = self.of_period(period_no).certificate();
        if period_no < self.change {
            KmsCertificate { cert_uri: Some(name(1)), valid_to: change, ..own }
        } else {
            KmsCertificate { cert_uri: Some(name(2)), valid_from: change, ..own }
        }
    }

    fn key_set(&self, user_uri: &str, period_no: u64) -> KmsKeySet {
        let cert_uri = self.certificate_of_period(period_no).cert_uri;
        KmsKeySet { cert_uri, ..self.of_period(period_no).key_set(user_uri, period_no) }
    }

    /// The start of a period.
    fn start(&self, period_no: u64) -> NtpTime {
        NtpTime::from_seconds(self.first.periods().bounds(period_no).0)
    }

    /// A client that got its keys in every period of these, in this order.
    fn client(&self, user_uri: &str, periods: &[u64]) -> TestStore {
        let mut made = TestStore::empty();
        for period_no in periods {
            self.import(&mut made, user_uri, *period_no).unwrap();
        }
        made
    }

    /// What a client gets in a period: its certificate and its keys.
    fn import(&self, made: &mut TestStore, user_uri: &str, period_no: u64) -> Result<ImportReport, Error> {
        self.import_sets(made, period_no, vec![self.key_set(user_uri, period_no)])
    }

    fn import_sets(
        &self,
        made: &mut TestStore,
        period_no: u64,
        key_sets: Vec<KmsKeySet>,
    ) -> Result<ImportReport, Error> {
        let init = self.first.init(self.certificate_of_period(period_no));
        client::import(&mut made.store, &init, &self.first.key_prov(key_sets), self.start(period_no))
    }
}

fn name(generation: u64) -> String {
    format!("{KMS}#generation-{generation}")
}

fn unix(seconds: u64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds.try_into().unwrap()).unwrap()
}

fn seconds_after(time: NtpTime, seconds: i64) -> NtpTime {
    NtpTime::from_seconds(time.seconds().checked_add_signed(seconds).unwrap())
}

fn certificates(made: &TestStore) -> Vec<(Option<String>, Option<i64>, Option<i64>)> {
    let known = made.store.kms_list().remove(0).certificates;
    known.into_iter().map(|known| (known.cert_uri, known.valid_from, known.valid_to)).collect()
}

/// A call at a time, taken at another; both ends must have the same key.
fn call(from: (&mut TestStore, &str, NtpTime), to: (&mut TestStore, &str, NtpTime), mode: IdentityMode) {
    let (sender, sender_uri, sent_at) = from;
    let (receiver, receiver_uri, received_at) = to;
    let request = OfferRequest { identity_mode: mode, ..OfferRequest::new(sender_uri, receiver_uri, KeyType::Pck) };
    let sent = offer(&mut sender.store, &request, sent_at, &mut rng()).unwrap();
    let options = AcceptOptions { initiator_uri: Some(sender_uri), ..AcceptOptions::default() };
    let opened = accept(&mut receiver.store, receiver_uri, &sent.message, &options, received_at).unwrap();
    assert_eq!(opened.bundle.key.as_bytes(), sent.bundle.key.as_bytes());
}

#[test]
fn calls_go_both_ways_before_at_and_after_the_change() {
    let generations = Generations::new();
    let change = generations.change;
    let periods = [change - 1, change, change + 1];
    let (mut alice, mut bob) = (generations.client(ALICE, &periods), generations.client(BOB, &periods));
    let at = generations.start(change);
    for reopened in [false, true] {
        if reopened {
            (alice, bob) = (alice.reopen(), bob.reopen());
        }
        for mode in [IdentityMode::Hidden, IdentityMode::Plain] {
            // Sent and received: before, across the change, at its first second, and after.
            for (sent, received) in [(-100, -90), (-1, 0), (-200, 90), (0, 0), (0, -1), (50, -100), (5, 10)] {
                let (sent, received) = (seconds_after(at, sent), seconds_after(at, received));
                call((&mut alice, ALICE, sent), (&mut bob, BOB, received), mode);
                call((&mut bob, BOB, sent), (&mut alice, ALICE, received), mode);
            }
        }
    }
    let next = generations.start(change + 1);
    call((&mut alice, ALICE, next), (&mut bob, BOB, next), IdentityMode::Hidden);
}

#[test]
fn who_has_the_new_keys_alone_cannot_read_what_was_sent_before() {
    let generations = Generations::new();
    let at = generations.start(generations.change);
    let mut alice = generations.client(ALICE, &[generations.change - 1, generations.change]);
    let mut bob = generations.client(BOB, &[generations.change]);
    let request = OfferRequest::new(ALICE, BOB, KeyType::Pck);
    let old = offer(&mut alice.store, &request, seconds_after(at, -1), &mut rng()).unwrap();
    let error = accept(&mut bob.store, BOB, &old.message, &AcceptOptions::default(), at).unwrap_err();
    assert!(
        matches!(error, Error::NoKeysForPeriod { period_no, .. } if period_no == generations.change - 1),
        "{error}"
    );
}

#[test]
fn a_message_under_the_other_generation_is_refused() {
    let generations = Generations::new();
    let change = generations.change;
    let mut bob = generations.client(BOB, &[change - 1, change]);
    // Somebody who has the first generation's secrets goes on with them.
    let stolen = Generations { second: generations.first, first: TestKms::new(KMS), change };
    let mut thief = stolen.client(ALICE, &[change]);
    let at = stolen.start(change);
    let sent = offer(&mut thief.store, &OfferRequest::new(ALICE, BOB, KeyType::Pck), at, &mut rng()).unwrap();
    let error = accept(&mut bob.store, BOB, &sent.message, &AcceptOptions::default(), at).unwrap_err();
    assert!(matches!(error, Error::Message(mc::Error::SignatureInvalid(_))), "{error}");
}

#[test]
fn both_certificates_are_kept_and_shown() {
    let generations = Generations::new();
    let mut made = TestStore::of(&generations.first, ALICE);
    assert_eq!(certificates(&made), [(None, None, None)]);
    // The roll-over is announced: the certificate that is known gets an end.
    let report = generations.import(&mut made, ALICE, generations.change - 1).unwrap();
    assert!(report.notes.iter().all(|note| !note.contains("new public keys")), "{report}");
    let end = generations.start(generations.change).unix_seconds().map(u64::cast_signed);
    assert_eq!(certificates(&made), [(Some(name(1)), None, end)]);
    let report = generations.import(&mut made, ALICE, generations.change).unwrap();
    assert!(report.notes.iter().any(|note| note.contains("new public keys")), "{report}");
    let both = [(Some(name(1)), None, end), (Some(name(2)), end, None)];
    assert_eq!(certificates(&made), both);
    let again = generations.import(&mut made, ALICE, generations.change).unwrap();
    assert!(again.notes.iter().all(|note| !note.contains("new public keys")), "{again}");
    assert_eq!(certificates(&made.reopen()), both);
}

#[test]
fn a_client_that_was_away_takes_the_new_certificate_when_it_comes_back() {
    let generations = Generations::new();
    let change = generations.change;
    let (mut alice, mut bob) = (TestStore::of(&generations.first, ALICE), TestStore::of(&generations.first, BOB));
    let old = offer(&mut alice.store, &OfferRequest::new(ALICE, BOB, KeyType::Pck), now(), &mut rng()).unwrap();
    let report = generations.import(&mut bob, BOB, change + 3).unwrap();
    assert!(report.notes.iter().any(|note| note.contains("new public keys")), "{report}");
    let end = generations.start(change).unix_seconds().map(u64::cast_signed);
    assert_eq!(certificates(&bob), [(None, None, end), (Some(name(2)), end, None)]);
    accept(&mut bob.store, BOB, &old.message, &AcceptOptions::default(), now()).unwrap();
}

#[test]
fn keys_whose_certificate_is_not_here_are_left_out() {
    let generations = Generations::new();
    let change = generations.change;
    let both = || vec![generations.key_set(ALICE, change - 1), generations.key_set(ALICE, change)];
    let mut made = TestStore::empty();
    let report = generations.import_sets(&mut made, change - 1, both()).unwrap();
    assert_eq!(report.periods, [change - 1]);
    let notes = report.notes.join("\n");
    assert!(notes.contains(&name(2)) && notes.contains("provision over HTTPS"), "{notes}");
    // When the period has begun, they are taken.
    assert_eq!(generations.import(&mut made, ALICE, change).unwrap().periods, [change]);

    let mut made = TestStore::empty();
    let error = generations.import_sets(&mut made, change - 1, both().split_off(1)).unwrap_err();
    let Error::CertificateMissing { user_uri, period_no, cert_uri } = &error else { panic!("{error}") };
    assert_eq!((user_uri.as_str(), *period_no, cert_uri), (ALICE, change, &Some(name(2))));
    assert!(made.store.key_sets().is_empty());

    // Without a name there is nothing to wait for: the keys are wrong.
    let unnamed = KmsKeySet { cert_uri: None, ..generations.key_set(ALICE, change) };
    let error = generations.import_sets(&mut made, change - 1, vec![unnamed]).unwrap_err();
    assert!(matches!(error, Error::KeysInvalid { .. }), "{error}");
    // So they are under the name of a certificate that is here.
    let misnamed = KmsKeySet { cert_uri: Some(name(1)), ..generations.key_set(ALICE, change) };
    let error = generations.import_sets(&mut made, change - 1, vec![misnamed]).unwrap_err();
    assert!(matches!(error, Error::KeysInvalid { .. }), "{error}");
}

#[test]
fn keys_of_the_wrong_generation_are_refused() {
    let generations = Generations::new();
    let change = generations.change;
    let mut made = generations.client(ALICE, &[change - 1, change]);
    for (period_no, other) in [(change - 1, &generations.second), (change, &generations.first)] {
        let error = generations.import_sets(&mut made, change, vec![other.key_set(ALICE, period_no)]).unwrap_err();
        assert!(matches!(error, Error::KeysInvalid { .. }), "{period_no}: {error}");
    }
}

#[test]
fn a_name_that_two_documents_spell_differently_keeps_no_good_keys_out() {
    let generations = Generations::new();
    let mut made = TestStore::empty();
    let renamed = KmsKeySet { cert_uri: Some("certificate".into()), ..generations.key_set(ALICE, generations.change) };
    let report = generations.import_sets(&mut made, generations.change, vec![renamed]).unwrap();
    assert_eq!(report.periods, [generations.change]);
}

#[test]
fn a_kms_does_not_replace_its_keys_for_a_time_that_is_known() {
    let generations = Generations::new();
    let change = generations.change;
    let from = |seconds: i64| seconds_after(generations.start(change), seconds).unix_seconds().map(unix);
    type Change<'a> = &'a dyn Fn(&mut KmsCertificate);
    let cases: [(&str, Change<'_>); 5] = [
        ("without dates", &|certificate| certificate.valid_from = None),
        ("within a period that there are keys of", &|certificate| certificate.valid_from = from(-1)),
        ("for a time before", &|certificate| (certificate.valid_from, certificate.valid_to) = (None, from(1))),
        ("from now on", &|certificate| certificate.valid_from = now().unix_seconds().map(unix)),
        ("for all times in which there are keys", &|certificate| certificate.valid_from = Some(unix(1))),
    ];
    for (case, alter) in cases {
        // Both for one that has an end, by which the KMS makes room, and for one that has none.
        for announced in [false, true] {
            let mut made = TestStore::of(&generations.first, ALICE);
            if announced {
                generations.import(&mut made, ALICE, change - 1).unwrap();
            }
            let before = (made.store.kms_list(), made.store.key_sets());
            let mut certificate = generations.certificate_of_period(change);
            alter(&mut certificate);
            let keyprov = generations.first.key_prov(vec![generations.key_set(ALICE, change)]);
            let init = generations.first.init(certificate);
            let error = client::import(&mut made.store, &init, &keyprov, generations.start(change)).unwrap_err();
            assert!(matches!(error, Error::KmsKeysChanged { .. }), "{case}, {announced}: {error}");
            assert_eq!((made.store.kms_list(), made.store.key_sets()), before);
        }
    }
}

#[test]
fn what_is_known_to_follow_is_not_replaced_either() {
    let generations = Generations::new();
    let change = generations.change;
    let mut made = generations.client(ALICE, &[change - 1, change]);
    let third = Generations { first: TestKms::new(KMS), second: TestKms::new(KMS), change: change + 2 };
    // A third generation is fine from a period on that there are no keys of,
    third.import(&mut made, ALICE, change + 2).unwrap();
    assert_eq!(certificates(&made).len(), 3);
    // and then nothing else takes its place, though there are no keys of a later period yet.
    let rival = Generations { first: TestKms::new(KMS), second: TestKms::new(KMS), change: change + 2 };
    let error = rival.import(&mut made, ALICE, change + 3).unwrap_err();
    assert!(matches!(error, Error::KmsKeysChanged { .. }), "{error}");
    // Nor does one come between.
    let between = KmsCertificate {
        valid_from: generations.start(change + 1).unix_seconds().map(unix),
        valid_to: generations.start(change + 3).unix_seconds().map(unix),
        ..rival.second.certificate()
    };
    let keyprov = rival.first.key_prov(vec![rival.second.key_set(ALICE, change + 1)]);
    let init = rival.first.init(between);
    let error = client::import(&mut made.store, &init, &keyprov, generations.start(change + 1)).unwrap_err();
    assert!(matches!(error, Error::KmsKeysChanged { .. }), "{error}");
}

#[test]
fn every_certificate_of_a_kms_has_the_same_key_periods() {
    let generations = Generations::new();
    let mut made = generations.client(ALICE, &[generations.change - 1]);
    let certificate = KmsCertificate { user_key_offset: 1, ..generations.certificate_of_period(generations.change) };
    let keyprov = generations.first.key_prov(vec![generations.key_set(ALICE, generations.change)]);
    let init = generations.first.init(certificate);
    let error = client::import(&mut made.store, &init, &keyprov, generations.start(generations.change)).unwrap_err();
    assert!(matches!(error, Error::KmsConventionChanged { .. }), "{error}");
}
