use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::mikey::Error;
use crate::mikey::codec::{Reader, of_length};
use crate::mikey::registry::closed_registry;

const FUNCTIONS: &str = "0 (SHA-1), 1 (MD5) or 2 (SHA-256)";

closed_registry! {
    /// The hash function of CHASH, which gives the hash its length (RFC 3830 6.8, RFC 6043 6.7).
    HashFunction {
        Sha1 = 0, "SHA-1";
        Md5 = 1, "MD5";
        Sha256 = 2, "SHA-256";
    }
}

impl HashFunction {
    /// Octets of a hash.
    pub const fn hash_len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Md5 => 16,
            Self::Sha256 => 32,
        }
    }
}

/// CHASH, the hash of the certificate whose public key encrypted the envelope key (RFC 3830 6.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chash<'a> {
    function: HashFunction,
    hash: Cow<'a, [u8]>,
}

impl<'a> Chash<'a> {
    /// A hash by this function.
    ///
    /// # Errors
    /// [`Error::WrongLength`] unless it has [`hash_len`](HashFunction::hash_len) octets.
    pub fn new(function: HashFunction, hash: impl Into<Cow<'a, [u8]>>) -> Result<Self, Error> {
        let hash = hash.into();
        of_length(&hash, function.hash_len(), "CHASH hash")?;
        Ok(Self { function, hash })
    }

    /// The hash function.
    pub const fn function(&self) -> HashFunction {
        self.function
    }

    /// The hash.
    pub fn hash(&self) -> &[u8] {
        &self.hash
    }

    /// The same payload with all of its data owned.
    pub fn into_owned(self) -> Chash<'static> {
        Chash { function: self.function, hash: Cow::Owned(self.hash.into_owned()) }
    }

    pub(super) fn body_len(&self) -> usize {
        1 + self.hash.len()
    }

    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let function = reader.known("CHASH Hash func", FUNCTIONS, HashFunction::from_number)?;
        let hash = Cow::Borrowed(reader.take(function.hash_len(), "CHASH hash")?);
        Ok(Self { function, hash })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        out.push(self.function.number());
        out.extend_from_slice(&self.hash);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::super::PayloadType;
    use super::super::testing::{HEADER_LEN, assert_form, parse_error};
    use super::*;

    #[test]
    fn each_function_has_its_length() {
        for (function, length) in [(HashFunction::Sha1, 20), (HashFunction::Md5, 16), (HashFunction::Sha256, 32)] {
            let chash = Chash::new(function, vec![9; length]).unwrap();
            assert_form(chash, &[vec![0, function.number()], vec![9; length]].concat());
            let error = Chash::new(function, vec![9; length + 1]).unwrap_err();
            assert_eq!(error, Error::WrongLength { field: "CHASH hash", found: length + 1, expected: length });
        }
    }

    #[test]
    fn unknown_functions_and_wrong_lengths_are_refused() {
        let field = "CHASH Hash func";
        let expected = "0 (SHA-1), 1 (MD5) or 2 (SHA-256)";
        let error = parse_error(PayloadType::CHASH, &[0, 3, 9]);
        assert_eq!(error, Error::UnknownNumber { field, offset: HEADER_LEN + 1, found: 3, expected });
        let error = parse_error(PayloadType::CHASH, &[0, 1, 9]);
        assert_eq!(error, Error::Truncated { field: "CHASH hash", offset: HEADER_LEN + 2, expected: 16, found: 1 });
        let error = parse_error(PayloadType::CHASH, &[&[0, 1][..], &[9; 17]].concat());
        assert_eq!(error, Error::TrailingOctets { offset: HEADER_LEN + 18, count: 1 });
    }
}
