//! ECCSI.
use super::super::rng;
use super::bench::{Bench, Outcome};
use super::measure::{Figure, measure};
use mikey_sakke::eccsi::{KeyPair, Signature};
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

pub fn verify(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
    let signature = bench.alice.signer().sign(&MESSAGE, &mut rng::system())?.to_bytes();
    let identity = bench.kms.identity(bench.alice.uid());
    measure(budget, || {
        let signature = Signature::from_bytes(&signature)?;
        bench.kms.eccsi().verify(identity.as_bytes(), &MESSAGE, &signature)?;
        Ok(())
    })
}
