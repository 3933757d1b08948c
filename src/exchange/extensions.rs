//! General extensions that an exchange knows (RFC 3830 6.15): SDP IDs and key IDs, each there once at most.

use alloc::vec::Vec;

use super::Error;
use crate::mikey::{ExtensionType, GeneralExtension, KeyIdInformation, SdpIds};

/// Whether what is known among the extensions can be read.
///
/// # Errors
/// [`Error::Repeated`], [`Error::Mikey`].
pub(super) fn judge(extensions: &[GeneralExtension<'_>]) -> Result<(), Error> {
    sdp_ids(extensions)?;
    key_ids(extensions)?;
    Ok(())
}

pub(super) fn sdp_ids<'e>(extensions: &'e [GeneralExtension<'_>]) -> Result<Option<SdpIds<'e>>, Error> {
    let data = only(extensions, SDP_IDS)?;
    Ok(data.map(SdpIds::parse).transpose()?)
}

pub(super) fn key_ids<'e>(extensions: &'e [GeneralExtension<'_>]) -> Result<Option<KeyIdInformation<'e>>, Error> {
    let data = only(extensions, KEY_IDS)?;
    Ok(data.map(KeyIdInformation::parse).transpose()?)
}

/// An extension that an exchange knows, in words of the specification.
type Known = (ExtensionType, &'static str);

const SDP_IDS: Known = (ExtensionType::SDP_IDS, "SDP IDs");
const KEY_IDS: Known = (ExtensionType::KEY_ID, "key ID information");

/// Which of the extensions that may be there once are there again: SDP IDs and key ID information, as
/// [`Error::Repeated`], each told once.
pub fn repeated_extensions<'e>(extensions: impl Iterator<Item = &'e GeneralExtension<'e>> + Clone) -> Vec<Error> {
    let again = |known| once(extensions.clone(), known).err();
    [SDP_IDS, KEY_IDS].into_iter().filter_map(again).collect()
}

fn only<'e>(extensions: &'e [GeneralExtension<'_>], known: Known) -> Result<Option<&'e [u8]>, Error> {
    Ok(once(extensions.iter(), known)?.map(|extension| &*extension.data))
}

fn once<'e, 'd: 'e>(
    extensions: impl Iterator<Item = &'e GeneralExtension<'d>>,
    (extension_type, what): Known,
) -> Result<Option<&'e GeneralExtension<'d>>, Error> {
    let mut of_type = extensions.filter(|extension| extension.extension_type == extension_type);
    let first = of_type.next();
    match of_type.next() {
        Some(_) => Err(Error::Repeated { what }),
        None => Ok(first),
    }
}
