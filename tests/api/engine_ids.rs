//! The engine's ids of connections: whoever knows one can speak for its client by polling, so
//! nobody else gets it.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::chat::to;
use crate::support::Person;
use crate::support::orders::tea;
use crate::support::rooms::{into, named};
use crate::support::transport::{WebSocket, websocket};

/// A client that keeps every packet as it came.
struct Client {
    websocket: WebSocket,
    /// The id of the connection, and that of the socket.
    ids: [String; 2],
    heard: String,
}

impl Client {
    async fn of(person: &Person) -> Self {
        let websocket = websocket(&person.server, "", &[]).await.unwrap();
        let mut client = Self { websocket, ids: Default::default(), heard: String::new() };
        let open = client.next().await;
        client.send(&format!("40{}", json!({ "token": person.token }))).await;
        let connected = loop {
            let packet = client.next().await;
            if packet.starts_with("40") {
                break packet;
            }
        };
        let sid = |packet: &str, kind: &str| {
            let json: Value = serde_json::from_str(packet.strip_prefix(kind).unwrap()).unwrap();
            json["sid"].as_str().unwrap().to_owned()
        };
        client.ids = [sid(&open, "0"), sid(&connected, "40")];
        client.heard.clear();
        client
    }

    async fn send(&mut self, packet: &str) {
        self.websocket.send(Message::text(packet)).await.unwrap();
    }

    async fn next(&mut self) -> String {
        let frame = timeout(Duration::from_secs(10), self.websocket.next()).await;
        let text = frame.unwrap().unwrap().unwrap().into_text().unwrap().to_string();
        self.heard.push_str(&text);
        text
    }

    /// Emits an event and reads until its ack.
    async fn ask(&mut self, event: &str, payload: &Value) {
        self.send(&format!("427{}", json!([event, payload]))).await;
        while !self.next().await.starts_with("437[") {}
    }
}

on_every_store! {
    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn nobody_else_hears_the_id_of_a_connection(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let (dan, admin) = (server.driver("dan").await, server.admin().await);
        let room = server.room_of([&alice, &bob]).await;
        let mut clients = Vec::new();
        for person in [&bob, &dan, &admin, &alice] {
            clients.push(Client::of(person).await);
        }
        clients[0].ask("join_room", &named(&room)).await;
        for event in ["presence_subscribe", "presence_unsubscribe"] {
            clients[0].ask(event, &json!({ "userIds": [alice.id] })).await;
        }
        for (event, payload) in [
            ("join_room", named(&room)),
            ("send_message", into(&room, "hello")),
            ("typing", json!({ "roomId": room, "isTyping": true })),
            ("send_message", to(&bob, "hello")),
            ("typing_start", json!({ "receiverId": bob.id })),
            ("placeOrder", tea()),
            ("nothing", json!({})),
            ("leave_room", named(&room)),
        ] {
            clients[3].ask(event, &payload).await;
        }
        // What others are told may come behind the acknowledgement.
        for (number, event) in [(0, "receive_message"), (1, "newOrder")] {
            while !clients[number].heard.contains(event) {
                clients[number].next().await;
            }
        }
        let ids: Vec<_> = clients.iter().flat_map(|client| client.ids.clone()).collect();
        let mut seen = String::new();
        for client in &mut clients {
            client.ask("sync", &json!({})).await;
            seen.push_str(&client.heard);
        }
        for path in ["/health", "/metrics", "/api/auth/users", "/api/conversations", "/rooms"] {
            seen.push_str(&bob.get(path).await.body.to_string());
            seen.push_str(&admin.get(path).await.body.to_string());
        }
        for rest in ["", "/members", "/presence", "/messages"] {
            seen.push_str(&bob.of_room(&room, rest).await.to_string());
        }
        for id in ids {
            assert!(id.len() > 10 && !seen.contains(&id), "{id} in {seen}");
        }
    }
}
