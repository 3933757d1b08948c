use super::Error;
use alloc::string::String;
use core::fmt;
use std::path::Path;
use std::{fs, io};
use zeroize::Zeroizing;

/// A passphrase: zeroized on drop, never shown.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Takes the passphrase exactly as given.
    ///
    /// # Errors
    /// [`Error::EmptyPassphrase`].
    pub fn new(text: String) -> Result<Self, Error> {
        let text = Zeroizing::new(text);
        if text.is_empty() {
            return Err(Error::EmptyPassphrase);
        }
        Ok(Self(text))
    }

    /// Reads the first line of a UTF-8 file, without its line end.
    ///
    /// # Errors
    /// What reading the file reports; [`io::ErrorKind::InvalidData`] if the line is empty or not UTF-8.
    pub fn from_file(path: &Path) -> io::Result<Self> {
        let content = Zeroizing::new(fs::read(path)?);
        let line = content.split(|octet| *octet == b'\n').next().unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let text = core::str::from_utf8(line).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        Self::new(text.into()).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Passphrase(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_is_refused() {
        assert!(matches!(Passphrase::new(String::new()), Err(Error::EmptyPassphrase)));
    }

    #[test]
    fn debug_shows_nothing() {
        let passphrase = Passphrase::new("hunter2".into()).unwrap();
        assert_eq!(format!("{passphrase:?}"), "Passphrase(..)");
    }

    #[test]
    fn a_file_gives_its_first_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passphrase");
        for content in ["open sesame", "open sesame\n", "open sesame\r\n", "open sesame\nsecond line\n"] {
            fs::write(&path, content).unwrap();
            assert_eq!(Passphrase::from_file(&path).unwrap().as_bytes(), b"open sesame", "{content:?}");
        }
        for content in [&b""[..], b"\nsecond", b"\xff\n"] {
            fs::write(&path, content).unwrap();
            assert_eq!(Passphrase::from_file(&path).unwrap_err().kind(), io::ErrorKind::InvalidData, "{content:?}");
        }
        let missing = Passphrase::from_file(&folder.path().join("missing")).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }
}
