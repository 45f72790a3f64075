//! Fifty senders that give every message a `clientMsgId` and repeat it until it is acknowledged.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::client::{Client, Gone};
use crate::ledger::Ledger;
use crate::setting::rest::{Rest, User};
use crate::setting::wait::within;

/// Senders, and the conversations that they share: ten write into each, from both sides.
const SENDERS: usize = 50;
const PAIRS: usize = 5;
/// An answer must come within this, whatever is broken.
const ANSWER: Duration = Duration::from_secs(15);
/// Before a refused send is repeated, and between two tries to connect.
const PAUSE: Duration = Duration::from_millis(50);

/// Senders at work.
pub(crate) struct Load {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) pairs: Vec<[User; 2]>,
    stop: CancellationToken,
    senders: JoinSet<()>,
}

impl Load {
    /// Registers the users and starts the senders.
    pub(crate) async fn start(rest: &Rest, port: u16) -> Self {
        let mut pairs = Vec::new();
        for number in 0..PAIRS {
            let names = [format!("left{number}"), format!("right{number}")];
            pairs.push(rest.register_all(names.each_ref().map(String::as_str)).await);
        }
        let (ledger, stop) = (Arc::new(Ledger::default()), CancellationToken::new());
        let mut senders = JoinSet::new();
        for number in 0..SENDERS {
            let [one, other] = pairs[number % PAIRS].clone();
            let (from, to) =
                if (number / PAIRS).is_multiple_of(2) { (one, other) } else { (other, one) };
            let (ledger, stop) = (ledger.clone(), stop.clone());
            let sender =
                Sender { number, port, token: from.token, to: to.id, ledger, client: None };
            senders.spawn(sender.run(stop));
        }
        Self { ledger, pairs, stop, senders }
    }

    /// Lets every sender get the ack of what it sends just now, and ends it.
    pub(crate) async fn finish(&mut self) {
        self.stop.cancel();
        within("every sender has its last ack", Duration::from_secs(60), async {
            while let Some(ended) = self.senders.join_next().await {
                ended.expect("no sender met anything but acks, refusals and lost connections");
            }
        })
        .await;
    }

    /// Fails at once when a sender has failed.
    pub(crate) fn assert_running(&mut self) {
        if let Some(ended) = self.senders.try_join_next() {
            ended.expect("no sender met anything but acks, refusals and lost connections");
            panic!("a sender ended early");
        }
    }
}

struct Sender {
    number: usize,
    port: u16,
    token: String,
    to: String,
    ledger: Arc<Ledger>,
    client: Option<Client>,
}

impl Sender {
    async fn run(mut self, stop: CancellationToken) {
        let mut count = 0;
        while !stop.is_cancelled() {
            let (id, content) =
                (format!("{}-{count}", self.number), format!("message {count} of {}", self.number));
            self.send_until_acked(&id, &content).await;
            count += 1;
        }
    }

    async fn send_until_acked(&mut self, id: &str, content: &str) {
        let payload = json!({ "receiverId": self.to, "content": content, "clientMsgId": id });
        loop {
            let asked = Instant::now();
            match self.connected().await.ask("send_message", &payload, ANSWER).await {
                Ok(ack) => {
                    self.ledger.note_wait(asked.elapsed());
                    if ack["ok"] == true {
                        return self.ledger.note(id, content, &ack["message"]);
                    }
                    self.note_refusal(&ack);
                    tokio::time::sleep(PAUSE).await;
                }
                Err(Gone) => {
                    self.ledger.lost_connections.fetch_add(1, Ordering::SeqCst);
                    self.client = None;
                }
            }
        }
    }

    fn note_refusal(&self, ack: &Value) {
        assert_eq!(ack["error"]["code"], "unavailable", "{ack}");
        self.ledger.unavailable.fetch_add(1, Ordering::SeqCst);
    }

    async fn connected(&mut self) -> &Client {
        while self.client.is_none() {
            self.client = Client::connect(self.port, &self.token).await;
            if self.client.is_none() {
                tokio::time::sleep(PAUSE).await;
            }
        }
        self.client.as_ref().expect("was just connected")
    }
}
