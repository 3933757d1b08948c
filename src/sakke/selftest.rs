//! The values of RFC 6509 Appendix A and RFC 6508 Appendix A, computed by the running program.

use alloc::vec;
use alloc::vec::Vec;

use super::{Encapsulation, KmsTables, MasterSecret, PublicKey, ReceiverSecretKey, RskValidator, SharedSecret, hash};
use crate::arith::supersingular::{Affine, FixedBase, Fp, MillerLines, PairingValue, Scalar, power_generator};
use crate::arith::{Modulus, Residue};
use crate::vectors::Vectors;

const PARAMETERS: Vectors = Vectors::new(include_str!("../../vectors/rfc6509-parameter-set-1.txt"));
const EXAMPLE: Vectors = Vectors::new(include_str!("../../vectors/rfc6508-sakke.txt"));

type Check = (&'static str, fn(Vectors) -> Option<bool>);

/// What is checked of the parameter set, and whether it holds on this machine.
const PARAMETER_CHECKS: [Check; 6] = [
    ("RFC 6509 A: p is the characteristic", characteristic),
    ("RFC 6509 A: q is the order, and 4 q = p + 1", order),
    ("RFC 6509 A: P", generator),
    ("RFC 6509 A: q P is infinity", generator_order),
    ("RFC 6509 A: g", pairing_generator),
    ("RFC 6509 A: g = <P, P>", pairing_of_generator),
];

/// The same of the example.
const EXAMPLE_CHECKS: [Check; 9] = [
    ("RFC 6508 A: Z = [z]P", public_key),
    ("RFC 6508 A: RSK from z", extraction),
    ("RFC 6508 A: the RSK is valid", validation),
    ("RFC 6508 A: r from SSV", randomness),
    ("RFC 6508 A: R = [r]([b]P + Z)", commitment),
    ("RFC 6508 A: g^r", power),
    ("RFC 6508 A: H", mask),
    ("RFC 6508 A: encapsulated data", encapsulation),
    ("RFC 6508 A: SSV from the encapsulated data", decapsulation),
];

/// Computes every value of both appendices again: the name of each check, and whether it passed.
pub fn selftest() -> Vec<(&'static str, bool)> {
    let parameters = PARAMETER_CHECKS.iter().map(|&(name, check)| (name, check(PARAMETERS) == Some(true)));
    let example = EXAMPLE_CHECKS.iter().map(|&(name, check)| (name, check(EXAMPLE) == Some(true)));
    parameters.chain(example).collect()
}

fn characteristic(vectors: Vectors) -> Option<bool> {
    Some(Fp::from_be_bytes_mod(&vectors.get("p")?)? == Fp::ZERO && Fp::from_be_bytes(&vectors.get("p")?).is_none())
}

fn order(vectors: Vectors) -> Option<bool> {
    let q = vectors.get("q")?;
    let quadruple = Fp::from_be_bytes(&q)?.double().double();
    Some(Scalar::from_be_bytes_mod(&q)? == Scalar::ZERO && quadruple == Fp::ONE)
}

fn generator(vectors: Vectors) -> Option<bool> {
    let point = Affine::generator().to_bytes();
    let (x, y) = point.split_first()?.1.split_at(Fp::BYTES);
    Some(x == vectors.get("Px")? && y == vectors.get("Py")?)
}

fn generator_order(vectors: Vectors) -> Option<bool> {
    let point = [vec![4], vectors.get("Px")?, vectors.get("Py")?].concat();
    Some(Affine::from_bytes(&point).ok()?.check_subgroup().is_ok())
}

fn pairing_generator(vectors: Vectors) -> Option<bool> {
    Some(octets(&PairingValue::generator().representative())[..] == vectors.get("g")?)
}

fn pairing_of_generator(vectors: Vectors) -> Option<bool> {
    let value = MillerLines::new(&Affine::generator()).pair(&Affine::generator());
    Some(octets(&value)[..] == vectors.get("g")?)
}

fn public_key(vectors: Vectors) -> Option<bool> {
    Some(master_secret(vectors)?.public_key() == given_public_key(vectors)?)
}

fn extraction(vectors: Vectors) -> Option<bool> {
    let rsk = master_secret(vectors)?.extract(&vectors.get("id")?).ok()?;
    Some(rsk.to_bytes()[..] == vectors.get("RSK")?)
}

fn validation(vectors: Vectors) -> Option<bool> {
    let rsk = ReceiverSecretKey::from_bytes(&vectors.get("RSK")?).ok()?;
    let validator = RskValidator::new(&given_public_key(vectors)?);
    Some(rsk.validate(&vectors.get("id")?, &validator).is_ok())
}

fn randomness(vectors: Vectors) -> Option<bool> {
    Some(octets(&hash::to_scalar(&vectors.get("SSV")?, &vectors.get("id")?))[..] == vectors.get("r")?)
}

/// By another way than encapsulation takes, through a table for the identity's point.
fn commitment(vectors: Vectors) -> Option<bool> {
    let b = Scalar::from_be_bytes(&vectors.get("id")?)?;
    let z = given_public_key(vectors)?;
    let identity_point = FixedBase::new(&z.point).multiply_with_generator(&b, &Scalar::ONE)?;
    let r = Scalar::from_be_bytes(&vectors.get("r")?)?;
    let point = FixedBase::new(&identity_point).multiply_with_generator(&Scalar::ZERO, &r)?;
    Some(point.to_bytes()[..] == vectors.get("R_bS")?)
}

fn power(vectors: Vectors) -> Option<bool> {
    let value = power_generator(&Scalar::from_be_bytes(&vectors.get("r")?)?);
    Some(octets(&value)[..] == vectors.get("g_pow_r")?)
}

fn mask(vectors: Vectors) -> Option<bool> {
    let g_to_r = Fp::from_be_bytes(&vectors.get("g_pow_r")?)?;
    let ssv = shared_secret(vectors)?;
    let masked = super::kms_tables::xor(ssv.as_bytes(), &hash::to_mask(&g_to_r));
    Some(masked[..] == vectors.get("H")?)
}

fn encapsulation(vectors: Vectors) -> Option<bool> {
    let sed = kms(vectors)?.encapsulate(&vectors.get("id")?, &shared_secret(vectors)?).ok()?;
    Some(sed.to_bytes()[..] == vectors.get("SED")?)
}

fn decapsulation(vectors: Vectors) -> Option<bool> {
    let kms = kms(vectors)?;
    let rsk = ReceiverSecretKey::from_bytes(&vectors.get("RSK")?).ok()?;
    let receiver = rsk.assume_valid(&vectors.get("id")?).load();
    let opened = receiver.decapsulate(&kms, &Encapsulation::from_bytes(&vectors.get("SED")?).ok()?).ok()?;
    Some(opened.as_bytes()[..] == vectors.get("SSV")?)
}

fn master_secret(vectors: Vectors) -> Option<MasterSecret> {
    MasterSecret::from_bytes(&vectors.get("z")?).ok()
}

fn given_public_key(vectors: Vectors) -> Option<PublicKey> {
    PublicKey::from_bytes(&vectors.get("Z")?).ok()
}

fn kms(vectors: Vectors) -> Option<KmsTables> {
    given_public_key(vectors).map(|key| KmsTables::new(&key))
}

fn shared_secret(vectors: Vectors) -> Option<SharedSecret> {
    Some(SharedSecret::new(vectors.get("SSV")?.try_into().ok()?))
}

fn octets<M: Modulus<16>>(value: &Residue<M, 16>) -> [u8; 128] {
    let mut out = [0; 128];
    value.write_be_bytes(&mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arith::backend::on_each;

    #[test]
    fn every_value_of_the_appendices_is_reproduced() {
        on_each(|backend| {
            for (name, passed) in selftest() {
                assert!(passed, "{name} on {}", backend.name());
            }
        });
    }

    #[test]
    fn no_check_passes_without_its_vectors() {
        for (name, check) in PARAMETER_CHECKS.iter().chain(&EXAMPLE_CHECKS) {
            assert_eq!(check(Vectors::new("")), None, "{name}");
        }
    }

    /// Each value of the files is looked at: altering it fails at least one check.
    #[test]
    fn every_vector_matters() {
        for (vectors, checks) in [(PARAMETERS, &PARAMETER_CHECKS[..]), (EXAMPLE, &EXAMPLE_CHECKS[..])] {
            for (altered_name, _) in vectors.entries() {
                let text: String = vectors
                    .entries()
                    .map(|(name, hex)| match hex.split_at(hex.len() - 1) {
                        (start, "0") if name == altered_name => format!("{name} = {start}1\n"),
                        (start, _) if name == altered_name => format!("{name} = {start}0\n"),
                        _ => format!("{name} = {hex}\n"),
                    })
                    .collect();
                let altered = Vectors::new(Box::leak(text.into_boxed_str()));
                assert!(checks.iter().any(|(_, check)| check(altered) != Some(true)), "{altered_name}");
            }
        }
    }
}
