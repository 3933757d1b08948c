use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::mikey::Error;
use crate::mikey::codec::{Reader, of_length};
use crate::mikey::registry::closed_registry;

closed_registry! {
    /// The algorithm of a MAC, which gives it its length (RFC 3830 6.2, RFC 6043 6.2).
    MacAlgorithm {
        Null = 0, "NULL";
        HmacSha1 = 1, "HMAC-SHA-1-160";
        HmacSha256 = 2, "HMAC-SHA-256-256";
    }
}

const ALGORITHMS: &str = "0 (NULL), 1 (HMAC-SHA-1-160) or 2 (HMAC-SHA-256-256)";

impl MacAlgorithm {
    /// Octets of a MAC.
    pub const fn mac_len(self) -> usize {
        match self {
            Self::Null => 0,
            Self::HmacSha1 => 20,
            Self::HmacSha256 => 32,
        }
    }
}

/// A message authentication code with its algorithm: the end of KEMAC and all of V (RFC 3830 6.2 and 6.9).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mac<'a> {
    algorithm: MacAlgorithm,
    octets: Cow<'a, [u8]>,
}

/// What the two fields are called where they stand.
pub(super) struct MacFields {
    pub(super) algorithm: &'static str,
    pub(super) mac: &'static str,
}

impl<'a> Mac<'a> {
    /// A MAC of this algorithm.
    ///
    /// # Errors
    /// [`Error::WrongLength`] unless there are [`mac_len`](MacAlgorithm::mac_len) octets.
    pub fn new(algorithm: MacAlgorithm, octets: impl Into<Cow<'a, [u8]>>) -> Result<Self, Error> {
        let octets = octets.into();
        of_length(&octets, algorithm.mac_len(), "MAC")?;
        Ok(Self { algorithm, octets })
    }

    /// The MAC of the NULL algorithm: none.
    pub const fn null() -> Self {
        Self { algorithm: MacAlgorithm::Null, octets: Cow::Borrowed(&[]) }
    }

    /// The algorithm.
    pub const fn algorithm(&self) -> MacAlgorithm {
        self.algorithm
    }

    /// The MAC itself.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// The same MAC with all of its data owned.
    pub fn into_owned(self) -> Mac<'static> {
        Mac { algorithm: self.algorithm, octets: Cow::Owned(self.octets.into_owned()) }
    }

    pub(super) fn encoded_len(&self) -> usize {
        1 + self.octets.len()
    }

    pub(super) fn read(reader: &mut Reader<'a>, fields: &MacFields) -> Result<Self, Error> {
        let algorithm = reader.known(fields.algorithm, ALGORITHMS, MacAlgorithm::from_number)?;
        let octets = Cow::Borrowed(reader.take(algorithm.mac_len(), fields.mac)?);
        Ok(Self { algorithm, octets })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.push(self.algorithm.number());
        out.extend_from_slice(&self.octets);
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn each_algorithm_has_its_length() {
        for (algorithm, length) in
            [(MacAlgorithm::Null, 0), (MacAlgorithm::HmacSha1, 20), (MacAlgorithm::HmacSha256, 32)]
        {
            assert_eq!(Mac::new(algorithm, vec![7; length]).unwrap().octets(), vec![7; length]);
            let error = Mac::new(algorithm, vec![7; length + 1]).unwrap_err();
            assert_eq!(error, Error::WrongLength { field: "MAC", found: length + 1, expected: length });
        }
        assert_eq!(Mac::new(MacAlgorithm::Null, vec![]).unwrap(), Mac::null());
    }
}
