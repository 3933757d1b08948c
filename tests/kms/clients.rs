//! What each kind of client may ask for and how, how often, and what a running server takes up anew.

use crate::support::*;
use mikey_sakke::kms::development::{SelfSigned, TokenIssuer};
use mikey_sakke::kms::{ClientKind, Error, NewUser, State, admin, open_store};
use mikey_sakke::kms_protocol::ErrorCode;
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, Issuer, KeyPair, SanType};
use reqwest::{Certificate, Client, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs;
use std::time::{Duration, SystemTime};

const SERVER: &str = "sip:server@example.org";

/// A world with a further client of this kind.
async fn with_client(kind: ClientKind, edit: impl FnOnce(String) -> String) -> World {
    let world = World::with_config(edit).await;
    let (_, store) = open_store(world.folder.path()).await.unwrap();
    let user = NewUser { kind, ..NewUser::new("server", [SERVER]) };
    admin::add_user(&*store, &user, &act()).await.unwrap();
    world
}

async fn entries(world: &World) -> Vec<Value> {
    log(&State::open(world.folder.path(), &passphrase()).await.unwrap()).await
}

fn edit(world: &World, from: &str, to: &str) {
    let path = world.folder.path().join("kms.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from}");
    fs::write(&path, text.replacen(from, to, 1)).unwrap();
}

/// For edits before a start: every kind shares this line.
fn replaced(from: &'static str, to: &'static str) -> impl FnOnce(String) -> String {
    move |text| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    }
}

#[tokio::test]
async fn each_kind_may_ask_for_what_its_section_lists() {
    use ClientKind::{Gms, McxServer, SecurityGateway, SignallingProxy, User};
    for (kind, refused_resources) in [
        (User, &[][..]),
        (McxServer, &[]),
        (Gms, &[]),
        (SignallingProxy, &["lookup/example.org", "redirect"]),
        (SecurityGateway, &["redirect"]),
    ] {
        let world = with_client(kind, replaced("# operation", "operation")).await;
        let token = world.token(SERVER);
        for resource in ["init", "keyprov", "certcache", "cert/kms.example.org", "lookup/example.org", "redirect"] {
            let response = world.post(resource, &token).await;
            if refused_resources.contains(&resource) {
                let message = refused(response, ErrorCode::NotForThisKind).await;
                assert!(message.contains(kind.as_str()), "{message}");
            } else if resource == "redirect" {
                // It is looked at, and nothing was handed in.
                refused(response, ErrorCode::MalformedDocument).await;
            } else {
                assert_eq!(response.status(), StatusCode::OK, "{kind} {resource}");
            }
        }
    }
}

#[tokio::test]
async fn a_user_of_another_kind_is_judged_by_it_at_once() {
    let world = with_client(ClientKind::User, replaced("# operation", "operation")).await;
    let token = world.token(SERVER);
    assert_eq!(world.post("lookup/example.org", &token).await.status(), StatusCode::OK);
    let (_, store) = open_store(world.folder.path()).await.unwrap();
    admin::set_kind(&*store, "server", ClientKind::SignallingProxy, &act()).await.unwrap();
    refused(world.post("lookup/example.org", &token).await, ErrorCode::NotForThisKind).await;
    assert_eq!(world.post("keyprov", &token).await.status(), StatusCode::OK);
    let last = entries(&world).await.into_iter().rfind(|entry| entry["event"] == "user_kind_changed").unwrap();
    assert_eq!((&last["user"], &last["kind"]), (&json!("server"), &json!("signalling-proxy")));
    let error = admin::set_kind(&*store, "revoked", ClientKind::Gms, &act()).await.unwrap_err();
    assert!(matches!(error, Error::Store(_)), "{error}");
}

#[tokio::test]
async fn a_token_of_two_kinds_gets_what_each_may_have() {
    let edit = |text: String| text.replace("[clients.gms]\nresources = [\"init\", ", "[clients.gms]\nresources = [");
    let world = with_client(ClientKind::Gms, edit).await;
    let both = world.token_where(&[("mcdata_id", json!(SERVER)), ("mcvideo_id", Value::Null)]);
    assert_eq!(names(&key_sets(world.post("keyprov", &both).await).await).len(), 4);
    let (user, _) = answer(world.post("init", &both).await).await;
    assert_eq!(user, ALICE);
    refused(world.post("init", &world.token(SERVER)).await, ErrorCode::NotForThisKind).await;
}

#[tokio::test]
async fn a_kind_may_have_to_authenticate_by_certificate() {
    let way = "[\"token\", \"certificate\"]\nrequests_per_minute = 600";
    let world = with_client(ClientKind::Gms, replaced(way, "[\"certificate\"]\nrequests_per_minute = 600")).await;
    refused(world.post("keyprov", &world.token(SERVER)).await, ErrorCode::WrongAuthentication).await;
    assert_eq!(world.post("keyprov", &world.token(ALICE)).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_kind_may_have_a_policy_of_its_own() {
    let section = "[clients.gms]\n";
    let world = with_client(ClientKind::Gms, replaced(section, "[clients.gms]\ndirect = \"required\"\n")).await;
    refused(world.post("keyprov", &world.token(SERVER)).await, ErrorCode::NoTransportKey).await;
    assert_eq!(world.post("keyprov", &world.token(ALICE)).await.status(), StatusCode::OK);
    // The strictest of all counts.
    let both = world.token_where(&[("mcdata_id", json!(SERVER))]);
    refused(world.post("keyprov", &both).await, ErrorCode::NoTransportKey).await;
}

#[tokio::test]
async fn a_client_that_asks_too_often_waits_and_the_others_do_not() {
    let world = World::with_config(replaced("requests_per_minute = 60\n", "requests_per_minute = 3\n")).await;
    for _ in 0..3 {
        assert_eq!(world.post("init", &world.token(ALICE)).await.status(), StatusCode::OK);
    }
    for _ in 0..3 {
        // Another identity of the same user is no other client.
        let response = world.post("init", &world.token(ALICE_VIDEO)).await;
        let wait: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=21).contains(&wait), "{wait}");
        refused(response, ErrorCode::TooManyRequests).await;
    }
    assert_eq!(world.post("init", &world.token(BOB)).await.status(), StatusCode::OK);
    let world = world.restart().await;
    let entries = entries(&world).await;
    let of = |event: &str| entries.iter().filter(|entry| entry["event"] == event).collect::<Vec<_>>();
    assert_eq!(of("refused").len(), 1, "one is recorded with all that is known of it");
    let [throttled] = of("throttled")[..] else { panic!("{entries:?}") };
    assert_eq!((&throttled["client"], &throttled["count"]), (&json!("alice"), &json!(2)));
}

#[tokio::test]
async fn an_address_that_shows_no_good_token_is_refused_briefly() {
    let world = World::with_config(replaced("refusals_per_minute = 60", "refusals_per_minute = 2")).await;
    for _ in 0..2 {
        refused(world.post("init", "no.good.token").await, ErrorCode::InvalidToken).await;
    }
    for _ in 0..2 {
        refused(world.post("init", "no.good.token").await, ErrorCode::TooManyRequests).await;
    }
    assert_eq!(world.post("init", &world.token(ALICE)).await.status(), StatusCode::OK, "whoever is known is let in");
    refused(world.post("keyprov/sip%3Abob%40example.org", &world.token(ALICE)).await, ErrorCode::NotAuthorised).await;
    let entries = entries(&world).await;
    assert_eq!(entries.iter().filter(|entry| entry["event"] == "refused").count(), 4);
}

#[tokio::test]
async fn a_reload_takes_up_policy_limits_and_keys_on_open_connections() {
    let world = World::new().await;
    let old = world.token(ALICE);
    assert_eq!(world.post("keyprov", &old).await.status(), StatusCode::OK);

    let provider = TokenIssuer::new("https://idms.example.org", KMS_URI, "key-2").unwrap();
    fs::write(world.folder.path().join("jwks.json"), provider.jwks()).unwrap();
    edit(&world, "direct = \"optional\"", "direct = \"required\"");
    assert_eq!(world.post("keyprov", &old).await.status(), StatusCode::OK, "not before it is told to");
    world.server.reload(act()).await.unwrap();
    refused(world.post("keyprov", &old).await, ErrorCode::InvalidToken).await;
    let new = provider.token(ALICE, SystemTime::now(), Duration::from_secs(60)).unwrap();
    refused(world.post("keyprov", &new).await, ErrorCode::NoTransportKey).await;
    let entries = entries(&world).await;
    let reloaded = entries.iter().find(|entry| entry["event"] == "reloaded").unwrap();
    assert_eq!(reloaded["configuration"].as_str().unwrap().len(), 64);
}

#[tokio::test]
async fn a_reload_changes_the_certificate_of_new_connections_and_keeps_the_old_ones() {
    let world = World::new().await;
    assert_eq!(world.post("init", &world.token(ALICE)).await.status(), StatusCode::OK);
    let renewed = SelfSigned::new(&["kms.example.org"]).unwrap();
    fs::write(world.folder.path().join("tls-cert.pem"), &renewed.certificate).unwrap();
    fs::write(world.folder.path().join("tls-key.pem"), renewed.key.as_bytes()).unwrap();
    world.server.reload(act()).await.unwrap();

    assert_eq!(world.post("init", &world.token(ALICE)).await.status(), StatusCode::OK, "on its open connection");
    let certificate = Certificate::from_pem(renewed.certificate.as_bytes()).unwrap();
    let new = Client::builder().tls_certs_only([certificate]).build().unwrap();
    let response = new.post(world.url("init")).bearer_auth(world.token(ALICE)).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn what_cannot_be_taken_up_changes_nothing() {
    let world = World::new().await;
    let path = world.folder.path().join("kms.toml");
    let good = fs::read_to_string(&path).unwrap();
    let next = TokenIssuer::new("https://idms.example.org", KMS_URI, "key-2").unwrap();
    fs::write(world.folder.path().join("jwks.json"), next.jwks()).unwrap();
    for (from, to, expected) in [
        ("direct = \"optional\"", "direct = \"maybe\"", "maybe"),
        ("max_body = 65536", "max_body = 1", "server.max_body = 1: give 1024"),
        ("tls_key = \"tls-key.pem\"", "tls_key = \"none.pem\"", "none.pem"),
        ("jwks_file = \"jwks.json\"", "jwks_file = \"tls-cert.pem\"", "is not a JWK set"),
        ("key_offset = 11", "key_offset = 12", "key_offset was changed, which takes a new start"),
        ("\"127.0.0.1:8443\"", "\"127.0.0.1:8444\"", "server.listen was changed"),
        ("max_connections = 4096", "max_connections = 4", "server.max_connections was changed"),
        ("domains = [\"example.org\"]", "domains = [\"example.com\"]", "domains was changed"),
    ] {
        edit(&world, from, to);
        // Were it taken up in part, nobody would get anything.
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("audience = \"kms.example.org\"", "audience = \"another\"")).unwrap();
        let error = world.server.reload(act()).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(world.post("keyprov", &world.token(ALICE)).await.status(), StatusCode::OK, "{expected}");
        fs::write(&path, &good).unwrap();
    }
    let entries = entries(&world).await;
    assert!(entries.iter().all(|entry| entry["event"] != "reloaded"));
    let refused: Vec<_> = entries.iter().filter(|entry| entry["event"] == "reload_refused").collect();
    assert_eq!(refused.len(), 8);
    assert!(refused[2]["reason"].as_str().unwrap().contains("none.pem"), "{}", refused[2]);
    assert_eq!(refused[2]["by"], "the operator");
}

#[tokio::test]
async fn a_certificate_that_stands_for_nobody_is_named_in_the_refusal() {
    let key = KeyPair::generate().unwrap();
    let issue = |uris: &[&str]| {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.subject_alt_names = uris.iter().map(|uri| SanType::URI((*uri).try_into().unwrap())).collect();
        params.self_signed(&key).unwrap()
    };
    let (nobodys, servers) = (issue(&[]), issue(&[SERVER]));
    let pinned = |certificate: &rcgen::Certificate, uri: &str| {
        let sha256: String = Sha256::digest(certificate.der()).iter().map(|octet| format!("{octet:02x}")).collect();
        format!("[[auth.certificates.pinned]]\nsha256 = \"{sha256}\"\nuris = [\"{uri}\"]\n")
    };
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let ca = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::new(authority, authority_key);
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let nameless = params.signed_by(&key, &issuer).unwrap();

    let world = with_client(ClientKind::User, |toml| toml).await;
    let folder = world.folder.path();
    fs::write(folder.join("clients-ca.pem"), ca).unwrap();
    let text = fs::read_to_string(folder.join("kms.toml")).unwrap();
    let with_ca = format!("{text}\n[auth.certificates]\nca = \"clients-ca.pem\"\n");
    fs::write(folder.join("kms.toml"), format!("{with_ca}\n{}", pinned(&servers, SERVER))).unwrap();
    world.server.reload(act()).await.unwrap();

    let client = |certificate: &rcgen::Certificate| {
        let identity = certificate.pem() + &key.serialize_pem();
        trusting(folder).identity(reqwest::Identity::from_pem(identity.as_bytes()).unwrap()).build().unwrap()
    };
    let init = |client: &Client| client.post(world.url("init")).send();
    let message = refused(init(&client(&nameless)).await.unwrap(), ErrorCode::Unauthenticated).await;
    assert!(message.contains("certificate that was shown does not count: it has no URI"), "{message}");
    assert!(init(&client(&nobodys)).await.is_err(), "nobody knows its issuer");
    let token = client(&nameless).post(world.url("init")).bearer_auth(world.token(ALICE));
    assert_eq!(token.send().await.unwrap().status(), StatusCode::OK);

    let servers = client(&servers);
    assert_eq!(init(&servers).await.unwrap().status(), StatusCode::OK);
    let bob = servers.post(world.url("keyprov/sip%3Abob%40example.org")).send().await.unwrap();
    let message = refused(bob, ErrorCode::NotAuthorised).await;
    assert!(message.contains("not an identity of this certificate's holder"), "{message}");
    // Withdrawn while its connection is open.
    fs::write(folder.join("kms.toml"), with_ca).unwrap();
    world.server.reload(act()).await.unwrap();
    let message = refused(init(&servers).await.unwrap(), ErrorCode::Unauthenticated).await;
    assert!(message.contains("it is not taken any more: "), "{message}");
    fs::write(folder.join("kms.toml"), text).unwrap();
    world.server.reload(act()).await.unwrap();
    let message = refused(init(&servers).await.unwrap(), ErrorCode::Unauthenticated).await;
    assert!(message.contains("takes no certificates of clients any more"), "{message}");
}
