//! The audit log in SQLite.

use super::super::StoreError;
use super::{integer, number};
use crate::kms::audit::{Act, Entry, Event, Hash, Head};
use core::borrow::Borrow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection, SqliteExecutor};

/// Appends to the log, in the transaction of what the event tells of.
pub(in crate::kms::store) async fn append(
    connection: &mut SqliteConnection,
    act: &Act,
    event: &Event,
) -> Result<(), StoreError> {
    append_all(connection, act, [event]).await
}

/// The same for many events of one act.
pub(super) async fn append_all(
    connection: &mut SqliteConnection,
    act: &Act,
    events: impl IntoIterator<Item = impl Borrow<Event>>,
) -> Result<(), StoreError> {
    let mut chain = Chain::begin(connection).await?;
    chain.append(connection, act, events).await?;
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
        events: impl IntoIterator<Item = impl Borrow<Event>>,
    ) -> Result<(), StoreError> {
        let mut rows = Vec::new();
        for event in events {
            let (entry, head) = self.0.append(act, event.borrow())?;
            rows.push((integer(entry.number)?, entry.entry, entry.hash.to_string()));
            self.0 = head;
        }
        sqlx::query(
            "INSERT INTO audit (number, entry, hash) \
             SELECT value ->> 0, value ->> 1, unhex(value ->> 2) FROM json_each(?)",
        )
        .bind(serde_json::to_string(&rows)?)
        .execute(connection)
        .await?;
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
