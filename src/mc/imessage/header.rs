//! What the header of an I_MESSAGE must say.
use super::Deviation;
use crate::mc::{Error, KeyId};
use crate::mikey::{DataType, Header, PrfFunction};

/// Data type, PRF and purpose tag, each by itself.
pub(super) fn rules(header: &Header<'_>) -> [Result<(), Error>; 3] {
    [
        match header.data_type {
            DataType::Sakke => Ok(()),
            found => Err(Error::DataType { found }),
        },
        match header.prf {
            PrfFunction::HMAC_SHA_256 | PrfFunction::MIKEY_1 => Ok(()),
            found => Err(Error::Prf { found }),
        },
        KeyId::from_u32(header.csb_id).map(|_| ()),
    ]
}

/// What only a setting excuses.
pub(super) fn deviations(header: &Header<'_>) -> impl Iterator<Item = Deviation> {
    let v_flag = header.verification_expected.then_some(Deviation::VFlag);
    let prf = (header.prf == PrfFunction::MIKEY_1).then_some(Deviation::PrfZero);
    v_flag.into_iter().chain(prf)
}
