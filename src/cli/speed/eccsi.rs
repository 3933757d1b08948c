//! ECCSI.
use super::super::rng;
use super::bench::{BATCH, Bench, Outcome, all};
use super::measure::{Figure, measure, measure_batch};
use mikey_sakke::batch::Threads;
use mikey_sakke::eccsi::{KeyPair, KmsTables, Signature, Signed};
use std::hint::black_box;
use std::time::Duration;

const MESSAGE: [u8; 512] = [0x5a; 512];

pub fn extract(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
    let mut rng = rng::system();
    measure(budget, || {
        let identity = bench.stranger();
        black_box(bench.eccsi_master.extract_random(&identity, &mut rng)?);
        Ok(())
    })
}

pub fn extract_batch(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
    let mut rng = rng::system();
    measure_batch(budget, BATCH, || {
        let identities = bench.strangers();
        all(bench.eccsi_master.extract_random_batch(&identities, Threads::ONE, &mut rng))
    })
}

pub fn validate(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
    let pair = bench.alice.signer().key_pair();
    let (ssk, pvt) = (pair.ssk_bytes(), pair.pvt_bytes());
    let identity = bench.kms.identity(bench.alice.uid());
    measure(budget, || {
        let pair = KeyPair::from_bytes(ssk.as_ref(), &pvt)?;
        black_box(pair.validate(identity.as_bytes(), bench.kms.eccsi())?);
        Ok(())
    })
}

pub fn sign(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
    let mut rng = rng::system();
    measure(budget, || {
        black_box(bench.alice.signer().sign(&MESSAGE, &mut rng)?);
        Ok(())
    })
}

pub fn sign_batch(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
    let mut rng = rng::system();
    let messages = [MESSAGE; BATCH];
    measure_batch(budget, BATCH, || all(bench.alice.signer().sign_batch(&messages, Threads::ONE, &mut rng)))
}

pub fn verify(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
    let signature = bench.alice.signer().sign(&MESSAGE, &mut rng::system())?.to_bytes();
    let identity = bench.kms.identity(bench.alice.uid());
    measure(budget, || {
        let signature = Signature::from_bytes(&signature)?;
        bench.kms.eccsi().verify(identity.as_bytes(), &MESSAGE, &signature)?;
        Ok(())
    })
}

pub fn verify_batch(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
    let mut rng = rng::system();
    let mut signers = Vec::new();
    for identity in bench.strangers() {
        let key = bench.eccsi_master.extract_random(&identity, &mut rng)?.validate(&identity, bench.kms.eccsi())?;
        signers.push((identity, key.sign(&MESSAGE, &mut rng)?.to_bytes()));
    }
    measure_batch(budget, BATCH, || {
        let signatures =
            signers.iter().map(|(_, signature)| Signature::from_bytes(signature)).collect::<Result<Vec<_>, _>>()?;
        let signed: Vec<_> = signers
            .iter()
            .zip(&signatures)
            .map(|((id, _), signature)| Signed { id, message: &MESSAGE, signature })
            .collect();
        all(bench.kms.eccsi().verify_batch(&signed, Threads::ONE))
    })
}

pub fn verify_known(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
    let signature = bench.alice.signer().sign(&MESSAGE, &mut rng::system())?.to_bytes();
    let identity = bench.kms.identity(bench.alice.uid());
    let kms = KmsTables::new(bench.kms.eccsi().public_key());
    kms.remember_signers(1);
    let verify = || Ok(kms.verify(identity.as_bytes(), &MESSAGE, &Signature::from_bytes(&signature)?)?);
    // The second signature is what makes a signer known.
    verify()?;
    verify()?;
    measure(budget, verify)
}
