//! Texts of strangers, which people will read.

use crate::cut::cut;
use alloc::string::String;

/// Whether a text can be shown as it is: without control characters and without characters that reorder what is around
/// them (Unicode bidi controls) or break its line.
pub fn is_printable(text: &str) -> bool {
    !text.chars().any(is_obeyed)
}

/// What can be shown of any text: in one line, what a terminal would obey escaped as in Rust (`\u{9b}`), cut after 512 characters.
pub fn printable(text: &str) -> String {
    const LIMIT: usize = 512;
    let mut shown = String::with_capacity(text.len().min(4 * LIMIT));
    for c in cut(text, LIMIT).chars() {
        if is_obeyed(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}

/// Whether a character does something to the text around it, or to the terminal.
fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_one_line_of_bounded_length_that_nothing_obeys() {
        for (text, shown) in [
            ("no key: \"sip:bob@example.org\" isn't here", "no key: \"sip:bob@example.org\" isn't here"),
            ("a\r\nb\tc", "a\\r\\nb\\tc"),
            ("\u{9b}2J \u{1b}[2J \u{202e}abc", "\\u{9b}2J \\u{1b}[2J \\u{202e}abc"),
        ] {
            assert_eq!(printable(text), shown);
            assert!(is_printable(&printable(text)));
        }
        assert_eq!(printable(&"ä".repeat(512)), "ä".repeat(512));
        assert_eq!(printable(&"ä".repeat(40_000)), format!("{}...", "ä".repeat(512)));
    }

    #[test]
    fn controls_and_reordering_are_not_printable() {
        for bad in ["\0", "a\nb", "\u{7f}", "\u{85}", "\u{200f}", "\u{2028}", "\u{202e}abc", "\u{2066}", "\u{2069}"] {
            assert!(!is_printable(bad), "{bad:?}");
        }
        for good in ["", "sip:alice@example.org", "Feuerwehr Köln", "消防", "שלום"] {
            assert!(is_printable(good), "{good:?}");
        }
    }
}
