//! What senders were told: every message that was acknowledged, and how often it was not.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::setting::wait::until;
use crate::stored::Stored;

/// Counts while the load runs.
#[derive(Default)]
pub(crate) struct Ledger {
    acked: Mutex<HashMap<String, Stored>>,
    pub(crate) acks: AtomicUsize,
    /// Sends answered `unavailable`.
    pub(crate) unavailable: AtomicUsize,
    /// Connections lost with a send under way.
    pub(crate) lost_connections: AtomicUsize,
    slowest: Mutex<BTreeMap<String, Duration>>,
}

impl Ledger {
    /// Notes an `ok` ack of the message that was sent with this `clientMsgId`.
    pub(crate) fn note(&self, client_msg_id: &str, content: &str, message: &Value) {
        let acked = Stored::shown(message);
        assert_eq!(acked.content, content, "an ack carries what was sent");
        assert_eq!(acked.client_msg_id, client_msg_id, "an ack carries what was sent");
        let before = self.acked.lock().unwrap().insert(client_msg_id.to_owned(), acked);
        assert_eq!(before, None, "each message is acked to its sender once");
        self.acks.fetch_add(1, Ordering::SeqCst);
    }

    /// Everything acknowledged, by `clientMsgId`.
    pub(crate) fn acked(&self) -> HashMap<String, Stored> {
        self.acked.lock().unwrap().clone()
    }

    /// Notes how long the answer to an event took.
    pub(crate) fn note_wait(&self, event: &str, waited: Duration) {
        let mut slowest = self.slowest.lock().unwrap();
        let slowest = slowest.entry(event.to_owned()).or_default();
        *slowest = waited.max(*slowest);
    }

    /// The longest wait for an answer to each event.
    pub(crate) fn slowest(&self) -> BTreeMap<String, Duration> {
        self.slowest.lock().unwrap().clone()
    }

    /// Waits until so many more messages are acked; how long that took.
    pub(crate) async fn await_more(&self, count: usize, limit: Duration) -> Duration {
        let wanted = self.acks.load(Ordering::SeqCst) + count;
        let enough = async || (self.acks.load(Ordering::SeqCst) >= wanted).then_some(());
        until(&format!("{count} more acks"), limit, enough).await.1
    }
}
