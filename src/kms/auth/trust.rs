//! What tokens and certificates of clients are checked by, as the audit log has it.

use crate::kms::config::{ClientCertificates, PinnedCertificate};
use crate::kms::hash::Hash;
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use tokio::sync::Notify;

/// SHA-256, in hex, of each thing that says who is who; none of what there is not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Trust {
    /// The JWK set, octet for octet. None as long as a URL has not been asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<String>,
    /// The file of `auth.jwks_ca`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_ca: Option<String>,
    /// The file of `auth.certificates.ca`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_ca: Option<String>,
    /// The pinned certificates: of a line for each, in the order of `kms.toml`, that has its SHA-256 and its URIs with a space before
    /// each, and ends with a line feed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned: Option<String>,
}

/// See [`Trust::pinned`].
pub(super) fn pins(config: &ClientCertificates) -> Option<Hash> {
    let line = |PinnedCertificate { sha256, uris }: &PinnedCertificate| {
        let uris: String = uris.iter().map(|uri| format!(" {uri}")).collect();
        format!("{}{uris}\n", Hash(*sha256))
    };
    let lines: String = config.pinned.iter().map(line).collect();
    (!lines.is_empty()).then(|| Hash::of(lines.as_bytes()))
}

/// That other keys are taken for the identity provider's than before, without a start or a reload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::kms) struct KeysChanged {
    pub(in crate::kms) at: SystemTime,
    /// The file or URL.
    pub(in crate::kms) origin: String,
    pub(in crate::kms) jwks: Hash,
    pub(in crate::kms) before: Option<Hash>,
}

/// Changes that wait to be written down. A clone is the same queue.
#[derive(Clone, Debug, Default)]
pub(in crate::kms) struct KeyChanges(Arc<Queue>);

#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<VecDeque<KeysChanged>>,
    added: Notify,
}

impl KeyChanges {
    pub(super) fn add(&self, change: KeysChanged) {
        self.waiting().push_back(change);
        self.0.added.notify_one();
    }

    /// The next one, if there is one.
    pub(in crate::kms) fn take(&self) -> Option<KeysChanged> {
        self.waiting().pop_front()
    }

    /// The next one, once there is one. For one who waits.
    pub(in crate::kms) async fn next(&self) -> KeysChanged {
        loop {
            if let Some(change) = self.take() {
                return change;
            }
            self.0.added.notified().await;
        }
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<KeysChanged>> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
