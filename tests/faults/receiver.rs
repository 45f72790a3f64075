//! Somebody who listens to one conversation, resumes after every reconnect, and asks for what was
//! skipped: what such a client ends up with, and how it came.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::client::{Client, Gone};
use crate::persistent::ANSWER;

/// For one try to connect, and between two.
const CONNECT: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(50);

/// What somebody heard of a conversation.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// Content and `clientMsgId` by number.
    pub(crate) messages: HashMap<i64, (String, String)>,
    live: HashSet<i64>,
    /// The last of each sender's messages that came live.
    last_of: HashMap<String, u64>,
    /// Everything up to this number was heard.
    pub(crate) last: i64,
    /// Came live twice.
    pub(crate) doubled: usize,
    /// Came live after a later one of the same sender, or twice with another content.
    pub(crate) misordered: usize,
    /// Times that a number came live before the one before it.
    pub(crate) skipped: usize,
}

impl Heard {
    fn note(&mut self, message: &Value) -> i64 {
        let seq = message["seq"].as_i64().unwrap();
        let text = |field: &str| message[field].as_str().unwrap().to_owned();
        let said = (text("content"), text("clientMsgId"));
        let before = self.messages.insert(seq, said.clone());
        self.misordered += usize::from(before.is_some_and(|before| before != said));
        while self.messages.contains_key(&(self.last + 1)) {
            self.last += 1;
        }
        seq
    }

    fn note_live(&mut self, message: &Value) {
        let skips = message["seq"].as_i64().unwrap() > self.last + 1;
        let seq = self.note(message);
        self.skipped += usize::from(skips);
        self.doubled += usize::from(!self.live.insert(seq));
        let key = &self.messages[&seq].1;
        let (sender, count) = key.split_once('-').expect("sender and count");
        let count = count.parse().unwrap();
        let before = self.last_of.insert(sender.to_owned(), count);
        self.misordered += usize::from(before.is_some_and(|before| before > count));
    }
}

/// A listener to one conversation.
pub(crate) struct Receiver {
    pub(crate) port: u16,
    pub(crate) token: String,
    pub(crate) conversation: String,
    pub(crate) is_room: bool,
    pub(crate) heard: Heard,
}

impl Receiver {
    /// Listens until everything up to the number that `wanted` says was heard.
    pub(crate) async fn run(mut self, mut wanted: watch::Receiver<Option<i64>>) -> Heard {
        while wanted.borrow().is_none_or(|wanted| self.heard.last < wanted) {
            let auth = json!({ "token": self.token, "sync": self.resuming() });
            let connecting = Client::connect_with(self.port, &auth);
            match timeout(CONNECT, connecting).await {
                Ok(Some(client)) => self.listen(client, &mut wanted).await.unwrap_or_default(),
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
        self.heard
    }

    fn resuming(&self) -> Value {
        json!({ "conversations": { self.conversation.as_str(): self.heard.last } })
    }

    /// Until the transport ends, which is an error, or all was heard.
    async fn listen(
        &mut self,
        mut client: Client,
        wanted: &mut watch::Receiver<Option<i64>>,
    ) -> Result<(), Gone> {
        if self.is_room {
            let room = json!({ "roomId": self.conversation });
            if client.ask("join_room", &room, ANSWER).await?["ok"] != true {
                return Err(Gone);
            }
            // What came between the handshake and this was not for a socket outside the room.
            self.catch_up(&client).await?;
        }
        while wanted.borrow().is_none_or(|wanted| self.heard.last < wanted) {
            let (name, payload) = tokio::select! {
                event = client.next_event() => event.ok_or(Gone)?,
                _ = wanted.changed() => continue,
            };
            match name.as_str() {
                "sync" => {
                    self.take(&payload);
                    if payload["more"] == true {
                        self.catch_up(&client).await?;
                    }
                }
                "receive_message" => {
                    let message = payload.get("message").unwrap_or(&payload);
                    self.heard.note_live(message);
                    if message["seq"].as_i64().unwrap() > self.heard.last {
                        self.catch_up(&client).await?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn take(&mut self, page: &Value) {
        for message in page["messages"].as_array().unwrap() {
            self.heard.note(message);
        }
    }

    async fn catch_up(&mut self, client: &Client) -> Result<(), Gone> {
        loop {
            let page = client.ask("sync", &self.resuming(), ANSWER).await?;
            if page["ok"] == true {
                self.take(&page);
            } else {
                assert_eq!(page["error"]["code"], "unavailable", "{page}");
                tokio::time::sleep(PAUSE).await;
            }
            if page["more"] == false {
                return Ok(());
            }
        }
    }
}
