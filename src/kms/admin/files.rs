use super::documents::{CERT_CACHE, certificates_message, document, further_certificates, init_message};
use crate::kms::audit::Act;
use crate::kms::issue::{self, Grant};
use crate::kms::protection::Protection;
use crate::kms::{Error, State};
use crate::kms_protocol::resource::Resource;
use crate::kms_protocol::{ClientKeys, KmsKeyProv, KmsMessage};
use std::time::SystemTime;
use zeroize::Zeroizing;

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
