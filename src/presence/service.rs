//! The rules of presence: counting sockets, the grace after the last one, and telling others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, Weak};
use std::time::Duration;

use async_trait::async_trait;

use super::model::{Status, USER_STATUS, UserStatus, subscribers};
use super::store::PresenceStore;
use crate::clock::{Clock, Timestamp};
use crate::config::{PresenceAudience, PresenceConfig};
use crate::error::{Error, Result};
use crate::ids::UserId;
use crate::realtime::hub::{Audience, Hub, Lifecycle};
use crate::realtime::session::Session;

/// How long changes gather before they are told: many people come and go at once, and what is
/// queued together shares a system call (FACTS §6).
const GATHER: Duration = Duration::from_millis(100);
/// Changes told before a pause: all at once would overrun the send buffers of healthy sockets.
const MOST_AT_ONCE: usize = 128;

/// Audiences that one socket may be in: those of its user, and the users it asked to hear of.
const MOST_AUDIENCES: usize = 1000;

/// Who shares a conversation with whom; told by the domains that know.
#[async_trait]
pub trait Contacts: Send + Sync {
    /// The users who share a conversation with `user`.
    async fn contacts(&self, user: UserId) -> Result<Vec<UserId>>;
}

/// Who is online.
pub struct Presence {
    store: Arc<dyn PresenceStore>,
    hub: Arc<Hub>,
    config: PresenceConfig,
    clock: Clock,
    users: Mutex<HashMap<UserId, Here>>,
    /// Locked while `users` is locked, never the other way round.
    changes: Mutex<Changes>,
    contacts: OnceLock<Arc<dyn Contacts>>,
    this: Weak<Self>,
}

/// A user with a socket, or with one a moment ago.
#[derive(Debug, Default)]
struct Here {
    sockets: usize,
    /// Counts arrivals and departures, so that a grace that was overtaken ends nothing.
    moves: u64,
}

/// The latest state of users who came or went and of whom nobody was told yet.
#[derive(Debug, Default)]
struct Changes {
    latest: HashMap<UserId, UserStatus>,
    /// When users were last seen of whom the store does not know that yet.
    unsaved: HashMap<UserId, Timestamp>,
    /// Whether a task is at telling them. There is never a second one: it could overtake the first.
    telling: bool,
}

impl Presence {
    /// Nobody is online yet.
    pub fn new(store: Arc<dyn PresenceStore>, hub: &Arc<Hub>, config: PresenceConfig) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            store,
            hub: hub.clone(),
            config,
            clock: hub.clock().clone(),
            users: Mutex::default(),
            changes: Mutex::default(),
            contacts: OnceLock::new(),
            this: this.clone(),
        })
    }

    /// Says who knows the contacts of a user; needed for `PRESENCE_AUDIENCE=contacts`.
    pub fn ask_for_contacts(&self, contacts: Arc<dyn Contacts>) {
        if self.contacts.set(contacts).is_err() {
            tracing::error!("the contacts of presence were set twice");
        }
    }

    fn users(&self) -> MutexGuard<'_, HashMap<UserId, Here>> {
        self.users.lock().expect("no panic under this lock")
    }

    fn changes(&self) -> MutexGuard<'_, Changes> {
        self.changes.lock().expect("no panic under this lock")
    }

    /// Whether a user is online.
    pub fn is_online(&self, user: UserId) -> bool {
        self.users().contains_key(&user)
    }

    /// The state of these users now, in their order.
    pub async fn statuses(&self, users: &[UserId]) -> Result<Vec<UserStatus>> {
        let now = self.clock.now();
        let (here, away): (Vec<_>, Vec<_>) = {
            let here = self.users();
            users.iter().copied().partition(|user| here.contains_key(user))
        };
        // Who goes meanwhile was seen now; what is not saved yet is newer than what is.
        let mut seen: HashMap<_, _> = here.into_iter().map(|user| (user, now)).collect();
        let unsaved = || {
            let unsaved = &self.changes().unsaved;
            users.iter().filter_map(|user| Some((*user, *unsaved.get(user)?))).collect::<Vec<_>>()
        };
        let before = unsaved();
        if !away.is_empty() {
            seen.extend(self.store.last_seen(&away).await?);
        }
        seen.extend(before);
        seen.extend(unsaved());
        let state = |user: &UserId| match self.is_online(*user) {
            true => self.status(*user, true, Some(now)),
            false => self.status(*user, false, seen.get(user).copied()),
        };
        Ok(users.iter().map(state).collect())
    }

    /// The state of one user now.
    pub async fn user_status(&self, user: UserId) -> Result<UserStatus> {
        let mut statuses = self.statuses(&[user]).await?;
        Ok(statuses.pop().unwrap_or_else(|| self.status(user, false, None)))
    }

    fn status(&self, user_id: UserId, is_online: bool, last_seen: Option<Timestamp>) -> UserStatus {
        let status = if is_online { Status::Online } else { Status::Offline };
        UserStatus { user_id, is_online, status, last_seen, timestamp: self.clock.now() }
    }

    /// Lets a socket hear of these users, and gives their state now.
    ///
    /// # Errors
    /// `validation_failed` when the socket would hear of too many.
    pub async fn subscribe(
        &self,
        session: &Arc<Session>,
        users: &[UserId],
    ) -> Result<Vec<UserStatus>> {
        if session.audience_count() + users.len() > MOST_AUDIENCES {
            return Err(Error::invalid("userIds", "are too many: unsubscribe from some first"));
        }
        users.iter().for_each(|user| self.hub.join(session, subscribers(*user)));
        self.statuses(users).await
    }

    /// Ends what [`Presence::subscribe`] began.
    pub fn unsubscribe(&self, session: &Session, users: &[UserId]) {
        for user in users {
            self.hub.leave(session, subscribers(*user));
        }
    }

    fn leave_after_grace(&self, user: UserId, moves: u64, last_seen: Timestamp) {
        // It begins now, not when the task does.
        let (this, grace) = (self.this.clone(), tokio::time::sleep(self.config.grace));
        tokio::spawn(async move {
            grace.await;
            if let Some(presence) = this.upgrade() {
                presence.leave(user, moves, last_seen);
            }
        });
    }

    fn leave(&self, user: UserId, moves: u64, last_seen: Timestamp) {
        let mut users = self.users();
        if users.get(&user).is_some_and(|here| here.moves == moves) {
            users.remove(&user);
            self.change(self.status(user, false, Some(last_seen)));
        }
    }

    /// Notes a change, under the lock of `users`, so that the last one noted is the state there is.
    fn change(&self, status: UserStatus) {
        let mut changes = self.changes();
        changes.latest.insert(status.user_id, status);
        changes.unsaved.extend(status.last_seen.map(|seen| (status.user_id, seen)));
        if !std::mem::replace(&mut changes.telling, true) {
            let this = self.this.clone();
            tokio::spawn(async move {
                if let Some(presence) = this.upgrade() {
                    presence.tell_changes().await;
                }
            });
        }
    }

    fn take_changes(&self) -> Vec<UserStatus> {
        let mut changes = self.changes();
        let latest: Vec<_> = changes.latest.drain().map(|(_, status)| status).collect();
        changes.telling = !latest.is_empty();
        latest
    }

    async fn tell_changes(&self) {
        loop {
            tokio::time::sleep(GATHER).await;
            let changes = self.take_changes();
            if changes.is_empty() {
                return;
            }
            self.tell(&changes).await;
            let seen: Vec<_> =
                changes.iter().filter_map(|s| Some((s.user_id, s.last_seen?))).collect();
            if let Err(error) = self.store.save_last_seen(&seen).await {
                tracing::warn!(%error, users = seen.len(), "last seen times could not be saved");
            }
            let unsaved = &mut self.changes().unsaved;
            for (user, at) in seen {
                // A newer one is told and saved in the next round.
                if unsaved.get(&user) == Some(&at) {
                    unsaved.remove(&user);
                }
            }
        }
    }

    async fn tell(&self, changes: &[UserStatus]) {
        let mut chunks = changes.chunks(MOST_AT_ONCE).peekable();
        while let Some(some) = chunks.next() {
            match self.config.audience {
                PresenceAudience::Everyone => {
                    self.hub.emit_many(&[Audience::EVERYONE], &USER_STATUS, some);
                }
                PresenceAudience::Contacts => self.tell_contacts(some).await,
            }
            if chunks.peek().is_some() {
                tokio::time::sleep(GATHER).await;
            }
        }
    }

    async fn tell_contacts(&self, changes: &[UserStatus]) {
        for status in changes {
            let contacts = match self.contacts.get() {
                Some(contacts) => contacts.contacts(status.user_id).await,
                None => Ok(Vec::new()),
            };
            let contacts = contacts.unwrap_or_else(|error| {
                tracing::warn!(%error, "contacts could not be told of a user's presence");
                Vec::new()
            });
            let mut to: Vec<_> = contacts.into_iter().map(UserId::audience).collect();
            to.extend([status.user_id.audience(), subscribers(status.user_id)]);
            self.hub.emit(&to, &USER_STATUS, status);
        }
    }

    /// Forgets when a user was last seen.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn erase(&self, user: UserId) -> Result<()> {
        self.store.forget(user).await
    }

    /// Saves when everybody who is online was last seen: now. For a graceful stop.
    pub async fn save(&self) -> Result<()> {
        let now = self.clock.now();
        let seen: Vec<_> = self.users().keys().map(|user| (*user, now)).collect();
        self.store.save_last_seen(&seen).await
    }
}

impl Lifecycle for Presence {
    fn opened(&self, session: &Arc<Session>) {
        let user = session.caller.user;
        let mut users = self.users();
        let arrived = !users.contains_key(&user);
        let here = users.entry(user).or_default();
        here.sockets += 1;
        here.moves += 1;
        if arrived {
            self.change(self.status(user, true, Some(self.clock.now())));
        }
    }

    fn closed(&self, session: &Arc<Session>) {
        let user = session.caller.user;
        let mut users = self.users();
        let Some(here) = users.get_mut(&user) else { return };
        here.sockets = here.sockets.saturating_sub(1);
        here.moves += 1;
        let (sockets, moves) = (here.sockets, here.moves);
        drop(users);
        if sockets == 0 {
            self.leave_after_grace(user, moves, self.clock.now());
        }
    }
}
