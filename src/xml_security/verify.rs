use super::signed_info::{Signature, attribute, excerpt};
use super::{Error, NamedKey};
use alloc::collections::BTreeSet;
use alloc::string::String;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use uppsala::{Document, NodeId};

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
/// # Errors
/// In this order: [`Error::Malformed`], [`Error::References`], [`Error::Algorithm`], [`Error::Truncated`],
/// [`Error::ExternalReference`], [`Error::NoKeyName`]; [`Error::UnknownKey`]; [`Error::WrongMac`];
/// [`Error::DuplicateId`]; [`Error::OtherElement`]; [`Error::WrongDigest`].
pub fn verify(
    dom: &Document<'_>,
    signature: NodeId,
    candidates: &[NodeId],
    keys: &[&NamedKey],
) -> Result<Verified, Error> {
    let signed = Signature::read(dom, signature)?;
    let Some(key) = keys.iter().find(|key| key.name() == signed.key_name) else {
        return Err(Error::UnknownKey { name: excerpt(&signed.key_name) });
    };

    let mac = Hmac::<Sha256>::new_from_slice(key.octets()).map_err(|_| Error::BadKey("a key has 32 octets"))?;
    let mac = signed.canonicalization.authenticate(dom, signed.signed_info, mac)?.finalize().into_bytes();
    let is_right = mac.get(..signed.mac.len()).is_some_and(|mac| mac.ct_eq(&signed.mac).into());
    if !is_right {
        return Err(Error::WrongMac { name: signed.key_name });
    }

    require_distinct_ids(dom)?;
    let is_meant = |&&candidate: &&NodeId| attribute(dom, candidate, "Id") == Some(&signed.id);
    let Some(&element) = candidates.iter().find(is_meant) else {
        return Err(Error::OtherElement { id: excerpt(&signed.id) });
    };
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
        return Err(Error::WrongDigest { id: excerpt(&signed.id) });
    }
    Ok(Verified { element, key_name: signed.key_name })
}

/// Refuses two attributes `Id` (in any case, also `xml:id`) of one value, which other readers may resolve differently.
fn require_distinct_ids(dom: &Document<'_>) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    for node in dom.descendants(dom.root()) {
        for attribute in dom.element(node).into_iter().flat_map(|element| &element.attributes) {
            if attribute.name.local_name.eq_ignore_ascii_case("id") && !seen.insert(&*attribute.value) {
                return Err(Error::DuplicateId { id: excerpt(&attribute.value) });
            }
        }
    }
    Ok(())
}
