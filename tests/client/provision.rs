//! Getting keys over HTTPS: from the real server, and from servers that lie.

use crate::support::{ALICE, BOB, PERIOD, TestKms, TestStore, later, now, rng, xml};
use crate::world::{ALICE_VIDEO, KMS, World};
use mikey_sakke::client::{
    self, AcceptOptions, Credentials, Error, ImportReport, OfferRequest, ProvisionRequest, Provisioner, accept, offer,
};
use mikey_sakke::kms::development::SelfSigned;
use mikey_sakke::kms_protocol::{
    ErrorCode, KmsCertCache, KmsCertificate, KmsError, KmsInit, KmsKeyProv, KmsMessage, KmsResponse, Role,
};
use mikey_sakke::mc::{KeyType, is_printable};
use mikey_sakke::mikey::NtpTime;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use time::OffsetDateTime;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

#[tokio::test]
async fn two_users_get_their_keys_and_talk() {
    let world = World::new().await;
    let (mut alice, mut bob) = (TestStore::empty(), TestStore::empty());
    for (made, user_uri) in [(&mut alice, ALICE), (&mut bob, BOB)] {
        let report = world.provision(made, user_uri, Credentials::Token(&world.token(user_uri))).await.unwrap();
        assert_eq!((report.user_uri.as_str(), report.kms_uri.as_str()), (user_uri, KMS));
        assert_eq!(report.periods.len(), 2, "this period and the next");
        assert_eq!(report.periods[0] + 1, report.periods[1]);
        assert_eq!(report.convention(), client::Convention::default());
        // The same again changes nothing.
        assert_eq!(
            world.provision(made, user_uri, Credentials::Token(&world.token(user_uri))).await.unwrap().periods,
            report.periods
        );
        assert_eq!(made.store.key_sets().len(), 2);
    }
    let (mut alice, mut bob) = (alice.reopen(), bob.reopen());
    let sent =
        offer(&mut alice.store, &OfferRequest::new(ALICE, BOB, KeyType::Pck), client::now(), &mut rng()).unwrap();
    let opened = accept(&mut bob.store, BOB, &sent.message, &AcceptOptions::default(), client::now()).unwrap();
    assert_eq!(opened.bundle.key.as_bytes(), sent.bundle.key.as_bytes());
}

#[tokio::test]
async fn several_identities_of_one_token_are_provisioned_one_by_one() {
    let world = World::new().await;
    let mut claims = world.provider.claims(ALICE, SystemTime::now(), Duration::from_secs(60));
    claims.insert("mcvideo_id".into(), ALICE_VIDEO.into());
    let token = world.provider.token_with(claims).unwrap();
    let mut made = TestStore::empty();
    for user_uri in [ALICE, ALICE_VIDEO] {
        assert_eq!(world.provision(&mut made, user_uri, Credentials::Token(&token)).await.unwrap().user_uri, user_uri);
    }
    assert_eq!(made.store.key_sets().len(), 4);
    assert_eq!(made.store.kms_list().len(), 1);
}

#[tokio::test]
async fn the_servers_refusals_arrive_with_code_and_text() {
    let world = World::new().await;
    let long_ago = SystemTime::now() - Duration::from_secs(7200);
    let expired = world.provider.token(ALICE, long_ago, Duration::from_secs(60)).unwrap();
    for (user_uri, token, expected) in [
        (BOB, world.token(ALICE), ErrorCode::NotAuthorised),
        (ALICE, expired, ErrorCode::InvalidToken),
        (ALICE, "no.token".into(), ErrorCode::InvalidToken),
        ("sip:nobody@example.org", world.token("sip:nobody@example.org"), ErrorCode::UnknownUser),
    ] {
        let mut made = TestStore::empty();
        let error = world.provision(&mut made, user_uri, Credentials::Token(&token)).await.unwrap_err();
        let Error::Refused { code, text, .. } = &error else { panic!("{error}") };
        assert_eq!(*code, expected.number(), "{error}");
        assert!(!text.is_empty() && !error.to_string().contains(&token), "{error}");
        assert!(made.reopen().store.kms_list().is_empty());
    }
}

#[tokio::test]
async fn what_an_unsigned_refusal_says_is_shown_as_one_short_line_that_nothing_obeys() {
    let long = "no ".repeat(20_000);
    for (said, shown) in [
        ("try\u{202e}again\u{9b}2J", r"try\u{202e}again\u{9b}2J"),
        ("no\nwarning: all is well", r"no\nwarning: all is well"),
        (&*long, long.get(..512).unwrap()),
    ] {
        let said = said.to_owned();
        let fake = changed(move |_, response| {
            response.message = None;
            response.error = Some(KmsError { code: 3001, message: said.clone() });
        })
        .await;
        let mut request = fake.request();
        request.transport.max_answer = 1 << 20;
        let mut made = TestStore::empty();
        let error = Provisioner::new(request, "token").unwrap().provision(&mut made.store, now()).await.unwrap_err();
        let Error::Refused { text, .. } = &error else { panic!("{error}") };
        assert!(is_printable(text) && text.len() < 600, "{text:?}");
        assert!(is_printable(&error.to_string()) && error.to_string().contains("kms user add"), "{error}");
        assert!(text.starts_with(shown), "{text}");
    }
}

#[tokio::test]
async fn the_kms_is_told_of_an_answer_that_cannot_be_used() {
    let (world, another) = (World::new().await, World::new().await);
    let mut made = TestStore::empty();
    world.provision(&mut made, ALICE, Credentials::Token(&world.token(ALICE))).await.unwrap();

    // Of the same name, with other keys.
    let silent = ProvisionRequest { complain: false, ..another.request(ALICE) };
    let mut errors = Vec::new();
    for request in [silent, another.request(ALICE)] {
        let provisioner = Provisioner::new(request, &another.token(ALICE)).unwrap();
        errors.push(provisioner.provision(&mut made.store, client::now()).await.unwrap_err());
    }
    assert!(errors.iter().all(|error| matches!(error, Error::KmsKeysChanged { .. })), "{errors:?}");
    let reports = another.state.store.reports().await.unwrap();
    let [report] = &reports[..] else { panic!("one report: {reports:?}") };
    assert_eq!((report.sender.uri.as_str(), report.code), (ALICE, 3));
    assert_eq!(report.message, errors[1].to_string());

    // What the KMS itself refused, it knows.
    let error = world.provision(&mut made, ALICE, Credentials::Token(&world.token(BOB))).await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error}");
    assert_eq!(world.state.store.reports().await.unwrap(), []);
}

#[tokio::test]
async fn a_client_that_asks_too_often_is_told_for_how_long_to_wait() {
    let world = World::with(|_, text| text.replace("requests_per_minute = 60\n", "requests_per_minute = 3\n")).await;
    let mut made = TestStore::empty();
    world.provision(&mut made, ALICE, Credentials::Token(&world.token(ALICE))).await.unwrap();
    let error = world.provision(&mut made, ALICE, Credentials::Token(&world.token(ALICE))).await.unwrap_err();
    let Error::Refused { code: 1010, retry_after: Some(seconds), .. } = error else { panic!("{error}") };
    assert!(error.to_string().ends_with(&format!("try again in {seconds} s")), "{error}");
}

#[tokio::test]
async fn a_proxy_that_does_not_run_is_named_without_its_password() {
    let world = World::new().await;
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut request = world.request(ALICE);
    request.transport.proxy = Some(format!("http://name:hunter2@{gone}"));
    let provisioner = Provisioner::new(request, &world.token(ALICE)).unwrap();
    let error = provisioner.provision(&mut TestStore::empty().store, client::now()).await.unwrap_err();
    assert!(matches!(&error, Error::Proxy { proxy, .. } if *proxy == format!("...@{gone}")), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
}

#[tokio::test]
async fn a_kms_of_another_name_than_asked_for_is_refused() {
    let world = World::new().await;
    let mut made = TestStore::empty();
    let request = ProvisionRequest { kms_uri: Some("kms.example.net".into()), ..world.request(ALICE) };
    let provisioner = Provisioner::new(request, &world.token(ALICE)).unwrap();
    let error = provisioner.provision(&mut made.store, client::now()).await.unwrap_err();
    assert!(matches!(error, Error::Refused { code, .. } if code == ErrorCode::WrongKms.number()), "{error}");
}

#[tokio::test]
async fn only_the_given_trust_anchors_count() {
    let world = World::new().await;
    let mut made = TestStore::empty();
    let other = SelfSigned::new(&[]).unwrap();
    for trust_anchors in [Some(other.certificate.into_bytes()), None] {
        let mut request = world.request(ALICE);
        request.transport.trust_anchors = trust_anchors;
        let provisioner = Provisioner::new(request, &world.token(ALICE)).unwrap();
        let error = provisioner.provision(&mut made.store, client::now()).await.unwrap_err();
        assert!(matches!(&error, Error::Connection { .. }), "{error}");
        assert!(error.to_string().to_lowercase().contains("certificate"), "{error}");
    }
    assert!(made.store.kms_list().is_empty());
}

/// An HTTP proxy that counts the tunnels it makes.
async fn proxy(tunnels: Arc<AtomicUsize>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let tunnels = Arc::clone(&tunnels);
            tokio::spawn(async move {
                let head = head(&mut near).await;
                let target = head.strip_prefix("CONNECT ").unwrap().split(' ').next().unwrap().to_owned();
                let mut far = TcpStream::connect(target).await.unwrap();
                near.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
                tunnels.fetch_add(1, Ordering::SeqCst);
                let _ = copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    address
}

/// The head of an HTTP request, octet by octet so that nothing behind it is taken.
async fn head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

#[tokio::test]
async fn a_proxy_tunnels_and_tls_still_ends_at_the_kms() {
    let world = World::new().await;
    let tunnels = Arc::new(AtomicUsize::new(0));
    let mut request = world.request(ALICE);
    request.transport.proxy = Some(format!("http://{}", proxy(Arc::clone(&tunnels)).await));
    let mut made = TestStore::empty();
    let provisioner = Provisioner::new(request, &world.token(ALICE)).unwrap();
    provisioner.provision(&mut made.store, client::now()).await.unwrap();
    assert!(tunnels.load(Ordering::SeqCst) > 0);
}

/// A server that answers every POST as it is told: path to status and body.
struct Fake {
    address: SocketAddr,
    certificate: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    async fn new(answer: impl Fn(&str, &str) -> (u16, Vec<u8>) + Send + Sync + 'static) -> Self {
        let SelfSigned { certificate, key } = SelfSigned::new(&[]).unwrap();
        let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (Arc::clone(&requests), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, seen, answer) = (acceptor.clone(), Arc::clone(&seen), Arc::clone(&answer));
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let head = head(&mut stream).await;
                    let length = head
                        .lines()
                        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
                    let mut body = vec![0; length.unwrap_or(0)];
                    stream.read_exact(&mut body).await.unwrap();
                    let path = head.split(' ').nth(1).unwrap().to_owned();
                    let (status, content) = answer(&path, &format!("https://{address}{path}"));
                    seen.lock().unwrap().push(path);
                    let location = if status == 302 { "Location: https://localhost/\r\n" } else { "" };
                    let head = format!(
                        "HTTP/1.1 {status} -\r\n{location}Content-Length: {}\r\nConnection: close\r\n\r\n",
                        content.len()
                    );
                    let _ = stream.write_all(head.as_bytes()).await;
                    let _ = stream.write_all(&content).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        Self { address, certificate, requests }
    }

    fn request(&self) -> ProvisionRequest {
        let mut request = ProvisionRequest::new(format!("https://{}", self.address), ALICE);
        request.transport.trust_anchors = Some(self.certificate.clone().into_bytes());
        request
    }

    async fn provision(&self, made: &mut TestStore) -> Result<ImportReport, Error> {
        Provisioner::new(self.request(), "token")?.provision(&mut made.store, now()).await
    }

    /// What becomes of an empty store; after an error it must still be empty.
    async fn provision_empty(&self) -> Result<ImportReport, Error> {
        let mut made = TestStore::empty();
        let result = self.provision(&mut made).await;
        if result.is_err() {
            let store = made.reopen().store;
            assert!(store.key_sets().is_empty() && store.kms_list().is_empty());
        }
        result
    }
}

/// A KMS that answers Alice's requests with the present keys of `user`, whatever is asked for.
async fn giving_keys_of(user: &'static str) -> Fake {
    let kms = TestKms::new(KMS);
    Fake::new(move |path, url| {
        let message = if path.ends_with("/init") { init(&kms) } else { key_prov(&kms, user, kms.period_now()) };
        (200, xml(&KmsResponse { client_req_url: url.to_owned(), ..kms.response(ALICE, message) }))
    })
    .await
}

fn init(kms: &TestKms) -> KmsMessage {
    KmsMessage::Init(KmsInit {
        certificate: kms.certificate(),
        new_transport_keys: Vec::new(),
        new_integrity_keys: Vec::new(),
    })
}

fn key_prov(kms: &TestKms, user: &str, period_no: u64) -> KmsMessage {
    KmsMessage::KeyProv(KmsKeyProv { key_sets: vec![kms.key_set(user, period_no)], ..KmsKeyProv::default() })
}

/// A good KMS for Alice, whose answers are changed before they go out.
async fn changed(change: impl Fn(&str, &mut KmsResponse) + Send + Sync + 'static) -> Fake {
    let kms = TestKms::new(KMS);
    Fake::new(move |path, url| {
        let message = if path.ends_with("/init") {
            init(&kms)
        } else if path.contains("/keyprov/") {
            // One period at a time: now, or that of the time in the path.
            let period = kms.period_now() + u64::from(path.matches('/').count() == 6);
            key_prov(&kms, ALICE, period)
        } else {
            KmsMessage::CertCache(KmsCertCache { cache_num: Some(7), certificates: Vec::new() })
        };
        let mut response = KmsResponse { client_req_url: url.to_owned(), ..kms.response(ALICE, message) };
        change(path, &mut response);
        (200, xml(&response))
    })
    .await
}

#[tokio::test]
async fn the_next_period_is_asked_for_where_it_does_not_come_by_itself() {
    let fake = changed(|_, _| ()).await;
    let report = fake.provision_empty().await.unwrap();
    assert_eq!(report.periods.len(), 2);
    let paths = fake.requests.lock().unwrap().clone();
    let root = "/keymanagement/identity/v1";
    let keyprov = format!("{root}/keyprov/sip%3Aalice%40example.org");
    assert_eq!(paths.len(), 4, "{paths:?}");
    assert_eq!(paths[..3], [format!("{root}/init"), format!("{root}/certcache"), keyprov.clone()]);
    let start = TestKms::new(KMS).periods().bounds(TestKms::new(KMS).period_now() + 1).0;
    assert_eq!(paths[3], format!("{keyprov}/{:016X}", start << 32));
}

#[tokio::test]
async fn the_number_of_the_certificate_cache_is_remembered() {
    let fake = changed(|_, _| ()).await;
    let mut made = TestStore::empty();
    fake.provision(&mut made).await.unwrap();
    let mut made = made.reopen();
    fake.provision(&mut made).await.unwrap();
    let paths = fake.requests.lock().unwrap().clone();
    assert!(paths.iter().any(|path| path.ends_with("/certcache/7")), "{paths:?}");
}

#[tokio::test]
async fn what_is_missing_beside_the_present_keys_is_noted() {
    let kms_error = |code| KmsError::new(code, "not here");
    let fake = changed(move |path, response| {
        if path.ends_with("certcache") || path.matches('/').count() == 6 {
            response.message = None;
            response.error = Some(kms_error(ErrorCode::PeriodNotAvailable));
        }
    })
    .await;
    let report = fake.provision_empty().await.unwrap();
    assert_eq!(report.periods.len(), 1);
    assert!(report.notes.iter().any(|note| note.contains("next period")), "{report}");
    assert!(report.notes.iter().any(|note| note.contains("other KMSs")), "{report}");
}

#[tokio::test]
async fn a_server_that_gives_the_present_keys_again_does_no_harm() {
    let fake = giving_keys_of(ALICE).await;
    let report = fake.provision_empty().await.unwrap();
    assert_eq!(report.periods.len(), 1);
    assert!(report.notes.iter().any(|note| note.contains("next period")), "{report}");
}

#[tokio::test]
async fn answers_to_another_question_are_refused() {
    let keyprov = |path: &str| path.contains("keyprov");
    let fake = changed(move |path, response| {
        if keyprov(path) {
            response.user_uri = BOB.into();
        }
    })
    .await;
    let error = fake.provision_empty().await.unwrap_err();
    assert!(matches!(&error, Error::OtherUser { found, .. } if found == BOB), "{error}");

    let fake = changed(move |path, response| {
        if keyprov(path) {
            response.kms_uri = "kms.example.net".into();
        }
    })
    .await;
    let error = fake.provision_empty().await.unwrap_err();
    assert!(matches!(error, Error::OtherKms { .. }), "{error}");

    let fake = changed(|_, response| response.client_req_url = "https://elsewhere.example.org/init".into()).await;
    let error = fake.provision_empty().await.unwrap_err();
    assert!(matches!(error, Error::OtherRequest { .. }), "{error}");

    let fake = changed(|_, response| response.time -= Duration::from_secs(301)).await;
    let error = fake.provision_empty().await.unwrap_err();
    assert!(matches!(error, Error::ResponseTime { .. }), "{error}");

    let fake = changed(|_, response| response.time += Duration::from_secs(400)).await;
    let error = fake.provision_empty().await.unwrap_err();
    assert!(matches!(error, Error::ResponseTime { .. }), "{error}");
}

#[tokio::test]
async fn keys_of_another_user_are_refused_even_if_valid() {
    let fake = giving_keys_of(BOB).await;
    let error = fake.provision_empty().await.unwrap_err();
    assert!(matches!(&error, Error::OtherUser { found, .. } if found == BOB), "{error}");
}

#[tokio::test]
async fn what_is_no_answer_of_a_kms_is_named() {
    for (status, body, large) in
        [(500, vec![], false), (302, vec![], false), (404, b"<html/>".to_vec(), false), (200, vec![b' '; 70_000], true)]
    {
        let fake = Fake::new(move |_, _| (status, body.clone())).await;
        let error = fake.provision_empty().await.unwrap_err();
        match &error {
            Error::ResponseTooLarge { .. } => assert!(large, "{error}"),
            Error::Http { status: found, .. } => assert_eq!((*found, large), (status, false), "{error}"),
            _ => panic!("{error}"),
        }
    }
    let fake = Fake::new(|_, _| (200, b"{}".to_vec())).await;
    let error = fake.provision_empty().await.unwrap_err();
    assert!(matches!(error, Error::Response { request: "init", .. }), "{error}");
}

#[tokio::test]
async fn a_silent_server_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut request = ProvisionRequest::new(format!("https://{}", listener.local_addr().unwrap()), ALICE);
    request.transport.timeout = Duration::from_millis(200);
    let mut made = TestStore::empty();
    let error = Provisioner::new(request, "token").unwrap().provision(&mut made.store, now()).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error}");
}

#[tokio::test]
async fn other_kmss_come_with_the_cache_and_go_by_revocation() {
    let (near, far) = (TestKms::new("kms.example.net"), TestKms::new("kms.example.com"));
    let external = |kms: &TestKms| KmsCertificate { role: Some(Role::External), ..kms.certificate() };
    let certificates = [external(&near), KmsCertificate { parameter_set: Some(2), ..external(&far) }];
    let revoked = Arc::new(AtomicUsize::new(0));
    let revoked_now = Arc::clone(&revoked);
    let fake = changed(move |path, response| {
        if path.contains("certcache") {
            let mut certificates = certificates.to_vec();
            certificates[0].revoked = revoked_now.load(Ordering::SeqCst) == 1;
            response.message = Some(KmsMessage::CertCache(KmsCertCache { cache_num: None, certificates }));
        }
    })
    .await;
    let mut made = TestStore::empty();
    let report = fake.provision(&mut made).await.unwrap();
    assert_eq!(report.other_kms, ["kms.example.net"]);
    assert!(report.notes.iter().any(|note| note.contains("kms.example.com") && note.contains("ParameterSet")));

    let mut dave = TestStore::of(&near, "sip:dave@example.net");
    let request = OfferRequest {
        recipient_kms_uri: Some("kms.example.net"),
        ..OfferRequest::new(ALICE, "sip:dave@example.net", KeyType::Pck)
    };
    let sent = offer(&mut made.store, &request, now(), &mut rng()).unwrap();
    // Dave does not know Alice's KMS: that is the only thing missing.
    let error =
        accept(&mut dave.store, "sip:dave@example.net", &sent.message, &AcceptOptions::default(), now()).unwrap_err();
    assert!(matches!(&error, Error::UnknownKms { kms_uri } if kms_uri == KMS), "{error}");

    revoked.store(1, Ordering::SeqCst);
    fake.provision(&mut made).await.unwrap();
    let error = offer(&mut made.store, &request, now(), &mut rng()).unwrap_err();
    assert!(matches!(error, Error::CertificateRevoked { .. }), "{error}");
}

#[tokio::test]
async fn a_cache_cannot_replace_the_users_own_kms() {
    let impostor = TestKms::new(KMS);
    let certificate = KmsCertificate { role: Some(Role::External), ..impostor.certificate() };
    let fake = changed(move |path, response| {
        if path.contains("certcache") {
            response.message = Some(KmsMessage::CertCache(KmsCertCache {
                cache_num: Some(8),
                certificates: vec![certificate.clone()],
            }));
        }
    })
    .await;
    let mut made = TestStore::empty();
    let report = fake.provision(&mut made).await.unwrap();
    assert!(report.other_kms.is_empty() && report.notes.iter().any(|note| note.contains("left out")), "{report}");
    let made = made.reopen();
    assert!(made.store.kms_list()[0].home && made.store.kms_list().len() == 1);
    assert_eq!(made.store.kms_list()[0].period, PERIOD);
}

#[tokio::test]
async fn a_cache_brings_the_users_own_kms_for_other_times_alone() {
    let (impostor, next) = (TestKms::new(KMS), TestKms::new(KMS));
    let change = next.periods().bounds(next.period_now() + 2).0;
    let change =
        OffsetDateTime::from_unix_timestamp(NtpTime::from_seconds(change).unix_seconds().unwrap().cast_signed());
    let certificates = [
        KmsCertificate { valid_from: change.ok(), ..next.certificate() },
        KmsCertificate { role: None, valid_from: change.ok(), ..impostor.certificate() },
    ];
    let with_impostor = Arc::new(AtomicUsize::new(1));
    let with_impostor_now = Arc::clone(&with_impostor);
    let fake = changed(move |path, response| {
        if path.contains("certcache") {
            let mut certificates = certificates.to_vec();
            if with_impostor_now.load(Ordering::SeqCst) == 1 {
                // One for all times, after the good one.
                certificates.push(impostor.certificate());
            }
            response.message = Some(KmsMessage::CertCache(KmsCertCache { cache_num: Some(9), certificates }));
        }
    })
    .await;
    let mut made = TestStore::empty();
    let report = fake.provision(&mut made).await.unwrap();
    let left_out: Vec<_> = report.notes.iter().filter(|note| note.contains("left out")).collect();
    assert_eq!(left_out.len(), 2, "{report}");
    assert!(left_out[0].contains("Role") && left_out[1].contains("other public keys"), "{report}");
    let [known] = &made.store.kms_list()[..] else { panic!("one KMS") };
    let dates: Vec<_> = known.certificates.iter().map(|known| known.valid_from).collect();
    assert_eq!(dates, [None, change.ok().map(OffsetDateTime::unix_timestamp)]);

    // What could not be taken is asked for again.
    with_impostor.store(0, Ordering::SeqCst);
    fake.provision(&mut made).await.unwrap();
    fake.provision(&mut made).await.unwrap();
    let paths = fake.requests.lock().unwrap().clone();
    let asked: Vec<_> =
        paths.iter().filter_map(|path| path.split_once("/certcache")).map(|(_, number)| number).collect();
    assert_eq!(asked, ["", "", "/9"]);
}

#[tokio::test]
async fn a_kms_can_revoke_one_of_its_own_certificates() {
    let (first, second) = (TestKms::new(KMS), TestKms::new(KMS));
    let period_no = first.period_now();
    let mut made = TestStore::empty();
    made.import(&first, ALICE, period_no - 1);
    let change = NtpTime::from_seconds(first.periods().bounds(period_no).0).unix_seconds().unwrap();
    let change = OffsetDateTime::from_unix_timestamp(change.cast_signed()).unwrap();
    let before = later(-PERIOD.cast_signed());
    let request = OfferRequest::new(ALICE, BOB, KeyType::Pck);
    offer(&mut made.store, &request, before, &mut rng()).unwrap();

    let revoked = KmsCertificate { valid_to: Some(change), revoked: true, ..first.certificate() };
    let fake = Fake::new(move |path, url| {
        let message = if path.ends_with("/init") {
            let certificate = KmsCertificate { valid_from: Some(change), ..second.certificate() };
            KmsMessage::Init(KmsInit { certificate, new_transport_keys: Vec::new(), new_integrity_keys: Vec::new() })
        } else if path.contains("/keyprov/") {
            key_prov(&second, ALICE, period_no)
        } else {
            KmsMessage::CertCache(KmsCertCache { cache_num: None, certificates: vec![revoked.clone()] })
        };
        (200, xml(&KmsResponse { client_req_url: url.to_owned(), ..second.response(ALICE, message) }))
    })
    .await;
    fake.provision(&mut made).await.unwrap();
    offer(&mut made.store, &request, now(), &mut rng()).unwrap();
    let error = offer(&mut made.store, &request, before, &mut rng()).unwrap_err();
    assert!(matches!(error, Error::CertificateRevoked { .. }), "{error}");
}
