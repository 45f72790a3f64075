//! Resuming: what a client missed, so that nothing is lost over a reconnect (CONTRACT §4).

use super::Chat;
use super::history::InRoom;
use crate::caller::Caller;
use crate::chat::model::StoredMessage;
use crate::chat::requests::{Kinds, Sync};
use crate::chat::wire::Synced;
use crate::clock::Timestamp;
use crate::error::{Code, Result};
use crate::ids::{ConversationId, UserId};

/// Messages in one answer.
const MOST: usize = 500;
/// Bytes of text in one answer, beyond the first message.
const MOST_BYTES: usize = 512 * 1024;
/// Conversations looked at for what is newer than a time, in one page.
const PAGE: u32 = 200;

impl Chat {
    /// What the caller missed, of these kinds: of the conversations named, everything after their last `seq`; of
    /// the others what is newer than `since`, or without it what is unread. Conversations that do
    /// not exist or are not the caller's hold nothing.
    ///
    /// # Errors
    /// `rate_limited`, as requests that change something are: this is the dearest thing to ask for.
    pub async fn sync(&self, caller: Caller, kinds: Kinds, asked: &Sync) -> Result<Synced> {
        let user = caller.user;
        self.limits.rest_writes.check(&user)?;
        let mut missed = Vec::new();
        for (conversation, after) in &asked.conversations {
            if missed.len() > MOST {
                break;
            }
            missed.extend(
                self.after(user, kinds, *conversation, *after, MOST + 1 - missed.len()).await?,
            );
        }
        if missed.len() <= MOST {
            let most = MOST + 1 - missed.len();
            missed.extend(match asked.since {
                Some(since) => self.newer(user, kinds, asked, since, most).await?,
                None => self.unread(user, kinds, asked, most).await?,
            });
        }
        let fits = fitting(&missed);
        let more = missed.len() > fits;
        missed.truncate(fits);
        missed.sort_by_key(|message| (message.conversation, message.seq));
        Ok(Synced { messages: self.show(missed).await?, more })
    }

    async fn after(
        &self,
        user: UserId,
        kinds: Kinds,
        conversation: ConversationId,
        seq: i64,
        most: usize,
    ) -> Result<Vec<StoredMessage>> {
        // Any number a client says: messages are numbered from 1.
        let seq = seq.max(0);
        let (first, last) = (seq.saturating_add(1), seq.saturating_add(most as i64));
        let messages = self.store.range(conversation, first, last).await?;
        let theirs = match messages.first() {
            Some(first) => self.may_see(user, kinds, first).await?,
            None => false,
        };
        Ok(if theirs { messages } else { Vec::new() })
    }

    async fn may_see(&self, user: UserId, kinds: Kinds, message: &StoredMessage) -> Result<bool> {
        match message.room() {
            None => {
                let of_two = message.sender == user || message.receiver == Some(user);
                Ok(kinds.direct && of_two)
            }
            Some(_) if !kinds.rooms => Ok(false),
            Some(room) => match self.rooms.member(room, user).await {
                Ok(_) => Ok(true),
                Err(error) if matches!(error.code, Code::NotFound | Code::Forbidden) => Ok(false),
                Err(error) => Err(error),
            },
        }
    }

    /// What is unread in the conversations that are not named.
    async fn unread(
        &self,
        user: UserId,
        kinds: Kinds,
        asked: &Sync,
        most: usize,
    ) -> Result<Vec<StoredMessage>> {
        let mut unread = Vec::new();
        if kinds.direct {
            let named: Vec<_> = asked.conversations.iter().map(|(id, _)| *id).collect();
            unread = self.store.unread(user, &named, most as u32).await?;
        }
        if kinds.rooms {
            for InRoom { membership, last_seq, .. } in self.rooms_by_change(user).await? {
                let (room, member) = (membership.room.id, membership.member);
                if unread.len() < most && !asked.names(room.conversation()) {
                    let most = most - unread.len();
                    unread.extend(self.unread_messages(room, member, last_seq, most).await?);
                }
            }
        }
        Ok(unread)
    }

    /// What is newer than `since` in the conversations that are not named.
    async fn newer(
        &self,
        user: UserId,
        kinds: Kinds,
        asked: &Sync,
        since: Timestamp,
        most: usize,
    ) -> Result<Vec<StoredMessage>> {
        let mut changed = Vec::new();
        if kinds.direct {
            changed = self.changed_since(user, since).await?;
        }
        if kinds.rooms {
            let rooms = self.rooms_by_change(user).await?;
            let newer = rooms.iter().filter(|room| room.last_seq > 0 && room.updated_at > since);
            changed.extend(newer.map(|room| room.position().1));
        }
        changed.retain(|conversation| !asked.names(*conversation));
        changed.sort_unstable();
        let mut newer = Vec::new();
        for conversation in changed {
            if newer.len() >= most {
                break;
            }
            let seen = self.last_seq_until(conversation, since).await?;
            newer.extend(self.after(user, kinds, conversation, seen, most - newer.len()).await?);
        }
        Ok(newer)
    }

    async fn changed_since(&self, user: UserId, since: Timestamp) -> Result<Vec<ConversationId>> {
        let mut changed = Vec::new();
        let mut before = None;
        loop {
            let page = self.store.conversations(user, before, PAGE).await?;
            let recent = page.iter().take_while(|head| head.updated_at > since);
            let count = changed.len();
            changed.extend(recent.map(|head| head.id));
            match page.last() {
                Some(last) if changed.len() - count == PAGE as usize => {
                    before = Some((last.updated_at, last.id));
                }
                _ => return Ok(changed),
            }
        }
    }

    /// The last `seq` stored until `since`. Times rise with `seq`, so this is a binary search.
    async fn last_seq_until(&self, conversation: ConversationId, since: Timestamp) -> Result<i64> {
        let (mut until, mut after) = (0, self.store.last_seq(conversation).await? + 1);
        while after - until > 1 {
            let middle = until + (after - until) / 2;
            let found = self.store.range(conversation, middle, middle).await?;
            if found.first().is_some_and(|message| message.created_at <= since) {
                until = middle;
            } else {
                after = middle;
            }
        }
        Ok(until)
    }
}

/// How many of these fit into one answer.
fn fitting(messages: &[StoredMessage]) -> usize {
    let mut bytes = 0;
    let fits = messages.iter().take(MOST).take_while(|message| {
        let first = bytes == 0;
        bytes += message.content.as_str().len();
        first || bytes <= MOST_BYTES
    });
    fits.count()
}
