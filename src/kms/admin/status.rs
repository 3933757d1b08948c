use crate::kms::authority::key_periods;
use crate::kms::config::Config;
use crate::kms::store::{Counts, Generation, Store};
use crate::kms::{Error, calendar};
use crate::mc::KeyPeriods;
use std::time::SystemTime;
use time::OffsetDateTime;

/// How a KMS stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The URI of the KMS.
    pub kms_uri: String,
    /// The domains that it serves.
    pub domains: Vec<String>,
    /// The length of a key period in seconds.
    pub key_period: u64,
    /// The start of period 0 in seconds after 1900.
    pub key_offset: u64,
    /// The present key period.
    pub period_no: u64,
    /// When the next one begins, UTC.
    pub next_period: OffsetDateTime,
    /// The generations of master secrets, ordered, but for those that were withdrawn.
    pub generations: Vec<Serving>,
    /// What the database holds.
    pub counts: Counts,
}

/// A generation of master secrets in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Serving {
    /// Counted from 1.
    pub generation: u64,
    /// The first key period that it serves.
    pub first_period: u64,
    /// When that begins; none of the first generation.
    pub from: Option<OffsetDateTime>,
    /// When the next one begins, if there is one.
    pub to: Option<OffsetDateTime>,
    /// Whether it serves the present key period.
    pub is_present: bool,
}

/// How the KMS stands. Needs no passphrase: see [`open_store`](crate::kms::open_store).
///
/// # Errors
/// [`Error::Store`].
pub async fn status(config: &Config, store: &dyn Store, now: SystemTime) -> Result<Status, Error> {
    let periods = key_periods(config)?;
    let period_no = periods.number_at(calendar::ntp(now))?;
    let (_, end) = periods.bounds(period_no);
    Ok(Status {
        kms_uri: config.kms_uri.clone(),
        domains: config.domains.clone(),
        key_period: config.key_period,
        key_offset: config.key_offset,
        period_no,
        next_period: calendar::date_of_ntp_seconds(end).ok_or(Error::Period(period_no))?,
        generations: serving(&periods, &store.generations().await?, period_no),
        counts: store.counts().await?,
    })
}

fn serving(periods: &KeyPeriods, generations: &[Generation], period_no: u64) -> Vec<Serving> {
    // A KMS that never rolled over has one, of which the database knows nothing.
    let serving = generations.iter().filter(|generation| !generation.withdrawn);
    let mut serving: Vec<(u64, u64)> = serving.map(|serving| (serving.number, serving.first_period)).collect();
    if serving.is_empty() {
        serving.push((1, 0));
    }
    let ends = serving.iter().skip(1).map(|(_, next)| Some(*next)).chain([None]);
    let beginning = |period_no| calendar::date_of_ntp_seconds(periods.bounds(period_no).0);
    let in_time = |(&(generation, first_period), end): (&(u64, u64), Option<u64>)| Serving {
        generation,
        first_period,
        from: Some(first_period).filter(|first| *first > 0).and_then(beginning),
        to: end.and_then(beginning),
        is_present: first_period <= period_no && end.is_none_or(|end| period_no < end),
    };
    serving.iter().zip(ends).map(in_time).collect()
}
