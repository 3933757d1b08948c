//! Writing together: requests that come while the disk is busy with others share the next transaction, and its flush.

use super::super::generations::require_newest;
use super::super::{Issue, StoreError};
use super::audit::Chain;
use super::require_active;
use crate::kms::audit::{Act, Event};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqlitePool;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// Those who wait to be written. Whoever comes while nobody writes, writes what is there by then.
#[derive(Clone, Debug, Default)]
pub(super) struct Together {
    waiting: Arc<Mutex<Vec<Waiting>>>,
    writing: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug)]
struct Waiting {
    note: Note,
    act: Act,
    answer: oneshot::Sender<Result<(), StoreError>>,
}

/// What is to be written.
#[derive(Debug)]
pub(super) enum Note {
    /// All of them, if all their users are active.
    Issues(Vec<Issue>),
    Event(Event),
}

impl Together {
    /// Returns once it is on the disk.
    pub(super) async fn write(&self, pool: &SqlitePool, note: Note, act: Act) -> Result<(), StoreError> {
        let (answer, mut answered) = oneshot::channel();
        self.waiting().push(Waiting { note, act, answer });
        loop {
            let turn = tokio::select! {
                biased;
                result = &mut answered => return result.unwrap_or(Err(StoreError::Interrupted)),
                turn = self.writing.clone().lock_owned() => turn,
            };
            let group = mem::take(&mut *self.waiting());
            let pool = pool.clone();
            // A task of its own, which goes on if this request is given up.
            let written = tokio::spawn(async move {
                write_group(&pool, group).await;
                drop(turn);
            });
            // If it was stopped, so were the answers.
            let _ = written.await;
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn write_group(pool: &SqlitePool, group: Vec<Waiting>) {
    if group.is_empty() {
        return;
    }
    // Whoever does not wait for the answer any more needs none.
    match commit(pool, &group).await {
        Ok(results) => group.into_iter().zip(results).for_each(|(waiting, result)| {
            let _ = waiting.answer.send(result);
        }),
        Err(error) => group.into_iter().for_each(|waiting| {
            let _ = waiting.answer.send(Err(StoreError::Together(error.to_string())));
        }),
    }
}

/// The result of each, if the whole was committed.
async fn commit(pool: &SqlitePool, group: &[Waiting]) -> Result<Vec<Result<(), StoreError>>, StoreError> {
    let mut results = Vec::with_capacity(group.len());
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    let mut chain = Chain::begin(&mut transaction).await?;
    for Waiting { note, act, .. } in group {
        results.push(match append(&mut transaction, &mut chain, note, act).await {
            Ok(()) => Ok(()),
            // Found before anything of it was written, and nobody else's affair.
            Err(
                refused @ (StoreError::NoSuchUser(_)
                | StoreError::AlreadyRevoked(_)
                | StoreError::SecretsOutdated { .. }),
            ) => Err(refused),
            Err(error) => return Err(error),
        });
    }
    chain.end(&mut transaction).await?;
    transaction.commit().await?;
    Ok(results)
}

async fn append(
    connection: &mut SqliteConnection,
    chain: &mut Chain,
    note: &Note,
    act: &Act,
) -> Result<(), StoreError> {
    let issues = match note {
        Note::Event(event) => return chain.append(connection, act, event).await,
        Note::Issues(issues) => issues,
    };
    for issue in issues {
        require_active(connection, &issue.user_id).await?;
        require_newest(connection, issue.newest_generation, &issue.periods).await?;
    }
    for Issue { user_id, uri, periods, .. } in issues {
        let event = Event::Issued { user: user_id.clone(), uri: uri.clone(), periods: periods.clone() };
        chain.append(connection, act, &event).await?;
    }
    Ok(())
}
