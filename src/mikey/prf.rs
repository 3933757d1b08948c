//! Derivation of keys with PRF-HMAC-SHA-256 (RFC 3830 4.1, RFC 6043 6.1).

use alloc::vec;
use alloc::vec::Vec;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

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
pub fn derive(tgk: &[u8], constant: u32, cs_id: u8, csb_id: u32, rand: &[u8], out_len: usize) -> Zeroizing<Vec<u8>> {
    let mut label = Vec::with_capacity(9 + rand.len());
    label.extend_from_slice(&constant.to_be_bytes());
    label.push(cs_id);
    label.extend_from_slice(&csb_id.to_be_bytes());
    label.extend_from_slice(rand);
    prf_hmac_sha_256(tgk, &label, out_len)
}

/// PRF-HMAC-SHA-256(`inkey`, `label`): `out_len` octets (RFC 3830 4.1.2 with the changes of RFC 6043 6.1).
///
/// `inkey` is split into parts of 256 bits, the last one perhaps shorter, whose P-functions are added; an empty `inkey`
/// counts as one empty part.
pub fn prf_hmac_sha_256(inkey: &[u8], label: &[u8], out_len: usize) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(vec![0; out_len]);
    let (first, others) = inkey.split_at(inkey.len().min(KEY_PART_LEN));
    add_p(first, label, &mut out);
    for part in others.chunks(KEY_PART_LEN) {
        add_p(part, label, &mut out);
    }
    out
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
pub(crate) fn keyed(s: &[u8]) -> Hmac<Sha256> {
    let mut block = Zeroizing::new([0; BLOCK_LEN]);
    block.iter_mut().zip(s).for_each(|(block, s)| *block = *s);
    Hmac::new(&(*block).into())
}

fn hmac(keyed: &Hmac<Sha256>, parts: &[&[u8]]) -> Zeroizing<[u8; HASH_LEN]> {
    let mut mac = keyed.clone();
    parts.iter().for_each(|part| mac.update(part));
    Zeroizing::new(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    /// RFC 4231 test case 2: HMAC-SHA-256("Jefe", "what do ya want for nothing?").
    #[test]
    fn hmac_of_rfc_4231() {
        let mac = hmac(&keyed(b"Jefe"), &[b"what do ya want ", b"for nothing?"]);
        assert_eq!(mac[..], hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
    }

    /// The definition, step by step, for a key of three parts and an output that ends inside a block.
    #[test]
    fn the_prf_follows_its_definition() {
        let inkey: Vec<u8> = (0..70).collect();
        let label = b"label";
        let mut expected = [0; 80];
        for s in [&inkey[..32], &inkey[32..64], &inkey[64..]] {
            let s = keyed(s);
            let a_1 = hmac(&s, &[label]);
            let a_2 = hmac(&s, &[&*a_1]);
            let a_3 = hmac(&s, &[&*a_2]);
            let p = [hmac(&s, &[&*a_1, label]), hmac(&s, &[&*a_2, label]), hmac(&s, &[&*a_3, label])];
            expected.iter_mut().zip(p.iter().flat_map(|block| block.iter())).for_each(|(sum, p)| *sum ^= p);
        }
        assert_eq!(prf_hmac_sha_256(&inkey, label, 80)[..], expected);
    }

    #[test]
    fn a_shorter_output_is_a_prefix_and_every_input_matters() {
        let long = derive(&[1; 16], TEK, 4, 0x0123_4567, &[2; 16], 100);
        assert_eq!(derive(&[1; 16], TEK, 4, 0x0123_4567, &[2; 16], 16)[..], long[..16]);
        assert!(derive(&[1; 16], TEK, 4, 0x0123_4567, &[2; 16], 0).is_empty());
        for other in [
            derive(&[3; 16], TEK, 4, 0x0123_4567, &[2; 16], 100),
            derive(&[1; 16], SALT, 4, 0x0123_4567, &[2; 16], 100),
            derive(&[1; 16], TEK, 5, 0x0123_4567, &[2; 16], 100),
            derive(&[1; 16], TEK, 4, 0x0123_4568, &[2; 16], 100),
            derive(&[1; 16], TEK, 4, 0x0123_4567, &[3; 16], 100),
        ] {
            assert_ne!(other, long);
        }
        assert_ne!(prf_hmac_sha_256(&[], b"label", 32)[..], [0; 32]);
    }
}
