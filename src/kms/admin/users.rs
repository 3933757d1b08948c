use crate::kms::audit::Act;
use crate::kms::store::{NewUser, Store, User};
use crate::kms::{ClientKind, Error, check_user_uri};

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
    uris.iter().try_for_each(|uri| check_user_uri(uri).map_err(|fault| Error::UserUri { uri: uri.clone(), fault }))
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
