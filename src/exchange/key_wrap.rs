//! AES key wrap with a 128-bit key and an initial value of the caller's choice (RFC 3394 2.2.1, 2.2.2).
//!
//! MIKEY sets the initial value to a derived salt (RFC 3830 4.2.3), where key wrap elsewhere has a constant.

use alloc::vec::Vec;

use aes::Aes128;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::Error;

const HALF: usize = 8;
const ROUNDS: u64 = 6;

/// # Errors
/// [`Error::KeyWrapLength`] unless `plain` has a multiple of 8 octets, 16 at least.
pub(super) fn wrap(key: &[u8; 16], initial: &[u8; HALF], plain: &[u8]) -> Result<Vec<u8>, Error> {
    let (mut registers, count) = registers(plain)?;
    let cipher = Aes128::new(key.into());
    let mut integrity = *initial;
    for step in 1..=ROUNDS * count {
        let register = registers.get_mut(index(step, count)).ok_or(Error::KeyWrap)?;
        let mut block = Zeroizing::new(join(&integrity, register));
        cipher.encrypt_block((&mut *block).into());
        (integrity, *register) = split(&block);
        integrity = exclusive_or(integrity, step);
    }
    Ok(core::iter::once(&integrity).chain(registers.iter()).flatten().copied().collect())
}

/// # Errors
/// [`Error::KeyWrapLength`] unless `wrapped` has a multiple of 8 octets, 24 at least, and [`Error::KeyWrap`] unless it
/// was wrapped under this key with this initial value.
pub(super) fn unwrap(key: &[u8; 16], initial: &[u8; HALF], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let length = Error::KeyWrapLength { found: wrapped.len() };
    let (integrity, rest) = wrapped.split_first_chunk::<HALF>().ok_or(length.clone())?;
    let (mut registers, count) = registers(rest).map_err(|_| length)?;
    let cipher = Aes128::new(key.into());
    let mut integrity = *integrity;
    for step in (1..=ROUNDS * count).rev() {
        let register = registers.get_mut(index(step, count)).ok_or(Error::KeyWrap)?;
        let mut block = Zeroizing::new(join(&exclusive_or(integrity, step), register));
        cipher.decrypt_block((&mut *block).into());
        (integrity, *register) = split(&block);
    }
    if !bool::from(integrity.ct_eq(initial)) {
        return Err(Error::KeyWrap);
    }
    let mut plain = Zeroizing::new(Vec::with_capacity(rest.len()));
    registers.iter().for_each(|register| plain.extend_from_slice(register));
    Ok(plain)
}

type Registers = Zeroizing<Vec<[u8; HALF]>>;

/// R\[1\] to R\[n\], and n.
fn registers(octets: &[u8]) -> Result<(Registers, u64), Error> {
    match octets.as_chunks::<HALF>() {
        (registers @ [_, _, ..], []) => Ok((Zeroizing::new(registers.to_vec()), registers.len() as u64)),
        _ => Err(Error::KeyWrapLength { found: octets.len() }),
    }
}

/// Where the register of a step stands; steps and registers are counted from 1. There are fewer registers than octets.
fn index(step: u64, count: u64) -> usize {
    ((step - 1) % count) as usize
}

fn join(left: &[u8; HALF], right: &[u8; HALF]) -> [u8; 2 * HALF] {
    let mut block = [0; 2 * HALF];
    block.iter_mut().zip(left.iter().chain(right)).for_each(|(to, from)| *to = *from);
    block
}

fn split(block: &[u8; 2 * HALF]) -> ([u8; HALF], [u8; HALF]) {
    let both = u128::from_be_bytes(*block);
    (((both >> 64) as u64).to_be_bytes(), (both as u64).to_be_bytes())
}

fn exclusive_or(integrity: [u8; HALF], step: u64) -> [u8; HALF] {
    (u64::from_be_bytes(integrity) ^ step).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: [u8; 8] = [0xa6; 8];

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    fn key() -> [u8; 16] {
        core::array::from_fn(|at| u8::try_from(at).unwrap())
    }

    /// RFC 3394 4.1.
    #[test]
    fn the_vector_of_rfc_3394() {
        let plain = hex("00112233445566778899aabbccddeeff");
        let wrapped = hex("1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5");
        assert_eq!(wrap(&key(), &DEFAULT, &plain), Ok(wrapped.clone()));
        assert_eq!(*unwrap(&key(), &DEFAULT, &wrapped).unwrap(), plain);
    }

    /// From OpenSSL: `openssl enc -id-aes128-wrap -K 000102...0f -iv 0123456789abcdef`, of the octets 0 to 39.
    #[test]
    fn another_initial_value_and_length() {
        let initial = 0x0123_4567_89ab_cdef_u64.to_be_bytes();
        let plain: Vec<u8> = (0..40).collect();
        let wrapped =
            hex("bbd6eea62fac08b55be9af9824b29a78f6f372caa7c9fb41e8aa94d5ff0d799315480b7164ea1f03fd1f8c98ea803315");
        assert_eq!(wrap(&key(), &initial, &plain), Ok(wrapped.clone()));
        assert_eq!(*unwrap(&key(), &initial, &wrapped).unwrap(), plain);
        assert_eq!(unwrap(&key(), &DEFAULT, &wrapped), Err(Error::KeyWrap));
    }

    #[test]
    fn what_was_bent_is_refused() {
        let wrapped = wrap(&key(), &DEFAULT, &[7; 24]).unwrap();
        for at in 0..wrapped.len() {
            let mut bent = wrapped.clone();
            bent[at] ^= 0x10;
            assert_eq!(unwrap(&key(), &DEFAULT, &bent), Err(Error::KeyWrap), "octet {at}");
        }
    }

    #[test]
    fn other_lengths_are_refused() {
        for found in [0, 8, 15, 17, 20, 31] {
            assert_eq!(wrap(&key(), &DEFAULT, &[7; 31][..found]), Err(Error::KeyWrapLength { found }));
        }
        for found in [0, 7, 8, 16, 23, 25] {
            assert_eq!(unwrap(&key(), &DEFAULT, &[7; 25][..found]), Err(Error::KeyWrapLength { found }));
        }
    }
}
