//! Canonical XML, and the digest of an element in that form.

use super::Error;
use alloc::string::ToString;
use alloc::vec::Vec;
use bergshamra_c14n::{C14nMode, C14nSink, canonicalize_doc_to};
use bergshamra_xml::NodeSet;
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};
use uppsala::{Document, NodeId};

/// How XML is brought into the one form that is digested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Canonicalization {
    /// Canonical XML 1.0 without comments.
    #[default]
    Inclusive,
    /// Canonical XML 1.0 with comments.
    InclusiveWithComments,
    /// Exclusive XML canonicalization 1.0 without comments.
    Exclusive,
    /// Exclusive XML canonicalization 1.0 with comments.
    ExclusiveWithComments,
}

impl Canonicalization {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::Inclusive, Self::InclusiveWithComments, Self::Exclusive, Self::ExclusiveWithComments];

    /// The algorithm's URI.
    pub fn uri(self) -> &'static str {
        match self {
            Self::Inclusive => "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
            Self::InclusiveWithComments => "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
            Self::Exclusive => "http://www.w3.org/2001/10/xml-exc-c14n#",
            Self::ExclusiveWithComments => "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
        }
    }

    pub(super) fn from_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.uri() == uri)
    }

    fn mode(self) -> C14nMode {
        match self {
            Self::Inclusive => C14nMode::Inclusive,
            Self::InclusiveWithComments => C14nMode::InclusiveWithComments,
            Self::Exclusive => C14nMode::Exclusive,
            Self::ExclusiveWithComments => C14nMode::ExclusiveWithComments,
        }
    }

    /// The SHA-256 digest of what a Reference `#Id` selects: an element without its comments (XML Signature 4.3.3.3), and
    /// without the signature that is in it.
    pub(super) fn digest(
        self,
        dom: &Document<'_>,
        element: NodeId,
        enveloped: Option<NodeId>,
    ) -> Result<[u8; 32], Error> {
        let mut nodes = NodeSet::tree_without_comments(element, dom);
        if let Some(signature) = enveloped {
            nodes = nodes.subtract(&NodeSet::tree_with_comments(signature, dom));
        }
        let mut sink = Feed(Sha256::new());
        self.write(dom, &nodes, &mut sink)?;
        Ok(sink.0.finalize().into())
    }

    /// Feeds an element with its comments to a MAC.
    pub(super) fn authenticate(
        self,
        dom: &Document<'_>,
        element: NodeId,
        mac: Hmac<Sha256>,
    ) -> Result<Hmac<Sha256>, Error> {
        let mut sink = Feed(mac);
        self.write(dom, &NodeSet::tree_with_comments(element, dom), &mut sink)?;
        Ok(sink.0)
    }

    /// An element with its comments, for a signature.
    pub(super) fn octets(self, dom: &Document<'_>, element: NodeId) -> Result<Vec<u8>, Error> {
        let mut sink = Collected(Vec::new());
        self.write(dom, &NodeSet::tree_with_comments(element, dom), &mut sink)?;
        Ok(sink.0)
    }

    fn write(self, dom: &Document<'_>, nodes: &NodeSet, sink: &mut impl C14nSink) -> Result<(), Error> {
        const NO_PREFIXES: &[&str] = &[];
        canonicalize_doc_to(dom, self.mode(), Some(nodes), NO_PREFIXES, sink)
            .map_err(|error| Error::NotCanonical(error.to_string()))
    }
}

/// Takes canonical octets without keeping them: they may hold keys.
struct Feed<T>(T);

impl C14nSink for Feed<Sha256> {
    fn write(&mut self, octets: &[u8]) {
        self.0.update(octets);
    }
}

impl C14nSink for Feed<Hmac<Sha256>> {
    fn write(&mut self, octets: &[u8]) {
        self.0.update(octets);
    }
}

/// Keeps canonical octets: those of `SignedInfo`, which holds no keys.
struct Collected(Vec<u8>);

impl C14nSink for Collected {
    fn write(&mut self, octets: &[u8]) {
        self.0.extend_from_slice(octets);
    }
}
