//! A client that connects again whenever its transport ends, and repeats what was not answered.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::client::{Client, Gone};
use crate::ledger::Ledger;

/// The answer to a send must come within this, whatever is broken.
pub(crate) const ANSWER: Duration = Duration::from_secs(15);
/// The same of what is done with an order: some steps, each of which may wait for 10 s, and for
/// others who do something with the same order.
const ANSWER_OF_ORDERS: Duration = Duration::from_secs(60);
/// For one try to connect.
const CONNECT: Duration = Duration::from_secs(3);
/// Before a refused send is repeated, and between two tries to connect.
const PAUSE: Duration = Duration::from_millis(50);

pub(crate) struct Persistent {
    pub(crate) port: u16,
    pub(crate) token: String,
    /// What `join_room` says after every connect, in a room.
    pub(crate) room: Option<Value>,
    pub(crate) ledger: Arc<Ledger>,
    client: Option<Client>,
}

impl Persistent {
    pub(crate) fn new(port: u16, token: String, ledger: Arc<Ledger>) -> Self {
        Self { port, token, room: None, ledger, client: None }
    }

    /// Repeats an event until it is answered, and not with `unavailable`.
    pub(crate) async fn ask(&mut self, event: &str, payload: &Value) -> Value {
        let limit = if event == "send_message" { ANSWER } else { ANSWER_OF_ORDERS };
        loop {
            let asked = Instant::now();
            match self.connected().await.ask(event, payload, limit).await {
                Ok(ack) => {
                    self.ledger.note_wait(event, asked.elapsed());
                    if ack["ok"] == true || ack["error"]["code"] != "unavailable" {
                        return ack;
                    }
                    self.ledger.unavailable.fetch_add(1, Ordering::SeqCst);
                    tokio::time::sleep(PAUSE).await;
                }
                Err(Gone) => {
                    self.ledger.lost_connections.fetch_add(1, Ordering::SeqCst);
                    self.client = None;
                }
            }
        }
    }

    /// Joins the room, if there is one; gives the connection up when that fails.
    async fn join_room(&mut self) {
        let (Some(client), Some(room)) = (&self.client, &self.room) else { return };
        match client.ask("join_room", room, ANSWER).await {
            Ok(ack) if ack["ok"] == true => {}
            Ok(ack) => {
                assert_eq!(ack["error"]["code"], "unavailable", "{ack}");
                self.client = None;
            }
            Err(Gone) => self.client = None,
        }
    }

    async fn connected(&mut self) -> &Client {
        while self.client.is_none() {
            let connecting = Client::connect(self.port, &self.token);
            self.client = tokio::time::timeout(CONNECT, connecting).await.ok().flatten();
            self.client.iter_mut().for_each(Client::ignore_events);
            self.join_room().await;
            if self.client.is_none() {
                tokio::time::sleep(PAUSE).await;
            }
        }
        self.client.as_ref().expect("was just connected")
    }
}
