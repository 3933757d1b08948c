//! Redirect responses that clients hand in.

use super::sqlite::{integer, record};
use super::{Answer, Sender, SqliteStore};
use crate::kms::audit::{Act, Event};
use sqlx::Row;

/// How many redirect responses of a user are kept: the newest.
pub const MAX_REDIRECTS_OF_USER: u64 = 32;

/// The most octets of a redirect response that is taken.
pub const MAX_REDIRECT_OCTETS: usize = 16 * 1024;

/// What clients hand in at the resource `redirect`.
pub trait RedirectStore {
    /// Keeps redirect responses of one request of one user, and forgets the oldest of the user beyond
    /// [`MAX_REDIRECTS_OF_USER`].
    fn add_redirects<'a>(&'a self, sender: &'a Sender, documents: &'a [String], act: &'a Act) -> Answer<'a, ()>;

    /// All redirect responses, oldest first.
    fn redirects(&self) -> Answer<'_, Vec<HandedIn>>;
}

/// One redirect response that was handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandedIn {
    /// By whom.
    pub sender: Sender,
    /// The document, octet by octet.
    pub document: String,
}

impl RedirectStore for SqliteStore {
    fn add_redirects<'a>(&'a self, sender: &'a Sender, documents: &'a [String], act: &'a Act) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
            for document in documents {
                let row = "INSERT INTO redirects (received, user_id, uri, request_id, document) VALUES (?, ?, ?, ?, ?)";
                sender.bind(sqlx::query(row))?.bind(document).execute(&mut *transaction).await?;
            }
            sqlx::query(
                "DELETE FROM redirects WHERE user_id = ?1 AND id NOT IN \
                 (SELECT id FROM redirects WHERE user_id = ?1 ORDER BY id DESC LIMIT ?2)",
            )
            .bind(&sender.user_id)
            .bind(integer(MAX_REDIRECTS_OF_USER)?)
            .execute(&mut *transaction)
            .await?;
            let event = Event::RedirectsHandedIn { user: sender.user_id.clone(), count: documents.len() as u64 };
            record(&mut transaction, act, &event).await?;
            Ok(transaction.commit().await?)
        })
    }

    fn redirects(&self) -> Answer<'_, Vec<HandedIn>> {
        Box::pin(async move {
            let rows = sqlx::query("SELECT received, user_id, uri, request_id, document FROM redirects ORDER BY id")
                .fetch_all(&self.pool)
                .await?;
            rows.iter()
                .map(|row| Ok(HandedIn { sender: Sender::of(row)?, document: row.try_get("document")? }))
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
    async fn the_newest_redirect_responses_of_each_user_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::create(&folder.path().join("kms.sqlite")).await.unwrap();
        for id in ["alice", "bob"] {
            store.add_user(&NewUser::new(id, [format!("sip:{id}@example.org")]), &act()).await.unwrap();
        }
        let sender = |user_id: &str| Sender {
            received: 5,
            user_id: user_id.into(),
            uri: format!("sip:{user_id}@example.org"),
            request_id: "r".into(),
        };
        store.add_redirects(&sender("bob"), &["<b/>".to_owned()], &act()).await.unwrap();
        for i in 0..20 {
            let documents = [format!("<a{i}/>"), format!("<b{i}/>")];
            store.add_redirects(&sender("alice"), &documents, &act()).await.unwrap();
        }
        let redirects = store.redirects().await.unwrap();
        assert_eq!(redirects.len(), 33);
        assert_eq!(redirects[0], HandedIn { sender: sender("bob"), document: "<b/>".into() });
        assert_eq!((redirects[1].document.as_str(), redirects[32].document.as_str()), ("<a4/>", "<b19/>"));
    }
}
