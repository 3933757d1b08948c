//! Proxies that end TLS and mean ill: the same programs, set up to do harm.

use crate::peers::client::Client;
use crate::peers::kms::{KmsFolder, ROOT, secrets, sees};
use crate::peers::process::free_port;
use crate::site::{Proxy, Site};
use crate::snippet::replaced;
use crate::{ALICE, BOB, World, notes};
use mikey_sakke::client::{self, Error, ProvisionRequest, Provisioner, Store, StoreOptions};
use mikey_sakke::kms_protocol::ClientKeys;
use mikey_sakke::mikey::NtpTime;
use mikey_sakke::sealing::{KdfParameters, Passphrase};
use std::fs;
use std::thread::sleep;
use std::time::Duration;

/// nginx before the KMS, with more in its location.
fn nginx(world: &World, more: &str) -> Proxy {
    let site = Site::new();
    let servers = site.filled_in("nginx", &world.kms.url(), &world.kms.ca());
    let servers = replaced(&servers, "proxy_ssl_verify on;", &format!("proxy_ssl_verify on; {more}"));
    site.nginx(&servers)
}

/// nginx that gives every client one answer to `init`.
fn nginx_that_says(site: Site, world: &World, answer: &str) -> Proxy {
    assert!(!answer.contains(['\'', '$', '\\']), "{answer}");
    let servers = site.filled_in("nginx", &world.kms.url(), &world.kms.ca());
    let answer =
        format!("location = {ROOT}/init {{ default_type application/xml; return 200 '{answer}'; }} location /");
    site.nginx(&replaced(&servers, "location /", &answer))
}

/// What this KMS answers to Alice's `init`, as if she had asked at the site.
fn answer_at(site: &Site, world: &World) -> String {
    let host = format!("Host: 127.0.0.1:{}", site.port);
    let answer = world.kms.post("init", &world.token(ALICE), &["--header", &host]);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.body.contains("<Signature "), "{answer:?}");
    answer.body
}

/// A client that was provisioned straight, so that it has a store to lose.
macro_rules! provisioned {
    ($world:expr, $user:expr) => {{
        let client = $world.client($user);
        client.succeeds(&$world.kms.url(), &$world.kms.ca(), &[]);
        assert!(!client.client.snapshot().is_empty());
        client
    }};
}

#[test]
fn what_is_altered_on_the_way_is_refused() {
    let Some(world) = World::new(&["nginx"]) else { return };
    let alice = provisioned!(world, ALICE);
    let (content, signature) = ("is not what was signed", "the signature is not that of key");
    for (from, to, reason) in [
        ("</UserKeyPeriod>", "0</UserKeyPeriod>", content),
        ("<PubAuthKey>04", "<PubAuthKey>05", content),
        ("<ValidTo>2", "<ValidTo>3", content),
        ("<CipherValue>", "<CipherValue>A", content),
        ("<DigestValue>", "<DigestValue>A", "the signature is malformed"),
        ("#xmldoc", "#other", signature),
        ("<SignatureValue>", "<SignatureValue>A", "the signature"),
        ("Id=\"xmldoc\"", "Id=\"other\"", "the signature is about the Id"),
    ] {
        let filter = format!("sub_filter_types application/xml; sub_filter_once off; sub_filter '{from}' '{to}';");
        let nginx = nginx(&world, &filter);
        alice.fails(&nginx.url(), &nginx.ca(), reason);
    }
    // Of other KMSs' certificates the client can do without; it says so.
    let nginx = nginx(&world, "sub_filter_types application/xml; sub_filter 'CacheNum=\"' 'CacheNum=\"1';");
    let report = alice.provision(&nginx.url(), &nginx.ca(), &[]).unwrap();
    let mut said = notes(&report).into_iter();
    let is_said = said.any(|note| note.contains("no certificates of other KMSs") && note.contains(content));
    assert!(is_said, "{report}");
    assert_eq!(report["other_kms"].as_array().unwrap().len(), 0);
}

#[test]
fn an_altered_request_is_refused() {
    let Some(world) = World::new(&["nginx"]) else { return };
    let alice = provisioned!(world, ALICE);
    let site = Site::new();
    let servers = site.filled_in("nginx", &world.kms.url(), &world.kms.ca());
    let bending = "map $request_body $bent { ~^(?<start>.*<UserUri>sip:)alice(?<end>.*)$ ${start}bob$end; }\nserver {";
    let servers = replaced(&servers, "server {", bending);
    let nginx = site.nginx(&replaced(&servers, "proxy_ssl_verify on;", "proxy_ssl_verify on; proxy_set_body $bent;"));
    alice.fails(&nginx.url(), &nginx.ca(), "error 2007: ");
    assert_eq!(world.kms.requests().last().unwrap()["code"], 2007);
}

#[test]
fn an_answer_without_its_signature_is_refused() {
    let Some(world) = World::new(&["nginx"]) else { return };
    let alice = provisioned!(world, ALICE);
    let without_signature = |answer: &str| {
        let (before, rest) = answer.split_once("<Signature ").unwrap();
        let (_, after) = rest.split_once("</Signature>").unwrap();
        format!("{before}{after}")
    };
    let document_alone = |answer: &str| {
        let start = answer.find("<KmsResponse ").unwrap();
        let (document, _) = answer[start..].split_once("</KmsResponse>").unwrap();
        let namespaces = "<KmsResponse xmlns=\"urn:3gpp:ns:mcsecKMSInterface:1.0\" \
            xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" ";
        format!("{document}</KmsResponse>").replacen("<KmsResponse ", namespaces, 1)
    };
    for strip in [&without_signature as &dyn Fn(&str) -> String, &document_alone] {
        let site = Site::new();
        let answer = strip(&answer_at(&site, &world));
        let nginx = nginx_that_says(site, &world, &answer);
        alice.fails(&nginx.url(), &nginx.ca(), "the KMS's answer to init is not signed");
    }
}

#[test]
fn the_answers_of_another_kms_are_refused() {
    let Some(world) = World::new(&["nginx"]) else { return };
    let alice = provisioned!(world, ALICE);
    // It has the same name, the same users and the same identity provider, and does without the extension.
    let folder = KmsFolder::new(&[ALICE, BOB]).trusting(&world.issuer);
    let folder =
        folder.edit("proxied = \"required\"", "proxied = \"off\"").edit("proxies = []", "proxies = [\"127.0.0.2\"]");
    let impostor = World { kms: folder.serve(), issuer: world.issuer.clone() };
    let site = Site::new();
    let nginx = site.nginx_before("nginx", &impostor.kms.url(), &impostor.kms.ca());
    alice.fails(&nginx.url(), &nginx.ca(), "the KMS's answer to init is not signed");

    // Or it signs with a key of its own that it calls Alice's.
    impostor.kms.new_keys(ALICE);
    let site = Site::new();
    let answer = answer_at(&site, &impostor);
    assert!(answer.contains(">ink.1.alice@example.org<"), "{answer}");
    let nginx = nginx_that_says(site, &world, &answer);
    alice.fails(&nginx.url(), &nginx.ca(), "the signature is not that of key");
}

/// nginx that keeps answers under a key that does not tell them apart.
fn caching(world: &World, key: &str) -> Proxy {
    let site = Site::new();
    let folder = site.path("cache").display().to_string();
    let servers = site.filled_in("nginx", &world.kms.url(), &world.kms.ca());
    let zone = format!("proxy_cache_path {folder} keys_zone=answers:1m;\nserver {{");
    let caching = format!(
        "proxy_ssl_verify on; proxy_cache answers; proxy_cache_methods POST; proxy_cache_key {key}; \
         proxy_ignore_headers Cache-Control; proxy_cache_valid 200 1h; add_header X-Cached $upstream_cache_status;"
    );
    site.nginx(&replaced(&replaced(&servers, "server {", &zone), "proxy_ssl_verify on;", &caching))
}

#[test]
fn the_answer_to_another_user_is_refused() {
    let Some(world) = World::new(&["nginx"]) else { return };
    let (alice, bob) = (provisioned!(world, ALICE), provisioned!(world, BOB));
    let nginx = caching(&world, "$uri");
    alice.succeeds(&nginx.url(), &nginx.ca(), &[]);
    let asked = world.kms.requests().len();
    bob.fails(&nginx.url(), &nginx.ca(), "signed with \"ink.1.alice@example.org\"");
    assert_eq!(world.kms.requests().len(), asked, "the KMS was not even asked");
}

#[test]
fn the_answer_to_another_request_is_refused() {
    let Some(world) = World::new(&["nginx"]) else { return };
    let alice = provisioned!(world, ALICE);
    let nginx = caching(&world, "all");
    alice.fails(&nginx.url(), &nginx.ca(), "the KMS's answer to keyprov cannot be used: ");
}

#[test]
fn an_old_answer_is_refused() {
    let Some(world) = World::new(&["nginx"]) else { return };
    let alice = provisioned!(world, ALICE);
    let nginx = caching(&world, "$uri");
    alice.succeeds(&nginx.url(), &nginx.ca(), &[]);
    // The KMS has answered since: what the proxy has kept is older.
    sleep(Duration::from_secs(4));
    alice.succeeds(&world.kms.url(), &world.kms.ca(), &[]);
    alice.fails(&nginx.url(), &nginx.ca(), "it is an old answer given again");

    // A client that has no keys yet notices six minutes later.
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions { kdf: KdfParameters::cheap_for_tests(), ..StoreOptions::default() };
    let passphrase = Passphrase::new("a passphrase".into()).unwrap();
    let mut store = Store::create(&folder.path().join("store"), &passphrase, &options).unwrap();
    let mut request = ProvisionRequest::new(nginx.url(), ALICE);
    request.transport.trust_anchors = Some(fs::read(nginx.ca()).unwrap());
    let file = |name: &str| fs::read(alice.keys.join(name)).unwrap();
    request.keys = Some(ClientKeys::from_files(&file("trk.key"), Some(&file("ink.key"))).unwrap());
    let provisioner = Provisioner::new(request, &world.token(ALICE)).unwrap();
    let later = NtpTime::from_seconds(client::now().seconds() + 360);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let error = runtime.block_on(provisioner.provision(&mut store, later)).unwrap_err();
    assert!(matches!(error, Error::ResponseTime { .. }), "{error}");
    assert!(store.key_sets().is_empty());

    // Or after the keys that it is signed with were replaced.
    world.kms.operator("trk", &["rotate", "--user", ALICE]);
    for _ in 0..2 {
        alice.client.provision(&world.kms.url(), &world.kms.ca(), &world.token(ALICE), &[]).unwrap();
    }
    let before = alice.client.snapshot();
    let error = alice.client.provision(&nginx.url(), &nginx.ca(), &world.token(ALICE), &[]).unwrap_err();
    assert!(error.contains("signed with \"ink.1.alice@example.org\""), "{error}");
    assert!(alice.client.snapshot() == before);
}

#[test]
fn a_token_that_is_dropped_swapped_or_doubled_opens_nothing() {
    let Some(world) = World::new(&["nginx", "haproxy"]) else { return };
    let alice = provisioned!(world, ALICE);
    let dropping = nginx(&world, "proxy_set_header Authorization \"\";");
    alice.fails(&dropping.url(), &dropping.ca(), "error 2001: ");
    let swapping = nginx(&world, &format!("proxy_set_header Authorization \"Bearer {}\";", world.token(BOB)));
    // Bob's token does not go with Alice's signature.
    alice.fails(&swapping.url(), &swapping.ca(), "error 2007: ");
    let site = Site::new();
    let config = site.filled_in("haproxy", &world.kms.url(), &world.kms.ca());
    let second =
        format!("option forwardfor\n    http-request add-header Authorization \"Bearer {}\"", world.token(BOB));
    let doubling = site.haproxy(&replaced(&config, "option forwardfor", &second));
    alice.fails(&doubling.url(), &doubling.ca(), "error 2005: ");
}

#[test]
fn a_proxy_that_asks_with_a_token_that_it_has_seen_gets_nothing_that_it_can_read() {
    let Some(world) = World::new(&[]) else { return };
    let _alice = provisioned!(world, ALICE);
    let (token, issued) = (world.token(ALICE), world.kms.issue(ALICE));
    let as_a_proxy = world.kms.post("keyprov", &token, &["--interface", crate::PROXY]);
    assert_eq!(as_a_proxy.code, Some(2006), "{as_a_proxy:?}");
    let as_a_client = world.kms.post("keyprov", &token, &[]);
    assert!(as_a_client.status == 200 && as_a_client.body.contains("CipherValue"), "{as_a_client:?}");
    assert!(!sees(as_a_client.body.as_bytes(), &secrets(&issued)));
}

#[test]
fn a_proxy_with_nothing_behind_it_is_named() {
    let Some(world) = World::new(&["nginx"]) else { return };
    let alice = provisioned!(world, ALICE);
    let nobody = format!("https://127.0.0.1:{}", free_port());
    let nginx = Site::new().nginx_before("nginx", &nobody, &world.kms.ca());
    alice.fails(&nginx.url(), &nginx.ca(), "answered 502: the KMS or something before it has failed");
    // And one that does not know the KMS behind it gives it nothing.
    let stranger = Site::new();
    let nginx = Site::new().nginx_before("nginx", &world.kms.url(), &stranger.ca());
    let asked = world.kms.requests().len();
    alice.fails(&nginx.url(), &nginx.ca(), "answered 502: ");
    assert_eq!(world.kms.requests().len(), asked);
    let bob = Client::new(BOB);
    assert!(bob.provision(&nginx.url(), &nginx.ca(), &world.token(BOB), &[]).is_err());
}
