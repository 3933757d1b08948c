//! What a KMS remembers: its users, the URIs that each may have keys for, which key sets were issued, which generations of
//! master secrets there are, the certificates of other KMSs, and what clients reported.
//!
//! Master secrets and key sets are not here: the former are sealed in a file, the latter are derived again.
//! The server keeps no other state, so several servers can share one store.

mod certificates;
mod generations;
mod redirects;
mod reports;
mod sender;
mod sqlite;

use super::ClientKind;
use super::audit::{Act, Entry, Event, Head};
use core::fmt;
use std::collections::HashSet;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use thiserror::Error;

pub use certificates::{CertificateCache, CertificateStore, MAX_CERTIFICATE_OCTETS, StoredCertificate};
pub use generations::{
    EarlierIssues, Generation, GenerationChange, GenerationStore, LastIssued, LatestIssue, RollOver,
};
pub use redirects::{HandedIn, MAX_REDIRECT_OCTETS, MAX_REDIRECTS_OF_USER, RedirectStore};
pub use reports::{ClientReport, MAX_REPORT_CHARACTERS, MAX_REPORTS, ReportStore};
pub use sender::Sender;
pub use sqlite::SqliteStore;

/// The name of the SQLite database in the folder of a KMS.
pub(super) const FILE: &str = "kms.sqlite";

/// What a method of a [`Store`] gives, in time.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Storage of a KMS. Every method is one transaction. Those that change something take who does it and when, and write it to
/// the audit log in the same transaction: what cannot be recorded does not happen.
pub trait Store: CertificateStore + GenerationStore + RedirectStore + ReportStore + Send + Sync + fmt::Debug {
    /// Adds an active user with the URIs that it may have keys for.
    ///
    /// # Errors
    /// [`StoreError::UserExists`], [`StoreError::UriTaken`]; nothing is then added.
    fn add_user<'a>(&'a self, user: &'a NewUser, act: &'a Act) -> Answer<'a, ()> {
        self.add_users(core::slice::from_ref(user), act)
    }

    /// Adds many active users, all of them or none.
    ///
    /// # Errors
    /// [`StoreError::UserExists`], [`StoreError::UriTaken`], of the first whom they concern.
    fn add_users<'a>(&'a self, users: &'a [NewUser], act: &'a Act) -> Answer<'a, ()>;

    /// Which of these identifiers and URIs some user has already.
    fn names_taken<'a>(&'a self, names: &'a [&'a str]) -> Answer<'a, HashSet<String>>;

    /// All users, ordered by identifier.
    fn users(&self) -> Answer<'_, Vec<User>>;

    /// The user that may have keys for a URI, if any.
    fn user_of_uri<'a>(&'a self, uri: &'a str) -> Answer<'a, Option<User>>;

    /// Whom these URIs belong to. A URI that belongs to nobody is left out.
    fn holders<'a>(&'a self, uris: &'a [&'a str]) -> Answer<'a, Vec<Holder>>;

    /// The URIs of all active users, ordered.
    fn active_uris(&self) -> Answer<'_, Vec<String>>;

    /// Marks a user as revoked: it gets no more keys. The entry stays, so that its URIs are not given to others.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUser`], [`StoreError::AlreadyRevoked`].
    fn revoke_user<'a>(&'a self, id: &'a str, act: &'a Act) -> Answer<'a, ()>;

    /// Makes an active user one of another kind.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUser`], [`StoreError::AlreadyRevoked`].
    fn set_kind<'a>(&'a self, id: &'a str, kind: ClientKind, act: &'a Act) -> Answer<'a, ()>;

    /// Notes which key sets were issued, all of them or none, for users that are active at that moment.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUser`], [`StoreError::AlreadyRevoked`] and [`StoreError::SecretsOutdated`]: the keys must then not be
    /// handed out.
    fn record_issues(&self, issues: Vec<Issue>, act: Act) -> Answer<'_, ()>;

    /// Notes what has no other effect here: a refusal, a setting up.
    fn record(&self, event: Event, act: Act) -> Answer<'_, ()>;

    /// The end of the audit log.
    fn audit_head(&self) -> Answer<'_, Head>;

    /// At most `count` entries of the audit log, ordered, from the one after number `after` on.
    fn audit_entries(&self, after: u64, count: u32) -> Answer<'_, Vec<Entry>>;

    /// Gives an active user its keys, and forgets those that it had.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUser`], [`StoreError::AlreadyRevoked`].
    fn replace_client_keys<'a>(&'a self, keys: &'a SealedClientKeys, act: &'a Act) -> Answer<'a, ()>;

    /// Gives active users who have no keys their first ones, all of them or none.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUser`], [`StoreError::AlreadyRevoked`], [`StoreError::ClientKeysExist`], of the first whom they concern.
    fn add_first_client_keys<'a>(&'a self, keys: &'a [SealedClientKeys], act: &'a Act) -> Answer<'a, ()>;

    /// Adds the keys that an active user shall have next.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUser`], [`StoreError::AlreadyRevoked`], [`StoreError::RotationPending`].
    fn add_next_client_keys<'a>(&'a self, keys: &'a SealedClientKeys, act: &'a Act) -> Answer<'a, ()>;

    /// Makes the next keys, if they are of this generation, the ones in use, and forgets those before. If they are in use
    /// already, nothing changes.
    fn confirm_client_keys<'a>(&'a self, user_id: &'a str, generation: u64, act: &'a Act) -> Answer<'a, ()>;

    /// Writes a copy of all that the store holds at one moment to a new file. Others may write meanwhile.
    fn copy_to<'a>(&'a self, path: &'a Path) -> Answer<'a, ()>;

    /// How much the store holds.
    fn counts(&self) -> Answer<'_, Counts>;

    /// Finishes what is in progress and lets go of the storage; any call after it fails.
    fn close(&self) -> Answer<'_, ()>;
}

/// A user to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUser {
    /// The identifier that the operator gives.
    pub id: String,
    /// What it is.
    pub kind: ClientKind,
    /// The URIs that it may have keys for.
    pub uris: Vec<String>,
}

impl NewUser {
    /// A person's client.
    pub fn new(id: impl Into<String>, uris: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { id: id.into(), kind: ClientKind::User, uris: uris.into_iter().map(Into::into).collect() }
    }
}

/// A user of the KMS: a person's client, an MCX server, a group management server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The identifier that the operator gave.
    pub id: String,
    /// What it is.
    pub kind: ClientKind,
    /// Whether it may have keys.
    pub status: UserStatus,
    /// When it was added, in seconds since 1970.
    pub created: u64,
    /// The URIs that it may have keys for, ordered.
    pub uris: Vec<String>,
}

/// Whom a URI belongs to, and what protects what it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The URI.
    pub uri: String,
    /// The user's identifier.
    pub user_id: String,
    /// What it is.
    pub kind: ClientKind,
    /// Whether it may have keys.
    pub status: UserStatus,
    /// Its transport and integrity keys, by generation: at most those in use, and those that its client gets.
    pub client_keys: Vec<SealedClientKeys>,
}

impl Holder {
    /// The transport and integrity keys that its client has, if any.
    pub fn keys_in_use(&self) -> Option<&SealedClientKeys> {
        self.client_keys.iter().find(|keys| !keys.is_next)
    }
}

/// Whether a user may have keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserStatus {
    /// It may.
    Active,
    /// It may no more.
    Revoked,
}

impl UserStatus {
    /// `active` or `revoked`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Revoked => "revoked",
        }
    }
}

impl fmt::Display for UserStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The note that key sets of one URI were issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// To which user.
    pub user_id: String,
    /// For which of its URIs.
    pub uri: String,
    /// For which key periods, a key set each.
    pub periods: Vec<u64>,
    /// The last change of the generations of master secrets that the issuer knows of: [`Generation::last_change`].
    pub newest_generation: u64,
}

/// A TrK and an InK of a user, sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedClientKeys {
    /// Whose.
    pub user_id: String,
    /// Which pair of the user: counted from 1.
    pub generation: u64,
    /// The user's client has not used them yet.
    pub is_next: bool,
    /// TrK-ID.
    pub trk_id: String,
    /// InK-ID.
    pub ink_id: String,
    /// The keys.
    pub sealed: Vec<u8>,
    /// When they were made, in seconds since 1970.
    pub created: u64,
}

/// How much a store holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Users that may have keys.
    pub active_users: u64,
    /// Users that may have no more keys.
    pub revoked_users: u64,
    /// URIs of all users.
    pub uris: u64,
    /// Key sets issued, repetitions included.
    pub issues: u64,
}

/// Why the store did not do what was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A user of this identifier is there already, active or revoked.
    #[error("user {0} exists already, active or revoked: `kms user list` shows it; nothing was changed")]
    UserExists(String),
    /// The URI belongs to a user already.
    #[error("URI {0} belongs to another user: `kms user list` shows whose it is; nothing was changed")]
    UriTaken(String),
    /// No such user.
    #[error("there is no user {0}: `kms user list` shows all")]
    NoSuchUser(String),
    /// The user is revoked.
    #[error("user {0} is revoked already and gets no more keys")]
    AlreadyRevoked(String),
    /// The user has transport and integrity keys already.
    #[error("user {0} was given transport and integrity keys meanwhile")]
    ClientKeysExist(String),
    /// The database file was removed, or another was put in its place: nobody would see what is written to this one.
    #[error(
        "the database {} was removed or replaced while this process had it open: put the right one in place, and start the server anew",
        _0.display()
    )]
    Replaced(PathBuf),
    /// The client has not used the keys yet that it was given last.
    #[error(
        "user {0} has new transport and integrity keys already that its client has not used yet: wait until it provisions, or end all earlier keys with `kms trk new --replace`"
    )]
    RotationPending(String),
    /// There is a certificate of the KMS that holds at the same time.
    #[error(
        "there is a certificate of {0} for the same time already: `kms cert list` shows it; give --replace to put another in its place, or get one that begins when that one ends"
    )]
    CertificateExists(String),
    /// There is no certificate of the KMS.
    #[error("there is no certificate of {0}: `kms cert list` shows all")]
    NoSuchCertificate(String),
    /// The certificate of another KMS names the domain already.
    #[error(
        "domain {0} is served by another KMS already: `kms cert list` shows by which; clients could not tell whose keys to use"
    )]
    DomainTaken(String),
    /// All certificates together would not fit into an answer.
    #[error(
        "all certificates together would have more than 60 KiB, and clients take answers of 64 KiB: remove others first"
    )]
    CacheFull,
    /// Somebody else rolled over at the same time.
    #[error("the generations of master secrets have changed meanwhile: `kms status` shows them")]
    GenerationsChanged,
    /// Somebody may have keys already of a period that new master secrets would serve.
    #[error(
        "keys for key period {issued} were issued already: new master secrets cannot begin with period {first_period}"
    )]
    PeriodIssued {
        /// The latest period that keys were issued for.
        issued: u64,
        /// The first period of the new secrets.
        first_period: u64,
    },
    /// The new master secrets could not be written to the disk.
    #[error("the new master secrets cannot be kept: {0}")]
    SecretsNotKept(io::Error),
    /// Keys of the generation were handed out.
    #[error(
        "{holders} identities have keys for key period {first_period} or later ones, which would be good no more: give --force to withdraw the roll-over all the same, and let their clients provision again"
    )]
    GenerationInUse {
        /// The first period that the generation serves.
        first_period: u64,
        /// URIs that hold keys of it.
        holders: u64,
    },
    /// The KMS rolled over, or withdrew a roll-over, and the issuer still has the secrets of before.
    #[error(
        "key period {first_period} and those after it have other master secrets than this process has read: start it anew"
    )]
    SecretsOutdated {
        /// The first of these periods.
        first_period: u64,
    },
    /// Writing together with what others wrote, the database failed.
    #[error(transparent)]
    Together(Arc<StoreError>),
    /// The task that writes was stopped.
    #[error("writing to the database was interrupted")]
    Interrupted,
    /// An entry of the audit log has a time that no date has.
    #[error("the audit log cannot be written: {0}")]
    EntryTime(#[from] time::error::Format),
    /// An entry of the audit log cannot be written as JSON.
    #[error("the audit log cannot be written: {0}")]
    Entry(#[from] serde_json::Error),
    /// A number does not fit into the database.
    #[error("{0} is too great a number for the database")]
    NumberTooGreat(u64),
    /// The database holds something that this program did not write there.
    #[error("the database is inconsistent: {0}")]
    Inconsistent(String),
    /// The name of a file for a copy is not UTF-8.
    #[error("{} cannot name a copy of the database: give a name in UTF-8", _0.display())]
    Path(PathBuf),
    /// There is no database.
    #[error(
        "{} is not there: put it back, or restore the newest backup (`kms restore`); a KMS without its database does not know whom it gave keys", _0.display()
    )]
    Absent(PathBuf),
    /// The database has no octets.
    #[error(
        "{} is empty (0 octets), as after a disk that was full or a copy that failed: put the database back, or restore the newest backup (`kms restore`)", _0.display()
    )]
    Emptied(PathBuf),
    /// A later version of this program has changed the tables.
    #[error(
        "{} was brought to a newer form (migration {version}) than this program knows: use the version that did, or a later one", path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Number of the first change that is not known.
        version: i64,
    },
    /// The database failed.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// The tables could not be brought to the form that this program needs.
    #[error("database: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
}

impl StoreError {
    /// Whether the storage itself does not work now: the disk is full or broken, or it does not keep up. What was asked for may be
    /// good, and another server, or this one later, may do it.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Together(error) => error.is_outage(),
            Self::Replaced(_) => true,
            Self::Database(sqlx::Error::Database(error)) => error.code().is_some_and(|code| is_outage(&code)),
            Self::Database(error) => {
                matches!(error, sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed)
            }
            _ => false,
        }
    }
}

/// Of the result codes of SQLite those that the file or the system gives cause for; the lowest 8 bits are the kind.
fn is_outage(code: &str) -> bool {
    const BUSY: u32 = 5;
    const LOCKED: u32 = 6;
    const NO_MEMORY: u32 = 7;
    const READ_ONLY: u32 = 8;
    const IO: u32 = 10;
    const FULL: u32 = 13;
    const CANNOT_OPEN: u32 = 14;
    let kind = code.parse::<u32>().map(|code| code & 0xff);
    kind.is_ok_and(|kind| [BUSY, LOCKED, NO_MEMORY, READ_ONLY, IO, FULL, CANNOT_OPEN].contains(&kind))
}
