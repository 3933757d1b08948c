//! The MCData Protected Payload (TS 33.180 8.5.4), which carries key parameters.
use super::kdf::kdf;
use super::{Error, KeyId, ProtectedLayout};
use crate::sakke::SharedSecret;
use aes_gcm::aead::{Aead, AeadInOut, Nonce, Payload};
use aes_gcm::aes::Aes128;
use aes_gcm::aes::cipher::consts::U16;
use aes_gcm::{AesGcm, KeyInit};
use alloc::vec::Vec;
use zeroize::Zeroizing;

/// FC of the DPCK.
const FC_DPCK: u8 = 0x53;
/// The message type that we write; 0x40 and others with the encrypted bit are read as well.
const MESSAGE_TYPE: u8 = 0x43;
const ALGORITHM_AES_128_GCM: u8 = 1;
const IV_LEN: usize = ProtectedLayout::IV_LEN;
const TAG_LEN: usize = ProtectedLayout::TAG_LEN;
const HEADER_LEN: usize = ProtectedLayout::HEADER_LEN;
/// The payload's information element identifier as the field writes it; any is read.
const PAYLOAD_IEI: u8 = 0x00;

/// AES-128-GCM with an initialisation vector of 16 octets, so that its first counter block comes from GHASH.
type Cipher = AesGcm<Aes128, U16>;

/// Data Protection Cipher Key: the last 16 octets of KDF(DPPK, 0x53, DPPK-ID) (TS 33.180 F.1.5).
///
/// `dppk_id` is the identifier as the protected payload carries it.
pub fn dpck(dppk: &SharedSecret, dppk_id: [u8; 4]) -> Result<Zeroizing<[u8; 16]>, Error> {
    let output = Zeroizing::new(kdf(dppk.as_bytes(), FC_DPCK, &[&dppk_id])?);
    let mut key = Zeroizing::new([0; 16]);
    for (to, from) in key.iter_mut().zip(output.iter().skip(16)) {
        *to = *from;
    }
    Ok(key)
}

/// A protected payload whose clear part was read and judged: encrypted, AES-128-GCM, complete. Not yet decrypted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct ProtectedPayload {
    header: [u8; HEADER_LEN],
    iv: [u8; IV_LEN],
    dppk_id: [u8; 4],
    ciphertext: Vec<u8>,
}

impl ProtectedPayload {
    /// Judges the clear part. Payload ID, sequence number and time are ignored, as clause E.6.1 wants.
    pub(super) fn parse(data: &[u8]) -> Result<Self, Error> {
        let layout = ProtectedLayout::parse(data)?;
        match layout.faults().next() {
            Some(fault) => Err(fault),
            None => Ok(Self {
                header: *layout.header,
                iv: layout.iv,
                dppk_id: layout.dppk_id,
                ciphertext: layout.protected.to_vec(),
            }),
        }
    }

    /// The identifier of the key that protects it.
    pub(super) const fn dppk_id(&self) -> [u8; 4] {
        self.dppk_id
    }

    /// Decrypts; fails with [`Error::ParametersTag`] when the tag does not fit.
    pub(super) fn open(&self, dppk: &SharedSecret) -> Result<Zeroizing<Vec<u8>>, Error> {
        let key = dpck(dppk, self.dppk_id)?;
        let payload = Payload { msg: &self.ciphertext, aad: &self.header };
        Cipher::new(&(*key).into())
            .decrypt(&Nonce::<Cipher>::from(self.iv), payload)
            .map(Zeroizing::new)
            .map_err(|_| Error::ParametersTag)
    }
}

/// Protects `plaintext` under `dppk`. `unix_seconds` goes into the time field (its low 40 bits); `iv` must be fresh.
pub(super) fn protect(
    dppk: &SharedSecret,
    dppk_id: KeyId,
    unix_seconds: u64,
    plaintext: &[u8],
    iv: [u8; IV_LEN],
) -> Result<Vec<u8>, Error> {
    let len = u16::try_from(plaintext.len() + TAG_LEN)
        .map_err(|_| Error::TooLong { what: "key parameters", len: plaintext.len() })?;
    let [_, _, _, time @ ..] = unix_seconds.to_be_bytes();
    let mut out = Vec::with_capacity(HEADER_LEN + 3 + usize::from(len));
    out.push(MESSAGE_TYPE);
    out.extend_from_slice(&time);
    out.extend_from_slice(&[0; 5]); // payload ID and sequence number
    out.push(ALGORITHM_AES_128_GCM);
    out.extend_from_slice(&iv);
    out.extend_from_slice(&dppk_id.to_bytes());

    let key = dpck(dppk, dppk_id.to_bytes())?;
    let mut text = Zeroizing::new(plaintext.to_vec());
    let tag = Cipher::new(&(*key).into())
        .encrypt_inout_detached(&Nonce::<Cipher>::from(iv), &out, text.as_mut_slice().into())
        .map_err(|_| Error::TooLong { what: "key parameters", len: plaintext.len() })?;
    out.push(PAYLOAD_IEI);
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(&text);
    out.extend_from_slice(&tag);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> (SharedSecret, Vec<u8>) {
        let key = SharedSecret::new([9; 16]);
        let id = KeyId::from_u32(0x1234_5678).unwrap();
        let data = protect(&key, id, 1_700_000_000, b"some parameters", [3; 16]).unwrap();
        (key, data)
    }

    #[test]
    fn what_is_protected_opens() {
        let (key, data) = sample();
        assert_eq!(data[..6], [0x43, 0x00, 0x65, 0x53, 0xf1, 0x00]);
        assert_eq!(data.len(), 32 + 3 + 15 + 16);
        let payload = ProtectedPayload::parse(&data).unwrap();
        assert_eq!(payload.dppk_id(), [0x12, 0x34, 0x56, 0x78]);
        assert_eq!(payload.open(&key).unwrap().as_slice(), b"some parameters");
    }

    #[test]
    fn every_altered_octet_is_refused_save_the_identifier_of_the_tlv() {
        let (key, data) = sample();
        for at in (0..data.len()).filter(|at| *at != HEADER_LEN) {
            let mut altered = data.clone();
            altered[at] ^= 1;
            let opened = ProtectedPayload::parse(&altered).and_then(|payload| payload.open(&key));
            assert!(opened.is_err(), "octet {at}");
        }
    }

    #[test]
    fn a_failed_tag_is_an_error_of_its_own() {
        let (_, data) = sample();
        let payload = ProtectedPayload::parse(&data).unwrap();
        assert_eq!(payload.open(&SharedSecret::new([8; 16])), Err(Error::ParametersTag));
    }

    #[test]
    fn every_truncation_is_refused() {
        let (_, data) = sample();
        for len in 0..HEADER_LEN + 3 {
            assert_eq!(ProtectedPayload::parse(&data[..len]), Err(Error::ParametersTooShort { len }));
        }
        for len in HEADER_LEN + 3..data.len() {
            let present = len - HEADER_LEN - 3;
            assert_eq!(
                ProtectedPayload::parse(&data[..len]),
                Err(Error::ParametersPayloadLength { stated: 31, present })
            );
        }
    }

    #[test]
    fn octets_after_the_payload_are_refused() {
        let (_, mut data) = sample();
        data.push(0);
        assert_eq!(ProtectedPayload::parse(&data), Err(Error::ParametersPayloadLength { stated: 31, present: 32 }));
    }

    #[test]
    fn a_payload_shorter_than_its_tag_is_refused() {
        let (_, mut data) = sample();
        data.truncate(HEADER_LEN + 3 + 15);
        data[HEADER_LEN + 2] = 15;
        assert_eq!(ProtectedPayload::parse(&data), Err(Error::ParametersPayloadLength { stated: 15, present: 15 }));
    }

    #[test]
    fn clear_parameters_and_other_algorithms_are_refused() {
        let (_, mut data) = sample();
        data[0] = 0x03;
        assert_eq!(ProtectedPayload::parse(&data), Err(Error::ParametersNotEncrypted { message_type: 3 }));
        data[0] = 0x40;
        assert!(ProtectedPayload::parse(&data).is_ok());
        data[11] = 2;
        assert_eq!(ProtectedPayload::parse(&data), Err(Error::ParametersAlgorithm { found: 2 }));
    }
}
