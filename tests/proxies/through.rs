//! Every path from a client to the KMS.

use crate::peers::client::Client;
use crate::peers::kms::{secrets, sees};
use crate::site::{Proxy, Site};
use crate::snippet::snippet;
use crate::{ALICE, BOB, MCPTT_SERVER, World};
use std::fs;

/// The proxies of two networks: nginx, then HAProxy, which reads what it can.
fn two_networks(world: &World) -> (Proxy, Proxy) {
    let far = Site::new().reading_haproxy(&world.kms.url(), &world.kms.ca());
    let near = Site::new().nginx_before("nginx", &far.url(), &far.ca());
    (near, far)
}

#[test]
fn straight() {
    let Some(world) = World::new(&[]) else { return };
    world.client(ALICE).succeeds(&world.kms.url(), &world.kms.ca(), &[]);
}

#[test]
fn through_a_tunnel() {
    let Some(world) = World::new(&["squid"]) else { return };
    let (_, port) = world.kms.address.rsplit_once(':').unwrap();
    let squid = Site::new().squid(port.parse().unwrap(), "");
    let (url, proxy) = (format!("https://localhost:{port}"), format!("http://127.0.0.1:{}", squid.site.port));
    world.client(ALICE).succeeds(&url, &world.kms.ca(), &["--proxy", &proxy]);
    // TLS ends at the KMS: the extension is not required, and this user has no TrK.
    let bob = Client::new(BOB);
    bob.provision(&url, &world.kms.ca(), &world.token(BOB), &["--proxy", &proxy]).unwrap();
    assert!(squid.accesses().contains(&format!("CONNECT localhost:{port}")), "{}", squid.accesses());

    // What the tunnel does not lead to.
    let (elsewhere, error) = (format!("https://127.0.0.1:{port}"), "the proxy refuses to connect to https://127.0.0.1");
    let refused = bob.provision(&elsewhere, &world.kms.ca(), &world.token(BOB), &["--proxy", &proxy]).unwrap_err();
    assert!(refused.contains(error), "{refused}");
}

#[test]
fn through_a_tunnel_that_wants_to_know_who_asks() {
    let Some(world) = World::new(&["squid"]) else { return };
    let (_, port) = world.kms.address.rsplit_once(':').unwrap();
    let site = Site::new();
    // name:open sesame
    fs::write(site.path("passwords"), "name:$apr1$q1w2e3r4$qT4ZkMmWJkNfHBa7To7IJ/\n").unwrap();
    let password = snippet("squid-password", &[("/etc/squid/passwords", site.path("passwords").to_str().unwrap())]);
    let squid = site.squid(port.parse().unwrap(), &password);
    let (url, proxy) = (format!("https://localhost:{port}"), format!("http://127.0.0.1:{}", squid.site.port));
    let alice = world.client(ALICE);
    for login in [None, Some("name:close sesame\n"), Some("eman:open sesame")] {
        let mut arguments = vec!["--proxy", &proxy];
        let file = world.kms.path("login");
        if let Some(login) = login {
            fs::write(&file, login).unwrap();
            arguments.extend(["--proxy-login", file.to_str().unwrap()]);
        }
        let error = alice.provision(&url, &world.kms.ca(), &arguments).unwrap_err();
        assert!(error.contains("the proxy wants to know who asks (407)") && !error.contains("sesame"), "{error}");
    }
    let file = world.kms.path("login");
    fs::write(&file, "name:open sesame\n").unwrap();
    alice.succeeds(&url, &world.kms.ca(), &["--proxy", &proxy, "--proxy-login", file.to_str().unwrap()]);
    assert!(squid.accesses().contains(" name "), "{}", squid.accesses());
}

#[test]
fn through_one_proxy() {
    let Some(world) = World::new(&["nginx"]) else { return };
    let nginx = Site::new().nginx_before("nginx", &world.kms.url(), &world.kms.ca());
    let alice = world.client(ALICE);
    alice.succeeds(&nginx.url(), &nginx.ca(), &[]);
    // From now on the store has the keys.
    alice.client.provision(&nginx.url(), &nginx.ca(), &world.token(ALICE), &[]).unwrap();
}

#[test]
fn through_two_proxies_and_a_tunnel_before_them() {
    let Some(world) = World::new(&["nginx", "haproxy", "squid"]) else { return };
    let (near, far) = two_networks(&world);
    let server = world.client(MCPTT_SERVER);
    server.succeeds(&near.url(), &near.ca(), &[]);

    let squid = Site::new().squid(near.site.port, "");
    let (url, proxy) =
        (format!("https://localhost:{}", near.site.port), format!("http://127.0.0.1:{}", squid.site.port));
    world.client(ALICE).succeeds(&url, &near.ca(), &["--proxy", &proxy]);
    assert!(squid.accesses().contains(&format!("CONNECT localhost:{}", near.site.port)));
    assert!(far.log().contains("HTTP/1.1 to 2: /keymanagement/identity/v1/init"), "{}", far.log());
}

#[test]
fn a_server_speaks_http_2_all_the_way() {
    let Some(world) = World::new(&["haproxy"]) else { return };
    let haproxy = Site::new().reading_haproxy(&world.kms.url(), &world.kms.ca());
    world.client(MCPTT_SERVER).succeeds(&haproxy.url(), &haproxy.ca(), &[]);
    let log = haproxy.log();
    for resource in ["init", "keyprov/sip%3Amcptt-server%40example.org", "certcache"] {
        let url = format!("{}/keymanagement/identity/v1/{resource}", haproxy.url());
        assert!(log.contains(&format!("HTTP/2.0 to 2: {url} ")), "{log}");
    }
}

#[test]
fn a_proxy_that_reads_sees_no_key() {
    let Some(world) = World::new(&["nginx", "haproxy"]) else { return };
    let (near, far) = two_networks(&world);
    world.client(ALICE).succeeds(&near.url(), &near.ca(), &[]);
    let log = far.log();
    for read in ["<SignedKmsRequest", "<SignedKmsResponse", "EncKeyContentType", "CipherValue", ALICE] {
        assert!(log.contains(read), "{read} is not in {log}");
    }
    assert!(!sees(log.as_bytes(), &secrets(&world.kms.issue(ALICE))));

    // It would see them where the extension is not used.
    let careless = World::with(&[], &[("proxied = \"required\"", "proxied = \"optional\"")]).unwrap();
    let (near, far) = two_networks(&careless);
    let bob = Client::new(BOB);
    bob.provision(&near.url(), &near.ca(), &careless.token(BOB), &[]).unwrap();
    assert!(sees(far.log().as_bytes(), &secrets(&careless.kms.issue(BOB))));
}
