//! XML signatures and wrapped keys: what is signed is verified here and by `xmlsec1` (Debian), what that signs is verified
//! here, and every way to bend a signature has its own refusal.

use crate::schema::peer;
use mikey_sakke::xml_security::{
    Canonicalization, Error, Form, KeyWrapping, NamedKey, SigningOptions, Verified, sign, unwrap, verify, wrap,
};
use proptest::prelude::*;
use std::fs;
use std::path::Path;
use std::process::Command;
use uppsala::{Document, NodeId};

const KEY_NAME: &str = "ink.1.alice@example.org";

/// Namespaces, comments, references, CDATA and attributes that canonicalization has to look at.
const SIBLING: &str = "<?xml version=\"1.0\"?>\n<s:Signed xmlns:s=\"urn:s\" xmlns:unused=\"urn:u\" b=\"2\">\n  \
    <Letter xmlns=\"urn:l\" z='1' a=\"&#9;&lt;\" Id=\"xmldoc\"><!-- a comment --><s:To>alice &amp; bob</s:To>\
    <![CDATA[<raw>]]><?pi data?><Empty/>\ncaf\u{e9}</Letter>\n</s:Signed>\n";
const ENVELOPED: &str =
    "<s:Signed xmlns:s=\"urn:s\" Id=\"xmldoc\"><!-- c --><Letter xmlns=\"urn:l\">text</Letter> </s:Signed>";

fn key() -> NamedKey {
    NamedKey::new(KEY_NAME, &[0x5a; 32]).unwrap()
}

fn every_option() -> Vec<SigningOptions> {
    let forms = [Form::Sibling, Form::Enveloped];
    let with = |form| Canonicalization::ALL.map(|canonicalization| SigningOptions { form, canonicalization });
    forms.into_iter().flat_map(with).collect()
}

fn plain(options: &SigningOptions) -> &'static str {
    match options.form {
        Form::Sibling => SIBLING,
        Form::Enveloped => ENVELOPED,
    }
}

fn signed(options: &SigningOptions) -> String {
    sign(plain(options), "xmldoc", &key(), options).unwrap().to_string()
}

/// What a reader does that finds elements by their place: the root's children named Letter and Signature.
fn parts(dom: &Document<'_>) -> (NodeId, NodeId, NodeId) {
    let root = dom.document_element().unwrap();
    let child = |name: &str| {
        dom.children_iter(root).find(|&node| dom.element(node).is_some_and(|e| e.name.local_name == name)).unwrap()
    };
    (root, child("Letter"), child("Signature"))
}

fn check(document: &str, keys: &[&NamedKey]) -> Result<Verified, Error> {
    let dom = uppsala::parse(document).expect("well-formed");
    let (root, letter, signature) = parts(&dom);
    let verified = verify(&dom, signature, &[letter, root], &[], keys)?;
    assert!([letter, root].contains(&verified.element));
    Ok(verified)
}

fn refused(document: &str) -> Error {
    check(document, &[&key()]).expect_err("it must not hold")
}

#[track_caller]
fn with(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from} is not in {text}");
    text.replacen(from, to, 1)
}

/// Signs anew what was changed in SignedInfo, as an attacker without the key cannot: shows that a refusal is not for the MAC.
fn again(document: &str) -> String {
    use base64::Engine as _;
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let dom = uppsala::parse(document).unwrap();
    let (_, _, signature) = parts(&dom);
    let signed_info = dom.children_iter(signature).find(|&node| dom.element(node).is_some()).unwrap();
    let set = bergshamra_xml::NodeSet::tree_with_comments(signed_info, &dom);
    let mode = bergshamra_c14n::C14nMode::Inclusive;
    let octets = bergshamra_c14n::canonicalize_doc::<&str>(&dom, mode, Some(&set), &[]).unwrap();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&[0x5a; 32]).unwrap();
    mac.update(&octets);
    let value = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
    let start = document.find("<SignatureValue>").unwrap() + "<SignatureValue>".len();
    let end = document.find("</SignatureValue>").unwrap();
    [&document[..start], &value, &document[end..]].concat()
}

#[test]
fn what_is_signed_is_verified_and_names_the_element() {
    for options in every_option() {
        let document = signed(&options);
        let dom = uppsala::parse(&document).unwrap();
        let (root, letter, signature) = parts(&dom);
        let expected = if options.form == Form::Sibling { letter } else { root };
        let other = NamedKey::new("another", &[1; 32]).unwrap();
        let verified = verify(&dom, signature, &[letter, root], &[], &[&other, &key()]).unwrap();
        assert_eq!(verified, Verified { element: expected, key_name: KEY_NAME.into() }, "{options:?}");
    }
}

#[test]
fn a_document_that_cannot_be_signed_is_refused() {
    let refused = |document, id| sign(document, id, &key(), &SigningOptions::default()).unwrap_err();
    for (document, id) in [
        ("<a><b Id='x'></a>", "x"),
        ("<a><b Id='y'/></a>", "x"),
        ("<a><b><c Id='x'/></b></a>", "x"),
        ("<a/>", "x"),
        ("<a><b Id='x'/></a><!-- </ -->", "x"),
        ("<!DOCTYPE a><a><b Id='x'/></a>", "x"),
        ("<a><b Id=\"x'y\"/></a>", "x'y"),
        ("<a><b Id=''/></a>", ""),
    ] {
        assert!(matches!(refused(document, id), Error::Unsignable(_)), "{document}");
    }
    let enveloped = SigningOptions { form: Form::Enveloped, ..SigningOptions::default() };
    assert!(matches!(sign(SIBLING, "xmldoc", &key(), &enveloped), Err(Error::Unsignable(_))));
}

#[test]
fn a_changed_content_is_refused() {
    for options in every_option() {
        let document = signed(&options);
        let changed = with(&document, "</Letter>", "!</Letter>");
        assert_eq!(refused(&changed), Error::WrongDigest { id: "xmldoc".into() }, "{options:?}");
        let changed = with(&document, "<Letter", "<Letter extra=\"1\"");
        assert_eq!(refused(&changed), Error::WrongDigest { id: "xmldoc".into() }, "{options:?}");
    }
}

#[test]
fn a_changed_signature_is_refused() {
    let document = signed(&SigningOptions::default());
    let wrong_mac = Error::WrongMac { name: KEY_NAME.into() };
    for (from, to) in [("URI=\"#xmldoc\"", "URI=\"#other\""), ("<DigestValue>", "<DigestValue>AAAA")] {
        assert_eq!(refused(&with(&document, from, to)), wrong_mac, "{from}");
    }
    let value = document.find("<SignatureValue>").unwrap() + "<SignatureValue>".len();
    let first = &document[value..value + 1];
    let flipped = if first == "A" { "B" } else { "A" };
    assert_eq!(refused(&[&document[..value], flipped, &document[value + 1..]].concat()), wrong_mac);
}

#[test]
fn an_unknown_key_a_wrong_key_and_no_key_are_refused() {
    let document = signed(&SigningOptions::default());
    let unknown = Error::UnknownKey { name: KEY_NAME.into() };
    assert_eq!(check(&document, &[]), Err(unknown.clone()));
    assert_eq!(check(&document, &[&NamedKey::new("ink.2.alice@example.org", &[0x5a; 32]).unwrap()]), Err(unknown));
    let wrong = NamedKey::new(KEY_NAME, &[0x5b; 32]).unwrap();
    assert_eq!(check(&document, &[&wrong]), Err(Error::WrongMac { name: KEY_NAME.into() }));
    let key_info = &document[document.find("<KeyInfo>").unwrap()..document.find("</Signature>").unwrap()];
    assert_eq!(refused(&with(&document, key_info, "")), Error::NoKeyName);
    assert_eq!(refused(&with(&document, KEY_NAME, " ")), Error::NoKeyName);
}

#[test]
fn algorithms_that_are_not_on_the_list_are_refused() {
    let document = signed(&SigningOptions { form: Form::Enveloped, ..SigningOptions::default() });
    let c14n = Canonicalization::Inclusive.uri();
    for (role, from, to) in [
        (
            "SignatureMethod",
            "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
            "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
        ),
        ("DigestMethod", "http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2000/09/xmldsig#sha1"),
        ("CanonicalizationMethod", c14n, "http://www.w3.org/2006/12/xml-c14n11"),
        (
            "Transform",
            &format!("<Transform Algorithm=\"{c14n}\""),
            "<Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116\"",
        ),
        (
            "Transform",
            "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
            "http://www.w3.org/TR/1999/REC-xpath-19991116",
        ),
        (
            "a further Transform",
            "</Transforms>",
            "<Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#base64\"/></Transforms>",
        ),
    ] {
        assert!(
            matches!(refused(&with(&document, from, to)), Error::Algorithm { role: found, .. } if found == role),
            "{role}"
        );
    }
}

#[test]
fn references_are_one_and_to_an_id_of_the_document() {
    let document = signed(&SigningOptions::default());
    let start = document.find("<Reference").unwrap();
    let end = document.find("</SignedInfo>").unwrap();
    let reference = &document[start..end];
    assert_eq!(refused(&with(&document, reference, &reference.repeat(2))), Error::References { found: 2 });
    assert_eq!(refused(&with(&document, reference, "")), Error::References { found: 0 });
    for uri in [
        "",
        "#",
        "file:///etc/passwd",
        "http://example.org/#xmldoc",
        "#xpointer(/)",
        "#xpointer(id('xmldoc'))",
        "other.xml",
    ] {
        let changed = with(&document, "URI=\"#xmldoc\"", &format!("URI=\"{uri}\""));
        assert_eq!(refused(&changed), Error::ExternalReference { found: uri.into() });
    }
    assert_eq!(refused(&with(&document, " URI=\"#xmldoc\"", "")), Error::ExternalReference { found: String::new() });
}

#[test]
fn a_mac_has_at_least_128_bits() {
    let document = signed(&SigningOptions::default());
    let method = "<SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#hmac-sha256\"";
    let rest = if document.contains(&format!("{method}/>")) { "/>" } else { "></SignatureMethod>" };
    let of_length = |bits: &str| {
        let to = format!("{method}><HMACOutputLength>{bits}</HMACOutputLength></SignatureMethod>");
        with(&document, &format!("{method}{rest}"), &to)
    };
    let truncated = |document: &str, octets: usize| {
        use base64::Engine as _;
        let engine = base64::engine::general_purpose::STANDARD;
        let document = again(document);
        let start = document.find("<SignatureValue>").unwrap() + "<SignatureValue>".len();
        let end = document.find("</SignatureValue>").unwrap();
        let mac = engine.decode(&document[start..end]).unwrap();
        [&document[..start], &engine.encode(&mac[..octets]), &document[end..]].concat()
    };
    for (bits, octets) in [("128", 16), ("160", 20), ("256", 32)] {
        check(&truncated(&of_length(bits), octets), &[&key()]).unwrap();
    }
    for (bits, octets) in [("0", 0), ("8", 1), ("80", 10), ("120", 15), ("127", 15)] {
        assert_eq!(refused(&truncated(&of_length(bits), octets)), Error::Truncated { bits: bits.parse().unwrap() });
    }
    for (bits, octets) in [("128", 32), ("256", 16), ("129", 16), ("264", 32), ("many", 32), ("-128", 16)] {
        assert!(matches!(refused(&truncated(&of_length(bits), octets)), Error::Malformed { .. }), "{bits} {octets}");
    }
    // Shorter than it claims to be.
    assert!(matches!(refused(&truncated(&document, 16)), Error::Malformed { .. }));
}

#[test]
fn a_signature_is_not_moved_to_another_element() {
    let document = signed(&SigningOptions::default());
    let start = document.find("<Letter").unwrap();
    let end = document.find("</Letter>").unwrap() + "</Letter>".len();
    let letter = &document[start..end];
    let evil = letter.replace("Id=\"xmldoc\"", "Id=\"evil\"").replace("alice", "mallory");
    // The signed element stays somewhere in the document, another one stands in its place.
    for wrapped in [
        format!("{evil}<Old>{letter}</Old>"),
        format!("{}<Old>{letter}</Old>", evil.replace("Id=\"evil\"", "")),
        format!("{}{letter}</Letter>", evil.strip_suffix("</Letter>").unwrap()),
    ] {
        assert_eq!(refused(&with(&document, letter, &wrapped)), Error::OtherElement { id: "xmldoc".into() });
    }
    // Both have the Id: whichever a reader takes, it is refused.
    let twin = evil.replace("Id=\"evil\"", "Id=\"xmldoc\"");
    for id in ["Id=\"xmldoc\"", "ID=\"xmldoc\"", "id=\"xmldoc\"", "xml:id=\"xmldoc\""] {
        let twin = twin.replace("Id=\"xmldoc\"", id);
        for both in [format!("{twin}<Old>{letter}</Old>"), format!("{letter}{twin}")] {
            assert_eq!(refused(&with(&document, letter, &both)), Error::DuplicateId { id: "xmldoc".into() }, "{id}");
        }
    }
    // The signed element is hidden inside the signature itself.
    let object = format!("<Object>{letter}</Object></Signature>");
    let hidden = with(&with(&document, letter, &evil), "</Signature>", &object);
    assert!(matches!(refused(&hidden), Error::Malformed { .. }));
}

#[test]
fn the_enveloped_transform_is_there_where_the_signature_is_inside_and_nowhere_else() {
    let transform = |document: &str| {
        let start = document.find("<Transform ").unwrap();
        let end = document.find("</Transforms>").unwrap();
        document[start..end].to_owned()
    };
    let enveloped = signed(&SigningOptions { form: Form::Enveloped, ..SigningOptions::default() });
    let sibling = signed(&SigningOptions::default());
    let swapped = again(&with(&enveloped, &transform(&enveloped), &transform(&sibling)));
    assert!(matches!(refused(&swapped), Error::Malformed { problem } if problem.contains("without")));
    let swapped = again(&with(&sibling, &transform(&sibling), &transform(&enveloped)));
    assert!(matches!(refused(&swapped), Error::Malformed { problem } if problem.contains("not inside")));
}

#[test]
fn line_ends_are_those_of_xml_whatever_the_system_writes() {
    for options in every_option() {
        let on_windows = signed(&options).replace('\n', "\r\n");
        check(&on_windows, &[&key()]).unwrap_or_else(|error| panic!("{options:?}: {error}"));
    }
}

#[test]
fn a_reference_without_transforms_is_canonicalized_without_comments() {
    let document = signed(&SigningOptions::default());
    let start = document.find("<Transforms>").unwrap();
    let end = document.find("</Transforms>").unwrap() + "</Transforms>".len();
    check(&again(&with(&document, &document[start..end], "")), &[&key()]).unwrap();
}

#[test]
fn what_does_not_belong_into_a_signature_is_refused() {
    let document = signed(&SigningOptions::default());
    for (from, to) in [
        ("<Signature xmlns=\"http://www.w3.org/2000/09/xmldsig#\">", "<Signature>"),
        ("<SignedInfo>", "<SignedInfo>text"),
        ("<SignedInfo>", "<SignedInfo xmlns=\"urn:other\">"),
        ("<SignatureValue>", "<SignatureValue><b/>"),
        ("<SignatureValue>", "<SignatureValue>*"),
        ("<KeyInfo>", "<KeyInfo><KeyValue/>"),
        ("<KeyInfo>", "<KeyInfo/><KeyInfo>"),
        ("</Reference>", "<Manifest/></Reference>"),
        ("<SignedInfo>", "<Object/><SignedInfo>"),
        ("</DigestValue>", "<b/></DigestValue>"),
    ] {
        let error = refused(&with(&document, from, to));
        assert!(matches!(error, Error::Malformed { .. } | Error::NoKeyName), "{from} {to}: {error}");
    }
    let c14n = format!("<CanonicalizationMethod Algorithm=\"{}\"", Canonicalization::Exclusive.uri());
    let exclusive =
        signed(&SigningOptions { canonicalization: Canonicalization::Exclusive, ..SigningOptions::default() });
    let rest = if exclusive.contains(&format!("{c14n}/>")) { "/>" } else { "></CanonicalizationMethod>" };
    let prefixes = format!(
        "{c14n}><InclusiveNamespaces xmlns=\"http://www.w3.org/2001/10/xml-exc-c14n#\" PrefixList=\"s\"/></CanonicalizationMethod>"
    );
    assert!(matches!(refused(&with(&exclusive, &format!("{c14n}{rest}"), &prefixes)), Error::Malformed { .. }));
}

#[test]
fn errors_show_no_key() {
    let document = signed(&SigningOptions::default());
    let texts = [
        check(&document, &[&NamedKey::new(KEY_NAME, &[0x5b; 32]).unwrap()]).unwrap_err().to_string(),
        unwrap(&key(), &[0; 40]).unwrap_err().to_string(),
        format!("{:?}", key()),
    ];
    assert!(texts.iter().all(|text| !text.contains("5a5a") && !text.contains("WlpaWl") && !text.contains("90, 90")));
}

// Against xmlsec1.

fn xmlsec1(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new("xmlsec1").args(arguments).current_dir(folder).output().expect("xmlsec1 starts");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn folder_with_key() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("key.bin"), [0x5a; 32]).unwrap();
    folder
}

/// Which elements have an attribute Id: xmlsec1 reads no schema.
const IDS: [&str; 4] = ["--id-attr:Id", "urn:l:Letter", "--id-attr:Id", "urn:s:Signed"];

fn xmlsec1_verifies(document: &str) -> (bool, String) {
    let folder = folder_with_key();
    fs::write(folder.path().join("signed.xml"), document).unwrap();
    let key = format!("--hmackey:{KEY_NAME}");
    xmlsec1(folder.path(), &[&["--verify", &key, "key.bin"][..], &IDS, &["signed.xml"]].concat())
}

#[test]
fn xmlsec1_verifies_what_is_signed_and_finds_changes() {
    if !peer("xmlsec1") {
        return;
    }
    for options in every_option() {
        let document = signed(&options);
        let (good, said) = xmlsec1_verifies(&document);
        assert!(good, "{options:?}: {said}");
        let (good, _) = xmlsec1_verifies(&with(&document, "</Letter>", "!</Letter>"));
        assert!(!good, "{options:?}");
    }
}

/// The document with a template of a signature, as xmlsec1 fills it in.
fn template(options: &SigningOptions, hmac_output_length: &str) -> String {
    let document = signed(options);
    let empty = |document: &str, name: &str| {
        let start = document.find(&format!("<{name}>")).unwrap() + name.len() + 2;
        let end = document.find(&format!("</{name}>")).unwrap();
        [&document[..start], &document[end..]].concat()
    };
    let method = "xmldsig-more#hmac-sha256\"";
    let document = empty(&empty(&document, "DigestValue"), "SignatureValue");
    let at = document.find(method).unwrap() + method.len();
    let rest = document[at..].find("<Reference").unwrap();
    let method_content = if hmac_output_length.is_empty() {
        "></SignatureMethod>".to_owned()
    } else {
        format!("><HMACOutputLength>{hmac_output_length}</HMACOutputLength></SignatureMethod>")
    };
    [&document[..at], &method_content, &document[at + rest..]].concat()
}

fn xmlsec1_signs(template: &str) -> String {
    let folder = folder_with_key();
    fs::write(folder.path().join("template.xml"), template).unwrap();
    let key = format!("--hmackey:{KEY_NAME}");
    let (good, said) = xmlsec1(
        folder.path(),
        &[&["--sign", &key, "key.bin", "--output", "signed.xml"][..], &IDS, &["template.xml"]].concat(),
    );
    assert!(good, "{said}");
    fs::read_to_string(folder.path().join("signed.xml")).unwrap()
}

#[test]
fn what_xmlsec1_signs_is_verified() {
    if !peer("xmlsec1") {
        return;
    }
    for options in every_option() {
        for bits in ["", "128", "256"] {
            let document = xmlsec1_signs(&template(&options, bits));
            check(&document, &[&key()]).unwrap_or_else(|error| panic!("{options:?} {bits}: {error}\n{document}"));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Canonicalization agrees with that of another implementation on documents of any make.
    #[test]
    fn xmlsec1_agrees_on_any_content(
        texts in prop::collection::vec("[ -~\u{e9}\u{20ac}\t\n]{0,20}", 1..6),
        attribute in "[ -~\u{e9}]{0,20}",
        form in 0_usize..8,
    ) {
        prop_assume!(peer("xmlsec1"));
        let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        let content: String = texts
            .iter()
            .enumerate()
            .map(|(i, text)| format!("<n{i}:e xmlns:n{i}=\"urn:{}\" n{i}:b=\"{}\">{}<!-- - --></n{i}:e>", i % 2, escaped(&attribute), escaped(text)))
            .collect();
        let options = every_option()[form];
        let id = |wanted| if options.form == wanted { " Id=\"xmldoc\"" } else { "" };
        let document = format!(
            "<s:Signed xmlns:s=\"urn:s\"{}><Letter xmlns=\"urn:l\"{} a=\"{}\">{content}</Letter></s:Signed>",
            id(Form::Enveloped), id(Form::Sibling), escaped(&attribute),
        );
        let document = sign(&document, "xmldoc", &key(), &options).unwrap();
        check(&document, &[&key()]).unwrap();
        let (good, said) = xmlsec1_verifies(&document);
        prop_assert!(good, "{options:?}: {said}\n{}", *document);
    }

    #[test]
    fn altered_documents_do_not_panic_and_never_verify_with_other_content(
        form in 0_usize..8, at: prop::sample::Index, octet: u8,
    ) {
        let original = signed(&every_option()[form]);
        let mut octets = original.clone().into_bytes();
        let at = at.index(octets.len());
        octets[at] = octet;
        let Ok(text) = String::from_utf8(octets) else { return Ok(()) };
        let Ok(dom) = uppsala::parse(&text) else { return Ok(()) };
        let root = dom.document_element().unwrap();
        let children = dom.children(root);
        let named = |name: &str| children.iter().copied().find(|&node| dom.element(node).is_some_and(|e| e.name.local_name == name));
        let (Some(letter), Some(signature)) = (named("Letter"), named("Signature")) else { return Ok(()) };
        if let Ok(verified) = verify(&dom, signature, &[letter, root], &[], &[&key()]) {
            // What is left out of the digest: white space and comments around, the prolog, the signature's own form.
            let before = uppsala::parse(&original).unwrap();
            prop_assert_eq!(
                dom.text_content_deep(letter),
                before.text_content_deep(parts(&before).1),
                "{}", verified.key_name
            );
        }
    }
}

/// An EncryptedKey as the KMS interface has it, in a document of its own.
fn encrypted_key(value: &str) -> String {
    format!(
        "<EncryptedKey xmlns=\"http://www.w3.org/2001/04/xmlenc#\"><EncryptionMethod \
         Algorithm=\"http://www.w3.org/2001/04/xmlenc#kw-aes256\"/><ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">\
         <ds:KeyName>tk.1</ds:KeyName></ds:KeyInfo><CipherData><CipherValue>{value}</CipherValue></CipherData></EncryptedKey>"
    )
}

#[test]
fn xmlsec1_unwraps_what_is_wrapped_and_wraps_what_is_unwrapped() {
    use base64::Engine as _;
    if !peer("xmlsec1") {
        return;
    }
    let base64 = base64::engine::general_purpose::STANDARD;
    let trk = NamedKey::new("tk.1", &[0x5a; 32]).unwrap();
    let secret: Vec<u8> = (0..32).collect();
    let data_key = NamedKey::new("data", &secret).unwrap();

    // xmlsec1 unwraps an EncryptedKey only to open data with it: data that it encrypted itself under a fresh AES-256 key.
    let folder = folder_with_key();
    let template = format!(
        "<EncryptedData xmlns=\"http://www.w3.org/2001/04/xmlenc#\">\
         <EncryptionMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#aes256-cbc\"/>\
         <ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">{}</ds:KeyInfo>\
         <CipherData><CipherValue/></CipherData></EncryptedData>",
        encrypted_key("")
    );
    fs::write(folder.path().join("template.xml"), template).unwrap();
    fs::write(folder.path().join("data.bin"), b"the secret text").unwrap();
    let (good, said) = xmlsec1(
        folder.path(),
        &[
            "--encrypt",
            "--aeskey:tk.1",
            "key.bin",
            "--session-key",
            "aes-256",
            "--binary-data",
            "data.bin",
            "--output",
            "encrypted.xml",
            "template.xml",
        ],
    );
    assert!(good, "{said}");
    let encrypted = fs::read_to_string(folder.path().join("encrypted.xml")).unwrap();
    let start = encrypted.find("<CipherValue>").unwrap() + "<CipherValue>".len();
    let end = encrypted.find("</CipherValue>").unwrap();
    let compact: String = encrypted[start..end].split_whitespace().collect();
    let session_key = unwrap(&trk, &base64.decode(compact).unwrap()).expect("what xmlsec1 wraps is unwrapped");
    assert_eq!(session_key.len(), 32);

    // The same key wrapped here, in place of its own wrapping.
    let wrapped = base64.encode(wrap(&trk, &session_key, KeyWrapping::Plain).unwrap());
    let ours = [&encrypted[..start], &wrapped, &encrypted[end..]].concat();
    fs::write(folder.path().join("ours.xml"), ours).unwrap();
    let (good, said) =
        xmlsec1(folder.path(), &["--decrypt", "--aeskey:tk.1", "key.bin", "--output", "opened", "ours.xml"]);
    assert!(good, "{said}");
    assert_eq!(fs::read(folder.path().join("opened")).unwrap(), b"the secret text");

    // And a wrong one is not taken.
    let wrapped = base64.encode(wrap(&trk, data_key.octets(), KeyWrapping::Plain).unwrap());
    let wrong = [&encrypted[..start], &wrapped, &encrypted[end..]].concat();
    fs::write(folder.path().join("wrong.xml"), wrong).unwrap();
    let (good, _) =
        xmlsec1(folder.path(), &["--decrypt", "--aeskey:tk.1", "key.bin", "--output", "wrong", "wrong.xml"]);
    assert!(!good || fs::read(folder.path().join("wrong")).unwrap() != b"the secret text");
}
