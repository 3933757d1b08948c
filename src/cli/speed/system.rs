//! What whole messages and whole key sets take.
use super::super::rng;
use super::bench::{ALICE, Bench, Outcome};
use super::measure::{Figure, measure};
use mikey_sakke::mc::Kms;
use mikey_sakke::mc::imessage::{Expected, Incoming, Policy, Receiver};
use std::hint::black_box;
use std::time::Duration;

pub fn kms_tables_build(bench: &mut Bench, budget: Duration) -> Outcome<Figure> {
    let (enc, auth) = (bench.kms.sakke().public_key(), bench.kms.eccsi().public_key());
    measure(budget, || {
        black_box(Kms::new(bench.kms.uri(), enc, auth, *bench.kms.periods(), bench.kms.identity_form()));
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
