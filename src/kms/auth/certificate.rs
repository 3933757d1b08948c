//! Mutual TLS: who shows which certificate.

use super::Identities;
use super::trust::{Trust, pins};
use crate::kms::config::{ClientCertificates, PinnedCertificate};
use crate::kms::hash::Hash;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, RootCertStore, SignatureScheme};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use thiserror::Error;
use webpki::EndEntityCert;

/// Why a certificate that a client has shown stands for nobody.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum CertificateFault {
    /// It names nobody.
    #[error("it has no URI among its names (subjectAltName), nor is it listed in auth.certificates.pinned with one")]
    NoUri,
    /// It was taken when the connection was made, and is not now: it has expired, or the configuration has changed.
    #[error("it is not taken any more: {0}")]
    NotTaken(rustls::Error),
    /// The KMS was told to take none since the connection was made.
    #[error("this KMS takes no certificates of clients any more")]
    NoneTaken,
}

/// Takes the certificates of the configured authorities, and the pinned ones. A client need not have any.
#[derive(Debug)]
pub(in crate::kms) struct CertificateHolders {
    authorities: Option<Arc<dyn ClientCertVerifier>>,
    /// Of the file of authorities.
    fingerprint: Option<Hash>,
    pin_fingerprint: Option<Hash>,
    pinned: Vec<PinnedCertificate>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl CertificateHolders {
    /// Fails with the file that cannot be used, and why.
    pub(in crate::kms) fn new(config: &ClientCertificates) -> Result<Self, (PathBuf, String)> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let algorithms = provider.signature_verification_algorithms;
        let mut fingerprint = None;
        let authorities = match &config.ca {
            None => None,
            Some(path) => {
                let wrong = |problem: String| (path.clone(), problem);
                let pem = fs::read(path).map_err(|error| wrong(error.to_string()))?;
                fingerprint = Some(Hash::of(&pem));
                let mut roots = RootCertStore::empty();
                for certificate in CertificateDer::pem_slice_iter(&pem) {
                    let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
                    roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                Some(verifier.build().map_err(|error| wrong(error.to_string()))?)
            }
        };
        let pin_fingerprint = pins(config);
        Ok(Self { authorities, fingerprint, pin_fingerprint, pinned: config.pinned.clone(), algorithms })
    }

    /// The same trust with that in these certificates.
    pub(in crate::kms) fn add_to(&self, trust: Trust) -> Trust {
        let text = |hash: Option<Hash>| hash.map(|hash| hash.to_string());
        Trust { client_ca: text(self.fingerprint), pinned: text(self.pin_fingerprint), ..trust }
    }

    /// The holder of a certificate, with those that lead to its authority, if it is taken at this time.
    pub(in crate::kms) fn holder_of_chain(&self, chain: &[CertificateDer<'_>]) -> Result<Identities, CertificateFault> {
        let (certificate, intermediates) = chain.split_first().ok_or(CertificateFault::NoUri)?;
        self.verify_client_cert(certificate, intermediates, UnixTime::now()).map_err(CertificateFault::NotTaken)?;
        let uris = match self.pinned(certificate) {
            Some(pinned) => pinned.uris.clone(),
            None => {
                let parsed = EndEntityCert::try_from(certificate).map_err(|_| CertificateFault::NoUri)?;
                parsed.valid_uri_names().map(str::to_owned).collect()
            }
        };
        Identities::of(uris).ok_or(CertificateFault::NoUri)
    }

    fn pinned(&self, certificate: &CertificateDer<'_>) -> Option<&PinnedCertificate> {
        let Hash(sha256) = Hash::of(certificate);
        self.pinned.iter().find(|pinned| pinned.sha256 == sha256)
    }
}

impl ClientCertVerifier for CertificateHolders {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        // A client with a pinned certificate shall not hold it back because its issuer is not listed.
        match &self.authorities {
            Some(authorities) if self.pinned.is_empty() => authorities.root_hint_subjects(),
            _ => &[],
        }
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        if self.pinned(end_entity).is_some() {
            return Ok(ClientCertVerified::assertion());
        }
        match &self.authorities {
            Some(authorities) => authorities.verify_client_cert(end_entity, intermediates, now),
            None => Err(CertificateError::UnknownIssuer.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
