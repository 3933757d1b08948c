//! The audit log in SQLite.

use super::super::StoreError;
use super::{integer, number};
use crate::kms::audit::{Act, Entry, Event, Hash, Head};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection, SqliteExecutor};
use std::borrow::Cow;

/// Appends to the log, in the transaction of what the event tells of.
pub(in crate::kms::store) async fn append(
    connection: &mut SqliteConnection,
    act: &Act,
    event: &Event,
) -> Result<(), StoreError> {
    append_each(connection, vec![(act, Cow::Borrowed(event))]).await
}

/// The same for many events of one act.
pub(super) async fn append_all(
    connection: &mut SqliteConnection,
    act: &Act,
    events: Vec<Event>,
) -> Result<(), StoreError> {
    append_each(connection, events.into_iter().map(|event| (act, Cow::Owned(event))).collect()).await
}

/// The same for many acts.
pub(super) async fn append_each(
    connection: &mut SqliteConnection,
    events: Vec<(&Act, Cow<'_, Event>)>,
) -> Result<(), StoreError> {
    let mut end = head(&mut *connection).await?;
    let mut rows = Vec::with_capacity(events.len());
    for (act, event) in events {
        let (entry, head) = end.append(act, &event)?;
        rows.push((integer(entry.number)?, entry.entry, entry.hash.to_string()));
        end = head;
    }
    sqlx::query(
        "INSERT INTO audit (number, entry, hash) \
         SELECT value ->> 0, value ->> 1, unhex(value ->> 2) FROM json_each(?); \
         UPDATE audit_head SET number = ?, hash = ?, key_sets = ?",
    )
    .bind(serde_json::to_string(&rows)?)
    .bind(integer(end.number)?)
    .bind(end.hash.0.as_slice())
    .bind(integer(end.key_sets)?)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn head(executor: impl SqliteExecutor<'_>) -> Result<Head, StoreError> {
    let row = sqlx::query("SELECT number, hash, key_sets FROM audit_head").fetch_optional(executor).await?;
    let row = row.ok_or_else(|| StoreError::Inconsistent("the audit log has lost its head".to_owned()))?;
    Ok(Head { number: number(row.try_get("number")?)?, hash: hash(&row)?, key_sets: number(row.try_get("key_sets")?)? })
}

pub(super) async fn entries(
    executor: impl SqliteExecutor<'_>,
    after: u64,
    count: u32,
) -> Result<Vec<Entry>, StoreError> {
    // From the first on, whatever its number: none that was slipped in before entry 1 shall be passed over.
    let least = if after == 0 { Some(i64::MIN) } else { integer(after)?.checked_add(1) };
    let Some(least) = least else { return Ok(Vec::new()) };
    let rows = sqlx::query("SELECT number, entry, hash FROM audit WHERE number >= ? ORDER BY number LIMIT ?")
        .bind(least)
        .bind(count)
        .fetch_all(executor)
        .await?;
    let entry = |row: &SqliteRow| {
        Ok(Entry { number: entry_number(row.try_get("number")?)?, entry: row.try_get("entry")?, hash: hash(row)? })
    };
    rows.iter().map(entry).collect()
}

fn entry_number(stored: i64) -> Result<u64, StoreError> {
    let counted = number(stored).ok().filter(|number| *number > 0);
    counted.ok_or_else(|| StoreError::Inconsistent(format!("the audit log has an entry {stored}, and counts from 1")))
}

fn hash(row: &SqliteRow) -> Result<Hash, StoreError> {
    let octets: &[u8] = row.try_get("hash")?;
    let octets = octets.try_into();
    octets.map(Hash).map_err(|_| StoreError::Inconsistent("a hash of the audit log has not 32 octets".to_owned()))
}
