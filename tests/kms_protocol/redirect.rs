//! KMS redirect responses: what is written is read back, signed ones hold here and for `xmlsec1`, what that signs is
//! accepted, and every way to bend one has its own refusal.

use crate::schema::{Schema, peer};
use core::time::Duration;
use mikey_sakke::kms_protocol::{
    Error, KeyIds, KmsRedirectResponse, KmsRequest, Limits, MAX_REDIRECTS, RedirectDocument, SignatureStatus,
};
use mikey_sakke::xml_security::{self, Form, NamedKey, SigningOptions, X509Signer, X509Trust, sign_x509};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_ECDSA_P384_SHA384};
use std::fs;
use std::path::Path;
use std::process::Command;
use time::OffsetDateTime;
use time::macros::datetime;

const NOW: OffsetDateTime = datetime!(2026-03-01 08:00:00 UTC);
const OPTION_1: &str = "kms.option1.example.org";
const OPTION_2: &str = "kms.option2.example.org";

fn since_1970() -> Duration {
    Duration::from_secs(NOW.unix_timestamp() as u64)
}

/// A key with its certificate.
struct Party {
    key: KeyPair,
    certificate: Vec<u8>,
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = datetime!(2026-01-01 00:00:00 UTC);
    params.not_after = datetime!(2027-01-01 00:00:00 UTC);
    params
}

impl Party {
    fn self_signed(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params(name).self_signed(&key).unwrap().der().to_vec();
        Self { key, certificate }
    }

    /// An authority, and a signer whose certificate it issued.
    fn with_authority() -> (Vec<u8>, Self) {
        let authority_key = KeyPair::generate().unwrap();
        let mut authority = params("authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let certificate = authority.self_signed(&authority_key).unwrap().der().to_vec();
        let issuer = Issuer::new(authority, authority_key);
        let key = KeyPair::generate().unwrap();
        let issued = params("processor").signed_by(&key, &issuer).unwrap().der().to_vec();
        (certificate, Self { key, certificate: issued })
    }

    fn signer(&self) -> X509Signer {
        X509Signer::new(&self.certificate, &self.key.serialize_der()).unwrap()
    }

    fn trust(&self) -> X509Trust {
        X509Trust::new(vec![self.certificate.clone()]).unwrap()
    }
}

fn response() -> KmsRedirectResponse {
    KmsRedirectResponse {
        processor_uri: Some("sip:processor.1@example.org".into()),
        time: Some(NOW),
        initiator_uri: Some("sip:initiator@example.org".into()),
        receiver_uri: Some("sip:receiver@example.org".into()),
        rejected_kms_uri: Some("kms.reject.example.org".into()),
        initiator_kms_uris: Vec::new(),
        receiver_kms_uris: vec![OPTION_1.into(), OPTION_2.into()],
        previous: None,
    }
}

fn read(document: &str) -> Result<RedirectDocument, Error> {
    RedirectDocument::from_xml(document.as_bytes(), &Limits::default())
}

/// The `Id` of a redirect response.
fn id_of(document: &str) -> &str {
    let (_, id) = document.split_once(" Id=\"").unwrap();
    id.split_once('"').unwrap().0
}

fn narrowed(previous: RedirectDocument) -> KmsRedirectResponse {
    KmsRedirectResponse::narrowed(previous, "sip:processor.2@example.org", NOW, vec![OPTION_1.into()]).unwrap()
}

fn verified(document: &str, trust: &X509Trust) -> Result<RedirectDocument, Error> {
    read(document)?.verified(trust, since_1970())
}

#[track_caller]
fn signature_error(document: &str, trust: &X509Trust) -> xml_security::Error {
    match verified(document, trust) {
        Err(Error::Signature(error)) => error,
        other => panic!("the signature must not hold: {other:?}"),
    }
}

#[track_caller]
fn with(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from} is not in {text}");
    text.replacen(from, to, 1)
}

#[test]
fn what_is_written_is_read_back() {
    let document = read(&response().to_xml()).unwrap();
    assert_eq!((document.content(), document.signature()), (&response(), &SignatureStatus::Absent));
    let chained = narrowed(document);
    assert_eq!(chained.chain_len(), 2);
    assert_eq!(chained.rejected_kms_uri, response().rejected_kms_uri);
    let again = read(&chained.to_xml()).unwrap();
    assert_eq!(again.content(), &chained);
    let empty = read(&KmsRedirectResponse::default().to_xml()).unwrap();
    assert_eq!(empty.content(), &KmsRedirectResponse::default());
}

#[test]
fn names_of_others_are_passed_over_and_the_embedded_document_is_found() {
    for wrapper in ["PreviousKrr", "EmbeddedKrr", "x:Any"] {
        let inner = response().to_xml().split_once("?>").unwrap().1.to_owned();
        let document = format!(
            "<KmsRedirectResponse xmlns='urn:3gpp:ns:mcsecKMSKRR:1.0' xmlns:x='urn:x' Version='1.1.0'>\
             <InitiatorUserUri>sip:a@b</InitiatorUserUri><x:Reason>text</x:Reason><{wrapper}>{inner}</{wrapper}>\
             </KmsRedirectResponse>"
        );
        let document = read(&document).unwrap();
        assert_eq!(document.content().processor_uri, None);
        assert_eq!(document.content().previous.as_ref().unwrap().content(), &response(), "{wrapper}");
    }
}

#[test]
fn a_signed_document_holds_under_the_signer_and_under_the_authority() {
    let (authority, party) = Party::with_authority();
    let document = response().to_signed_xml(&party.signer()).unwrap();
    let authority = X509Trust::new(vec![authority]).unwrap();
    for trust in [&party.trust(), &authority] {
        let SignatureStatus::Verified { key_name } = verified(&document, trust).unwrap().signature().clone() else {
            panic!("verified");
        };
        assert_eq!(key_name.len(), 64);
    }
    assert_eq!(read(&document).unwrap().signature(), &SignatureStatus::Unverified { key_name: None });

    let late = Duration::from_secs(datetime!(2027-01-01 00:00:01 UTC).unix_timestamp() as u64);
    let expired = read(&document).unwrap().verified(&authority, late).unwrap_err();
    assert!(matches!(expired, Error::Signature(xml_security::Error::UntrustedCertificate { .. })), "{expired}");
    assert!(read(&document).unwrap().verified(&party.trust(), late).is_ok(), "trusted as it stands");
}

#[test]
fn every_link_of_a_chain_is_verified() {
    let (first, second) = (Party::self_signed("first"), Party::self_signed("second"));
    let inner = response().to_signed_xml(&first.signer()).unwrap();
    let outer = narrowed(read(&inner).unwrap()).to_signed_xml(&second.signer()).unwrap();
    let both = X509Trust::new(vec![first.certificate.clone(), second.certificate.clone()]).unwrap();
    let document = verified(&outer, &both).unwrap();
    let previous = document.content().previous.as_ref().unwrap();
    assert!(matches!(document.signature(), SignatureStatus::Verified { .. }));
    assert!(matches!(previous.signature(), SignatureStatus::Verified { .. }));
    assert!(inner.ends_with(previous.xml()), "handed on as it came");
    for one in [&first, &second] {
        let error = signature_error(&outer, &one.trust());
        assert!(matches!(error, xml_security::Error::UntrustedCertificate { .. }), "{error}");
    }
}

#[test]
fn a_list_that_grows_is_refused() {
    let previous = read(&response().to_xml()).unwrap();
    let widened = |uris: &[&str]| {
        let uris = uris.iter().map(|uri| (*uri).to_owned()).collect();
        KmsRedirectResponse::narrowed(previous.clone(), "sip:p@example.org", NOW, uris)
    };
    assert!(widened(&[]).is_ok());
    let error = widened(&[OPTION_1, "kms.evil.example.org"]).unwrap_err();
    assert!(matches!(error, Error::RedirectWidened { kms_uri } if kms_uri == "kms.evil.example.org"));
    let bent = with(&narrowed(previous).to_xml(), OPTION_1, "kms.evil.example.org");
    assert!(matches!(read(&bent), Err(Error::RedirectWidened { .. })));
}

#[test]
fn a_chain_and_a_list_have_an_end() {
    let mut document = read(&response().to_xml()).unwrap();
    for _ in 1..MAX_REDIRECTS {
        document = read(&narrowed(document).to_xml()).unwrap();
    }
    let error = KmsRedirectResponse::narrowed(document.clone(), "sip:p@example.org", NOW, Vec::new()).unwrap_err();
    assert!(matches!(error, Error::TooManyRedirects { limit: MAX_REDIRECTS }));
    let longer = with(
        &response().to_xml(),
        "</KmsRedirectResponse>",
        &format!("<PreviousKrr>{}</PreviousKrr></KmsRedirectResponse>", document.xml()),
    );
    assert!(matches!(read(&longer), Err(Error::TooManyRedirects { .. })), "{:?}", read(&longer));
    let list = request(vec![read(&response().to_xml()).unwrap(); MAX_REDIRECTS + 1]);
    let refused = KmsRequest::from_xml(list.to_xml().as_bytes(), &Limits::default());
    assert!(matches!(refused, Err(Error::TooManyRedirects { .. })));
}

#[test]
fn a_document_that_is_none_is_refused_by_name() {
    let good = response().to_xml();
    for (from, to, expected) in [
        ("<KmsRedirectResponse", "<Krr", "NotWellFormed"),
        ("2026-03-01T08:00:00Z", "yesterday", "Value"),
        ("sip:initiator@example.org", "two words", "Value"),
        ("sip:initiator@example.org", "", "Empty"),
        ("<Time>", "<Time/><Time>", "Duplicate"),
        ("Version=\"1.0.0\"", "Version=\"2.0\"", "Version"),
        ("<KmsUri>kms.option1", "text<KmsUri>kms.option1", "Unexpected"),
    ] {
        let error = format!("{:?}", read(&with(&good, from, to)).unwrap_err());
        assert!(error.starts_with(expected), "{to}: {error}");
    }
    assert!(matches!(read("<KmsResponse/>"), Err(Error::Root { .. })));
    let twice = with(
        &good,
        "</KmsRedirectResponse>",
        "<a><KmsRedirectResponse/></a><KmsRedirectResponse/></KmsRedirectResponse>",
    );
    assert!(matches!(read(&twice), Err(Error::Duplicate { .. })));
}

#[test]
fn a_bent_signature_is_refused_by_name() {
    use xml_security::Error as E;
    let (party, other) = (Party::self_signed("first"), Party::self_signed("other"));
    let document = response().to_signed_xml(&party.signer()).unwrap();
    let trust = party.trust();
    type Expected = fn(&E) -> bool;
    let hmac = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256";
    let ecdsa = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256";
    let sha1 = "http://www.w3.org/2000/09/xmldsig#sha1";
    let sha256 = "http://www.w3.org/2001/04/xmlenc#sha256";
    let (id, other_id) = (id_of(&document), format!("{}0", id_of(&document)));
    let (uri, attribute) = (format!("URI=\"#{id}\""), format!("Id=\"{id}\""));
    let cases: [(&str, &str, Expected); 11] = [
        (OPTION_1, "kms.evil.example.org", |e| matches!(e, E::WrongDigest { .. })),
        ("<DigestValue>", "<DigestValue>AAAA", |e| matches!(e, E::WrongSignature)),
        ("<SignatureValue>", "<SignatureValue>AAAA", |e| matches!(e, E::Malformed { .. })),
        (ecdsa, hmac, |e| matches!(e, E::Algorithm { role: "SignatureMethod", .. })),
        (sha256, sha1, |e| matches!(e, E::Algorithm { role: "DigestMethod", .. })),
        (&uri, &format!("URI=\"#{other_id}\""), |e| matches!(e, E::WrongSignature)),
        (&uri, "URI=\"http://example.org/\"", |e| matches!(e, E::ExternalReference { .. })),
        (&attribute, &format!("Id=\"{other_id}\""), |e| matches!(e, E::OtherElement { .. })),
        ("<Time>", &format!("<x Id=\"{id}\"/><Time>"), |e| matches!(e, E::DuplicateId { .. })),
        ("<X509Data>", "<KeyName>k</KeyName><X509Data>", |e| matches!(e, E::NoCertificate)),
        ("<X509Certificate>", "<X509SubjectName>CN</X509SubjectName><X509Certificate>", |e| {
            matches!(e, E::NoCertificate)
        }),
    ];
    for (from, to, expected) in cases {
        let error = signature_error(&with(&document, from, to), &trust);
        assert!(expected(&error), "{to}: {error:?}");
    }
    let error = signature_error(&document, &other.trust());
    assert!(matches!(error, E::UntrustedCertificate { .. }), "{error}");
    // The certificate of one who is trusted over the signature of another.
    let theirs = response().to_signed_xml(&other.signer()).unwrap();
    let certificate = |text: &str| {
        let (_, rest) = text.split_once("<X509Certificate>").unwrap();
        rest.split_once('<').unwrap().0.to_owned()
    };
    let error = signature_error(&with(&theirs, &certificate(&theirs), &certificate(&document)), &trust);
    assert!(matches!(error, E::WrongSignature), "{error}");
    let error = signature_error(&with(&document, &certificate(&document), "AAAA"), &trust);
    assert!(matches!(error, E::BadCertificate { .. }), "{error}");
}

#[test]
fn keys_that_are_no_signers_are_refused() {
    use xml_security::Error as E;
    let (party, other) = (Party::self_signed("first"), Party::self_signed("other"));
    let refused = |certificate: &[u8], key: &[u8]| X509Signer::new(certificate, key).unwrap_err();
    assert!(matches!(refused(&party.certificate, &other.key.serialize_der()), E::BadPrivateKey(_)));
    assert!(matches!(refused(&party.certificate, b"no key"), E::BadPrivateKey(_)));
    assert!(matches!(refused(b"no certificate", &party.key.serialize_der()), E::BadCertificate { .. }));
    let p384 = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
    assert!(matches!(refused(&party.certificate, &p384.serialize_der()), E::BadPrivateKey(_)));
    assert!(matches!(X509Trust::new(vec![b"no certificate".to_vec()]), Err(E::BadCertificate { .. })));
    assert_eq!(format!("{:?}", party.signer()), "X509Signer { .. }");
}

fn request(krr_list: Vec<RedirectDocument>) -> KmsRequest {
    KmsRequest {
        user_uri: "sip:initiator@example.org".into(),
        kms_uri: "kms.example.org".into(),
        time: NOW,
        client_id: None,
        device_id: None,
        client_req_url: "https://kms.example.org/keymanagement/identity/v1/redirect".into(),
        client_error: None,
        krr_list,
        key_ids: KeyIds::default(),
    }
}

#[test]
fn a_signature_survives_the_way_to_the_kms() {
    let party = Party::self_signed("first");
    let document = read(&response().to_signed_xml(&party.signer()).unwrap()).unwrap();
    let upload = request(vec![document.clone(), read(&response().to_xml()).unwrap()]);
    let xml = upload.to_xml();
    if let Some(schema) = Schema::open() {
        assert_eq!(schema.faults(&xml), None, "{xml}");
    }
    let (received, _) = KmsRequest::from_xml(xml.as_bytes(), &Limits::default()).unwrap().into_parts();
    assert_eq!(received, upload);
    let verified = received.krr_list[0].clone().verified(&party.trust(), since_1970()).unwrap();
    assert!(matches!(verified.signature(), SignatureStatus::Verified { .. }));
}

#[test]
fn redirect_responses_with_equal_ids_come_in_one_signed_request_and_in_each_other() {
    let party = Party::self_signed("first");
    let ink = NamedKey::new("ink.1.user@example.org", &[2; 32]).unwrap();
    let others = KmsRedirectResponse { receiver_uri: Some("sip:other@example.org".into()), ..response() };
    assert_ne!(id_of(&others.to_xml()), id_of(&response().to_xml()));
    assert_eq!(id_of(&others.to_xml()), id_of(&others.to_xml()));
    // A vendor's: both with the Id that the request itself has.
    let vendors = |response: &KmsRedirectResponse| {
        let xml = response.to_xml();
        let xml = xml.replace(id_of(&xml), "xmldoc");
        let options = SigningOptions { form: Form::Enveloped, ..SigningOptions::default() };
        read(&sign_x509(&xml, "xmldoc", &party.signer(), &options).unwrap()).unwrap()
    };
    for list in [
        [response(), others.clone()].map(|response| read(&response.to_signed_xml(&party.signer()).unwrap()).unwrap()),
        [vendors(&response()), vendors(&others)],
        [vendors(&narrowed(vendors(&response()))), vendors(&others)],
    ] {
        for form in [Form::Sibling, Form::Enveloped] {
            let signing = SigningOptions { form, ..SigningOptions::default() };
            let xml = request(list.to_vec()).to_signed_xml(&ink, &signing).unwrap();
            let read = |xml: &str| KmsRequest::from_body_with_keys(xml.as_bytes(), &Limits::default(), &[&ink]);
            let (received, status) = read(&xml).unwrap().unwrap().into_parts();
            assert!(matches!(status, SignatureStatus::Verified { .. }));
            assert_eq!(received.krr_list, list);
            for document in received.krr_list {
                let verified = document.verified(&party.trust(), since_1970()).unwrap();
                assert!(matches!(verified.signature(), SignatureStatus::Verified { .. }));
            }
            // The signed request is put away among the redirect responses of another one.
            let start = xml.find("<KmsRequest").unwrap();
            let end = xml.find("</KmsRequest>").unwrap() + "</KmsRequest>".len();
            let (evil, signed) = (&xml[start..end], &xml[start..end]);
            let evil = evil.replacen("sip:initiator@", "sip:evil@", 1);
            let evil = evil.replacen("<KrrList>", &format!("<KrrList>{signed}"), 1);
            let wrapped = with(&xml, signed, &evil);
            let refused = read(&wrapped).unwrap_err();
            assert!(matches!(refused, Error::Signature(xml_security::Error::WrongDigest { .. })), "{refused}");
            // Outside of the list, an Id is there once.
            let twice = with(&xml, "<KrrList>", "<x:y xmlns:x=\"urn:x\" Id=\"xmldoc\"/><KrrList>");
            let refused = read(&twice).unwrap_err();
            assert!(matches!(refused, Error::Signature(xml_security::Error::DuplicateId { .. })), "{refused}");
        }
    }
}

#[test]
fn a_krr_list_may_be_one_redirect_response_itself() {
    let xml = with(
        &request(Vec::new()).to_xml(),
        "</ClientReqUrl>",
        "</ClientReqUrl><KrrList><ReceiverUri>sip:b@c</ReceiverUri></KrrList>",
    );
    let (received, _) = KmsRequest::from_xml(xml.as_bytes(), &Limits::default()).unwrap().into_parts();
    let [document] = &received.krr_list[..] else { panic!("one") };
    assert_eq!(document.content().receiver_uri.as_deref(), Some("sip:b@c"));
    assert_eq!(&RedirectDocument::from_handed_in(document.xml(), &Limits::default()).unwrap(), document);
    assert_eq!(received.to_xml(), xml);
    let empty = with(&xml, "<ReceiverUri>sip:b@c</ReceiverUri>", "");
    let (received, _) = KmsRequest::from_xml(empty.as_bytes(), &Limits::default()).unwrap().into_parts();
    assert_eq!(received.krr_list, []);
    let inherited =
        with(&xml, "<KrrList><ReceiverUri>", "<KrrList xmlns:k='urn:k'><k:KmsRedirectResponse/><ReceiverUri>");
    assert!(matches!(KmsRequest::from_xml(inherited.as_bytes(), &Limits::default()), Err(Error::NotWellFormed { .. })));
}

// Against xmlsec1.

fn xmlsec1(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new("xmlsec1").args(arguments).current_dir(folder).output().expect("xmlsec1 starts");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

const IDS: [&str; 2] = ["--id-attr:Id", "urn:3gpp:ns:mcsecKMSKRR:1.0:KmsRedirectResponse"];

fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn folder_of(party: &Party) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("key.pem"), party.key.serialize_pem()).unwrap();
    fs::write(folder.path().join("cert.pem"), pem("CERTIFICATE", &party.certificate)).unwrap();
    folder
}

#[test]
fn xmlsec1_verifies_what_is_signed_and_finds_changes() {
    if !peer("xmlsec1") {
        return;
    }
    let party = Party::self_signed("first");
    let folder = folder_of(&party);
    let first = response().to_signed_xml(&party.signer()).unwrap();
    let chained = narrowed(read(&first).unwrap()).to_signed_xml(&party.signer()).unwrap();
    // The outer signature is the last one in the document.
    for document in [&first, &chained] {
        let at = [
            &["--verify", "--enabled-key-data", "x509", "--trusted-pem", "cert.pem"][..],
            &["--verification-gmt-time", "2026-03-01 08:00:00"],
            &["--node-xpath", "/*/*[local-name()='Signature']"],
            &IDS,
            &["signed.xml"],
        ];
        fs::write(folder.path().join("signed.xml"), document).unwrap();
        let (good, said) = xmlsec1(folder.path(), &at.concat());
        assert!(good, "{said}\n{document}");
        fs::write(folder.path().join("signed.xml"), with(document, OPTION_1, "kms.evil.example.org")).unwrap();
        assert!(!xmlsec1(folder.path(), &at.concat()).0);
    }
}

#[test]
fn what_xmlsec1_signs_is_verified() {
    if !peer("xmlsec1") {
        return;
    }
    let party = Party::self_signed("first");
    let folder = folder_of(&party);
    let by_id = format!("#{}", id_of(&response().to_xml()));
    for uri in [&*by_id, ""] {
        let template = format!(
            "<Signature xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><SignedInfo>\n\
             <CanonicalizationMethod Algorithm=\"http://www.w3.org/TR/2001/REC-xml-c14n-20010315\"/>\n\
             <SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256\"/>\n\
             <Reference URI=\"{uri}\"><Transforms>\
             <Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/></Transforms>\
             <DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/><DigestValue/></Reference>\n\
             </SignedInfo><SignatureValue/><KeyInfo><X509Data><X509Certificate/></X509Data></KeyInfo></Signature>"
        );
        let document = with(
            &response().to_xml(),
            "</KmsRedirectResponse>",
            &format!("<!-- comment -->{template}</KmsRedirectResponse>\n<!-- the end -->"),
        );
        fs::write(folder.path().join("template.xml"), document).unwrap();
        let arguments =
            [&["--sign", "--privkey-pem", "key.pem,cert.pem", "--output", "signed.xml"][..], &IDS, &["template.xml"]];
        let (good, said) = xmlsec1(folder.path(), &arguments.concat());
        assert!(good, "{said}");
        let signed = fs::read_to_string(folder.path().join("signed.xml")).unwrap();
        let document = verified(&signed, &party.trust()).unwrap_or_else(|error| panic!("{uri}: {error}\n{signed}"));
        assert!(matches!(document.signature(), SignatureStatus::Verified { .. }));
        let bent = with(&signed, OPTION_2, "kms.evil.example.org");
        assert!(matches!(signature_error(&bent, &party.trust()), xml_security::Error::WrongDigest { .. }));
        // What stands beside the root is neither read nor kept.
        let beside = with(&signed, "<!-- the end -->", "<?instruction beside?>");
        assert_eq!(verified(&beside, &party.trust()).unwrap().xml(), document.xml());
    }
}
