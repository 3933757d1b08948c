//! Texts of strangers, which people will read.

/// Whether a text can be shown as it is: without control characters and without characters that reorder what is around
/// them (Unicode bidi controls) or break its line.
pub(super) fn is_printable(text: &str) -> bool {
    !text.chars().any(|c| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
