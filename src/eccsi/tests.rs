//! Batches, known signers and what verification remembers, on every backend.

use alloc::vec::Vec;
use zeroize::Zeroizing;

use super::*;
use crate::arith::backend::on_each;
use crate::batch::Threads;

const MESSAGE: &[u8] = b"message";

fn secret(value: u64) -> [u8; SECRET_LEN] {
    let mut octets = [0; SECRET_LEN];
    octets[SECRET_LEN - 8..].copy_from_slice(&value.to_be_bytes());
    octets
}

fn rng() -> rand_core::UnwrapErr<getrandom::SysRng> {
    rand_core::UnwrapErr(getrandom::SysRng)
}

fn master() -> MasterSecret {
    MasterSecret::from_bytes(&secret(0x12345)).unwrap()
}

fn signer(kms: &KmsTables, id: &[u8]) -> SigningKey {
    master().extract_random(id, &mut rng()).unwrap().validate(id, kms).unwrap()
}

fn threads() -> [Threads; 2] {
    [Threads::ONE, Threads::SEVERAL]
}

/// A signature of another message.
fn forged(key: &SigningKey) -> Signature {
    key.sign(b"another message", &mut rng()).unwrap()
}

fn is_kept(kms: &KmsTables, id: &[u8], key: &SigningKey) -> bool {
    kms.signers().find(&kms.hs(id, &key.pair.pvt)).is_some()
}

#[test]
fn extraction_of_many_is_that_of_each() {
    on_each(|_| {
        let mut requests: Vec<_> = (0..70u64).map(|i| ([i as u8; 3], Zeroizing::new(secret(i)))).collect();
        requests.push(([99; 3], Zeroizing::new([0xff; SECRET_LEN])));
        for threads in threads() {
            let pairs = master().extract_batch(&requests, threads);
            assert_eq!(pairs.len(), requests.len());
            for ((id, v), pair) in requests.iter().zip(pairs) {
                match (pair, master().extract(id, v)) {
                    (Ok(pair), Ok(expected)) => {
                        assert_eq!(pair.pvt_bytes(), expected.pvt_bytes());
                        assert_eq!(*pair.ssk_bytes(), *expected.ssk_bytes());
                    }
                    (pair, expected) => {
                        assert_eq!(pair.err(), Some(Error::NonceRange));
                        assert_eq!(expected.err(), Some(Error::NonceRange));
                    }
                }
            }
        }
    });
}

#[test]
fn random_key_pairs_of_many_are_valid_and_differ() {
    on_each(|_| {
        let kms = KmsTables::new(&master().public_key());
        let ids: Vec<[u8; 2]> = (0..50).map(|i| [i, 7]).collect();
        for threads in threads() {
            let pairs = master().extract_random_batch(&ids, threads, &mut rng());
            let mut pvts: Vec<_> = pairs.iter().map(|pair| pair.as_ref().unwrap().pvt_bytes()).collect();
            for (id, pair) in ids.iter().zip(pairs) {
                assert!(pair.unwrap().validate(id, &kms).is_ok());
            }
            pvts.sort();
            pvts.dedup();
            assert_eq!(pvts.len(), ids.len());
        }
    });
}

#[test]
fn signatures_of_many_are_valid_and_verified_each_by_itself() {
    on_each(|_| {
        let kms = KmsTables::new(&master().public_key());
        let keys = [signer(&kms, b"alice"), signer(&kms, b"bob")];
        let messages: Vec<[u8; 5]> = (0..40).map(|i| [i; 5]).collect();
        for threads in threads() {
            let mut signatures = Vec::new();
            for key in &keys {
                signatures.extend(key.sign_batch(&messages, threads, &mut rng()).into_iter().map(Result::unwrap));
            }
            let mut signed: Vec<_> = signatures
                .iter()
                .enumerate()
                .map(|(i, signature)| Signed {
                    id: if i < messages.len() { b"alice" } else { b"bob" },
                    message: &messages[i % messages.len()],
                    signature,
                })
                .collect();
            assert!(kms.verify_batch(&signed, threads).iter().all(Result::is_ok));
            signed[3].message = b"altered";
            signed[40].id = b"alice";
            signed[79].signature = &signatures[0];
            for (i, verdict) in kms.verify_batch(&signed, threads).into_iter().enumerate() {
                assert_eq!(verdict.is_ok(), ![3, 40, 79].contains(&i), "{i}");
                assert_eq!(verdict, kms.verify(signed[i].id, signed[i].message, signed[i].signature));
            }
        }
        assert!(kms.verify_batch(&[], Threads::ONE).is_empty());
        assert!(keys[0].sign_batch::<&[u8], _>(&[], Threads::ONE, &mut rng()).is_empty());
    });
}

#[test]
fn a_known_signer_accepts_what_it_signed_alone() {
    on_each(|_| {
        let kms = KmsTables::new(&master().public_key());
        let other_kms = KmsTables::new(&MasterSecret::from_bytes(&secret(0x777)).unwrap().public_key());
        let (key, second_key) = (signer(&kms, b"alice"), signer(&kms, b"alice"));
        let signature = key.sign(MESSAGE, &mut rng()).unwrap();
        let known = KnownSigner::new(&kms, b"alice", &signature).unwrap();
        let refused = Err(Error::SignatureInvalid);
        assert_eq!(known.verify(MESSAGE, &signature), Ok(()));
        assert_eq!(known.verify(b"other", &signature), refused);
        assert_eq!(known.verify(MESSAGE, &forged(&key)), refused);
        assert_eq!(known.verify(MESSAGE, &second_key.sign(MESSAGE, &mut rng()).unwrap()), refused);
        for message in [&b"a"[..], b"bb", b"ccc"] {
            assert_eq!(known.verify(message, &key.sign(message, &mut rng()).unwrap()), Ok(()));
        }
        assert_eq!(KnownSigner::new(&kms, b"bob", &signature).unwrap().verify(MESSAGE, &signature), refused);
        assert_eq!(KnownSigner::new(&other_kms, b"alice", &signature).unwrap().verify(MESSAGE, &signature), refused);
    });
}

#[test]
fn a_signer_is_kept_from_its_second_valid_signature_on() {
    on_each(|_| {
        let kms = KmsTables::new(&master().public_key());
        let key = signer(&kms, b"alice");
        let verify = |id: &[u8]| kms.verify(id, MESSAGE, &key.sign(MESSAGE, &mut rng()).unwrap());
        for _ in 0..3 {
            assert_eq!(verify(b"alice"), Ok(()));
        }
        assert!(!is_kept(&kms, b"alice", &key), "none is kept unless asked for");

        kms.remember_signers(4);
        for _ in 0..5 {
            assert_eq!(kms.verify(b"alice", MESSAGE, &forged(&key)), Err(Error::SignatureInvalid));
            assert_eq!(verify(b"bob"), Err(Error::SignatureInvalid));
        }
        assert_eq!(verify(b"alice"), Ok(()));
        assert!(!is_kept(&kms, b"alice", &key));
        assert_eq!(kms.verify(b"alice", MESSAGE, &forged(&key)), Err(Error::SignatureInvalid));
        assert!(!is_kept(&kms, b"alice", &key));
        assert_eq!(verify(b"alice"), Ok(()));
        assert!(is_kept(&kms, b"alice", &key));
        assert!(!is_kept(&kms, b"bob", &key));

        assert_eq!(verify(b"alice"), Ok(()));
        assert_eq!(verify(b"bob"), Err(Error::SignatureInvalid));
        assert_eq!(kms.verify(b"alice", MESSAGE, &forged(&key)), Err(Error::SignatureInvalid));
        let second_key = signer(&kms, b"alice");
        assert_eq!(kms.verify(b"alice", MESSAGE, &second_key.sign(MESSAGE, &mut rng()).unwrap()), Ok(()));
        assert!(!is_kept(&kms, b"alice", &second_key), "each PVT counts by itself");

        kms.remember_signers(0);
        assert!(!is_kept(&kms, b"alice", &key));
        assert_eq!(verify(b"alice"), Ok(()));
    });
}

/// As for a batch from one new signer.
#[test]
fn the_tables_of_a_signer_are_built_once() {
    let kms = KmsTables::new(&master().public_key());
    kms.remember_signers(4);
    let pvt = signer(&kms, b"alice").sign(MESSAGE, &mut rng()).unwrap().pvt;
    let hs = kms.hs(b"alice", &pvt);
    let built = core::cell::Cell::new(0);
    for _ in 0..5 {
        kms.signers().note(&hs, || {
            built.set(built.get() + 1);
            KnownSigner::with_hs(&kms, hs, &pvt)
        });
    }
    assert_eq!(built.get(), 1);
    assert!(kms.signers().find(&hs).is_some());
}

#[test]
fn no_more_signers_are_kept_than_asked_for() {
    let kms = KmsTables::new(&master().public_key());
    kms.remember_signers(3);
    let keys: Vec<_> = (0..6u8).map(|i| ([i], signer(&kms, &[i]))).collect();
    let verify = |(id, key): &([u8; 1], SigningKey)| {
        assert_eq!(kms.verify(id, MESSAGE, &key.sign(MESSAGE, &mut rng()).unwrap()), Ok(()));
    };
    for key in &keys {
        verify(key);
        verify(key);
        let kept = keys.iter().filter(|(id, key)| is_kept(&kms, id, key)).count();
        assert!((1..=3).contains(&kept));
        assert!(is_kept(&kms, &key.0, &key.1));
    }
    // Who signs often stays, whoever comes and goes.
    for _ in 0..3 {
        for key in &keys {
            verify(&keys[5]);
            verify(key);
        }
        assert!(is_kept(&kms, &keys[5].0, &keys[5].1));
    }
}

#[test]
fn a_batch_makes_signers_known_and_uses_them() {
    on_each(|_| {
        let kms = KmsTables::new(&master().public_key());
        kms.remember_signers(8);
        let (alice, bob) = (signer(&kms, b"alice"), signer(&kms, b"bob"));
        let signatures: Vec<_> = (0..40)
            .map(|i| if i % 10 == 0 { &bob } else { &alice }.sign(MESSAGE, &mut rng()).unwrap())
            .chain([forged(&alice)])
            .collect();
        let signed: Vec<_> = signatures
            .iter()
            .enumerate()
            .map(|(i, signature)| Signed {
                id: if i % 10 == 0 && i < 40 { b"bob" } else { b"alice" },
                message: MESSAGE,
                signature,
            })
            .collect();
        for threads in [Threads::ONE, Threads::SEVERAL, Threads::ONE] {
            let verdicts = kms.verify_batch(&signed, threads);
            assert_eq!(verdicts.len(), signed.len());
            assert!(verdicts[..40].iter().all(Result::is_ok));
            assert_eq!(verdicts[40], Err(Error::SignatureInvalid));
        }
        assert!(is_kept(&kms, b"alice", &alice) && is_kept(&kms, b"bob", &bob));
    });
}
