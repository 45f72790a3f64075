//! Looking back in a room: its messages, who read them, what of it is unread.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::try_join_all;

use super::Chat;
use super::reading::no_message;
use super::room_reading::{ReadInRoom, without};
use crate::caller::Caller;
use crate::chat::message_wire::RoomMessage;
use crate::chat::model::{Progress, RoomRead, StoredMessage};
use crate::chat::requests::RoomPage;
use crate::chat::room_wire::{
    ListedMessage, Receipt, ReceiptSummary, Receipts, RoomHistory, SeqRange,
};
use crate::error::{Error, Result};
use crate::ids::{MessageId, RoomId, UserId};
use crate::rooms::model::Member;
use crate::rooms::service::Occupied;

/// Messages looked through at once for those that are unread.
const PAGE: i64 = 200;

impl Chat {
    /// A page of a room's messages, the newest first, which are read by the caller with this.
    ///
    /// # Errors
    /// As [`crate::rooms::service::Rooms::member`].
    pub async fn room_history(
        &self,
        caller: Caller,
        room: RoomId,
        page: RoomPage,
    ) -> Result<RoomHistory> {
        let (occupied, member) = self.rooms.member(room, caller.user).await?;
        let total = self.store.last_seq(room.conversation()).await?;
        let (first, last) = page.place.bounds(total, page.size);
        let mut messages = match first <= last {
            true => self.store.range(room.conversation(), first, last).await?,
            false => Vec::new(),
        };
        messages.reverse();
        if let (Some(newest), Some(oldest)) = (messages.first(), messages.last()) {
            let range = SeqRange { first: oldest.seq, last: newest.seq };
            self.mark_detached(read_by(room, member, range)).await?;
        }
        let summaries = self.summaries(&occupied, &messages).await?;
        let listed = messages.into_iter().zip(summaries).map(async |(message, receipts)| {
            let sender = self.person(message.sender).await?;
            let message = RoomMessage::new(message, sender);
            Ok::<_, Error>(ListedMessage { message, receipts })
        });
        Ok(RoomHistory {
            messages: try_join_all(listed).await?,
            page: page.number,
            page_size: page.size,
            total,
            total_pages: (total + page.size - 1) / page.size,
        })
    }

    /// Marks and tells, also when the client hangs up before the answer.
    async fn mark_detached(&self, read: ReadInRoom) -> Result<()> {
        let chat =
            self.this.upgrade().ok_or_else(|| Error::unavailable("The server is stopping"))?;
        let marked = self.hub.work().spawn(async move { chat.mark_room(read).await });
        marked.await.map_err(Error::internal)?.map(drop)
    }

    /// Who has read a message, and when.
    ///
    /// # Errors
    /// As [`crate::rooms::service::Rooms::member`]; `not_found` when it is not in the room.
    pub async fn receipts(
        &self,
        caller: Caller,
        room: RoomId,
        message: MessageId,
    ) -> Result<Receipts> {
        let (occupied, _) = self.rooms.member(room, caller.user).await?;
        let stored = self.store.message(message).await?.ok_or_else(no_message)?;
        if stored.room() != Some(room) {
            return Err(no_message());
        }
        let recipients: Vec<_> = recipients(&occupied, &stored).map(|member| member.user).collect();
        let progress = self.store.progress(room, &recipients).await?;
        let so_far = progress.into_iter().filter(|(_, progress)| progress.top >= stored.seq);
        let readers: Vec<_> = so_far.map(|(user, _)| user).collect();
        let reads = self.store.readers(room, &readers, stored.seq, stored.seq).await?;
        let reads: HashMap<UserId, RoomRead> =
            reads.into_iter().map(|read| (read.user, read)).collect();
        let receipts = recipients.iter().map(async |user| {
            let read_at = reads.get(user).map(|read| read.read_at);
            let username = self.person(*user).await?.username;
            let read = read_at.is_some();
            let delivered_at = stored.created_at;
            Ok::<_, Error>(Receipt { user_id: *user, username, delivered_at, read_at, read })
        });
        let receipts = try_join_all(receipts).await?;
        let read_count = receipts.iter().filter(|receipt| receipt.read).count();
        let summary = ReceiptSummary { total_recipients: receipts.len(), read_count };
        let sender = self.person(stored.sender).await?;
        Ok(Receipts { message: RoomMessage::new(stored, sender), receipts, summary })
    }

    /// How many have read each of these messages, which are in one room and in a row.
    async fn summaries(
        &self,
        occupied: &Arc<Occupied>,
        messages: &[StoredMessage],
    ) -> Result<Vec<ReceiptSummary>> {
        let seqs = || messages.iter().map(|message| message.seq);
        let (Some(first), Some(last)) = (seqs().min(), seqs().max()) else {
            return Ok(Vec::new());
        };
        let room = occupied.room.id;
        let users: Vec<_> = occupied.members.iter().map(|member| member.user).collect();
        let progress: HashMap<UserId, Progress> =
            self.store.progress(room, &users).await?.into_iter().collect();
        // Most members have read all of a page or nothing; of the others it must be looked up.
        let in_between = |user: &UserId| {
            progress.get(user).is_some_and(|p| p.ahead > 0 && p.done < last && p.top >= first)
        };
        let unsure: Vec<_> = users.into_iter().filter(in_between).collect();
        let mut reads: HashMap<UserId, Vec<RoomRead>> = HashMap::new();
        for read in self.store.readers(room, &unsure, first, last).await? {
            reads.entry(read.user).or_default().push(read);
        }
        let has_read = |user: &UserId, seq: i64| {
            progress.get(user).is_some_and(|progress| seq <= progress.done)
                || reads.get(user).into_iter().flatten().any(|read| covers(read, seq))
        };
        let summary = |message: &StoredMessage| {
            let (mut total_recipients, mut read_count) = (0, 0);
            for member in recipients(occupied, message) {
                total_recipients += 1;
                read_count += usize::from(has_read(&member.user, message.seq));
            }
            ReceiptSummary { total_recipients, read_count }
        };
        Ok(messages.iter().map(summary).collect())
    }

    /// The unread messages of a room, at most so many, in order.
    pub(super) async fn unread_messages(
        &self,
        room: RoomId,
        member: Member,
        last_seq: i64,
        most: usize,
    ) -> Result<Vec<StoredMessage>> {
        let Member { user, since, .. } = member;
        let progress = self.progress(room, user, since).await?;
        let unread = SeqRange { first: progress.done + 1, last: last_seq };
        let ahead = match progress.done < progress.top {
            true => self.store.stretches(room, user, unread.first, progress.top).await?,
            false => Vec::new(),
        };
        let mut found = Vec::new();
        for mut gap in without(unread, &ahead) {
            while gap.first <= gap.last && found.len() < most {
                let last = gap.last.min(gap.first + PAGE - 1);
                let page = self.store.range(room.conversation(), gap.first, last).await?;
                found.extend(page.into_iter().filter(|message| message.sender != user));
                gap.first = last + 1;
            }
        }
        found.truncate(most);
        Ok(found)
    }
}

fn read_by(room: RoomId, member: Member, range: SeqRange) -> ReadInRoom {
    let Member { user, since, .. } = member;
    let range = SeqRange { first: range.first.max(since + 1), ..range };
    let ranges = if range.first <= range.last { vec![range] } else { Vec::new() };
    ReadInRoom { room, user, since, ranges, by_others: false }
}

/// The members for whom a message was: who was a member when it was written, without its sender.
fn recipients<'a>(
    occupied: &'a Occupied,
    message: &'a StoredMessage,
) -> impl Iterator<Item = &'a Member> {
    let is_recipient =
        |member: &&Member| member.user != message.sender && member.since < message.seq;
    occupied.members.iter().filter(is_recipient)
}

fn covers(read: &RoomRead, seq: i64) -> bool {
    (read.stretch.first..=read.stretch.last).contains(&seq)
}
