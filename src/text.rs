//! Text as people typed it, made safe to store and to show (CONTRACT §1, §10): Unicode NFC, no
//! control characters, no bidi overrides, and no `<` that could start an HTML tag.
//!
//! Not an HTML sanitiser: text stays text, and nothing of it is lost.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use utoipa::ToSchema;

/// The content of a message (CONTRACT §4).
pub type MessageText = Text<5000>;
/// What a person, a room or a thing is called.
pub type DisplayName = Text<100>;
/// What a room is for, or what is to be minded about an order.
pub type Description = Text<500>;
/// Where something is to be fetched or brought.
pub type Address = Text<300>;

/// Why a text was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must have 1 to {max} characters, not {found}")]
pub struct InvalidText {
    max: usize,
    found: usize,
}

/// A text of 1 to `MAX` characters, counted after trimming.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> Text<MAX> {
    /// Cleans what a client sent.
    ///
    /// # Errors
    /// Nothing left, or more than `MAX` characters.
    pub fn parse(raw: impl AsRef<str>) -> Result<Self, InvalidText> {
        clean(raw.as_ref(), MAX).map(Self)
    }

    /// As [`Text::parse`], of a text that may be empty; `None` when nothing is left.
    ///
    /// # Errors
    /// More than `MAX` characters.
    pub fn parse_or_none(raw: impl AsRef<str>) -> Result<Option<Self>, InvalidText> {
        match Self::parse(raw) {
            Ok(text) => Ok(Some(text)),
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

    /// The text as a plain string.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MAX: usize> utoipa::PartialSchema for Text<MAX> {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .min_length(Some(1))
            .max_length(Some(MAX))
            .into()
    }
}

impl<const MAX: usize> utoipa::ToSchema for Text<MAX> {
    fn name() -> std::borrow::Cow<'static, str> {
        format!("Text{MAX}").into()
    }
}

/// What makes a request idempotent, chosen by the client: 1 to 64 characters, unique per user
/// (`clientMsgId`, `clientOrderId`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// A key that was checked before it was stored.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The key as the client wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for IdempotencyKey {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if (1..=64).contains(&text.chars().count()) {
            Ok(Self(text.to_owned()))
        } else {
            Err("must have 1 to 64 characters")
        }
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
        fn cleaning_twice_changes_nothing(raw in prop_oneof![any::<String>(), "[<>/!?a \\n\u{338}\u{301}\u{202E}]{0,40}"]) {
            if let Ok(once) = MessageText::parse(&raw) {
                let twice = MessageText::parse(once.as_str()).unwrap();
                prop_assert_eq!(once, twice);
            }
        }

        #[test]
        fn no_text_starts_a_tag(raw in prop_oneof![any::<String>(), "[<>/!?aZ \\t\u{0}\u{200B}\u{2066}]{1,60}"]) {
            if let Ok(text) = Text::<60>::parse(&raw) {
                let follows = |pair: &[char]| pair[0] == '<' && (pair[1].is_ascii_alphabetic() || "/!?".contains(pair[1]));
                let characters: Vec<_> = text.0.chars().collect();
                prop_assert!(!characters.windows(2).any(follows), "{}", text);
                prop_assert!(characters.len() <= 120);
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
