//! Rolling over to new master secrets (docs/roll-over.md).

use super::audit::Act;
use super::authority::key_periods;
use super::config::Config;
use super::hash::hex;
use super::leftovers;
use super::secrets::{GenerationSecrets, MasterSecrets, SecretsFile};
use super::store::{Generation, GenerationStore, RollOver, SqliteStore, Store, StoreError, Withdrawal};
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
    /// The number of the cache of certificates, which has the new one.
    pub cache_num: u64,
    /// Whether this completed a roll-over that was interrupted.
    pub completed: bool,
}

/// Makes new master secrets, which serve from key period `at_period` on, or from the earliest that is safe; or completes a
/// roll-over that was interrupted. Servers take them up when they are started anew.
///
/// # Errors
/// [`Error::RollOverPending`], [`Error::RollOverTooSoon`], [`Error::RollOverTooLate`]; [`Error::RollOverUnfinished`] and
/// [`Error::RollOverOverdue`] of an interrupted one; [`Error::Period`] for one after 9999; [`Error::SecretsUnrecorded`]; those of
/// [`State::open`](super::State::open); [`Error::Store`]. Nothing is then changed, unless it is [`StoreError::SecretsNotKept`] or
/// the database that fails: then the next call completes it.
pub async fn roll_over(
    folder: &Path,
    passphrase: &Passphrase,
    at_period: Option<u64>,
    act: &Act,
) -> Result<RolledOver, Error> {
    let config = state::load(folder)?;
    leftovers::sweep(folder)?;
    let (file, mut secrets) = SecretsFile::open(&config, passphrase)?;
    let store = SqliteStore::open(&config.database()).await?;
    let known = store.generations().await?;
    let outcome = match require_recorded(&config, &mut secrets, &known) {
        Ok(()) => {
            let plan = Plan::new(&config, &store, &known, at_period, act).await?;
            secrets.add(GenerationSecrets::generate(plan.first_period)?);
            let sealed = file.seal(&secrets)?;
            let keep = move || sealed.write();
            commit(&config, &store, secrets, plan.issues_seen_to, Box::new(keep), act).await
        }
        Err(Error::RollOverUnfinished { first_period, .. }) if at_period.is_none_or(|at| at == first_period) => {
            // Its secrets are in the file already.
            let completed = commit(&config, &store, secrets, 0, Box::new(|| Ok(())), act).await;
            match completed {
                Err(Error::Store(StoreError::PeriodIssued { issued, first_period })) => {
                    Err(Error::RollOverOverdue { folder: folder.to_owned(), first_period, issued })
                }
                completed => completed.map(|done| RolledOver { completed: true, ..done }),
            }
        }
        Err(error) => Err(error),
    };
    store.close().await?;
    outcome
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
    let Withdrawal { held, cache_num } = state.store.withdraw_generation(pending, force, act).await?;
    let &Generation { number: generation, first_period, .. } = pending;
    tracing::info!(generation, first_period, held, "roll-over withdrawn");
    Ok(Withdrawn { kms_uri: state.config.kms_uri.clone(), generation, first_period, held, cache_num })
}

/// The generation that has not begun yet.
fn pending(known: &[Generation], current: u64) -> Option<&Generation> {
    known.last().filter(|last| !last.withdrawn && last.first_period > current)
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

/// From when on new secrets shall serve.
struct Plan {
    first_period: u64,
    issues_seen_to: u64,
}

impl Plan {
    async fn new(
        config: &Config,
        store: &dyn Store,
        known: &[Generation],
        at_period: Option<u64>,
        act: &Act,
    ) -> Result<Self, Error> {
        let periods = key_periods(config)?;
        let current = periods.number_at(calendar::ntp(act.at))?;
        if let Some(pending) = pending(known, current) {
            let first_period = pending.first_period;
            return Err(Error::RollOverPending { first_period, begins: beginning(&periods, first_period)? });
        }
        let issued = store.last_issued(0).await?;
        let after_issued =
            issued.period.map_or(Some(0), |issued| issued.checked_add(1)).ok_or(Error::Period(u64::MAX))?;
        let earliest = after_issued.max(current.saturating_add(PERIODS_GIVEN));
        let latest = current.saturating_add(PERIODS_AHEAD);
        let first_period = at_period.unwrap_or(earliest);
        // Keys that were issued far ahead must not make this one wait for years unasked.
        if at_period.is_none() && earliest > latest {
            return Err(Error::RollOverTooLate { first_period: earliest, latest });
        }
        if first_period < earliest {
            let begins = beginning(&periods, earliest)?;
            return Err(Error::RollOverTooSoon { first_period, earliest, begins });
        }
        if first_period > earliest.max(latest) {
            return Err(Error::RollOverTooLate { first_period, latest });
        }
        Ok(Self { first_period, issues_seen_to: issued.seen_to })
    }
}

/// Records the last generation of these secrets, once they are kept.
async fn commit(
    config: &Config,
    store: &dyn Store,
    secrets: MasterSecrets,
    issues_seen_to: u64,
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
        issues_seen_to,
        octets: certificate.to_xml().len() as u64,
        pub_enc_key: &pub_enc_key,
        pub_auth_key: &pub_auth_key,
        keep,
    };
    let cache_num = store.add_generation(roll_over, act).await?;
    tracing::info!(generation = number, first_period, "rolled over");
    let kms_uri = config.kms_uri.clone();
    Ok(RolledOver {
        kms_uri,
        generation: number,
        first_period,
        begins,
        asked_from,
        pub_enc_key,
        pub_auth_key,
        cache_num,
        completed: false,
    })
}

fn beginning(periods: &KeyPeriods, period_no: u64) -> Result<OffsetDateTime, Error> {
    calendar::date_of_ntp_seconds(periods.bounds(period_no).0).ok_or(Error::Period(period_no))
}
