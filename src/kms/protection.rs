//! The security extension on the server's side (TS 33.180 5.3.3): whose requests are signed by whom, and how the answers to them
//! are protected.

use super::Error;
use super::audit::Act;
use super::config::{Documents, Policy};
use super::store::{Holder, Store};
use super::vault::Vault;
use crate::kms_protocol::{self, ClientKeys, EncryptedKey, KeyIds, KmsMessage, KmsResponse, SharedKey};
use crate::xml_security::NamedKey;
use zeroize::Zeroizing;

/// The TrK and InK of a user.
#[derive(Debug)]
pub(super) struct UserKeys {
    pub(super) user_id: String,
    /// The pair that the user's client has.
    pub(super) current: Option<ClientKeys>,
    /// The pair that it gets and has not used yet, with its generation.
    pub(super) next: Option<(u64, ClientKeys)>,
}

impl UserKeys {
    /// Those of the user that a URI belongs to; `None` if it has none.
    fn open(vault: &Vault, holder: &Holder) -> Result<Option<Self>, Error> {
        let mut keys = Self { user_id: holder.user_id.clone(), current: None, next: None };
        for row in &holder.client_keys {
            let opened = vault.open(row, &holder.uri)?;
            if row.is_next { keys.next = Some((row.generation, opened)) } else { keys.current = Some(opened) }
        }
        Ok((!holder.client_keys.is_empty()).then_some(keys))
    }

    fn signing_keys(&self) -> impl Iterator<Item = &NamedKey> {
        self.pairs().map(ClientKeys::signing_key)
    }

    fn pairs(&self) -> impl Iterator<Item = &ClientKeys> {
        self.current.iter().chain(self.next.as_ref().map(|(_, keys)| keys))
    }
}

/// The keys of everyone whom an access token is for.
#[derive(Debug, Default)]
pub(super) struct KeyBook(Vec<UserKeys>);

impl KeyBook {
    /// Under [`Policy::Off`] nobody has keys.
    pub(super) fn of<'a>(
        vault: &Vault,
        policy: Policy,
        holders: impl Iterator<Item = &'a Holder>,
    ) -> Result<Self, Error> {
        let mut book = Self::default();
        for holder in holders.filter(|_| policy != Policy::Off) {
            if !book.has_keys(&holder.user_id)
                && let Some(keys) = UserKeys::open(vault, holder)?
            {
                book.0.push(keys);
            }
        }
        Ok(book)
    }

    /// All keys that a request may be signed with.
    pub(super) fn signing_keys(&self) -> Vec<&NamedKey> {
        self.0.iter().flat_map(UserKeys::signing_keys).collect()
    }

    /// The keys of a user, and no longer those of the others.
    pub(super) fn take(self, user_id: &str) -> Option<UserKeys> {
        self.0.into_iter().find(|keys| keys.user_id == user_id)
    }

    /// Whether a key that signed a request is this user's.
    pub(super) fn is_of(&self, user_id: &str, key_name: &str) -> bool {
        self.0
            .iter()
            .filter(|keys| keys.user_id == user_id)
            .any(|keys| keys.signing_keys().any(|key| key.name() == key_name))
    }

    /// Whether this is the name of a TrK that the user has, or gets.
    pub(super) fn has_transport_key(&self, user_id: &str, trk_id: &str) -> bool {
        let keys = self.0.iter().filter(|keys| keys.user_id == user_id);
        keys.flat_map(UserKeys::pairs).any(|pair| pair.transport.name() == trk_id)
    }

    pub(super) fn has_keys(&self, user_id: &str) -> bool {
        self.0.iter().any(|keys| keys.user_id == user_id)
    }
}

/// How an answer is protected.
#[derive(Debug)]
pub(super) struct Protection {
    keys: ClientKeys,
    /// New keys that are brought along.
    next: Option<ClientKeys>,
}

impl Protection {
    /// For files that are carried by hand: under these keys, without new ones.
    pub(super) fn under(keys: ClientKeys) -> Self {
        Self { keys, next: None }
    }

    /// For a user with keys whose request was signed with `key_name`, or not signed, and says that the client has the TrK `trk_id`.
    /// A signature with the new keys confirms them: the old ones are forgotten.
    pub(super) async fn settle(
        store: &dyn Store,
        keys: UserKeys,
        key_name: Option<&str>,
        trk_id: Option<&str>,
        act: &Act,
    ) -> Result<Option<Self>, Error> {
        let UserKeys { user_id, current, next } = keys;
        match (current, next) {
            (_, Some((generation, next))) if Some(next.signing_key().name()) == key_name => {
                store.confirm_client_keys(&user_id, generation, act).await?;
                tracing::info!(user = user_id, generation, "new transport and integrity keys are in use");
                Ok(Some(Self::under(next)))
            }
            // Without a signature this is only a claim, good enough to choose what the client can read.
            (_, Some((_, next))) if key_name.is_none() && Some(next.transport.name()) == trk_id => {
                Ok(Some(Self::under(next)))
            }
            (Some(keys), next) => Ok(Some(Self { keys, next: next.map(|(_, keys)| keys) })),
            (None, _) => Ok(None),
        }
    }

    /// The document: keys wrapped, new ones added, and all of it signed.
    pub(super) fn write(
        &self,
        response: &mut KmsResponse,
        documents: Documents,
    ) -> Result<Zeroizing<String>, kms_protocol::Error> {
        let wrapping = documents.wrapping;
        let trk = &self.keys.transport;
        response.wrap_keys(trk, wrapping)?;
        let new_keys = match &mut response.message {
            Some(KmsMessage::Init(init)) => Some((&mut init.new_transport_keys, &mut init.new_integrity_keys)),
            Some(KmsMessage::KeyProv(keys)) => Some((&mut keys.new_transport_keys, &mut keys.new_integrity_keys)),
            _ => None,
        };
        if let (Some(next), Some((transport, integrity))) = (&self.next, new_keys) {
            transport.push(EncryptedKey::wrap_shared(&next.transport, SharedKey::Transport, trk, wrapping)?);
            if let Some(key) = &next.integrity {
                integrity.push(EncryptedKey::wrap_shared(key, SharedKey::Integrity, trk, wrapping)?);
            }
        }
        let signing_key = self.keys.signing_key();
        response.key_ids =
            KeyIds { trk_id: Some(trk.name().to_owned()), signature_id: Some(signing_key.name().to_owned()) };
        response.to_signed_xml(&documents.write_options(), signing_key, &documents.signing_options())
    }
}
