//! ECCSI on one thread, on each backend, alone and in batches: every operation with a key that was not seen before, unless
//! its name says otherwise.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run stops at once")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mikey_sakke::arith::backend::Backend;
use mikey_sakke::batch::Threads;
use mikey_sakke::eccsi::{KeyPair, KmsTables, KnownSigner, MasterSecret, Signature, Signed};
use std::hint::black_box;

const ID: &[u8] = b"2011-02\0tel:+447700900123\0";
const MESSAGE: &[u8] = &[0x5a; 512];
const BATCHES: [usize; 4] = [1, 8, 64, 512];

fn eccsi(criterion: &mut Criterion) {
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
    let pair = master.extract_random(ID, &mut rng).unwrap();
    let (ssk, pvt) = (pair.ssk_bytes(), pair.pvt_bytes());
    let key = pair.validate(ID, &kms).unwrap();
    let signature = key.sign(MESSAGE, &mut rng).unwrap().to_bytes();

    let mut group = criterion.benchmark_group(format!("eccsi/{}", backend.name()));
    group.bench_function("extract", |b| b.iter(|| master.extract_random(black_box(ID), &mut rng).unwrap()));
    group.bench_function("validate", |b| {
        b.iter(|| KeyPair::from_bytes(black_box(&*ssk), &pvt).unwrap().validate(ID, &kms).unwrap())
    });
    group.bench_function("sign", |b| b.iter(|| key.sign(black_box(MESSAGE), &mut rng).unwrap()));
    group.bench_function("verify", |b| {
        b.iter(|| kms.verify(ID, MESSAGE, &Signature::from_bytes(black_box(&signature)).unwrap()).unwrap())
    });
    let signature = Signature::from_bytes(&signature).unwrap();
    let known = KnownSigner::new(&kms, ID, &signature).unwrap();
    group.bench_function("verify known", |b| b.iter(|| known.verify(MESSAGE, black_box(&signature)).unwrap()));
    group.bench_function("known signer", |b| b.iter(|| KnownSigner::new(&kms, ID, black_box(&signature)).unwrap()));
    group.bench_function("KMS tables", |b| b.iter(|| KmsTables::new(black_box(&public_key))));
    group.finish();
}

fn batches(criterion: &mut Criterion, backend: Backend) {
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let master = MasterSecret::generate(&mut rng).unwrap();
    let kms = KmsTables::new(&master.public_key());
    let key = master.extract_random(ID, &mut rng).unwrap().validate(ID, &kms).unwrap();

    let mut group = criterion.benchmark_group(format!("eccsi batch/{}", backend.name()));
    for size in BATCHES {
        let ids: Vec<[u8; 8]> = (0..size as u64).map(u64::to_be_bytes).collect();
        let signatures: Vec<_> = ids.iter().map(|id| sign_as(id, &master, &kms)).collect();
        let signed: Vec<_> =
            ids.iter().zip(&signatures).map(|(id, signature)| Signed { id, message: MESSAGE, signature }).collect();
        group.throughput(Throughput::Elements(size as u64));
        group.bench_with_input(BenchmarkId::new("extract", size), &ids, |b, ids| {
            b.iter(|| master.extract_random_batch(ids, Threads::ONE, &mut rng))
        });
        group.bench_with_input(BenchmarkId::new("sign", size), &ids, |b, messages| {
            b.iter(|| key.sign_batch(messages, Threads::ONE, &mut rng))
        });
        group.bench_with_input(BenchmarkId::new("verify", size), &signed, |b, signed| {
            b.iter(|| kms.verify_batch(signed, Threads::ONE))
        });
    }
    group.finish();
}

fn sign_as(id: &[u8], master: &MasterSecret, kms: &KmsTables) -> Signature {
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    master.extract_random(id, &mut rng).unwrap().validate(id, kms).unwrap().sign(MESSAGE, &mut rng).unwrap()
}

criterion_group!(benches, eccsi);
criterion_main!(benches);
