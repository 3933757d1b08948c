//! Leaks made on purpose: each must be found, or a check that finds nothing says nothing.
#![allow(clippy::unwrap_used, reason = "an operation that fails was not checked")]

use crate::memcheck::{ADDRESS, BRANCH, Place, Report};
use crate::operation::{Operation, Run};
use crate::operations::{ID, MESSAGE, eccsi_pair};
use crate::random::{Class, Random, Secrets};
use crate::secrecy::{hide, publish};
use mikey_sakke::arith::supersingular::Fp;
use mikey_sakke::eccsi::{self, Signature};
use std::hint::black_box;
use std::rc::Rc;

/// A leak made on purpose, and what must be reported of it.
pub struct Planted {
    pub operation: Operation,
    kind: &'static str,
    /// In the line that leaks: of this file, or of what it calls.
    code: &'static str,
    file: &'static str,
}

const THIS_FILE: &str = "constant-time/src/planted.rs";

pub const PLANTED: &[Planted] = &[
    Planted { operation: LEAKING_BRANCH, kind: BRANCH, code: "if secret", file: THIS_FILE },
    Planted { operation: LEAKING_INDEX, kind: ADDRESS, code: "table[secret", file: THIS_FILE },
    Planted { operation: LEAKING_VARTIME, kind: BRANCH, code: "", file: "src/arith/p256/" },
];

impl Planted {
    /// Whether the report is about this leak.
    pub fn is_in(&self, leak: &Report) -> bool {
        let is_planted = |place: &Place| place.file.starts_with(self.file) && place.code.contains(self.code);
        leak.kind == self.kind && leak.places.iter().any(is_planted)
    }
}

const LEAKING_BRANCH: Operation =
    Operation { name: "planted_branch", classes: ["an even secret", "a random secret"], set_up: |_| Box::new(branch) };

const LEAKING_INDEX: Operation = Operation {
    name: "planted_index",
    classes: ["the secret 2", "a random secret"],
    set_up: |_| {
        let table: Rc<[u8; TABLE_LEN]> = Rc::<[u8]>::from(vec![1; TABLE_LEN]).try_into().unwrap();
        Box::new(move |class, random| index(table.clone(), class, random))
    },
};

const LEAKING_VARTIME: Operation = Operation {
    name: "planted_vartime",
    classes: ["a signature with j = 2", "with a random j"],
    set_up: |random| {
        let (kms, pair) = eccsi_pair(Class::Second, random);
        let key = Rc::new(pair.validate(&ID, &kms).unwrap());
        let kms = Rc::new(kms);
        Box::new(move |class, random| vartime(kms.clone(), key.clone(), class, random))
    },
};

const TABLE_LEN: usize = 1 << 24;

/// Multiplies once more if the secret is odd.
fn branch(class: Class, random: &mut Random) -> Run {
    let [secret] = Secrets::of(class, random).octets();
    Box::new(move || {
        let mut product = Fp::ONE;
        for _ in 0..100 {
            product = multiply(product);
        }
        if secret & 1 == 1 {
            product = multiply(product);
        }
        black_box(product);
    })
}

#[inline(never)]
fn multiply(factor: Fp) -> Fp {
    black_box(factor) * factor
}

/// Looks a secret up in a table that is larger than the caches.
fn index(table: Rc<[u8; TABLE_LEN]>, class: Class, random: &mut Random) -> Run {
    let secret = u32::from_be_bytes(Secrets::of(class, random).octets());
    Box::new(move || {
        black_box(table[secret as usize % TABLE_LEN]);
    })
}

/// Gives a secret to a function of the library that takes public values alone.
fn vartime(kms: Rc<eccsi::KmsTables>, key: Rc<eccsi::SigningKey>, class: Class, random: &mut Random) -> Run {
    let mut octets = publish(key.sign(&MESSAGE, &mut Secrets::of(class, random)).unwrap().to_bytes());
    hide(&mut octets);
    Box::new(move || {
        let signature = Signature::from_bytes(&octets).unwrap();
        kms.verify(&ID, &MESSAGE, &signature).unwrap();
    })
}
