//! What a client has, and what it took in: for people and programs to read, without secrets.

use super::certificates::CertificateRecord;
use super::convention::Convention;
use super::record::{IdentityFormText, KeySetRecord, KmsRecord, PeriodEpochText, StatusZeroText};
use crate::mc::imessage::StatusZero;
use crate::mc::{IdentityForm, PeriodEpoch};
use core::fmt;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What an import or a provisioning brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// Whom the KMS's answer is for; keys of other users may have come along.
    pub user_uri: String,
    /// The KMS that issued the keys.
    pub kms_uri: String,
    /// Numbers of the key periods that this user's keys are for, ascending.
    pub periods: Vec<u64>,
    /// The same of every user whose keys were stored, by URI.
    pub key_sets: Vec<UserPeriods>,
    /// What of the UID the keys are valid for.
    #[serde(with = "IdentityFormText")]
    pub identity_form: IdentityForm,
    /// What the period numbers count from.
    #[serde(with = "PeriodEpochText")]
    pub period_epoch: PeriodEpoch,
    /// The InK-ID or TrK-ID that every answer was verified under; none if this client shares no keys with the KMS.
    pub signed_with: Option<String>,
    /// The TrK-ID that the keys were wrapped under.
    pub wrapped_with: Option<String>,
    /// The TrK-ID of the next time, where the KMS sent a new TrK or InK.
    pub new_transport_key: Option<String>,
    /// Other KMSs whose certificates came along.
    pub other_kms: Vec<String>,
    /// What a person should know, a sentence each.
    pub notes: Vec<String>,
}

/// A user, and the key periods that there are keys for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UserPeriods {
    /// The user.
    pub user_uri: String,
    /// Numbers of the key periods, ascending.
    pub periods: Vec<u64>,
}

impl UserPeriods {
    /// One for each user of the key sets, by URI.
    pub(super) fn of(key_sets: &[KeySetRecord]) -> Vec<Self> {
        let mut users: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
        for set in key_sets {
            users.entry(&set.user_uri).or_default().insert(set.period_no);
        }
        let named = |(user_uri, periods): (&str, BTreeSet<u64>)| Self {
            user_uri: user_uri.to_owned(),
            periods: periods.into_iter().collect(),
        };
        users.into_iter().map(named).collect()
    }
}

impl fmt::Display for UserPeriods {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let periods: Vec<String> = self.periods.iter().map(u64::to_string).collect();
        let plural = if periods.len() == 1 { "" } else { "s" };
        write!(formatter, "{}, period{plural} {}", self.user_uri, periods.join(", "))
    }
}

impl ImportReport {
    /// The convention that makes the keys valid.
    pub fn convention(&self) -> Convention {
        Convention { identity_form: self.identity_form, period_epoch: self.period_epoch }
    }
}

impl fmt::Display for ImportReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Keys from KMS {}", self.kms_uri)?;
        self.key_sets.iter().try_for_each(|user| write!(formatter, "\nOf {user}"))?;
        write!(formatter, "\nConvention: {}", self.convention())?;
        if let (Some(signed_with), Some(wrapped_with)) = (&self.signed_with, &self.wrapped_with) {
            write!(formatter, "\nSigned with {signed_with}, keys wrapped with {wrapped_with}")?;
        }
        if let Some(new) = &self.new_transport_key {
            write!(formatter, "\nNew transport key from now on: {new}")?;
        }
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
    /// Whether all its certificates were revoked.
    pub revoked: bool,
    /// Its certificates, ordered by time: several where it has rolled over to new master secrets.
    pub certificates: Vec<CertificateSummary>,
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
    /// What is excused in messages whose initiator is a user of it: names of [`Excuse`](crate::mc::imessage::Excuse)s.
    pub excused: Vec<String>,
    /// What status 0 in key parameters means in these messages.
    #[serde(with = "StatusZeroText")]
    pub status_zero: StatusZero,
}

impl KmsSummary {
    pub(super) fn of(record: &KmsRecord) -> Self {
        Self {
            kms_uri: record.kms_uri.clone(),
            home: record.home,
            revoked: record.is_revoked(),
            certificates: record.certificates.iter().map(CertificateSummary::of).collect(),
            period: record.period,
            offset: record.offset,
            identity_form: record.identity_form,
            period_epoch: record.period_epoch,
            excused: record.excused.clone(),
            status_zero: record.status_zero,
        }
    }
}

/// A certificate of a KMS in a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CertificateSummary {
    /// CertUri.
    pub cert_uri: Option<String>,
    /// ValidFrom, seconds since 1970.
    pub valid_from: Option<i64>,
    /// ValidTo, seconds since 1970.
    pub valid_to: Option<i64>,
    /// Whether it was revoked.
    pub revoked: bool,
}

impl CertificateSummary {
    fn of(record: &CertificateRecord) -> Self {
        let CertificateRecord { cert_uri, valid_from, valid_to, revoked, .. } = record;
        Self { cert_uri: cert_uri.clone(), valid_from: *valid_from, valid_to: *valid_to, revoked: *revoked }
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
