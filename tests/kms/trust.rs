//! The audit log tells by what tokens and certificates were checked at any time.

use crate::support::{ALICE, KMS_URI, World, act, log, now_or_later, passphrase, refused};
use mikey_sakke::kms::development::TokenIssuer;
use mikey_sakke::kms::{Server, State};
use mikey_sakke::kms_protocol::ErrorCode;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

fn sha256(octets: impl AsRef<[u8]>) -> String {
    Sha256::digest(octets).iter().map(|octet| format!("{octet:02x}")).collect()
}

async fn events(world: &World, event: &str) -> Vec<Value> {
    let state = State::open(world.folder.path(), &passphrase()).await.unwrap();
    log(&state).await.into_iter().filter(|entry| entry["event"] == event).collect()
}

#[tokio::test]
async fn a_start_and_a_reload_are_recorded_with_the_hashes_of_what_was_read() {
    let pins =
        format!("[[auth.certificates.pinned]]\nsha256 = \"{}\"\nuris = [\"sip:a@b\", \"sip:c@d\"]\n", "0a".repeat(32));
    let world = World::with_files(
        |folder| {
            fs::copy(folder.join("tls-cert.pem"), folder.join("clients-ca.pem")).unwrap();
        },
        |toml| format!("{toml}\n[auth.certificates]\nca = \"clients-ca.pem\"\n{pins}"),
    )
    .await;
    let file = |name: &str| fs::read(world.folder.path().join(name)).unwrap();
    let expected = || {
        json!({
            "jwks": sha256(file("jwks.json")),
            "client_ca": sha256(file("clients-ca.pem")),
            "pinned": sha256(format!("{} sip:a@b sip:c@d\n", "0a".repeat(32))),
        })
    };
    let started = events(&world, "started").await;
    assert_eq!(started.len(), 1);
    assert_eq!((&started[0]["configuration"], &started[0]["trust"]), (&sha256(file("kms.toml")).into(), &expected()));

    let next = TokenIssuer::new("https://idms.example.org", KMS_URI, "key-2").unwrap();
    fs::write(world.folder.path().join("jwks.json"), next.jwks()).unwrap();
    world.server.reload(act()).await.unwrap();
    let reloaded = events(&world, "reloaded").await;
    assert_eq!((&reloaded[0]["configuration"], &reloaded[0]["trust"]), (&started[0]["configuration"], &expected()));
    assert_ne!(reloaded[0]["trust"], started[0]["trust"]);
    assert_eq!(events(&world, "token_keys_changed").await, [json!(null); 0]);
}

#[tokio::test]
async fn a_start_has_the_hash_of_the_configuration_that_it_goes_by() {
    let world = World::new().await;
    let toml = world.folder.path().join("kms.toml");
    let parsed = fs::read_to_string(&toml).unwrap();
    let state = State::open(world.folder.path(), &passphrase()).await.unwrap();
    fs::write(&toml, parsed.replace("direct = \"optional\"", "direct = \"required\"")).unwrap();
    let server = Server::bind(&state, Some("127.0.0.1:0".parse().unwrap()), act()).await.unwrap();
    server.shutdown().await;
    assert_eq!(events(&world, "started").await.last().unwrap()["configuration"], sha256(&parsed));
}

#[tokio::test]
async fn a_start_that_fails_is_none() {
    let world = World::new().await;
    let state = State::open(world.folder.path(), &passphrase()).await.unwrap();
    Server::bind(&state, Some(world.server.address()), act()).await.unwrap_err();
    assert_eq!(events(&world, "started").await.len(), 1);
}

#[tokio::test]
async fn a_key_that_a_running_server_takes_up_by_itself_is_recorded() {
    let world = World::new().await;
    let path = world.folder.path().join("jwks.json");
    let before = sha256(fs::read(&path).unwrap());
    let next = TokenIssuer::new("https://idms.example.org", KMS_URI, "key-2").unwrap();
    fs::write(&path, next.jwks()).unwrap();
    let token = next.token(ALICE, SystemTime::now(), Duration::from_secs(60)).unwrap();
    assert_eq!(world.post("keyprov", &token).await.status(), StatusCode::OK);
    let World { folder, server, .. } = world;
    server.shutdown().await;
    let state = State::open(folder.path(), &passphrase()).await.unwrap();
    let entry = log(&state).await.into_iter().find(|entry| entry["event"] == "token_keys_changed").unwrap();
    assert_eq!((&entry["jwks"], &entry["before"]), (&sha256(next.jwks()).into(), &before.into()));
    assert_eq!((&entry["origin"], &entry["by"]), (&path.to_str().unwrap().into(), &"the server".into()));
}

/// Gives whatever set it has at the time.
async fn provider(set: Arc<Mutex<String>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await;
            let body = set.lock().unwrap().clone();
            let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
            let _ = stream.write_all((head + &body).as_bytes()).await;
        }
    });
    url
}

#[tokio::test]
async fn what_is_fetched_is_recorded_when_it_differs_and_a_reload_has_what_it_fetched() {
    let issuer = |key_id| TokenIssuer::new("https://idms.example.org", KMS_URI, key_id).unwrap();
    let (one, two) = (issuer("key-1"), issuer("key-2"));
    let set = Arc::new(Mutex::new(one.jwks()));
    let url = provider(set.clone()).await;
    let world =
        World::with_config(|toml| toml.replace("jwks_file = \"jwks.json\"", &format!("jwks_url = \"{url}\""))).await;
    let token = |issuer: &TokenIssuer| issuer.token(ALICE, SystemTime::now(), Duration::from_secs(60)).unwrap();
    assert_eq!(events(&world, "started").await[0]["trust"], json!({}), "nothing was fetched yet");
    for _ in 0..2 {
        assert_eq!(world.post("keyprov", &token(&one)).await.status(), StatusCode::OK);
    }
    let first = now_or_later(async || events(&world, "token_keys_changed").await.pop()).await;
    assert_eq!(first["jwks"], sha256(one.jwks()));
    assert_eq!((&first["origin"], first.get("before")), (&url.as_str().into(), None));

    set.lock().unwrap().clone_from(&two.jwks());
    world.server.reload(act()).await.unwrap();
    assert_eq!(events(&world, "reloaded").await[0]["trust"], json!({ "jwks": sha256(two.jwks()) }));
    refused(world.post("keyprov", &token(&one)).await, ErrorCode::InvalidToken).await;
    assert_eq!(events(&world, "token_keys_changed").await.len(), 1);

    // After a new start the first set is told of again.
    let world = world.restart().await;
    assert_eq!(world.post("keyprov", &token(&two)).await.status(), StatusCode::OK);
    let again = now_or_later(async || events(&world, "token_keys_changed").await.into_iter().nth(1)).await;
    assert_eq!((&again["jwks"], again.get("before")), (&sha256(two.jwks()).into(), None));
}
