//! Users and their URIs. Lists go to SQLite as one JSON text: a statement for each item would cost more than the item.

use super::super::{Holder, NewUser, StoreError, User, UserStatus};
use super::{audit, client_keys, integer, number};
use crate::kms::ClientKind;
use crate::kms::audit::{Act, Event};
use crate::kms::calendar::unix_seconds;
use sqlx::sqlite::SqlitePool;
use sqlx::{Row, SqliteConnection};
use std::collections::{HashMap, HashSet};

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
    audit::append_all(&mut transaction, act, events.collect()).await?;
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

pub(super) async fn holders(pool: &SqlitePool, uris: &[&str]) -> Result<Vec<Holder>, StoreError> {
    let rows = sqlx::query(
        "SELECT uris.uri, uris.user_id, users.kind, users.status, generation, client_keys.status AS key_status, trk_id, ink_id, \
         sealed, client_keys.created FROM json_each(?) JOIN uris ON uris.uri = value JOIN users ON users.id = uris.user_id \
         LEFT JOIN client_keys ON client_keys.user_id = uris.user_id ORDER BY key, generation",
    )
    .bind(serde_json::to_string(uris)?)
    .fetch_all(pool)
    .await?;
    let mut holders: Vec<Holder> = Vec::with_capacity(uris.len());
    for row in &rows {
        let uri: String = row.try_get("uri")?;
        let keys = row.try_get::<Option<&str>, _>("key_status")?.map(|_| client_keys::of_row(row)).transpose()?;
        match holders.last_mut() {
            Some(holder) if holder.uri == uri => holder.client_keys.extend(keys),
            _ => holders.push(Holder {
                uri,
                user_id: row.try_get("user_id")?,
                kind: kind(row.try_get("kind")?)?,
                status: status(row.try_get("status")?)?,
                client_keys: keys.into_iter().collect(),
            }),
        }
    }
    Ok(holders)
}

pub(super) async fn active_uris(pool: &SqlitePool) -> Result<Vec<String>, StoreError> {
    let uris = sqlx::query_scalar(
        "SELECT uri FROM uris JOIN users ON users.id = user_id WHERE status = 'active' ORDER BY uri",
    );
    Ok(uris.fetch_all(pool).await?)
}

pub(super) async fn list(pool: &SqlitePool) -> Result<Vec<User>, StoreError> {
    let rows =
        sqlx::query("SELECT id, kind, status, created, uri FROM users LEFT JOIN uris ON user_id = id ORDER BY id, uri")
            .fetch_all(pool)
            .await?;
    let mut users: Vec<User> = Vec::new();
    for row in rows {
        let id: String = row.try_get("id")?;
        let uri: Option<String> = row.try_get("uri")?;
        match users.last_mut() {
            Some(user) if user.id == id => user.uris.extend(uri),
            _ => users.push(User {
                id,
                kind: kind(row.try_get("kind")?)?,
                status: status(row.try_get("status")?)?,
                created: number(row.try_get("created")?)?,
                uris: uri.into_iter().collect(),
            }),
        }
    }
    Ok(users)
}

pub(super) async fn of_uri(pool: &SqlitePool, uri: &str) -> Result<Option<User>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, kind, status, created, every.uri FROM uris AS asked \
         JOIN users ON id = asked.user_id JOIN uris AS every ON every.user_id = id \
         WHERE asked.uri = ? ORDER BY every.uri",
    )
    .bind(uri)
    .fetch_all(pool)
    .await?;
    let Some(first) = rows.first() else { return Ok(None) };
    Ok(Some(User {
        id: first.try_get("id")?,
        kind: kind(first.try_get("kind")?)?,
        status: status(first.try_get("status")?)?,
        created: number(first.try_get("created")?)?,
        uris: rows.iter().map(|row| row.try_get("uri")).collect::<Result<_, _>>()?,
    }))
}

pub(super) async fn revoke(pool: &SqlitePool, id: &str, act: &Act) -> Result<(), StoreError> {
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    require_all_active(&mut transaction, &[id]).await?;
    sqlx::query("UPDATE users SET status = 'revoked' WHERE id = ?").bind(id).execute(&mut *transaction).await?;
    audit::append(&mut transaction, act, &Event::UserRevoked { user: id.to_owned() }).await?;
    Ok(transaction.commit().await?)
}

pub(super) async fn set_kind(pool: &SqlitePool, id: &str, kind: ClientKind, act: &Act) -> Result<(), StoreError> {
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    require_all_active(&mut transaction, &[id]).await?;
    sqlx::query("UPDATE users SET kind = ? WHERE id = ?")
        .bind(kind.as_str())
        .bind(id)
        .execute(&mut *transaction)
        .await?;
    audit::append(&mut transaction, act, &Event::UserKindChanged { user: id.to_owned(), kind }).await?;
    Ok(transaction.commit().await?)
}

/// Whether each user may have keys; those that there are not are left out.
pub(super) async fn statuses(
    connection: &mut SqliteConnection,
    ids: &HashSet<&str>,
) -> Result<HashMap<String, UserStatus>, StoreError> {
    let rows = sqlx::query("SELECT id, status FROM users WHERE id IN (SELECT value FROM json_each(?))")
        .bind(serde_json::to_string(ids)?)
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Ok((row.try_get("id")?, status(row.try_get("status")?)?))).collect()
}

/// Fails with [`StoreError::NoSuchUser`] or [`StoreError::AlreadyRevoked`], of the first whom it concerns.
pub(super) async fn require_all_active(connection: &mut SqliteConnection, ids: &[&str]) -> Result<(), StoreError> {
    let statuses = statuses(connection, &ids.iter().copied().collect()).await?;
    ids.iter().try_for_each(|id| require_active(&statuses, id))
}

/// The same of one user, whose status was looked up.
pub(super) fn require_active(statuses: &HashMap<String, UserStatus>, id: &str) -> Result<(), StoreError> {
    match statuses.get(id) {
        Some(UserStatus::Active) => Ok(()),
        Some(UserStatus::Revoked) => Err(StoreError::AlreadyRevoked(id.to_owned())),
        None => Err(StoreError::NoSuchUser(id.to_owned())),
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
    const USERS: &str = "SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM users WHERE id = value) LIMIT 1";
    const URIS: &str = "SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM uris WHERE uri = value) LIMIT 1";
    let ids: Vec<&str> = users.iter().map(|user| user.id.as_str()).collect();
    if let Some(id) = first_found(connection, USERS, &ids).await? {
        return Err(StoreError::UserExists(id));
    }
    let uris: Vec<&str> = users.iter().flat_map(|user| &user.uris).map(String::as_str).collect();
    first_found(connection, URIS, &uris).await?.map_or(Ok(()), |uri| Err(StoreError::UriTaken(uri)))
}

/// The first of these names that a query finds in a table.
pub(super) async fn first_found(
    connection: &mut SqliteConnection,
    query: &'static str,
    names: &[&str],
) -> Result<Option<String>, StoreError> {
    Ok(sqlx::query_scalar(query).bind(serde_json::to_string(names)?).fetch_optional(connection).await?)
}

fn kind(name: &str) -> Result<ClientKind, StoreError> {
    ClientKind::from_name(name).ok_or_else(|| StoreError::Inconsistent(format!("client kind {name:?}")))
}

fn status(text: &str) -> Result<UserStatus, StoreError> {
    match text {
        "active" => Ok(UserStatus::Active),
        "revoked" => Ok(UserStatus::Revoked),
        other => Err(StoreError::Inconsistent(format!("user status {other:?}"))),
    }
}
