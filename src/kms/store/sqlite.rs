mod audit;
mod client_keys;
mod identity;
mod open;
#[cfg(test)]
mod tests;
mod together;
mod users;

use super::{Answer, Counts, Holder, Issue, NewUser, SealedClientKeys, Store, StoreError, User};
use crate::kms::ClientKind;
use crate::kms::audit::{Act, Entry, Event, Head};
use crate::sealing::file;
use sqlx::Row;
use sqlx::sqlite::SqlitePool;
use std::collections::HashSet;
use std::path::Path;
use together::{Note, Together};

pub(super) use audit::append as record;

/// A [`Store`] in one SQLite file: write-ahead log, flushed to the disk at every commit.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    pub(super) pool: SqlitePool,
    together: Together,
}

impl Store for SqliteStore {
    fn add_users<'a>(&'a self, users: &'a [NewUser], act: &'a Act) -> Answer<'a, ()> {
        Box::pin(users::add(&self.pool, users, act))
    }

    fn names_taken<'a>(&'a self, names: &'a [&'a str]) -> Answer<'a, HashSet<String>> {
        Box::pin(users::names_taken(&self.pool, names))
    }

    fn users(&self) -> Answer<'_, Vec<User>> {
        Box::pin(users::list(&self.pool))
    }

    fn user_of_uri<'a>(&'a self, uri: &'a str) -> Answer<'a, Option<User>> {
        Box::pin(users::of_uri(&self.pool, uri))
    }

    fn holders<'a>(&'a self, uris: &'a [&'a str]) -> Answer<'a, Vec<Holder>> {
        Box::pin(users::holders(&self.pool, uris))
    }

    fn active_uris(&self) -> Answer<'_, Vec<String>> {
        Box::pin(users::active_uris(&self.pool))
    }

    fn revoke_user<'a>(&'a self, id: &'a str, act: &'a Act) -> Answer<'a, ()> {
        Box::pin(users::revoke(&self.pool, id, act))
    }

    fn set_kind<'a>(&'a self, id: &'a str, kind: ClientKind, act: &'a Act) -> Answer<'a, ()> {
        Box::pin(users::set_kind(&self.pool, id, kind, act))
    }

    fn record_issues(&self, issues: Vec<Issue>, act: Act) -> Answer<'_, ()> {
        Box::pin(self.together.write(&self.pool, Note::Issues(issues), act))
    }

    fn record(&self, event: Event, act: Act) -> Answer<'_, ()> {
        Box::pin(self.together.write(&self.pool, Note::Event(event), act))
    }

    fn audit_head(&self) -> Answer<'_, Head> {
        Box::pin(audit::head(&self.pool))
    }

    fn audit_entries(&self, after: u64, count: u32) -> Answer<'_, Vec<Entry>> {
        Box::pin(audit::entries(&self.pool, after, count))
    }

    fn replace_client_keys<'a>(&'a self, keys: &'a SealedClientKeys, act: &'a Act) -> Answer<'a, ()> {
        Box::pin(client_keys::replace(&self.pool, keys, act))
    }

    fn add_first_client_keys<'a>(&'a self, keys: &'a [SealedClientKeys], act: &'a Act) -> Answer<'a, ()> {
        Box::pin(client_keys::add_first(&self.pool, keys, act))
    }

    fn add_next_client_keys<'a>(&'a self, keys: &'a SealedClientKeys, act: &'a Act) -> Answer<'a, ()> {
        Box::pin(client_keys::add_next(&self.pool, keys, act))
    }

    fn confirm_client_keys<'a>(&'a self, user_id: &'a str, generation: u64, act: &'a Act) -> Answer<'a, ()> {
        Box::pin(client_keys::confirm(&self.pool, user_id, generation, act))
    }

    fn copy_to<'a>(&'a self, path: &'a Path) -> Answer<'a, ()> {
        Box::pin(async move {
            let path = path.to_str().ok_or_else(|| StoreError::Path(path.to_owned()))?;
            // SQLite fills an empty file, and would make one that everybody can read.
            file::create(path.as_ref(), b"").map_err(sqlx::Error::Io)?;
            sqlx::query("VACUUM INTO ?").bind(path).execute(&self.pool).await?;
            Ok(())
        })
    }

    fn counts(&self) -> Answer<'_, Counts> {
        Box::pin(async move {
            let row = sqlx::query(
                "SELECT (SELECT count(*) FROM users WHERE status = 'active') AS active, \
                 (SELECT count(*) FROM users WHERE status = 'revoked') AS revoked, \
                 (SELECT count(*) FROM uris) AS uris, (SELECT key_sets FROM audit_head) AS issues",
            )
            .fetch_one(&self.pool)
            .await?;
            Ok(Counts {
                active_users: number(row.try_get("active")?)?,
                revoked_users: number(row.try_get("revoked")?)?,
                uris: number(row.try_get("uris")?)?,
                issues: number(row.try_get("issues")?)?,
            })
        })
    }

    /// Closes all connections; the last one folds the write-ahead log in.
    fn close(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            self.pool.close().await;
            Ok(())
        })
    }
}

pub(super) fn integer(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::NumberTooGreat(number))
}

pub(super) fn number(integer: i64) -> Result<u64, StoreError> {
    u64::try_from(integer).map_err(|_| StoreError::Inconsistent(format!("negative number {integer}")))
}
