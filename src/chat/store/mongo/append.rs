//! Appending: number, insert, and where another write was faster, learn from it and go on.
//!
//! The insert is ordered, so that it stops at the first message refused: no `seq` after it is
//! used, and there is never a gap. Which unique index refused tells what happened:
//! the conversation's (another node took the number), the sender's `clientMsgId` (a repeat), or
//! the id itself (an earlier try of ours, whose answer was lost, did arrive).

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use mongodb::error::{Error as DriverError, ErrorKind};
use tokio::time::Instant;

use super::batch::{Batch, Pending};
use super::heads::{Head, upsert_conversations};
use super::known::{settle_expected, settle_known};
use super::rows::MessageRow;
use super::{MongoChatStore, SEQ_UNIQUE};
use crate::chat::model::{NewMessage, StoredMessage};
use crate::chat::store::Appended;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::ids::ConversationId;
use crate::store::mongo::operation::{bounded, is_outage, refused_index, to_error};

/// How long a batch is tried. The ids are fixed, so a message that arrived is found, not doubled.
const BUDGET: Duration = Duration::from_secs(8);
/// The same while the database is known to be away, so that what waits behind a batch is not kept
/// waiting for as long again. Enough to find the database when it is back.
const BUDGET_AWAY: Duration = Duration::from_secs(3);
/// The longest wait for whoever is faster, and between tries while the database is away.
const LONGEST_PAUSE_MILLIS: u64 = 64;

/// How far one round came.
enum Round {
    /// Everything is settled, or at least one message more than before.
    Progress,
    /// A number or a `clientMsgId` was taken by a write that is not committed yet, or that this
    /// node did not know.
    Overtaken,
}

pub(super) async fn append(
    store: &MongoChatStore,
    messages: Vec<NewMessage>,
    now: Timestamp,
) -> Vec<Result<Appended>> {
    let away = store.away.load(Ordering::Relaxed);
    let deadline = Instant::now() + if away { BUDGET_AWAY } else { BUDGET };
    let mut batch = Batch::new(messages);
    let (mut setbacks, mut first) = (0, true);
    while !batch.pending().is_empty() {
        match round(store, &mut batch, &mut first, now, deadline).await {
            Ok(Round::Progress) => {
                store.away.store(false, Ordering::Relaxed);
                setbacks = 0;
            }
            Ok(Round::Overtaken) => setbacks += 1,
            Err(error) => {
                forget(store, batch.pending());
                setbacks += 1;
                store.away.store(is_outage(&error), Ordering::Relaxed);
                if !is_outage(&error) || Instant::now() >= deadline {
                    batch.fail_rest(&to_error(&error));
                }
            }
        }
        if Instant::now() >= deadline {
            forget(store, batch.pending());
            batch.fail_rest(&Error::unavailable("The conversation is too busy"));
        } else if setbacks > 0 && !batch.pending().is_empty() {
            pause(setbacks).await;
        }
    }
    batch.into_results()
}

fn forget(store: &MongoChatStore, pending: &[Pending]) {
    for pending in pending {
        store.heads.forget(pending.message.conversation);
    }
}

/// Waits longer with every setback, and never as long as the others do.
async fn pause(setbacks: u32) {
    let longest = 1_u64
        .checked_shl(setbacks)
        .map_or(LONGEST_PAUSE_MILLIS, |millis| millis.min(LONGEST_PAUSE_MILLIS));
    tokio::time::sleep(Duration::from_micros(rand::random_range(0..longest * 1000))).await;
}

/// Numbers what is pending and inserts it, up to the first message that is refused.
async fn round(
    store: &MongoChatStore,
    batch: &mut Batch,
    first: &mut bool,
    now: Timestamp,
    deadline: Instant,
) -> mongodb::error::Result<Round> {
    let limit = || deadline.saturating_duration_since(Instant::now());
    if *first {
        settle_expected(store, batch, limit()).await?;
        *first = false;
    }
    if batch.pending().is_empty() {
        return Ok(Round::Progress);
    }
    let conversations = batch.pending().iter().map(|pending| pending.message.conversation);
    let heads = store.heads.load(conversations, limit()).await?;
    let rows = number(batch.pending(), heads, now);
    upsert_conversations(store.db.database().clone(), &rows, limit()).await?;
    let (rows, inserted) = insert(store, rows, limit()).await?;
    let Err(error) = inserted else {
        settle_stored(store, batch, rows);
        return Ok(Round::Progress);
    };
    let Some((place, code, message)) = refusal(&error) else { return Err(error) };
    settle_stored(store, batch, rows.into_iter().take(place));
    match refused_index(code, message) {
        Some(SEQ_UNIQUE) => {
            forget(store, &batch.pending()[..1]);
            Ok(if place > 0 { Round::Progress } else { Round::Overtaken })
        }
        Some(_) => {
            let any = settle_known(store, batch, |_| true, limit()).await?;
            Ok(if any { Round::Progress } else { Round::Overtaken })
        }
        None => {
            batch.fail_next(to_error(&error));
            Ok(Round::Progress)
        }
    }
}

/// Gives each message the number and time after those of its conversation's end.
fn number(
    pending: &[Pending],
    mut heads: HashMap<ConversationId, Head>,
    now: Timestamp,
) -> Vec<MessageRow> {
    let mut number = |Pending { message, .. }: &Pending| {
        let head = heads.get_mut(&message.conversation).expect("a head was loaded for each");
        *head = head.next(now);
        MessageRow::new(message, head.seq, head.created_at)
    };
    pending.iter().map(&mut number).collect()
}

/// Inserts in order; gives the rows back, with what the database said of them.
async fn insert(
    store: &MongoChatStore,
    rows: Vec<MessageRow>,
    limit: Duration,
) -> mongodb::error::Result<(Vec<MessageRow>, mongodb::error::Result<()>)> {
    let messages = store.messages.clone();
    bounded(limit, async move {
        let outcome = messages.insert_many(&rows).ordered(true).await.map(drop);
        Ok((rows, outcome))
    })
    .await
}

/// Which message was refused, and how; `None` when the outcome is unknown.
fn refusal(error: &DriverError) -> Option<(usize, i32, &str)> {
    let ErrorKind::InsertMany(failure) = error.kind.as_ref() else { return None };
    if failure.write_concern_error.is_some() {
        return None;
    }
    let first = failure.write_errors.as_ref()?.first()?;
    Some((first.index, first.code, &first.message))
}

fn settle_stored(
    store: &MongoChatStore,
    batch: &mut Batch,
    rows: impl IntoIterator<Item = MessageRow, IntoIter: ExactSizeIterator>,
) {
    let stored = rows.into_iter().map(|row| {
        let message = StoredMessage::from(row);
        let head = Head { seq: message.seq, created_at: message.created_at };
        store.heads.remember(message.conversation, head);
        store.recent.remember(&message);
        Appended::Stored(message)
    });
    batch.settle_first(stored);
}
