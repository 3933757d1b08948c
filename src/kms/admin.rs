//! What the operator of a KMS does beside running the server. Nothing here needs the server to be stopped.

use super::audit::Act;
use super::authority::key_periods;
use super::config::Config;
use super::issue::{self, Grant};
use super::protection::Protection;
use super::store::{Counts, Generation, NewUser, SealedClientKeys, Store, User};
use super::{ClientKind, Error, State, calendar};
use crate::kms_protocol::resource::{MAX_USER_URI, Resource};
use crate::kms_protocol::{
    ClientKeys, KeyIds, KmsCertCache, KmsCertificate, KmsInit, KmsKeyProv, KmsMessage, KmsResponse,
};
use crate::mc::KeyPeriods;
use std::time::SystemTime;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// Adds an active user that may have keys for its URIs.
///
/// # Errors
/// [`Error::UserId`], [`Error::UserUri`], [`Error::NoUri`], and [`Error::Store`] if the user or a URI is taken.
pub async fn add_user(store: &dyn Store, user: &NewUser, act: &Act) -> Result<(), Error> {
    check_user(user)?;
    store.add_user(user, act).await?;
    tracing::info!(user = user.id, kind = %user.kind, "user added");
    Ok(())
}

/// Whether the identifier and every URI of a user are well formed.
///
/// # Errors
/// [`Error::UserId`], [`Error::UserUri`], [`Error::NoUri`].
pub fn check_user(NewUser { id, uris, .. }: &NewUser) -> Result<(), Error> {
    if !(1..=255).contains(&id.len()) || id.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(Error::UserId(id.clone()));
    }
    if uris.is_empty() {
        return Err(Error::NoUri(id.clone()));
    }
    if let Some(uri) = uris.iter().find(|uri| !is_user_uri(uri)) {
        return Err(Error::UserUri(uri.clone()));
    }
    Ok(())
}

/// All users, ordered by identifier.
///
/// # Errors
/// [`Error::Store`].
pub async fn list_users(store: &dyn Store) -> Result<Vec<User>, Error> {
    Ok(store.users().await?)
}

/// Makes a user one of another kind: from the next request on it may ask for what this kind may.
///
/// # Errors
/// [`Error::Store`] if there is no such user or it is revoked.
pub async fn set_kind(store: &dyn Store, id: &str, kind: ClientKind, act: &Act) -> Result<(), Error> {
    store.set_kind(id, kind, act).await?;
    tracing::info!(user = id, %kind, "kind of user changed");
    Ok(())
}

/// Revokes a user: from the next request on it gets no keys. Keys that it has stay valid until their period ends.
///
/// # Errors
/// [`Error::Store`] if there is no such user or it is revoked already.
pub async fn revoke_user(store: &dyn Store, id: &str, act: &Act) -> Result<(), Error> {
    store.revoke_user(id, act).await?;
    tracing::info!(user = id, "user revoked");
    Ok(())
}

/// Whether a user has a transport and an integrity key, which files for it can be protected with.
///
/// # Errors
/// [`Error::UnknownUri`], [`Error::Revoked`], [`Error::Store`].
pub async fn has_client_keys(state: &State, user_uri: &str) -> Result<bool, Error> {
    let (_, held) = grant_and_keys(state, user_uri).await?;
    Ok(!held.is_empty())
}

/// Key sets that were issued to a file.
pub struct Issued {
    /// The document; the keys in it are in clear unless it was issued with a TrK.
    pub document: Zeroizing<String>,
    /// How many key sets it holds.
    pub key_sets: usize,
}

/// Issues the key sets of a URI as the document that `keyprov` would answer with, to be carried to the client by hand.
///
/// For `period_no`, or for the current and the next key period. With the user's TrK and InK, the document is signed and its keys
/// are wrapped. The issue is noted before this returns.
///
/// # Errors
/// [`Error::UnknownUri`], [`Error::Revoked`], [`Error::Period`], [`Error::Store`], [`Error::OtherClientKeys`],
/// [`Error::EndedClientKeys`].
pub async fn issue(
    state: &State,
    user_uri: &str,
    period_no: Option<u64>,
    keys: Option<&ClientKeys>,
    act: &Act,
) -> Result<Issued, Error> {
    let grant = Grant::find(&*state.store, user_uri).await?;
    let protection = protection(state, &grant, keys).await?;
    let periods = issue::periods(state, period_no, act.at)?;
    let key_sets = issue::key_sets(state, &[grant], &periods, act.clone()).await?;
    let count = key_sets.len();
    tracing::info!(uri = user_uri, key_sets = count, "issued to a file");
    let resource = Resource::KeyProv { user_uri: Some(user_uri.to_owned()), time: None };
    let message = KmsMessage::KeyProv(KmsKeyProv { key_sets, ..KmsKeyProv::default() });
    Ok(Issued { document: document(state, user_uri, &resource, message, protection, act.at)?, key_sets: count })
}

/// The current key period and the next one: those that keys are issued for if no other is asked for.
///
/// # Errors
/// [`Error::Period`], [`Error::Mc`] for a time before period 0.
pub fn current_periods(state: &State, now: SystemTime) -> Result<[u64; 2], Error> {
    issue::current_and_next(state, now)
}

/// The document that `init` would answer with: the KMS's certificate, which a client needs beside [`issue`]'s.
///
/// # Errors
/// [`Error::UnknownUri`], [`Error::Revoked`], [`Error::Store`], [`Error::OtherClientKeys`],
/// [`Error::EndedClientKeys`].
pub async fn init_document(
    state: &State,
    user_uri: &str,
    keys: Option<&ClientKeys>,
    now: SystemTime,
) -> Result<Zeroizing<String>, Error> {
    let grant = Grant::find(&*state.store, user_uri).await?;
    let protection = protection(state, &grant, keys).await?;
    document(state, &grant.uri, &Resource::Init, init_message(state, now), protection, now)
}

/// The document that `certcache` would answer with, of the certificates that the keys of [`issue`] need beside that of
/// [`init_document`]; none if they need no more. After a roll-over they may (docs/roll-over.md).
///
/// # Errors
/// Those of [`issue`].
pub async fn further_certificates_document(
    state: &State,
    user_uri: &str,
    period_no: Option<u64>,
    keys: Option<&ClientKeys>,
    now: SystemTime,
) -> Result<Option<Zeroizing<String>>, Error> {
    let grant = Grant::find(&*state.store, user_uri).await?;
    let protection = protection(state, &grant, keys).await?;
    let further = further_certificates(state, &issue::periods(state, period_no, now)?, now);
    let document = |further| document(state, &grant.uri, &CERT_CACHE, certificates_message(further), protection, now);
    (!further.is_empty()).then(|| document(further)).transpose()
}

/// Makes the TrK and InK of the user that a URI belongs to: from now on its answers are signed and wrapped. They are to be handed
/// over out of band.
///
/// With `replace`, those that it had are good no more.
///
/// # Errors
/// [`Error::UnknownUri`], [`Error::Revoked`], [`Error::ClientKeysExist`], [`Error::Store`].
pub async fn new_client_keys(state: &State, user_uri: &str, replace: bool, act: &Act) -> Result<ClientKeys, Error> {
    let (grant, held) = grant_and_keys(state, user_uri).await?;
    if !held.is_empty() && !replace {
        return Err(Error::ClientKeysExist(grant.user_id));
    }
    let generation = next_generation(&held);
    let (keys, row) = state.vault.make(&grant.user_id, user_uri, generation, calendar::unix_seconds(act.at))?;
    state.store.replace_client_keys(&row, act).await?;
    tracing::info!(user = grant.user_id, generation, "transport and integrity keys made");
    Ok(keys)
}

/// The identifiers of a TrK and an InK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientKeyIds {
    /// TrK-ID.
    pub trk_id: String,
    /// InK-ID.
    pub ink_id: String,
}

/// Makes the next TrK and InK of a user, which its next answers bring. Those that it has are good until its client has used the
/// new ones.
///
/// # Errors
/// [`Error::UnknownUri`], [`Error::Revoked`], [`Error::NoClientKeys`]; [`Error::Store`], also if the client has not used the
/// last ones yet.
pub async fn rotate_client_keys(state: &State, user_uri: &str, act: &Act) -> Result<ClientKeyIds, Error> {
    let (grant, held) = grant_and_keys(state, user_uri).await?;
    if held.is_empty() {
        return Err(Error::NoClientKeys(grant.user_id));
    }
    let generation = next_generation(&held);
    let (_, row) = state.vault.make(&grant.user_id, user_uri, generation, calendar::unix_seconds(act.at))?;
    state.store.add_next_client_keys(&row, act).await?;
    tracing::info!(user = grant.user_id, generation, "next transport and integrity keys made");
    Ok(ClientKeyIds { trk_id: row.trk_id, ink_id: row.ink_id })
}

async fn grant_and_keys(state: &State, user_uri: &str) -> Result<(Grant, Vec<SealedClientKeys>), Error> {
    let holder = state.store.holders(&[user_uri]).await?.pop();
    let grant = Grant::of(holder.as_ref(), user_uri)?;
    Ok((grant, holder.map(|holder| holder.client_keys).unwrap_or_default()))
}

fn next_generation(held: &[SealedClientKeys]) -> u64 {
    held.iter().map(|row| row.generation).max().unwrap_or(0).saturating_add(1)
}

async fn protection(state: &State, grant: &Grant, keys: Option<&ClientKeys>) -> Result<Option<Protection>, Error> {
    let Some(keys) = keys else { return Ok(None) };
    let kms_uri = &state.config.kms_uri;
    let owner = state.store.holders(&[&keys.user_uri]).await?.pop();
    let Some(owner) = owner.filter(|owner| owner.user_id == grant.user_id && keys.kms_uri == *kms_uri) else {
        return Err(Error::OtherClientKeys {
            found: format!("{} at KMS {}", keys.user_uri, keys.kms_uri),
            expected: format!("{} at KMS {kms_uri}", grant.user_id),
        });
    };
    let trk_id = keys.transport.name();
    if !owner.client_keys.iter().any(|row| row.trk_id == trk_id) {
        return Err(Error::EndedClientKeys(trk_id.to_owned()));
    }
    Ok(Some(Protection::under(keys.clone())))
}

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

/// How the KMS stands. Needs no passphrase: see [`open_store`](super::open_store).
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

/// The certificate that is valid now.
pub(super) fn init_message(state: &State, now: SystemTime) -> KmsMessage {
    KmsMessage::Init(KmsInit {
        certificate: state.authority.certificate_at(calendar::ntp(now)),
        new_transport_keys: Vec::new(),
        new_integrity_keys: Vec::new(),
    })
}

pub(super) const CERT_CACHE: Resource = Resource::CertCache { number: None };

/// What keys of some periods need beside the certificate that is valid now.
pub(super) fn further_certificates(state: &State, periods: &[u64], now: SystemTime) -> Vec<KmsCertificate> {
    let present = state.authority.certificate_at(calendar::ntp(now));
    state.authority.certificates_of(periods).into_iter().filter(|needed| *needed != present).collect()
}

/// Not all that the cache has: without its number, so that the client asks for the rest.
pub(super) fn certificates_message(certificates: Vec<KmsCertificate>) -> KmsMessage {
    KmsMessage::CertCache(KmsCertCache { cache_num: None, certificates })
}

pub(super) fn document(
    state: &State,
    user_uri: &str,
    resource: &Resource,
    message: KmsMessage,
    protection: Option<Protection>,
    now: SystemTime,
) -> Result<Zeroizing<String>, Error> {
    let Config { kms_uri, documents, .. } = &state.config;
    let documents = *documents;
    let host = kms_uri.split_once("://").map_or(kms_uri.as_str(), |(_, rest)| rest);
    let mut response = KmsResponse {
        user_uri: user_uri.to_owned(),
        kms_uri: kms_uri.clone(),
        time: calendar::date(now),
        kms_id: None,
        client_req_url: resource.url(&format!("https://{host}")),
        message: Some(message),
        error: None,
        key_ids: KeyIds::default(),
    };
    match protection {
        Some(protection) => Ok(protection.write(&mut response, documents)?),
        None => Ok(response.to_xml(&documents.write_options())),
    }
}

/// A scheme, a colon and something, in the characters of RFC 3986: it is hashed into the UID as it stands.
pub(super) fn is_user_uri(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once(':') else { return false };
    uri.len() <= MAX_USER_URI
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet))
        && !rest.is_empty()
        && rest.bytes().all(|octet| octet.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&octet))
}
