//! The sealed TrK and InK of each user: those in use, and those that are to follow.

use super::super::{SealedClientKeys, StoreError};
use super::users::{first_found, require_all_active};
use super::{audit, integer, number};
use crate::kms::audit::{Act, Event};
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Row, SqliteConnection};

const CURRENT: &str = "current";
const NEXT: &str = "next";

pub(super) async fn replace(pool: &SqlitePool, keys: &SealedClientKeys, act: &Act) -> Result<(), StoreError> {
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    require_all_active(&mut transaction, &[&keys.user_id]).await?;
    sqlx::query("DELETE FROM client_keys WHERE user_id = ?").bind(&keys.user_id).execute(&mut *transaction).await?;
    insert(&mut transaction, keys, CURRENT).await?;
    let event = Event::ClientKeysMade { user: keys.user_id.clone(), generation: keys.generation };
    audit::append(&mut transaction, act, &event).await?;
    Ok(transaction.commit().await?)
}

pub(super) async fn add_first(pool: &SqlitePool, keys: &[SealedClientKeys], act: &Act) -> Result<(), StoreError> {
    let ids: Vec<&str> = keys.iter().map(|keys| keys.user_id.as_str()).collect();
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    require_all_active(&mut transaction, &ids).await?;
    const HELD: &str =
        "SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM client_keys WHERE user_id = value) LIMIT 1";
    if let Some(id) = first_found(&mut transaction, HELD, &ids).await? {
        return Err(StoreError::ClientKeysExist(id));
    }
    for keys in keys {
        insert(&mut transaction, keys, CURRENT).await?;
    }
    let events =
        keys.iter().map(|keys| Event::ClientKeysMade { user: keys.user_id.clone(), generation: keys.generation });
    audit::append_all(&mut transaction, act, events.collect()).await?;
    Ok(transaction.commit().await?)
}

pub(super) async fn add_next(pool: &SqlitePool, keys: &SealedClientKeys, act: &Act) -> Result<(), StoreError> {
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    require_all_active(&mut transaction, &[&keys.user_id]).await?;
    insert(&mut transaction, keys, NEXT).await?;
    let event = Event::ClientKeysRotated { user: keys.user_id.clone(), generation: keys.generation };
    audit::append(&mut transaction, act, &event).await?;
    Ok(transaction.commit().await?)
}

pub(super) async fn confirm(pool: &SqlitePool, user_id: &str, generation: u64, act: &Act) -> Result<(), StoreError> {
    let event = Event::ClientKeysConfirmed { user: user_id.to_owned(), generation };
    let generation = integer(generation)?;
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::query(
        "DELETE FROM client_keys WHERE user_id = ?1 AND status = ?3 AND EXISTS \
         (SELECT 1 FROM client_keys WHERE user_id = ?1 AND generation = ?2 AND status = ?4)",
    )
    .bind(user_id)
    .bind(generation)
    .bind(CURRENT)
    .bind(NEXT)
    .execute(&mut *transaction)
    .await?;
    let confirmed =
        sqlx::query("UPDATE client_keys SET status = ?1 WHERE user_id = ?2 AND generation = ?3 AND status <> ?1")
            .bind(CURRENT)
            .bind(user_id)
            .bind(generation)
            .execute(&mut *transaction)
            .await?;
    if confirmed.rows_affected() > 0 {
        audit::append(&mut transaction, act, &event).await?;
    }
    Ok(transaction.commit().await?)
}

pub(super) fn of_row(row: &SqliteRow) -> Result<SealedClientKeys, StoreError> {
    Ok(SealedClientKeys {
        user_id: row.try_get("user_id")?,
        generation: number(row.try_get("generation")?)?,
        is_next: row.try_get::<&str, _>("key_status")? == NEXT,
        trk_id: row.try_get("trk_id")?,
        ink_id: row.try_get("ink_id")?,
        sealed: row.try_get("sealed")?,
        created: number(row.try_get("created")?)?,
    })
}

async fn insert(connection: &mut SqliteConnection, keys: &SealedClientKeys, status: &str) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO client_keys (user_id, generation, status, trk_id, ink_id, sealed, created) \
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&keys.user_id)
    .bind(integer(keys.generation)?)
    .bind(status)
    .bind(&keys.trk_id)
    .bind(&keys.ink_id)
    .bind(&keys.sealed)
    .bind(integer(keys.created)?)
    .execute(connection)
    .await
    .map_err(|error| on_conflict(error, || StoreError::RotationPending(keys.user_id.clone())))?;
    Ok(())
}

fn on_conflict(error: sqlx::Error, conflict: impl FnOnce() -> StoreError) -> StoreError {
    match error.as_database_error() {
        Some(database) if database.is_unique_violation() => conflict(),
        _ => error.into(),
    }
}
