//! That no secret stays behind in memory that was freed: every block is searched for known secrets when it is.
#![cfg(feature = "std")]
#![allow(unsafe_code, reason = "an allocator is unsafe")]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::sync::Mutex;

use mikey_sakke::arith::backend::Backend;
use mikey_sakke::batch::Threads;
use mikey_sakke::{eccsi, sakke};
use num_bigint::BigUint;

const ITEMS: usize = 20;
/// p of RFC 6509 Appendix A.
const CHARACTERISTIC: &str = "\
    997abb1f0a563fda65c61198dad0657a416c0ce19cb48261be9ae358b3e01a2ef40aab27e2fc0f1b228730d531a59cb0\
    e791b39ff7c88a19356d27f4a666a6d0e26c6487326b4cd4512ac5cd65681ce1b6aff4a831852a82a7cf3c521c3c09aa\
    9f94d6af56971f1ffce3e82389857db080c5df10ac7ace87666d807afea85feb";
/// q of P-256.
const P256_ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

struct Searching;

thread_local! {
    /// Starts of the secrets that are looked for on this thread.
    static SECRETS: RefCell<Vec<(&'static str, [u8; 16])>> = const { RefCell::new(Vec::new()) };
    static SEARCHES: Cell<bool> = const { Cell::new(false) };
    static FOUND: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

fn search(block: *const u8, len: usize) {
    if !SEARCHES.try_with(Cell::get).unwrap_or(false) {
        return;
    }
    SEARCHES.set(false);
    // SAFETY: the block is still allocated, and was filled when it was.
    let octets = unsafe { std::slice::from_raw_parts(block, len) };
    SECRETS.with_borrow(|secrets| {
        let first = |octets: &[u8], secret: &[u8; 16]| octets.windows(16).any(|window| window == secret);
        let found = secrets.iter().filter(|(_, secret)| first(octets, secret)).map(|(name, _)| *name);
        FOUND.with_borrow_mut(|all| all.extend(found));
    });
    SEARCHES.set(true);
}

// SAFETY: the system's allocator, which only fills and reads the blocks that it gave.
unsafe impl GlobalAlloc for Searching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as for the caller.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        search(block, layout.size());
        // SAFETY: as for the caller.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Searching = Searching;

/// Which of the secrets the operation left behind.
fn left_by<T>(secrets: &[(&'static str, [u8; 16])], operation: impl FnOnce() -> T) -> Vec<&'static str> {
    SECRETS.set(secrets.to_vec());
    SEARCHES.set(true);
    drop(operation());
    SEARCHES.set(false);
    FOUND.take()
}

fn start(octets: &[u8]) -> [u8; 16] {
    octets[..16].try_into().unwrap()
}

/// A number as the limbs of 64 bits keep it: a 2^bits mod m, least significant octets first.
fn in_memory(number: &[u8], bits: usize, modulus: &str) -> [u8; 16] {
    let modulus = BigUint::parse_bytes(modulus.as_bytes(), 16).unwrap();
    start(&((BigUint::from_bytes_be(number) << bits) % modulus).to_bytes_le())
}

/// One test at a time forces a backend.
static BACKEND: Mutex<()> = Mutex::new(());

#[test]
fn the_search_finds_what_is_left() {
    let secrets = [("secret", [0x5a; 16])];
    assert_eq!(left_by(&secrets, || vec![0x5a_u8; 100]), ["secret"]);
    assert!(left_by(&secrets, || vec![0x5b_u8; 100]).is_empty());
}

#[test]
fn sakke_leaves_nothing_behind() {
    let _guard = BACKEND.lock().unwrap();
    let id = b"bob";
    let master = sakke::MasterSecret::from_bytes(&[0x13; 128]).unwrap();
    let ssv = sakke::SharedSecret::new(*b"\x01SECRET-SSV-0123");
    let of_ssv = [("SSV", *ssv.as_bytes())];
    for backend in Backend::available() {
        assert!(backend.force());
        let kms = sakke::KmsTables::new(&master.public_key());
        let validator = sakke::RskValidator::new(&master.public_key());
        let octets = master.extract(id).unwrap().to_bytes();
        let x = in_memory(&octets[1..129], 1024, CHARACTERISTIC);
        let of_key = [("RSK", x), ("octets of RSK", start(&octets[1..]))];
        let none: [&str; 0] = [];

        let what = backend.name();
        assert_eq!(left_by(&of_key, || master.extract(id)), none, "{what}");
        assert_eq!(left_by(&of_key, || master.extract_batch(&[id; ITEMS], Threads::ONE)), none, "{what}");
        let read = || sakke::ReceiverSecretKey::from_bytes(&*octets).unwrap().validate(id, &validator).unwrap();
        assert_eq!(left_by(&of_key, || read().load()), none, "{what}");

        let bob = read().load();
        let sed = kms.encapsulate(id, &ssv).unwrap();
        assert_eq!(left_by(&of_ssv, || kms.encapsulate(id, &ssv)), none, "{what}");
        assert_eq!(left_by(&of_ssv, || kms.encapsulate_batch(&[id; ITEMS], &ssv, Threads::ONE)), none, "{what}");
        assert_eq!(left_by(&of_ssv, || bob.decapsulate(&kms, &sed)), none, "{what}");
        let seds = vec![sed; ITEMS];
        assert_eq!(left_by(&of_ssv, || bob.decapsulate_batch(&kms, &seds, Threads::ONE)), none, "{what}");
    }
}

/// Always the same draw: 32 octets that are repeated.
struct Repeating;

const DRAW: [u8; 32] = [0x42; 32];

impl rand_core::TryRng for Repeating {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(0x4242_4242)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(0x4242_4242_4242_4242)
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        out.fill(0x42);
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Repeating {}

#[test]
fn eccsi_leaves_nothing_behind() {
    let _guard = BACKEND.lock().unwrap();
    let id = b"alice";
    let master = eccsi::MasterSecret::from_bytes(&[0x33; 32]).unwrap();
    let pair = || master.extract(id, &DRAW).unwrap();
    let ssk = pair().ssk_bytes();
    let in_memory = |octets: &[u8]| in_memory(octets, 256, P256_ORDER);
    let secrets = [("SSK", in_memory(&*ssk)), ("octets of SSK", start(&*ssk)), ("v or j", in_memory(&DRAW))];
    for backend in Backend::available() {
        assert!(backend.force());
        let kms = eccsi::KmsTables::new(&master.public_key());
        let none: [&str; 0] = [];
        let what = backend.name();
        assert_eq!(left_by(&secrets, pair), none, "{what}");
        let extract_batch = || master.extract_random_batch(&[id; ITEMS], Threads::ONE, &mut Repeating);
        assert_eq!(left_by(&secrets, extract_batch), none, "{what}");
        let alice = pair().validate(id, &kms).unwrap();
        assert_eq!(left_by(&secrets, || alice.sign(b"message", &mut Repeating)), none, "{what}");
        let sign_batch = || alice.sign_batch(&[b"message"; ITEMS], Threads::ONE, &mut Repeating);
        assert_eq!(left_by(&secrets, sign_batch), none, "{what}");
    }
}
