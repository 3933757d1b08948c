use super::audit::{Act, Event, Origin};
use super::config::{
    self, AuthConfig, Clients, Config, Documents, KeySource, Leniency, SecurityExtension, ServerConfig,
};
use super::development::SelfSigned;
use super::leftovers;
use super::secrets::{self, MasterSecrets};
use super::store::{self, SqliteStore, Store};
use super::{Error, custody, state, store::StoreError};
use crate::sealing::{KdfParameters, Passphrase, file};
use crate::{eccsi, sakke};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

pub(super) const CERTIFICATE_FILE: &str = "tls-cert.pem";
pub(super) const KEY_FILE: &str = "tls-key.pem";
pub(super) const JWKS_FILE: &str = "jwks.json";
const DEFAULT_PORT: u16 = 8443;
/// Thirty days, as in the examples of TS 33.180.
const DEFAULT_PERIOD: u64 = 2_592_000;

/// What [`init`] must know; [`InitOptions::new`] fills in what is usual.
#[derive(Clone, Debug)]
pub struct InitOptions {
    /// The URI of the KMS, exact text, for ever part of its users' UIDs.
    pub kms_uri: String,
    /// The domains that it serves; the development certificate is made for them too.
    pub domains: Vec<String>,
    /// The length of a key period in seconds.
    pub key_period: u64,
    /// The start of period 0 in seconds after 1900-01-01T00:00:00Z.
    pub key_offset: u64,
    /// Where the server will listen.
    pub listen: SocketAddr,
    /// The issuer (`iss`) of the access tokens.
    pub issuer: String,
    /// The audience (`aud`) of the access tokens.
    pub audience: String,
    /// Where the issuer's public keys will come from. A relative path is meant relative to the folder.
    pub keys: KeySource,
    /// What unsealing the master secrets costs.
    pub kdf: KdfParameters,
}

impl InitOptions {
    /// Key periods of 30 days without offset, port 8443 of the loopback interface, tokens of `https://idms.DOMAIN` for
    /// the audience `KMS-URI`, whose keys are in `jwks.json` in the folder.
    pub fn new(kms_uri: &str, domain: &str) -> Self {
        Self {
            kms_uri: kms_uri.to_owned(),
            domains: vec![domain.to_owned()],
            key_period: DEFAULT_PERIOD,
            key_offset: 0,
            listen: (Ipv4Addr::LOCALHOST, DEFAULT_PORT).into(),
            issuer: format!("https://idms.{domain}"),
            audience: kms_uri.to_owned(),
            keys: KeySource::File(JWKS_FILE.into()),
            kdf: KdfParameters::default(),
        }
    }

    pub(super) fn config(self, folder: &Path) -> Result<Config, Error> {
        let config = Config {
            kms_uri: self.kms_uri,
            domains: self.domains,
            key_period: self.key_period,
            key_offset: self.key_offset,
            server: ServerConfig::new(self.listen, folder.join(CERTIFICATE_FILE), folder.join(KEY_FILE)),
            auth: AuthConfig::new(self.issuer, self.audience, self.keys),
            security_extension: SecurityExtension::default(),
            clients: Clients::default(),
            documents: Documents::default(),
            leniency: Leniency::default(),
            lookup: None,
            folder: folder.to_owned(),
        };
        // Reading back what is about to be written checks every value by the same rules as at every start.
        Ok(Config::parse(&config.to_toml(), folder)?)
    }
}

/// What [`init`] made.
#[derive(Clone, Debug)]
pub struct Initialised {
    /// The configuration that was written.
    pub config: Config,
    /// Z, the public key of SAKKE.
    pub pub_enc_key: sakke::PublicKey,
    /// KPAK, the public key of ECCSI.
    pub pub_auth_key: eccsi::PublicKey,
}

/// Makes a KMS in a folder: master secrets sealed under `passphrase` (`secrets.sealed`), an empty database
/// (`kms.sqlite`), a self-signed development certificate (`tls-cert.pem`, `tls-key.pem`) and `kms.toml`.
///
/// # Errors
/// [`Error::Exists`] if the folder has any of these files, [`Error::File`] if it is none, [`Error::Exposed`] if others can write it,
/// [`Error::HalfMade`] or [`Error::HalfRestored`] if an earlier attempt was interrupted, [`Error::Config`] for a value out of range;
/// nothing is then written. Otherwise what writing reports.
pub async fn init(
    folder: &Path,
    options: InitOptions,
    passphrase: &Passphrase,
    act: Act,
) -> Result<Initialised, Error> {
    let kdf = options.kdf;
    let config = options.config(folder)?;
    state::require_no_half(folder)?;
    file::make_folder(folder).map_err(|source| Error::file(folder, source))?;
    custody::require_folder(folder)?;
    for name in [config::FILE, secrets::FILE, store::FILE, CERTIFICATE_FILE, KEY_FILE] {
        let path = folder.join(name);
        if path.try_exists().map_err(|source| Error::file(&path, source))? {
            return Err(Error::Exists { path });
        }
    }
    leftovers::sweep(folder)?;

    let secrets = MasterSecrets::generate()?;
    secrets.create(&config, passphrase, kdf)?;
    let first = secrets.first();
    let (pub_enc_key, pub_auth_key) = (first.sakke.public_key(), first.eccsi.public_key());
    create_database(&config, secrets.origin(), act).await?;
    let names: Vec<&str> = config.domains.iter().map(String::as_str).collect();
    let tls = SelfSigned::new(&names)?;
    for (name, content) in
        [(CERTIFICATE_FILE, tls.certificate.as_str()), (KEY_FILE, tls.key.as_str()), (config::FILE, &config.to_toml())]
    {
        let path = folder.join(name);
        file::create(&path, content.as_bytes()).map_err(|source| Error::creating(&path, source))?;
    }
    Ok(Initialised { config, pub_enc_key, pub_auth_key })
}

async fn create_database(config: &Config, origin: Origin, act: Act) -> Result<(), StoreError> {
    let Origin { pub_enc_key, pub_auth_key } = origin;
    let event = Event::Initialised { kms_uri: config.kms_uri.clone(), pub_enc_key, pub_auth_key };
    let store = SqliteStore::create(&config.database()).await?;
    store.record(event, act).await?;
    store.close().await
}
