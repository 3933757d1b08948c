//! Derivation of keys with a pseudo-random function (PRF): MIKEY-1 (RFC 3830 4.1) or PRF-HMAC-SHA-256 (RFC 6043 6.1).
//!
//! What each key is derived from and under which label differs: see the methods of [`Prf`].

mod ibake;
mod ticket;

use alloc::vec;
use alloc::vec::Vec;

use hmac::digest::Output;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;
use zeroize::Zeroizing;

pub use self::ibake::{IBAKE_MPK, IBAKE_TGK};
pub use self::ticket::{FORKED_MPK, FORKED_TGK, MPK_INITIATOR, MPK_RESPONDER, TicketMessage, TicketRands};
use super::PrfFunction;

/// Constant of a traffic encryption key (TEK) from a TGK: the SRTP master key (RFC 3830 4.1.3).
pub const TEK: u32 = 0x2AD0_1C64;
/// Constant of a salt from a TGK: the SRTP master salt (RFC 3830 4.1.3).
pub const SALT: u32 = 0x39A2_C14B;
/// Constant of an authentication key from a TGK (RFC 3830 4.1.3).
pub const AUTH: u32 = 0x1B5C_7973;
/// Constant of an encryption key from a TGK (RFC 3830 4.1.3).
pub const ENC: u32 = 0x1579_8CEF;
/// Constant of the encryption key of messages, encr_key, from a pre-shared or envelope key (RFC 3830 4.1.4).
pub const MESSAGE_ENC: u32 = 0x1505_33E1;
/// Constant of the authentication key of messages, auth_key, from a pre-shared or envelope key (RFC 3830 4.1.4).
pub const MESSAGE_AUTH: u32 = 0x2D22_AC75;
/// Constant of the salt of messages, salt_key, from a pre-shared or envelope key (RFC 3830 4.1.4).
pub const MESSAGE_SALT: u32 = 0x29B8_8916;

/// Both hash functions have this block.
const BLOCK_LEN: usize = 64;
/// Octets of the input key that enter each P-function: 256 bits with either PRF.
const KEY_PART_LEN: usize = 32;
const SHA_1_LEN: usize = 20;
const SHA_256_LEN: usize = 32;
/// Where a label names a crypto session (CS), and the key is for none.
const NO_CS: u8 = 0xff;

/// A pseudo-random function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Prf {
    /// MIKEY-1, with HMAC-SHA-1 (RFC 3830 4.1.2).
    Mikey1,
    /// PRF-HMAC-SHA-256 (RFC 6043 6.1).
    HmacSha256,
}

impl Prf {
    /// The function that a header or a ticket policy names, or `None` if there is none of this number.
    pub const fn from_function(function: PrfFunction) -> Option<Self> {
        match function {
            PrfFunction::MIKEY_1 => Some(Self::Mikey1),
            PrfFunction::HMAC_SHA_256 => Some(Self::HmacSha256),
            _ => None,
        }
    }

    /// PRF(`inkey`, `label`): `out_len` octets (RFC 3830 4.1.2).
    ///
    /// `inkey` is split into parts of 256 bits, the last one perhaps shorter, whose P-functions are added; an empty
    /// `inkey` counts as one empty part.
    pub fn derive(self, inkey: &[u8], label: &[u8], out_len: usize) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(vec![0; out_len]);
        let (first, others) = inkey.split_at(inkey.len().min(KEY_PART_LEN));
        for s in core::iter::once(first).chain(others.chunks(KEY_PART_LEN)) {
            match self {
                Self::Mikey1 => add_p::<_, SHA_1_LEN>(&keyed_sha_1(s), label, &mut out),
                Self::HmacSha256 => add_p::<_, SHA_256_LEN>(&keyed(s), label, &mut out),
            }
        }
        out
    }

    /// A key of a crypto session from a TEK generation key (TGK) (RFC 3830 4.1.3): [`TEK`], [`SALT`], [`AUTH`] or
    /// [`ENC`].
    pub fn session_key(
        self,
        tgk: &[u8],
        constant: u32,
        cs_id: u8,
        csb_id: u32,
        rand: &[u8],
        out_len: usize,
    ) -> Zeroizing<Vec<u8>> {
        let mut label = label(constant, cs_id, csb_id);
        label.extend_from_slice(rand);
        self.derive(tgk, &label, out_len)
    }

    /// A key that protects messages, from a pre-shared key, an envelope key (RFC 3830 4.1.4) or the MPK of MIKEY-IBAKE
    /// (RFC 6267 5.2): [`MESSAGE_ENC`], [`MESSAGE_AUTH`] or [`MESSAGE_SALT`].
    pub fn message_key(
        self,
        key: &[u8],
        constant: u32,
        csb_id: u32,
        rand: &[u8],
        out_len: usize,
    ) -> Zeroizing<Vec<u8>> {
        self.session_key(key, constant, NO_CS, csb_id, rand, out_len)
    }
}

/// Derives a key of a crypto session with PRF-HMAC-SHA-256: [`Prf::session_key`].
pub fn derive(tgk: &[u8], constant: u32, cs_id: u8, csb_id: u32, rand: &[u8], out_len: usize) -> Zeroizing<Vec<u8>> {
    Prf::HmacSha256.session_key(tgk, constant, cs_id, csb_id, rand, out_len)
}

/// The start of every label: constant || CS-ID || CSB-ID.
fn label(constant: u32, cs_id: u8, csb_id: u32) -> Vec<u8> {
    let mut label = Vec::with_capacity(32);
    label.extend_from_slice(&constant.to_be_bytes());
    label.push(cs_id);
    label.extend_from_slice(&csb_id.to_be_bytes());
    label
}

/// Adds (exclusive or) P(s, label, m) to `out`: HMAC(s, A_1 || label) || HMAC(s, A_2 || label) ..., where A_0 is the
/// label and A_i is HMAC(s, A_(i-1)).
fn add_p<M, const N: usize>(keyed: &M, label: &[u8], out: &mut [u8])
where
    M: Mac + Clone,
    Output<M>: Into<[u8; N]>,
{
    let mut a = hmac(keyed, &[label]);
    for block in out.chunks_mut(N) {
        let p = hmac(keyed, &[&*a, label]);
        block.iter_mut().zip(p.iter()).for_each(|(out, p)| *out ^= p);
        a = hmac(keyed, &[&*a]);
    }
}

/// HMAC-SHA-256 under a key part of at most 32 octets.
pub(crate) fn keyed(s: &[u8]) -> Hmac<Sha256> {
    Hmac::new(&(*block(s)).into())
}

/// HMAC-SHA-1 under a key part of at most 32 octets.
fn keyed_sha_1(s: &[u8]) -> Hmac<Sha1> {
    Hmac::new(&(*block(s)).into())
}

/// A key part, which is shorter than a block: padded with zeros, as HMAC does.
fn block(s: &[u8]) -> Zeroizing<[u8; BLOCK_LEN]> {
    let mut block = Zeroizing::new([0; BLOCK_LEN]);
    block.iter_mut().zip(s).for_each(|(block, s)| *block = *s);
    block
}

fn hmac<M, const N: usize>(keyed: &M, parts: &[&[u8]]) -> Zeroizing<[u8; N]>
where
    M: Mac + Clone,
    Output<M>: Into<[u8; N]>,
{
    let mut mac = keyed.clone();
    parts.iter().for_each(|part| mac.update(part));
    Zeroizing::new(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [Prf; 2] = [Prf::Mikey1, Prf::HmacSha256];

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    /// Test case 2 of RFC 4231 and of RFC 2202: the HMAC of "what do ya want for nothing?" under "Jefe".
    #[test]
    fn hmac_of_rfc_4231_and_rfc_2202() {
        let parts = [&b"what do ya want "[..], b"for nothing?"];
        let mac: Zeroizing<[u8; 32]> = hmac(&keyed(b"Jefe"), &parts);
        assert_eq!(mac[..], hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
        let mac: Zeroizing<[u8; 20]> = hmac(&keyed_sha_1(b"Jefe"), &parts);
        assert_eq!(mac[..], hex("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"));
    }

    /// The definition, step by step, for a key of three parts and an output that ends inside a block.
    #[test]
    fn the_prf_follows_its_definition() {
        fn expected<M: Mac + Clone, const N: usize>(
            key_part: impl Fn(&[u8]) -> M,
            inkey: &[u8],
            label: &[u8],
        ) -> Vec<u8>
        where
            Output<M>: Into<[u8; N]>,
        {
            let mut sum = vec![0; 70];
            for s in [&inkey[..32], &inkey[32..64], &inkey[64..]] {
                let s = key_part(s);
                let mut a: Zeroizing<[u8; N]> = hmac(&s, &[label]);
                let mut p = Vec::new();
                while p.len() < sum.len() {
                    p.extend_from_slice(&hmac::<_, N>(&s, &[&*a, label])[..]);
                    a = hmac(&s, &[&*a]);
                }
                sum.iter_mut().zip(p).for_each(|(sum, p)| *sum ^= p);
            }
            sum
        }
        let inkey: Vec<u8> = (0..70).collect();
        let label = b"label";
        assert_eq!(*Prf::Mikey1.derive(&inkey, label, 70), expected::<_, 20>(keyed_sha_1, &inkey, label));
        assert_eq!(*Prf::HmacSha256.derive(&inkey, label, 70), expected::<_, 32>(keyed, &inkey, label));
    }

    #[test]
    fn a_shorter_output_is_a_prefix_and_every_input_matters() {
        for prf in BOTH {
            let long = prf.session_key(&[1; 16], TEK, 4, 0x0123_4567, &[2; 16], 100);
            assert_eq!(prf.session_key(&[1; 16], TEK, 4, 0x0123_4567, &[2; 16], 16)[..], long[..16]);
            assert!(prf.session_key(&[1; 16], TEK, 4, 0x0123_4567, &[2; 16], 0).is_empty());
            for other in [
                prf.session_key(&[3; 16], TEK, 4, 0x0123_4567, &[2; 16], 100),
                prf.session_key(&[1; 16], SALT, 4, 0x0123_4567, &[2; 16], 100),
                prf.session_key(&[1; 16], TEK, 5, 0x0123_4567, &[2; 16], 100),
                prf.session_key(&[1; 16], TEK, 4, 0x0123_4568, &[2; 16], 100),
                prf.session_key(&[1; 16], TEK, 4, 0x0123_4567, &[3; 16], 100),
            ] {
                assert_ne!(other, long);
            }
            assert_ne!(prf.derive(&[], b"label", 32)[..], [0; 32]);
        }
        let of_no_function = derive(&[1; 16], TEK, 4, 0x0123_4567, &[2; 16], 100);
        assert_eq!(of_no_function, Prf::HmacSha256.session_key(&[1; 16], TEK, 4, 0x0123_4567, &[2; 16], 100));
    }

    #[test]
    fn labels_are_laid_out_as_specified() {
        for prf in BOTH {
            let label = hex("2ad01c640489abcdefaabb");
            assert_eq!(prf.session_key(b"key", TEK, 4, 0x89ab_cdef, &[0xaa, 0xbb], 32), prf.derive(b"key", &label, 32));
            let label = hex("2d22ac75ff89abcdefaabb");
            let key = prf.message_key(b"key", MESSAGE_AUTH, 0x89ab_cdef, &[0xaa, 0xbb], 32);
            assert_eq!(key, prf.derive(b"key", &label, 32));
        }
    }

    #[test]
    fn functions_are_known_by_their_number() {
        assert_eq!(Prf::from_function(PrfFunction::MIKEY_1), Some(Prf::Mikey1));
        assert_eq!(Prf::from_function(PrfFunction::HMAC_SHA_256), Some(Prf::HmacSha256));
        assert_eq!(Prf::from_function(PrfFunction(2)), None);
    }

    /// The constants are the decimal digits of e behind its point, nine at a time (RFC 3830 4.1.3).
    #[test]
    fn constants_are_the_digits_of_e() {
        let digits =
            "718281828459045235360287471352662497757247093699959574966967627724076630353547594571382178525166427";
        let constants = [
            TEK,
            AUTH,
            ENC,
            MESSAGE_ENC,
            MESSAGE_AUTH,
            MESSAGE_SALT,
            SALT,
            FORKED_MPK,
            FORKED_TGK,
            MPK_INITIATOR,
            MPK_RESPONDER,
        ];
        for (at, constant) in constants.into_iter().enumerate() {
            assert_eq!(digits[9 * at..9 * at + 9].parse(), Ok(constant), "chunk {at}");
        }
        assert_eq!((IBAKE_MPK, IBAKE_TGK), (MPK_INITIATOR, MPK_RESPONDER), "RFC 6267 takes those of RFC 6043 again");
    }
}
