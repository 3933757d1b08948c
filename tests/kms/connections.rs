//! The connections of the server: how many there may be, how they are secured, what is taken on them, and how they end.

use crate::schema;
use crate::support::*;
use mikey_sakke::kms_protocol::{ErrorCode, KmsResponse, Limits};
use reqwest::{Client, StatusCode};
use rustls::NamedGroup;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::pin;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

/// Longer than anything here takes; a test that waits so long has failed.
const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn both_tls_versions_and_both_http_versions_work_and_plain_http_does_not() {
    let world = World::new().await;
    let folder = world.folder.path();
    let token = world.token(ALICE);
    for (client, version) in [
        (trusting(folder).http1_only(), reqwest::Version::HTTP_11),
        (trusting(folder), reqwest::Version::HTTP_2),
        (trusting(folder).tls_version_max(reqwest::tls::Version::TLS_1_2), reqwest::Version::HTTP_2),
        (trusting(folder).tls_version_min(reqwest::tls::Version::TLS_1_3), reqwest::Version::HTTP_2),
    ] {
        let post = client.build().unwrap().post(world.url("init")).bearer_auth(&token);
        let response = post.send().await.unwrap();
        assert_eq!((response.status(), response.version()), (StatusCode::OK, version));
    }
    for host in ["localhost", "127.0.0.1"] {
        let url = format!("https://{host}:{}{ROOT}/init", world.server.address().port());
        assert_eq!(world.client.post(url).bearer_auth(&token).send().await.unwrap().status(), StatusCode::OK);
    }
    let untrusting = Client::builder().build().unwrap();
    assert!(untrusting.post(world.url("init")).send().await.is_err());
    let plain = world.url("init").replace("https:", "http:");
    assert!(world.client.post(plain).send().await.is_err());
}

#[tokio::test]
async fn a_slow_request_is_ended_and_does_not_hold_up_others() {
    let world = World::with_config(|toml| {
        toml.replace("request_timeout = 15", "request_timeout = 1")
            .replace("max_connections = 4096", "max_connections = 4")
    })
    .await;
    let token = world.token(ALICE);

    // Connections that never say anything, then a request whose body never comes.
    let mut silent = Vec::new();
    for _ in 0..2 {
        silent.push(TcpStream::connect(world.server.address()).await.unwrap());
    }
    assert_eq!(world.post("init", &token).await.status(), StatusCode::OK);

    let mut tls = connect(&world).await;
    let head = format!(
        "POST {ROOT}/keyprov HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Length: 5\r\n\r\n<"
    );
    tls.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let length = tls.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]);
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[tokio::test]
async fn shutdown_finishes_what_was_begun() {
    let world = World::new().await;
    let token = world.token(ALICE);
    let mut tls = connect(&world).await;
    let head = format!(
        "POST {ROOT}/init HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Length: 1\r\n\r\n"
    );
    tls.write_all(head.as_bytes()).await.unwrap();
    let stream = TcpStream::connect(world.server.address()).await.unwrap();
    let mut http2 = secure(&world, stream, b"h2").await.unwrap();
    http2.write_all(PREFACE).await.unwrap();
    http2.write_all(&request("POST", &token, 0)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let address = world.server.address();
    let stopping = tokio::spawn(world.server.shutdown());
    // Longer than those are waited for that have not begun.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(TcpStream::connect(address).await.is_err());
    tls.write_all(b" ").await.unwrap();
    let answer = rest(&mut tls).await;
    assert!(answer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&answer));
    assert!(!stopping.is_finished());
    http2.write_all(&frame(DATA, END_STREAM, b" ")).await.unwrap();
    let answer = rest(&mut http2).await;
    assert!(is_answered(&answer), "{answer:?}");
    let text = String::from_utf8_lossy(&answer);
    assert!(text.contains("<KmsInit "), "{text}");
    stopping.await.unwrap();
}

#[tokio::test]
async fn an_address_has_so_many_connections_and_the_others_have_theirs() {
    let world = World::with_config(|toml| toml.replace("connections_per_address = 256", "connections_per_address = 3"));
    let world = world.await;
    // Whether they say anything is no matter.
    let silent = TcpStream::connect(world.server.address()).await.unwrap();
    let mut held = [connect(&world).await, connect(&world).await];
    for _ in 0..3 {
        let stream = TcpStream::connect(world.server.address()).await.unwrap();
        let error = secure(&world, stream, b"http/1.1").await.unwrap_err();
        let is_closed =
            matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe);
        assert!(is_closed, "{error:?}");
    }
    for tls in &mut held {
        assert!(ask(&world, tls).await.starts_with("HTTP/1.1 200 "), "what it has works on");
    }
    let another = TcpSocket::new_v4().unwrap();
    another.bind(SocketAddr::from(([127, 0, 0, 2], 0))).unwrap();
    let stream = another.connect(world.server.address()).await.unwrap();
    let mut another = secure(&world, stream, b"http/1.1").await.unwrap();
    assert!(ask(&world, &mut another).await.starts_with("HTTP/1.1 200 "));

    drop(silent);
    // The server learns of it a moment later.
    let mut next = loop {
        let stream = TcpStream::connect(world.server.address()).await.unwrap();
        if let Ok(tls) = secure(&world, stream, b"http/1.1").await {
            break tls;
        }
    };
    assert!(ask(&world, &mut next).await.starts_with("HTTP/1.1 200 "));

    let toml = world.folder.path().join("kms.toml");
    let text = std::fs::read_to_string(&toml).unwrap();
    std::fs::write(&toml, text.replace("connections_per_address = 3", "connections_per_address = 4")).unwrap();
    world.server.reload(act()).await.unwrap();
    assert!(ask(&world, &mut connect(&world).await).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_proxy_has_as_many_connections_as_there_are() {
    let world = World::with_config(|toml| {
        toml.replace("connections_per_address = 256", "connections_per_address = 1")
            .replace("proxies = []", "proxies = [\"127.0.0.1\"]")
    });
    let world = world.await;
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(connect(&world).await);
    }
    for tls in &mut held {
        assert!(ask(&world, tls).await.starts_with("HTTP/1.1 403 "), "a proxy's request needs a TrK");
    }
}

#[tokio::test]
async fn where_all_connections_are_taken_the_next_waits_for_one_to_end() {
    let world = World::with_config(|toml| toml.replace("max_connections = 4096", "max_connections = 2")).await;
    let mut held = [connect(&world).await, connect(&world).await];
    let stream = TcpStream::connect(world.server.address()).await.unwrap();
    let mut waiting = pin!(secure(&world, stream, b"http/1.1"));
    for tls in &mut held {
        // While the others are answered, it is not.
        tokio::select! {
            biased;
            done = &mut waiting => panic!("{:?}", done.map(drop)),
            answer = ask(&world, tls) => assert!(answer.starts_with("HTTP/1.1 200 ")),
        }
    }
    drop(held);
    let mut tls = timeout(LONG, waiting).await.unwrap().unwrap();
    assert!(ask(&world, &mut tls).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_request_with_two_lengths_is_refused_and_is_the_last() {
    let world = World::new().await;
    let token = world.token(ALICE);
    let head = |lengths: &str| {
        format!("POST {ROOT}/init HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n{lengths}\r\n")
    };
    let good = head("Content-Length: 0\r\n");
    for lengths in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "transfer-encoding: chunked\r\nX: y\r\ncontent-length: 0\r\n",
    ] {
        let mut tls = connect(&world).await;
        assert!(ask(&world, &mut tls).await.starts_with("HTTP/1.1 200 "));
        // To one that takes the first, the second request begins after five octets; to the other, it is its third.
        tls.write_all(format!("{}0\r\n\r\n{good}", head(lengths)).as_bytes()).await.unwrap();
        let answer = String::from_utf8(rest(&mut tls).await).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("connection: close"), "{answer}");
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let error = KmsResponse::from_xml(body.as_bytes(), &Limits::default()).unwrap().into_parts().0.error.unwrap();
        assert_eq!(error.known_code(), Some(ErrorCode::TwoLengths), "{lengths}");
    }
    // Each by itself is well.
    let mut tls = connect(&world).await;
    let chunked = head("Transfer-Encoding: chunked\r\n");
    tls.write_all(format!("{good}{chunked}2\r\n\r\n\r\n0\r\n\r\n{good}").as_bytes()).await.unwrap();
    let answers = String::from_utf8(rest(&mut tls).await).unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200 ").count(), 2, "a body in chunks is the last: {answers}");
}

#[tokio::test]
async fn a_request_of_http_1_1_has_one_host() {
    let world = World::new().await;
    let schema = schema::Schema::open();
    let token = world.token(ALICE);
    let answer = async |start: &str, hosts: &str| {
        let mut tls = connect(&world).await;
        let head = format!(
            "{start}\r\n{hosts}Authorization: Bearer {token}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        tls.write_all(head.as_bytes()).await.unwrap();
        let answer = String::from_utf8(rest(&mut tls).await).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert_eq!(schema.as_ref().and_then(|schema| schema.faults(body)), None, "{body}");
        let error = KmsResponse::from_xml(body.as_bytes(), &Limits::default()).unwrap().into_parts().0.error;
        (head.split(' ').nth(1).unwrap().to_owned(), error.and_then(|error| error.known_code()))
    };
    let post = format!("POST {ROOT}/init HTTP/1.1");
    for hosts in [
        "",
        "Host: a\r\nHost: a\r\n",
        "Host: a\r\nHost: b\r\n",
        "Host: a b<\r\n",
        "Host: u@a\r\n",
        "Host: a:b\r\n",
        "Host:\r\n",
        "Host: \u{e9}\r\n",
    ] {
        let bad_host = ("400".to_owned(), Some(ErrorCode::BadHost));
        assert_eq!(answer(&post, hosts).await, bad_host, "{hosts:?}");
    }
    for hosts in ["Host: a\r\n", "host: a:\r\n", "HOST: [::1]:8443\r\n", "Host: 127.0.0.1:1\r\n"] {
        assert_eq!(answer(&post, hosts).await, ("200".to_owned(), None), "{hosts:?}");
    }
    assert_eq!(answer(&post.replace("1.1", "1.0"), "").await, ("200".to_owned(), None), "which has no Host");
    let star = ("404".to_owned(), Some(ErrorCode::UnknownResource));
    assert_eq!(answer("POST * HTTP/1.1", "Host: a\r\n").await, star);
}

#[tokio::test]
async fn a_head_that_is_none_is_refused_before_it_is_a_request() {
    let world = World::new().await;
    for (head, status) in [
        ("POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n".to_owned(), "400 "),
        ("rubbish\r\n\r\n".to_owned(), "400 "),
        (format!("POST / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(80_000)), "431 "),
        (format!("POST / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(101)), "431 "),
    ] {
        let mut tls = connect(&world).await;
        // It may be refused before its end.
        let _ = tls.write_all(head.as_bytes()).await;
        let answer = String::from_utf8(rest(&mut tls).await).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
        assert!(answer.ends_with("\r\n\r\n") && !answer.contains("x-request-id"), "{answer}");
    }
}

/// A frame of HTTP/2 (RFC 9113 4.1).
#[derive(Debug)]
struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// The frames in what a server has sent, as far as they are whole.
fn frames(mut octets: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    while let Some((head, rest)) = octets.split_at_checked(9) {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let Some((payload, rest)) = rest.split_at_checked(length) else { break };
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        frames.push(Frame { kind: head[3], flags: head[4], stream, payload: payload.to_vec() });
        octets = rest;
    }
    frames
}

/// The head of a request for `init` as a frame, with HPACK's plainest form (RFC 7541), and with flags.
fn request(method: &str, token: &str, flags: u8) -> Vec<u8> {
    let mut block = vec![0x87];
    for (index, value) in [(2, method), (4, "/keymanagement/identity/v1/init"), (1, "localhost")] {
        block.push(index);
        block.extend(hpack(value));
    }
    block.push(0);
    block.extend([hpack("authorization"), hpack(&format!("Bearer {token}"))].concat());
    frame(HEADERS, END_HEADERS | flags, &block)
}

/// A string that is not compressed.
fn hpack(text: &str) -> Vec<u8> {
    let mut octets = vec![text.len().min(0x7f) as u8];
    if let Some(mut more) = text.len().checked_sub(0x7f) {
        while more >= 0x80 {
            octets.push(0x80 | (more % 0x80) as u8);
            more /= 0x80;
        }
        octets.push(more as u8);
    }
    octets.extend(text.as_bytes());
    octets
}

/// A frame of the first stream.
fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[..], &[kind, flags, 0, 0, 0, 1], payload].concat()
}

fn is_answered(answer: &[u8]) -> bool {
    frames(answer).iter().any(|frame| frame.stream == 1 && frame.flags & END_STREAM != 0)
}

/// A connection of HTTP/2 on which a request was answered, and what came until then.
async fn connect_http2(world: &World, method: &str) -> (TlsStream<TcpStream>, Vec<u8>) {
    let stream = TcpStream::connect(world.server.address()).await.unwrap();
    let mut tls = secure(world, stream, b"h2").await.unwrap();
    tls.write_all(PREFACE).await.unwrap();
    tls.write_all(&request(method, &world.token(ALICE), END_STREAM)).await.unwrap();
    let mut answer = Vec::new();
    while !is_answered(&answer) {
        assert!(tls.read_buf(&mut answer).await.unwrap() > 0);
    }
    (tls, answer)
}

#[tokio::test]
async fn the_answer_to_head_has_no_body() {
    let world = World::new().await;
    let kinds = |answer: &[u8]| {
        let of_request: Vec<u8> =
            frames(answer).iter().filter(|frame| frame.stream == 1).map(|frame| frame.kind).collect();
        of_request
    };
    assert_eq!(kinds(&connect_http2(&world, "HEAD").await.1), [HEADERS]);
    assert_eq!(kinds(&connect_http2(&world, "GET").await.1), [HEADERS, DATA]);
    let mut tls = connect(&world).await;
    let head = format!("HEAD {ROOT}/init HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    tls.write_all(head.as_bytes()).await.unwrap();
    let answer = String::from_utf8(rest(&mut tls).await).unwrap();
    assert!(answer.starts_with("HTTP/1.1 405 ") && answer.ends_with("\r\n\r\n"), "{answer}");
    for client in [trusting(world.folder.path()), trusting(world.folder.path()).http1_only()] {
        let client = client.build().unwrap();
        let [length, of_get] = [client.head(world.url("init")), client.get(world.url("init"))].map(|request| async {
            request.send().await.unwrap().headers()["content-length"].to_str().unwrap().to_owned()
        });
        assert_eq!(length.await, of_get.await);
    }
}

#[tokio::test]
async fn connections_without_a_request_are_closed_when_the_server_stops() {
    // It would wait so long for a request.
    let world = World::with_config(|toml| toml.replace("request_timeout = 15", "request_timeout = 600")).await;
    let address = world.server.address();
    let unsaid = TcpStream::connect(address).await.unwrap();
    let fresh = connect(&world).await;
    let mut half = connect(&world).await;
    half.write_all(b"POST / HTTP/1.1\r\nHost: loc").await.unwrap();
    let mut kept = connect(&world).await;
    ask(&world, &mut kept).await;
    let mut half_kept = connect(&world).await;
    ask(&world, &mut half_kept).await;
    half_kept.write_all(b"POST / HT").await.unwrap();
    let (mut http2, mut seen) = connect_http2(&world, "GET").await;
    let (polite, _) = connect_http2(&world, "GET").await;
    drop(polite);
    let client = world.client.clone();
    assert_eq!(
        client.post(world.url("init")).bearer_auth(world.token(ALICE)).send().await.unwrap().status(),
        StatusCode::OK
    );

    timeout(LONG, world.server.shutdown()).await.expect("nobody is waited for");
    for mut stream in [fresh, half, kept, half_kept] {
        assert_eq!(rest(&mut stream).await, b"");
    }
    assert_eq!(rest(&mut { unsaid }).await, b"");
    seen.extend(rest(&mut http2).await);
    assert!(frames(&seen).iter().any(|frame| frame.kind == GOAWAY), "it is told to ask elsewhere");
}

#[tokio::test]
async fn connections_that_say_nothing_are_closed_in_time() {
    let world = World::new().await;
    let tcp = || async { TcpStream::connect(world.server.address()).await.unwrap() };
    let mut unsaid = tcp().await;
    let mut fresh = connect(&world).await;
    let mut half = connect(&world).await;
    half.write_all(b"POST / HTTP/1.1\r\n").await.unwrap();
    let mut kept = connect(&world).await;
    ask(&world, &mut kept).await;
    let mut no_preface = secure(&world, tcp().await, b"h2").await.unwrap();
    let mut half_a_preface = secure(&world, tcp().await, b"h2").await.unwrap();
    half_a_preface.write_all(&PREFACE[..10]).await.unwrap();
    let mut no_request = secure(&world, tcp().await, b"h2").await.unwrap();
    no_request.write_all(PREFACE).await.unwrap();
    let mut half_a_request = secure(&world, tcp().await, b"h2").await.unwrap();
    half_a_request.write_all(PREFACE).await.unwrap();
    half_a_request.write_all(&request("POST", "", 0)[..20]).await.unwrap();
    let (mut after_a_request, _) = connect_http2(&world, "GET").await;

    // From now on time passes as soon as there is nothing to do.
    tokio::time::pause();
    assert_eq!(rest(&mut unsaid).await, b"");
    for tls in [&mut fresh, &mut half, &mut kept] {
        assert_eq!(in_an_hour(tls).await, b"");
    }
    for tls in [&mut no_preface, &mut half_a_preface, &mut no_request, &mut half_a_request, &mut after_a_request] {
        let said = in_an_hour(tls).await;
        assert!(frames(&said).iter().all(|frame| frame.stream == 0), "{said:?}");
    }
}

#[tokio::test]
async fn pings_keep_no_connection_open() {
    let world = World::new().await;
    let (tls, mut said) = connect_http2(&world, "GET").await;
    let (mut read, mut write) = tokio::io::split(tls);
    tokio::time::pause();
    let talking = async {
        let mut looked_at = 0;
        loop {
            let sent = tokio::select! {
                read = read.read_buf(&mut said) => read.and_then(|octets| match octets {
                    0 => Err(ErrorKind::UnexpectedEof.into()),
                    _ => Ok(Vec::new()),
                }),
                () = tokio::time::sleep(Duration::from_secs(5)) => Ok(ping(0, b"are you?")),
            };
            let Ok(mut sent) = sent else { return };
            let all = frames(&said);
            let asked = all.iter().skip(looked_at).filter(|frame| frame.kind == PING && frame.flags & ACK == 0);
            sent.extend(asked.flat_map(|frame| ping(ACK, &frame.payload)));
            looked_at = all.len();
            if write.write_all(&sent).await.is_err() {
                return;
            }
        }
    };
    timeout(Duration::from_secs(3600), talking).await.expect("the connection is closed");
    assert!(
        frames(&said).iter().any(|frame| frame.kind == PING && frame.flags & ACK != 0),
        "they are answered until then"
    );
}

fn ping(flags: u8, payload: &[u8]) -> Vec<u8> {
    [&[0, 0, 8, PING, flags, 0, 0, 0, 0], payload].concat()
}

/// As [`rest`], where an hour passes at once.
async fn in_an_hour(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut octets = Vec::new();
    let _ =
        timeout(Duration::from_secs(3600), stream.read_to_end(&mut octets)).await.expect("the connection is closed");
    octets
}

#[tokio::test]
async fn the_hybrid_key_exchange_is_what_both_sides_prefer_and_the_others_are_taken() {
    let world = World::new().await;
    let negotiated = |provider: CryptoProvider| async {
        let stream = TcpStream::connect(world.server.address()).await.unwrap();
        let mut tls = secure_with(&world, stream, b"http/1.1", provider).await.unwrap();
        assert!(ask(&world, &mut tls).await.starts_with("HTTP/1.1 200 "));
        tls.get_ref().1.negotiated_key_exchange_group().unwrap().name()
    };
    assert_eq!(negotiated(aws_lc_rs::default_provider()).await, NamedGroup::X25519MLKEM768);
    for group in [aws_lc_rs::kx_group::X25519MLKEM768, aws_lc_rs::kx_group::X25519, aws_lc_rs::kx_group::SECP256R1] {
        let provider = CryptoProvider { kx_groups: vec![group], ..aws_lc_rs::default_provider() };
        assert_eq!(negotiated(provider).await, group.name());
    }
}

#[tokio::test]
async fn tls_before_1_2_is_refused() {
    if !schema::peer("openssl") {
        return;
    }
    let world = World::new().await;
    let address = world.server.address().to_string();
    let handshake = |version: &'static str| {
        let address = address.clone();
        tokio::task::spawn_blocking(move || {
            let mut command = Command::new("openssl");
            // With what OpenSSL itself would not do any more.
            command
                .args(["s_client", "-connect", &address, version, "-cipher", "ALL:@SECLEVEL=0"])
                .stdin(Stdio::null());
            let output = command.output().unwrap();
            String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
        })
    };
    for version in ["-tls1", "-tls1_1"] {
        let said = handshake(version).await.unwrap();
        // By the server: a client that cannot ask would have no alert to tell of.
        assert!(said.contains("SSL alert number") && said.contains("Cipher is (NONE)"), "{said}");
    }
    let said = handshake("-tls1_2").await.unwrap();
    assert!(said.contains("New, TLSv1.2, Cipher is ECDHE"), "{said}");
}

/// A connection of HTTP/1.1.
async fn connect(world: &World) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(world.server.address()).await.unwrap();
    secure(world, stream, b"http/1.1").await.unwrap()
}

async fn secure(world: &World, stream: TcpStream, alpn: &[u8]) -> std::io::Result<TlsStream<TcpStream>> {
    secure_with(world, stream, alpn, aws_lc_rs::default_provider()).await
}

async fn secure_with(
    world: &World,
    stream: TcpStream,
    alpn: &[u8],
    provider: CryptoProvider,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(world.folder.path().join("tls-cert.pem")).unwrap()).unwrap();
    let mut config = rustls::ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    connector.connect(ServerName::try_from("localhost").unwrap(), stream).await
}

/// A whole request of HTTP/1.1 without a body, and its answer.
async fn ask(world: &World, tls: &mut TlsStream<TcpStream>) -> String {
    let token = world.token(ALICE);
    let request = format!(
        "POST {ROOT}/init HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Length: 0\r\n\r\n"
    );
    tls.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"</KmsResponse>") {
        assert!(tls.read_buf(&mut answer).await.unwrap() > 0, "{}", String::from_utf8_lossy(&answer));
    }
    String::from_utf8(answer).unwrap()
}

/// All that comes until the other side closes; that it does so without a farewell is no matter here.
async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut octets = Vec::new();
    let _ = timeout(LONG, stream.read_to_end(&mut octets)).await.expect("the connection is closed");
    octets
}
