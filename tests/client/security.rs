//! The security extension between the real KMS and the real client, over the air and in files, and against whoever bends it.

use crate::support::{ALICE, BOB, TestStore, xml};
use crate::world::{ALICE_VIDEO, KMS, World, act};
use mikey_sakke::client::{self, Error, ImportFiles, ImportReport, ProvisionRequest, Provisioner};
use mikey_sakke::kms::{self, admin};
use mikey_sakke::kms_protocol::{
    self, ClientKeys, ErrorCode, KeyIds, KmsCertCache, KmsCertificate, KmsMessage, KmsRequest, KmsResponse, Limits,
    Role, SignatureStatus, WriteOptions,
};
use mikey_sakke::xml_security::{self, NamedKey, SigningOptions};
use reqwest::Certificate;
use std::fs;
use std::time::{Duration, SystemTime};
use time::OffsetDateTime;

const ROOT: &str = "/keymanagement/identity/v1";

/// What clients with transport and integrity keys do, and those who have none.
impl World {
    /// With other values in `kms.toml`.
    async fn edited(edits: &[(&str, &str)]) -> Self {
        Self::with(|_, mut text| {
            for (from, to) in edits {
                assert!(text.contains(from), "{from}");
                text = text.replace(from, to);
            }
            text
        })
        .await
    }

    async fn new_keys(&self, user_uri: &str) -> ClientKeys {
        admin::new_client_keys(&self.state, user_uri, false, &act()).await.unwrap()
    }

    async fn rotate(&self, user_uri: &str) -> Result<admin::ClientKeyIds, kms::Error> {
        admin::rotate_client_keys(&self.state, user_uri, &act()).await
    }

    async fn provision_under(
        &self,
        made: &mut TestStore,
        user_uri: &str,
        keys: Option<&ClientKeys>,
    ) -> Result<ImportReport, Error> {
        let request = ProvisionRequest { keys: keys.cloned(), ..self.request(user_uri) };
        Provisioner::new(request, &self.token(user_uri))?.provision(&mut made.store, client::now()).await
    }

    fn document(&self, user_uri: &str, resource: &str) -> KmsRequest {
        KmsRequest {
            user_uri: user_uri.into(),
            kms_uri: KMS.into(),
            time: OffsetDateTime::now_utc(),
            client_id: None,
            device_id: None,
            client_req_url: self.url(&format!("{ROOT}/{resource}")),
            client_error: None,
            krr_list: Vec::new(),
            key_ids: KeyIds::default(),
        }
    }

    /// What the server answers to any body, with any header.
    async fn post(&self, token: &str, resource: &str, body: String, header: Option<(&str, &str)>) -> (u16, Vec<u8>) {
        let trusted = Certificate::from_pem(&self.trust_anchor()).unwrap();
        let client = reqwest::Client::builder().tls_certs_only([trusted]).build().unwrap();
        let mut request = client.post(self.url(&format!("{ROOT}/{resource}")));
        request = request.bearer_auth(token).header("content-type", "application/xml").body(body);
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.bytes().await.unwrap().to_vec())
    }

    async fn signed(&self, user_uri: &str, resource: &str, key: &NamedKey) -> String {
        let document = self.document(user_uri, resource);
        document.to_signed_xml(key, &SigningOptions::default()).unwrap().to_string()
    }
}

/// A refusal has its code and the status of that, and is not signed.
#[track_caller]
fn refused((status, body): (u16, Vec<u8>), code: ErrorCode) {
    let (response, signature) = KmsResponse::from_xml(&body, &Limits::default()).unwrap().into_parts();
    let error = response.error.expect("a refusal");
    assert_eq!((error.known_code(), status), (Some(code), code.http_status()), "{error}");
    assert_eq!((response.message, signature), (None, SignatureStatus::Absent));
}

#[track_caller]
fn signed_with((status, body): (u16, Vec<u8>), keys: &ClientKeys) -> KmsResponse {
    assert_eq!(status, 200);
    let received = KmsResponse::from_xml_with_keys(&body, &Limits::default(), &[keys.signing_key()]).unwrap();
    let (response, signature) = received.into_parts();
    assert_eq!(signature, SignatureStatus::Verified { key_name: keys.signing_key().name().to_owned() });
    response
}

fn code(result: Result<ImportReport, Error>) -> i64 {
    match result.unwrap_err() {
        Error::Refused { code, .. } => code,
        other => panic!("{other}"),
    }
}

// Over the air.

#[tokio::test]
async fn a_user_with_keys_is_answered_signed_and_wrapped_and_keeps_the_keys() {
    let world = World::new().await;
    let keys = world.new_keys(ALICE).await;
    let mut made = TestStore::empty();
    let report = world.provision_under(&mut made, ALICE, Some(&keys)).await.unwrap();
    assert_eq!(report.signed_with.as_deref(), Some("ink.1.alice@example.org"));
    assert_eq!(report.wrapped_with.as_deref(), Some("tk.1.alice@example.org"));
    assert_eq!((report.new_transport_key.as_deref(), report.periods.len()), (None, 2));
    assert!(report.to_string().contains("Signed with ink.1.alice@example.org"), "{report}");

    // From now on the store has them.
    let mut made = made.reopen();
    let report = world.provision_under(&mut made, ALICE, None).await.unwrap();
    assert_eq!(report.signed_with.as_deref(), Some("ink.1.alice@example.org"));
    assert!(!format!("{:?}", made.store).contains("tk.1"));
}

#[tokio::test]
async fn a_user_without_keys_is_answered_as_before() {
    let world = World::new().await;
    world.new_keys(ALICE).await;
    let mut made = TestStore::empty();
    let report = world.provision_under(&mut made, BOB, None).await.unwrap();
    assert_eq!((report.signed_with, report.wrapped_with), (None, None));
}

#[tokio::test]
async fn what_is_wrapped_is_of_no_use_without_the_keys() {
    let world = World::new().await;
    let keys = world.new_keys(ALICE).await;
    let mut made = TestStore::empty();
    let error = world.provision_under(&mut made, ALICE, None).await.unwrap_err();
    assert!(
        matches!(&error, Error::IntegrityKeyNeeded { key_id, .. } if key_id == "ink.1.alice@example.org"),
        "{error}"
    );

    let (_, body) = world.post(&world.token(ALICE), "keyprov", String::new(), None).await;
    let text = String::from_utf8(body.clone()).unwrap();
    assert!(text.contains("EncKeyContentType") && !text.contains("\"KeyContentType\""), "{text}");
    // Both identities of the user, under one TrK.
    let mut response = signed_with((200, body), &keys);
    response.unwrap_keys(&keys.transport).unwrap();
}

#[tokio::test]
async fn keys_of_another_user_or_kms_are_not_used() {
    let world = World::new().await;
    let keys = world.new_keys(ALICE).await;
    let mut made = TestStore::empty();
    assert_eq!(code(world.provision_under(&mut made, BOB, Some(&keys)).await), ErrorCode::InvalidSignature.number());
    let elsewhere = ClientKeys { kms_uri: "kms.example.net".into(), ..keys };
    let mut request = ProvisionRequest::new("https://kms.example.org", ALICE);
    (request.keys, request.kms_uri) = (Some(elsewhere.clone()), Some(KMS.into()));
    assert!(matches!(Provisioner::new(request, "token").err(), Some(Error::OtherKms { .. })));
    let error = code(world.provision_under(&mut made, ALICE, Some(&elsewhere)).await);
    assert_eq!(error, ErrorCode::WrongKms.number());
}

#[tokio::test]
async fn a_bent_signature_and_that_of_another_are_refused() {
    let world = World::new().await;
    let (alice, bob) = (world.new_keys(ALICE).await, world.new_keys(BOB).await);
    let (resource, token) = ("keyprov", world.token(ALICE));
    let good = world.signed(ALICE, resource, alice.signing_key()).await;
    signed_with(world.post(&token, resource, good.clone(), None).await, &alice);

    let bent = good.replace("<UserUri>sip:alice@", "<UserUri>sip:alice.video@");
    assert_ne!(bent, good);
    refused(world.post(&token, resource, bent, None).await, ErrorCode::InvalidSignature);
    let bobs = world.signed(ALICE, resource, bob.signing_key()).await;
    refused(world.post(&token, resource, bobs, None).await, ErrorCode::InvalidSignature);
    let forged = NamedKey::new(alice.signing_key().name(), &[7; 32]).unwrap();
    let forged = world.signed(ALICE, resource, &forged).await;
    refused(world.post(&token, resource, forged, None).await, ErrorCode::InvalidSignature);
    // The TrK does not sign where there is an InK.
    let by_trk = world.signed(ALICE, resource, &alice.transport).await;
    refused(world.post(&token, resource, by_trk, None).await, ErrorCode::InvalidSignature);
    // A user without a TrK has nothing to sign with.
    let world = World::new().await;
    let signed = world.signed(ALICE, resource, alice.signing_key()).await;
    refused(world.post(&world.token(ALICE), resource, signed, None).await, ErrorCode::InvalidSignature);
}

#[tokio::test]
async fn one_answer_is_for_one_user_with_keys() {
    let world = World::new().await;
    let mut claims = world.provider.claims(ALICE, SystemTime::now(), Duration::from_secs(60));
    claims.insert("mcvideo_id".into(), BOB.into());
    claims.insert("scope".into(), "3gpp:mc:ptt_key_management_service 3gpp:mc:video_key_management_service".into());
    let token = world.provider.token_with(claims).unwrap();
    assert_eq!(world.post(&token, "keyprov", String::new(), None).await.0, 200);
    let (alice, bob) = (world.new_keys(ALICE).await, world.new_keys(BOB).await);
    refused(world.post(&token, "keyprov", String::new(), None).await, ErrorCode::NotAuthorised);
    let resource = "keyprov/sip%3Abob%40example.org";
    signed_with(world.post(&token, resource, String::new(), None).await, &bob);
    // Alice signs for Bob's keys: her signature says nothing of him.
    let signed = world.signed(ALICE, resource, alice.signing_key()).await;
    refused(world.post(&token, resource, signed, None).await, ErrorCode::InvalidSignature);
}

#[tokio::test]
async fn where_the_extension_is_required_nobody_goes_without() {
    let world = World::edited(&[("direct = \"optional\"", "direct = \"required\"")]).await;
    let mut made = TestStore::empty();
    assert_eq!(code(world.provision_under(&mut made, ALICE, None).await), ErrorCode::NoTransportKey.number());
    let keys = world.new_keys(ALICE).await;
    assert_eq!(code(world.provision_under(&mut made, ALICE, None).await), ErrorCode::SignatureRequired.number());
    let unsigned = world.document(ALICE, "keyprov").to_xml();
    let token = world.token(ALICE);
    refused(world.post(&token, "keyprov", unsigned, None).await, ErrorCode::SignatureRequired);
    refused(world.post(&token, "certcache", String::new(), None).await, ErrorCode::SignatureRequired);
    let before = world.state.store.counts().await.unwrap().issues;
    assert_eq!(before, 0, "nothing was issued");
    world.provision_under(&mut made, ALICE, Some(&keys)).await.unwrap();
}

#[tokio::test]
async fn where_the_extension_is_off_nobody_is_told_that_it_is_on() {
    let world = World::edited(&[("direct = \"optional\"", "direct = \"off\"")]).await;
    let keys = world.new_keys(ALICE).await;
    let mut made = TestStore::empty();
    let error = world.provision_under(&mut made, ALICE, Some(&keys)).await.unwrap_err();
    assert!(
        matches!(&error, Error::SignatureMissing { request: "init", key_id } if key_id == "ink.1.alice@example.org")
    );
    assert!(made.reopen().store.key_sets().is_empty());
    world.provision_under(&mut TestStore::empty(), ALICE, None).await.unwrap();
}

#[tokio::test]
async fn through_a_proxy_the_extension_is_required() {
    let world = World::new().await;
    let token = world.token(BOB);
    assert_eq!(world.post(&token, "keyprov", String::new(), None).await.0, 200);
    for header in [("Via", "1.1 proxy"), ("Forwarded", "for=192.0.2.1"), ("X-Forwarded-For", "192.0.2.1")] {
        let answer = world.post(&token, "keyprov", String::new(), Some(header)).await;
        refused(answer, ErrorCode::NoTransportKey);
    }
    let bob = world.new_keys(BOB).await;
    let via = Some(("Via", "1.1 proxy"));
    refused(world.post(&token, "keyprov", String::new(), via).await, ErrorCode::SignatureRequired);
    let signed = world.signed(BOB, "keyprov", bob.signing_key()).await;
    signed_with(world.post(&token, "keyprov", signed, via).await, &bob);

    let world = World::edited(&[("proxies = []", "proxies = [\"127.0.0.1\"]")]).await;
    refused(world.post(&world.token(BOB), "keyprov", String::new(), None).await, ErrorCode::NoTransportKey);
}

#[tokio::test]
async fn new_keys_come_over_the_air_and_the_old_ones_hold_until_they_are_used() {
    let world = World::new().await;
    let first = world.new_keys(ALICE).await;
    let (mut made, mut lagging) = (TestStore::empty(), TestStore::empty());
    world.provision_under(&mut made, ALICE, Some(&first)).await.unwrap();

    let ids = world.rotate(ALICE).await.unwrap();
    assert_eq!((ids.trk_id.as_str(), ids.ink_id.as_str()), ("tk.2.alice@example.org", "ink.2.alice@example.org"));
    let pending = world.rotate(ALICE).await.unwrap_err();
    assert!(pending.to_string().contains("has not used"), "{pending}");
    for store in [&mut made, &mut lagging] {
        let report = world.provision_under(store, ALICE, Some(&first)).await.unwrap();
        assert_eq!(report.signed_with.as_deref(), Some("ink.1.alice@example.org"));
        assert_eq!(report.new_transport_key.as_deref(), Some("tk.2.alice@example.org"));
        assert!(report.to_string().contains("tk.2.alice@example.org"), "{report}");
    }
    // A client that does not sign says which TrK it has; nothing is confirmed by that.
    let (token, resource) = (world.token(ALICE), "keyprov/sip%3Aalice%40example.org");
    let mut unsigned = world.document(ALICE, resource);
    let answer = signed_with(world.post(&token, resource, unsigned.to_xml(), None).await, &first);
    let second = answer.new_keys(&first).unwrap().expect("new keys");
    unsigned.key_ids.trk_id = Some(second.transport.name().to_owned());
    let answer = signed_with(world.post(&token, resource, unsigned.to_xml(), None).await, &second);
    assert_eq!(answer.new_keys(&second), Ok(None));
    // An answer that got lost: the old keys still hold, and bring the same new ones.
    world.provision_under(&mut TestStore::empty(), ALICE, Some(&first)).await.unwrap();

    let mut made = made.reopen();
    let report = world.provision_under(&mut made, ALICE, None).await.unwrap();
    assert_eq!(report.signed_with.as_deref(), Some("ink.2.alice@example.org"));
    assert_eq!(report.wrapped_with.as_deref(), Some("tk.2.alice@example.org"));
    assert_eq!(report.new_transport_key, None);
    // Now the old ones are forgotten.
    let error = code(world.provision_under(&mut TestStore::empty(), ALICE, Some(&first)).await);
    assert_eq!(error, ErrorCode::InvalidSignature.number());
    world.provision_under(&mut lagging, ALICE, None).await.unwrap();
    assert_eq!(world.rotate(ALICE).await.unwrap().trk_id, "tk.3.alice@example.org");
}

#[tokio::test]
async fn identities_of_one_user_share_the_keys_and_their_rotation() {
    let world = World::new().await;
    let keys = world.new_keys(ALICE).await;
    let mut made = TestStore::empty();
    world.provision_under(&mut made, ALICE, Some(&keys)).await.unwrap();
    let without = needed(world.provision_under(&mut made, ALICE_VIDEO, None).await);
    assert_eq!(without, "ink.1.alice@example.org", "the store has not been told that they are one client");
    world.provision_under(&mut made, ALICE_VIDEO, Some(&keys)).await.unwrap();

    world.rotate(ALICE_VIDEO).await.unwrap();
    let report = world.provision_under(&mut made, ALICE, None).await.unwrap();
    assert_eq!(report.new_transport_key.as_deref(), Some("tk.2.alice.video@example.org"));
    let mut made = made.reopen();
    for user_uri in [ALICE_VIDEO, ALICE] {
        let report = world.provision_under(&mut made, user_uri, None).await.unwrap();
        assert_eq!(report.signed_with.as_deref(), Some("ink.2.alice.video@example.org"));
    }
    // A file for one identity under the keys that name the other.
    let second = admin::new_client_keys(&world.state, ALICE, true, &act()).await.unwrap();
    let document = admin::init_document(&world.state, ALICE_VIDEO, Some(&second), SystemTime::now()).await.unwrap();
    signed_with((200, document.as_bytes().to_vec()), &second);
}

/// The key that an answer asks for.
fn needed(result: Result<ImportReport, Error>) -> String {
    match result.unwrap_err() {
        Error::IntegrityKeyNeeded { key_id, .. } => key_id,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn keys_are_made_once_unless_they_are_replaced() {
    let world = World::new().await;
    assert!(matches!(world.rotate(ALICE).await, Err(kms::Error::NoClientKeys(_))));
    let first = world.new_keys(ALICE).await;
    for uri in [ALICE, ALICE_VIDEO] {
        let again = admin::new_client_keys(&world.state, uri, false, &act()).await;
        assert!(matches!(again, Err(kms::Error::ClientKeysExist(user)) if user == "alice"));
    }
    let second = admin::new_client_keys(&world.state, ALICE, true, &act()).await.unwrap();
    assert_eq!(second.transport.name(), "tk.2.alice@example.org");
    assert_ne!(first.transport.octets(), second.transport.octets());
    let mut made = TestStore::empty();
    assert_eq!(code(world.provision_under(&mut made, ALICE, Some(&first)).await), ErrorCode::InvalidSignature.number());
    world.provision_under(&mut made, ALICE, Some(&second)).await.unwrap();

    let unknown = admin::new_client_keys(&world.state, "sip:nobody@example.org", false, &act()).await;
    assert!(matches!(unknown, Err(kms::Error::UnknownUri(_))));
    admin::revoke_user(&*world.state.store, "bob", &act()).await.unwrap();
    let revoked = admin::new_client_keys(&world.state, BOB, false, &act()).await;
    assert!(matches!(revoked, Err(kms::Error::Revoked { .. })));
    // The database shows none of it.
    let database = fs::read(world.folder.path().join("kms.sqlite")).unwrap();
    let wal = fs::read(world.folder.path().join("kms.sqlite-wal")).unwrap_or_default();
    for file in [database, wal] {
        assert!(!file.windows(32).any(|window| window == second.transport.octets()));
    }
}

// In files.

/// What the KMS writes for Alice: the answers to init and keyprov.
async fn issued(world: &World, keys: Option<&ClientKeys>) -> (Vec<u8>, Vec<u8>) {
    issued_for(world, ALICE, keys).await
}

async fn issued_for(world: &World, user_uri: &str, keys: Option<&ClientKeys>) -> (Vec<u8>, Vec<u8>) {
    let now = SystemTime::now();
    let init = admin::init_document(&world.state, user_uri, keys, now).await.unwrap();
    let keyprov = admin::issue(&world.state, user_uri, None, keys, &act()).await.unwrap().document;
    (init.as_bytes().to_vec(), keyprov.as_bytes().to_vec())
}

fn read(document: &[u8]) -> KmsResponse {
    KmsResponse::from_xml(document, &Limits::with_max_bytes(1 << 20)).unwrap().into_parts().0
}

/// An answer to init that nobody signed: of this user, and with a domain that is not the KMS's.
fn forged(init: &[u8], user_uri: &str) -> Vec<u8> {
    let mut response = KmsResponse { user_uri: user_uri.into(), ..read(init) };
    let Some(KmsMessage::Init(init)) = &mut response.message else { panic!("an init") };
    init.certificate.domains.push("example.com".into());
    xml(&response)
}

/// A store of Alice's, with her TrK and InK, and the files that it has them from.
async fn alice_with_keys(world: &World) -> (TestStore, ClientKeys, Vec<u8>, Vec<u8>) {
    let keys = world.new_keys(ALICE).await;
    let (init, keyprov) = issued(world, Some(&keys)).await;
    let mut made = TestStore::empty();
    client::import_files(&mut made.store, &files(&init, &keyprov, &keys), client::now()).unwrap();
    (made, keys, init, keyprov)
}

fn files<'a>(init: &'a [u8], keyprov: &'a [u8], keys: &'a ClientKeys) -> ImportFiles<'a> {
    ImportFiles { init, keyprov, certcache: None, keys: Some(keys) }
}

/// Imports into an empty store, which after an error must still be empty.
fn import(init: &[u8], keyprov: &[u8], keys: &ClientKeys) -> Result<ImportReport, Error> {
    let mut made = TestStore::empty();
    let result = client::import_files(&mut made.store, &files(init, keyprov, keys), client::now());
    if result.is_err() {
        let store = made.reopen().store;
        assert!(store.key_sets().is_empty() && store.kms_list().is_empty());
    }
    result
}

#[tokio::test]
async fn files_are_signed_and_wrapped_and_are_imported_with_the_keys() {
    let world = World::new().await;
    let keys = world.new_keys(ALICE).await;
    let (init, keyprov) = issued(&world, Some(&keys)).await;
    let report = import(&init, &keyprov, &keys).unwrap();
    assert_eq!(report.signed_with.as_deref(), Some("ink.1.alice@example.org"));
    assert_eq!(report.wrapped_with.as_deref(), Some("tk.1.alice@example.org"));

    let mut made = TestStore::empty();
    let error = client::import(&mut made.store, &init, &keyprov, client::now()).unwrap_err();
    assert!(matches!(error, Error::IntegrityKeyNeeded { .. }), "{error}");

    // The keys stay in the store: the same files need none, and unsigned ones are not taken any more.
    client::import_files(&mut made.store, &files(&init, &keyprov, &keys), client::now()).unwrap();
    let mut made = made.reopen();
    let report = client::import(&mut made.store, &init, &keyprov, client::now()).unwrap();
    assert_eq!(report.signed_with.as_deref(), Some("ink.1.alice@example.org"));
    let (unsigned_init, unsigned_keyprov) = issued(&world, None).await;
    for (init, keyprov) in [(&unsigned_init, &keyprov), (&init, &unsigned_keyprov)] {
        let error = client::import(&mut made.store, init, keyprov, client::now()).unwrap_err();
        assert!(matches!(error, Error::SignatureMissing { .. }), "{error}");
    }
}

#[tokio::test]
async fn files_that_are_not_what_the_keys_ask_for_are_refused() {
    let world = World::new().await;
    let keys = world.new_keys(ALICE).await;
    let (init, keyprov) = issued(&world, Some(&keys)).await;
    let (clear_init, clear_keyprov) = issued(&world, None).await;
    for (init, keyprov) in [(&clear_init, &keyprov), (&init, &clear_keyprov)] {
        let error = import(init, keyprov, &keys).unwrap_err();
        assert!(matches!(error, Error::SignatureMissing { .. }), "{error}");
    }

    // Signed, but in clear.
    let resign = |response: &KmsResponse| {
        let text = response.to_signed_xml(&WriteOptions::default(), keys.signing_key(), &SigningOptions::default());
        text.unwrap().as_bytes().to_vec()
    };
    let error = import(&init, &resign(&read(&clear_keyprov)), &keys).unwrap_err();
    assert!(
        matches!(error, Error::Response { source: kms_protocol::Error::ClearKey { field: "UserDecryptKey" }, .. }),
        "{error}"
    );
    // Signed, but under another TrK.
    let mut other = read(&clear_keyprov);
    let trk = NamedKey::new("tk.9", &[9; 32]).unwrap();
    other.wrap_keys(&trk, xml_security::KeyWrapping::Padded).unwrap();
    let error = import(&init, &resign(&other), &keys).unwrap_err();
    assert!(
        matches!(&error, Error::Response { source: kms_protocol::Error::OtherTransportKey { found, .. }, .. } if found == "tk.9"),
        "{error}"
    );
    // Altered after it was signed.
    let altered = String::from_utf8(keyprov.clone()).unwrap().replacen("<KeyPeriodNo>1", "<KeyPeriodNo>2", 1);
    assert_ne!(altered.as_bytes(), keyprov);
    let error = import(&init, altered.as_bytes(), &keys).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Response {
                source: kms_protocol::Error::Signature(xml_security::Error::WrongDigest { .. }),
                request: "keyprov"
            }
        ),
        "{error}"
    );
    // Two answers swapped, and keys of somebody else.
    assert!(matches!(import(&keyprov, &init, &keys), Err(Error::Response { .. })));
    let bob = world.new_keys(BOB).await;
    assert!(matches!(import(&init, &keyprov, &bob), Err(Error::IntegrityKeyNeeded { .. })));
    let elsewhere = ClientKeys { kms_uri: "kms.example.net".into(), ..keys.clone() };
    assert!(matches!(import(&init, &keyprov, &elsewhere), Err(Error::OtherKms { .. })));
    let unsigned_of_alice = ClientKeys { integrity: None, ..bob };
    assert!(matches!(import(&clear_init, &clear_keyprov, &unsigned_of_alice), Err(Error::SignatureMissing { .. })));
    // An unsigned refusal is one.
    let refusal = KmsResponse {
        message: None,
        error: Some(kms_protocol::KmsError::new(ErrorCode::Unavailable, "")),
        ..read(&clear_init)
    };
    assert!(matches!(import(&xml(&refusal), &keyprov, &keys), Err(Error::Refused { code: 5002, .. })));
}

#[tokio::test]
async fn a_file_does_not_choose_its_own_keys_by_naming_another_user() {
    let world = World::new().await;
    let (mut made, _, init, keyprov) = alice_with_keys(&world).await;
    let (clear_init, clear_keyprov) = issued(&world, None).await;
    // Bob shares no keys with the KMS, and `init.xml` of many users names the KMS.
    for user_uri in [BOB, KMS, "sip:nobody@example.org"] {
        let forged = forged(&clear_init, user_uri);
        for keyprov in [&keyprov, &clear_keyprov] {
            let error = client::import(&mut made.store, &forged, keyprov, client::now()).unwrap_err();
            assert!(
                matches!(&error, Error::SignatureMissing { request: "init", key_id } if key_id == "ink.1.alice@example.org"),
                "{error}"
            );
        }
    }
    // Nor does the cache of certificates.
    let message = Some(KmsMessage::CertCache(KmsCertCache { cache_num: Some(9), certificates: Vec::new() }));
    let certcache = xml(&KmsResponse { user_uri: BOB.into(), message, ..read(&clear_init) });
    let given = ImportFiles { init: &init, keyprov: &keyprov, certcache: Some(&certcache), keys: None };
    let error = client::import_files(&mut made.store, &given, client::now()).unwrap_err();
    assert!(matches!(error, Error::SignatureMissing { request: "certcache", .. }), "{error}");

    // A client without keys is as it was.
    let bobs_init = KmsResponse { user_uri: KMS.into(), ..read(&clear_init) };
    let (_, bobs) = issued_for(&world, BOB, None).await;
    let report = client::import(&mut made.store, &xml(&bobs_init), &bobs, client::now()).unwrap();
    assert_eq!((report.user_uri.as_str(), report.signed_with, report.wrapped_with), (BOB, None, None));
}

#[tokio::test]
async fn an_unsigned_file_brings_keys_and_says_nothing_new_of_a_kms_that_signs_for_others() {
    let world = World::new().await;
    let (mut made, ..) = alice_with_keys(&world).await;
    let (clear_init, bobs) = issued_for(&world, BOB, None).await;
    let refused =
        |error: Error| assert!(matches!(&error, Error::UnsignedChange { kms_uri } if kms_uri == KMS), "{error}");
    refused(client::import(&mut made.store, &forged(&clear_init, BOB), &bobs, client::now()).unwrap_err());
    // Nor of another KMS, in the cache of certificates.
    let Some(KmsMessage::Init(init)) = read(&clear_init).message else { panic!("an init") };
    let foreign = KmsCertificate {
        role: Some(Role::External),
        kms_uri: "kms.example.net".into(),
        domains: vec!["example.net".into()],
        ..init.certificate
    };
    let message = Some(KmsMessage::CertCache(KmsCertCache { cache_num: Some(9), certificates: vec![foreign.clone()] }));
    let certcache = xml(&KmsResponse { user_uri: BOB.into(), message, ..read(&clear_init) });
    let with_cache = ImportFiles { init: &clear_init, keyprov: &bobs, certcache: Some(&certcache), keys: None };
    refused(client::import_files(&mut made.store, &with_cache, client::now()).unwrap_err());
    assert_eq!(made.store.kms_list().len(), 1);

    // What is known already is no change, and where nothing is shared nothing is at stake. A number of the cache that was not reached
    // is not taken: it would keep from Alice what comes under it.
    let message = Some(KmsMessage::CertCache(KmsCertCache { cache_num: Some(1), certificates: Vec::new() }));
    let ahead = xml(&KmsResponse { user_uri: BOB.into(), message, ..read(&clear_init) });
    let with_number = ImportFiles { certcache: Some(&ahead), ..with_cache };
    client::import_files(&mut made.store, &with_number, client::now()).unwrap();
    let before = made.store.kms_list().len();
    let file = foreign.to_xml();
    let (config, fingerprint) = (&world.state.config, kms::certificates::fingerprint(file.as_bytes()));
    let (_, cache_num) =
        kms::certificates::add(config, &*world.state.store, file.as_bytes(), &fingerprint, false, &act())
            .await
            .unwrap();
    assert_eq!(cache_num, 1);
    world.provision_under(&mut made, ALICE, None).await.unwrap();
    assert_eq!(made.store.kms_list().len(), before + 1, "the cache was asked for from where Alice had it");
    let mut without = TestStore::empty();
    client::import_files(&mut without.store, &with_cache, client::now()).unwrap();
    assert_eq!(without.store.kms_list().len(), 2);
}

#[tokio::test]
async fn keys_that_nobody_signed_are_not_those_of_a_pair_that_signed_something_else() {
    let world = World::new().await;
    let (mut made, keys, init, _) = alice_with_keys(&world).await;
    let (_, bobs) = issued_for(&world, BOB, None).await;
    let error = client::import(&mut made.store, &init, &bobs, client::now()).unwrap_err();
    assert!(
        matches!(&error, Error::IntegrityKeyNeeded { key_id, .. } if key_id == "ink.1.alice@example.org"),
        "{error}"
    );
    let error = client::import_files(&mut made.store, &files(&init, &bobs, &keys), client::now()).unwrap_err();
    assert!(matches!(error, Error::SignatureMissing { request: "keyprov", .. }), "{error}");
    // Alice's keys under Bob's name.
    let mut mixed = read(&bobs);
    let (clear_init, alices) = issued(&world, None).await;
    let (Some(KmsMessage::KeyProv(bobs)), Some(KmsMessage::KeyProv(alices))) =
        (&mut mixed.message, read(&alices).message)
    else {
        panic!("two keyprovs")
    };
    bobs.key_sets.extend(alices.key_sets);
    let error = client::import(&mut made.store, &clear_init, &xml(&mixed), client::now()).unwrap_err();
    assert!(matches!(error, Error::SignatureMissing { request: "keyprov", .. }), "{error}");

    // Bob has no pair, and Alice's is not his.
    assert!(made.store.key_sets().iter().all(|set| set.user_uri == ALICE));
    let report = world.provision_under(&mut made, BOB, None).await.unwrap();
    assert_eq!((report.signed_with, report.wrapped_with), (None, None));
}

#[tokio::test]
async fn files_of_keys_that_were_replaced_are_passed_over() {
    let world = World::new().await;
    let (mut made, first, init, keyprov) = alice_with_keys(&world).await;
    let issued_before = files(&init, &keyprov, &first);
    world.rotate(ALICE).await.unwrap();
    world.provision_under(&mut made, ALICE, Some(&first)).await.unwrap();
    // The command that was right before the rotation, until the KMS has forgotten the first pair and afterwards.
    for _ in 0..2 {
        let report = world.provision_under(&mut made, ALICE, Some(&first)).await.unwrap();
        assert_eq!(report.signed_with.as_deref(), Some("ink.2.alice@example.org"));
        let note = report.notes.iter().find(|note| note.contains("newer")).expect("a note");
        assert!(note.contains("tk.2.alice@example.org") && note.contains("tk.1.alice@example.org"), "{note}");
    }
    // What was issued under it can still be read with it, and brings it back to nobody.
    let report = client::import_files(&mut made.store, &issued_before, client::now()).unwrap();
    assert_eq!(report.signed_with.as_deref(), Some("ink.1.alice@example.org"));
    let mut made = made.reopen();
    let report = world.provision_under(&mut made, ALICE, None).await.unwrap();
    assert_eq!(report.signed_with.as_deref(), Some("ink.2.alice@example.org"));

    // Newer files go before older keys in the store.
    let third = admin::new_client_keys(&world.state, ALICE, true, &act()).await.unwrap();
    let error = world.provision_under(&mut made, ALICE, None).await.unwrap_err();
    assert!(error.to_string().contains("kms trk new --replace"), "{error}");
    let report = world.provision_under(&mut made, ALICE, Some(&third)).await.unwrap();
    assert_eq!(report.signed_with.as_deref(), Some("ink.3.alice@example.org"));
    assert!(!report.notes.iter().any(|note| note.contains("newer")), "{report}");
}

#[tokio::test]
async fn files_are_not_issued_under_the_keys_of_somebody_else() {
    let world = World::new().await;
    let keys = world.new_keys(ALICE).await;
    let now = SystemTime::now();
    for keys in [
        ClientKeys { user_uri: BOB.into(), ..keys.clone() },
        ClientKeys { kms_uri: "kms.example.net".into(), ..keys.clone() },
    ] {
        let issued = admin::issue(&world.state, ALICE, None, Some(&keys), &act()).await.map(|issued| issued.key_sets);
        assert!(matches!(issued, Err(kms::Error::OtherClientKeys { .. })));
        let init = admin::init_document(&world.state, ALICE, Some(&keys), now).await;
        assert!(matches!(init, Err(kms::Error::OtherClientKeys { .. })));
    }
    admin::new_client_keys(&world.state, ALICE, true, &act()).await.unwrap();
    let ended = admin::issue(&world.state, ALICE, None, Some(&keys), &act()).await.map(|issued| issued.key_sets);
    assert!(matches!(ended, Err(kms::Error::EndedClientKeys(trk_id)) if trk_id == "tk.1.alice@example.org"));
    assert_eq!(world.state.store.counts().await.unwrap().issues, 0);
}

/// How a form shows in a text.
type Mark = fn(&str) -> bool;

fn first_cipher_value(text: &str) -> &str {
    let (_, rest) = text.split_once("CipherValue>").unwrap();
    rest.split_once('<').unwrap().0
}

#[tokio::test]
async fn every_form_that_the_kms_can_write_is_read() {
    let settings: [((&str, &str), Mark); 4] = [
        (("user_id = \"hex\"", "user_id = \"base64\""), |text| text.contains("=</UserID>")),
        // 264 octets in place of 272.
        (("wrapping = \"padded\"", "wrapping = \"plain\""), |text| first_cipher_value(text).len() == 352),
        (("cipher_value = \"base64\"", "cipher_value = \"hex\""), |text| {
            first_cipher_value(text).bytes().all(|octet| octet.is_ascii_hexdigit())
        }),
        (("signature = \"sibling\"", "signature = \"enveloped\""), |text| text.contains("enveloped-signature")),
    ];
    for (chosen, (edit, _)) in settings.iter().enumerate() {
        let world = World::edited(&[*edit]).await;
        let keys = world.new_keys(ALICE).await;
        let request = world.signed(ALICE, "keyprov", keys.signing_key()).await;
        let (status, body) = world.post(&world.token(ALICE), "keyprov", request, None).await;
        let text = String::from_utf8(body).unwrap();
        assert_eq!(status, 200, "{text}");
        for (other, (_, is_marked)) in settings.iter().enumerate() {
            assert_eq!(is_marked(&text), chosen == other, "{edit:?} {other}");
        }
        let mut made = TestStore::empty();
        assert_eq!(world.provision_under(&mut made, ALICE, Some(&keys)).await.unwrap().periods.len(), 2, "{edit:?}");
    }
    let world = World::edited(&settings.map(|(edit, _)| edit)).await;
    let keys = world.new_keys(ALICE).await;
    assert_eq!(world.provision_under(&mut TestStore::empty(), ALICE, Some(&keys)).await.unwrap().periods.len(), 2);
}
