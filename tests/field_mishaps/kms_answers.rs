//! Answers of a KMS that were read as more than they are.

use crate::support::{ALICE, NOW_UNIX, TestKms, TestStore, now, xml};
use mikey_sakke::client::{self, Error, ImportReport};
use mikey_sakke::kms_protocol::{
    EncryptedKey, ErrorCode, KeyContent, KmsError, KmsKeyProv, KmsKeySet, KmsMessage, WriteOptions,
};
use time::OffsetDateTime;

/// The two answers that keys come with.
struct Answers {
    kms: TestKms,
    init: String,
    keyprov: String,
}

impl Answers {
    fn new() -> Self {
        Self::with(|_, _| {})
    }

    /// With other key sets than the one of Alice.
    fn with(change: impl FnOnce(&TestKms, &mut Vec<KmsKeySet>)) -> Self {
        let kms = TestKms::new("kms.example.org");
        let mut key_sets = vec![kms.key_set(ALICE, kms.period_now())];
        change(&kms, &mut key_sets);
        let [init, keyprov] =
            [kms.init(kms.certificate()), kms.key_prov(key_sets)].map(|xml| String::from_utf8(xml).unwrap());
        Self { kms, init, keyprov }
    }

    fn import(&self) -> Result<ImportReport, Error> {
        import(&self.init, &self.keyprov)
    }
}

/// Imports into a new store, in which nothing may be after an error.
fn import(init: &str, keyprov: &str) -> Result<ImportReport, Error> {
    let mut made = TestStore::empty();
    let imported = client::import(&mut made.store, init.as_bytes(), keyprov.as_bytes(), now());
    assert_eq!(made.store.key_sets().is_empty(), imported.is_err());
    imported
}

fn at(seconds: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(i64::try_from(NOW_UNIX).unwrap() + seconds).ok()
}

/// KMS answers: signature not checked, validity and `Revoked` ignored, two key sets (last wins), an empty element (crash),
/// indented SignedKmsResponse (success with empty fields), EncryptedKey (empty key or an uncaught exception), malformed key
/// accepted, KmsError read as success.
#[test]
fn mishap_11_an_answer_is_no_more_than_it_says() {
    assert!(Answers::new().import().is_ok());
    a_signature_that_cannot_be_checked();
    dates_and_revocation();
    two_key_sets();
    empty_elements();
    an_indented_signed_answer();
    an_encrypted_key();
    a_malformed_key();
    an_error();
}

fn a_signature_that_cannot_be_checked() {
    let answers = Answers::new();
    let body = answers.init.split_once("?>").map_or(answers.init.as_str(), |(_, body)| body);
    let signed = format!(
        "<SignedKmsResponse xmlns=\"urn:3gpp:ns:mcsecKMSInterface:1.0\">{body}\
         <Signature xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><KeyInfo><KeyName>ink.12</KeyName></KeyInfo></Signature>\
         </SignedKmsResponse>"
    );
    let error = import(&signed, &answers.keyprov).unwrap_err();
    assert!(matches!(&error, Error::IntegrityKeyNeeded { key_id, .. } if key_id == "ink.12"), "{error}");
}

fn dates_and_revocation() {
    let error = Answers::with(|_, sets| sets[0].revoked = true).import().unwrap_err();
    assert!(matches!(error, Error::KeySetRevoked { .. }), "{error}");
    let error = Answers::with(|_, sets| sets[0].valid_to = at(0)).import().unwrap_err();
    assert!(matches!(error, Error::KeySetDates { .. }), "{error}");
    assert!(Answers::with(|_, sets| sets[0].valid_to = at(1)).import().is_ok());
}

fn two_key_sets() {
    let twice = |later| Answers::with(|kms, sets| sets.push(kms.key_set(ALICE, kms.period_now() + later)));
    let error = twice(0).import().unwrap_err();
    assert!(matches!(error, Error::KeySetTwice { .. }), "{error}");
    let answers = twice(1);
    let period = answers.kms.period_now();
    assert_eq!(answers.import().unwrap().periods, [period, period + 1]);
}

fn empty_elements() {
    let answers = Answers::new();
    for name in ["UserID", "UserDecryptKey", "KeyPeriodNo"] {
        let keyprov = with_contents(&answers.keyprov, name, "");
        let error = import(&answers.init, &keyprov).unwrap_err();
        assert!(matches!(&error, Error::Response { .. }) && error.to_string().contains(name), "{error}");
    }
}

fn an_indented_signed_answer() {
    let answers = Answers::new();
    let options = WriteOptions { signed_wrapper: true, ..WriteOptions::default() };
    let key_sets = vec![answers.kms.key_set(ALICE, answers.kms.period_now())];
    let message = KmsKeyProv { key_sets, ..KmsKeyProv::default() };
    let keyprov = answers.kms.response(ALICE, KmsMessage::KeyProv(message)).to_xml(&options);
    let indented = keyprov.replace("><", ">\n  <");
    assert!(indented.contains(">\n  <KmsResponse"));
    assert_eq!(import(&answers.init, &indented).unwrap().periods, [answers.kms.period_now()]);
}

fn an_encrypted_key() {
    let error = Answers::with(|_, sets| {
        sets[0].user_decrypt_key = KeyContent::Encrypted(EncryptedKey {
            algorithm: "http://www.w3.org/2001/04/xmlenc#kw-aes256".into(),
            key_name: Some("tk.12.user@example.org".into()),
            carried_key_name: None,
            cipher_value: vec![7; 272],
        });
    })
    .import()
    .unwrap_err();
    assert!(
        matches!(&error, Error::TransportKeyNeeded { trk_id, .. } if trk_id == "tk.12.user@example.org"),
        "{error}"
    );
}

fn a_malformed_key() {
    let answers = Answers::new();
    for (name, contents) in [("UserDecryptKey", "0405"), ("UserPubTokenPVT", "no key"), ("UserSigningKeySSK", "7a")] {
        let error = import(&answers.init, &with_contents(&answers.keyprov, name, contents)).unwrap_err();
        assert!(matches!(&error, Error::Response { .. }) && error.to_string().contains(name), "{error}");
        assert!(!error.to_string().contains(contents), "{error}");
    }
}

fn an_error() {
    let answers = Answers::new();
    for message in [None, Some(KmsMessage::KeyProv(KmsKeyProv::default()))] {
        let mut response = answers.kms.response(ALICE, KmsMessage::KeyProv(KmsKeyProv::default()));
        response.message = message;
        response.error = Some(KmsError::new(ErrorCode::UnknownUser, "nobody of that name"));
        let keyprov = String::from_utf8(xml(&response)).unwrap();
        let error = import(&answers.init, &keyprov).unwrap_err();
        assert!(
            matches!(&error, Error::Refused { request: "keyprov", code: 3001, text, .. } if text == "nobody of that name"),
            "{error}"
        );
    }
}

/// The document with other contents of the first element of this name.
fn with_contents(document: &str, name: &str, contents: &str) -> String {
    let start = document.find(&format!("<{name}")).unwrap();
    let open = start + document[start..].find('>').unwrap() + 1;
    let close = document.find(&format!("</{name}>")).unwrap();
    [&document[..open], contents, &document[close..]].concat()
}
