//! Documents of a KMS that were bent on the way.

use crate::support::{ALICE, TestKms, TestStore, now};
use mikey_sakke::client;
use proptest::prelude::*;
use proptest::sample::Index;
use std::fs;
use std::sync::LazyLock;

const KMS: &str = "kms.example.org";

/// `init` and `keyprov` of Alice.
static DOCUMENTS: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| {
    let kms = TestKms::new(KMS).serving(&["example.org"]);
    [kms.init(kms.certificate()), kms.key_prov(vec![kms.key_set(ALICE, kms.period_now())])]
});

#[derive(Clone, Debug)]
enum Mutation {
    Flip { at: Index, bit: u8 },
    Truncate { at: Index },
    Remove { at: Index, len: usize },
    Insert { at: Index, octets: Vec<u8> },
    Repeat { from: Index, len: usize, at: Index },
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let index = any::<Index>;
    prop_oneof![
        6 => (index(), 0..8u8).prop_map(|(at, bit)| Mutation::Flip { at, bit }),
        1 => index().prop_map(|at| Mutation::Truncate { at }),
        2 => (index(), 1..40usize).prop_map(|(at, len)| Mutation::Remove { at, len }),
        2 => (index(), prop::collection::vec(any::<u8>(), 1..8)).prop_map(|(at, octets)| Mutation::Insert { at, octets }),
        2 => (index(), "[0-9a-zA-Z<>/:&\"= ]{1,4}").prop_map(|(at, text)| Mutation::Insert { at, octets: text.into() }),
        1 => (index(), 1..200usize, index()).prop_map(|(from, len, at)| Mutation::Repeat { from, len, at }),
    ]
}

impl Mutation {
    fn apply(&self, document: &mut Vec<u8>) {
        if document.is_empty() {
            return;
        }
        let len = document.len();
        match self {
            Self::Flip { at, bit } => document[at.index(len)] ^= 1 << bit,
            Self::Truncate { at } => document.truncate(at.index(len)),
            Self::Remove { at, len: count } => {
                let at = at.index(len);
                document.drain(at..len.min(at + count));
            }
            Self::Insert { at, octets } => {
                let at = at.index(len);
                document.splice(at..at, octets.iter().copied());
            }
            Self::Repeat { from, len: count, at } => {
                let (from, at) = (from.index(len), at.index(len));
                let part = document[from..len.min(from + count)].to_vec();
                document.splice(at..at, part);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn bent_documents_bring_the_true_keys_or_nothing(
        which in 0..2usize,
        mutations in prop::collection::vec(mutation(), 1..3),
    ) {
        let mut documents = DOCUMENTS.clone();
        for mutation in &mutations {
            mutation.apply(&mut documents[which]);
        }
        let mut made = TestStore::empty();
        let file = made.folder.path().join("keys.sealed");
        let before = fs::read(&file).unwrap();
        let [init, keyprov] = &documents;
        if client::import(&mut made.store, init, keyprov, now()).is_err() {
            prop_assert!(made.store.key_sets().is_empty() && made.store.kms_list().is_empty());
            prop_assert_eq!(fs::read(&file).unwrap(), before);
            return Ok(());
        }
        let mut original = TestStore::empty();
        let [init, keyprov] = &*DOCUMENTS;
        client::import(&mut original.store, init, keyprov, now()).unwrap();
        prop_assert_eq!(made.store.key_sets(), original.store.key_sets());
        prop_assert_eq!(made.store.kms_list(), original.store.kms_list());
        let [found, expected] = [made, original].map(|mut made| made.store.key_set_at(ALICE, KMS, now()).unwrap());
        prop_assert_eq!(found.uid(), expected.uid());
        prop_assert_eq!(found.rsk().to_bytes(), expected.rsk().to_bytes());
        let [found, expected] = [&found, &expected].map(|set| set.signer().key_pair());
        prop_assert_eq!(found.ssk_bytes(), expected.ssk_bytes());
        prop_assert_eq!(found.pvt_bytes(), expected.pvt_bytes());
    }
}
