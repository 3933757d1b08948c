use alloc::vec::Vec;

use rand_core::CryptoRng;

use super::payload::{PayloadType, Sign, SignatureType};
use super::{Error, Message};
use crate::eccsi;

impl Message<'_> {
    /// Adds the ECCSI signature of a sender as the last payload.
    ///
    /// # Errors
    /// [`Error::DuplicatePayload`] if there is a signature already, [`Error::Eccsi`], and those of
    /// [`to_bytes`](Self::to_bytes).
    pub fn sign<R: CryptoRng + ?Sized>(&mut self, key: &eccsi::SigningKey, rng: &mut R) -> Result<(), Error> {
        let is_sign = |payload_type| payload_type == PayloadType::SIGN;
        if let Some((range, _)) = self.located().find(|(_, payload)| is_sign(payload.payload_type())) {
            return Err(Error::DuplicatePayload { payload_type: PayloadType::SIGN, offset: range.start });
        }
        self.payloads.push(Sign::eccsi(&[0; eccsi::SIGNATURE_LEN]).into());
        let signature = self.signed_octets().and_then(|octets| Ok(key.sign(&octets, rng)?));
        self.payloads.pop();
        self.payloads.push(Sign::eccsi(signature?.to_bytes().to_vec()).into());
        Ok(())
    }

    /// Checks the ECCSI signature against the identity of the signer under its KMS.
    ///
    /// # Errors
    /// [`Error::MissingPayload`] without SIGN, [`Error::UnexpectedSignatureType`] for another scheme,
    /// [`Error::Eccsi`] for a signature that is malformed or not this signer's over this message.
    pub fn verify(&self, kms: &eccsi::KmsTables, signer_id: &[u8]) -> Result<(), Error> {
        let sign = self.signature()?;
        if sign.signature_type != SignatureType::ECCSI {
            return Err(Error::UnexpectedSignatureType { found: sign.signature_type });
        }
        let signature = eccsi::Signature::from_bytes(&sign.signature)?;
        Ok(kms.verify(signer_id, &self.signed_octets()?, &signature)?)
    }

    /// What a signature covers: the whole message up to and including the two header octets of SIGN.
    ///
    /// # Errors
    /// [`Error::MissingPayload`] without SIGN, and those of [`to_bytes`](Self::to_bytes).
    pub fn signed_octets(&self) -> Result<Vec<u8>, Error> {
        let signature_len = self.signature()?.signature.len();
        let mut octets = self.to_bytes()?;
        octets.truncate(octets.len().saturating_sub(signature_len));
        Ok(octets)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use rand_core::{TryCryptoRng, TryRng};

    use super::*;
    use crate::mikey::{CsIdMap, Header, NtpTime, Rand, Timestamp};

    const ALICE: &[u8] = &[0xa1; 32];

    /// SplitMix64: repeatable numbers for tests, secret to nobody.
    struct TestRng(u64);

    impl TryRng for TestRng {
        type Error = core::convert::Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            self.try_next_u64().map(|number| (number >> 32) as u32)
        }

        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            Ok(z ^ (z >> 31))
        }

        fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
            for chunk in out.chunks_mut(8) {
                let octets = self.try_next_u64()?.to_le_bytes();
                chunk.copy_from_slice(&octets[..chunk.len()]);
            }
            Ok(())
        }
    }

    impl TryCryptoRng for TestRng {}

    fn signer() -> (eccsi::KmsTables, eccsi::SigningKey) {
        let mut rng = TestRng(1);
        let master = eccsi::MasterSecret::generate(&mut rng).unwrap();
        let kms = eccsi::KmsTables::new(&master.public_key());
        let pair = master.extract_random(ALICE, &mut rng).unwrap();
        let key = pair.validate(ALICE, &kms).unwrap();
        (kms, key)
    }

    fn message() -> Message<'static> {
        Message::new(Header::sakke(7, CsIdMap::Empty { cs_count: 0 }))
            .with(Timestamp::NtpUtc(NtpTime::from_bits(1)))
            .with(Rand::new(vec![9; 16]))
    }

    #[test]
    fn a_signed_message_verifies_for_its_signer_alone() {
        let (kms, key) = signer();
        let mut message = message();
        message.sign(&key, &mut TestRng(2)).unwrap();
        let octets = message.to_bytes().unwrap();
        assert_eq!(octets[octets.len() - 131..][..2], [0x20, 0x81]);
        assert_eq!(message.signed_octets().unwrap(), octets[..octets.len() - 129]);

        let received = Message::parse(&octets).unwrap();
        assert_eq!(received.verify(&kms, ALICE), Ok(()));
        assert_eq!(received.verify(&kms, &[0xb0; 32]), Err(eccsi::Error::SignatureInvalid.into()));
    }

    #[test]
    fn every_octet_before_the_signature_is_covered() {
        let (kms, key) = signer();
        let mut message = message();
        message.sign(&key, &mut TestRng(3)).unwrap();
        let octets = message.to_bytes().unwrap();
        for at in 0..octets.len() {
            let mut changed = octets.clone();
            changed[at] ^= 1;
            let accepted = Message::parse(&changed).and_then(|message| message.verify(&kms, ALICE));
            assert!(accepted.is_err(), "octet {at} changed");
        }
    }

    #[test]
    fn a_signature_without_the_sign_header_is_not_one() {
        let (kms, key) = signer();
        let mut message = message().with(Sign::eccsi(vec![0; eccsi::SIGNATURE_LEN]));
        let covered = message.signed_octets().unwrap();
        let old = key.sign(&covered[..covered.len() - 2], &mut TestRng(4)).unwrap();
        message.payloads.pop();
        let message = message.with(Sign::eccsi(old.to_bytes().to_vec()));
        assert_eq!(message.verify(&kms, ALICE), Err(eccsi::Error::SignatureInvalid.into()));
    }

    #[test]
    fn what_is_no_eccsi_signature_is_refused_by_name() {
        let (kms, key) = signer();
        assert_eq!(message().verify(&kms, ALICE), Err(Error::MissingPayload { payload_type: PayloadType::SIGN }));
        let rsa = Sign { signature_type: SignatureType::RSA_PSS, signature: vec![0; 129].into() };
        assert_eq!(
            message().with(rsa).verify(&kms, ALICE),
            Err(Error::UnexpectedSignatureType { found: SignatureType::RSA_PSS })
        );
        let short = message().with(Sign::eccsi(vec![0; 128]));
        assert_eq!(short.verify(&kms, ALICE), Err(eccsi::Error::SignatureLength(128).into()));

        let mut twice = message();
        twice.sign(&key, &mut TestRng(5)).unwrap();
        let once = twice.clone();
        assert_eq!(
            twice.sign(&key, &mut TestRng(6)),
            Err(Error::DuplicatePayload { payload_type: PayloadType::SIGN, offset: 10 + 10 + 18 })
        );
        assert_eq!(twice, once);
    }
}
