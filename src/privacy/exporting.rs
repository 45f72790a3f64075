//! Giving out what is kept of a person: one JSON document, written piece by piece as it is read,
//! so that a life's messages take no more memory than a page of them.

use std::collections::HashSet;
use std::io::{self, Write};
use std::sync::Arc;

use super::document::Document;
use super::views::{
    AccountView, ConversationView, DayView, FixView, LoginView, MembershipView, MessageView,
    OwnOrder, ReadView,
};
use crate::auth::model::Account;
use crate::auth::store::AuthStore;
use crate::chat::store::ChatStore;
use crate::clock::Timestamp;
use crate::drivers::model::Trail;
use crate::drivers::store::DriverStore;
use crate::error::Error;
use crate::ids::{ConversationId, UserId};
use crate::orders::days::{TimeZoneName, bounds, today};
use crate::orders::model::{OrderPage, Whose};
use crate::orders::store::OrderStore;
use crate::presence::store::PresenceStore;
use crate::rooms::store::RoomStore;

/// Rows read at a time.
const PAGE: u32 = 500;
/// Days whose earnings are asked for at a time.
const DAYS: usize = 366;

/// Where everything is.
pub struct Sources {
    /// Accounts and login sessions.
    pub auth: Arc<dyn AuthStore>,
    /// When people were last seen.
    pub presence: Arc<dyn PresenceStore>,
    /// Memberships.
    pub rooms: Arc<dyn RoomStore>,
    /// Messages and reads.
    pub chat: Arc<dyn ChatStore>,
    /// Positions.
    pub drivers: Arc<dyn DriverStore>,
    /// Orders.
    pub orders: Arc<dyn OrderStore>,
}

/// Why there is no document, or only the beginning of one.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The store.
    #[error(transparent)]
    Store(#[from] Error),
    /// Where it was to be written.
    #[error("the document cannot be written: {0}")]
    Write(#[from] io::Error),
}

impl Sources {
    /// Writes what is kept of an account: itself without its hash, login sessions without tokens,
    /// rooms, conversations with both sides' messages, in rooms what the user wrote and when the
    /// user read, orders with a part of the user's, positions and earnings. What changes while
    /// this runs may be in it or not.
    ///
    /// Meant for a process of its own: writing blocks.
    ///
    /// # Errors
    /// [`ExportError`]; then `out` has a part of the document.
    pub async fn export(
        &self,
        account: &Account,
        now: Timestamp,
        out: impl Write + Send,
    ) -> Result<(), ExportError> {
        let mut document = Document::begin(out);
        document.field("exportedAt", &now)?;
        document.field("account", &AccountView::from(account))?;
        let seen = self.presence.last_seen(&[account.id]).await?;
        document.field("lastSeen", &seen.first().map(|(_, at)| at))?;
        self.sessions(account.id, &mut document).await?;
        self.rooms(account.id, &mut document).await?;
        self.messages(account.id, &mut document).await?;
        self.orders(account.id, &mut document).await?;
        self.positions(account.id, &mut document).await?;
        self.earnings(account, now, &mut document).await?;
        Ok(document.end()?)
    }

    async fn sessions(
        &self,
        user: UserId,
        document: &mut Document<impl Write>,
    ) -> Result<(), ExportError> {
        let mut list = document.list("loginSessions")?;
        let mut after = None;
        loop {
            let page = self.auth.logins(user, after, PAGE).await?;
            for login in &page {
                list.item(&LoginView::from(login))?;
            }
            let Some(last) = page.last() else { return Ok(list.end()?) };
            after = Some(last.id);
        }
    }

    /// Bounded: a user is in so many rooms at most.
    async fn rooms(
        &self,
        user: UserId,
        document: &mut Document<impl Write>,
    ) -> Result<(), ExportError> {
        let mut list = document.list("rooms")?;
        for membership in &self.rooms.rooms_of(user).await? {
            list.item(&MembershipView::from(membership))?;
        }
        Ok(list.end()?)
    }

    async fn messages(
        &self,
        user: UserId,
        document: &mut Document<impl Write>,
    ) -> Result<(), ExportError> {
        let conversations = self.conversations(user, document).await?;
        let mut list = document.list("messages")?;
        for conversation in conversations {
            let mut seq = 0;
            loop {
                let (first, last) = (seq + 1, seq + i64::from(PAGE));
                let messages = self.chat.range(conversation, first, last).await?;
                for message in &messages {
                    list.item(&MessageView::from(message))?;
                }
                let Some(message) = messages.last() else { break };
                seq = message.seq;
            }
        }
        list.end()?;
        self.in_rooms(user, document).await
    }

    /// Pages begin with the conversations that were written in last: one of a later page in which
    /// somebody writes meanwhile is on the first then. So they are gone through until all are known.
    async fn conversations(
        &self,
        user: UserId,
        document: &mut Document<impl Write>,
    ) -> Result<Vec<ConversationId>, ExportError> {
        let mut list = document.list("conversations")?;
        let (mut found, mut known) = (Vec::new(), HashSet::new());
        loop {
            let (mut before, found_before) = (None, found.len());
            loop {
                let page = self.chat.conversations(user, before, PAGE).await?;
                for head in page.iter().filter(|head| known.insert(head.id)) {
                    list.item(&ConversationView::new(head, user))?;
                    found.push(head.id);
                }
                let Some(last) = page.last() else { break };
                before = Some((last.updated_at, last.id));
            }
            if found.len() == found_before {
                list.end()?;
                return Ok(found);
            }
        }
    }

    async fn in_rooms(
        &self,
        user: UserId,
        document: &mut Document<impl Write>,
    ) -> Result<(), ExportError> {
        let mut list = document.list("roomMessages")?;
        let mut after = None;
        loop {
            let page = self.chat.written_in_rooms(user, after, PAGE).await?;
            for message in &page {
                list.item(&MessageView::from(message))?;
            }
            let Some(last) = page.last() else { break };
            after = Some((last.conversation, last.seq));
        }
        list.end()?;
        let mut list = document.list("roomReads")?;
        let mut after = None;
        loop {
            let page = self.chat.reads_of(user, after, PAGE).await?;
            for read in &page {
                list.item(&ReadView::from(read))?;
            }
            let Some(last) = page.last() else { return Ok(list.end()?) };
            after = Some((last.room, last.progress.no));
        }
    }

    async fn orders(
        &self,
        user: UserId,
        document: &mut Document<impl Write>,
    ) -> Result<(), ExportError> {
        let mut list = document.list("orders")?;
        let mut before = None;
        loop {
            let whose = Whose::Of(user);
            let page = OrderPage { whose, status: None, before, limit: PAGE };
            let orders = self.orders.orders(&page).await?;
            for order in &orders {
                list.item(&OwnOrder::from(&order.seen_by(user)))?;
            }
            let Some(last) = orders.last() else { return Ok(list.end()?) };
            before = Some(last.number);
        }
    }

    async fn positions(
        &self,
        user: UserId,
        document: &mut Document<impl Write>,
    ) -> Result<(), ExportError> {
        let last = self.drivers.last_fix(user).await?;
        document.field("lastPosition", &last.as_ref().map(FixView::from))?;
        let mut list = document.list("positions")?;
        let (mut after, until) =
            (Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX));
        loop {
            let trail = Trail { driver: user, after, until, limit: PAGE };
            let fixes = self.drivers.trail(&trail).await?;
            for fix in &fixes {
                list.item(&FixView::from(fix))?;
            }
            let Some(last) = fixes.last() else { return Ok(list.end()?) };
            after = last.at;
        }
    }

    /// Days without any are left out.
    async fn earnings(
        &self,
        account: &Account,
        now: Timestamp,
        document: &mut Document<impl Write>,
    ) -> Result<(), ExportError> {
        let utc = TimeZoneName::default();
        let days = bounds(&utc, today(&utc, account.created_at), today(&utc, now));
        let mut list = document.list("earnings")?;
        for first in (0..days.len()).step_by(DAYS) {
            let some = &days[first..days.len().min(first + DAYS + 1)];
            let earned = self.orders.earned(account.id, some).await?;
            for (start, earned) in some.iter().zip(earned).filter(|(_, day)| day.orders > 0) {
                let date = today(&utc, *start).to_string();
                list.item(&DayView { date, total: earned.total, orders: earned.orders })?;
            }
        }
        Ok(list.end()?)
    }
}
