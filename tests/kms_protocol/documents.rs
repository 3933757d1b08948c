//! The documents of the KMS interface: what is written is valid against the schema and is read back as it was; what real
//! servers and clients write is read; everything else is refused, by name.

use crate::schema::Schema;
use mikey_sakke::kms_protocol::{
    EncryptedKey, Error, ErrorCode, KeyContent, KeyIds, KmsCertCache, KmsCertificate, KmsError, KmsInit, KmsKeyProv,
    KmsKeySet, KmsLookup, KmsMessage, KmsRequest, KmsResponse, Limits, NAMESPACE, Role, SignatureStatus,
    USER_ID_FORMAT_HASHED, UserIdForm, WriteOptions,
};
use mikey_sakke::mc::is_printable;
use proptest::prelude::*;
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use time::macros::datetime;

const TIME: OffsetDateTime = datetime!(2026-03-01 08:00:00 UTC);
const KW_AES256: &str = "http://www.w3.org/2001/04/xmlenc#kw-aes256";

fn point<const N: usize>(seed: u8) -> [u8; N] {
    let mut octets = core::array::from_fn(|i| seed.wrapping_add(i as u8));
    octets[0] = 4;
    octets
}

fn certificate() -> KmsCertificate {
    KmsCertificate::new(Role::Root, "kms.example.org", 2_592_000, 0, &point(1), &point(2))
}

fn full_certificate() -> KmsCertificate {
    KmsCertificate {
        is_security_gateway: true,
        cert_uri: Some("cert7.kms.example.org".into()),
        issuer: Some("Example & <Sons>".into()),
        valid_from: Some(datetime!(2026-01-01 00:00:00 UTC)),
        valid_to: Some(datetime!(2027-01-01 00:00:00.25 UTC)),
        revoked: true,
        domains: vec!["example.org".into(), "example.com".into()],
        ..KmsCertificate::new(Role::External, "kms.example.com", 2_419_200, 86_400, &point(3), &point(4))
    }
}

fn key_set(period: u64) -> KmsKeySet {
    KmsKeySet {
        kms_uri: "kms.example.org".into(),
        cert_uri: Some("cert7.kms.example.org".into()),
        issuer: Some("Example".into()),
        user_uri: "sip:alice@example.org;x=\"1\"&y='2'".into(),
        user_id: core::array::from_fn(|i| 0xc0 | i as u8),
        valid_from: Some(datetime!(2026-02-01 00:00:00 UTC)),
        valid_to: Some(datetime!(2026-03-03 00:00:00 UTC)),
        key_period_no: period,
        revoked: true,
        user_decrypt_key: KeyContent::clear(&point::<257>(5)),
        user_signing_key_ssk: KeyContent::clear(&point::<32>(6)),
        user_pub_token_pvt: KeyContent::clear(&point::<65>(7)),
    }
}

fn wrapped(octets: usize) -> EncryptedKey {
    EncryptedKey {
        algorithm: KW_AES256.into(),
        key_name: Some("tk.12.user@example.org".into()),
        carried_key_name: None,
        cipher_value: (0..octets).map(|i| i as u8).collect(),
    }
}

fn new_key(name: &str) -> EncryptedKey {
    EncryptedKey { carried_key_name: Some(name.into()), ..wrapped(40) }
}

fn response(message: KmsMessage) -> KmsResponse {
    KmsResponse {
        user_uri: "sip:alice@example.org".into(),
        kms_uri: "kms.example.org".into(),
        time: TIME,
        kms_id: Some("KMSProvider12345".into()),
        client_req_url: "https://kms.example.org/keymanagement/identity/v1/init".into(),
        message: Some(message),
        error: None,
        key_ids: KeyIds::default(),
    }
}

fn refusal() -> KmsResponse {
    let error = KmsError::new(ErrorCode::UnknownUser, "no user <sip:x@example.org> & no key\u{0}");
    KmsResponse {
        message: None,
        kms_id: None,
        error: Some(error),
        ..response(KmsMessage::KeyProv(KmsKeyProv::default()))
    }
}

/// A response of every form that there is.
fn responses() -> Vec<KmsResponse> {
    let init = |certificate, new_transport_keys, new_integrity_keys| {
        response(KmsMessage::Init(KmsInit { certificate, new_transport_keys, new_integrity_keys }))
    };
    let key_prov = |key_sets| response(KmsMessage::KeyProv(KmsKeyProv { key_sets, ..KmsKeyProv::default() }));
    let cache = |cache_num, certificates| response(KmsMessage::CertCache(KmsCertCache { cache_num, certificates }));
    let plain = |period| KmsKeySet {
        cert_uri: None,
        issuer: None,
        valid_from: None,
        valid_to: None,
        revoked: false,
        ..key_set(period)
    };
    vec![
        init(certificate(), vec![], vec![]),
        init(full_certificate(), vec![new_key("tk.13.user@example.org")], vec![new_key("ink.13.user@example.org")]),
        init(
            KmsCertificate { role: None, parameter_set: None, ..certificate() },
            vec![wrapped(40), wrapped(40)],
            vec![],
        ),
        key_prov(vec![]),
        key_prov(vec![plain(1388)]),
        key_prov(vec![key_set(1388), key_set(1389), plain(u64::MAX)]),
        key_prov(vec![KmsKeySet {
            user_decrypt_key: KeyContent::Encrypted(wrapped(272)),
            user_signing_key_ssk: KeyContent::Encrypted(EncryptedKey { key_name: None, ..wrapped(40) }),
            user_pub_token_pvt: KeyContent::Encrypted(wrapped(80)),
            ..key_set(1388)
        }]),
        response(KmsMessage::KeyProv(KmsKeyProv {
            key_sets: vec![key_set(3)],
            new_transport_keys: vec![new_key("tk.13.user@example.org")],
            new_integrity_keys: vec![new_key("ink.13.user@example.org")],
        })),
        cache(None, vec![]),
        cache(Some(0), vec![full_certificate()]),
        cache(Some(12), vec![full_certificate(), certificate()]),
        KmsResponse { message: None, ..response(KmsMessage::CertCache(KmsCertCache::default())) },
    ]
}

fn requests() -> Vec<KmsRequest> {
    let bare = KmsRequest {
        user_uri: "sip:alice@example.org".into(),
        kms_uri: "kms.example.org".into(),
        time: TIME,
        client_id: None,
        device_id: None,
        client_req_url: "https://kms.example.org/keymanagement/identity/v1/keyprov/sip%3Aalice%40example.org".into(),
        client_error: None,
        krr_list: Vec::new(),
        key_ids: KeyIds::default(),
    };
    let full = KmsRequest {
        client_id: Some("client <1>".into()),
        device_id: Some("device & 1".into()),
        client_error: Some(KmsError { code: -3, message: "RSK invalid".into() }),
        krr_list: Vec::new(),
        key_ids: KeyIds {
            trk_id: Some("tk.12.user@example.org".into()),
            signature_id: Some("ink.12.user@example.org".into()),
        },
        ..bare.clone()
    };
    vec![bare, full]
}

fn options() -> impl Iterator<Item = WriteOptions> {
    [UserIdForm::Hex, UserIdForm::Base64].into_iter().flat_map(|user_id_form| {
        [false, true].map(|signed_wrapper| WriteOptions { user_id_form, signed_wrapper, ..WriteOptions::default() })
    })
}

fn read(document: &str) -> Result<KmsResponse, Error> {
    let (response, signature) = KmsResponse::from_xml(document.as_bytes(), &Limits::default())?.into_parts();
    assert_eq!(signature, SignatureStatus::Absent);
    Ok(response)
}

fn written(response: &KmsResponse) -> String {
    response.to_xml(&WriteOptions::default()).to_string()
}

/// A valid key set response in text, as the start of what is wrong.
fn key_prov_text() -> String {
    written(&response(KmsMessage::KeyProv(KmsKeyProv { key_sets: vec![key_set(1388)], ..KmsKeyProv::default() })))
}

fn init_text() -> String {
    written(&response(KmsMessage::Init(KmsInit {
        certificate: full_certificate(),
        new_transport_keys: vec![],
        new_integrity_keys: vec![],
    })))
}

/// Replaces the one occurrence of `from`.
fn with(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{from} in {text}");
    text.replacen(from, to, 1)
}

/// Replaces the content of the one element of this name, or the element, with all attributes.
fn with_element(text: &str, name: &str, element: &str) -> String {
    let (start, close) = (format!("<{name}"), format!("</{name}>"));
    assert_eq!(text.matches(&close).count(), 1, "{name} in {text}");
    let from = text.match_indices(&start).map(|(at, _)| at).find(|at| text[at + start.len()..].starts_with([' ', '>']));
    let to = text.find(&close).unwrap() + close.len();
    format!("{}{element}{}", &text[..from.unwrap()], &text[to..])
}

const KEY_SET: &str = "/KmsResponse/KmsMessage/KmsKeyProv/KmsKeySet";
const CERTIFICATE: &str = "/KmsResponse/KmsMessage/KmsInit/KmsCertificate";

// --- written documents -----------------------------------------------------------------------------------------------

#[test]
fn everything_written_is_valid_against_the_schema() {
    let Some(schema) = Schema::open() else { return };
    for options in options() {
        for response in responses().iter().chain([&refusal()]) {
            let document = response.to_xml(&options);
            assert_eq!(schema.faults(&document), None, "{}", *document);
        }
    }
    for request in requests() {
        assert_eq!(schema.faults(&request.to_xml()), None);
    }
}

#[test]
fn the_schema_validation_finds_faults() {
    let Some(schema) = Schema::open() else { return };
    for document in [
        with(&key_prov_text(), "<KeyPeriodNo>1388</KeyPeriodNo>", ""),
        with(&key_prov_text(), "KmsKeySet Version=\"1.1.0\"", "KmsKeySet Version=\"1.0.0\""),
        key_prov_text().replacen(" xsi:type=\"KeyContentType\"", "", 1),
        key_prov_text().replacen(
            "<UserDecryptKey xsi:type=\"KeyContentType\">04",
            "<UserDecryptKey xsi:type=\"KeyContentType\">4",
            1,
        ),
    ] {
        assert!(schema.faults(&document).is_some(), "{document}");
    }
}

#[test]
fn every_response_is_read_back_as_it_was() {
    for options in options() {
        for response in responses() {
            assert_eq!(read(&response.to_xml(&options)).unwrap(), response);
        }
    }
}

#[test]
fn every_request_is_read_back_as_it_was() {
    for request in requests() {
        let received = KmsRequest::from_xml(request.to_xml().as_bytes(), &Limits::default()).unwrap();
        assert_eq!(received.into_parts(), (request, SignatureStatus::Absent));
    }
}

#[test]
fn there_is_no_white_space_between_elements() {
    for options in options() {
        for response in responses() {
            assert!(!response.to_xml(&options).contains(['\n', '\t']));
            assert!(!response.to_xml(&options).contains("> <"));
        }
    }
}

#[test]
fn characters_that_xml_cannot_hold_are_replaced() {
    assert!(written(&refusal()).contains("no user &lt;sip:x@example.org&gt; &amp; no key\u{fffd}</ErrorMsg>"));
}

#[test]
fn debug_output_shows_no_key() {
    let text = format!("{:?}", key_set(1));
    assert!(text.contains("user_signing_key_ssk: Clear(32 octets)"), "{text}");
    assert!(!text.contains("4, 7, 8"), "{text}");
}

#[test]
fn keys_are_equal_only_if_all_octets_are() {
    assert_eq!(KeyContent::clear(&[1, 2]), KeyContent::clear(&[1, 2]));
    assert_ne!(KeyContent::clear(&[1, 2]), KeyContent::clear(&[1, 3]));
    assert_ne!(KeyContent::clear(&[1, 2]), KeyContent::clear(&[1, 2, 3]));
    assert_ne!(KeyContent::clear(&[1, 2]), KeyContent::Encrypted(wrapped(2)));
    assert_eq!(KeyContent::clear(&[1, 2]).as_clear(), Some([1, 2].as_slice()));
    assert_eq!(KeyContent::Encrypted(wrapped(2)).as_clear(), None);
}

// --- documents of others ---------------------------------------------------------------------------------------------

fn vendor(name: &str) -> Option<KmsResponse> {
    let Some(shared) = std::env::var_os("MIKEY_SAKKE_SHARED") else {
        assert!(std::env::var_os("CI").is_none(), "MIKEY_SAKKE_SHARED is not set");
        eprintln!("vendor documents left out: MIKEY_SAKKE_SHARED is not set");
        return None;
    };
    let path = std::path::Path::new(&shared).join("vectors/vendor").join(name);
    Some(read(&std::fs::read_to_string(path).unwrap()).unwrap())
}

#[test]
fn the_vendor_init_response_is_read() {
    let Some(response) = vendor("kms-init-response.xml") else { return };
    assert_eq!(response.user_uri, "alice@org.com");
    assert_eq!(response.kms_uri, "localhost:8080");
    assert_eq!(response.time, datetime!(2021-05-10 11:23:02 UTC));
    assert_eq!(response.kms_id, None);
    assert_eq!(response.client_req_url, "http://localhost:8080/keymanagement/identity/v1/init");
    let init = response.into_message().unwrap().into_init().unwrap();
    assert!(init.new_transport_keys.is_empty() && init.new_integrity_keys.is_empty());
    let certificate = init.certificate;
    assert_eq!(certificate.role, Some(Role::Root));
    assert!(!certificate.is_security_gateway && !certificate.revoked);
    assert_eq!(certificate.kms_uri, "localhost:8080");
    assert_eq!(certificate.user_id_format, USER_ID_FORMAT_HASHED);
    assert_eq!((certificate.user_key_period, certificate.user_key_offset), (2_592_000, 0));
    assert_eq!(certificate.pub_enc_key.len(), 257);
    assert_eq!(certificate.pub_enc_key[..5], [0x04, 0x59, 0x58, 0xef, 0x1b]);
    assert_eq!(certificate.pub_enc_key[254..], [0x5f, 0x8b, 0xae]);
    assert_eq!(certificate.pub_auth_key.len(), 65);
    assert_eq!(certificate.pub_auth_key[62..], [0x72, 0x17, 0xf4]);
    assert_eq!((certificate.parameter_set, certificate.valid_from, certificate.valid_to), (None, None, None));
    assert_eq!(certificate.signature, SignatureStatus::Absent);
    assert!(certificate.domains.is_empty());
}

#[test]
fn the_vendor_keyprov_response_is_read() {
    let Some(response) = vendor("kms-keyprov-response.xml") else { return };
    assert_eq!(response.time, datetime!(2021-05-17 13:25:16 UTC));
    let keys = response.into_message().unwrap().into_key_prov().unwrap();
    let [keys] = keys.key_sets.as_slice() else { panic!("one key set") };
    assert_eq!((keys.kms_uri.as_str(), keys.user_uri.as_str()), ("localhost:8080", "alice@org.com"));
    assert_eq!(keys.key_period_no, 625);
    assert_eq!(keys.user_id[..3], [0x06, 0x0c, 0x5c]);
    assert_eq!(keys.user_id[29..], [0xd8, 0x1a, 0x05]);
    let clear = |key: &KeyContent| key.as_clear().unwrap().to_vec();
    let (rsk, ssk, pvt) =
        (clear(&keys.user_decrypt_key), clear(&keys.user_signing_key_ssk), clear(&keys.user_pub_token_pvt));
    assert_eq!((rsk.len(), ssk.len(), pvt.len()), (257, 32, 65));
    assert_eq!((rsk[256], ssk[0], ssk[31], pvt[64]), (0x27, 0xd3, 0xf3, 0xd5));
}

#[test]
fn an_indented_signed_response_is_read_in_full() {
    let response = &responses()[5];
    let options = WriteOptions { signed_wrapper: true, ..WriteOptions::default() };
    let indented = response.to_xml(&options).replace("><", ">\r\n  <");
    assert!(indented.contains(">\r\n  <KmsResponse"));
    assert_eq!(&read(&indented).unwrap(), response);
}

#[test]
fn a_signature_is_reported_and_not_taken_for_verified() {
    let options = WriteOptions { signed_wrapper: true, ..WriteOptions::default() };
    for (key_info, key_name) in [
        ("<KeyInfo><KeyName>ink.12.user@example.org</KeyName></KeyInfo>", Some("ink.12.user@example.org".to_owned())),
        ("", None),
    ] {
        let signature = format!(
            "<Signature xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><SignedInfo/><SignatureValue/>{key_info}</Signature>"
        );
        let document =
            with(&responses()[4].to_xml(&options), "</SignedKmsResponse>", &format!("{signature}</SignedKmsResponse>"));
        let received = KmsResponse::from_xml(document.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(received.document(), &responses()[4]);
        assert_eq!(received.signature(), &SignatureStatus::Unverified { key_name });
    }
}

#[test]
fn a_signed_request_is_read() {
    let [bare, _] = requests().try_into().unwrap();
    let text = bare.to_xml();
    let (_, body) = text.split_once("?>").unwrap();
    let signature = "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"/>";
    let document = format!("<SignedKmsRequest xmlns=\"{NAMESPACE}\">{body}{signature}</SignedKmsRequest>");
    let (request, status) = KmsRequest::from_xml(document.as_bytes(), &Limits::default()).unwrap().into_parts();
    assert_eq!((request, status), (bare, SignatureStatus::Unverified { key_name: None }));
}

#[test]
fn signed_certificates_are_read_with_the_state_of_their_signature() {
    let signature = "<Signature xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><SignedInfo/></Signature>";
    for (signature, status) in
        [("", SignatureStatus::Absent), (signature, SignatureStatus::Unverified { key_name: None })]
    {
        let document = init_text()
            .replace("<KmsCertificate ", "<SignedKmsCertificate><KmsCertificate ")
            .replace("</KmsCertificate>", &format!("</KmsCertificate>{signature}</SignedKmsCertificate>"));
        let init = read(&document).unwrap().into_message().unwrap().into_init().unwrap();
        assert_eq!(init.certificate, KmsCertificate { signature: status.clone(), ..full_certificate() });

        let cache =
            document.replace("KmsInit xsi:type=\"KmsInitTkIkType\"", "KmsCertCache").replace("KmsInit", "KmsCertCache");
        let cache = cache.replace(" xsi:type=\"KmsCertCacheTkIkType\"", "");
        let cache = read(&cache).unwrap().into_message().unwrap().into_cert_cache().unwrap();
        assert_eq!(cache.certificates[0].signature, status);
    }
}

#[test]
fn an_error_is_never_read_as_success() {
    let refusal_text = written(&refusal());
    let message = "<KmsMessage><KmsKeyProv Version=\"1.0.0\"></KmsKeyProv></KmsMessage>";
    for document in [
        refusal_text.clone(),
        with(&refusal_text, "<KmsError>", &format!("{message}<KmsError>")),
        with(&refusal_text, "</KmsError>", &format!("</KmsError>{message}")),
        with(&refusal_text, "<KmsError>", "<KmsMessage/><KmsError>"),
        with_element(&refusal_text, "UserUri", "<UserUri/>"),
        with_element(&with_element(&refusal_text, "UserUri", ""), "ClientReqUrl", ""),
    ] {
        let response = read(&document).unwrap();
        assert_eq!(response.message, None);
        let Err(Error::Refused(error)) = response.into_message() else { panic!("refused: {document}") };
        assert_eq!(error.known_code(), Some(ErrorCode::UnknownUser));
        assert_eq!(error.message, "no user <sip:x@example.org> & no key\u{fffd}");
    }
}

#[test]
fn an_error_without_text_is_still_an_error() {
    let document = with_element(&written(&refusal()), "ErrorMsg", "<ErrorMsg/>");
    assert_eq!(read(&document).unwrap().error, Some(KmsError { code: 3001, message: String::new() }));
}

#[test]
fn a_response_with_neither_message_nor_error_is_no_success() {
    let response = responses().pop().unwrap();
    assert_eq!(read(&written(&response)).unwrap().into_message(), Err(Error::NoMessage));
}

#[test]
fn an_answer_to_another_question_is_refused() {
    let message = || read(&key_prov_text()).unwrap().into_message().unwrap();
    assert_eq!(message().into_init(), Err(Error::WrongMessage { found: "KmsKeyProv", expected: "KmsInit" }));
    assert_eq!(message().into_cert_cache(), Err(Error::WrongMessage { found: "KmsKeyProv", expected: "KmsCertCache" }));
    let init = read(&init_text()).unwrap().into_message().unwrap();
    assert_eq!(init.into_key_prov(), Err(Error::WrongMessage { found: "KmsInit", expected: "KmsKeyProv" }));
}

#[test]
fn elements_may_stand_in_a_namespace_of_the_server_in_none_and_in_any_order() {
    let expected = read(&key_prov_text()).unwrap();
    let other = key_prov_text().replace(NAMESPACE, "http://www.kapsch.net/mcptt/xml/KmsInterface");
    assert_eq!(read(&other).unwrap(), expected);
    let none = with(&key_prov_text(), &format!(" xmlns=\"{NAMESPACE}\""), "");
    assert_eq!(read(&none).unwrap(), expected);
    let prefixed =
        none.replace("<KmsResponse ", "<k:KmsResponse xmlns:k=\"urn:x\" ").replace("</KmsResponse", "</k:KmsResponse");
    assert_eq!(read(&prefixed).unwrap(), expected);
    let moved = with_element(&key_prov_text(), "Time", "");
    let moved = with(&moved, "</KmsMessage>", "</KmsMessage><Time>2026-03-01T08:00:00</Time>");
    assert_eq!(read(&moved).unwrap(), expected);
}

#[test]
fn extensions_are_passed_over() {
    let extension =
        "<x:UserUri xmlns:x=\"urn:x\">sip:mallory@example.org<x:a><x:b>1</x:b></x:a></x:UserUri><NewId>12</NewId>";
    for place in ["<KmsMessage>", "</KmsMessage>", "<KmsKeySet Version=\"1.1.0\">"] {
        let text = key_prov_text();
        let document = with(&text, place, &format!("{place}{extension}"));
        assert_eq!(read(&document).unwrap(), read(&text).unwrap());
    }
}

#[test]
fn versions_times_identifiers_and_keys_are_read_in_the_forms_that_are_seen() {
    use base64::Engine as _;
    let text = key_prov_text();
    let expected = read(&text).unwrap();
    let same = |document: String| assert_eq!(read(&document).unwrap(), expected, "{document}");
    same(text.replace("1.1.0", "1.0.0"));
    same(text.replace("Version=\"1.0.0\"", "Version=\"1.1.0\""));
    same(text.replace(" Version=\"1.1.0\"", ""));
    same(text.replace("08:00:00Z", "08:00:00"));
    same(text.replace("08:00:00Z", "10:00:00+02:00"));
    same(text.replace(" xsi:type=\"KeyContentType\"", ""));
    same(format!("\u{feff}{text}"));
    same(text.replace("encoding=\"UTF-8\"", "encoding=\"ISO-8859-1\""));

    let Some(KmsMessage::KeyProv(keys)) = &expected.message else { panic!() };
    let keys = &keys.key_sets[0];
    let base64 = |octets: &[u8]| base64::engine::general_purpose::STANDARD.encode(octets);
    let upper: String = keys.user_id.iter().map(|octet| format!("{octet:02X}")).collect();
    same(with_element(&text, "UserID", &format!("<UserID> {upper}\n</UserID>")));
    same(with_element(&text, "UserID", &format!("<UserID>{}</UserID>", base64(&keys.user_id))));
    let ssk = keys.user_signing_key_ssk.as_clear().unwrap();
    let element = |content: &str| format!("<UserSigningKeySSK>{content}</UserSigningKeySSK>");
    same(with_element(&text, "UserSigningKeySSK", &element(&base64(ssk))));
    let lower: String = ssk.iter().map(|octet| format!("{octet:02x}\n\t")).collect();
    same(with_element(&text, "UserSigningKeySSK", &element(&lower)));
    same(with_element(&text, "UserSigningKeySSK", &element(&format!("<!-- a -->{lower}<!-- b -->"))));

    // Leading zero octets stay, for the scheme to judge.
    let long = with_element(&text, "UserSigningKeySSK", &element(&format!("0000{lower}")));
    let keys = read(&long).unwrap().into_message().unwrap().into_key_prov().unwrap();
    assert_eq!(keys.key_sets[0].user_signing_key_ssk.as_clear().unwrap(), [&[0, 0], ssk].concat());
}

#[test]
fn two_key_sets_are_both_returned() {
    let response = &responses()[5];
    let keys = read(&written(response)).unwrap().into_message().unwrap().into_key_prov().unwrap();
    let periods: Vec<_> = keys.key_sets.iter().map(|keys| keys.key_period_no).collect();
    assert_eq!(periods, [1388, 1389, u64::MAX]);
}

#[test]
fn an_encrypted_key_is_reported_as_encrypted_in_base64_and_in_hex() {
    let text = key_prov_text();
    let hex: String = (0..40).map(|i| format!("{i:02x}")).collect();
    let element = |value: &str| {
        format!(
            "<UserSigningKeySSK xsi:type=\"EncKeyContentType\"><xenc:EncryptedKey xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\" \
             xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><xenc:EncryptionMethod Algorithm=\"{KW_AES256}\"/>\
             <ds:KeyInfo><ds:KeyName>tk.12.user@example.org</ds:KeyName></ds:KeyInfo><xenc:CipherData>\
             <xenc:CipherValue>{value}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></UserSigningKeySSK>"
        )
    };
    for value in [hex.as_str(), "AAECAwQFBgcICQoLDA0ODxAR\nEhMUFRYXGBkaGxwdHh8gISIjJCUmJw=="] {
        let document = with_element(&text, "UserSigningKeySSK", &element(value));
        let keys = read(&document).unwrap().into_message().unwrap().into_key_prov().unwrap();
        assert_eq!(keys.key_sets[0].user_signing_key_ssk, KeyContent::Encrypted(wrapped(40)));
    }
    let document = with_element(&text, "UserSigningKeySSK", &element(""));
    assert_eq!(
        read(&document),
        Err(Error::Empty {
            path: format!("{KEY_SET}/UserSigningKeySSK/EncryptedKey/CipherData/CipherValue"),
            expected: "1 to 1024 octets of base64 or hex"
        })
    );
    let document =
        with_element(&text, "UserSigningKeySSK", &element("00")).replace(&format!(" Algorithm=\"{KW_AES256}\""), "");
    assert_eq!(
        read(&document),
        Err(Error::Missing { path: format!("{KEY_SET}/UserSigningKeySSK/EncryptedKey/EncryptionMethod/@Algorithm") })
    );
}

#[test]
fn an_empty_body_is_no_request_document() {
    let limits = Limits::default();
    for body in ["", " \r\n"] {
        assert_eq!(KmsRequest::from_body(body.as_bytes(), &limits), Ok(None));
    }
    let [bare, _] = requests().try_into().unwrap();
    let received = KmsRequest::from_body(bare.to_xml().as_bytes(), &limits).unwrap().unwrap();
    assert_eq!(received.into_parts().0, bare);
    assert!(matches!(KmsRequest::from_body(b"{}", &limits), Err(Error::NotXml { .. })));
    assert!(matches!(KmsRequest::from_body(&[b' '; 70_000], &limits), Err(Error::TooLarge { .. })));
}

// --- refused documents -----------------------------------------------------------------------------------------------

#[test]
fn an_empty_element_is_refused_by_name() {
    for name in ["UserUri", "KmsUri", "ClientReqUrl", "Time"] {
        for element in [format!("<{name}/>"), format!("<{name}> <!-- nothing --> </{name}>")] {
            let document =
                with_element(&written(&responses()[9]).replace("<KmsUri>kms.example.com</KmsUri>", ""), name, &element);
            let Err(Error::Empty { path, .. }) = read(&document) else { panic!("{document}") };
            assert_eq!(path, format!("/KmsResponse/{name}"));
        }
    }
    for name in [
        "UserID",
        "KeyPeriodNo",
        "Revoked",
        "ValidFrom",
        "CertUri",
        "UserDecryptKey",
        "UserSigningKeySSK",
        "UserPubTokenPVT",
    ] {
        let Err(Error::Empty { path, .. }) = read(&with_element(&key_prov_text(), name, &format!("<{name}/>"))) else {
            panic!("{name}")
        };
        assert_eq!(path, format!("{KEY_SET}/{name}"));
    }
    for name in ["UserIdFormat", "UserKeyPeriod", "UserKeyOffset", "PubEncKey", "PubAuthKey", "ParameterSet", "ValidTo"]
    {
        let Err(Error::Empty { path, .. }) = read(&with_element(&init_text(), name, &format!("<{name}/>"))) else {
            panic!("{name}")
        };
        assert_eq!(path, format!("{CERTIFICATE}/{name}"));
    }
    let empty_message = with_element(&key_prov_text(), "KmsMessage", "<KmsMessage> </KmsMessage>");
    assert_eq!(
        read(&empty_message),
        Err(Error::Empty {
            path: "/KmsResponse/KmsMessage".into(),
            expected: "one of KmsInit, KmsKeyProv, KmsCertCache and KmsLookup"
        })
    );
}

#[test]
fn a_lookup_is_read_in_either_namespace_and_names_a_kms() {
    let lookup = KmsLookup { subject: Some("sip:a@b".into()), kms_uris: vec!["kms.b".into(), "kms.c".into()] };
    let text = written(&response(KmsMessage::Lookup(lookup.clone())));
    let plain = with(&text, " xmlns=\"urn:mikey-sakke:ns:kms-lookup:1.0\"", "");
    for text in [&text, &plain] {
        assert_eq!(read(text).unwrap().into_message().unwrap().into_lookup(), Ok(lookup.clone()));
    }
    let none = with(&with(&text, "<KmsUri>kms.b</KmsUri>", ""), "<KmsUri>kms.c</KmsUri>", "");
    let path = "/KmsResponse/KmsMessage/KmsLookup/KmsUri".into();
    assert_eq!(read(&none), Err(Error::Missing { path }));
}

#[test]
fn an_empty_text_that_may_be_absent_counts_as_absent() {
    let document = with_element(&key_prov_text(), "KmsId", "<KmsId/>");
    assert_eq!(read(&document).unwrap().kms_id, None);
}

#[test]
fn a_missing_element_is_refused_by_name() {
    for name in ["Time", "ClientReqUrl"] {
        let document = with_element(&key_prov_text(), name, "");
        assert_eq!(read(&document), Err(Error::Missing { path: format!("/KmsResponse/{name}") }));
    }
    for name in ["UserID", "KeyPeriodNo", "UserDecryptKey", "UserSigningKeySSK", "UserPubTokenPVT"] {
        let document = with_element(&key_prov_text(), name, "");
        assert_eq!(read(&document), Err(Error::Missing { path: format!("{KEY_SET}/{name}") }));
    }
    for name in ["UserIdFormat", "UserKeyPeriod", "UserKeyOffset", "PubEncKey", "PubAuthKey"] {
        let document = with_element(&init_text(), name, "");
        assert_eq!(read(&document), Err(Error::Missing { path: format!("{CERTIFICATE}/{name}") }));
    }
    let document = with_element(&init_text(), "KmsCertificate", "");
    assert_eq!(read(&document), Err(Error::Missing { path: CERTIFICATE.into() }));
    let document = format!("<SignedKmsResponse xmlns=\"{NAMESPACE}\"></SignedKmsResponse>");
    assert_eq!(read(&document), Err(Error::Missing { path: "/SignedKmsResponse/KmsResponse".into() }));
}

#[test]
fn an_element_given_twice_is_refused_by_name() {
    for (name, parent, text) in [
        ("Time", "/KmsResponse", key_prov_text()),
        ("KmsMessage", "/KmsResponse", key_prov_text()),
        ("UserID", KEY_SET, key_prov_text()),
        ("UserSigningKeySSK", KEY_SET, key_prov_text()),
        ("Revoked", KEY_SET, key_prov_text()),
        ("PubEncKey", CERTIFICATE, init_text()),
        ("KmsDomainList", CERTIFICATE, init_text()),
        ("KmsCertificate", "/KmsResponse/KmsMessage/KmsInit", init_text()),
        ("KmsError", "/KmsResponse", written(&refusal())),
    ] {
        let close = format!("</{name}>");
        for again in [format!("<{name}>1</{name}>"), format!("<n:{name} xmlns:n=\"{NAMESPACE}\">1</n:{name}>")] {
            let document = with(&text, &close, &format!("{close}{again}"));
            assert_eq!(
                read(&document),
                Err(Error::Duplicate { path: format!("{parent}/{name}"), count: 2 }),
                "{document}"
            );
        }
    }
}

#[test]
fn a_malformed_key_is_refused_by_name_and_not_shown() {
    let cases = [
        ("UserDecryptKey", "04".repeat(256), "256 octets", "257 octets"),
        ("UserPubTokenPVT", "04".repeat(66), "66 octets", "65 octets"),
        ("UserPubTokenPVT", "0".repeat(129), "hex with an odd number of digits", "65 octets"),
        ("UserSigningKeySSK", "7a".repeat(31), "31 octets", "32 octets, or up to 64 of which the first are zero"),
        (
            "UserSigningKeySSK",
            "s3cret-key!".into(),
            "neither hex nor base64",
            "32 octets, or up to 64 of which the first are zero",
        ),
        ("UserID", "0a".repeat(31), "31 octets", "32 octets as 64 hex digits or base64"),
        ("UserID", "sip:alice@example.org".into(), "neither hex nor base64", "32 octets as 64 hex digits or base64"),
    ];
    for (name, content, found, expected) in cases {
        let document = with_element(&key_prov_text(), name, &format!("<{name}>{content}</{name}>"));
        let error = Error::Octets { path: format!("{KEY_SET}/{name}"), found: found.into(), expected };
        assert!(!error.to_string().contains(&content));
        assert_eq!(read(&document), Err(error));
    }
    for (name, expected) in [("PubEncKey", "257 octets"), ("PubAuthKey", "65 octets")] {
        let document = with_element(&init_text(), name, &format!("<{name}>0405</{name}>"));
        assert_eq!(
            read(&document),
            Err(Error::Octets { path: format!("{CERTIFICATE}/{name}"), found: "2 octets".into(), expected })
        );
    }
}

#[test]
fn the_place_of_a_fault_in_a_repeated_element_is_counted() {
    let text = written(&responses()[5]);
    let document = text.replacen("<KeyPeriodNo>1389<", "<KeyPeriodNo>x<", 1);
    assert_eq!(
        read(&document),
        Err(Error::Value {
            path: format!("{KEY_SET}[2]/KeyPeriodNo"),
            found: "x".into(),
            expected: "an integer from 0 to 2^64 - 1"
        })
    );
}

#[test]
fn values_that_do_not_parse_are_refused_by_name() {
    let value = |text: &str, name: &str, content: &str| {
        let Err(Error::Value { path, found, .. }) =
            read(&with_element(text, name, &format!("<{name}>{content}</{name}>")))
        else {
            panic!("{name} {content}")
        };
        assert_eq!(found, content);
        path
    };
    let text = key_prov_text();
    assert_eq!(value(&text, "Time", "yesterday"), "/KmsResponse/Time");
    assert_eq!(value(&text, "ClientReqUrl", "https://a b"), "/KmsResponse/ClientReqUrl");
    assert_eq!(value(&text, "KeyPeriodNo", "-1"), format!("{KEY_SET}/KeyPeriodNo"));
    assert_eq!(value(&text, "Revoked", "no"), format!("{KEY_SET}/Revoked"));
    assert_eq!(value(&text, "ValidTo", "2026-02-30T00:00:00Z"), format!("{KEY_SET}/ValidTo"));
    assert_eq!(value(&init_text(), "UserKeyPeriod", "1.5"), format!("{CERTIFICATE}/UserKeyPeriod"));
    assert_eq!(value(&written(&refusal()), "ErrorCode", "UNAUTHORIZED"), "/KmsResponse/KmsError/ErrorCode");
}

#[test]
fn attributes_that_do_not_parse_are_refused_by_name() {
    for (from, to, path) in [
        ("Role=\"External\"", "Role=\"Leaf\"", format!("{CERTIFICATE}/@Role")),
        ("IsSecurityGateway=\"true\"", "IsSecurityGateway=\"maybe\"", format!("{CERTIFICATE}/@IsSecurityGateway")),
    ] {
        let Err(Error::Value { path: found, .. }) = read(&with(&init_text(), from, to)) else { panic!("{to}") };
        assert_eq!(found, path);
    }
    let cache = with(&written(&responses()[10]), "CacheNum=\"12\"", "CacheNum=\"twelve\"");
    let Err(Error::Value { path, found, .. }) = read(&cache) else { panic!() };
    assert_eq!((path.as_str(), found.as_str()), ("/KmsResponse/KmsMessage/KmsCertCache/@CacheNum", "twelve"));
}

#[test]
fn another_major_version_is_refused() {
    let document = with(&key_prov_text(), "KmsKeySet Version=\"1.1.0\"", "KmsKeySet Version=\"2.0.0\"");
    assert_eq!(read(&document), Err(Error::Version { path: KEY_SET.into(), found: "2.0.0".into() }));
    let document = with(&key_prov_text(), "Id=\"xmldoc\" Version=\"1.0.0\"", "Version=\"11.0.0\"");
    assert_eq!(read(&document), Err(Error::Version { path: "/KmsResponse".into(), found: "11.0.0".into() }));
}

#[test]
fn text_and_elements_where_they_do_not_belong_are_refused() {
    let document = with(&key_prov_text(), "<KmsMessage>", "<KmsMessage>hello");
    let expected =
        Error::Unexpected { path: "/KmsResponse/KmsMessage".into(), found: "text".into(), expected: "only elements" };
    assert_eq!(read(&document), Err(expected));

    let document = with(&key_prov_text(), "<KeyPeriodNo>1388", "<KeyPeriodNo>13<b>8</b>8");
    let path = format!("{KEY_SET}/KeyPeriodNo");
    assert_eq!(read(&document), Err(Error::Unexpected { path, found: "the element b".into(), expected: "only text" }));

    let document =
        with_element(&key_prov_text(), "UserSigningKeySSK", "<UserSigningKeySSK><Key>00</Key></UserSigningKeySSK>");
    assert_eq!(read(&document), Err(Error::Missing { path: format!("{KEY_SET}/UserSigningKeySSK/EncryptedKey") }));

    let expected = "one of KmsInit, KmsKeyProv, KmsCertCache and KmsLookup";
    let document = with_element(&key_prov_text(), "KmsKeyProv", "<KmsOther/>");
    let path = "/KmsResponse/KmsMessage".to_owned();
    assert_eq!(read(&document), Err(Error::Unexpected { path: path.clone(), found: "KmsOther".into(), expected }));
    let document = with(&key_prov_text(), "</KmsKeyProv>", "</KmsKeyProv><KmsCertCache/>");
    assert_eq!(read(&document), Err(Error::Unexpected { path, found: "several messages".into(), expected }));
    let both = with(&init_text(), "</KmsCertificate>", "</KmsCertificate><SignedKmsCertificate/>");
    let path = "/KmsResponse/KmsMessage/KmsInit".to_owned();
    let found = "both SignedKmsCertificate and KmsCertificate".to_owned();
    assert_eq!(read(&both), Err(Error::Unexpected { path, found, expected: "one of them" }));
}

#[test]
fn a_comment_does_not_hide_what_stands_behind_it() {
    let document = key_prov_text().replacen("sip:alice@example.org<", "sip:alice@example.org<!-- -->.evil.example<", 1);
    assert_eq!(read(&document).unwrap().user_uri, "sip:alice@example.org.evil.example");
}

#[test]
fn another_root_is_refused() {
    let [bare, _] = requests().try_into().unwrap();
    assert_eq!(
        read(&bare.to_xml()),
        Err(Error::Root { found: "KmsRequest".into(), expected: "KmsResponse or SignedKmsResponse" })
    );
    assert_eq!(
        KmsRequest::from_xml(key_prov_text().as_bytes(), &Limits::default()),
        Err(Error::Root { found: "KmsResponse".into(), expected: "KmsRequest or SignedKmsRequest" })
    );
}

#[test]
fn uris_that_a_terminal_would_obey_are_refused() {
    for bad in ["\u{9b}2J", "\u{202e}", "\u{2066}", "\u{2028}"] {
        let text = key_prov_text().replacen("<UserUri>sip:", &format!("<UserUri>sip:{bad}"), 1);
        let error = read(&text).unwrap_err();
        assert!(matches!(&error, Error::Value { path, .. } if path == "/KmsResponse/UserUri"), "{error}");
        assert!(is_printable(&error.to_string()), "{error}");
    }
    let refused = KmsError { code: 7, message: "no\u{202e}\n\u{9b}".into() };
    assert_eq!(refused.to_string(), r"no\u{202e}\n\u{9b} (code 7)");
}

#[test]
fn what_is_no_xml_is_refused() {
    for text in ["", "  ", "{\"user\": 1}", "hello", "<!-- only a comment -->", "&lt;", "<![CDATA[x]]><a/>"] {
        assert!(matches!(read(text), Err(Error::NotXml { .. })), "{text}: {:?}", read(text));
    }
    for text in [
        "<KmsResponse>",
        "<KmsResponse",
        "<a></b>",
        "<a b></a>",
        "<a b='1' b='2'/>",
        "<k:a/>",
        "<a>&#0;</a>",
        "<a>&#xD800;</a>",
    ] {
        assert!(matches!(read(text), Err(Error::NotWellFormed { .. })), "{text}: {:?}", read(text));
    }
    let error = read("<a></b\u{202e}\u{9b}2J>").unwrap_err();
    assert!(is_printable(&error.to_string()), "{error:?}");
    let limits = Limits::default();
    assert_eq!(KmsResponse::from_xml(b"<a>\xff</a>", &limits), Err(Error::NotUtf8 { offset: 3 }));
    let latin =
        key_prov_text().replace("encoding=\"UTF-8\"", "encoding=\"ISO-8859-1\"").replace("Example<", "Ex\u{e4}mple<");
    assert_eq!(read(&latin), Err(Error::Encoding { found: "ISO-8859-1".into() }));
}

#[test]
fn a_second_root_is_refused() {
    let text = key_prov_text();
    let (_, body) = text.split_once("?>").unwrap();
    assert!(matches!(read(&format!("{text}{body}")), Err(Error::SecondRoot { .. })));
    assert!(matches!(read(&format!("{text}<a/>")), Err(Error::SecondRoot { .. })));
}

#[test]
fn document_types_and_entities_are_refused() {
    let text = key_prov_text();
    let (declaration, body) = text.split_once("?>").unwrap();
    for doctype in [
        "<!DOCTYPE KmsResponse>",
        "<!DOCTYPE KmsResponse SYSTEM \"file:///etc/passwd\">",
        "<!DOCTYPE KmsResponse [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>",
        "<!DOCTYPE a [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;\">]>",
        "<!DOCTYPE a [<!ENTITY % p SYSTEM \"http://example.org/x.dtd\"> %p;]>",
    ] {
        let document = format!("{declaration}?>{doctype}{body}");
        assert!(matches!(read(&document), Err(Error::Doctype { .. })), "{doctype}: {:?}", read(&document));
    }
    let document = text.replace("Example<", "&xxe;<");
    let Err(Error::Entity { name, .. }) = read(&document) else { panic!() };
    assert_eq!(name, "xxe");
    let attribute = with(&init_text(), "Role=\"External\"", "Role=\"&xxe;\"");
    assert!(matches!(read(&attribute), Err(Error::NotWellFormed { .. })));
}

#[test]
fn documents_that_are_costly_to_read_are_refused() {
    let deep = format!("{}{}", "<a>".repeat(8_000), "</a>".repeat(8_000));
    assert!(matches!(read(&deep), Err(Error::TooDeep { limit: 24, .. })));

    let attributes: String = (0..6_000).map(|i| format!(" a{i}=''")).collect();
    assert!(matches!(read(&format!("<a{attributes}/>")), Err(Error::TooManyAttributes { limit: 24, .. })));

    let element: String = (0..24).map(|i| format!(" xmlns:n{i}='u'")).collect();
    let many = format!("<a{element}><a{element}/></a>");
    assert!(matches!(read(&many), Err(Error::TooManyNamespaces { limit: 32, .. })));
    let beside_each_other = format!("<a>{}</a>", format!("<a{element}/>").repeat(20));
    assert!(matches!(read(&beside_each_other), Err(Error::Root { .. })));

    assert!(matches!(read(&format!("<a>{}</a>", "<b/>".repeat(4_095))), Err(Error::Root { .. })));
    assert!(matches!(
        read(&format!("<a>{}</a>", "<b/>".repeat(4_096))),
        Err(Error::TooManyElements { limit: 4_096, .. })
    ));

    let large = format!("<a>{}</a>", " ".repeat(65_536));
    assert_eq!(read(&large), Err(Error::TooLarge { found: 65_543, limit: 65_536 }));
    assert!(
        KmsResponse::from_xml(large.as_bytes(), &Limits::with_max_bytes(100_000))
            .is_err_and(|error| matches!(error, Error::Root { .. }))
    );
}

#[test]
fn the_costliest_documents_within_the_limits_are_read_in_no_time() {
    let root = |body: String| format!("<KmsResponse>{body}</KmsResponse>");
    let namespaces: String = (0..23).map(|i| format!(" xmlns:n{i}='u{i}'")).collect();
    let attributes: String = (0..24).map(|i| format!(" n{}:a='{i}'", i % 23)).collect();
    let nest = |inner: &str| format!("{}{inner}{}", format!("<b{namespaces}>").repeat(11), "</b>".repeat(11));
    for document in [
        root("<a/>".repeat(16_000)),
        root("<Time/>".repeat(9_000)),
        root("\n".repeat(65_000)),
        root("<!---->".repeat(9_000)),
        root("&#10;".repeat(13_000)),
        root("<KmsError>\n</KmsError>".repeat(2_900)),
        root(nest(&"<n0:c/>".repeat(8_000))),
        root(nest(&"<undeclared:c/>".repeat(3_000))),
        root(nest(&format!("<c{attributes}/>").repeat(200))),
        root(format!("<KmsMessage><KmsKeyProv>{}</KmsKeyProv></KmsMessage>", "<KmsKeySet/>".repeat(5_000))),
    ] {
        assert!(document.len() <= 65_536, "{}", document.len());
        let start = Instant::now();
        assert!(read(&document).is_err());
        let elapsed = start.elapsed();
        assert!(elapsed < Duration::from_millis(500), "{elapsed:?} for {}", &document[..60]);
    }
}

// --- any input -------------------------------------------------------------------------------------------------------

/// Changes a document as a broken line or an attacker might.
fn mutate(document: &mut Vec<u8>, mutations: &[(u8, usize, usize, u8)]) {
    for &(kind, at, len, octet) in mutations {
        let at = at % (document.len() + 1);
        let end = (at + len).min(document.len());
        match kind % 5 {
            0 if at < document.len() => document[at] ^= 1 << (octet % 8),
            1 => document.truncate(at),
            2 => document.insert(at, octet),
            3 => drop(document.drain(at..end)),
            _ => {
                let piece = document[at..end].to_vec();
                let to = usize::from(octet) * 7 % (document.len() + 1);
                document.splice(to..to, piece);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn mutated_documents_do_not_panic_and_what_is_read_is_written_alike(
        form in 0_usize..12,
        wrapper: bool,
        mutations in prop::collection::vec((any::<u8>(), any::<usize>(), 0_usize..200, any::<u8>()), 1..6),
    ) {
        let options = WriteOptions { signed_wrapper: wrapper, ..WriteOptions::default() };
        let mut document = responses()[form].to_xml(&options).as_bytes().to_vec();
        mutate(&mut document, &mutations);
        if let Ok(received) = KmsResponse::from_xml(&document, &Limits::default()) {
            let (response, _) = received.into_parts();
            prop_assert_eq!(read(&written(&response)), Ok(response));
        }
        let _ = KmsRequest::from_body(&document, &Limits::default());
    }

    #[test]
    fn mutated_requests_do_not_panic(
        form in 0_usize..2,
        mutations in prop::collection::vec((any::<u8>(), any::<usize>(), 0_usize..60, any::<u8>()), 1..6),
    ) {
        let mut document = requests()[form].to_xml().into_bytes();
        mutate(&mut document, &mutations);
        if let Ok(received) = KmsRequest::from_xml(&document, &Limits::default()) {
            let (request, _) = received.into_parts();
            let again = KmsRequest::from_xml(request.to_xml().as_bytes(), &Limits::default()).unwrap();
            prop_assert_eq!(again.into_parts().0, request);
        }
    }

    #[test]
    fn any_octets_do_not_panic(document in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = KmsResponse::from_xml(&document, &Limits::default());
        let _ = KmsRequest::from_body(&document, &Limits::default());
    }

    #[test]
    fn a_truncated_response_is_never_accepted(form in 0_usize..12, at: prop::sample::Index) {
        let document = written(&responses()[form]);
        let end = at.index(document.len());
        prop_assert!(KmsResponse::from_xml(&document.as_bytes()[..end], &Limits::default()).is_err());
    }
}
