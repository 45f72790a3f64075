//! The token check of all doors, and what this node remembers of login sessions.

use std::sync::Arc;

use async_trait::async_trait;

use super::Auth;
use crate::caller::{Caller, CheckToken};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::ids::{LoginId, UserId};
use crate::realtime::hub::Lifecycle;
use crate::realtime::relay::Command;
use crate::realtime::session::Session;

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
}

#[async_trait]
impl CheckToken for Auth {
    async fn check_token(&self, token: &str) -> Result<Caller> {
        let claims = self.tokens.read_access(token)?;
        let ended = || Error::unauthenticated("The login session has ended");
        if self.login_state(claims.sid).await? != LoginState::Open(claims.sub) {
            return Err(ended());
        }
        let account = self.account(claims.sub).await?.ok_or_else(ended)?;
        Ok(Caller {
            user: account.id,
            role: account.role,
            login: claims.sid,
            expires_at: Timestamp::from_millis(claims.exp.saturating_mul(1000)),
        })
    }
}

impl Lifecycle for Auth {
    /// A socket that was let in while its login session was being ended does not stay.
    fn admits(&self, session: &Arc<Session>) -> bool {
        self.logins.get(&session.caller.login) != Some(LoginState::Ended)
    }

    fn commanded(&self, command: Command) {
        match command {
            Command::EndLogin(login) => self.logins.insert(login, LoginState::Ended),
            Command::ForgetAccount(user) => {
                self.accounts.remove(&user);
            }
            Command::ExtendLogin(..)
            | Command::ForgetRoom(_)
            | Command::ReplaceSockets { .. }
            | Command::LeaveRoom { .. }
            | Command::CloseRoom(_) => {}
        }
    }
}
