use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::PreSharedKey;
use super::mac_key::MacKey;
use crate::mikey::MacAlgorithm;
use crate::mikey::prf::{MESSAGE_AUTH, MESSAGE_ENC, MESSAGE_SALT, Prf};

/// What the keys that protect the messages of one exchange are derived from (RFC 3830 4.1.4).
pub(super) struct MessageKeys<'a> {
    pub(super) key: &'a PreSharedKey,
    pub(super) prf: Prf,
    pub(super) csb_id: u32,
    pub(super) rand: &'a [u8],
}

impl MessageKeys<'_> {
    /// encr_key.
    pub(super) fn encryption_key<const N: usize>(&self) -> Zeroizing<[u8; N]> {
        self.derive(MESSAGE_ENC)
    }

    /// salt_key.
    pub(super) fn salt<const N: usize>(&self) -> Zeroizing<[u8; N]> {
        self.derive(MESSAGE_SALT)
    }

    /// auth_key, as long as the output of the hash function (RFC 3830 4.2.4, RFC 6043 6.2), or `None` for the NULL MAC.
    pub(super) fn mac_key(&self, algorithm: MacAlgorithm) -> Option<MacKey> {
        let key = self.octets(MESSAGE_AUTH, algorithm.mac_len());
        MacKey::new(algorithm, key)
    }

    fn derive<const N: usize>(&self, constant: u32) -> Zeroizing<[u8; N]> {
        let mut key = Zeroizing::new([0; N]);
        key.iter_mut().zip(self.octets(constant, N).iter()).for_each(|(key, octet)| *key = *octet);
        key
    }

    fn octets(&self, constant: u32, len: usize) -> Zeroizing<Vec<u8>> {
        self.prf.message_key(self.key.octets(), constant, self.csb_id, self.rand, len)
    }
}
