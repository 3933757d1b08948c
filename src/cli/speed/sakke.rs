//! SAKKE, and what a KMS's clients prepare for it.
use super::super::rng;
use super::bench::{Bench, Outcome};
use super::measure::{Figure, measure};
use mikey_sakke::sakke::{Encapsulation, ReceiverSecretKey, SharedSecret};
use std::hint::black_box;
use std::time::Duration;

pub fn extract(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
    measure(budget, || {
        let identity = bench.stranger();
        black_box(bench.sakke_master.extract(&identity)?);
        Ok(())
    })
}

pub fn validate(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
    let rsk = bench.bob.receiver().rsk().to_bytes();
    let identity = bench.kms.identity(bench.bob.uid());
    measure(budget, || {
        let rsk = ReceiverSecretKey::from_bytes(rsk.as_ref())?;
        black_box(rsk.validate(identity.as_bytes(), bench.kms.sakke())?);
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
