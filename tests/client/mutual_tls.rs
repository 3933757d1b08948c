//! Getting keys with a TLS certificate in place of an access token.

use crate::support::{ALICE, BOB, TestStore};
use crate::world::{SERVER, World, act};
use mikey_sakke::client::{self, Credentials, Error, ImportReport, Provisioner};
use mikey_sakke::kms::audit::{self};
use mikey_sakke::kms::{self, Config, Server};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, Issuer, KeyPair, SanType};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fs;
use std::net::SocketAddr;

/// A certificate and its key, PEM, and the SHA-256 of the certificate.
struct Shown {
    pem: String,
    sha256: String,
}

/// An authority of client certificates.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    fn issue(&self, uris: &[&str]) -> Shown {
        self.issue_as(params(uris))
    }

    fn issue_as(&self, params: CertificateParams) -> Shown {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Shown::of(&certificate, &key)
    }
}

impl Shown {
    fn of(certificate: &rcgen::Certificate, key: &KeyPair) -> Self {
        let sha256 = Sha256::digest(certificate.der()).iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>();
        Self { pem: certificate.pem() + &key.serialize_pem(), sha256: sha256.join(":") }
    }

    fn self_signed(uris: &[&str]) -> Self {
        let key = KeyPair::generate().unwrap();
        Self::of(&params(uris).self_signed(&key).unwrap(), &key)
    }
}

fn params(uris: &[&str]) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.subject_alt_names = uris.iter().map(|uri| SanType::URI((*uri).try_into().unwrap())).collect();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

/// A KMS whose `kms.toml` has a section on certificates.
async fn world(ca: Option<&str>, section: &str) -> World {
    World::with(|folder, text| {
        if let Some(ca) = ca {
            fs::write(folder.join("clients-ca.pem"), ca).unwrap();
        }
        format!("{text}\n{section}")
    })
    .await
}

async fn provision(world: &World, user_uri: &str, shown: &Shown) -> Result<ImportReport, Error> {
    let credentials = Credentials::Certificate(shown.pem.as_bytes());
    world.provision(&mut TestStore::empty(), user_uri, credentials).await
}

fn refused_with(code: i64, result: Result<ImportReport, Error>) {
    match result {
        Err(Error::Refused { code: found, .. }) => assert_eq!(found, code),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn certificates_of_the_authority_are_known_by_their_uris() {
    let authority = Authority::new();
    let world = world(Some(&authority.pem), "[auth.certificates]\nca = \"clients-ca.pem\"").await;
    let server = authority.issue(&[SERVER]);
    let report = provision(&world, SERVER, &server).await.unwrap();
    assert_eq!(report.user_uri, SERVER);
    refused_with(2004, provision(&world, ALICE, &server).await);
    refused_with(2001, provision(&world, SERVER, &authority.issue(&[])).await);
    refused_with(3001, provision(&world, "sip:eve@example.org", &authority.issue(&["sip:eve@example.org"])).await);
    for stranger in [Authority::new().issue(&[SERVER]), Shown::self_signed(&[SERVER])] {
        let error = provision(&world, SERVER, &stranger).await.unwrap_err();
        assert!(matches!(error, Error::CertificateUnwanted { .. }), "{error}");
    }
    let log = audit::page(&*world.state.store, 1).await.unwrap();
    let issued: Vec<Value> = log.iter().map(|entry| serde_json::from_str(&entry.entry).unwrap()).collect();
    assert!(issued.iter().any(|entry| entry["event"] == "issued" && entry["by"] == SERVER));
}

#[tokio::test]
async fn a_certificate_that_has_expired_is_suspected_where_the_kms_hangs_up() {
    let authority = Authority::new();
    let world = world(Some(&authority.pem), "[auth.certificates]\nca = \"clients-ca.pem\"").await;
    let mut expired = params(&[SERVER]);
    expired.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let error = provision(&world, SERVER, &authority.issue_as(expired)).await.unwrap_err();
    assert!(matches!(error, Error::CertificateUnwanted { .. }), "{error}");
    assert!(error.to_string().contains("has not expired"), "{error}");
    // Whoever shows a token has no certificate to suspect.
    let kms = world.request(SERVER);
    world.server.shutdown().await;
    let provisioner = Provisioner::new(kms, "token").unwrap();
    let error = provisioner.provision(&mut TestStore::empty().store, client::now()).await.unwrap_err();
    assert!(matches!(error, Error::Connection { .. }), "{error}");
}

#[tokio::test]
async fn a_token_goes_before_a_certificate_and_works_without_one() {
    let authority = Authority::new();
    let world = world(Some(&authority.pem), "[auth.certificates]\nca = \"clients-ca.pem\"").await;
    let token = world.token(ALICE);
    assert_eq!(
        world.provision(&mut TestStore::empty(), ALICE, Credentials::Token(&token)).await.unwrap().user_uri,
        ALICE
    );
    let http = reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(&world.trust_anchor()).unwrap()])
        .identity(reqwest::Identity::from_pem(authority.issue(&[SERVER]).pem.as_bytes()).unwrap())
        .build()
        .unwrap();
    let post = |token: &str, user: &str| {
        let user = user.replace(':', "%3A").replace('@', "%40");
        let url = world.url(&format!("/keymanagement/identity/v1/keyprov/{user}"));
        http.post(url).header("Authorization", format!("Bearer {token}")).send()
    };
    assert_eq!(post(&token, ALICE).await.unwrap().status(), 200);
    assert_eq!(post(&token, SERVER).await.unwrap().status(), 403);
    assert_eq!(post("no token", SERVER).await.unwrap().status(), 401, "a bad token is not passed over");
}

#[tokio::test]
async fn a_pinned_certificate_is_whose_the_configuration_says() {
    let pinned = Shown::self_signed(&["sip:whoever@example.org"]);
    let section =
        format!("[[auth.certificates.pinned]]\nsha256 = \"{}\"\nuris = [\"{BOB}\", \"{BOB}\"]", pinned.sha256);
    let world = world(None, &section).await;
    let config = &world.state.config;
    assert_eq!(Config::parse(&config.to_toml(), &config.folder).unwrap(), *config);
    assert_eq!(provision(&world, BOB, &pinned).await.unwrap().user_uri, BOB);
    refused_with(2004, provision(&world, ALICE, &pinned).await);
    let error = provision(&world, BOB, &Shown::self_signed(&[BOB])).await.unwrap_err();
    assert!(matches!(error, Error::CertificateUnwanted { .. }), "{error}");
}

#[tokio::test]
async fn what_is_no_certificate_is_refused_at_once() {
    let world = world(Some(&Authority::new().pem), "[auth.certificates]\nca = \"clients-ca.pem\"").await;
    for pem in ["", "rubbish", &Authority::new().pem] {
        let error =
            world.provision(&mut TestStore::empty(), BOB, Credentials::Certificate(pem.as_bytes())).await.unwrap_err();
        assert!(matches!(error, Error::ClientCertificate(_)), "{error}");
    }
    assert_eq!(format!("{:?}", Credentials::Certificate(b"secret")), "Certificate(..)");

    fs::write(world.folder.path().join("clients-ca.pem"), "rubbish").unwrap();
    let error = Server::bind(&world.state, Some(SocketAddr::from(([127, 0, 0, 1], 0))), act()).await.unwrap_err();
    assert!(matches!(error, kms::Error::ClientAuthorities { .. }), "{error}");

    let original = fs::read_to_string(world.folder.path().join("kms.toml")).unwrap();
    let base = original.split("[auth.certificates]\nca").next().unwrap().to_owned();
    for (section, key) in [
        ("[auth.certificates]", "auth.certificates.ca"),
        ("[[auth.certificates.pinned]]\nsha256 = \"00\"\nuris = [\"sip:a@b\"]", "auth.certificates.pinned.sha256"),
        (
            &*format!("[[auth.certificates.pinned]]\nsha256 = \"{}\"\nuris = []", "00".repeat(32)),
            "auth.certificates.pinned.uris",
        ),
    ] {
        let error = Config::parse(&format!("{base}\n{section}\n"), world.folder.path()).unwrap_err();
        assert!(error.to_string().contains(key), "{error}");
    }
}

#[tokio::test]
async fn a_reload_judges_certificates_of_open_connections_anew() {
    let (old, new) = (Authority::new(), Authority::new());
    let world = world(Some(&old.pem), "[auth.certificates]\nca = \"clients-ca.pem\"\n").await;
    let shown = old.issue(&[ALICE]);
    let anchor = world.trust_anchor();
    let client = reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(&anchor).unwrap()])
        .identity(reqwest::Identity::from_pem(shown.pem.as_bytes()).unwrap())
        .http2_prior_knowledge()
        .build()
        .unwrap();
    let init = || client.post(world.url("/keymanagement/identity/v1/init")).send();
    assert_eq!(init().await.unwrap().status(), 200);
    world.server.reload(act()).await.unwrap();
    assert_eq!(init().await.unwrap().status(), 200);
    fs::write(world.folder.path().join("clients-ca.pem"), &new.pem).unwrap();
    world.server.reload(act()).await.unwrap();
    assert_eq!(init().await.unwrap().status(), 401);
}
