use super::Error;
use super::authority::Authority;
use super::backup;
use super::config::{self, Config};
use super::custody;
use super::hash::Hash;
use super::rollover::recorded;
use super::secrets::{self, MasterSecrets, SecretsFile};
use super::store::{SqliteStore, Store};
use super::vault::Vault;
use crate::sealing::Passphrase;
use std::path::Path;
use std::sync::Arc;

/// An opened KMS: what [`Server`](super::Server) serves from and [`admin`](super::admin) issues from. A clone shares all.
#[derive(Clone, Debug)]
pub struct State {
    /// The checked configuration.
    pub config: Config,
    /// SHA-256 of the text that it was read from.
    pub(super) configuration: Hash,
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
    /// [`Error::HalfMade`], [`Error::HalfRestored`], [`Error::Exposed`], [`Error::Config`], [`Error::File`], [`Error::Sealing`],
    /// [`Error::SecretsDamaged`], [`Error::RollOverUnfinished`], [`Error::SecretsUnrecorded`],
    /// [`Error::Audit`] if the audit log does not begin as that of a KMS does, [`Error::Store`].
    pub async fn open(folder: &Path, passphrase: &Passphrase) -> Result<Self, Error> {
        let (config, configuration) = load_hashed(folder)?;
        let (_, secrets) = SecretsFile::open(&config, passphrase)?;
        let store = Arc::new(SqliteStore::open(&config.database()).await?);
        match Self::of(config, configuration, secrets, store.clone()).await {
            Ok(state) => Ok(state),
            Err(error) => {
                store.close().await?;
                Err(error)
            }
        }
    }

    async fn of(
        config: Config,
        configuration: Hash,
        mut secrets: MasterSecrets,
        store: Arc<dyn Store>,
    ) -> Result<Self, Error> {
        recorded(&config, &mut secrets, &*store).await?;
        let authority = Arc::new(Authority::new(&config, secrets)?);
        let vault = Arc::new(authority.vault());
        Ok(Self { config, configuration, authority, store, vault })
    }
}

/// Opens only the configuration and the database of a KMS, which needs no passphrase: enough to administer users.
///
/// # Errors
/// [`Error::HalfMade`], [`Error::HalfRestored`], [`Error::Exposed`], [`Error::Config`], [`Error::Store`].
pub async fn open_store(folder: &Path) -> Result<(Config, Arc<dyn Store>), Error> {
    let config = load(folder)?;
    let store = Arc::new(SqliteStore::open(&config.database()).await?);
    Ok((config, store))
}

pub(super) fn load(folder: &Path) -> Result<Config, Error> {
    Ok(load_hashed(folder)?.0)
}

/// The configuration of a KMS whose files are in good hands, and the SHA-256 of its text.
pub(super) fn load_hashed(folder: &Path) -> Result<(Config, Hash), Error> {
    require_no_half(folder)?;
    custody::require_configuration(folder)?;
    let loaded = Config::load_hashed(folder)?;
    custody::require_files(&loaded.0)?;
    Ok(loaded)
}

/// Fails if a KMS was begun here and not finished: making one and restoring one write the configuration last.
pub(super) fn require_no_half(folder: &Path) -> Result<(), Error> {
    let has = |name: &str| folder.join(name).exists();
    match (has(config::FILE), has(backup::STAGING), has(secrets::FILE)) {
        (true, ..) | (_, false, false) => Ok(()),
        (_, true, _) => Err(Error::HalfRestored { folder: folder.to_owned() }),
        (_, _, true) => Err(Error::HalfMade { folder: folder.to_owned() }),
    }
}
