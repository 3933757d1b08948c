//! What a receiver of I_MESSAGEs spends on one: reading it, and refusing it for what costs no arithmetic.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run stops at once")]

use criterion::{Criterion, criterion_group, criterion_main};
use mikey_sakke::mc::imessage::{Incoming, Offer, Policy, Receiver};
use mikey_sakke::mc::{Error, IdentityForm, KeyId, KeyParameters, KeyPeriods, KeySet, KeyType, Kms, PeriodEpoch};
use mikey_sakke::mikey::{Message, NtpTime};
use mikey_sakke::replay::{ReplayCache, Seen};
use mikey_sakke::{eccsi, sakke};
use std::hint::black_box;

const ALICE: &str = "sip:gms@example.org";
const BOB: &str = "sip:bob@example.org";
const CAROL: &str = "sip:carol@example.org";

fn receiving(criterion: &mut Criterion) {
    let now = NtpTime::from_unix(1_790_000_000);
    let [alice, bob, carol] = users([ALICE, BOB, CAROL], now);
    let message = gmk_message(&alice, now);
    let of = |user| Receiver { key_sets: user, kmss: &[], initiator: None, key_type: None };
    let kmss = [alice.kms()];
    let (bob, carol) = ([&bob], [&carol]);
    let bob = Receiver { kmss: &kmss, ..of(&bob) };
    let carol = Receiver { kmss: &kmss, ..of(&carol) };
    let late = Policy::new(NtpTime::from_unix(1_790_001_000));
    let timely = Policy::new(now);

    let replays = full_of(&message);

    let mut group = criterion.benchmark_group("imessage");
    group.bench_function("parse", |b| b.iter(|| Message::parse(black_box(&message)).unwrap()));
    group.bench_function("judge shape", |b| b.iter(|| Incoming::parse(black_box(&message)).unwrap()));
    group.bench_function("refuse a replay", |b| b.iter(|| assert_eq!(look_up(&message, &replays), Seen::Before)));
    group.bench_function("refuse another time", |b| {
        b.iter(|| assert!(matches!(verify(&message, &bob, &late), Err(Error::TooOld { .. }))));
    });
    group.bench_function("refuse another recipient", |b| {
        b.iter(|| assert!(matches!(verify(&message, &carol, &timely), Err(Error::NotForMe { .. }))));
    });
    group.bench_function("verify", |b| b.iter(|| verify(&message, &bob, &timely).unwrap()));
    group.finish();
}

/// Reads a message and asks a replay cache for it, as a receiver does before anything dear.
fn look_up(message: &[u8], replays: &ReplayCache) -> Seen {
    let incoming = Incoming::parse(black_box(message)).unwrap();
    replays.look_up(incoming.time().seconds(), incoming.replay_tag())
}

/// A replay cache with this message among as many as it holds, all of one second.
fn full_of(message: &[u8]) -> ReplayCache {
    let incoming = Incoming::parse(message).unwrap();
    let time = incoming.time().seconds();
    let mut replays = ReplayCache::default();
    for number in 0..65_535_u32 {
        let mut tag = [0; 32];
        tag.chunks_mut(4).for_each(|part| part.copy_from_slice(&number.wrapping_mul(0x9e37_79b1).to_be_bytes()));
        let _ = replays.insert(time, tag, 0);
    }
    let _ = replays.insert(time, incoming.replay_tag(), 0);
    replays
}

fn verify(message: &[u8], receiver: &Receiver<'_>, policy: &Policy) -> Result<(), Error> {
    Incoming::parse(black_box(message))?.verify(receiver, policy).map(|_| ())
}

fn users<const N: usize>(uris: [&str; N], now: NtpTime) -> [KeySet; N] {
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let (decryption, signing) =
        (sakke::MasterSecret::generate(&mut rng).unwrap(), eccsi::MasterSecret::generate(&mut rng).unwrap());
    let periods = KeyPeriods::new(2_592_000, 0, PeriodEpoch::Ntp).unwrap();
    let (enc, auth) = (decryption.public_key(), signing.public_key());
    let kms = Kms::new("kms.example.org", &enc, &auth, periods, IdentityForm::Raw);
    let period = periods.number_at(now).unwrap();
    uris.map(|uri| {
        let identity = kms.identity(&kms.uid(uri, period).unwrap());
        let rsk = decryption.extract(identity.as_bytes()).unwrap();
        let pair = signing.extract_random(identity.as_bytes(), &mut rng).unwrap();
        KeySet::validate(&kms, uri, period, rsk, pair).unwrap()
    })
}

fn gmk_message(initiator: &KeySet, now: NtpTime) -> Vec<u8> {
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let (gmk, gmk_id) = (sakke::SharedSecret::generate(&mut rng), KeyId::generate(KeyType::Gmk, &mut rng));
    let groups = vec!["sip:fire@example.org".into(), "sip:ems@example.org".into()];
    let parameters = KeyParameters { groups, ..KeyParameters::live(KeyType::Gmk) };
    let offer = Offer::new(initiator, BOB, initiator.kms(), gmk_id, gmk, now, [0x2a; 16]).unwrap();
    offer.parameters(parameters).unwrap().build(&mut rng).unwrap()
}

criterion_group!(benches, receiving);
criterion_main!(benches);
