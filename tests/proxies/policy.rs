//! Which requests count as proxied, and what a proxy may change.

use crate::peers::client::Client;
use crate::peers::kms::{Kms, post};
use crate::site::Site;
use crate::snippet::replaced;
use crate::{ALICE, BOB, PROXY, World};
use mikey_sakke::kms_protocol::ErrorCode;

const FORGED: [&str; 3] = ["Via: 1.1 proxy", "Forwarded: for=192.0.2.1", "X-Forwarded-For: 192.0.2.1"];

/// What the KMS says to Bob, who has no TrK, when it is asked from this address with this header.
fn code(world: &World, from: &str, header: Option<&str>) -> Option<i64> {
    let mut arguments = vec!["--interface", from];
    arguments.extend(header.iter().flat_map(|header| ["--header", header]));
    let answer = world.kms.post("keyprov", &world.token(BOB), &arguments);
    assert_eq!(answer.status == 200, answer.code.is_none(), "{answer:?}");
    answer.code
}

#[test]
fn without_a_transport_key_nothing_comes_through_a_proxy() {
    let Some(world) = World::new(&["nginx", "haproxy"]) else { return };
    // Known by its address alone.
    let site = Site::new();
    let nginx = site.filled_in("nginx", &world.kms.url(), &world.kms.ca());
    let nginx = replaced(&nginx, "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;", "");
    let nginx = site.nginx(&nginx);
    let haproxy = Site::new();
    let config = haproxy.filled_in("haproxy", &world.kms.url(), &world.kms.ca());
    let haproxy = haproxy.haproxy(&config);
    let alice = world.client(ALICE);
    for proxy in [&nginx, &haproxy] {
        let bob = Client::new(BOB);
        let error = bob.provision(&proxy.url(), &proxy.ca(), &world.token(BOB), &[]).unwrap_err();
        assert!(error.contains("error 3004: the user has no transport key"), "{error}");
        assert_eq!(bob.snapshot(), []);
        // With a TrK that this client does not have.
        let other = Client::new(ALICE);
        let error = other.provision(&proxy.url(), &proxy.ca(), &world.token(ALICE), &[]).unwrap_err();
        assert!(error.contains("error 2006: "), "{error}");
        alice.succeeds(&proxy.url(), &proxy.ca(), &[]);
    }
}

#[test]
fn an_address_or_a_header_makes_a_request_proxied() {
    let Some(world) = World::new(&[]) else { return };
    let no_trk = Some(ErrorCode::NoTransportKey.number());
    assert_eq!(code(&world, "127.0.0.1", None), None);
    assert_eq!(code(&world, PROXY, None), no_trk);
    for header in FORGED {
        assert_eq!(code(&world, "127.0.0.1", Some(header)), no_trk, "{header}");
        assert_eq!(code(&world, PROXY, Some(header)), no_trk, "{header}");
    }
}

#[test]
fn a_forged_header_makes_no_policy_laxer() {
    let edits = [("direct = \"optional\"", "direct = \"required\""), ("proxied = \"required\"", "proxied = \"off\"")];
    let Some(world) = World::with(&[], &edits) else { return };
    let no_trk = Some(ErrorCode::NoTransportKey.number());
    assert_eq!(code(&world, "127.0.0.1", None), no_trk);
    assert_eq!(code(&world, PROXY, None), None);
    for header in FORGED {
        assert_eq!(code(&world, "127.0.0.1", Some(header)), no_trk, "{header}");
        assert_eq!(code(&world, PROXY, Some(header)), None, "{header}");
    }
}

#[test]
fn the_logs_name_the_client_whatever_it_claims_to_be() {
    let Some(world) = World::new(&["nginx", "haproxy"]) else { return };
    let (nginx, haproxy) = (Site::new(), Site::new());
    let [of_nginx, of_haproxy] = [("nginx", &nginx), ("haproxy", &haproxy)]
        .map(|(name, site)| site.filled_in(name, &world.kms.url(), &world.kms.ca()));
    let proxies = [nginx.nginx(&of_nginx), haproxy.haproxy(&of_haproxy)];
    for proxy in &proxies {
        let forged = ["--header", "X-Forwarded-For: 203.0.113.9"];
        let answer = post(&proxy.url(), &proxy.ca(), "init", "no.good.token", &forged);
        assert_eq!(answer.code, Some(ErrorCode::InvalidToken.number()), "{answer:?}");
        let request = world.kms.requests().pop().unwrap();
        assert!(request["peer"].as_str().unwrap().starts_with(&format!("{PROXY}:")), "{request}");
        assert_eq!(request["client"], "127.0.0.1", "{request}");
    }
    let file = world.kms.path("audit.jsonl");
    world.kms.operator("audit", &["export", "--out", file.to_str().unwrap()]);
    let log = std::fs::read_to_string(file).unwrap();
    assert_eq!(log.matches("\"peer\":\"127.0.0.1\"").count(), 2, "{log}");
}

/// A KMS that is told the URLs by which clients know it at a site.
fn told_of(site: &Site, prefix: &str) -> Option<World> {
    let urls = format!("public_urls = [\"https://elsewhere.example.org\", \"{}{prefix}\"]", site.url());
    World::with(&["nginx"], &[("public_urls = []", &urls)])
}

#[test]
fn a_proxy_may_change_the_host_if_the_kms_is_told() {
    let own_host = |site: &Site, kms: &Kms| {
        replaced(&site.filled_in("nginx", &kms.url(), &kms.ca()), "proxy_set_header Host $http_host;", "")
    };
    let site = Site::new();
    let Some(world) = told_of(&site, "") else { return };
    // As old as can be: nginx's own choice is HTTP/1.0 behind it.
    let servers = replaced(&own_host(&site, &world.kms), "proxy_http_version 1.1;", "");
    let nginx = site.nginx(&servers);
    world.client(ALICE).succeeds(&nginx.url(), &nginx.ca(), &[]);
    // Straight to it, the KMS goes by the host.
    Client::new(BOB).provision(&world.kms.url(), &world.kms.ca(), &world.token(BOB), &[]).unwrap();

    let Some(untold) = World::new(&["nginx"]) else { return };
    let site = Site::new();
    let servers = own_host(&site, &untold.kms);
    let nginx = site.nginx(&servers);
    untold.client(ALICE).fails(&nginx.url(), &nginx.ca(), "error 1008: ");
}

#[test]
fn a_proxy_may_have_a_path_of_its_own_if_the_kms_is_told() {
    let site = Site::new();
    let Some(world) = told_of(&site, "/kms") else { return };
    let raw = site.nginx_before("nginx-prefix", &world.kms.url(), &world.kms.ca());
    let url = format!("{}/kms", raw.url());
    let alice = world.client(ALICE);
    alice.succeeds(&url, &raw.ca(), &[]);
    // Escapes come as they were: the URI of another KMS may have slashes in it.
    let slashes = "cert/https%3A%2F%2Fkms.example.net";
    let answer = post(&url, &raw.ca(), slashes, &world.token(ALICE), &[]);
    assert_eq!(answer.code, Some(ErrorCode::SignatureRequired.number()), "{answer:?}");
    // Without the prefix nothing is there.
    assert_eq!(post(&raw.url(), &raw.ca(), "init", &world.token(ALICE), &[]).status, 404);

    // nginx in the way that is usual takes the escapes off: a SIP URI is none the worse, slashes are.
    let site = raw.stop();
    let servers = site.filled_in("nginx-prefix", &world.kms.url(), &world.kms.ca());
    let normalising = site.nginx(&replaced(&servers, "$kms_path;\n", "/;\n"));
    alice.succeeds(&url, &normalising.ca(), &[]);
    let answer = post(&url, &normalising.ca(), slashes, &world.token(ALICE), &[]);
    assert_eq!(answer.code, Some(ErrorCode::UnknownResource.number()), "{answer:?}");
}

#[test]
fn the_certificate_of_a_proxy_is_nobodys() {
    // Pinned as Bob's, by a careless operator; the proxy shows it to the KMS.
    let site = Site::new();
    let pin = format!(
        "audience = \"kms.example.org\"\ncertificates.pinned = [{{ sha256 = \"{}\", uris = [\"{BOB}\"] }}]",
        site.sha256()
    );
    let edits =
        [("audience = \"kms.example.org\"", pin.as_str()), ("proxied = \"required\"", "proxied = \"optional\"")];
    let Some(world) = World::with(&["nginx"], &edits) else { return };
    let shown = format!(
        "proxy_ssl_verify on; proxy_ssl_certificate {}; proxy_ssl_certificate_key {};",
        site.path("kms.crt").display(),
        site.path("kms.key").display()
    );
    let servers = replaced(&site.filled_in("nginx", &world.kms.url(), &world.kms.ca()), "proxy_ssl_verify on;", &shown);
    let (certificate, key) = (site.path("kms.crt"), site.path("kms.key"));
    let nginx = site.nginx(&servers);
    let answer = post(&nginx.url(), &nginx.ca(), "keyprov", "", &[]);
    assert_eq!(answer.code, Some(ErrorCode::Unauthenticated.number()), "{answer:?}");
    // Straight, it is Bob's indeed.
    let mutual = ["--cert", certificate.to_str().unwrap(), "--key", key.to_str().unwrap()];
    assert_eq!(world.kms.post("keyprov", "", &mutual).status, 200);
}
