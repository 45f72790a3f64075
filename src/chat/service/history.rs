//! Looking back: the history of a pair, unread counts, the inbox.

use std::collections::HashMap;

use super::Chat;
use crate::caller::Caller;
use crate::chat::requests::HistoryPage;
use crate::chat::store::InboxPosition;
use crate::chat::wire::{Conversation, Inbox, Message, UnreadCount};
use crate::error::Result;
use crate::ids::{ConversationId, UserId};
use crate::page;

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
    ) -> Result<Vec<Message>> {
        self.name_of(peer).await?;
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
        let counts = self.store.unread_counts(caller.user).await?;
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
        let mut heads = self.store.conversations(caller.user, before, limit + 1).await?;
        let more = heads.len() > limit as usize;
        heads.truncate(limit as usize);
        let ids: Vec<_> = heads.iter().map(|head| head.id).collect();
        let unread: HashMap<_, _> =
            self.store.unread_counts(caller.user).await?.into_iter().collect();
        let last = self.show(self.store.last_messages(&ids).await?).await?;
        let mut last: HashMap<_, _> =
            last.into_iter().map(|message| (message.conversation_id, message)).collect();
        let next = heads.last().filter(|_| more);
        let next_cursor =
            next.map(|head| page::cursor(format_args!("{} {}", head.updated_at.millis(), head.id)));
        let mut conversations = Vec::with_capacity(heads.len());
        for head in heads {
            let last_message = last.remove(&head.id);
            conversations.push(Conversation {
                id: head.id,
                kind: "direct",
                peer: self.person(head.peer_of(caller.user)).await?,
                last_seq: last_message.as_ref().map_or(0, |message| message.seq),
                last_message,
                unread_count: unread.get(&head.id).copied().unwrap_or(0),
                updated_at: head.updated_at,
            });
        }
        Ok(Inbox { conversations, next_cursor })
    }
}
