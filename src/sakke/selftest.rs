use alloc::vec::Vec;

use super::{Encapsulation, Error, KmsTables, MasterSecret, PublicKey, ReceiverSecretKey, SharedSecret, hash};
use crate::arith::supersingular::{Affine, FixedBase, Fp, MillerLines, PairingValue, Scalar};
use crate::vectors::Vectors;

const PARAMETERS: Vectors = Vectors::new(include_str!("../../vectors/rfc6509-parameter-set-1.txt"));
const EXAMPLE: Vectors = Vectors::new(include_str!("../../vectors/rfc6508-sakke.txt"));

/// Recomputes every value of RFC 6509 Appendix A and RFC 6508 Appendix A. Each value's name, and whether it came out.
pub fn selftest() -> Vec<(&'static str, bool)> {
    let mut results = parameters();
    results.extend(example());
    results
}

fn parameters() -> Vec<(&'static str, bool)> {
    let generator = Affine::generator().to_bytes();
    let minus_one = |octets: &[u8]| Fp::from_be_bytes_mod(octets).map(|value| value + Fp::ONE);
    let quarter = |octets: &[u8]| Scalar::from_be_bytes_mod(octets);
    let pairing = MillerLines::new(&Affine::generator()).map(|lines| lines.pair(&Affine::generator()));
    let is = |name, value: Option<&[u8]>| value.is_some() && value == PARAMETERS.get(name).as_deref();
    alloc::vec![
        // p and q are 0 modulo themselves, and p + 1 = 4 q.
        ("RFC 6509 p", PARAMETERS.get("p").is_some_and(|p| minus_one(&p) == Some(Fp::ONE))),
        (
            "RFC 6509 q",
            PARAMETERS.get("q").is_some_and(|q| {
                quarter(&q) == Some(Scalar::ZERO)
                    && Fp::from_be_bytes(&q).is_some_and(|q| q.double().double() == Fp::ONE)
            }),
        ),
        ("RFC 6509 Px", is("Px", generator.get(1..129))),
        ("RFC 6509 Py", is("Py", generator.get(129..))),
        ("RFC 6509 g", is("g", Some(&octets(&PairingValue::generator().representative())))),
        (
            "RFC 6509 <P, P>",
            is("g", pairing.ok().map(|value| octets(&value.representative())).as_ref().map(|g| &g[..]))
        ),
    ]
}

fn example() -> Vec<(&'static str, bool)> {
    let is = |name, value: &[u8]| EXAMPLE.get(name).as_deref() == Some(value);
    let failed = |_: Error| false;
    let Some(inputs) = Inputs::read() else { return alloc::vec![("RFC 6508 inputs", false)] };
    let Inputs { id, master, ssv } = inputs;
    let kms = KmsTables::new(&master.public_key());
    let r = hash::to_scalar(ssv.as_bytes(), &id);
    let g_to_r = crate::arith::supersingular::FixedBasePower::new(&PairingValue::generator()).power(&r);
    let commitment = kms.identity_point(&id).map(|point| FixedBase::new(&point.to_affine()).multiply(&r).to_affine());
    let encapsulation = kms.encapsulate(&id, &ssv);
    let decapsulated = || -> Result<bool, Error> {
        let rsk = EXAMPLE.get("RSK").unwrap_or_default();
        let receiver = ReceiverSecretKey::from_bytes(&rsk)?.validate(&id, &kms)?;
        let sed = Encapsulation::from_bytes(&EXAMPLE.get("SED").unwrap_or_default())?;
        receiver.decapsulate(&kms, &sed).map(|opened| opened.as_bytes() == ssv.as_bytes())
    };
    alloc::vec![
        ("RFC 6508 z", is("z", &master.to_bytes()[..])),
        ("RFC 6508 Z", is("Z", &master.public_key().to_bytes())),
        (
            "RFC 6508 Z is accepted",
            PublicKey::from_bytes(&EXAMPLE.get("Z").unwrap_or_default()) == Ok(master.public_key())
        ),
        ("RFC 6508 RSK", master.extract(&id).map_or_else(failed, |rsk| is("RSK", &rsk.to_bytes()[..]))),
        ("RFC 6508 r", is("r", &octets(&r))),
        ("RFC 6508 R", commitment.map_or_else(failed, |point| is("R_bS", &point.to_bytes()))),
        ("RFC 6508 g^r", is("g_pow_r", &octets(&g_to_r.representative()))),
        ("RFC 6508 H", encapsulation.as_ref().is_ok_and(|sed| is("H", &sed.h))),
        ("RFC 6508 encapsulated data", encapsulation.is_ok_and(|sed| is("SED", &sed.to_bytes()))),
        ("RFC 6508 SSV", decapsulated().unwrap_or(false)),
    ]
}

struct Inputs {
    id: Vec<u8>,
    master: MasterSecret,
    ssv: SharedSecret,
}

impl Inputs {
    fn read() -> Option<Inputs> {
        Some(Inputs {
            id: EXAMPLE.get("id")?,
            master: MasterSecret::from_bytes(&EXAMPLE.get("z")?).ok()?,
            ssv: SharedSecret::new(EXAMPLE.get("SSV")?.try_into().ok()?),
        })
    }
}

fn octets<M: crate::arith::Modulus<16>>(value: &crate::arith::Residue<M, 16>) -> [u8; 128] {
    let mut out = [0; 128];
    value.write_be_bytes(&mut out);
    out
}
