use proptest::prelude::*;
use std::sync::LazyLock;

use super::*;
use crate::arith::backend::on_each;
use crate::arith::supersingular::PointError;
use crate::batch::Threads;
use crate::vectors::Vectors;

struct Rng(u64);

/// A fixed sequence (SplitMix64), so that failures repeat.
impl rand_core::TryRng for Rng {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        self.try_next_u64().map(|word| word as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Ok(z ^ (z >> 31))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        for chunk in out.chunks_mut(8) {
            chunk.copy_from_slice(&self.try_next_u64()?.to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Rng {}

const EXAMPLE: Vectors = Vectors::new(include_str!("../../vectors/rfc6508-sakke.txt"));

struct World {
    master: MasterSecret,
    kms: KmsTables,
    validator: RskValidator,
    bob: ReceiverKey,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let master = MasterSecret::generate(&mut Rng(1)).unwrap();
    let kms = KmsTables::new(&master.public_key());
    let validator = RskValidator::new(&master.public_key());
    let bob = master.extract(b"bob").unwrap().validate(b"bob", &validator).unwrap().load();
    World { master, kms, validator, bob }
});

#[test]
fn what_is_encapsulated_is_decapsulated() {
    let ssv = SharedSecret::generate(&mut Rng(2));
    let sed = WORLD.kms.encapsulate(b"bob", &ssv).unwrap();
    let sed = Encapsulation::from_bytes(&sed.to_bytes()).unwrap();
    assert_eq!(WORLD.bob.decapsulate(&WORLD.kms, &sed).unwrap().as_bytes(), ssv.as_bytes());
}

#[test]
fn extraction_is_deterministic_and_keys_survive_their_encoding() {
    let rsk = WORLD.master.extract(b"bob").unwrap();
    let validated =
        ReceiverSecretKey::from_bytes(&*rsk.to_bytes()).unwrap().validate(b"bob", &WORLD.validator).unwrap();
    assert_eq!(rsk.to_bytes(), validated.rsk().to_bytes());
    let copy = MasterSecret::from_bytes(&WORLD.master.to_bytes()[..]).unwrap();
    assert_eq!(copy.public_key(), WORLD.master.public_key());
}

#[test]
fn a_key_is_valid_for_its_identity_and_kms_alone() {
    let other = RskValidator::new(&MasterSecret::generate(&mut Rng(3)).unwrap().public_key());
    let key = || WORLD.master.extract(b"bob").unwrap();
    assert_eq!(key().validate(b"eve", &WORLD.validator).unwrap_err(), Error::RskInvalid);
    assert_eq!(key().validate(b"bob", &other).unwrap_err(), Error::RskInvalid);
    let opposite = ReceiverSecretKey::new(key().point.negate());
    assert_eq!(opposite.validate(b"bob", &WORLD.validator).unwrap_err(), Error::RskInvalid);
}

#[test]
fn an_encapsulation_opens_for_its_identity_and_kms_alone() {
    let sed = WORLD.kms.encapsulate(b"bob", &SharedSecret::new([7; 16])).unwrap();
    let eve = WORLD.master.extract(b"eve").unwrap().validate(b"eve", &WORLD.validator).unwrap().load();
    let other = KmsTables::new(&MasterSecret::generate(&mut Rng(3)).unwrap().public_key());
    assert_eq!(eve.decapsulate(&WORLD.kms, &sed).unwrap_err(), Error::DecapsulationFailed);
    assert_eq!(WORLD.bob.decapsulate(&other, &sed).unwrap_err(), Error::DecapsulationFailed);
}

/// As a sender makes it who hashes g^r without its leading zero octets, with a secret for which that matters.
fn encapsulation_of_a_sloppy_sender() -> (SharedSecret, Encapsulation) {
    use crate::arith::supersingular::power_generator;
    for number in 0u32.. {
        let mut octets = [0; SSV_LEN];
        octets[..4].copy_from_slice(&number.to_be_bytes());
        let w = power_generator(&hash::to_scalar(&octets, b"bob"));
        if let Some(mask) = hash::to_unpadded_mask(&w) {
            let ssv = SharedSecret::new(octets);
            let right = WORLD.kms.encapsulate(b"bob", &ssv).unwrap();
            let h = core::array::from_fn(|i| octets[i] ^ mask[i]);
            assert_ne!(right.h, h);
            return (ssv, Encapsulation { r: right.r, h });
        }
    }
    unreachable!("one in 256 has a leading zero octet")
}

#[test]
fn what_a_sender_made_who_hashes_less_opens_only_where_that_is_asked_for() {
    let (ssv, sed) = encapsulation_of_a_sloppy_sender();
    assert_eq!(WORLD.bob.decapsulate(&WORLD.kms, &sed).unwrap_err(), Error::DecapsulationFailed);
    assert_eq!(WORLD.bob.decapsulate_unpadded(&WORLD.kms, &sed).unwrap().as_bytes(), ssv.as_bytes());

    let regular = WORLD.kms.encapsulate(b"bob", &ssv).unwrap();
    assert_eq!(WORLD.bob.decapsulate_unpadded(&WORLD.kms, &regular).unwrap().as_bytes(), ssv.as_bytes());
    for sed in [regular, sed] {
        let mut h = sed.h;
        h[15] ^= 1;
        let altered = Encapsulation { r: sed.r, h };
        assert_eq!(WORLD.bob.decapsulate_unpadded(&WORLD.kms, &altered).unwrap_err(), Error::DecapsulationFailed);
    }
}

#[test]
fn leading_zeros_of_h_may_be_missing_where_that_is_asked_for() {
    let sed = WORLD.kms.encapsulate(b"bob", &SharedSecret::new([7; 16])).unwrap();
    let sed = Encapsulation { r: sed.r, h: [[0; 2].as_slice(), &[9; 14]].concat().try_into().unwrap() };
    let octets = sed.to_bytes();
    for missing in 0..=2 {
        let short = [&octets[..POINT_LEN], &octets[POINT_LEN + missing..]].concat();
        assert_eq!(Encapsulation::from_unpadded_bytes(&short), Ok(sed.clone()));
        if missing > 0 {
            assert_eq!(Encapsulation::from_bytes(&short), Err(Error::EncapsulationLength(SED_LEN - missing)));
        }
    }
    for length in [0, 1, 256, 257, 274] {
        let octets = [octets.as_slice(), &[0]].concat();
        let refusal = Encapsulation::from_unpadded_bytes(&octets[..length]);
        assert_eq!(refusal, Err(Error::EncapsulationLength(length)));
    }
}

#[test]
fn the_opposite_of_r_is_not_r() {
    let sed = WORLD.kms.encapsulate(b"bob", &SharedSecret::new([7; 16])).unwrap();
    let opposite = Encapsulation { r: sed.r.negate(), h: sed.h };
    assert_eq!(WORLD.bob.decapsulate(&WORLD.kms, &opposite).unwrap_err(), Error::DecapsulationFailed);
    assert!(!bool::from(subtle::ConstantTimeEq::ct_eq(&sed.r, &opposite.r)));
}

#[test]
fn identities_that_share_a_key_do_not_share_secrets() {
    let alias = WORLD.master.extract(b"bob").unwrap().validate(b"\0bob", &WORLD.validator).unwrap().load();
    let sed = WORLD.kms.encapsulate(b"bob", &SharedSecret::new([7; 16])).unwrap();
    assert_eq!(alias.decapsulate(&WORLD.kms, &sed).unwrap_err(), Error::DecapsulationFailed);
}

#[test]
fn the_identity_whose_key_does_not_exist_is_refused() {
    // z = -5 modulo q, so the identity 5 has no key, and its point is infinity.
    let q = Vectors::new(include_str!("../../vectors/rfc6509-parameter-set-1.txt")).get("q").unwrap();
    let mut z = q.clone();
    *z.last_mut().unwrap() -= 5;
    let master = MasterSecret::from_bytes(&z).unwrap();
    assert_eq!(master.extract(&[5]).unwrap_err(), Error::IdentityWithoutKey);
    let rsk = master.extract(&[6]).unwrap();
    let validator = RskValidator::new(&master.public_key());
    assert_eq!(rsk.validate(&[5], &validator).unwrap_err(), Error::IdentityWithoutKey);
    let kms = KmsTables::new(&master.public_key());
    let ssv = SharedSecret::new([1; 16]);
    assert_eq!(kms.encapsulate(&[5], &ssv).unwrap_err(), Error::IdentityWithoutKey);
}

#[test]
fn identities_longer_than_a_scalar_are_refused() {
    let long = [1; 129];
    assert_eq!(WORLD.master.extract(&long).unwrap_err(), Error::IdentityLength(129));
    let key = WORLD.master.extract(b"bob").unwrap();
    assert_eq!(key.validate(&long, &WORLD.validator).unwrap_err(), Error::IdentityLength(129));
    let ssv = SharedSecret::new([0; 16]);
    assert_eq!(WORLD.kms.encapsulate(&long, &ssv).unwrap_err(), Error::IdentityLength(129));
    assert!(WORLD.kms.encapsulate(&long[..128], &ssv).is_ok());
}

#[test]
fn master_secrets_out_of_range_are_refused() {
    let q = Vectors::new(include_str!("../../vectors/rfc6509-parameter-set-1.txt")).get("q").unwrap();
    let mut small = [0; MASTER_SECRET_LEN];
    for value in [0, 1] {
        small[127] = value;
        assert_eq!(MasterSecret::from_bytes(&small).unwrap_err(), Error::MasterSecretRange);
    }
    small[127] = 2;
    assert!(MasterSecret::from_bytes(&small).is_ok());
    assert_eq!(MasterSecret::from_bytes(&q).unwrap_err(), Error::MasterSecretRange);
    assert_eq!(MasterSecret::from_bytes(&[0xff; 128]).unwrap_err(), Error::MasterSecretRange);
    assert_eq!(MasterSecret::from_bytes(&q[1..]).unwrap_err(), Error::MasterSecretLength(127));
}

/// Each way in which 257 octets can fail to be a point of the subgroup.
fn bad_points() -> Vec<(Vec<u8>, PointError)> {
    let good = EXAMPLE.get("Z").unwrap();
    let p = Vectors::new(include_str!("../../vectors/rfc6509-parameter-set-1.txt")).get("p").unwrap();
    let with = |range: core::ops::Range<usize>, octets: &[u8]| {
        let mut point = good.clone();
        point[range].copy_from_slice(octets);
        point
    };
    let mut order_2 = vec![0; 257];
    order_2[0] = 4;
    vec![
        (good[1..].to_vec(), PointError::Length(256)),
        (Vec::new(), PointError::Length(0)),
        (vec![0], PointError::Infinity),
        (vec![4], PointError::Length(1)),
        (with(0..1, &[2]), PointError::Form),
        (with(0..1, &[0]), PointError::Form),
        (with(1..129, &p), PointError::NotReduced),
        (with(129..257, &[0xff; 128]), PointError::NotReduced),
        (with(256..257, &[good[256] ^ 1]), PointError::NotOnCurve),
        (order_2, PointError::SmallOrder),
        (order_4(), PointError::SmallOrder),
    ]
}

/// x² = -3, so that the tangent meets the curve again in (0, 0). A square root of -3 is (-3)^((p + 1) / 4) = (-3)^q, and
/// y² = x³ - 3x = -6x.
fn order_4() -> Vec<u8> {
    use crate::arith::supersingular::Fp;
    let q = Vectors::new(include_str!("../../vectors/rfc6509-parameter-set-1.txt")).get("q").unwrap();
    let power_q = |base: Fp| {
        q.iter().flat_map(|octet| (0..8).rev().map(move |i| octet >> i & 1)).fold(Fp::ONE, |value, bit| {
            let square = value.square();
            if bit == 1 { square * base } else { square }
        })
    };
    let root = power_q(-Fp::from_u64(3));
    [root, -root]
        .iter()
        .find_map(|&x| {
            let y_squared = -(x * Fp::from_u64(6));
            let y = power_q(y_squared);
            (y.square() == y_squared).then(|| {
                let mut point = vec![4; 257];
                x.write_be_bytes(&mut point[1..129]);
                y.write_be_bytes(&mut point[129..]);
                point
            })
        })
        .unwrap()
}

/// A point of the subgroup plus one of order 4: on the curve, not of small order, and not in the subgroup.
fn outside_the_subgroup() -> Vec<u8> {
    use num_bigint::BigUint;
    let number = |octets: &[u8]| BigUint::from_bytes_be(octets);
    let p = number(&Vectors::new(include_str!("../../vectors/rfc6509-parameter-set-1.txt")).get("p").unwrap());
    let (a, b) = (EXAMPLE.get("Z").unwrap(), order_4());
    let (x1, y1, x2, y2) = (number(&a[1..129]), number(&a[129..]), number(&b[1..129]), number(&b[129..]));
    let slope = (&p + &y2 - &y1) * (&p + &x2 - &x1).modinv(&p).unwrap() % &p;
    let x3 = (&slope * &slope + &p + &p - &x1 - &x2) % &p;
    let y3 = (slope * (&p + &x1 - &x3) + &p - &y1) % &p;
    let mut point = vec![4; 257];
    for (out, value) in point[1..].chunks_mut(128).zip([x3, y3]) {
        let octets = value.to_bytes_be();
        out.fill(0);
        out[128 - octets.len()..].copy_from_slice(&octets);
    }
    point
}

#[test]
fn bad_points_are_refused_by_name() {
    for (point, error) in bad_points() {
        assert_eq!(PublicKey::from_bytes(&point).unwrap_err(), Error::PublicKey(error));
        assert_eq!(ReceiverSecretKey::from_bytes(&point).unwrap_err(), Error::ReceiverSecretKey(error));
        if point.len() == POINT_LEN {
            let sed = [&point[..], &[0; 16]].concat();
            assert_eq!(Encapsulation::from_bytes(&sed).unwrap_err(), Error::EncapsulationPoint(error));
        }
    }
    assert_eq!(Encapsulation::from_bytes(&[4; 272]).unwrap_err(), Error::EncapsulationLength(272));
}

#[test]
fn points_outside_the_subgroup_are_refused() {
    let point = outside_the_subgroup();
    assert_eq!(PublicKey::from_bytes(&point).unwrap_err(), Error::PublicKey(PointError::NotInSubgroup));
    let rsk = ReceiverSecretKey::from_bytes(&point).unwrap();
    assert_eq!(
        rsk.validate(b"bob", &WORLD.validator).unwrap_err(),
        Error::ReceiverSecretKey(PointError::NotInSubgroup)
    );
    let sed = Encapsulation::from_bytes(&[&point[..], &[0; 16]].concat()).unwrap();
    assert_eq!(WORLD.bob.decapsulate(&WORLD.kms, &sed).unwrap_err(), Error::DecapsulationFailed);
}

#[test]
fn secrets_do_not_show() {
    let ssv = SharedSecret::new([0xab; 16]);
    assert_eq!(format!("{ssv:?}"), "SharedSecret");
    assert_eq!(format!("{:?}", WORLD.master), "MasterSecret");
    assert_eq!(format!("{:?}", WORLD.bob), "ReceiverKey");
    let key = WORLD.master.extract(b"bob").unwrap().assume_valid(b"bob");
    assert_eq!(format!("{key:?} {:?}", key.rsk()), "ValidatedKey ReceiverSecretKey");
}

/// Identities for a batch, some of which fail.
fn identities(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|i| if i % 7 == 3 { vec![1; 129 + i] } else { vec![i as u8; i % 40] }).collect()
}

fn thread_counts() -> [Threads; 2] {
    [Threads::ONE, Threads::SEVERAL]
}

#[test]
fn batches_are_the_single_operations() {
    let ssv = SharedSecret::new([7; 16]);
    let ids = identities(70);
    let keys: Vec<_> = ids.iter().map(|id| WORLD.master.extract(id).map(|key| key.to_bytes())).collect();
    let seds: Vec<_> = ids.iter().map(|id| WORLD.kms.encapsulate(id, &ssv)).collect();
    for count in (0..=20).chain([ids.len()]) {
        for threads in thread_counts() {
            let batch = WORLD.master.extract_batch(&ids[..count], threads).into_iter();
            assert_eq!(batch.map(|key| key.map(|key| key.to_bytes())).collect::<Vec<_>>(), keys[..count]);
            assert_eq!(WORLD.kms.encapsulate_batch(&ids[..count], &ssv, threads), seds[..count]);
        }
    }
}

#[test]
fn a_batch_of_encapsulations_opens_but_for_the_bad_ones() {
    let ssvs: Vec<_> = (0..40).map(|i| SharedSecret::new([i; 16])).collect();
    let mut seds: Vec<_> = ssvs.iter().map(|ssv| WORLD.kms.encapsulate(b"bob", ssv).unwrap()).collect();
    let bad = [0, 5, 6, 39];
    seds[0].h[0] ^= 1;
    seds[5].r = seds[5].r.negate();
    seds[6] = WORLD.kms.encapsulate(b"eve", &ssvs[6]).unwrap();
    let point = outside_the_subgroup();
    seds[39] = Encapsulation::from_bytes(&[&point[..], &[0; 16]].concat()).unwrap();
    for count in (0..=20).chain([seds.len()]) {
        for threads in thread_counts() {
            let opened = WORLD.bob.decapsulate_batch(&WORLD.kms, &seds[..count], threads);
            assert_eq!(opened.len(), count);
            for (i, (opened, ssv)) in opened.iter().zip(&ssvs).enumerate() {
                let expected = if bad.contains(&i) { Err(Error::DecapsulationFailed) } else { Ok(*ssv.as_bytes()) };
                assert_eq!(opened.as_ref().map(|ssv| *ssv.as_bytes()).map_err(|error| *error), expected, "{i}");
            }
        }
    }
}

#[test]
fn every_backend_does_all_of_it_and_gives_the_same() {
    let ids = identities(10);
    let ssv = SharedSecret::new([7; 16]);
    let seds: Vec<_> = ids.iter().map(|id| WORLD.kms.encapsulate(id, &ssv)).collect();
    on_each(|backend| {
        for (name, passed) in selftest() {
            assert!(passed, "{name} on {backend:?}");
        }
        let public_key = WORLD.master.public_key();
        let (kms, validator) = (KmsTables::new(&public_key), RskValidator::new(&public_key));
        assert_eq!(kms.encapsulate_batch(&ids, &ssv, Threads::ONE), seds, "{backend:?}");
        for (id, sed) in ids.iter().zip(&seds).filter_map(|(id, sed)| Some(id).zip(sed.as_ref().ok())) {
            let receiver = WORLD.master.extract(id).unwrap().validate(id, &validator).unwrap().load();
            assert_eq!(receiver.decapsulate(&kms, sed).unwrap().as_bytes(), ssv.as_bytes(), "{backend:?}");
        }
        let outside = ReceiverSecretKey::from_bytes(&outside_the_subgroup()).unwrap();
        let refused = Error::ReceiverSecretKey(PointError::NotInSubgroup);
        assert_eq!(outside.validate(b"bob", &validator).unwrap_err(), refused, "{backend:?}");
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_secret_reaches_any_identity(id in prop::collection::vec(any::<u8>(), 0..=128), ssv: [u8; 16]) {
        let receiver = WORLD.master.extract(&id).unwrap().validate(&id, &WORLD.validator).unwrap().load();
        let sed = WORLD.kms.encapsulate(&id, &SharedSecret::new(ssv)).unwrap();
        let opened = receiver.decapsulate(&WORLD.kms, &sed).unwrap();
        prop_assert_eq!(opened.as_bytes(), &ssv);
    }

    #[test]
    fn a_flipped_bit_is_never_accepted(ssv: [u8; 16], bit in 0..8 * SED_LEN) {
        let mut sed = WORLD.kms.encapsulate(b"bob", &SharedSecret::new(ssv)).unwrap().to_bytes();
        sed[bit / 8] ^= 1 << (bit % 8);
        let opened = Encapsulation::from_bytes(&sed).and_then(|sed| WORLD.bob.decapsulate(&WORLD.kms, &sed));
        prop_assert!(opened.is_err());
    }

    #[test]
    fn a_flipped_bit_makes_a_key_invalid(bit in 0..8 * POINT_LEN) {
        let mut rsk = WORLD.master.extract(b"bob").unwrap().to_bytes();
        rsk[bit / 8] ^= 1 << (bit % 8);
        let validated = ReceiverSecretKey::from_bytes(&*rsk).and_then(|rsk| rsk.validate(b"bob", &WORLD.validator));
        prop_assert!(validated.is_err());
    }
}
