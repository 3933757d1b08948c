//! What is taken in, and what is not.

use crate::support::{ALICE, BOB, NOW_UNIX, PERIOD, TestKms, TestStore, later, now, xml};
use mikey_sakke::client::{self, Error, ImportReport};
use mikey_sakke::kms_protocol::{KeyContent, KmsCertificate, KmsKeyProv, KmsKeySet, KmsMessage, KmsResponse, Role};
use mikey_sakke::mc::{IdentityForm, PeriodEpoch};
use time::OffsetDateTime;

const KMS: &str = "kms.example.org";

/// Imports into a new store; after an error nothing may be in it.
fn import(init: &[u8], keyprov: &[u8]) -> Result<ImportReport, Error> {
    let mut made = TestStore::empty();
    let result = client::import(&mut made.store, init, keyprov, now());
    if result.is_err() {
        assert!(made.store.key_sets().is_empty() && made.store.kms_list().is_empty());
        let store = made.reopen().store;
        assert!(store.key_sets().is_empty() && store.kms_list().is_empty());
    }
    result
}

fn with_certificate(change: impl FnOnce(&mut KmsCertificate)) -> Error {
    let kms = TestKms::new(KMS);
    let mut certificate = kms.certificate();
    change(&mut certificate);
    import(&kms.init(certificate), &kms.key_prov(vec![kms.key_set(ALICE, kms.period_now())])).unwrap_err()
}

fn with_key_set(change: impl FnOnce(&TestKms, &mut KmsKeySet)) -> Result<ImportReport, Error> {
    let kms = TestKms::new(KMS);
    let mut key_set = kms.key_set(ALICE, kms.period_now());
    change(&kms, &mut key_set);
    import(&kms.init(kms.certificate()), &kms.key_prov(vec![key_set]))
}

fn at(seconds: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(i64::try_from(NOW_UNIX).unwrap() + seconds).ok()
}

#[test]
fn every_convention_is_found_and_reported() {
    for form in [IdentityForm::Raw, IdentityForm::HexText] {
        for epoch in [PeriodEpoch::Ntp, PeriodEpoch::Unix] {
            let kms = TestKms::new(KMS).with_convention(form, epoch);
            let period = kms.period_now();
            let key_sets = vec![kms.key_set(ALICE, period + 1), kms.key_set(ALICE, period)];
            let report = import(&kms.init(kms.certificate()), &kms.key_prov(key_sets)).unwrap();
            assert_eq!((report.identity_form, report.period_epoch), (form, epoch));
            assert_eq!(report.periods, [period, period + 1]);
            let deviations = usize::from(form == IdentityForm::HexText) + usize::from(epoch == PeriodEpoch::Unix);
            let waits = 1;
            assert_eq!(report.notes.len(), deviations + waits, "{report}");
            assert!(report.to_string().contains(&report.convention().to_string()));
        }
    }
}

#[test]
fn a_kms_keeps_its_convention_and_its_keys() {
    let kms = TestKms::new(KMS);
    let mut made = TestStore::of(&kms, ALICE);
    let other = TestKms::new(KMS);
    let keyprov = other.key_prov(vec![other.key_set(ALICE, other.period_now())]);
    let error = client::import(&mut made.store, &other.init(other.certificate()), &keyprov, now()).unwrap_err();
    assert!(matches!(error, Error::KmsKeysChanged { .. }), "{error}");

    let mut certificate = kms.certificate();
    certificate.user_key_offset = 1;
    let keyprov = kms.key_prov(vec![kms.key_set(BOB, kms.period_now())]);
    let error = client::import(&mut made.store, &kms.init(certificate), &keyprov, now()).unwrap_err();
    assert!(matches!(error, Error::KmsConventionChanged { .. }), "{error}");

    let changed = kms.with_convention(IdentityForm::HexText, PeriodEpoch::Ntp);
    let keyprov = changed.key_prov(vec![changed.key_set(BOB, changed.period_now())]);
    let error = client::import(&mut made.store, &changed.init(changed.certificate()), &keyprov, now()).unwrap_err();
    assert!(matches!(error, Error::KmsConventionChanged { .. }), "{error}");
    assert_eq!(made.reopen().store.key_sets().len(), 1);
}

#[test]
fn key_sets_of_one_answer_follow_one_convention() {
    let raw = TestKms::new(KMS);
    let (init, period) = (raw.init(raw.certificate()), raw.period_now());
    let first = raw.key_set(ALICE, period);
    let hex = raw.with_convention(IdentityForm::HexText, PeriodEpoch::Ntp);
    let keyprov = hex.key_prov(vec![first, hex.key_set(ALICE, period + 1)]);
    let error = import(&init, &keyprov).unwrap_err();
    assert!(matches!(error, Error::MixedConventions { .. }), "{error}");
}

#[test]
fn the_same_keys_again_change_nothing() {
    let kms = TestKms::new(KMS);
    let mut made = TestStore::of(&kms, ALICE);
    made.import(&kms, ALICE, kms.period_now());
    assert_eq!((made.store.key_sets().len(), made.store.kms_list().len()), (1, 1));
}

#[test]
fn a_certificate_must_be_usable() {
    let error = with_certificate(|certificate| certificate.revoked = true);
    assert!(matches!(error, Error::CertificateRevoked { .. }), "{error}");
    let error = with_certificate(|certificate| certificate.valid_to = at(0));
    assert!(matches!(error, Error::CertificateDates { .. }), "{error}");
    let error = with_certificate(|certificate| certificate.valid_from = at(1));
    assert!(matches!(error, Error::CertificateDates { .. }), "{error}");
    type Change = fn(&mut KmsCertificate);
    let changes: [(&str, Change); 4] = [
        ("ParameterSet", |certificate| certificate.parameter_set = Some(2)),
        ("UserIdFormat", |certificate| certificate.user_id_format = "1".into()),
        ("UserKeyPeriod", |certificate| certificate.user_key_period = 0),
        ("Role", |certificate| certificate.role = Some(Role::External)),
    ];
    for (field, change) in changes {
        let error = with_certificate(change);
        assert!(
            matches!(error, Error::CertificateUnsupported { field: named, .. } if named == field),
            "{field}: {error}"
        );
    }
}

#[test]
fn the_public_keys_of_a_certificate_must_be_points() {
    let last = |octets: &mut Vec<u8>| *octets.last_mut().unwrap() ^= 1;
    let error = with_certificate(|certificate| last(&mut certificate.pub_enc_key));
    assert!(matches!(error, Error::CertificateKey { field: "PubEncKey", .. }), "{error}");
    let error = with_certificate(|certificate| last(&mut certificate.pub_auth_key));
    assert!(matches!(error, Error::CertificateKey { field: "PubAuthKey", .. }), "{error}");
    let error = with_certificate(|certificate| certificate.pub_enc_key[0] = 2);
    assert!(matches!(error, Error::CertificateKey { field: "PubEncKey", .. }), "{error}");
}

#[test]
fn a_certificate_within_its_dates_and_with_parameter_set_1_will_do() {
    let kms = TestKms::new(KMS);
    let mut certificate = kms.certificate();
    (certificate.valid_from, certificate.valid_to) = (at(0), at(1));
    certificate.parameter_set = Some(1);
    import(&kms.init(certificate), &kms.key_prov(vec![kms.key_set(ALICE, kms.period_now())])).unwrap();
}

#[test]
fn ssk_and_pvt_of_two_users_do_not_fit() {
    let error = with_key_set(|kms, set| {
        set.user_signing_key_ssk = kms.key_set(BOB, set.key_period_no).user_signing_key_ssk;
    })
    .unwrap_err();
    assert!(matches!(error, Error::KeysInvalid { .. }), "{error}");
    let error = with_key_set(|kms, set| {
        set.user_pub_token_pvt = kms.key_set(BOB, set.key_period_no).user_pub_token_pvt;
    })
    .unwrap_err();
    assert!(matches!(error, Error::KeysInvalid { .. }), "{error}");
}

#[test]
fn keys_of_another_kms_are_invalid() {
    let error = with_key_set(|_, set| *set = TestKms::new(KMS).key_set(ALICE, set.key_period_no)).unwrap_err();
    let Error::KeysInvalid { tried, .. } = &error else { panic!("{error}") };
    assert_eq!(tried.len(), 2);
    assert!(tried.iter().all(|attempt| !attempt.rsk_valid && !attempt.signing_key_valid));
}

#[test]
fn keys_for_a_userid_that_is_not_the_users_uid_are_refused() {
    let error = with_key_set(|_, set| set.user_uri = BOB.into()).unwrap_err();
    assert!(matches!(&error, Error::KeysOfOtherIdentity { user_uri, .. } if user_uri == BOB), "{error}");
    let error = with_key_set(|_, set| set.key_period_no += 1).unwrap_err();
    assert!(matches!(error, Error::KeysOfOtherIdentity { .. }), "{error}");
}

#[test]
fn a_wrong_userid_beside_valid_keys_is_refused() {
    let error = with_key_set(|_, set| set.user_id[0] ^= 1).unwrap_err();
    assert!(matches!(&error, Error::UserIdWrong { user_uri, .. } if user_uri == ALICE), "{error}");
}

#[test]
fn an_answer_from_the_future_or_from_before_1970_is_refused() {
    let kms = TestKms::new(KMS);
    let day = 86_400;
    for (unix, fits) in [(NOW_UNIX as i64 + day, true), (NOW_UNIX as i64 + day + 1, false), (0, true), (-1, false)] {
        let key_sets = vec![kms.key_set(ALICE, kms.period_now())];
        let content = KmsMessage::KeyProv(KmsKeyProv { key_sets, ..KmsKeyProv::default() });
        let time = OffsetDateTime::from_unix_timestamp(unix).unwrap();
        let response = KmsResponse { time, ..kms.response(ALICE, content) };
        match import(&kms.init(kms.certificate()), &xml(&response)) {
            Ok(_) => assert!(fits, "{unix}"),
            Err(error) => assert!(!fits && matches!(error, Error::ResponseTime { .. }), "{unix}: {error}"),
        }
    }
}

#[test]
fn leading_zero_octets_of_an_ssk_are_let_pass() {
    let report = with_key_set(|_, set| {
        let padded = [&[0, 0], set.user_signing_key_ssk.as_clear().unwrap()].concat();
        set.user_signing_key_ssk = KeyContent::clear(&padded);
    });
    report.unwrap();
}

#[test]
fn one_bad_key_set_keeps_the_good_ones_out() {
    let kms = TestKms::new(KMS);
    let period = kms.period_now();
    let mut bad = kms.key_set(ALICE, period + 1);
    bad.revoked = true;
    let error = import(&kms.init(kms.certificate()), &kms.key_prov(vec![kms.key_set(ALICE, period), bad])).unwrap_err();
    assert!(matches!(error, Error::KeySetRevoked { period_no, .. } if period_no == period + 1), "{error}");
}

#[test]
fn an_answer_without_keys_is_refused() {
    let kms = TestKms::new(KMS);
    let error = import(&kms.init(kms.certificate()), &kms.key_prov(Vec::new())).unwrap_err();
    assert!(matches!(error, Error::NoKeySets), "{error}");
}

#[test]
fn swapped_and_foreign_documents_are_named() {
    let kms = TestKms::new(KMS);
    let (init, keyprov) = (kms.init(kms.certificate()), kms.key_prov(vec![kms.key_set(ALICE, kms.period_now())]));
    let error = import(&keyprov, &init).unwrap_err();
    assert!(matches!(error, Error::Response { request: "init", .. }), "{error}");
    let error = import(&init, b"{}").unwrap_err();
    assert!(matches!(error, Error::Response { request: "keyprov", .. }), "{error}");
    let other = TestKms::new("kms.example.net");
    let error = import(&init, &other.key_prov(vec![other.key_set(ALICE, other.period_now())])).unwrap_err();
    assert!(matches!(error, Error::OtherKms { .. }), "{error}");
    let error = import(&init, &kms.key_prov(vec![other.key_set(ALICE, other.period_now())])).unwrap_err();
    assert!(matches!(error, Error::OtherKms { place: "KmsKeySet", .. }), "{error}");
}

#[test]
fn a_period_that_is_over_is_noted() {
    let kms = TestKms::new(KMS);
    let keyprov = kms.key_prov(vec![kms.key_set(ALICE, kms.period_now())]);
    let mut made = TestStore::empty();
    let in_two_periods = later(2 * i64::try_from(PERIOD).unwrap());
    let report = client::import(&mut made.store, &kms.init(kms.certificate()), &keyprov, in_two_periods).unwrap();
    assert!(report.notes.iter().any(|note| note.contains("is over")), "{report}");
}

#[test]
fn the_report_names_every_user_whose_keys_were_stored() {
    let kms = TestKms::new(KMS);
    let period = kms.period_now();
    let key_sets =
        [(ALICE, period + 1), (BOB, period), (ALICE, period)].map(|(user, period)| kms.key_set(user, period));
    let report = import(&kms.init(kms.certificate()), &kms.key_prov(key_sets.into())).unwrap();
    let users: Vec<_> = report.key_sets.iter().map(|user| (user.user_uri.as_str(), user.periods.as_slice())).collect();
    assert_eq!(users, [(ALICE, &[period, period + 1][..]), (BOB, &[period][..])]);
    assert_eq!((report.user_uri.as_str(), report.periods.as_slice()), (ALICE, &[period, period + 1][..]));
    let text = report.to_string();
    assert!(text.contains(&format!("Of {ALICE}, periods {period}, {}", period + 1)), "{text}");
    assert!(text.contains(&format!("Of {BOB}, period {period}")), "{text}");
}

#[test]
fn an_answer_for_a_user_without_keys_in_it_is_refused() {
    let kms = TestKms::new(KMS);
    let key_sets = vec![kms.key_set(ALICE, kms.period_now())];
    let content = KmsKeyProv { key_sets, ..KmsKeyProv::default() };
    let error =
        import(&kms.init(kms.certificate()), &xml(&kms.response(BOB, KmsMessage::KeyProv(content)))).unwrap_err();
    assert!(
        matches!(&error, Error::KeysOfOtherUsers { user_uri, users } if user_uri == BOB && users == &[ALICE]),
        "{error}"
    );
}
