//! Deleting texts: those of an account that is erased, and those that are too old. The messages
//! keep their places, so that no conversation has a hole that a client would take for a loss.

use std::time::Duration;

use super::Chat;
use crate::chat::model::StoredMessage;
use crate::error::Result;
use crate::ids::{MessageId, UserId};

/// Messages looked at in one go.
const SLICE: u32 = 500;
/// Between two, so that nobody's messages wait behind them.
const PAUSE: Duration = Duration::from_millis(20);
/// How often texts that are too old are looked for.
const BETWEEN_REMOVALS: Duration = Duration::from_secs(3600);

impl Chat {
    /// Deletes the text of every message that a user wrote. What others wrote stays. Repeatable.
    ///
    /// # Errors
    /// Those of the store; what is deleted stays so.
    pub async fn erase(&self, user: UserId) -> Result<()> {
        let mut before = None;
        loop {
            let page = self.store.conversations(user, before, SLICE).await?;
            for head in &page {
                let last = self.store.last_seq(head.id).await?;
                for first in (1..=last).step_by(SLICE as usize) {
                    let end = first + i64::from(SLICE) - 1;
                    let messages = self.store.range(head.id, first, end).await?;
                    self.delete_texts(messages.iter().filter(|m| m.sender == user), false).await?;
                }
            }
            let Some(head) = page.last() else { break };
            before = Some((head.updated_at, head.id));
        }
        let mut after = None;
        loop {
            let page = self.store.written_in_rooms(user, after, SLICE).await?;
            self.delete_texts(page.iter(), false).await?;
            let Some(message) = page.last() else { return Ok(()) };
            after = Some((message.conversation, message.seq));
        }
    }

    /// Gives how many that were.
    async fn delete_texts(
        &self,
        messages: impl Iterator<Item = &StoredMessage>,
        keep_keys: bool,
    ) -> Result<usize> {
        // A key is of no use to an account that is erased, and may say something.
        let has_any =
            |m: &&StoredMessage| !m.is_deleted() || (!keep_keys && m.client_msg_id.is_some());
        let ids: Vec<MessageId> = messages.filter(has_any).map(|message| message.id).collect();
        if !ids.is_empty() {
            self.store.delete_texts(&ids, keep_keys).await?;
            tokio::time::sleep(PAUSE).await;
        }
        Ok(ids.len())
    }

    /// Deletes texts once they are older than `retention`, until the server stops.
    pub fn delete_old_texts(&self, retention: Duration) {
        let this = self.this.clone();
        tokio::spawn(async move {
            // What lies before it is deleted.
            let mut done = MessageId::from_bytes([0; 12]);
            loop {
                let Some(chat) = this.upgrade().filter(|chat| !chat.hub.is_draining()) else {
                    return;
                };
                let old = MessageId::earliest(chat.clock.now() - retention);
                match chat.delete_slice(&mut done, old).await {
                    Ok(true) => {
                        drop(chat);
                        tokio::time::sleep(PAUSE).await;
                        continue;
                    }
                    Ok(false) => {}
                    Err(error) => tracing::warn!(%error, "old messages could not be deleted"),
                }
                drop(chat);
                tokio::time::sleep(BETWEEN_REMOVALS).await;
            }
        });
    }

    /// Deletes some texts of messages after `done` and before `old`, and moves `done` behind them;
    /// whether there may be more.
    async fn delete_slice(&self, done: &mut MessageId, old: MessageId) -> Result<bool> {
        let messages = self.store.between(*done, old, SLICE).await?;
        let count = self.delete_texts(messages.iter(), true).await?;
        metrics::counter!("waggle_message_texts_expired_total").increment(count as u64);
        if let Some(last) = messages.last() {
            *done = last.id;
        }
        Ok(messages.len() == SLICE as usize)
    }
}
