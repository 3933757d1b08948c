//! The operations of the library that touch secrets.
//!
//! Under valgrind a whole function is watched, set-up and preparation included. The timing test takes the time of the
//! run alone; there the classes differ in secrets only, while all that is public stays the same.
#![allow(clippy::unwrap_used, reason = "an operation that fails was not checked")]

use crate::operation::{Operation, Run};
use crate::random::{Class, Random, Secrets};
use crate::secrecy::{hide, publish};
use mikey_sakke::arith::{p256, supersingular};
use mikey_sakke::batch::Threads;
use mikey_sakke::eccsi::{self, KeyPair, SigningKey};
use mikey_sakke::sakke::{
    self, Encapsulation, ReceiverKey, ReceiverSecretKey, RskValidator, SharedSecret, ValidatedKey,
};
use std::fmt::Debug;
use std::hint::black_box;
use std::rc::Rc;

pub const OPERATIONS: &[Operation] = &[
    Operation { name: "sakke_extract", classes: ["RSK = P", "RSK random"], set_up: |_| Box::new(sakke_extract) },
    Operation {
        name: "sakke_extract_batch",
        classes: ["first RSK = P", "RSKs random"],
        set_up: |_| Box::new(sakke_extract_batch),
    },
    Operation {
        name: "sakke_validate",
        classes: ["wrong RSK = P", "wrong RSK random"],
        set_up: |random| {
            let kms = Rc::new(RskValidator::new(SakkeKms::new(Class::Second, random).tables.public_key()));
            Box::new(move |class, random| sakke_validate(kms.clone(), class, random))
        },
    },
    Operation { name: "sakke_load", classes: ["RSK = P", "RSK random"], set_up: |_| Box::new(sakke_load) },
    Operation {
        name: "sakke_encapsulate",
        classes: ["SSV = 2", "SSV random"],
        set_up: |random| {
            let kms = Rc::new(SakkeKms::new(Class::Second, random).tables);
            Box::new(move |class, random| sakke_encapsulate(kms.clone(), class, random))
        },
    },
    Operation {
        name: "sakke_encapsulate_batch",
        classes: ["SSV = 2", "SSV random"],
        set_up: |random| {
            let kms = Rc::new(SakkeKms::new(Class::Second, random).tables);
            Box::new(move |class, random| sakke_encapsulate_batch(kms.clone(), class, random))
        },
    },
    Operation {
        name: "sakke_decapsulate",
        classes: ["SSV = 2", "SSV random"],
        set_up: |random| {
            let receiver = Rc::new(SakkeReceiver::new(Class::Second, random));
            Box::new(move |class, random| sakke_decapsulate(receiver.clone(), class, random))
        },
    },
    Operation {
        name: "sakke_decapsulate_batch",
        classes: ["SSVs = 2", "SSVs random"],
        set_up: |random| {
            let receiver = Rc::new(SakkeReceiver::new(Class::Second, random));
            Box::new(move |class, random| sakke_decapsulate_batch(receiver.clone(), class, random))
        },
    },
    Operation {
        name: "sakke_decapsulate_altered",
        classes: ["valid", "altered"],
        set_up: |random| {
            let receiver = Rc::new(SakkeReceiver::new(Class::Second, random));
            Box::new(move |class, random| sakke_decapsulate_altered(receiver.clone(), class, random))
        },
    },
    Operation {
        name: "sakke_decapsulate_key",
        classes: ["RSK = P", "RSK random"],
        set_up: |_| {
            Box::new(|class, random| {
                sakke_decapsulate(Rc::new(SakkeReceiver::new(class, random)), Class::Second, random)
            })
        },
    },
    Operation {
        name: "sakke_scalar_inversion",
        classes: ["2", "random"],
        set_up: |_| {
            Box::new(|class, random| {
                let scalar = supersingular::Scalar::from_be_bytes_mod(&octets::<128>(class, random)).unwrap();
                Box::new(move || consume(scalar.invert()))
            })
        },
    },
    Operation {
        name: "sakke_field_inversion",
        classes: ["2", "random"],
        set_up: |_| {
            Box::new(|class, random| {
                let element = supersingular::Fp::from_be_bytes_mod(&octets::<128>(class, random)).unwrap();
                Box::new(move || consume(element.invert()))
            })
        },
    },
    Operation {
        name: "eccsi_extract",
        classes: ["KSAK = v = 2", "KSAK, v random"],
        set_up: |_| Box::new(eccsi_extract),
    },
    Operation {
        name: "eccsi_extract_batch",
        classes: ["KSAK = v = 2", "KSAK, v random"],
        set_up: |_| Box::new(eccsi_extract_batch),
    },
    Operation {
        name: "eccsi_extract_batch_given",
        classes: ["KSAK = v = 2", "KSAK, v random"],
        set_up: |_| Box::new(eccsi_extract_batch_given),
    },
    Operation {
        name: "eccsi_validate",
        classes: ["wrong SSK = 2", "wrong SSK random"],
        set_up: |random| {
            let (kms, pair) = eccsi_pair(Class::Second, random);
            let (kms, pvt) = (Rc::new(kms), pair.pvt_bytes());
            Box::new(move |class, random| eccsi_validate(kms.clone(), pvt, class, random))
        },
    },
    Operation {
        name: "eccsi_sign",
        classes: ["KSAK = v = j = 2", "KSAK, v, j random"],
        set_up: |_| Box::new(eccsi_sign),
    },
    Operation {
        name: "eccsi_sign_batch",
        classes: ["KSAK = v = j = 2", "KSAK, v, j random"],
        set_up: |_| Box::new(eccsi_sign_batch),
    },
    Operation {
        name: "eccsi_scalar_inversion",
        classes: ["2", "random"],
        set_up: |_| {
            Box::new(|class, random| {
                let scalar = p256::Scalar::from_be_bytes_mod(&octets::<32>(class, random)).unwrap();
                Box::new(move || consume(scalar.invert()))
            })
        },
    },
    Operation {
        name: "eccsi_field_inversion",
        classes: ["2", "random"],
        set_up: |_| {
            Box::new(|class, random| {
                let element = p256::Fp::from_be_bytes_mod(&octets::<32>(class, random)).unwrap();
                Box::new(move || consume(element.invert()))
            })
        },
    },
];

pub const ID: [u8; 32] = [7; 32];
pub const MESSAGE: [u8; 64] = [0x5a; 64];

/// Items of a batch: enough for a lane each, and one more, which is left over.
const BATCH: usize = 9;
/// The identities of a batch.
const IDS: [[u8; 32]; BATCH] = {
    let mut ids = [ID; BATCH];
    let mut i = 1;
    while i < BATCH {
        ids[i] = [7 + i as u8; 32];
        i += 1;
    }
    ids
};

fn sakke_extract(class: Class, random: &mut Random) -> Run {
    let master = sakke_master(class, random);
    Box::new(move || consume(publish(master.extract(&ID)).unwrap()))
}

fn sakke_extract_batch(class: Class, random: &mut Random) -> Run {
    let master = sakke_master(class, random);
    Box::new(move || each(master.extract_batch(&IDS, Threads::ONE)))
}

/// The key of another KMS, so that every run comes to the same verdict on the same public values.
fn sakke_validate(kms: Rc<RskValidator>, class: Class, random: &mut Random) -> Run {
    let rsk = SakkeKms::new(class, random).extract();
    Box::new(move || {
        let key = ReceiverSecretKey::from_bytes(&rsk).unwrap();
        consume(key.validate(&ID, &kms).unwrap_err())
    })
}

/// Makes a valid key ready; to validate it comes before.
fn sakke_load(class: Class, random: &mut Random) -> Run {
    let key = SakkeKms::new(class, random).validated_key();
    Box::new(move || consume(key.load()))
}

fn sakke_encapsulate(kms: Rc<sakke::KmsTables>, class: Class, random: &mut Random) -> Run {
    let ssv = SharedSecret::generate(&mut Secrets::of(class, random));
    Box::new(move || consume(publish(kms.encapsulate(&ID, &ssv)).unwrap()))
}

fn sakke_encapsulate_batch(kms: Rc<sakke::KmsTables>, class: Class, random: &mut Random) -> Run {
    let ssv = SharedSecret::generate(&mut Secrets::of(class, random));
    Box::new(move || each(kms.encapsulate_batch(&IDS, &ssv, Threads::ONE)))
}

fn sakke_decapsulate(receiver: Rc<SakkeReceiver>, class: Class, random: &mut Random) -> Run {
    let sed = receiver.sed(class, random);
    Box::new(move || consume(receiver.open(&sed).unwrap()))
}

fn sakke_decapsulate_batch(receiver: Rc<SakkeReceiver>, class: Class, random: &mut Random) -> Run {
    let seds = IDS.map(|_| Encapsulation::from_bytes(&receiver.sed(class, random)).unwrap());
    Box::new(move || each(receiver.key.decapsulate_batch(&receiver.kms, &seds, Threads::ONE)))
}

fn sakke_decapsulate_altered(receiver: Rc<SakkeReceiver>, class: Class, random: &mut Random) -> Run {
    let mut sed = receiver.sed(Class::Second, random);
    if class == Class::Second {
        let [.., last] = &mut sed;
        *last ^= 1;
    }
    Box::new(move || {
        consume(receiver.open(&sed).is_ok());
    })
}

fn eccsi_extract(class: Class, random: &mut Random) -> Run {
    let mut secrets = Secrets::of(class, random);
    let master = eccsi::MasterSecret::generate(&mut secrets).unwrap();
    Box::new(move || consume(publish(master.extract_random(&ID, &mut secrets)).unwrap()))
}

fn eccsi_extract_batch(class: Class, random: &mut Random) -> Run {
    let mut secrets = Secrets::of(class, random).in_numbers(eccsi::SECRET_LEN);
    let master = eccsi::MasterSecret::generate(&mut secrets).unwrap();
    Box::new(move || each(master.extract_random_batch(&IDS, Threads::ONE, &mut secrets)))
}

fn eccsi_extract_batch_given(class: Class, random: &mut Random) -> Run {
    let master = eccsi::MasterSecret::generate(&mut Secrets::of(class, random)).unwrap();
    let ids_and_vs = IDS.map(|id| (id, octets(class, random).into()));
    Box::new(move || each(master.extract_batch(&ids_and_vs, Threads::ONE)))
}

/// SSK follows from the public PVT and KPAK, so that it cannot vary while they stay. A wrong one can.
fn eccsi_validate(kms: Rc<eccsi::KmsTables>, pvt: [u8; eccsi::POINT_LEN], class: Class, random: &mut Random) -> Run {
    let mut ssk = octets::<32>(class, random);
    // Below the order of the group.
    ssk[0] &= 0x7f;
    Box::new(move || {
        let pair = KeyPair::from_bytes(&ssk, &pvt).unwrap();
        consume(pair.validate(&ID, &kms).unwrap_err())
    })
}

fn eccsi_sign(class: Class, random: &mut Random) -> Run {
    let (kms, pair) = eccsi_pair(class, random);
    let key: SigningKey = pair.validate(&ID, &kms).unwrap();
    let mut secrets = Secrets::of(class, random);
    Box::new(move || consume(publish(key.sign(&MESSAGE, &mut secrets)).unwrap()))
}

fn eccsi_sign_batch(class: Class, random: &mut Random) -> Run {
    let (kms, pair) = eccsi_pair(class, random);
    let key: SigningKey = pair.validate(&ID, &kms).unwrap();
    let mut secrets = Secrets::of(class, random).in_numbers(eccsi::SECRET_LEN);
    Box::new(move || each(key.sign_batch(&[MESSAGE; BATCH], Threads::ONE, &mut secrets)))
}

/// In the first class z = 1 - b, so that the key of the identity b is P, its most regular multiple.
fn sakke_master(class: Class, random: &mut Random) -> sakke::MasterSecret {
    if class == Class::Second {
        return sakke::MasterSecret::generate(&mut Secrets::of(class, random)).unwrap();
    }
    let z = supersingular::Scalar::ONE - supersingular::Scalar::from_be_bytes_mod(&ID).unwrap();
    let mut octets = [0; sakke::MASTER_SECRET_LEN];
    z.write_be_bytes(&mut octets);
    hide(&mut octets);
    sakke::MasterSecret::from_bytes(&octets).unwrap()
}

struct SakkeKms {
    master: sakke::MasterSecret,
    tables: sakke::KmsTables,
}

impl SakkeKms {
    fn new(class: Class, random: &mut Random) -> SakkeKms {
        let master = sakke_master(class, random);
        let tables = sakke::KmsTables::new(&publish(master.public_key()));
        SakkeKms { master, tables }
    }

    fn extract(&self) -> [u8; sakke::POINT_LEN] {
        *self.master.extract(&ID).unwrap().to_bytes()
    }

    fn validated_key(&self) -> ValidatedKey {
        let validator = RskValidator::new(self.tables.public_key());
        ReceiverSecretKey::from_bytes(&self.extract()).unwrap().validate(&ID, &validator).unwrap()
    }
}

struct SakkeReceiver {
    kms: sakke::KmsTables,
    key: ReceiverKey,
}

impl SakkeReceiver {
    fn new(class: Class, random: &mut Random) -> SakkeReceiver {
        let kms = SakkeKms::new(class, random);
        let key = kms.validated_key().load();
        SakkeReceiver { kms: kms.tables, key }
    }

    fn sed(&self, class: Class, random: &mut Random) -> [u8; sakke::SED_LEN] {
        let ssv = SharedSecret::generate(&mut Secrets::of(class, random));
        publish(self.kms.encapsulate(&ID, &ssv).unwrap().to_bytes())
    }

    fn open(&self, sed: &[u8]) -> Result<SharedSecret, sakke::Error> {
        self.key.decapsulate(&self.kms, &Encapsulation::from_bytes(sed).unwrap())
    }
}

/// A KMS and a key pair of which PVT alone is public.
pub fn eccsi_pair(class: Class, random: &mut Random) -> (eccsi::KmsTables, KeyPair) {
    let mut secrets = Secrets::of(class, random);
    let master = eccsi::MasterSecret::generate(&mut secrets).unwrap();
    let kms = eccsi::KmsTables::new(&publish(master.public_key()));
    let pair = master.extract_random(&ID, &mut secrets).unwrap();
    let pvt = publish(pair.pvt_bytes());
    (kms, KeyPair::from_bytes(&*pair.ssk_bytes(), &pvt).unwrap())
}

fn octets<const N: usize>(class: Class, random: &mut Random) -> [u8; N] {
    Secrets::of(class, random).octets()
}

/// The results of a batch, whether there are any included.
fn each<T, E: Debug>(results: Vec<Result<T, E>>) {
    results.into_iter().for_each(|result| consume(publish(result).unwrap()));
}

fn consume<T>(value: T) {
    black_box(value);
}
