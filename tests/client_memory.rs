//! What a client takes in memory: it must fit a small device.
#![cfg(all(feature = "client", target_os = "linux"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure of the test")]

#[path = "client/support.rs"]
#[allow(dead_code, reason = "shared with the other tests of the client")]
mod support;

use mikey_sakke::client::{self, AcceptOptions, OfferRequest, Store, StoreOptions};
use mikey_sakke::mc::KeyType;
use std::path::Path;
use std::process::Command;
use std::{env, fs};
use support::{ALICE, BOB, TestKms, TestStore, now, passphrase, rng};

/// Where a process that is started to be measured finds its store.
const FOLDER: &str = "MIKEY_SAKKE_TEST_CLIENT_FOLDER";

const LIMIT_KB: u64 = 8 * 1024;

/// Names the figure of shared libraries in what such a process prints.
const LIBRARIES: &str = "Libraries:";

/// A process that opens a store with one key set and accepts a message stays below 8 MB, while the passphrase is being
/// turned into a key as well. Pages of the system's libraries, which all processes share, are not its own.
#[test]
fn a_client_with_one_key_set_stays_below_8_megabytes() {
    if let Some(folder) = env::var_os(FOLDER) {
        return accept_one(Path::new(&folder));
    }
    let kms = TestKms::new("kms.example.org");
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::create(folder.path(), &passphrase(), &StoreOptions::default()).unwrap();
    let keyprov = kms.key_prov(vec![kms.key_set(BOB, kms.period_now())]);
    client::import(&mut store, &kms.init(kms.certificate()), &keyprov, now()).unwrap();
    drop(store);
    let request = OfferRequest::new(ALICE, BOB, KeyType::Pck);
    let sent = client::offer(&mut TestStore::of(&kms, ALICE).store, &request, now(), &mut rng()).unwrap();
    fs::write(folder.path().join("message"), sent.message).unwrap();

    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "a_client_with_one_key_set_stays_below_8_megabytes", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let figure = |field: &str| -> u64 {
        let line = text.lines().find(|line| line.contains(field)).unwrap();
        line.split_whitespace().rev().nth(1).unwrap().parse().unwrap()
    };
    for field in ["VmRSS", "VmHWM"] {
        let kilobytes = figure(field) - figure(LIBRARIES);
        println!("{field}: {kilobytes} kB");
        assert!(kilobytes < LIMIT_KB, "{field}: {kilobytes} kB");
    }
}

fn accept_one(folder: &Path) {
    let message = fs::read(folder.join("message")).unwrap();
    let mut store = Store::open(folder, &passphrase(), &StoreOptions::default()).unwrap();
    client::accept(&mut store, BOB, &message, &AcceptOptions::default(), now()).unwrap();
    println!("{}", fs::read_to_string("/proc/self/status").unwrap());
    println!("{LIBRARIES} {} kB", resident_libraries(&fs::read_to_string("/proc/self/smaps").unwrap()));
}

/// Kilobytes of shared libraries that are resident, by the text of `/proc/self/smaps`.
fn resident_libraries(mappings: &str) -> u64 {
    let mut of_library = false;
    let mut kilobytes = 0;
    for line in mappings.lines() {
        match line.strip_prefix("Rss:") {
            Some(resident) if of_library => {
                kilobytes += resident.split_whitespace().next().unwrap().parse::<u64>().unwrap()
            }
            Some(_) => {}
            None if line.split_whitespace().next().is_some_and(|range| range.contains('-')) => {
                of_library = line.contains(".so");
            }
            None => {}
        }
    }
    kilobytes
}
