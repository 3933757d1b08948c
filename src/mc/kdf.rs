//! The key derivation function of TS 33.220 B.2, as TS 33.180 annex F uses it.
use super::Error;
use crate::mikey::prf;
use alloc::vec::Vec;
use hmac::Mac;

/// HMAC-SHA-256 under `key` of S = FC || P0 || L0 || P1 || L1 ...
///
/// Fails with [`Error::TooLong`] when a parameter has more than 65535 octets, which its length field cannot say.
pub(super) fn kdf(key: &[u8; 16], fc: u8, parameters: &[&[u8]]) -> Result<[u8; 32], Error> {
    let mut mac = prf::keyed(key);
    mac.update(&input(fc, parameters)?);
    Ok(mac.finalize().into_bytes().into())
}

/// The octets S = FC || P0 || L0 || P1 || L1 ...: each parameter is followed by its length in two octets.
pub(super) fn input(fc: u8, parameters: &[&[u8]]) -> Result<Vec<u8>, Error> {
    let mut s = Vec::with_capacity(1 + parameters.iter().map(|p| p.len() + 2).sum::<usize>());
    s.push(fc);
    for p in parameters {
        let len = u16::try_from(p.len()).map_err(|_| Error::TooLong { what: "derivation parameter", len: p.len() })?;
        s.extend_from_slice(p);
        s.extend_from_slice(&len.to_be_bytes());
    }
    Ok(s)
}

/// An integer as annex F.2.1 hashes it: big-endian, no leading zero octets, and zero as one octet.
pub(super) struct MinimalInteger {
    octets: [u8; 8],
    skip: usize,
}

impl MinimalInteger {
    pub(super) fn new(value: u64) -> Self {
        let leading = (value.leading_zeros() / 8) as usize;
        Self { octets: value.to_be_bytes(), skip: leading.min(7) }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.octets.get(self.skip..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_minimal_and_zero_has_one_octet() {
        for (value, octets) in [
            (0, &[0][..]),
            (1, &[1]),
            (255, &[255]),
            (256, &[1, 0]),
            (2_592_000, &[0x27, 0x8d, 0x00]),
            (u64::MAX, &[255; 8]),
        ] {
            assert_eq!(MinimalInteger::new(value).as_bytes(), octets, "{value}");
        }
    }

    #[test]
    fn lengths_follow_their_parameters() {
        assert_eq!(input(0x53, &[&[1, 2, 3], &[]]).unwrap(), [0x53, 1, 2, 3, 0, 3, 0, 0]);
    }

    #[test]
    fn a_parameter_longer_than_its_length_field_is_refused() {
        let long = alloc::vec![0u8; 65536];
        assert_eq!(input(0, &[&long]), Err(Error::TooLong { what: "derivation parameter", len: 65536 }));
        assert!(input(0, &[&long[1..]]).is_ok());
    }
}
