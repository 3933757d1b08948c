//! The key management server over real HTTPS on the loopback interface: what it gives, and everything that it refuses.

use crate::schema::Schema;
use crate::support;
use crate::support::*;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use mikey_sakke::kms::development::TokenIssuer;
use mikey_sakke::kms::{self, Error, InitOptions, NewUser, Server, State, admin, open_store};
use mikey_sakke::kms_protocol::{ErrorCode, KeyIds, KmsRequest, KmsResponse, Limits};
use mikey_sakke::sakke;
use mikey_sakke::sealing::{self, Passphrase};
use mikey_sakke::xml_security::SigningOptions;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};
use time::OffsetDateTime;

#[tokio::test]
async fn init_gives_the_certificate() {
    let world = World::new().await;
    let response = world.post("init", &world.token(ALICE)).await;
    let (user, message) = answer(response).await;
    assert_eq!(user, ALICE);
    let certificate = message.into_init().unwrap().certificate;
    assert_eq!(certificate.kms_uri, KMS_URI);
    assert_eq!((certificate.user_key_period, certificate.user_key_offset), (PERIOD, 11));
    assert_eq!(certificate.pub_enc_key, world.initialised.pub_enc_key.to_bytes());
    assert_eq!(certificate.pub_auth_key, world.initialised.pub_auth_key.to_bytes());
    assert_eq!(certificate.domains, ["example.org"]);
}

#[tokio::test]
async fn keyprov_gives_valid_keys_for_this_and_the_next_period() {
    let world = World::new().await;
    let kms = world.public().await;
    let key_sets = key_sets(world.post("keyprov", &world.token(ALICE)).await).await;
    let current = current_period();
    assert_eq!(names(&key_sets), [(ALICE, current), (ALICE, current + 1)]);
    for key_set in &key_sets {
        let valid = validate(&kms, key_set);
        assert_eq!(valid.uid().as_bytes(), &key_set.user_id);
        let (start, end) = kms.periods().bounds(key_set.key_period_no);
        let seconds = |date: Option<OffsetDateTime>| u64::try_from(date.unwrap().unix_timestamp()).unwrap() + NTP_UNIX;
        assert_eq!((seconds(key_set.valid_from), seconds(key_set.valid_to)), (start, end));
    }
    assert_ne!(key_sets[0].user_pub_token_pvt, key_sets[1].user_pub_token_pvt);

    // What one encapsulates for the URI from the certificate alone, the keys open.
    let alice = validate(&kms, &key_sets[0]);
    let identity = kms.identity(alice.uid());
    let secret = sakke::SharedSecret::new([7; 16]);
    let sed = kms.sakke().encapsulate(identity.as_bytes(), &secret).unwrap();
    assert_eq!(alice.receiver().decapsulate(kms.sakke(), &sed).unwrap().as_bytes(), &[7; 16]);
}

#[tokio::test]
async fn keyprov_takes_every_form_of_uri_and_time() {
    let world = World::new().await;
    let token = world.token(ALICE);
    let current = current_period();
    let time = |period: u64| (period * PERIOD + 11 + 5) << 32;
    for (resource, expected) in [
        ("keyprov/sip%3Aalice%40example.org".into(), &[(ALICE, current), (ALICE, current + 1)][..]),
        ("keyprov/sip:alice@example.org".into(), &[(ALICE, current), (ALICE, current + 1)]),
        (format!("keyprov/sip%3Aalice%40example.org/{:016X}", time(current)), &[(ALICE, current)]),
        (format!("keyprov/sip:alice@example.org/{:016x}", time(current + 1)), &[(ALICE, current + 1)]),
    ] {
        assert_eq!(names(&key_sets(world.post(&resource, &token).await).await), expected, "{resource}");
    }
}

#[tokio::test]
async fn a_token_with_several_identities_gets_keys_for_each_that_is_registered() {
    let world = World::new().await;
    let token = world.token_where(&[("mcvideo_id", ALICE_VIDEO.into()), ("mcdata_id", UNKNOWN.into())]);
    let current = current_period();
    let all = key_sets(world.post("keyprov", &token).await).await;
    let expected = [(ALICE, current), (ALICE, current + 1), (ALICE_VIDEO, current), (ALICE_VIDEO, current + 1)];
    assert_eq!(names(&all), expected);
    let named = world.post("keyprov/sip%3Aalice.video%40example.org", &token).await;
    assert_eq!(names(&key_sets(named).await), expected[2..]);
    let request = world.request(ALICE_VIDEO, "keyprov");
    assert_eq!(names(&key_sets(world.post_document("keyprov", &token, &request).await).await), expected[2..]);
}

#[tokio::test]
async fn certcache_is_empty_whatever_the_client_has() {
    let world = World::new().await;
    for resource in ["certcache", "certcache/0", "certcache/12"] {
        let (user, message) = answer(world.post(resource, &world.token(BOB)).await).await;
        let cache = message.into_cert_cache().unwrap();
        assert_eq!((user.as_str(), cache.cache_num, cache.certificates.len()), (BOB, Some(0), 0));
    }
}

#[tokio::test]
async fn a_request_document_is_answered_in_its_own_terms() {
    let world = World::new().await;
    let token = world.token(ALICE);
    let request = world.request(ALICE, "init");
    let response = document(world.post_document("init", &token, &request).await).await;
    assert_eq!((response.user_uri.as_str(), &response.client_req_url), (ALICE, &request.client_req_url));

    let mut sloppy = world.request(ALICE, "keyprov");
    sloppy.client_req_url = sloppy.client_req_url.replace("https:", "http:");
    let resource = "keyprov/sip:alice@example.org";
    assert_eq!(world.post_document(resource, &token, &sloppy).await.status(), StatusCode::OK);
    sloppy.time -= Duration::from_secs(25);
    assert_eq!(world.post_document(resource, &token, &sloppy).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn issues_are_noted_and_repeat_exactly_even_after_a_restart() {
    let world = World::new().await;
    let first = key_sets(world.post("keyprov", &world.token(ALICE)).await).await;
    let again = key_sets(world.post("keyprov", &world.token(ALICE)).await).await;
    assert_eq!(first, again);
    let world = world.restart().await;
    assert_eq!(first, key_sets(world.post("keyprov", &world.token(ALICE)).await).await);
    refused(world.post("keyprov", &world.token(REVOKED)).await, ErrorCode::RevokedUser).await;

    let state = State::open(world.folder.path(), &passphrase()).await.unwrap();
    let current = current_period();
    let log = log(&state).await;
    let of = |event: &str| log.iter().filter(|entry| entry["event"] == event).collect::<Vec<_>>();
    let issues = of("issued");
    assert_eq!(issues.len(), 3);
    for issue in issues {
        assert_eq!((&issue["user"], &issue["uri"], &issue["by"]), (&json!("alice"), &json!(ALICE), &json!(ALICE)));
        assert_eq!(issue["periods"], json!([current, current + 1]));
        assert_eq!(issue["request_id"].as_str().unwrap().len(), 16);
    }
    let [refusal] = of("refused")[..] else { panic!("{log:?}") };
    assert_eq!(refusal["code"], ErrorCode::RevokedUser.number());
    assert_eq!((&refusal["asked"], &refusal["by"]), (&json!(REVOKED), &json!(REVOKED)));
    let resource = json!("/keymanagement/identity/v1/keyprov");
    assert_eq!((&refusal["resource"], &refusal["peer"]), (&resource, &json!("127.0.0.1")));
}

#[tokio::test]
async fn only_good_tokens_are_let_in() {
    let world = World::new().await;
    for resource in ["init", "keyprov", "certcache"] {
        let response = world.client.post(world.url(resource)).send().await.unwrap();
        assert_eq!(response.headers()["www-authenticate"], "Bearer realm=\"kms.example.org\"");
        refused(response, ErrorCode::Unauthenticated).await;
    }
    let basic = world.client.post(world.url("init")).basic_auth("alice", Some("secret")).send().await.unwrap();
    refused(basic, ErrorCode::Unauthenticated).await;

    let good = world.token(ALICE);
    for other in [good.as_str(), "rubbish"] {
        let twice = world.client.post(world.url("keyprov")).bearer_auth(&good).bearer_auth(other).send().await.unwrap();
        refused(twice, ErrorCode::SeveralAuthorizations).await;
    }

    let stranger = TokenIssuer::new("https://idms.example.org", KMS_URI, "key-1").unwrap();
    let unpublished = TokenIssuer::new("https://idms.example.org", KMS_URI, "key-2").unwrap();
    let (now, minute) = (SystemTime::now(), Duration::from_secs(60));
    let expired = world.provider.token(ALICE, now - Duration::from_secs(600), minute).unwrap();
    let claims = world.provider.claims(ALICE, now, minute);
    let key = EncodingKey::from_secret(b"secret");
    let hs256 = Header { kid: Some("key-1".into()), ..Header::new(Algorithm::HS256) };
    let hs256 = jsonwebtoken::encode(&hs256, &claims, &key).unwrap();
    // {"alg":"none"}
    let none = format!("eyJhbGciOiJub25lIn0.{}.", good.split('.').nth(1).unwrap());
    for (token, reason) in [
        (stranger.token(ALICE, now, minute).unwrap(), "signature is wrong"),
        (unpublished.token(ALICE, now, minute).unwrap(), "does not publish"),
        (expired, "expired"),
        (world.token_where(&[("nbf", json!(4_000_000_000_u64))]), "not valid yet"),
        (world.token_where(&[("aud", "another".into())]), "another audience"),
        (world.token_where(&[("aud", Value::Null)]), "no aud claim"),
        (world.token_where(&[("iss", "https://evil.example".into())]), "another issuer"),
        (world.token_where(&[("exp", Value::Null)]), "no exp claim"),
        (hs256, "ES256, ES384 and EdDSA are"),
        (none, "ES256, ES384 and EdDSA are"),
        ("rubbish".into(), "malformed"),
    ] {
        let response = world.post("keyprov", &token).await;
        let challenge = response.headers()["www-authenticate"].to_str().unwrap().to_owned();
        assert!(challenge.starts_with("Bearer realm=\"kms.example.org\", error=\"invalid_token\""), "{challenge}");
        let message = refused(response, ErrorCode::InvalidToken).await;
        assert!(message.contains(reason), "{reason}: {message}");
        assert!(!message.contains(&token) && !challenge.contains(&token));
    }

    for scope in [Value::Null, "openid".into(), json!([])] {
        let response = world.post("keyprov", &world.token_where(&[("scope", scope)])).await;
        assert!(response.headers()["www-authenticate"].to_str().unwrap().contains("insufficient_scope"));
        refused(response, ErrorCode::MissingScope).await;
    }
    let other_service = [("scope", "3gpp:mc:ptt_key_management_service".into()), ("mcptt_id", Value::Null)];
    refused(world.post("keyprov", &world.token_where(&other_service)).await, ErrorCode::NotAuthorised).await;
}

#[tokio::test]
async fn rs256_tokens_and_providers_with_several_keys_work() {
    let world = World::new().await;
    let rsa = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
    let key = EncodingKey::from_rsa_pem(rsa.serialize_pem().as_bytes()).unwrap();
    let mut jwk = Jwk::from_encoding_key(&key, Algorithm::RS256).unwrap();
    jwk.common.key_id = Some("rsa".into());
    let mut jwks: Value = serde_json::from_str(&world.provider.jwks()).unwrap();
    jwks["keys"].as_array_mut().unwrap().push(json!(jwk));
    std::fs::write(world.folder.path().join("jwks.json"), jwks.to_string()).unwrap();

    let claims = world.provider.claims(ALICE, SystemTime::now(), Duration::from_secs(60));
    let header = |kid: &str| Header { kid: Some(kid.into()), ..Header::new(Algorithm::RS256) };
    let token = jsonwebtoken::encode(&header("rsa"), &claims, &key).unwrap();
    assert_eq!(world.post("init", &token).await.status(), StatusCode::OK);
    assert_eq!(world.post("init", &world.token(ALICE)).await.status(), StatusCode::OK);
    let confused = jsonwebtoken::encode(&header("key-1"), &claims, &key).unwrap();
    let message = refused(world.post("init", &confused).await, ErrorCode::InvalidToken).await;
    assert!(message.contains("not that of its key"), "{message}");
}

#[tokio::test]
async fn nobody_gets_anothers_keys() {
    let world = World::new().await;
    let alice = world.token(ALICE);
    for resource in
        ["keyprov/sip%3Abob%40example.org", "keyprov/sip:bob@example.org", "keyprov/sip%3AALICE%40example.org"]
    {
        refused(world.post(resource, &alice).await, ErrorCode::NotAuthorised).await;
    }
    for resource in ["init", "keyprov", "certcache", "keyprov/sip%3Aalice%40example.org"] {
        let request = world.request(BOB, resource);
        refused(world.post_document(resource, &alice, &request).await, ErrorCode::NotAuthorised).await;
    }
    // A claim of a service that the scope does not open is no identity.
    let ptt_alone = [("scope", "3gpp:mc:ptt_key_management_service".into()), ("mcdata_id", BOB.into())];
    let token = world.token_where(&ptt_alone);
    refused(world.post("keyprov/sip%3Abob%40example.org", &token).await, ErrorCode::NotAuthorised).await;

    for resource in ["init", "keyprov", "certcache"] {
        refused(world.post(resource, &world.token(REVOKED)).await, ErrorCode::RevokedUser).await;
        refused(world.post(resource, &world.token(UNKNOWN)).await, ErrorCode::UnknownUser).await;
    }
    let state = State::open(world.folder.path(), &passphrase()).await.unwrap();
    assert_eq!(state.store.counts().await.unwrap().issues, 0);
}

#[tokio::test]
async fn revocation_works_while_the_server_runs() {
    let world = World::new().await;
    let token = world.token(BOB);
    assert_eq!(world.post("keyprov", &token).await.status(), StatusCode::OK);
    let (_, store) = open_store(world.folder.path()).await.unwrap();
    admin::revoke_user(&*store, "bob", &act()).await.unwrap();
    refused(world.post("keyprov", &token).await, ErrorCode::RevokedUser).await;
}

#[tokio::test]
async fn other_periods_are_refused() {
    let world = World::new().await;
    let token = world.token(ALICE);
    let current = current_period();
    for period in [0, current - 1, current + 2, current + 1000] {
        let resource = format!("keyprov/sip%3Aalice%40example.org/{:016X}", (period * PERIOD + 11) << 32);
        let message = refused(world.post(&resource, &token).await, ErrorCode::PeriodNotAvailable).await;
        assert!(message.contains(&format!("{current} and {}", current + 1)), "{message}");
    }
    for time in ["0000000000000000", "FFFFFFFFFFFFFFFF"] {
        let resource = format!("keyprov/sip%3Aalice%40example.org/{time}");
        refused(world.post(&resource, &token).await, ErrorCode::PeriodNotAvailable).await;
    }
}

#[tokio::test]
async fn request_documents_are_checked() {
    let world = World::new().await;
    let token = world.token(ALICE);
    let good = world.request(ALICE, "keyprov");
    let post = |request: KmsRequest| {
        let (world, token) = (&world, &token);
        async move { world.post_document("keyprov", token, &request).await }
    };
    let other_kms = KmsRequest { kms_uri: "kms.example.net".into(), ..good.clone() };
    refused(post(other_kms).await, ErrorCode::WrongKms).await;
    for other in ["https://kms.example.net/keymanagement/identity/v1/keyprov", "urn:nothing", &world.url("init")] {
        let request = KmsRequest { client_req_url: other.into(), ..good.clone() };
        refused(post(request).await, ErrorCode::WrongRequestUrl).await;
    }
    for seconds in [-40_i64, -86_400, 40, 86_400] {
        let time = good.time + time::Duration::seconds(seconds);
        refused(post(KmsRequest { time, ..good.clone() }).await, ErrorCode::StaleRequest).await;
    }
    let anywhere = KmsRequest { time: time::macros::datetime!(9999-12-31 23:59:59 UTC), ..good.clone() };
    refused(post(anywhere).await, ErrorCode::StaleRequest).await;
}

#[tokio::test]
async fn a_local_time_without_zone_is_forgiven_where_the_configuration_says_so() {
    for is_forgiven in [false, true] {
        let world = World::with_config(|toml| {
            assert!(toml.contains("local_times = false"));
            toml.replace("local_times = false", &format!("local_times = {is_forgiven}"))
        })
        .await;
        let post = async |minutes: i64, seconds: i64, zone: &str| {
            let request = world.request(ALICE, "keyprov");
            let time = request.time + time::Duration::minutes(minutes) + time::Duration::seconds(seconds);
            let xml = KmsRequest { time, ..request }.to_xml().replace("Z</Time>", &format!("{zone}</Time>"));
            let post = world.client.post(world.url("keyprov")).bearer_auth(world.token(ALICE));
            post.header("content-type", "application/xml").body(xml).send().await.unwrap()
        };
        assert_eq!(post(0, 0, "").await.status(), StatusCode::OK);
        assert_eq!(post(60, 0, "+01:00").await.status(), StatusCode::OK);
        for minutes in [-12 * 60, 120, 345, 14 * 60] {
            let response = post(minutes, 0, "").await;
            match is_forgiven {
                true => assert_eq!(response.status(), StatusCode::OK, "{minutes}"),
                false => drop(refused(response, ErrorCode::StaleRequest).await),
            }
            refused(post(minutes, 0, "Z").await, ErrorCode::StaleRequest).await;
            refused(post(minutes, 120, "").await, ErrorCode::StaleRequest).await;
        }
        refused(post(15 * 60, 0, "").await, ErrorCode::StaleRequest).await;
    }
}

#[tokio::test]
async fn an_answer_has_one_key_set_where_the_configuration_says_so() {
    let world =
        World::with_config(|toml| toml.replace("key_sets = \"current-and-next\"", "key_sets = \"current\"")).await;
    let token = world.token(ALICE);
    let current = current_period();
    assert_eq!(names(&key_sets(world.post("keyprov", &token).await).await), [(ALICE, current)]);
    let next = format!("keyprov/sip%3Aalice%40example.org/{:016X}", ((current + 1) * PERIOD + 11) << 32);
    assert_eq!(names(&key_sets(world.post(&next, &token).await).await), [(ALICE, current + 1)]);
}

#[tokio::test]
async fn a_request_that_names_other_keys_than_it_is_signed_with_is_refused() {
    let world = World::new().await;
    let state = State::open(world.folder.path(), &passphrase()).await.unwrap();
    let old = admin::new_client_keys(&state, ALICE, false, &act()).await.unwrap();
    let keys = admin::new_client_keys(&state, ALICE, true, &act()).await.unwrap();
    let bobs = admin::new_client_keys(&state, BOB, false, &act()).await.unwrap();
    let ids = |trk_id: &str, signature_id: Option<&str>| KeyIds {
        trk_id: Some(trk_id.to_owned()),
        signature_id: signature_id.map(str::to_owned),
    };
    let post = async |key_ids: KeyIds, is_signed: bool| {
        let request = KmsRequest { key_ids, ..world.request(ALICE, "init") };
        let xml = match is_signed {
            true => request.to_signed_xml(keys.signing_key(), &SigningOptions::default()).unwrap().to_string(),
            false => request.to_xml(),
        };
        let post = world.client.post(world.url("init")).bearer_auth(world.token(ALICE));
        post.header("content-type", "application/xml").body(xml).send().await.unwrap()
    };
    let (trk, ink) = (keys.transport.name(), keys.signing_key().name());
    assert_eq!(post(KeyIds::default(), true).await.status(), StatusCode::OK);
    assert_eq!(post(ids(trk, Some(ink)), true).await.status(), StatusCode::OK);
    assert_eq!(post(ids(trk, None), false).await.status(), StatusCode::OK);
    for other in [old.transport.name(), bobs.transport.name(), ink, "tk.9"] {
        for is_signed in [true, false] {
            let message = refused(post(ids(other, None), is_signed).await, ErrorCode::OtherTransportKey).await;
            assert!(message.contains(other), "{message}");
        }
    }
    let message =
        refused(post(ids(trk, Some(old.signing_key().name())), true).await, ErrorCode::InvalidSignature).await;
    assert!(message.contains("Signature-ID is ") && message.contains(ink), "{message}");
    let message = refused(post(ids(trk, Some(ink)), false).await, ErrorCode::InvalidSignature).await;
    assert!(message.contains("there is no signature"), "{message}");
    // The next pair is named by a client that has it.
    let next = admin::rotate_client_keys(&state, ALICE, &act()).await.unwrap();
    assert_eq!(post(ids(&next.trk_id, None), true).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn bodies_are_checked() {
    let world = World::new().await;
    let token = world.token(ALICE);
    let post = |content_type: &'static str, body: Vec<u8>| {
        let post = world.client.post(world.url("keyprov")).bearer_auth(&token).header("content-type", content_type);
        async { post.body(body).send().await.unwrap() }
    };
    for body in ["rubbish", "<KmsRequest/>", "<KmsResponse/>", "<!DOCTYPE a><a/>", "<a><b></a>", "\u{0}"] {
        refused(post("application/xml", body.into()).await, ErrorCode::MalformedDocument).await;
    }
    for content_type in ["application/json", "application/x-www-form-urlencoded", "text/plain"] {
        refused(post(content_type, b"{}".into()).await, ErrorCode::UnsupportedMediaType).await;
    }
    for (encoding, is_taken) in [("gzip", false), ("identity", true), ("identity, br", false)] {
        let post = world.client.post(world.url("keyprov")).bearer_auth(&token).header("content-type", "text/xml");
        let body = world.request(ALICE, "keyprov").to_xml();
        let response = post.header("content-encoding", encoding).body(body).send().await.unwrap();
        if is_taken {
            assert_eq!(response.status(), StatusCode::OK);
        } else {
            let message = refused(response, ErrorCode::UnsupportedMediaType).await;
            assert!(message.contains(encoding), "{message}");
        }
    }
    refused(post("application/xml", vec![b' '; 65_537]).await, ErrorCode::TooLarge).await;
    assert_eq!(post("application/xml", vec![b' '; 65_536]).await.status(), StatusCode::OK);
    assert_eq!(post("application/json", Vec::new()).await.status(), StatusCode::OK);
    let good = world.request(ALICE, "keyprov").to_xml().into_bytes();
    for content_type in ["text/xml; charset=utf-8", "application/vnd.3gpp.kms+xml", "Application/XML"] {
        assert_eq!(post(content_type, good.clone()).await.status(), StatusCode::OK, "{content_type}");
    }
}

#[tokio::test]
async fn other_methods_and_paths_are_refused() {
    let world = World::new().await;
    let token = world.token(ALICE);
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::OPTIONS, Method::PATCH] {
        let response = world.client.request(method, world.url("init")).bearer_auth(&token).send().await.unwrap();
        assert_eq!(response.headers()["allow"], "POST");
        refused(response, ErrorCode::MethodNotAllowed).await;
    }
    let head = world.client.head(world.url("init")).send().await.unwrap();
    assert_eq!(head.status(), StatusCode::METHOD_NOT_ALLOWED);
    for resource in [
        "",
        "nothing",
        "initx",
        "init/more",
        "Init",
        "keyprov/a/b/c",
        "keyprov/sip%3Aalice%40example.org/12",
        "certcache/x",
    ] {
        refused(world.post(resource, &token).await, ErrorCode::UnknownResource).await;
    }
    for path in ["/", "/init", "/keymanagement/identity/v2/init", "/keymanagement/identity/v1init"] {
        let url = format!("https://{}{path}", world.server.address());
        let response = world.client.post(url).bearer_auth(&token).send().await.unwrap();
        refused(response, ErrorCode::UnknownResource).await;
    }
}

#[tokio::test]
async fn every_answer_is_valid_against_the_schema() {
    let Some(schema) = Schema::open() else { return };
    let world = World::new().await;
    let token = world.token(ALICE);
    let mut answers = Vec::new();
    for (resource, token) in [
        ("init", &*token),
        ("keyprov", &token),
        ("keyprov/sip:alice@example.org", &token),
        ("certcache/1", &token),
        ("init", "rubbish"),
        ("keyprov/sip%3A%26%3C%3E@example.org", &token),
        ("keyprov/sip%3A%25zz", &token),
        ("keyprov/sip%3A%5B", &token),
        ("keyprov/%zz", &token),
        ("keyprov/%", &token),
        ("keyprov/[%5B^{", &token),
        ("nothing", &token),
    ] {
        answers.push(world.post(resource, token).await.text().await.unwrap());
    }
    for uri in [
        ":",
        "1:b",
        "'ip:a@b",
        "http://a:b:c",
        "http://[::1]",
        "http://a:123456",
        "//:1",
        "http://a@b@c",
        "http://@",
        "http://u@:1",
        "sip:",
        "sip:a:b@c:d",
        "a/b:c",
        "%",
        "?:",
        "//",
        "///",
        "a:///",
        "a://%5b",
        "!:b",
    ] {
        let request = world.request(uri, "init");
        answers.push(world.post_document("init", &token, &request).await.text().await.unwrap());
        let identity = format!(" {uri}");
        answers.push(world.post("init", &world.token(&identity)).await.text().await.unwrap());
        answers.push(world.post("keyprov", &world.token(uri)).await.text().await.unwrap());
    }
    for path in ["keyprov/[::1]", "keyprov/:", "keyprov/1:b", "//a:b:c", ":"] {
        answers.push(world.post(path, &token).await.text().await.unwrap());
    }
    let nobody = world.post("init", "rubbish").await.text().await.unwrap();
    assert!(nobody.contains("<UserUri>sip:anonymous@anonymous.invalid</UserUri>"), "{nobody}");
    answers.push(world.client.post(world.url("init")).send().await.unwrap().text().await.unwrap());
    let state = State::open(world.folder.path(), &passphrase()).await.unwrap();
    answers.push(admin::issue(&state, ALICE, None, None, &act()).await.unwrap().document.to_string());
    answers.push(admin::init_document(&state, ALICE, None, SystemTime::now()).await.unwrap().to_string());
    for answer in answers {
        assert_eq!(schema.faults(&answer), None, "{answer}");
    }
    assert!(schema.faults("<KmsResponse/>").is_some());
}

#[tokio::test]
async fn files_for_pre_provisioning_hold_what_the_server_gives() {
    let world = World::new().await;
    let state = State::open(world.folder.path(), &passphrase()).await.unwrap();
    let now = SystemTime::now();
    let parse = |xml: &str| KmsResponse::from_xml(xml.as_bytes(), &Limits::default()).unwrap().into_parts().0;
    let file = parse(&admin::issue(&state, ALICE, None, None, &act()).await.unwrap().document);
    assert_eq!((file.user_uri.as_str(), file.kms_uri.as_str()), (ALICE, KMS_URI));
    let from_file = file.into_message().unwrap().into_key_prov().unwrap().key_sets;
    assert_eq!(from_file, key_sets(world.post("keyprov", &world.token(ALICE)).await).await);

    let later = current_period() + 7;
    let issued = admin::issue(&state, ALICE, Some(later), None, &act()).await.unwrap();
    assert_eq!(issued.key_sets, 1);
    let file = parse(&issued.document);
    let key_sets = file.into_message().unwrap().into_key_prov().unwrap().key_sets;
    assert_eq!(names(&key_sets), [(ALICE, later)]);
    validate(&world.public().await, &key_sets[0]);

    let file = parse(&admin::init_document(&state, ALICE, None, now).await.unwrap());
    let certificate = file.into_message().unwrap().into_init().unwrap().certificate;
    assert_eq!(certificate, state.authority.certificate_at(support::now()));

    assert!(matches!(admin::issue(&state, UNKNOWN, None, None, &act()).await, Err(Error::UnknownUri(_))));
    assert!(matches!(admin::issue(&state, REVOKED, None, None, &act()).await, Err(Error::Revoked { .. })));
    assert!(matches!(admin::init_document(&state, REVOKED, None, now).await, Err(Error::Revoked { .. })));
    for far in [current_period() + 61, u64::MAX] {
        let error = admin::issue(&state, ALICE, Some(far), None, &act()).await.map(|_| ()).unwrap_err();
        assert!(matches!(error, Error::PeriodAhead { period_no, .. } if period_no == far), "{error}");
    }
    let log = log(&state).await;
    let by_hand = log.iter().filter(|entry| entry["event"] == "issued" && entry["by"] == "the operator");
    let periods: Vec<_> = by_hand.map(|entry| entry["periods"].as_array().unwrap().len()).collect();
    assert_eq!(periods, [2, 1]);
}

#[tokio::test]
async fn users_are_added_only_with_proper_names() {
    let world = World::new().await;
    let (config, store) = open_store(world.folder.path()).await.unwrap();
    let add = |id: &'static str, uri: &'static str| {
        let store = store.clone();
        async move { admin::add_user(&*store, &NewUser::new(id, [uri]), &act()).await }
    };
    for id in ["", "with space", "tab\t"] {
        assert!(matches!(add(id, "sip:new@example.org").await, Err(Error::UserId(_))), "{id:?}");
    }
    for uri in ["", "alice", "sip:", ":x", "1sip:x", "sip:a b", "sip:a\n", "sip:<a>", "sip:b\u{e9}"] {
        assert!(matches!(add("new", uri).await, Err(Error::UserUri { .. })), "{uri:?}");
    }
    let none = admin::add_user(&*store, &NewUser::new("new", [""; 0]), &act()).await;
    assert!(matches!(none, Err(Error::NoUri(_))));
    assert!(matches!(add("alice", "sip:new@example.org").await, Err(Error::Store(_))));
    assert!(matches!(add("new", BOB).await, Err(Error::Store(_))));
    add("new", "tel:+15551234").await.unwrap();

    let users = admin::list_users(&*store).await.unwrap();
    let ids: Vec<&str> = users.iter().map(|user| user.id.as_str()).collect();
    assert_eq!(ids, ["alice", "bob", "new", "revoked"]);
    let status = admin::status(&config, &*store, SystemTime::now()).await.unwrap();
    assert_eq!((status.period_no, status.key_period), (current_period(), PERIOD));
    assert_eq!((status.counts.active_users, status.counts.revoked_users, status.counts.uris), (3, 1, 5));
    let until = status.next_period - OffsetDateTime::now_utc();
    assert!(until.is_positive() && until.unsigned_abs().as_secs() <= PERIOD);
}

#[tokio::test]
async fn init_never_overwrites_and_writes_nothing_for_wrong_values() {
    let folder = folder();
    let path = folder.path().join("new/kms");
    let wrong = InitOptions { key_offset: PERIOD, ..options() };
    assert!(matches!(kms::init(&path, wrong, &passphrase(), act()).await, Err(Error::Config(_))));
    assert!(!path.exists());
    kms::init(&path, options(), &passphrase(), act()).await.unwrap();
    let secrets = std::fs::read(path.join("secrets.sealed")).unwrap();
    assert!(matches!(kms::init(&path, options(), &passphrase(), act()).await, Err(Error::Exists { .. })));
    assert_eq!(std::fs::read(path.join("secrets.sealed")).unwrap(), secrets);
    let file = path.join("secrets.sealed");
    let error = kms::init(&file, options(), &passphrase(), act()).await.unwrap_err();
    assert!(matches!(&error, Error::File { path, .. } if *path == file), "{error}");
    assert!(error.to_string().contains("no folder"), "{error}");
    #[cfg(unix)]
    for name in ["", "kms.toml", "secrets.sealed", "tls-key.pem", "kms.sqlite"] {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(path.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}");
    }
}

#[tokio::test]
async fn a_kms_that_was_half_made_is_named_as_such() {
    let folder = folder();
    kms::init(folder.path(), options(), &passphrase(), act()).await.unwrap();
    for name in ["kms.toml", "tls-key.pem", "tls-cert.pem", "kms.sqlite"] {
        std::fs::remove_file(folder.path().join(name)).unwrap();
        for error in [
            kms::init(folder.path(), options(), &passphrase(), act()).await.unwrap_err(),
            State::open(folder.path(), &passphrase()).await.unwrap_err(),
            open_store(folder.path()).await.unwrap_err(),
        ] {
            assert!(matches!(error, Error::HalfMade { .. }), "{name}: {error}");
        }
    }
}

#[tokio::test]
async fn a_state_that_does_not_fit_is_not_opened() {
    let folder = folder();
    kms::init(folder.path(), options(), &passphrase(), act()).await.unwrap();
    let toml = folder.path().join("kms.toml");
    let good = std::fs::read_to_string(&toml).unwrap();
    let wrong = Passphrase::new("another passphrase".into()).unwrap();
    let error = State::open(folder.path(), &wrong).await.unwrap_err();
    assert!(matches!(error, Error::Sealing(sealing::Error::WrongPassphrase)), "{error}");

    for (from, to) in [
        ("kms.example.org\"\nkey", "kms.example.net\"\nkey"),
        ("key_period = 86400", "key_period = 86401"),
        ("key_offset = 11", "key_offset = 12"),
    ] {
        assert!(good.contains(from));
        std::fs::write(&toml, good.replacen(from, to, 1)).unwrap();
        let error = State::open(folder.path(), &passphrase()).await.unwrap_err();
        assert!(matches!(error, Error::SecretsDamaged { .. }), "{to}: {error}");
    }
    std::fs::write(&toml, good.replace("key_period = 86400", "key_period = 5")).unwrap();
    assert!(matches!(State::open(folder.path(), &passphrase()).await, Err(Error::Config(_))));
    std::fs::write(&toml, &good).unwrap();

    let state = State::open(folder.path(), &passphrase()).await.unwrap();
    let error = Server::bind(&state, None, act()).await.unwrap_err();
    assert!(matches!(error, Error::KeyRing(_)) && error.to_string().contains("jwks.json"), "{error}");
    let provider = TokenIssuer::new("i", "a", "k").unwrap();
    sealing::file::create(&folder.path().join("jwks.json"), provider.jwks().as_bytes()).unwrap();
    let taken = Server::bind(&state, Some(SocketAddr::from(([127, 0, 0, 1], 0))), act()).await.unwrap();
    let error = Server::bind(&state, Some(taken.address()), act()).await.unwrap_err();
    assert!(matches!(error, Error::Listen { .. }), "{error}");
    #[cfg(unix)]
    for (name, is_bind) in [("tls-key.pem", true), ("secrets.sealed", false)] {
        use std::os::unix::fs::PermissionsExt;
        let set = |mode| {
            std::fs::set_permissions(folder.path().join(name), std::fs::Permissions::from_mode(mode)).unwrap();
        };
        set(0o604);
        let error = match is_bind {
            true => Server::bind(&state, None, act()).await.unwrap_err(),
            false => State::open(folder.path(), &passphrase()).await.unwrap_err(),
        };
        match &error {
            Error::Tls { path, .. } => assert!(is_bind && path.ends_with(name)),
            Error::File { path, source } => {
                assert!(!is_bind && path.ends_with(name) && source.kind() == std::io::ErrorKind::PermissionDenied);
            }
            other => panic!("{other}"),
        }
        assert!(error.to_string().contains("mode 0604") && error.to_string().contains("chmod 600"), "{error}");
        set(0o600);
    }
    for name in ["tls-key.pem", "tls-cert.pem"] {
        std::fs::write(folder.path().join(name), "no PEM").unwrap();
        let error = Server::bind(&state, None, act()).await.unwrap_err();
        assert!(matches!(error, Error::Tls { .. }), "{name}: {error}");
    }

    let secrets = folder.path().join("secrets.sealed");
    let mut sealed = std::fs::read(&secrets).unwrap();
    *sealed.last_mut().unwrap() ^= 1;
    std::fs::write(&secrets, &sealed).unwrap();
    assert!(matches!(State::open(folder.path(), &passphrase()).await, Err(Error::SecretsDamaged { .. })));
    std::fs::remove_file(&secrets).unwrap();
    assert!(matches!(State::open(folder.path(), &passphrase()).await, Err(Error::File { .. })));
}

#[cfg(feature = "cli")]
#[tokio::test]
async fn the_log_tells_every_request_and_no_secret() {
    use std::io;
    use std::sync::{Mutex, PoisonError};

    // One log for the whole process, which the other tests write to as well: a subscriber of this thread alone can miss
    // events that other threads meet first.
    static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());
    struct Writer;
    impl io::Write for Writer {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            LOG.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(octets);
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    tracing_subscriber::fmt().json().with_env_filter("mikey_sakke=trace").with_writer(|| Writer).init();

    let world = World::new().await;
    let token = world.token(ALICE);
    let request_id = |response: &Response| response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let response = world.post("keyprov", &token).await;
    let given = request_id(&response);
    let key_sets = key_sets(response).await;
    let response = world.post("keyprov/sip%3Abob%40example.org", &token).await;
    let others = request_id(&response);
    refused(response, ErrorCode::NotAuthorised).await;
    let response = world.post("init", &format!("{token}x")).await;
    let forged = request_id(&response);
    refused(response, ErrorCode::InvalidToken).await;
    let response = world.client.post(world.url("keyprov/sip%3Abob%40example.org")).send().await.unwrap();
    let nobody = request_id(&response);
    refused(response, ErrorCode::Unauthenticated).await;

    let flood = format!("keyprov/{}", "%22".repeat(255));
    let response = world.client.post(world.url(&flood)).send().await.unwrap();
    let flooded = request_id(&response);
    refused(response, ErrorCode::Unauthenticated).await;
    let response = world.client.post(world.url(&format!("keyprov/{}", "%22".repeat(8000)))).send().await.unwrap();
    let flooded_more = request_id(&response);
    assert!(response.content_length().unwrap() < 5000, "the answer repeats the whole path");
    refused(response, ErrorCode::UnknownResource).await;
    let long = "x".repeat(50_000);
    let request = |user_uri: &str| world.request(user_uri, "init");
    let mut quoted = Vec::new();
    for (document, code) in [
        (request(&format!("sip:{long}")), ErrorCode::MalformedDocument),
        (KmsRequest { kms_uri: long.clone(), ..request(ALICE) }, ErrorCode::WrongKms),
        (KmsRequest { client_req_url: world.url(&long), ..request(ALICE) }, ErrorCode::WrongRequestUrl),
    ] {
        let response = world.post_document("init", &token, &document).await;
        quoted.push(request_id(&response));
        assert!(refused(response, code).await.len() < 300);
    }

    let log = String::from_utf8(LOG.lock().unwrap().clone()).unwrap();
    for request_id in [&flooded, &flooded_more].into_iter().chain(&quoted) {
        let line = log.lines().find(|line| line.contains(request_id)).unwrap();
        assert!(line.len() < 1000, "{line}");
    }
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let logged = |request_id: String| {
        let mut lines = lines.iter().filter(|line| line["fields"]["request_id"] == request_id.as_str());
        let fields = &lines.next().unwrap()["fields"];
        assert!(lines.next().is_none());
        let text = |name: &str| fields[name].as_str();
        assert_eq!(fields["code"].as_i64().is_none(), fields["status"] == 200, "{fields}");
        (fields["status"].as_u64().unwrap(), text("asker"), text("kid"), text("asked").unwrap())
    };
    assert_eq!(logged(given), (200, Some(ALICE), None, ALICE));
    assert_eq!(logged(others), (403, Some(ALICE), None, BOB));
    assert_eq!(logged(forged), (401, None, Some("key-1"), ""));
    assert_eq!(logged(nobody), (401, None, None, ""));

    let hex = |octets: &[u8]| octets.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
    for key_set in &key_sets {
        for key in [&key_set.user_decrypt_key, &key_set.user_signing_key_ssk] {
            assert!(!log.to_lowercase().contains(&hex(&key.as_clear().unwrap()[1..9])));
        }
    }
    for secret in [token.rsplit('.').next().unwrap(), token.split('.').nth(1).unwrap(), "a passphrase"] {
        assert!(!log.contains(secret));
    }
}
