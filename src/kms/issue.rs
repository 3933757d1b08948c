//! From a URI to its key sets: the one way in which keys leave the KMS.

use super::audit::Act;
use super::rollover::PERIODS_AHEAD;
use super::store::{Holder, Issue, Store, StoreError, UserStatus};
use super::{ClientKind, Error, State, calendar};
use crate::batch::Threads;
use crate::kms_protocol::KmsKeySet;
use std::time::SystemTime;

/// How many key sets are derived between other requests of a thread: half a millisecond of work.
const FEW: usize = 2;

/// A URI whose user was found to be active.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) user_id: String,
    pub(super) kind: ClientKind,
    pub(super) uri: String,
}

impl Grant {
    /// Fails with [`Error::UnknownUri`] and [`Error::Revoked`].
    pub(super) async fn find(store: &dyn Store, uri: &str) -> Result<Self, Error> {
        Self::of(store.holders(&[uri]).await?.first(), uri)
    }

    /// The same for a URI that was looked up already.
    pub(super) fn of(holder: Option<&Holder>, uri: &str) -> Result<Self, Error> {
        let holder = holder.ok_or_else(|| Error::UnknownUri(uri.to_owned()))?;
        let (user_id, uri) = (holder.user_id.clone(), uri.to_owned());
        match holder.status {
            UserStatus::Active => Ok(Self { user_id, kind: holder.kind, uri }),
            UserStatus::Revoked => Err(Error::Revoked { user_id, uri }),
        }
    }
}

/// Derives the key sets of every grant for every period, and notes that they were issued. A user that was revoked
/// meanwhile fails all with [`Error::Revoked`], a period of newer master secrets with [`StoreError::SecretsOutdated`].
pub(super) async fn key_sets(
    state: &State,
    grants: &[Grant],
    periods: &[u64],
    act: Act,
) -> Result<Vec<KmsKeySet>, Error> {
    let newest_generation = state.authority.newest_generation();
    let key_sets = derive(state, grants, periods).await?;

    let issue = |grant: &Grant| Issue {
        user_id: grant.user_id.clone(),
        uri: grant.uri.clone(),
        periods: periods.to_vec(),
        newest_generation,
    };
    state.store.record_issues(grants.iter().map(issue).collect(), act).await.map_err(|error| match error {
        StoreError::AlreadyRevoked(user_id) => {
            let uri = grants.iter().find(|grant| grant.user_id == user_id).map(|grant| grant.uri.clone());
            Error::Revoked { user_id, uri: uri.unwrap_or_default() }
        }
        other => other.into(),
    })?;
    Ok(key_sets)
}

/// Few are derived at once: to hand them to another thread and back costs as much as a part of one.
async fn derive(state: &State, grants: &[Grant], periods: &[u64]) -> Result<Vec<KmsKeySet>, Error> {
    let wanted: Vec<(String, u64)> =
        grants.iter().flat_map(|grant| periods.iter().map(|period| (grant.uri.clone(), *period))).collect();
    let authority = state.authority.clone();
    let is_few = wanted.len() <= FEW;
    let derive = move || {
        let wanted: Vec<(&str, u64)> = wanted.iter().map(|(uri, period)| (uri.as_str(), *period)).collect();
        authority.key_sets(&wanted, Threads::ONE).into_iter().collect()
    };
    if is_few { derive() } else { tokio::task::spawn_blocking(derive).await.map_err(|_| Error::Interrupted)? }
}

/// Keys are given by hand for so many periods ahead, and no more: new master secrets can only serve later ones.
fn require_near(state: &State, period_no: u64, now: SystemTime) -> Result<(), Error> {
    let latest = state.authority.period_at(calendar::ntp(now))?.saturating_add(PERIODS_AHEAD);
    if period_no <= latest { Ok(()) } else { Err(Error::PeriodAhead { period_no, latest }) }
}

/// The key periods that keys are issued for by hand: one that was asked for, or the present one and the next.
pub(super) fn periods(state: &State, period_no: Option<u64>, now: SystemTime) -> Result<Vec<u64>, Error> {
    match period_no {
        Some(period_no) => {
            require_near(state, period_no, now)?;
            state.authority.validity(period_no)?;
            Ok(vec![period_no])
        }
        None => Ok(current_and_next(state, now)?.into()),
    }
}

/// The present key period and the one after it: those that clients may have keys for.
pub(super) fn current_and_next(state: &State, now: SystemTime) -> Result<[u64; 2], Error> {
    let current = state.authority.period_at(calendar::ntp(now))?;
    Ok([current, current.checked_add(1).ok_or(Error::Period(current))?])
}
