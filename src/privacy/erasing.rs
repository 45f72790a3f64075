//! Erasing an account: the order of it, and who does it.
//!
//! That it is to be done is stored first, so that it is finished after a crash. Then every door is
//! closed to the account, and only when what was under way has come to its end, what it left is
//! removed: nothing comes back. A server that runs on the same store finds the request, ends the
//! account's sockets, forgets what it remembers, and does the same work; every step can be done
//! twice, also by two at once.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use super::model::Erasure;
use super::store::ErasureStore;
use crate::auth::service::Auth;
use crate::chat::service::Chat;
use crate::clock::Timestamp;
use crate::drivers::service::Drivers;
use crate::error::{Error, Result};
use crate::ids::UserId;
use crate::orders::service::Orders;
use crate::presence::service::Presence;
use crate::realtime::hub::Hub;
use crate::rooms::service::Rooms;
use crate::store::group::LONGEST_PAUSE;

/// How often a running server looks for requests.
pub const LOOK: Duration = Duration::from_secs(1);
/// Requests of so long ago count as news: clocks differ, and the store may have been away.
const NEWS: Duration = Duration::from_hours(1);
/// What one socket was doing may take so long, beside [`Parts::grace`], and be written so late where
/// the store is there again.
const UNDER_WAY: Duration = LONGEST_PAUSE.saturating_add(Duration::from_secs(1));
/// After a failure, and while an order that has not ended is in the way.
const AGAIN: Duration = Duration::from_secs(60);

/// What erasing stands on.
pub struct Parts {
    /// What was asked for.
    pub store: Arc<dyn ErasureStore>,
    /// Accounts, login sessions, tokens.
    pub auth: Arc<Auth>,
    /// When people were last seen.
    pub presence: Arc<Presence>,
    /// Memberships.
    pub rooms: Arc<Rooms>,
    /// Texts.
    pub chat: Arc<Chat>,
    /// Positions.
    pub drivers: Arc<Drivers>,
    /// What was ordered.
    pub orders: Arc<Orders>,
    /// Whether the server stops.
    pub hub: Arc<Hub>,
    /// After how long a user without a socket counts as gone, and is last seen.
    pub grace: Duration,
}

/// Erasing.
pub struct Erasing {
    parts: Parts,
    /// What this server has done or is at: of each account the last request.
    taken: Mutex<HashMap<UserId, Timestamp>>,
    this: Weak<Self>,
}

impl Erasing {
    /// Nothing is asked for yet.
    pub fn new(parts: Parts) -> Arc<Self> {
        Arc::new_cyclic(|this| Self { parts, taken: Mutex::default(), this: this.clone() })
    }

    /// How long after the end of its sockets nothing of an account comes any more.
    pub fn settled_after(&self) -> Duration {
        self.parts.grace + UNDER_WAY
    }

    /// Erases what a request is about: closes the account, waits for `settle`, and removes what it
    /// left. Gives the orders that it has to wait for; then, and when it fails, it is unfinished.
    ///
    /// # Errors
    /// Those of the stores. It can be done again.
    pub async fn erase(&self, request: &Erasure, settle: Duration) -> Result<Vec<i64>> {
        let Parts { store, auth, presence, rooms, chat, drivers, orders, .. } = &self.parts;
        let user = request.user;
        auth.erase(user).await?;
        tokio::time::sleep(settle).await;
        rooms.erase(user).await?;
        drivers.erase(user).await?;
        chat.erase(user).await?;
        let open = orders.erase(user).await?;
        presence.erase(user).await?;
        // Once more: a profile may have been changed while the sessions ended.
        auth.erase(user).await?;
        if open.is_empty() {
            store.finish(request, self.parts.hub.clock().now()).await?;
            // Who finds it finished goes through it to forget what is remembered.
            match request.finished_at {
                None => tracing::info!(%user, "an account was erased"),
                Some(at) => tracing::info!(%user, %at, "an erasure was gone through again"),
            }
        }
        Ok(open)
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<UserId, Timestamp>> {
        self.taken.lock().expect("no panic under this lock")
    }

    /// Looks for requests and does what they ask for, until the server stops.
    pub fn keep_erasing(&self) {
        let this = self.this.clone();
        tokio::spawn(async move {
            loop {
                let Some(erasing) = this.upgrade().filter(|one| !one.parts.hub.is_draining())
                else {
                    return;
                };
                if let Err(error) = erasing.take_up().await {
                    tracing::warn!(%error, "requests to erase accounts could not be looked for");
                }
                drop(erasing);
                tokio::time::sleep(LOOK).await;
            }
        });
    }

    async fn take_up(&self) -> Result<()> {
        let news = self.parts.hub.clock().now() - NEWS;
        let requests = self.parts.store.erasures(news).await?;
        let users: HashSet<_> = requests.iter().map(|request| request.user).collect();
        self.taken().retain(|user, _| users.contains(user));
        for request in requests {
            let known = self.taken().insert(request.user, request.requested_at);
            if known != Some(request.requested_at) {
                self.attend(request);
            }
        }
        Ok(())
    }

    /// Does what a request asks for, again and again until it is done.
    fn attend(&self, request: Erasure) {
        let this = self.this.clone();
        tokio::spawn(async move {
            loop {
                let Some(erasing) = this.upgrade() else { return };
                let user = request.user;
                match erasing.erase(&request, erasing.settled_after()).await {
                    Ok(open) if open.is_empty() => return,
                    Ok(open) => tracing::warn!(%user, ?open, "orders hold up an erasure"),
                    Err(error) => tracing::warn!(%user, %error, "an account is not erased yet"),
                }
                drop(erasing);
                tokio::time::sleep(AGAIN).await;
            }
        });
    }

    /// Asks for an erasure.
    ///
    /// # Errors
    /// `not_found` when there is no such account; `conflict` while orders of it have not ended.
    pub async fn request(&self, user: UserId) -> Result<Erasure> {
        let Parts { store, auth, orders, hub, .. } = &self.parts;
        if auth.account(user).await?.is_none() {
            return Err(Error::not_found("There is no such account"));
        }
        let open = orders.open_of(user).await?;
        if !open.is_empty() {
            let named: Vec<_> = open.iter().map(ToString::to_string).collect();
            let named = named.join(", ");
            return Err(Error::conflict(format!(
                "these orders have not ended: {named}; finish or cancel them first"
            )));
        }
        store.request(user, hub.clock().now()).await?;
        self.erasure(user).await?.ok_or_else(|| Error::internal("a request was not stored"))
    }

    /// What was asked for last of a user.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn erasure(&self, user: UserId) -> Result<Option<Erasure>> {
        self.parts.store.erasure(user).await
    }
}
