//! HashToIntegerRange of RFC 6508 section 5.1, with SHA-256.

use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use crate::arith::supersingular::{BYTES, Fp, Scalar};

const HASH_LEN: usize = 32;

/// HashToIntegerRange(first || second, q).
pub(super) fn to_scalar(first: &[u8], second: &[u8]) -> Scalar {
    let mut wide = Zeroizing::new([0; BYTES]);
    let mut stream = HashStream::new(&[first, second]);
    for chunk in wide.chunks_exact_mut(HASH_LEN) {
        chunk.copy_from_slice(&*stream.next());
    }
    Scalar::from_be_bytes_mod(&*wide).unwrap_or_default()
}

/// HashToIntegerRange(element, 2^128), the element of F_p as 128 octets.
pub(super) fn to_mask(element: &Fp) -> Zeroizing<[u8; super::SSV_LEN]> {
    let mut octets = Zeroizing::new([0; BYTES]);
    element.write_be_bytes(&mut *octets);
    mask(&*octets)
}

/// The same with no more octets than the element needs, as some senders hash it; `None` where that is the same.
pub(super) fn to_unpadded_mask(element: &Fp) -> Option<Zeroizing<[u8; super::SSV_LEN]>> {
    let mut octets = Zeroizing::new([0; BYTES]);
    element.write_be_bytes(&mut *octets);
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    let (_, needed) = octets.split_at(zeros);
    (zeros > 0).then(|| mask(needed))
}

fn mask(octets: &[u8]) -> Zeroizing<[u8; super::SSV_LEN]> {
    let hash = HashStream::new(&[octets]).next();
    let mut mask = Zeroizing::new([0; super::SSV_LEN]);
    mask.copy_from_slice(&hash[HASH_LEN - super::SSV_LEN..]);
    mask
}

/// The values v_i = hash(h_i || A), where A = hash(s), h_0 = 0 and h_i = hash(h_(i-1)).
struct HashStream {
    a: [u8; HASH_LEN],
    h: [u8; HASH_LEN],
}

impl HashStream {
    fn new(parts: &[&[u8]]) -> HashStream {
        let mut hash = Sha256::new();
        parts.iter().for_each(|part| hash.update(part));
        HashStream { a: hash.finalize().into(), h: [0; HASH_LEN] }
    }

    fn next(&mut self) -> Zeroizing<[u8; HASH_LEN]> {
        self.h = Sha256::digest(self.h).into();
        Zeroizing::new(Sha256::new().chain_update(self.h).chain_update(self.a).finalize().into())
    }
}

impl Drop for HashStream {
    fn drop(&mut self) {
        self.a.zeroize();
    }
}
