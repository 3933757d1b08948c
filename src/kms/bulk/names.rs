use crate::kms::hash::Hash;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Upper-case letters too: there are file systems that do not tell them from others.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'@');

/// Octets of a name, without what is added to it: file systems take 255.
const MAX_NAME: usize = 200;

/// The name of the files of a URI, without their endings: the URI percent-encoded but for lower-case letters, digits and `-_.@`.
///
/// Where that has more than 200 characters, its first 120, `~` and the SHA-256 of the URI in hex. No two URIs have one name, also
/// where upper and lower case are one.
///
/// ```
/// use mikey_sakke::kms::bulk::file_name;
///
/// assert_eq!(file_name("sip:alice@example.org"), "sip%3Aalice@example.org");
/// assert_eq!(file_name("sip:Al/ice@example.org"), "sip%3A%41l%2Fice@example.org");
/// ```
pub fn file_name(uri: &str) -> String {
    let mut name = String::with_capacity(MAX_NAME);
    for piece in utf8_percent_encode(uri, ESCAPED) {
        match piece.starts_with('%') {
            true => name.push_str(piece),
            false => piece.chars().for_each(|c| match c.is_ascii_uppercase() {
                true => name.push_str(&format!("%{:02X}", u32::from(c))),
                false => name.push(c),
            }),
        }
    }
    if name.len() > MAX_NAME {
        // All of it is ASCII.
        name.truncate(120);
        name.push('~');
        name.push_str(&Hash::of(uri.as_bytes()).to_string());
    }
    name
}

/// The URI that a name is of; none of a name that was cut, and of what is no name.
pub(super) fn uri_of(name: &str) -> Option<String> {
    let uri = percent_decode_str(name).decode_utf8().ok()?;
    (file_name(&uri) == name).then(|| uri.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_safe_short_and_different() {
        let long = |end: &str| format!("sip:{}{end}@example.org", "a".repeat(230));
        let uris = [
            "sip:alice@example.org",
            "sip:Alice@example.org",
            "sip:%61lice@example.org",
            "sip:../..@example.org",
            "tel:+1555",
            "tel:%2B1555",
            "x:init",
            &long("a"),
            &long("b"),
            &format!("x:{}", "%".repeat(100)),
        ];
        let names: HashSet<String> = uris.iter().map(|uri| file_name(uri).to_lowercase()).collect();
        assert_eq!(names.len(), uris.len());
        for name in names {
            assert!(name.len() <= MAX_NAME, "{name}");
            assert!(name.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"%-_.@~".contains(&octet)), "{name}");
            assert!(name.contains("%3a"), "so that it is none of the folder's own files: {name}");
        }
    }

    #[test]
    fn a_name_that_was_not_cut_tells_its_uri() {
        for uri in ["sip:alice@example.org", "sip:Al/ice%20b@example.org", "tel:+1555"] {
            assert_eq!(uri_of(&file_name(uri)).as_deref(), Some(uri));
        }
        let long = file_name(&format!("sip:{}@example.org", "a".repeat(230)));
        for none in [long.as_str(), "sip:alice@example.org", "sip%3aalice", "%ff", "init~1"] {
            assert_eq!(uri_of(none), None, "{none}");
        }
    }
}
