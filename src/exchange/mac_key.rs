use alloc::vec::Vec;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::Error;
use crate::mikey::MacAlgorithm;

/// auth_key of an exchange with its algorithm, which is not NULL.
pub(super) struct MacKey {
    algorithm: MacAlgorithm,
    key: Zeroizing<Vec<u8>>,
}

impl MacKey {
    pub(super) fn new(algorithm: MacAlgorithm, key: Zeroizing<Vec<u8>>) -> Option<Self> {
        match algorithm {
            MacAlgorithm::Null => None,
            MacAlgorithm::HmacSha1 | MacAlgorithm::HmacSha256 => Some(Self { algorithm, key }),
        }
    }

    pub(super) fn algorithm(&self) -> MacAlgorithm {
        self.algorithm
    }

    /// Writes the MAC to the end of a message, over zeros that hold its place: the MAC of all that precedes, and of what
    /// `follows` it in the calculation alone (RFC 3830 5.2).
    pub(super) fn fill(&self, message: &mut [u8], follows: &[&[u8]]) {
        let authenticated_len = message.len().saturating_sub(self.algorithm.mac_len());
        if let Some((authenticated, place)) = message.split_at_mut_checked(authenticated_len) {
            let mac = self.mac(authenticated, follows);
            place.iter_mut().zip(mac).for_each(|(place, octet)| *place = octet);
        }
    }

    /// Compares the end of a message with the MAC that [`fill`](Self::fill) would write there, in constant time.
    ///
    /// # Errors
    /// [`Error::Authentication`].
    pub(super) fn verify(&self, message: &[u8], follows: &[&[u8]]) -> Result<(), Error> {
        let authenticated_len = message.len().saturating_sub(self.algorithm.mac_len());
        let (authenticated, mac) = message.split_at_checked(authenticated_len).ok_or(Error::Authentication)?;
        if self.mac(authenticated, follows).ct_eq(mac).into() { Ok(()) } else { Err(Error::Authentication) }
    }

    fn mac(&self, authenticated: &[u8], follows: &[&[u8]]) -> Vec<u8> {
        match self.algorithm {
            MacAlgorithm::Null => Vec::new(),
            MacAlgorithm::HmacSha1 => tag::<Hmac<Sha1>>(&self.key, authenticated, follows),
            MacAlgorithm::HmacSha256 => tag::<Hmac<Sha256>>(&self.key, authenticated, follows),
        }
    }
}

/// HMAC takes a key of any length, so that there is always a tag.
fn tag<M: Mac + KeyInit>(key: &[u8], authenticated: &[u8], follows: &[&[u8]]) -> Vec<u8> {
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else { return Vec::new() };
    mac.update(authenticated);
    follows.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    fn key(algorithm: MacAlgorithm) -> MacKey {
        MacKey::new(algorithm, b"Jefe".to_vec().into()).unwrap()
    }

    /// Test case 2 of RFC 2202 3 and of RFC 4231 4.3.
    #[test]
    fn macs_of_rfc_2202_and_rfc_4231() {
        for (algorithm, expected) in [
            (MacAlgorithm::HmacSha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            (MacAlgorithm::HmacSha256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        ] {
            let mut message = [&b"what do ya want "[..], &vec![0; algorithm.mac_len()]].concat();
            key(algorithm).fill(&mut message, &[b"for ", b"nothing?"]);
            assert_eq!(message[16..], hex(expected));
            assert_eq!(key(algorithm).verify(&message, &[b"for nothing?"]), Ok(()));
        }
    }

    #[test]
    fn any_other_message_is_refused() {
        let key = key(MacAlgorithm::HmacSha1);
        let mut message = [&b"message"[..], &[0; 20]].concat();
        key.fill(&mut message, &[b"party"]);
        for at in 0..message.len() {
            let mut bent = message.clone();
            bent[at] ^= 1;
            assert_eq!(key.verify(&bent, &[b"party"]), Err(Error::Authentication));
            assert_eq!(key.verify(&message[..at], &[b"party"]), Err(Error::Authentication));
        }
        assert_eq!(key.verify(&message, &[b"other"]), Err(Error::Authentication));
    }

    #[test]
    fn there_is_no_key_of_the_null_mac() {
        assert!(MacKey::new(MacAlgorithm::Null, b"Jefe".to_vec().into()).is_none());
    }
}
