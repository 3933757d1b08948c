//! Keys that were never checked, and points that are none.

use crate::mc_support::{self, Parts, SAKKE, altered, bob_opens, message};
use crate::support::{ALICE, BOB, TestKms, TestStore, now, rng};
use mikey_sakke::client::{self, Error, ImportReport, OfferRequest};
use mikey_sakke::eccsi::PointError as SigningPointError;
use mikey_sakke::kms_protocol::{KeyContent, KmsKeySet};
use mikey_sakke::mc::{self, KeyType};
use mikey_sakke::sakke::PointError;
use mikey_sakke::{eccsi, sakke};

const KMS: &str = "kms.example.org";

/// Imports the keys of Alice after a change into a new store, in which nothing may be after an error.
fn import_changed(change: impl FnOnce(&TestKms, &mut KmsKeySet)) -> Result<ImportReport, Error> {
    let kms = TestKms::new(KMS);
    let mut key_set = kms.key_set(ALICE, kms.period_now());
    change(&kms, &mut key_set);
    let mut made = TestStore::empty();
    let imported = client::import(&mut made.store, &kms.init(kms.certificate()), &kms.key_prov(vec![key_set]), now());
    assert_eq!(made.store.key_sets().is_empty(), imported.is_err());
    imported
}

fn flip(content: &mut KeyContent) {
    let mut octets = content.as_clear().unwrap().to_vec();
    *octets.last_mut().unwrap() ^= 1;
    *content = KeyContent::clear(&octets);
}

/// Valid RSKs called invalid, or never checked at all.
#[test]
fn mishap_1_every_rsk_and_ssk_is_checked_on_import() {
    for _ in 0..4 {
        import_changed(|_, _| {}).expect("valid keys are valid");
    }
    let error = import_changed(|_, set| flip(&mut set.user_signing_key_ssk)).unwrap_err();
    let Error::KeysInvalid { tried, .. } = &error else { panic!("{error}") };
    assert!(tried.iter().any(|attempt| attempt.rsk_valid && !attempt.signing_key_valid), "{error}");

    let error = import_changed(|kms, set| {
        set.user_decrypt_key = kms.key_set(BOB, set.key_period_no).user_decrypt_key;
    })
    .unwrap_err();
    let Error::KeysInvalid { tried, .. } = &error else { panic!("{error}") };
    assert!(tried.iter().any(|attempt| !attempt.rsk_valid && attempt.signing_key_valid), "{error}");
    assert!(error.to_string().contains("(2) the 64 hex characters"), "{error}");
}

/// R, RSK or PVT off the curve; R of small order; x or y not reduced.
#[test]
fn mishap_9_points_that_are_none_are_refused() {
    let r_of = |change: fn(&mut [u8])| {
        let message = altered(KeyType::Pck, |parts: &mut Parts| change(&mut parts.payload(SAKKE, 0)[4..4 + 257]));
        match bob_opens(&message) {
            Err(mc::Error::Decapsulation(sakke::Error::EncapsulationPoint(error))) => error,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(r_of(|point| point[20] ^= 1), PointError::NotOnCurve);
    assert_eq!(r_of(|point| point[1..].fill(0)), PointError::SmallOrder);
    assert_eq!(r_of(|point| point[1..129].fill(0xff)), PointError::NotReduced);
    assert_eq!(r_of(|point| point[129..].fill(0xff)), PointError::NotReduced);
    assert_eq!(r_of(|point| point[0] = 2), PointError::Form);

    let pvt_of = |change: fn(&mut [u8])| {
        let mut message = message(KeyType::Pck);
        let start = message.len() - 65;
        change(&mut message[start..]);
        match bob_opens(&message) {
            Err(mc::Error::SignatureMalformed(eccsi::Error::SignaturePvt(error))) => error,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(pvt_of(|point| point[64] ^= 1), SigningPointError::NotOnCurve);
    assert_eq!(pvt_of(|point| point[1..33].fill(0xff)), SigningPointError::NotReduced);

    let error = import_changed(|_, set| flip(&mut set.user_decrypt_key)).unwrap_err();
    assert!(matches!(error, Error::KeyMalformed { field: "UserDecryptKey", .. }), "{error}");
    let error = import_changed(|_, set| flip(&mut set.user_pub_token_pvt)).unwrap_err();
    assert!(matches!(error, Error::KeyMalformed { .. }), "{error}");
    let error = import_changed(|_, set| set.user_signing_key_ssk = KeyContent::clear(&[0; 32])).unwrap_err();
    assert!(matches!(error, Error::KeyMalformed { .. } | Error::KeysInvalid { .. }), "{error}");
    let error = import_changed(|_, set| set.user_signing_key_ssk = KeyContent::clear(&[0xff; 32])).unwrap_err();
    assert!(matches!(error, Error::KeyMalformed { .. }), "{error}");
    assert!(bob_opens(&message(KeyType::Pck)).is_ok_and(|opened| opened.recipient_uri == mc_support::BOB));
}

/// Signing with a key that was never validated gives a signature that nobody can verify.
#[test]
fn mishap_10_keys_that_were_never_validated_cannot_sign() {
    // Such keys cannot even get into a store, so that a message that nobody can verify cannot come out of one.
    let kms = TestKms::new(KMS);
    let mut made = TestStore::empty();
    let mut key_set = kms.key_set(ALICE, kms.period_now());
    key_set.user_signing_key_ssk = KeyContent::clear(&[1; 32]);
    let keyprov = kms.key_prov(vec![key_set]);
    client::import(&mut made.store, &kms.init(kms.certificate()), &keyprov, now()).unwrap_err();
    let request = OfferRequest::new(ALICE, BOB, KeyType::Pck);
    let error = client::offer(&mut made.store, &request, now(), &mut rng()).unwrap_err();
    assert!(matches!(&error, Error::UnknownUser { users, .. } if users.is_empty()), "{error}");
}
