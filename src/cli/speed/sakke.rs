//! SAKKE.
use super::super::rng;
use super::bench::{BATCH, Bench, Outcome, all};
use super::measure::{Figure, measure, measure_batch};
use mikey_sakke::batch::Threads;
use mikey_sakke::sakke::{Encapsulation, ReceiverSecretKey, RskValidator, SharedSecret};
use std::hint::black_box;
use std::time::Duration;

pub fn extract(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
    measure(budget, || {
        let identity = bench.stranger();
        black_box(bench.sakke_master.extract(&identity)?);
        Ok(())
    })
}

pub fn extract_batch(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
    measure_batch(budget, BATCH, || {
        let identities = bench.strangers();
        all(bench.sakke_master.extract_batch(&identities, Threads::ONE))
    })
}

pub fn validate(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
    let rsk = bench.bob.rsk().to_bytes();
    let identity = bench.kms.identity(bench.bob.uid());
    measure(budget, || {
        let rsk = ReceiverSecretKey::from_bytes(rsk.as_ref())?;
        black_box(rsk.validate(identity.as_bytes(), bench.kms.rsk_validator())?);
        Ok(())
    })
}

pub fn encapsulate(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
    let ssv = SharedSecret::generate(&mut rng::system());
    measure(budget, || {
        let identity = bench.stranger();
        black_box(bench.kms.sakke().encapsulate(&identity, &ssv)?);
        Ok(())
    })
}

pub fn encapsulate_batch(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
    let ssv = SharedSecret::generate(&mut rng::system());
    measure_batch(budget, BATCH, || {
        let identities = bench.strangers();
        all(bench.kms.sakke().encapsulate_batch(&identities, &ssv, Threads::ONE))
    })
}

pub fn decapsulate(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
    let ssv = SharedSecret::generate(&mut rng::system());
    let identity = bench.kms.identity(bench.bob.uid());
    let sed = bench.kms.sakke().encapsulate(identity.as_bytes(), &ssv)?.to_bytes();
    measure(budget, || {
        let sed = Encapsulation::from_bytes(&sed)?;
        black_box(bench.bob.receiver().decapsulate(bench.kms.sakke(), &sed)?);
        Ok(())
    })
}

pub fn decapsulate_batch(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
    let identity = bench.kms.identity(bench.bob.uid());
    let mut seds = Vec::new();
    for _ in 0..BATCH {
        let ssv = SharedSecret::generate(&mut rng::system());
        seds.push(bench.kms.sakke().encapsulate(identity.as_bytes(), &ssv)?.to_bytes());
    }
    measure_batch(budget, BATCH, || {
        let seds = seds.iter().map(|sed| Encapsulation::from_bytes(sed)).collect::<Result<Vec<_>, _>>()?;
        all(bench.bob.receiver().decapsulate_batch(bench.kms.sakke(), &seds, Threads::ONE))
    })
}

pub fn rsk_validator_build(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
    measure(budget, || {
        black_box(RskValidator::new(bench.kms.sakke().public_key()));
        Ok(())
    })
}
