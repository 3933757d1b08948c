use super::Error;
use super::authority::Authority;
use super::config::{self, Config};
use super::rollover::require_recorded;
use super::secrets::{self, SecretsFile};
use super::store::{GenerationStore, SqliteStore, Store};
use super::vault::Vault;
use crate::sealing::Passphrase;
use std::path::Path;
use std::sync::Arc;

/// An opened KMS: what [`Server`](super::Server) serves from and [`admin`](super::admin) issues from. A clone shares all.
#[derive(Clone, Debug)]
pub struct State {
    /// The checked configuration.
    pub config: Config,
    /// The unsealed master secrets of all generations.
    pub authority: Arc<Authority>,
    /// Users and issues.
    pub store: Arc<dyn Store>,
    /// What opens the transport and integrity keys in the store.
    pub(super) vault: Arc<Vault>,
}

impl State {
    /// Opens the KMS in a folder that [`init`](super::init) made. Unsealing takes a fraction of a second on purpose.
    ///
    /// # Errors
    /// [`Error::HalfMade`], [`Error::Config`], [`Error::File`], [`Error::Sealing`], [`Error::SecretsDamaged`],
    /// [`Error::RollOverUnfinished`], [`Error::SecretsUnrecorded`], [`Error::Store`].
    pub async fn open(folder: &Path, passphrase: &Passphrase) -> Result<Self, Error> {
        let config = load(folder)?;
        let (_, secrets) = SecretsFile::open(&config, passphrase)?;
        let store = Arc::new(SqliteStore::open(&config.database()).await?);
        require_recorded(&config, &secrets, &store.generations().await?)?;
        let authority = Arc::new(Authority::new(&config, secrets)?);
        let vault = Arc::new(authority.vault());
        Ok(Self { config, authority, store, vault })
    }
}

/// Opens only the configuration and the database of a KMS, which needs no passphrase: enough to administer users.
///
/// # Errors
/// [`Error::HalfMade`], [`Error::Config`], [`Error::Store`].
pub async fn open_store(folder: &Path) -> Result<(Config, Arc<dyn Store>), Error> {
    let config = load(folder)?;
    let store = Arc::new(SqliteStore::open(&config.database()).await?);
    Ok((config, store))
}

pub(super) fn load(folder: &Path) -> Result<Config, Error> {
    if is_half_made(folder) {
        return Err(Error::HalfMade { folder: folder.to_owned() });
    }
    Ok(Config::load(folder)?)
}

/// [`init`](super::init) writes the secrets first and the configuration last.
pub(super) fn is_half_made(folder: &Path) -> bool {
    folder.join(secrets::FILE).exists() && !folder.join(config::FILE).exists()
}
