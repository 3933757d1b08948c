//! Asking, and timing the answers.

use super::world::{Asker, KMS_URI, Served, World};
use mikey_sakke::kms_protocol::resource::Resource;
use mikey_sakke::kms_protocol::{KeyIds, KmsMessage, KmsRequest, KmsResponse, Limits, SignatureStatus};
use mikey_sakke::xml_security::SigningOptions;
use reqwest::Client;
use rustls::client::Resumption;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use time::OffsetDateTime;

/// One answer in so many is read.
const READ_EVERY: usize = 100;

/// How the askers reach the server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Connections {
    Kept,
    /// A full handshake for each request.
    New,
}

/// When the next request is sent.
#[derive(Clone, Copy)]
pub enum Pace {
    /// When the answer to the one before is there.
    Full,
    /// So many a second over all connections.
    Rate(u32),
}

/// How long each answer took, in how much time, and what the server used of its processors.
#[derive(Default)]
pub struct Times {
    pub all: Vec<Duration>,
    pub elapsed: Duration,
    pub used: Duration,
}

impl Times {
    pub fn add(&mut self, other: Self) {
        self.all.extend(other.all);
        self.elapsed += other.elapsed;
        self.used += other.used;
    }
}

/// Those who ask for their keys at the same time.
pub struct Askers<'a> {
    pub world: &'a Arc<World>,
    pub connections: usize,
    pub kind: Connections,
    pub pace: Pace,
}

impl Askers<'_> {
    pub async fn ask(&self, served: &Served, duration: Duration) -> Times {
        let number = Arc::new(AtomicUsize::new(0));
        let before = served.processor_time();
        let begun = Instant::now();
        let workers: Vec<_> = (0..self.connections)
            .map(|_| {
                let (client, world) = (client(self.world, self.kind), self.world.clone());
                let worker = Worker { client, world, address: served.address, number: number.clone() };
                tokio::spawn(worker.run(self.pace, begun, duration))
            })
            .collect();
        let mut all = Vec::new();
        for worker in workers {
            all.extend(worker.await.unwrap());
        }
        Times { all, elapsed: begun.elapsed(), used: served.processor_time() - before }
    }
}

struct Worker {
    client: Client,
    world: Arc<World>,
    address: SocketAddr,
    /// Of the next request, over all workers.
    number: Arc<AtomicUsize>,
}

impl Worker {
    async fn run(self, pace: Pace, begun: Instant, duration: Duration) -> Vec<Duration> {
        let mut times = Vec::new();
        loop {
            let number = self.number.fetch_add(1, Ordering::Relaxed);
            let due = match pace {
                Pace::Full => Instant::now(),
                Pace::Rate(rate) => begun + Duration::from_secs_f64(number as f64 / f64::from(rate)),
            };
            if due >= begun + duration {
                return times;
            }
            tokio::time::sleep_until(due.into()).await;
            self.one(number).await;
            times.push(due.elapsed());
        }
    }

    async fn one(&self, number: usize) {
        let askers = &self.world.askers;
        let asker = &askers[number % askers.len()];
        let resource = Resource::KeyProv { user_uri: Some(asker.uri.clone()), time: None };
        let url = resource.url(&format!("https://{}", self.address));
        let mut request = self.client.post(&url).bearer_auth(&asker.token);
        if let Some(keys) = &asker.keys {
            let document = document(asker, url).to_signed_xml(keys.signing_key(), &SigningOptions::default()).unwrap();
            request = request.header("content-type", "application/xml").body(document.to_string());
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let body = response.bytes().await.unwrap();
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        if number.is_multiple_of(READ_EVERY) {
            read(asker, &body);
        }
    }
}

fn document(asker: &Asker, url: String) -> KmsRequest {
    let keys = asker.keys.as_ref();
    KmsRequest {
        user_uri: asker.uri.clone(),
        kms_uri: KMS_URI.into(),
        time: OffsetDateTime::now_utc(),
        client_id: None,
        device_id: None,
        client_req_url: url,
        client_error: None,
        krr_list: Vec::new(),
        key_ids: KeyIds {
            trk_id: keys.map(|keys| keys.transport.name().to_owned()),
            signature_id: keys.map(|keys| keys.signing_key().name().to_owned()),
        },
    }
}

/// The answer has the keys of two periods, in clear or wrapped and signed.
fn read(asker: &Asker, body: &[u8]) {
    let limits = Limits::default();
    let (response, signature) = match &asker.keys {
        Some(keys) => KmsResponse::from_xml_with_keys(body, &limits, &[keys.signing_key()]),
        None => KmsResponse::from_xml(body, &limits),
    }
    .unwrap()
    .into_parts();
    assert_eq!(asker.keys.is_some(), matches!(signature, SignatureStatus::Verified { .. }));
    match response.message {
        Some(KmsMessage::KeyProv(provided)) => assert_eq!(provided.key_sets.len(), 2),
        other => panic!("{other:?}"),
    }
}

fn client(world: &World, kind: Connections) -> Client {
    let client = Client::builder().tls_backend_preconfigured(tls(world)).http1_only();
    match kind {
        Connections::Kept => client,
        Connections::New => client.pool_max_idle_per_host(0),
    }
    .build()
    .unwrap()
}

/// Trusts the server, and makes a full handshake each time.
pub fn tls(world: &World) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&world.trust_anchor()).unwrap()).unwrap();
    let mut tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.resumption = Resumption::disabled();
    tls
}
