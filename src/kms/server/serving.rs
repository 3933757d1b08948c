//! What a server serves with: everything that follows from its configuration, and is taken up anew together.

use crate::kms::audit::{Act, Event};
use crate::kms::auth::{Authenticator, CertificateFault, CertificateHolders, Identities, Trust};
use crate::kms::config::{Config, ServerConfig};
use crate::kms::hash::Hash;
use crate::kms::http::App;
use crate::kms::limits::Limits;
use crate::kms::{ClientKind, Error, State};
use crate::sealing::file::read_private;
use core::fmt;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// One configuration at work.
pub(super) struct Serving {
    /// Counts the configurations that were taken up.
    number: u64,
    acceptor: TlsAcceptor,
    holders: Option<Arc<CertificateHolders>>,
    app: Arc<App>,
}

impl Serving {
    pub(super) async fn new(state: &State) -> Result<Self, Error> {
        let authenticator = Authenticator::new(&state.config.auth).await?;
        let limits = Limits::new(&state.config);
        Self::with(0, App { state: state.clone(), authenticator, limits })
    }

    /// The same KMS by another configuration.
    pub(super) async fn renewed(&self, config: Config, configuration: Hash) -> Result<Self, Error> {
        let App { state, authenticator, limits } = &*self.app;
        require_same(&state.config, &config)?;
        let authenticator = authenticator.renewed(&config.auth).await?;
        let limits = limits.renewed(&config);
        let state = State { config, configuration, ..state.clone() };
        Self::with(self.number + 1, App { state, authenticator, limits })
    }

    fn with(number: u64, app: App) -> Result<Self, Error> {
        let config = &app.state.config;
        warn_of_lax_policy(config);
        let holders = config.auth.certificates.as_ref().map(CertificateHolders::new).transpose();
        let holders = holders.map_err(|(path, reason)| Error::ClientAuthorities { path, reason })?.map(Arc::new);
        let acceptor = TlsAcceptor::from(Arc::new(tls(&config.server, holders.clone())?));
        Ok(Self { number, acceptor, holders, app: Arc::new(app) })
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn state(&self) -> &State {
        &self.app.state
    }

    /// What tokens and certificates are checked by.
    pub(super) async fn trust(&self) -> Trust {
        let trust = self.app.authenticator.trust().await;
        match &self.holders {
            Some(holders) => holders.add_to(trust),
            None => trust,
        }
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }

    pub(super) fn app(&self) -> Arc<App> {
        self.app.clone()
    }

    /// Whose certificate this is, if it is taken.
    pub(super) fn holder(&self, chain: &[CertificateDer<'_>]) -> Result<Identities, CertificateFault> {
        self.holders.as_ref().ok_or(CertificateFault::NoneTaken)?.holder_of_chain(chain)
    }

    /// Logs a handshake that failed for the client's certificate: nobody else learns of it. As often as requests of an address are
    /// refused with their reason, and further ones for the curious alone.
    pub(super) fn log_refused_certificate(&self, peer: SocketAddr, error: &rustls::Error) {
        match self.app.limits.refusal(peer.ip().to_canonical()) {
            Ok(()) => tracing::warn!(%peer, %error, "a client's certificate was refused"),
            Err(_) => tracing::debug!(%peer, %error, "a client's certificate was refused"),
        }
    }

    /// A roll-over since the start gives others keys that this server has not.
    pub(super) async fn warn_of_newer_secrets(&self) {
        let State { store, authority, .. } = self.state();
        match store.generations().await {
            Ok(generations) => {
                let newest = generations.last().filter(|newest| newest.last_change() > authority.newest_generation());
                if let Some(newest) = newest {
                    let first_period = newest.first_period;
                    tracing::warn!(
                        first_period,
                        "the KMS has rolled over, or withdrawn it: start the server anew before the period in front of that one"
                    );
                }
            }
            Err(error) => tracing::error!(%error, "the generations of master secrets cannot be read"),
        }
    }

    /// Writes down how often whom was refused for the number of requests.
    pub(super) async fn record_counts(&self, act: Act) {
        self.app.limits.tidy();
        for (client, count) in self.app.limits.take_counts() {
            tracing::warn!(client, count, "requests beyond the limit");
            if let Err(error) = self.state().store.record(Event::Throttled { client, count }, act.clone()).await {
                tracing::error!(%error, "requests beyond the limit could not be recorded");
            }
        }
    }
}

impl fmt::Debug for Serving {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Serving").field("number", &self.number).finish_non_exhaustive()
    }
}

/// A proxy that has seen a token can use it straight.
fn warn_of_lax_policy(config: &Config) {
    let extension = &config.security_extension;
    let is_lax = |kind: &ClientKind| {
        let (direct, proxied) = config.clients.of(*kind).policies(extension);
        direct < proxied
    };
    if extension.proxies.is_empty() {
        return;
    }
    let kinds: Vec<String> = ClientKind::ALL.into_iter().filter(is_lax).map(|kind| kind.to_string()).collect();
    if !kinds.is_empty() {
        tracing::warn!(
            kinds = kinds.join(" "),
            "direct requests have a laxer policy than proxied ones: a proxy can use a token that it has seen for a request of its own, \
             and get the keys of a user without transport key in clear; set security_extension.direct to what proxied is"
        );
    }
}

/// What the secrets were sealed for, what is bound already, and what the certificate of the KMS says.
fn require_same(old: &Config, new: &Config) -> Result<(), Error> {
    let same = [
        ("kms_uri", old.kms_uri == new.kms_uri),
        ("key_period", old.key_period == new.key_period),
        ("key_offset", old.key_offset == new.key_offset),
        ("domains", old.domains == new.domains),
        ("server.listen", old.server.listen == new.server.listen),
        ("server.max_connections", old.server.max_connections == new.server.max_connections),
    ];
    match same.into_iter().find(|(_, is_same)| !is_same) {
        Some((key, _)) => Err(Error::NeedsRestart { key }),
        None => Ok(()),
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
    let key = read_private(key_path).map_err(|source| error(key_path, source.to_string()))?;
    let key = PrivateKeyDer::from_pem_slice(&key).map_err(|source| error(key_path, source.to_string()))?;
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
