//! SAKKE on one thread: what a KMS, a sender and a receiver do, and the tables that they build once.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run stops at once")]

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use mikey_sakke::sakke::{KmsTables, MasterSecret, PublicKey, ReceiverSecretKey, RskValidator, SharedSecret};

fn sakke(criterion: &mut Criterion) {
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let id = [7; 32];
    let master = MasterSecret::generate(&mut rng);
    let public_key = master.public_key();
    let kms = KmsTables::new(&public_key);
    let rsk = master.extract(&id).unwrap().to_bytes();
    let validator = RskValidator::new(&public_key);
    let key = ReceiverSecretKey::from_bytes(&*rsk).unwrap().validate(&id, &validator).unwrap();
    let receiver = key.load();
    let ssv = SharedSecret::generate(&mut rng);
    let sed = kms.encapsulate(&id, &ssv).unwrap();

    let mut group = criterion.benchmark_group("sakke");
    group.bench_function("extract", |b| b.iter(|| master.extract(&id)));
    group.bench_function("validate", |b| {
        b.iter_batched(
            || ReceiverSecretKey::from_bytes(&*rsk).unwrap(),
            |rsk| rsk.validate(&id, &validator),
            BatchSize::SmallInput,
        )
    });
    group.bench_function("encapsulate", |b| b.iter(|| kms.encapsulate(&id, &ssv)));
    group.bench_function("decapsulate", |b| b.iter(|| receiver.decapsulate(&kms, &sed)));
    group.bench_function("public key from bytes", |b| b.iter(|| PublicKey::from_bytes(&public_key.to_bytes())));
    group.bench_function("load", |b| b.iter(|| key.load()));
    group.bench_function("rsk validator", |b| b.iter(|| RskValidator::new(&public_key)));
    group.bench_function("kms tables", |b| b.iter(|| KmsTables::new(&public_key)));
    group.finish();
}

criterion_group!(benches, sakke);
criterion_main!(benches);
