//! Writing together: requests that come while the disk is busy with others share the next transaction, and its flush.

use super::super::generations::generations;
use super::super::{Generation, Issue, StoreError, UserStatus};
use super::audit::append_each;
use super::identity::FileIdentity;
use super::users::{require_active, statuses};
use crate::kms::audit::{Act, Event};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqlitePool;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// Those who wait to be written. Whoever comes while nobody writes, writes what is there by then.
#[derive(Clone, Debug)]
pub(super) struct Together {
    file: FileIdentity,
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
    /// For a database that is this file.
    pub(super) fn of(file: FileIdentity) -> Self {
        Self { file, waiting: Arc::default(), writing: Arc::default() }
    }

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
            let (pool, file) = (pool.clone(), self.file.clone());
            // A task of its own, which goes on if this request is given up.
            let written = tokio::spawn(async move {
                write_group(&pool, &file, group).await;
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

async fn write_group(pool: &SqlitePool, file: &FileIdentity, group: Vec<Waiting>) {
    if group.is_empty() {
        return;
    }
    // Whoever does not wait for the answer any more needs none.
    match commit(pool, file, &group).await {
        Ok(results) => group.into_iter().zip(results).for_each(|(waiting, result)| {
            let _ = waiting.answer.send(result);
        }),
        Err(error) => {
            let error = Arc::new(error);
            group.into_iter().for_each(|waiting| {
                let _ = waiting.answer.send(Err(StoreError::Together(error.clone())));
            });
        }
    }
}

/// The result of each, if the whole was committed.
async fn commit(
    pool: &SqlitePool,
    file: &FileIdentity,
    group: &[Waiting],
) -> Result<Vec<Result<(), StoreError>>, StoreError> {
    file.require_in_place()?;
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    let standing = Standing::of(&mut transaction, group).await?;
    let mut events: Vec<(&Act, Cow<'_, Event>)> = Vec::with_capacity(group.len());
    let mut results = Vec::with_capacity(group.len());
    for Waiting { note, act, .. } in group {
        results.push(match note {
            Note::Event(event) => {
                events.push((act, Cow::Borrowed(event)));
                Ok(())
            }
            Note::Issues(issues) => standing
                .admit(issues)
                .map(|()| events.extend(issues.iter().map(|issue| (act, Cow::Owned(event(issue)))))),
        });
    }
    append_each(&mut transaction, events).await?;
    transaction.commit().await?;
    Ok(results)
}

fn event(Issue { user_id, uri, periods, .. }: &Issue) -> Event {
    Event::Issued { user: user_id.clone(), uri: uri.clone(), periods: periods.clone() }
}

/// What decides whether keys may be issued, while nobody else can change it: looked up once for all who are written together.
struct Standing {
    statuses: HashMap<String, UserStatus>,
    generations: Vec<Generation>,
}

impl Standing {
    async fn of(connection: &mut SqliteConnection, group: &[Waiting]) -> Result<Self, StoreError> {
        let issues = group.iter().flat_map(|waiting| match &waiting.note {
            Note::Issues(issues) => issues.as_slice(),
            Note::Event(_) => &[],
        });
        let users: HashSet<&str> = issues.map(|issue| issue.user_id.as_str()).collect();
        if users.is_empty() {
            return Ok(Self { statuses: HashMap::new(), generations: Vec::new() });
        }
        let statuses = statuses(connection, &users).await?;
        Ok(Self { statuses, generations: generations(connection).await? })
    }

    /// The refusal of one is nobody else's affair.
    fn admit(&self, issues: &[Issue]) -> Result<(), StoreError> {
        for Issue { user_id, periods, newest_generation, .. } in issues {
            require_active(&self.statuses, user_id)?;
            // Generations that the issuer takes for others than they are.
            let is_misjudged = |generation: &&Generation| match generation.withdrawn {
                false => generation.number > *newest_generation,
                true => generation.number == *newest_generation,
            };
            let misjudged = self.generations.iter().filter(is_misjudged);
            if let Some(first_period) = misjudged.map(|generation| generation.first_period).min()
                && periods.iter().any(|period| *period >= first_period)
            {
                return Err(StoreError::SecretsOutdated { first_period });
            }
        }
        Ok(())
    }
}
