//! Text as people typed it, made safe to store and to show (CONTRACT §1, §10): Unicode NFC, no
//! control characters, no bidi overrides, and no `<` that could start an HTML tag.
//!
//! Not an HTML sanitiser: text stays text, and nothing of it is lost.

use std::fmt;

use serde::Serialize;
use unicode_normalization::UnicodeNormalization;
use utoipa::ToSchema;

/// Longest message, in characters (CONTRACT §4).
pub const MAX_MESSAGE_CHARS: usize = 5000;
/// Longest display name, in characters.
pub const MAX_NAME_CHARS: usize = 100;

/// Longest description of a room, in characters.
pub const MAX_DESCRIPTION_CHARS: usize = 500;

/// Why a text was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must have 1 to {max} characters, not {found}")]
pub struct InvalidText {
    max: usize,
    found: usize,
}

/// The content of a message: 1 to 5000 characters, counted after trimming.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MessageText(String);

impl MessageText {
    /// Cleans what a client sent.
    ///
    /// # Errors
    /// Nothing left, or more than [`MAX_MESSAGE_CHARS`].
    pub fn parse(raw: impl AsRef<str>) -> Result<Self, InvalidText> {
        clean(raw.as_ref(), MAX_MESSAGE_CHARS).map(Self)
    }

    /// A text that was cleaned before it was stored.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a person or a room is called: 1 to 100 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DisplayName(String);

impl DisplayName {
    /// Cleans what a client sent.
    ///
    /// # Errors
    /// Nothing left, or more than [`MAX_NAME_CHARS`].
    pub fn parse(raw: impl AsRef<str>) -> Result<Self, InvalidText> {
        clean(raw.as_ref(), MAX_NAME_CHARS).map(Self)
    }

    /// A name that was cleaned before it was stored.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as a plain string.
    pub fn into_string(self) -> String {
        self.0
    }
}

/// What a room is for: at most 500 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Description(String);

impl Description {
    /// Cleans what a client sent; `None` when nothing is left.
    ///
    /// # Errors
    /// More than [`MAX_DESCRIPTION_CHARS`].
    pub fn parse(raw: impl AsRef<str>) -> Result<Option<Self>, InvalidText> {
        match clean(raw.as_ref(), MAX_DESCRIPTION_CHARS) {
            Ok(text) => Ok(Some(Self(text))),
            Err(InvalidText { found: 0, .. }) => Ok(None),
            Err(problem) => Err(problem),
        }
    }

    /// A text that was cleaned before it was stored.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn clean(raw: &str, max: usize) -> Result<String, InvalidText> {
    let normal: String = raw.chars().filter(|c| is_kept(*c)).nfc().collect();
    let text = normal.trim();
    let found = text.chars().count();
    if found == 0 || found > max {
        return Err(InvalidText { max, found });
    }
    Ok(separate_tags(text))
}

fn is_kept(c: char) -> bool {
    let bidi = matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    !bidi && (!c.is_control() || c == '\t' || c == '\n')
}

/// Puts a space after each `<` that an HTML parser would take for a tag
/// (WHATWG HTML §13.2.5.6, tag open state).
fn separate_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        out.push(c);
        let starts = |next: &char| next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?');
        if c == '<' && rest.peek().is_some_and(starts) {
            out.push(' ');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cleaned(raw: &str) -> String {
        MessageText::parse(raw).unwrap().0
    }

    #[test]
    fn text_that_is_no_markup_arrives_whole() {
        for text in ["Tom & Jerry", "1 < 2", "x <= y", "<3", "\"quoted\" 'too'", "a\tb\nc"] {
            assert_eq!(cleaned(text), text);
        }
        assert_eq!(cleaned("if a<b then"), "if a< b then");
    }

    #[test]
    fn no_tag_can_start() {
        assert_eq!(cleaned("<script>alert(1)</script>"), "< script>alert(1)< /script>");
        assert_eq!(cleaned("<\u{202E}img src=x>"), "< img src=x>");
        assert_eq!(cleaned("<\u{0}b>"), "< b>");
        assert_eq!(cleaned("<!-- -->"), "< !-- -->");
    }

    #[test]
    fn controls_and_bidi_overrides_are_removed_and_the_rest_is_nfc() {
        assert_eq!(cleaned(" a\u{7}b\u{2066}c\r\n"), "abc");
        assert_eq!(cleaned("e\u{301}"), "\u{e9}");
    }

    #[test]
    fn characters_are_counted_after_trimming_and_before_spaces_are_added() {
        assert!(MessageText::parse(format!("  {}  ", "é".repeat(5000))).is_ok());
        assert!(MessageText::parse("<b".repeat(2500)).is_ok());
        assert!(MessageText::parse("a".repeat(5001)).is_err());
        assert!(MessageText::parse(" \n\t ").is_err());
    }

    proptest! {
        #[test]
        fn cleaning_twice_changes_nothing(raw in "\\PC{0,40}") {
            if let Ok(once) = MessageText::parse(&raw) {
                let twice = MessageText::parse(once.as_str()).unwrap();
                prop_assert_eq!(once, twice);
            }
        }

        #[test]
        fn only_listed_characters_are_lost(raw in any::<String>()) {
            if let Ok(text) = MessageText::parse(&raw) {
                let kept = |c: &char| !c.is_whitespace();
                let before: String = raw.chars().filter(|c| is_kept(*c)).nfc().filter(kept).collect();
                let after: String = text.0.chars().filter(kept).collect();
                prop_assert_eq!(before, after);
            }
        }
    }
}
