//! The values of RFC 6507 Appendix A, computed by the running program.

use alloc::vec::Vec;

use super::hash::{Hs, HsPrefix};
use super::{Error, KeyPair, KmsTables, MasterSecret, PublicKey, SECRET_LEN, Signature, Signed};
use crate::arith::p256::{Fp, Scalar, multiply_generator};
use crate::vectors::Vectors;

pub(super) const RFC_6507: Vectors = Vectors::new(include_str!("../../vectors/rfc6507-eccsi.txt"));

/// Whether something holds on this machine; `None` where the vectors do not even allow to try.
type Check = fn(Vectors) -> Option<bool>;

const CHECKS: [(&str, Check); 10] = [
    ("RFC 6507 A: KPAK = [KSAK]G", kpak),
    ("RFC 6507 A: PVT and SSK from v", extraction),
    ("RFC 6507 A: HS", hs),
    ("RFC 6507 A: the key pair is valid", validation),
    ("RFC 6507 A: J = [j]G", commitment),
    ("RFC 6507 A: HE", he),
    ("RFC 6507 A: signature", signature),
    ("RFC 6507 A: J from the signature", recovery),
    ("RFC 6507 A: the signature is accepted", acceptance),
    ("RFC 6507 A: an altered message is refused", refusal),
];

/// Computes every value of RFC 6507 Appendix A again: the name of each check, and whether it passed.
pub fn selftest() -> Vec<(&'static str, bool)> {
    CHECKS.iter().map(|&(name, check)| (name, check(RFC_6507) == Some(true))).collect()
}

fn kpak(vectors: Vectors) -> Option<bool> {
    Some(master_secret(vectors)?.public_key() == public_key(vectors)?)
}

fn extraction(vectors: Vectors) -> Option<bool> {
    let pair = master_secret(vectors)?.extract(&vectors.get("id")?, &secret(vectors, "v")?).ok()?;
    Some(pair.ssk_bytes()[..] == vectors.get("SSK")? && pair.pvt_bytes()[..] == vectors.get("PVT")?)
}

fn hs(vectors: Vectors) -> Option<bool> {
    Some(hs_of(vectors)?.to_scalar() == scalar(vectors, "HS")?)
}

fn validation(vectors: Vectors) -> Option<bool> {
    let kms = KmsTables::new(&public_key(vectors)?);
    Some(key_pair(vectors)?.validate(&vectors.get("id")?, &kms).is_ok())
}

fn commitment(vectors: Vectors) -> Option<bool> {
    let j = multiply_generator(&scalar(vectors, "j")?)?;
    Some(j.to_bytes()[..] == vectors.get("J")?)
}

fn he(vectors: Vectors) -> Option<bool> {
    let he = hs_of(vectors)?.he(&Fp::from_be_bytes(&secret(vectors, "r")?)?, &vectors.get("message")?);
    Some(he == scalar(vectors, "HE")?)
}

fn signature(vectors: Vectors) -> Option<bool> {
    let kms = KmsTables::new(&public_key(vectors)?);
    let key = key_pair(vectors)?.validate(&vectors.get("id")?, &kms).ok()?;
    let signature = key.sign_with(&vectors.get("message")?, &secret(vectors, "j")?).ok()?.to_bytes();
    let (r, rest) = signature.split_at(SECRET_LEN);
    let (s, _) = rest.split_at(SECRET_LEN);
    Some(r == vectors.get("r")? && s == vectors.get("s")? && signature[..] == vectors.get("signature")?)
}

fn recovery(vectors: Vectors) -> Option<bool> {
    let kms = KmsTables::new(&public_key(vectors)?);
    let (hs, message, signature) = (hs_of(vectors)?, vectors.get("message")?, given_signature(vectors)?);
    let signed = Signed { id: &vectors.get("id")?, message: &message, signature: &signature };
    let j = kms.recover_vartime(&[(hs, signed)]).pop()?;
    Some(j.to_affine()?.to_bytes()[..] == vectors.get("J")?)
}

fn acceptance(vectors: Vectors) -> Option<bool> {
    let kms = KmsTables::new(&public_key(vectors)?);
    Some(kms.verify(&vectors.get("id")?, &vectors.get("message")?, &given_signature(vectors)?).is_ok())
}

fn refusal(vectors: Vectors) -> Option<bool> {
    let kms = KmsTables::new(&public_key(vectors)?);
    let mut message = vectors.get("message")?;
    *message.first_mut()? ^= 1;
    let verdict = kms.verify(&vectors.get("id")?, &message, &given_signature(vectors)?);
    Some(verdict == Err(Error::SignatureInvalid))
}

fn master_secret(vectors: Vectors) -> Option<MasterSecret> {
    MasterSecret::from_bytes(&vectors.get("KSAK")?).ok()
}

fn public_key(vectors: Vectors) -> Option<PublicKey> {
    PublicKey::from_bytes(&vectors.get("KPAK")?).ok()
}

fn key_pair(vectors: Vectors) -> Option<KeyPair> {
    KeyPair::from_bytes(&vectors.get("SSK")?, &vectors.get("PVT")?).ok()
}

fn given_signature(vectors: Vectors) -> Option<Signature> {
    Signature::from_bytes(&vectors.get("signature")?).ok()
}

fn hs_of(vectors: Vectors) -> Option<Hs> {
    Some(HsPrefix::new(&public_key(vectors)?).hs(&vectors.get("id")?, &key_pair(vectors)?.pvt_bytes()))
}

fn secret(vectors: Vectors, name: &str) -> Option<[u8; SECRET_LEN]> {
    vectors.get(name)?.try_into().ok()
}

fn scalar(vectors: Vectors, name: &str) -> Option<Scalar> {
    Scalar::from_be_bytes(&vectors.get(name)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arith::backend::on_each;

    #[test]
    fn every_value_of_the_appendix_is_reproduced() {
        on_each(|backend| {
            for (name, passed) in selftest() {
                assert!(passed, "{name} with {}", backend.name());
            }
        });
    }

    #[test]
    fn no_check_passes_without_its_vectors() {
        for (name, check) in CHECKS {
            assert_eq!(check(Vectors::new("")), None, "{name}");
        }
    }

    /// Each value of the file is looked at: altering it fails at least one check.
    #[test]
    fn every_vector_matters() {
        let text = include_str!("../../vectors/rfc6507-eccsi.txt");
        for (name, hex) in RFC_6507.entries() {
            let other = if hex.ends_with('0') { '1' } else { '0' };
            let altered =
                text.replace(&format!("\n{name} = {hex}\n"), &format!("\n{name} = {}{other}\n", &hex[..hex.len() - 1]));
            assert_ne!(altered, text, "{name}");
            let vectors = Vectors::new(Box::leak(altered.into_boxed_str()));
            assert!(CHECKS.iter().any(|(_, check)| check(vectors) != Some(true)), "{name}");
        }
    }
}
