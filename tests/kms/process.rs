//! The server as its operator runs it: what signals do, and what a full disk does.

use crate::support::process::Process;
use crate::support::*;
use mikey_sakke::kms_protocol::ErrorCode;
use reqwest::{Client, Response, StatusCode};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::client::TlsStream;

/// A kept connection of HTTP/1.1.
struct Kept(TlsStream<TcpStream>);

impl Kept {
    async fn open(world: &World, address: &str) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(world.folder.path().join("tls-cert.pem")).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(address).await.unwrap();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        Self(connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap())
    }

    async fn ask(&mut self, token: &str) -> String {
        let head = format!("POST {ROOT}/keyprov HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n");
        self.0.write_all(format!("{head}Content-Length: 0\r\n\r\n").as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"</KmsResponse>") {
            assert!(self.0.read_buf(&mut answer).await.unwrap() > 0, "the connection was closed");
        }
        String::from_utf8(answer).unwrap()
    }
}

#[tokio::test]
async fn a_hang_up_takes_up_what_has_changed_and_keeps_connections() {
    let world = World::new().await;
    let mut program = Process::start(world.folder.path(), "info");
    let token = world.token(ALICE);
    let mut kept = Kept::open(&world, &program.address).await;
    assert!(kept.ask(&token).await.starts_with("HTTP/1.1 200 "));
    let toml = world.folder.path().join("kms.toml");
    let good = fs::read_to_string(&toml).unwrap();

    fs::write(&toml, good.replace("direct = \"optional\"", "direct = \"required\"")).unwrap();
    assert!(kept.ask(&token).await.starts_with("HTTP/1.1 200 "), "not before it is told to");
    program.signal("HUP");
    program.wait_for_log("taken up anew");
    let answer = kept.ask(&token).await;
    assert!(answer.contains(&format!("<ErrorCode>{}<", ErrorCode::NoTransportKey.number())), "{answer}");

    fs::write(&toml, good.replace("max_body = 65536", "max_body = 1")).unwrap();
    program.signal("HUP");
    let line = program.wait_for_log("nothing was taken up anew");
    assert!(line.contains("server.max_body = 1"), "{line}");
    assert!(kept.ask(&token).await.contains("<KmsError>"), "as before");

    fs::write(&toml, good).unwrap();
    program.signal("HUP");
    program.wait_for_log("taken up anew");
    assert!(kept.ask(&token).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_server_that_is_told_to_stop_ends_though_connections_are_kept() {
    let world = World::with_config(|toml| toml.replace("request_timeout = 15", "request_timeout = 600")).await;
    let mut program = Process::start(world.folder.path(), "info");
    let mut kept = Kept::open(&world, &program.address).await;
    assert!(kept.ask(&world.token(ALICE)).await.starts_with("HTTP/1.1 200 "));
    let http2 = trusting(world.folder.path()).build().unwrap();
    let response = http2.post(program.url("init")).bearer_auth(world.token(ALICE)).send().await.unwrap();
    assert_eq!((response.status(), response.version()), (StatusCode::OK, reqwest::Version::HTTP_2));
    program.signal("TERM");
    let ended = tokio::task::spawn_blocking(move || program.child.wait().unwrap());
    assert!(tokio::time::timeout(Duration::from_secs(60), ended).await.expect("it ends").unwrap().success());
    assert_eq!(kept.0.read(&mut [0; 1]).await.unwrap(), 0, "with a farewell");
}

#[tokio::test]
async fn while_the_disk_is_full_requests_are_sent_elsewhere_and_then_answered_again() {
    let world = World::new().await;
    let program = Process::start(world.folder.path(), "error");
    let client = trusting(world.folder.path()).build().unwrap();
    let token = world.token(ALICE);
    let post = async |resource: &str, token: &str| post(&client, &program, resource, token).await;
    assert_eq!(post("keyprov", &token).await.status(), StatusCode::OK);

    // What it writes grows the write-ahead log, which may not grow any more.
    let log = fs::metadata(world.folder.path().join("kms.sqlite-wal")).unwrap().len();
    limit_files(&program, &log.to_string());
    for _ in 0..8 {
        for (resource, token) in [("keyprov", &*token), ("keyprov", "a bad token"), ("init/more", &token)] {
            let response = post(resource, token).await;
            assert!(response.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 0);
            refused(response, ErrorCode::Unavailable).await;
        }
        assert_eq!(post("init", &token).await.status(), StatusCode::OK, "which is not recorded");
    }
    limit_files(&program, "unlimited");
    for _ in 0..8 {
        assert_eq!(post("keyprov", &token).await.status(), StatusCode::OK);
        refused(post("keyprov", "a bad token").await, ErrorCode::InvalidToken).await;
    }
}

async fn post(client: &Client, program: &Process, resource: &str, token: &str) -> Response {
    client.post(program.url(resource)).bearer_auth(token).send().await.unwrap()
}

#[tokio::test]
async fn the_identity_providers_keys_are_fetched_past_a_proxy_of_the_environment() {
    for host in ["127.0.0.1", "localhost"] {
        let provider = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{host}:{}/jwks", provider.local_addr().unwrap().port());
        let world =
            World::with_config(|toml| toml.replace("jwks_file = \"jwks.json\"", &format!("jwks_url = \"{url}\"")))
                .await;
        let jwks = world.provider.jwks();
        tokio::spawn(async move {
            let (mut stream, _) = provider.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await;
            let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", jwks.len());
            stream.write_all((head + &jwks).as_bytes()).await.unwrap();
        });
        // Nobody is there: the token would be refused for want of keys.
        let proxy = "http://127.0.0.1:9";
        let variables = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"].map(|name| (name, proxy));
        let variables = [&variables[..], &[("NO_PROXY", ""), ("no_proxy", "")]].concat();
        let program = Process::start_where(world.folder.path(), "error", &variables);
        let client = trusting(world.folder.path()).build().unwrap();
        assert_eq!(post(&client, &program, "init", &world.token(ALICE)).await.status(), StatusCode::OK, "{host}");
    }
}

#[tokio::test]
async fn a_certificate_that_tls_refuses_is_in_the_log() {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
    let pinned = format!("[[auth.certificates.pinned]]\nsha256 = \"{}\"\nuris = [\"{BOB}\"]", "00".repeat(32));
    let world = World::with_config(|toml| format!("{toml}\n{pinned}\n")).await;
    let mut program = Process::start(world.folder.path(), "warn");
    let identity = certificate.pem() + &key.serialize_pem();
    let identity = reqwest::Identity::from_pem(identity.as_bytes()).unwrap();
    let client = trusting(world.folder.path()).identity(identity).build().unwrap();
    assert!(client.post(program.url("init")).send().await.is_err());
    let line = program.wait_for_log("a client's certificate was refused");
    assert!(line.contains("UnknownIssuer") && line.contains("127.0.0.1:"), "{line}");
}

#[tokio::test]
async fn that_all_connections_are_taken_is_in_the_log() {
    let world = World::with_config(|toml| toml.replace("max_connections = 4096", "max_connections = 2")).await;
    let mut program = Process::start(world.folder.path(), "warn");
    let taken = [Kept::open(&world, &program.address).await, Kept::open(&world, &program.address).await];
    let line = program.wait_for_log("as many connections as server.max_connections allows");
    assert!(line.contains("further ones wait"), "{line}");
    drop(taken);
}

#[tokio::test]
async fn a_laxer_policy_than_that_of_proxies_is_warned_of() {
    let world = World::new().await;
    let toml = world.folder.path().join("kms.toml");
    let original = fs::read_to_string(&toml).unwrap();
    for (proxies, direct, is_warned_of) in
        [("[\"192.0.2.7\"]", "optional", true), ("[\"192.0.2.7\"]", "required", false), ("[]", "optional", false)]
    {
        let text = original.replace("proxies = []", &format!("proxies = {proxies}"));
        fs::write(&toml, text.replace("direct = \"optional\"", &format!("direct = \"{direct}\""))).unwrap();
        let mut program = Process::start(world.folder.path(), "warn");
        // What is said at the latest.
        fs::write(&toml, "rubbish").unwrap();
        program.signal("HUP");
        let line = program.wait_for_log("");
        let expected = if is_warned_of { "laxer policy" } else { "nothing was taken up anew" };
        assert!(line.contains(expected), "{proxies} {direct}: {line}");
    }
}

#[tokio::test]
async fn what_is_no_level_of_the_log_is_refused() {
    let world = World::new().await;
    let start = |level: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mikey-sakke"));
        command.args(["kms", "serve", "--listen", "127.0.0.1:0", "--dir"]).arg(world.folder.path());
        // With a wrong passphrase, so that it ends in any case.
        command.env("MIKEY_SAKKE_PASSPHRASE", "another").env("MIKEY_SAKKE_LOG", level).output().unwrap()
    };
    for (level, is_one) in [
        ("nonsense", false),
        ("info,nonsense", false),
        ("info,", false),
        ("", true),
        ("mikey_sakke=loud", false),
        ("WARN", true),
        ("off", true),
        ("info,mikey_sakke::kms=debug", true),
    ] {
        let output = start(level);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert_eq!(said.contains("MIKEY_SAKKE_LOG"), !is_one, "{level}: {said}");
    }
}

/// How large the files may be that it writes, in octets.
fn limit_files(program: &Process, size: &str) {
    let mut command = Command::new("prlimit");
    command.args(["--pid", &program.child.id().to_string(), &format!("--fsize={size}:unlimited")]);
    assert!(command.status().unwrap().success());
}
