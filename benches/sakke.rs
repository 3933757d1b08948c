//! SAKKE on one thread: what a KMS, a sender and a receiver do, and the tables that they build once.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run stops at once")]

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use mikey_sakke::sakke::{KmsTables, MasterSecret, PublicKey, ReceiverSecretKey, SharedSecret};

fn sakke(c: &mut Criterion) {
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let id = [7; 32];
    let master = MasterSecret::generate(&mut rng);
    let public_key = master.public_key();
    let kms = KmsTables::new(&public_key);
    let rsk = master.extract(&id).unwrap().to_bytes();
    let receiver = ReceiverSecretKey::from_bytes(&*rsk).unwrap().validate(&id, &kms).unwrap();
    let ssv = SharedSecret::generate(&mut rng);
    let sed = kms.encapsulate(&id, &ssv).unwrap();

    c.bench_function("sakke_extract", |b| b.iter(|| master.extract(&id)));
    c.bench_function("sakke_validate", |b| {
        b.iter_batched(
            || ReceiverSecretKey::from_bytes(&*rsk).unwrap(),
            |rsk| rsk.validate(&id, &kms),
            BatchSize::SmallInput,
        )
    });
    c.bench_function("sakke_encapsulate", |b| b.iter(|| kms.encapsulate(&id, &ssv)));
    c.bench_function("sakke_decapsulate", |b| b.iter(|| receiver.decapsulate(&kms, &sed)));
    c.bench_function("sakke_public_key_from_bytes", |b| b.iter(|| PublicKey::from_bytes(&public_key.to_bytes())));
    c.bench_function("sakke_kms_tables", |b| b.iter(|| KmsTables::new(&public_key)));
}

criterion_group!(benches, sakke);
criterion_main!(benches);
