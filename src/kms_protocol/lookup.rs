//! `KmsLookup`: which KMSs serve a user or a domain.

use super::document::Node;
use super::writer::DocumentWriter;
use super::{Error, LOOKUP_NAMESPACE};

/// The answer of a discovery lookup (TS 33.180 D.2.7, D.3.1).
///
/// The specification's form is not public: releases from 17 on have the message, the published schema does not. It is
/// written in a namespace of its own ([`LOOKUP_NAMESPACE`]), where the schema has room for extensions, and read in that one and
/// in the document's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsLookup {
    /// `Subject`: the URI or the domain that was asked for, if given.
    pub subject: Option<String>,
    /// `KmsUri`, once for each KMS: at least one.
    pub kms_uris: Vec<String>,
}

const NAME: &str = "KmsLookup";

impl KmsLookup {
    pub(super) fn read(node: Node<'_, '_>) -> Result<Self, Error> {
        let fields = node.fields()?;
        let kms_uris = fields.many("KmsUri").iter().map(Node::uri).collect::<Result<Vec<_>, _>>()?;
        if kms_uris.is_empty() {
            return Err(Error::Missing { path: node.child_path("KmsUri") });
        }
        Ok(KmsLookup { subject: fields.optional_uri("Subject")?, kms_uris })
    }

    pub(super) fn write(&self, w: &mut DocumentWriter) {
        w.open(NAME, &[("xmlns", LOOKUP_NAMESPACE)]);
        w.optional_leaf("Subject", self.subject.as_deref());
        for kms_uri in &self.kms_uris {
            w.leaf("KmsUri", kms_uri);
        }
        w.close(NAME);
    }
}
