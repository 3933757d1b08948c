use super::key_info::key_name;
use super::signed_info::{Method, Signature, Target, attribute, excerpt};
use super::{Error, NamedKey};
use alloc::collections::BTreeSet;
use alloc::string::String;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use uppsala::{Document, NodeId, NodeKind};

/// What a signature was found to vouch for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The element that is signed, comments in it excepted: one of the candidates.
    pub element: NodeId,
    /// The name of the key.
    pub key_name: String,
}

/// Verifies that `signature`, an element of `dom`, is a signature under one of `keys` over one of `candidates`.
///
/// `candidates` are the elements that the schema lets it be about: the caller has found them by their place, and reads none
/// but the one that this returns. Where the signature stands inside that one, its transforms must take it out.
///
/// `embedded` are elements in them that are documents of their own, with their own signatures: their `Id`s may be equal to
/// others. That gives nobody a way to have another element taken for the signed one (*signature wrapping*), for no element is
/// looked up by its `Id` here: the digest is that of a candidate, which its place and its `Id` make one, with all that is embedded in
/// it. So a document that is put into `embedded` is signed as a part of the candidate or not at all. Their own signatures are to
/// be verified in a document that they are the root of.
///
/// # Errors
/// In this order: [`Error::Malformed`], [`Error::References`], [`Error::Algorithm`], [`Error::Truncated`],
/// [`Error::ExternalReference`], [`Error::NoKeyName`]; [`Error::UnknownKey`]; [`Error::WrongMac`];
/// [`Error::DuplicateId`]; [`Error::OtherElement`]; [`Error::WrongDigest`].
pub fn verify(
    dom: &Document<'_>,
    signature: NodeId,
    candidates: &[NodeId],
    embedded: &[NodeId],
    keys: &[&NamedKey],
) -> Result<Verified, Error> {
    let signed = Signature::read(dom, signature, Method::HmacSha256)?;
    let key_name = key_name(dom, signed.key_info)?;
    let Some(key) = keys.iter().find(|key| key.name() == key_name) else {
        return Err(Error::UnknownKey { name: excerpt(&key_name) });
    };

    let mac = Hmac::<Sha256>::new_from_slice(key.octets()).map_err(|_| Error::BadKey("a key has 32 octets"))?;
    let mac = signed.canonicalization.authenticate(dom, signed.signed_info, mac)?.finalize().into_bytes();
    let is_right = mac.get(..signed.value.len()).is_some_and(|mac| mac.ct_eq(&signed.value).into());
    if !is_right {
        return Err(Error::WrongMac { name: key_name });
    }
    Ok(Verified { element: signed_element(dom, signature, &signed, candidates, embedded)?, key_name })
}

/// The candidate that a signature is about whose author is known: what follows from its Reference.
pub(super) fn signed_element(
    dom: &Document<'_>,
    signature: NodeId,
    signed: &Signature,
    candidates: &[NodeId],
    embedded: &[NodeId],
) -> Result<NodeId, Error> {
    require_distinct_ids(dom, embedded)?;
    let is_meant = |&&candidate: &&NodeId| match &signed.target {
        Target::Id(id) => attribute(dom, candidate, "Id") == Some(id),
        Target::WholeDocument => is_whole_document(dom, candidate),
    };
    let id = match &signed.target {
        Target::Id(id) => excerpt(id),
        Target::WholeDocument => String::new(),
    };
    let Some(&element) = candidates.iter().find(is_meant) else { return Err(Error::OtherElement { id }) };
    let is_inside = dom.ancestors(signature).contains(&element);
    if is_inside != signed.is_enveloped {
        return Err(Error::malformed(if is_inside {
            "it is inside of what it signs, without the enveloped-signature transform"
        } else {
            "it has the enveloped-signature transform, and is not inside of what it signs"
        }));
    }
    let digest = signed.reference_canonicalization.digest(dom, element, is_inside.then_some(signature))?;
    if digest[..] != signed.digest[..] {
        return Err(Error::WrongDigest { id });
    }
    Ok(element)
}

/// Whether an element is the root of a document that has no processing instructions beside it: then the canonical form of the
/// document without comments is that of the element.
fn is_whole_document(dom: &Document<'_>, element: NodeId) -> bool {
    let is_no_instruction = |node| !matches!(dom.node_kind(node), Some(NodeKind::ProcessingInstruction(_)));
    dom.document_element() == Some(element) && dom.children_iter(dom.root()).all(is_no_instruction)
}

/// Refuses two attributes `Id` (in any case, also `xml:id`) of one value, which other readers may resolve differently; but for those in
/// the elements `embedded`.
fn require_distinct_ids(dom: &Document<'_>, embedded: &[NodeId]) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    let mut open = alloc::vec![dom.root()];
    while let Some(node) = open.pop() {
        if embedded.contains(&node) {
            continue;
        }
        open.extend(dom.children_iter(node));
        for attribute in dom.element(node).into_iter().flat_map(|element| &element.attributes) {
            if attribute.name.local_name.eq_ignore_ascii_case("id") && !seen.insert(&*attribute.value) {
                return Err(Error::DuplicateId { id: excerpt(&attribute.value) });
            }
        }
    }
    Ok(())
}
