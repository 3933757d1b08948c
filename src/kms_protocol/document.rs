//! A parsed document, read element by element with the place in hand for errors.

use super::value::{self, TIME_FORM};
use super::{
    Error, KEY_IDS_NAMESPACE, KmsError, LOOKUP_NAMESPACE, Limits, NAMESPACE, REDIRECT_NAMESPACE, SignatureStatus,
    XMLDSIG_NAMESPACE, XMLENC_NAMESPACE,
};
use crate::mc::is_printable;
#[cfg(feature = "xml-security")]
use crate::xml_security::{NamedKey, VerifiedX509, X509Trust, verify, verify_x509};
use core::ops::RangeInclusive;
#[cfg(feature = "xml-security")]
use core::time::Duration;
use time::OffsetDateTime;
use uppsala::{NodeId, NodeKind};
use zeroize::Zeroizing;

/// A document that [`Limits::admit`] let through.
pub(super) struct Document<'x> {
    dom: uppsala::Document<'x>,
}

/// One element of a document.
#[derive(Clone, Copy)]
pub(super) struct Node<'d, 'x> {
    document: &'d Document<'x>,
    id: NodeId,
}

/// The child elements of one element, for an element that has nothing else in it.
pub(super) struct Fields<'d, 'x> {
    parent: Node<'d, 'x>,
    children: Vec<Node<'d, 'x>>,
}

/// The state of a signature element that was found, or not.
pub(super) fn signature_status(signature: Option<Node<'_, '_>>) -> Result<SignatureStatus, Error> {
    let Some(signature) = signature else { return Ok(SignatureStatus::Absent) };
    let key_name = match signature.fields()?.optional("KeyInfo")? {
        Some(info) => info.fields()?.optional_string("KeyName")?,
        None => None,
    };
    Ok(SignatureStatus::Unverified { key_name })
}

/// The state of the signature that stands beside `signed` in their wrapper, once it was verified under one of `keys`: it is
/// about `signed`, or about the wrapper with all that is in it. `embedded` are documents in `signed`.
#[cfg(feature = "xml-security")]
pub(super) fn verified_status(
    signed: Node<'_, '_>,
    signature: Option<Node<'_, '_>>,
    embedded: &[Node<'_, '_>],
    keys: &[&NamedKey],
) -> Result<SignatureStatus, Error> {
    let Some(signature) = signature else { return Ok(SignatureStatus::Absent) };
    let dom = &signed.document.dom;
    let candidates: Vec<NodeId> = [Some(signed.id), dom.parent(signed.id)].into_iter().flatten().collect();
    let verified = verify(dom, signature.id, &candidates, &ids(embedded), keys)?;
    Ok(SignatureStatus::Verified { key_name: verified.key_name })
}

/// The certificate under which `signature`, a child of `signed`, is a signature about `signed`. `embedded` are documents in `signed`.
#[cfg(feature = "xml-security")]
pub(super) fn verified_certificate(
    signed: Node<'_, '_>,
    signature: Node<'_, '_>,
    embedded: &[Node<'_, '_>],
    trust: &X509Trust,
    since_1970: Duration,
) -> Result<Vec<u8>, Error> {
    let dom = &signed.document.dom;
    let VerifiedX509 { certificate, .. } =
        verify_x509(dom, signature.id, &[signed.id], &ids(embedded), trust, since_1970)?;
    Ok(certificate)
}

#[cfg(feature = "xml-security")]
fn ids(nodes: &[Node<'_, '_>]) -> Vec<NodeId> {
    nodes.iter().map(|node| node.id).collect()
}

impl<'x> Document<'x> {
    /// The root element.
    pub(super) fn root(&self) -> Result<Node<'_, 'x>, Error> {
        let id = self.dom.document_element().ok_or_else(|| Error::NotXml { found: "no element".to_owned() })?;
        Ok(Node { document: self, id })
    }

    pub(super) fn parse(text: &'x str, limits: &Limits) -> Result<Self, Error> {
        let dom = uppsala::Parser::new()
            .with_forbid_dtd(true)
            .with_max_depth(limits.max_depth)
            .parse(text)
            .map_err(|error| Error::NotWellFormed { reason: error.to_string() })?;
        Ok(Document { dom })
    }

    /// The element `name`, which is the root or stands in the root `wrapper`, and the wrapper's signature.
    pub(super) fn unwrap_root(
        &self,
        name: &str,
        wrapper: &str,
        expected: &'static str,
    ) -> Result<(Node<'_, 'x>, Option<Node<'_, 'x>>), Error> {
        let root = self.root()?;
        let (node, signature) = match root.name() {
            found if found == name => (root, None),
            found if found == wrapper => {
                let fields = root.fields()?;
                (fields.one(name)?, fields.optional("Signature")?)
            }
            found => return Err(Error::Root { found: value::excerpt(found), expected }),
        };
        node.check_version()?;
        Ok((node, signature))
    }

    fn root_namespace(&self) -> Option<&str> {
        self.dom.element(self.dom.document_element()?)?.name.namespace_uri.as_deref()
    }
}

impl<'d, 'x> Node<'d, 'x> {
    /// The local name.
    pub(super) fn name(&self) -> &'d str {
        self.document.dom.element(self.id).map_or("", |element| &*element.name.local_name)
    }

    /// The place in the document.
    pub(super) fn path(&self) -> String {
        let dom = &self.document.dom;
        let Some(parent) = dom.parent(self.id).filter(|&parent| dom.element(parent).is_some()) else {
            return format!("/{}", value::excerpt(self.name()));
        };
        let parent = Node { document: self.document, id: parent };
        let path = parent.child_path(self.name());
        let twins: Vec<_> = parent.elements().filter(|twin| twin.name() == self.name()).collect();
        match twins.iter().position(|twin| twin.id == self.id) {
            Some(index) if twins.len() > 1 => format!("{path}[{}]", index + 1),
            _ => path,
        }
    }

    /// The place of a child.
    pub(super) fn child_path(&self, name: &str) -> String {
        format!("{}/{}", self.path(), value::excerpt(name))
    }

    /// An attribute of no namespace.
    pub(super) fn attribute(&self, name: &str) -> Option<&'d str> {
        let element = self.document.dom.element(self.id)?;
        let attribute = element.attributes.iter().find(|attribute| attribute.name.matches(None, name))?;
        Some(attribute.value.trim_matches(is_space))
    }

    /// The error for an attribute with a wrong value.
    pub(super) fn bad_attribute(&self, name: &str, found: &str, expected: &'static str) -> Error {
        Error::Value { path: format!("{}/@{name}", self.path()), found: value::excerpt(found), expected }
    }

    /// An attribute that is a boolean; absent is false.
    pub(super) fn boolean_attribute(&self, name: &str) -> Result<bool, Error> {
        match self.attribute(name) {
            Some(text) => {
                value::parse_boolean(text).ok_or_else(|| self.bad_attribute(name, text, "true, false, 1 or 0"))
            }
            None => Ok(false),
        }
    }

    /// An attribute that is a number.
    pub(super) fn optional_number_attribute(&self, name: &str) -> Result<Option<u64>, Error> {
        self.attribute(name)
            .map(|text| value::parse_number(text).ok_or_else(|| self.bad_attribute(name, text, NUMBER_FORM)))
            .transpose()
    }

    /// `Version`.
    pub(super) fn version(&self) -> Option<String> {
        self.attribute("Version").map(value::excerpt)
    }

    /// Whether the child `Time` has no zone.
    pub(super) fn has_local_time(&self) -> bool {
        let time = self.elements().filter(Node::is_of_the_protocol).find(|child| child.name() == "Time");
        time.and_then(|time| time.text().ok()).is_some_and(|text| !value::has_zone(&text))
    }

    /// The element as it stands in the text.
    pub(super) fn source(&self) -> &'x str {
        self.document.dom.node_source(self.id).unwrap_or_default()
    }

    /// Refuses a `Version` other than 1.x.
    pub(super) fn check_version(&self) -> Result<(), Error> {
        match self.attribute("Version") {
            Some(version) if version != "1" && !version.starts_with("1.") => {
                Err(Error::Version { path: self.path(), found: value::excerpt(version) })
            }
            _ => Ok(()),
        }
    }

    /// Whether there are elements in it, of any namespace.
    pub(super) fn has_elements(&self) -> bool {
        self.elements().next().is_some()
    }

    /// The child elements that the protocol may know, for an element that has only elements in it.
    pub(super) fn fields(&self) -> Result<Fields<'d, 'x>, Error> {
        for child in self.document.dom.children_iter(self.id) {
            if self.document.dom.text_content(child).is_some_and(|text| !text.trim_matches(is_space).is_empty()) {
                return Err(Error::Unexpected {
                    path: self.path(),
                    found: "text".to_owned(),
                    expected: "only elements",
                });
            }
        }
        let children = self.elements().filter(Node::is_of_the_protocol).collect();
        Ok(Fields { parent: *self, children })
    }

    /// The text, without white space around it, of an element that has only text in it.
    pub(super) fn text(&self) -> Result<Zeroizing<String>, Error> {
        if let Some(child) = self.elements().next() {
            return Err(Error::Unexpected {
                path: self.path(),
                found: format!("the element {}", value::excerpt(child.name())),
                expected: "only text",
            });
        }
        let dom = &self.document.dom;
        // All pieces: a comment must not hide what stands behind it.
        let pieces = || dom.children_iter(self.id).filter_map(|child| dom.text_content(child));
        let mut text = Zeroizing::new(String::with_capacity(pieces().map(str::len).sum()));
        pieces().for_each(|piece| text.push_str(piece));
        let trimmed = text.trim_matches(is_space);
        Ok(if trimmed.len() == text.len() { text } else { Zeroizing::new(trimmed.to_owned()) })
    }

    /// A URI: not empty, without white space or characters that a terminal obeys in it, otherwise as it stands.
    pub(super) fn uri(&self) -> Result<String, Error> {
        const EXPECTED: &str = "a URI without white space or control characters";
        let uri = self.non_empty(EXPECTED)?;
        if uri.contains(char::is_whitespace) || !is_printable(&uri) {
            return Err(self.bad_value(&uri, EXPECTED));
        }
        Ok(uri)
    }

    /// Octets in hex or base64, as many as `len` allows.
    pub(super) fn octets(
        &self,
        len: RangeInclusive<usize>,
        expected: &'static str,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let text = self.text()?;
        if text.is_empty() {
            return Err(Error::Empty { path: self.path(), expected });
        }
        let bad = |found| Error::Octets { path: self.path(), found, expected };
        let octets = value::parse_octets(&text).map_err(|fault| bad(fault.to_owned()))?;
        if !len.contains(&octets.len()) {
            return Err(bad(format!("{} octets", octets.len())));
        }
        Ok(octets)
    }

    /// A UID of 32 octets in hex or base64.
    pub(super) fn user_id(&self) -> Result<[u8; 32], Error> {
        const EXPECTED: &str = "32 octets as 64 hex digits or base64";
        let octets = self.octets(32..=32, EXPECTED)?;
        <[u8; 32]>::try_from(octets.as_slice()).map_err(|_| Error::Octets {
            path: self.path(),
            found: format!("{} octets", octets.len()),
            expected: EXPECTED,
        })
    }

    /// An element of type `ErrorType`. Its message may be missing.
    pub(super) fn kms_error(&self) -> Result<KmsError, Error> {
        const EXPECTED: &str = "an integer";
        let fields = self.fields()?;
        let code = fields.one("ErrorCode")?;
        let text = code.non_empty(EXPECTED)?;
        Ok(KmsError {
            code: text.parse().map_err(|_| code.bad_value(&text, EXPECTED))?,
            message: fields.optional_string("ErrorMsg")?.unwrap_or_default(),
        })
    }

    fn non_empty(&self, expected: &'static str) -> Result<String, Error> {
        let text = self.text()?;
        if text.is_empty() {
            return Err(Error::Empty { path: self.path(), expected });
        }
        Ok(text.to_string())
    }

    fn parsed<T>(&self, parse: impl FnOnce(&str) -> Option<T>, expected: &'static str) -> Result<T, Error> {
        let text = self.non_empty(expected)?;
        parse(&text).ok_or_else(|| self.bad_value(&text, expected))
    }

    fn bad_value(&self, found: &str, expected: &'static str) -> Error {
        Error::Value { path: self.path(), found: value::excerpt(found), expected }
    }

    /// The child elements, of any namespace.
    pub(super) fn elements(&self) -> impl Iterator<Item = Node<'d, 'x>> + use<'d, 'x> {
        let document = self.document;
        document
            .dom
            .children_iter(self.id)
            .filter(|&child| matches!(document.dom.node_kind(child), Some(NodeKind::Element(_))))
            .map(move |id| Node { document, id })
    }

    /// Servers put elements into a namespace of their own, or into none; extensions have another than the root's.
    fn is_of_the_protocol(&self) -> bool {
        let namespace = self.document.dom.element(self.id).and_then(|element| element.name.namespace_uri.as_deref());
        match namespace {
            None
            | Some(
                "" | NAMESPACE | KEY_IDS_NAMESPACE | LOOKUP_NAMESPACE | REDIRECT_NAMESPACE | XMLDSIG_NAMESPACE
                | XMLENC_NAMESPACE,
            ) => true,
            other => other == self.document.root_namespace(),
        }
    }
}

const NUMBER_FORM: &str = "an integer from 0 to 2^64 - 1";

impl<'d, 'x> Fields<'d, 'x> {
    /// The one child of this name.
    pub(super) fn one(&self, name: &str) -> Result<Node<'d, 'x>, Error> {
        self.optional(name)?.ok_or_else(|| Error::Missing { path: self.parent.child_path(name) })
    }

    /// The child of this name, if there is one; more are an error.
    pub(super) fn optional(&self, name: &str) -> Result<Option<Node<'d, 'x>>, Error> {
        let found = self.many(name);
        match found.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(*one)),
            more => Err(Error::Duplicate { path: self.parent.child_path(name), count: more.len() }),
        }
    }

    /// All children of this name.
    pub(super) fn many(&self, name: &str) -> Vec<Node<'d, 'x>> {
        self.children.iter().filter(|child| child.name() == name).copied().collect()
    }

    /// The name of the first child, for an error.
    pub(super) fn first_name(&self) -> Option<String> {
        self.children.first().map(|child| value::excerpt(child.name()))
    }

    /// A text that must be there.
    pub(super) fn string(&self, name: &str) -> Result<String, Error> {
        self.one(name)?.non_empty("text")
    }

    /// A text that may be absent; an empty one counts as absent.
    pub(super) fn optional_string(&self, name: &str) -> Result<Option<String>, Error> {
        let Some(node) = self.optional(name)? else { return Ok(None) };
        let text = node.text()?;
        Ok((!text.is_empty()).then(|| text.to_string()))
    }

    /// A text that may be absent, under the one name of these that is used.
    pub(super) fn optional_string_of(&self, names: &[&str]) -> Result<Option<String>, Error> {
        for name in names {
            if let Some(text) = self.optional_string(name)? {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    pub(super) fn uri(&self, name: &str) -> Result<String, Error> {
        self.one(name)?.uri()
    }

    /// A URI that may be absent, but not empty.
    pub(super) fn optional_uri(&self, name: &str) -> Result<Option<String>, Error> {
        self.optional(name)?.map(|node| node.uri()).transpose()
    }

    /// A URI; an empty text if it is absent or empty.
    pub(super) fn uri_or_empty(&self, name: &str) -> Result<String, Error> {
        match self.optional(name)? {
            Some(node) if !node.text()?.is_empty() => node.uri(),
            _ => Ok(String::new()),
        }
    }

    pub(super) fn time(&self, name: &str) -> Result<OffsetDateTime, Error> {
        self.one(name)?.parsed(value::parse_time, TIME_FORM)
    }

    pub(super) fn optional_time(&self, name: &str) -> Result<Option<OffsetDateTime>, Error> {
        self.optional(name)?.map(|node| node.parsed(value::parse_time, TIME_FORM)).transpose()
    }

    pub(super) fn number(&self, name: &str) -> Result<u64, Error> {
        self.one(name)?.parsed(value::parse_number, NUMBER_FORM)
    }

    pub(super) fn optional_number(&self, name: &str) -> Result<Option<u64>, Error> {
        self.optional(name)?.map(|node| node.parsed(value::parse_number, NUMBER_FORM)).transpose()
    }

    /// A boolean that may be absent, which is false.
    pub(super) fn boolean(&self, name: &str) -> Result<bool, Error> {
        match self.optional(name)? {
            Some(node) => node.parsed(value::parse_boolean, "true, false, 1 or 0"),
            None => Ok(false),
        }
    }
}

/// White space of XML.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}
