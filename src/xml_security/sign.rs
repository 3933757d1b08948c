use super::signed_info::attribute;
use super::{Canonicalization, ENVELOPED, Error, HMAC_SHA256, NamedKey, SHA256, XMLDSIG_NAMESPACE};
use alloc::string::String;
use alloc::vec::Vec;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use uppsala::{Document, NodeId, XmlWriter};
use zeroize::Zeroizing;

/// Which element a signature is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// A child of the root, which the signature then stands beside.
    #[default]
    Sibling,
    /// The root, which the signature then stands in.
    Enveloped,
}

/// How a document is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SigningOptions {
    /// What the signature is about.
    pub form: Form,
    /// The canonicalization of `SignedInfo` and of the signed element.
    pub canonicalization: Canonicalization,
}

/// Room for a Signature element with the longest key name, each character escaped.
const SIGNATURE_CAPACITY: usize = 4096;

/// The document with a signature by `key` at the end of its root. The signed element must have the attribute `Id` of value
/// `id`; the MAC has 256 bits. The text is wiped when dropped, for it may hold keys.
///
/// # Errors
/// [`Error::Unsignable`] if the document is not well-formed, has no such element, or an `Id` that cannot stand in a URI.
pub fn sign(document: &str, id: &str, key: &NamedKey, options: &SigningOptions) -> Result<Zeroizing<String>, Error> {
    let key_info = |xml: &mut XmlWriter| {
        xml.start_element("KeyName", &[]);
        xml.text(key.name());
        xml.end_element("KeyName");
    };
    sign_by(document, id, options, HMAC_SHA256, key_info, |dom, signed_info| {
        let mac = Hmac::<Sha256>::new_from_slice(key.octets()).map_err(|_| Error::BadKey("a key has 32 octets"))?;
        let mac = options.canonicalization.authenticate(dom, signed_info, mac)?;
        Ok(mac.finalize().into_bytes().to_vec())
    })
}

/// The document with a signature by a method that fills KeyInfo in and computes the value over `SignedInfo`.
pub(super) fn sign_by(
    document: &str,
    id: &str,
    options: &SigningOptions,
    method: &str,
    key_info: impl FnOnce(&mut XmlWriter),
    value: impl FnOnce(&Document<'_>, NodeId) -> Result<Vec<u8>, Error>,
) -> Result<Zeroizing<String>, Error> {
    if id.is_empty() || !id.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-._".contains(&octet)) {
        return Err(Error::Unsignable("an Id has letters, digits, dots, hyphens and underscores"));
    }
    let digest = {
        let dom = parse(document)?;
        let root = root(&dom)?;
        let element = match options.form {
            Form::Enveloped => Some(root),
            Form::Sibling => dom.children_iter(root).find(|&child| attribute(&dom, child, "Id") == Some(id)),
        };
        let element = element.filter(|&element| attribute(&dom, element, "Id") == Some(id));
        let element = element.ok_or(Error::Unsignable("the element to be signed is missing"))?;
        options.canonicalization.digest(&dom, element, None)?
    };

    // With a signature that lacks its value: the namespaces around SignedInfo are part of what is authenticated.
    let end = document.rfind("</").ok_or(Error::Unsignable("its root element is empty"))?;
    let (head, tail) = document.split_at(end);
    let signature = signature_element(id, &digest, method, options, key_info);
    let mut signed = Zeroizing::new(String::with_capacity(document.len() + SIGNATURE_CAPACITY));
    signed.push_str(head);
    signed.push_str(&signature);
    signed.push_str(tail);
    let value = {
        let dom = parse(&signed)?;
        let signed_info = dom
            .last_child(root(&dom)?)
            .and_then(|signature| dom.first_child(signature))
            .ok_or(Error::Unsignable("its root element ends in another way than with its end tag"))?;
        STANDARD.encode(value(&dom, signed_info)?)
    };
    let at = signature.find(EMPTY_VALUE).ok_or(Error::Unsignable("its signature has no place for a value"))?;
    signed.insert_str(end + at + VALUE_TAG.len(), &value);
    Ok(signed)
}

const VALUE_TAG: &str = "<SignatureValue>";
const EMPTY_VALUE: &str = "<SignatureValue></SignatureValue>";

fn signature_element(
    id: &str,
    digest: &[u8],
    method: &str,
    options: &SigningOptions,
    key_info: impl FnOnce(&mut XmlWriter),
) -> String {
    let canonicalization = options.canonicalization.uri();
    let mut xml = XmlWriter::with_capacity(SIGNATURE_CAPACITY);
    xml.start_element("Signature", &[("xmlns", XMLDSIG_NAMESPACE)]);
    xml.start_element("SignedInfo", &[]);
    xml.empty_element("CanonicalizationMethod", &[("Algorithm", canonicalization)]);
    xml.empty_element("SignatureMethod", &[("Algorithm", method)]);
    let mut uri = String::with_capacity(id.len() + 1);
    uri.push('#');
    uri.push_str(id);
    xml.start_element("Reference", &[("URI", &uri)]);
    xml.start_element("Transforms", &[]);
    if options.form == Form::Enveloped {
        xml.empty_element("Transform", &[("Algorithm", ENVELOPED)]);
    }
    xml.empty_element("Transform", &[("Algorithm", canonicalization)]);
    xml.end_element("Transforms");
    xml.empty_element("DigestMethod", &[("Algorithm", SHA256)]);
    xml.start_element("DigestValue", &[]);
    xml.text(&STANDARD.encode(digest));
    xml.end_element("DigestValue");
    xml.end_element("Reference");
    xml.end_element("SignedInfo");
    xml.raw(EMPTY_VALUE);
    xml.start_element("KeyInfo", &[]);
    key_info(&mut xml);
    xml.end_element("KeyInfo");
    xml.end_element("Signature");
    xml.into_string()
}

fn parse(document: &str) -> Result<Document<'_>, Error> {
    let parser = uppsala::Parser::new().with_forbid_dtd(true);
    parser.parse(document).map_err(|_| Error::Unsignable("it is not well-formed"))
}

fn root(dom: &Document<'_>) -> Result<NodeId, Error> {
    dom.document_element().ok_or(Error::Unsignable("it has no element"))
}
