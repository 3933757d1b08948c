//! What the store keeps, refuses and finds again, in a real file.

use super::super::{Counts, Issue, NewUser, SealedClientKeys, Store, StoreError, User, UserStatus};
use super::SqliteStore;
use crate::kms::ClientKind;
use crate::kms::audit::{Act, Entry, Event};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

fn uris(uris: &[&str]) -> Vec<String> {
    uris.iter().map(|uri| (*uri).to_owned()).collect()
}

async fn store(folder: &Path) -> SqliteStore {
    let store = SqliteStore::create(&folder.join("kms.sqlite")).await.unwrap();
    add_alice_and_bob(&store).await;
    store
}

async fn add_alice_and_bob(store: &SqliteStore) {
    store
        .add_user(&NewUser::new("alice", ["sip:alice@example.org", "sip:a.video@example.org"]), &act(1000))
        .await
        .unwrap();
    let bob = NewUser { kind: ClientKind::Gms, ..NewUser::new("bob", ["sip:bob@example.org"]) };
    store.add_user(&bob, &act(2000)).await.unwrap();
}

fn act(seconds: u64) -> Act {
    Act { request_id: Some("r".into()), ..Act::new("the operator", UNIX_EPOCH + Duration::from_secs(seconds)) }
}

fn issue(user_id: &str, uri: &str, period_no: u64) -> Issue {
    Issue { user_id: user_id.into(), uri: uri.into(), periods: vec![period_no, period_no + 1], newest_generation: 1 }
}

async fn log(store: &SqliteStore) -> Vec<Entry> {
    store.audit_entries(0, u32::MAX).await.unwrap()
}

#[tokio::test]
async fn users_are_found_by_uri_and_listed() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path()).await;
    let alice = User {
        id: "alice".into(),
        kind: ClientKind::User,
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
    assert_eq!(users[1].kind, ClientKind::Gms);
    assert_eq!((users[1].id.as_str(), users[1].uris.as_slice()), ("bob", &uris(&["sip:bob@example.org"])[..]));
}

#[cfg(unix)]
#[tokio::test]
async fn nothing_is_written_to_a_database_that_was_removed_or_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path()).await;
    let (path, kept) = (folder.path().join("kms.sqlite"), folder.path().join("kept"));
    let issue = || store.record_issues(vec![issue("bob", "sip:bob@example.org", 7)], act(1));
    issue().await.unwrap();
    let is_told = |result: Result<(), StoreError>| {
        let error = result.unwrap_err();
        assert!(error.is_outage() && error.to_string().contains("replaced"), "{error}");
    };
    std::fs::rename(&path, &kept).unwrap();
    is_told(issue().await);
    std::fs::copy(&kept, &path).unwrap();
    is_told(issue().await);
    std::fs::rename(&kept, &path).unwrap();
    issue().await.unwrap();
    assert_eq!(log(&store).await.len(), 4);
}

#[cfg(unix)]
#[tokio::test]
async fn a_copy_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.sqlite");
    store(folder.path()).await.copy_to(&copy).await.unwrap();
    assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(SqliteStore::open(&copy).await.unwrap().users().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_full_database_is_an_outage_and_is_written_to_again_once_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path()).await;
    let record = || store.record_issues(vec![issue("bob", "sip:bob@example.org", 7)], act(1));
    // On every connection that there can be.
    let limit = |pages: u32| {
        let (pragma, pool) = (format!("PRAGMA max_page_count = {pages}"), store.pool.clone());
        async move {
            let mut connections = Vec::new();
            for _ in 0..pool.options().get_max_connections() {
                let mut connection = pool.acquire().await.unwrap();
                sqlx::raw_sql(sqlx::AssertSqlSafe(pragma.clone())).execute(&mut *connection).await.unwrap();
                connections.push(connection);
            }
        }
    };
    limit(1).await;
    let mut refused = 0;
    for _ in 0..1000 {
        if let Err(error) = record().await {
            assert!(error.is_outage(), "{error}");
            refused += 1;
        }
        if refused == 3 {
            break;
        }
    }
    assert!(refused > 0, "it was never full");
    limit(u32::MAX).await;
    for _ in 0..4 {
        record().await.unwrap();
    }
}

#[tokio::test]
async fn conflicts_add_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path()).await;
    let before = store.counts().await.unwrap();
    let error = store.add_user(&NewUser::new("alice", ["sip:new@example.org"]), &act(1)).await.unwrap_err();
    assert!(!error.is_outage());
    assert!(matches!(error, StoreError::UserExists(id) if id == "alice"));
    let carol = NewUser::new("carol", ["sip:c@example.org", "sip:bob@example.org"]);
    let error = store.add_user(&carol, &act(1)).await.unwrap_err();
    assert!(matches!(error, StoreError::UriTaken(uri) if uri == "sip:bob@example.org"));
    let error = store.replace_client_keys(&client_keys("bob", u64::MAX, false), &act(1)).await.unwrap_err();
    assert!(matches!(error, StoreError::NumberTooGreat(u64::MAX)));
    assert_eq!(store.counts().await.unwrap(), before);
    assert_eq!(log(&store).await.len(), 2, "nor to the log");
}

#[tokio::test]
async fn a_revoked_user_stays_and_gets_no_issue() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path()).await;
    store.record_issues(vec![issue("bob", "sip:bob@example.org", 7)], act(3000)).await.unwrap();
    store.revoke_user("bob", &act(3001)).await.unwrap();
    assert_eq!(store.user_of_uri("sip:bob@example.org").await.unwrap().unwrap().status, UserStatus::Revoked);
    let both = vec![issue("alice", "sip:alice@example.org", 7), issue("bob", "sip:bob@example.org", 8)];
    assert!(matches!(store.record_issues(both, act(3002)).await, Err(StoreError::AlreadyRevoked(id)) if id == "bob"));
    assert!(matches!(store.revoke_user("bob", &act(1)).await, Err(StoreError::AlreadyRevoked(_))));
    assert!(matches!(store.revoke_user("eve", &act(1)).await, Err(StoreError::NoSuchUser(_))));
    let unknown = vec![issue("eve", "sip:eve@example.org", 7)];
    assert!(matches!(store.record_issues(unknown, act(3002)).await, Err(StoreError::NoSuchUser(_))));
    let counts = store.counts().await.unwrap();
    assert_eq!(counts, Counts { active_users: 1, revoked_users: 1, uris: 3, issues: 2 });
    assert_eq!(log(&store).await.len(), 4);
    assert!(matches!(
        store.add_user(&NewUser::new("eve", ["sip:bob@example.org"]), &act(1)).await,
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
    let held = async |uri: &str| {
        let holder = store.holders(&[uri]).await.unwrap().pop();
        holder.map(|holder| holder.client_keys).unwrap_or_default()
    };
    let (first, second, third) =
        (client_keys("alice", 1, false), client_keys("alice", 2, true), client_keys("alice", 3, true));
    assert_eq!(held("sip:alice@example.org").await, []);
    store.replace_client_keys(&first, &act(1)).await.unwrap();
    store.replace_client_keys(&client_keys("bob", 1, false), &act(1)).await.unwrap();
    store.add_next_client_keys(&second, &act(1)).await.unwrap();
    for uri in ["sip:alice@example.org", "sip:a.video@example.org"] {
        assert_eq!(held(uri).await, [first.clone(), second.clone()]);
    }
    let pending = store.add_next_client_keys(&third, &act(1)).await;
    assert!(matches!(pending, Err(StoreError::RotationPending(id)) if id == "alice"));

    store.confirm_client_keys("alice", 7, &act(1)).await.unwrap();
    assert_eq!(held("sip:alice@example.org").await, [first, second.clone()]);
    for _ in 0..2 {
        store.confirm_client_keys("alice", 2, &act(1)).await.unwrap();
        assert_eq!(held("sip:alice@example.org").await, [SealedClientKeys { is_next: false, ..second.clone() }]);
    }
    assert_eq!(held("sip:bob@example.org").await.len(), 1);
    assert_eq!(held("sip:eve@example.org").await, []);

    store.add_next_client_keys(&third, &act(1)).await.unwrap();
    store.replace_client_keys(&client_keys("alice", 4, false), &act(1)).await.unwrap();
    assert_eq!(held("sip:alice@example.org").await, [client_keys("alice", 4, false)]);
}

#[tokio::test]
async fn a_revoked_or_unknown_user_gets_no_client_keys() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path()).await;
    store.revoke_user("bob", &act(1)).await.unwrap();
    for (id, is_unknown) in [("bob", false), ("eve", true)] {
        for result in [
            store.replace_client_keys(&client_keys(id, 1, false), &act(1)).await,
            store.add_next_client_keys(&client_keys(id, 1, true), &act(1)).await,
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
    let issues = vec![issue("alice", "sip:alice@example.org", 7), issue("alice", "sip:alice@example.org", 8)];
    let (users, entries) = {
        let store = store(folder.path()).await;
        store.record_issues(issues, act(3000)).await.unwrap();
        let (users, entries) = (store.users().await.unwrap(), log(&store).await);
        store.close().await.unwrap();
        assert!(!path.with_extension("sqlite-wal").exists());
        (users, entries)
    };
    let store = SqliteStore::open(&path).await.unwrap();
    assert_eq!(store.users().await.unwrap(), users);
    assert_eq!(log(&store).await, entries);
    assert_eq!(entries.len(), 4);
}

#[tokio::test]
async fn an_absent_emptied_newer_or_foreign_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kms.sqlite");
    assert!(matches!(SqliteStore::open(&path).await, Err(StoreError::Absent(absent)) if absent == path));
    assert!(!path.exists());
    std::fs::write(&path, "").unwrap();
    assert!(matches!(SqliteStore::open(&path).await, Err(StoreError::Emptied(emptied)) if emptied == path));
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 0);
    std::fs::remove_file(&path).unwrap();

    let newer = SqliteStore::create(&path).await.unwrap();
    sqlx::raw_sql(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'of a later version', TRUE, x'00', 0)",
    )
    .execute(&newer.pool)
    .await
    .unwrap();
    newer.close().await.unwrap();
    let error = SqliteStore::open(&path).await.unwrap_err();
    assert!(matches!(&error, StoreError::Newer { path: newer, version: 9999 } if *newer == path), "{error}");
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "this is no database, only some text that is long enough to be looked at").unwrap();
    assert!(SqliteStore::open(&path).await.is_err());
}

#[tokio::test]
async fn who_writes_at_once_is_written_together_and_each_learns_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::create(&folder.path().join("kms.sqlite")).await.unwrap();
    store.record(Event::initialised_for_tests(), act(1)).await.unwrap();
    add_alice_and_bob(&store).await;
    store.revoke_user("bob", &act(1)).await.unwrap();
    let writing = (0..64_u64).map(|number| {
        let store = store.clone();
        tokio::spawn(async move {
            let (user, uri) =
                if number % 4 == 0 { ("bob", "sip:bob@example.org") } else { ("alice", "sip:alice@example.org") };
            (number, store.record_issues(vec![issue(user, uri, number)], act(number)).await)
        })
    });
    for writing in writing.collect::<Vec<_>>() {
        let (number, result) = writing.await.unwrap();
        match number % 4 {
            0 => assert!(matches!(result, Err(StoreError::AlreadyRevoked(id)) if id == "bob")),
            _ => result.unwrap(),
        }
    }
    assert_eq!(store.counts().await.unwrap().issues, 96);
    let head = crate::kms::audit::verify(&store, None).await.unwrap();
    assert_eq!((head.number, head.key_sets), (4 + 48, 96));
    store.close().await.unwrap();
    let error = store.record_issues(vec![issue("alice", "sip:alice@example.org", 1)], act(1)).await.unwrap_err();
    assert!(matches!(error, StoreError::Together(_)) && error.is_outage(), "{error}");
}
