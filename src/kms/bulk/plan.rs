//! What the files of a folder are for: key sets of some periods, or transport keys of no period.

use super::batch::{KEY_PROV, TRK};
use super::folder::Folder;
use super::{FolderFault, WithoutKeys};
use crate::kms::hash::hex;
use crate::kms::{Error, State};
use crate::sealing::file;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

pub(super) const FILE: &str = "issue.json";

/// The contents of `issue.json`. Files that are there are kept when an issue goes on, so it must be the same issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Plan {
    kms_uri: String,
    /// Z in hex: another KMS may have the same name.
    pub_enc_key: String,
    periods: Vec<Period>,
    holds: Holds,
}

/// A key period, and the master secrets that its keys follow from: once a roll-over was withdrawn, they are others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Period {
    number: u64,
    /// SHA-256 of Z and KPAK of their generation.
    secrets: String,
}

/// What protects the keys in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Holds {
    /// Every key set is wrapped.
    WrappedKeys,
    /// Those of users without transport key are in clear.
    KeysInClear,
    /// It has the transport keys themselves.
    TransportKeys,
}

impl Plan {
    /// The plan of a folder for key sets, as long as it has none that of what was asked for. `given` is the period that was asked for,
    /// if any was; `now` are those of a new plan.
    pub(super) fn of_key_sets(
        state: &State,
        folder: &Folder,
        given: Option<u64>,
        now: Vec<u64>,
        without_keys: &WithoutKeys,
    ) -> Result<Self, Error> {
        let holds = match without_keys {
            WithoutKeys::Clear => Holds::KeysInClear,
            WithoutKeys::Refuse | WithoutKeys::Make(_) => Holds::WrappedKeys,
        };
        let wanted = Self::new(state, now, holds);
        // An issue goes on with the periods that it was begun for.
        let is_same = |found: &Self| {
            let is_same_but_for_periods = *found == Self { periods: found.periods.clone(), ..wanted.clone() };
            is_same_but_for_periods && (given.is_none() || found.numbers() == wanted.numbers())
        };
        let settled = wanted.settle(folder, is_same)?;
        match settled.periods.iter().find(|period| **period != Period::of(state, period.number)) {
            Some(Period { number, .. }) => {
                Err(FolderFault::OtherSecrets { folder: folder.path.clone(), period_no: *number }.into())
            }
            None => Ok(settled),
        }
    }

    /// Makes a folder one for transport keys, or finds it to be one.
    pub(super) fn of_transport_keys(state: &State, folder: &Folder) -> Result<(), Error> {
        let wanted = Self::new(state, Vec::new(), Holds::TransportKeys);
        wanted.settle(folder, |found| *found == wanted).map(drop)
    }

    fn new(state: &State, periods: Vec<u64>, holds: Holds) -> Self {
        // Of the first generation, which stays when the KMS rolls over to others.
        let first = state.authority.certificates_of(&[0]);
        let pub_enc_key = first.first().map(|first| hex(&first.pub_enc_key)).unwrap_or_default();
        let periods = periods.into_iter().map(|number| Period::of(state, number)).collect();
        Self { kms_uri: state.config.kms_uri.clone(), pub_enc_key, periods, holds }
    }

    /// The key periods.
    pub(super) fn numbers(&self) -> Vec<u64> {
        self.periods.iter().map(|period| period.number).collect()
    }

    /// The plan that is there, if files of it are there and it is the same; otherwise this one.
    fn settle(&self, folder: &Folder, is_same: impl Fn(&Self) -> bool) -> Result<Self, Error> {
        let path = folder.path.join(FILE);
        let found = Self::read(&path)?;
        let is_file = |name: &String| [KEY_PROV, TRK].iter().any(|ending| name.ends_with(ending));
        let has_files = folder.finished()?.iter().any(is_file);
        match found {
            Some(found) if has_files && is_same(&found) => Ok(found),
            Some(found) if has_files => {
                let (found, wanted) = (found.describe(), self.describe());
                Err(FolderFault::OtherPlan { folder: folder.path.clone(), found, wanted }.into())
            }
            _ => {
                let text = serde_json::to_string(self).map_err(|_| FolderFault::Plan(path.clone()))?;
                file::replace(&path, text.as_bytes()).map_err(|source| Error::file(&path, source))?;
                Ok(self.clone())
            }
        }
    }

    fn read(path: &Path) -> Result<Option<Self>, Error> {
        match fs::read(path) {
            Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|_| FolderFault::Plan(path.to_owned()).into()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::file(path, source)),
        }
    }

    /// Two KMSs of one name are told apart by their key.
    fn describe(&self) -> String {
        let key = self.pub_enc_key.get(..18).unwrap_or_default();
        let periods: Vec<String> = self.numbers().iter().map(|number| format!(", period {number}")).collect();
        let holds = match self.holds {
            Holds::WrappedKeys => "wrapped keys alone",
            Holds::KeysInClear => "keys in clear",
            Holds::TransportKeys => "transport keys",
        };
        format!("KMS {} (PubEncKey {key}...){}, {holds}", self.kms_uri, periods.concat())
    }
}

impl Period {
    fn of(state: &State, number: u64) -> Self {
        Self { number, secrets: state.authority.fingerprint(number).to_string() }
    }
}
