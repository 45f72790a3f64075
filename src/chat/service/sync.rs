//! Resuming: what a client missed, so that nothing is lost over a reconnect (CONTRACT §4).

use std::collections::HashSet;

use super::Chat;
use crate::caller::Caller;
use crate::chat::model::StoredMessage;
use crate::chat::requests::Sync;
use crate::chat::wire::Synced;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::ids::{ConversationId, UserId};

/// Messages in one answer.
const MOST: usize = 500;
/// Bytes of text in one answer, beyond the first message.
const MOST_BYTES: usize = 512 * 1024;
/// Conversations looked at for what is newer than a time, in one page.
const PAGE: u32 = 200;

impl Chat {
    /// What the caller missed: of the conversations named, everything after their last `seq`; of
    /// the others what is newer than `since`, or without it what is unread. Conversations that do
    /// not exist or are not the caller's hold nothing.
    ///
    /// # Errors
    /// `rate_limited`, as requests that change something are: this is the dearest thing to ask for.
    pub async fn sync(&self, caller: Caller, asked: &Sync) -> Result<Synced> {
        self.limits.rest_writes.check(&caller.user)?;
        let mut missed = Vec::new();
        for (conversation, after) in &asked.conversations {
            if missed.len() > MOST {
                break;
            }
            missed.extend(
                self.after(caller.user, *conversation, *after, MOST + 1 - missed.len()).await?,
            );
        }
        if missed.len() <= MOST {
            let named: Vec<_> = asked.conversations.iter().map(|(id, _)| *id).collect();
            let room = MOST + 1 - missed.len();
            missed.extend(match asked.since {
                Some(since) => self.newer(caller.user, &named, since, room).await?,
                None => self.store.unread(caller.user, &named, room as u32).await?,
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
        conversation: ConversationId,
        seq: i64,
        most: usize,
    ) -> Result<Vec<StoredMessage>> {
        // Any number a client says: messages are numbered from 1.
        let seq = seq.max(0);
        let (first, last) = (seq.saturating_add(1), seq.saturating_add(most as i64));
        let messages = self.store.range(conversation, first, last).await?;
        let theirs =
            messages.first().is_some_and(|first| first.sender == user || first.receiver == user);
        Ok(if theirs { messages } else { Vec::new() })
    }

    async fn newer(
        &self,
        user: UserId,
        except: &[ConversationId],
        since: Timestamp,
        most: usize,
    ) -> Result<Vec<StoredMessage>> {
        let except: HashSet<_> = except.iter().collect();
        let mut changed = self.changed_since(user, since).await?;
        changed.retain(|conversation| !except.contains(conversation));
        changed.sort_unstable();
        let mut newer = Vec::new();
        for conversation in changed {
            if newer.len() >= most {
                break;
            }
            let seen = self.last_seq_until(conversation, since).await?;
            newer.extend(self.after(user, conversation, seen, most - newer.len()).await?);
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
