//! The HTTPS server: TLS 1.2 and 1.3 in front of the resources, with limits on connections and time.

use super::auth::CertificateHolders;
use super::http::{self, Peer};
use super::{Error, State};
use crate::kms::config::ServerConfig;
use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tower::ServiceExt;

/// How long a client may take for the TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may be idle, and how long the head of a request may take.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long requests in progress may go on after the server was told to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait when the system has no more sockets.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// The most octets of a request's head: room for a large access token.
const MAX_HEAD: u16 = 32 * 1024;

/// A running server. It serves until [`Server::shutdown`], or until it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    /// Begins to serve at `listen`, or at the configured address. Port 0 lets the system choose one.
    ///
    /// # Errors
    /// [`Error::Tls`] for an unusable certificate or key, [`Error::KeyRing`] for an unusable JWK set,
    /// [`Error::Listen`] if the address cannot be had.
    pub async fn bind(state: &State, listen: Option<SocketAddr>) -> Result<Self, Error> {
        let config = &state.config.server;
        let holders = state.config.auth.certificates.as_ref().map(CertificateHolders::new).transpose();
        let holders = holders.map_err(|(path, reason)| Error::ClientAuthorities { path, reason })?.map(Arc::new);
        let acceptor = TlsAcceptor::from(Arc::new(tls(config, holders.clone())?));
        let router = http::router(state).await?;
        let listen = listen.unwrap_or(config.listen);
        let on_error = |source| Error::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(on_error)?;
        let address = listener.local_addr().map_err(on_error)?;
        let (stop, stopped) = oneshot::channel();
        let service =
            Service { acceptor, holders, router, connections: Arc::new(Semaphore::new(config.max_connections)) };
        let task = tokio::spawn(service.run(listener, stopped));
        tracing::info!(%address, kms_uri = state.config.kms_uri, "serving");
        Ok(Self { address, stop, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops taking connections, finishes the requests in progress (for at most ten seconds), and returns.
    pub async fn shutdown(self) {
        // The task is gone already if it panicked; then there is nothing left to stop.
        let _ = self.stop.send(());
        let _ = self.task.await;
        tracing::info!(address = %self.address, "stopped");
    }
}

struct Service {
    acceptor: TlsAcceptor,
    holders: Option<Arc<CertificateHolders>>,
    router: Router,
    connections: Arc<Semaphore>,
}

impl Service {
    async fn run(self, listener: TcpListener, mut stopped: oneshot::Receiver<()>) {
        let graceful = GracefulShutdown::new();
        loop {
            let next = async {
                let permit = self.connections.clone().acquire_owned().await;
                (permit, listener.accept().await)
            };
            let accepted = tokio::select! {
                _ = &mut stopped => break,
                accepted = next => accepted,
            };
            let (permit, (stream, peer)) = match accepted {
                (Ok(permit), Ok(accepted)) => (permit, accepted),
                (_, Err(error)) => {
                    tracing::warn!(%error, "cannot accept connections");
                    sleep(ACCEPT_PAUSE).await;
                    continue;
                }
                (Err(_closed), Ok(_)) => break,
            };
            let (acceptor, holders) = (self.acceptor.clone(), self.holders.clone());
            let (router, watcher) = (self.router.clone(), graceful.watcher());
            tokio::spawn(async move {
                if let Some(tls) = accept(stream, acceptor).await {
                    let shown = tls.get_ref().1.peer_certificates().and_then(|chain| chain.first());
                    let holder = shown.zip(holders).and_then(|(shown, holders)| holders.holder(shown)).map(Arc::new);
                    serve(tls, Peer { address: peer, holder }, router, watcher).await;
                }
                drop(permit);
            });
        }
        drop(listener);
        if timeout(STOP_TIMEOUT, graceful.shutdown()).await.is_err() {
            tracing::warn!("stopped with requests in progress");
        }
    }
}

/// The TLS of a connection. What goes wrong on one is the peer's affair and logged for the curious alone.
async fn accept(stream: TcpStream, acceptor: TlsAcceptor) -> Option<TlsStream<TcpStream>> {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    match timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
        Ok(Ok(tls)) => return Some(tls),
        Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
        Err(_elapsed) => tracing::debug!("TLS handshake took too long"),
    }
    None
}

/// Serves one connection to its end.
async fn serve(tls: TlsStream<TcpStream>, peer: Peer, router: Router, watcher: Watcher) {
    let is_http2 = tls.get_ref().1.alpn_protocol() == Some(b"h2");
    let io = TokioIo::new(tls);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer.clone());
        router.clone().oneshot(request)
    });
    let result = if is_http2 {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .keep_alive_interval(IDLE_TIMEOUT)
            .keep_alive_timeout(IDLE_TIMEOUT)
            .max_concurrent_streams(64)
            .max_header_list_size(MAX_HEAD.into());
        watcher.watch(builder.serve_connection(io, service)).await
    } else {
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(IDLE_TIMEOUT).max_buf_size(MAX_HEAD.into());
        watcher.watch(builder.serve_connection(io, service)).await
    };
    if let Err(error) = result {
        tracing::debug!(%error, "connection ended early");
    }
}

fn tls(config: &ServerConfig, holders: Option<Arc<CertificateHolders>>) -> Result<rustls::ServerConfig, Error> {
    let error = |path: &Path, reason: String| Error::Tls { path: path.to_owned(), reason };
    let (chain_path, key_path) = (&config.tls_certificate, &config.tls_key);
    let chain = CertificateDer::pem_file_iter(chain_path)
        .and_then(|certificates| certificates.collect::<Result<Vec<_>, _>>())
        .map_err(|source| error(chain_path, source.to_string()))?;
    if chain.is_empty() {
        return Err(error(chain_path, "it has no PEM certificate".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_file(key_path).map_err(|source| error(key_path, source.to_string()))?;
    let mut tls = rustls::ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map(|builder| match holders {
            Some(holders) => builder.with_client_cert_verifier(holders),
            None => builder.with_no_client_auth(),
        })
        .and_then(|builder| builder.with_single_cert(chain, key))
        .map_err(|source| error(chain_path, format!("with {}: {source}", key_path.display())))?;
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(tls)
}
