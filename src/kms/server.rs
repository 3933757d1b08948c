//! The HTTPS server: TLS 1.2 and 1.3 in front of the resources, with limits on connections and time.

mod activity;
mod connection;
mod connections;
mod heads;
mod key_changes;
mod serving;

use super::audit::{Act, Event};
use super::{Error, State, state};
use connections::{Connections, Counted};
use serving::Serving;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

/// How long to wait when the system has no more sockets.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often requests that were only counted are recorded.
const COUNTS_EVERY: Duration = Duration::from_secs(60);
/// How often at most it is told that there are as many connections as there may be.
const WARN_EVERY: Duration = Duration::from_secs(60);
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
    /// Begins to serve at `listen`, or at the configured address. Port 0 lets the system choose one. Before it takes connections it is
    /// recorded by what it serves: `kms.toml`, and what tokens and certificates are checked by.
    ///
    /// # Errors
    /// [`Error::Tls`] for an unusable certificate or key, [`Error::KeyRing`] for an unusable JWK set, [`Error::ClientAuthorities`],
    /// [`Error::Listen`] if the address cannot be had, [`Error::Store`] if the start cannot be recorded.
    pub async fn bind(state: &State, listen: Option<SocketAddr>, act: Act) -> Result<Self, Error> {
        let config = &state.config.server;
        let serving = Serving::new(state).await?;
        let started = Event::Started { configuration: state.configuration.to_string(), trust: serving.trust().await };
        let current = Arc::new(Current(RwLock::new(Arc::new(serving))));
        let listen = listen.unwrap_or(config.listen);
        let on_error = |source| Error::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(on_error)?;
        let address = listener.local_addr().map_err(on_error)?;
        state.store.record(started, act).await?;
        let (stop, stopped) = oneshot::channel();
        let places = Arc::new(Semaphore::new(config.max_connections));
        let task = tokio::spawn(run(current.clone(), places, listener, stopped));
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
    /// [`Error::Config`], [`Error::Exposed`], [`Error::NeedsRestart`] for a value that only a new start can change, [`Error::Tls`],
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
        let (config, configuration) = state::load_hashed(&old.state().config.folder)?;
        let next = old.renewed(config, configuration).await?;
        let event = Event::Reloaded { configuration: configuration.to_string(), trust: next.trust().await };
        old.state().store.record(event, act).await?;
        self.current.set(next);
        old.warn_of_newer_secrets().await;
        tracing::info!("configuration, certificates and keys taken up anew");
        Ok(())
    }

    /// Stops taking connections, closes those without a request, finishes the requests in progress (for as long as a request may
    /// take), and returns.
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

async fn run(current: Arc<Current>, places: Arc<Semaphore>, listener: TcpListener, mut stopped: oneshot::Receiver<()>) {
    let connections = Connections::default();
    // Each connection holds a receiver, to its end.
    let (stop, _) = watch::channel(());
    let recorder = tokio::spawn(record_counts(current.clone()));
    let (stop_recording, recording_stopped) = oneshot::channel();
    let changes = tokio::spawn(key_changes::record(current.get(), recording_stopped));
    let mut warned: Option<Instant> = None;
    loop {
        let next = async {
            if places.available_permits() == 0 && warned.is_none_or(|warned| warned.elapsed() >= WARN_EVERY) {
                warned = Some(Instant::now());
                tracing::warn!("as many connections as server.max_connections allows: further ones wait");
            }
            let place = places.clone().acquire_owned().await;
            (place, listener.accept().await)
        };
        let accepted = tokio::select! {
            _ = &mut stopped => break,
            accepted = next => accepted,
        };
        let (place, (stream, peer)) = match accepted {
            (Ok(place), Ok(accepted)) => (place, accepted),
            (_, Err(error)) => {
                tracing::warn!(%error, "cannot accept connections");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
            (Err(_closed), Ok(_)) => break,
        };
        let Some(counted) = counted(&connections, peer.ip(), &current.get()) else { continue };
        let (current, stopping) = (current.clone(), stop.subscribe());
        tokio::spawn(async move {
            connection::serve(stream, peer, current, stopping).await;
            drop((counted, place));
        });
    }
    drop(listener);
    recorder.abort();
    stop.send_replace(());
    let serving = current.get();
    if timeout(serving.state().config.server.request_timeout, stop.closed()).await.is_err() {
        tracing::warn!("stopped with requests in progress");
    }
    // If they are not waited for any more they have ended.
    let _ = stop_recording.send(());
    let _ = changes.await;
    serving.record_counts(Act::new(SERVER, SystemTime::now())).await;
}

/// None where the address has as many connections as it may have. A proxy has those of many clients.
fn counted(connections: &Connections, address: IpAddr, serving: &Serving) -> Option<Counted> {
    let config = &serving.state().config;
    let is_proxy = config.security_extension.is_proxy(address);
    connections.open(address, if is_proxy { usize::MAX } else { config.server.connections_per_address })
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
