//! Fifty senders, half of them in rooms, that give every message a `clientMsgId` and repeat it until it is acknowledged.

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

/// Senders into one conversation: of a pair from both sides, of a room each for themselves.
const SENDERS: usize = 10;
const PAIRS: usize = 3;
const ROOMS: usize = 2;
/// An answer must come within this, whatever is broken.
const ANSWER: Duration = Duration::from_secs(15);
/// Before a refused send is repeated, and between two tries to connect.
const PAUSE: Duration = Duration::from_millis(50);

/// Where messages go.
#[derive(Clone)]
pub(crate) enum Conversation {
    Pair([User; 2]),
    Room { id: String, members: Vec<User> },
}

impl Conversation {
    async fn pair(rest: &Rest, number: usize) -> Self {
        let names = [format!("left{number}"), format!("right{number}")];
        Self::Pair(rest.register_all(names.each_ref().map(String::as_str)).await)
    }

    async fn room(rest: &Rest, number: usize) -> Self {
        let mut members = Vec::new();
        for member in 0..SENDERS {
            members.push(rest.register(&format!("member{number}-{member}")).await);
        }
        let id = rest.create_room(&members).await;
        Self::Room { id, members }
    }

    /// Somebody in it.
    pub(crate) fn anybody(&self) -> &User {
        match self {
            Self::Pair([one, _]) => one,
            Self::Room { members, .. } => &members[0],
        }
    }

    /// Who the sender with this number is, and what a send says of the conversation.
    fn seat(&self, number: usize) -> (User, Value) {
        match self {
            Self::Pair([one, other]) if number.is_multiple_of(2) => {
                (one.clone(), json!({ "receiverId": other.id }))
            }
            Self::Pair([one, other]) => (other.clone(), json!({ "receiverId": one.id })),
            Self::Room { id, members } => (members[number].clone(), json!({ "roomId": id })),
        }
    }
}

/// Senders at work.
pub(crate) struct Load {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) conversations: Vec<Conversation>,
    stop: CancellationToken,
    senders: JoinSet<()>,
}

impl Load {
    /// Registers the users and starts the senders.
    pub(crate) async fn start(rest: &Rest, port: u16) -> Self {
        let mut conversations = Vec::new();
        for number in 0..PAIRS {
            conversations.push(Conversation::pair(rest, number).await);
        }
        for number in 0..ROOMS {
            conversations.push(Conversation::room(rest, number).await);
        }
        let (ledger, stop) = (Arc::new(Ledger::default()), CancellationToken::new());
        let mut senders = JoinSet::new();
        for (place, conversation) in conversations.iter().enumerate() {
            for seat in 0..SENDERS {
                let (from, to) = conversation.seat(seat);
                let (ledger, stop) = (ledger.clone(), stop.clone());
                let number = place * SENDERS + seat;
                let sender = Sender { number, port, token: from.token, to, ledger, client: None };
                senders.spawn(sender.run(stop));
            }
        }
        Self { ledger, conversations, stop, senders }
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
    /// What a send says of the conversation.
    to: Value,
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
        let mut payload = self.to.clone();
        payload["content"] = json!(content);
        payload["clientMsgId"] = json!(id);
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

    /// Joins the room, if the conversation is one; gives the connection up when that fails.
    async fn join_room(&mut self) {
        let Some(client) = &self.client else { return };
        if self.to.get("roomId").is_some() {
            match client.ask("join_room", &self.to, ANSWER).await {
                Ok(ack) if ack["ok"] == true => {}
                Ok(ack) => {
                    self.note_refusal(&ack);
                    self.client = None;
                }
                Err(Gone) => self.client = None,
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
            self.join_room().await;
            if self.client.is_none() {
                tokio::time::sleep(PAUSE).await;
            }
        }
        self.client.as_ref().expect("was just connected")
    }
}
