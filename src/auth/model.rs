//! Accounts and login sessions: what is stored of them, and the values that only checks can make.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::ValidateEmail;

use crate::caller::Role;
use crate::clock::Timestamp;
use crate::ids::{LoginId, UserId};

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

/// A person or a driver, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Whose account.
    pub id: UserId,
    /// As its owner writes it; unique without regard to case.
    pub username: String,
    /// Likewise.
    pub email: String,
    /// What the person is called.
    pub name: Option<String>,
    /// Where a picture is.
    pub image: Option<String>,
    /// What the account may do.
    pub role: Role,
    /// The small number of a driver, `driver_id` on `/api/v1`.
    pub driver_number: Option<i64>,
    /// bcrypt.
    pub password_hash: String,
    /// When it was registered.
    pub created_at: Timestamp,
}

/// An account to be stored. The store gives drivers their number.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Whose account.
    pub id: UserId,
    /// Checked name.
    pub username: Username,
    /// Checked address.
    pub email: Email,
    /// What the person is called.
    pub name: Option<String>,
    /// What the account may do.
    pub role: Role,
    /// bcrypt.
    pub password_hash: String,
    /// When it was registered.
    pub created_at: Timestamp,
}

/// What an account is looked up by at login. Both are compared without regard to case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginName {
    /// [`Username::key`].
    Username(String),
    /// [`Email::key`].
    Email(String),
}

/// A login session: from a login to its logout, over any number of refreshes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// `sid` in the tokens.
    pub id: LoginId,
    /// Who logged in.
    pub user: UserId,
    /// When.
    pub created_at: Timestamp,
    /// When it was ended, if it was.
    pub ended_at: Option<Timestamp>,
}

/// SHA-256 of a refresh or reset token: all that is ever stored of one.
pub type TokenHash = [u8; 32];

/// A refresh token as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// Its hash.
    pub hash: TokenHash,
    /// The login session it belongs to.
    pub login: LoginId,
    /// When it was first used, if it was.
    pub used_at: Option<Timestamp>,
    /// When it stops being good.
    pub expires_at: Timestamp,
}

/// An account as clients see it (CONTRACT §2).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Id.
    #[serde(rename = "_id")]
    pub id: UserId,
    /// Unique name.
    #[schema(example = "johndoe")]
    pub username: String,
    /// Address.
    #[schema(example = "john@example.com")]
    pub email: String,
    /// What the person is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where a picture is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// What the account may do.
    pub role: Role,
    /// The small number of a driver.
    #[serde(rename = "driver_id", skip_serializing_if = "Option::is_none")]
    pub driver_number: Option<i64>,
    /// Whether a socket of the user is connected.
    pub is_online: bool,
    /// When the last one was; the registration when there never was one.
    pub last_seen: Timestamp,
    /// When it was registered.
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

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
