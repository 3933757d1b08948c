//! The keys that a client shares with its KMS, and what they make of the KMS's answers (TS 33.180 5.3.3, Annex D).

use super::Error;
use super::record::{ClientKeysRecord, Contents};
use crate::kms_protocol::{self, ClientKeys, KmsResponse, Limits, SignatureStatus};
use crate::xml_security;

/// The keys of all users that an answer may be for.
pub(super) struct Protection<'k> {
    ring: Vec<&'k ClientKeys>,
    /// Whose answers these are, whatever they say.
    sole: Option<&'k ClientKeys>,
}

/// What the keys were found to do for an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Protected {
    /// The keys that it was verified and unwrapped with.
    pub(super) keys: ClientKeys,
    /// Those of the next time, where the answer brought new ones.
    pub(super) new_keys: Option<ClientKeys>,
}

impl<'k> Protection<'k> {
    /// No answer but those of these keys' user, or none is protected.
    pub(super) fn of(keys: Option<&'k ClientKeys>) -> Self {
        Self { ring: keys.into_iter().collect(), sole: keys }
    }

    /// The answers of each user who has keys in the store, by what they say of themselves.
    pub(super) fn stored(contents: &'k Contents) -> Self {
        Self { ring: contents.client_keys.iter().map(ClientKeysRecord::keys).collect(), sole: None }
    }

    /// Reads an answer. For a user with keys it must be signed, and its keys wrapped, which are then in clear; but a refusal of
    /// the KMS is one even without a signature.
    pub(super) fn read(
        &self,
        request: &'static str,
        document: &[u8],
        limits: &Limits,
    ) -> Result<(KmsResponse, Option<Protected>), Error> {
        let unusable = |source| unusable(request, source);
        let signing_keys: Vec<_> = self.ring.iter().map(|keys| keys.signing_key()).collect();
        let received = match &signing_keys[..] {
            [] => KmsResponse::from_xml(document, limits),
            keys => KmsResponse::from_xml_with_keys(document, limits, keys),
        };
        let (mut response, signature) = received.map_err(unusable)?.into_parts();
        let Some(keys) = self.keys_of(request, &response, &signature)? else {
            require_no_signature(&answer_to(request), signature)?;
            return Ok((response, None));
        };
        if signature == SignatureStatus::Absent {
            if let Some(error) = response.error {
                return Err(unusable(kms_protocol::Error::Refused(error)));
            }
            return Err(Error::SignatureMissing { request, key_id: keys.signing_key().name().to_owned() });
        }
        response.unwrap_keys(&keys.transport).map_err(unusable)?;
        let new_keys = response.new_keys(keys).map_err(unusable)?;
        Ok((response, Some(Protected { keys: keys.clone(), new_keys })))
    }

    /// The keys of the answer's user. Those that a signature is under belong to nobody else.
    fn keys_of(
        &self,
        request: &'static str,
        response: &KmsResponse,
        signature: &SignatureStatus,
    ) -> Result<Option<&'k ClientKeys>, Error> {
        let is_owner = |keys: &&&ClientKeys| keys.user_uri == response.user_uri && keys.kms_uri == response.kms_uri;
        let owner = self.ring.iter().find(is_owner).copied();
        let SignatureStatus::Verified { key_name } = signature else { return Ok(owner.or(self.sole)) };
        let signer = self.ring.iter().find(|keys| keys.signing_key().name() == key_name).copied();
        match signer {
            Some(signer) if owner != Some(signer) => {
                Err(Error::OtherUser { request, found: response.user_uri.clone(), expected: signer.user_uri.clone() })
            }
            _ => Ok(owner),
        }
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

pub(super) fn unusable(request: &'static str, source: kms_protocol::Error) -> Error {
    match source {
        kms_protocol::Error::Refused(error) => Error::Refused { request, code: error.code, text: error.message },
        kms_protocol::Error::Signature(xml_security::Error::UnknownKey { name }) => {
            Error::IntegrityKeyNeeded { document: answer_to(request), key_id: name }
        }
        source => Error::Response { request, source },
    }
}

fn answer_to(request: &str) -> String {
    format!("the KMS's answer to {request}")
}
