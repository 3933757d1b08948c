//! That no secret stays behind in memory that was freed. Every block is searched for known secrets when it is freed; and
//! where an operation publishes nothing, it is run with two secrets, and has to leave the same octets behind.
#![cfg(feature = "std")]
#![allow(unsafe_code, reason = "an allocator is unsafe")]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::sync::{Mutex, PoisonError};

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

/// The start of a secret: two words of eight octets, and how far the second is from the first.
#[derive(Clone, Copy)]
struct Start {
    of: &'static str,
    words: [[u8; 8]; 2],
    stride: usize,
}

thread_local! {
    /// What is looked for on this thread.
    static SECRETS: RefCell<Vec<Start>> = const { RefCell::new(Vec::new()) };
    static SEARCHES: Cell<bool> = const { Cell::new(false) };
    static FOUND: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
    static COLLECTS: Cell<bool> = const { Cell::new(false) };
    static LEFT: RefCell<Vec<Vec<u64>>> = const { RefCell::new(Vec::new()) };
}

fn search(block: *const u8, len: usize) {
    if !SEARCHES.try_with(Cell::get).unwrap_or(false) {
        return;
    }
    SEARCHES.set(false);
    // SAFETY: the block is still allocated, and was filled when it was.
    let octets = unsafe { std::slice::from_raw_parts(block, len) };
    SECRETS.with_borrow(|secrets| {
        let found = secrets.iter().filter(|start| start.is_in(octets)).map(|start| start.of);
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
        collect(block, layout.size());
        // SAFETY: as for the caller.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Searching = Searching;

fn collect(block: *const u8, len: usize) {
    if !COLLECTS.try_with(Cell::get).unwrap_or(false) {
        return;
    }
    COLLECTS.set(false);
    // SAFETY: the block is still allocated, and was filled when it was.
    let octets = unsafe { std::slice::from_raw_parts(block, len) };
    let words = octets.chunks(8).map(|word| word.iter().fold(0, |sum, &octet| sum << 8 | u64::from(octet)));
    LEFT.with_borrow_mut(|left| left.push(words.collect()));
    COLLECTS.set(true);
}

impl Start {
    fn is_in(&self, octets: &[u8]) -> bool {
        let [first, second] = &self.words;
        octets.windows(self.stride + 8).any(|window| window.starts_with(first) && window.ends_with(second))
    }
}

/// Which of the secrets the operation left behind.
fn left_by<T>(secrets: &[Start], operation: impl FnOnce() -> T) -> Vec<&'static str> {
    SECRETS.set(secrets.to_vec());
    SEARCHES.set(true);
    drop(operation());
    SEARCHES.set(false);
    FOUND.take()
}

fn start(of: &'static str, octets: &[u8]) -> Start {
    Start { of, words: [octets[..8].try_into().unwrap(), octets[8..16].try_into().unwrap()], stride: 8 }
}

/// What the operation leaves behind: its freed blocks, in their order.
fn left_behind<T>(operation: impl FnOnce() -> T) -> Vec<Vec<u64>> {
    COLLECTS.set(true);
    drop(operation());
    COLLECTS.set(false);
    LEFT.take()
}

/// How many neighbouring words of what two runs left behind both differ. Addresses do not count. A word alone does not
/// either: where a value has unused octets, the compiler copies what the stack holds there.
fn difference(one: &[Vec<u64>], other: &[Vec<u64>]) -> usize {
    let sizes = |blocks: &[Vec<u64>]| blocks.iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(sizes(one), sizes(other));
    let is_address = |word: u64| matches!(word.swap_bytes() >> 40, 0x55 | 0x56 | 0x7e | 0x7f);
    let differ = |(one, other): (&u64, &u64)| one != other && !(is_address(*one) && is_address(*other));
    let in_block = |(one, other): (&Vec<u64>, &Vec<u64>)| {
        let words: Vec<bool> = one.iter().zip(other).map(differ).collect();
        words.windows(2).filter(|two| two[0] && two[1]).count()
    };
    one.iter().zip(other).map(in_block).sum()
}

/// A number as limbs of 64 bits keep it: a 2^bits mod m.
fn in_words(of: &'static str, number: &[u8], bits: usize, modulus: &str) -> Start {
    let modulus = BigUint::parse_bytes(modulus.as_bytes(), 16).unwrap();
    start(of, &((BigUint::from_bytes_be(number) << bits) % modulus).to_bytes_le())
}

/// A number as limbs of 52 bits keep it, one after the other or each in a vector of eight lanes: a 2^bits mod m, or up to
/// 3 m more.
fn in_lanes(of: &'static str, number: &[u8], bits: usize, modulus: &str) -> Vec<Start> {
    let modulus = BigUint::parse_bytes(modulus.as_bytes(), 16).unwrap();
    let reduced = (BigUint::from_bytes_be(number) << bits) % &modulus;
    let limb =
        |number: &BigUint, i: usize| ((number >> (52 * i)).iter_u64_digits().next().unwrap() & MASK).to_le_bytes();
    let words = (0..4u32).map(|times| [0, 1].map(|i| limb(&(&reduced + &modulus * times), i)));
    words.flat_map(|words| [8, 64].map(|stride| Start { of, words, stride })).collect()
}

/// Of a limb of 52 bits.
const MASK: u64 = (1 << 52) - 1;

/// One test at a time forces a backend.
static BACKEND: Mutex<()> = Mutex::new(());

#[test]
fn the_search_finds_what_is_left() {
    let secrets = [start("secret", &[0x5a; 16])];
    assert_eq!(left_by(&secrets, || vec![0x5a_u8; 100]), ["secret"]);
    assert!(left_by(&secrets, || vec![0x5b_u8; 100]).is_empty());
    let secrets = [Start { stride: 64, ..start("secret", &[0x5a; 16]) }];
    let lanes = |limbs: [u64; 2]| limbs.map(|limb| [0, limb, 0, 0, 0, 0, 0, 0]).to_vec();
    assert_eq!(left_by(&secrets, || lanes([0x5a5a_5a5a_5a5a_5a5a; 2])), ["secret"]);
    assert!(left_by(&secrets, || lanes([0x5a5a_5a5a_5a5a_5a5a, 0])).is_empty());
}

#[test]
fn the_comparison_finds_what_is_left() {
    let block = |secret: u64| left_behind(|| vec![0, secret, secret, secret, 7]);
    assert_eq!(difference(&block(1), &block(1)), 0);
    assert_eq!(difference(&block(1), &block(2)), 2);
}

#[test]
fn keys_leave_the_same_behind_whatever_they_are() {
    let _guard = BACKEND.lock().unwrap_or_else(PoisonError::into_inner);
    for backend in Backend::available() {
        assert!(backend.force());
        let what = backend.name();
        let ids: Vec<[u8; 2]> = (0..ITEMS as u8).map(|i| [7, i]).collect();
        let runs = [0x13, 0x1b].map(|octet| {
            let master = sakke::MasterSecret::from_bytes(&[octet; 128]).unwrap();
            let validator = sakke::RskValidator::new(&master.public_key());
            let octets = master.extract(b"bob").unwrap().to_bytes();
            let valid =
                || sakke::ReceiverSecretKey::from_bytes(&*octets).unwrap().validate(b"bob", &validator).unwrap();
            // Tables of the generators are there already.
            valid().load();
            let ready = valid();
            let eccsi = eccsi::MasterSecret::from_bytes(&[octet; 32]).unwrap();
            [
                left_behind(|| master.extract(b"bob")),
                left_behind(|| master.extract_batch(&ids, Threads::ONE)),
                left_behind(valid),
                left_behind(|| ready.load()),
                left_behind(|| eccsi::MasterSecret::from_bytes(&[octet; 32])),
                left_behind(|| eccsi.to_bytes()),
            ]
        });
        for (number, (one, other)) in runs[0].iter().zip(&runs[1]).enumerate() {
            assert_eq!(difference(one, other), 0, "operation {number} on {what}");
        }
    }
}

#[test]
fn sakke_leaves_nothing_behind() {
    let _guard = BACKEND.lock().unwrap_or_else(PoisonError::into_inner);
    let id = b"bob";
    let master = sakke::MasterSecret::from_bytes(&[0x13; 128]).unwrap();
    let ssv = sakke::SharedSecret::new(*b"\x01SECRET-SSV-0123");
    let of_ssv = [start("SSV", ssv.as_bytes())];
    for backend in Backend::available() {
        assert!(backend.force());
        let kms = sakke::KmsTables::new(&master.public_key());
        let validator = sakke::RskValidator::new(&master.public_key());
        let octets = master.extract(id).unwrap().to_bytes();
        let mut of_key = vec![start("octets of RSK", &octets[1..])];
        for (name, coordinate) in [("x of RSK", &octets[1..129]), ("y of RSK", &octets[129..])] {
            of_key.push(in_words(name, coordinate, 1024, CHARACTERISTIC));
            of_key.extend(in_lanes(name, coordinate, 1040, CHARACTERISTIC));
        }
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

/// Two draws of 32 octets in turn, since one that is repeated is refused.
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
        for (draw, octet) in out.chunks_mut(DRAW.len()).zip([0x42, 0x43].into_iter().cycle()) {
            draw.fill(octet);
        }
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Repeating {}

#[test]
fn eccsi_leaves_nothing_behind() {
    let _guard = BACKEND.lock().unwrap_or_else(PoisonError::into_inner);
    let id = b"alice";
    let master = eccsi::MasterSecret::from_bytes(&[0x33; 32]).unwrap();
    let pair = || master.extract(id, &DRAW).unwrap();
    let ssk = pair().ssk_bytes();
    let in_words = |of, octets: &[u8]| in_words(of, octets, 256, P256_ORDER);
    let secrets = [in_words("SSK", &*ssk), start("octets of SSK", &*ssk), in_words("v or j", &DRAW)];
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
