//! Mutated messages: no panic, and none is taken for what its sender signed.

use crate::mc_support::*;
use mikey_sakke::mc::imessage::{Compatibility, IdentityMode, Incoming, Judgement, Policy, StatusZero};
use mikey_sakke::mc::{CsId, KeyParameters, KeyType};
use mikey_sakke::mikey::{Message, Partial};
use proptest::prelude::*;
use proptest::sample::Index;
use std::sync::LazyLock;

static MESSAGES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let mapped = KeyType::ALL.into_iter().filter(|key_type| CsId::first(*key_type).is_some());
    let hidden = mapped.map(mapped_message);
    let plain = KeyType::ALL.into_iter().map(|key_type| {
        let offer = offer(key_type).identity_mode(IdentityMode::Plain);
        offer.parameters(KeyParameters::live(key_type)).unwrap().build(&mut rng()).unwrap()
    });
    hidden.chain(plain).collect()
});

#[derive(Debug, Clone)]
enum Mutation {
    Flip(Index, u8),
    Truncate(Index),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        4 => (any::<Index>(), 0..8u8).prop_map(|(at, bit)| Mutation::Flip(at, bit)),
        1 => any::<Index>().prop_map(Mutation::Truncate),
        1 => (any::<Index>(), prop::collection::vec(any::<u8>(), 1..40)).prop_map(|(at, octets)| Mutation::Insert(at, octets)),
        1 => (any::<Index>(), 1..300usize).prop_map(|(at, len)| Mutation::Remove(at, len)),
        1 => (any::<Index>(), 1..300usize).prop_map(|(at, len)| Mutation::Repeat(at, len)),
    ]
}

fn mutate(message: &mut Vec<u8>, mutation: &Mutation) {
    if message.is_empty() {
        return;
    }
    match mutation {
        Mutation::Flip(at, bit) => {
            let at = at.index(message.len());
            message[at] ^= 1 << bit;
        }
        Mutation::Truncate(at) => message.truncate(at.index(message.len())),
        Mutation::Insert(at, octets) => {
            let at = at.index(message.len());
            message.splice(at..at, octets.iter().copied());
        }
        Mutation::Remove(at, len) => {
            let at = at.index(message.len());
            let end = message.len().min(at + len);
            message.drain(at..end);
        }
        Mutation::Repeat(at, len) => {
            let at = at.index(message.len());
            let part = message[at..message.len().min(at + len)].to_vec();
            message.splice(at..at, part);
        }
    }
}

/// Everything excused, so that mutations reach as far as they can.
fn lenient() -> Policy {
    let compatibility = Compatibility {
        v_flag: true,
        prf_zero: true,
        srtp_id_map: true,
        uids_in_plain_roles: true,
        kms_uri_trailing_nul: true,
        unsigned_sign_header: true,
        neighbouring_periods: true,
        dropped_zeros: true,
        clear_key_parameters: true,
        status_zero: StatusZero::PossiblyLive,
    };
    Policy { compatibility, ..Policy::new(later(60)).at_any_age() }
}

/// 1500 of each, or as many as PROPTEST_CASES says: a million take some minutes.
fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").map_or(1500, |cases| cases.parse().unwrap());
    ProptestConfig { cases, failure_persistence: None, max_global_rejects: cases, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_mutated_message_is_refused(
        which in any::<Index>(),
        mutations in prop::collection::vec(mutation(), 1..4),
    ) {
        let original = which.get(&MESSAGES);
        let mut message = original.clone();
        for mutation in &mutations {
            mutate(&mut message, mutation);
        }
        prop_assume!(message != *original);
        prop_assert!(bob_opens(&message).is_err());
        prop_assert!(bob_opens_under(&message, &lenient()).is_err());
    }

    #[test]
    fn noise_is_refused(octets in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(bob_opens_under(&octets, &lenient()).is_err());
    }

    #[test]
    fn what_is_said_of_a_message_is_what_a_receiver_refuses(
        which in any::<Index>(),
        mutations in prop::collection::vec(mutation(), 0..4),
    ) {
        let mut octets = which.get(&MESSAGES).clone();
        mutations.iter().for_each(|mutation| mutate(&mut octets, mutation));
        let partial = Partial::parse(&octets);
        let message = match Message::parse(&octets) {
            Ok(message) => message,
            Err(error) => {
                prop_assert_eq!(partial.fault.map(|fault| fault.error), Some(error));
                return Ok(());
            }
        };
        prop_assert_eq!(partial.fault, None);
        prop_assert_eq!(&partial.payloads, &message.payloads);
        let judgement = Judgement::of(&message);
        prop_assert!(judgement.refusals.iter().all(|refusal| refusal.clause().is_some()));
        match Incoming::parse(&octets) {
            Ok(incoming) => {
                prop_assert_eq!(judgement.refusals, vec![]);
                prop_assert_eq!(judgement.deviations, incoming.deviations());
            }
            Err(error) => prop_assert!(judgement.refusals.contains(&error), "{} {:?}", error, judgement),
        }
    }
}

#[test]
fn the_messages_that_are_mutated_open() {
    for message in MESSAGES.iter() {
        bob_opens(message).unwrap();
    }
}

#[test]
fn every_truncation_is_refused() {
    for message in MESSAGES.iter().take(2) {
        for len in 0..message.len() {
            assert!(bob_opens_under(&message[..len], &lenient()).is_err(), "{len} octets");
        }
    }
}

#[test]
fn every_flipped_bit_of_a_message_is_refused() {
    let message = &MESSAGES[0];
    for bit in 0..8 * message.len() {
        let mut flipped = message.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(bob_opens_under(&flipped, &lenient()).is_err(), "bit {bit}");
    }
}
