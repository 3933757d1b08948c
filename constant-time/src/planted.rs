//! Leaks made on purpose: each must be found, or a check that finds nothing says nothing.
#![allow(clippy::unwrap_used, reason = "an operation that fails was not checked")]

use crate::operation::{Operation, Run};
use crate::operations::{ID, MESSAGE, eccsi_pair};
use crate::random::{Class, Random, Secrets};
use crate::secrecy::{hide, publish};
use mikey_sakke::arith::supersingular::Fp;
use mikey_sakke::eccsi::{self, Signature};
use std::hint::black_box;
use std::rc::Rc;

pub const PLANTED: [Operation; 3] = [BRANCH, INDEX, VARTIME];

pub const BRANCH: Operation =
    Operation { name: "planted_branch", classes: ["an even secret", "a random secret"], set_up: |_| Box::new(branch) };

pub const INDEX: Operation = Operation {
    name: "planted_index",
    classes: ["the secret 2", "a random secret"],
    set_up: |_| {
        let table: Rc<[u8; TABLE_LEN]> = Rc::<[u8]>::from(vec![1; TABLE_LEN]).try_into().unwrap();
        Box::new(move |class, random| index(table.clone(), class, random))
    },
};

pub const VARTIME: Operation = Operation {
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
