//! Which tokens open what.

use crate::peers::client::Client;
use crate::provider::{ALL, Provider, SignedIn};
use crate::{ALICE, BOB, PTT_SERVER, SERVER, kms_of};
use mikey_sakke::kms_protocol::ErrorCode;

/// Why a client got no keys: the KMS refused it with this code.
#[track_caller]
fn refused(result: Result<serde_json::Value, String>, code: ErrorCode, reason: &str) {
    let error = result.unwrap_err();
    let expected = format!("error {}: ", code.number());
    assert!(error.contains(&expected) && error.contains(reason), "{error}");
}

#[test]
fn each_scope_opens_its_service_and_no_other() {
    let Some(provider) = Provider::start() else { return };
    let kms = kms_of(&provider, &[]);
    for (service, scope) in ALL.split(' ').enumerate() {
        let token = provider.token(scope);
        for (other, user) in SERVER.iter().enumerate() {
            let client = Client::new(user);
            let result = client.provision(&kms.url(), &kms.ca(), &token, &[]);
            if other == service {
                let report = result.unwrap();
                assert_eq!((&report["user_uri"], report["periods"].as_array().unwrap().len()), (&(*user).into(), 2));
            } else {
                refused(result, ErrorCode::NotAuthorised, "not an identity of this token's holder");
                assert_eq!(client.snapshot(), []);
            }
        }
    }
    // One token for all of them, and one store.
    let token = provider.token(ALL);
    for user in SERVER {
        Client::new(user).provision(&kms.url(), &kms.ca(), &token, &[]).unwrap();
    }
}

#[test]
fn each_algorithm_that_is_taken_opens_and_another_does_not() {
    let Some(mut provider) = Provider::start() else { return };
    let taken = ["RS256", "PS256", "ES256", "ES384", "EdDSA"];
    let keys: Vec<_> = taken.iter().chain(&["ES512"]).map(|name| (*name, *name)).collect();
    provider.publish(&keys);
    let kms = kms_of(&provider, &[]);
    let token = |algorithm| provider.server_token("server", ALL, "kms.example.org", algorithm);
    for algorithm in taken {
        let [ptt, ..] = SERVER;
        Client::new(ptt).provision(&kms.url(), &kms.ca(), &token(algorithm), &[]).unwrap();
    }
    let refusal = kms.post("init", &token("ES512"), &[]);
    assert_eq!(refusal.code, Some(ErrorCode::InvalidToken.number()), "{refusal:?}");
    assert!(refusal.body.contains("algorithm is not allowed"), "{refusal:?}");
}

#[test]
fn a_user_signs_in_at_an_app_and_gets_keys_by_its_access_token_alone() {
    let Some(provider) = Provider::start() else { return };
    let kms = kms_of(&provider, &[]);
    let SignedIn { access_token, id_token } = provider.sign_in("alice", ALL);
    let alice = Client::new(ALICE);
    alice.provision(&kms.url(), &kms.ca(), &access_token, &[]).unwrap();
    let before = alice.snapshot();
    // The ID token is for the app, not for the KMS.
    refused(alice.provision(&kms.url(), &kms.ca(), &id_token, &[]), ErrorCode::InvalidToken, "another audience");
    assert_eq!(alice.snapshot(), before);
    let bob = Client::new(BOB);
    refused(bob.provision(&kms.url(), &kms.ca(), &access_token, &[]), ErrorCode::NotAuthorised, BOB);
    assert_eq!(bob.snapshot(), []);
    assert_eq!(kms.requests().last().unwrap()["asker"], ALICE);
}

#[test]
fn what_is_wrong_with_a_token_has_its_code() {
    let Some(provider) = Provider::start() else { return };
    let kms = kms_of(&provider, &[]);
    let [ptt, ..] = SERVER;
    let good = provider.token(ALL);
    let elsewhere = provider.server_token("server", ALL, "elsewhere.example.org", "RS256");
    let no_identity =
        provider.server_token("ptt-server", "3gpp:mc:video_key_management_service", "kms.example.org", "RS256");
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let bent = format!("{signed}.{}", signature.chars().rev().collect::<String>());
    for (user, token, code, reason) in [
        (ptt, elsewhere, ErrorCode::InvalidToken, "another audience"),
        (ptt, provider.token(""), ErrorCode::MissingScope, "does not include a key management service"),
        (PTT_SERVER, no_identity, ErrorCode::NotAuthorised, "no identity"),
        (ptt, bent, ErrorCode::InvalidToken, ""),
        (ptt, format!("{good}x"), ErrorCode::InvalidToken, ""),
    ] {
        let client = Client::new(user);
        refused(client.provision(&kms.url(), &kms.ca(), &token, &[]), code, reason);
        assert_eq!(client.snapshot(), []);
    }
    let issuer = format!("issuer = {:?}", provider.issuer);
    let of_another = kms_of(&provider, &[(&issuer, "issuer = \"https://idms.example.org\"")]);
    let result = Client::new(ptt).provision(&of_another.url(), &of_another.ca(), &good, &[]);
    refused(result, ErrorCode::InvalidToken, "another issuer");
    // A stranger's certificate: the keys of the provider cannot be had from whoever answers at its address.
    let ca = format!("jwks_ca = {:?}", provider.ca());
    let mistrusting = kms_of(&provider, &[(&ca, &format!("jwks_ca = {:?}", kms.ca()))]);
    let result = Client::new(ptt).provision(&mistrusting.url(), &mistrusting.ca(), &good, &[]);
    refused(result, ErrorCode::Unavailable, "keys are not available");
}

#[test]
fn clocks_may_differ_by_the_leeway() {
    let Some(mut provider) = Provider::start() else { return };
    let (lenient, strict) = (kms_of(&provider, &[]), kms_of(&provider, &[("leeway = 30 ", "leeway = 0 ")]));
    let mut judge = |seconds: i64, what: &str| {
        provider.set_clock(seconds);
        let token = provider.token(ALL);
        [&lenient, &strict].map(|kms| {
            let answer = kms.post("init", &token, &[]);
            match answer.status {
                200 => true,
                status => {
                    assert_eq!((status, answer.code), (401, Some(ErrorCode::InvalidToken.number())), "{answer:?}");
                    assert!(answer.body.contains(what), "{answer:?}");
                    false
                }
            }
        })
    };
    // Tokens hold for 300 s and say from when on. The test itself may take some seconds from one to the other.
    assert_eq!(judge(0, ""), [true, true]);
    assert_eq!(judge(20, "not valid yet"), [true, false]);
    assert_eq!(judge(60, "not valid yet"), [false, false]);
    assert_eq!(judge(-270, "expired"), [true, true]);
    assert_eq!(judge(-305, "expired"), [true, false]);
    assert_eq!(judge(-340, "expired"), [false, false]);
}
