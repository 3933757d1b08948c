//! ECCSI on one thread, on each backend: every operation with a key that was not seen before, unless its name says
//! otherwise.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run stops at once")]

use criterion::{Criterion, criterion_group, criterion_main};
use mikey_sakke::arith::backend::Backend;
use mikey_sakke::eccsi::{KeyPair, KmsTables, MasterSecret, Signature};
use std::hint::black_box;

const ID: &[u8] = b"2011-02\0tel:+447700900123\0";
const MESSAGE: &[u8] = &[0x5a; 512];

fn eccsi(criterion: &mut Criterion) {
    for backend in Backend::available() {
        assert!(backend.force());
        on_backend(criterion, backend);
    }
}

fn on_backend(criterion: &mut Criterion, backend: Backend) {
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let master = MasterSecret::generate(&mut rng);
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
    group.bench_function("kms tables", |b| b.iter(|| KmsTables::new(black_box(&public_key))));
    group.finish();
}

criterion_group!(benches, eccsi);
criterion_main!(benches);
