//! Everything that one import or provisioning brings: taken in answer by answer, then stored at once.

mod certificate_rules;
mod certificates;
mod keys;

use super::answer::{Answer, require_same_kms};
use super::certificates::CertificateRecord;
use super::protection::{Protected, require_no_signature};
use super::ready::ready_key;
use super::record::{Contents, KeySetRecord, KmsRecord};
use super::{Error, ImportReport, Store, UserPeriods};
use crate::kms_protocol::{self, KmsInit};
use crate::mc::{KeyPeriods, Kms};
use crate::mikey::NtpTime;
use certificate_rules::{require_dates, require_supported, unsupported};

/// Everything that one provisioning brings, checked, before any of it is stored.
pub(super) struct Intake {
    record: KmsRecord,
    /// What keys are checked under: of each certificate of the KMS that there were keys for.
    ready: Vec<(CertificateRecord, Kms)>,
    /// Periods that the store has keys of.
    held: Vec<u64>,
    /// The convention is settled: by the store, or by the keys seen so far.
    convention_known: bool,
    key_sets: Vec<KeySetRecord>,
    /// Why key sets were left out, by period.
    left_out: Vec<(u64, Error)>,
    others: Vec<KmsRecord>,
    /// What protected the keys; before they are here, the certificate.
    protected: Option<Protected>,
    /// When the KMS answered last, where it was asked over the network.
    answered: Option<i64>,
    notes: Vec<String>,
}

impl Intake {
    /// Checks the certificate of the client's own KMS against the rules and against what `contents` has of it.
    pub(super) fn of_home(contents: &Contents, init: &Answer<KmsInit>, now: NtpTime) -> Result<Self, Error> {
        let certificate = &init.content.certificate;
        require_same_kms("KmsResponse to init", &init.kms_uri, &certificate.kms_uri)?;
        // What is signed as a whole needs no signature within.
        if init.protected.is_none() {
            require_no_signature("the KMS certificate", certificate.signature.clone())?;
        }
        require_supported(certificate)?;
        require_dates(certificate, now)?;
        if certificate.role == Some(kms_protocol::Role::External) {
            return Err(unsupported(certificate, "Role", "External", "Root"));
        }
        let of_kms = contents.key_sets.iter().filter(|set| set.kms_uri == certificate.kms_uri);
        let held: Vec<u64> = of_kms.map(|set| set.period_no).collect();
        let mut intake = Self {
            record: match contents.kms(&certificate.kms_uri) {
                Some(known) => KmsRecord { home: true, ..known.clone() },
                None => KmsRecord::of(certificate, true),
            },
            ready: Vec::new(),
            convention_known: !held.is_empty(),
            held,
            key_sets: Vec::new(),
            left_out: Vec::new(),
            others: Vec::new(),
            protected: init.protected.clone(),
            answered: None,
            notes: Vec::new(),
        };
        intake.take_own(contents, certificate)?;
        Ok(intake)
    }

    pub(super) fn kms_uri(&self) -> &str {
        &self.record.kms_uri
    }

    pub(super) fn periods(&self) -> Result<KeyPeriods, Error> {
        self.record.periods()
    }

    /// Whether keys for this period came, to be stored or left out.
    pub(super) fn has_period(&self, period_no: u64) -> bool {
        self.key_sets.iter().any(|set| set.period_no == period_no)
            || self.left_out.iter().any(|(left_out, _)| *left_out == period_no)
    }

    pub(super) fn cache_number(&self) -> Option<u64> {
        self.record.cache_number
    }

    /// Takes nothing but keys: refuses what would change what `contents` has of any KMS.
    pub(super) fn require_nothing_new(mut self, contents: &Contents) -> Result<Self, Error> {
        let known = contents.kms(&self.record.kms_uri);
        match known.filter(|known| known.home && known.certificates == self.record.certificates) {
            Some(known) if self.others.is_empty() => {
                // A number that was not reached would keep later certificates away.
                self.record.cache_number = known.cache_number;
                Ok(self)
            }
            _ => Err(Error::UnsignedChange { kms_uri: self.record.kms_uri.clone() }),
        }
    }

    /// The KMS's own time of its newest answer, in seconds since 1970.
    pub(super) fn answered_at(&mut self, time: Option<i64>) {
        self.answered = time;
    }

    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Stores everything at once. `user_uri` is whom the answer is for.
    pub(super) fn store(self, store: &mut Store, user_uri: String) -> Result<ImportReport, Error> {
        let mut notes = self.record.convention().notes();
        notes.extend(self.notes);
        if let (true, Some((_, error))) = (self.key_sets.is_empty(), self.left_out.into_iter().next()) {
            return Err(error);
        }
        let key_sets = UserPeriods::of(&self.key_sets);
        let Some(named) = key_sets.iter().find(|user| user.user_uri == user_uri) else {
            let users = key_sets.into_iter().map(|user| user.user_uri).collect();
            return Err(Error::KeysOfOtherUsers { user_uri, users });
        };
        let report = ImportReport {
            user_uri,
            kms_uri: self.record.kms_uri.clone(),
            periods: named.periods.clone(),
            key_sets,
            identity_form: self.record.identity_form,
            period_epoch: self.record.period_epoch,
            signed_with: self.protected.as_ref().map(|with| with.keys.signing_key().name().to_owned()),
            wrapped_with: self.protected.as_ref().map(|with| with.keys.transport.name().to_owned()),
            new_transport_key: self
                .protected
                .as_ref()
                .and_then(|with| with.new_keys.as_ref())
                .map(|new| new.transport.name().to_owned()),
            other_kms: self.others.iter().map(|other| other.kms_uri.clone()).collect(),
            notes,
        };
        let (periods, identity_form) = (self.record.periods()?, self.record.identity_form);
        let ready = self.ready.into_iter().map(|(certificate, kms)| {
            (ready_key(&report.kms_uri, &certificate), kms.with_convention(periods, identity_form))
        });
        store.change(|contents| {
            for record in self.others.into_iter().chain([self.record]) {
                contents.put_kms(record);
            }
            for record in self.key_sets {
                contents.put_key_set(record);
            }
            if let Some(Protected { keys, new_keys }) = self.protected {
                contents.put_client_keys(&report.user_uri, keys, new_keys);
            }
            if let Some(time) = self.answered {
                contents.answered.insert(report.kms_uri.clone(), time);
            }
            Ok(())
        })?;
        store.forget_ready();
        store.kms_cache.extend(ready);
        Ok(report)
    }
}
