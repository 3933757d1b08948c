//! Pre-provisioning: the key sets of many users, in files that clients import.
//!
//! A folder gets `issue.json` (what the files in it are for), `init.xml` (the certificate, for clients without transport key) and
//! for each URI `NAME.keyprov.xml`, and `NAME.init.xml` where the user has a transport key. Where the keys need further certificates,
//! after a roll-over, these are in `certcache.xml` and `NAME.certcache.xml`. [`file_name`] gives NAME.
//!
//! Files are made in batches. The issue of a batch is in the audit log before its files get their names, and they get their names
//! when their contents are on the disk: a file is whole or not there. An issue that was interrupted goes on where it was when it
//! is begun again; what was recorded and not yet there is then recorded once more. Files of new transport keys get their names before
//! the database gets the keys, so that no user has keys that nobody can hand over.
//!
//! An issue that goes on looks at each file that is there: those of revoked users and those under transport keys that were replaced
//! since are removed, and a folder with keys of master secrets that serve their period no more is refused.

mod batch;
mod earlier;
mod folder;
mod names;
mod plan;
mod run;

pub use names::file_name;
pub use run::issue;

use super::Error;
use std::path::PathBuf;
use thiserror::Error;

/// What is to be issued, and where to.
#[derive(Clone, Debug)]
pub struct Order {
    /// Folder for the files: a new or empty one, or that of an issue that goes on.
    pub out: PathBuf,
    /// The key period; without it, the current one and the next, or those of the issue that goes on.
    pub period_no: Option<u64>,
    /// What users get who have no transport key.
    pub without_keys: WithoutKeys,
}

/// What users get who have no transport and integrity keys. Those who have some get signed files with wrapped keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WithoutKeys {
    /// Nothing: they are refused.
    Refuse,
    /// Files with their keys in clear.
    Clear,
    /// New transport and integrity keys, in the files `NAME.trk.key` and `NAME.ink.key` of this folder, to be handed over apart from the
    /// others.
    Make(PathBuf),
}

/// What an issue came to.
#[derive(Debug)]
pub struct Issued {
    /// The key periods.
    pub periods: Vec<u64>,
    /// URIs that files were made for.
    pub uris: u64,
    /// Key sets in these files.
    pub key_sets: u64,
    /// URIs whose files were there, and are good still.
    pub already: u64,
    /// Whether the keys need further certificates than that of `init`, which are there too.
    pub has_further_certificates: bool,
    /// Users who got transport and integrity keys.
    pub new_keys: u64,
    /// Files of earlier runs, of whomever, that were good no more: others take their place where their URI was asked for.
    pub removed: Vec<Removed>,
    /// URIs that got nothing, and why.
    pub refused: Vec<Refused>,
    /// URIs that are left because it was told to stop.
    pub left: u64,
}

/// Files of an earlier run that were good no more, and were removed.
#[derive(Debug)]
pub struct Removed {
    /// The one of them that has the keys.
    pub file: PathBuf,
    /// Why they were good no more.
    pub reason: Outdated,
}

/// Why the files of an earlier run are good no more.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Outdated {
    /// [`Error::Revoked`]; or [`Error::UnknownUri`], as after an older copy of the database was restored.
    #[error(transparent)]
    NotEntitled(Error),
    /// They are not under the transport key that the user has now, or are a transport key that it has no more.
    #[error("the transport key of user {0} is another by now, or there is none")]
    TransportKey(String),
    /// They have keys in clear, which others of their folder or their user are not to have.
    #[error("its keys are in clear, and those of user {0} are to be wrapped by now")]
    InClear(String),
    /// They are not what a run writes.
    #[error("it is damaged, or the answer to something else")]
    Damaged,
}

/// A URI that got nothing.
#[derive(Debug)]
pub struct Refused {
    /// The URI.
    pub uri: String,
    /// Why.
    pub reason: Error,
}

/// Why files cannot be issued to a folder.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FolderFault {
    /// It holds other things.
    #[error("{} holds other files: choose a new or empty folder", _0.display())]
    NotEmpty(PathBuf),
    /// It is something else.
    #[error("{} is no folder: name a new or empty one", _0.display())]
    NoFolder(PathBuf),
    /// Its `issue.json` is damaged.
    #[error("{} is damaged, or another version of this program wrote it: choose a new folder", _0.display())]
    Plan(PathBuf),
    /// The keys in it are of master secrets that serve their period no more.
    #[error(
        "{} holds keys for key period {period_no} of master secrets that do not serve it any more, as after `kms rollover --withdraw`: they are good for nothing; destroy them, and issue to a new folder",
        folder.display()
    )]
    OtherSecrets {
        /// The folder.
        folder: PathBuf,
        /// The key period, the first where there are several.
        period_no: u64,
    },
    /// It holds the key sets of another KMS or of other key periods, or keys in clear where wrapped ones are asked for, or the reverse.
    #[error("{} holds files of {found}, and those of {wanted} are asked for: choose a new folder", folder.display())]
    OtherPlan {
        /// The folder.
        folder: PathBuf,
        /// What its files are for.
        found: String,
        /// What was asked for.
        wanted: String,
    },
    /// Another issue to it is under way.
    #[error("{} is written to by another command: wait until that has ended", _0.display())]
    Busy(PathBuf),
    /// The transport keys would lie beside what they are to protect, or one within the other.
    #[error("{} cannot hold the transport keys: the folder of what is wrapped under them is the same, or one of both lies in the other; choose two that are apart", _0.display())]
    KeysBeside(PathBuf),
}
