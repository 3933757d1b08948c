//! The keys that a client shares with its KMS, and the files in which they are handed over.

use super::value::format_base64;
use crate::xml_security::NamedKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// The keys that a client shares with its KMS (TS 33.180 5.3.3): made by the KMS, handed over out of band.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientKeys {
    /// The user whose client it is.
    pub user_uri: String,
    /// The KMS.
    pub kms_uri: String,
    /// The TrK, which wraps keys and other TrKs and InKs.
    pub transport: NamedKey,
    /// The InK, which signs.
    pub integrity: Option<NamedKey>,
}

/// Octets that a key file may have.
const MAX_FILE: usize = 4096;

impl ClientKeys {
    /// The key that signs: the InK if there is one, otherwise the TrK (D.2.2).
    pub fn signing_key(&self) -> &NamedKey {
        self.integrity.as_ref().unwrap_or(&self.transport)
    }

    /// The file of the TrK, and that of the InK if there is one: lines of text.
    ///
    /// ```text
    /// -----BEGIN KMS TRANSPORT KEY-----
    /// Key-ID: tk.1.alice@example.org
    /// User: sip:alice@example.org
    /// KMS: kms.example.org
    /// Key: AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=
    /// -----END KMS TRANSPORT KEY-----
    /// ```
    pub fn to_files(&self) -> (Zeroizing<String>, Option<Zeroizing<String>>) {
        let file = |kind: Kind, key: &NamedKey| {
            let (begin, end) = kind.lines();
            let octets = Zeroizing::new(format_base64(key.octets()));
            let (name, user_uri, kms_uri) = (key.name(), &self.user_uri, &self.kms_uri);
            let parts = [
                begin,
                "\nKey-ID: ",
                name,
                "\nUser: ",
                user_uri,
                "\nKMS: ",
                kms_uri,
                "\nKey: ",
                &octets,
                "\n",
                end,
                "\n",
            ];
            let mut text = Zeroizing::new(String::with_capacity(parts.iter().map(|part| part.len()).sum()));
            parts.iter().for_each(|part| text.push_str(part));
            text
        };
        let integrity = self.integrity.as_ref().map(|key| file(Kind::Integrity, key));
        (file(Kind::Transport, &self.transport), integrity)
    }

    /// Reads the file of a TrK, and that of the InK that belongs to it. Lines may end with CR LF, and there may be empty ones.
    ///
    /// # Errors
    /// [`KeyFileError`].
    pub fn from_files(transport: &[u8], integrity: Option<&[u8]>) -> Result<Self, KeyFileError> {
        let transport = KeyFile::read(transport, Kind::Transport)?;
        let integrity = integrity.map(|file| KeyFile::read(file, Kind::Integrity)).transpose()?;
        if let Some(integrity) = &integrity {
            for (found, expected) in
                [(&integrity.user_uri, &transport.user_uri), (&integrity.kms_uri, &transport.kms_uri)]
            {
                if found != expected {
                    let (found, expected) = (found.clone(), expected.clone());
                    return Err(KeyFileError::OtherOwner { found, expected });
                }
            }
        }
        let KeyFile { user_uri, kms_uri, key: transport } = transport;
        Ok(ClientKeys { user_uri, kms_uri, transport, integrity: integrity.map(|file| file.key) })
    }
}

/// Why the file of a TrK or InK was not read. No variant carries key octets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// It is no such file, or one of another kind of key.
    #[error("no key file that begins with {expected:?} (a TrK and an InK have different ones)")]
    NoKeyFile {
        /// The first line of the kind that is meant.
        expected: &'static str,
    },
    /// A line is missing, or stands there twice, or has something that does not belong there.
    #[error("the key file has no good line {line:?}, expected {expected}")]
    Line {
        /// What the line begins with.
        line: &'static str,
        /// What it must have.
        expected: &'static str,
    },
    /// There is more in it.
    #[error("the key file has a line that is none of Key-ID, User, KMS and Key")]
    UnknownLine,
    /// The InK is of another user or KMS than the TrK.
    #[error("the InK is for {found:?}, the TrK is for {expected:?}: they do not belong together")]
    OtherOwner {
        /// User or KMS of the InK.
        found: String,
        /// That of the TrK.
        expected: String,
    },
}

#[derive(Clone, Copy)]
enum Kind {
    Transport,
    Integrity,
}

impl Kind {
    fn lines(self) -> (&'static str, &'static str) {
        match self {
            Kind::Transport => ("-----BEGIN KMS TRANSPORT KEY-----", "-----END KMS TRANSPORT KEY-----"),
            Kind::Integrity => ("-----BEGIN KMS INTEGRITY KEY-----", "-----END KMS INTEGRITY KEY-----"),
        }
    }
}

/// One file, taken apart.
struct KeyFile {
    user_uri: String,
    kms_uri: String,
    key: NamedKey,
}

impl KeyFile {
    fn read(file: &[u8], kind: Kind) -> Result<Self, KeyFileError> {
        let (begin, end) = kind.lines();
        let no_key_file = KeyFileError::NoKeyFile { expected: begin };
        let text = core::str::from_utf8(file).ok().filter(|text| text.len() <= MAX_FILE).ok_or(no_key_file.clone())?;
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        if lines.next() != Some(begin) || lines.next_back() != Some(end) {
            return Err(no_key_file);
        }
        let (mut key_id, mut user, mut kms, mut key) = (None, None, None, None);
        for line in lines {
            let (field, value) = line.split_once(": ").ok_or(KeyFileError::UnknownLine)?;
            let (slot, line) = match field {
                "Key-ID" => (&mut key_id, "Key-ID"),
                "User" => (&mut user, "User"),
                "KMS" => (&mut kms, "KMS"),
                "Key" => (&mut key, "Key"),
                _ => return Err(KeyFileError::UnknownLine),
            };
            if slot.replace(value).is_some() {
                return Err(KeyFileError::Line { line, expected: "it once" });
            }
        }
        let text = |value: Option<&str>, line| {
            let value = value.filter(|value| !value.is_empty() && !value.contains(char::is_whitespace));
            value.map(str::to_owned).ok_or(KeyFileError::Line { line, expected: "a name without spaces" })
        };
        let bad_key = || KeyFileError::Line { line: "Key", expected: "32 octets in base64" };
        let octets = STANDARD.decode(key.unwrap_or_default()).map(Zeroizing::new).map_err(|_| bad_key())?;
        if octets.len() != crate::xml_security::KEY_LEN {
            return Err(bad_key());
        }
        let name = text(key_id, "Key-ID")?;
        let key = NamedKey::new(&name, &octets);
        Ok(KeyFile {
            user_uri: text(user, "User")?,
            kms_uri: text(kms, "KMS")?,
            key: key.map_err(|_| KeyFileError::Line { line: "Key-ID", expected: "1 to 320 ASCII characters" })?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(integrity: bool) -> ClientKeys {
        ClientKeys {
            user_uri: "sip:alice@example.org".into(),
            kms_uri: "kms.example.org".into(),
            transport: NamedKey::new("tk.1.alice@example.org", &core::array::from_fn::<u8, 32, _>(|i| i as u8))
                .unwrap(),
            integrity: integrity.then(|| NamedKey::new("ink.1.alice@example.org", &[0xab; 32]).unwrap()),
        }
    }

    #[test]
    fn files_are_read_back() {
        for integrity in [false, true] {
            let keys = keys(integrity);
            let (trk, ink) = keys.to_files();
            assert_eq!(ClientKeys::from_files(trk.as_bytes(), ink.as_ref().map(|ink| ink.as_bytes())).unwrap(), keys);
            assert_eq!(keys.signing_key().name().starts_with("ink"), integrity);
        }
        let (trk, _) = keys(false).to_files();
        let on_windows = trk.replace('\n', "\r\n\r\n");
        assert_eq!(ClientKeys::from_files(on_windows.as_bytes(), None).unwrap(), keys(false));
    }

    #[test]
    fn each_fault_of_a_file_is_named_and_no_key_is_shown() {
        let (trk, ink) = keys(true).to_files();
        let refused = |text: &str| ClientKeys::from_files(text.as_bytes(), None).unwrap_err();
        let line = |error: &KeyFileError| match error {
            KeyFileError::Line { line, .. } => *line,
            other => panic!("{other}"),
        };
        for (text, expected) in [
            (trk.replace("Key-ID: tk.1.alice@example.org\n", ""), "Key-ID"),
            (trk.replace("tk.1.alice", "caf\u{e9}"), "Key-ID"),
            (trk.replace("User: sip:alice@example.org", "User: two words"), "User"),
            (trk.replace("KMS: kms.example.org\n", ""), "KMS"),
            (trk.replace("KMS:", "KMS: a\nKMS:"), "KMS"),
            (trk.replace("Key: AAEC", "Key: "), "Key"),
            (trk.replace("Key: AAEC", "Key: *AEC"), "Key"),
            (trk.replace("Key: AAEC", "Key: AAECAAEC"), "Key"),
        ] {
            let error = refused(&text);
            assert_eq!(line(&error), expected);
            assert!(!format!("{error} {error:?}").contains("AwQF"), "{error}");
        }
        assert_eq!(refused(&trk.replace("KMS:", "Note: x\nKMS:")), KeyFileError::UnknownLine);
        for text in ["", "-----BEGIN KMS TRANSPORT KEY-----", &ink.clone().unwrap(), &"x".repeat(5000)] {
            assert!(matches!(refused(text), KeyFileError::NoKeyFile { .. }), "{text}");
        }
        let swapped = ClientKeys::from_files(trk.as_bytes(), Some(trk.as_bytes())).unwrap_err();
        assert_eq!(swapped, KeyFileError::NoKeyFile { expected: "-----BEGIN KMS INTEGRITY KEY-----" });
        let others = ink.unwrap().replace("sip:alice", "sip:bob");
        assert_eq!(
            ClientKeys::from_files(trk.as_bytes(), Some(others.as_bytes())),
            Err(KeyFileError::OtherOwner {
                found: "sip:bob@example.org".into(),
                expected: "sip:alice@example.org".into()
            })
        );
    }
}
