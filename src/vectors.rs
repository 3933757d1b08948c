//! Published test vectors, kept as text under `vectors/`: lines `NAME = hex`, and comment lines that start with `#`.

use alloc::vec::Vec;

/// One file of vectors.
#[derive(Clone, Copy)]
pub(crate) struct Vectors(&'static str);

impl Vectors {
    /// The vectors of an embedded file.
    pub(crate) const fn new(text: &'static str) -> Vectors {
        Vectors(text)
    }

    /// The octets called `name`. `None` if there are none, or if what stands there is not hex.
    pub(crate) fn get(self, name: &str) -> Option<Vec<u8>> {
        let (_, hex) = self.entries().find(|(entry, _)| *entry == name)?;
        octets(hex)
    }

    /// Every name with its hex digits, in the order of the file.
    pub(crate) fn entries(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.0
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once('='))
            .map(|(name, hex)| (name.trim(), hex.trim()))
    }
}

fn octets(hex: &str) -> Option<Vec<u8>> {
    let pairs = hex.as_bytes().chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    pairs.map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

fn digit(character: u8) -> Option<u8> {
    char::from(character).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const VECTORS: Vectors = Vectors::new("# a = 00\n\nfirst = 00fF10\n second =\nodd = 123\nother = 0g\n");

    #[test]
    fn finds_names_and_decodes_either_case() {
        assert_eq!(VECTORS.get("first"), Some(vec![0, 0xff, 0x10]));
        assert_eq!(VECTORS.get("second"), Some(vec![]));
    }

    #[test]
    fn refuses_comments_missing_names_and_bad_hex() {
        for name in ["a", "# a", "absent", "odd", "other"] {
            assert_eq!(VECTORS.get(name), None, "{name}");
        }
    }

    #[test]
    fn entries_keep_the_order_of_the_file() {
        let names: Vec<_> = VECTORS.entries().map(|(name, _)| name).collect();
        assert_eq!(names, ["first", "second", "odd", "other"]);
    }
}
