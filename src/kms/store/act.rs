//! Changes that somebody made on purpose, as they become part of the database.

use super::StoreError;
use sqlx::{Sqlite, Transaction};

/// What was done.
#[derive(Debug)]
pub(super) enum Act<'a> {
    CertificateAdded { kms_uri: &'a str, fingerprint: &'a str, cache_num: u64 },
    CertificateRemoved { kms_uri: &'a str, cache_num: u64 },
    ErrorReported { user_id: &'a str, request_id: &'a str, code: i64 },
    RedirectsHandedIn { user_id: &'a str, request_id: &'a str, count: usize },
}

/// Ends the transaction of an act, and tells of it in the log: the one way in which these acts take effect.
pub(super) async fn commit(transaction: Transaction<'_, Sqlite>, act: &Act<'_>) -> Result<(), StoreError> {
    transaction.commit().await?;
    match act {
        Act::CertificateAdded { kms_uri, fingerprint, cache_num } => {
            tracing::info!(kms_uri, fingerprint, cache_num, "certificate of another KMS added");
        }
        Act::CertificateRemoved { kms_uri, cache_num } => {
            tracing::info!(kms_uri, cache_num, "certificate of another KMS removed");
        }
        Act::ErrorReported { user_id, request_id, code } => {
            tracing::info!(user = user_id, request_id, code, "a client reported an error");
        }
        Act::RedirectsHandedIn { user_id, request_id, count } => {
            tracing::info!(user = user_id, request_id, count, "a client handed redirect responses in");
        }
    }
    Ok(())
}
