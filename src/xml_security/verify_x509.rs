use super::Error;
use super::key_info::certificate;
use super::signed_info::{Method, Signature};
use super::verify::signed_element;
use super::x509::{X509Trust, verify_ecdsa};
use alloc::vec::Vec;
use core::time::Duration;
use uppsala::{Document, NodeId};

/// What a signature under a certificate was found to vouch for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedX509 {
    /// The element that is signed, comments in it excepted: one of the candidates.
    pub element: NodeId,
    /// The signer's certificate, in DER.
    pub certificate: Vec<u8>,
}

/// As [`verify`](super::verify), for a signature by ECDSA with SHA-256 under the certificate in its KeyInfo (TS 33.180 D.4.2).
/// `since_1970` is the present time.
///
/// # Errors
/// In this order: [`Error::Malformed`], [`Error::References`], [`Error::Algorithm`], [`Error::ExternalReference`];
/// [`Error::NoCertificate`]; [`Error::BadCertificate`], [`Error::UntrustedCertificate`]; [`Error::WrongSignature`];
/// [`Error::DuplicateId`]; [`Error::OtherElement`]; [`Error::WrongDigest`].
pub fn verify_x509(
    dom: &Document<'_>,
    signature: NodeId,
    candidates: &[NodeId],
    embedded: &[NodeId],
    trust: &X509Trust,
    since_1970: Duration,
) -> Result<VerifiedX509, Error> {
    let signed = Signature::read(dom, signature, Method::EcdsaSha256)?;
    let certificate = certificate(dom, signed.key_info)?;
    trust.require(&certificate, since_1970)?;
    let octets = signed.canonicalization.octets(dom, signed.signed_info)?;
    verify_ecdsa(&certificate, &octets, &signed.value)?;
    Ok(VerifiedX509 { element: signed_element(dom, signature, &signed, candidates, embedded)?, certificate })
}
