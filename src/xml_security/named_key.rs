use super::Error;
use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Octets of a key.
pub const KEY_LEN: usize = 32;

/// Octets that a key's name may have.
pub const MAX_NAME_LEN: usize = 320;

/// A shared key of 256 bits, and the name by which documents refer to it. `Debug` shows the name alone.
#[derive(Clone)]
pub struct NamedKey {
    name: String,
    key: Zeroizing<[u8; KEY_LEN]>,
}

impl NamedKey {
    /// A key of [`KEY_LEN`] octets. The name has 1 to [`MAX_NAME_LEN`] printable ASCII characters, no space among them.
    ///
    /// # Errors
    /// [`Error::BadKey`].
    pub fn new(name: &str, key: &[u8]) -> Result<Self, Error> {
        if !(1..=MAX_NAME_LEN).contains(&name.len()) || !name.bytes().all(|octet| octet.is_ascii_graphic()) {
            return Err(Error::BadKey("a key's name has 1 to 320 printable ASCII characters without spaces"));
        }
        let key = <&[u8; KEY_LEN]>::try_from(key).map_err(|_| Error::BadKey("a key has 32 octets"))?;
        Ok(NamedKey { name: name.to_owned(), key: Zeroizing::new(*key) })
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The octets.
    pub fn octets(&self) -> &[u8; KEY_LEN] {
        &self.key
    }
}

impl PartialEq for NamedKey {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && bool::from(self.key.as_slice().ct_eq(other.key.as_slice()))
    }
}

impl Eq for NamedKey {}

impl fmt::Debug for NamedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NamedKey").field(&self.name).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_names_have_their_lengths_and_characters() {
        assert!(NamedKey::new("tk.1.alice@example.org", &[1; 32]).is_ok());
        for (name, len) in [("", 32), ("two words", 32), ("caf\u{e9}", 32), ("k", 31), ("k", 33), ("k", 0)] {
            assert!(matches!(NamedKey::new(name, &vec![1; len]), Err(Error::BadKey(_))), "{name} {len}");
        }
        assert!(matches!(NamedKey::new(&"n".repeat(321), &[1; 32]), Err(Error::BadKey(_))));
    }

    #[test]
    fn debug_shows_the_name_alone_and_equality_looks_at_both() {
        let key = |name, octet| NamedKey::new(name, &[octet; 32]).unwrap();
        assert_eq!(format!("{:?}", key("tk.1", 0xab)), "NamedKey(\"tk.1\")");
        assert_eq!(key("a", 1), key("a", 1));
        assert_ne!(key("a", 1), key("a", 2));
        assert_ne!(key("a", 1), key("b", 1));
    }
}
