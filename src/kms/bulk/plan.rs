//! What the files of a folder are for: key sets of some periods, or transport keys of no period.

use super::FolderFault;
use crate::kms::hash::hex;
use crate::kms::{Error, State};
use crate::mikey::NtpTime;
use crate::sealing::file;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

pub(super) const FILE: &str = "issue.json";

/// The contents of `issue.json`. Files that are there are left as they are when an issue goes on, so it must be the same issue.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Plan {
    kms_uri: String,
    /// Z in hex: another KMS may have the same name.
    pub_enc_key: String,
    pub(super) periods: Vec<u64>,
}

impl Plan {
    /// The plan of a folder, which is made if there is none. `given` are the periods that were asked for, if any were; `otherwise` those
    /// of a new plan.
    pub(super) fn settle(state: &State, folder: &Path, given: Option<u64>, otherwise: &[u64]) -> Result<Self, Error> {
        // Of the first generation, which stays when the KMS rolls over to others.
        let pub_enc_key = hex(&state.authority.certificate_at(NtpTime::from_bits(0)).pub_enc_key);
        let wanted = Self {
            kms_uri: state.config.kms_uri.clone(),
            pub_enc_key,
            periods: given.map_or(otherwise.to_vec(), |period| vec![period]),
        };
        let path = folder.join(FILE);
        let Some(found) = Self::read(&path)? else {
            let text = serde_json::to_string(&wanted).map_err(|_| FolderFault::Plan(path.clone()))?;
            file::create(&path, text.as_bytes()).map_err(|source| Error::file(&path, source))?;
            return Ok(wanted);
        };
        let is_same = (&found.kms_uri, &found.pub_enc_key) == (&wanted.kms_uri, &wanted.pub_enc_key)
            && (given.is_none() || found.periods == wanted.periods);
        if is_same {
            return Ok(found);
        }
        let (found, wanted) = (found.describe(), wanted.describe());
        Err(FolderFault::OtherPlan { folder: folder.to_owned(), found, wanted }.into())
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
        let periods: Vec<String> = self.periods.iter().map(|period| format!(", period {period}")).collect();
        format!("KMS {} (PubEncKey {key}...){}", self.kms_uri, periods.concat())
    }
}
