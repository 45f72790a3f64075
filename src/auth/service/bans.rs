//! Bans: accounts that admins keep out. The end of sessions and sockets is that of every logout.

use super::Auth;
use crate::auth::model::{Account, Ban};
use crate::caller::{Caller, Role, must_be_admin};
use crate::error::{Error, Result};
use crate::ids::UserId;
use crate::realtime::relay::Command;
use crate::text::Description;

/// That somebody may log in.
///
/// # Errors
/// `forbidden` when the account is banned.
pub(super) fn must_not_be_banned(account: &Account) -> Result<()> {
    match account.ban {
        None => Ok(()),
        Some(_) => Err(Error::forbidden("This account is banned")),
    }
}

fn nobody() -> Error {
    Error::not_found("There is no such user")
}

impl Auth {
    /// Bans an account: ends its login sessions, reset links and sockets, everywhere, and lets it
    /// have no new ones. Banned again, it has the newer reason, if one is given, and the rest is
    /// done once more.
    ///
    /// # Errors
    /// `forbidden` for who is no admin, and for admins' accounts, one's own too, so that none can
    /// keep out those who could stop them; `not_found`.
    pub async fn ban(
        &self,
        caller: Caller,
        user: UserId,
        reason: Option<Description>,
    ) -> Result<Account> {
        must_be_admin(caller)?;
        let account = self.account(user).await?.filter(|account| !account.is_erased());
        if account.ok_or_else(nobody)?.role == Role::Admin {
            return Err(Error::forbidden("Admins cannot be banned"));
        }
        let _turn = self.banning.lock().await;
        let earlier = self.store.account(user).await?.and_then(|account| account.ban);
        let reason = reason.or_else(|| earlier.and_then(|ban| ban.reason));
        let ban = Ban { by: caller.user, at: self.clock.now(), reason };
        // Stored first: a login that comes meanwhile looks for it when its session is stored.
        let banned = self.store.set_ban(user, Some(&ban)).await?.ok_or_else(nobody)?;
        // Sockets too whose login session is not stored any more: seed 000's outlive it.
        self.shut_out(banned.clone());
        tracing::info!(%user, by = %caller.user, "banned");
        self.end_logins(user).await?;
        self.store.remove_reset_tokens(user).await?;
        Ok(banned)
    }

    /// Lets a banned account log in again. What was ended stays so.
    ///
    /// # Errors
    /// `forbidden` for who is no admin, `not_found`.
    pub async fn lift_ban(&self, caller: Caller, user: UserId) -> Result<()> {
        must_be_admin(caller)?;
        let _turn = self.banning.lock().await;
        if self.store.account(user).await?.ok_or_else(nobody)?.ban.is_none() {
            self.hub.command(Command::ForgetAccount(user));
            return Ok(());
        }
        // Of a ban that stopped half-way: what it should have ended does not come back.
        self.end_logins(user).await?;
        self.store.remove_reset_tokens(user).await?;
        self.store.set_ban(user, None).await?;
        self.hub.command(Command::ForgetAccount(user));
        tracing::info!(%user, by = %caller.user, "ban lifted");
        Ok(())
    }

    /// Banned accounts with a username behind this key, and when, why and by whom they were banned.
    ///
    /// # Errors
    /// `forbidden` for who is no admin.
    pub async fn banned(&self, caller: Caller, after: &str, limit: u32) -> Result<Vec<Account>> {
        must_be_admin(caller)?;
        self.store.banned(after, limit).await
    }
}
