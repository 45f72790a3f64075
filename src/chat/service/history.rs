//! Looking back: the history of a pair, and, of both kinds of conversation, unread counts and the
//! inbox.

use std::collections::HashMap;

use futures_util::future::try_join_all;

use super::Chat;
use crate::caller::Caller;
use crate::chat::message_wire::AnyMessage;
use crate::chat::model::ConversationHead;
use crate::chat::requests::HistoryPage;
use crate::chat::store::InboxPosition;
use crate::chat::wire::{Conversation, ConversationKind, Inbox, UnreadCount};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::ids::{ConversationId, UserId};
use crate::page;
use crate::rooms::model::Membership;
use crate::rooms::wire::RoomView;

/// Rooms that are asked about at once.
const AT_ONCE: usize = 16;

impl Chat {
    /// A page of what the caller and `peer` wrote, oldest first.
    ///
    /// # Errors
    /// `not_found` when there is no such user.
    pub async fn history(
        &self,
        caller: Caller,
        peer: UserId,
        page: HistoryPage,
        limit: u32,
    ) -> Result<Vec<AnyMessage>> {
        self.must_be_known(peer).await?;
        let conversation = ConversationId::of_pair(caller.user, peer);
        let last_seq = self.store.last_seq(conversation).await?;
        let (first, last) = page.bounds(last_seq, i64::from(limit));
        if first > last {
            return Ok(Vec::new());
        }
        self.show(self.store.range(conversation, first, last).await?).await
    }

    /// How many messages the caller has not read.
    pub async fn unread_count(&self, caller: Caller) -> Result<UnreadCount> {
        let mut counts = self.store.unread_counts(caller.user).await?;
        let rooms = self.rooms_by_change(caller.user).await?;
        counts.extend(self.unread_in_rooms(&rooms).await?);
        counts.retain(|(_, count)| *count > 0);
        Ok(UnreadCount {
            unread_count: counts.iter().map(|(_, count)| count).sum(),
            by_conversation: counts
                .into_iter()
                .map(|(id, count)| (id.to_string(), count))
                .collect(),
        })
    }

    /// A page of the caller's conversations, the last changed first.
    pub async fn inbox(
        &self,
        caller: Caller,
        before: Option<InboxPosition>,
        limit: u32,
    ) -> Result<Inbox> {
        let user = caller.user;
        let heads = self.store.conversations(user, before, limit + 1).await?;
        let rooms = self.rooms_by_change(user).await?;
        let behind = |room: &&InRoom| before.is_none_or(|before| room.position() < before);
        let mut entries: Vec<Entry> =
            rooms.into_iter().filter(|room| behind(&room)).map(Entry::Room).collect();
        entries.extend(heads.into_iter().map(Entry::Direct));
        entries.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.position()));
        let more = entries.len() > limit as usize;
        entries.truncate(limit as usize);
        let next = entries.last().filter(|_| more).map(Entry::position);
        let next_cursor = next.map(|(at, id)| page::cursor(format_args!("{} {id}", at.millis())));
        Ok(Inbox { conversations: self.show_entries(user, entries).await?, next_cursor })
    }

    async fn show_entries(&self, user: UserId, entries: Vec<Entry>) -> Result<Vec<Conversation>> {
        let ids: Vec<_> = entries.iter().map(|entry| entry.position().1).collect();
        let last = self.show(self.store.last_messages(&ids).await?).await?;
        let mut last: HashMap<_, _> =
            last.into_iter().map(|message| (message.conversation(), message)).collect();
        let mut unread: HashMap<_, _> = self.store.unread_counts(user).await?.into_iter().collect();
        let rooms: Vec<_> = entries.iter().filter_map(Entry::room).cloned().collect();
        unread.extend(self.unread_in_rooms(&rooms).await?);
        let mut conversations = Vec::with_capacity(entries.len());
        for entry in entries {
            let (updated_at, id) = entry.position();
            let last_message = last.remove(&id);
            let (kind, peer, room) = match entry {
                Entry::Direct(head) => {
                    let peer = self.person(head.peer_of(user)).await?;
                    (ConversationKind::Direct, Some(peer), None)
                }
                Entry::Room(InRoom { membership, .. }) => {
                    (ConversationKind::Room, None, Some(RoomView::from(&membership)))
                }
            };
            conversations.push(Conversation {
                id,
                kind,
                peer,
                room,
                last_seq: last_message.as_ref().map_or(0, AnyMessage::seq),
                last_message,
                unread_count: unread.get(&id).copied().unwrap_or(0),
                updated_at,
            });
        }
        Ok(conversations)
    }

    /// The rooms of a user with their last messages, the last changed first.
    pub(super) async fn rooms_by_change(&self, user: UserId) -> Result<Vec<InRoom>> {
        let memberships = self.rooms.memberships(user).await?;
        let ids: Vec<_> = memberships.iter().map(|m| m.room.id.conversation()).collect();
        let last = self.store.last_messages(&ids).await?;
        let last: HashMap<_, _> = last
            .into_iter()
            .map(|message| (message.conversation, (message.seq, message.created_at)))
            .collect();
        let mut rooms: Vec<_> = memberships
            .into_iter()
            .map(|membership| {
                let id = membership.room.id.conversation();
                let empty = (0, membership.room.created_at);
                let (last_seq, updated_at) = last.get(&id).copied().unwrap_or(empty);
                InRoom { membership, last_seq, updated_at }
            })
            .collect();
        rooms.sort_unstable_by_key(|room| std::cmp::Reverse(room.position()));
        Ok(rooms)
    }

    async fn unread_in_rooms(&self, rooms: &[InRoom]) -> Result<Vec<(ConversationId, u64)>> {
        let mut counts = Vec::with_capacity(rooms.len());
        for some in rooms.chunks(AT_ONCE) {
            let asked = some.iter().map(|InRoom { membership, last_seq, .. }| {
                let (room, member) = (membership.room.id, membership.member);
                self.unread_in_room(room, member.user, member.since, *last_seq)
            });
            let found = try_join_all(asked).await?;
            let ids = some.iter().map(|room| room.position().1);
            counts.extend(ids.zip(found.into_iter().map(i64::unsigned_abs)));
        }
        Ok(counts)
    }
}

/// A room in somebody's inbox.
#[derive(Debug, Clone)]
pub(super) struct InRoom {
    pub(super) membership: Membership,
    pub(super) last_seq: i64,
    pub(super) updated_at: Timestamp,
}

impl InRoom {
    pub(super) fn position(&self) -> InboxPosition {
        (self.updated_at, self.membership.room.id.conversation())
    }
}

/// A conversation of either kind in somebody's inbox.
enum Entry {
    Direct(ConversationHead),
    Room(InRoom),
}

impl Entry {
    fn position(&self) -> InboxPosition {
        match self {
            Self::Direct(head) => (head.updated_at, head.id),
            Self::Room(room) => room.position(),
        }
    }

    const fn room(&self) -> Option<&InRoom> {
        match self {
            Self::Direct(_) => None,
            Self::Room(room) => Some(room),
        }
    }
}
