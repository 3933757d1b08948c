//! Encryption of the sub-payloads in KEMAC (RFC 3830 4.2.3, RFC 6043 6.2).

use alloc::vec::Vec;

use aes::cipher::{KeyIvInit, StreamCipher};
use aes::{Aes128, Aes256};
use ctr::Ctr128BE;
use zeroize::Zeroizing;

use super::Error;
use super::key_wrap::{unwrap, wrap};
use super::message_keys::MessageKeys;
use crate::mikey::{EncryptionAlgorithm, NtpTime};

const IV_LEN: usize = 16;
const CM_SALT_LEN: usize = 14;

/// Encrypts sub-payloads under the keys of an exchange whose T is `time`.
///
/// # Errors
/// [`Error::NoPreSharedKey`], [`Error::KeyWrapLength`], [`Error::Encryption`] for an unknown algorithm.
pub(super) fn encrypt(
    algorithm: EncryptionAlgorithm,
    keys: Option<&MessageKeys<'_>>,
    time: NtpTime,
    plain: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    match (algorithm, keys) {
        (EncryptionAlgorithm::NULL, _) => Ok(plain.to_vec().into()),
        (EncryptionAlgorithm::AES_CM_128, Some(keys)) => counter_mode_128(keys, time, plain),
        (EncryptionAlgorithm::AES_CM_256, Some(keys)) => counter_mode_256(keys, time, plain),
        (EncryptionAlgorithm::AES_KW_128, Some(keys)) => Ok(wrap(&keys.encryption_key(), &keys.salt(), plain)?.into()),
        (algorithm, keys) => Err(without_cipher(algorithm, keys)),
    }
}

/// Undoes [`encrypt`].
///
/// # Errors
/// Those of [`encrypt`], and [`Error::KeyWrap`]. Counter mode decrypts anything: the MAC is checked before.
pub(super) fn decrypt(
    algorithm: EncryptionAlgorithm,
    keys: Option<&MessageKeys<'_>>,
    time: NtpTime,
    data: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    match (algorithm, keys) {
        (EncryptionAlgorithm::AES_KW_128, Some(keys)) => unwrap(&keys.encryption_key(), &keys.salt(), data),
        (algorithm, keys) => encrypt(algorithm, keys, time, data),
    }
}

/// # Errors
/// [`Error::Encryption`] for an algorithm that is in no registry.
pub(super) fn require_known(algorithm: EncryptionAlgorithm) -> Result<(), Error> {
    match algorithm {
        EncryptionAlgorithm::NULL
        | EncryptionAlgorithm::AES_CM_128
        | EncryptionAlgorithm::AES_KW_128
        | EncryptionAlgorithm::AES_CM_256 => Ok(()),
        found => Err(Error::Encryption { found }),
    }
}

fn without_cipher(algorithm: EncryptionAlgorithm, keys: Option<&MessageKeys<'_>>) -> Error {
    match require_known(algorithm) {
        Ok(()) if keys.is_none() => Error::NoPreSharedKey,
        _ => Error::Encryption { found: algorithm },
    }
}

fn counter_mode_128(keys: &MessageKeys<'_>, time: NtpTime, octets: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let key = keys.encryption_key::<16>();
    apply(Ctr128BE::<Aes128>::new((&*key).into(), (&iv(keys, time)).into()), octets)
}

fn counter_mode_256(keys: &MessageKeys<'_>, time: NtpTime, octets: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let key = keys.encryption_key::<32>();
    apply(Ctr128BE::<Aes256>::new((&*key).into(), (&iv(keys, time)).into()), octets)
}

fn apply(mut cipher: impl StreamCipher, octets: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut octets = Zeroizing::new(octets.to_vec());
    // A key stream lasts for 2^20 octets (RFC 3830 4.2.3), KEMAC holds 2^16.
    cipher.apply_keystream(&mut octets);
    Ok(octets)
}

/// IV = (S XOR (0x0000 || CSB ID || T)) || 0x0000.
fn iv(keys: &MessageKeys<'_>, time: NtpTime) -> [u8; IV_LEN] {
    let salt = keys.salt::<CM_SALT_LEN>();
    let mut iv = [0; IV_LEN];
    let [_, _, masked @ ..] = &mut iv;
    let named = keys.csb_id.to_be_bytes().into_iter().chain(time.to_bits().to_be_bytes());
    masked.iter_mut().zip(named).for_each(|(iv, octet)| *iv = octet);
    iv.iter_mut().zip(salt.iter()).for_each(|(iv, octet)| *iv ^= octet);
    iv
}

#[cfg(test)]
mod tests {
    use super::super::PreSharedKey;
    use super::*;
    use crate::mikey::prf::Prf;

    const TIME: NtpTime = NtpTime::from_bits(0xd6b4_3232_8000_0001);

    fn with_keys<T>(prf: Prf, use_them: impl FnOnce(&MessageKeys<'_>) -> T) -> T {
        let key = PreSharedKey::new((0x10..0x30).collect::<Vec<u8>>()).unwrap();
        let rand: Vec<u8> = (0xa0..0xb0).collect();
        use_them(&MessageKeys { key: &key, prf, csb_id: 0x1234_5678, rand: &rand })
    }

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    fn plain() -> Vec<u8> {
        (0..40).collect()
    }

    /// Each expected value is from `tests/oracle/mikey_psk.py`, which derives keys and encrypts by other code.
    #[test]
    fn each_algorithm_encrypts_as_other_code_does() {
        for (prf, algorithm, expected) in [
            (
                Prf::Mikey1,
                EncryptionAlgorithm::AES_CM_128,
                "6c5d114a627d5d9fa81882d9324b408c85d89d2fad818e65a64e13e9c05752ded2af191c42a3aeea",
            ),
            (
                Prf::HmacSha256,
                EncryptionAlgorithm::AES_CM_128,
                "149326ba2d545108c4b5947c682f2d4fb9b7296adc3cdf0d85c099ea2a7f6af43ef7b0c1707bcd1f",
            ),
            (
                Prf::Mikey1,
                EncryptionAlgorithm::AES_CM_256,
                "0877328370c522455f3c04e7a4d7dde50e19c66150f295ec26d40e424791d3c9e511234941fb26b3",
            ),
            (
                Prf::HmacSha256,
                EncryptionAlgorithm::AES_CM_256,
                "ad562f638166999582246d578c6a9e63415eff185645db8a8f2b3cb61297da532b1ba2ec092167e3",
            ),
            (
                Prf::Mikey1,
                EncryptionAlgorithm::AES_KW_128,
                "af3b4bb8f8f5037fba36e8356f88a15b92a6032fe40663a91c5f4685fb166240b3652ee738dddfef4f5a69be250734b1",
            ),
            (
                Prf::HmacSha256,
                EncryptionAlgorithm::AES_KW_128,
                "bfa29baba4e851b17d650d1a10eb701ee5cee15328d14ddc407ffbcc96bf20d41f4f8b9f94c2d6e76b6d525c36e0ae30",
            ),
        ] {
            with_keys(prf, |keys| {
                let encrypted = encrypt(algorithm, Some(keys), TIME, &plain()).unwrap();
                assert_eq!(*encrypted, hex(expected), "{prf:?} {algorithm}");
                assert_eq!(*decrypt(algorithm, Some(keys), TIME, &encrypted).unwrap(), plain());
            });
        }
    }

    #[test]
    fn null_leaves_it_as_it_is_and_needs_no_key() {
        let clear = encrypt(EncryptionAlgorithm::NULL, None, TIME, &plain()).unwrap();
        assert_eq!(*clear, plain());
        assert_eq!(*decrypt(EncryptionAlgorithm::NULL, None, TIME, &clear).unwrap(), plain());
    }

    #[test]
    fn what_cannot_be_encrypted_is_named() {
        let found = EncryptionAlgorithm(4);
        with_keys(Prf::Mikey1, |keys| {
            assert_eq!(encrypt(found, Some(keys), TIME, &[]), Err(Error::Encryption { found }));
            assert_eq!(decrypt(found, None, TIME, &[]), Err(Error::Encryption { found }));
            let wrapped = encrypt(EncryptionAlgorithm::AES_KW_128, Some(keys), TIME, &[0; 20]);
            assert_eq!(wrapped, Err(Error::KeyWrapLength { found: 20 }));
            let unwrapped = decrypt(EncryptionAlgorithm::AES_KW_128, Some(keys), TIME, &[0; 24]);
            assert_eq!(unwrapped, Err(Error::KeyWrap));
        });
        assert_eq!(encrypt(EncryptionAlgorithm::AES_CM_128, None, TIME, &[]), Err(Error::NoPreSharedKey));
        assert_eq!(decrypt(EncryptionAlgorithm::AES_KW_128, None, TIME, &[]), Err(Error::NoPreSharedKey));
    }
}
