//! The rules of one-to-one chat: sending, typing, reading, resuming (CONTRACT §4).

mod history;
mod reading;
mod sending;
mod sync;

use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::try_join_all;
use quick_cache::sync::Cache;
use tokio::task::JoinHandle;

use super::model::{ReadMark, StoredMessage};
use super::store::ChatStore;
use super::typing::Typing;
use super::wire::{Message, Person, USER_TYPING, UserTyping};
use crate::auth::service::Auth;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::ids::{MessageId, UserId};
use crate::limits::Limits;
use crate::presence::service::{Contacts, Presence};
use crate::realtime::hub::{Hub, Lifecycle};
use crate::realtime::session::Session;
use crate::store::group::GroupCommit;

use reading::Addressed;
use sending::{Outbound, Written};

/// Messages written in one go, at most.
const BATCH: usize = 500;
/// Messages and reads that may wait to be written; more are told to come back.
const WAITING: usize = 20_000;
/// Recent messages whose addressees are remembered, so that reading one costs no query.
const REMEMBERED: usize = 100_000;
/// Conversations whose peers hear of a user's presence.
const CONTACTS: u32 = 1000;

/// One-to-one chat.
pub struct Chat {
    store: Arc<dyn ChatStore>,
    auth: Arc<Auth>,
    presence: Arc<Presence>,
    hub: Arc<Hub>,
    limits: Arc<Limits>,
    clock: Clock,
    typing: Typing,
    typing_timeout: Duration,
    messages: GroupCommit<Outbound, Written>,
    announcing: Mutex<Option<JoinHandle<()>>>,
    reads: GroupCommit<ReadMark, Vec<StoredMessage>>,
    recent: Cache<MessageId, Addressed>,
    this: Weak<Self>,
}

impl Chat {
    /// Chat between the accounts of `auth`.
    pub fn new(
        store: Arc<dyn ChatStore>,
        auth: &Arc<Auth>,
        presence: &Arc<Presence>,
        hub: &Arc<Hub>,
        limits: &Arc<Limits>,
        typing_timeout: Duration,
    ) -> Arc<Self> {
        let (messages, announcing) = sending::writer(&store, hub, presence);
        Arc::new_cyclic(|this| Self {
            messages,
            announcing: Mutex::new(Some(announcing)),
            reads: reading::writer(&store, hub.clock()),
            store,
            auth: auth.clone(),
            presence: presence.clone(),
            hub: hub.clone(),
            limits: limits.clone(),
            clock: hub.clock().clone(),
            typing: Typing::default(),
            typing_timeout,
            recent: Cache::new(REMEMBERED),
            this: this.clone(),
        })
    }

    /// Writes and announces what was accepted, and takes no more.
    pub async fn close(&self) {
        self.messages.close().await;
        let announcing = self.announcing.lock().expect("no panic under this lock").take();
        if let Some(Err(problem)) = futures_util::future::OptionFuture::from(announcing).await {
            tracing::error!(%problem, "the announcer did not end well");
        }
        self.reads.close().await;
    }

    /// The name under which a user is shown, for somebody who must exist.
    async fn name_of(&self, user: UserId) -> Result<Arc<str>> {
        let account = self.auth.account(user).await?;
        account
            .map(|account| account.username.as_str().into())
            .ok_or_else(|| Error::not_found("There is no such user"))
    }

    async fn person(&self, user: UserId) -> Result<Person> {
        let account = self.auth.account(user).await?;
        let username = account.as_ref().map_or("", |account| account.username.as_str()).into();
        Ok(Person { id: user, username, is_online: self.presence.is_online(user) })
    }

    async fn show(&self, stored: Vec<StoredMessage>) -> Result<Vec<Message>> {
        try_join_all(stored.into_iter().map(async |message| {
            let (sender, receiver) =
                (self.person(message.sender).await?, self.person(message.receiver).await?);
            Ok(Message::new(message, sender, receiver))
        }))
        .await
    }

    /// Tells `to` that the session's user types, until it stops or a while has passed.
    ///
    /// # Errors
    /// `not_found` when there is no such user.
    pub async fn start_typing(&self, session: &Session, to: UserId) -> Result<()> {
        let from = session.caller.user;
        self.limits.typing.check(&from)?;
        self.name_of(to).await?;
        let start = self.typing.start(from, to, session.no);
        self.tell_typing(from, to, true);
        let (this, timeout) = (self.this.clone(), self.typing_timeout);
        tokio::spawn(async move {
            tokio::time::sleep(timeout).await;
            if let Some(chat) = this.upgrade().filter(|chat| chat.typing.expire(from, to, start)) {
                chat.tell_typing(from, to, false);
            }
        });
        Ok(())
    }

    /// Tells `to` that the session's user has stopped typing.
    ///
    /// # Errors
    /// `not_found` when there is no such user.
    pub async fn stop_typing(&self, session: &Session, to: UserId) -> Result<()> {
        let from = session.caller.user;
        self.limits.typing.check(&from)?;
        self.name_of(to).await?;
        self.typing.stop(from, to);
        self.tell_typing(from, to, false);
        Ok(())
    }

    fn tell_typing(&self, user_id: UserId, to: UserId, is_typing: bool) {
        self.hub.emit(&[to.audience()], &USER_TYPING, &UserTyping { user_id, is_typing });
    }
}

impl Lifecycle for Chat {
    fn closed(&self, session: &Arc<Session>) {
        let from = session.caller.user;
        for to in self.typing.stop_socket(session.no) {
            self.tell_typing(from, to, false);
        }
    }
}

#[async_trait]
impl Contacts for Chat {
    async fn contacts(&self, user: UserId) -> Result<Vec<UserId>> {
        let heads = self.store.conversations(user, None, CONTACTS).await?;
        Ok(heads.iter().map(|head| head.peer_of(user)).collect())
    }
}
