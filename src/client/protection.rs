//! The keys that a client shares with its KMS, and what they make of the KMS's answers (TS 33.180 5.3.3, Annex D).

use super::Error;
use super::record::Contents;
use crate::kms_protocol::{self, ClientKeys, KmsResponse, Limits, SignatureStatus};
use crate::xml_security;

/// Which keys an answer must be protected with.
pub(super) enum Protection<'k> {
    /// With these, or not at all.
    Fixed(Option<&'k ClientKeys>),
    /// With those that the store has for the user and the KMS that the answer names.
    Stored(&'k Contents),
}

/// What the keys were found to do for an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Protected {
    /// The keys that it was verified and unwrapped with.
    pub(super) keys: ClientKeys,
    /// Those of the next time, where the answer brought new ones.
    pub(super) new_keys: Option<ClientKeys>,
}

impl Protection<'_> {
    /// Reads an answer. If there are keys for it, it must be signed, and its keys wrapped, which are then in clear; but a refusal
    /// of the KMS is one even without a signature.
    pub(super) fn read(
        &self,
        request: &'static str,
        document: &[u8],
        limits: &Limits,
    ) -> Result<(KmsResponse, Option<Protected>), Error> {
        let unusable = |source| unusable(request, source);
        let Some(keys) = self.keys(document, limits).map_err(unusable)? else {
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
            return Err(Error::SignatureMissing { request, key_id: keys.signing_key().name().to_owned() });
        }
        response.unwrap_keys(&keys.transport).map_err(unusable)?;
        let new_keys = response.new_keys(keys).map_err(unusable)?;
        Ok((response, Some(Protected { keys: keys.clone(), new_keys })))
    }

    /// What an answer says of itself chooses among the keys, and is verified under them.
    fn keys(&self, document: &[u8], limits: &Limits) -> Result<Option<&ClientKeys>, kms_protocol::Error> {
        match self {
            Self::Fixed(keys) => Ok(*keys),
            Self::Stored(contents) if contents.client_keys.is_empty() => Ok(None),
            Self::Stored(contents) => {
                let (claimed, _) = KmsResponse::from_xml(document, limits)?.into_parts();
                Ok(contents.client_keys(&claimed.user_uri, Some(&claimed.kms_uri)))
            }
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
