//! One connection, from the TLS handshake to its end.

use super::Current;
use super::activity::{Activity, Busy};
use super::heads::{TwoLengths, Watched};
use super::serving::Serving;
use crate::kms::http::{Peer, ShownCertificate};
use axum::body::Body;
use core::fmt::Display;
use core::pin::pin;
use hyper::Request;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue, TRANSFER_ENCODING};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use rustls::pki_types::CertificateDer;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_rustls::server::TlsStream;

/// How long a client may take for the TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may be idle, and how long the head of a request may take.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a client that answers nothing, or has sent half a head, is waited for when the server stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);
/// How long the judgement of a client's certificate holds on its connection.
const JUDGED_FOR: Duration = Duration::from_secs(60);
/// The most octets of a request's head: room for a large access token.
const MAX_HEAD: u16 = 32 * 1024;
/// hyper judges by what it has read at once.
const MAX_WATCHED_HEAD: usize = 4 * MAX_HEAD as usize;

/// Serves a connection to its end, which comes soon once the server is stopping.
pub(super) async fn serve(
    stream: TcpStream,
    address: SocketAddr,
    current: Arc<Current>,
    mut stopping: watch::Receiver<()>,
) {
    let tls = tokio::select! {
        tls = accept(stream, address, current.get()) => tls,
        _ = stopping.changed() => None,
    };
    let Some(tls) = tls else { return };
    let connection = tls.get_ref().1;
    let is_http2 = connection.alpn_protocol() == Some(b"h2");
    let chain = connection.peer_certificates().map(|chain| chain.iter().map(|one| one.clone().into_owned()).collect());
    let shown = Shown { chain: chain.unwrap_or_default(), judged: RwLock::default() };
    let activity = Arc::new(Activity::default());
    let two_lengths = TwoLengths::default();
    let service = service_fn({
        let (activity, two_lengths) = (activity.clone(), two_lengths.clone());
        move |request: Request<Incoming>| {
            let serving = current.get();
            let mut request = request.map(Body::new);
            let has_two_lengths = two_lengths.were_given();
            request.extensions_mut().insert(Peer { address, certificate: shown.judged_by(&serving), has_two_lengths });
            // Then nobody need find the end of its body to find the next request.
            let is_last = request.headers().contains_key(TRANSFER_ENCODING);
            let (app, busy) = (serving.app(), Busy::new(&activity));
            async move {
                let mut response = app.handle(request).await;
                if is_last {
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                drop(busy);
                Ok::<_, Infallible>(response)
            }
        }
    });
    if is_http2 {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .keep_alive_interval(IDLE_TIMEOUT)
            .keep_alive_timeout(IDLE_TIMEOUT)
            .max_concurrent_streams(64)
            .max_header_list_size(MAX_HEAD.into());
        to_its_end(builder.serve_connection(TokioIo::new(tls), service), &activity, stopping).await;
    } else {
        let watched = TokioIo::new(Watched::new(tls, MAX_WATCHED_HEAD, two_lengths));
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(IDLE_TIMEOUT).max_buf_size(MAX_HEAD.into());
        to_its_end(builder.serve_connection(watched, service), &activity, stopping).await;
    }
}

/// The TLS of a connection. What goes wrong on one is the peer's affair and logged for the curious alone, but for a certificate that is
/// refused.
async fn accept(stream: TcpStream, peer: SocketAddr, serving: Arc<Serving>) -> Option<TlsStream<TcpStream>> {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    match timeout(HANDSHAKE_TIMEOUT, serving.acceptor().accept(stream)).await {
        Ok(Ok(tls)) => return Some(tls),
        Ok(Err(error)) => match error.get_ref().and_then(|source| source.downcast_ref()) {
            Some(refused @ rustls::Error::InvalidCertificate(_)) => serving.log_refused_certificate(peer, refused),
            _ => tracing::debug!(%peer, %error, "TLS handshake failed"),
        },
        Err(_elapsed) => tracing::debug!("TLS handshake took too long"),
    }
    None
}

async fn to_its_end<C>(connection: C, activity: &Activity, mut stopping: watch::Receiver<()>)
where
    C: GracefulConnection,
    C::Error: Display,
{
    let mut connection = pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = activity.too_long(IDLE_TIMEOUT) => return tracing::debug!("an idle connection was closed"),
        _ = stopping.changed() => {
            // Closes an idle connection of HTTP/1 at once; one of HTTP/2 as soon as the client has answered.
            connection.as_mut().graceful_shutdown();
            let silence = async {
                sleep(STOP_TIMEOUT).await;
                activity.too_long(STOP_TIMEOUT).await;
            };
            tokio::select! {
                result = connection.as_mut() => result,
                () = silence => return tracing::debug!("a silent connection was closed"),
            }
        }
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
    certificate: ShownCertificate,
}

impl Shown {
    fn judged_by(&self, serving: &Serving) -> ShownCertificate {
        if self.chain.is_empty() {
            return ShownCertificate::None;
        }
        if let Some(Judged { number, at, certificate }) = &*self.judged.read().unwrap_or_else(PoisonError::into_inner)
            && *number == serving.number()
            && at.elapsed() < JUDGED_FOR
        {
            return certificate.clone();
        }
        let certificate = match serving.holder(&self.chain) {
            Ok(holder) => ShownCertificate::Of(Arc::new(holder)),
            Err(fault) => ShownCertificate::Useless(fault),
        };
        let judged = Judged { number: serving.number(), at: Instant::now(), certificate: certificate.clone() };
        *self.judged.write().unwrap_or_else(PoisonError::into_inner) = Some(judged);
        certificate
    }
}
