//! What each resource answers with.

use super::App;
use super::exchange::Exchange;
use super::refusal::Refusal;
use crate::kms::config::KeySets;
use crate::kms::issue::{self, Grant};
use crate::kms::store::{ClientReport, MAX_REDIRECT_OCTETS, Sender, StoreError, UserStatus};
use crate::kms::{Error, admin, calendar, certificates};
use crate::kms_protocol::resource::Resource;
use crate::kms_protocol::{
    ClientError, ErrorCode, KmsCertCache, KmsCertificate, KmsKeyProv, KmsKeySet, KmsLookup, KmsMessage, KmsRequest,
    RedirectDocument, excerpt,
};
use crate::mikey::NtpTime;
use std::time::SystemTime;

/// What a request brings along for the KMS to keep.
#[derive(Debug, Default)]
pub(super) struct Uploads {
    error: Option<ClientError>,
    redirects: Vec<RedirectDocument>,
}

impl Uploads {
    /// An error may come with any request, redirect responses to `redirect` alone, which is there for nothing else.
    pub(super) fn of(document: Option<KmsRequest>, resource: &Resource) -> Result<Self, Refusal> {
        let malformed = |message: &str| Refusal::new(ErrorCode::MalformedDocument, message);
        let uploads = document
            .map_or_else(Self::default, |document| Self { error: document.client_error, redirects: document.krr_list });
        match (resource, uploads.redirects.is_empty()) {
            (Resource::Redirect, true) => Err(malformed("a KmsRequest with a KrrList is expected here")),
            (Resource::Redirect, false) | (_, true) => Ok(uploads),
            (_, false) => Err(malformed("a KrrList is taken at the resource redirect alone")),
        }
    }
}

impl App {
    /// The message of the answer; none where an upload was taken.
    pub(super) async fn message(
        &self,
        resource: Resource,
        grants: &[Grant],
        uploads: Uploads,
        exchange: &Exchange,
    ) -> Result<Option<KmsMessage>, Refusal> {
        self.keep(uploads, grants, exchange).await?;
        let message = match resource {
            Resource::Init => admin::init_message(&self.state, exchange.now),
            Resource::KeyProv { user_uri: _, time } => {
                let periods = self.periods(time, exchange.now)?;
                let key_sets = self.key_sets(grants, periods, exchange).await?;
                KmsMessage::KeyProv(KmsKeyProv { key_sets, ..KmsKeyProv::default() })
            }
            Resource::CertCache { number } => KmsMessage::CertCache(self.cache(number, exchange.now).await?),
            Resource::Cert { kms_uri } => KmsMessage::CertCache(self.certificates_of(&kms_uri, exchange.now).await?),
            Resource::Lookup { subject, .. } => KmsMessage::Lookup(self.lookup(subject).await?),
            Resource::Redirect => return Ok(None),
        };
        Ok(Some(message))
    }

    /// Where newer master secrets than this server has serve the next period, that of the present alone.
    async fn key_sets(
        &self,
        grants: &[Grant],
        mut periods: Vec<u64>,
        exchange: &Exchange,
    ) -> Result<Vec<KmsKeySet>, Error> {
        match issue::key_sets(&self.state, grants, &periods, exchange.act()).await {
            Err(Error::Store(StoreError::SecretsOutdated { first_period }))
                if periods.iter().any(|period| *period < first_period) =>
            {
                tracing::error!(
                    first_period,
                    "the KMS has rolled over: start the server anew, it has no keys from that period on"
                );
                periods.retain(|period| *period < first_period);
                issue::key_sets(&self.state, grants, &periods, exchange.act()).await
            }
            key_sets => key_sets,
        }
    }

    async fn keep(&self, uploads: Uploads, grants: &[Grant], exchange: &Exchange) -> Result<(), Refusal> {
        let Some(Grant { user_id, .. }) = grants.first() else { return Ok(()) };
        let store = &*self.state.store;
        let sender = Sender {
            received: calendar::unix_seconds(exchange.now),
            user_id: user_id.clone(),
            uri: exchange.found.user_uri.clone(),
            request_id: exchange.request_id.clone(),
        };
        let documents: Vec<String> = uploads.redirects.iter().map(|document| document.xml().to_owned()).collect();
        if documents.iter().any(|document| document.len() > MAX_REDIRECT_OCTETS) {
            let message = format!("a redirect response has at most {MAX_REDIRECT_OCTETS} octets");
            return Err(Refusal::new(ErrorCode::TooLarge, message));
        }
        if !documents.is_empty() {
            store.add_redirects(&sender, &documents, &exchange.act()).await.map_err(Error::from)?;
        }
        if let Some(ClientError { code, message }) = uploads.error {
            let report = ClientReport { sender, code, message };
            store.add_report(&report, &exchange.act()).await.map_err(Error::from)?;
        }
        Ok(())
    }

    /// All certificates of other KMSs, and of this one while it has several; none for a client that has the latest already.
    async fn cache(&self, held: Option<u64>, now: SystemTime) -> Result<KmsCertCache, Error> {
        let cache = self.state.store.certificates().await?;
        // Until this process has read the newest master secrets, its answer is not what the number stands for.
        let is_whole = cache.newest_generation <= self.state.authority.newest_generation();
        let cache_num = is_whole.then_some(cache.number);
        let mut certificates = Vec::new();
        if !is_whole || held != cache_num {
            certificates = self.own_certificates(now);
            if certificates.len() == 1 {
                // It comes with init, and there is nothing else to know.
                certificates.clear();
            }
            for other in &cache.certificates {
                certificates.push(certificates::restored(other)?);
            }
        }
        Ok(KmsCertCache { cache_num, certificates })
    }

    /// The certificates of a KMS, this one among them, or the one of a name (CertUri). The answer has no number, for it is not the
    /// whole cache.
    async fn certificates_of(&self, uri: &str, now: SystemTime) -> Result<KmsCertCache, Refusal> {
        let cache = self.state.store.certificates().await.map_err(Error::from)?;
        let mut certificates = self.own_certificates(now);
        for other in &cache.certificates {
            certificates.push(certificates::restored(other).map_err(Error::from)?);
        }
        let is_asked_for =
            |certificate: &KmsCertificate| certificate.kms_uri == uri || certificate.cert_uri.as_deref() == Some(uri);
        certificates.retain(is_asked_for);
        if certificates.is_empty() {
            let message = format!("there is no certificate of {}", excerpt(uri));
            return Err(Refusal::new(ErrorCode::UnknownCertificate, message));
        }
        Ok(KmsCertCache { cache_num: None, certificates })
    }

    fn own_certificates(&self, now: SystemTime) -> Vec<KmsCertificate> {
        self.state.authority.certificates_around(calendar::ntp(now))
    }

    /// A user of this KMS is served by it, whatever the URI; otherwise the domain decides.
    async fn lookup(&self, subject: String) -> Result<KmsLookup, Refusal> {
        let config = &self.state.config;
        let store = &*self.state.store;
        let user = store.user_of_uri(&subject).await.map_err(Error::from)?;
        let is_own_user = user.is_some_and(|user| user.status == UserStatus::Active);
        let domain = domain(&subject);
        let is_own_domain =
            domain.is_some_and(|domain| config.domains.iter().any(|own| own.eq_ignore_ascii_case(domain)));
        let kms_uri = match domain {
            _ if is_own_user || is_own_domain => Some(config.kms_uri.clone()),
            Some(domain) => store.kms_of_domain(domain).await.map_err(Error::from)?,
            None => None,
        };
        match kms_uri {
            Some(kms_uri) => Ok(KmsLookup { subject: Some(subject), kms_uris: vec![kms_uri] }),
            None => Err(Refusal::new(ErrorCode::UnknownDomain, format!("no KMS is known for {}", excerpt(&subject)))),
        }
    }

    fn periods(&self, time: Option<u64>, now: SystemTime) -> Result<Vec<u64>, Refusal> {
        let issued = issue::current_and_next(&self.state, now)?;
        let [current, next] = issued;
        let Some(time) = time else {
            return Ok(match self.state.config.documents.key_sets {
                KeySets::CurrentAndNext => issued.to_vec(),
                KeySets::Current => vec![current],
            });
        };
        match self.state.authority.period_at(NtpTime::from_bits(time)) {
            Ok(asked) if issued.contains(&asked) => Ok(vec![asked]),
            _ => {
                let message = format!("keys are given for the key periods {current} and {next} alone");
                Err(Refusal::new(ErrorCode::PeriodNotAvailable, message))
            }
        }
    }
}

/// The domain of a URI, or the text itself where it is no URI; a URI such as `tel:` has none.
fn domain(subject: &str) -> Option<&str> {
    let host = match subject.split_once("://") {
        Some((_, rest)) => rest.split(['/', '?', '#']).next().map(|authority| match authority.rsplit_once('@') {
            Some((_, host)) => host,
            None => authority,
        }),
        None => match subject.rsplit_once('@') {
            Some((_, rest)) => Some(rest),
            None if subject.contains(':') => None,
            None => Some(subject),
        },
    };
    host.and_then(|host| host.split([':', ';', '?', '/']).next()).filter(|host| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::domain;

    #[test]
    fn the_domain_of_a_uri_is_found() {
        for (subject, expected) in [
            ("example.org", Some("example.org")),
            ("sip:alice@example.org", Some("example.org")),
            ("sip:alice@example.org:5061;transport=tls?x=y", Some("example.org")),
            ("https://gms.example.org:8443/groups/1", Some("gms.example.org")),
            ("https://user@gms.example.org", Some("gms.example.org")),
            ("tel:+491234", None),
            ("sip:alice@", None),
            ("", None),
        ] {
            assert_eq!(domain(subject), expected, "{subject}");
        }
    }
}
