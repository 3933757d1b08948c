//! The audit log in SQLite.

use super::super::StoreError;
use super::{integer, number};
use crate::kms::audit::{Act, Entry, Event, Hash, Head};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection, SqliteExecutor};

/// Appends to the log, in the transaction of what the event tells of.
pub(super) async fn append(connection: &mut SqliteConnection, act: &Act, event: &Event) -> Result<(), StoreError> {
    let mut chain = Chain::begin(connection).await?;
    chain.append(connection, act, event).await?;
    chain.end(connection).await
}

/// The head of the log while a transaction appends to it.
pub(super) struct Chain(Head);

impl Chain {
    pub(super) async fn begin(connection: &mut SqliteConnection) -> Result<Self, StoreError> {
        Ok(Self(head(connection).await?))
    }

    pub(super) async fn append(
        &mut self,
        connection: &mut SqliteConnection,
        act: &Act,
        event: &Event,
    ) -> Result<(), StoreError> {
        let (entry, head) = self.0.append(act, event)?;
        sqlx::query("INSERT INTO audit (number, entry, hash) VALUES (?, ?, ?)")
            .bind(integer(entry.number)?)
            .bind(&entry.entry)
            .bind(entry.hash.0.as_slice())
            .execute(connection)
            .await?;
        self.0 = head;
        Ok(())
    }

    pub(super) async fn end(self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let Head { number, hash, key_sets } = self.0;
        sqlx::query("UPDATE audit_head SET number = ?, hash = ?, key_sets = ?")
            .bind(integer(number)?)
            .bind(hash.0.as_slice())
            .bind(integer(key_sets)?)
            .execute(connection)
            .await?;
        Ok(())
    }
}

pub(super) async fn head(executor: impl SqliteExecutor<'_>) -> Result<Head, StoreError> {
    let row = sqlx::query("SELECT number, hash, key_sets FROM audit_head").fetch_one(executor).await?;
    Ok(Head { number: number(row.try_get("number")?)?, hash: hash(&row)?, key_sets: number(row.try_get("key_sets")?)? })
}

pub(super) async fn entries(
    executor: impl SqliteExecutor<'_>,
    after: u64,
    count: u32,
) -> Result<Vec<Entry>, StoreError> {
    let rows = sqlx::query("SELECT number, entry, hash FROM audit WHERE number > ? ORDER BY number LIMIT ?")
        .bind(integer(after)?)
        .bind(count)
        .fetch_all(executor)
        .await?;
    let entry = |row: &SqliteRow| {
        Ok(Entry { number: number(row.try_get("number")?)?, entry: row.try_get("entry")?, hash: hash(row)? })
    };
    rows.iter().map(entry).collect()
}

fn hash(row: &SqliteRow) -> Result<Hash, StoreError> {
    let octets: &[u8] = row.try_get("hash")?;
    let octets = octets.try_into();
    octets.map(Hash).map_err(|_| StoreError::Inconsistent("a hash of the audit log has not 32 octets".to_owned()))
}
