//! The keys that a client shares with its KMS, and what they make of the KMS's answers (TS 33.180 5.3.3, Annex D).

use super::Error;
use super::answer::KEY_PROV;
use super::record::Contents;
use crate::kms_protocol::{self, ClientKeys, KmsResponse, Limits, SignatureStatus};
use crate::mc::printable;
use crate::xml_security;

/// The keys that all answers of one import or provisioning must be protected with; without any, none may be signed.
#[derive(Clone, Copy)]
pub(super) struct Protection<'k>(pub(super) Option<&'k ClientKeys>);

/// What the keys were found to do for an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Protected {
    /// The keys that it was verified and unwrapped with.
    pub(super) keys: ClientKeys,
    /// Those of the next time, where the answer brought new ones.
    pub(super) new_keys: Option<ClientKeys>,
}

impl Protected {
    /// The same, with the new keys that an earlier answer under these keys brought, if this one brought none.
    pub(super) fn after(self, earlier: Option<Self>) -> Self {
        let earlier = earlier.filter(|earlier| earlier.keys == self.keys).and_then(|earlier| earlier.new_keys);
        Self { new_keys: self.new_keys.or(earlier), ..self }
    }
}

impl<'k> Protection<'k> {
    /// The keys that a store has for the user of an answer to `keyprov`. Whose keys are stored decides, whatever other answers say
    /// of themselves; a document that lies about the user is refused under them, or brings no keys of theirs.
    pub(super) fn stored(contents: &'k Contents, key_prov: &[u8], limits: &Limits) -> Result<Self, Error> {
        if contents.client_keys.is_empty() {
            return Ok(Self(None));
        }
        let claimed = KmsResponse::from_xml(key_prov, limits).map_err(|source| unusable(KEY_PROV, source))?;
        let (claimed, _) = claimed.into_parts();
        Ok(Self(contents.client_keys(&claimed.user_uri, Some(&claimed.kms_uri))))
    }

    /// Reads an answer. If there are keys for it, it must be signed, and its keys wrapped, which are then in clear; but a refusal
    /// of the KMS is one even without a signature.
    pub(super) fn read(
        &self,
        request: &'static str,
        document: &[u8],
        limits: &Limits,
    ) -> Result<(KmsResponse, Option<Protected>), Error> {
        let unusable = |source| unusable(request, source);
        let Some(keys) = self.0 else {
            let (response, signature) = KmsResponse::from_xml(document, limits).map_err(unusable)?.into_parts();
            require_no_signature(&answer_to(request), signature)?;
            return Ok((response, None));
        };
        let received = KmsResponse::from_xml_with_keys(document, limits, &[keys.signing_key()]).map_err(unusable)?;
        let (mut response, signature) = received.into_parts();
        if signature == SignatureStatus::Absent {
            if let Some(error) = response.error {
                return Err(unusable(kms_protocol::Error::Refused(error)));
            }
            return Err(signature_missing(request, keys));
        }
        response.unwrap_keys(&keys.transport).map_err(unusable)?;
        let new_keys = response.new_keys(keys).map_err(unusable)?;
        Ok((response, Some(Protected { keys: keys.clone(), new_keys })))
    }
}

/// Whether a user was given some keys after others of the same KMS: the KMS counts them in their names (`tk.3.alice@example.org`).
pub(super) fn are_newer(keys: &ClientKeys, others: &ClientKeys) -> bool {
    match (count(keys), count(others)) {
        (Some(count), Some(other)) => keys.kms_uri == others.kms_uri && count > other,
        _ => false,
    }
}

fn count(keys: &ClientKeys) -> Option<u64> {
    let mut parts = keys.transport.name().splitn(3, '.');
    match (parts.next(), parts.next()) {
        (Some("tk"), Some(count)) => count.parse().ok(),
        _ => None,
    }
}

/// A signature that was not checked must not look like one that was.
pub(super) fn require_no_signature(document: &str, signature: SignatureStatus) -> Result<(), Error> {
    match signature {
        SignatureStatus::Absent | SignatureStatus::Verified { .. } => Ok(()),
        SignatureStatus::Unverified { key_name } => Err(Error::IntegrityKeyNeeded {
            document: document.to_owned(),
            key_id: key_name.unwrap_or_else(|| "a key without a name".into()),
        }),
    }
}

pub(super) fn signature_missing(request: &'static str, keys: &ClientKeys) -> Error {
    Error::SignatureMissing { request, key_id: keys.signing_key().name().to_owned() }
}

pub(super) fn unusable(request: &'static str, source: kms_protocol::Error) -> Error {
    match source {
        kms_protocol::Error::Refused(error) => {
            Error::Refused { request, code: error.code, text: printable(&error.message), retry_after: None }
        }
        kms_protocol::Error::Signature(xml_security::Error::UnknownKey { name }) => {
            Error::IntegrityKeyNeeded { document: answer_to(request), key_id: name }
        }
        source => Error::Response { request, source },
    }
}

fn answer_to(request: &str) -> String {
    format!("the KMS's answer to {request}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml_security::NamedKey;

    #[test]
    fn keys_are_newer_by_the_count_in_their_names_alone() {
        let keys = |name: &str, kms_uri: &str| ClientKeys {
            user_uri: "sip:alice@example.org".into(),
            kms_uri: kms_uri.into(),
            transport: NamedKey::new(name, &[7; 32]).unwrap(),
            integrity: None,
        };
        let newer = |name: &str, other: &str| are_newer(&keys(name, "kms"), &keys(other, "kms"));
        assert!(newer("tk.10.alice@example.org", "tk.9.alice@example.org"));
        assert!(newer("tk.2.alice.video@example.org", "tk.1.alice@example.org"), "one user, two identities");
        for (name, other) in [
            ("tk.9.alice@example.org", "tk.10.alice@example.org"),
            ("tk.9.alice@example.org", "tk.9.alice@example.org"),
            ("key-2027", "key-2026"),
            ("tk.next.alice", "tk.1.alice"),
            ("tk.2.alice", "key"),
            ("key.2.alice", "key.1.alice"),
        ] {
            assert!(!newer(name, other), "{name} {other}");
        }
        assert!(!are_newer(&keys("tk.2.alice", "kms.example.net"), &keys("tk.1.alice", "kms.example.org")));
    }
}
