//! The sealed format, which files of earlier versions must keep opening under.

use mikey_sakke::sealing::{self, Error, KdfParameters, Passphrase, SealingKey};

/// Made by an independent program (Python's `cryptography`): 32 KiB, 2 passes, 2 lanes, salt 00..0f, nonce a0..ab.
const GOLDEN: &str = "4d535345414c454401000000000000200000000200000002000102030405060708090a0b0c0d0e0f\
                      0d05c49b814be0b3067256b7b1f74ee3a0a1a2a3a4a5a6a7a8a9aaab\
                      3a3078fc5c68282268d7d3f8568a28b98b4aafec14079a67887fc3c46f1f1cde";

fn golden() -> Vec<u8> {
    (0..GOLDEN.len()).step_by(2).map(|at| u8::from_str_radix(&GOLDEN[at..at + 2], 16).unwrap()).collect()
}

fn passphrase() -> Passphrase {
    Passphrase::new("golden passphrase".into()).unwrap()
}

#[test]
fn what_another_program_sealed_opens() {
    assert_eq!(*sealing::open(&passphrase(), b"golden context", &golden()).unwrap(), b"golden plaintext");
    let key = SealingKey::of_sealed(&passphrase(), &golden()).unwrap();
    assert_eq!(key.parameters(), KdfParameters::new(32, 2, 2).unwrap());
}

#[test]
fn what_does_not_fit_has_an_error_of_its_own() {
    let other = Passphrase::new("golden passphrase ".into()).unwrap();
    assert!(matches!(sealing::open(&other, b"golden context", &golden()), Err(Error::WrongPassphrase)));
    assert!(matches!(sealing::open(&passphrase(), b"golden contex", &golden()), Err(Error::Damaged)));
    assert!(matches!(sealing::open(&passphrase(), b"golden context", &golden()[..83]), Err(Error::Truncated { .. })));
    assert!(matches!(sealing::open(&passphrase(), b"golden context", &golden()[..99]), Err(Error::Damaged)));
    assert!(matches!(sealing::open(&passphrase(), b"golden context", &golden()[1..]), Err(Error::NotSealed)));
}

#[test]
fn the_everyday_functions_use_the_default_parameters() {
    let sealed = sealing::seal(&passphrase(), b"context", b"plaintext").unwrap();
    let key = SealingKey::of_sealed(&passphrase(), &sealed).unwrap();
    assert_eq!(key.parameters(), KdfParameters::default());
    assert_eq!(KdfParameters::default(), KdfParameters::new(65536, 3, 1).unwrap());
    assert_eq!(*key.open(b"context", &sealed).unwrap(), b"plaintext");
}
