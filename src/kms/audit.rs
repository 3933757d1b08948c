//! The audit log: every issue, every refusal and every administrative act, written in the transaction of its effect.
//!
//! Entries are numbered from 1 and chained: the hash of an entry is SHA-256 over the hash of the one before (32 octets of 0
//! before the first), its number in 8 octets, and its JSON text. An entry that was altered, removed or put elsewhere breaks the
//! chain there. Whoever can write to the whole database can forge a whole chain: the [`Head`] is to be kept elsewhere as well,
//! by exporting the log or noting its number and hash, and [`verify`] compares with such an anchor.

use super::auth::Trust;
use super::store::{Store, StoreError};
use super::{ClientKind, Error, calendar};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::time::SystemTime;
use thiserror::Error;
use time::format_description::well_known::Rfc3339;

pub use super::hash::Hash;

/// Entries that are read at a time.
const PAGE: u32 = 4096;

/// Who did something, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// When.
    pub at: SystemTime,
    /// Who: an operator, or the identities of an access token.
    pub by: String,
    /// The request of the log that it belongs to, if it was one.
    pub request_id: Option<String>,
}

impl Act {
    /// What an operator does, outside any request.
    pub fn new(by: impl Into<String>, at: SystemTime) -> Self {
        Self { at, by: by.into(), request_id: None }
    }
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// The KMS was made.
    Initialised {
        /// Its URI.
        kms_uri: String,
        /// Z, hex.
        pub_enc_key: String,
        /// KPAK, hex.
        pub_auth_key: String,
    },
    /// All of it was saved in a backup, which is whole and on the disk, and gets its name next.
    BackedUp {
        /// The file.
        file: String,
        /// Its SHA-256, hex.
        sha256: String,
        /// How many entries the log has in it: those up to this number.
        entries: u64,
    },
    /// A backup that was recorded did not get its name: there is none.
    BackupFailed {
        /// The file that it was to be.
        file: String,
        /// Its SHA-256, hex.
        sha256: String,
        /// Why.
        reason: String,
    },
    /// It was restored from a backup: what came after that was made is not in the log.
    Restored {
        /// The file.
        file: String,
        /// Its SHA-256, hex, by which the backup is known in the log of the KMS that it is of.
        sha256: String,
    },
    /// New master secrets were made for later key periods.
    RolledOver {
        /// Which generation they are: the first was made with the KMS.
        generation: u64,
        /// The first key period that they serve.
        first_period: u64,
        /// Z, hex.
        pub_enc_key: String,
        /// KPAK, hex.
        pub_auth_key: String,
        /// URIs that had keys of these periods already, which are good no more.
        holders: u64,
        /// The number of the cache of certificates from then on.
        cache_num: u64,
    },
    /// A roll-over was withdrawn before it began.
    RollOverWithdrawn {
        /// Which generation of master secrets.
        generation: u64,
        /// The first key period that it would have served.
        first_period: u64,
        /// URIs that had keys of it already.
        holders: u64,
        /// The number of the cache of certificates from then on.
        cache_num: u64,
    },
    /// Key sets were handed out.
    Issued {
        /// The user's identifier.
        user: String,
        /// The URI that they are for.
        uri: String,
        /// The key periods that they are for, one key set each.
        periods: Vec<u64>,
    },
    /// A request was refused.
    Refused {
        /// ErrorCode of the answer.
        code: i64,
        /// The reason that the answer gives.
        reason: String,
        /// The resource asked for, if there is such a one.
        resource: Option<String>,
        /// Whose keys were asked for, as far as that was said.
        asked: String,
        /// The address that the request came from.
        peer: Option<String>,
    },
    /// Requests were refused for their number, beside those that are recorded one by one.
    Throttled {
        /// The user's identifier, a URI, or the address of those who are not known.
        client: String,
        /// How many.
        count: u64,
    },
    /// The server took up its configuration, certificates and the identity provider's keys anew.
    Reloaded {
        /// SHA-256 of `kms.toml`, hex.
        configuration: String,
        /// Of what tokens and certificates are checked by.
        trust: Trust,
    },
    /// A reload was refused: the server goes on as before.
    ReloadRefused {
        /// What is wrong.
        reason: String,
    },
    /// A server is started.
    Started {
        /// SHA-256 of `kms.toml`, hex.
        configuration: String,
        /// Of what tokens and certificates are checked by.
        trust: Trust,
    },
    /// The JWK set was read or fetched anew by a running server, and is another than before.
    TokenKeysChanged {
        /// The file or URL that it came from.
        origin: String,
        /// SHA-256 of it, hex.
        jwks: String,
        /// SHA-256 of the one before, hex; none of the first that came from a URL.
        #[serde(skip_serializing_if = "Option::is_none")]
        before: Option<String>,
    },
    /// An access token was made to try the KMS, and the key that it is signed with was added to the JWK set.
    TestTokenMade {
        /// Whom it is for.
        uri: String,
        /// The name of the key.
        key_id: String,
        /// When the token expires, RFC 3339.
        expires: String,
    },
    /// A user was added.
    UserAdded {
        /// The user's identifier.
        user: String,
        /// What it is.
        kind: ClientKind,
        /// The URIs that it may have keys for.
        uris: Vec<String>,
    },
    /// A user became one of another kind.
    UserKindChanged {
        /// The user's identifier.
        user: String,
        /// What it is now.
        kind: ClientKind,
    },
    /// A user was revoked.
    UserRevoked {
        /// The user's identifier.
        user: String,
    },
    /// A user got a first TrK and InK, or others in place of all earlier ones.
    ClientKeysMade {
        /// The user's identifier.
        user: String,
        /// Which pair of the user.
        generation: u64,
    },
    /// A user shall have a new TrK and InK.
    ClientKeysRotated {
        /// The user's identifier.
        user: String,
        /// Which pair of the user.
        generation: u64,
    },
    /// A user's client has used its new TrK and InK: the earlier ones are good no more.
    ClientKeysConfirmed {
        /// The user's identifier.
        user: String,
        /// Which pair of the user.
        generation: u64,
    },
    /// The certificate of another KMS was added, or put in the place of an earlier one.
    CertificateAdded {
        /// The KMS that it is of.
        kms_uri: String,
        /// SHA-256 of the file that it came in, hex.
        fingerprint: String,
        /// The number of the cache from then on.
        cache_num: u64,
    },
    /// The certificate of another KMS was removed.
    CertificateRemoved {
        /// The KMS that it was of.
        kms_uri: String,
        /// The number of the cache from then on.
        cache_num: u64,
    },
    /// A client reported an error.
    ErrorReported {
        /// The user's identifier.
        user: String,
        /// ErrorCode, a number of the client's own.
        code: i64,
    },
    /// A client handed redirect responses in.
    RedirectsHandedIn {
        /// The user's identifier.
        user: String,
        /// How many.
        count: u64,
    },
}

impl Event {
    /// What the log of every KMS begins with.
    #[cfg(test)]
    pub(super) fn initialised_for_tests() -> Self {
        let text = str::to_owned;
        Self::Initialised { kms_uri: text("kms.example.org"), pub_enc_key: text("z"), pub_auth_key: text("kpak") }
    }

    /// The key sets that it hands out.
    fn key_sets(&self) -> u64 {
        match self {
            Self::Issued { periods, .. } => periods.len() as u64,
            _ => 0,
        }
    }
}

/// The end of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number of the last entry; 0 if there is none.
    pub number: u64,
    /// Its hash.
    pub hash: Hash,
    /// Key sets that were handed out by all entries.
    pub key_sets: u64,
}

impl Head {
    /// Of an empty log.
    pub const EMPTY: Self = Self { number: 0, hash: Hash([0; 32]), key_sets: 0 };

    /// The entry that comes after it, and the head that it makes.
    pub(super) fn append(&self, act: &Act, event: &Event) -> Result<(Entry, Self), StoreError> {
        let number = self.number.saturating_add(1);
        let entry = text(act, event)?;
        let hash = chained(&self.hash, number, &entry);
        let head = Self { number, hash, key_sets: self.key_sets.saturating_add(event.key_sets()) };
        Ok((Entry { number, entry, hash }, head))
    }
}

fn chained(before: &Hash, number: u64, entry: &str) -> Hash {
    let hash = Sha256::new().chain_update(before.0).chain_update(number.to_be_bytes()).chain_update(entry);
    Hash(hash.finalize().into())
}

fn text(act: &Act, event: &Event) -> Result<String, StoreError> {
    #[derive(Serialize)]
    struct Record<'a> {
        time: String,
        by: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        request_id: Option<&'a str>,
        #[serde(flatten)]
        event: &'a Event,
    }
    let time = calendar::date(act.at).format(&Rfc3339)?;
    let record = Record { time, by: &act.by, request_id: act.request_id.as_deref(), event };
    Ok(serde_json::to_string(&record)?)
}

/// An entry of the log, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Counted from 1.
    pub number: u64,
    /// A JSON object: `time` (RFC 3339), `by`, `request_id` of a request, `event`, and what belongs to the event.
    pub entry: String,
    /// The hash that stands beside it.
    pub hash: Hash,
}

impl Entry {
    /// One line of JSON: `number`, `hash`, and `entry` octet for octet as it was hashed.
    pub fn to_json_line(&self) -> String {
        format!("{{\"number\":{},\"hash\":\"{}\",\"entry\":{}}}", self.number, self.hash, self.entry)
    }

    /// What this program writes is one JSON object in one line.
    fn parse(&self) -> Result<Map<String, Value>, Fault> {
        let unreadable = || Fault::Unreadable { number: self.number };
        if self.entry.contains(['\n', '\r']) {
            return Err(unreadable());
        }
        serde_json::from_str(&self.entry).map_err(|_| unreadable())
    }
}

fn key_sets(entry: &Map<String, Value>) -> u64 {
    match entry.get("periods") {
        Some(Value::Array(periods)) if is_event(entry, "issued") => periods.len() as u64,
        _ => 0,
    }
}

fn is_event(entry: &Map<String, Value>, name: &str) -> bool {
    entry.get("event").and_then(Value::as_str) == Some(name)
}

/// The public keys that a KMS was made with, as its first entry has them, hex.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) pub_enc_key: String,
    pub(super) pub_auth_key: String,
}

/// What the log begins with.
pub(super) async fn origin(store: &dyn Store) -> Result<Origin, Error> {
    let entry = store.audit_entries(0, 1).await?.pop().ok_or(Fault::Beginning)?;
    let entry = entry.parse()?;
    let text = |name| entry.get(name).and_then(Value::as_str).map(str::to_owned).ok_or(Fault::Beginning);
    if !is_event(&entry, "initialised") {
        return Err(Fault::Beginning.into());
    }
    Ok(Origin { pub_enc_key: text("pub_enc_key")?, pub_auth_key: text("pub_auth_key")? })
}

/// An entry that was noted outside the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: Hash,
}

/// What is wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// Entries are not there.
    #[error("entries {from} to {to} of the audit log were removed")]
    Removed {
        /// The first that is missing.
        from: u64,
        /// The last that is missing.
        to: u64,
    },
    /// An entry does not follow from the ones before.
    #[error("entry {number} of the audit log was altered, or put where another stood")]
    Altered {
        /// Which.
        number: u64,
    },
    /// The first entry is not that the KMS was made.
    #[error("the audit log does not begin with the making of the KMS (`initialised`): it was emptied, or begun anew")]
    Beginning,
    /// An entry is no JSON object in one line.
    #[error("entry {number} of the audit log is no JSON object in one line: it was not written by this program")]
    Unreadable {
        /// Which.
        number: u64,
    },
    /// What is noted of the end does not fit the entries.
    #[error("the audit log ends with entry {number}, but its head says otherwise: it was cut or rewritten")]
    Head {
        /// The last entry that is there.
        number: u64,
    },
    /// An anchor is not part of the log.
    #[error("entry {number} of the audit log is not the one that was noted: the log was rewritten or cut since")]
    Anchor {
        /// The number of the anchor.
        number: u64,
    },
}

/// Follows the whole chain, and compares it with its head and with an entry that was noted elsewhere.
///
/// # Errors
/// [`Error::Audit`] with the first [`Fault`], [`Error::Store`].
pub async fn verify(store: &dyn Store, anchor: Option<Anchor>) -> Result<Head, Error> {
    let stored = store.audit_head().await?;
    let mut head = Head::EMPTY;
    let mut anchored = anchor.is_none();
    while head.number < stored.number {
        let page = store.audit_entries(head.number, PAGE).await?;
        if page.is_empty() {
            return Err(Fault::Removed { from: head.number + 1, to: stored.number }.into());
        }
        for entry in page.iter().take_while(|entry| entry.number <= stored.number) {
            head = follow(&head, entry)?;
            anchored |= anchor == Some(Anchor { number: entry.number, hash: entry.hash });
        }
    }
    // Entries beyond the head were written meanwhile, and the head with them; or they are no entries.
    let has_more = !store.audit_entries(stored.number, 1).await?.is_empty();
    if head != stored || (has_more && store.audit_head().await? == stored) {
        return Err(Fault::Head { number: head.number }.into());
    }
    origin(store).await?;
    match anchor {
        Some(anchor) if !anchored => Err(Fault::Anchor { number: anchor.number }.into()),
        _ => Ok(head),
    }
}

fn follow(head: &Head, entry: &Entry) -> Result<Head, Fault> {
    let number = head.number + 1;
    if entry.number != number {
        return Err(Fault::Removed { from: number, to: entry.number.saturating_sub(1) });
    }
    if chained(&head.hash, number, &entry.entry) != entry.hash {
        return Err(Fault::Altered { number });
    }
    let key_sets = key_sets(&entry.parse()?);
    Ok(Head { number, hash: entry.hash, key_sets: head.key_sets.saturating_add(key_sets) })
}

/// Entries from a number on, a page at a time: fewer than asked for at the end alone.
///
/// # Errors
/// [`Error::Audit`] for one that is no JSON object in one line, [`Error::Store`].
pub async fn page(store: &dyn Store, from: u64) -> Result<Vec<Entry>, Error> {
    let page = store.audit_entries(from.saturating_sub(1), PAGE).await?;
    page.iter().try_for_each(|entry| entry.parse().map(drop))?;
    Ok(page)
}
