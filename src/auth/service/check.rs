//! The token check of all doors, and what this node remembers of login sessions.

use std::sync::Arc;

use async_trait::async_trait;

use super::Auth;
use crate::auth::model::Account;
use crate::caller::{Caller, CheckToken};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::ids::{LoginId, UserId};
use crate::realtime::hub::Lifecycle;
use crate::realtime::relay::{Command, Sockets};
use crate::realtime::session::{End, Session};

/// What is remembered of a login session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LoginState {
    /// Open, and whose.
    Open(UserId),
    /// Ended: its tokens are refused.
    Ended,
}

impl Auth {
    async fn login_state(&self, login: LoginId) -> Result<LoginState> {
        let load = async {
            let found = self.store.login(login).await?;
            Ok(match found {
                Some(login) if login.ended_at.is_none() => LoginState::Open(login.user),
                _ => LoginState::Ended,
            })
        };
        self.logins.get_or_insert_async(&login, load).await
    }

    /// Shuts out an account as it is now, banned or erased: what this node remembers of it, first,
    /// so that a socket that is let in meanwhile finds it; then the sockets that are there.
    pub(super) fn shut_out(&self, account: Account) {
        let user = account.id;
        self.hub.command(Command::ForgetAccount(user));
        self.accounts.insert(user, Arc::new(account));
        self.end_sockets(user);
    }

    pub(super) fn end_sockets(&self, user: UserId) {
        self.hub.command(Command::EndSockets { of: Sockets::Of(user), why: End::Unauthenticated });
    }

    /// Whether nothing that this node remembers has shut out somebody whose token held before.
    fn may_stay(&self, caller: &Caller) -> bool {
        self.logins.get(&caller.login) != Some(LoginState::Ended)
            && self.accounts.get(&caller.user).is_none_or(|account| !account.is_shut_out())
    }
}

#[async_trait]
impl CheckToken for Auth {
    async fn check_token(&self, token: &str) -> Result<Caller> {
        let claims = self.tokens.read_access(token)?;
        let ended = || Error::unauthenticated("The login session has ended");
        if self.login_state(claims.sid).await? != LoginState::Open(claims.sub) {
            return Err(ended());
        }
        let account = self.account(claims.sub).await?;
        let account = account.filter(|account| !account.is_shut_out());
        let account = account.ok_or_else(ended)?;
        Ok(Caller {
            user: account.id,
            role: account.role,
            login: claims.sid,
            expires_at: Timestamp::from_millis(claims.exp.saturating_mul(1000)),
        })
    }
}

impl Lifecycle for Auth {
    /// A socket that was let in while its login session was being ended, or its account banned or
    /// erased, does not stay.
    fn admits(&self, session: &Arc<Session>) -> bool {
        self.may_stay(&session.caller)
    }

    fn commanded(&self, command: Command) {
        match command {
            Command::EndLogin(login) => self.logins.insert(login, LoginState::Ended),
            Command::ForgetAccount(user) => {
                self.accounts.remove(&user);
            }
            Command::ExtendLogin(..)
            | Command::EndSockets { .. }
            | Command::ForgetRoom(_)
            | Command::ReplaceSockets { .. }
            | Command::LeaveRoom { .. }
            | Command::CloseRoom(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
