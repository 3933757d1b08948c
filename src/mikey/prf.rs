//! Derivation of keys with PRF-HMAC-SHA-256 (RFC 3830 4.1, RFC 6043 6.1).

use alloc::vec;
use alloc::vec::Vec;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::Error;

/// Constant of a traffic encryption key (TEK): the SRTP master key (RFC 3830 4.1.4).
pub const TEK: u32 = 0x2AD0_1C64;
/// Constant of a salt: the SRTP master salt (RFC 3830 4.1.4).
pub const SALT: u32 = 0x39A2_C14B;
/// Constant of an authentication key (RFC 3830 4.1.4).
pub const AUTH: u32 = 0x1B5C_7973;
/// Constant of an encryption key (RFC 3830 4.1.4).
pub const ENC: u32 = 0x1579_8CEF;

const HASH_LEN: usize = 32;
const BLOCK_LEN: usize = 64;
/// Octets of the input key that enter each P-function: 256 bits.
const KEY_PART_LEN: usize = 32;

/// Derives a key of a crypto session (CS) from a TEK generation key (TGK): `out_len` octets of
/// PRF(`tgk`, `constant` || CS-ID || CSB-ID || RAND) (RFC 3830 4.1.3).
///
/// # Errors
/// [`Error::EmptyKey`] if `tgk` is empty.
pub fn derive(
    tgk: &[u8],
    constant: u32,
    cs_id: u8,
    csb_id: u32,
    rand: &[u8],
    out_len: usize,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut label = Vec::with_capacity(9 + rand.len());
    label.extend_from_slice(&constant.to_be_bytes());
    label.push(cs_id);
    label.extend_from_slice(&csb_id.to_be_bytes());
    label.extend_from_slice(rand);
    prf_hmac_sha_256(tgk, &label, out_len)
}

/// PRF-HMAC-SHA-256(`inkey`, `label`): `out_len` octets (RFC 3830 4.1.2 with the changes of RFC 6043 6.1).
///
/// # Errors
/// [`Error::EmptyKey`] if `inkey` is empty: the function would be the same for everybody.
pub fn prf_hmac_sha_256(inkey: &[u8], label: &[u8], out_len: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
    if inkey.is_empty() {
        return Err(Error::EmptyKey);
    }
    let mut out = Zeroizing::new(vec![0; out_len]);
    for part in inkey.chunks(KEY_PART_LEN) {
        add_p(part, label, &mut out);
    }
    Ok(out)
}

/// Adds (exclusive or) P(s, label, m) to `out`: HMAC(s, A_1 || label) || HMAC(s, A_2 || label) ..., where A_0 is the
/// label and A_i is HMAC(s, A_(i-1)).
fn add_p(s: &[u8], label: &[u8], out: &mut [u8]) {
    let keyed = keyed(s);
    let mut a = hmac(&keyed, &[label]);
    for block in out.chunks_mut(HASH_LEN) {
        let p = hmac(&keyed, &[&*a, label]);
        block.iter_mut().zip(p.iter()).for_each(|(out, p)| *out ^= p);
        a = hmac(&keyed, &[&*a]);
    }
}

/// HMAC-SHA-256 under a key part of at most 32 octets, hence shorter than a block: padded with zeros, as HMAC does.
fn keyed(s: &[u8]) -> Hmac<Sha256> {
    let mut block = Zeroizing::new([0; BLOCK_LEN]);
    block.iter_mut().zip(s).for_each(|(block, s)| *block = *s);
    Hmac::new(&(*block).into())
}

fn hmac(keyed: &Hmac<Sha256>, parts: &[&[u8]]) -> Zeroizing<[u8; HASH_LEN]> {
    let mut mac = keyed.clone();
    parts.iter().for_each(|part| mac.update(part));
    Zeroizing::new(mac.finalize().into_bytes().into())
}
