//! Rolling over to new master secrets (docs/roll-over.md).

use super::audit::{self, Act};
use super::authority::key_periods;
use super::config::Config;
use super::hash::hex;
use super::leftovers;
use super::secrets::{GenerationSecrets, MasterSecrets, SecretsFile};
use super::store::{EarlierIssues, Generation, GenerationChange, LastIssued, RollOver, SqliteStore, Store, StoreError};
use super::{Authority, Error, State, calendar, state};
use crate::mc::KeyPeriods;
use crate::sealing::Passphrase;
use std::path::Path;
use time::OffsetDateTime;

/// Key periods whose keys clients can have at any time: the present one and the next.
const PERIODS_GIVEN: u64 = 2;

/// Key periods that a roll-over can be ahead: no other can be made until it begins or is withdrawn.
pub(super) const PERIODS_AHEAD: u64 = 60;

/// What [`roll_over`] did.
#[derive(Clone, Debug)]
pub struct RolledOver {
    /// The URI of the KMS.
    pub kms_uri: String,
    /// Number of the new generation of master secrets.
    pub generation: u64,
    /// The first key period that it serves.
    pub first_period: u64,
    /// When that begins.
    pub begins: OffsetDateTime,
    /// When a server must have been started anew: keys for the first period are asked for from then on.
    pub asked_from: OffsetDateTime,
    /// Z, the public key of SAKKE, hex.
    pub pub_enc_key: String,
    /// KPAK, the public key of ECCSI, hex.
    pub pub_auth_key: String,
    /// URIs that hold keys of its periods from the secrets before, which are good no more.
    pub held: u64,
    /// The number of the cache of certificates, which has the new one.
    pub cache_num: u64,
    /// Whether this completed a roll-over that was interrupted.
    pub completed: bool,
}

/// From when on new master secrets shall serve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RollOverAt {
    /// The first key period; without one the earliest that is safe.
    pub first_period: Option<u64>,
    /// Also if keys of the period were issued far ahead, which are then good no more. None that clients can have in time are given up: the
    /// present period and the next are never taken.
    pub force: bool,
}

/// Makes new master secrets, which serve from a later key period on; or completes a roll-over that was interrupted. Servers take them up
/// when they are started anew.
///
/// # Errors
/// [`Error::RollOverPending`], [`Error::RollOverTooSoon`], [`Error::RollOverHeld`], [`Error::RollOverTooLate`];
/// [`Error::RollOverUnfinished`] and [`Error::RollOverOverdue`] of an interrupted one; [`Error::Period`] for one after 9999;
/// [`Error::SecretsUnrecorded`]; those of [`State::open`](super::State::open); [`Error::Store`]. Nothing is then changed, unless it is
/// [`StoreError::SecretsNotKept`] or the database that fails: then the next call completes it.
pub async fn roll_over(folder: &Path, passphrase: &Passphrase, at: RollOverAt, act: &Act) -> Result<RolledOver, Error> {
    let config = state::load(folder)?;
    leftovers::sweep(folder)?;
    let sealed = SecretsFile::open(&config, passphrase)?;
    let store = SqliteStore::open(&config.database()).await?;
    let outcome = roll_over_in(&config, sealed, &store, at, act).await;
    store.close().await?;
    outcome
}

async fn roll_over_in(
    config: &Config,
    (file, mut secrets): (SecretsFile, MasterSecrets),
    store: &dyn Store,
    at: RollOverAt,
    act: &Act,
) -> Result<RolledOver, Error> {
    match recorded(config, &mut secrets, store).await {
        Ok(known) => {
            let plan = Plan::new(config, store, &known, at, act).await?;
            secrets.add(GenerationSecrets::generate(plan.first_period)?);
            let sealed = file.seal(&secrets)?;
            let keep = move || sealed.write();
            commit(config, store, secrets, plan.issues, Box::new(keep), act).await
        }
        Err(Error::RollOverUnfinished { first_period, .. }) if at.first_period.is_none_or(|at| at == first_period) => {
            // Its secrets are in the file already.
            let current = key_periods(config)?.number_at(calendar::ntp(act.at))?;
            let is_in_time = first_period >= current.saturating_add(PERIODS_GIVEN);
            let issues = if at.force && is_in_time { EarlierIssues::GivenUp } else { EarlierIssues::SeenTo(0) };
            match commit(config, store, secrets, issues, Box::new(|| Ok(())), act).await {
                Err(Error::Store(StoreError::PeriodIssued { issued, first_period })) => {
                    Err(Error::RollOverOverdue { folder: config.folder.clone(), first_period, issued })
                }
                completed => completed.map(|done| RolledOver { completed: true, ..done }),
            }
        }
        Err(error) => Err(error),
    }
}

/// What [`withdraw`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawn {
    /// The URI of the KMS.
    pub kms_uri: String,
    /// Number of the generation of master secrets that will not serve.
    pub generation: u64,
    /// The first key period that it would have served.
    pub first_period: u64,
    /// URIs that hold keys of it, which are good no more.
    pub held: u64,
    /// The number of the cache of certificates, which has its certificate as a revoked one.
    pub cache_num: u64,
}

/// Withdraws the roll-over that has not begun yet; the generation before serves on. Servers learn of it when they are started anew, and
/// their clients from the cache of certificates. With `force`, also if somebody holds keys of the generation.
///
/// # Errors
/// [`Error::NoRollOverPending`]; [`StoreError::GenerationInUse`]; those of [`State::open`]. Nothing is then changed.
pub async fn withdraw(folder: &Path, passphrase: &Passphrase, force: bool, act: &Act) -> Result<Withdrawn, Error> {
    let state = State::open(folder, passphrase).await?;
    let outcome = withdraw_pending(&state, force, act).await;
    state.store.close().await?;
    outcome
}

async fn withdraw_pending(state: &State, force: bool, act: &Act) -> Result<Withdrawn, Error> {
    let current = state.authority.period_at(calendar::ntp(act.at))?;
    let known = state.store.generations().await?;
    let pending = pending(&known, current).ok_or(Error::NoRollOverPending)?;
    let GenerationChange { held, cache_num } = state.store.withdraw_generation(pending, force, act).await?;
    let &Generation { number: generation, first_period, .. } = pending;
    tracing::info!(generation, first_period, held, "roll-over withdrawn");
    Ok(Withdrawn { kms_uri: state.config.kms_uri.clone(), generation, first_period, held, cache_num })
}

/// The generation that has not begun yet.
fn pending(known: &[Generation], current: u64) -> Option<&Generation> {
    known.last().filter(|last| !last.withdrawn && last.first_period > current)
}

/// The generations that the database knows of, if the sealed secrets are those that belong to it.
pub(super) async fn recorded(
    config: &Config,
    secrets: &mut MasterSecrets,
    store: &dyn Store,
) -> Result<Vec<Generation>, Error> {
    let known = store.generations().await?;
    require_recorded(config, secrets, &known)?;
    // The database of a KMS that never rolled over has no generations: the log says which secrets it was made with.
    if known.is_empty() && audit::origin(store).await? != secrets.origin() {
        return Err(Error::SecretsUnrecorded { folder: config.folder.clone() });
    }
    Ok(known)
}

/// Requires the sealed secrets to be those that the database knows of, and marks those that it knows to be withdrawn.
pub(super) fn require_recorded(
    config: &Config,
    secrets: &mut MasterSecrets,
    known: &[Generation],
) -> Result<(), Error> {
    secrets.mark_withdrawn(known);
    let sealed = secrets.public();
    let is_all = sealed == known || (known.is_empty() && sealed.len() == 1);
    match sealed.split_last() {
        _ if is_all => Ok(()),
        Some((last, before)) if before == known || (known.is_empty() && before.len() == 1) => {
            Err(Error::RollOverUnfinished { folder: config.folder.clone(), first_period: last.first_period })
        }
        _ => Err(Error::SecretsUnrecorded { folder: config.folder.clone() }),
    }
}

/// From when on new secrets serve.
struct Plan {
    first_period: u64,
    issues: EarlierIssues,
}

impl Plan {
    async fn new(
        config: &Config,
        store: &dyn Store,
        known: &[Generation],
        RollOverAt { first_period: asked, force }: RollOverAt,
        act: &Act,
    ) -> Result<Self, Error> {
        let periods = key_periods(config)?;
        let current = periods.number_at(calendar::ntp(act.at))?;
        if let Some(pending) = pending(known, current) {
            let first_period = pending.first_period;
            return Err(Error::RollOverPending { first_period, begins: beginning(&periods, first_period)? });
        }
        let earliest = current.saturating_add(PERIODS_GIVEN);
        let latest = current.saturating_add(PERIODS_AHEAD);
        let LastIssued { issue, seen_to } = store.last_issued(0).await?;
        let held = issue.filter(|issue| !force && issue.period >= earliest);
        let free = held.as_ref().map_or(earliest, |issue| issue.period.saturating_add(1));
        let first_period = asked.unwrap_or(free);
        if first_period < earliest {
            let begins = beginning(&periods, earliest)?;
            return Err(Error::RollOverTooSoon { first_period, earliest, begins });
        }
        match held {
            // Keys that were issued far ahead must not make new secrets wait for years unasked.
            Some(issue) if first_period < free || (asked.is_none() && first_period > latest) => {
                Err(Error::RollOverHeld { begins: beginning(&periods, issue.period)?, issue })
            }
            _ if first_period > free.max(latest) => Err(Error::RollOverTooLate { first_period, latest }),
            _ => {
                let issues = if force { EarlierIssues::GivenUp } else { EarlierIssues::SeenTo(seen_to) };
                Ok(Self { first_period, issues })
            }
        }
    }
}

/// Records the last generation of these secrets, once they are kept.
async fn commit(
    config: &Config,
    store: &dyn Store,
    secrets: MasterSecrets,
    issues: EarlierIssues,
    keep: Box<dyn FnOnce() -> std::io::Result<()> + Send + '_>,
    act: &Act,
) -> Result<RolledOver, Error> {
    let generations = secrets.public();
    let Some(Generation { number, first_period, .. }) = generations.last().cloned() else {
        return Err(StoreError::GenerationsChanged.into());
    };
    let authority = Authority::new(config, secrets)?;
    let (begins, asked_from) = (
        beginning(authority.periods(), first_period)?,
        beginning(authority.periods(), first_period.saturating_sub(1))?,
    );
    let certificate = authority.newest_certificate();
    let (pub_enc_key, pub_auth_key) = (hex(&certificate.pub_enc_key), hex(&certificate.pub_auth_key));
    let roll_over = RollOver {
        generations: &generations,
        issues,
        octets: certificate.to_xml().len() as u64,
        pub_enc_key: &pub_enc_key,
        pub_auth_key: &pub_auth_key,
        keep,
    };
    let GenerationChange { held, cache_num } = store.add_generation(roll_over, act).await?;
    tracing::info!(generation = number, first_period, held, "rolled over");
    let kms_uri = config.kms_uri.clone();
    Ok(RolledOver {
        kms_uri,
        generation: number,
        first_period,
        begins,
        asked_from,
        pub_enc_key,
        pub_auth_key,
        held,
        cache_num,
        completed: false,
    })
}

fn beginning(periods: &KeyPeriods, period_no: u64) -> Result<OffsetDateTime, Error> {
    calendar::date_of_ntp_seconds(periods.bounds(period_no).0).ok_or(Error::Period(period_no))
}
