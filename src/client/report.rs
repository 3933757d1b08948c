//! What a client has, and what it took in: for people and programs to read, without secrets.

use super::convention::Convention;
use super::record::{IdentityFormText, KeySetRecord, KmsRecord, PeriodEpochText};
use crate::mc::{IdentityForm, PeriodEpoch};
use core::fmt;
use serde::Serialize;

/// What an import or a provisioning brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// Whose keys.
    pub user_uri: String,
    /// The KMS that issued them.
    pub kms_uri: String,
    /// Numbers of the key periods that they are for, ascending.
    pub periods: Vec<u64>,
    /// What of the UID the keys are valid for.
    #[serde(with = "IdentityFormText")]
    pub identity_form: IdentityForm,
    /// What the period numbers count from.
    #[serde(with = "PeriodEpochText")]
    pub period_epoch: PeriodEpoch,
    /// Other KMSs whose certificates came along.
    pub other_kms: Vec<String>,
    /// What a person should know, a sentence each.
    pub notes: Vec<String>,
}

impl ImportReport {
    /// The convention that makes the keys valid.
    pub fn convention(&self) -> Convention {
        Convention { identity_form: self.identity_form, period_epoch: self.period_epoch }
    }
}

impl fmt::Display for ImportReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let periods: Vec<String> = self.periods.iter().map(u64::to_string).collect();
        let plural = if periods.len() == 1 { "" } else { "s" };
        write!(
            formatter,
            "Keys of {} from KMS {}, period{plural} {}",
            self.user_uri,
            self.kms_uri,
            periods.join(", ")
        )?;
        write!(formatter, "\nConvention: {}", self.convention())?;
        self.notes.iter().try_for_each(|note| write!(formatter, "\nNote: {note}"))
    }
}

/// A KMS in a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KmsSummary {
    /// KmsUri.
    pub kms_uri: String,
    /// Whether it issued keys to this client.
    pub home: bool,
    /// Whether its certificate was revoked.
    pub revoked: bool,
    /// UserKeyPeriod, seconds.
    pub period: u64,
    /// UserKeyOffset, seconds.
    pub offset: u64,
    /// What of the UID its keys are for.
    #[serde(with = "IdentityFormText")]
    pub identity_form: IdentityForm,
    /// What its period numbers count from.
    #[serde(with = "PeriodEpochText")]
    pub period_epoch: PeriodEpoch,
}

impl KmsSummary {
    pub(super) fn of(record: &KmsRecord) -> Self {
        Self {
            kms_uri: record.kms_uri.clone(),
            home: record.home,
            revoked: record.revoked,
            period: record.period,
            offset: record.offset,
            identity_form: record.identity_form,
            period_epoch: record.period_epoch,
        }
    }
}

/// A user's keys for one period in a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeySetSummary {
    /// The user.
    pub user_uri: String,
    /// The KMS that issued the keys.
    pub kms_uri: String,
    /// The key period.
    pub period_no: u64,
}

impl KeySetSummary {
    pub(super) fn of(record: &KeySetRecord) -> Self {
        Self { user_uri: record.user_uri.clone(), kms_uri: record.kms_uri.clone(), period_no: record.period_no }
    }
}
