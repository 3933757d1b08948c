use super::super::rng;
use mikey_sakke::mc::imessage::Offer;
use mikey_sakke::mc::{IdentityForm, KeyId, KeyPeriods, KeySet, KeyType, Kms, PeriodEpoch};
use mikey_sakke::mikey::NtpTime;
use mikey_sakke::sakke::SharedSecret;
use mikey_sakke::{client, eccsi, sakke};
use rand_core::CryptoRng;
use std::error::Error;
use std::hint::black_box;

pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// Items of a batch.
pub const BATCH: usize = 64;

pub const ALICE: &str = "sip:alice@example.org";
const BOB: &str = "sip:bob@example.org";

/// A KMS with two users, to measure with.
pub struct Bench {
    pub sakke_master: sakke::MasterSecret,
    pub eccsi_master: eccsi::MasterSecret,
    pub kms: Kms,
    pub alice: KeySet,
    pub bob: KeySet,
    pub now: NtpTime,
    strangers_so_far: u64,
}

impl Bench {
    pub fn new() -> Outcome<Self> {
        let mut rng = rng::system();
        let sakke_master = sakke::MasterSecret::generate(&mut rng)?;
        let eccsi_master = eccsi::MasterSecret::generate(&mut rng)?;
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
        Ok(Self { sakke_master, eccsi_master, kms, alice, bob, now, strangers_so_far: 0 })
    }

    /// An identity that was not seen before.
    pub fn stranger(&mut self) -> [u8; 32] {
        self.strangers_so_far += 1;
        let mut identity = [0x75; 32];
        for (octet, count) in identity.iter_mut().zip(self.strangers_so_far.to_be_bytes()) {
            *octet ^= count;
        }
        identity
    }

    /// A batch of them.
    pub fn strangers(&mut self) -> Vec<[u8; 32]> {
        core::iter::repeat_with(|| self.stranger()).take(BATCH).collect()
    }

    pub fn offer(&self, rng: &mut impl CryptoRng) -> Outcome<Vec<u8>> {
        let (key, key_id) = (SharedSecret::generate(rng), KeyId::generate(KeyType::Pck, rng));
        let mut rand = [0; 16];
        rng.fill_bytes(&mut rand);
        Ok(Offer::new(&self.alice, BOB, &self.kms, key_id, key, self.now, rand)?.build(rng)?)
    }
}

/// No item of a batch may fail.
pub fn all<T, E: Error + 'static>(results: Vec<Result<T, E>>) -> Outcome<()> {
    for result in results {
        black_box(result?);
    }
    Ok(())
}
