//! The audit log of the KMS: what is in it, and how it shows what was done to it.

use mikey_sakke::kms::audit::{self, Act, Anchor, Event, Fault, Hash, Head};
use mikey_sakke::kms::store::{Issue, SqliteStore, Store};
use mikey_sakke::kms::{Error, NewUser, admin};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::sqlite::SqlitePool;
use std::time::{Duration, UNIX_EPOCH};
use tempfile::TempDir;

const ENTRIES: u64 = 9;

struct World {
    folder: TempDir,
    store: SqliteStore,
}

impl World {
    /// A log of nine entries.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::create(&folder.path().join("kms.sqlite")).await.unwrap();
        let world = Self { folder, store };
        for user in ["alice", "bob", "carol"] {
            let user = NewUser::new(user, [format!("sip:{user}@example.org")]);
            admin::add_user(&world.store, &user, &act()).await.unwrap();
        }
        for user in ["alice", "bob", "carol"] {
            let issue = Issue {
                user_id: user.into(),
                uri: format!("sip:{user}@example.org"),
                periods: vec![7, 8],
                newest_generation: 1,
            };
            let by_request = Act { request_id: Some("r1".into()), ..Act::new(user, UNIX_EPOCH) };
            world.store.record_issues(vec![issue], by_request).await.unwrap();
        }
        for user in ["alice", "bob"] {
            admin::revoke_user(&world.store, user, &act()).await.unwrap();
        }
        let refused = Event::Refused {
            code: 4003,
            reason: "no \"quotes\" \u{7f} \u{1f600}".into(),
            resource: None,
            asked: String::new(),
            peer: Some("::1".into()),
        };
        world.store.record(refused, Act::new("unauthenticated", UNIX_EPOCH)).await.unwrap();
        world
    }

    async fn tamper(&self, sql: &'static str) {
        let path = self.folder.path().join("kms.sqlite");
        let pool = SqlitePool::connect(&format!("sqlite://{}", path.display())).await.unwrap();
        sqlx::raw_sql(sql).execute(&pool).await.unwrap();
        pool.close().await;
    }

    async fn verify(&self, anchor: Option<Anchor>) -> Result<Head, Fault> {
        audit::verify(&self.store, anchor).await.map_err(|error| match error {
            Error::Audit(fault) => fault,
            other => panic!("{other}"),
        })
    }
}

fn act() -> Act {
    Act::new("the operator", UNIX_EPOCH + Duration::from_secs(1_764_000_000))
}

#[tokio::test]
async fn an_untouched_log_holds_and_says_what_was_done() {
    let world = World::new().await;
    let head = world.verify(None).await.unwrap();
    assert_eq!((head.number, head.key_sets), (ENTRIES, 6));
    let entries = audit::page(&world.store, 1).await.unwrap();
    let text = |number: usize| serde_json::from_str::<Value>(&entries[number - 1].entry).unwrap();
    assert_eq!(
        text(1),
        json!({
            "time": "2025-11-24T16:00:00Z", "by": "the operator", "event": "user_added",
            "user": "alice", "kind": "user", "uris": ["sip:alice@example.org"],
        })
    );
    assert_eq!(
        text(4),
        json!({
            "time": "1970-01-01T00:00:00Z", "by": "alice", "request_id": "r1", "event": "issued",
            "user": "alice", "uri": "sip:alice@example.org", "periods": [7, 8],
        })
    );
    assert_eq!((&text(7)["event"], &text(9)["code"]), (&json!("user_revoked"), &json!(4003)));
}

#[tokio::test]
async fn others_can_follow_the_chain_of_exported_lines() {
    let world = World::new().await;
    let mut before = [0; 32];
    for entry in audit::page(&world.store, 1).await.unwrap() {
        let line = entry.to_json_line();
        let parsed: Value = serde_json::from_str(&line).unwrap();
        let hashed = line.split_once("\"entry\":").unwrap().1.strip_suffix('}').unwrap();
        let number = parsed["number"].as_u64().unwrap().to_be_bytes();
        before = Sha256::digest([before.as_slice(), &number, hashed.as_bytes()].concat()).into();
        assert_eq!(parsed["hash"], Hash(before).to_string());
    }
    assert_eq!(world.verify(None).await.unwrap().hash, Hash(before));
    assert_eq!(Hash::from_hex(&Hash(before).to_string()), Some(Hash(before)));
    for wrong in ["", "00", &"0g".repeat(32), &"+0".repeat(32), &"00".repeat(33)] {
        assert_eq!(Hash::from_hex(wrong), None, "{wrong}");
    }
}

#[tokio::test]
async fn every_edit_removal_and_reordering_is_found() {
    let rehash_nothing = "UPDATE audit SET entry = replace(entry, 'carol', 'mallory') WHERE number = 6";
    let cases: [(&str, Fault); 11] = [
        (rehash_nothing, Fault::Altered { number: 6 }),
        ("UPDATE audit SET hash = zeroblob(32) WHERE number = 3", Fault::Altered { number: 3 }),
        ("DELETE FROM audit WHERE number = 4", Fault::Removed { from: 4, to: 4 }),
        ("DELETE FROM audit WHERE number < 3", Fault::Removed { from: 1, to: 2 }),
        ("DELETE FROM audit WHERE number > 7", Fault::Removed { from: 8, to: 9 }),
        ("DELETE FROM audit", Fault::Removed { from: 1, to: 9 }),
        (
            "DELETE FROM audit WHERE number = 4; UPDATE audit SET number = number - 1 WHERE number > 4",
            Fault::Altered { number: 4 },
        ),
        (
            "UPDATE audit SET number = 100 WHERE number = 4; UPDATE audit SET number = 4 WHERE number = 5;
             UPDATE audit SET number = 5 WHERE number = 100",
            Fault::Altered { number: 4 },
        ),
        ("UPDATE audit_head SET key_sets = 5", Fault::Head { number: 9 }),
        ("UPDATE audit_head SET number = 8", Fault::Head { number: 8 }),
        ("INSERT INTO audit SELECT 10, entry, hash FROM audit WHERE number = 9", Fault::Head { number: 9 }),
    ];
    for (sql, fault) in cases {
        let world = World::new().await;
        world.tamper(sql).await;
        assert_eq!(world.verify(None).await, Err(fault), "{sql}");
    }
}

#[tokio::test]
async fn a_log_that_was_cut_with_its_head_does_not_hold_an_anchor() {
    let world = World::new().await;
    let Head { number, hash, .. } = world.verify(None).await.unwrap();
    let anchor = Some(Anchor { number, hash });
    assert!(world.verify(anchor).await.is_ok());
    admin::revoke_user(&world.store, "carol", &act()).await.unwrap();
    assert_eq!(world.verify(anchor).await.unwrap().number, number + 1);
    let forged = Some(Anchor { number, hash: Hash([1; 32]) });
    assert_eq!(world.verify(forged).await, Err(Fault::Anchor { number }));
    world
        .tamper(
            "DELETE FROM audit WHERE number > 6;
             UPDATE audit_head SET number = 6, hash = (SELECT hash FROM audit WHERE number = 6)",
        )
        .await;
    assert_eq!(world.verify(None).await.unwrap().number, 6, "nothing inside the database tells");
    assert_eq!(world.verify(anchor).await, Err(Fault::Anchor { number }));
}

#[tokio::test]
async fn what_cannot_be_recorded_does_not_happen() {
    let world = World::new().await;
    world.tamper("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'disk full'); END").await;
    assert!(admin::add_user(&world.store, &NewUser::new("dave", ["sip:dave@example.org"]), &act()).await.is_err());
    assert!(admin::revoke_user(&world.store, "carol", &act()).await.is_err());
    let issue =
        Issue { user_id: "carol".into(), uri: "sip:carol@example.org".into(), periods: vec![7], newest_generation: 1 };
    assert!(world.store.record_issues(vec![issue], act()).await.is_err());
    let counts = world.store.counts().await.unwrap();
    assert_eq!((counts.active_users, counts.revoked_users, counts.uris, counts.issues), (1, 2, 3, 6));
    assert_eq!(world.verify(None).await.unwrap().number, ENTRIES);
}
