//! The rules of what admins see and do. Lists are made from what the hub holds, when they are asked
//! for; no socket pays for them.

use std::sync::Arc;

use super::requests::SocketQuery;
use super::wire::{
    AccountSummary, BanPage, BannedAccount, ConnectedSocket, Disconnected, OneSocket, SocketPage,
};
use crate::auth::model::Account;
use crate::auth::service::Auth;
use crate::caller::{Caller, must_be_admin};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::ids::UserId;
use crate::page;
use crate::realtime::hub::{Audience, Hub};
use crate::realtime::relay::{Command, Sockets};
use crate::realtime::session::{End, Session, SessionNo};
use crate::text::Description;
use crate::users::service::Users;

/// Users whose sockets a search by name looks for.
const SEARCHED: u32 = 1000;

/// What admins see and do.
pub struct Admin {
    auth: Arc<Auth>,
    users: Arc<Users>,
    hub: Arc<Hub>,
}

impl Admin {
    /// Over these accounts and sockets.
    pub fn new(auth: &Arc<Auth>, users: &Arc<Users>, hub: &Arc<Hub>) -> Arc<Self> {
        Arc::new(Self { auth: auth.clone(), users: users.clone(), hub: hub.clone() })
    }

    /// A page of the sockets that are connected to this node.
    ///
    /// # Errors
    /// `forbidden` for who is no admin.
    pub async fn sockets(&self, caller: Caller, query: SocketQuery) -> Result<SocketPage> {
        must_be_admin(caller)?;
        let of = match &query.search {
            None => vec![Audience::EVERYONE],
            Some(search) => {
                let found = self.users.matching(search, SEARCHED).await?;
                found.iter().map(|account| account.id.audience()).collect()
            }
        };
        let mut sessions = self.hub.sockets_of_any(&of);
        sessions.retain(|session| is_wanted(session, &query));
        let count = sessions.len();
        let behind = sessions.partition_point(|one| query.after.is_some_and(|no| one.no <= no));
        let rest = &sessions[behind..];
        let rows = &rest[..rest.len().min(query.limit as usize)];
        let last = rows.last().filter(|_| rows.len() < rest.len());
        let next_cursor = last.map(|session| page::cursor(session.no));
        let mut sockets = Vec::with_capacity(rows.len());
        for session in rows {
            sockets.push(self.show(session).await?);
        }
        Ok(SocketPage { sockets, count, total: self.hub.sockets(), next_cursor })
    }

    /// One socket that is connected to this node.
    ///
    /// # Errors
    /// `forbidden` for who is no admin, `not_found`.
    pub async fn socket(&self, caller: Caller, no: SessionNo) -> Result<OneSocket> {
        must_be_admin(caller)?;
        let session = self.hub.socket(no).ok_or_else(gone)?;
        Ok(OneSocket { socket: self.show(&session).await?, room_ids: session.rooms() })
    }

    /// Ends one socket, wherever it is connected. Its client may come back.
    ///
    /// # Errors
    /// `forbidden` for who is no admin, `not_found` when it cannot be on another node.
    pub fn disconnect(&self, caller: Caller, no: SessionNo) -> Result<Disconnected> {
        must_be_admin(caller)?;
        let found = self.hub.socket(no);
        if found.is_none() && !self.hub.reaches_others() {
            return Err(gone());
        }
        self.end(caller, Sockets::One(no));
        Ok(Disconnected { disconnected: found.into_iter().count() })
    }

    /// Ends all sockets of a user, wherever they are connected. Their clients may come back.
    ///
    /// # Errors
    /// `forbidden` for who is no admin, `not_found` when there is no such user.
    pub async fn disconnect_user(&self, caller: Caller, user: UserId) -> Result<Disconnected> {
        must_be_admin(caller)?;
        let account = self.auth.account(user).await?;
        account.ok_or_else(|| Error::not_found("There is no such user"))?;
        let disconnected = self.hub.sockets_of(user);
        self.end(caller, Sockets::Of(user));
        Ok(Disconnected { disconnected })
    }

    fn end(&self, caller: Caller, of: Sockets) {
        tracing::info!(sockets = %of, by = %caller.user, "disconnected by an admin");
        self.hub.command(Command::EndSockets { of, why: End::Disconnected });
    }

    /// Bans an account: [`Auth::ban`].
    ///
    /// # Errors
    /// As there.
    pub async fn ban(
        &self,
        caller: Caller,
        user: UserId,
        reason: Option<Description>,
    ) -> Result<BannedAccount> {
        self.show_ban(&self.auth.ban(caller, user, reason).await?).await
    }

    /// Lifts a ban: [`Auth::lift_ban`].
    ///
    /// # Errors
    /// As there.
    pub async fn lift_ban(&self, caller: Caller, user: UserId) -> Result<()> {
        self.auth.lift_ban(caller, user).await
    }

    /// A page of the banned accounts, with a username behind this key.
    ///
    /// # Errors
    /// `forbidden` for who is no admin.
    pub async fn bans(&self, caller: Caller, after: &str, limit: u32) -> Result<BanPage> {
        let mut accounts = self.auth.banned(caller, after, limit + 1).await?;
        let more = accounts.len() > limit as usize;
        accounts.truncate(limit as usize);
        let last = accounts.last().filter(|_| more);
        let next_cursor = last.map(|account| page::cursor(account.username.to_ascii_lowercase()));
        let mut bans = Vec::with_capacity(accounts.len());
        for account in &accounts {
            bans.push(self.show_ban(account).await?);
        }
        Ok(BanPage { bans, next_cursor })
    }

    async fn show(&self, session: &Session) -> Result<ConnectedSocket> {
        let user = self.summary(session.caller.user).await?;
        let expires_at = session.expires_at();
        Ok(ConnectedSocket {
            id: session.no.to_string(),
            door: if session.namespace.starts_with('/') { "socket.io" } else { "websocket" },
            namespace: session.namespace,
            user,
            address: session.address,
            connected_at: session.connected_at,
            expires_at: Some(expires_at).filter(|at| *at < Timestamp::from_millis(i64::MAX)),
            queued: session.queued(),
            rooms: session.rooms().len(),
        })
    }

    async fn show_ban(&self, account: &Account) -> Result<BannedAccount> {
        let ban = account.ban.as_ref().ok_or_else(|| Error::not_found("The ban was lifted"))?;
        let (user, by) = (summary(account), self.summary(ban.by).await?);
        Ok(BannedAccount { user, by, at: ban.at, reason: ban.reason.clone() })
    }

    async fn summary(&self, user: UserId) -> Result<AccountSummary> {
        let account = self.auth.account(user).await?;
        let gone = || Error::internal("an account is gone that somebody used");
        Ok(summary(&*account.ok_or_else(gone)?))
    }
}

fn summary(account: &Account) -> AccountSummary {
    AccountSummary {
        id: account.id,
        username: account.username.clone(),
        name: account.name.clone(),
        role: account.role,
    }
}

fn is_wanted(session: &Session, query: &SocketQuery) -> bool {
    query.namespace.as_deref().is_none_or(|namespace| session.namespace == namespace)
        && query.role.is_none_or(|role| session.caller.role == role)
        && query.address.is_none_or(|address| session.address == address)
}

fn gone() -> Error {
    Error::not_found("There is no such socket here")
}
