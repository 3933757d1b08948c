//! How many multiplications the operations take, counted while they run.
//!
//! docs/measured/multiplications.json keeps the counts for docs/performance.md. After a change of the algorithms, a run of
//! this test with the environment variable `UPDATE_MEASURED` set writes it again.

use std::fmt::Write;

use crate::arith::backend::on_each;
use crate::arith::tally::{self, Tally};
use crate::batch::Threads;
use crate::{eccsi, sakke};

const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/measured/multiplications.json");
const ID: [u8; 32] = [0x5a; 32];
const MESSAGE: [u8; 512] = [0x66; 512];
/// Items of a batch, as in the command `speed`.
const BATCH: u8 = 64;

#[test]
fn counts_are_those_of_the_documentation() {
    let mut lines = Vec::new();
    on_each(|backend| {
        for (operation, items, tally) in sakke_counts().into_iter().chain(eccsi_counts()) {
            lines.push(format!(r#"["{}", "{operation}", {}]"#, backend.name(), json(items, &tally)));
        }
    });
    if std::env::var_os("UPDATE_MEASURED").is_some() {
        std::fs::write(KEPT, format!("[\n{}\n]\n", lines.join(",\n"))).unwrap();
    }
    let kept = std::fs::read_to_string(KEPT).unwrap();
    for line in lines {
        assert!(kept.contains(&line), "multiplications.json does not say so; UPDATE_MEASURED=1 writes it: {line}");
    }
}

/// The name of an operation, on how many items it worked, and what it multiplied.
type Count = (&'static str, u8, Tally);

fn sakke_counts() -> Vec<Count> {
    let master = sakke::MasterSecret::from_bytes(&[0x11; 128]).unwrap();
    let kms = sakke::KmsTables::new(&master.public_key());
    let validator = sakke::RskValidator::new(&master.public_key());
    let rsk = master.extract(&ID).unwrap().to_bytes();
    let validate = || sakke::ReceiverSecretKey::from_bytes(&*rsk).unwrap().validate(&ID, &validator).unwrap();
    let bob = validate().load();
    let ssv = sakke::SharedSecret::new([0x22; 16]);
    let ids: Vec<[u8; 1]> = (0..BATCH).map(|i| [i]).collect();
    let sed_of = |i| kms.encapsulate(&ID, &sakke::SharedSecret::new([i; 16])).unwrap().to_bytes();
    let octets: Vec<_> = (0..BATCH).map(sed_of).collect();
    let read = |octets: &[u8; sakke::SED_LEN]| sakke::Encapsulation::from_bytes(octets).unwrap();
    let read_all = || octets.iter().map(read).collect::<Vec<_>>();
    vec![
        ("sakke_extract", 1, tally::of(|| master.extract(&ID))),
        ("sakke_extract_batch", BATCH, tally::of(|| master.extract_batch(&ids, Threads::ONE))),
        ("sakke_validate", 1, tally::of(validate)),
        ("sakke_encapsulate", 1, tally::of(|| kms.encapsulate(&ID, &ssv))),
        ("sakke_encapsulate_batch", BATCH, tally::of(|| kms.encapsulate_batch(&ids, &ssv, Threads::ONE))),
        ("sakke_decapsulate", 1, tally::of(|| bob.decapsulate(&kms, &read(&octets[0])))),
        ("sakke_decapsulate_batch", BATCH, tally::of(|| bob.decapsulate_batch(&kms, &read_all(), Threads::ONE))),
    ]
}

fn eccsi_counts() -> Vec<Count> {
    let master = eccsi::MasterSecret::from_bytes(&[0x33; 32]).unwrap();
    let kms = eccsi::KmsTables::new(&master.public_key());
    let extract = || master.extract(&ID, &[0x44; 32]).unwrap();
    let (ssk, pvt) = (extract().ssk_bytes(), extract().pvt_bytes());
    let validate = || eccsi::KeyPair::from_bytes(&*ssk, &pvt).unwrap().validate(&ID, &kms).unwrap();
    let alice = validate();
    let sign = || alice.sign_with(&MESSAGE, &[0x55; 32]).unwrap();
    let signature = sign().to_bytes();
    let read = || eccsi::Signature::from_bytes(&signature).unwrap();
    let known = eccsi::KnownSigner::new(&kms, &ID, &read()).unwrap();
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let ids: Vec<[u8; 1]> = (0..BATCH).map(|i| [i]).collect();
    let signatures: Vec<_> = (0..BATCH).map(|_| sign()).collect();
    let signed: Vec<_> =
        signatures.iter().map(|signature| eccsi::Signed { id: &ID, message: &MESSAGE, signature }).collect();
    // Tables that are made with their first use do not count.
    kms.verify_batch(&signed, Threads::ONE);
    vec![
        ("eccsi_extract", 1, tally::of(extract)),
        ("eccsi_extract_batch", BATCH, tally::of(|| master.extract_random_batch(&ids, Threads::ONE, &mut rng))),
        ("eccsi_validate", 1, tally::of(validate)),
        ("eccsi_sign", 1, tally::of(sign)),
        ("eccsi_sign_batch", BATCH, tally::of(|| alice.sign_batch(&ids, Threads::ONE, &mut rng))),
        ("eccsi_verify", 1, tally::of(|| kms.verify(&ID, &MESSAGE, &read()).unwrap())),
        ("eccsi_verify_batch", BATCH, tally::of(|| kms.verify_batch(&signed, Threads::ONE))),
        ("eccsi_verify_known", 1, tally::of(|| known.verify(&MESSAGE, &read()).unwrap())),
    ]
}

/// The shares of one item.
fn json(items: u8, tally: &Tally) -> String {
    let mut text = String::new();
    for (width, counts) in tally {
        let separator = if text.is_empty() { "" } else { ", " };
        let [products, squares, reductions] = counts.map(|count| f64::from(count) / f64::from(items));
        write!(text, r#"{separator}"{width:?}": [{products:.1}, {squares:.1}, {reductions:.1}]"#).unwrap();
    }
    format!("{{{text}}}")
}
