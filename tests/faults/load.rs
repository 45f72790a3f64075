//! Fifty senders, twenty of them in rooms, that give every message a `clientMsgId` and repeat it
//! until it is acknowledged; those who listen to them; and orders that two drivers want.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::ledger::Ledger;
use crate::orders::{OrderTally, Ordering};
use crate::persistent::Persistent;
use crate::receiver::{Heard, Receiver};
use crate::setting::rest::{Rest, User};
use crate::setting::server::Server;
use crate::setting::wait::within;
use crate::stored::{Stored, stored};
use crate::tally::Tally;

/// Senders into one conversation: of a pair from both sides, of a room each for themselves.
const SENDERS: usize = 10;
const PAIRS: usize = 3;
const ROOMS: usize = 2;
/// For the last acks, and for everybody to hear everything.
const END: Duration = Duration::from_secs(60);

/// Where messages go.
#[derive(Clone)]
struct Conversation {
    id: String,
    /// Two of a pair, or the members of a room.
    people: Vec<User>,
    is_room: bool,
}

impl Conversation {
    /// Whose id is known by a first message.
    async fn pair(rest: &Rest, port: u16, number: usize, ledger: &Arc<Ledger>) -> Self {
        let names = [format!("left{number}"), format!("right{number}")];
        let people = rest.register_all(names.each_ref().map(String::as_str)).await;
        let mut first = Persistent::new(port, people[0].token.clone(), ledger.clone());
        let (key, content) = (format!("first{number}-0"), "the first message");
        let to = json!({ "receiverId": people[1].id });
        let message = send(&mut first, &to, &key, content).await;
        let id = message["conversationId"].as_str().unwrap().to_owned();
        Self { id, people: people.into(), is_room: false }
    }

    async fn room(rest: &Rest, number: usize) -> Self {
        let mut people = Vec::new();
        for member in 0..SENDERS {
            people.push(rest.register(&format!("member{number}-{member}")).await);
        }
        Self { id: rest.create_room(&people).await, people, is_room: true }
    }

    /// Who the sender with this number is, and what a send says of the conversation.
    fn seat(&self, number: usize) -> (&User, Value) {
        let people = &self.people;
        let person = &people[number % people.len()];
        let to = match self.is_room {
            true => json!({ "roomId": self.id }),
            false => json!({ "receiverId": people[(number + 1) % 2].id }),
        };
        (person, to)
    }

    async fn history(&self, rest: &Rest) -> Vec<Stored> {
        let [one, other, ..] = &self.people[..] else { unreachable!("there are two at least") };
        let history = match self.is_room {
            true => rest.room_history(one, &self.id).await,
            false => rest.history(one, other).await,
        };
        history.iter().map(Stored::shown).collect()
    }
}

/// Sends a message until it is acknowledged.
async fn send(from: &mut Persistent, to: &Value, key: &str, content: &str) -> Value {
    let mut payload = to.clone();
    payload["content"] = json!(content);
    payload["clientMsgId"] = json!(key);
    let ack = from.ask("send_message", &payload).await;
    assert_eq!(ack["ok"], true, "{ack}");
    from.ledger.note(key, content, &ack["message"]);
    ack["message"].clone()
}

async fn keep_sending(mut from: Persistent, number: usize, to: Value, stop: CancellationToken) {
    for count in 0.. {
        if stop.is_cancelled() {
            return;
        }
        let content = format!("message {count} of {number}");
        send(&mut from, &to, &format!("{number}-{count}"), &content).await;
    }
}

/// Everybody at work.
pub(crate) struct Load {
    pub(crate) ledger: Arc<Ledger>,
    conversations: Vec<Conversation>,
    customer: User,
    stop: CancellationToken,
    senders: JoinSet<()>,
    ordering: JoinSet<Vec<(String, String)>>,
    /// Listeners with the place of their conversation, until they have heard so much of it.
    listeners: JoinSet<(usize, Heard)>,
    last: Vec<watch::Sender<Option<i64>>>,
}

impl Load {
    /// Registers the users at the server, and starts them all.
    pub(crate) async fn start(server: &Server) -> Self {
        Self::start_through(server, server.port()).await
    }

    /// As [`Load::start`], with every socket through this port.
    pub(crate) async fn start_through(server: &Server, port: u16) -> Self {
        let (rest, ledger) = (&server.rest, Arc::new(Ledger::default()));
        let mut conversations = Vec::new();
        for number in 0..PAIRS {
            conversations.push(Conversation::pair(rest, port, number, &ledger).await);
        }
        for number in 0..ROOMS {
            conversations.push(Conversation::room(rest, number).await);
        }
        let customer = rest.register("customer").await;
        let (stop, senders, listeners) = (CancellationToken::new(), JoinSet::new(), JoinSet::new());
        let (ordering, last) = (JoinSet::new(), Vec::new());
        let mut load =
            Self { ledger, conversations, customer, stop, senders, ordering, listeners, last };
        load.start_senders(port);
        load.start_listeners(port);
        load.start_ordering(rest, port).await;
        load
    }

    fn start_senders(&mut self, port: u16) {
        for (place, conversation) in self.conversations.iter().enumerate() {
            for seat in 0..SENDERS {
                let (from, to) = conversation.seat(seat);
                let mut from = Persistent::new(port, from.token.clone(), self.ledger.clone());
                from.room = conversation.is_room.then(|| to.clone());
                let number = place * SENDERS + seat;
                self.senders.spawn(keep_sending(from, number, to, self.stop.clone()));
            }
        }
    }

    /// Two for each conversation.
    fn start_listeners(&mut self, port: u16) {
        for (place, conversation) in self.conversations.iter().enumerate() {
            let (last, wanted) = watch::channel(None);
            for person in &conversation.people[..2] {
                let (token, heard) = (person.token.clone(), Heard::default());
                let (conversation, is_room) = (conversation.id.clone(), conversation.is_room);
                let receiver = Receiver { port, token, conversation, is_room, heard };
                let wanted = wanted.clone();
                self.listeners.spawn(async move { (place, receiver.run(wanted).await) });
            }
            self.last.push(last);
        }
    }

    async fn start_ordering(&mut self, rest: &Rest, port: u16) {
        let client = |user: &User| Persistent::new(port, user.token.clone(), self.ledger.clone());
        let customer = client(&self.customer);
        let one = rest.register_as("driver1", "driver").await;
        let other = rest.register_as("driver2", "driver").await;
        let drivers = [&one, &other].map(|driver| (driver.id.clone(), client(driver)));
        self.ordering.spawn(Ordering { customer, drivers }.run(self.stop.clone()));
    }

    /// Lets everybody get the ack of what is sent just now, and listeners hear all of it; then
    /// holds against each other what was acknowledged, what is stored, and what was heard.
    pub(crate) async fn finish(mut self, server: &Server) -> Tally {
        self.stop.cancel();
        within("every sender has its last ack", END, async {
            while let Some(ended) = self.senders.join_next().await {
                ended.expect("no sender met anything but acks, refusals and lost connections");
            }
        })
        .await;
        let taken = within("the last order is taken", END, self.ordering.join_next()).await;
        let mut tally = self.check_stored(server).await;
        let taken = taken.expect("somebody orders").expect("orders are placed, and taken once");
        tally.orders = OrderTally::of(&server.rest, &self.customer, &taken).await;
        tally
    }

    async fn check_stored(&mut self, server: &Server) -> Tally {
        let (direct, mut missing) = (stored(&server.setup).await, self.ledger.acked());
        let mut tally = Tally { acked: missing.len(), ..Tally::default() };
        for (conversation, last) in self.conversations.iter().zip(&self.last) {
            let direct = &direct[&conversation.id];
            for message in direct {
                let acked = missing.remove(&message.client_msg_id);
                tally.changed += usize::from(acked.is_some_and(|acked| acked != *message));
            }
            tally.count_stored(&conversation.history(&server.rest).await, direct);
            last.send_replace(Some(direct.last().unwrap().seq));
        }
        tally.lost = missing.len();
        within("everybody has heard everything", END, async {
            while let Some(ended) = self.listeners.join_next().await {
                let (place, heard) = ended.expect("no listener met anything but lost connections");
                tally.count_heard(&heard, &direct[&self.conversations[place].id]);
            }
        })
        .await;
        tally
    }

    /// Fails at once when anybody has failed.
    pub(crate) fn assert_running(&mut self) {
        let ended = self.senders.try_join_next().is_some();
        let ended = ended || self.listeners.try_join_next().is_some();
        assert!(!ended && self.ordering.try_join_next().is_none(), "somebody ended early");
    }

    /// Somebody of each conversation.
    pub(crate) fn people(&self) -> impl Iterator<Item = &User> {
        self.conversations.iter().map(|conversation| &conversation.people[0])
    }
}
