//! AES-256 key wrap (RFC 3394) and key wrap with padding (RFC 5649).

use super::{Error, NamedKey};
use alloc::borrow::ToOwned;
use alloc::vec;
use alloc::vec::Vec;
use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrap as _, KeyWrapPadded as _};
use zeroize::Zeroizing;

/// The algorithm of RFC 3394 in XML Encryption 1.0. TS 33.180 D.3.4 names it also where the length of what is wrapped needs
/// RFC 5649.
pub const KW_AES256: &str = "http://www.w3.org/2001/04/xmlenc#kw-aes256";

/// The algorithm of RFC 5649 in XML Encryption 1.1.
pub const KW_AES256_PAD: &str = "http://www.w3.org/2009/xmlenc11#kw-aes-256-pad";

/// How a key is wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyWrapping {
    /// RFC 5649: keys of any length.
    #[default]
    Padded,
    /// RFC 3394: keys of 16, 24, 32, ... octets.
    Plain,
}

/// Octets that a wrapped key has more than the key, at most.
const MAX_OVERHEAD: usize = 15;

/// Wraps a secret of 1 to 4096 octets under `key`. The result is 8 octets longer than the secret, rounded up to 8.
///
/// # Errors
/// [`Error::NotWrappable`] for another length, and with [`KeyWrapping::Plain`] for one that is no multiple of 8 or below 16.
pub fn wrap(key: &NamedKey, secret: &[u8], wrapping: KeyWrapping) -> Result<Vec<u8>, Error> {
    let not_wrappable = || Error::NotWrappable(secret.len());
    if !(1..=4096).contains(&secret.len()) {
        return Err(not_wrappable());
    }
    let kek = AesKek::new(&AES_256, key.octets()).map_err(|_| not_wrappable())?;
    let mut output = vec![0; secret.len() + MAX_OVERHEAD];
    let wrapped = match wrapping {
        KeyWrapping::Padded => kek.wrap_with_padding(secret, &mut output),
        KeyWrapping::Plain => kek.wrap(secret, &mut output),
    };
    let len = wrapped.map_err(|_| not_wrappable())?.len();
    output.truncate(len);
    Ok(output)
}

/// The secret that was wrapped under `key`, by RFC 3394 or RFC 5649: each has an initial value of its own, which tells
/// what it is and whether the key is right.
///
/// # Errors
/// [`Error::NotUnwrapped`].
pub fn unwrap(key: &NamedKey, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let not_unwrapped = || Error::NotUnwrapped { name: key.name().to_owned() };
    let kek = || AesKek::new(&AES_256, key.octets()).map_err(|_| not_unwrapped());
    let mut output = Zeroizing::new(vec![0; wrapped.len()]);
    let plain = kek()?.unwrap(wrapped, &mut output).map(|secret| secret.len());
    let len = match plain {
        Ok(len) => len,
        Err(_) => kek()?.unwrap_with_padding(wrapped, &mut output).map_err(|_| not_unwrapped())?.len(),
    };
    output.truncate(len);
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn octets(hex: &str) -> Vec<u8> {
        (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect()
    }

    #[test]
    fn the_vector_of_rfc_3394_section_4_6() {
        let key =
            NamedKey::new("k", &octets("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F")).unwrap();
        let secret = octets("00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F");
        let wrapped = octets("28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21");
        assert_eq!(wrap(&key, &secret, KeyWrapping::Plain).unwrap(), wrapped);
        assert_eq!(*unwrap(&key, &wrapped).unwrap(), secret);
    }

    #[test]
    fn every_length_is_wrapped_with_padding_and_unwrapped() {
        let key = NamedKey::new("k", &[3; 32]).unwrap();
        for len in [1_usize, 7, 8, 9, 16, 32, 65, 257, 4096] {
            let secret: Vec<u8> = (0..len).map(|i| i as u8).collect();
            let wrapped = wrap(&key, &secret, KeyWrapping::Padded).unwrap();
            assert_eq!(wrapped.len(), len.div_ceil(8) * 8 + 8);
            assert_eq!(*unwrap(&key, &wrapped).unwrap(), secret, "{len}");
        }
        for len in [0, 4097] {
            assert_eq!(wrap(&key, &vec![0; len], KeyWrapping::Padded), Err(Error::NotWrappable(len)));
        }
        for len in [8, 65, 257] {
            assert_eq!(wrap(&key, &vec![0; len], KeyWrapping::Plain), Err(Error::NotWrappable(len)));
        }
    }

    #[test]
    fn what_was_altered_or_is_under_another_key_is_refused() {
        let key = NamedKey::new("right", &[3; 32]).unwrap();
        let other = NamedKey::new("other", &[4; 32]).unwrap();
        for wrapping in [KeyWrapping::Plain, KeyWrapping::Padded] {
            let wrapped = wrap(&key, &[9; 32], wrapping).unwrap();
            let error = unwrap(&other, &wrapped).unwrap_err();
            assert_eq!(error, Error::NotUnwrapped { name: "other".to_string() });
            for at in 0..wrapped.len() {
                let mut altered = wrapped.clone();
                altered[at] ^= 1;
                assert!(unwrap(&key, &altered).is_err(), "{at}");
            }
            for len in 0..wrapped.len() {
                assert!(unwrap(&key, &wrapped[..len]).is_err(), "{len}");
            }
        }
    }
}
