use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::mikey::Error;
use crate::mikey::codec::{Reader, put_data_8};

/// RAND, the random octets that enter key derivation (RFC 3830 6.11): at most 255, and 16 in practice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rand<'a> {
    /// The random octets.
    pub octets: Cow<'a, [u8]>,
}

impl<'a> Rand<'a> {
    /// A RAND of these octets.
    pub fn new(octets: impl Into<Cow<'a, [u8]>>) -> Self {
        Self { octets: octets.into() }
    }

    /// The same payload with all of its data owned.
    pub fn into_owned(self) -> Rand<'static> {
        Rand { octets: Cow::Owned(self.octets.into_owned()) }
    }

    pub(super) fn body_len(&self) -> usize {
        1 + self.octets.len()
    }

    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        reader.data_8("RAND").map(Self::new)
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        put_data_8(out, &self.octets, "RAND")
    }
}
