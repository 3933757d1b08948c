//! Many users at a time. Lists go to SQLite as one JSON text: a statement for each item would cost more than the item.

use super::super::{NewUser, StoreError};
use super::{audit, integer};
use crate::kms::audit::{Act, Event};
use crate::kms::calendar::unix_seconds;
use sqlx::sqlite::SqlitePool;
use sqlx::{Row, SqliteConnection};
use std::collections::HashSet;

pub(super) async fn add(pool: &SqlitePool, users: &[NewUser], act: &Act) -> Result<(), StoreError> {
    let rows: Vec<_> = users.iter().map(|user| (&user.id, user.kind.as_str())).collect();
    let uris: Vec<_> = users.iter().flat_map(|user| user.uris.iter().map(|uri| (uri, &user.id))).collect();
    require_once(rows.iter().map(|(id, _)| *id), StoreError::UserExists)?;
    require_once(uris.iter().map(|(uri, _)| *uri), StoreError::UriTaken)?;
    let events = users.iter().map(|NewUser { id, kind, uris }| Event::UserAdded {
        user: id.clone(),
        kind: *kind,
        uris: uris.clone(),
    });

    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    require_free(&mut transaction, users).await?;
    sqlx::query(
        "INSERT INTO users (id, kind, status, created) \
         SELECT value ->> 0, value ->> 1, 'active', ?2 FROM json_each(?1)",
    )
    .bind(serde_json::to_string(&rows)?)
    .bind(integer(unix_seconds(act.at))?)
    .execute(&mut *transaction)
    .await?;
    sqlx::query("INSERT INTO uris (uri, user_id) SELECT value ->> 0, value ->> 1 FROM json_each(?)")
        .bind(serde_json::to_string(&uris)?)
        .execute(&mut *transaction)
        .await?;
    audit::append_all(&mut transaction, act, events).await?;
    Ok(transaction.commit().await?)
}

pub(super) async fn names_taken(pool: &SqlitePool, names: &[&str]) -> Result<HashSet<String>, StoreError> {
    let taken = sqlx::query_scalar(
        "SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM uris WHERE uri = value) \
         OR EXISTS (SELECT 1 FROM users WHERE id = value)",
    )
    .bind(serde_json::to_string(names)?)
    .fetch_all(pool)
    .await?;
    Ok(taken.into_iter().collect())
}

/// Fails with [`StoreError::NoSuchUser`] or [`StoreError::AlreadyRevoked`], of the first whom it concerns.
pub(super) async fn require_all_active(connection: &mut SqliteConnection, ids: &[&str]) -> Result<(), StoreError> {
    let row = sqlx::query(
        "SELECT value, status FROM json_each(?) LEFT JOIN users ON users.id = value \
         WHERE status IS NOT 'active' ORDER BY key LIMIT 1",
    )
    .bind(serde_json::to_string(ids)?)
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(()) };
    let id = row.try_get("value")?;
    match row.try_get::<Option<&str>, _>("status")? {
        None => Err(StoreError::NoSuchUser(id)),
        Some(_) => Err(StoreError::AlreadyRevoked(id)),
    }
}

/// No name may be there twice.
fn require_once<'a>(
    names: impl Iterator<Item = &'a String>,
    error: impl Fn(String) -> StoreError,
) -> Result<(), StoreError> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(error(name.clone()));
        }
    }
    Ok(())
}

async fn require_free(connection: &mut SqliteConnection, users: &[NewUser]) -> Result<(), StoreError> {
    let ids: Vec<_> = users.iter().map(|user| &user.id).collect();
    let taken = sqlx::query_scalar(
        "SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM users WHERE id = value) LIMIT 1",
    )
    .bind(serde_json::to_string(&ids)?)
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(id) = taken {
        return Err(StoreError::UserExists(id));
    }
    let uris: Vec<_> = users.iter().flat_map(|user| &user.uris).collect();
    let taken = sqlx::query_scalar(
        "SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM uris WHERE uri = value) LIMIT 1",
    )
    .bind(serde_json::to_string(&uris)?)
    .fetch_optional(&mut *connection)
    .await?;
    taken.map_or(Ok(()), |uri| Err(StoreError::UriTaken(uri)))
}
