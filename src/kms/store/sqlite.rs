use super::{Answer, Counts, Issue, SealedClientKeys, Store, StoreError, User, UserStatus};
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Row, SqliteConnection};
use std::fs::OpenOptions;
use std::path::Path;
use std::time::Duration;

static MIGRATIONS: Migrator = sqlx::migrate!("src/kms/migrations");

/// A [`Store`] in one SQLite file: write-ahead log, flushed to the disk at every commit.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    pub(super) pool: SqlitePool,
}

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
    /// [`StoreError::Database`] if the file is absent or no database, [`StoreError::Migration`].
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        Self::connect(path).await
    }

    async fn connect(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10));
        let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await?;
        MIGRATIONS.run(&pool).await?;
        Ok(Self { pool })
    }
}

impl Store for SqliteStore {
    fn add_user<'a>(&'a self, id: &'a str, uris: &'a [String], created: u64) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
            sqlx::query("INSERT INTO users (id, status, created) VALUES (?, 'active', ?)")
                .bind(id)
                .bind(integer(created)?)
                .execute(&mut *transaction)
                .await
                .map_err(|error| on_conflict(error, || StoreError::UserExists(id.to_owned())))?;
            for uri in uris {
                sqlx::query("INSERT INTO uris (uri, user_id) VALUES (?, ?)")
                    .bind(uri)
                    .bind(id)
                    .execute(&mut *transaction)
                    .await
                    .map_err(|error| on_conflict(error, || StoreError::UriTaken(uri.clone())))?;
            }
            Ok(transaction.commit().await?)
        })
    }

    fn users(&self) -> Answer<'_, Vec<User>> {
        Box::pin(async move {
            let rows = sqlx::query(
                "SELECT id, status, created, uri FROM users LEFT JOIN uris ON user_id = id ORDER BY id, uri",
            )
            .fetch_all(&self.pool)
            .await?;
            let mut users: Vec<User> = Vec::new();
            for row in rows {
                let id: String = row.try_get("id")?;
                let uri: Option<String> = row.try_get("uri")?;
                match users.last_mut() {
                    Some(user) if user.id == id => user.uris.extend(uri),
                    _ => users.push(User {
                        id,
                        status: status(row.try_get("status")?)?,
                        created: number(row.try_get("created")?)?,
                        uris: uri.into_iter().collect(),
                    }),
                }
            }
            Ok(users)
        })
    }

    fn user_of_uri<'a>(&'a self, uri: &'a str) -> Answer<'a, Option<User>> {
        Box::pin(async move {
            let rows = sqlx::query(
                "SELECT id, status, created, every.uri FROM uris AS asked \
                 JOIN users ON id = asked.user_id JOIN uris AS every ON every.user_id = id \
                 WHERE asked.uri = ? ORDER BY every.uri",
            )
            .bind(uri)
            .fetch_all(&self.pool)
            .await?;
            let Some(first) = rows.first() else { return Ok(None) };
            Ok(Some(User {
                id: first.try_get("id")?,
                status: status(first.try_get("status")?)?,
                created: number(first.try_get("created")?)?,
                uris: rows.iter().map(|row| row.try_get("uri")).collect::<Result<_, _>>()?,
            }))
        })
    }

    fn revoke_user<'a>(&'a self, id: &'a str) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
            require_active(&mut transaction, id).await?;
            sqlx::query("UPDATE users SET status = 'revoked' WHERE id = ?").bind(id).execute(&mut *transaction).await?;
            Ok(transaction.commit().await?)
        })
    }

    fn record_issues<'a>(&'a self, issues: &'a [Issue]) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
            for issue in issues {
                require_active(&mut transaction, &issue.user_id).await?;
                sqlx::query("INSERT INTO issues (issued, user_id, uri, period_no, request_id) VALUES (?, ?, ?, ?, ?)")
                    .bind(integer(issue.issued)?)
                    .bind(&issue.user_id)
                    .bind(&issue.uri)
                    .bind(integer(issue.period_no)?)
                    .bind(&issue.request_id)
                    .execute(&mut *transaction)
                    .await?;
            }
            Ok(transaction.commit().await?)
        })
    }

    fn issues_of_uri<'a>(&'a self, uri: &'a str) -> Answer<'a, Vec<Issue>> {
        Box::pin(async move {
            let rows =
                sqlx::query("SELECT issued, user_id, uri, period_no, request_id FROM issues WHERE uri = ? ORDER BY id")
                    .bind(uri)
                    .fetch_all(&self.pool)
                    .await?;
            rows.iter()
                .map(|row| {
                    Ok(Issue {
                        issued: number(row.try_get("issued")?)?,
                        user_id: row.try_get("user_id")?,
                        uri: row.try_get("uri")?,
                        period_no: number(row.try_get("period_no")?)?,
                        request_id: row.try_get("request_id")?,
                    })
                })
                .collect()
        })
    }

    fn client_keys_of_uri<'a>(&'a self, uri: &'a str) -> Answer<'a, Vec<SealedClientKeys>> {
        Box::pin(async move {
            let rows = sqlx::query(
                "SELECT user_id, generation, status, trk_id, ink_id, sealed, created FROM client_keys \
                 WHERE user_id = (SELECT user_id FROM uris WHERE uri = ?) ORDER BY generation",
            )
            .bind(uri)
            .fetch_all(&self.pool)
            .await?;
            rows.iter()
                .map(|row| {
                    Ok(SealedClientKeys {
                        user_id: row.try_get("user_id")?,
                        generation: number(row.try_get("generation")?)?,
                        is_next: row.try_get::<&str, _>("status")? == NEXT,
                        trk_id: row.try_get("trk_id")?,
                        ink_id: row.try_get("ink_id")?,
                        sealed: row.try_get("sealed")?,
                        created: number(row.try_get("created")?)?,
                    })
                })
                .collect()
        })
    }

    fn replace_client_keys<'a>(&'a self, keys: &'a SealedClientKeys) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
            require_active(&mut transaction, &keys.user_id).await?;
            sqlx::query("DELETE FROM client_keys WHERE user_id = ?")
                .bind(&keys.user_id)
                .execute(&mut *transaction)
                .await?;
            insert_client_keys(&mut transaction, keys, CURRENT).await?;
            Ok(transaction.commit().await?)
        })
    }

    fn add_next_client_keys<'a>(&'a self, keys: &'a SealedClientKeys) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
            require_active(&mut transaction, &keys.user_id).await?;
            insert_client_keys(&mut transaction, keys, NEXT).await?;
            Ok(transaction.commit().await?)
        })
    }

    fn confirm_client_keys<'a>(&'a self, user_id: &'a str, generation: u64) -> Answer<'a, ()> {
        Box::pin(async move {
            let generation = integer(generation)?;
            let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
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
            sqlx::query("UPDATE client_keys SET status = ? WHERE user_id = ? AND generation = ?")
                .bind(CURRENT)
                .bind(user_id)
                .bind(generation)
                .execute(&mut *transaction)
                .await?;
            Ok(transaction.commit().await?)
        })
    }

    fn counts(&self) -> Answer<'_, Counts> {
        Box::pin(async move {
            let row = sqlx::query(
                "SELECT (SELECT count(*) FROM users WHERE status = 'active') AS active, \
                 (SELECT count(*) FROM users WHERE status = 'revoked') AS revoked, \
                 (SELECT count(*) FROM uris) AS uris, (SELECT count(*) FROM issues) AS issues",
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

const CURRENT: &str = "current";
const NEXT: &str = "next";

async fn insert_client_keys(
    connection: &mut SqliteConnection,
    keys: &SealedClientKeys,
    status: &str,
) -> Result<(), StoreError> {
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

async fn require_active(connection: &mut SqliteConnection, id: &str) -> Result<(), StoreError> {
    let row = sqlx::query("SELECT status FROM users WHERE id = ?").bind(id).fetch_optional(connection).await?;
    let Some(row) = row else { return Err(StoreError::NoSuchUser(id.to_owned())) };
    match status(row.try_get("status")?)? {
        UserStatus::Active => Ok(()),
        UserStatus::Revoked => Err(StoreError::AlreadyRevoked(id.to_owned())),
    }
}

pub(super) fn on_conflict(error: sqlx::Error, conflict: impl FnOnce() -> StoreError) -> StoreError {
    match error.as_database_error() {
        Some(database) if database.is_unique_violation() => conflict(),
        _ => error.into(),
    }
}

fn status(text: &str) -> Result<UserStatus, StoreError> {
    match text {
        "active" => Ok(UserStatus::Active),
        "revoked" => Ok(UserStatus::Revoked),
        other => Err(StoreError::Inconsistent(format!("user status {other:?}"))),
    }
}

pub(super) fn integer(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::NumberTooGreat(number))
}

pub(super) fn number(integer: i64) -> Result<u64, StoreError> {
    u64::try_from(integer).map_err(|_| StoreError::Inconsistent(format!("negative number {integer}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uris(uris: &[&str]) -> Vec<String> {
        uris.iter().map(|uri| (*uri).to_owned()).collect()
    }

    async fn store(folder: &Path) -> SqliteStore {
        let store = SqliteStore::create(&folder.join("kms.sqlite")).await.unwrap();
        store.add_user("alice", &uris(&["sip:alice@example.org", "sip:a.video@example.org"]), 1000).await.unwrap();
        store.add_user("bob", &uris(&["sip:bob@example.org"]), 2000).await.unwrap();
        store
    }

    fn issue(user_id: &str, uri: &str, period_no: u64) -> Issue {
        Issue { issued: 3000, user_id: user_id.into(), uri: uri.into(), period_no, request_id: "r".into() }
    }

    #[tokio::test]
    async fn users_are_found_by_uri_and_listed() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        let alice = User {
            id: "alice".into(),
            status: UserStatus::Active,
            created: 1000,
            uris: uris(&["sip:a.video@example.org", "sip:alice@example.org"]),
        };
        assert_eq!(store.user_of_uri("sip:alice@example.org").await.unwrap().as_ref(), Some(&alice));
        assert_eq!(store.user_of_uri("sip:a.video@example.org").await.unwrap().as_ref(), Some(&alice));
        assert_eq!(store.user_of_uri("sip:Alice@example.org").await.unwrap(), None);
        let users = store.users().await.unwrap();
        assert_eq!(users.len(), 2);
        assert_eq!(users[0], alice);
        assert_eq!((users[1].id.as_str(), users[1].uris.as_slice()), ("bob", &uris(&["sip:bob@example.org"])[..]));
    }

    #[tokio::test]
    async fn conflicts_add_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        let before = store.counts().await.unwrap();
        let error = store.add_user("alice", &uris(&["sip:new@example.org"]), 1).await.unwrap_err();
        assert!(matches!(error, StoreError::UserExists(id) if id == "alice"));
        let error = store.add_user("carol", &uris(&["sip:c@example.org", "sip:bob@example.org"]), 1).await.unwrap_err();
        assert!(matches!(error, StoreError::UriTaken(uri) if uri == "sip:bob@example.org"));
        let error = store.add_user("dave", &[], u64::MAX).await.unwrap_err();
        assert!(matches!(error, StoreError::NumberTooGreat(u64::MAX)));
        assert_eq!(store.counts().await.unwrap(), before);
    }

    #[tokio::test]
    async fn a_revoked_user_stays_and_gets_no_issue() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        store.record_issues(&[issue("bob", "sip:bob@example.org", 7)]).await.unwrap();
        store.revoke_user("bob").await.unwrap();
        assert_eq!(store.user_of_uri("sip:bob@example.org").await.unwrap().unwrap().status, UserStatus::Revoked);
        let both = [issue("alice", "sip:alice@example.org", 7), issue("bob", "sip:bob@example.org", 8)];
        assert!(matches!(store.record_issues(&both).await, Err(StoreError::AlreadyRevoked(id)) if id == "bob"));
        assert!(matches!(store.revoke_user("bob").await, Err(StoreError::AlreadyRevoked(_))));
        assert!(matches!(store.revoke_user("eve").await, Err(StoreError::NoSuchUser(_))));
        let unknown = [issue("eve", "sip:eve@example.org", 7)];
        assert!(matches!(store.record_issues(&unknown).await, Err(StoreError::NoSuchUser(_))));
        let counts = store.counts().await.unwrap();
        assert_eq!(counts, Counts { active_users: 1, revoked_users: 1, uris: 3, issues: 1 });
        assert!(matches!(
            store.add_user("eve", &uris(&["sip:bob@example.org"]), 1).await,
            Err(StoreError::UriTaken(_))
        ));
    }

    fn client_keys(user_id: &str, generation: u64, is_next: bool) -> SealedClientKeys {
        SealedClientKeys {
            user_id: user_id.into(),
            generation,
            is_next,
            trk_id: format!("tk.{generation}"),
            ink_id: format!("ink.{generation}"),
            sealed: vec![generation as u8; 92],
            created: 5000,
        }
    }

    #[tokio::test]
    async fn client_keys_are_replaced_followed_and_confirmed() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        let held = async |uri: &str| store.client_keys_of_uri(uri).await.unwrap();
        let (first, second, third) =
            (client_keys("alice", 1, false), client_keys("alice", 2, true), client_keys("alice", 3, true));
        assert_eq!(held("sip:alice@example.org").await, []);
        store.replace_client_keys(&first).await.unwrap();
        store.replace_client_keys(&client_keys("bob", 1, false)).await.unwrap();
        store.add_next_client_keys(&second).await.unwrap();
        for uri in ["sip:alice@example.org", "sip:a.video@example.org"] {
            assert_eq!(held(uri).await, [first.clone(), second.clone()]);
        }
        let pending = store.add_next_client_keys(&third).await;
        assert!(matches!(pending, Err(StoreError::RotationPending(id)) if id == "alice"));

        store.confirm_client_keys("alice", 7).await.unwrap();
        assert_eq!(held("sip:alice@example.org").await, [first, second.clone()]);
        for _ in 0..2 {
            store.confirm_client_keys("alice", 2).await.unwrap();
            assert_eq!(held("sip:alice@example.org").await, [SealedClientKeys { is_next: false, ..second.clone() }]);
        }
        assert_eq!(held("sip:bob@example.org").await.len(), 1);
        assert_eq!(held("sip:eve@example.org").await, []);

        store.add_next_client_keys(&third).await.unwrap();
        store.replace_client_keys(&client_keys("alice", 4, false)).await.unwrap();
        assert_eq!(held("sip:alice@example.org").await, [client_keys("alice", 4, false)]);
    }

    #[tokio::test]
    async fn a_revoked_or_unknown_user_gets_no_client_keys() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        store.revoke_user("bob").await.unwrap();
        for (id, is_unknown) in [("bob", false), ("eve", true)] {
            for result in [
                store.replace_client_keys(&client_keys(id, 1, false)).await,
                store.add_next_client_keys(&client_keys(id, 1, true)).await,
            ] {
                let error = result.unwrap_err();
                let expected = if is_unknown {
                    matches!(error, StoreError::NoSuchUser(_))
                } else {
                    matches!(error, StoreError::AlreadyRevoked(_))
                };
                assert!(expected, "{error}");
            }
        }
    }

    #[tokio::test]
    async fn everything_is_there_after_reopening() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kms.sqlite");
        let issues = [issue("alice", "sip:alice@example.org", 7), issue("alice", "sip:alice@example.org", 8)];
        let users = {
            let store = store(folder.path()).await;
            store.record_issues(&issues).await.unwrap();
            let users = store.users().await.unwrap();
            store.close().await.unwrap();
            assert!(!path.with_extension("sqlite-wal").exists());
            users
        };
        let store = SqliteStore::open(&path).await.unwrap();
        assert_eq!(store.users().await.unwrap(), users);
        assert_eq!(store.issues_of_uri("sip:alice@example.org").await.unwrap(), issues);
        assert_eq!(store.issues_of_uri("sip:bob@example.org").await.unwrap(), []);
    }

    #[tokio::test]
    async fn an_absent_or_foreign_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kms.sqlite");
        assert!(matches!(SqliteStore::open(&path).await, Err(StoreError::Database(_))));
        assert!(!path.exists());
        std::fs::write(&path, "this is no database, only some text that is long enough to be looked at").unwrap();
        assert!(SqliteStore::open(&path).await.is_err());
    }
}
