use alloc::borrow::ToOwned;
use alloc::string::String;

/// So many characters of a text at most; where there are more, `...` says so.
pub(crate) fn cut(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters).and_then(|(end, _)| text.get(..end)) {
        Some(beginning) => [beginning, "..."].concat(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters_and_shows_it() {
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("longer", 5), "longe...");
        assert_eq!(cut(&"\u{e9}".repeat(70), 64), "\u{e9}".repeat(64) + "...");
    }
}
