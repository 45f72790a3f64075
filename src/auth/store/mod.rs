//! What accounts need of a store. No rules here: inserts, look-ups and conditional writes.

pub mod embedded;
pub mod mongo;

use async_trait::async_trait;

use super::model::{Account, Ban, Login, LoginName, NewAccount, RefreshToken, TokenHash};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::ids::{LoginId, UserId};

/// What became of an account to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InsertedAccount {
    /// It is stored, as here.
    Stored(Account),
    /// Another account has this username.
    UsernameTaken,
    /// Another account has this address.
    EmailTaken,
}

/// Accounts, login sessions and their tokens. Every write is durable when it returns.
#[async_trait]
pub trait AuthStore: Send + Sync {
    /// Stores an account; gives a driver the next number. Unique by [`crate::credentials::Username::key`]
    /// and [`crate::credentials::Email::key`], also between concurrent calls.
    async fn insert_account(&self, account: NewAccount) -> Result<InsertedAccount>;
    /// The account with this id.
    async fn account(&self, id: UserId) -> Result<Option<Account>>;
    /// The account with this name or address.
    async fn account_by_login(&self, name: &LoginName) -> Result<Option<Account>>;
    /// The account of the driver with this number.
    async fn account_of_driver(&self, number: i64) -> Result<Option<Account>>;
    /// Accounts of drivers with a number after this one, the lowest numbers first, without those
    /// that are erased.
    async fn drivers(&self, after: i64, limit: u32) -> Result<Vec<Account>>;
    /// Sets the hash of an account's password.
    async fn set_password(&self, id: UserId, password_hash: &str) -> Result<()>;
    /// Bans an account, or lifts its ban; the account as it is then, `None` when there is none.
    async fn set_ban(&self, id: UserId, ban: Option<&Ban>) -> Result<Option<Account>>;
    /// Banned accounts with a [`crate::credentials::Username::key`] after this one, ascending.
    async fn banned(&self, after: &str, limit: u32) -> Result<Vec<Account>>;
    /// Takes from an account everything that is somebody's: it [is erased](Account::is_erased)
    /// then. Id, role, number and age stay; name and address are free for others. Then its login
    /// sessions and all its tokens go. Repeatable.
    async fn erase_account(&self, id: UserId) -> Result<()>;

    /// Stores a login session.
    async fn insert_login(&self, login: &Login) -> Result<()>;
    /// The login session with this id.
    async fn login(&self, id: LoginId) -> Result<Option<Login>>;
    /// The login sessions of a user behind this one, by id, at most `limit`.
    async fn logins(&self, user: UserId, after: Option<LoginId>, limit: u32) -> Result<Vec<Login>>;
    /// Ends a login session that was open; `false` when it was not.
    async fn end_login(&self, id: LoginId, now: Timestamp) -> Result<bool>;
    /// Ends every open login session of a user and names them.
    async fn end_logins(&self, user: UserId, now: Timestamp) -> Result<Vec<LoginId>>;

    /// Stores a refresh token; nothing happens when its hash is there already.
    async fn insert_refresh_token(&self, token: &RefreshToken) -> Result<()>;
    /// Marks a refresh token as used at `now` if it was not used yet, and gives it as it was
    /// *before* this call, so that of any number of concurrent uses one sees `used_at: None`.
    async fn use_refresh_token(
        &self,
        hash: TokenHash,
        now: Timestamp,
    ) -> Result<Option<RefreshToken>>;

    /// Stores a password-reset token.
    async fn insert_reset_token(
        &self,
        hash: TokenHash,
        user: UserId,
        expires_at: Timestamp,
    ) -> Result<()>;
    /// Removes the reset tokens of a user.
    async fn remove_reset_tokens(&self, user: UserId) -> Result<()>;
    /// Removes a reset token and says whose it was, if it was good until `now`.
    async fn take_reset_token(&self, hash: TokenHash, now: Timestamp) -> Result<Option<UserId>>;

    /// Removes tokens that expired before `now`, and login sessions that no token can reach.
    async fn remove_expired(&self, now: Timestamp) -> Result<()>;
}
