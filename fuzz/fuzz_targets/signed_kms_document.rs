//! Any octets as a signed KMS document, in the place of one, and inside of one: no panic, no unbounded work, what is signed is
//! verified, and what is verified is what was signed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mikey_sakke::kms_protocol::{ClientKeys, KmsRequest, KmsResponse, Limits, SignatureStatus, WriteOptions};
use mikey_sakke::xml_security::{Canonicalization, Form, NamedKey, SigningOptions, unwrap};

const KEY_NAME: &str = "ink.1.alice@example.org";
const LETTER: &str = "<SignedKmsResponse xmlns=\"urn:3gpp:ns:mcsecKMSInterface:1.0\"><KmsResponse Id=\"xmldoc\">\
    <UserUri>sip:alice@example.org</UserUri><KmsUri>kms.example.org</KmsUri><Time>2026-03-01T08:00:00Z</Time>\
    <ClientReqUrl>https://kms.example.org/</ClientReqUrl><KmsMessage><KmsKeyProv/></KmsMessage>\
    </KmsResponse></SignedKmsResponse>";

fuzz_target!(|data: &[u8]| {
    let key = NamedKey::new(KEY_NAME, &[7; 32]).expect("a key");
    let limits = Limits::default();
    let large = Limits::with_max_bytes(1 << 20);

    let _ = KmsRequest::from_body_with_keys(data, &limits, &[&key]);
    if let Ok(received) = KmsResponse::from_xml_with_keys(data, &limits, &[&key]) {
        let (mut response, _) = received.into_parts();
        let _ = response.unwrap_keys(&key);
        let keys = ClientKeys {
            user_uri: String::new(),
            kms_uri: String::new(),
            transport: key.clone(),
            integrity: None,
        };
        let _ = response.new_keys(&keys);
    }
    let _ = unwrap(&key, data);
    let _ = ClientKeys::from_files(data, Some(data));

    let (choice, piece) = data.split_at(data.len().min(3));
    let &[form, at_high, at_low] = choice else { return };
    let signing = SigningOptions {
        form: if form & 4 == 0 { Form::Sibling } else { Form::Enveloped },
        canonicalization: Canonicalization::ALL[usize::from(form & 3)],
    };

    // What can be read can be signed, and is then verified.
    if let Ok(received) = KmsResponse::from_xml(piece, &limits) {
        let (response, _) = received.into_parts();
        let text = response.to_signed_xml(&WriteOptions::default(), &key, &signing).expect("own text is signed");
        let again = KmsResponse::from_xml_with_keys(text.as_bytes(), &large, &[&key]).expect("own text is verified");
        assert!(matches!(again.signature(), SignatureStatus::Verified { .. }));
    }

    // A piece inside of a signed document.
    let (original, _) = KmsResponse::from_xml(LETTER.as_bytes(), &limits).expect("a response").into_parts();
    let signed = original.to_signed_xml(&WriteOptions::default(), &key, &signing).expect("it is signed");
    let at = usize::from(u16::from_be_bytes([at_high, at_low])) % (signed.len() + 1);
    let bent = [&signed.as_bytes()[..at], piece, &signed.as_bytes()[at..]].concat();
    if let Ok(received) = KmsResponse::from_xml_with_keys(&bent, &large, &[&key])
        && matches!(received.signature(), SignatureStatus::Verified { .. })
    {
        assert_eq!(received.document(), &original);
    }
});
