use super::sign::sign_by;
use super::{ECDSA_SHA256, Error, SigningOptions, X509Signer};
use alloc::string::String;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uppsala::XmlWriter;
use zeroize::Zeroizing;

/// As [`sign`](super::sign), by ECDSA with SHA-256, with the signer's certificate as KeyInfo (TS 33.180 D.4.2).
///
/// # Errors
/// [`Error::Unsignable`] as there; [`Error::BadPrivateKey`] if the random source fails.
pub fn sign_x509(
    document: &str,
    id: &str,
    signer: &X509Signer,
    options: &SigningOptions,
) -> Result<Zeroizing<String>, Error> {
    let key_info = |xml: &mut XmlWriter| {
        xml.start_element("X509Data", &[]);
        xml.start_element("X509Certificate", &[]);
        xml.text(&STANDARD.encode(signer.certificate()));
        xml.end_element("X509Certificate");
        xml.end_element("X509Data");
    };
    sign_by(document, id, options, ECDSA_SHA256, key_info, |dom, signed_info| {
        signer.sign(&options.canonicalization.octets(dom, signed_info)?)
    })
}
