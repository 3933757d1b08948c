use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Octets of a key: borrowed from who decrypted them, or owned and erased when dropped.
///
/// They compare in constant time, but for their length, and never print.
#[derive(Clone)]
pub struct SecretOctets<'a>(Held<'a>);

#[derive(Clone)]
enum Held<'a> {
    Borrowed(&'a [u8]),
    Owned(Zeroizing<Vec<u8>>),
}

impl SecretOctets<'_> {
    /// No octets.
    pub const EMPTY: SecretOctets<'static> = SecretOctets(Held::Borrowed(&[]));

    /// The same octets, owned.
    pub fn into_owned(self) -> SecretOctets<'static> {
        SecretOctets(Held::Owned(match self.0 {
            Held::Borrowed(octets) => Zeroizing::new(octets.to_vec()),
            Held::Owned(octets) => octets,
        }))
    }
}

impl Deref for SecretOctets<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Held::Borrowed(octets) => octets,
            Held::Owned(octets) => octets,
        }
    }
}

impl<'a> From<&'a [u8]> for SecretOctets<'a> {
    fn from(octets: &'a [u8]) -> Self {
        Self(Held::Borrowed(octets))
    }
}

impl From<Zeroizing<Vec<u8>>> for SecretOctets<'_> {
    fn from(octets: Zeroizing<Vec<u8>>) -> Self {
        Self(Held::Owned(octets))
    }
}

impl From<Vec<u8>> for SecretOctets<'_> {
    fn from(octets: Vec<u8>) -> Self {
        Zeroizing::new(octets).into()
    }
}

impl PartialEq for SecretOctets<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl Eq for SecretOctets<'_> {}

impl fmt::Debug for SecretOctets<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretOctets")
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::vec;

    use super::*;

    #[test]
    fn borrowed_and_owned_octets_are_the_same_and_do_not_print() {
        let octets = [0xab, 0xcd];
        let borrowed = SecretOctets::from(&octets[..]);
        assert_eq!(borrowed, SecretOctets::from(vec![0xab, 0xcd]));
        assert_eq!(borrowed.clone().into_owned(), borrowed);
        assert_eq!(borrowed[..], octets);
        assert_ne!(borrowed, SecretOctets::from(vec![0xab]));
        assert_ne!(borrowed, SecretOctets::from(vec![0xab, 0xce]));
        assert!(SecretOctets::EMPTY.is_empty());
        assert_eq!(format!("{borrowed:?}"), "SecretOctets");
    }
}
