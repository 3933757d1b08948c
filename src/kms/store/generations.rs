//! The generations of master secrets: which there are, never what they are.

use super::certificates::{raise, require_room};
use super::sqlite::{integer, number, record};
use super::{Answer, SqliteStore, StoreError};
use crate::kms::audit::{Act, Event};
use core::fmt;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection, SqliteExecutor};
use std::io;

/// The generations of master secrets that a KMS has rolled over to.
pub trait GenerationStore {
    /// All generations, ordered; none of a KMS that never rolled over.
    fn generations(&self) -> Answer<'_, Vec<Generation>>;

    /// The latest key period that entries of the audit log after number `after` have an issue for.
    fn last_issued(&self, after: u64) -> Answer<'_, LastIssued>;

    /// Withdraws the newest generation, which has not begun: its number stays taken. With `held`, also if keys of it were handed out.
    ///
    /// # Errors
    /// [`StoreError::GenerationsChanged`], [`StoreError::GenerationInUse`]; nothing is then changed.
    fn withdraw_generation<'a>(
        &'a self,
        generation: &'a Generation,
        held: bool,
        act: &'a Act,
    ) -> Answer<'a, GenerationChange>;

    /// Adds a generation, once its secrets are kept: together with the new number of the cache of certificates, or not at all.
    ///
    /// # Errors
    /// [`StoreError::GenerationsChanged`], [`StoreError::PeriodIssued`], [`StoreError::CacheFull`],
    /// [`StoreError::SecretsNotKept`]; nothing is then changed here.
    fn add_generation<'a>(&'a self, roll_over: RollOver<'a>, act: &'a Act) -> Answer<'a, GenerationChange>;
}

/// A generation of master secrets, as much of it as others may know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Counted from 1. That one was withdrawn counts too: the number after it is not given.
    pub number: u64,
    /// The first key period that it serves: 0 of the first generation.
    pub first_period: u64,
    /// SHA-256 of Z and KPAK, as 64 lower-case hex digits.
    pub fingerprint: String,
    /// It was withdrawn before it began, and serves no period.
    pub withdrawn: bool,
}

impl Generation {
    /// The number of the last change of the generations, if this is the newest: that it was made, or that it was withdrawn.
    pub fn last_change(&self) -> u64 {
        self.number.saturating_add(self.withdrawn.into())
    }
}

/// What a generation that was added or withdrawn comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GenerationChange {
    /// URIs that hold keys of its periods, which are good no more.
    pub held: u64,
    /// The number of the cache of certificates from then on.
    pub cache_num: u64,
}

/// What the audit log says of issues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastIssued {
    /// The issue for the latest key period, if there was any.
    pub issue: Option<LatestIssue>,
    /// Number of the last entry that was looked at.
    pub seen_to: u64,
}

/// The issue for the latest key period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LatestIssue {
    /// The key period.
    pub period: u64,
    /// Whose keys they are.
    pub uri: String,
    /// Number of the entry of the audit log; none of what was issued before there was a log.
    pub entry: Option<u64>,
}

/// What is known of keys that were issued already, when a generation is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EarlierIssues {
    /// The audit log has none of its periods up to this entry, which makes the rest short.
    SeenTo(u64),
    /// There may be some, which will be good no more.
    GivenUp,
}

/// A new generation of master secrets, and what it takes to add it.
pub struct RollOver<'a> {
    /// All generations, the new one last.
    pub generations: &'a [Generation],
    /// Whether keys of its periods may have been issued.
    pub issues: EarlierIssues,
    /// Octets of the new certificate.
    pub octets: u64,
    /// Z, hex, for the audit log.
    pub pub_enc_key: &'a str,
    /// KPAK, hex, for the audit log.
    pub pub_auth_key: &'a str,
    /// Keeps the secrets where they survive. It is called once nothing else stands against the change, while nobody else can
    /// make one.
    pub keep: Box<dyn FnOnce() -> io::Result<()> + Send + 'a>,
}

impl fmt::Debug for RollOver<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RollOver").field("generations", &self.generations).finish_non_exhaustive()
    }
}

impl GenerationStore for SqliteStore {
    fn generations(&self) -> Answer<'_, Vec<Generation>> {
        Box::pin(generations(&self.pool))
    }

    fn last_issued(&self, after: u64) -> Answer<'_, LastIssued> {
        Box::pin(async move { last_issued(&mut *self.pool.acquire().await?, after).await })
    }

    fn withdraw_generation<'a>(
        &'a self,
        generation: &'a Generation,
        held: bool,
        act: &'a Act,
    ) -> Answer<'a, GenerationChange> {
        Box::pin(async move {
            let &Generation { number, first_period, .. } = generation;
            let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
            if generations(&mut *transaction).await?.last() != Some(generation) || generation.withdrawn {
                return Err(StoreError::GenerationsChanged);
            }
            let holders = holders_from(&mut transaction, first_period).await?;
            if holders > 0 && !held {
                return Err(StoreError::GenerationInUse { first_period, holders });
            }
            sqlx::query("UPDATE generations SET withdrawn = 1 WHERE number = ?")
                .bind(integer(number)?)
                .execute(&mut *transaction)
                .await?;
            let cache_num = raise(&mut transaction).await?;
            let event = Event::RollOverWithdrawn { generation: number, first_period, holders, cache_num };
            record(&mut transaction, act, &event).await?;
            transaction.commit().await?;
            Ok(GenerationChange { held: holders, cache_num })
        })
    }

    fn add_generation<'a>(&'a self, roll_over: RollOver<'a>, act: &'a Act) -> Answer<'a, GenerationChange> {
        Box::pin(async move {
            let RollOver { generations: all, issues, octets, pub_enc_key, pub_auth_key, keep } = roll_over;
            let (new, before) = all.split_last().ok_or(StoreError::GenerationsChanged)?;
            let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
            let known = generations(&mut *transaction).await?;
            if known != before && !(known.is_empty() && before.len() == 1) {
                return Err(StoreError::GenerationsChanged);
            }
            let first_period = new.first_period;
            let holders = match issues {
                EarlierIssues::GivenUp => holders_from(&mut transaction, first_period).await?,
                EarlierIssues::SeenTo(entry) => {
                    require_none_issued(&mut transaction, entry, first_period).await?;
                    0
                }
            };
            for generation in all.iter().skip(known.len()) {
                insert(&mut transaction, generation, octets).await?;
            }
            require_room(&mut transaction).await?;
            let cache_num = raise(&mut transaction).await?;
            let event = Event::RolledOver {
                generation: new.number,
                first_period,
                pub_enc_key: pub_enc_key.to_owned(),
                pub_auth_key: pub_auth_key.to_owned(),
                holders,
                cache_num,
            };
            record(&mut transaction, act, &event).await?;
            keep().map_err(StoreError::SecretsNotKept)?;
            transaction.commit().await?;
            Ok(GenerationChange { held: holders, cache_num })
        })
    }
}

pub(super) async fn generations(executor: impl SqliteExecutor<'_>) -> Result<Vec<Generation>, StoreError> {
    let rows = sqlx::query("SELECT number, first_period, fingerprint, withdrawn FROM generations ORDER BY number")
        .fetch_all(executor)
        .await?;
    let generation = |row: &SqliteRow| {
        Ok(Generation {
            number: number(row.try_get("number")?)?,
            first_period: number(row.try_get("first_period")?)?,
            fingerprint: row.try_get("fingerprint")?,
            withdrawn: row.try_get("withdrawn")?,
        })
    };
    rows.iter().map(generation).collect()
}

async fn require_none_issued(
    connection: &mut SqliteConnection,
    after: u64,
    first_period: u64,
) -> Result<(), StoreError> {
    let issued = last_issued(connection, after).await?.issue.map(|issue| issue.period);
    match issued.filter(|issued| *issued >= first_period) {
        Some(issued) => Err(StoreError::PeriodIssued { issued, first_period }),
        None => Ok(()),
    }
}

async fn last_issued(connection: &mut SqliteConnection, after: u64) -> Result<LastIssued, StoreError> {
    let after = integer(after)?;
    let seen_to: i64 = sqlx::query_scalar("SELECT number FROM audit_head").fetch_one(&mut *connection).await?;
    let unreadable: Option<i64> =
        sqlx::query_scalar("SELECT min(number) FROM audit WHERE number > ? AND NOT json_valid(entry)")
            .bind(after)
            .fetch_one(&mut *connection)
            .await?;
    if let Some(number) = unreadable {
        let found = format!("entry {number} of the audit log is no JSON: see `kms audit verify`");
        return Err(StoreError::Inconsistent(found));
    }
    // Whatever the event, periods are those of keys that went out. What was issued before there was a log stands in a table
    // of its own.
    let latest = sqlx::query(
        "SELECT max(periods.value) AS period, entry ->> '$.uri' AS uri, number \
         FROM audit, json_each(entry, '$.periods') AS periods WHERE number > ? HAVING period IS NOT NULL \
         UNION ALL \
         SELECT max(period_no) AS period, uri, NULL FROM issues_before_audit HAVING period IS NOT NULL \
         ORDER BY period DESC LIMIT 1",
    )
    .bind(after)
    .fetch_optional(connection)
    .await?;
    let issue = |row: SqliteRow| {
        Ok::<_, StoreError>(LatestIssue {
            period: number(row.try_get("period")?)?,
            uri: row.try_get::<Option<_>, _>("uri")?.unwrap_or_default(),
            entry: row.try_get::<Option<_>, _>("number")?.map(number).transpose()?,
        })
    };
    Ok(LastIssued { issue: latest.map(issue).transpose()?, seen_to: number(seen_to)? })
}

/// How many URIs keys were issued to for a key period or later ones. Earlier generations gave none for these.
async fn holders_from(connection: &mut SqliteConnection, first_period: u64) -> Result<u64, StoreError> {
    let count = sqlx::query_scalar(
        "SELECT count(DISTINCT entry ->> '$.uri') FROM audit, json_each(entry, '$.periods') AS periods \
         WHERE periods.value >= ?",
    )
    .bind(integer(first_period)?)
    .fetch_one(connection)
    .await?;
    number(count)
}

async fn insert(connection: &mut SqliteConnection, generation: &Generation, octets: u64) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO generations (number, first_period, fingerprint, octets, withdrawn) VALUES (?, ?, ?, ?, 0)",
    )
    .bind(integer(generation.number)?)
    .bind(integer(generation.first_period)?)
    .bind(&generation.fingerprint)
    .bind(integer(octets)?)
    .execute(connection)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kms::store::{CertificateStore, Issue, NewUser, Store};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::SystemTime;

    fn act() -> Act {
        Act::new("the operator", SystemTime::UNIX_EPOCH)
    }

    async fn store(folder: &std::path::Path) -> SqliteStore {
        let store = SqliteStore::create(&folder.join("kms.sqlite")).await.unwrap();
        store.add_user(&NewUser::new("alice", ["sip:alice@example.org"]), &act()).await.unwrap();
        store
    }

    fn generations_from(first_periods: &[u64]) -> Vec<Generation> {
        let generation = |(number, first_period): (u64, &u64)| Generation {
            number,
            first_period: *first_period,
            fingerprint: format!("{number:064x}"),
            withdrawn: false,
        };
        (1..).zip(first_periods).map(generation).collect()
    }

    /// To these, with nothing to keep.
    fn roll_over(generations: &[Generation]) -> RollOver<'_> {
        RollOver {
            generations,
            issues: EarlierIssues::SeenTo(0),
            octets: 1500,
            pub_enc_key: "z",
            pub_auth_key: "kpak",
            keep: Box::new(|| Ok(())),
        }
    }

    async fn add(
        store: &SqliteStore,
        first_periods: &[u64],
        kept: io::Result<()>,
    ) -> (Result<GenerationChange, StoreError>, usize) {
        let calls = AtomicUsize::new(0);
        let generations = generations_from(first_periods);
        let keep = || {
            calls.fetch_add(1, Ordering::SeqCst);
            kept
        };
        let roll_over = RollOver { keep: Box::new(keep), ..roll_over(&generations) };
        let result = store.add_generation(roll_over, &act()).await;
        (result, calls.load(Ordering::SeqCst))
    }

    async fn issue(store: &SqliteStore, newest_generation: u64, periods: &[u64]) -> Result<(), StoreError> {
        let (user_id, uri) = ("alice".to_owned(), "sip:alice@example.org".to_owned());
        store.record_issues(vec![Issue { user_id, uri, periods: periods.to_vec(), newest_generation }], act()).await
    }

    #[tokio::test]
    async fn a_generation_is_added_with_all_that_belongs_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        assert_eq!(store.generations().await.unwrap(), []);
        let (added, kept) = add(&store, &[0, 10], Ok(())).await;
        assert_eq!((added.unwrap(), kept), (GenerationChange { held: 0, cache_num: 1 }, 1));
        assert_eq!(store.generations().await.unwrap(), generations_from(&[0, 10]));
        assert_eq!(store.certificates().await.unwrap().newest_generation, 2);
        let entries = store.audit_entries(1, 9).await.unwrap();
        assert!(entries[0].entry.contains(r#""event":"rolled_over","generation":2,"first_period":10"#), "{entries:?}");
        assert_eq!(add(&store, &[0, 10, 20], Ok(())).await.0.unwrap().cache_num, 2);
        assert_eq!(store.generations().await.unwrap(), generations_from(&[0, 10, 20]));
    }

    #[tokio::test]
    async fn what_is_refused_changes_nothing_and_keeps_no_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        issue(&store, 1, &[7, 9, 8]).await.unwrap();
        let issue = Some(LatestIssue { period: 9, uri: "sip:alice@example.org".to_owned(), entry: Some(2) });
        assert_eq!(store.last_issued(0).await.unwrap(), LastIssued { issue, seen_to: 2 });
        assert_eq!(store.last_issued(2).await.unwrap(), LastIssued { issue: None, seen_to: 2 });
        let (refused, kept) = add(&store, &[0, 9], Ok(())).await;
        assert!(matches!(refused, Err(StoreError::PeriodIssued { issued: 9, first_period: 9 })));
        assert_eq!(kept, 0);
        assert_eq!(store.generations().await.unwrap(), []);

        sqlx::raw_sql("INSERT INTO issues_before_audit VALUES (1, 1, 'alice', 'sip:old@example.org', 12, 'r')")
            .execute(&store.pool)
            .await
            .unwrap();
        let issue = Some(LatestIssue { period: 12, uri: "sip:old@example.org".to_owned(), entry: None });
        assert_eq!(store.last_issued(0).await.unwrap(), LastIssued { issue, seen_to: 2 });
        sqlx::raw_sql("DELETE FROM issues_before_audit").execute(&store.pool).await.unwrap();

        let (failed, kept) = add(&store, &[0, 10], Err(io::Error::other("no room"))).await;
        assert!(matches!(failed, Err(StoreError::SecretsNotKept(_))) && kept == 1);
        assert_eq!((store.generations().await.unwrap(), store.audit_head().await.unwrap().number), (vec![], 2));

        add(&store, &[0, 10], Ok(())).await.0.unwrap();
        for other in [&[0, 11][..], &[0, 11, 12], &[0, 10, 11, 12], &[]] {
            let (refused, kept) = add(&store, other, Ok(())).await;
            assert!(matches!(refused, Err(StoreError::GenerationsChanged)) && kept == 0, "{other:?}");
        }
    }

    #[tokio::test]
    async fn keys_that_are_given_up_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        issue(&store, 1, &[7, 12]).await.unwrap();
        issue(&store, 1, &[13]).await.unwrap();
        let generations = generations_from(&[0, 9]);
        let given_up = RollOver { issues: EarlierIssues::GivenUp, ..roll_over(&generations) };
        let change = store.add_generation(given_up, &act()).await.unwrap();
        assert_eq!(change, GenerationChange { held: 1, cache_num: 1 });
        assert_eq!(store.generations().await.unwrap(), generations);
    }

    #[tokio::test]
    async fn old_secrets_issue_nothing_of_a_new_generation() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        add(&store, &[0, 10], Ok(())).await.0.unwrap();
        issue(&store, 1, &[8, 9]).await.unwrap();
        let refused = issue(&store, 1, &[9, 10]).await;
        assert!(matches!(refused, Err(StoreError::SecretsOutdated { first_period: 10 })));
        assert_eq!(store.counts().await.unwrap().issues, 2);
        issue(&store, 2, &[9, 10]).await.unwrap();
    }

    #[tokio::test]
    async fn who_has_not_learnt_that_a_generation_was_withdrawn_issues_nothing_of_its_periods() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        add(&store, &[0, 10], Ok(())).await.0.unwrap();
        let [first, second] = &generations_from(&[0, 10])[..] else { panic!("two") };
        let first_again = store.withdraw_generation(first, true, &act()).await;
        assert!(matches!(first_again, Err(StoreError::GenerationsChanged)));
        issue(&store, 2, &[9, 10]).await.unwrap();
        issue(&store, 2, &[11]).await.unwrap();
        let in_use = store.withdraw_generation(second, false, &act()).await;
        assert!(matches!(in_use, Err(StoreError::GenerationInUse { first_period: 10, holders: 1 })), "{in_use:?}");
        assert_eq!(store.generations().await.unwrap(), generations_from(&[0, 10]));
        let withdrawn = store.withdraw_generation(second, true, &act()).await.unwrap();
        assert_eq!(withdrawn, GenerationChange { held: 1, cache_num: 2 });
        let second = Generation { withdrawn: true, ..second.clone() };
        assert_eq!(store.generations().await.unwrap(), [first.clone(), second.clone()]);
        let again = store.withdraw_generation(&second, true, &act()).await;
        assert!(matches!(again, Err(StoreError::GenerationsChanged)));
        assert_eq!(store.certificates().await.unwrap().newest_generation, 3);

        for knows in [1, 3] {
            issue(&store, knows, &[9, 10, 11]).await.unwrap();
        }
        issue(&store, 2, &[9]).await.unwrap();
        assert!(matches!(issue(&store, 2, &[10]).await, Err(StoreError::SecretsOutdated { first_period: 10 })));
        let third = Generation { number: 4, first_period: 12, fingerprint: "4".repeat(64), withdrawn: false };
        let generations = [first.clone(), second, third];
        store.add_generation(roll_over(&generations), &act()).await.unwrap();
        assert_eq!(store.generations().await.unwrap(), generations);
        assert!(matches!(issue(&store, 2, &[10]).await, Err(StoreError::SecretsOutdated { first_period: 10 })));
        assert!(matches!(issue(&store, 3, &[11, 12]).await, Err(StoreError::SecretsOutdated { first_period: 12 })));
        issue(&store, 4, &[10, 12]).await.unwrap();
    }

    #[tokio::test]
    async fn generations_of_before_there_were_withdrawn_ones_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path()).await;
        sqlx::raw_sql(
            "DROP TABLE generations; \
             CREATE TABLE generations (number INTEGER NOT NULL PRIMARY KEY, first_period INTEGER NOT NULL UNIQUE, \
             fingerprint TEXT NOT NULL, octets INTEGER NOT NULL) STRICT; \
             INSERT INTO generations VALUES (1, 0, printf('%064x', 1), 1500), (2, 10, printf('%064x', 2), 1500); \
             DELETE FROM _sqlx_migrations WHERE version = 21",
        )
        .execute(&store.pool)
        .await
        .unwrap();
        store.close().await.unwrap();
        let store = SqliteStore::open(&folder.path().join("kms.sqlite")).await.unwrap();
        assert_eq!(store.generations().await.unwrap(), generations_from(&[0, 10]));
    }
}
