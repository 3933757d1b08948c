//! From whom the KMS has what clients send beside their requests.

use super::StoreError;
use super::sqlite::{integer, number};
use sqlx::Row;
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteRow};

/// Who handed something in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// When, in seconds since 1970.
    pub received: u64,
    /// Which user.
    pub user_id: String,
    /// In the name of which of its URIs.
    pub uri: String,
    /// In which request of the log.
    pub request_id: String,
}

impl Sender {
    /// As the first four values of a row: received, user_id, uri, request_id.
    pub(super) fn bind<'q>(
        &'q self,
        row: Query<'q, Sqlite, SqliteArguments>,
    ) -> Result<Query<'q, Sqlite, SqliteArguments>, StoreError> {
        Ok(row.bind(integer(self.received)?).bind(&self.user_id).bind(&self.uri).bind(&self.request_id))
    }

    /// Of a row with columns of these names.
    pub(super) fn of(row: &SqliteRow) -> Result<Self, StoreError> {
        Ok(Self {
            received: number(row.try_get("received")?)?,
            user_id: row.try_get("user_id")?,
            uri: row.try_get("uri")?,
            request_id: row.try_get("request_id")?,
        })
    }
}
