//! The rules of chat, between two and in rooms: sending, typing, reading, resuming
//! (CONTRACT §4, §5).

mod deleting;
mod history;
mod reading;
mod room_history;
mod room_joining;
mod room_reading;
mod sending;
mod sync;

use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::try_join_all;
use quick_cache::sync::Cache;

use super::message_wire::{AnyMessage, Message, Person, RoomMessage};
use super::model::{Addressee, ReadMark, StoredMessage};
use super::room_wire::{ROOM_TYPING, RoomTyping};
use super::store::ChatStore;
use super::typing::Typing;
use super::wire::{USER_TYPING, UserTyping};
use crate::auth::service::Auth;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::ids::{MessageId, RoomId, UserId};
use crate::limits::Limits;
use crate::presence::service::{Contacts, Presence};
use crate::realtime::hub::{Except, Hub, Lifecycle};
use crate::realtime::relay::Command;
use crate::realtime::session::Session;
use crate::rooms::service::{Positions, Rooms};
use crate::store::group::GroupCommit;

use reading::Addressed;
use room_reading::RoomReads;
use sending::{Announcers, Outbound, Written};

/// Messages written in one go, at most.
const BATCH: usize = 500;
/// Messages and reads that may wait to be written; more are told to come back.
const WAITING: usize = 20_000;
/// Recent messages whose addressees are remembered, so that reading one costs no query.
const REMEMBERED: usize = 100_000;
/// Conversations whose peers hear of a user's presence.
const CONTACTS: u32 = 1000;

/// What the service stands on.
pub struct Parts {
    /// Messages, conversations, reads.
    pub store: Arc<dyn ChatStore>,
    /// Accounts, for names.
    pub auth: Arc<Auth>,
    /// Who is online.
    pub presence: Arc<Presence>,
    /// Who is in which room.
    pub rooms: Arc<Rooms>,
    /// The way to everybody.
    pub hub: Arc<Hub>,
    /// Limits.
    pub limits: Arc<Limits>,
}

/// Chat.
pub struct Chat {
    store: Arc<dyn ChatStore>,
    auth: Arc<Auth>,
    presence: Arc<Presence>,
    rooms: Arc<Rooms>,
    hub: Arc<Hub>,
    limits: Arc<Limits>,
    clock: Clock,
    typing: Typing,
    typing_timeout: Duration,
    messages: GroupCommit<Outbound, Written>,
    announcers: Announcers,
    reads: GroupCommit<ReadMark, Vec<StoredMessage>>,
    room_reads: RoomReads,
    recent: Cache<MessageId, Addressed>,
    this: Weak<Self>,
}

impl Chat {
    /// Chat between the accounts of `parts.auth`, alone and in the rooms of `parts.rooms`.
    pub fn new(parts: Parts, typing_timeout: Duration) -> Arc<Self> {
        let Parts { store, auth, presence, rooms, hub, limits } = parts;
        Arc::new_cyclic(|this| Self {
            messages: sending::writer(&store, &hub, &presence),
            announcers: Announcers::start(&hub),
            reads: reading::writer(&store, hub.clock()),
            room_reads: RoomReads::new(&store, hub.clock()),
            clock: hub.clock().clone(),
            store,
            auth,
            presence,
            rooms,
            hub,
            limits,
            typing: Typing::default(),
            typing_timeout,
            recent: Cache::new(REMEMBERED),
            this: this.clone(),
        })
    }

    /// Writes and announces what was accepted, and takes no more.
    pub async fn close(&self) {
        self.messages.close().await;
        self.announcers.close().await;
        self.reads.close().await;
        self.room_reads.close().await;
    }

    /// The name under which a user is shown, for somebody who writes or is written to: who must
    /// exist, and not be erased.
    async fn name_of(&self, user: UserId) -> Result<Arc<str>> {
        let account = self.auth.account(user).await?;
        account
            .filter(|account| !account.is_erased())
            .map(|account| account.username.as_str().into())
            .ok_or_else(|| Error::not_found("There is no such user"))
    }

    /// That there is such a user, or was.
    async fn must_be_known(&self, user: UserId) -> Result<()> {
        let account = self.auth.account(user).await?;
        account.map(drop).ok_or_else(|| Error::not_found("There is no such user"))
    }

    async fn person(&self, user: UserId) -> Result<Person> {
        let account = self.auth.account(user).await?;
        let username = account.as_ref().map_or("", |account| account.username.as_str()).into();
        Ok(Person::new(user, username, self.presence.is_online(user)))
    }

    async fn show(&self, stored: Vec<StoredMessage>) -> Result<Vec<AnyMessage>> {
        try_join_all(stored.into_iter().map(async |message| {
            let sender = self.person(message.sender).await?;
            Ok(match message.receiver {
                Some(receiver) => {
                    let receiver = self.person(receiver).await?;
                    AnyMessage::Direct(Arc::new(Message::new(message, sender, receiver)))
                }
                None => AnyMessage::Room(Arc::new(RoomMessage::new(message, sender))),
            })
        }))
        .await
    }

    /// That a session may speak to `to`: to any user there is, and in a room that it is in.
    ///
    /// # Errors
    /// `not_found` when there is no such user; as [`Rooms::must_be_in`] for a room.
    async fn may_address(&self, session: &Session, to: Addressee) -> Result<()> {
        match to {
            Addressee::User(user) => self.name_of(user).await.map(drop),
            Addressee::Room(room) => self.rooms.must_be_in(session, room).await,
        }
    }

    /// Tells `to` that the session's user types, until it stops or a while has passed.
    ///
    /// # Errors
    /// `not_found` when there is no such user, or room for this user; `forbidden` in a room that
    /// the session is not in.
    pub async fn start_typing(&self, session: &Session, to: Addressee) -> Result<()> {
        let from = session.caller.user;
        self.limits.typing.check(&from)?;
        self.may_address(session, to).await?;
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
    /// As [`Chat::start_typing`].
    pub async fn stop_typing(&self, session: &Session, to: Addressee) -> Result<()> {
        let from = session.caller.user;
        self.limits.typing.check(&from)?;
        self.may_address(session, to).await?;
        self.typing.stop(from, to);
        self.tell_typing(from, to, false);
        Ok(())
    }

    fn tell_typing(&self, user_id: UserId, to: Addressee, is_typing: bool) {
        match to {
            Addressee::User(to) => {
                self.hub.emit(&[to.audience()], &USER_TYPING, &UserTyping { user_id, is_typing });
            }
            Addressee::Room(room_id) => {
                let typing =
                    RoomTyping { room_id, user_id, is_typing, timestamp: self.clock.now() };
                let others = Except::User(user_id);
                self.hub.emit_except(&[room_id.audience()], others, &ROOM_TYPING, &typing);
            }
        }
    }
}

#[async_trait]
impl Positions for Chat {
    async fn last_seq(&self, room: RoomId) -> Result<i64> {
        self.store.last_seq(room.conversation()).await
    }
}

impl Lifecycle for Chat {
    fn closed(&self, session: &Arc<Session>) {
        let from = session.caller.user;
        for to in self.typing.stop_socket(session.no) {
            self.tell_typing(from, to, false);
        }
    }

    /// Typing in a room ends with the membership.
    fn commanded(&self, command: Command) {
        if let Command::LeaveRoom { room, user, .. } = command
            && self.typing.stop(user, Addressee::Room(room))
        {
            self.tell_typing(user, Addressee::Room(room), false);
        }
    }
}

#[async_trait]
impl Contacts for Chat {
    async fn contacts(&self, user: UserId) -> Result<Vec<UserId>> {
        let heads = self.store.conversations(user, None, CONTACTS).await?;
        let mut contacts = self.rooms.contacts(user).await?;
        contacts.extend(heads.iter().map(|head| head.peer_of(user)));
        Ok(contacts.into_iter().collect())
    }
}
