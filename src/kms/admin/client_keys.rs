use crate::kms::audit::Act;
use crate::kms::issue::Grant;
use crate::kms::store::SealedClientKeys;
use crate::kms::{Error, State, calendar};
use crate::kms_protocol::ClientKeys;

/// Whether a user has a transport and an integrity key, which files for it can be protected with.
///
/// # Errors
/// [`Error::UnknownUri`], [`Error::Revoked`], [`Error::Store`].
pub async fn has_client_keys(state: &State, user_uri: &str) -> Result<bool, Error> {
    let (_, held) = grant_and_keys(state, user_uri).await?;
    Ok(!held.is_empty())
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
