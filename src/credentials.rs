//! Names, addresses and passwords: values that only checks can make (CONTRACT §2).

use std::fmt;
use std::str::FromStr;

use validator::ValidateEmail;

use crate::ids::UserId;

/// Why a name, address or password was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidCredential(&'static str);

/// 3 to 30 of `[A-Za-z0-9._-]`, starting with a letter (CONTRACT §2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Username(String);

impl Username {
    /// The name as its owner writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What must be unique: the name without regard to case.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl FromStr for Username {
    type Err = InvalidCredential;

    fn from_str(text: &str) -> Result<Self, InvalidCredential> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if !(3..=30).contains(&text.len()) || !text.chars().all(allowed) {
            return Err(InvalidCredential("must have 3 to 30 letters, digits or any of . _ -"));
        }
        if !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Err(InvalidCredential("must start with a letter"));
        }
        if text.parse::<UserId>().is_ok() {
            return Err(InvalidCredential("must not look like an id"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// An e-mail address, as HTML's input field accepts it; at most 254 characters (RFC 5321 §4.5.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// The address as its owner writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What must be unique: the address without regard to case.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

impl FromStr for Email {
    type Err = InvalidCredential;

    fn from_str(text: &str) -> Result<Self, InvalidCredential> {
        let text = text.trim();
        if text.len() > 254 || !text.validate_email() {
            return Err(InvalidCredential("must be an e-mail address"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// A password that may be set: at least 8 characters, at most 71 bytes (bcrypt's limit).
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// A password that nobody may choose: one of the demo drivers', which everybody knows.
    pub(crate) fn of_demo(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The password in the clear, for hashing only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

impl FromStr for Password {
    type Err = InvalidCredential;

    fn from_str(text: &str) -> Result<Self, InvalidCredential> {
        if text.chars().count() < 8 {
            return Err(InvalidCredential("must have at least 8 characters"));
        }
        if text.len() > 71 {
            return Err(InvalidCredential("must have at most 71 bytes"));
        }
        if text.contains('\0') {
            return Err(InvalidCredential("must not contain a zero byte"));
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_a_credential_within_its_bounds_or_refused(text in prop_oneof![
            any::<String>(),
            "[A-Za-z0-9._-]{1,32}",
            "[ -~\u{130}]{0,70}@[a-z0-9.\u{e9}\\[\\]:-]{0,200}",
        ]) {
            if let Ok(name) = text.parse::<Username>() {
                prop_assert!((3..=30).contains(&name.key().len()) && name.key().is_ascii());
                prop_assert_eq!(name.key().parse::<Username>().unwrap().key(), name.key());
            }
            if let Ok(address) = text.parse::<Email>() {
                prop_assert!(address.as_str().len() <= 254 && !address.as_str().contains(char::is_control));
                prop_assert_eq!(address.as_str().parse::<Email>().unwrap(), address);
            }
            if let Ok(password) = text.parse::<Password>() {
                prop_assert!((8..=71).contains(&password.expose().len()));
                prop_assert_eq!(password.expose(), text);
            }
        }
    }

    #[test]
    fn a_username_starts_with_a_letter_and_is_no_id() {
        for good in ["bob", "Alice.B-c_9", &"a".repeat(30)] {
            assert!(good.parse::<Username>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "al",
            "9lives",
            "-dash",
            "white space",
            "é-acute",
            &"a".repeat(31),
            "abcdefabcdefabcdefabcdef",
        ] {
            assert!(bad.parse::<Username>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_password_is_bounded_in_characters_below_and_in_bytes_above() {
        assert!("12345678".parse::<Password>().is_ok());
        assert!("1234567".parse::<Password>().is_err());
        assert!("é".repeat(8).parse::<Password>().is_ok());
        assert!("a".repeat(71).parse::<Password>().is_ok());
        assert!("é".repeat(36).parse::<Password>().is_err());
    }
}
