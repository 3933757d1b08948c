//! Errors that clients report.

use super::sqlite::{integer, record};
use super::{Answer, Sender, SqliteStore};
use crate::kms::audit::{Act, Event};
use sqlx::Row;

/// How many reports of a user are kept: the newest.
pub const MAX_REPORTS: u64 = 32;

/// The most characters of a report's text that are kept.
pub const MAX_REPORT_CHARACTERS: usize = 512;

/// What clients report with `ClientError`.
pub trait ReportStore {
    /// Keeps a report, its text cut to [`MAX_REPORT_CHARACTERS`], and forgets the oldest of the user beyond
    /// [`MAX_REPORTS`].
    fn add_report<'a>(&'a self, report: &'a ClientReport, act: &'a Act) -> Answer<'a, ()>;

    /// All reports, oldest first.
    fn reports(&self) -> Answer<'_, Vec<ClientReport>>;
}

/// One `ClientError`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientReport {
    /// From whom.
    pub sender: Sender,
    /// `ErrorCode`: a number of the client's own.
    pub code: i64,
    /// `ErrorMsg`.
    pub message: String,
}

impl ReportStore for SqliteStore {
    fn add_report<'a>(&'a self, report: &'a ClientReport, act: &'a Act) -> Answer<'a, ()> {
        Box::pin(async move {
            let ClientReport { sender, code, message } = report;
            let message: String = message.chars().take(MAX_REPORT_CHARACTERS).collect();
            let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
            let row =
                "INSERT INTO reports (received, user_id, uri, request_id, code, message) VALUES (?, ?, ?, ?, ?, ?)";
            sender.bind(sqlx::query(row))?.bind(code).bind(message).execute(&mut *transaction).await?;
            sqlx::query(
                "DELETE FROM reports WHERE user_id = ?1 AND id NOT IN \
                 (SELECT id FROM reports WHERE user_id = ?1 ORDER BY id DESC LIMIT ?2)",
            )
            .bind(&sender.user_id)
            .bind(integer(MAX_REPORTS)?)
            .execute(&mut *transaction)
            .await?;
            record(&mut transaction, act, &Event::ErrorReported { user: sender.user_id.clone(), code: *code }).await?;
            Ok(transaction.commit().await?)
        })
    }

    fn reports(&self) -> Answer<'_, Vec<ClientReport>> {
        Box::pin(async move {
            let rows = sqlx::query("SELECT received, user_id, uri, request_id, code, message FROM reports ORDER BY id")
                .fetch_all(&self.pool)
                .await?;
            rows.iter()
                .map(|row| {
                    Ok(ClientReport {
                        sender: Sender::of(row)?,
                        code: row.try_get("code")?,
                        message: row.try_get("message")?,
                    })
                })
                .collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::NewUser;
    use super::*;
    use crate::kms::Store as _;
    use std::time::SystemTime;

    fn act() -> Act {
        Act::new("somebody", SystemTime::UNIX_EPOCH)
    }

    #[tokio::test]
    async fn the_newest_reports_of_each_user_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::create(&folder.path().join("kms.sqlite")).await.unwrap();
        for id in ["alice", "bob"] {
            store.add_user(&NewUser::new(id, [format!("sip:{id}@example.org")]), &act()).await.unwrap();
        }
        let report = |user_id: &str, received| {
            let (user_id, uri) = (user_id.to_owned(), format!("sip:{user_id}@example.org"));
            let sender = Sender { received, user_id, uri, request_id: "r".into() };
            ClientReport { sender, code: -3, message: "\u{e9}".repeat(600) }
        };
        store.add_report(&report("bob", 1), &act()).await.unwrap();
        for received in 0..40 {
            store.add_report(&report("alice", received), &act()).await.unwrap();
        }
        let reports = store.reports().await.unwrap();
        assert_eq!(reports.len(), 33);
        assert_eq!((reports[0].sender.user_id.as_str(), reports[0].code), ("bob", -3));
        assert_eq!(reports[0].message.chars().count(), MAX_REPORT_CHARACTERS);
        assert_eq!((reports[1].sender.received, reports[32].sender.received), (8, 39));
    }
}
