//! General extensions that an exchange knows (RFC 3830 6.15): SDP IDs and key IDs, each there once at most.

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
    let data = only(extensions, ExtensionType::SDP_IDS, "SDP IDs")?;
    Ok(data.map(SdpIds::parse).transpose()?)
}

pub(super) fn key_ids<'e>(extensions: &'e [GeneralExtension<'_>]) -> Result<Option<KeyIdInformation<'e>>, Error> {
    let data = only(extensions, ExtensionType::KEY_ID, "key ID information")?;
    Ok(data.map(KeyIdInformation::parse).transpose()?)
}

fn only<'e>(
    extensions: &'e [GeneralExtension<'_>],
    extension_type: ExtensionType,
    what: &'static str,
) -> Result<Option<&'e [u8]>, Error> {
    let mut of_type = extensions.iter().filter(|extension| extension.extension_type == extension_type);
    let first = of_type.next();
    match of_type.next() {
        Some(_) => Err(Error::Repeated { what }),
        None => Ok(first.map(|extension| &*extension.data)),
    }
}
