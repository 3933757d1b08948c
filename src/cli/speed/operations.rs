use super::super::rng;
use super::measure::{Figure, measure};
use mikey_sakke::mc::imessage::{Expected, Incoming, Offer, Policy, Receiver};
use mikey_sakke::mc::{IdentityForm, KeyId, KeyPeriods, KeySet, KeyType, Kms, PeriodEpoch};
use mikey_sakke::mikey::NtpTime;
use mikey_sakke::sakke::SharedSecret;
use mikey_sakke::{client, eccsi, sakke};
use rand_core::CryptoRng;
use std::error::Error;
use std::hint::black_box;
use std::time::Duration;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// One thing that `speed` can measure.
pub struct Operation {
    name: &'static str,
    explanation: &'static str,
    measure: fn(&mut Bench, Duration) -> Outcome<Figure>,
}

impl Operation {
    pub fn parse(name: &str) -> Result<&'static Self, String> {
        OPERATIONS.iter().find(|operation| operation.name == name).ok_or_else(|| {
            let names: Vec<_> = OPERATIONS.iter().map(|operation| operation.name).collect();
            format!("the operations are: {}", names.join(", "))
        })
    }

    pub fn name(&self) -> &'static str {
        self.name
    }

    pub fn explanation(&self) -> &'static str {
        self.explanation
    }

    pub fn measure(&self, bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
        (self.measure)(bench, budget)
    }
}

/// Every operation, in the order in which they are measured.
pub const OPERATIONS: &[Operation] = &[
    Operation { name: "sakke_extract", explanation: "KMS makes a receiver's key", measure: sakke_extract },
    Operation { name: "sakke_validate", explanation: "receiver checks it", measure: sakke_validate },
    Operation { name: "sakke_encapsulate", explanation: "encrypt to an identity", measure: sakke_encapsulate },
    Operation { name: "sakke_decapsulate", explanation: "decrypt and check", measure: sakke_decapsulate },
    Operation { name: "eccsi_extract", explanation: "KMS makes a signer's keys", measure: eccsi_extract },
    Operation { name: "eccsi_validate", explanation: "signer checks them", measure: eccsi_validate },
    Operation { name: "eccsi_sign", explanation: "sign 512 octets", measure: eccsi_sign },
    Operation { name: "eccsi_verify", explanation: "verify, signer never seen before", measure: eccsi_verify },
    Operation { name: "imessage_create", explanation: "a whole message with a call's key", measure: imessage_create },
    Operation { name: "imessage_open", explanation: "check and open it", measure: imessage_open },
];

const MESSAGE: [u8; 512] = [0x5a; 512];
const ALICE: &str = "sip:alice@example.org";
const BOB: &str = "sip:bob@example.org";

/// A KMS with two users, to measure with.
pub struct Bench {
    sakke_master: sakke::MasterSecret,
    eccsi_master: eccsi::MasterSecret,
    kms: Kms,
    alice: KeySet,
    bob: KeySet,
    now: NtpTime,
    strangers: u64,
}

impl Bench {
    pub fn new() -> Outcome<Self> {
        let mut rng = rng::system();
        let sakke_master = sakke::MasterSecret::generate(&mut rng);
        let eccsi_master = eccsi::MasterSecret::generate(&mut rng);
        let periods = KeyPeriods::new(2_592_000, 0, PeriodEpoch::Ntp)?;
        let (pub_enc_key, pub_auth_key) = (sakke_master.public_key(), eccsi_master.public_key());
        let kms = Kms::new("kms.example.org", &pub_enc_key, &pub_auth_key, periods, IdentityForm::Raw);
        let now = client::now();
        let period_no = periods.number_at(now)?;
        let mut provision = |user: &str| -> Outcome<KeySet> {
            let uid = kms.uid(user, period_no)?;
            let identity = kms.identity(&uid);
            let rsk = sakke_master.extract(identity.as_bytes())?;
            let pair = eccsi_master.extract_random(identity.as_bytes(), &mut rng)?;
            Ok(KeySet::validate(&kms, user, period_no, rsk, pair)?)
        };
        let (alice, bob) = (provision(ALICE)?, provision(BOB)?);
        Ok(Self { sakke_master, eccsi_master, kms, alice, bob, now, strangers: 0 })
    }

    /// An identity that was not seen before.
    fn stranger(&mut self) -> [u8; 32] {
        self.strangers += 1;
        let mut identity = [0x75; 32];
        for (octet, count) in identity.iter_mut().zip(self.strangers.to_be_bytes()) {
            *octet ^= count;
        }
        identity
    }

    fn offer(&self, rng: &mut impl CryptoRng) -> Outcome<Vec<u8>> {
        let (key, key_id) = (SharedSecret::generate(rng), KeyId::generate(KeyType::Pck, rng));
        let mut rand = [0; 16];
        rng.fill_bytes(&mut rand);
        Ok(Offer::new(&self.alice, BOB, &self.kms, key_id, key, self.now, rand)?.build(rng)?)
    }
}

fn sakke_extract(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
    measure(budget, || {
        let identity = bench.stranger();
        black_box(bench.sakke_master.extract(&identity)?);
        Ok(())
    })
}

fn sakke_validate(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
    let rsk = bench.bob.rsk().to_bytes();
    let identity = bench.kms.identity(bench.bob.uid());
    measure(budget, || {
        let rsk = sakke::ReceiverSecretKey::from_bytes(rsk.as_ref())?;
        black_box(rsk.validate(identity.as_bytes(), bench.kms.rsk_validator())?);
        Ok(())
    })
}

fn sakke_encapsulate(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
    let ssv = SharedSecret::generate(&mut rng::system());
    measure(budget, || {
        let identity = bench.stranger();
        black_box(bench.kms.sakke().encapsulate(&identity, &ssv)?);
        Ok(())
    })
}

fn sakke_decapsulate(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
    let ssv = SharedSecret::generate(&mut rng::system());
    let identity = bench.kms.identity(bench.bob.uid());
    let sed = bench.kms.sakke().encapsulate(identity.as_bytes(), &ssv)?.to_bytes();
    measure(budget, || {
        let sed = sakke::Encapsulation::from_bytes(&sed)?;
        black_box(bench.bob.receiver().decapsulate(bench.kms.sakke(), &sed)?);
        Ok(())
    })
}

fn eccsi_extract(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
    let mut rng = rng::system();
    measure(budget, || {
        let identity = bench.stranger();
        black_box(bench.eccsi_master.extract_random(&identity, &mut rng)?);
        Ok(())
    })
}

fn eccsi_validate(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
    let pair = bench.alice.signer().key_pair();
    let (ssk, pvt) = (pair.ssk_bytes(), pair.pvt_bytes());
    let identity = bench.kms.identity(bench.alice.uid());
    measure(budget, || {
        let pair = eccsi::KeyPair::from_bytes(ssk.as_ref(), &pvt)?;
        black_box(pair.validate(identity.as_bytes(), bench.kms.eccsi())?);
        Ok(())
    })
}

fn eccsi_sign(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
    let mut rng = rng::system();
    measure(budget, || {
        black_box(bench.alice.signer().sign(&MESSAGE, &mut rng)?);
        Ok(())
    })
}

fn eccsi_verify(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
    let signature = bench.alice.signer().sign(&MESSAGE, &mut rng::system())?.to_bytes();
    let identity = bench.kms.identity(bench.alice.uid());
    measure(budget, || {
        let signature = eccsi::Signature::from_bytes(&signature)?;
        bench.kms.eccsi().verify(identity.as_bytes(), &MESSAGE, &signature)?;
        Ok(())
    })
}

fn imessage_create(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
    let mut rng = rng::system();
    measure(budget, || {
        black_box(bench.offer(&mut rng)?);
        Ok(())
    })
}

fn imessage_open(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
    let message = bench.offer(&mut rng::system())?;
    let (key_sets, kmss) = ([&bench.bob], [&bench.kms]);
    let receiver =
        Receiver { key_sets: &key_sets, kmss: &kmss, initiator: Some(Expected::user(ALICE)), key_type: None };
    let policy = Policy::new(bench.now);
    measure(budget, || {
        black_box(Incoming::parse(&message)?.verify(&receiver, &policy)?.decapsulate()?.live()?);
        Ok(())
    })
}
