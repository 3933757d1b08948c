//! Whether a document came signed, and by whom.

use super::document::Node;

/// What is known of a document's XML signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureStatus {
    /// There is none.
    Absent,
    /// There is one, and nobody has checked it. Never take it for more than that.
    Unverified {
        /// `KeyName` of its `KeyInfo`, as claimed: the InK-ID or TrK-ID.
        key_name: Option<String>,
    },
    /// There is one, and it is right: the document is what the holder of this key wrote.
    Verified {
        /// The InK-ID or TrK-ID; of a redirect response, the SHA-256 fingerprint of the signer's X.509 certificate in lower-case
        /// hex.
        key_name: String,
    },
}

/// A document as it was read, with the state of its signature: the caller decides what an absent or unverified signature
/// is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "the signature's state must be looked at"]
pub struct Received<T> {
    document: T,
    signature: SignatureStatus,
    version: Option<String>,
    has_local_time: bool,
}

impl<T> Received<T> {
    pub(super) fn new(document: T, signature: SignatureStatus, node: Node<'_, '_>) -> Self {
        Received { document, signature, version: node.version(), has_local_time: node.has_local_time() }
    }

    /// Whether its `Time` has no zone, so that only its writer knows what it means; it was read as UTC.
    pub fn has_local_time(&self) -> bool {
        self.has_local_time
    }

    /// Its `Version`, where it has one: any 1.x.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The document.
    pub fn document(&self) -> &T {
        &self.document
    }

    /// The state of its signature.
    pub fn signature(&self) -> &SignatureStatus {
        &self.signature
    }

    /// Both.
    pub fn into_parts(self) -> (T, SignatureStatus) {
        (self.document, self.signature)
    }
}
