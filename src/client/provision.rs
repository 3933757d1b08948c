//! Getting keys from a KMS over HTTPS.

use super::answer::{Answer, CERT_CACHE, INIT, KEY_PROV, require_same_kms};
use super::calendar::{date_time, ntp_time, unix_date, unix_seconds};
use super::complaint::complaint;
use super::http::{Answer as HttpAnswer, Credentials, Http, Transport};
use super::intake::Intake;
use super::protection::{Protection, are_newer, unusable};
use super::{Error, ImportReport, Store};
use crate::kms_protocol::resource::{Resource, UrlMatch, compare_request_url};
use crate::kms_protocol::{ClientError, ClientKeys, KeyIds, KmsKeyProv, KmsRequest, Limits};
use crate::mikey::NtpTime;
use crate::xml_security::SigningOptions;
use reqwest::Url;
use std::collections::BTreeMap;
use std::time::Instant;
use time::{Duration, OffsetDateTime};

/// How far the clocks of the servers of one KMS may be from each other.
const SERVERS_DIFFER: Duration = Duration::seconds(2);

/// Whose keys to get from where.
#[derive(Clone, Debug)]
pub struct ProvisionRequest {
    /// `https://host[:port]` of the KMS, with or without `/keymanagement/identity/v1`.
    pub kms_url: String,
    /// The user: one of the identities of the access token.
    pub user_uri: String,
    /// KmsUri that the KMS must have. Without it: whatever the store has, or what the KMS says of itself.
    pub kms_uri: Option<String>,
    /// How far the KMS's clock may be from this one, in seconds.
    pub time_tolerance: u64,
    /// The TrK and InK that were handed over for this client. Without them, or if the KMS has replaced them since: those of the store,
    /// if it has some.
    pub keys: Option<ClientKeys>,
    /// Tell the KMS what is wrong with an answer that cannot be used (`ClientError`), so that its operator learns of it.
    pub complain: bool,
    /// How the KMS is reached.
    pub transport: Transport,
}

impl ProvisionRequest {
    /// Ordinary terms: the system's trust anchors, no proxy, clocks within five minutes.
    pub fn new(kms_url: impl Into<String>, user_uri: impl Into<String>) -> Self {
        Self {
            kms_url: kms_url.into(),
            user_uri: user_uri.into(),
            kms_uri: None,
            time_tolerance: 300,
            keys: None,
            complain: true,
            transport: Transport::default(),
        }
    }
}

/// A client of one KMS for one user.
pub struct Provisioner {
    http: Http,
    request: ProvisionRequest,
}

impl Provisioner {
    /// Prepares the connection; `token` is an access token (RFC 6750).
    ///
    /// # Errors
    /// [`Error::Url`], [`Error::Token`], [`Error::TrustAnchors`]; [`Error::OtherKms`] for keys of another KMS.
    pub fn new(request: ProvisionRequest, token: &str) -> Result<Self, Error> {
        Self::with_credentials(request, Credentials::Token(token))
    }

    /// Prepares the connection, with an access token or with mutual TLS.
    ///
    /// # Errors
    /// As [`Provisioner::new`], and [`Error::ClientCertificate`].
    pub fn with_credentials(request: ProvisionRequest, credentials: Credentials<'_>) -> Result<Self, Error> {
        if let Some(keys) = &request.keys {
            let kms_uri = request.kms_uri.as_ref().unwrap_or(&keys.kms_uri);
            require_same_kms("the transport key", &keys.kms_uri, kms_uri)?;
        }
        let http = Http::new(credentials, &request.transport)?;
        let provisioner = Self { http, request };
        provisioner.url(&Resource::Init)?;
        Ok(provisioner)
    }

    /// Asks for the KMS's certificate (`init`), for those of other times and other KMSs (`certcache`) and for the user's keys of
    /// this and the next period (`keyprov`), checks everything, and stores it at once. `now` is the time here.
    ///
    /// The keys of the next period, and other KMSs' certificates, may be missing: that is a note in the report.
    ///
    /// # Errors
    /// [`Error::Connection`], [`Error::Timeout`], [`Error::ProxyLogin`], [`Error::ProxyRefuses`], [`Error::Proxy`],
    /// [`Error::CertificateUnwanted`], [`Error::Http`], [`Error::ResponseTooLarge`] on the way;
    /// [`Error::OtherUser`], [`Error::OtherKms`], [`Error::OtherRequest`], [`Error::ResponseTime`], [`Error::OldAnswer`] for
    /// an answer to another question; all of [`import`](super::import). After an error the store is what it was, and the KMS is told of
    /// an answer of its own that could not be used.
    pub async fn provision(&self, store: &mut Store, now: NtpTime) -> Result<ImportReport, Error> {
        let (keys, note) = self.keys(store);
        let answered = store.contents.answered.clone();
        let kms_uri = keys.as_ref().map(|keys| &keys.kms_uri).or(self.request.kms_uri.as_ref()).cloned();
        let mut terms = Conditions { at_start: now, started: Instant::now(), kms_uri, keys: keys.as_ref(), answered };
        let outcome = self.provision_under(&mut terms, store, note).await;
        if let (Err(error), true) = (&outcome, self.request.complain) {
            self.complain(error, &terms).await;
        }
        outcome
    }

    async fn provision_under(
        &self,
        terms: &mut Conditions<'_>,
        store: &mut Store,
        note: Option<String>,
    ) -> Result<ImportReport, Error> {
        let kms_uri = terms.kms_uri.clone();
        let init = self.ask(INIT, Resource::Init, kms_uri.as_deref(), terms, Answer::init).await?;
        terms.kms_uri = Some(init.kms_uri.clone());
        let mut intake = Intake::of_home(&store.contents, &init, terms.at_start)?;
        note.into_iter().for_each(|note| intake.note(note));
        let intake = self.get_certificates(store, intake, terms).await;
        let mut intake = self.get_keys(store, intake, terms).await?;
        intake.answered_at(terms.answered.get(intake.kms_uri()).copied());
        intake.store(store, self.request.user_uri.clone())
    }

    /// The TrK and InK to use, and what to say of that: those that were given, unless the KMS has replaced them since with those
    /// that the store has.
    fn keys(&self, store: &Store) -> (Option<ClientKeys>, Option<String>) {
        let ProvisionRequest { user_uri, kms_uri, keys, .. } = &self.request;
        let kms_uri = keys.as_ref().map(|given| &given.kms_uri).or(kms_uri.as_ref());
        match (keys, store.contents.client_keys(user_uri, kms_uri.map(String::as_str))) {
            (Some(given), Some(stored)) if are_newer(stored, given) => {
                let (given, newer) = (given.transport.name(), stored.transport.name());
                let note =
                    format!("the store has newer keys, {newer}, than those that were given, {given}: leave them out");
                (Some(stored.clone()), Some(note))
            }
            (Some(given), _) => (Some(given.clone()), None),
            (None, stored) => (stored.cloned(), None),
        }
    }

    async fn get_keys(&self, store: &Store, intake: Intake, terms: &mut Conditions<'_>) -> Result<Intake, Error> {
        let now = terms.now();
        let resource = |time| Resource::KeyProv { user_uri: Some(self.request.user_uri.clone()), time };
        let kms_uri = intake.kms_uri().to_owned();
        let answer = self.ask(KEY_PROV, resource(None), Some(&kms_uri), terms, Answer::key_prov).await?;
        let mut intake = self.take_keys(store, intake, &answer, now)?;
        let periods = intake.periods()?;
        let next = periods.number_at(now)?.saturating_add(1);
        if intake.has_period(next) {
            return Ok(intake);
        }
        let (start, _) = periods.bounds(next);
        let resource = resource(Some(NtpTime::from_seconds(start).to_bits()));
        match self.ask(KEY_PROV, resource, Some(&kms_uri), terms, Answer::key_prov).await {
            Ok(mut answer) => {
                // A server that does not look at the time sends the present keys again.
                answer.content.key_sets.retain(|key_set| key_set.key_period_no == next);
                if !answer.content.key_sets.is_empty() {
                    return self.take_keys(store, intake, &answer, now);
                }
                intake.note(format!("no keys for the next period, {next}: the KMS gives none yet"));
            }
            Err(error) => intake.note(format!("no keys for the next period, {next}: {error}")),
        }
        Ok(intake)
    }

    fn take_keys(
        &self,
        store: &Store,
        intake: Intake,
        answer: &Answer<KmsKeyProv>,
        now: NtpTime,
    ) -> Result<Intake, Error> {
        for key_set in &answer.content.key_sets {
            self.require_user(KEY_PROV, &key_set.user_uri)?;
        }
        intake.with_keys(&store.contents, answer, now)
    }

    async fn get_certificates(&self, store: &Store, mut intake: Intake, terms: &mut Conditions<'_>) -> Intake {
        let resource = Resource::CertCache { number: intake.cache_number() };
        let kms_uri = intake.kms_uri().to_owned();
        match self.ask(CERT_CACHE, resource, Some(&kms_uri), terms, Answer::cert_cache).await {
            Ok(answer) => intake.with_certificates(&store.contents, &answer.content),
            Err(error) => {
                intake.note(format!("no certificates of other KMSs: {error}"));
                intake
            }
        }
    }

    /// Tells the KMS, if it is its affair and its name is known. Whatever becomes of that, the error itself is what counts here.
    async fn complain(&self, error: &Error, terms: &Conditions<'_>) {
        let (Some(complaint), Some(kms_uri)) = (complaint(error), &terms.kms_uri) else { return };
        let document = self.url(&Resource::Init).and_then(|url| {
            let document = self.document(INIT, &url, kms_uri, terms, Some(complaint))?;
            Ok((url, document))
        });
        if let Ok((url, document)) = document {
            let _ = self.http.post(&url, document.into_bytes()).await;
        }
    }

    /// Posts one request and checks that the answer is to it.
    async fn ask<T>(
        &self,
        name: &'static str,
        resource: Resource,
        kms_uri: Option<&str>,
        terms: &mut Conditions<'_>,
        read: impl FnOnce(&[u8], &Limits, Protection<'_>) -> Result<Answer<T>, Error>,
    ) -> Result<Answer<T>, Error> {
        let url = self.url(&resource)?;
        // Without the KMS's name there is no request document, but the URL says all; a body may be empty.
        let body = match kms_uri {
            Some(kms_uri) => self.document(name, &url, kms_uri, terms, None)?.into_bytes(),
            None => Vec::new(),
        };
        let HttpAnswer { status, retry_after, body } = self.http.post(&url, body).await?;
        let limits = Limits::with_max_bytes(self.request.transport.max_answer);
        let answer = match (read(&body, &limits, Protection(terms.keys)), status) {
            // A refusal says more than its status does.
            (Err(Error::Refused { request, code, text, .. }), _) => {
                return Err(Error::Refused { request, code, text, retry_after });
            }
            (answer, 200..=299) => answer?,
            (_, status) => return Err(Error::Http { url: url.into(), status, advice: advice(status) }),
        };
        // Asked without a document, a KMS answers for any identity of the token.
        if let Some(kms_uri) = kms_uri {
            self.require_user(name, &answer.user_uri)?;
            require_same_kms("the KMS's answer", &answer.kms_uri, kms_uri)?;
        }
        if compare_request_url(&answer.client_req_url, url.as_str()) == UrlMatch::Different {
            return Err(Error::OtherRequest { found: answer.client_req_url, expected: url.into() });
        }
        self.require_time(answer.time, terms.now())?;
        terms.require_newer(&answer.kms_uri, answer.time)?;
        Ok(answer)
    }

    fn document(
        &self,
        name: &'static str,
        url: &Url,
        kms_uri: &str,
        terms: &Conditions<'_>,
        client_error: Option<ClientError>,
    ) -> Result<String, Error> {
        let key_ids = terms.keys.map_or_else(KeyIds::default, |keys| KeyIds {
            trk_id: Some(keys.transport.name().to_owned()),
            signature_id: Some(keys.signing_key().name().to_owned()),
        });
        let request = KmsRequest {
            user_uri: self.request.user_uri.clone(),
            kms_uri: kms_uri.to_owned(),
            time: calendar_time(terms.now()),
            client_id: None,
            device_id: None,
            client_req_url: url.to_string(),
            client_error,
            krr_list: Vec::new(),
            key_ids,
        };
        let Some(keys) = terms.keys else { return Ok(request.to_xml()) };
        let signed = request.to_signed_xml(keys.signing_key(), &SigningOptions::default());
        signed.map(|text| text.to_string()).map_err(|source| unusable(name, source))
    }

    fn url(&self, resource: &Resource) -> Result<Url, Error> {
        let unusable = |problem: &str| Error::Url { url: self.request.kms_url.clone(), problem: problem.to_owned() };
        let parse =
            |url: &str| Url::parse(url).map_err(|error| unusable(&format!("{error}; expected https://host[:port]")));
        let kms = parse(&self.request.kms_url)?;
        if kms.scheme() != "https" {
            return Err(unusable("expected https://host[:port], for keys come over https alone"));
        }
        if !kms.username().is_empty() || kms.password().is_some() || kms.query().is_some() || kms.fragment().is_some() {
            return Err(unusable("expected https://host[:port], without user, password, query or fragment"));
        }
        parse(&resource.url(&self.request.kms_url))
    }

    fn require_user(&self, request: &'static str, found: &str) -> Result<(), Error> {
        if found == self.request.user_uri {
            return Ok(());
        }
        Err(Error::OtherUser { request, found: found.to_owned(), expected: self.request.user_uri.clone() })
    }

    fn require_time(&self, time: OffsetDateTime, now: NtpTime) -> Result<(), Error> {
        let near = ntp_time(time.unix_timestamp())
            .is_some_and(|time| time.seconds().abs_diff(now.seconds()) <= self.request.time_tolerance);
        if near {
            return Ok(());
        }
        Err(Error::ResponseTime { found: unix_date(time.unix_timestamp()), now: date_time(now) })
    }
}

/// What holds for all requests of one provisioning: the caller's time, which moves on while a KMS is slow, the keys that are
/// shared with it, and when it answered last.
struct Conditions<'k> {
    at_start: NtpTime,
    started: Instant,
    /// The KMS's name, once it is known.
    kms_uri: Option<String>,
    keys: Option<&'k ClientKeys>,
    answered: BTreeMap<String, i64>,
}

impl Conditions<'_> {
    fn now(&self) -> NtpTime {
        NtpTime::from_seconds(self.at_start.seconds().saturating_add(self.started.elapsed().as_secs()))
    }

    /// A KMS gives no answer before those that it gave earlier. So one that was kept and is given again shows.
    fn require_newer(&mut self, kms_uri: &str, time: OffsetDateTime) -> Result<(), Error> {
        let newest = self.answered.entry(kms_uri.to_owned()).or_insert(time.unix_timestamp());
        let difference = Duration::seconds(time.unix_timestamp().saturating_sub(*newest));
        if difference < -SERVERS_DIFFER {
            let (found, newest) = (unix_date(time.unix_timestamp()), unix_date(*newest));
            return Err(Error::OldAnswer { found, newest });
        }
        *newest = time.unix_timestamp().max(*newest);
        Ok(())
    }
}

fn calendar_time(time: NtpTime) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(unix_seconds(time)).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn advice(status: u16) -> &'static str {
    match status {
        401 => "get a new access token",
        403 => "this access token does not allow it; check its scope and the user",
        404 => "check the URL of the KMS",
        407 => "the proxy wants to know who asks",
        429 | 503 => "try again later",
        300..=399 => "a KMS does not redirect; check its URL",
        500..=599 => "the KMS or something before it has failed; ask its operator",
        _ => "this is no answer of a KMS; check its URL",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provisioner(url: &str) -> Result<Provisioner, Error> {
        Provisioner::new(ProvisionRequest::new(url, "sip:alice@example.org"), "token")
    }

    #[test]
    fn only_https_urls_of_a_host_will_do() {
        for url in [
            "http://kms.example.org",
            "kms.example.org",
            "127.0.0.1:18443",
            "localhost:18443",
            "https://",
            "https://a:b@kms.example.org",
            "https://k?q",
        ] {
            let error = provisioner(url).err().unwrap();
            assert!(
                matches!(&error, Error::Url { problem, .. } if problem.contains("expected https://host[:port]")),
                "{error}"
            );
        }
        let provisioner = provisioner("https://kms.example.org:8443/keymanagement/identity/v1/").unwrap();
        let resource = Resource::KeyProv { user_uri: Some("sip:alice@example.org".into()), time: None };
        assert_eq!(
            provisioner.url(&resource).unwrap().as_str(),
            "https://kms.example.org:8443/keymanagement/identity/v1/keyprov/sip%3Aalice%40example.org"
        );
    }

    #[test]
    fn the_clocks_may_differ_by_the_tolerance() {
        let provisioner = provisioner("https://kms.example.org").unwrap();
        let now = NtpTime::from_unix(1_700_000_000);
        for (difference, fits) in [(0, true), (300, true), (-300, true), (301, false), (-301, false)] {
            let time = OffsetDateTime::from_unix_timestamp(1_700_000_000 + difference).unwrap();
            assert_eq!(provisioner.require_time(time, now).is_ok(), fits, "{difference}");
        }
        let error = provisioner.require_time(OffsetDateTime::UNIX_EPOCH - Duration::SECOND, now).unwrap_err();
        assert!(
            matches!(&error, Error::ResponseTime { found, now }
                if found == "1969-12-31T23:59:59Z" && now == "2023-11-14T22:13:20Z"),
            "{error}"
        );
    }

    #[test]
    fn an_answer_is_not_older_than_the_ones_before_it_of_the_same_kms() {
        let answered = [("kms.example.org".to_owned(), 1_700_000_000)].into();
        let at_start = NtpTime::from_unix(1_700_000_000);
        let mut terms = Conditions { at_start, started: Instant::now(), kms_uri: None, keys: None, answered };
        let mut judge = |kms_uri: &str, seconds: i64| {
            let time = OffsetDateTime::from_unix_timestamp(1_700_000_000 + seconds).unwrap();
            terms.require_newer(kms_uri, time).map_err(|error| match error {
                Error::OldAnswer { found, newest } => (found, newest),
                other => panic!("{other}"),
            })
        };
        let old = |found: &str, newest: &str| Err((found.to_owned(), newest.to_owned()));
        let expected = old("2023-11-14T22:13:17Z", "2023-11-14T22:13:20Z");
        assert_eq!(judge("kms.example.org", -3), expected);
        assert_eq!(judge("kms.example.org", -2), Ok(()), "another server of the KMS");
        assert_eq!(judge("kms.example.org", 10), Ok(()));
        assert_eq!(judge("kms.example.org", 7), old("2023-11-14T22:13:27Z", "2023-11-14T22:13:30Z"));
        assert_eq!(judge("kms.example.net", -100), Ok(()));
    }
}
