//! Random numbers, public and secret.

use crate::secrecy;
use rand_core::{Infallible, TryCryptoRng, TryRng};

/// A fixed sequence (SplitMix64), so that a run repeats.
#[derive(Clone)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A source with a sequence of its own.
    pub fn split(&mut self) -> Random {
        Random(self.word())
    }
}

/// The two kinds of runs whose times are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    First,
    Second,
}

impl Class {
    pub const BOTH: [Class; 2] = [Class::First, Class::Second];

    pub fn random(random: &mut Random) -> Class {
        Class::BOTH[(random.word() & 1) as usize]
    }
}

/// The source of an operation's secrets: what it gives is marked secret.
///
/// In the first class every draw is the number 2 (or 3), which is as far from random as a secret may be; in the second
/// class draws are random. Both take the same time.
pub struct Secrets {
    random: Random,
    randomness: u8,
    /// The length of a number, where many are drawn at once.
    number_len: usize,
}

impl Secrets {
    pub fn of(class: Class, random: &mut Random) -> Secrets {
        let randomness = if class == Class::First { 0 } else { 0xff };
        Secrets { random: random.split(), randomness, number_len: usize::MAX }
    }

    /// The source of many numbers of so many octets, which may be drawn at once.
    pub fn in_numbers(self, number_len: usize) -> Secrets {
        Secrets { number_len, ..self }
    }

    pub fn octets<const N: usize>(&mut self) -> [u8; N] {
        let mut octets = [0; N];
        self.fill(&mut octets);
        octets
    }

    fn fill(&mut self, out: &mut [u8]) {
        let mask = std::hint::black_box(self.randomness);
        for octet in &mut *out {
            *octet = self.random.word() as u8 & mask;
        }
        // Many numbers are 2 and 3 in turn, since a source that repeats itself is refused.
        for (number, two_or_three) in out.chunks_mut(self.number_len).zip([2, 3].into_iter().cycle()) {
            if let Some(last) = number.last_mut() {
                *last |= two_or_three & !mask;
            }
        }
        secrecy::hide(out);
    }
}

impl TryRng for Secrets {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_be_bytes(self.octets()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_be_bytes(self.octets()))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.fill(out);
        Ok(())
    }
}

impl TryCryptoRng for Secrets {}
