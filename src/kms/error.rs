use super::audit;
use super::auth::KeyRingError;
use super::backup::BackupFault;
use super::bulk::FolderFault;
use super::certificates::CertificateError;
use super::config::{self, ConfigError};
use super::custody::Exposure;
use super::development::DevelopmentError;
use super::secrets;
use super::store::{LatestIssue, StoreError};
use super::user_uri::UriFault;
use super::users::FileFault;
use crate::{eccsi, kms_protocol, mc, sakke, sealing};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use thiserror::Error;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Why the KMS could not be set up, started or administered. (Why a *request* is refused is a
/// [`ErrorCode`](crate::kms_protocol::ErrorCode).)
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// `kms.toml`.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The folder has a KMS already.
    #[error("{} exists already: choose another folder; a KMS is never overwritten, its users would lose their keys", path.display())]
    Exists {
        /// The file that is in the way.
        path: PathBuf,
    },
    /// [`init`](super::init) was interrupted: there are master secrets, but no configuration.
    #[error("{} holds a KMS that was only half made: {} is there, {} is not. No user can have keys of it: delete the folder's files and run `kms init` again; or, if it did serve users, restore kms.toml from a copy", folder.display(), secrets::FILE, config::FILE)]
    HalfMade {
        /// The folder.
        folder: PathBuf,
    },
    /// [`restore`](super::backup::restore) was interrupted, or is under way.
    #[error("{} holds a KMS that is not restored to the end: run `kms restore` with the same folder again, which clears away what is there and begins anew", folder.display())]
    HalfRestored {
        /// The folder.
        folder: PathBuf,
    },
    /// A file of the KMS could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the file system reports.
        source: io::Error,
    },
    /// Others can do with a file or the folder of the KMS what nobody else should.
    #[error("{}: {exposure}", path.display())]
    Exposed {
        /// The file or folder.
        path: PathBuf,
        /// What they can do.
        exposure: Exposure,
    },
    /// The sealed secrets could not be opened; [`sealing::Error::WrongPassphrase`] is the usual reason.
    #[error("the master secrets: {0}")]
    Sealing(#[from] sealing::Error),
    /// The sealed secrets do not fit the configuration.
    #[error("{} is damaged, or kms_uri, key_period or key_offset in kms.toml was changed since `kms init`: restore the file or the value", path.display())]
    SecretsDamaged {
        /// The file.
        path: PathBuf,
    },
    /// A later version of this program wrote the sealed secrets.
    #[error("{} has a newer form than this program knows: use the version that wrote it, or a later one", path.display())]
    SecretsNewer {
        /// The file.
        path: PathBuf,
    },
    /// A roll-over was interrupted: there are new master secrets, of which the database knows nothing.
    #[error("{} has master secrets from key period {first_period} on that the database does not know of: if a roll-over was interrupted, complete it with `kms rollover`; if the database is an older copy, restore the newest", folder.join(secrets::FILE).display())]
    RollOverUnfinished {
        /// The folder.
        folder: PathBuf,
        /// The first period of the new secrets.
        first_period: u64,
    },
    /// A roll-over was interrupted, and keys were issued since as if there was none.
    #[error("the roll-over to new master secrets from key period {first_period} on was interrupted, and keys for period {issued} were issued since without them: put {} in the place of {}, and roll over again", secrets::OLD_FILE, folder.join(secrets::FILE).display())]
    RollOverOverdue {
        /// The folder.
        folder: PathBuf,
        /// The first period of the new secrets.
        first_period: u64,
        /// The latest period that keys were issued for.
        issued: u64,
    },
    /// The next roll-over is announced already.
    #[error(
        "new master secrets are made already, for key period {first_period} on: roll over again when it has begun, at {}, or withdraw it first (`kms rollover --withdraw`)",
        rfc3339(begins)
    )]
    RollOverPending {
        /// The first period of the new secrets.
        first_period: u64,
        /// When it begins.
        begins: OffsetDateTime,
    },
    /// Clients may have keys of the period already.
    #[error(
        "clients may have keys for key period {first_period}: the earliest for new master secrets is period {earliest}, which begins at {}",
        rfc3339(begins)
    )]
    RollOverTooSoon {
        /// The period asked for.
        first_period: u64,
        /// The earliest that is safe.
        earliest: u64,
        /// When that begins.
        begins: OffsetDateTime,
    },
    /// Keys were issued far ahead, as by a machine whose clock was wrong.
    #[error(
        "{} has keys for key period {}, which begins at {}{}: give a period after that one (--at-period), or give --force to begin sooner all the same, and these keys are good no more",
        issue.uri,
        issue.period,
        rfc3339(begins),
        noted_in(issue)
    )]
    RollOverHeld {
        /// The latest of them.
        issue: LatestIssue,
        /// When its period begins.
        begins: OffsetDateTime,
    },
    /// There is no roll-over that could be withdrawn.
    #[error(
        "no roll-over is to come: `kms status` shows the generations of master secrets; one that has begun cannot be withdrawn, roll over once more"
    )]
    NoRollOverPending,
    /// A roll-over so far ahead can only be a mistake.
    #[error("key period {first_period} is far ahead: the latest for new master secrets is period {latest}")]
    RollOverTooLate {
        /// The period asked for.
        first_period: u64,
        /// The latest that is taken.
        latest: u64,
    },
    /// The sealed secrets are not those that the database knows of.
    #[error("{} does not have the master secrets that the database knows of: one of them is an older copy, or another KMS's; restore the newest of both", folder.join(secrets::FILE).display())]
    SecretsUnrecorded {
        /// The folder.
        folder: PathBuf,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The certificate of another KMS.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The audit log does not hold.
    #[error(transparent)]
    Audit(#[from] audit::Fault),
    /// The identity provider's keys.
    #[error(transparent)]
    KeyRing(#[from] KeyRingError),
    /// The TLS certificate or its key.
    #[error("{}: {reason}; server.tls_certificate and server.tls_key name the PEM files", path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The authorities of client certificates.
    #[error("{}: {reason}; auth.certificates.ca names a PEM file", path.display())]
    ClientAuthorities {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A value was changed that a running server cannot take up.
    #[error(
        "{key} was changed, which takes a new start of the server: until then nothing of kms.toml is taken up anew"
    )]
    NeedsRestart {
        /// Its key, with its section.
        key: &'static str,
    },
    /// The address is not to be had.
    #[error("cannot listen at {address}: {source}; server.listen or --listen chooses another address")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system reports.
        source: io::Error,
    },
    /// The development certificate.
    #[error(transparent)]
    Development(#[from] DevelopmentError),
    /// The identifier of a user is empty, longer than 255 characters, or has spaces or control characters.
    #[error("{0:?} is no user identifier: give 1 to 255 characters without spaces")]
    UserId(String),
    /// A text is not the URI of a user.
    #[error("{uri:?} is no URI of a user: {fault}")]
    UserUri {
        /// The text.
        uri: String,
        /// Why not.
        fault: UriFault,
    },
    /// A user without any URI could get no keys.
    #[error("user {0} has no URI: give at least one")]
    NoUri(String),
    /// A backup was not made, or cannot be restored.
    #[error(transparent)]
    Backup(#[from] BackupFault),
    /// A folder cannot get the files of many users.
    #[error(transparent)]
    BulkFolder(#[from] FolderFault),
    /// A file of users is none.
    #[error(transparent)]
    UserFile(#[from] FileFault),
    /// The URI belongs to no user.
    #[error("{0} belongs to no user of this KMS: add the user first (kms user add)")]
    UnknownUri(String),
    /// The URI's user is revoked.
    #[error("{} is revoked and gets no more keys", revoked(user_id, uri))]
    Revoked {
        /// The user.
        user_id: String,
        /// The URI that keys were asked for.
        uri: String,
    },
    /// A key period so far ahead that issuing for it can only be a mistake, which a later roll-over would have to wait for.
    #[error("key period {period_no} is far ahead: keys are issued for periods up to {latest}")]
    PeriodAhead {
        /// The period asked for.
        period_no: u64,
        /// The latest that is taken.
        latest: u64,
    },
    /// A key period that begins before 1970 or ends after 9999.
    #[error("key period {0} does not lie between the years 1970 and 9999")]
    Period(u64),
    /// The UID or the period could not be computed.
    #[error(transparent)]
    Mc(#[from] mc::Error),
    /// SAKKE has no key for this identity.
    #[error("SAKKE key extraction: {0}")]
    Sakke(#[from] sakke::Error),
    /// ECCSI has no key for this identity.
    #[error("ECCSI key extraction: {0}")]
    Eccsi(#[from] eccsi::Error),
    /// What the database holds of a user's transport and integrity keys does not open.
    #[error(
        "the transport and integrity keys of user {0} in the database were altered, or sealed by another KMS: make new ones with `kms trk new --replace`"
    )]
    ClientKeysDamaged(String),
    /// The user has transport and integrity keys already.
    #[error(
        "user {0} has transport and integrity keys already: `kms trk rotate` gives it new ones over the air; `kms trk new --replace` ends the old ones at once"
    )]
    ClientKeysExist(String),
    /// The user has no transport and integrity keys.
    #[error("user {0} has no transport and integrity keys: make them with `kms trk new`")]
    NoClientKeys(String),
    /// The TrK and InK in the files are another user's, or another KMS's.
    #[error("the transport key is that of {found}, not of {expected}: give this user's files")]
    OtherClientKeys {
        /// User and KMS that the files are for.
        found: String,
        /// User and KMS that they should be for.
        expected: String,
    },
    /// The TrK in the files was ended, by another pair, or is not known.
    #[error(
        "the transport key {0} is none of its user's: give the files that `kms trk new` made last, or those that were rotated in"
    )]
    EndedClientKeys(String),
    /// The document could not be protected.
    #[error("the document cannot be protected: {0}")]
    Protection(#[from] kms_protocol::Error),
    /// The random source gave nothing to make master secrets of.
    #[error("the operating system's random source is defective")]
    RandomSource,
    /// A thread that derived keys was stopped.
    #[error("key extraction was interrupted")]
    Interrupted,
}

fn noted_in(issue: &LatestIssue) -> String {
    issue.entry.map_or_else(String::new, |entry| format!(" (entry {entry} of the audit log)"))
}

fn rfc3339(date: &OffsetDateTime) -> String {
    date.format(&Rfc3339).unwrap_or_else(|_| date.to_string())
}

/// Names a user once, though its identifier is often its URI.
fn revoked(user_id: &str, uri: &str) -> String {
    if user_id == uri { format!("user {user_id}") } else { format!("user {user_id}, to whom {uri} belongs,") }
}

impl Error {
    pub(super) fn file(path: &Path, source: io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }

    /// Of a file of a new KMS.
    pub(super) fn creating(path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AlreadyExists => Self::Exists { path: path.to_owned() },
            _ => Self::file(path, source),
        }
    }
}
