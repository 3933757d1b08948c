//! What whole messages and whole key sets take.
use super::super::rng;
use super::bench::{ALICE, BATCH, Bench, Outcome, all};
use super::measure::{Figure, measure, measure_batch};
use mikey_sakke::batch::Threads;
use mikey_sakke::mc::KeySet;
use mikey_sakke::mc::imessage::{Expected, Incoming, Policy, Receiver};
use mikey_sakke::{eccsi, sakke};
use std::hint::black_box;
use std::time::Duration;

/// RSK, SSK and PVT of each user.
pub fn key_set_batch(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
    let mut rng = rng::system();
    measure_batch(budget, BATCH, || {
        let identities = bench.strangers();
        all(bench.sakke_master.extract_batch(&identities, Threads::ONE))?;
        all(bench.eccsi_master.extract_random_batch(&identities, Threads::ONE, &mut rng))
    })
}

/// What everybody needs who sends to users of a KMS, or receives from them.
pub fn kms_tables_build(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
    let (enc, auth) = (bench.kms.sakke().public_key(), bench.kms.eccsi().public_key());
    measure(budget, || {
        black_box((sakke::KmsTables::new(enc), eccsi::KmsTables::new(auth)));
        Ok(())
    })
}

/// What a client does at its start with keys that it has validated before.
pub fn key_set_load(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
    let (rsk, pair) = (bench.bob.rsk().to_bytes(), bench.bob.signer().key_pair());
    let (ssk, pvt) = (pair.ssk_bytes(), pair.pvt_bytes());
    measure(budget, || {
        let rsk = sakke::ReceiverSecretKey::from_bytes(rsk.as_ref())?;
        let pair = eccsi::KeyPair::from_bytes(ssk.as_ref(), &pvt)?;
        let keys = KeySet::assume_valid(&bench.kms, bench.bob.user_uri(), bench.bob.period_no(), rsk, pair)?;
        black_box(keys.receiver());
        Ok(())
    })
}

pub fn imessage_create(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
    let mut rng = rng::system();
    measure(budget, || {
        black_box(bench.offer(&mut rng)?);
        Ok(())
    })
}

pub fn imessage_open(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
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
