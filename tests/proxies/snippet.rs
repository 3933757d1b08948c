//! The configurations that docs/proxies.md gives, filled in.

use std::fs;
use std::path::Path;

/// The snippet of this name, with some of it replaced, each of which must be there.
pub fn snippet(name: &str, replacements: &[(&str, &str)]) -> String {
    let docs = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/proxies.md")).unwrap();
    let (_, rest) = docs.split_once(&format!("<!-- tested: {name} -->\n```")).unwrap_or_else(|| panic!("{name}"));
    let (_, rest) = rest.split_once('\n').unwrap();
    let (text, _) = rest.split_once("```").unwrap();
    replacements.iter().fold(text.to_owned(), |text, (from, to)| replaced(&text, from, to))
}

/// The text with all of `from` replaced, of which there must be some.
pub fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from:?} is not in {text}");
    text.replace(from, to)
}
