//! SAKKE on one thread, on each backend: what a KMS, a sender and a receiver do, alone and in batches, and the tables that
//! they build once.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run stops at once")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mikey_sakke::arith::backend::Backend;
use mikey_sakke::batch::Threads;
use mikey_sakke::sakke::{
    Encapsulation, KmsTables, MasterSecret, PublicKey, ReceiverSecretKey, RskValidator, SharedSecret,
};
use std::hint::black_box;

const ID: [u8; 32] = [7; 32];
const BATCHES: [usize; 4] = [1, 8, 64, 512];

fn sakke(criterion: &mut Criterion) {
    for backend in Backend::available() {
        assert!(backend.force());
        single(criterion, backend);
        batches(criterion, backend);
    }
}

fn single(criterion: &mut Criterion, backend: Backend) {
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let master = MasterSecret::generate(&mut rng).unwrap();
    let public_key = master.public_key();
    let kms = KmsTables::new(&public_key);
    let validator = RskValidator::new(&public_key);
    let rsk = master.extract(&ID).unwrap().to_bytes();
    let read = || ReceiverSecretKey::from_bytes(black_box(&*rsk)).unwrap();
    let validated = read().validate(&ID, &validator).unwrap();
    let receiver = validated.load();
    let ssv = SharedSecret::generate(&mut rng);
    let sed = kms.encapsulate(&ID, &ssv).unwrap().to_bytes();

    let mut group = criterion.benchmark_group(format!("sakke/{}", backend.name()));
    group.bench_function("extract", |b| b.iter(|| master.extract(black_box(&ID))));
    group.bench_function("validate", |b| b.iter(|| read().validate(&ID, &validator)));
    group.bench_function("encapsulate", |b| b.iter(|| kms.encapsulate(black_box(&ID), &ssv)));
    group.bench_function("decapsulate", |b| {
        b.iter(|| receiver.decapsulate(&kms, &Encapsulation::from_bytes(black_box(&sed)).unwrap()))
    });
    let octets = public_key.to_bytes();
    group.bench_function("public key from bytes", |b| b.iter(|| PublicKey::from_bytes(black_box(&octets))));
    group.bench_function("KMS tables", |b| b.iter(|| KmsTables::new(black_box(&public_key))));
    group.bench_function("RSK validator", |b| b.iter(|| RskValidator::new(black_box(&public_key))));
    group.bench_function("load", |b| b.iter(|| validated.load()));
    group.finish();
}

fn batches(criterion: &mut Criterion, backend: Backend) {
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let master = MasterSecret::generate(&mut rng).unwrap();
    let public_key = master.public_key();
    let kms = KmsTables::new(&public_key);
    let receiver = master.extract(&ID).unwrap().validate(&ID, &RskValidator::new(&public_key)).unwrap().load();
    let ssv = SharedSecret::generate(&mut rng);

    let mut group = criterion.benchmark_group(format!("sakke batch/{}", backend.name()));
    group.sample_size(10);
    for size in BATCHES {
        let ids: Vec<[u8; 8]> = (0..size as u64).map(u64::to_be_bytes).collect();
        let seds: Vec<_> =
            ids.iter().map(|_| kms.encapsulate(&ID, &SharedSecret::generate(&mut rng)).unwrap()).collect();
        group.throughput(Throughput::Elements(size as u64));
        group.bench_with_input(BenchmarkId::new("extract", size), &ids, |b, ids| {
            b.iter(|| master.extract_batch(ids, Threads::ONE))
        });
        group.bench_with_input(BenchmarkId::new("encapsulate", size), &ids, |b, ids| {
            b.iter(|| kms.encapsulate_batch(ids, &ssv, Threads::ONE))
        });
        group.bench_with_input(BenchmarkId::new("decapsulate", size), &seds, |b, seds| {
            b.iter(|| receiver.decapsulate_batch(&kms, seds, Threads::ONE))
        });
    }
    group.finish();
}

criterion_group!(benches, sakke);
criterion_main!(benches);
