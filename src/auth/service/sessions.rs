//! Login sessions: opened by a login, carried on by refreshes, ended by logout, by a reset
//! password, or by a refresh token that was stolen.

use std::sync::Arc;
use std::time::Duration;

use super::Auth;
use super::bans::must_not_be_banned;
use crate::auth::model::{Account, Login, LoginName, RefreshToken};
use crate::auth::requests::LoggedIn;
use crate::auth::tokens::hash;
use crate::caller::{Caller, CheckToken};
use crate::clock::Timestamp;
use crate::credentials::{Email, Password};
use crate::error::{Error, Result};
use crate::ids::{LoginId, UserId};
use crate::realtime::relay::Command;
use crate::realtime::session::Session;

/// How long a used refresh token still gets its successor: two tabs, a lost answer (CONTRACT §2).
const REUSE_GRACE: Duration = Duration::from_secs(60);

impl Auth {
    pub(super) async fn open_login(&self, account: &Account, ttl: Duration) -> Result<LoggedIn> {
        let now = self.clock.now();
        let login =
            Login { id: LoginId::generate(now), user: account.id, created_at: now, ended_at: None };
        self.store.insert_login(&login).await?;
        let refresh_token = self.tokens.opaque();
        self.store_refresh_token(&refresh_token, login.id, now).await?;
        self.logged_in(account, login.id, refresh_token, ttl).await
    }

    async fn store_refresh_token(&self, token: &str, login: LoginId, now: Timestamp) -> Result<()> {
        let expires_at = now + self.refresh_ttl;
        let token = RefreshToken { hash: hash(token), login, used_at: None, expires_at };
        self.store.insert_refresh_token(&token).await
    }

    async fn logged_in(
        &self,
        account: &Account,
        login: LoginId,
        refresh_token: String,
        ttl: Duration,
    ) -> Result<LoggedIn> {
        let expires_at = self.clock.now() + ttl;
        Ok(LoggedIn {
            token: self.tokens.access(account, login, expires_at)?,
            refresh_token,
            expires_in: ttl.as_secs(),
            user: self.user(account).await?,
        })
    }

    /// Exchanges a refresh token for a fresh pair and lets the session's sockets live longer.
    ///
    /// # Errors
    /// `unauthenticated` when the token is none of ours or its session has ended, `token_expired`
    /// when it is too old, `forbidden` when its account is banned. A token used before, more than a
    /// minute ago, ends the session.
    pub async fn refresh(&self, token: &str) -> Result<LoggedIn> {
        let now = self.clock.now();
        let invalid = || Error::unauthenticated("The refresh token is not valid");
        let used = self.store.use_refresh_token(hash(token), now).await?.ok_or_else(invalid)?;
        if used.expires_at <= now {
            return Err(Error::token_expired());
        }
        let login = self.store.login(used.login).await?.ok_or_else(invalid)?;
        let account = self.account(login.user).await?.filter(|account| !account.is_erased());
        let account = account.ok_or_else(invalid)?;
        must_not_be_banned(&account)?;
        if login.ended_at.is_some() {
            return Err(invalid());
        }
        // Both ways: the clock may have been put back since.
        let apart = |first: Timestamp| now.since(first).max(first.since(now));
        if used.used_at.is_some_and(|first| apart(first) > REUSE_GRACE) {
            tracing::warn!(user = %login.user, "a refresh token was used again, its session is ended");
            self.end_login(login.id).await?;
            return Err(invalid());
        }
        let successor = self.tokens.successor(token);
        self.store_refresh_token(&successor, login.id, now).await?;
        self.hub.command(Command::ExtendLogin(login.id, now + self.access_ttl));
        self.logged_in(&account, login.id, successor, self.access_ttl).await
    }

    /// Ends the caller's login session, or all of the caller's, and their sockets, everywhere.
    pub async fn logout(&self, caller: Caller, all: bool) -> Result<()> {
        if all { self.end_logins(caller.user).await } else { self.end_login(caller.login).await }
    }

    pub(super) async fn end_logins(&self, user: UserId) -> Result<()> {
        let ended = self.store.end_logins(user, self.clock.now()).await?;
        ended.into_iter().for_each(|login| self.hub.command(Command::EndLogin(login)));
        Ok(())
    }

    async fn end_login(&self, login: LoginId) -> Result<()> {
        self.store.end_login(login, self.clock.now()).await?;
        self.hub.command(Command::EndLogin(login));
        Ok(())
    }

    /// Lets one socket live as long as a newer token of the same user.
    ///
    /// # Errors
    /// `forbidden` for somebody else's token.
    pub async fn extend_socket(&self, session: &Session, token: &str) -> Result<Timestamp> {
        let caller = self.check_token(token).await?;
        if caller.user != session.caller.user {
            return Err(Error::forbidden("The token is somebody else's"));
        }
        session.extend(caller.expires_at);
        Ok(session.expires_at())
    }

    /// Sends a link to reset the password, if there is such an account. Nobody learns whether
    /// there is: the work is done behind the answer.
    pub fn forgot_password(self: &Arc<Self>, email: Email) {
        let auth = self.clone();
        tokio::spawn(async move {
            if let Err(error) = auth.send_reset_link(&email).await {
                tracing::warn!(%error, "a password reset could not be prepared");
            }
        });
    }

    async fn send_reset_link(&self, email: &Email) -> Result<()> {
        let found = self.store.account_by_login(&LoginName::Email(email.key())).await?;
        let Some(account) = found.filter(|account| account.ban.is_none()) else { return Ok(()) };
        let token = self.tokens.opaque();
        let expires_at = self.clock.now() + self.reset_ttl;
        self.store.insert_reset_token(hash(&token), account.id, expires_at).await?;
        let link = format!("{}/#reset-token={token}", self.public_url);
        self.mailer.send_reset_link(&account.email, &link).await;
        Ok(())
    }

    /// Sets a new password and ends every login session of the account.
    ///
    /// # Errors
    /// `unauthenticated` when the reset token is not good, `forbidden` when its account is banned.
    pub async fn reset_password(&self, token: &str, password: Password) -> Result<()> {
        let password_hash = self.passwords.hash(password).await?;
        let now = self.clock.now();
        let user = self.store.take_reset_token(hash(token), now).await?;
        let user = user.ok_or_else(|| Error::unauthenticated("The reset token is not valid"))?;
        // Its links are removed with the ban; this one may have been on its way then.
        self.store.account(user).await?.map_or(Ok(()), |account| must_not_be_banned(&account))?;
        self.store.set_password(user, &password_hash).await?;
        self.hub.command(Command::ForgetAccount(user));
        self.end_logins(user).await
    }

    /// Takes everything from an account that is somebody's, and ends its sessions and sockets.
    /// Repeatable: where another process has done it, this node lets go of what it
    /// remembers.
    pub async fn erase(&self, user: UserId) -> Result<()> {
        self.store.erase_account(user).await?;
        // From here on no token of the account is good, whatever is remembered of its sessions; and
        // what is remembered is forgotten, and the sockets end, also where the look at it fails.
        self.hub.command(Command::ForgetAccount(user));
        match self.store.account(user).await {
            Ok(erased) => erased.into_iter().for_each(|erased| self.shut_out(erased)),
            Err(error) => {
                self.end_sockets(user);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Removes what has expired, each hour, for as long as the service lives.
    pub fn remove_expired(self: &Arc<Self>) {
        let auth = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_secs(3600)).await;
                let Some(auth) = auth.upgrade() else { return };
                if let Err(error) = auth.store.remove_expired(auth.clock.now()).await {
                    tracing::warn!(%error, "expired tokens could not be removed");
                }
            }
        });
    }
}
