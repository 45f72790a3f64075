//! Accounts and login sessions: what is stored of them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::caller::Role;
use crate::clock::Timestamp;
use crate::credentials::{Email, Username};
use crate::ids::{LoginId, UserId};
use crate::text::Description;

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
    /// That it is kept out, if it is. Boxed, as it rarely is.
    pub ban: Option<Box<Ban>>,
}

/// That an account is kept out: it has no login session, and gets none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ban {
    /// The admin who banned it.
    pub by: UserId,
    /// When.
    pub at: Timestamp,
    /// Why, for admins.
    pub reason: Option<Description>,
}

/// What stands instead of a hash where no password does: bcrypt verifies nothing against it.
pub(crate) const LOCKED: &str = "!";

/// What an account is called once it is erased. Nobody can take the name: it has a space in it.
pub const ERASED: &str = "deleted user";

impl Account {
    /// Whether all that was somebody's is gone from it: nobody logs in, and nothing reaches it.
    pub fn is_erased(&self) -> bool {
        self.username == ERASED
    }

    /// Whether no token of the account is good, whatever its login sessions are.
    pub fn is_shut_out(&self) -> bool {
        self.ban.is_some() || self.is_erased()
    }
}

/// By what an erased account is unique, in the place of a name and of an address. Behind every
/// name in their order, and never one, as none begins with this sign.
pub(crate) fn erased_key(id: UserId) -> String {
    format!("~{id}")
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
    /// Where a picture is.
    pub image: Option<String>,
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
