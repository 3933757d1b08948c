//! The documents that go to files.

use crate::kms::config::Config;
use crate::kms::protection::Protection;
use crate::kms::{Error, State, calendar};
use crate::kms_protocol::resource::Resource;
use crate::kms_protocol::{KeyIds, KmsCertCache, KmsCertificate, KmsInit, KmsMessage, KmsResponse};
use std::time::SystemTime;
use zeroize::Zeroizing;

/// The certificate that is valid now.
pub(in crate::kms) fn init_message(state: &State, now: SystemTime) -> KmsMessage {
    KmsMessage::Init(KmsInit {
        certificate: state.authority.certificate_at(calendar::ntp(now)),
        new_transport_keys: Vec::new(),
        new_integrity_keys: Vec::new(),
    })
}

pub(in crate::kms) const CERT_CACHE: Resource = Resource::CertCache { number: None };

/// What keys of some periods need beside the certificate that is valid now.
pub(in crate::kms) fn further_certificates(state: &State, periods: &[u64], now: SystemTime) -> Vec<KmsCertificate> {
    let present = state.authority.certificate_at(calendar::ntp(now));
    state.authority.certificates_of(periods).into_iter().filter(|needed| *needed != present).collect()
}

/// Not all that the cache has: without its number, so that the client asks for the rest.
pub(in crate::kms) fn certificates_message(certificates: Vec<KmsCertificate>) -> KmsMessage {
    KmsMessage::CertCache(KmsCertCache { cache_num: None, certificates })
}

/// A message as the KMS would answer it to a client that asks for `resource`, in clear without `protection`.
pub(in crate::kms) fn document(
    state: &State,
    user_uri: &str,
    resource: &Resource,
    message: KmsMessage,
    protection: Option<Protection>,
    now: SystemTime,
) -> Result<Zeroizing<String>, Error> {
    let Config { kms_uri, documents, .. } = &state.config;
    let documents = *documents;
    let host = kms_uri.split_once("://").map_or(kms_uri.as_str(), |(_, rest)| rest);
    let mut response = KmsResponse {
        user_uri: user_uri.to_owned(),
        kms_uri: kms_uri.clone(),
        time: calendar::date(now),
        kms_id: None,
        client_req_url: resource.url(&format!("https://{host}")),
        message: Some(message),
        error: None,
        key_ids: KeyIds::default(),
    };
    match protection {
        Some(protection) => Ok(protection.write(&mut response, documents)?),
        None => Ok(response.to_xml(&documents.write_options())),
    }
}
