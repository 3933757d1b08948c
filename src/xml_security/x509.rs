//! X.509 certificates of those who sign with ECDSA on P-256 and SHA-256.

use super::Error;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use core::fmt;
use core::time::Duration;
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::aws_lc_rs::ECDSA_P256_SHA256;
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter, anchor_from_trusted_cert};

/// A private key on P-256 with its certificate. `Debug` shows neither.
pub struct X509Signer {
    certificate: Vec<u8>,
    key: EcdsaKeyPair,
}

impl X509Signer {
    /// A certificate in DER and its private key in PKCS #8, DER.
    ///
    /// # Errors
    /// [`Error::BadPrivateKey`] for a key that is none of P-256, or another than the certificate's; [`Error::BadCertificate`].
    pub fn new(certificate: &[u8], private_key: &[u8]) -> Result<Self, Error> {
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, private_key)
            .map_err(|_| Error::BadPrivateKey("it is no key of P-256 in PKCS #8"))?;
        let signer = X509Signer { certificate: certificate.to_vec(), key };
        const PROBE: &[u8] = b"is this key that of the certificate?";
        match verify_ecdsa(certificate, PROBE, &signer.sign(PROBE)?) {
            Err(Error::WrongSignature) => Err(Error::BadPrivateKey("it is not that of the certificate")),
            other => other.map(|()| signer),
        }
    }

    /// The certificate, in DER.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// r and s, 32 octets each, with randomness of the cryptographic library's own.
    pub(super) fn sign(&self, octets: &[u8]) -> Result<Vec<u8>, Error> {
        let signature = self.key.sign(&SystemRandom::new(), octets);
        Ok(signature.map_err(|_| Error::BadPrivateKey("it does not sign"))?.as_ref().to_vec())
    }
}

impl fmt::Debug for X509Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("X509Signer").finish_non_exhaustive()
    }
}

/// Whose signatures are believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct X509Trust {
    certificates: Vec<Vec<u8>>,
}

impl X509Trust {
    /// Certificates in DER, of signers or of authorities. A signer's own is trusted as it stands, whatever its dates and usages;
    /// an authority's vouches for the certificates that it issued directly, while they are valid.
    ///
    /// # Errors
    /// [`Error::BadCertificate`].
    pub fn new(certificates: Vec<Vec<u8>>) -> Result<Self, Error> {
        for certificate in &certificates {
            end_entity(&CertificateDer::from(certificate.as_slice()))?;
        }
        Ok(X509Trust { certificates })
    }

    pub(super) fn require(&self, certificate: &[u8], since_1970: Duration) -> Result<(), Error> {
        if self.certificates.iter().any(|trusted| trusted == certificate) {
            return Ok(());
        }
        let der = CertificateDer::from(certificate);
        let signer = end_entity(&der)?;
        let authorities: Vec<CertificateDer<'_>> =
            self.certificates.iter().map(|trusted| CertificateDer::from(trusted.as_slice())).collect();
        let anchors: Vec<TrustAnchor<'_>> =
            authorities.iter().filter_map(|authority| anchor_from_trusted_cert(authority).ok()).collect();
        let time = UnixTime::since_unix_epoch(since_1970);
        signer
            .verify_for_usage(webpki::ALL_VERIFICATION_ALGS, &anchors, &[], time, AnyUsage, None, None)
            .map(|_| ())
            .map_err(|error| Error::UntrustedCertificate { problem: error.to_string() })
    }
}

/// The specification names no extended key usage for signers.
struct AnyUsage;

impl ExtendedKeyUsageValidator for AnyUsage {
    fn validate(&self, _: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}

/// Checks r and s under the key of a certificate.
pub(super) fn verify_ecdsa(certificate: &[u8], octets: &[u8], signature: &[u8]) -> Result<(), Error> {
    let der = CertificateDer::from(certificate);
    let signer = end_entity(&der)?;
    let (r, s) = signature.split_at_checked(signature.len() / 2).ok_or(Error::WrongSignature)?;
    let sequence = der_element(0x30, &[der_integer(r), der_integer(s)].concat());
    match signer.verify_signature(ECDSA_P256_SHA256, octets, &sequence) {
        Ok(()) => Ok(()),
        Err(webpki::Error::InvalidSignatureForPublicKey) => Err(Error::WrongSignature),
        Err(error) => Err(Error::BadCertificate { problem: format!("{error}") }),
    }
}

fn end_entity<'c>(certificate: &'c CertificateDer<'_>) -> Result<EndEntityCert<'c>, Error> {
    EndEntityCert::try_from(certificate).map_err(|error| Error::BadCertificate { problem: format!("{error}") })
}

/// An unsigned number as the shortest INTEGER.
fn der_integer(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|octet| **octet == 0).count();
    let mut content = Vec::with_capacity(number.len() + 1);
    let significant = number.get(zeros..).unwrap_or_default();
    if significant.first().is_none_or(|octet| octet & 0x80 != 0) {
        content.push(0);
    }
    content.extend_from_slice(significant);
    der_element(0x02, &content)
}

/// An element of at most 127 octets, as all of an ECDSA signature on P-256 are.
fn der_element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut element = Vec::with_capacity(content.len() + 2);
    element.push(tag);
    element.push(content.len() as u8);
    element.extend_from_slice(content);
    element
}
