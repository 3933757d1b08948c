//! The TrK and InK of each user, as the database holds them: sealed under a key that follows from the master secrets.

use super::Error;
use super::store::SealedClientKeys;
use crate::kms_protocol::ClientKeys;
use crate::sealing;
use crate::xml_security::{KEY_LEN, NamedKey};
use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use core::fmt;
use zeroize::Zeroizing;

const NONCE_LEN: usize = 12;

/// Seals and opens TrKs and InKs. Whoever reads the database learns nothing of them; whoever writes it can put none of one
/// user in the place of another's.
pub(super) struct Vault {
    key: Zeroizing<[u8; KEY_LEN]>,
    kms_uri: String,
}

impl Vault {
    /// `key` serves for nothing else.
    pub(super) fn new(key: Zeroizing<[u8; KEY_LEN]>, kms_uri: String) -> Self {
        Self { key, kms_uri }
    }

    /// A fresh TrK and InK, and what the database shall hold of them. `generation` counts the pairs that the user was given.
    pub(super) fn make(
        &self,
        user_id: &str,
        user_uri: &str,
        generation: u64,
        created: u64,
    ) -> Result<(ClientKeys, SealedClientKeys), Error> {
        let name = name_of(user_uri);
        let key = |prefix| {
            let mut octets = Zeroizing::new([0; KEY_LEN]);
            fill(octets.as_mut_slice())?;
            NamedKey::new(&format!("{prefix}.{generation}.{name}"), octets.as_slice()).map_err(|_| damaged(user_id))
        };
        let (transport, integrity) = (key("tk")?, key("ink")?);
        let plaintext = Zeroizing::new([&transport.octets()[..], integrity.octets()].concat());
        let mut nonce = [0; NONCE_LEN];
        fill(&mut nonce)?;
        let mut row = SealedClientKeys {
            user_id: user_id.to_owned(),
            generation,
            is_next: false,
            trk_id: transport.name().to_owned(),
            ink_id: integrity.name().to_owned(),
            sealed: Vec::new(),
            created,
        };
        let aad = additional_data(&row);
        let sealed = self
            .cipher()
            .encrypt(&nonce.into(), Payload { msg: &plaintext, aad: &aad })
            .map_err(|aes_gcm::Error| damaged(user_id))?;
        row.sealed = [&nonce[..], &sealed].concat();
        Ok((self.keys(user_uri, transport, integrity), row))
    }

    /// The keys of a row, for a client that asks as `user_uri`.
    pub(super) fn open(&self, row: &SealedClientKeys, user_uri: &str) -> Result<ClientKeys, Error> {
        let damaged = || damaged(&row.user_id);
        let (nonce, sealed) = row.sealed.split_first_chunk::<NONCE_LEN>().ok_or_else(damaged)?;
        let payload = Payload { msg: sealed, aad: &additional_data(row) };
        let octets = self.cipher().decrypt(&(*nonce).into(), payload).map(Zeroizing::new).map_err(|_| damaged())?;
        let (trk, ink) = octets.split_at_checked(KEY_LEN).ok_or_else(damaged)?;
        let key = |name: &str, octets: &[u8]| NamedKey::new(name, octets).map_err(|_| damaged());
        Ok(self.keys(user_uri, key(&row.trk_id, trk)?, key(&row.ink_id, ink)?))
    }

    fn keys(&self, user_uri: &str, transport: NamedKey, integrity: NamedKey) -> ClientKeys {
        ClientKeys {
            user_uri: user_uri.to_owned(),
            kms_uri: self.kms_uri.clone(),
            transport,
            integrity: Some(integrity),
        }
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new((&*self.key).into())
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Vault(..)")
    }
}

/// What names a user's keys: the URI, of the form `sip:bob@example.org` without its scheme. Of two URIs, not only of such, it is never
/// the same: what has no colon is the rest of one with `sip:`.
fn name_of(user_uri: &str) -> &str {
    user_uri.strip_prefix("sip:").filter(|rest| !rest.contains(':')).unwrap_or(user_uri)
}

/// Whose keys these are and which.
fn additional_data(row: &SealedClientKeys) -> Vec<u8> {
    format!("{}\0{}\0{}\0{}", row.user_id, row.generation, row.trk_id, row.ink_id).into_bytes()
}

fn damaged(user_id: &str) -> Error {
    Error::ClientKeysDamaged(user_id.to_owned())
}

fn fill(octets: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(octets).map_err(|error| Error::Sealing(sealing::Error::Randomness(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const URI: &str = "sip:alice@example.org";

    fn vault(octet: u8) -> Vault {
        Vault::new(Zeroizing::new([octet; KEY_LEN]), "kms.example.org".into())
    }

    #[test]
    fn keys_are_fresh_named_by_user_and_generation_and_opened_again() {
        let (keys, row) = vault(1).make("alice", URI, 3, 1000).unwrap();
        assert_eq!(keys.transport.name(), "tk.3.alice@example.org");
        assert_eq!(keys.signing_key().name(), "ink.3.alice@example.org");
        assert_eq!(vault(1).open(&row, URI).unwrap(), keys);
        let (others, _) = vault(1).make("alice", URI, 3, 1000).unwrap();
        assert_ne!(keys.transport, others.transport);
        assert_ne!(keys.transport.octets(), keys.signing_key().octets());
    }

    #[test]
    fn keys_of_different_uris_have_different_names() {
        let uris =
            [URI, "mcptt:alice@example.org", "sip:mcptt:alice@example.org", "SIP:alice@example.org", "sips:a", "sip:a"];
        let names = uris.map(|uri| vault(1).make("alice", uri, 3, 1000).unwrap().1.trk_id);
        assert_eq!(names[1], "tk.3.mcptt:alice@example.org");
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len(), "{names:?}");
        let longest = format!("mcptt:{}", "a".repeat(255 - 6));
        assert!(vault(1).make("alice", &longest, u64::MAX, 1000).is_ok());
    }

    #[test]
    fn a_row_that_was_altered_or_moved_is_refused() {
        let (_, row) = vault(1).make("alice", URI, 3, 1000).unwrap();
        let altered = |change: &dyn Fn(&mut SealedClientKeys)| {
            let mut row = row.clone();
            change(&mut row);
            vault(1).open(&row, URI).unwrap_err()
        };
        for error in [
            altered(&|row| row.user_id = "bob".into()),
            altered(&|row| row.generation = 4),
            altered(&|row| row.trk_id = "tk.4.alice@example.org".into()),
            altered(&|row| row.ink_id = "ink.4.alice@example.org".into()),
            altered(&|row| row.sealed[20] ^= 1),
            altered(&|row| row.sealed.truncate(11)),
            vault(2).open(&row, URI).unwrap_err(),
        ] {
            assert!(matches!(error, Error::ClientKeysDamaged(_)), "{error}");
        }
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{:?}", vault(1)), "Vault(..)");
    }
}
