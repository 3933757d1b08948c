//! Making and opening the database file.

use super::super::StoreError;
use super::super::migrations::MIGRATIONS;
use super::SqliteStore;
use super::identity::FileIdentity;
use super::together::Together;
use sqlx::Connection;
use sqlx::migrate::MigrateError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

impl SqliteStore {
    /// Creates the database file with its tables, for its owner alone.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Migration`].
    pub async fn create(path: &Path) -> Result<Self, StoreError> {
        // SQLite takes an empty file for an empty database, and gives the write-ahead log the mode of the database.
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path).map_err(sqlx::Error::Io)?;
        Self::connect(path).await
    }

    /// Opens a database file and brings its tables to the present form.
    ///
    /// # Errors
    /// [`StoreError::Absent`], [`StoreError::Emptied`]; [`StoreError::Newer`]; [`StoreError::Database`] if it is no database;
    /// [`StoreError::Migration`].
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        // SQLite would take an empty file for a new database, and go on as if nothing had ever been issued.
        match std::fs::metadata(path) {
            Ok(file) if file.len() == 0 => Err(StoreError::Emptied(path.to_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(StoreError::Absent(path.to_owned())),
            _ => Self::connect(path).await,
        }
    }

    async fn connect(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10));
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            // A file does not go away as a server does: to ask each time whether it is there costs as much as what is then read.
            .test_before_acquire(false)
            // Where the disk is full, SQLite ends a transaction by itself, and the connection counts it as open for ever.
            .before_acquire(|connection, _| Box::pin(async { Ok(!connection.is_in_transaction()) }))
            .connect_with(options)
            .await?;
        if let Err(error) = MIGRATIONS.run(&pool).await {
            pool.close().await;
            return Err(match error {
                MigrateError::VersionMissing(version) => StoreError::Newer { path: path.to_owned(), version },
                other => other.into(),
            });
        }
        Ok(Self { pool, together: Together::of(FileIdentity::of(path)?) })
    }
}
