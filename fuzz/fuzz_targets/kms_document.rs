//! Any octets as a KMS request and response: no panic, no unbounded work, and what is read is written and read alike.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mikey_sakke::kms_protocol::{KmsRequest, KmsResponse, Limits, WriteOptions, resource::Resource};

fuzz_target!(|data: &[u8]| {
    let limits = Limits::default();
    if let Ok(received) = KmsResponse::from_xml(data, &limits) {
        let (mut response, _) = received.into_parts();
        strip_signatures(&mut response);
        let text = response.to_xml(&WriteOptions::default());
        // Escapes may make the text longer than what was read.
        let again = KmsResponse::from_xml(text.as_bytes(), &Limits::with_max_bytes(1 << 20)).expect("own text is read");
        assert_eq!(again.document(), &response);
    }
    if let Ok(Some(received)) = KmsRequest::from_body(data, &limits) {
        let text = received.document().to_xml();
        let again = KmsRequest::from_xml(text.as_bytes(), &Limits::with_max_bytes(1 << 20)).expect("own text is read");
        assert_eq!(again.document(), received.document());
    }
    if let Ok(path) = core::str::from_utf8(data)
        && let Ok(resource) = Resource::parse(path)
    {
        assert_eq!(Resource::parse(&resource.path()), Ok(resource));
    }
});

/// Writing leaves signatures out.
fn strip_signatures(response: &mut KmsResponse) {
    use mikey_sakke::kms_protocol::{KmsMessage, SignatureStatus};
    match &mut response.message {
        Some(KmsMessage::Init(init)) => init.certificate.signature = SignatureStatus::Absent,
        Some(KmsMessage::CertCache(cache)) => {
            for certificate in &mut cache.certificates {
                certificate.signature = SignatureStatus::Absent;
            }
        }
        _ => {}
    }
}
