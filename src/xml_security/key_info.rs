//! KeyInfo: under which key a signature is.

use super::Error;
use super::signed_info::{Parts, octets, text};
use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use uppsala::{Document, NodeId};

/// The one KeyName.
pub(super) fn key_name(dom: &Document<'_>, key_info: Option<NodeId>) -> Result<String, Error> {
    let mut parts = Parts::of(dom, key_info.ok_or(Error::NoKeyName)?, "KeyInfo")?;
    let name = parts.optional("KeyName")?.ok_or(Error::NoKeyName)?;
    parts.end()?;
    let name = text(dom, name)?;
    match name.trim() {
        "" => Err(Error::NoKeyName),
        name => Ok(name.to_owned()),
    }
}

/// The DER of the one X509Certificate in the one X509Data.
pub(super) fn certificate(dom: &Document<'_>, key_info: Option<NodeId>) -> Result<Vec<u8>, Error> {
    let data = only_child(dom, key_info.ok_or(Error::NoCertificate)?, "KeyInfo", "X509Data")?;
    let certificate = only_child(dom, data, "X509Data", "X509Certificate")?;
    octets(dom, certificate, "X509Certificate")
}

fn only_child(dom: &Document<'_>, node: NodeId, name: &'static str, child: &'static str) -> Result<NodeId, Error> {
    let mut parts = Parts::of(dom, node, name)?;
    let found = parts.optional(child)?.ok_or(Error::NoCertificate)?;
    parts.end().map_err(|_| Error::NoCertificate)?;
    Ok(found)
}
