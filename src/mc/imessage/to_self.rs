//! The SAKKE-to-self extension: the key once more, encapsulated to its initiator (TS 33.180 E.5).
use super::payloads::sakke_rules;
use crate::mc::Error;
use crate::mikey::Sakke;
use crate::sakke;
use alloc::vec::Vec;

/// SAKKE encapsulated data for the initiator.
pub(super) fn sed(extension: &[u8]) -> Result<Vec<u8>, Error> {
    let sakke = Sakke::from_standalone(extension)?;
    rules(&sakke).into_iter().collect::<Result<(), _>>()?;
    Ok(sakke.data.into_owned())
}

/// Everything that is wrong with the extension.
pub(super) fn faults(extension: &[u8]) -> Vec<Error> {
    match Sakke::from_standalone(extension) {
        Ok(sakke) => rules(&sakke).into_iter().filter_map(Result::err).collect(),
        Err(error) => Vec::from([error.into()]),
    }
}

/// Those of the SAKKE payload, and that nothing of its data is left out.
fn rules(sakke: &Sakke<'_>) -> [Result<(), Error>; 3] {
    let [parameters, scheme] = sakke_rules(sakke);
    let length = match sakke.data.len() {
        sakke::SED_LEN => Ok(()),
        found => Err(Error::SakkeLength { found }),
    };
    [parameters, scheme, length]
}
