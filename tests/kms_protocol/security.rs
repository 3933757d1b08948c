//! The security extension of the KMS interface: documents signed and keys wrapped, in every form that is sent and accepted, and
//! every refusal by name.

use crate::schema::{Schema, peer};
use mikey_sakke::kms_protocol::{
    CipherValueForm, ClientKeys, EncryptedKey, Error, ErrorCode, KeyContent, KeyIds, KmsCertificate, KmsInit,
    KmsKeyProv, KmsKeySet, KmsMessage, KmsRequest, KmsResponse, Limits, Received, Role, SharedKey, SignatureStatus,
    WriteOptions,
};
use mikey_sakke::xml_security::{self, Canonicalization, Form, KeyWrapping, NamedKey, SigningOptions, wrap};
use proptest::prelude::*;
use std::process::Command;
use time::macros::datetime;

const INK_ID: &str = "ink.12.user@example.org";
const TRK_ID: &str = "tk.12.user@example.org";

fn trk() -> NamedKey {
    NamedKey::new(TRK_ID, &[1; 32]).unwrap()
}

fn ink() -> NamedKey {
    NamedKey::new(INK_ID, &[2; 32]).unwrap()
}

fn keys() -> ClientKeys {
    ClientKeys {
        user_uri: "sip:user@example.org".into(),
        kms_uri: "kms.example.org".into(),
        transport: trk(),
        integrity: Some(ink()),
    }
}

fn point<const N: usize>(seed: u8) -> [u8; N] {
    let mut octets = core::array::from_fn(|i| seed.wrapping_add(i as u8));
    octets[0] = 4;
    octets
}

fn key_set(period: u64) -> KmsKeySet {
    KmsKeySet {
        kms_uri: "kms.example.org".into(),
        cert_uri: None,
        issuer: None,
        user_uri: "sip:user@example.org".into(),
        user_id: [7; 32],
        valid_from: None,
        valid_to: None,
        key_period_no: period,
        revoked: false,
        user_decrypt_key: KeyContent::clear(&point::<257>(5)),
        user_signing_key_ssk: KeyContent::clear(&[6; 32]),
        user_pub_token_pvt: KeyContent::clear(&point::<65>(7)),
    }
}

fn response(message: KmsMessage) -> KmsResponse {
    KmsResponse {
        user_uri: "sip:user@example.org".into(),
        kms_uri: "kms.example.org".into(),
        time: datetime!(2026-03-01 08:00:00 UTC),
        kms_id: None,
        client_req_url: "https://kms.example.org/keymanagement/identity/v1/keyprov".into(),
        message: Some(message),
        error: None,
        key_ids: KeyIds { trk_id: Some(TRK_ID.into()), signature_id: Some(INK_ID.into()) },
    }
}

fn clear() -> KmsResponse {
    response(KmsMessage::KeyProv(KmsKeyProv { key_sets: vec![key_set(1), key_set(2)], ..KmsKeyProv::default() }))
}

fn wrapped(wrapping: KeyWrapping) -> KmsResponse {
    let mut response = clear();
    response.wrap_keys(&trk(), wrapping).unwrap();
    response
}

fn request() -> KmsRequest {
    KmsRequest {
        user_uri: "sip:user@example.org".into(),
        kms_uri: "kms.example.org".into(),
        time: datetime!(2026-03-01 08:00:00 UTC),
        client_id: None,
        device_id: None,
        client_req_url: "https://kms.example.org/keymanagement/identity/v1/init".into(),
        client_error: None,
        krr_list: Vec::new(),
        key_ids: KeyIds { trk_id: Some(TRK_ID.into()), signature_id: Some(INK_ID.into()) },
    }
}

fn every_signing() -> impl Iterator<Item = SigningOptions> {
    let with = |form| Canonicalization::ALL.map(|canonicalization| SigningOptions { form, canonicalization });
    [Form::Sibling, Form::Enveloped].into_iter().flat_map(with)
}

fn signed(response: &KmsResponse, signing: &SigningOptions) -> String {
    response.to_signed_xml(&WriteOptions::default(), &ink(), signing).unwrap().to_string()
}

fn document() -> String {
    signed(&wrapped(KeyWrapping::Padded), &SigningOptions::default())
}

fn read(document: &str) -> Result<Received<KmsResponse>, Error> {
    KmsResponse::from_xml_with_keys(document.as_bytes(), &Limits::default(), &[&ink()])
}

#[track_caller]
fn with(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from} is not in {text}");
    text.replacen(from, to, 1)
}

#[track_caller]
fn element(text: &str, name: &str) -> String {
    let start = text.find(&format!("<{name} ")).unwrap();
    let end = text.find(&format!("</{name}>")).unwrap() + name.len() + 3;
    text[start..end].to_owned()
}

#[test]
fn what_is_signed_and_wrapped_is_valid_against_the_schema() {
    let Some(schema) = Schema::open() else { return };
    let new = |kind, name| {
        EncryptedKey::wrap_shared(&NamedKey::new(name, &[9; 32]).unwrap(), kind, &trk(), KeyWrapping::Padded).unwrap()
    };
    let certificate = KmsCertificate::new(Role::Root, "kms.example.org", 2_592_000, 0, &point(1), &point(2));
    let init = response(KmsMessage::Init(KmsInit {
        certificate,
        new_transport_keys: vec![new(SharedKey::Transport, "tk.13.user@example.org")],
        new_integrity_keys: vec![new(SharedKey::Integrity, "ink.13.user@example.org")],
    }));
    for signing in every_signing() {
        for response in [&init, &wrapped(KeyWrapping::Padded), &wrapped(KeyWrapping::Plain), &clear()] {
            assert_eq!(schema.faults(&signed(response, &signing)), None, "{signing:?}");
        }
        assert_eq!(schema.faults(&request().to_signed_xml(&ink(), &signing).unwrap()), None, "{signing:?}");
    }
}

#[test]
fn what_is_signed_is_read_back_as_verified() {
    let verified = SignatureStatus::Verified { key_name: INK_ID.into() };
    for signing in every_signing() {
        let (read, signature) = read(&signed(&clear(), &signing)).unwrap().into_parts();
        assert_eq!((read, &signature), (clear(), &verified), "{signing:?}");
        let text = request().to_signed_xml(&ink(), &signing).unwrap();
        let received = KmsRequest::from_body_with_keys(text.as_bytes(), &Limits::default(), &[&ink()]).unwrap();
        let (read, signature) = received.unwrap().into_parts();
        assert_eq!((read, &signature), (request(), &verified), "{signing:?}");
    }
}

#[test]
fn what_is_unsigned_is_read_as_unsigned() {
    let text = clear().to_xml(&WriteOptions::default());
    assert_eq!(*read(&text).unwrap().signature(), SignatureStatus::Absent);
    let received = KmsRequest::from_body_with_keys(request().to_xml().as_bytes(), &Limits::default(), &[]);
    assert_eq!(*received.unwrap().unwrap().signature(), SignatureStatus::Absent);
    assert_eq!(KmsRequest::from_body_with_keys(b" \n", &Limits::default(), &[]), Ok(None));
}

#[test]
fn without_keys_a_signature_is_only_reported() {
    let received = KmsResponse::from_xml(document().as_bytes(), &Limits::default()).unwrap();
    assert_eq!(*received.signature(), SignatureStatus::Unverified { key_name: Some(INK_ID.into()) });
}

#[test]
fn xmlsec1_verifies_signed_documents() {
    if !peer("xmlsec1") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("key.bin"), [2; 32]).unwrap();
    let verifies = |document: &str| {
        std::fs::write(folder.path().join("document.xml"), document).unwrap();
        let mut command = Command::new("xmlsec1");
        command.args(["--verify", &format!("--hmackey:{INK_ID}"), "key.bin"]).current_dir(folder.path());
        for name in ["KmsRequest", "KmsResponse", "SignedKmsRequest", "SignedKmsResponse"] {
            command.args(["--id-attr:Id", &format!("urn:3gpp:ns:mcsecKMSInterface:1.0:{name}")]);
        }
        command.arg("document.xml").output().unwrap().status.success()
    };
    for signing in every_signing() {
        let document = signed(&wrapped(KeyWrapping::Padded), &signing);
        assert!(verifies(&document), "{signing:?}");
        assert!(verifies(&request().to_signed_xml(&ink(), &signing).unwrap()), "{signing:?}");
        assert!(!verifies(&with(&document, "sip:user", "sip:evil")), "{signing:?}");
    }
}

#[test]
fn keys_are_unwrapped_in_every_form() {
    for wrapping in [KeyWrapping::Padded, KeyWrapping::Plain] {
        for cipher_value_form in [CipherValueForm::Base64, CipherValueForm::Hex] {
            let options = WriteOptions { cipher_value_form, ..WriteOptions::default() };
            let text = wrapped(wrapping).to_signed_xml(&options, &ink(), &SigningOptions::default()).unwrap();
            let (mut read, _) = read(&text).unwrap().into_parts();
            read.unwrap_keys(&trk()).unwrap();
            assert_eq!(read, clear(), "{wrapping:?} {cipher_value_form:?}");
        }
    }
    // RFC 5649 without the octet 04, as nobody is known to send it.
    let mut response = clear();
    if let Some(KmsMessage::KeyProv(keys)) = &mut response.message {
        let set = &mut keys.key_sets[0];
        for content in [&mut set.user_decrypt_key, &mut set.user_pub_token_pvt] {
            let octets = content.as_clear().unwrap()[1..].to_vec();
            *content = KeyContent::Encrypted(encrypted(wrap(&trk(), &octets, KeyWrapping::Padded).unwrap()));
        }
        set.user_signing_key_ssk =
            KeyContent::Encrypted(encrypted(wrap(&trk(), &[6; 32], KeyWrapping::Plain).unwrap()));
        keys.key_sets.truncate(1);
    }
    response.unwrap_keys(&trk()).unwrap();
    let KmsMessage::KeyProv(keys) = response.into_message().unwrap() else { panic!() };
    assert_eq!(keys.key_sets, [key_set(1)]);
}

fn encrypted(cipher_value: Vec<u8>) -> EncryptedKey {
    EncryptedKey {
        algorithm: xml_security::KW_AES256.into(),
        key_name: Some(TRK_ID.into()),
        carried_key_name: None,
        cipher_value,
    }
}

#[test]
fn wrapped_keys_have_the_lengths_of_the_specification() {
    for (wrapping, lengths) in [(KeyWrapping::Padded, [272, 40, 80]), (KeyWrapping::Plain, [264, 40, 72])] {
        let KmsMessage::KeyProv(keys) = wrapped(wrapping).into_message().unwrap() else { panic!() };
        let set = &keys.key_sets[0];
        let found = [&set.user_decrypt_key, &set.user_signing_key_ssk, &set.user_pub_token_pvt].map(|content| {
            let KeyContent::Encrypted(key) = content else { panic!("in clear") };
            assert_eq!((key.algorithm.as_str(), key.key_name.as_deref()), (xml_security::KW_AES256, Some(TRK_ID)));
            key.cipher_value.len()
        });
        assert_eq!(found, lengths);
    }
}

#[test]
fn keys_that_do_not_unwrap_are_refused_by_name() {
    let unwrapped = |change: &dyn Fn(&mut KmsKeySet)| {
        let mut response = wrapped(KeyWrapping::Padded);
        if let Some(KmsMessage::KeyProv(keys)) = &mut response.message {
            change(&mut keys.key_sets[1]);
        }
        response.unwrap_keys(&trk()).unwrap_err()
    };
    let rsk = |change: &dyn Fn(&mut EncryptedKey)| {
        unwrapped(&|set| {
            let KeyContent::Encrypted(key) = &mut set.user_decrypt_key else { panic!() };
            change(key);
        })
    };
    let field = "UserDecryptKey";
    let source = xml_security::Error::NotUnwrapped { name: TRK_ID.into() };
    assert_eq!(
        rsk(&|key| key.key_name = Some("tk.13.user@example.org".into())),
        Error::OtherTransportKey { field, found: "tk.13.user@example.org".into(), expected: TRK_ID.into() }
    );
    assert_eq!(rsk(&|key| key.cipher_value[100] ^= 1), Error::KeyWrap { field, source: source.clone() });
    assert_eq!(rsk(&|key| key.cipher_value.truncate(10)), Error::KeyWrap { field, source });
    let rsa = "http://www.w3.org/2001/04/xmlenc#rsa-1_5";
    assert_eq!(rsk(&|key| key.algorithm = rsa.into()), Error::KeyWrapAlgorithm { field, found: rsa.into() });
    for len in [1, 32, 65, 255, 258] {
        let short = wrap(&trk(), &vec![4; len], KeyWrapping::Padded).unwrap();
        assert_eq!(
            rsk(&|key| key.cipher_value.clone_from(&short)),
            Error::WrappedLength { field, found: len, expected: "257 octets" }
        );
    }
    assert_eq!(
        unwrapped(&|set| set.user_signing_key_ssk = KeyContent::clear(&[6; 32])),
        Error::ClearKey { field: "UserSigningKeySSK" }
    );
    // Without KeyName, and under the algorithm's own name, the TrK at hand is tried.
    let mut response = wrapped(KeyWrapping::Padded);
    if let Some(KmsMessage::KeyProv(keys)) = &mut response.message {
        let KeyContent::Encrypted(key) = &mut keys.key_sets[0].user_decrypt_key else { panic!() };
        key.key_name = None;
        key.algorithm = xml_security::KW_AES256_PAD.into();
    }
    response.unwrap_keys(&trk()).unwrap();

    let mut response = KmsResponse {
        key_ids: KeyIds { trk_id: Some("tk.9".into()), signature_id: None },
        ..wrapped(KeyWrapping::Padded)
    };
    let error = response.unwrap_keys(&trk()).unwrap_err();
    assert_eq!(error, Error::OtherTransportKey { field: "TrK-ID", found: "tk.9".into(), expected: TRK_ID.into() });
}

#[test]
fn new_keys_take_the_place_of_the_old_ones() {
    let new = |kind, name: &str, octet, under: &NamedKey| {
        let key = NamedKey::new(name, &[octet; 32]).unwrap();
        EncryptedKey::wrap_shared(&key, kind, under, KeyWrapping::Padded).unwrap()
    };
    let with_new = |new_transport_keys, new_integrity_keys| {
        response(KmsMessage::KeyProv(KmsKeyProv { key_sets: vec![], new_transport_keys, new_integrity_keys }))
    };
    assert_eq!(clear().new_keys(&keys()), Ok(None));
    let trk_13 = NamedKey::new("tk.13", &[13; 32]).unwrap();
    // A chain: the second TrK and the InK are wrapped under the first new one.
    let response = with_new(
        vec![new(SharedKey::Transport, "tk.13", 13, &trk()), new(SharedKey::Transport, "tk.14", 14, &trk_13)],
        vec![new(SharedKey::Integrity, "ink.14", 15, &trk_13)],
    );
    let expected = ClientKeys {
        transport: NamedKey::new("tk.14", &[14; 32]).unwrap(),
        integrity: Some(NamedKey::new("ink.14", &[15; 32]).unwrap()),
        ..keys()
    };
    assert_eq!(response.new_keys(&keys()), Ok(Some(expected)));
    // An InK alone.
    let response = with_new(vec![], vec![new(SharedKey::Integrity, "ink.13", 9, &trk())]);
    let expected = ClientKeys { integrity: Some(NamedKey::new("ink.13", &[9; 32]).unwrap()), ..keys() };
    assert_eq!(response.new_keys(&keys()), Ok(Some(expected)));

    let under_another = with_new(vec![new(SharedKey::Transport, "tk.14", 14, &trk_13)], vec![]);
    assert_eq!(
        under_another.new_keys(&keys()),
        Err(Error::OtherTransportKey { field: "NewTransportKey", found: "tk.13".into(), expected: TRK_ID.into() })
    );
    let mut nameless = new(SharedKey::Integrity, "x", 9, &trk());
    nameless.carried_key_name = None;
    assert_eq!(
        with_new(vec![], vec![nameless]).new_keys(&keys()),
        Err(Error::NoCarriedKeyName { field: "NewIntegrityKey" })
    );
    let mut short = new(SharedKey::Integrity, "x", 9, &trk());
    short.cipher_value = wrap(&trk(), &[1; 16], KeyWrapping::Plain).unwrap();
    assert_eq!(
        with_new(vec![], vec![short]).new_keys(&keys()),
        Err(Error::WrappedLength { field: "NewIntegrityKey", found: 16, expected: "32 octets" })
    );
}

#[test]
fn the_identifiers_of_keys_are_read_in_each_spelling() {
    let text = clear().to_xml(&WriteOptions::default());
    for (trk_id, signature_id) in [("TrKID", "SignatureID"), ("TrKId", "SignatureId"), ("TrkId", "Signature-Id")] {
        let other = text
            .replace("TrK-ID xmlns=\"urn:mikey-sakke:ns:kms-key-ids:1.0\"", trk_id)
            .replace("Signature-ID xmlns=\"urn:mikey-sakke:ns:kms-key-ids:1.0\"", signature_id)
            .replace("/TrK-ID", &format!("/{trk_id}"))
            .replace("/Signature-ID", &format!("/{signature_id}"));
        assert!(!other.contains("mikey-sakke"));
        assert_eq!(*read(&other).unwrap().document(), clear());
    }
}

#[test]
fn a_bent_document_is_refused_by_name() {
    let document = document();
    let letter = element(&document, "KmsResponse");
    let signature = element(&document, "Signature");
    let refused = |text: &str| read(text).unwrap_err();
    let path = |name: &str| format!("/SignedKmsResponse/{name}");

    assert_eq!(
        refused(&with(&document, "sip:user@", "sip:evil@")),
        Error::Signature(xml_security::Error::WrongDigest { id: "xmldoc".into() })
    );
    assert_eq!(
        refused(&with(&document, &letter, &letter.repeat(2))),
        Error::Duplicate { path: path("KmsResponse"), count: 2 }
    );
    assert_eq!(
        refused(&with(&document, &signature, &signature.repeat(2))),
        Error::Duplicate { path: path("Signature"), count: 2 }
    );
    // The signed document is put away, and another one into its place.
    let evil = letter.replace("sip:user@", "sip:evil@").replace("Id=\"xmldoc\"", "Id=\"evil\"");
    for wrapped in [
        format!("{evil}<Object xmlns=\"http://www.w3.org/2000/09/xmldsig#\">{letter}</Object>"),
        format!("{evil}<x:y xmlns:x=\"urn:x\">{letter}</x:y>"),
        evil.replace("</KmsResponse>", &format!("<x:y xmlns:x=\"urn:x\">{letter}</x:y></KmsResponse>")),
    ] {
        assert_eq!(
            refused(&with(&document, &letter, &wrapped)),
            Error::Signature(xml_security::Error::OtherElement { id: "xmldoc".into() })
        );
    }
    let twin = evil.replace("Id=\"evil\"", "Id=\"xmldoc\"");
    assert_eq!(
        refused(&with(&document, &letter, &format!("{twin}<x:y xmlns:x=\"urn:x\">{letter}</x:y>"))),
        Error::Signature(xml_security::Error::DuplicateId { id: "xmldoc".into() })
    );
    // A signature elsewhere is none.
    let inside = with(&with(&document, &signature, ""), "</KmsResponse>", &format!("{signature}</KmsResponse>"));
    assert_eq!(*read(&inside).unwrap().signature(), SignatureStatus::Absent);
    // The whole signed document around another one.
    let outer = format!(
        "<KmsResponse xmlns=\"urn:3gpp:ns:mcsecKMSInterface:1.0\">{}",
        &document[document.find("<Signed").unwrap()..]
    ) + "</KmsResponse>";
    assert!(matches!(refused(&outer), Error::Missing { .. }));
    // Of another namespace.
    let foreign = with(&document, "<Signature xmlns=\"http://www.w3.org/2000/09/xmldsig#\">", "<Signature>");
    assert!(matches!(refused(&foreign), Error::Signature(xml_security::Error::Malformed { .. })));
    assert_eq!(
        KmsResponse::from_xml_with_keys(document.as_bytes(), &Limits::default(), &[&trk()]),
        Err(Error::Signature(xml_security::Error::UnknownKey { name: INK_ID.into() }))
    );
    assert_eq!(refused(&with(&document, "sip:user@", "sip:evil@")).code(), ErrorCode::InvalidSignature);
}

#[test]
fn a_comment_or_a_reference_changes_nothing_that_is_read() {
    let document = document();
    let commented = with(&document, "sip:user@", "sip:us<!-- x -->er@");
    assert_eq!(read(&commented).unwrap().document().user_uri, "sip:user@example.org");
    let referenced = with(&document, "sip:user@", "sip:us&#x65;r@");
    assert_eq!(read(&referenced).unwrap().document().user_uri, "sip:user@example.org");
}

#[test]
fn entities_deep_nesting_and_huge_documents_are_refused_before_anything_is_computed() {
    let document = document();
    let refused = |text: &str| read(text).unwrap_err();
    let declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
    let billion = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">]>";
    let external = "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>";
    for doctype in [billion, external, "<!DOCTYPE x SYSTEM \"http://example.org/x.dtd\">"] {
        assert!(matches!(refused(&with(&document, declaration, doctype)), Error::Doctype { .. }));
    }
    assert!(matches!(refused(&with(&document, "sip:user@", "&a;")), Error::Entity { .. }));
    let deep = format!("{}{}", "<x>".repeat(30), "</x>".repeat(30));
    assert!(matches!(refused(&with(&document, "<SignedInfo>", &format!("<SignedInfo>{deep}"))), Error::TooDeep { .. }));
    let huge = "x".repeat(70_000);
    assert!(matches!(
        refused(&with(&document, "<SignatureValue>", &format!("<SignatureValue>{huge}"))),
        Error::TooLarge { .. }
    ));
}

/// Documents that make canonicalization, or the search for equal Ids, as dear as the limits allow; the signature is right, for
/// otherwise nothing of it is done. The work is in proportion to the elements and to the namespaces that are in force at each:
/// with a bound on both, none is dearer.
#[test]
fn the_costliest_signed_documents_within_the_limits_are_verified_and_dearer_ones_are_refused() {
    let Limits { max_namespaces, max_elements, .. } = Limits::default();
    let costly = |content: &str| {
        with(
            &clear().to_xml(&WriteOptions { signed_wrapper: true, ..WriteOptions::default() }),
            "</KmsResponse>",
            &format!("{content}</KmsResponse>"),
        )
    };
    let signed = |content: &str, signing: SigningOptions| {
        xml_security::sign(&costly(content), "xmldoc", &ink(), &signing).unwrap()
    };
    let empty = signed("", SigningOptions::default());
    let count = |text: &str, piece: &str| text.matches(piece).count();
    let spare_elements = max_elements - (count(&empty, "<") - count(&empty, "</") - count(&empty, "<?"));
    let around = &empty[..empty.find("<UserUri").unwrap()];
    let spare_namespaces = max_namespaces - count(around, " xmlns");
    // In two elements, for one may not have so many attributes.
    let declaring = |namespaces: usize, pieces: String| {
        let declare =
            |range: std::ops::Range<usize>| -> String { range.map(|i| format!(" xmlns:n{i}=\"urn:{i}\"")).collect() };
        let (outer, inner) = (declare(0..namespaces / 2), declare(namespaces / 2..namespaces));
        format!("<n0:x{outer}><n1:x{inner}>{pieces}</n1:x></n0:x>")
    };
    let dearest = declaring(spare_namespaces, "<n0:y/>".repeat(spare_elements - 2));
    let with_attributes = "<n1:y n2:a=\"\" n3:b=\"\" n4:c=\"\"/>";
    for content in [
        dearest.clone(),
        declaring(spare_namespaces, with_attributes.repeat(50_000 / with_attributes.len())),
        format!("<q:x xmlns:q=\"urn:q\">{}</q:x>", "&#10;&amp;".repeat(5_000)),
        format!("<q:x xmlns:q=\"urn:q\">{}</q:x>", "<!---->".repeat(7_000)),
    ] {
        for signing in every_signing().filter(|signing| signing.form == Form::Sibling) {
            let received = read(&signed(&content, signing)).unwrap();
            assert!(matches!(received.signature(), SignatureStatus::Verified { .. }));
        }
    }
    let refused = |content: &str| read(&signed(content, SigningOptions::default())).unwrap_err();
    let one_more = declaring(spare_namespaces + 1, String::new());
    assert!(matches!(refused(&one_more), Error::TooManyNamespaces { limit: 32, .. }), "{:?}", refused(&one_more));
    let one_more = dearest.replacen("<n0:y/>", "<n0:y/><n0:y/>", 1);
    assert!(matches!(refused(&one_more), Error::TooManyElements { limit: 4096, .. }), "{:?}", refused(&one_more));
}

#[test]
fn debug_and_errors_show_no_key() {
    let mut response = clear();
    let error = response.unwrap_keys(&trk()).unwrap_err();
    let shown = format!("{:?} {:?} {error} {error:?}", keys(), wrapped(KeyWrapping::Padded));
    assert!(!shown.contains("[1, 1") && !shown.contains("0101") && !shown.contains("AQEB"), "{shown}");
}

proptest! {
    #[test]
    fn altered_documents_do_not_panic_and_what_is_verified_is_what_was_signed(
        form in 0_usize..8,
        mutations in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let signing = every_signing().nth(form).unwrap();
        let mut octets = signed(&wrapped(KeyWrapping::Padded), &signing).into_bytes();
        for (at, octet) in mutations {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        if let Ok(received) = KmsResponse::from_xml_with_keys(&octets, &Limits::default(), &[&ink()]) {
            let (mut read, signature) = received.into_parts();
            if matches!(signature, SignatureStatus::Verified { .. }) {
                read.unwrap_keys(&trk()).unwrap();
                prop_assert_eq!(read, clear());
            }
        }
    }
}
