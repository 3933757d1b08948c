//! The HTTPS server: TLS 1.2 and 1.3 in front of the resources, with limits on connections and time.

mod activity;
mod serving;

use super::audit::{Act, Event};
use super::auth::Identities;
use super::config::{self, Config};
use super::hash::Hash;
use super::http::Peer;
use super::{Error, State};
use activity::{Activity, Busy};
use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use rustls::pki_types::CertificateDer;
use serving::Serving;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How long a client may take for the TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may be idle, and how long the head of a request may take.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long the judgement of a client's certificate holds on its connection.
const JUDGED_FOR: Duration = Duration::from_secs(60);
/// How long to wait when the system has no more sockets.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// The most octets of a request's head: room for a large access token.
const MAX_HEAD: u16 = 32 * 1024;
/// How often requests that were only counted are recorded.
const COUNTS_EVERY: Duration = Duration::from_secs(60);
/// Who does what nobody asked for.
const SERVER: &str = "the server";

/// A running server. It serves until [`Server::shutdown`], or until it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    current: Arc<Current>,
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
        let current = Arc::new(Current(RwLock::new(Arc::new(Serving::new(state).await?))));
        let listen = listen.unwrap_or(config.listen);
        let on_error = |source| Error::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(on_error)?;
        let address = listener.local_addr().map_err(on_error)?;
        let (stop, stopped) = oneshot::channel();
        let connections = Arc::new(Semaphore::new(config.max_connections));
        let task = tokio::spawn(run(current.clone(), connections, listener, stopped));
        tracing::info!(%address, kms_uri = state.config.kms_uri, "serving");
        Ok(Self { address, current, stop, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Reads the configuration, the TLS certificate and key, the authorities of clients and the identity provider's keys anew. What is
    /// answered from now on follows them, on connections that are open already too; requests in progress are finished. An error
    /// changes nothing.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::NeedsRestart`] for a value that only a new start can change, [`Error::Tls`],
    /// [`Error::ClientAuthorities`], [`Error::KeyRing`]; [`Error::Store`] if it cannot be recorded.
    pub async fn reload(&self, act: Act) -> Result<(), Error> {
        let reloaded = self.take_up(act.clone()).await;
        if let Err(error) = &reloaded {
            let refused = Event::ReloadRefused { reason: error.to_string() };
            if let Err(error) = self.current.get().state().store.record(refused, act).await {
                tracing::error!(%error, "a refused reload could not be recorded");
            }
        }
        reloaded
    }

    async fn take_up(&self, act: Act) -> Result<(), Error> {
        let old = self.current.get();
        let path = old.state().config.folder.join(config::FILE);
        let text = std::fs::read_to_string(&path).map_err(|source| Error::file(&path, source))?;
        let config = Config::parse(&text, &old.state().config.folder)?;
        let next = old.renewed(config).await?;
        let event = Event::Reloaded { configuration: Hash::of(text.as_bytes()).to_string() };
        old.state().store.record(event, act).await?;
        self.current.set(next);
        old.record_counts(Act::new(SERVER, SystemTime::now())).await;
        old.warn_of_newer_secrets().await;
        tracing::info!("configuration, certificates and keys taken up anew");
        Ok(())
    }

    /// Stops taking connections, finishes the requests in progress (for as long as a request may take), and returns.
    pub async fn shutdown(self) {
        // The task is gone already if it panicked; then there is nothing left to stop.
        let _ = self.stop.send(());
        let _ = self.task.await;
        tracing::info!(address = %self.address, "stopped");
    }
}

/// What is served by now.
#[derive(Debug)]
struct Current(RwLock<Arc<Serving>>);

impl Current {
    fn get(&self) -> Arc<Serving> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, serving: Serving) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(serving);
    }
}

async fn run(
    current: Arc<Current>,
    connections: Arc<Semaphore>,
    listener: TcpListener,
    mut stopped: oneshot::Receiver<()>,
) {
    let graceful = GracefulShutdown::new();
    let recorder = tokio::spawn(record_counts(current.clone()));
    loop {
        let next = async {
            if connections.available_permits() == 0 {
                tracing::warn!("as many connections as server.max_connections allows: further ones wait");
            }
            let permit = connections.clone().acquire_owned().await;
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
        let (current, watcher) = (current.clone(), graceful.watcher());
        tokio::spawn(async move {
            if let Some(tls) = accept(stream, current.get().acceptor()).await {
                serve(tls, peer, current, watcher).await;
            }
            drop(permit);
        });
    }
    drop(listener);
    recorder.abort();
    let serving = current.get();
    if timeout(serving.state().config.server.request_timeout, graceful.shutdown()).await.is_err() {
        tracing::warn!("stopped with requests in progress");
    }
    serving.record_counts(Act::new(SERVER, SystemTime::now())).await;
}

async fn record_counts(current: Arc<Current>) {
    let mut minutes = interval(COUNTS_EVERY);
    minutes.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        minutes.tick().await;
        let serving = current.get();
        serving.record_counts(Act::new(SERVER, SystemTime::now())).await;
        serving.warn_of_newer_secrets().await;
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
async fn serve(tls: TlsStream<TcpStream>, address: SocketAddr, current: Arc<Current>, watcher: Watcher) {
    let connection = tls.get_ref().1;
    let is_http2 = connection.alpn_protocol() == Some(b"h2");
    let chain = connection.peer_certificates().map(|chain| chain.iter().map(|one| one.clone().into_owned()).collect());
    let activity = Arc::new(Activity::default());
    let idle = activity.clone();
    let shown = Shown { chain: chain.unwrap_or_default(), judged: RwLock::default() };
    let io = TokioIo::new(tls);
    let service = service_fn(move |request: Request<Incoming>| {
        let serving = current.get();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer { address, holder: shown.holder(&serving) });
        let (app, busy) = (serving.app(), Busy::new(&activity));
        async move {
            let response = app.handle(request).await;
            drop(busy);
            Ok::<_, Infallible>(response)
        }
    });
    let served = async {
        if is_http2 {
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
        }
    };
    let result = tokio::select! {
        result = served => result,
        () = idle.too_long(IDLE_TIMEOUT) => return tracing::debug!("an idle connection was closed"),
    };
    if let Err(error) = result {
        tracing::debug!(%error, "connection ended early");
    }
}

/// The certificates that a client has shown, and whose they are by the configuration that judged them last.
struct Shown {
    chain: Vec<CertificateDer<'static>>,
    judged: RwLock<Option<Judged>>,
}

/// Certificates expire while connections stay open.
struct Judged {
    number: u64,
    at: Instant,
    holder: Option<Arc<Identities>>,
}

impl Shown {
    fn holder(&self, serving: &Serving) -> Option<Arc<Identities>> {
        if self.chain.is_empty() {
            return None;
        }
        if let Some(Judged { number, at, holder }) = &*self.judged.read().unwrap_or_else(PoisonError::into_inner)
            && *number == serving.number()
            && at.elapsed() < JUDGED_FOR
        {
            return holder.clone();
        }
        let holder = serving.holder(&self.chain).map(Arc::new);
        let judged = Judged { number: serving.number(), at: Instant::now(), holder: holder.clone() };
        *self.judged.write().unwrap_or_else(PoisonError::into_inner) = Some(judged);
        holder
    }
}
