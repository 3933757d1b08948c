//! The audit log of the KMS: what is in it, and how it shows what was done to it.

use crate::support::tamper;
use mikey_sakke::kms::audit::{self, Act, Anchor, Event, Fault, Hash, Head};
use mikey_sakke::kms::store::{GenerationStore, Issue, SqliteStore, Store, StoreError};
use mikey_sakke::kms::{Error, NewUser, admin};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::{Duration, UNIX_EPOCH};
use tempfile::TempDir;

const ENTRIES: u64 = 10;

struct World {
    folder: TempDir,
    store: SqliteStore,
}

impl World {
    /// A log of ten entries.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::create(&folder.path().join("kms.sqlite")).await.unwrap();
        let world = Self { folder, store };
        let initialised =
            Event::Initialised { kms_uri: "kms.example.org".into(), pub_enc_key: "z".into(), pub_auth_key: "k".into() };
        world.store.record(initialised, act()).await.unwrap();
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

    async fn tamper(&self, sql: &str) {
        tamper(&self.folder.path().join("kms.sqlite"), sql).await;
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
        text(2),
        json!({
            "time": "2025-11-24T16:00:00Z", "by": "the operator", "event": "user_added",
            "user": "alice", "kind": "user", "uris": ["sip:alice@example.org"],
        })
    );
    assert_eq!(
        text(5),
        json!({
            "time": "1970-01-01T00:00:00Z", "by": "alice", "request_id": "r1", "event": "issued",
            "user": "alice", "uri": "sip:alice@example.org", "periods": [7, 8],
        })
    );
    assert_eq!((&text(8)["event"], &text(10)["code"]), (&json!("user_revoked"), &json!(4003)));
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
    let rehash_nothing = "UPDATE audit SET entry = replace(entry, 'carol', 'mallory') WHERE number = 7";
    let cases: [(&str, Fault); 12] = [
        (rehash_nothing, Fault::Altered { number: 7 }),
        ("UPDATE audit SET hash = zeroblob(32) WHERE number = 3", Fault::Altered { number: 3 }),
        ("DELETE FROM audit WHERE number = 4", Fault::Removed { from: 4, to: 4 }),
        ("DELETE FROM audit WHERE number < 3", Fault::Removed { from: 1, to: 2 }),
        ("DELETE FROM audit WHERE number > 7", Fault::Removed { from: 8, to: 10 }),
        ("DELETE FROM audit", Fault::Removed { from: 1, to: 10 }),
        (
            "DELETE FROM audit WHERE number = 4; UPDATE audit SET number = number - 1 WHERE number > 4",
            Fault::Altered { number: 4 },
        ),
        (
            "UPDATE audit SET number = 100 WHERE number = 4; UPDATE audit SET number = 4 WHERE number = 5;
             UPDATE audit SET number = 5 WHERE number = 100",
            Fault::Altered { number: 4 },
        ),
        ("UPDATE audit_head SET key_sets = 5", Fault::Head { number: 10 }),
        ("UPDATE audit_head SET number = 9", Fault::Head { number: 9 }),
        ("INSERT INTO audit SELECT 11, entry, hash FROM audit WHERE number = 10", Fault::Head { number: 10 }),
        ("DELETE FROM audit; UPDATE audit_head SET number = 0, hash = zeroblob(32), key_sets = 0", Fault::Beginning),
    ];
    for (sql, fault) in cases {
        let world = World::new().await;
        world.tamper(sql).await;
        assert_eq!(world.verify(None).await, Err(fault), "{sql}");
    }
}

#[tokio::test]
async fn entries_of_numbers_that_none_is_given_are_found() {
    for number in ["0", "-1", "-9223372036854775808"] {
        let world = World::new().await;
        world.tamper(&format!("INSERT INTO audit SELECT {number}, entry, hash FROM audit WHERE number = 1")).await;
        let error = audit::verify(&world.store, None).await.unwrap_err();
        assert!(matches!(error, Error::Store(StoreError::Inconsistent(_))), "{error}");
        assert!(error.to_string().contains(&format!("entry {number}, and counts from 1")), "{error}");
    }
}

/// An entry that follows from the one before, with the head changed to match: by whoever can forge the end of the log.
async fn forge(world: &World, entry: &str) {
    let Head { number, hash, .. } = world.verify(None).await.unwrap();
    let number = number + 1;
    let hash = Hash(Sha256::digest([&hash.0, &number.to_be_bytes()[..], entry.as_bytes()].concat()).into());
    let entry = entry.replace('\n', "'||char(10)||'");
    world
        .tamper(&format!(
            "INSERT INTO audit VALUES ({number}, '{entry}', x'{hash}'); \
             UPDATE audit_head SET number = {number}, hash = x'{hash}'"
        ))
        .await;
}

#[tokio::test]
async fn forged_entries_that_are_no_object_in_one_line_are_neither_verified_nor_exported() {
    for entry in ["no JSON", "[]", "7", "{\"event\":\n\"started\"}", "{} {}", ""] {
        let world = World::new().await;
        forge(&world, entry).await;
        let number = ENTRIES + 1;
        assert_eq!(world.verify(None).await, Err(Fault::Unreadable { number }), "{entry:?}");
        let exported = audit::page(&world.store, 1).await;
        assert!(matches!(exported, Err(Error::Audit(Fault::Unreadable { number: found })) if found == number));
    }
    let world = World::new().await;
    forge(&world, "{}").await;
    assert_eq!(world.verify(None).await.unwrap().number, ENTRIES + 1, "the forging itself is not what is found");
}

#[tokio::test]
async fn a_roll_over_says_which_entry_it_cannot_read() {
    let world = World::new().await;
    forge(&world, "no JSON").await;
    let error = world.store.last_issued(0).await.unwrap_err();
    assert!(error.to_string().contains("entry 11 of the audit log is no JSON"), "{error}");
}

#[tokio::test]
async fn after_the_greatest_number_there_is_an_end() {
    let world = World::new().await;
    world.tamper("INSERT INTO audit VALUES (9223372036854775807, '{}', zeroblob(32))").await;
    assert_eq!(world.verify(None).await, Err(Fault::Head { number: ENTRIES }));
    assert_eq!(audit::page(&world.store, u64::try_from(i64::MAX).unwrap() + 1).await.unwrap(), []);
    world.tamper("DELETE FROM audit_head").await;
    let error = audit::verify(&world.store, None).await.unwrap_err();
    assert!(error.to_string().contains("has lost its head"), "{error}");
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
            "DELETE FROM audit WHERE number > 7;
             UPDATE audit_head SET number = 7, hash = (SELECT hash FROM audit WHERE number = 7)",
        )
        .await;
    assert_eq!(world.verify(None).await.unwrap().number, 7, "nothing inside the database tells");
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
