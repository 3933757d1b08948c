//! The MAC in V, of verification and error messages (RFC 3830 5.2, 6.9).

use alloc::vec::Vec;

use super::mac_key::MacKey;
use super::{Error, Parties, time};
use crate::mikey::{Mac, Message, Timestamp, Verification};

/// A message with V as its last payload.
///
/// # Errors
/// [`Error::Mikey`] for what its field cannot hold.
pub(super) fn seal(
    message: Message<'_>,
    key: &MacKey,
    parties: &Parties<'_>,
    timestamp: Timestamp,
) -> Result<Vec<u8>, Error> {
    let mac = Mac::new(key.algorithm(), alloc::vec![0; key.algorithm().mac_len()])?;
    let mut octets = message.with(Verification::new(mac)).to_bytes()?;
    key.fill(&mut octets, &[&follows(parties, timestamp)]);
    Ok(octets)
}

/// What the MAC covers behind the message: Identity_i || Identity_r || Timestamp.
pub(super) fn follows(parties: &Parties<'_>, timestamp: Timestamp) -> Vec<u8> {
    let mut octets = parties.identities();
    time::append(timestamp, &mut octets);
    octets
}
