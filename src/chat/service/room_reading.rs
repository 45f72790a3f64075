//! Reading in rooms: each message by each member, exactly, with one stored write for whatever is
//! read at once, and announced once.

mod plan;
mod writer;

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::FutureExt;

use super::reading::{Addressed, agrees, no_message};
use super::{BATCH, Chat, WAITING};
use crate::caller::Caller;
use crate::chat::model::Progress;
use crate::chat::requests::ReadMessage;
use crate::chat::room_wire::{
    MESSAGE_RECEIPT, MESSAGES_READ, MessageReceipt, MessagesRead, ReceiptStatus, SeqRange,
};
use crate::chat::store::ChatStore;
use crate::clock::{Clock, Timestamp};
use crate::error::{Error, Result};
use crate::ids::{MessageId, RoomId, UserId};
use crate::store::group::GroupCommit;

pub(super) use plan::without;
use writer::Writer;

/// Stretches that an announcement lists; with more it only counts.
const MOST_RANGES: usize = 100;

/// What a member reads at once.
#[derive(Debug, Clone)]
pub(super) struct ReadInRoom {
    pub(super) room: RoomId,
    pub(super) user: UserId,
    /// [`crate::rooms::model::Member::since`]: nothing up to here is ever unread.
    pub(super) since: i64,
    /// What, in order and apart from each other.
    pub(super) ranges: Vec<SeqRange>,
    /// Whether it is known that others wrote all of it.
    pub(super) by_others: bool,
}

/// What of it had been unread.
#[derive(Debug, Clone, Default)]
pub(super) struct NewlyRead {
    pub(super) count: i64,
    pub(super) ranges: Vec<SeqRange>,
    pub(super) at: Option<Timestamp>,
}

/// The one writer of reads in rooms.
pub(super) struct RoomReads(GroupCommit<ReadInRoom, NewlyRead>);

impl RoomReads {
    pub(super) fn new(store: &Arc<dyn ChatStore>, clock: &Clock) -> Self {
        let writer = Arc::new(Writer::new(store, clock));
        Self(GroupCommit::spawn("room_reads", BATCH, WAITING, move |batch| {
            let writer = writer.clone();
            async move { writer.write(batch).await }.boxed()
        }))
    }

    pub(super) async fn close(&self) {
        self.0.close().await;
    }
}

/// How far a member is, given their last read: those of an earlier membership count for nothing.
pub(super) fn current(last: Option<Progress>, since: i64) -> Progress {
    match last {
        Some(progress) if progress.top > since => progress,
        earlier => {
            let no = earlier.map_or(0, |progress| progress.no);
            Progress { no, done: since, top: since, ahead: 0 }
        }
    }
}

impl Chat {
    pub(super) async fn read_in_room(
        &self,
        reader: UserId,
        asked: ReadMessage,
        addressed: Addressed,
    ) -> Result<()> {
        let room: RoomId = addressed.conversation.into();
        let (_, member) =
            self.rooms.member(room, reader).await.map_err(|error| match error.code {
                crate::error::Code::Forbidden => no_message(),
                crate::error::Code::NotFound => no_message(),
                _ => error,
            })?;
        agrees(asked, addressed)?;
        let seq = addressed.seq;
        if addressed.sender == reader || seq <= member.since {
            return Ok(());
        }
        let ranges = vec![SeqRange { first: seq, last: seq }];
        let read = ReadInRoom { room, user: reader, since: member.since, ranges, by_others: true };
        let NewlyRead { count, at, .. } = self.room_reads.0.submit(read).await?;
        if count > 0 {
            let receipt = MessageReceipt {
                room_id: room,
                message_id: asked.message,
                seq,
                recipient_id: reader,
                status: ReceiptStatus::Read,
                timestamp: at.unwrap_or_else(|| self.clock.now()),
            };
            self.hub.emit(&[room.audience(), reader.audience()], &MESSAGE_RECEIPT, &receipt);
        }
        Ok(())
    }

    /// Marks messages of a room as read by the caller, tells the room, and says how many were
    /// unread. One's own messages, and those from before one joined, count for nothing.
    ///
    /// # Errors
    /// As [`crate::rooms::service::Rooms::member`]; `rate_limited`; `not_found`, and nothing is
    /// marked, when any of them is not a message of the room.
    pub async fn read_messages(
        &self,
        caller: Caller,
        room: RoomId,
        messages: &[MessageId],
    ) -> Result<i64> {
        let reader = caller.user;
        let (_, member) = self.rooms.member(room, reader).await?;
        self.limits.rest_writes.check(&reader)?;
        let (mut seqs, mut by_others) = (Vec::with_capacity(messages.len()), true);
        for addressed in self.addressed_all(messages).await? {
            if addressed.conversation != room.conversation() {
                return Err(Error::not_found("Some of the messages are not in this room"));
            }
            if addressed.seq > member.since {
                seqs.push(addressed.seq);
                by_others &= addressed.sender != reader;
            }
        }
        let (since, ranges) = (member.since, rows_of(seqs));
        self.mark_room(ReadInRoom { room, user: reader, since, ranges, by_others }).await
    }

    async fn addressed_all(&self, messages: &[MessageId]) -> Result<Vec<Addressed>> {
        let wanted: HashSet<_> = messages.iter().copied().collect();
        let (mut found, mut unknown) = (Vec::with_capacity(wanted.len()), Vec::new());
        for message in &wanted {
            match self.recent.get(message) {
                Some(addressed) => found.push(addressed),
                None => unknown.push(*message),
            }
        }
        if !unknown.is_empty() {
            found.extend(self.store.messages(&unknown).await?.iter().map(Addressed::from));
        }
        if found.len() < wanted.len() {
            return Err(Error::not_found("Some of the messages are not in this room"));
        }
        Ok(found)
    }

    /// Marks what a member reads, tells the room and the member's own sockets, and says how many
    /// messages were unread.
    pub(super) async fn mark_room(&self, read: ReadInRoom) -> Result<i64> {
        if read.ranges.is_empty() {
            return Ok(0);
        }
        let (room, reader) = (read.room, read.user);
        let NewlyRead { count, mut ranges, at } = self.room_reads.0.submit(read).await?;
        if count > 0 {
            if ranges.len() > MOST_RANGES {
                ranges.clear();
            }
            let read = MessagesRead {
                room_id: room,
                recipient_id: reader,
                message_count: count,
                ranges,
                timestamp: at.unwrap_or_else(|| self.clock.now()),
            };
            self.hub.emit(&[room.audience(), reader.audience()], &MESSAGES_READ, &read);
        }
        Ok(count)
    }

    /// How many messages a member has not read, given the room's last one.
    pub(super) async fn unread_in_room(
        &self,
        room: RoomId,
        user: UserId,
        since: i64,
        last_seq: i64,
    ) -> Result<i64> {
        let progress = self.progress(room, user, since).await?;
        self.unread_behind(room, user, progress, last_seq).await
    }

    pub(super) async fn progress(
        &self,
        room: RoomId,
        user: UserId,
        since: i64,
    ) -> Result<Progress> {
        let last = self.store.progress(room, &[user]).await?.pop().map(|(_, progress)| progress);
        Ok(current(last, since))
    }

    /// As [`Chat::unread_in_room`], for a member who is so far.
    pub(super) async fn unread_behind(
        &self,
        room: RoomId,
        user: UserId,
        progress: Progress,
        last_seq: i64,
    ) -> Result<i64> {
        // A later message may have come, and been read, since the last one was looked up.
        let last_seq = last_seq.max(progress.top);
        if progress.done >= last_seq {
            return Ok(0);
        }
        let own = self.store.count_own(room, user, progress.done + 1, last_seq).await?;
        Ok((last_seq - progress.done - own - progress.ahead).max(0))
    }
}

/// Numbers as rows of consecutive ones.
fn rows_of(mut seqs: Vec<i64>) -> Vec<SeqRange> {
    seqs.sort_unstable();
    let mut rows: Vec<SeqRange> = Vec::new();
    for seq in seqs {
        match rows.last_mut() {
            Some(row) if seq == row.last + 1 => row.last = seq,
            _ => rows.push(SeqRange { first: seq, last: seq }),
        }
    }
    rows
}

#[cfg(test)]
mod tests;
