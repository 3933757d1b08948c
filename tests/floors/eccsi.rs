//! ECCSI as its users see it: keys and signatures go where they belong, and whatever is altered or out of range is refused
//! with a reason.

use crate::backend_support::on_each_backend;
use mikey_sakke::eccsi::{
    Error, KeyPair, KmsTables, MasterSecret, POINT_LEN, PointError, PublicKey, SECRET_LEN, SIGNATURE_LEN, Signature,
    SigningKey,
};
use p256::elliptic_curve::PrimeField;
use p256::elliptic_curve::point::AffineCoordinates;
use p256::elliptic_curve::sec1::{FromSec1Point, Sec1Point, ToSec1Point};
use proptest::prelude::*;
use rand_core::{Infallible, TryCryptoRng, TryRng, UnwrapErr};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

const P: &str = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";
const Q: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
const ID: &[u8] = b"2011-02\0tel:+447700900123\0";
const MESSAGE: &[u8] = b"message\0";

struct Fixture {
    master: MasterSecret,
    kms: KmsTables,
    key: SigningKey,
    signature: Signature,
}

static FIXTURE: LazyLock<Fixture> = LazyLock::new(Fixture::new);

impl Fixture {
    fn new() -> Fixture {
        let master = MasterSecret::from_bytes(&secret(0x12345)).unwrap();
        let kms = KmsTables::new(&master.public_key());
        let key = master.extract(ID, &secret(0x23456)).unwrap().validate(ID, &kms).unwrap();
        let signature = key.sign_with(MESSAGE, &secret(0x34567)).unwrap();
        Fixture { master, kms, key, signature }
    }
}

fn secret(value: u64) -> [u8; SECRET_LEN] {
    let mut octets = [0; SECRET_LEN];
    octets[SECRET_LEN - 8..].copy_from_slice(&value.to_be_bytes());
    octets
}

fn hex<const N: usize>(digits: &str) -> [u8; N] {
    core::array::from_fn(|i| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).unwrap())
}

fn rng() -> UnwrapErr<getrandom::SysRng> {
    UnwrapErr(getrandom::SysRng)
}

/// The refusals of a point: octets, and why they are no point that one may use.
fn bad_points() -> Vec<(Vec<u8>, PointError)> {
    let good = FIXTURE.master.public_key().to_bytes().to_vec();
    let changed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut octets = good.clone();
        change(&mut octets);
        octets
    };
    vec![
        (vec![], PointError::Length(0)),
        (vec![0], PointError::Infinity),
        (good[..POINT_LEN - 1].to_vec(), PointError::Length(POINT_LEN - 1)),
        (changed(&|octets| octets.push(0)), PointError::Length(POINT_LEN + 1)),
        (changed(&|octets| octets.fill(0)), PointError::Form(0)),
        (changed(&|octets| octets[0] = 2), PointError::Form(2)),
        (changed(&|octets| octets[POINT_LEN - 1] ^= 1), PointError::NotOnCurve),
        (changed(&|octets| octets[1..].fill(0)), PointError::NotOnCurve),
        (changed(&|octets| octets[1..33].copy_from_slice(&hex::<32>(P))), PointError::NotReduced),
        (changed(&|octets| octets[33..].copy_from_slice(&hex::<32>(P))), PointError::NotReduced),
    ]
}

#[test]
fn any_random_key_pair_validates_and_signs() {
    on_each_backend(|| {
        let mut rng = rng();
        let master = MasterSecret::generate(&mut rng).unwrap();
        let kms = KmsTables::new(&PublicKey::from_bytes(&master.public_key().to_bytes()).unwrap());
        let pair = master.extract_random(b"alice", &mut rng).unwrap();
        let key = KeyPair::from_bytes(&*pair.ssk_bytes(), &pair.pvt_bytes()).unwrap().validate(b"alice", &kms).unwrap();
        let first = key.sign(MESSAGE, &mut rng).unwrap();
        let second = key.sign(MESSAGE, &mut rng).unwrap();
        assert_ne!(first, second);
        for signature in [first, second] {
            let signature = Signature::from_bytes(&signature.to_bytes()).unwrap();
            assert_eq!(kms.verify(b"alice", MESSAGE, &signature), Ok(()));
            assert_eq!(kms.verify(b"bob", MESSAGE, &signature), Err(Error::SignatureInvalid));
        }
        assert_eq!(*key.key_pair().ssk_bytes(), *pair.ssk_bytes());
        assert_eq!(key.key_pair().pvt_bytes(), pair.pvt_bytes());
    });
}

#[test]
fn master_secrets_out_of_range_are_refused() {
    let mut q_minus_one = hex::<32>(Q);
    q_minus_one[31] -= 1;
    for (octets, error) in [
        (vec![], Error::MasterSecretLength(0)),
        (vec![1; 31], Error::MasterSecretLength(31)),
        (vec![1; 33], Error::MasterSecretLength(33)),
        (secret(0).to_vec(), Error::MasterSecretRange),
        (hex::<32>(Q).to_vec(), Error::MasterSecretRange),
        (vec![0xff; 32], Error::MasterSecretRange),
    ] {
        assert_eq!(MasterSecret::from_bytes(&octets).err(), Some(error), "{octets:02x?}");
    }
    for octets in [secret(1), q_minus_one] {
        assert_eq!(*MasterSecret::from_bytes(&octets).unwrap().to_bytes(), octets);
    }
}

#[test]
fn points_out_of_place_are_refused_by_name() {
    let ssk = FIXTURE.key.key_pair().ssk_bytes();
    for (octets, reason) in bad_points() {
        assert_eq!(PublicKey::from_bytes(&octets).err(), Some(Error::PublicKey(reason)));
        assert_eq!(KeyPair::from_bytes(&*ssk, &octets).err(), Some(Error::Pvt(reason)));
        if octets.len() == POINT_LEN {
            let signature = [&FIXTURE.signature.to_bytes()[..2 * SECRET_LEN], &octets].concat();
            assert_eq!(Signature::from_bytes(&signature).err(), Some(Error::SignaturePvt(reason)));
        }
    }
}

#[test]
fn an_ssk_may_have_more_or_fewer_leading_zeros() {
    let pvt = FIXTURE.key.key_pair().pvt_bytes();
    let read = |ssk: &[u8]| KeyPair::from_bytes(ssk, &pvt).map(|pair| *pair.ssk_bytes());
    let ssk = *FIXTURE.key.key_pair().ssk_bytes();
    assert_eq!(read(&ssk), Ok(ssk));
    assert_eq!(read(&[&[0, 0], &ssk[..]].concat()), Ok(ssk));
    assert_eq!(read(&[0x23, 0x45]), Ok(secret(0x2345)));

    assert_eq!(read(&[]), Err(Error::SskLength(0)));
    assert_eq!(read(&[&[1], &ssk[..]].concat()), Err(Error::SskLength(33)));
    assert_eq!(read(&[&[1, 0], &ssk[..]].concat()), Err(Error::SskLength(34)));
    assert_eq!(read(&secret(0)), Err(Error::SskZero));
    assert_eq!(read(&[0; 40]), Err(Error::SskZero));
    assert_eq!(read(&hex::<32>(Q)), Err(Error::SskRange));
    assert_eq!(read(&[0xff; 32]), Err(Error::SskRange));
}

#[test]
fn a_key_pair_is_valid_for_its_identity_and_kms_alone() {
    on_each_backend(|| {
        let Fixture { master, kms, .. } = &Fixture::new();
        let pair = || master.extract(ID, &secret(0x23456)).unwrap();
        let (ssk, pvt) = (pair().ssk_bytes(), pair().pvt_bytes());
        let invalid = Some(Error::KeyPairInvalid);

        assert!(pair().validate(ID, kms).is_ok());
        assert_eq!(pair().validate(&ID[1..], kms).err(), invalid);
        assert_eq!(pair().validate(b"", kms).err(), invalid);
        let other_kms = KmsTables::new(&MasterSecret::from_bytes(&secret(0x12346)).unwrap().public_key());
        assert_eq!(pair().validate(ID, &other_kms).err(), invalid);

        let mut other_ssk = *ssk;
        other_ssk[31] ^= 1;
        assert_eq!(KeyPair::from_bytes(&other_ssk, &pvt).unwrap().validate(ID, kms).err(), invalid);
        let other_pvt = master.extract(ID, &secret(0x23457)).unwrap().pvt_bytes();
        assert_eq!(KeyPair::from_bytes(&*ssk, &other_pvt).unwrap().validate(ID, kms).err(), invalid);
        // The opposite PVT has the same first coordinate.
        let mut opposite = pvt;
        let y = p256::U256::from_be_slice(&pvt[33..]);
        opposite[33..].copy_from_slice(&p256::U256::from_be_slice(&hex::<32>(P)).wrapping_sub(&y).to_be_bytes());
        assert_eq!(KeyPair::from_bytes(&*ssk, &opposite).unwrap().validate(ID, kms).err(), invalid);
    });
}

#[test]
fn ephemeral_secrets_out_of_range_are_refused() {
    for octets in [secret(0), hex::<32>(Q), [0xff; 32]] {
        assert_eq!(FIXTURE.master.extract(ID, &octets).err(), Some(Error::NonceRange));
        assert_eq!(FIXTURE.key.sign_with(MESSAGE, &octets).err(), Some(Error::NonceRange));
    }
    let mut largest = hex::<32>(Q);
    largest[31] -= 1;
    let pair = FIXTURE.master.extract(ID, &largest).unwrap();
    assert!(pair.validate(ID, &FIXTURE.kms).is_ok());
    let signature = FIXTURE.key.sign_with(MESSAGE, &largest).unwrap();
    assert_eq!(FIXTURE.kms.verify(ID, MESSAGE, &signature), Ok(()));
}

#[test]
fn random_secrets_out_of_range_are_drawn_again() {
    let Fixture { master, key, .. } = &*FIXTURE;
    let draws = || Draws(vec![secret(0x77), hex(Q), secret(0), [0xff; 32]]);
    assert_eq!(*MasterSecret::generate(&mut draws()).unwrap().to_bytes(), secret(0x77));
    assert_eq!(key.sign(MESSAGE, &mut draws()).unwrap(), key.sign_with(MESSAGE, &secret(0x77)).unwrap());
    let pair = master.extract_random(ID, &mut draws()).unwrap();
    assert_eq!(pair.pvt_bytes(), master.extract(ID, &secret(0x77)).unwrap().pvt_bytes());
}

/// A random source that gives what it is told, the last element first.
struct Draws(Vec<[u8; SECRET_LEN]>);

impl TryRng for Draws {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("ECCSI draws octets")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("ECCSI draws octets")
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        out.copy_from_slice(&self.0.pop().unwrap());
        Ok(())
    }
}

impl TryCryptoRng for Draws {}

#[test]
fn signatures_out_of_range_are_refused() {
    let good = FIXTURE.signature.to_bytes();
    let with = |start: usize, part: &[u8]| {
        let mut octets = good;
        octets[start..start + part.len()].copy_from_slice(part);
        Signature::from_bytes(&octets).map(|signature| FIXTURE.kms.verify(ID, MESSAGE, &signature))
    };
    assert_eq!(with(0, &good[..32]), Ok(Ok(())));
    for length in [0, 64, SIGNATURE_LEN - 1] {
        assert_eq!(Signature::from_bytes(&good[..length]).err(), Some(Error::SignatureLength(length)));
    }
    let long = [&good[..], &[0]].concat();
    assert_eq!(Signature::from_bytes(&long).err(), Some(Error::SignatureLength(SIGNATURE_LEN + 1)));
    for r in [secret(0), hex(P), [0xff; 32]] {
        assert_eq!(with(0, &r), Err(Error::SignatureR));
    }
    for s in [secret(0), hex(Q), [0xff; 32]] {
        assert_eq!(with(32, &s), Err(Error::SignatureS));
    }
    // r is a coordinate: it may lie between q and p.
    assert_eq!(with(0, &hex::<32>(Q)), Ok(Err(Error::SignatureInvalid)));
}

#[test]
fn secrets_do_not_show() {
    let Fixture { master, key, .. } = &*FIXTURE;
    assert_eq!(format!("{master:?} {key:?} {:?}", key.key_pair()), "MasterSecret SigningKey KeyPair");
}

/// Every flip of a single bit of the signature is refused, when read or when verified.
#[test]
fn no_bit_of_a_signature_can_be_flipped() {
    on_each_backend(|| {
        let Fixture { kms, signature, .. } = &Fixture::new();
        let good = signature.to_bytes();
        for bit in 0..8 * SIGNATURE_LEN {
            let mut octets = good;
            octets[bit / 8] ^= 1 << (bit % 8);
            let accepted = Signature::from_bytes(&octets).and_then(|signature| kms.verify(ID, MESSAGE, &signature));
            assert!(accepted.is_err(), "bit {bit}");
        }
    });
}

/// RFC 6507 section 5.2.2 word for word, on RustCrypto's points.
fn oracle_verify(kpak: &[u8], id: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let point = |octets: &[u8]| {
        let encoded = Sec1Point::<p256::NistP256>::from_bytes(octets).unwrap();
        p256::ProjectivePoint::from_sec1_point(&encoded).unwrap()
    };
    let reduce = |octets: &[u8]| {
        let (wide, q) = (p256::U256::from_be_slice(octets), p256::U256::from_be_slice(&hex::<32>(Q)));
        let below: [u8; 32] = if wide >= q { wide.wrapping_sub(&q) } else { wide }.to_be_bytes().into();
        p256::Scalar::from_repr(below.into()).unwrap()
    };
    let (r, s, pvt) = (&signature[..32], &signature[32..64], &signature[64..]);
    let g = p256::ProjectivePoint::GENERATOR;
    let hs = Sha256::digest([g.to_affine().to_sec1_point(false).as_bytes(), kpak, id, pvt].concat());
    let he = Sha256::digest([&hs[..], r, message].concat());
    let y = point(pvt) * reduce(&hs) + point(kpak);
    let j = (g * reduce(&he) + y * reduce(r)) * reduce(s);
    j.to_affine().x()[..] == *r
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn both_implementations_accept_what_we_sign(
        ksak in any::<[u8; 31]>(), v in any::<[u8; 31]>(), j in any::<[u8; 31]>(),
        id in proptest::collection::vec(any::<u8>(), 0..200), message in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        // Below 2^255, and not 0.
        let pad = |octets: [u8; 31]| -> [u8; 32] {
            core::array::from_fn(|i| match i {
                0 => octets[0] >> 1,
                31 => 1,
                _ => octets[i],
            })
        };
        on_each_backend(|| {
            let master = MasterSecret::from_bytes(&pad(ksak)).unwrap();
            let kms = KmsTables::new(&master.public_key());
            let key = master.extract(&id, &pad(v)).unwrap().validate(&id, &kms).unwrap();
            let signature = key.sign_with(&message, &pad(j)).unwrap();
            assert_eq!(kms.verify(&id, &message, &signature), Ok(()));
            assert!(oracle_verify(&kms.public_key().to_bytes(), &id, &message, &signature.to_bytes()));
            let again = Signature::from_bytes(&signature.to_bytes());
            assert_eq!(again.as_ref(), Ok(&signature));
        });
    }

    #[test]
    fn no_bit_of_a_message_or_identity_can_be_flipped(
        id in proptest::collection::vec(any::<u8>(), 1..80), message in proptest::collection::vec(any::<u8>(), 1..200),
        bit in any::<proptest::sample::Index>(),
    ) {
        let flipped = |octets: &[u8]| {
            let bit = bit.index(8 * octets.len());
            let mut octets = octets.to_vec();
            octets[bit / 8] ^= 1 << (bit % 8);
            octets
        };
        on_each_backend(|| {
            let Fixture { master, kms, .. } = &Fixture::new();
            let key = master.extract_random(&id, &mut rng()).unwrap().validate(&id, kms).unwrap();
            let signature = key.sign(&message, &mut rng()).unwrap();
            assert_eq!(kms.verify(&id, &message, &signature), Ok(()));
            assert_eq!(kms.verify(&flipped(&id), &message, &signature), Err(Error::SignatureInvalid));
            assert_eq!(kms.verify(&id, &flipped(&message), &signature), Err(Error::SignatureInvalid));
            assert_eq!(kms.verify(&id, &message[1..], &signature), Err(Error::SignatureInvalid));
        });
    }
}

/// Key sets that deployed KMSs issued. Their identity is the UID of 32 octets.
#[test]
fn key_sets_of_deployed_kmss_are_valid() {
    let Some(shared) = std::env::var_os("MIKEY_SAKKE_SHARED") else {
        assert!(std::env::var_os("CI").is_none(), "MIKEY_SAKKE_SHARED must name the shared vectors in CI");
        eprintln!("MIKEY_SAKKE_SHARED is not set: skipped");
        return;
    };
    let decode = |value: &serde_json::Value| -> Vec<u8> {
        let digits = value.as_str().unwrap();
        (0..digits.len() / 2).map(|i| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).unwrap()).collect()
    };
    let mut checked = 0;
    for file in ["streamwide-v5.json", "alea-v3.json"] {
        let path = std::path::Path::new(&shared).join("vectors/vendor").join(file);
        let vectors: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let kms = &vectors["kms_certificate"]["PubAuthKey"];
        on_each_backend(|| {
            let kms = KmsTables::new(&PublicKey::from_bytes(&decode(kms)).unwrap());
            for keys in vectors["key_sets"].as_array().unwrap() {
                let (id, ssk) = (decode(&keys["UserID"]), decode(&keys["UserSigningKeySSK"]));
                let pair = KeyPair::from_bytes(&ssk, &decode(&keys["UserPubTokenPVT"])).unwrap();
                let key = pair.validate(&id, &kms).unwrap();
                let signature = key.sign(MESSAGE, &mut rng()).unwrap();
                assert_eq!(kms.verify(&id, MESSAGE, &signature), Ok(()));
                checked += 1;
            }
        });
    }
    assert!(checked >= 4);
}
