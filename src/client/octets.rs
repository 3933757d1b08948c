//! How octets stand in the JSON of a store: base64, and nothing of a secret left behind in freed memory.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use core::fmt;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::io;
use zeroize::Zeroizing;

/// Octets of any kind, zeroized when dropped and never shown.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Octets(Zeroizing<Vec<u8>>);

impl Octets {
    pub(super) fn new(octets: &[u8]) -> Self {
        Self(Zeroizing::new(octets.to_vec()))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Octets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Octets({})", self.0.len())
    }
}

impl Serialize for Octets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(STANDARD.encode(&*self.0)))
    }
}

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Base64;
        impl Visitor<'_> for Base64 {
            type Value = Octets;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("octets in base64")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Octets, E> {
                // The decoder's own error would name the octet that it stopped at.
                STANDARD.decode(text).map(|octets| Octets(Zeroizing::new(octets))).map_err(|_| E::custom("not base64"))
            }
        }
        deserializer.deserialize_str(Base64)
    }
}

/// A growing buffer whose outgrown copies are zeroized, for a serializer to write secrets into.
#[derive(Default)]
pub(super) struct SecretBuffer(Zeroizing<Vec<u8>>);

impl SecretBuffer {
    pub(super) fn into_inner(self) -> Zeroizing<Vec<u8>> {
        self.0
    }
}

impl io::Write for SecretBuffer {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let needed = self.0.len() + octets.len();
        if needed > self.0.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.next_power_of_two().max(4096)));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        self.0.extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn octets_survive_json_and_do_not_show() {
        let octets = Octets::new(&[0, 1, 0xfe, 0xff]);
        let json = serde_json::to_string(&octets).unwrap();
        assert_eq!(json, "\"AAH+/w==\"");
        assert_eq!(serde_json::from_str::<Octets>(&json).unwrap(), octets);
        assert_eq!(format!("{octets:?}"), "Octets(4)");
    }

    #[test]
    fn what_is_not_base64_is_refused_without_being_quoted() {
        for json in ["\"*secret*\"", "\"AAH+/w=\"", "7"] {
            let error = serde_json::from_str::<Octets>(json).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn the_buffer_keeps_everything_while_it_grows() {
        let mut buffer = SecretBuffer::default();
        let expected: Vec<u8> = (0..20_000u32).map(|number| number as u8).collect();
        for chunk in expected.chunks(777) {
            buffer.write_all(chunk).unwrap();
        }
        assert_eq!(*buffer.into_inner(), expected);
    }
}
