use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::Error;

/// A key that both parties have had before the exchange (RFC 3830 3.1). Erased when dropped.
///
/// It has any length. What protects messages is no stronger than it: 16 random octets or more are adequate, a word that
/// people chose can be found by trying words against one captured message.
pub struct PreSharedKey(Zeroizing<Vec<u8>>);

impl PreSharedKey {
    /// A key of these octets.
    ///
    /// # Errors
    /// [`Error::EmptyPreSharedKey`] if there are none.
    pub fn new(octets: impl Into<Zeroizing<Vec<u8>>>) -> Result<Self, Error> {
        let octets = octets.into();
        if octets.is_empty() { Err(Error::EmptyPreSharedKey) } else { Ok(Self(octets)) }
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for PreSharedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PreSharedKey")
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, vec};

    use super::*;

    #[test]
    fn it_has_octets_and_prints_none() {
        assert_eq!(PreSharedKey::new(vec![]).unwrap_err(), Error::EmptyPreSharedKey);
        assert_eq!(format!("{:?}", PreSharedKey::new(vec![0x5a; 16]).unwrap()), "PreSharedKey");
    }
}
