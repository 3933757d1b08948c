//! Any octets as a KMS redirect response, in a request and as the certificate of a KMS: no panic, no unbounded work, and what is
//! read is handed on and read alike. Any octets as an X.509 certificate and as a signature under one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mikey_sakke::kms_protocol::{
    KmsCertificate, KmsRedirectResponse, KmsRequest, Limits, RedirectDocument, SignatureStatus,
};
use mikey_sakke::xml_security::X509Trust;
use std::time::Duration;

const NOW: Duration = Duration::from_secs(1_772_352_000);

fuzz_target!(|data: &[u8]| {
    let limits = Limits::default();
    // Escapes may make a text longer, and the element around an embedded document makes it deeper.
    let large = Limits { max_depth: 32, ..Limits::with_max_bytes(1 << 20) };
    if let Ok(document) = RedirectDocument::from_xml(data, &limits) {
        check(&document);
        // Written anew it says the same, as far as it is not signed.
        let again = RedirectDocument::from_xml(document.content().to_xml().as_bytes(), &large).expect("own text is read");
        assert_eq!(again.content(), document.content());
        let fewer = KmsRedirectResponse::narrowed(
            document,
            "sip:processor@example.org",
            time::OffsetDateTime::UNIX_EPOCH,
            Vec::new(),
        );
        if let Ok(fewer) = fewer {
            RedirectDocument::from_xml(fewer.to_xml().as_bytes(), &large).expect("a chain is read");
        }
    }
    if let Ok(received) = KmsRequest::from_xml(data, &limits) {
        for document in &received.document().krr_list {
            check(document);
            let again = RedirectDocument::from_handed_in(document.xml(), &limits).expect("what was read is read again");
            assert_eq!(&again, document);
        }
    }
    if let Ok(certificate) = KmsCertificate::from_xml(data, &limits) {
        let unsigned = KmsCertificate { signature: SignatureStatus::Absent, ..certificate };
        let again = KmsCertificate::from_xml(unsigned.to_xml().as_bytes(), &large).expect("own text is read");
        assert_eq!(again, unsigned);
    }
    let _ = X509Trust::new(vec![data.to_vec()]);
});

/// Nobody is trusted here: nothing may verify.
fn check(document: &RedirectDocument) {
    if let Ok(verified) = document.clone().verified(&X509Trust::default(), NOW) {
        assert!(!matches!(verified.signature(), SignatureStatus::Verified { .. }));
    }
}
