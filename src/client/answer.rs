//! What a KMS answers, checked for what it is.

use super::Error;
use super::protection::{Protected, Protection, unusable};
use crate::kms_protocol::{self, KmsCertCache, KmsInit, KmsKeyProv, KmsMessage, KmsResponse, Limits};
use time::OffsetDateTime;

pub(super) const INIT: &str = "init";
pub(super) const KEY_PROV: &str = "keyprov";
pub(super) const CERT_CACHE: &str = "certcache";

/// A KMS's answer of the kind that was asked for, neither an error nor of doubtful signature.
pub(super) struct Answer<T> {
    pub(super) user_uri: String,
    pub(super) kms_uri: String,
    pub(super) client_req_url: String,
    pub(super) time: OffsetDateTime,
    pub(super) content: T,
    pub(super) protected: Option<Protected>,
}

impl Answer<KmsInit> {
    pub(super) fn init(document: &[u8], limits: &Limits, protection: Protection<'_>) -> Result<Self, Error> {
        Self::read(INIT, document, limits, protection, KmsMessage::into_init)
    }
}

impl Answer<KmsKeyProv> {
    pub(super) fn key_prov(document: &[u8], limits: &Limits, protection: Protection<'_>) -> Result<Self, Error> {
        Self::read(KEY_PROV, document, limits, protection, KmsMessage::into_key_prov)
    }
}

impl Answer<KmsCertCache> {
    pub(super) fn cert_cache(document: &[u8], limits: &Limits, protection: Protection<'_>) -> Result<Self, Error> {
        Self::read(CERT_CACHE, document, limits, protection, KmsMessage::into_cert_cache)
    }
}

impl<T> Answer<T> {
    fn read(
        request: &'static str,
        document: &[u8],
        limits: &Limits,
        protection: Protection<'_>,
        content: impl FnOnce(KmsMessage) -> Result<T, kms_protocol::Error>,
    ) -> Result<Self, Error> {
        let (response, protected) = protection.read(request, document, limits)?;
        let KmsResponse { user_uri, kms_uri, client_req_url, time, .. } = &response;
        let (user_uri, kms_uri) = (user_uri.clone(), kms_uri.clone());
        let (client_req_url, time) = (client_req_url.clone(), *time);
        let content = response.into_message().and_then(content).map_err(|source| unusable(request, source))?;
        Ok(Self { user_uri, kms_uri, client_req_url, time, content, protected })
    }
}

pub(super) fn require_same_kms(place: &'static str, found: &str, expected: &str) -> Result<(), Error> {
    if found == expected {
        return Ok(());
    }
    Err(Error::OtherKms { place, found: found.to_owned(), expected: expected.to_owned() })
}
