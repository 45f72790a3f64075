//! What senders were told, held against what the server has.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::load::Conversation;
use crate::setting::rest::Rest;
use crate::setting::wait::until;

/// What an ack said of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Acked {
    id: String,
    seq: i64,
    content: String,
}

/// Counts while the load runs.
#[derive(Default)]
pub(crate) struct Ledger {
    acked: Mutex<HashMap<String, Acked>>,
    pub(crate) acks: AtomicUsize,
    /// Sends answered `unavailable`.
    pub(crate) unavailable: AtomicUsize,
    /// Connections lost with a send under way.
    pub(crate) lost_connections: AtomicUsize,
    slowest_millis: AtomicU64,
}

impl Ledger {
    /// Notes an `ok` ack of the message that was sent with this `clientMsgId`.
    pub(crate) fn note(&self, client_msg_id: &str, content: &str, message: &Value) {
        assert_eq!(message["content"], content, "an ack carries what was sent");
        let acked = Acked {
            id: message["_id"].as_str().unwrap().to_owned(),
            seq: message["seq"].as_i64().unwrap(),
            content: content.to_owned(),
        };
        let before = self.acked.lock().unwrap().insert(client_msg_id.to_owned(), acked);
        assert_eq!(before, None, "each message is acked to its sender once");
        self.acks.fetch_add(1, Ordering::SeqCst);
    }

    /// Notes how long an answer took.
    pub(crate) fn note_wait(&self, waited: Duration) {
        self.slowest_millis.fetch_max(waited.as_millis() as u64, Ordering::SeqCst);
    }

    pub(crate) fn slowest(&self) -> Duration {
        Duration::from_millis(self.slowest_millis.load(Ordering::SeqCst))
    }

    /// Waits until so many more messages are acked.
    pub(crate) async fn await_more(&self, count: usize, limit: Duration) {
        let wanted = self.acks.load(Ordering::SeqCst) + count;
        let enough = async || (self.acks.load(Ordering::SeqCst) >= wanted).then_some(());
        until(&format!("{count} more acks"), limit, enough).await;
    }

    /// Holds every acked message against the histories of these conversations.
    pub(crate) async fn check(&self, rest: &Rest, conversations: &[Conversation]) -> Tally {
        let mut tally = Tally { acked: self.acks.load(Ordering::SeqCst), ..Tally::default() };
        let mut missing = self.acked.lock().unwrap().clone();
        for conversation in conversations {
            let history = match conversation {
                Conversation::Pair([one, other]) => rest.history(one, other).await,
                Conversation::Room { id, members } => rest.room_history(&members[0], id).await,
            };
            tally.found += history.len();
            tally.count_numbers(&history);
            let mut seen = HashSet::new();
            for message in &history {
                let key = message["clientMsgId"].as_str().expect("all have one");
                if !seen.insert(key.to_owned()) {
                    tally.doubled += 1;
                } else if let Some(acked) = missing.remove(key) {
                    tally.changed += usize::from(!acked.is(message));
                }
            }
        }
        tally.lost = missing.len();
        tally
    }
}

impl Acked {
    fn is(&self, stored: &Value) -> bool {
        stored["_id"] == self.id.as_str()
            && stored["seq"] == self.seq
            && stored["content"] == self.content.as_str()
    }
}

/// What became of the messages.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) acked: usize,
    pub(crate) found: usize,
    doubled: usize,
    /// Acked, but stored with other content, id or number.
    changed: usize,
    lost: usize,
    /// Numbers left out, used twice, or out of order.
    misnumbered: usize,
}

impl Tally {
    fn count_numbers(&mut self, history: &[Value]) {
        let numbers = history.iter().map(|message| message["seq"].as_i64().unwrap());
        self.misnumbered += numbers.zip(1..).filter(|(found, wanted)| found != wanted).count();
    }

    /// Every acked message is there once, as acked, and nothing but messages that were sent.
    /// Senders go on until they have an ack, so in the end everything stored is acked.
    pub(crate) fn assert_whole(&self) {
        let faults = (self.doubled, self.changed, self.lost, self.misnumbered);
        assert_eq!(faults, (0, 0, 0, 0), "{self:?}");
        assert_eq!(self.acked, self.found, "{self:?}");
        assert!(self.acked > 0, "nothing was sent");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { acked, found, doubled, changed, lost, misnumbered } = self;
        write!(
            f,
            "acked {acked}, found {found}, doubled {doubled}, changed {changed}, lost {lost}, \
             misnumbered {misnumbered}"
        )
    }
}
