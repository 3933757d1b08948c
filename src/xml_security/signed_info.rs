//! `Signature` and `SignedInfo`, taken apart: each element where the schema has it, and nothing else.

use super::{Canonicalization, ECDSA_SHA256, ENVELOPED, Error, HMAC_SHA256, SHA256, XMLDSIG_NAMESPACE};
use crate::cut::cut;
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uppsala::{Document, NodeId, NodeKind};

/// Octets of a whole HMAC-SHA256.
const MAC_LEN: usize = 32;
/// The fewest bits that a MAC may be truncated to.
const MIN_MAC_BITS: u64 = 128;

/// Octets of an ECDSA signature on P-256: r and s.
const ECDSA_LEN: usize = 64;

/// The one SignatureMethod that is accepted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    HmacSha256,
    EcdsaSha256,
}

/// What a signature element says, with every algorithm on the list.
pub(super) struct Signature {
    pub(super) signed_info: NodeId,
    pub(super) canonicalization: Canonicalization,
    /// SignatureValue: a MAC of 16 to 32 octets, as many as HMACOutputLength has, or 64 octets of ECDSA.
    pub(super) value: Vec<u8>,
    pub(super) key_info: Option<NodeId>,
    /// What the Reference is to.
    pub(super) target: Target,
    /// The canonicalization of the Reference.
    pub(super) reference_canonicalization: Canonicalization,
    pub(super) is_enveloped: bool,
    pub(super) digest: Vec<u8>,
}

/// What a Reference is to.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Target {
    Id(String),
    WholeDocument,
}

impl Signature {
    pub(super) fn read(dom: &Document<'_>, signature: NodeId, method: Method) -> Result<Self, Error> {
        let mut parts = Parts::of(dom, signature, "Signature")?;
        let signed_info = parts.next("SignedInfo")?;
        let value = parts.next("SignatureValue")?;
        let key_info = parts.optional("KeyInfo")?;
        parts.end()?;

        let mut parts = Parts::of(dom, signed_info, "SignedInfo")?;
        let canonicalization_method = parts.next("CanonicalizationMethod")?;
        let canonicalization = canonicalization(dom, canonicalization_method, "CanonicalizationMethod")?;
        let value_len = value_len(dom, parts.next("SignatureMethod")?, method)?;
        let references = parts.rest();
        let [reference] = references[..] else { return Err(Error::References { found: references.len() }) };
        let reference = Reference::read(dom, reference, method)?;

        let value = octets(dom, value, "SignatureValue")?;
        if value.len() != value_len {
            return Err(Error::malformed(format!("SignatureValue has {} octets, expected {value_len}", value.len())));
        }
        Ok(Signature {
            signed_info,
            canonicalization,
            value,
            key_info,
            target: reference.target,
            reference_canonicalization: reference.canonicalization,
            is_enveloped: reference.is_enveloped,
            digest: reference.digest,
        })
    }
}

struct Reference {
    target: Target,
    canonicalization: Canonicalization,
    is_enveloped: bool,
    digest: Vec<u8>,
}

impl Reference {
    fn read(dom: &Document<'_>, reference: NodeId, method: Method) -> Result<Self, Error> {
        let mut parts = Parts::of(dom, reference, "Reference")?;
        let transforms = parts.optional("Transforms")?;
        let digest_method = parts.next("DigestMethod")?;
        let value = parts.next("DigestValue")?;
        parts.end()?;

        let target = match attribute(dom, reference, "URI") {
            Some("") if method == Method::EcdsaSha256 => Target::WholeDocument,
            uri => {
                let uri = uri.unwrap_or_default();
                let id = uri.strip_prefix('#').filter(|id| !id.is_empty() && !id.contains(['(', '#']));
                Target::Id(id.ok_or_else(|| Error::ExternalReference { found: excerpt(uri) })?.to_owned())
            }
        };
        require_algorithm(dom, digest_method, "DigestMethod", SHA256)?;
        Parts::of(dom, digest_method, "DigestMethod")?.end()?;

        let (canonicalization, is_enveloped) = match transforms {
            Some(transforms) => read_transforms(dom, transforms)?,
            None => (Canonicalization::Inclusive, false),
        };
        Ok(Reference { target, canonicalization, is_enveloped, digest: octets(dom, value, "DigestValue")? })
    }
}

/// At most *enveloped signature*, then at most one canonicalization. What remains XML is canonicalized without comments
/// (XML Signature 4.3.3.2).
fn read_transforms(dom: &Document<'_>, transforms: NodeId) -> Result<(Canonicalization, bool), Error> {
    let parts = Parts::of(dom, transforms, "Transforms")?.rest();
    let (enveloped, rest) = match parts.split_first() {
        Some((&first, rest)) if algorithm(dom, first) == ENVELOPED => (Some(first), rest),
        _ => (None, &parts[..]),
    };
    if let Some(enveloped) = enveloped {
        Parts::of(dom, enveloped, "Transform")?.end()?;
    }
    match rest {
        [] => Ok((Canonicalization::Inclusive, enveloped.is_some())),
        [one] => Ok((canonicalization(dom, *one, "Transform")?, enveloped.is_some())),
        [first, more, ..] => {
            canonicalization(dom, *first, "Transform")?;
            Err(Error::Algorithm { role: "a further Transform", found: excerpt(algorithm(dom, *more)) })
        }
    }
}

/// A canonicalization without parameters: InclusiveNamespaces is not read, so it must not be there.
fn canonicalization(dom: &Document<'_>, node: NodeId, role: &'static str) -> Result<Canonicalization, Error> {
    let uri = algorithm(dom, node);
    let form = Canonicalization::from_uri(uri).ok_or_else(|| Error::Algorithm { role, found: excerpt(uri) })?;
    Parts::of(dom, node, role)?.end()?;
    Ok(form)
}

/// Octets of SignatureValue, by SignatureMethod.
fn value_len(dom: &Document<'_>, node: NodeId, method: Method) -> Result<usize, Error> {
    match method {
        Method::HmacSha256 => mac_len(dom, node),
        Method::EcdsaSha256 => {
            require_algorithm(dom, node, "SignatureMethod", ECDSA_SHA256)?;
            Parts::of(dom, node, "SignatureMethod")?.end()?;
            Ok(ECDSA_LEN)
        }
    }
}

/// Octets of the MAC, by SignatureMethod.
fn mac_len(dom: &Document<'_>, method: NodeId) -> Result<usize, Error> {
    require_algorithm(dom, method, "SignatureMethod", HMAC_SHA256)?;
    let mut parts = Parts::of(dom, method, "SignatureMethod")?;
    let Some(length) = parts.optional("HMACOutputLength")? else {
        parts.end()?;
        return Ok(MAC_LEN);
    };
    parts.end()?;
    let text = text(dom, length)?;
    let bits: u64 =
        text.trim().parse().map_err(|_| Error::malformed(format!("HMACOutputLength is {:?}", excerpt(&text))))?;
    if bits < MIN_MAC_BITS {
        return Err(Error::Truncated { bits });
    }
    match usize::try_from(bits / 8) {
        Ok(octets) if bits.is_multiple_of(8) && octets <= MAC_LEN => Ok(octets),
        _ => Err(Error::malformed(format!("HMACOutputLength is {bits}, expected 128 to 256 in steps of 8"))),
    }
}

/// The child elements of an element that has nothing else in it, all of XML Signature's namespace, in their order.
pub(super) struct Parts<'d, 'x> {
    dom: &'d Document<'x>,
    parent: &'static str,
    children: alloc::vec::IntoIter<NodeId>,
}

impl<'d, 'x> Parts<'d, 'x> {
    pub(super) fn of(dom: &'d Document<'x>, node: NodeId, name: &'static str) -> Result<Self, Error> {
        require_name(dom, node, name)?;
        let mut children = Vec::new();
        for child in dom.children_iter(node) {
            match dom.node_kind(child) {
                Some(NodeKind::Element(_)) => children.push(child),
                Some(NodeKind::Comment(_)) => {}
                _ if dom
                    .text_content(child)
                    .is_some_and(|text| text.bytes().all(|octet| octet.is_ascii_whitespace())) => {}
                _ => return Err(Error::malformed(format!("there is more than elements in {name}"))),
            }
        }
        Ok(Parts { dom, parent: name, children: children.into_iter() })
    }

    pub(super) fn next(&mut self, name: &'static str) -> Result<NodeId, Error> {
        let missing = || Error::malformed(format!("{name} is missing in {}", self.parent));
        let child = self.children.as_slice().first().copied().ok_or_else(missing)?;
        require_name(self.dom, child, name)?;
        self.children.next();
        Ok(child)
    }

    pub(super) fn optional(&mut self, name: &'static str) -> Result<Option<NodeId>, Error> {
        match self.children.as_slice().first() {
            Some(&child) if require_name(self.dom, child, name).is_ok() => Ok(self.children.next()),
            _ => Ok(None),
        }
    }

    pub(super) fn end(mut self) -> Result<(), Error> {
        match self.children.next() {
            Some(child) => {
                let found = self.dom.element(child).map_or("", |element| &*element.name.local_name);
                Err(Error::malformed(format!("{} does not belong into {}", excerpt(found), self.parent)))
            }
            None => Ok(()),
        }
    }

    fn rest(self) -> Vec<NodeId> {
        self.children.collect()
    }
}

fn require_name(dom: &Document<'_>, node: NodeId, name: &str) -> Result<(), Error> {
    let found = dom.element(node).map(|element| &element.name);
    if found.is_some_and(|found| found.matches(Some(XMLDSIG_NAMESPACE), name)) {
        return Ok(());
    }
    let found = found.map_or("", |found| &*found.local_name);
    Err(Error::malformed(format!("{} where {name} of XML Signature's namespace is expected", excerpt(found))))
}

fn require_algorithm(dom: &Document<'_>, node: NodeId, role: &'static str, expected: &str) -> Result<(), Error> {
    match algorithm(dom, node) {
        found if found == expected => Ok(()),
        found => Err(Error::Algorithm { role, found: excerpt(found) }),
    }
}

fn algorithm<'d>(dom: &'d Document<'_>, node: NodeId) -> &'d str {
    attribute(dom, node, "Algorithm").unwrap_or_default()
}

/// An attribute of no namespace.
pub(super) fn attribute<'d>(dom: &'d Document<'_>, node: NodeId, name: &str) -> Option<&'d str> {
    let attribute = dom.element(node)?.attributes.iter().find(|attribute| attribute.name.matches(None, name))?;
    Some(&attribute.value)
}

pub(super) fn text(dom: &Document<'_>, node: NodeId) -> Result<String, Error> {
    let mut whole = String::new();
    for child in dom.children_iter(node) {
        match dom.node_kind(child) {
            Some(NodeKind::Comment(_)) => {}
            _ => whole.push_str(dom.text_content(child).ok_or_else(|| Error::malformed("there is more than text"))?),
        }
    }
    Ok(whole)
}

pub(super) fn octets(dom: &Document<'_>, node: NodeId, name: &str) -> Result<Vec<u8>, Error> {
    let compact: String = text(dom, node)?.split_ascii_whitespace().collect();
    STANDARD.decode(compact).map_err(|_| Error::malformed(format!("{name} is not base64")))
}

/// At most 64 characters of a text, for an error.
pub(super) fn excerpt(text: &str) -> String {
    cut(text, 64)
}
